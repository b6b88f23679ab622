"""Two answers to each of the same poses: interval of the difference of their rates, exact test, many tests at once.

Poses on which both answers agree say nothing of the difference; those on which they disagree carry the test.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

_HALVINGS = 60  # of an interval of length 2: below the spacing of float64


def paired_interval(only_a: ArrayLike, only_b: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper bounds [...] of the difference of two rates on ``n`` shared poses, a minus b, in [-1, 1].

    The differences that a score test does not reject. Bounds are nan where n is 0.

    Args:
        only_a: poses [...] at which a succeeds and b does not.
        only_b: poses [...] at which b succeeds and a does not.
        n: all poses [...] answered by both.
        level: confidence, between 0 and 1.

    Raises:
        ValueError: counts are negative or add up to more than n, or the level is not between 0 and 1.

    Source: Tango, Statistics in Medicine 17 (1998) 891. Measured beside Newcombe's hybrid score interval (ibid. 2635,
    method 10), whose coverage falls to 0.88 where one of the two wins all of a few disagreements; this one's does not.
    """
    b, c, draws = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (only_a, only_b, n)))
    if np.any(b < 0) or np.any(c < 0) or np.any(b + c > draws):
        raise ValueError(f"paired_interval wants 0 <= only_a + only_b <= n, got {only_a!r}, {only_b!r}, {n!r}")
    if not 0 < level < 1:
        raise ValueError(f"paired_interval wants a level between 0 and 1, such as 0.95, got {level}")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    # b minus a is the mirror image, so that both bounds come from one search
    low, high = -_upper(c, b, draws, z), _upper(b, c, draws, z)
    return np.where(draws == 0, np.nan, low), np.where(draws == 0, np.nan, high)


def _upper(b: Array, c: Array, n: Array, z: float) -> Array:
    """The largest difference that the score test does not reject, by halving between the estimate and 1."""
    with np.errstate(invalid="ignore", divide="ignore"):
        inside = np.where(n > 0, (b - c) / n, 0.0)
    outside = np.ones_like(inside)
    for _ in range(_HALVINGS):
        middle = (inside + outside) / 2
        is_rejected = n * middle - (b - c) > z * np.sqrt(n * _variance(b, c, n, middle))
        inside, outside = np.where(is_rejected, inside, middle), np.where(is_rejected, middle, outside)
    return inside


def _variance(b: Array, c: Array, n: Array, difference: Array) -> Array:
    """Variance of a pose's difference, given that its mean is ``difference``, at the share that is then likeliest."""
    with np.errstate(invalid="ignore", divide="ignore"):
        linear = -b - c + (2 * n - b + c) * difference
        constant = -c * difference * (1 - difference)
        q = (np.sqrt(np.maximum(linear**2 - 8 * n * constant, 0)) - linear) / (4 * n)
    return np.maximum(2 * np.nan_to_num(q) + difference * (1 - difference), 0)


def mcnemar(only_a: ArrayLike, only_b: ArrayLike) -> Array:
    """Two-sided p [...] of the exact McNemar test that both rates are equal: the disagreements are fair coin tosses.

    1 where there is no disagreement.

    Raises:
        ValueError: a count is negative.

    Source: McNemar, Psychometrika 12 (1947) 153, with binomial tails in place of the normal approximation.
    """
    from scipy.stats import binom  # half a second of import that most readers of a run do not need

    b, c = np.broadcast_arrays(np.asarray(only_a, dtype=float), np.asarray(only_b, dtype=float))
    if np.any(b < 0) or np.any(c < 0):
        raise ValueError(f"mcnemar wants counts, got {only_a!r}, {only_b!r}")
    tail: Array = binom.cdf(np.minimum(b, c), b + c, 0.5)
    return np.minimum(2 * tail, 1.0)


def holm(p: ArrayLike) -> Array:
    """Values p [m] adjusted for m tests: at most ``alpha`` of such families hold one false value below ``alpha``.

    nan (no test) stays nan and does not count.

    Raises:
        ValueError: a value is outside [0, 1], or they are not a list.

    Source: Holm, Scandinavian Journal of Statistics 6 (1979) 65.
    """
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or np.any(values < 0) or np.any(values > 1):
        raise ValueError(f"holm wants a list of values in [0, 1], got {p!r}")
    adjusted = np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    steps = values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return adjusted
