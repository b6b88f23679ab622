"""Polygons cut into triangles, concave ones as well: a fan from the first corner leaves a concave outline."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def cut_quads(corners: Floats) -> NDArray[np.int64]:
    """Two triangles per quad, int64 [n, 2, 3], indices 0 to 3 into ``corners`` [n, 4, 3].

    Cut from corner 0 to 2, or from 1 to 3 where the first cut would run outside.
    """

    def normal(a: int, b: int, c: int) -> Floats:
        return np.cross(corners[:, b] - corners[:, a], corners[:, c] - corners[:, a])

    is_inside = np.einsum("ij,ij->i", normal(0, 1, 2), normal(0, 2, 3)) >= 0
    first, second = np.array([[0, 1, 2], [0, 2, 3]]), np.array([[1, 2, 3], [1, 3, 0]])
    return np.where(is_inside[:, None, None], first, second).astype(np.int64)


def cut_polygon(corners: Floats) -> list[tuple[int, int, int]]:
    """n - 2 triangles of one polygon [n, 3], by cutting ears; a fan where it has none (self-crossing)."""
    a, b = corners, np.roll(corners, -1, axis=0)
    normal = np.cross(a - corners[0], b - corners[0]).sum(axis=0)  # Newell's: twice the area
    drop = int(np.argmax(np.abs(normal)))
    keep = [axis for axis in range(3) if axis != drop]
    flat = corners[:, keep]
    if (normal[drop] < 0) != (drop == 1):
        flat = flat * np.array([1.0, -1.0])  # counter-clockwise in the plane
    before, after = np.roll(flat, 1, axis=0), np.roll(flat, -1, axis=0)
    left = list(range(len(flat)))
    triangles: list[tuple[int, int, int]] = []
    is_convex = bool((_turn(before, flat, after) > 0).all())
    while len(left) > 3 and not is_convex:
        ear = _first_ear(flat, left)
        if ear is None:
            break
        triangles.append((left[ear - 1], left[ear], left[(ear + 1) % len(left)]))
        del left[ear]
    return triangles + [(left[0], left[i], left[i + 1]) for i in range(1, len(left) - 1)]


def _turn(a: Floats, b: Floats, c: Floats) -> Floats:
    """Twice the signed area of the triangles a b c, broadcast over all but the last axis."""
    ab, ac = b - a, c - a
    return np.asarray(ab[..., 0] * ac[..., 1] - ab[..., 1] * ac[..., 0])


def _first_ear(flat: Floats, left: list[int]) -> int | None:
    """Place in ``left`` of the first convex corner whose triangle with its neighbours holds no other corner."""
    points = flat[left]
    turns = _turn(np.roll(points, 1, axis=0), points, np.roll(points, -1, axis=0))
    for i in [*range(1, len(left)), 0]:  # from corner 1 on, as a fan from corner 0 would be
        if turns[i] <= 0:
            continue
        a, b, c = points[i - 1], points[i], points[(i + 1) % len(left)]
        is_inside = (_turn(a, b, points) >= 0) & (_turn(b, c, points) >= 0) & (_turn(c, a, points) >= 0)
        is_corner = (points == a).all(axis=1) | (points == b).all(axis=1) | (points == c).all(axis=1)
        if not (is_inside & ~is_corner).any():
            return int(i)
    return None
