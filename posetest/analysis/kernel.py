"""One kernel for viewing directions and rotations: weights of poses near a query, and the bandwidth in degrees.

The de la Vallee Poussin kernel cos^(2 kappa)(angle / 2) is a polynomial with no jump anywhere, a Gaussian of variance
2 / kappa where it is narrow. Its angle is the one between directions, or the turn between rotations: (1 + a . b) / 2,
or (p . q)^2 of quaternions, is the squared cosine of half of it.

Source: Hielscher, J. Multivariate Anal. 119 (2013) 119, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]

_CHUNK = 4_000_000  # pairs held at once: three float32 arrays of 16 MB
_COLUMNS = 65_536  # points held at once


def kappa_to_bandwidth(kappa: float) -> float:
    """The angle in degrees at which cos^(2 kappa)(angle / 2) is one half."""
    return math.degrees(2 * math.acos(0.5 ** (0.5 / kappa)))


def bandwidth_to_kappa(bandwidth_deg: float) -> float:
    """The exponent of the kernel that has fallen to half at ``bandwidth_deg``: the inverse of ``kappa_to_bandwidth``.

    Raises:
        ValueError: the bandwidth is not between 0.5 and 170 degrees.
    """
    if not 0.5 <= bandwidth_deg <= 170:
        raise ValueError(f"a bandwidth is an angle from 0.5 to 170 degrees, got {bandwidth_deg:g}")
    return math.log(0.5) / (2 * math.log(math.cos(math.radians(bandwidth_deg) / 2)))


def pairs(queries: Single, points: Single, whole: bool = False) -> Iterator[tuple[slice, slice, Single]]:
    """Squared cosines [a, b] of half the angle between queries and points, by slices of both.

    ``whole``: every slice of queries meets all points at once.
    """
    columns = len(points) if whole else min(len(points), _COLUMNS)
    step = max(_CHUNK // columns, 1)
    for first in range(0, len(queries), step):
        part = slice(first, min(first + step, len(queries)))
        for start in range(0, len(points), columns):
            rows = slice(start, min(start + columns, len(points)))
            dots = queries[part] @ points[rows].T
            closeness = dots * dots if points.shape[1] == 4 else (1 + dots) / 2
            yield part, rows, np.clip(closeness, 0, 1)


def power(closeness: Single, exponent: float) -> Single:
    """``closeness`` to the ``exponent``, through logarithms: several times as fast as a float32 power."""
    with np.errstate(divide="ignore"):
        logarithm = np.log(closeness)
    logarithm *= np.float32(exponent)
    weights: Single = np.exp(logarithm, out=logarithm)
    return weights
