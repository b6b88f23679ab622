"""Intervals for shares of poses: every rate that is shown carries one."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betaincinv

Array = NDArray[np.float64]

#: Strata that explain more than this leave (of the variance) are not believed to: few draws may look so by chance.
_LEAST_RATIO = 0.1


def wilson(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper bounds [...] of the share behind ``k`` successes in ``n`` independent draws, in [0, 1].

    Wilson's score interval: its coverage is near the nominal level on average over shares, also near 0 and 1, where
    it never leaves [0, 1]. Both bounds are nan where n is 0.

    Raises:
        ValueError: k is negative or above n, or the level is not between 0 and 1.

    Source: Wilson, JASA 22 (1927) 209; Brown, Cai and DasGupta, Statistical Science 16 (2001) 101, section 3.1.1.
    """
    successes, draws = _checked(k, n, level, "wilson")
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    with np.errstate(invalid="ignore", divide="ignore"):
        share = successes / draws
        centre = share + z2 / (2 * draws)
        reach = np.sqrt(z2 * (share * (1 - share) + z2 / (4 * draws)) / draws)
        scale = 1 + z2 / draws
        low, high = (centre - reach) / scale, (centre + reach) / scale
    # exact at the ends, where rounding would leave 1e-17 or 1 - 1e-16
    low = np.where(draws == 0, np.nan, np.where(successes == 0, 0.0, np.clip(low, 0, 1)))
    high = np.where(draws == 0, np.nan, np.where(successes == draws, 1.0, np.clip(high, 0, 1)))
    return low, high


def pooled_wilson(k: ArrayLike, n: ArrayLike, draws: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Bounds [...] of the share sum(k) / sum(n) over strata [..., s] whose numbers of draws are fixed.

    In each stratum ``n`` of ``draws`` are asked, by chance or all of them, and ``k`` of these are successes. What the
    strata differ by is no chance: with p the share, the variance of sum(k) - p sum(n) is the binomial one less the sum
    of (k - p n)^2 / draws, and the interval is Wilson's for as many more draws. Of one stratum it is Wilson's own.

    Raises:
        ValueError: k is negative or above n, or n above draws; or the level is not between 0 and 1.

    Source: Cochran, Sampling Techniques (3rd ed., Wiley 1977), sections 5.9 and 6.11, for the variance of a ratio in a
    stratified sample.
    """
    successes, asked = _checked(k, n, level, "pooled_wilson")
    asked, drawn = _checked(asked, draws, level, "pooled_wilson")
    total, hits = asked.sum(axis=-1), successes.sum(axis=-1)
    rate = share(hits, total)[..., None]
    between = ((successes - rate * asked) ** 2 / np.maximum(drawn, 1)).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = 1 - between / (total * rate[..., 0] * (1 - rate[..., 0]))
    ratio = np.where(np.isfinite(ratio), np.maximum(ratio, _LEAST_RATIO), 1.0)
    return wilson(hits / ratio, total / ratio, level)


def share(k: ArrayLike, n: ArrayLike) -> Array:
    """k / n [...]; nan where n is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: Array = np.divide(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    return ratio


def exact(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper bounds [...] of the share behind ``k`` successes in ``n`` independent draws, in [0, 1].

    The exact interval: its coverage is at least the level at every share and every n, and so above it at most of
    them. For claims that have to hold; Wilson's is shorter and right on average. Both bounds are nan where n is 0.

    Raises:
        ValueError: k is negative or above n, or the level is not between 0 and 1.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404; the bounds as quantiles of Beta(k, n - k + 1) and
    Beta(k + 1, n - k).
    """
    successes, draws = _checked(k, n, level, "exact")
    tail = (1 - level) / 2
    low = _lower(successes, draws, tail)
    return low, 1 - _lower(draws - successes, draws, tail)


def upper_bound(failures: ArrayLike, n: ArrayLike, level: float = 0.95) -> Array:
    """The share [...] that the share of failures does not exceed, after ``failures`` in ``n`` independent draws.

    One-sided and exact: what can be claimed about rare failures. Without a failure it is 1 - (1 - level)^(1 / n),
    at 95 % close to 3 / n: the rule of three. 1 where all failed; nan where n is 0.

    Raises:
        ValueError: failures are negative or above n, or the level is not between 0 and 1.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404; Hanley and Lippman-Hand, JAMA 249 (1983) 1743.
    """
    failed, draws = _checked(failures, n, level, "upper_bound")
    return 1 - _lower(draws - failed, draws, 1 - level)


def lower_bound(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Array:
    """The share [...] that the share behind ``k`` successes in ``n`` independent draws is not below.

    One-sided and exact, as ``upper_bound``: it is above the share with a probability of at most 1 - level, whatever the
    share. 0 where k is 0; nan where n is 0.

    Raises:
        ValueError: k is negative or above n, or the level is not between 0 and 1.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    successes, draws = _checked(k, n, level, "lower_bound")
    return _lower(successes, draws, 1 - level)


def _lower(successes: Array, draws: Array, tail: float) -> Array:
    """The share [...] at which so many successes or more have probability ``tail``; 0 without a success."""
    # the shapes of no success and of no draws are no Beta distribution; their values are put in place after
    inverse = betaincinv(np.maximum(successes, 1), draws - successes + 1, tail)
    bound: Array = np.where(draws == 0, np.nan, np.where(successes == 0, 0.0, inverse))
    return bound


def _checked(k: ArrayLike, n: ArrayLike, level: float, name: str) -> tuple[Array, Array]:
    successes, draws = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    if not np.all((successes >= 0) & (successes <= draws)):
        raise ValueError(f"{name} wants 0 <= k <= n, got k = {k!r}, n = {n!r}")
    if not 0 < level < 1:
        raise ValueError(f"{name} wants a level between 0 and 1, such as 0.95, got {level}")
    return successes, draws
