"""Scene files that build on others: ``include = ["photographer.toml"]`` and what takes precedence over what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from posetest.config import ObjectConfig, SceneConfig, decode, load_toml
from posetest.errors import ConfigError, suggest
from posetest.resources import bundled

#: Keys that hold paths, which count from the file that they stand in.
_PATHS = {"object": ("mesh", "texture"), "background": ("image", "images")}


def read_scene(path: Path) -> SceneConfig:
    """The scene file at ``path`` over those that it includes.

    What is included lies beside the file, or is a bundled scene. Of several included files a later one takes precedence
    over an earlier one, and the file itself over all. Tables are merged key by key, one level deep, but

    * ``[object]`` with a mesh and ``[background]`` are taken whole,
    * a ``[space]`` with a preset starts afresh, and one with a rotation forgets yaw, pitch and roll,
    * lists are taken whole, and ``name`` and ``about`` are never inherited.

    Raises:
        ConfigError: a file that is missing, not TOML or does not fit, or includes itself; names that very file.
    """
    data = _merged(path, ())
    if "object" not in data:
        raise ConfigError(f"{path}: no [object], and no included scene has one: name its mesh")
    return decode(data, SceneConfig, str(path))


def _merged(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    """The tables of ``path`` and of what it includes, paths counted from its folder; ``above`` are its includers."""
    resolved = path.resolve()
    if resolved in above:
        raise ConfigError(f"{path}: includes itself, through {' -> '.join(p.name for p in (*above, resolved))}")
    own = load_toml(path)
    included = own.pop("include", [])
    if not isinstance(included, list) or not all(isinstance(entry, str) for entry in included):
        raise ConfigError(f'{path}: include is a list of scene files, as in include = ["photographer.toml"]')
    item = own.get("object", {})
    whole = own | {"object": {"mesh": ""} | item if isinstance(item, dict) else item}
    decode(whole, SceneConfig, str(path))  # an error names this file, not the one that includes it
    merged: dict[str, Any] = {}
    for entry in included:
        below = _included(path, entry)
        tables = _merged(below, (*above, resolved))
        tables = {key: value for key, value in tables.items() if key not in ("name", "about")}
        merged = _over(merged, _moved(tables, below.parent, path.parent))
    return _over(merged, own)


def _included(path: Path, entry: str) -> Path:
    """The scene file that ``path`` means by ``entry``: one beside it, or a bundled one."""
    beside = path.parent / entry
    if beside.is_file():
        return beside
    names = {scene.stem: scene for scene in bundled("scenes").glob("*.toml")}
    if entry.removesuffix(".toml") in names:
        return names[entry.removesuffix(".toml")]
    raise ConfigError(
        f"{path}: include: no such scene file: {beside}{suggest(entry, names)} (bundled: {', '.join(sorted(names))})"
    )


def _over(lower: dict[str, Any], upper: dict[str, Any]) -> dict[str, Any]:
    """The tables of two files as one, ``upper`` taking precedence."""
    out = dict(lower)
    for key, value in upper.items():
        under = out.get(key)
        is_whole = key == "background" or (key == "object" and "mesh" in value)
        if not isinstance(value, dict) or not isinstance(under, dict) or is_whole:
            out[key] = value
            continue
        if key == "space":
            forgotten = set(under) if "preset" in value else {"yaw", "pitch", "roll"} if "rotation" in value else set()
            under = {name: entry for name, entry in under.items() if name not in forgotten}
        out[key] = under | value
    return out


def _moved(tables: dict[str, Any], old: Path, new: Path) -> dict[str, Any]:
    """``tables`` with their paths counted from the folder ``new`` in place of ``old``."""
    out = dict(tables)
    for table, keys in _PATHS.items():
        if table in out:
            out[table] = out[table] | {key: _from(out[table][key], old, new) for key in keys if out[table].get(key)}
    return out


def _from(path: str, old: Path, new: Path) -> str:
    """``path``, which counts from the folder ``old``, counted from ``new``."""
    if old.resolve() == new.resolve() or os.path.isabs(path):
        return path
    # folders alone: a file that is a link goes by its own name, beside which textures lie
    target = (old / path).parent.resolve() / Path(path).name
    try:
        return Path(os.path.relpath(target, new.resolve())).as_posix()
    except ValueError:  # another drive
        return str(target)


def counted_from(item: ObjectConfig, old: Path, new: Path) -> dict[str, str]:
    """The paths of an object, which count from the folder ``old``, counted from ``new``; for ``structs.replace``."""
    return {key: _from(value, old, new) for key in _PATHS["object"] if (value := getattr(item, key)) is not None}
