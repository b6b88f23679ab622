"""What a picture's record says about the silhouette beside the picture: how much is inside, how long it is, a hash."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.camera import Views, focal_px
from posetest.render.pytorch3d.options import NEAR

#: Side of the grid that silhouettes reaching out of the frame are counted on, and how many frames wide it may get.
GRID = 128
REACH = 8.0


class Box(NamedTuple):
    """A rectangle in pixels of the frame: upper left and lower right corners (x, y)."""

    low: tuple[float, float]
    high: tuple[float, float]


def extent(verts_obj: NDArray[np.float64], one: Views, height: int, width: int) -> Box | None:
    """Where a view has vertices, cut at REACH frames about the frame's centre; None if not in the frame."""
    verts_cam = verts_obj @ one.rotation[0].T + one.position[0]
    depth = -verts_cam[:, 2]
    if (depth < NEAR).all():
        return None
    size = np.array([width, height], dtype=np.float64)
    low, high = size / 2 * (1 - REACH), size / 2 * (1 + REACH)
    if (depth > NEAR).all():
        focal = focal_px(one.fov, height, width)[0]
        places = verts_cam[:, :2] * (1, -1) / depth[:, None] * focal + size / 2
        low, high = np.maximum(low, places.min(axis=0)), np.minimum(high, places.max(axis=0))
    if (high - low < 1e-6).any() or (high <= 0).any() or (low >= size).any():
        return None
    return Box((float(low[0]), float(low[1])), (float(high[0]), float(high[1])))


def is_within(box: Box, height: int, width: int) -> bool:
    """Whether all of ``box`` lies in the frame."""
    return min(box.low) >= 0 and box.high[0] <= width and box.high[1] <= height


def inside_part(seen: NDArray[np.float32], box: Box, height: int, width: int) -> float:
    """The part of a silhouette, counted on ``seen`` [GRID, GRID] over ``box``, that lies in the frame."""
    parts = []
    for low, high, size in ((box.low[1], box.high[1], height), (box.low[0], box.high[0], width)):
        edges = np.linspace(low, high, GRID + 1)
        parts.append(np.diff(np.clip(edges, 0, size)) / np.diff(edges))
    total = float(seen.sum())
    return float((seen * np.outer(*parts)).sum()) / total if total > 0 else 0.0


def long_side(is_covered: NDArray[np.bool_]) -> float:
    """The longer side, in pixels, of the bounding box of what is covered."""
    if not is_covered.any():
        return 0.0
    rows, columns = np.flatnonzero(is_covered.any(axis=1)), np.flatnonzero(is_covered.any(axis=0))
    return float(max(np.ptp(rows), np.ptp(columns)) + 1)


def digest(image: NDArray[np.float32]) -> int:
    """A 64-bit hash of an image's bits; another one than the CPU renderer's."""
    return int.from_bytes(hashlib.blake2b(np.ascontiguousarray(image).tobytes(), digest_size=8).digest(), "little")
