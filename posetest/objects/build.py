"""Writes the bundled objects, or variants of them, as GLB files: the same bytes each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from posetest.errors import ConfigError, suggest
from posetest.objects.catalogue import BUILDERS
from posetest.objects.glb import mesh_to_glb


def build_all(folder: Path, names: Sequence[str] = (), *, seed: int = 0) -> list[Path]:
    """The files written into ``folder`` (made where it is missing), one for each name, all objects where none is given.

    Seed 0 is the bundled object, NAME.glb; another is a variant of it, NAME_SEED.glb.

    Raises:
        ConfigError: no object of that name, or a negative seed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in built(names, seed=seed).items():
        path = folder / (f"{name}.glb" if seed == 0 else f"{name}_{seed}.glb")
        path.write_bytes(data)
        written.append(path)
    return written


def built(names: Sequence[str] = (), *, seed: int = 0) -> dict[str, bytes]:
    """What ``build_all`` writes, by object.

    Raises:
        ConfigError: as there.
    """
    if seed < 0:
        raise ConfigError(f"seed = {seed}: 0 (the bundled object) or above is wanted")
    check_names(names)
    return {name: mesh_to_glb(BUILDERS[name](seed).mesh) for name in names or BUILDERS}


def check_names(names: Sequence[str]) -> None:
    """Nothing, if all are names of bundled objects.

    Raises:
        ConfigError: one is not.
    """
    for name in names:
        if name not in BUILDERS:
            raise ConfigError(f'no bundled object is called "{name}"{suggest(name, BUILDERS)} ({", ".join(BUILDERS)})')
