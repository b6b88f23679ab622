"""From what a caller asks of a probe to what run.toml says of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from posetest.api.request import whole
from posetest.engine.probe_boxes import is_shown
from posetest.engine.probe_plan import OTHER_STEPS, STEPS
from posetest.engine.probe_turns import DRAWS, RADII_DEG
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, suggest
from posetest.run_info import ProbeInfo, ProbeKind
from posetest.scene.scene import Scene
from posetest.space import INDEX, PARAMETERS, Space, scene_space

#: Poses of the parent for each scene and model, where the caller says nothing; of indices the rows of the design.
POSES: Mapping[ProbeKind, int] = {
    "sensitivity": 50,
    "artefacts": 50,
    "tolerance": 40,
    "axes": 15,
    "boxes": 12,
    "indices": 512,
}
#: How boxes are made: draws in what a step would add; fresh draws of a test, which with at most one failure (axes), or
#: three (boxes), show a share of 0.9 at an error of 0.05 over the tests of a box; tests, at most.
BOX_DRAWS: Mapping[ProbeKind, Mapping[str, int]] = {
    "axes": {"probes": 3, "draws": 60, "tries": 3},
    "boxes": {"probes": 10, "draws": 100, "tries": 5},
}
#: Share of the draws in a box that is to be recognised.
LEAST_SHARE = 0.9
#: Of artefacts: the other image size, as a multiple; poses of each group that the slow renderer draws.
_OTHER_SIZE = 1.5
_FEW = 8

#: Kinds that a setting is for.
_MEANT: Mapping[str, tuple[ProbeKind, ...]] = {
    "over": ("sensitivity", "axes", "boxes"),
    "steps": ("sensitivity", "axes", "boxes"),
    "radii": ("tolerance",),
    "draws": ("tolerance", "axes", "boxes"),
}
#: A camera this much further than the object's farthest corner is outside of it.
_OUTSIDE = 1.001
#: A circle's interval that never ends: any pose on it may go half a turn both ways.
_WHOLE_CIRCLE = (-360.0, 360.0)


@dataclass(frozen=True)
class Asked:
    """What the caller said of a probe; None: nothing."""

    poses: int | None = None
    over: str | Sequence[str] | None = None
    steps: Mapping[str, Sequence[float]] | None = None
    radii: Sequence[float] | None = None
    draws: int | None = None


def probe_settings(parent: RunFolder, what: ProbeKind, asked: Asked, scenes: Sequence[Scene]) -> ProbeInfo:
    """What run.toml says of the probe.

    Raises:
        ConfigError: there is no such kind, a setting is not for this kind, or a value cannot be; says what can.
    """
    from posetest.engine.probe_jobs import CHANGES

    if what not in get_args(ProbeKind):
        known = get_args(ProbeKind)
        raise ConfigError(f'what = "{what}"{suggest(what, known)} (one of {", ".join(known)})')
    for name, kinds in _MEANT.items():
        if getattr(asked, name) is not None and what not in kinds:
            raise ConfigError(f"{name}: is of {', '.join(kinds)}; a probe of {what} has none: leave it out")
    poses = POSES[what] if asked.poses is None else whole("poses", asked.poses, least=2 if what == "indices" else 1)
    usual = {"probes": 0, "draws": DRAWS if what == "tolerance" else 0, "tries": 0, **BOX_DRAWS.get(what, {})}
    draws = usual["draws"] if asked.draws is None else whole("draws", asked.draws, least=1)
    has_boxes, is_artefacts = what in ("axes", "boxes"), what == "artefacts"
    limits = {scene.name: _limits(what, asked, scene) for scene in scenes} if has_boxes else {}
    if has_boxes:
        _check_draws(draws, usual["tries"])
    if what == "indices":
        for scene in scenes:
            _free(scene, "indices are of the parameters that vary")
    return ProbeInfo(
        what=what,
        parent=str(parent.path.resolve()),
        parent_digest=parent.digest(),
        poses=poses,
        steps=_steps(asked, _parameters(what, asked, limits)) if what in _MEANT["steps"] else {},
        changes=CHANGES if is_artefacts else (),
        other_size=round(_OTHER_SIZE * parent.info.image_size) if is_artefacts else 0,
        few=min(_FEW, poses) if is_artefacts else 0,
        radii_deg=_radii(asked.radii) if what == "tolerance" else (),
        draws=draws,
        limits=limits,
        probes=usual["probes"],
        tries=usual["tries"],
        least=LEAST_SHARE if has_boxes else 0.0,
    )


def _parameters(what: ProbeKind, asked: Asked, limits: Mapping[str, Mapping[str, object]]) -> list[str]:
    if what == "sensitivity":
        return list(STEPS) if asked.over is None else _named(asked.over)
    return list(dict.fromkeys(name for of_scene in limits.values() for name in of_scene))


def _named(over: str | Sequence[str]) -> list[str]:
    names = [name.strip() for name in (over.split(",") if isinstance(over, str) else over)]
    known = [*STEPS, *OTHER_STEPS]
    for name in names:
        if name not in known:
            raise ConfigError(f'over: "{name}"{suggest(name, known)} does not change by steps ({", ".join(known)} do)')
    if not names or len(set(names)) < len(names):
        raise ConfigError(f"over: {', '.join(names) or 'nothing'}; each parameter once is wanted, as in yaw,pitch")
    return names


def _steps(asked: Asked, names: Sequence[str]) -> dict[str, tuple[float, ...]]:
    given = asked.steps or {}
    for name, sizes in given.items():
        if name not in names:
            raise ConfigError(
                f'steps: "{name}"{suggest(name, names)} is none of the parameters that are changed '
                f"({', '.join(names)}); name it by over as well"
            )
        most = 180.0 if PARAMETERS[INDEX[name]].period is not None else math.inf
        _check_rising(f"steps: {name}", sizes, most)
    known = {**STEPS, **OTHER_STEPS}
    return {name: tuple(float(size) for size in given.get(name, known[name])) for name in names}


def _radii(radii: Sequence[float] | None) -> tuple[float, ...]:
    if radii is None:
        return RADII_DEG
    _check_rising("radii", radii, 180.0)
    return tuple(float(radius) for radius in radii)


def _check_rising(what: str, values: Sequence[float], most: float) -> None:
    """Nothing, if ``values`` rise from above 0 to at most ``most``."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{what} = {values!r}: numbers are wanted, as in (2, 5, 10)") from error
    told = ", ".join(f"{number:g}" for number in numbers)
    if not numbers or not all(a < b for a, b in zip([0.0, *numbers], numbers, strict=False)):
        raise ConfigError(f"{what} = ({told}): numbers above 0 that rise are wanted, as in (2, 5, 10)")
    if not numbers[-1] <= most or math.isinf(numbers[-1]):
        limit = f"; at most {most:g} degrees" if math.isfinite(most) else ""
        raise ConfigError(f"{what} = ({told}): {numbers[-1]:g} is too large{limit}")


def _check_draws(draws: int, tries: int) -> None:
    if not is_shown(draws, draws, LEAST_SHARE, tries):
        enough = next(n for n in range(draws, 1000) if is_shown(n, n, LEAST_SHARE, tries))
        raise ConfigError(f"draws = {draws}: too few to show a share of {LEAST_SHARE:g}; {enough} or more are needed")


def _limits(what: ProbeKind, asked: Asked, scene: Scene) -> dict[str, tuple[float, float]]:
    """The parameters of a scene's boxes, and what each stays within: what it can be, or of boxes the scene's space."""
    from posetest.engine.probe_jobs import object_radius

    space = scene_space(scene.config, scene.background.count, scene.source)
    names = _named(asked.over) if asked.over is not None else _by_default(what, space, scene)
    nearest = object_radius(scene) * _OUTSIDE
    found = {}
    for name in names:
        if name.startswith("light_") and not scene.config.lights:
            raise ConfigError(f"over: {name}, but the scene {scene.name} has no light")
        parameter = PARAMETERS[INDEX[name]]
        low, high = parameter.low, parameter.high
        if what == "boxes":
            if name not in space.free:
                raise ConfigError(
                    f"over: {name} does not vary in the scene {scene.name}, so a box has no share of its measure "
                    f"({', '.join(_free(scene, 'boxes are of them'))} vary)"
                )
            low, high = space.free[name].low, space.free[name].high
        if parameter.period is not None and (what == "axes" or high - low >= parameter.period):
            low, high = _WHOLE_CIRCLE
        found[name] = (max(low, nearest) if name == "distance" else low, high)
    return found


def _by_default(what: ProbeKind, space: Space, scene: Scene) -> list[str]:
    free = [name for name in space.free if name != "background"]
    if what == "axes":
        return list(dict.fromkeys([*STEPS, *free]))
    usual: list[str] = [name for name in ("yaw", "pitch", "roll", "distance") if name in free]
    return usual or _free(scene, "boxes are of parameters that vary")


def _free(scene: Scene, why: str) -> list[str]:
    space = scene_space(scene.config, scene.background.count, scene.source)
    free = [name for name in space.free if name != "background"]
    if not free:
        raise ConfigError(f"{scene.source}: {why}, and none does in the scene {scene.name}")
    return free


def parse_steps(entries: Iterable[str]) -> dict[str, tuple[float, ...]]:
    """Ladders by parameter from entries such as "yaw=1,5,10".

    Raises:
        ConfigError: an entry is not of that form, or a parameter stands there twice.
    """
    found: dict[str, tuple[float, ...]] = {}
    for entry in entries:
        name, equals, sizes = (piece.strip() for piece in entry.partition("="))
        if not equals or not name:
            raise ConfigError(f'steps "{entry}": parameter=numbers is wanted, as in yaw=1,5,10')
        if name in found:
            raise ConfigError(f"steps: {name} stands there twice")
        found[name] = parse_numbers(sizes, f'steps "{entry}"')
    return found


def parse_numbers(text: str, what: str) -> tuple[float, ...]:
    """The numbers of "2,5,10".

    Raises:
        ConfigError: there is something else; names it, after ``what``.
    """
    try:
        return tuple(float(piece) for piece in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{what}: numbers are wanted, comma-separated, as in 2,5,10") from error
