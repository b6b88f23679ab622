"""The numbers that may vary: names, units, bounds and priors; draws by seed and index; vectors to views.

A pose is one vector over all parameters in registry order, in border units (degrees, object units, half-frames). The
vector of index i under a seed depends on nothing else: each parameter owns a fixed column of a counter-based stream
(Philox 4x64, Salmon et al. 2011) or of a scrambled Sobol sequence (Owen 1998), whether or not others vary.

Sampled values are rounded to a few decimals, so that the short replay string of a pose is exact.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from posetest.config import PriorName, Range, RangeConfig, SceneConfig
from posetest.errors import ConfigError, suggest
from posetest.geometry.camera import Views, half_frame
from posetest.geometry.so3 import direction, euler_to_matrix, orbit_to_matrix

Array = NDArray[np.float64]
Sampling = Literal["independent", "sobol"]


@dataclass(frozen=True)
class Parameter:
    """A number that a pose consists of.

    Attributes:
        name: as written in scene files and replay strings.
        column: its name in record tables, with the unit.
        default: its value where a scene says nothing; None stands for the scene's own camera or light.
        low, high: hard bounds.
        prior: how an interval is filled where the scene does not say.
        decimals: sampled values are rounded to so many.
        period: length of its circle, or None.
        help: one line.
    """

    name: str
    column: str
    default: float | None
    low: float
    high: float
    prior: PriorName
    decimals: int
    period: float | None
    help: str


#: All parameters. A column of the random stream belongs to each by position: append, never insert.
PARAMETERS: tuple[Parameter, ...] = (
    Parameter("yaw", "yaw_deg", 0, -360, 360, "uniform", 4, 360, "turn of the object about +y, degrees"),
    Parameter("pitch", "pitch_deg", 0, -360, 360, "sphere", 4, 360, "turn about +x; positive tips the top forwards"),
    Parameter("roll", "roll_deg", 0, -360, 360, "uniform", 4, 360, "turn about +z; positive is counter-clockwise"),
    Parameter("distance", "distance", 5, 0.01, 1e4, "uniform", 5, None, "camera to object centre, object units"),
    Parameter("offset_x", "offset_x", 0, -10, 10, "uniform", 5, None, "object to the right, half-frames"),
    Parameter("offset_y", "offset_y", 0, -10, 10, "uniform", 5, None, "object upwards, half-frames"),
    Parameter("fov", "fov_deg", None, 0.1, 170, "uniform", 4, None, "field of view of the shorter side, degrees"),
    Parameter("azimuth", "azimuth_deg", 0, -360, 360, "uniform", 4, 360, "orbit of the camera, towards +x"),
    Parameter("elevation", "elevation_deg", 0, -90, 90, "sphere", 4, None, "orbit of the camera, upwards"),
    Parameter("light_azimuth", "light_azimuth_deg", None, -360, 360, "uniform", 4, 360, "first light, towards +x"),
    Parameter("light_elevation", "light_elevation_deg", None, -90, 90, "sphere", 4, None, "first light, upwards"),
    Parameter("light_strength", "light_strength", None, 0, 100, "uniform", 5, None, "first light, linear"),
    Parameter("ambient", "ambient", None, 0, 100, "uniform", 5, None, "light from everywhere, linear"),
    Parameter("background", "background", 0, 0, 1e9, "uniform", 0, None, "index of the background picture"),
)
NAMES: tuple[str, ...] = tuple(p.name for p in PARAMETERS)
INDEX: Mapping[str, int] = {name: i for i, name in enumerate(NAMES)}

#: Width of the random stream: room for later parameters without changing the numbers of today's.
_STREAM_COLUMNS = 32
_PHILOX_WORDS = 4  # 64-bit words a counter step yields

#: Distances and offsets of a scene that says nothing: the object fills about 45 to 90 % of a 30-degree frame.
_DEFAULT_SPACE: Mapping[str, Range] = {"distance": (4.5, 8.0), "offset_x": (-0.1, 0.1), "offset_y": (-0.1, 0.1)}
_PRESETS: Mapping[str, Mapping[str, Range]] = {
    # Alcorn et al., CVPR 2019, section 3.2: field of view 16.426 degrees, object 2 to 30 units away
    "strike": {"distance": (2.0, 30.0), "offset_x": (-1.0, 1.0), "offset_y": (-1.0, 1.0), "fov": 16.426},
}
_FULL_TURN = (-180.0, 180.0)
_ROTATIONS: Mapping[str, Mapping[str, Range]] = {
    # Haar measure in these Euler angles: density proportional to cos(pitch)
    "haar": {"yaw": _FULL_TURN, "pitch": RangeConfig(low=-90.0, high=90.0, prior="sphere"), "roll": _FULL_TURN},
    "euler": {"yaw": _FULL_TURN, "pitch": RangeConfig(low=-180.0, high=180.0, prior="uniform"), "roll": _FULL_TURN},
    "fixed": {},
}


@dataclass(frozen=True)
class Interval:
    """A free parameter: it spreads over [low, high] as ``prior`` says."""

    low: float
    high: float
    prior: PriorName

    def from_unit(self, unit: Array) -> Array:
        """Values at the quantiles ``unit`` in [0, 1] of the prior."""
        if self.prior == "sphere":
            low, high = (math.sin(math.radians(x)) for x in (self.low, self.high))
            return np.degrees(np.arcsin(np.clip(low + unit * (high - low), -1, 1)))
        if self.prior == "log":
            return np.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        return self.low + unit * (self.high - self.low)

    def to_unit(self, values: Array) -> Array:
        """Share of the prior that lies below each of ``values``, in [0, 1]: the inverse of ``from_unit``."""
        inside = np.clip(values, self.low, self.high)
        if self.prior == "sphere":
            low, high = (math.sin(math.radians(x)) for x in (self.low, self.high))
            return (np.sin(np.radians(inside)) - low) / (high - low)
        if self.prior == "log":
            return (np.log(inside) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (inside - self.low) / (self.high - self.low)


@dataclass(frozen=True)
class Space:
    """Which parameters vary and how; the others are fixed.

    Attributes:
        free: intervals by parameter name, in registry order.
        fixed: a value of every parameter, also of those that vary: what a single pose has unless it says otherwise.
        backgrounds: how many backgrounds a pose draws from.
    """

    free: Mapping[str, Interval]
    fixed: Mapping[str, float]
    backgrounds: int = 1

    @property
    def measure(self) -> str:
        """The sampling measure's name; it travels with every rate."""
        parts = [self._rotation_measure()]
        for name, interval in self.free.items():
            if name not in ("yaw", "pitch", "roll", "background"):
                parts.append(_describe(name, interval))
        if "background" in self.free:
            interval = self.free["background"]
            parts.append(f"one of {interval.high - interval.low + 1:g} backgrounds")
        return "; ".join(parts)

    def _rotation_measure(self) -> str:
        angles = {name: self.free.get(name) for name in ("yaw", "pitch", "roll")}
        full = [i is not None and i.high - i.low == 360 and i.prior == "uniform" for i in angles.values()]
        if full[0] and full[2] and angles["pitch"] == Interval(-90, 90, "sphere"):
            return "Haar-uniform rotations"
        if all(full):
            return "Euler-uniform rotations (not uniform on SO(3))"
        free = [_describe(name, i) for name, i in angles.items() if i is not None]
        return ", ".join(free) if free else "fixed rotation"

    def sample(self, seed: int, start: int, stop: int, sampling: Sampling = "independent") -> Array:
        """Poses start to stop - 1 under ``seed``: float64 [stop - start, parameters], border units.

        Raises:
            ConfigError: the seed or the indices are negative.
        """
        if not 0 <= seed < 2**64 or start < 0:
            raise ConfigError(f"seed {seed}, pose index {start}: both must not be negative, and a seed be below 2**64")
        if sampling not in get_args(Sampling):
            raise ConfigError(f'sampling = "{sampling}"{suggest(sampling, get_args(Sampling))} (independent or sobol)')
        unit = _sobol(seed, start, stop) if sampling == "sobol" else uniforms(seed, start, stop)
        vectors = np.empty((len(unit), len(PARAMETERS)))
        for i, parameter in enumerate(PARAMETERS):
            if parameter.name == "background" and "background" in self.free:
                interval = self.free["background"]
                drawn = np.floor(interval.low + unit[:, i] * (interval.high - interval.low + 1))
                vectors[:, i] = np.minimum(drawn, interval.high)
            elif parameter.name in self.free:
                vectors[:, i] = np.round(self.free[parameter.name].from_unit(unit[:, i]), parameter.decimals) + 0.0
            else:
                vectors[:, i] = self.fixed[parameter.name]
        return vectors

    def vector(self, values: Mapping[str, float]) -> Array:
        """One pose [1, parameters]: ``values`` over the scene's own.

        Raises:
            ConfigError: an unknown name or a value out of bounds.
        """
        row = [values.get(p.name, self.fixed[p.name]) for p in PARAMETERS]
        for name, value in values.items():
            check_value(name, value, "pose")
        if values.get("background", 0) >= self.backgrounds:
            raise ConfigError(f"pose: background {values['background']:g} of {self.backgrounds}; the first is 0")
        return np.array([row], dtype=float)


def _describe(name: str, interval: Interval) -> str:
    how = {"uniform": "uniform", "sphere": "uniform on the sphere", "log": "log-uniform"}[interval.prior]
    return f"{name} {how} {interval.low:g} to {interval.high:g}"


def uniforms(seed: int, start: int, stop: int) -> Array:
    """Rows start to stop - 1 of the seed's stream of numbers in [0, 1): float64 [stop - start, 32]."""
    stream = np.random.Philox(key=np.array([seed, 0], dtype=np.uint64))
    stream.advance(start * _STREAM_COLUMNS // _PHILOX_WORDS)
    return np.random.Generator(stream).random((stop - start, _STREAM_COLUMNS))


def _sobol(seed: int, start: int, stop: int) -> Array:
    import warnings

    from scipy.stats import qmc

    sequence = qmc.Sobol(_STREAM_COLUMNS, scramble=True, rng=np.random.default_rng(seed))
    with warnings.catch_warnings():
        # scipy warns unless a power of two is drawn; parts of a run are slices of one longer sequence
        warnings.filterwarnings("ignore", message="The balance properties of Sobol")
        if start:
            sequence.fast_forward(start)
        points: Array = sequence.random(stop - start)
    return points


def check_value(name: str, value: float, where: str) -> None:
    """Nothing, if ``value`` is a possible value of parameter ``name``.

    Raises:
        ConfigError: there is no such parameter, or the value is out of its hard bounds or not finite.
    """
    if name not in INDEX:
        raise ConfigError(f'{where}: unknown parameter "{name}"{suggest(name, NAMES)} (known: {", ".join(NAMES)})')
    parameter = PARAMETERS[INDEX[name]]
    if not (math.isfinite(value) and parameter.low <= value <= parameter.high):
        raise ConfigError(f"{where}: {name} = {value:g} is outside [{parameter.low:g}, {parameter.high:g}]")
    if name == "background" and value != int(value):
        raise ConfigError(f"{where}: background = {value:g} is not the index of a picture")


def scene_space(config: SceneConfig, backgrounds: int = 1, where: str = "scene") -> Space:
    """The space of a scene: its preset, its rotation measure, its own entries, in rising precedence.

    Raises:
        ConfigError: an interval that is empty or out of bounds, or a prior that does not fit it.
    """
    space = config.space
    ranges: dict[str, Range] = dict(_PRESETS[space.preset] if space.preset else _DEFAULT_SPACE)
    ranges |= _ROTATIONS[space.rotation or ("euler" if space.preset == "strike" else "haar")]
    ranges |= {name: value for name in NAMES if (value := getattr(space, name)) is not None}
    if backgrounds > 1:
        ranges.setdefault("background", (0.0, float(backgrounds - 1)))
    fixed = _scene_values(config, where)
    free: dict[str, Interval] = {}
    for name in NAMES:
        value = ranges.get(name)
        if isinstance(value, int | float):
            check_value(name, value, f"{where}: [space]")
            fixed[name] = float(value)
        elif value is not None:
            interval = _interval(name, value, f"{where}: [space]")
            if interval.low == interval.high:
                fixed[name] = interval.low
            elif name.startswith("light_") and not config.lights:
                raise ConfigError(f"{where}: [space] varies {name}, but the scene has no light")
            else:
                free[name] = interval  # its value in ``fixed`` stays: what single poses have unless they say more
    last = free["background"].high if "background" in free else fixed["background"]
    if last >= backgrounds:
        raise ConfigError(f"{where}: [space] background reaches {last:g}; the {backgrounds} backgrounds count from 0")
    return Space(free, fixed, backgrounds)


def _scene_values(config: SceneConfig, where: str) -> dict[str, float]:
    """Values of all parameters where the space says nothing: the scene's camera and first light, or the defaults."""
    for i, light in enumerate(config.lights):
        for name in ("azimuth", "elevation", "strength"):
            value = getattr(light, name if name == "strength" else f"{name}_deg")
            check_value(f"light_{name}", value, f"{where}: lights[{i}]")
    check_value("ambient", config.ambient, where)
    check_value("fov", config.camera.fov_deg, f"{where}: [camera]")
    values = {p.name: float(p.default) for p in PARAMETERS if p.default is not None}
    first = config.lights[0] if config.lights else None
    values["fov"] = config.camera.fov_deg
    values["ambient"] = config.ambient
    values["light_azimuth"] = first.azimuth_deg if first else 0.0
    values["light_elevation"] = first.elevation_deg if first else 0.0
    values["light_strength"] = first.strength if first else 0.0
    return values


def _interval(name: str, value: tuple[float, float] | RangeConfig, where: str) -> Interval:
    if isinstance(value, RangeConfig):
        low, high, prior = value.low, value.high, value.prior or PARAMETERS[INDEX[name]].prior
    else:
        (low, high), prior = value, PARAMETERS[INDEX[name]].prior
    for bound in (low, high):
        check_value(name, bound, where)
    if low > high:
        raise ConfigError(f"{where}: {name} = [{low:g}, {high:g}] is empty: the lower bound comes first")
    if prior == "sphere" and not -90 <= low <= high <= 90:
        if name == "pitch" and (not isinstance(value, RangeConfig) or value.prior is None):
            prior = "uniform"  # past the poles a pitch is no latitude
        else:
            raise ConfigError(f'{where}: {name} with prior "sphere" must stay within [-90, 90]')
    if prior == "log" and low <= 0:
        raise ConfigError(f'{where}: {name} with prior "log" must be above 0, not {low:g}')
    return Interval(low, high, prior)


def parse_pose(text: str) -> dict[str, float]:
    """The values in a replay string such as ``yaw=12.5,pitch=-40``.

    Raises:
        ConfigError: an entry that is not name=number, an unknown name or a value out of bounds.
    """
    values: dict[str, float] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, equals, number = (piece.strip() for piece in entry.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not equals or (math.isnan(value) and number.lower() != "nan"):
            raise ConfigError(f'pose "{text}": "{entry}" is not name=number, as in "yaw=30,pitch=-10,distance=4"')
        check_value(name, value, f'pose "{text}"')
        if name in values:
            raise ConfigError(f'pose "{text}": {name} stands there twice')
        values[name] = value
    return values


def format_pose(vector: Sequence[float] | Array, space: Space) -> str:
    """The replay string of one pose vector: every parameter that varies or is not at its fixed value, exactly."""
    told = [name for name in NAMES if name in space.free or vector[INDEX[name]] != space.fixed[name]]
    return ",".join(f"{name}={_number(vector[INDEX[name]])}" for name in told)


def _number(value: float) -> str:
    return f"{value:.10g}" if value == float(f"{value:.10g}") else repr(float(value))


def object_to_camera(vectors: Array) -> Array:
    """Rotations [n, 3, 3] from object to camera frame of pose vectors [n, parameters]: orbit times the object's own."""
    yaw, pitch, roll, azimuth, elevation = (
        np.radians(vectors[:, INDEX[name]]) for name in ("yaw", "pitch", "roll", "azimuth", "elevation")
    )
    return orbit_to_matrix(azimuth, elevation) @ euler_to_matrix(yaw, pitch, roll)


def vectors_to_views(vectors: Array, config: SceneConfig, aspect: float = 1.0) -> Views:
    """What a renderer needs of pose vectors [n, parameters] in the scene ``config``.

    ``aspect`` is the image's width over its height; half-frames of the offsets are measured with it.
    """
    column = {name: vectors[:, i] for i, name in enumerate(NAMES)}
    radians = {name: np.radians(column[name]) for name in NAMES}
    world_to_camera = orbit_to_matrix(radians["azimuth"], radians["elevation"])
    half_width, half_height = half_frame(radians["fov"], column["distance"], aspect)
    position = np.stack(
        [column["offset_x"] * half_width, column["offset_y"] * half_height, -column["distance"]], axis=-1
    )
    count, lights = len(vectors), len(config.lights)
    directions, colors = np.zeros((count, lights, 3)), np.zeros((count, lights, 3))
    for k, light in enumerate(config.lights):
        azimuth = radians["light_azimuth"] if k == 0 else np.full(count, math.radians(light.azimuth_deg))
        elevation = radians["light_elevation"] if k == 0 else np.full(count, math.radians(light.elevation_deg))
        strength = column["light_strength"] if k == 0 else np.full(count, light.strength)
        directions[:, k] = np.einsum("nij,nj->ni", world_to_camera, direction(azimuth, elevation))
        colors[:, k] = strength[:, None] * np.asarray(light.color)
    return Views(
        rotation=object_to_camera(vectors),
        position=position,
        fov=radians["fov"],
        light_dirs=directions,
        light_colors=colors,
        ambient=np.repeat(column["ambient"][:, None], 3, axis=1),
        background=column["background"].astype(np.int64),
    )
