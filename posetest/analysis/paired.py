"""Two models on identical poses: which poses both, one or neither recognises, and what that says of the difference.

Poses that both models read alike say nothing about which is better. The test counts the others only, and the interval
of the difference knows that the two rates rise and fall together.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from posetest.analysis.audited import need_columns
from posetest.analysis.density import QUATERNION
from posetest.analysis.intervals import share, wilson
from posetest.errors import RunError

Array = NDArray[np.float64]

_CONTINUITY = 0.125
_SAME_POSE = 1e-6  # quaternions of one pose are equal to the bit; this bears files written in other precision


def paired_rows(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The poses that both models answered, ordered by index: index, QUATERNION, recognised_first, recognised_second.

    Poses that only one of them could evaluate are left out.

    Args:
        first: evaluated records of one scene and model (``audit_rows``), with index and QUATERNION.
        second: those of another model on the same scene.

    Raises:
        RunError: a column is missing, an index is there twice, no pose is common, or the poses differ.
    """
    columns = ["index", *QUATERNION, "recognised"]
    for rows in (first, second):
        need_columns(rows, columns, "a comparison of two models")
        if rows["index"].duplicated().any():
            raise RunError("a comparison of two models wants rows of one scene and model each; an index is there twice")
    both = first[columns].merge(second[columns], on="index", suffixes=("_first", "_second")).sort_values("index")
    if both.empty:
        raise RunError("the two models have no pose in common; compare models of one run, or of runs of one seed")
    one, other = (both[[f"{name}_{which}" for name in QUATERNION]].to_numpy() for which in ("first", "second"))
    apart = np.minimum(np.abs(one - other).max(axis=1), np.abs(one + other).max(axis=1))  # q and -q are one rotation
    if apart.max() > _SAME_POSE:
        raise RunError(
            f"pose {both['index'].iloc[int(apart.argmax())]} is not the same for the two models; "
            "compare models of one run, or of runs of one scene, seed and sampling"
        )
    both = both.drop(columns=[f"{name}_second" for name in QUATERNION])
    return both.rename(columns={f"{name}_first": name for name in QUATERNION}).reset_index(drop=True)


def mcnemar(only_first: ArrayLike, only_second: ArrayLike) -> Array:
    """Two-sided exact p-values [...] of equal rates, from the poses that only one of two models recognises.

    Given that one of them is right, each is with probability 1/2: a binomial test. 1 where there is no such pose.

    Source: McNemar, Psychometrika 12 (1947) 153; exact form, Agresti, Categorical Data Analysis (2002), 10.1.4.
    """
    one, other = np.asarray(only_first), np.asarray(only_second)
    p: Array = np.minimum(2 * stats.binom.cdf(np.minimum(one, other), one + other, 0.5), 1.0)
    return p


def difference_interval(
    both: ArrayLike, only_first: ArrayLike, only_second: ArrayLike, neither: ArrayLike, level: float = 0.95
) -> tuple[Array, Array]:
    """Lower and upper bounds [...] of the first rate minus the second, in [-1, 1], on the same poses.

    Wilson's intervals of the two rates, put together with their correlation, which is drawn towards 0 by an eighth of a
    pose: without that (method 8) 90 % intervals of 10 poses are called 95 %, with Newcombe's half a pose (method 10)
    99 %, where models mostly agree. Coverage is near the level on average over shares, above it where the models
    differ on one pose or none (benchmarks/coverage_maps.py). Nan where there are no poses.

    Source: Newcombe, Statistics in Medicine 17 (1998) 2635, methods 8 and 10.
    """
    a, b, c, d = (np.asarray(x, dtype=float) for x in (both, only_first, only_second, neither))
    n = a + b + c + d
    p, q = share(a + b, n), share(a + c, n)
    (p_low, p_high), (q_low, q_high) = wilson(a + b, n, level), wilson(a + c, n, level)
    spread = np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    excess = a * d - b * c
    excess = np.where(excess > 0, np.maximum(excess - _CONTINUITY * n, 0), excess)
    correlation = np.where(spread > 0, excess / np.where(spread > 0, spread, 1), 0)

    def reach(u: Array, v: Array) -> Array:
        return np.sqrt(np.maximum(u**2 - 2 * correlation * u * v + v**2, 0))

    difference = share(b - c, n)
    low, high = difference - reach(p - p_low, q_high - q), difference + reach(p_high - p, q - q_low)
    return np.clip(low, -1, 1), np.clip(high, -1, 1)
