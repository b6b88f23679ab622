"""Equal-area cells on the sphere (HEALPix) and the Mollweide map they are shown in; even grids and cells on SO(3).

HEALPix: Gorski et al., ApJ 622 (2005) 759, section 5; ring ordering. Directions follow the object frame: +y is the
pole, azimuth 0 is +z (the front) and grows towards +x.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.so3 import direction_to_angles, orbit_to_matrix, viewing_direction

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def cell_count(nside: int) -> int:
    """Number of equal-area cells at resolution ``nside``: 12 nside^2."""
    return 12 * nside * nside


def choose_nside(n: int, per_cell: int = 10, most: int = 16) -> int:
    """HEALPix resolution, 1 to ``most``, at which ``n`` uniform directions are at least ``per_cell`` a cell.

    With 10 poses a cell's interval of a share reaches +-26 points at its widest.
    """
    return min(max(math.isqrt(n // (12 * per_cell)), 1), most)


def direction_to_cell(vectors: Array, nside: int) -> Indices:
    """HEALPix cell [n] (ring ordering) of unit vectors [n, 3]; cell 0 is at the pole +y."""
    height = np.clip(vectors[:, 1], -1, 1)
    quarter = np.mod(np.arctan2(vectors[:, 0], vectors[:, 2]), 2 * np.pi) / (np.pi / 2)  # azimuth in quarter turns
    quarter = np.where(quarter >= 4, 0.0, quarter)
    cells: Indices = np.where(np.abs(height) <= 2 / 3, _belt(height, quarter, nside), _cap(height, quarter, nside))
    return cells


def _belt(height: Array, quarter: Array, nside: int) -> Indices:
    """Cells of the equatorial belt, |height| <= 2/3 (equations 8 and 9)."""
    rising = np.floor(nside * (0.5 + quarter - height * 0.75)).astype(np.int64)
    falling = np.floor(nside * (0.5 + quarter + height * 0.75)).astype(np.int64)
    ring = nside + 1 + rising - falling  # counted from height 2/3, 1 to 2 nside + 1
    shift = 1 - (ring & 1)
    within: Indices = np.mod((rising + falling - nside + shift + 1) // 2, 4 * nside)
    return 2 * nside * (nside - 1) + (ring - 1) * 4 * nside + within


def _cap(height: Array, quarter: Array, nside: int) -> Indices:
    """Cells of the polar caps, |height| > 2/3 (equations 4 to 7)."""
    fraction = quarter - np.floor(quarter)
    scale = nside * np.sqrt(3 * (1 - np.abs(height)))
    rising = np.floor(fraction * scale).astype(np.int64)
    falling = np.floor((1 - fraction) * scale).astype(np.int64)
    ring = rising + falling + 1
    within: Indices = np.mod(np.floor(quarter * ring).astype(np.int64), 4 * ring)
    north = 2 * ring * (ring - 1) + within
    south = cell_count(nside) - 2 * ring * (ring + 1) + within
    cells: Indices = np.where(height > 0, north, south)
    return cells


def cell_to_direction(nside: int) -> Array:
    """Unit vectors [12 nside^2, 3] at the centres of all cells, in ring order."""
    heights, azimuths = [], []
    for ring in range(1, 4 * nside):
        if ring < nside:
            height, count, shift = 1 - ring**2 / (3 * nside**2), ring, 0.5
        elif ring <= 3 * nside:
            height, count, shift = 4 / 3 - 2 * ring / (3 * nside), nside, ((ring - nside + 1) % 2) / 2
        else:
            mirror = 4 * nside - ring
            height, count, shift = -(1 - mirror**2 / (3 * nside**2)), mirror, 0.5
        azimuths.append((np.arange(4 * count) + shift) * (np.pi / 2) / count)
        heights.append(np.full(4 * count, height))
    all_heights, all_azimuths = np.concatenate(heights), np.concatenate(azimuths)
    radius = np.sqrt(1 - all_heights**2)
    return np.stack([radius * np.sin(all_azimuths), all_heights, radius * np.cos(all_azimuths)], axis=-1)


def super_fibonacci(count: int) -> Array:
    """Unit quaternions [count, 4] (w, x, y, z; w >= 0) that cover SO(3) evenly.

    Alexa, "Super-Fibonacci Spirals: Fast, Low-Discrepancy Sampling of SO(3)", CVPR 2022, algorithm 1.
    """
    steps = np.arange(count) + 0.5
    share = steps / count
    # the two winding numbers: sqrt(2), and the positive root of x^4 = x + 4
    first, second = 2 * np.pi * steps / np.sqrt(2), 2 * np.pi * steps / 1.533751168755204288118041
    inner, outer = np.sqrt(share), np.sqrt(1 - share)
    quaternions = np.stack(
        [outer * np.cos(second), inner * np.sin(first), inner * np.cos(first), outer * np.sin(second)], axis=-1
    )
    return np.where(quaternions[:, :1] < 0, -quaternions, quaternions)


def rotation_to_cell(matrix: Array, nside: int, turns: int) -> Indices:
    """Cells [n] of equal Haar measure, 12 nside^2 x turns, of object-to-camera rotations [n, 3, 3].

    HEALPix cells of the viewing direction times bins of the camera's turn about it (Yershova et al., IJRR 29 (2010)
    801, section 4: SO(3) as sphere times circle); the cell number is direction cell x turns + bin.
    """
    azimuth, elevation = direction_to_angles(viewing_direction(matrix))
    upright = orbit_to_matrix(azimuth, elevation)
    rest = matrix @ np.swapaxes(upright, 1, 2)  # what is left is a turn about the optical axis
    turn = np.mod(np.arctan2(rest[:, 1, 0], rest[:, 0, 0]), 2 * np.pi)
    bins: Indices = np.minimum((turn / (2 * np.pi) * turns).astype(np.int64), turns - 1)
    return direction_to_cell(viewing_direction(matrix), nside) * turns + bins


def mollweide_to_direction(x: Array, y: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Unit vectors [..., 3] under points of a Mollweide map, and which points lie on it.

    The map is the ellipse |x| <= 2, |y| <= 1; the front (+z) at its centre, the top (+y) at y = 1, +x to the right,
    the back at both ends. Equal areas on the sphere are equal areas on the map (Snyder 1987, section 31).
    """
    on_map = (x / 2) ** 2 + y**2 <= 1
    theta = np.arcsin(np.clip(y, -1, 1))
    elevation = np.arcsin(np.clip((2 * theta + np.sin(2 * theta)) / np.pi, -1, 1))
    cosine = np.maximum(np.cos(theta), 1e-12)
    azimuth = np.clip(np.pi * x / (2 * cosine), -np.pi, np.pi)
    vectors = np.stack(
        [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)], axis=-1
    )
    return vectors, on_map


def direction_to_mollweide(vectors: Array) -> tuple[Array, Array]:
    """Map coordinates x in [-2, 2], y in [-1, 1] of unit vectors [..., 3]: the inverse of ``mollweide_to_direction``.

    Solves 2 theta + sin 2 theta = pi sin(elevation) by Newton's method.
    """
    target = np.pi * np.clip(vectors[..., 1], -1, 1)
    theta = np.arcsin(np.clip(vectors[..., 1], -1, 1))
    for _ in range(30):
        slope = np.maximum(2 + 2 * np.cos(2 * theta), 1e-9)
        theta = np.clip(theta - (2 * theta + np.sin(2 * theta) - target) / slope, -np.pi / 2, np.pi / 2)
    azimuth = np.arctan2(vectors[..., 0], vectors[..., 2])
    return 2 / np.pi * azimuth * np.cos(theta), np.sin(theta)
