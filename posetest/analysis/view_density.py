"""How densely a space fills the rotations that a camera sees, in whatever angles it is written.

A space turns the object (yaw, pitch, roll) or takes the camera round it (azimuth, elevation), or both. What a picture
shows depends on the rotation from object to camera, R = O E with O = Rz(t) Rx(elevation) Ry(-azimuth) the camera's and
E = Ry(yaw) Rx(pitch) Rz(roll) the object's, and on where the light comes from as the camera sees it, O l. Densities are
told of these two: of R against Haar measure, of the light's direction against the uniform one on the sphere.

Of five angles three are solved for, the others are averaged over at fixed nodes:

* all of yaw, pitch and roll free: given O, E = O' R has the density of its three Euler angles (Haar measure has the
  cosine of the pitch there), and l = O' (O l) that of the light's azimuth and elevation;
* elevation and one of azimuth and yaw free, the camera tilted by t within +-``roll_deg``: given the rest of E, R E' has
  the density of its azimuth, elevation and tilt (Haar measure has the cosine of the elevation there).

A camera that is always exactly upright sees rotations that have no density: hence the tilt, an explicit tolerance.

Source: Haar measure in Euler angles, Chirikjian and Kyatkin, Harmonic Analysis for Engineers and Applied Scientists
(Dover 2016), section 6.1; the density of a composition as the mean over one factor, section 8.1.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.density import QUATERNION
from posetest.errors import ConfigError
from posetest.geometry.so3 import (
    direction,
    direction_to_angles,
    euler_to_matrix,
    matrix_to_euler,
    orbit_to_matrix,
    quaternion_to_matrix,
)
from posetest.space import INDEX, PARAMETERS, Interval, Space, object_to_camera

Array = NDArray[np.float64]

OBJECT, LIGHT = ("yaw", "pitch", "roll"), ("light_azimuth", "light_elevation")
#: Record columns that ``seen`` reads: the rotation, and what says where the light is in the camera's frame.
SEEN_COLUMNS: tuple[str, ...] = (
    *QUATERNION,
    *(PARAMETERS[INDEX[name]].column for name in (*LIGHT, "azimuth", "elevation")),
)
#: Most of a target's measure that may lie where the source has no poses: its rates are then those of the rest.
MOST_UNSEEN = 0.01

_NODES = {0: 1, 1: 96, 2: 512}  # by the number of angles averaged over; 1024 for more
_MOST_NODES = 1024
_DRAWS = 4096
_SLACK_DEG = 1e-3  # sampled angles are rounded, and the end of an interval belongs to it


def seen(rows: pd.DataFrame) -> tuple[Array, Array]:
    """Rotations [n, 3, 3] from object to camera and unit vectors [n, 3] to the first light, camera frame, of records.

    ``rows`` have SEEN_COLUMNS.
    """
    rotation = quaternion_to_matrix(rows[list(QUATERNION)].to_numpy(dtype=np.float64))
    angles = [
        np.radians(rows[PARAMETERS[INDEX[name]].column].to_numpy(dtype=np.float64))
        for name in (*LIGHT, "azimuth", "elevation")
    ]
    return rotation, np.einsum("nij,nj->ni", orbit_to_matrix(*angles[2:]), direction(*angles[:2]))


def seen_draws(space: Space, count: int, roll_deg: float = 0.0, seed: int = 0) -> tuple[Array, Array]:
    """``seen`` of ``count`` fresh poses of ``space``, the camera tilted by up to ``roll_deg`` to either side."""
    vectors = space.sample(seed, 0, count)
    angles = {name: np.radians(vectors[:, INDEX[name]]) for name in (*LIGHT, "azimuth", "elevation")}
    orbit = orbit_to_matrix(angles["azimuth"], angles["elevation"])
    tilt = _tilts(np.random.default_rng(seed).uniform(-roll_deg, roll_deg, count))
    light = np.einsum("nij,nj->ni", tilt @ orbit, direction(angles["light_azimuth"], angles["light_elevation"]))
    return tilt @ object_to_camera(vectors), light


def view_ratio(rows: pd.DataFrame, source: Space, target: Space, *, roll_deg: float = 0.0, light: bool = True) -> Array:
    """Density of each row's view under ``target`` over that under ``source`` [n]; 0 outside the target.

    Args:
        rows: records with SEEN_COLUMNS.
        source, target: what was drawn from, and what a rate is asked for.
        roll_deg: the target's camera is tilted in the picture by up to so many degrees, uniformly.
        light: whether the light's direction, as the camera sees it, is the target's too; else it stays as audited.

    Raises:
        ConfigError: one of the spaces has no density, or the source has none where the target has.
    """
    check_views(source, target, roll_deg, light)
    for with_light in (False, True) if light else (False,):
        rotation, towards = seen_draws(target, _DRAWS, roll_deg)
        reached = view_density(source, rotation, towards if with_light else None) > 0
        if (unseen := 1 - float(reached.mean())) > MOST_UNSEEN:
            what, fix = (
                ("lit, as the camera sees it, from where no audited pose is", "keep the light as audited")
                if with_light
                else ("seen as no audited pose is", "narrow the target")
            )
            raise ConfigError(
                f"reweighting: {100 * unseen:.0f} % of the target's poses are {what}; {fix}, or audit the target itself"
            )
    rotation, towards = seen(rows)
    wanted = view_density(target, rotation, towards if light else None, roll_deg)
    inside = np.flatnonzero(wanted > 0)
    drawn = view_density(source, rotation[inside], towards[inside] if light else None)
    weights = np.zeros(len(rows))
    with np.errstate(divide="ignore", invalid="ignore"):
        weights[inside] = np.where(drawn > 0, wanted[inside] / drawn, 0.0)
    return weights


def view_density(space: Space, rotation: Array, light: Array | None = None, roll_deg: float = 0.0) -> Array:
    """Density [n] of views under ``space``, against Haar measure and, of ``light``, the uniform one on the sphere.

    Args:
        space: with yaw, pitch and roll free, or elevation, one of azimuth and yaw, and a tilt.
        rotation: [n, 3, 3], object to camera.
        light: unit vectors [n, 3] to the first light, camera frame; None: of the rotation alone.
        roll_deg: the camera is tilted by up to so many degrees, uniformly.

    Raises:
        ConfigError: the space's rotations have no density.
    """
    solved = _solved(space, roll_deg)
    if solved is None:
        raise ConfigError(
            f"reweighting: rotations of {space.measure} have no density"
            + (
                ""
                if roll_deg or _solved(space, 1.0) is None
                else ": the camera is always exactly upright; allow a tilt"
            )
        )
    beside = [name for name in (*OBJECT, "azimuth", "elevation") if name in space.free and name not in solved]
    turn = "yaw" if "yaw" in solved else "azimuth"
    if light is None and turn not in beside and {"yaw", "azimuth"} & set(beside) and _is_turn(space.free[turn]):
        beside = [name for name in beside if name not in ("yaw", "azimuth")]  # turned by one, the other says no more
    intervals = {name: space.free[name] for name in beside}
    if light is None and solved == OBJECT and _is_haar(space):
        return np.ones(len(rotation))  # wherever the camera is
    if roll_deg and "tilt" not in solved:
        intervals["tilt"] = Interval(-roll_deg, roll_deg, "uniform")
    total = np.zeros(len(rotation))
    nodes = _nodes(intervals)
    for node in nodes:
        total += (_of_object if "pitch" in solved else _of_camera)(
            space, {**space.fixed, "tilt": 0.0, **node}, rotation, light, roll_deg
        )
    density: Array = total / len(nodes)
    return density


def _is_haar(space: Space) -> bool:
    pitch = space.free["pitch"] == Interval(-90, 90, "sphere")
    return pitch and _is_turn(space.free["yaw"]) and _is_turn(space.free["roll"])


def check_views(source: Space, target: Space, roll_deg: float, light: bool) -> None:
    """Nothing, if both spaces have a bounded density of what is to be weighed.

    Raises:
        ConfigError: one has none.
    """
    for where, space in (("source", source), ("target", target)):
        for name in ("yaw", "roll", "azimuth"):
            interval = space.free.get(name)
            if interval is not None and interval.high - interval.low > 360 * (1 + 1e-9):
                raise ConfigError(f"reweighting: {name} of the {where} spreads over more than a turn; give it one")
    for name in ("pitch", "elevation"):
        interval = target.free.get(name)
        if interval is not None and interval.prior != "sphere" and max(-interval.low, interval.high) > 90 - 1e-9:
            raise ConfigError(
                f'reweighting: {name} of the target is "{interval.prior}" up to a pole, where the source has few '
                "poses: the weights have no bound; end the target short of it (at 85 degrees, say), or audit it itself"
            )
    if _solved(source, 0.0) is None:
        raise ConfigError(
            f"reweighting: the source draws {_angles(source)}, which do not fill the rotations: no pose has a density "
            f"under both it and the target, which draws {_angles(target)}; audit the target itself"
        )
    if _solved(target, roll_deg) is None:
        is_upright = _solved(target, 1.0) is not None
        raise ConfigError(
            f"reweighting: the source draws {_angles(source)} and the target {_angles(target)}: no pose has a density "
            "under both; "
            + (
                "the target's camera is always exactly upright: allow a tilt, such as roll_deg = 5, or audit it itself"
                if is_upright
                else "audit the target itself"
            )
        )
    if light:
        for where, space in (("source", source), ("target", target)):
            if any(name not in space.free for name in LIGHT):
                raise ConfigError(
                    f"reweighting: the camera goes round in one of the spaces, and the light of the {where} is fixed "
                    "in the world: no pose is lit alike in both; keep the light as audited, or audit the target itself"
                )


def _solved(space: Space, roll_deg: float) -> tuple[str, ...] | None:
    """The three angles that are solved for; None where the space's rotations have no density, or no bounded one."""
    if all(name in space.free for name in OBJECT):
        return OBJECT
    if "elevation" in space.free and roll_deg > 0:
        for turn in ("azimuth", "yaw"):
            if turn in space.free:
                return (turn, "elevation", "tilt")
    return None


def _of_object(space: Space, at: Mapping[str, float], rotation: Array, light: Array | None, roll_deg: float) -> Array:
    """The density given the camera: of the object's Euler angles, in both ways to write a rotation."""
    free = space.free
    camera = (_tilts(np.array([at["tilt"]])) @ orbit_to_matrix(*np.radians([[at["azimuth"]], [at["elevation"]]])))[0]
    # the pitch alone rules most rows out: the element (1, 2) of camera' @ rotation is minus its sine
    steep = np.degrees(np.arcsin(np.clip(-(rotation[:, :, 2] @ camera[:, 1]), -1, 1)))
    rows = np.flatnonzero(_on_meridian(free["pitch"], steep) + _on_meridian(free["pitch"], 180.0 - steep))
    yaw, pitch, roll = np.degrees(matrix_to_euler(camera.T @ rotation[rows])).T
    density = np.zeros(len(rotation))
    for turned, tipped in ((0.0, pitch), (180.0, 180.0 - pitch)):
        density[rows] += (
            _on_circle(free["yaw"], yaw + turned)
            * _on_meridian(free["pitch"], tipped)
            * _on_circle(free["roll"], roll + turned)
        )
    if light is not None:
        density[rows] *= _of_light(space, light[rows] @ camera)
    return density


def _of_camera(space: Space, at: Mapping[str, float], rotation: Array, light: Array | None, roll_deg: float) -> Array:
    """The density given the object's own turn: of the camera's azimuth (or the yaw), elevation and tilt."""
    turn = "azimuth" if "azimuth" in space.free else "yaw"
    own = euler_to_matrix(*np.radians([0.0 if turn == "yaw" else at["yaw"], at["pitch"], at["roll"]]))[0]
    high = np.degrees(np.arcsin(np.clip(rotation[:, 2] @ own[1], -1, 1)))
    rows = np.flatnonzero(_on_meridian(space.free["elevation"], high))
    camera = rotation[rows] @ own.T
    azimuth, elevation = direction_to_angles(camera[:, 2])
    # against the x axis of an upright camera there, (cos azimuth, 0, -sin azimuth)
    along, across = np.cos(azimuth), -np.sin(azimuth)
    sine, cosine = (camera[:, k, 0] * along + camera[:, k, 2] * across for k in (1, 0))
    tilt = np.degrees(np.arctan2(sine, cosine))
    turned = np.degrees(azimuth) if turn == "azimuth" else at["azimuth"] - np.degrees(azimuth)
    density = np.zeros(len(rotation))
    density[rows] = (
        _on_circle(space.free[turn], turned)
        * _on_meridian(space.free["elevation"], np.degrees(elevation))
        * _on_circle(Interval(-roll_deg, roll_deg, "uniform"), tilt)
    )
    if light is not None:
        if turn == "yaw":  # the camera stands at its own azimuth, and the object is turned instead
            camera = _tilts(tilt) @ orbit_to_matrix(np.full(len(rows), np.radians(at["azimuth"])), elevation)
        density[rows] *= _of_light(space, np.einsum("nji,nj->ni", camera, light[rows]))
    return density


def _of_light(space: Space, towards: Array) -> Array:
    """Density of unit vectors [n, 3] to the first light, world frame, against the uniform one."""
    azimuth, elevation = direction_to_angles(towards)
    across, up = (space.free[name] for name in LIGHT)
    return _on_circle(across, np.degrees(azimuth)) * _on_meridian(up, np.degrees(elevation))


def _on_circle(interval: Interval, angle: Array) -> Array:
    """Density of angles against a full turn's."""
    width = interval.high - interval.low
    if width >= 360 - 1e-9:
        return np.ones(len(angle))
    middle = (interval.low + interval.high) / 2
    away = np.abs(np.remainder(angle - middle + 180, 360) - 180)
    return np.where(away <= width / 2 + _SLACK_DEG, 360 / width, 0.0)


def _on_meridian(interval: Interval, angle: Array) -> Array:
    """Density of latitudes against that of uniform directions, cos / 2; angles past a pole count too."""
    middle = (interval.low + interval.high) / 2
    away = np.abs(np.remainder(angle - middle + 180, 360) - 180)
    within = away <= (interval.high - interval.low) / 2 + _SLACK_DEG
    if interval.prior == "sphere":
        low, high = np.sin(np.radians([interval.low, interval.high]))
        return np.where(within, 2 / (high - low), 0.0)
    steep = np.maximum(np.abs(np.cos(np.radians(angle))), 1e-12)
    return np.where(within, 2 / (np.radians(interval.high - interval.low) * steep), 0.0)


def _nodes(intervals: Mapping[str, Interval]) -> list[dict[str, float]]:
    """Points that the intervals are averaged over: the middles of equal parts, or a Sobol sequence."""
    count = _NODES.get(len(intervals), _MOST_NODES)
    if not intervals:
        return [{}]
    if len(intervals) == 1:
        unit = ((np.arange(count) + 0.5) / count)[:, None]
    else:
        from scipy.stats import qmc

        unit = qmc.Sobol(len(intervals), rng=np.random.default_rng(0)).random(count)
    columns = {name: interval.from_unit(unit[:, k]) for k, (name, interval) in enumerate(intervals.items())}
    return [{name: float(column[i]) for name, column in columns.items()} for i in range(count)]


def _tilts(degrees: Array) -> Array:
    """Turns [n, 3, 3] in the picture, counter-clockwise."""
    zero = np.zeros(len(degrees))
    return euler_to_matrix(zero, zero, np.radians(degrees))


def _is_turn(interval: Interval) -> bool:
    return interval.high - interval.low >= 360 - 1e-9


def _angles(space: Space) -> str:
    return ", ".join(n for n in (*OBJECT, "azimuth", "elevation") if n in space.free) or "no angle"
