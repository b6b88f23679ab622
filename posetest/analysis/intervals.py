"""Intervals for shares of poses: every rate that is shown carries one."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def wilson(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> tuple[Array, Array]:
    """Lower and upper bounds [...] of the share behind ``k`` successes in ``n`` independent draws, in [0, 1].

    Wilson's score interval: its coverage is near the nominal level on average over shares, also near 0 and 1, where
    it never leaves [0, 1]. Both bounds are nan where n is 0.

    Raises:
        ValueError: k is negative or above n, or the level is not between 0 and 1.

    Source: Wilson, JASA 22 (1927) 209; Brown, Cai and DasGupta, Statistical Science 16 (2001) 101, section 3.1.1.
    """
    successes, draws = np.broadcast_arrays(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    if np.any(successes < 0) or np.any(successes > draws):
        raise ValueError(f"wilson wants 0 <= k <= n, got k = {k!r}, n = {n!r}")
    if not 0 < level < 1:
        raise ValueError(f"wilson wants a level between 0 and 1, such as 0.95, got {level}")
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


def share(k: ArrayLike, n: ArrayLike) -> Array:
    """k / n [...]; nan where n is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio: Array = np.divide(np.asarray(k, dtype=float), np.asarray(n, dtype=float))
    return ratio
