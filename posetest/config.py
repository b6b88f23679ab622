"""What scene files hold, as structs: one place for keys, defaults and help. TOML in, TOML out.

Unknown keys are refused with a suggestion, so that a misspelt option is never silently a default.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from posetest.errors import ConfigError, suggest

T = TypeVar("T")
Rotation = Literal["haar", "euler", "fixed"]
PriorName = Literal["uniform", "sphere", "log"]
Backend = Literal["cpu", "reference", "pytorch3d"]
Samples = Literal[1, 2]
Shading = Literal["linear", "gamma_free"]
Painted = Literal["plain", "indoor", "outdoor", "mixed"]
ReportFormat = Literal["html", "md", "json", "pdf"]
GradientKind = Literal["analytic", "finite"]
Unit = Annotated[float, msgspec.Meta(ge=0, le=1)]
NonNegative = Annotated[float, msgspec.Meta(ge=0)]


class Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A struct that refuses unknown keys and writes only what differs from the defaults."""


class ObjectConfig(Strict, frozen=True):
    """The object of a scene: its mesh file and what a model may call it."""

    mesh: str
    """Mesh file (.obj .gltf .glb .ply .stl .dae), relative to the scene file."""
    labels: tuple[int | str, ...] = ()
    """Accepted labels: indices, class names or unambiguous synonyms."""
    up: str = "+y"
    """Axis of the file that points up."""
    front: str | None = None
    """Axis of the file that the object faces; by default +z, or +y where up is z."""
    texture: str | None = None
    """Picture to use where the file names none, relative to the scene file."""


class CameraConfig(Strict, frozen=True):
    """The camera. Its distance and orbit are parameters of the space."""

    fov_deg: Annotated[float, msgspec.Meta(gt=0, lt=170)] = 30.0
    """Full field of view of the shorter image side, degrees."""


class LightConfig(Strict, frozen=True):
    """A directional light, fixed to the world. Colours are linear."""

    azimuth_deg: float = -35.0
    """Where the light comes from: 0 is the viewer's side (+z), positive towards +x."""
    elevation_deg: Annotated[float, msgspec.Meta(ge=-90, le=90)] = 45.0
    """Height of the light above the horizon."""
    strength: NonNegative = 0.9
    """Linear strength; a white surface facing a light of strength 1 is white."""
    color: tuple[Unit, Unit, Unit] = (1.0, 1.0, 1.0)
    """Linear RGB."""


class BackgroundConfig(Strict, frozen=True):
    """What is behind the object: a colour, one picture, or several (a folder's, painted ones) of which each pose draws
    one.
    """

    color: str | tuple[Unit, Unit, Unit] = "#808080"
    """sRGB: "#rrggbb", three numbers in [0, 1], or "imagenet_mean", the flat background of the 2019 protocol."""
    image: str | None = None
    """Picture file, relative to the scene file."""
    images: str | None = None
    """Folder of pictures, relative to the scene file."""
    painted: Painted | None = None
    """Pictures painted by code: plain (colours, runs, clouds, boxes), indoor, outdoor, or mixed, all three in turn."""
    count: Annotated[int, msgspec.Meta(ge=1)] | None = None
    """How many painted pictures; 24 unless said."""


class RenderConfig(Strict, frozen=True):
    """How pictures are drawn."""

    backend: Backend = "cpu"
    """cpu: fast; reference: slow and plain, to check others by; pytorch3d: where it is installed."""
    samples: Samples = 1
    """Samples a pixel and side of the cpu back end: 1, or 2 for 2 x 2; outlines are antialiased with either."""
    shading: Shading = "linear"
    """linear: in linear light, encoded to sRGB at the end; gamma_free: on encoded values, as in the 2019 protocol."""


#: The one object that stands for "nothing said": msgspec leaves a default out of a file where it is this very object.
DEFAULT_RENDER = RenderConfig()


class RangeConfig(Strict, frozen=True):
    """An interval of a parameter and how poses spread over it."""

    low: float
    high: float
    prior: PriorName | None = None
    """uniform; sphere (in the sine, so that directions are uniform on the sphere); log (in the logarithm)."""


Range = float | tuple[float, float] | RangeConfig


class SpaceConfig(Strict, frozen=True):
    """Which numbers may vary. A number fixes a parameter, [low, high] or {low, high, prior} frees it."""

    preset: Literal["strike"] | None = None
    """strike: the published protocol of Alcorn et al. (CVPR 2019)."""
    rotation: Rotation | None = None
    """haar (the default): uniform over SO(3); euler: yaw, pitch, roll each uniform; fixed: upright, front."""
    yaw: Range | None = None
    pitch: Range | None = None
    roll: Range | None = None
    distance: Range | None = None
    offset_x: Range | None = None
    offset_y: Range | None = None
    fov: Range | None = None
    azimuth: Range | None = None
    elevation: Range | None = None
    light_azimuth: Range | None = None
    light_elevation: Range | None = None
    light_strength: Range | None = None
    ambient: Range | None = None
    background: Range | None = None


class JitterConfig(Strict, frozen=True):
    """How far the copies of a pose are moved whose mean a robust objective is: standard deviations."""

    turn_deg: NonNegative = 3.0
    """Turn of the object about each axis, degrees."""
    distance: NonNegative = 0.2
    """Object units."""
    offset: NonNegative = 0.03
    """Half-frames."""
    light_deg: NonNegative = 10.0
    """Direction of the first light, degrees."""
    light_strength: NonNegative = 0.1
    """Strength of the first light, linear."""
    ambient: NonNegative = 0.05
    """Ambient light, linear."""
    background: bool = True
    """Whether each copy draws one of the scene's backgrounds."""

    def widths(self) -> dict[str, float]:
        """The standard deviation of each parameter that is moved by adding to it, by name, border units."""
        return {
            "distance": self.distance,
            "offset_x": self.offset,
            "offset_y": self.offset,
            "light_azimuth": self.light_deg,
            "light_elevation": self.light_deg,
            "light_strength": self.light_strength,
            "ambient": self.ambient,
        }


class GradientConfig(Strict, frozen=True):
    """How gradients of pictures are taken."""

    kind: GradientKind = "analytic"
    """analytic: the back end's own; finite: differences of pictures, for any back end, two for each number."""
    jitter: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Neighbouring poses that the analytic gradient is averaged over."""
    turn_rad: NonNegative = 0.01
    """Standard deviation of their turns, radians, and shifts, object units."""


class SearchConfig(Strict, frozen=True):
    """What a search looks for, how, and how long."""

    objective: str = "fool"
    """fool | target:LABEL | maximise[:UNIT] | nearest[:LABEL], joined by + and *, as in "fool + 0.1 * target:cab"."""
    unit: str | None = None
    """What maximise means: probability:LABEL, logit:LABEL, margin:LABEL, LAYER:CHANNEL[?reduce=max] or
    score:FILE.py:FUNCTION."""
    until: float | None = None
    """Value above which a maximised unit counts as reached."""
    method: str = "auto"
    """Algorithm, with options as in "cma?sigma=0.5"; "posetest search --help" lists them."""
    budget: Annotated[int, msgspec.Meta(ge=1)] = 2000
    """Classifier calls; a backward pass counts as two."""
    vary: tuple[str, ...] = ()
    """Parameters that the search moves; none: all that the scene's space frees (nearest: the rotation alone)."""
    random: tuple[str, ...] = ()
    """Parameters drawn anew from the scene's space for every evaluation."""
    initial: tuple[str, ...] = ()
    """Poses to begin at, as replay strings; what they leave out has the scene's own value."""
    robust: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Poses that a score is the mean of: the pose itself and copies that the jitter moves."""
    jitter: JitterConfig = JitterConfig()
    """How far the copies are moved."""
    gradient: GradientConfig = GradientConfig()
    """How gradients are taken."""
    stop_at_hit: bool = False
    """Whether the search ends with the first pose that reaches the objective."""
    keep: Annotated[int, msgspec.Meta(ge=1)] = 12
    """Poses kept as pictures."""


#: The one object that stands for "nothing said", as with DEFAULT_RENDER.
DEFAULT_SEARCH = SearchConfig()


class SceneConfig(Strict, frozen=True):
    """A scene file."""

    object: ObjectConfig
    name: str = ""
    """Name in tables and reports; by default the file's stem."""
    about: str = ""
    """One line for lists of scenes."""
    camera: CameraConfig = CameraConfig()
    lights: tuple[LightConfig, ...] = (LightConfig(),)
    ambient: NonNegative = 0.3
    """Linear strength of the light that comes from everywhere."""
    background: BackgroundConfig = BackgroundConfig()
    render: RenderConfig = DEFAULT_RENDER
    space: SpaceConfig = SpaceConfig()
    search: SearchConfig = DEFAULT_SEARCH


def decode(data: Any, kind: type[T], where: str, *, strict: bool = True) -> T:
    """``data`` (plain dicts and lists) as a ``kind``; unless ``strict``, numbers may be written as text.

    Raises:
        ConfigError: an unknown key, a missing one or a value out of range; names ``where``, the key and what to do.
    """
    try:
        return msgspec.convert(data, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_explain(str(error), kind)}") from error


def _explain(message: str, kind: type) -> str:
    match = re.search(r"unknown field `(?P<key>[^`]*)`(?: - at `\$\.?(?P<path>[^`]*)`)?", message)
    if not match:
        return _explain_value(message, kind)
    path = match["path"] or ""
    known = _fields_at(kind, path)
    place = f"[{path}]" if path else "the top level"
    return f'unknown key "{match["key"]}" in {place}{suggest(match["key"], known)} (known keys: {", ".join(known)})'


def _explain_value(message: str, kind: type) -> str:
    """msgspec's words without its root sign; the possible words where one was not among them."""
    text = message.replace("`$.", "`").replace("`$`", "the top level").replace("Object missing", "missing")
    match = re.search(r"Invalid enum value (?P<value>'[^']*'|-?\d+) - at `(?P<path>[^`]*)\.(?P<key>\w+)`", text)
    if not match:
        return text
    allowed = _words_at(kind, match["path"], match["key"])
    value = match["value"].strip("'")
    shown = value if value == match["value"] else f'"{value}"'
    return f"{match['path']}.{match['key']} = {shown}{suggest(value, allowed)} (one of {', '.join(allowed)})"


def _words_at(kind: Any, path: str, key: str) -> tuple[str, ...]:
    """The words that the key ``key`` at ``path`` may have."""
    field_type = next(f.type for f in _struct_at(kind, path).fields if f.encode_name == key)
    options = getattr(field_type, "types", (field_type,))
    return tuple(str(v) for o in options if isinstance(o, msgspec.inspect.LiteralType) for v in o.values)


def _fields_at(kind: Any, path: str) -> tuple[str, ...]:
    """Names of the keys allowed at ``path`` ("object", "lights[...]") of a struct type."""
    return tuple(f.encode_name for f in _struct_at(kind, path).fields)


def _struct_at(kind: Any, path: str) -> Any:
    info: Any = msgspec.inspect.type_info(kind)
    for part in re.findall(r"[a-z_]+", path):
        field = next(f for f in info.fields if f.encode_name == part)
        info = field.type
        while not isinstance(info, msgspec.inspect.StructType):
            options = getattr(info, "types", None) or (getattr(info, "item_type", None),)
            nested = [o for o in options if isinstance(o, msgspec.inspect.StructType | msgspec.inspect.VarTupleType)]
            info = nested[0]
    return info


def read_toml(path: Path, kind: type[T]) -> T:
    """The TOML file at ``path`` as a ``kind``.

    Raises:
        ConfigError: the file is missing or not TOML, or its content does not fit.
    """
    return decode(load_toml(path), kind, str(path))


def load_toml(path: Path) -> dict[str, Any]:
    """The tables of the TOML file at ``path``.

    Raises:
        ConfigError: the file is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read as text ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def to_toml(struct: msgspec.Struct) -> str:
    """``struct`` as TOML text; keys without a value are left out."""
    import tomli_w

    return tomli_w.dumps(_without_none(msgspec.to_builtins(struct)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
