"""Rates under another scene's measure, as a report asks for them: "photographer", "operational?only=rotation".

A run rarely covers all that another scene varies. What the target is not asked about stays as the poses were drawn, and
is named: keep=fov,light, or only=rotation, which keeps the rest. Nothing is left out in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

import numpy as np
import pandas as pd

from posetest.analysis.audits import OUTCOMES, audit_rows, require_audit
from posetest.analysis.recorded import recorded_space
from posetest.analysis.reweight import weighted_rates
from posetest.analysis.view_density import SEEN_COLUMNS
from posetest.analysis.weights import PARTS, importance_weights
from posetest.config import SceneConfig, decode
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError, suggest
from posetest.run_info import SceneInfo
from posetest.scene.include import read_scene
from posetest.scene.scene import background_of, find_scene
from posetest.space import Space, scene_space

_OPTIONS = ("keep", "only", "roll_deg")
#: Tilt that an error proposes for a camera that is always upright, degrees.
_TILT = 5


@dataclass(frozen=True)
class Measure:
    """What a run is reweighted to.

    Attributes:
        text: as it was asked for.
        name: of the scene.
        config: the scene file's content.
        space: what it draws poses from.
        keep: of ``weights.PARTS``, what stays as audited.
        roll_deg: tilt of the camera allowed to either side, degrees.
    """

    text: str
    name: str
    config: SceneConfig
    space: Space
    keep: tuple[str, ...] = ()
    roll_deg: float = 0.0

    @property
    def measure(self) -> str:
        """The measure's name; it travels with every rate."""
        tilt = f", tilted in the picture by up to {self.roll_deg:g} degrees" if self.roll_deg else ""
        kept = f"; as audited: {', '.join(self.keep)}" if self.keep else ""
        return f"{self.name} ({self.space.measure}){tilt}{kept}"


def parse_measure(text: str) -> Measure:
    """The measure in ``text``: SCENE[?keep=PART,PART&roll_deg=DEGREES], SCENE a scene file or a bundled name.

    In place of keep, only=PART,PART keeps all other parts.

    Raises:
        ConfigError: no such scene, an unknown option or part, both keep and only, a tilt outside [0, 180].
    """
    source, _, query = text.strip().partition("?")
    path = find_scene(source)
    if path.suffix.lower() != ".toml":
        raise ConfigError(f"measure {text}: {path} is a mesh; name a scene, such as photographer or a scene file")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if strange := [key for key in options if key not in _OPTIONS]:
        raise ConfigError(
            f'measure {text}: unknown option "{strange[0]}"{suggest(strange[0], _OPTIONS)} '
            f"(options: {', '.join(_OPTIONS)})"
        )
    if {"keep", "only"} <= set(options):
        raise ConfigError(f"measure {text}: keep and only say the same in two ways; give one of them")
    listed = options.get("only", options.get("keep", ""))
    named = [part.strip() for part in listed.split(",") if part.strip()]
    if strange := [part for part in named if part not in PARTS]:
        raise ConfigError(
            f'measure {text}: "{strange[0]}" is no part of a pose{suggest(strange[0], PARTS)} '
            f"(parts: {', '.join(PARTS)})"
        )
    keep = tuple(part for part in PARTS if (part in named) == ("only" not in options))
    try:
        roll_deg = float(options.get("roll_deg", "0"))
    except ValueError:
        roll_deg = float("nan")
    if not 0 <= roll_deg <= 180:
        raise ConfigError(f"measure {text}: roll_deg = {options['roll_deg']} must be an angle from 0 to 180 degrees")
    config = read_scene(path)
    count = background_of(config.background, path.parent, str(path)).count
    return Measure(text, config.name or path.stem, config, scene_space(config, count, str(path)), keep, roll_deg)


def measured(
    run: RunFolder, measures: Sequence[Measure], frame: pd.DataFrame | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Rates of each scene and model of ``run`` under each of ``measures``: a row for each of these and outcome.

    Columns: asked (the measure's text), name (its scene), scene, and those of ``reweight.reweighted``; as_audited, the
    parts kept, comma-separated. The object, its picture size and how pictures are drawn are the run's own.

    Args:
        run: an audit.
        measures: of ``parse_measure``.
        frame: ``outcomes(run, ["index", *SEEN_COLUMNS, *POSE_COLUMNS])`` where the caller has read it already.
        level: of the intervals.

    Raises:
        RunError: the run is no audit, has no records, or does not say what its poses were drawn from.
        ConfigError: a measure cannot be told from a scene's poses; names the parts, and how to ask instead.
    """
    require_audit(run)
    rows = audit_rows(run if frame is None else frame, list(dict.fromkeys(["index", *SEEN_COLUMNS, *POSE_COLUMNS])))
    tables = []
    for measure in measures:
        for scene in run.info.scenes:
            drawn = recorded_space(scene)
            if drawn is None:
                raise RunError(f"{run.path}: run.toml does not hold the scene {scene.name}: its poses have no weights")
            of_scene = rows[rows["scene"] == scene.name]
            if len(of_scene):
                _require_told(of_scene.iloc[:1], scene, drawn, measure)
            # models share their poses: each is weighed once
            _, first, pose = np.unique(of_scene["index"].to_numpy(), return_index=True, return_inverse=True)
            poses, keep = of_scene.iloc[first], {*measure.keep, "background"}
            weights = importance_weights(poses, drawn, measure.space, keep=keep, roll_deg=measure.roll_deg)
            table = weighted_rates(of_scene, weights[pose], OUTCOMES, level)
            table.insert(0, "asked", measure.text)
            table.insert(1, "name", measure.name)
            table.insert(2, "scene", scene.name)
            tables.append(
                table.assign(as_audited=", ".join(measure.keep), measure=measure.measure, audited_measure=scene.measure)
            )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _require_told(row: pd.DataFrame, scene: SceneInfo, drawn: Space, measure: Measure) -> None:
    """Nothing, if every part that the measure asks about can be told from poses drawn from ``drawn``.

    ``row`` is one of them. All parts that cannot be told are found, so that one error says how to ask instead.
    """
    said, keep, roll_deg = [], list(measure.keep), measure.roll_deg
    for part in PARTS:
        if part in measure.keep:
            continue
        reason = _untold(part, row, scene, drawn, measure, roll_deg)
        if part == "rotation" and reason and not roll_deg and not _untold(part, row, scene, drawn, measure, _TILT):
            said.append(f"rotation ({reason})")
            roll_deg = _TILT
        elif reason:
            said.append(f"{part} ({reason})")
            keep.append(part)
    if said:
        asked = measure.text.partition("?")[0]
        kept, told = ([p for p in PARTS if (p in keep) == is_kept] for is_kept in (True, False))
        shorter = f"only={','.join(told)}" if told and len(told) < len(kept) else f"keep={','.join(kept)}"
        options = [shorter] * bool(kept)
        options += [f"roll_deg={roll_deg:g}"] * bool(roll_deg)
        raise ConfigError(
            f"measure {measure.text}: the poses of {scene.name} do not tell of {'; '.join(said)}. Leave these as "
            f'audited, by "{asked}?{"&".join(options)}", or audit {scene.name} under {measure.name}'
        )


def _untold(part: str, row: pd.DataFrame, scene: SceneInfo, drawn: Space, measure: Measure, roll_deg: float) -> str:
    """Why ``part`` of the measure cannot be told from poses of ``drawn``; "" where it can."""
    config = decode(scene.config, SceneConfig, scene.name)
    if part == "background":
        same = (config.background, config.space.background) == (
            measure.config.background,
            measure.config.space.background,
        )
        return "" if same else "other backgrounds"
    if part == "light":
        rest = [[(light.color, k and light) for k, light in enumerate(c.lights)] for c in (config, measure.config)]
        if rest[0] != rest[1]:
            return "other lights"
    asked = {part} | ({"rotation"} if part == "light" and "rotation" not in measure.keep else set())
    try:
        importance_weights(row, drawn, measure.space, keep=set(PARTS) - asked, roll_deg=roll_deg)
    except ConfigError as error:
        return str(error).removeprefix("reweighting: ").partition("; ")[0]
    return ""
