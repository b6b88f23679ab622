"""From what a file holds to a Mesh: unusable faces dropped, the rest placed, welded and given normals and sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from posetest.errors import MeshError
from posetest.scene.files import pictures_beside
from posetest.scene.material import Material
from posetest.scene.mesh import Mesh
from posetest.scene.normals import shading_normals
from posetest.scene.raw import PLAIN_GREY, Raw, plain_material
from posetest.scene.topology import closed_volumes, edges_of, has_area, inside_out, pieces, weld

_Number = TypeVar("_Number", bound=np.generic)

#: Sizes outside this range, in the file's units, are taken for corrupt.
_SMALLEST, _LARGEST = 1e-30, 1e30
#: Steps of the grid that vertices are rounded to, per object unit: float32 holds every one of them within [-1, 1], and
#: corners that differ by rounding errors near zero, where float32 is much finer, are one again.
_STEPS = 2.0**24
#: A file whose usable faces are fewer than this part is taken for corrupt.
_LEAST_USABLE = 0.5
#: Times its own size that a mesh may lie from the origin before float32 coordinates lose three of their seven digits.
_FAR = 100.0


def finished(path: Path, raw: Raw, rotation: NDArray[np.float64], notes: list[str]) -> Mesh:
    """The mesh of ``raw``, turned by ``rotation`` [3, 3] and normalised; ``notes`` gains what was mended.

    Raises:
        MeshError: nothing of it can be drawn.
    """
    raw = _without_lines(path, _usable(path, raw, notes), notes)
    while True:
        low, high = _bounds(raw)
        size, centre = float((high - low).max()), low + (high - low) / 2
        placed = ((raw.positions[raw.faces] - centre) * (2.0 / size)) @ rotation.T
        rounded = (np.round(placed * _STEPS) / _STEPS).astype(np.float32)
        keep = has_area(rounded.astype(np.float64))
        if keep.all():
            break
        if not keep.any():
            raise MeshError(f"{path}: all of its faces are too small to be drawn beside its size of {size:g}")
        notes.append(f"{int((~keep).sum())} faces are too small to be drawn beside its size of {size:g}: dropped")
        raw = _chosen(raw, keep)
    if float(np.abs(centre).max()) > _FAR * size:
        notes.append(
            f"it lies {float(np.abs(centre).max()) / size:.0f} times its size from the origin: "
            "its coordinates may be coarse"
        )
    file_to_object = np.eye(4)
    file_to_object[:3, :3] = rotation * (2.0 / size)
    file_to_object[:3, 3] = -file_to_object[:3, :3] @ centre
    return _assembled(path, raw, rounded, rotation, file_to_object, notes)


def _bounds(raw: Raw) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lowest and highest coordinates [3] of the vertices that faces use."""
    is_used = np.zeros(len(raw.positions), dtype=bool)
    is_used[raw.faces] = True
    used = raw.positions[is_used]
    return used.min(axis=0), used.max(axis=0)


def _chosen(raw: Raw, keep: NDArray[np.bool_]) -> Raw:
    if keep.all():
        return raw
    names = ("faces", "uv", "normals", "colors", "face_material")
    return replace(raw, **{name: getattr(raw, name)[keep] for name in names})


def _usable(path: Path, raw: Raw, notes: list[str]) -> Raw:
    """``raw`` without faces whose corners do not exist or are nowhere."""
    if not len(raw.faces):
        raise MeshError(f"{path}: no usable face in it: nothing to draw")
    is_inside = ((raw.faces >= 0) & (raw.faces < len(raw.positions))).all(axis=1)
    is_finite = np.zeros(len(raw.faces), dtype=bool)
    is_finite[is_inside] = np.isfinite(raw.positions[raw.faces[is_inside]]).all(axis=(1, 2))
    outside, nowhere = int((~is_inside).sum()), int((is_inside & ~is_finite).sum())
    defects = []
    if outside:
        defects.append(f"{outside} of {len(raw.faces)} faces point outside its vertices (index out of range)")
    if nowhere:
        defects.append(f"{nowhere} of {len(raw.faces)} faces have corners that are infinite or not a number")
    keep = is_inside & is_finite
    if keep.mean() < _LEAST_USABLE:
        raise MeshError(f"{path}: {'; '.join(defects)}: too much of it is broken")
    notes += [f"{defect}: dropped" for defect in defects]
    return _chosen(raw, keep)


def _without_lines(path: Path, raw: Raw, notes: list[str]) -> Raw:
    """``raw`` without faces whose corners lie on a line."""
    low, high = _bounds(raw)
    with np.errstate(over="ignore"):
        size = float((high - low).max())
    if not _SMALLEST < size < _LARGEST:
        raise MeshError(f"{path}: its size is {size:g}, which is no size of an object")
    keep = has_area(raw.positions[raw.faces] / size)
    if not keep.any():
        raise MeshError(f"{path}: no face has an area: the corners of each lie on a line (faces: {len(keep)})")
    if not keep.all():
        notes.append(f"{int((~keep).sum())} of {len(keep)} faces have no area: dropped")
    return _chosen(raw, keep)


def _assembled(
    path: Path,
    raw: Raw,
    rounded: NDArray[np.float32],
    rotation: NDArray[np.float64],
    file_to_object: NDArray[np.float64],
    notes: list[str],
) -> Mesh:
    colors, normals, uv = raw.colors, raw.normals @ rotation.T, raw.uv
    if not np.isfinite(colors).all():
        count = int((~np.isfinite(colors)).any(axis=2).sum())
        notes.append(f"{count} corners have a vertex colour that is not a number: drawn white")
        colors = np.where(np.isfinite(colors).all(axis=2, keepdims=True), colors, 1.0)
    verts, faces = weld(rounded)
    corners = verts[faces].astype(np.float64)
    edges = edges_of(faces)
    piece = pieces(edges, len(faces))
    two_sided = np.zeros(len(faces), dtype=bool)
    if not raw.has_sides:
        volumes = closed_volumes(corners, piece, edges)
        turned = inside_out(corners, piece, volumes)
        if turned.any():
            count = len(np.unique(piece[turned]))
            notes.append(f"{count} closed parts ({int(turned.sum())} faces) are wound inside out: turned")
            faces, uv = _reversed(faces, turned), _reversed(uv, turned)
            normals, colors = _reversed(normals, turned), _reversed(colors, turned)
            corners, edges = verts[faces].astype(np.float64), edges_of(faces)
        two_sided = np.isnan(volumes)[piece]
    shading = shading_normals(corners, edges, piece, normals, notes)
    materials, face_material, uv = _materials(path, raw, uv, two_sided, notes)
    if (np.ptp(verts, axis=0) < 1e-6).any():
        notes.append("it is flat: seen from the side there is nothing")
    return Mesh(
        name=path.stem,
        verts_obj=verts,
        faces=faces,
        uv=np.ascontiguousarray(uv, dtype=np.float32),
        normals=shading,
        colors=np.ascontiguousarray(colors, dtype=np.float32),
        face_material=face_material,
        materials=materials,
        file_to_object=file_to_object,
        warnings=tuple(dict.fromkeys(notes)),
    )


def _reversed(array: NDArray[_Number], which: NDArray[np.bool_]) -> NDArray[_Number]:
    """``array`` [f, 3, ...] with the corners of some faces in opposite order."""
    out = array.copy()
    out[which] = array[which][:, ::-1]
    return out


def _materials(
    path: Path, raw: Raw, uv: NDArray[np.float64], two_sided: NDArray[np.bool_], notes: list[str]
) -> tuple[tuple[Material, ...], NDArray[np.int32], NDArray[np.float64]]:
    """The materials that faces use, split where sides or texture coordinates differ, and texture coordinates."""
    has_uv = np.asarray(np.isfinite(uv).all(axis=(1, 2)), dtype=bool)
    is_textured = np.array([m.texture is not None or m.emissive_texture is not None for m in raw.materials])
    is_bare = ~has_uv & is_textured[raw.face_material]
    if is_bare.any():
        notes.append(f"{int(is_bare.sum())} faces of textured materials have no texture coordinates: in plain colour")
    elif has_uv.any() and not is_textured[np.unique(raw.face_material)].any():
        _hint_picture(path, raw, notes)
    key = raw.face_material * 4 + two_sided * 2 + is_bare
    used, index = np.unique(key, return_inverse=True)
    materials = []
    for code in used.tolist():
        material = raw.materials[code // 4]
        if not raw.has_sides:
            material = replace(material, two_sided=bool(code & 2))
        if code & 1:
            material = replace(material, texture=None, emissive_texture=None)
        materials.append(material)
    return tuple(materials), index.reshape(-1).astype(np.int32), np.where(has_uv[:, None, None], uv, 0.0)


def _hint_picture(path: Path, raw: Raw, notes: list[str]) -> None:
    """A note that texture coordinates are there and no picture, where pictures lie beside a mesh without colours."""
    beside = pictures_beside(path)
    grey = plain_material().base_color
    is_grey = all(raw.materials[i].base_color == grey for i in np.unique(raw.face_material).tolist())
    if is_grey and beside:
        notes.append(
            f"it has texture coordinates and names no picture: drawn grey ({PLAIN_GREY:g}); "
            f"pictures beside it: {', '.join(beside[:5])}. Give one as texture"
        )
