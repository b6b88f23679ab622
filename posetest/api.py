"""What users call from Python: audit, render_poses, load. The command line is a thin layer over these functions."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from posetest.config import Backend, ModelInfo, RunInfo, Samples, SceneInfo, Shading
from posetest.engine.host import default_threads, versions
from posetest.engine.run import RunFolder, file_name
from posetest.errors import ConfigError, LabelError, RunError
from posetest.protocols import Model
from posetest.render.select import describe, open_renderer
from posetest.scene.scene import Scene, bundled_scenes, load_scene
from posetest.space import Sampling, check_value, parse_pose, scene_space, vectors_to_views

if TYPE_CHECKING:
    import pandas as pd

#: What ``audit`` takes as a scene: an object, a scene or mesh file, or a bundled scene's name.
SceneLike = Scene | str | Path
#: What ``audit`` takes as a model: a specification, an nn.Module or any callable from images to scores.
ModelLike = Any

_IMAGE_SIZE = 224
_PART_SIZE = 1024  # poses of a record part, about; what a killed run can lose


class Run(RunFolder):
    """A run folder with its analysis: ``table()``, ``rates()``, ``report(path)``."""

    def rates(self) -> pd.DataFrame:
        """Recognition rates with 95 % intervals by scene, model and stratum (all or visible poses)."""
        from posetest.analysis.rates import rates

        return rates(self)

    def report(self, path: str | Path | None = None) -> Path:
        """Write the HTML report (by default report.html in the run folder) and return its path."""
        from posetest.report.html import write_report

        return write_report(self, Path(path) if path is not None else self.path / "report.html")


def open_run(path: str | Path) -> Run:
    """The run in a folder.

    Raises:
        RunError: there is no run.
    """
    return Run.open(path)


def audit(
    model: ModelLike | Sequence[ModelLike] = "bundled",
    scene: SceneLike | Sequence[SceneLike] | None = None,
    *,
    poses: int = 2000,
    seed: int = 0,
    sampling: Sampling = "independent",
    out: str | Path | None = None,
    resume: bool = False,
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    progress: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Run:
    """Evaluate ``poses`` poses of every scene with every model; every picture is drawn once.

    Args:
        model: a specification ("bundled", "torchvision:resnet50", "file.py:function?key=value", "onnx:file"), an
            nn.Module or callable from images [n, 3, h, w] in [0, 1] to class scores [n, k]; or several of them.
        scene: a scene, a scene or mesh file, a bundled scene's name, or several; by default all bundled scenes.
        poses: of each scene.
        seed: pose i of a scene depends on the seed and on i alone.
        sampling: "independent" draws, or a scrambled "sobol" sequence.
        out: the run folder; by default a new one under runs/.
        resume: go on with the run in ``out``; it ends with the rows of an undisturbed run.
        batch_size: pictures a model sees at once.
        image_size: pixels of each side; by default the largest input of the models, at least 224.
        threads: for rendering and for torch; by default all cores.
        backend, samples, shading: in place of what the scenes' [render] tables say; see docs/scenes.md.
        progress: called with (poses done, poses in all).
        command: what run.toml says was called; by default this call.

    Raises:
        PosetestError: a child that says what was expected and what to do.
    """
    counts = {"poses": poses, "batch_size": batch_size, "seed": seed}
    counts["image_size"] = _IMAGE_SIZE if image_size is None else image_size
    counts["threads"] = default_threads() if threads is None else threads
    counts = {name: _whole(name, value, least=0 if name == "seed" else 1) for name, value in counts.items()}
    render = {"backend": backend, "samples": samples, "shading": shading}
    scenes = [s.drawn_with(render, where="audit") for s in _load_scenes(scene)]
    models = _load_models(model)
    if image_size is None:
        counts["image_size"] = _default_image_size(models)
    info = RunInfo(
        kind="audit",
        status="running",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or _call(models, scenes, sampling, {**counts, **render}),
        seed=counts["seed"],
        poses=counts["poses"],
        sampling=sampling,
        image_size=counts["image_size"],
        batch_size=counts["batch_size"],
        part_size=-(-min(_PART_SIZE, counts["poses"]) // counts["batch_size"]) * counts["batch_size"],
        versions=versions(),
        scenes=tuple(_scene_info(s) for s in scenes),
        models=tuple(_model_info(m, scenes) for m in models),
        renderer=_renderer(scenes),
    )
    folder = Path(out) if out is not None else new_folder(scenes)
    from posetest.engine.loop import audit_into, try_out

    # whatever cannot be drawn is said before a folder exists, and so that the mended call finds none in its way
    try_out(scenes, info)
    run = _continued(folder, info) if resume else Run.create(folder, info)
    total, done = counts["poses"] * len(scenes), 0

    def report_progress(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    with _torch_threads(counts["threads"]):
        audit_into(run, scenes, models, threads=counts["threads"], progress=report_progress)
    return run


def _whole(name: str, value: int, *, least: int) -> int:
    """``value`` as a plain int.

    Raises:
        ConfigError: it is no whole number, or below ``least``.
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        raise ConfigError(f"{name} = {value!r}: a whole number is needed") from error
    if number < least:
        raise ConfigError(f"{name} = {number}: at least {least} is needed")
    return number


def _call(models: Sequence[Model], scenes: Sequence[Scene], sampling: Sampling, given: Mapping[str, object]) -> str:
    """The call that this run was, with what it named."""
    options = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
    named = f"{[m.spec for m in models]}, {[s.source for s in scenes]}"
    return f'posetest.audit({named}, sampling="{sampling}", {options})'


def _load_scenes(scene: SceneLike | Sequence[SceneLike] | None) -> list[Scene]:
    given = bundled_scenes() if scene is None else scene
    sources = [given] if isinstance(given, Scene | str | Path) else list(given)
    if not sources:
        raise ConfigError("no scene given, and none is bundled")
    scenes = [s if isinstance(s, Scene) else load_scene(s) for s in sources]
    for s in scenes:
        if not s.labels:
            raise LabelError(
                f"{s.source}: which labels count as recognised? Give labels in [object] of the scene, or --label NAME"
            )
    return [s.renamed(name) for s, name in zip(scenes, _unique([s.name for s in scenes]), strict=True)]


def _load_models(model: ModelLike | Sequence[ModelLike]) -> list[Model]:
    from posetest.models.load import load_model, with_name

    given: list[ModelLike] = list(model) if isinstance(model, list | tuple) else [model]
    if not given:
        raise ConfigError("no model given")
    models = [load_model(m) for m in given]
    return [with_name(m, name) for m, name in zip(models, _unique([m.name for m in models]), strict=True)]


def _unique(names: Sequence[str]) -> list[str]:
    """``names`` with -2, -3 ... behind those that stood there before."""
    taken: list[str] = []
    for name in names:
        candidate, k = name, 1
        while candidate in taken:
            k += 1
            candidate = f"{name}-{k}"
        taken.append(candidate)
    return taken


def _default_image_size(models: Sequence[Model]) -> int:
    """The largest input of the models, so that none sees a picture enlarged, and at least 224.

    A smaller network scales its pictures down, antialiased: its picture is supersampled, and visibility is measured on
    the same footing for every model.
    """
    return max([_IMAGE_SIZE, *(m.input_size for m in models if m.input_size)])


def _scene_info(scene: Scene) -> SceneInfo:
    space = scene_space(scene.config, scene.background.count, scene.source)
    return SceneInfo(
        name=scene.name,
        source=scene.source,
        measure=space.measure,
        labels=scene.labels,
        mesh_digest=scene.mesh.digest,
        scene_digest=scene.digest,
        faces=len(scene.mesh.faces),
        free=tuple(space.free),
        warnings=scene.mesh.warnings,
        not_drawn=scene.mesh.not_drawn,
        config=msgspec.to_builtins(scene.config),
    )


def _renderer(scenes: Sequence[Scene]) -> str:
    """What draws the scenes, in words; each with its name where they differ."""
    drawn = {scene.name: describe(scene.config.render) for scene in scenes}
    if len(set(drawn.values())) == 1:
        return next(iter(drawn.values()))
    return "; ".join(f"{name}: {words}" for name, words in drawn.items())


def _model_info(model: Model, scenes: Sequence[Scene]) -> ModelInfo:
    from posetest.models.labels import class_name, resolve_labels

    accepted = {s.name: resolve_labels(s.labels, model.categories, f"{s.name} with {model.name}") for s in scenes}
    return ModelInfo(
        name=model.name,
        spec=model.spec,
        digest=model.digest,
        classes=len(model.categories),
        preprocessing=model.preprocessing,
        accepted=accepted,
        accepted_names={
            name: tuple(class_name(i, model.categories) for i in indices) for name, indices in accepted.items()
        },
    )


def new_folder(scenes: Sequence[Scene] | None) -> Path:
    """A run folder under runs/ named after the scene (or "audit") and the time."""
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    what = scenes[0].name if scenes is not None and len(scenes) == 1 else "audit"
    return Path("runs") / f"{file_name(what)}-{stamp}"


def _continued(folder: Path, info: RunInfo) -> Run:
    """The run to go on with, after a check that it is the same one.

    Raises:
        RunError: it was started with something else; names what.
    """
    run = Run.open(folder)
    old = run.info
    for key in ("seed", "poses", "sampling", "image_size", "batch_size", "part_size", "renderer"):
        if getattr(old, key) != getattr(info, key):
            raise RunError(
                f"{folder}: started with {key} = {getattr(old, key)}, now {getattr(info, key)}: "
                "resume with the same command, or choose another --out"
            )
    if changed := [
        name for name in old.versions.keys() | info.versions.keys() if old.versions.get(name) != info.versions.get(name)
    ]:
        raise RunError(
            f"{folder}: started with other versions of {', '.join(sorted(changed))}, which may score otherwise: "
            "install those that run.toml names, or choose another --out"
        )
    for kind, keys in (
        ("scenes", ("name", "mesh_digest", "scene_digest")),
        ("models", ("name", "digest", "preprocessing", "accepted")),
    ):
        before, now = ([[getattr(x, key) for key in keys] for x in getattr(i, kind)] for i in (old, info))
        if before != now:
            names = ", ".join(x.name for x in getattr(old, kind))
            raise RunError(f"{folder}: started with other {kind} ({names}), or they have changed since")
    return run


@contextlib.contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    """torch on so many threads for a while; the caller's own number comes back."""
    import torch

    before = torch.get_num_threads()
    if before != threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        if before != threads:
            torch.set_num_threads(before)


def render_poses(
    scene: SceneLike,
    pose: str | Sequence[str] = "",
    *,
    image_size: int | tuple[int, int] = 224,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
) -> NDArray[np.float32]:
    """Pictures [n, 3, h, w] in [0, 1] of one pose or several, as replay strings ("yaw=30,pitch=-10,distance=4").

    Parameters that a string leaves out have the scene's own values, also where the scene lets them vary; ``backend``,
    ``samples`` and ``shading`` take the place of what the scene's [render] table says.

    Raises:
        ConfigError: a pose that cannot be read; a size below 1; a render setting that there is not.
        BackendError: a back end that cannot run here.
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    loaded = loaded.drawn_with({"backend": backend, "samples": samples, "shading": shading}, where="render_poses")
    space = scene_space(loaded.config, loaded.background.count, loaded.source)
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if min(height, width) < 1:
        raise ConfigError(f"image size {width} x {height}: at least 1 x 1 is needed")
    texts = [pose] if isinstance(pose, str) else list(pose)
    if not texts:
        raise ConfigError('no pose to draw: give at least one, "" for the scene\'s own')
    workers = _whole("threads", default_threads() if threads is None else threads, least=1)
    vectors = np.concatenate([space.vector(parse_pose(text)) for text in texts])
    views = vectors_to_views(vectors, loaded.config, aspect=width / height)
    opened = open_renderer(loaded.mesh, loaded.background, loaded.config.render, threads=workers)
    with contextlib.closing(opened) as renderer:
        return renderer.render(views, height, width).images


def grid_poses(grid: str, pose: str = "") -> tuple[list[str], int]:
    """The replay strings of a grid and the number of its columns.

    ``grid`` names one or two parameters, "yaw=-180:150:12,pitch=-60:60:5": first, last, count. The first runs along
    the rows' length, the second down. ``pose`` holds the other parameters.

    Raises:
        ConfigError: not of that form, or more than two parameters.
    """
    axes: list[tuple[str, list[float]]] = []
    for entry in filter(None, (part.strip() for part in grid.split(","))):
        name, _, span = entry.partition("=")
        pieces = span.split(":")
        try:
            first, last, count = float(pieces[0]), float(pieces[1]), int(pieces[2])
            if len(pieces) != 3 or count < 1:
                raise ValueError
        except (ValueError, IndexError) as error:
            raise ConfigError(f'grid "{grid}": "{entry}" is not name=first:last:count, as in "yaw=0:330:12"') from error
        for value in (first, last):
            check_value(name.strip(), value, f'grid "{grid}"')
        axes.append((name.strip(), [round(float(x), 6) for x in np.linspace(first, last, count)]))
    if not 1 <= len(axes) <= 2:
        raise ConfigError(f'grid "{grid}": one or two parameters are wanted, here are {len(axes)}')
    across = axes[0]
    down = axes[1] if len(axes) == 2 else None
    fixed = [part for part in pose.split(",") if part.strip()]
    rows: list[str] = []
    for value_down in down[1] if down else [None]:
        for value_across in across[1]:
            entries = [*fixed, f"{across[0]}={value_across:g}"]
            if down is not None:
                entries.append(f"{down[0]}={value_down:g}")
            rows.append(",".join(entries))
    return rows, len(across[1])


def contact_sheet(images: NDArray[np.float32], columns: int, gap: int = 2) -> NDArray[np.uint8]:
    """Pictures [n, 3, h, w] side by side in rows of ``columns``: uint8 [H, W, 3]."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, dtype=np.uint8)
    eight_bit = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    for i, picture in enumerate(eight_bit):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
