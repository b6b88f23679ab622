"""Sobol indices of a 0-1 outcome and their intervals, from counts.

They are made of chances given the answer at one of two poses, in which the outcome's variance does not appear, so that
a rare answer does not make them uncertain; resampling fails where few rows change. Arrays as in ``sobol_indices``.

Source: MOVER, the interval of a sum or a ratio from those of its parts: Donner and Zou, Statistical Methods in Medical
Research 21 (2012) 347.
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
        changed &= b == _rarer(a, b)
    counts: NDArray[np.int64] = changed.sum(axis=1, dtype=np.int64)
    return counts


def counted_total(a: Array, b: Array, ab: Array, level: float) -> tuple[Array, Array, Array]:
    """The total index of a 0-1 outcome and its bounds, each [k].

    A and AB_i are alike in distribution. Of the pairs with the rarer answer at one or both, let r be the share with
    one: the chance that a pose with the rarer answer loses it is q = r / (2 - r), and the index is q / (1 - p), where
    p is the share of the rarer answer. Wilson's intervals of r, given the number of those pairs, and of p, joined.
    """
    rare = _rarer(a, b)
    one = (ab != a).sum(axis=1)
    some = one + ((ab == rare) & (a == rare)).sum(axis=1)
    bounds = wilson(one, some, level)
    r = np.stack([one / np.maximum(some, 1), np.nan_to_num(bounds[0]), np.nan_to_num(bounds[1], nan=1.0)])
    q, q_low, q_high = r / (2 - r)
    n = 2 * len(a)
    count = int((a == rare).sum() + (b == rare).sum())
    p, (p_low, p_high) = count / n, wilson(count, n, level)
    return q / (1 - p), *_ratio_bounds(q, q_low, q_high, 1 - p, float(1 - p_high), float(1 - p_low))


def counted_first(a: Array, b: Array, ab: Array, level: float) -> tuple[Array, Array, Array]:
    """The first-order index of a 0-1 outcome and its bounds, each [k].

    AB_i shares with B parameter i alone: the index is the mean of f_AB - f_A given f_B = 1, less that given f_B = 0.
    Tango's interval of each paired difference, joined as a difference.
    """
    value, below, above = np.zeros(len(ab)), np.zeros(len(ab)), np.zeros(len(ab))
    for answer, sign in ((1, 1), (0, -1)):
        rows = int((b == answer).sum())
        gained, lost = (((ab - a == step) & (b == answer)).sum(axis=1) for step in (1, -1))
        low, high = paired_interval(gained, lost, rows, level)
        low, high = np.nan_to_num(low, nan=-1.0), np.nan_to_num(high, nan=1.0)  # without a row anything may be
        middle = (gained - lost) / max(rows, 1)
        value += sign * middle
        reach = (middle - low) ** 2, (high - middle) ** 2
        below += reach[0 if sign > 0 else 1]
        above += reach[1 if sign > 0 else 0]
    return value, value - np.sqrt(below), value + np.sqrt(above)


def _rarer(a: Array, b: Array) -> int:
    """The rarer of the answers 0 and 1."""
    return int(a.mean() + b.mean() < 1)


def _ratio_bounds(part: Array, low: Array, high: Array, whole: float, least: float, most: float) -> tuple[Array, Array]:
    """Bounds [k] of part / whole, both above 0, from those of each (MOVER)."""

    def bound(end: Array, other: float, upwards: int) -> Array:
        square = other * (2 * whole - other)
        root = (part * whole) ** 2 - end * (2 * part - end) * square
        ratio: Array = (part * whole + upwards * np.sqrt(np.maximum(root, 0))) / square
        return ratio

    return bound(low, most, -1), bound(high, least, 1)
