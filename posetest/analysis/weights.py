"""Importance weights: how much more, or less, often one space has a pose than another.

Parameter by parameter, as parameters of a space are independent. Where two spaces turn the object and the camera with
different sets of angles, rotation and light are weighed together as the camera sees them (``view_density``).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.view_density import LIGHT, SEEN_COLUMNS, check_views, view_ratio
from posetest.errors import ConfigError, RunError, suggest
from posetest.space import INDEX, PARAMETERS, Interval, Space

Array = NDArray[np.float64]

_ANGLES = ("yaw", "pitch", "roll", "azimuth", "elevation")
#: What a space says of a pose, by what a rate may leave as it was audited: the parameters that each part stands for.
PARTS: Mapping[str, tuple[str, ...]] = {
    "rotation": _ANGLES,
    **{name: (name,) for name in ("distance", "offset_x", "offset_y", "fov")},
    "light": LIGHT,
    **{name: (name,) for name in ("light_strength", "ambient", "background")},
}
#: What a pitch drawn from a whole turn is spread over, once every rotation is written with a pitch short of the poles.
_SHORT_PITCH = Interval(-90, 90, "uniform")


def importance_weights(
    rows: pd.DataFrame, source: Space, target: Space, *, keep: Collection[str] = (), roll_deg: float = 0.0
) -> Array:
    """Density of each pose under ``target`` over its density under ``source``: weights [n], their mean about 1.

    1 where both spaces draw a parameter alike, Haar-uniform rotations in both included. 0 outside the target. Angles
    that run around a circle are compared on it. Rotations of a source that draws Euler angles uniformly are taken in
    their one writing with a pitch in [-90, 90], so that all its poses serve a target that is written so.

    Args:
        rows: records of one scene, with the column of each parameter that the spaces draw differently
            (``columns_of_weights``); values as sampled, rounded.
        source: what the poses were drawn from, as ``scene_space`` gives it for the audited scene.
        target: what a rate is asked for.
        keep: of PARTS, what the target is not asked about: it stays as the poses were drawn.
        roll_deg: the target's camera is tilted in the picture by up to so many degrees to either side, uniformly; a
            camera that is always exactly upright sees rotations without a density.

    Raises:
        ConfigError: the target lies outside the source, in whole or in part; one draws what the other fixes; weights
            without bound (a pitch uniform up to the poles, from poses that are rare there).
        RunError: the rows lack a column, or hold values that the source does not draw.

    Source: Robert and Casella, Monte Carlo Statistical Methods (2nd ed., Springer 2004), section 3.3.
    """
    columns = columns_of_weights(source, target, keep=keep, roll_deg=roll_deg)
    if missing := [column for column in columns if column not in rows]:
        raise RunError(f'the rows lack the column "{missing[0]}"; read them with outcomes(run, ["{missing[0]}"])')
    values = {p.name: rows[p.column].to_numpy(dtype=np.float64) for p in PARAMETERS if p.column in columns}
    before = dict(source.free)
    names = _compared(keep)
    together = _is_seen_together(source, target, names, roll_deg)
    weights = np.ones(len(rows))
    if together:
        weights = view_ratio(rows, source, target, roll_deg=roll_deg, light=_is_light_weighed(source, target, names))
        names = [name for name in names if name not in (*_ANGLES, *LIGHT)]
    elif _is_folded(source, target, names):
        values |= _folded(values)
        before["pitch"] = _SHORT_PITCH
    for name in _differing(source, target, names):
        after = target.free.get(name)
        if name == "background":
            weights *= _background_ratio(values[name], before[name], after or _only(target.fixed[name]))
        elif after is not None:
            weights *= _ratio(name, values[name], before[name], after)
    return weights


def columns_of_weights(source: Space, target: Space, *, keep: Collection[str] = (), roll_deg: float = 0.0) -> list[str]:
    """Record columns that ``importance_weights`` reads for these spaces.

    Raises:
        ConfigError: one space draws what the other fixes, or both fix it at different values.
    """
    names, columns = _compared(keep), []
    if _is_seen_together(source, target, names, roll_deg):
        check_views(source, target, roll_deg, _is_light_weighed(source, target, names))
        columns = list(SEEN_COLUMNS)
        names = [name for name in names if name not in (*_ANGLES, *LIGHT)]
    differing = _differing(source, target, names)
    if _is_folded(source, target, names):
        differing = [*dict.fromkeys([*differing, "yaw", "pitch", "roll"])]
    return columns + [PARAMETERS[INDEX[name]].column for name in differing]


def _compared(keep: Collection[str]) -> list[str]:
    """The parameters of all parts but those of ``keep``."""
    if strangers := [part for part in keep if part not in PARTS]:
        raise ConfigError(
            f'keep: "{strangers[0]}" is no part of a pose{suggest(strangers[0], PARTS)} (parts: {", ".join(PARTS)})'
        )
    return [name for part, names in PARTS.items() if part not in keep for name in names]


def _is_seen_together(source: Space, target: Space, names: Collection[str], roll_deg: float) -> bool:
    """Whether rotation and light are weighed as the camera sees them: where the angles do not correspond."""
    if "yaw" not in names:
        return False
    turns = [[name for name in _ANGLES if name in space.free] for space in (source, target)]
    return roll_deg > 0 or turns[0] != turns[1]


def _is_light_weighed(source: Space, target: Space, names: Collection[str]) -> bool:
    """Whether the light's direction is another to the camera: not where it and the camera stand still, or alike."""
    if LIGHT[0] not in names or (source.fixed["light_strength"] == 0 and "light_strength" not in source.free):
        return False
    for name in ("azimuth", "elevation"):
        if name in source.free or name in target.free or source.fixed[name] != target.fixed[name]:
            return True  # the camera moves
    return any((source.free.get(n) or source.fixed[n]) != (target.free.get(n) or target.fixed[n]) for n in LIGHT)


def _differing(source: Space, target: Space, names: Collection[str]) -> list[str]:
    """Of ``names``, the parameters that the spaces draw differently, all of them free in the source."""
    differing = []
    for name in names:
        before, after = source.free.get(name), target.free.get(name)
        if name == "background" and before is not None:
            if before != (after or _only(target.fixed[name])):
                differing.append(name)
        elif before is None and after is None:
            period = PARAMETERS[INDEX[name]].period
            apart = target.fixed[name] - source.fixed[name]
            if abs(apart if period is None else np.remainder(apart + period / 2, period) - period / 2) > 1e-9:
                raise ConfigError(
                    f"reweighting: {name} is {source.fixed[name]:g} in all poses of the source and "
                    f"{target.fixed[name]:g} in the target; audit the target itself"
                )
        elif before is None or after is None:
            drawn, still = ("target", "source") if before is None else ("source", "target")
            value = (source if before is None else target).fixed[name]
            raise ConfigError(
                f"reweighting: the {drawn} draws {name} and the {still} fixes it at {value:g}: no pose has a density "
                f"under both; give the {still} an interval of {name}, or audit the target itself"
            )
        elif before != after:
            differing.append(name)
    return differing


def _ratio(name: str, values: Array, before: Interval, after: Interval) -> Array:
    parameter = PARAMETERS[INDEX[name]]
    half_step = 0.5 * 10.0**-parameter.decimals * 1.001  # sampled values are rounded, also across an end
    period = parameter.period if before.prior == "uniform" else None
    if period is not None:
        for where, interval in (("source", before), ("target", after)):
            if interval.high - interval.low > period * (1 + 1e-9):
                raise ConfigError(f"reweighting: {name} of the {where} spreads over more than a turn; give it one")
        middle = (after.low + after.high) / 2
        before = _moved(before, middle, period)
    if not (before.low - 1e-9 <= after.low and after.high <= before.high + 1e-9):
        apart = after.low > before.high or after.high < before.low
        raise ConfigError(
            f"reweighting: {name} of the target, [{after.low:g}, {after.high:g}], "
            f"{'does not overlap' if apart else 'reaches beyond'} the source's, [{before.low:g}, {before.high:g}]; "
            "narrow the target to what was audited, or audit the target itself"
        )
    if before.prior == "sphere" and after.prior != "sphere" and max(-after.low, after.high) > 90 - 1e-9:
        raise ConfigError(
            f'reweighting: {name} of the target is "{after.prior}" up to a pole, where the source has few poses: '
            "the weights have no bound; end the target short of it (at 85 degrees, say), or audit it itself"
        )
    if period is not None:
        values = _around(values, (before.low + before.high) / 2, period)
    if np.any(strays := ~((values >= before.low - half_step) & (values <= before.high + half_step))):
        raise RunError(
            f"reweighting: a row has {parameter.column} = {values[strays][0]:g}, which the source, "
            f"[{before.low:g}, {before.high:g}], does not draw; give the space of the scene that was audited"
        )
    if period is not None:
        values = _around(values, (after.low + after.high) / 2, period)
    within = (values >= after.low - half_step) & (values <= after.high + half_step)
    ratio = _extent(before) / _extent(after)
    if after.prior == before.prior:
        return np.where(within, ratio, 0.0)
    inside = np.clip(values, after.low, after.high)
    weights: Array = np.where(within, ratio * _shape(after, inside) / _shape(before, inside), 0.0)
    return weights


def _shape(interval: Interval, values: Array) -> Array:
    """The density at ``values``, up to its factor 1 / ``_extent``."""
    if interval.prior == "sphere":
        return np.cos(np.radians(values))
    return 1 / values if interval.prior == "log" else np.ones_like(values)


def _extent(interval: Interval) -> float:
    """The integral of ``_shape`` over the interval."""
    if interval.prior == "sphere":
        low, high = np.sin(np.radians([interval.low, interval.high]))
        return float(np.degrees(high - low))
    if interval.prior == "log":
        return float(np.log(interval.high / interval.low))
    return interval.high - interval.low


def _moved(interval: Interval, middle: float, period: float) -> Interval:
    """``interval`` by so many turns that it lies best around ``middle``; a whole turn centred there."""
    centre = (interval.low + interval.high) / 2
    if abs(interval.high - interval.low - period) < 1e-9:
        return Interval(middle - period / 2, middle + period / 2, interval.prior)
    shift = period * round((middle - centre) / period)
    return Interval(interval.low + shift, interval.high + shift, interval.prior)


def _around(values: Array, middle: float, period: float) -> Array:
    wrapped: Array = np.remainder(values - middle + period / 2, period) + middle - period / 2
    return wrapped


def _background_ratio(values: Array, before: Interval, after: Interval) -> Array:
    if not (before.low <= after.low and after.high <= before.high):
        raise ConfigError(
            f"reweighting: backgrounds {after.low:g} to {after.high:g} of the target are not all among those of the "
            f"source, {before.low:g} to {before.high:g}; audit the target itself"
        )
    within = (values >= after.low) & (values <= after.high)
    return np.where(within, (before.high - before.low + 1) / (after.high - after.low + 1), 0.0)


def _only(value: float) -> Interval:
    return Interval(value, value, "uniform")


def _is_folded(source: Space, target: Space, names: Collection[str]) -> bool:
    """Whether the source draws whole turns of all three Euler angles and the target pitches short of the poles."""
    if "pitch" not in names:
        return False
    turns = [source.free.get(name) for name in ("yaw", "pitch", "roll")]
    whole = all(i is not None and i.prior == "uniform" and abs(i.high - i.low - 360) < 1e-9 for i in turns)
    pitch = target.free.get("pitch")
    return whole and pitch is not None and -90 <= pitch.low <= pitch.high <= 90


def _folded(values: Mapping[str, Array]) -> dict[str, Array]:
    """Yaw, pitch and roll of the same rotations with the pitch in [-90, 90]; two writings of each become one.

    Ry(yaw) Rx(pitch) Rz(roll) = Ry(yaw + 180) Rx(180 - pitch) Rz(roll + 180).
    """
    pitch = _around(values["pitch"], 0, 360)
    over = np.abs(pitch) > 90
    return {
        "yaw": values["yaw"] + 180.0 * over,
        "pitch": np.where(over, np.copysign(180, pitch) - pitch, pitch),
        "roll": values["roll"] + 180.0 * over,
    }
