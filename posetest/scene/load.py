"""Mesh files made into Mesh: read, checked, turned into the object frame, welded, with sound normals and materials.

A file either loads, with a MeshWarning for every defect that was mended or tolerated, or raises a MeshError. Both name
the file and the defect.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posetest.errors import ConfigError, MeshError, MeshWarning, suggest
from posetest.scene.files import read_picture
from posetest.scene.finish import finished
from posetest.scene.material import Texture
from posetest.scene.mesh import Mesh
from posetest.scene.raw import Raw

#: File endings of meshes that load.
SUFFIXES = (".obj", ".gltf", ".glb", ".ply", ".stl", ".dae")
_AXES = {
    sign + name: tuple(float(sign + "1") if i == k else 0.0 for i in range(3))
    for k, name in enumerate("xyz")
    for sign in "+-"
}


def load_mesh(path: str | Path, *, up: str = "+y", front: str | None = None, texture: str | Path | None = None) -> Mesh:
    """The mesh of an OBJ, glTF, GLB, PLY, STL or Collada file, in the object frame.

    ``up`` and ``front`` are axes of the file (+x -x +y -y +z -z) that become +y and +z; ``front`` is by default +z, or
    +y where up is z. ``texture`` is a picture for what the file leaves without one.

    Raises:
        MeshError: the file cannot be read or drawn.
        ConfigError: ``up`` and ``front`` are no pair of axes, or ``texture`` is not needed.
    """
    path = Path(path)
    rotation = axes_to_object(up, front)
    reader = _reader(path)
    notes: list[str] = []
    try:
        with np.errstate(all="ignore"):  # broken numbers are found by face, in finished()
            raw = reader(path, notes)
        if texture is not None:
            raw = _with_picture(path, raw, Path(texture), notes)
        mesh = finished(path, raw, rotation, notes)
    except MeshError as error:
        if notes:
            raise MeshError(f"{error} (also: {'; '.join(dict.fromkeys(notes))})") from error
        raise
    except OSError as error:
        raise MeshError(f"{path}: cannot be read ({error.strerror or error})") from error
    except MemoryError as error:
        raise MeshError(f"{path}: too large for this machine's memory") from error
    for note in mesh.warnings:
        warnings.warn(MeshWarning(f"{path}: {note}"), stacklevel=2)
    return mesh


def axes_to_object(up: str = "+y", front: str | None = None) -> NDArray[np.float64]:
    """The rotation float64 [3, 3] from a file's frame to the object frame: ``up`` to +y, ``front`` to +z.

    Raises:
        ConfigError: an unknown axis, or two parallel ones.
    """
    if front is None:
        front = "+y" if up.lower().endswith("z") else "+z"
    vectors = []
    for key, text in (("up", up), ("front", front)):
        name = text.lower() if text[:1] in "+-" else "+" + text.lower()
        if name not in _AXES:
            raise ConfigError(f'{key}: "{text}" is not an axis; it must be one of {" ".join(_AXES)}')
        vectors.append(np.array(_AXES[name]))
    y, z = vectors
    if abs(float(y @ z)) > 0.5:
        raise ConfigError(f'up "{up}" and front "{front}" are parallel; front must be one of the other two axes')
    return np.stack([np.cross(y, z), y, z]) + 0.0


def _reader(path: Path) -> Callable[[Path, list[str]], Raw]:
    from posetest.scene.collada_files import read_dae
    from posetest.scene.gltf import read_gltf
    from posetest.scene.obj import read_obj
    from posetest.scene.readers import read_ply, read_stl

    readers = {".obj": read_obj, ".ply": read_ply, ".stl": read_stl, ".dae": read_dae}
    readers |= {".gltf": read_gltf, ".glb": read_gltf}
    if path.is_dir():
        raise MeshError(f"{path}: this is a folder; name the mesh file in it")
    if not path.is_file():
        near = [p.name for p in path.parent.iterdir() if p.suffix.lower() in SUFFIXES] if path.parent.is_dir() else []
        here = f"; meshes there: {', '.join(sorted(near)[:8])}" if near else ""
        raise MeshError(f"{path}: no such mesh file{suggest(path.name, near) or here}")
    if path.suffix.lower() not in readers:
        raise MeshError(f'{path}: "{path.suffix}" is not a mesh format that loads; these do: {" ".join(SUFFIXES)}')
    if path.stat().st_size == 0:
        raise MeshError(f"{path}: the file is empty (0 bytes)")
    return readers[path.suffix.lower()]


def _with_picture(path: Path, raw: Raw, picture: Path, notes: list[str]) -> Raw:
    """``raw`` with a picture given by hand on what lacks one."""
    if not np.isfinite(raw.uv).any():
        raise MeshError(f"{path}: it has no texture coordinates, so the picture {picture} cannot be laid on it")
    used = set(np.unique(raw.face_material).tolist())
    lacking = raw.lacking & used
    if not lacking:
        if any(raw.materials[i].texture is not None for i in used):
            raise ConfigError(f"texture: {path} has its own pictures, so {picture} is not needed; leave texture out")
        lacking = frozenset(used)
    given = Texture(read_picture(picture))
    materials = [
        replace(m, texture=given, base_color=(1.0, 1.0, 1.0, m.base_color[3])) if i in lacking else m
        for i, m in enumerate(raw.materials)
    ]
    notes[:] = [note for note in notes if "does not exist" not in note]
    return replace(raw, materials=tuple(materials), lacking=frozenset())
