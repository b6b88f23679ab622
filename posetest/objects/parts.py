"""Parametric parts that objects are put together from: boxes, lathes, tubes, lofts, with texture coordinates.

A part is geometry with one picture on it; texture coordinates fill the unit square of that picture, and
posetest/objects/assemble.py packs the pictures of all parts into one atlas. Coordinates are the builder's own (metres,
say), right-handed with y up and the front towards +z; assembling normalises them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posetest.objects.paint import Color, swatch

Array = NDArray[np.float64]
Faces = NDArray[np.int64]
Vector = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Skin:
    """What covers a part.

    Attributes:
        picture: uint8 [h, w, 3] sRGB.
        emissive: linear RGB added unlit.
        two_sided: the part is an open sheet that is seen from both sides.
    """

    picture: NDArray[np.uint8]
    emissive: Vector = (0.0, 0.0, 0.0)
    two_sided: bool = False


@dataclass(frozen=True, eq=False)
class Part:
    """Triangles with one skin.

    Attributes:
        verts: float64 [v, 3].
        faces: int64 [f, 3], counter-clockwise seen from outside.
        normals: float64 [f, 3, 3], unit, per corner.
        uv: float64 [f, 3, 2], in the unit square of the picture, (0, 0) its lower left.
    """

    verts: Array
    faces: Faces
    normals: Array
    uv: Array
    skin: Skin


def plain(color: Color, emissive: Vector = (0.0, 0.0, 0.0)) -> Skin:
    """A skin of one colour."""
    return Skin(swatch(color), emissive)


def circle(count: int, *, start_deg: float = 0.0) -> Array:
    """``count`` points of the unit circle, float64 [count, 2], counter-clockwise."""
    angle = np.radians(start_deg) + np.arange(count) * (2 * np.pi / count)
    return np.round(np.stack([np.cos(angle), np.sin(angle)], axis=1), 9)


def corner_normals(verts: Array, faces: Faces, crease_deg: float) -> Array:
    """Normals per corner, float64 [f, 3, 3]: the mean over the faces around a vertex that meet below ``crease_deg``.

    Faces count by the angle-free measure of their area, so that long thin neighbours do not tilt the result.
    """
    area = np.cross(verts[faces[:, 1]] - verts[faces[:, 0]], verts[faces[:, 2]] - verts[faces[:, 0]])
    length = np.linalg.norm(area, axis=1, keepdims=True)
    unit = area / np.maximum(length, 1e-300)
    corner_vertex = faces.ravel()
    order = np.argsort(corner_vertex, kind="stable")
    counts = np.bincount(corner_vertex, minlength=len(verts))
    first = np.concatenate([[0], np.cumsum(counts)])[:-1]
    repeats = counts[corner_vertex]
    pair_corner = np.repeat(np.arange(len(corner_vertex)), repeats)
    offset = np.arange(len(pair_corner)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
    other_face = order[first[corner_vertex[pair_corner]] + offset] // 3
    own_face = pair_corner // 3
    agrees = np.einsum("ij,ij->i", unit[own_face], unit[other_face]) >= np.cos(np.radians(crease_deg)) - 1e-9
    total = np.zeros((len(corner_vertex), 3))
    np.add.at(total, pair_corner[agrees], area[other_face[agrees]])
    size = np.linalg.norm(total, axis=1, keepdims=True)
    normals = np.where(size > 1e-12, total / np.maximum(size, 1e-300), np.repeat(unit, 3, axis=0))
    return normals.reshape(-1, 3, 3)


def loft(rings: Array, skin: Skin, *, caps: bool = True, crease_deg: float = 35.0, closed_path: bool = False) -> Part:
    """A skin stretched over closed rings, float64 [k, n, 3].

    Each ring runs counter-clockwise seen from the last ring's side. u runs around the ring, v from the first ring to
    the last. With ``caps`` the first and the last ring are closed in strips between points i and n - 1 - i, which suits
    any outline that is symmetric about the line between its ends.
    """
    count, around = rings.shape[:2]
    pairs = np.meshgrid(np.arange(count if closed_path else count - 1), np.arange(around), indexing="ij")
    i, j = (axis.ravel() for axis in pairs)
    i2, j2 = (i + 1) % count, (j + 1) % around
    a, b, c, d = i * around + j, i * around + j2, i2 * around + j2, i2 * around + j
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    u0, u1, v0, v1 = j / around, (j + 1) / around, i / max(1, count - 1), (i + 1) / max(1, count - 1)
    corners = [np.stack([u0, v0], 1), np.stack([u1, v0], 1), np.stack([u1, v1], 1), np.stack([u0, v1], 1)]
    uv = np.concatenate(
        [np.stack([corners[0], corners[1], corners[2]], 1), np.stack([corners[0], corners[2], corners[3]], 1)]
    )
    if caps and not closed_path:
        strip = _cap(around)
        end = strip + (count - 1) * around
        flat = np.full((len(strip), 3, 2), 0.5)
        faces = np.concatenate([faces, strip[:, ::-1], end])
        uv = np.concatenate([uv, flat, flat])
    return _part(rings.reshape(-1, 3), faces, uv, skin, crease_deg)


def _cap(around: int) -> Faces:
    """Triangles of a strip between points i and around - 1 - i of a ring, int64 [f, 3], wound as the ring is."""
    faces = []
    for i in range(around // 2):
        a, b, c, d = i, i + 1, around - 2 - i, around - 1 - i
        if b < c:
            faces.append((a, b, c))
        if a < d and c > a:
            faces.append((a, c, d))
    return np.asarray(faces, dtype=np.int64)


def _part(verts: Array, faces: Faces, uv: Array, skin: Skin, crease_deg: float) -> Part:
    """A part without the triangles that have no area (at poles and pinched rings), with vertices welded."""
    rounded, index = np.unique(np.round(verts, 7), axis=0, return_inverse=True)
    faces = index.reshape(-1)[faces]
    distinct = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    faces, uv = faces[distinct], uv[distinct]
    return Part(rounded, faces, corner_normals(rounded, faces, crease_deg), uv, skin)


def box(low: Vector, high: Vector, skin: Skin | Mapping[str, Skin], *, bevel: float = 0.0) -> list[Part]:
    """A box, its edges cut by ``bevel`` where that is positive.

    ``skin`` may give a skin per direction ("+x", "-y" ...); "" is for those not named. Every face shows its whole
    picture upright (top and bottom: seen with the front below).
    """
    lo, hi = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    if bevel <= 0:
        xs, zs = np.array([1, 1, 0, 0]), np.array([1, 0, 0, 1])
        rings = np.stack([_ring(lo, hi, xs, zs, 0, lo[1]), _ring(lo, hi, xs, zs, 0, hi[1])])
    else:
        xs, zs = np.array([1, 1, 1, 1, 0, 0, 0, 0]), np.array([1, 1, 0, 0, 0, 0, 1, 1])
        levels = ((bevel, lo[1]), (0.0, lo[1] + bevel), (0.0, hi[1] - bevel), (bevel, hi[1]))
        rings = np.stack([_bevelled(lo, hi, bevel, inset, y) for inset, y in levels])
    body = loft(rings, plain((0.5, 0.5, 0.5)), crease_deg=20.0 if bevel <= 0 else 50.0)
    return box_mapped(body, skin if isinstance(skin, Mapping) else {"": skin}, low, high)


def _ring(lo: Array, hi: Array, xs: Faces, zs: Faces, inset: float, y: float) -> Array:
    x, z = np.where(xs, hi[0] - inset, lo[0] + inset), np.where(zs, hi[2] - inset, lo[2] + inset)
    return np.stack([x, np.full(len(x), y), z], axis=1)


def _bevelled(lo: Array, hi: Array, bevel: float, inset: float, y: float) -> Array:
    x0, x1, z0, z1 = lo[0] + inset, hi[0] - inset, lo[2] + inset, hi[2] - inset
    cut = max(bevel - inset, 0.0) if inset < bevel else bevel * 0.3
    corners = [(x1 - cut, z1), (x1, z1 - cut), (x1, z0 + cut), (x1 - cut, z0)]
    corners += [(x0 + cut, z0), (x0, z0 + cut), (x0, z1 - cut), (x0 + cut, z1)]
    return np.array([(x, y, z) for x, z in corners])


#: For each direction: axis, sign, axis of u and its sign, axis of v and its sign, as seen from outside.
_SIDES = {
    "+x": (0, 1, 2, -1, 1, 1),
    "-x": (0, -1, 2, 1, 1, 1),
    "+y": (1, 1, 0, 1, 2, -1),
    "-y": (1, -1, 0, 1, 2, 1),
    "+z": (2, 1, 0, 1, 1, 1),
    "-z": (2, -1, 0, -1, 1, 1),
}


def box_mapped(part: Part, skins: Mapping[str, Skin], low: Vector, high: Vector) -> list[Part]:
    """The part cut by the direction its faces look in, each piece with its skin projected straight onto it.

    ``low`` and ``high`` are the box whose sides the pictures fill; the skin named "" covers directions not named.
    """
    lo, hi = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    corners = part.verts[part.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    axis = np.argmax(np.abs(np.round(normal / np.abs(normal).max(axis=1, keepdims=True), 6)), axis=1)
    positive = np.take_along_axis(normal, axis[:, None], axis=1)[:, 0] > 0
    pieces = []
    for name, (a, sign, ua, us, va, vs) in _SIDES.items():
        mine = (axis == a) & (positive == (sign > 0))
        if not mine.any():
            continue
        skin = skins[name] if name in skins else skins[""]
        share = (corners[mine] - lo) / np.maximum(hi - lo, 1e-12)
        u = share[..., ua] if us > 0 else 1 - share[..., ua]
        v = share[..., va] if vs > 0 else 1 - share[..., va]
        uv = np.clip(np.stack([u, v], axis=-1), 0.0, 1.0)
        pieces.append(Part(part.verts, part.faces[mine], part.normals[mine], uv, skin))
    return pieces


def lathe(profile: Sequence[tuple[float, float]], skin: Skin, *, segments: int = 32, crease_deg: float = 40.0) -> Part:
    """A body of revolution about +y from (radius, y) points that run from below to above along its outside.

    u runs around from +z towards +x, v along the profile by arc length. Radius 0 at an end closes it.
    """
    points = np.asarray(profile, dtype=np.float64)
    turn = circle(segments)
    rings = np.stack([np.stack([r * turn[:, 1], np.full(segments, y), r * turn[:, 0]], axis=1) for r, y in points])
    body = loft(rings, skin, caps=False, crease_deg=crease_deg)
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])
    v = np.interp(body.uv[..., 1] * (len(points) - 1), np.arange(len(points)), lengths / lengths[-1])
    return replace(body, uv=np.stack([body.uv[..., 0], v], axis=-1))


def tube(
    path: Sequence[Vector] | Array,
    radius: float | Sequence[tuple[float, float]],
    skin: Skin,
    *,
    sides: int = 12,
    up: Vector = (0, 0, 1),
) -> Part:
    """A tube along ``path`` with capped ends.

    ``radius`` is one number, or per point the half-widths across and along ``up``, which the path must never follow.
    """
    p = np.asarray(path, dtype=np.float64)
    tangent = np.gradient(p, axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    across = np.cross(np.broadcast_to(np.asarray(up, dtype=np.float64), p.shape), tangent)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    lift = np.cross(tangent, across)
    half = np.broadcast_to(np.asarray(radius, dtype=np.float64), (len(p), 2))
    turn = circle(sides)
    rings = (
        p[:, None]
        + half[:, None, :1] * turn[None, :, :1] * across[:, None]
        + half[:, None, 1:] * turn[None, :, 1:] * lift[:, None]
    )
    return loft(rings, skin, crease_deg=50.0)


def extruded(
    outline: Sequence[tuple[float, float]] | Array, z0: float, z1: float, skin: Skin, *, crease_deg: float = 35.0
) -> Part:
    """A prism along z over an outline (x, y), counter-clockwise seen from +z, its ends closed as in ``loft``."""
    flat = np.asarray(outline, dtype=np.float64)
    rings = np.stack([np.column_stack([flat, np.full(len(flat), z)]) for z in (z0, z1)])
    return loft(rings, skin, crease_deg=crease_deg)


def moved(part: Part, offset: Vector) -> Part:
    """The part shifted by ``offset``."""
    return replace(part, verts=part.verts + np.asarray(offset, dtype=np.float64))


def turned(part: Part, axis: str, angle_deg: float) -> Part:
    """The part turned about the axis "x", "y" or "z" through the origin."""
    c, s = np.round(np.cos(np.radians(angle_deg)), 12), np.round(np.sin(np.radians(angle_deg)), 12)
    k = "xyz".index(axis)
    i, j = (k + 1) % 3, (k + 2) % 3
    matrix = np.eye(3)
    matrix[i, i], matrix[i, j], matrix[j, i], matrix[j, j] = c, -s, s, c
    return replace(part, verts=part.verts @ matrix.T, normals=part.normals @ matrix.T)


def scaled(part: Part, factors: Vector) -> Part:
    """The part stretched along the axes; every factor positive."""
    f = np.asarray(factors, dtype=np.float64)
    normals = part.normals / f
    return replace(part, verts=part.verts * f, normals=normals / np.linalg.norm(normals, axis=-1, keepdims=True))


def mirrored(part: Part) -> Part:
    """The part reflected in the plane x = 0, still wound outwards. Its picture is reflected too."""
    flip = np.array([-1.0, 1.0, 1.0])
    return replace(
        part,
        verts=part.verts * flip,
        faces=part.faces[:, ::-1],
        normals=part.normals[:, ::-1] * flip,
        uv=part.uv[:, ::-1],
    )
