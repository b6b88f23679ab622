"""Intervals of Sobol indices of a 0-1 outcome that few rows carry: made from counts, since resampling fails there.

Numerator and variance each have a score interval; MOVER joins them into one of their ratio (Donner and Zou, Statistical
Methods in Medical Research 21 (2012) 347), as if they were independent. Arrays as in ``sobol_indices``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posetest.analysis.intervals import wilson
from posetest.analysis.paired import paired_interval

Array = NDArray[np.float64]


def is_binary(*outcomes: Array) -> bool:
    """Whether all ``outcomes`` are 0 or 1."""
    return all(bool(np.isin(f, (0, 1)).all()) for f in outcomes)


def telling_rows(a: Array, b: Array, ab: Array) -> NDArray[np.int64]:
    """Rows [k] that carry a first-order estimate: changed, and of a 0-1 outcome f_B is the rarer of the two."""
    changed = ab != a
    if is_binary(a, b, ab):
        changed &= b == (a.mean() + b.mean() < 1)
    counts: NDArray[np.int64] = changed.sum(axis=1, dtype=np.int64)
    return counts


def rare_total(a: Array, b: Array, ab: Array, level: float) -> tuple[Array, Array]:
    """Bounds [k] of the total index of a 0-1 outcome: share of changed rows / (2 p (1 - p))."""
    changed = (ab != a).sum(axis=1)
    low, high = wilson(changed, len(a), level)
    return _ratio_bounds(changed / len(a) / 2, low / 2, high / 2, a, b, level)


def rare_first(a: Array, b: Array, ab: Array, level: float) -> tuple[Array, Array]:
    """Bounds [k] of the first-order index of a 0-1 outcome, whose mean product is a sum of two paired differences."""
    n, p = len(a), (a.mean() + b.mean()) / 2
    value, below, above = np.zeros(len(ab)), np.zeros(len(ab)), np.zeros(len(ab))
    for answer, weight in ((1, 1 - p), (0, -p)):
        gained, lost = (((ab - a == sign) & (b == answer)).sum(axis=1) for sign in (1, -1))
        middle = (gained - lost) / n
        low, high = paired_interval(gained, lost, n, level)
        reach = (middle - low) ** 2, (high - middle) ** 2
        value += weight * middle
        below += weight**2 * reach[0 if weight > 0 else 1]
        above += weight**2 * reach[1 if weight > 0 else 0]
    return _ratio_bounds(value, value - np.sqrt(below), value + np.sqrt(above), a, b, level)


def _ratio_bounds(part: Array, low: Array, high: Array, a: Array, b: Array, level: float) -> tuple[Array, Array]:
    """Bounds [k] of ``part``, whose own are ``low`` and ``high``, over the variance p (1 - p) of a 0-1 outcome."""
    ones, n = a.sum() + b.sum(), 2 * len(a)
    p, (p_low, p_high) = ones / n, wilson(ones, n, level)
    variance = p * (1 - p)
    least, middle = sorted([float(p_low * (1 - p_low)), float(p_high * (1 - p_high))])
    most = 0.25 if p_low < 0.5 < p_high else middle

    def bound(end: Array, upwards: int) -> Array:
        # a ratio is at its largest where the variance is at its least, if the ratio is positive
        other = np.where((end > 0) == (upwards > 0), least, most)
        other = np.minimum(other, 1.9 * variance)  # the equation has no root from twice the variance on
        square = other * (2 * variance - other)
        root = (part * variance) ** 2 - end * (2 * part - end) * square
        ratio: Array = (part * variance + upwards * np.sqrt(np.maximum(root, 0))) / square
        return ratio

    return bound(low, -1), bound(high, 1)
