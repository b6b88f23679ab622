"""From the settings of a probe to its jobs: which poses of a scene and model are drawn how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import numpy as np
import pandas as pd

from posetest.engine.probe_design import design_rows
from posetest.engine.probe_loop import Job, RoundsJob
from posetest.engine.probe_plan import Rows, choose_bases, one_parameter, together, unchanged
from posetest.engine.probe_rounds import Rounds
from posetest.engine.probe_turns import turned
from posetest.protocols import Model
from posetest.run_info import ProbeInfo
from posetest.scene.scene import Scene
from posetest.space import INDEX, PARAMETERS, scene_space

#: Ways to draw a pose again: 2 x 2 samples (or one, where the scene has 2 x 2), another image size, half a pixel
#: aside, ambient light alone, another renderer.
CHANGES = ("samples", "size", "jitter", "flat", "renderer")
JITTER_PX = 0.5
#: Linear; a white surface is then white.
FLAT_AMBIENT = 1.0


@dataclass(frozen=True, eq=False)
class Place:
    """A scene and a model of the parent.

    Attributes:
        scene, model: loaded.
        image_size: of the parent's pictures.
        key: numbers that random draws depend on.
    """

    scene: Scene
    model: Model
    image_size: int
    key: tuple[int, ...]


def jobs_of(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> list[Job]:
    """The jobs of one scene and model, in order; none where the parent has no pose to begin with.

    ``frame`` holds the parent's records, at least ``probe_plan.NEEDED``. Not of axes and boxes: see ``rounds_of``.
    """
    makers = {"sensitivity": _sensitivity, "artefacts": _artefacts, "tolerance": _tolerance, "indices": _indices}
    return makers[settings.what](settings, frame, place)


def rounds_of(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> RoundsJob | None:
    """The rounds of axes or boxes; as ``jobs_of``."""
    pair = (place.scene.name, place.model.name)
    bases = choose_bases(frame, pair, settings.poses, place.key, recognised=True)
    rounds = Rounds(settings, place.scene.name, bases, place.key)
    return RoundsJob(place.scene, place.model, rounds, place.image_size) if len(bases) else None


def object_radius(scene: Scene) -> float:
    """Radius of the sphere around the object's centre that holds it, object units."""
    return float(np.linalg.norm(scene.mesh.verts_obj, axis=1).max())


def _sensitivity(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> list[Job]:
    pair = (place.scene.name, place.model.name)
    bases = choose_bases(frame, pair, settings.poses, place.key, recognised=True)
    rows = one_parameter(bases, settings.steps, object_radius(place.scene))
    return [Job(place.scene, place.model, bases, rows, place.image_size)] if len(bases) else []


def _tolerance(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> list[Job]:
    pair = (place.scene.name, place.model.name)
    bases = choose_bases(frame, pair, settings.poses, place.key, recognised=True)
    rows = turned(bases, settings.radii_deg, settings.draws, np.random.default_rng([*place.key, 3]))
    return [Job(place.scene, place.model, bases, rows, place.image_size)] if len(bases) else []


def _indices(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> list[Job]:
    # the same poses for every model of a scene: its key without the model
    space = scene_space(place.scene.config, place.scene.background.count, place.scene.source)
    bases, rows = design_rows(space, settings.poses, [*place.key[:-1], 5])
    return [Job(place.scene, place.model, bases, rows, place.image_size)]


def _artefacts(settings: ProbeInfo, frame: pd.DataFrame, place: Place) -> list[Job]:
    pair = (place.scene.name, place.model.name)
    misread = choose_bases(frame, pair, settings.poses, place.key, recognised=False)
    if not len(misread):
        return []
    bases = together([misread, choose_bases(frame, pair, len(misread), place.key, recognised=True)])
    rng = np.random.default_rng([*place.key, 2])
    angle = rng.uniform(0, 2 * np.pi, len(bases))
    few = np.concatenate(
        [_few(rng, np.flatnonzero(bases.recognised == group), settings.few) for group in (False, True)]
    )
    jobs, first = [], 0
    for change in ("none", *settings.changes):
        scene = drawn_otherwise(place.scene, change)
        if scene is None:
            continue
        rows = _with_change(unchanged(bases, change), change, angle, place.image_size)
        rows = _taken(rows, few) if change == "renderer" else rows
        size = settings.other_size if change == "size" else place.image_size
        jobs.append(Job(scene, place.model, bases, rows, size, first))
        first += len(rows)
    return jobs


def drawn_otherwise(scene: Scene, change: str) -> Scene | None:
    """The scene as ``change``, one of CHANGES or none of them, draws it; None where its back end cannot."""
    render = scene.config.render
    if change == "samples":
        other = 1 if render.samples == 2 else 2
        return None if render.backend == "reference" else scene.drawn_with({"samples": other})
    if change == "renderer":
        other_backend = "reference" if render.backend == "cpu" else "cpu"
        return scene.drawn_with({"backend": other_backend, "samples": 1})
    if change == "flat":  # the first light's strength is a parameter of the pose
        return replace(scene, config=msgspec.structs.replace(scene.config, lights=scene.config.lights[:1]))
    return scene


def _with_change(rows: Rows, change: str, angle: np.ndarray, image_size: int) -> Rows:
    """The rows with what a change does to pose vectors."""
    if change == "flat":
        return _moved(rows, {"light_strength": 0.0, "ambient": FLAT_AMBIENT}, np.zeros(len(rows)))
    if change == "jitter":
        step = JITTER_PX / (image_size / 2)  # half-frames
        x, y = (rows.vectors[:, INDEX[name]] for name in ("offset_x", "offset_y"))
        aside = {"offset_x": x + step * np.cos(angle), "offset_y": y + step * np.sin(angle)}
        return _moved(rows, aside, np.full(len(rows), JITTER_PX))
    return rows


def _moved(rows: Rows, values: Mapping[str, np.ndarray | float], amount: np.ndarray) -> Rows:
    vectors = rows.vectors.copy()
    for name, value in values.items():
        vectors[:, INDEX[name]] = np.round(value, PARAMETERS[INDEX[name]].decimals)
    return replace(rows, vectors=vectors, amount=amount)


def _few(rng: np.random.Generator, positions: np.ndarray, count: int) -> np.ndarray:
    return np.sort(rng.choice(positions, min(count, len(positions)), replace=False))


def _taken(rows: Rows, positions: Sequence[int] | np.ndarray) -> Rows:
    return Rows(rows.vectors[positions], rows.of[positions], rows.change[positions], rows.amount[positions])
