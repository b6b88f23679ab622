"""Shading normals: the file's where they are sane, else smooth over the surface and sharp at creases."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from posetest.scene.topology import Edges, Floats, Ints, components

#: Edges at which the surface turns by more than this stay sharp.
CREASE_DEG = 40.0
#: A piece of which more corners than this disagree with its winding has normals that mean nothing.
_MIXED = 0.2


def face_normals(corners: Floats) -> Floats:
    """Unit normals float64 [f, 3] of triangles [f, 3, 3] with an area, by the right-hand rule."""
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    return np.asarray(cross / np.linalg.norm(cross, axis=1, keepdims=True))


def smooth_normals(corners: Floats, edges: Edges) -> Floats:
    """Unit normals per corner, float64 [f, 3, 3]: face normals averaged by corner angle up to creases.

    Corners at one place belong together where faces meet, edge by edge, at less than CREASE_DEG.
    Angle weights: Thürmer and Wüthrich, "Computing vertex normals from polygonal facets", JGT 3(1), 1998.
    """
    flat = face_normals(corners)
    first, second = edges.pairs.T
    f1, f2 = edges.face[first], edges.face[second]
    is_smooth = np.einsum("ij,ij->i", flat[f1], flat[f2]) > math.cos(math.radians(CREASE_DEG))
    first, second, f1, f2 = first[is_smooth], second[is_smooth], f1[is_smooth], f2[is_smooth]
    start1, start2 = edges.corner[first], edges.corner[second]
    is_opposite = edges.is_forward[first] != edges.is_forward[second]
    other = np.where(is_opposite, (start2 + 1) % 3, start2)  # the corner of f2 at the place of start1
    mate = np.where(is_opposite, start2, (start2 + 1) % 3)
    links = np.concatenate(
        [
            np.stack([3 * f1 + start1, 3 * f2 + other], axis=1),
            np.stack([3 * f1 + (start1 + 1) % 3, 3 * f2 + mate], axis=1),
        ]
    )
    group = components(links, 3 * len(corners))
    weighted = (flat[:, None, :] * _angles(corners)[..., None]).reshape(-1, 3)
    total = np.stack([np.bincount(group, weighted[:, k]) for k in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1)
    spread = np.repeat(flat, 3, axis=0)
    out = np.where((length > 1e-9)[group][:, None], total[group] / np.maximum(length, 1e-300)[group][:, None], spread)
    return out.reshape(-1, 3, 3)


def _angles(corners: Floats) -> Floats:
    """Inner angles [f, 3] of triangles."""
    to_next = np.roll(corners, -1, axis=1) - corners
    to_last = np.roll(corners, 1, axis=1) - corners
    sine = np.linalg.norm(np.cross(to_next, to_last), axis=2)
    return np.asarray(np.arctan2(sine, np.einsum("fij,fij->fi", to_next, to_last)))


def shading_normals(corners: Floats, edges: Edges, piece: Ints, given: Floats, notes: list[str]) -> NDArray[np.float32]:
    """Unit normals per corner, float32 [f, 3, 3].

    Args:
        corners: float64 [f, 3, 3] triangles, each with an area.
        edges: of the welded faces.
        piece: int64 [f] connected piece of each face.
        given: the file's normals, any length; NaN where it has none, zero where it has an unusable one.
        notes: gains what was mended.
    """
    flat = face_normals(corners)
    largest = np.abs(given).max(axis=2, keepdims=True)
    is_absent = np.isnan(given).any(axis=2)
    is_broken = ~is_absent & ~(np.isfinite(largest[..., 0]) & (largest[..., 0] > 1e-30))
    if is_broken.any():
        notes.append(f"{int(is_broken.sum())} of {is_broken.size} corner normals are zero or not finite: computed")
    is_given = ~is_absent & ~is_broken
    unit = np.where(is_given[..., None], given, 1.0) / np.where(is_given[..., None], largest, 1.0)
    unit = unit / np.linalg.norm(unit, axis=2, keepdims=True)
    agrees = np.einsum("fij,fj->fi", unit, flat) >= 0
    total = np.maximum(np.bincount(piece, is_given.sum(axis=1)), 1)
    against = np.bincount(piece, (is_given & ~agrees).sum(axis=1)) / total
    is_mixed = (against > _MIXED) & (against < 1 - _MIXED)
    unit = np.where((against >= 1 - _MIXED)[piece][:, None, None], -unit, unit)
    if is_mixed.any():
        notes.append(f"the normals of {int(is_mixed.sum())} parts contradict their faces: computed")
    keep = is_given & ~is_mixed[piece][:, None]
    if not keep.all():
        unit = np.where(keep[..., None], unit, smooth_normals(corners, edges))
    return unit.astype(np.float32)
