"""PLY and STL through trimesh, and its log and exceptions turned into notes and MeshErrors."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posetest.errors import MeshError
from posetest.scene.color import srgb_to_linear
from posetest.scene.files import find_beside, read_picture
from posetest.scene.material import Material, Texture
from posetest.scene.polygons import cut_quads
from posetest.scene.raw import Floats, Raw, joined, part, plain_material


@contextlib.contextmanager
def quiet(path: Path, notes: list[str]) -> Iterator[None]:
    """A context in which trimesh's log becomes ``notes`` and any exception but ours a MeshError that names ``path``."""
    log = logging.getLogger("trimesh")
    handler = _Collector(notes)
    propagate = log.propagate
    log.addHandler(handler)
    log.propagate = False
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        if any("could not be read to its end" in str(w.message) for w in caught):
            notes.append("some of its numbers cannot be read")
    except MeshError:
        raise
    except ModuleNotFoundError as error:
        raise MeshError(f'{path}: reading it needs the package "{error.name}": pip install {error.name}') from error
    except Exception as error:  # readers of foreign formats fail in any way on broken files
        reason = str(error) or type(error).__name__
        if isinstance(error, KeyError | IndexError):
            reason = f"{type(error).__name__} {reason}"
        raise MeshError(f"{path}: the file is broken or not of its kind ({reason})") from error
    finally:
        log.removeHandler(handler)
        log.propagate = propagate


class _Collector(logging.Handler):
    """Keeps what trimesh logs, from warnings upwards."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self.notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        self.notes.append(f"trimesh: {record.getMessage()}")


def read_ply(path: Path, notes: list[str]) -> Raw:
    """The triangles of a PLY file, its picture if a comment names one, else its vertex or face colours.

    Raises:
        MeshError: broken, or without faces.
    """
    from trimesh.exchange.ply import load_ply

    data = path.read_bytes()
    head = data[: max(data.find(b"end_header"), 0)].decode("latin-1")
    if not data.startswith(b"ply") or not head:
        raise MeshError(f"{path}: the PLY header is corrupt (it must begin with ply and end with end_header)")
    declared = re.search(r"element\s+face\s+(\d+)", head)
    if declared is None or int(declared[1]) == 0:
        raise MeshError(f"{path}: no face in it (points only): nothing to draw")
    with quiet(path, notes):
        loaded = load_ply(io.BytesIO(data), skip_materials=True)
        faces = np.asarray(loaded["faces"], dtype=np.int64)
        if faces.ndim != 2 or faces.shape[1] not in (3, 4):
            raise MeshError(f"{path}: its faces are neither triangles nor quads; triangulate it")
    vertex_colors, face_colors = linear_colors(loaded.get("vertex_colors")), linear_colors(loaded.get("face_colors"))
    if faces.shape[1] == 4:
        places = np.asarray(loaded["vertices"], dtype=np.float64)
        cut = cut_quads(places[np.clip(faces, 0, len(places) - 1)])
        faces = faces[np.arange(len(faces))[:, None, None], cut].reshape(-1, 3)
        face_colors = None if face_colors is None else np.repeat(face_colors, 2, axis=0)
    normals = loaded.get("vertex_normals")
    normals = normals if normals is not None and len(normals) == len(loaded["vertices"]) else None
    uv = getattr(loaded.get("visual"), "uv", None)
    named = re.search(r"comment\s+TextureFile\s+([^\r\n]+)", head, re.IGNORECASE)
    texture, is_lacking = None, False
    if named:
        found = find_beside(path, named[1])
        try:
            texture = Texture(read_picture(found)) if found else None
        except MeshError as error:
            notes.append(str(error))
        is_lacking = texture is None
        if found is None:
            notes.append(f'the picture "{named[1].strip()}" does not exist: drawn without')
    if texture is not None and uv is not None:  # the colours beside a picture are the exporter's filling
        raw = part(loaded["vertices"], faces, 0, uv=uv, normals=normals)
        return joined([raw], [Material(name=path.stem, texture=texture)])
    if vertex_colors is not None and len(vertex_colors) == len(loaded["vertices"]):
        raw = part(loaded["vertices"], faces, 0, uv=uv, normals=normals, colors=vertex_colors)
        return joined([raw], [Material(name=path.stem)])
    raw = part(loaded["vertices"], faces, 0, uv=uv, normals=normals)
    if face_colors is not None and len(face_colors) == len(faces):
        raw.colors[:] = face_colors[:, None, :]
        return joined([raw], [Material(name=path.stem)])
    if vertex_colors is not None or face_colors is not None:
        notes.append("its colours do not fit its corners and are not drawn")
    return joined([raw], [plain_material(path.stem)], lacking=frozenset({0} if is_lacking else ()))


def linear_colors(colors: Any) -> Floats | None:
    """Linear RGBA, float64 [n, 4], of sRGB colours as a file stores them (8 or 16 bits, or floats in [0, 1])."""
    if colors is None:
        return None
    values = np.asarray(colors)
    scale = float(np.iinfo(values.dtype).max) if values.dtype.kind in "ui" else 1.0
    if values.dtype.kind in "ui" and values.dtype.itemsize > 2:
        scale = 255.0
    out = np.ones((len(values), 4))
    out[:, : values.shape[1]] = np.clip(values.astype(np.float64) / scale, 0.0, 1.0)
    out[:, :3] = srgb_to_linear(out[:, :3])
    return out


def read_stl(path: Path, notes: list[str]) -> Raw:
    """The triangles of an STL file, binary or text; its normals are those of the winding.

    Raises:
        MeshError: broken, or empty.
    """
    from trimesh.exchange.stl import load_stl

    with quiet(path, notes):
        loaded = load_stl(io.BytesIO(path.read_bytes()))
    solids = list(loaded["geometry"].values()) if "geometry" in loaded else [loaded]
    if not solids:
        raise MeshError(f"{path}: no triangle in it, so it is no STL mesh or an empty one")
    return joined([part(s["vertices"], s["faces"], 0) for s in solids], [plain_material(path.stem)])
