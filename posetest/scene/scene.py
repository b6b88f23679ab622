"""A scene: an object with accepted labels, a camera, lights, a background and the space its poses come from."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from posetest.config import (
    DEFAULT_RENDER,
    DEFAULT_SEARCH,
    BackgroundConfig,
    ObjectConfig,
    SceneConfig,
    decode,
    to_toml,
)
from posetest.errors import ConfigError, suggest
from posetest.resources import bundled
from posetest.scene.background import Background, background_files
from posetest.scene.include import counted_from, read_scene
from posetest.scene.load import SUFFIXES, load_mesh
from posetest.scene.mesh import Mesh
from posetest.scene.painted import DEFAULT_COUNT

#: Colours with a name, sRGB. The mean over ImageNet's pictures is what stands behind the object in Alcorn et al. (CVPR
#: 2019): after the usual normalisation it is zero.
COLORS = {"imagenet_mean": (0.485, 0.456, 0.406)}


@dataclass(frozen=True, eq=False)
class Scene:
    """One object in its surroundings, ready to be rendered.

    Attributes:
        name: for tables and reports, unique within a run.
        mesh: the object.
        background: what is behind it.
        config: the scene file's content; camera, lights, labels and space are read from here.
        source: where the scene came from.
    """

    name: str
    mesh: Mesh
    background: Background
    config: SceneConfig
    source: str

    @property
    def labels(self) -> tuple[int | str, ...]:
        """What a model may call the object."""
        return self.config.object.labels

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over everything that can change a picture of the scene but the mesh."""
        config = msgspec.structs.replace(
            self.config, object=ObjectConfig(mesh=""), name="", about="", search=DEFAULT_SEARCH
        )
        if config.render == DEFAULT_RENDER:  # a table of nothing but defaults says no more than none
            config = msgspec.structs.replace(config, render=DEFAULT_RENDER)
        sha = hashlib.sha256(to_toml(config).encode())
        for path in self.background.files:
            sha.update(path.read_bytes())
        return sha.hexdigest()

    def renamed(self, name: str) -> Scene:
        """The same scene under another name."""
        return replace(self, name=name)

    def drawn_with(self, settings: Mapping[str, object], *, where: str = "") -> Scene:
        """The same scene with ``settings`` over its ``[render]`` table; a setting of None keeps what that says.

        Raises:
            ConfigError: a setting that there is not; names it, after ``where`` (by default the scene's source).
        """
        given = {name: value for name, value in settings.items() if value is not None}
        merged = msgspec.to_builtins(self.config.render) | given
        render = decode({"object": {"mesh": ""}, "render": merged}, SceneConfig, where or self.source).render
        return replace(self, config=msgspec.structs.replace(self.config, render=render))


def load_scene(
    source: str | Path,
    *,
    up: str | None = None,
    front: str | None = None,
    labels: int | str | Sequence[int | str] = (),
    texture: str | Path | None = None,
    under: str | Path | None = None,
) -> Scene:
    """The scene of a TOML file, of a bundled scene's name, or of a bare mesh file under default conditions.

    ``up``, ``front``, ``labels`` and ``texture`` replace what the scene says of its object. ``under`` names another
    scene ("strike", "photographer.toml") whose conditions take the place of this one's: everything but the object.

    Raises:
        ConfigError: no such scene, or its content does not fit.
        MeshError: its mesh cannot be drawn.
    """
    path = find_scene(source)
    config, folder = _read(path), path.parent
    name, where = config.name or path.stem, str(path)
    if under is not None:
        conditions = find_scene(under)
        item = msgspec.structs.replace(config.object, **counted_from(config.object, folder, conditions.parent))
        config = msgspec.structs.replace(_read(conditions), object=item, name=name)
        folder, where = conditions.parent, f"{path} under {conditions}"
    accepted = (labels,) if isinstance(labels, str | int) else tuple(labels)
    changes: dict[str, Any] = {"up": up, "front": front, "labels": accepted or None}
    if texture is not None:
        changes["texture"] = str(Path(texture).resolve())
    given = {key: value for key, value in changes.items() if value is not None}
    config = msgspec.structs.replace(config, object=msgspec.structs.replace(config.object, **given))
    return build_scene(config, folder=folder, name=name, source=where)


def _read(path: Path) -> SceneConfig:
    """A scene file's configuration, or the default one around a mesh file."""
    if path.suffix.lower() == ".toml":
        return read_scene(path)
    return SceneConfig(object=ObjectConfig(mesh=path.name), name=path.stem)


def build_scene(config: SceneConfig, *, folder: Path, name: str, source: str) -> Scene:
    """A scene from its configuration; relative paths count from ``folder``.

    Raises:
        ConfigError, MeshError: as ``load_scene``.
    """
    item = config.object
    texture = folder / item.texture if item.texture else None
    mesh = load_mesh(folder / item.mesh, up=item.up, front=item.front, texture=texture)
    return Scene(name, mesh, background_of(config.background, folder, source), config, source)


def background_of(config: BackgroundConfig, folder: Path, where: str) -> Background:
    """What a ``[background]`` table describes; relative paths count from ``folder``.

    Raises:
        ConfigError: a colour that is none, a picture that there is not, or more than one kind of background.
    """
    color = parse_color(config.color, f"{where}: background.color")
    given = [name for name in ("image", "images", "painted") if getattr(config, name)]
    if len(given) > 1:
        raise ConfigError(f"{where}: [background] has both {given[0]} and {given[1]}; keep one")
    if config.count is not None and not config.painted:
        raise ConfigError(f'{where}: background.count is of painted pictures; say which, as in painted = "outdoor"')
    if config.painted:
        return Background(color, painted=(config.painted, config.count or DEFAULT_COUNT))
    if config.images:
        return Background(color, background_files(folder / config.images))
    if config.image:
        picture = folder / config.image
        if not picture.is_file():
            raise ConfigError(f"{where}: background.image: no such file: {picture}")
        return Background(color, (picture,))
    return Background(color)


def parse_color(value: str | tuple[float, float, float], where: str) -> tuple[float, float, float]:
    """sRGB in [0, 1] of "#rrggbb", of a name in COLORS, or of three numbers.

    Raises:
        ConfigError: none of these.
    """
    if isinstance(value, str):
        if value in COLORS:
            return COLORS[value]
        match = re.fullmatch(r"#([0-9a-fA-F]{2})([0-9a-fA-F]{2})([0-9a-fA-F]{2})", value)
        if not match:
            raise ConfigError(
                f'{where}: "{value}" is not a colour such as "#8090a0" or "imagenet_mean"{suggest(value, COLORS)}'
            )
        red, green, blue = (int(pair, 16) / 255 for pair in match.groups())
        return red, green, blue
    if not all(math.isfinite(x) and 0 <= x <= 1 for x in value):
        raise ConfigError(f"{where}: {value} is not three numbers in [0, 1]")
    return value


def bundled_scenes() -> tuple[Path, ...]:
    """The scene files that come with the package, sorted by name."""
    return tuple(sorted(bundled("scenes").glob("*.toml")))


def object_scenes() -> tuple[Path, ...]:
    """The scene files of the bundled objects: one each, beside those that are sets of conditions."""
    return tuple(path for path in bundled_scenes() if (bundled("meshes") / f"{path.stem}.glb").is_file())


def find_scene(source: str | Path) -> Path:
    """The file behind ``source``: a scene or mesh file, or the name of a bundled scene.

    Raises:
        ConfigError: there is no such file and no bundled scene of that name, or it is a folder.
    """
    path = Path(source)
    if path.is_file():
        if path.suffix.lower() in (".toml", *SUFFIXES):
            return path
        raise ConfigError(f"{path}: neither a scene (.toml) nor a mesh ({', '.join(SUFFIXES)})")
    names = {scene.stem: scene for scene in bundled_scenes()}
    if str(source) in names:
        return names[str(source)]
    if path.is_dir():
        held = sorted(str(p) for p in path.iterdir() if p.suffix.lower() in (".toml", *SUFFIXES))
        if held:
            raise ConfigError(f"{path}: a folder; give a file of it: {', '.join(held)}")
        raise ConfigError(f"{path}: a folder, without a scene (.toml) or a mesh ({', '.join(SUFFIXES)})")
    near = suggest(
        str(source), [*names, *(str(p) for p in path.parent.glob("*") if p.suffix.lower() in (".toml", *SUFFIXES))]
    )
    raise ConfigError(f"{source}: no such scene or mesh file, nor a bundled scene{near} (bundled: {', '.join(names)})")
