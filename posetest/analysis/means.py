"""Means of a score in each cell, with intervals that stay within the score's range."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]

#: A mean of fewer rows has no interval: scores crowd at an end of their range, and t then covers too little.
FEWEST = 40


def cell_means(
    values: ArrayLike, cells: NDArray[np.int64], count: int, upper: float | None = None, level: float = 0.95
) -> tuple[Array, Array, Array]:
    """Mean of ``values`` [n] in each of ``count`` cells, and the lower and upper bounds of what it estimates: [count].

    Student's t on the scale of the logit, log(m / (upper - m)), or of the logarithm where ``upper`` is None, by the
    delta method. Scores near an end of their range are skewed, and their mean and spread move together; t on the plain
    scale then misses more often than it says (benchmarks/coverage_maps.py).

    The mean is nan in empty cells and where a value is nan; the bounds also where there are fewer than FEWEST rows,
    or all values are the same.

    Args:
        values: scores in [0, upper], or at least 0.
        cells: the cell of each, 0 to count - 1.
        count: number of cells.
        upper: the largest value that is possible (1 for a probability), or None.
        level: of the interval.

    Raises:
        ValueError: a value is out of its range.

    Source: delta method, Casella and Berger, Statistical Inference (2002), section 5.5.4.
    """
    scores = np.asarray(values, dtype=np.float64)
    if np.any(scores < 0) or (upper is not None and np.any(scores > upper)):
        raise ValueError(f"cell_means wants values from 0 to {upper}, got {np.nanmin(scores)} to {np.nanmax(scores)}")
    n = np.bincount(cells, minlength=count).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(cells, weights=scores, minlength=count) / n
        # squares of the deviations, not of the values: no cancellation among scores close to 1
        spread = np.bincount(cells, weights=(scores - mean[cells]) ** 2, minlength=count) / (n - 1)
        error = stats.t.ppf(0.5 + level / 2, np.maximum(n - 1, 1)) * np.sqrt(spread / n)
        if upper is None:
            low, high = (mean * np.exp(sign * error / mean) for sign in (-1, 1))
        else:
            centre, reach = np.log(mean / (upper - mean)), error * upper / (mean * (upper - mean))
            low, high = (upper / (1 + np.exp(-(centre + sign * reach))) for sign in (-1, 1))
    told = (n >= FEWEST) & (spread > 0)
    return mean, np.where(told, low, np.nan), np.where(told, high, np.nan)
