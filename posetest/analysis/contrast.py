"""Where two models differ: their maps on identical poses subtracted cell by cell, with p-values for all cells at once.

Among 1,000 cells 50 differ at the 5 % level if no cell does. Benjamini and Hochberg keep the share of false ones among
the cells called different at 5 %, Holm the chance that even one of them is false.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from posetest.analysis.density import choose_nside, direction_rates, viewing_cells
from posetest.analysis.intervals import share
from posetest.analysis.maps import choose_rotation_nside, rotation_cells, rotation_rates
from posetest.analysis.paired import holm, mcnemar, paired_interval
from posetest.analysis.pairs import paired_rows

Array = NDArray[np.float64]

_TURNS_PER_NSIDE = 6


def direction_contrast(
    first: pd.DataFrame, second: pd.DataFrame, nside: int | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Where over viewing direction two models differ: a row for each of 12 nside^2 equal-area cells.

    Columns: cell, azimuth_deg, elevation_deg (as ``density.direction_rates``), and those of ``cell_contrast``.

    Args:
        first: evaluated records of one scene and model (``of_pair``), with index and QUATERNION.
        second: those of another model on the same poses.
        nside: resolution; by default what ``density.choose_nside`` says of the poses that both answered.
        alpha: level of ``cell_contrast``.

    Raises:
        RunError: as ``paired_rows``.
        ValueError: alpha is not between 0 and 1.
    """
    pairs = paired_rows(first, second)
    nside = choose_nside(len(pairs)) if nside is None else nside
    places = direction_rates(_as_outcomes(pairs), nside)[["cell", "azimuth_deg", "elevation_deg"]]
    return pd.concat([places, cell_contrast(pairs, viewing_cells(pairs, nside), len(places), alpha)], axis=1)


def rotation_contrast(
    first: pd.DataFrame,
    second: pd.DataFrame,
    nside: int | None = None,
    turns: int | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Where in SO(3) two models differ: a row for each of 12 nside^2 x turns cells of equal Haar measure.

    Columns: cell, direction_cell, azimuth_deg, elevation_deg, roll_low_deg, roll_high_deg (as ``maps.rotation_rates``,
    which also says what nside and turns are by default), and those of ``cell_contrast``. Errors as of
    ``direction_contrast``.
    """
    pairs = paired_rows(first, second)
    nside = choose_rotation_nside(len(pairs)) if nside is None else nside
    turns = _TURNS_PER_NSIDE * nside if turns is None else turns
    places = rotation_rates(_as_outcomes(pairs), nside, turns)
    places = places[["cell", "direction_cell", "azimuth_deg", "elevation_deg", "roll_low_deg", "roll_high_deg"]]
    return pd.concat([places, cell_contrast(pairs, rotation_cells(pairs, nside, turns), len(places), alpha)], axis=1)


def cell_contrast(pairs: pd.DataFrame, cells: NDArray[np.int64], count: int, alpha: float = 0.05) -> pd.DataFrame:
    """Two models compared in each of ``count`` cells.

    Columns: n (poses), both, only_first, only_second, neither (of them recognised), rate_first, rate_second,
    difference (first minus second) with low and high (95 %, ``paired.paired_interval``, of one cell alone), p
    (exact McNemar), p_bh and p_holm (adjusted over the cells that have poses), differs (p_bh <= alpha),
    differs_surely (p_holm <= alpha). In a cell without poses all but the counts are nan and False.

    Args:
        pairs: of ``paired_rows``.
        cells: the cell of each pair, 0 to count - 1.
        count: number of cells.
        alpha: false discovery rate of ``differs``, chance of any false one in ``differs_surely``.

    Raises:
        ValueError: alpha is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"cell_contrast wants alpha between 0 and 1, such as 0.05, got {alpha}")
    one, other = (pairs[f"recognised_{which}"].to_numpy(dtype=bool) for which in ("first", "second"))
    kinds = np.bincount(cells * 4 + 2 * one + other, minlength=4 * count).reshape(count, 4)
    neither, only_second, only_first, both = kinds.T
    n = kinds.sum(axis=1)
    table = pd.DataFrame(
        {"n": n, "both": both, "only_first": only_first, "only_second": only_second, "neither": neither}
    )
    table["rate_first"], table["rate_second"] = share(both + only_first, n), share(both + only_second, n)
    table["difference"] = share(only_first - only_second, n)
    table["low"], table["high"] = paired_interval(only_first, only_second, n)
    table["p"] = np.where(n > 0, mcnemar(only_first, only_second), np.nan)
    table["p_bh"], table["p_holm"] = benjamini_hochberg(table["p"].to_numpy()), holm(table["p"].to_numpy())
    table["differs"], table["differs_surely"] = table["p_bh"] <= alpha, table["p_holm"] <= alpha
    return table


def benjamini_hochberg(p: Array) -> Array:
    """Adjusted p-values [n]: those at most q are a set whose expected share of false discoveries is at most q.

    Holds for independent tests, as of cells that share no pose. Nan stays nan and does not count as a test.

    Source: Benjamini and Hochberg, J. Royal Statistical Society B 57 (1995) 289.
    """
    adjusted, tested = np.full(len(p), np.nan), ~np.isnan(p)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p[tested], method="bh")
    return adjusted


def _as_outcomes(pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs in the form of evaluated rows, for the tables that lay out the cells."""
    return pairs.assign(recognised=pairs["recognised_first"], misread=False, confident=False)
