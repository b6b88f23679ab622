"""Which parameters decide the outcome: Sobol indices, the shares of its variance that each parameter explains.

The first-order index is what a parameter explains alone; the total index adds everything it takes part in; a pair's
interaction is what two explain together beyond each alone. Parameters must be drawn independently of one another.

Two independent samples A and B of poses [n, k] are drawn; AB_i is A with column i taken from B, BA_i the reverse
(Saltelli et al. 2010). An outcome is anything numeric: recognised as 0 or 1, or the accepted probability.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from posetest.analysis.sobol_counts import counted_first, counted_total, is_binary, telling_rows

Array = NDArray[np.float64]

#: With fewer rows than this in which a parameter changes the outcome, resampling sees too few of them.
FEW_CHANGES = 20
_WEIGHTS = 2**21  # resampled weights held at once: 16 MB


def sobol_indices(
    names: Sequence[str],
    f_a: ArrayLike,
    f_b: ArrayLike,
    f_ab: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """First-order and total Sobol indices, a row for each parameter.

    Columns: parameter; n (rows of the design with a value everywhere), n_left_out (rows with a nan somewhere),
    n_changed (of n, rows in which the parameter alone changes the outcome); first with its interval first_low and
    first_high; total, total_low, total_high. Estimates and bounds are not cut at 0 or 1, where noise may take them.
    All are nan where the outcome does not vary.

    Estimates and intervals of a 0-1 outcome are made from counts (``sobol_counts``), in a way that its variance does
    not appear in; they may cover more often than the level says, above all where an index is 0 or 1. Those of other
    outcomes are Saltelli's and Jansen's with bootstrap-t intervals over rows; bounds are nan where the parameter
    changes fewer than FEW_CHANGES rows. Both are for rows drawn independently (those of a Sobol sequence vary less).

    Args:
        names: of the k parameters.
        f_a: outcomes [n] of the rows of A.
        f_b: outcomes [n] of the rows of B.
        f_ab: outcomes [k, n] of AB_i.
        level: confidence, between 0 and 1.
        resamples: bootstrap samples.
        seed: of the resampling.

    Raises:
        ValueError: shapes do not fit, fewer than two rows are complete, or a number is out of range.

    Source: Saltelli et al., Computer Physics Communications 181 (2010) 259, table 2, rows b (first order) and f (total,
    Jansen, ibid. 117 (1999) 35); bootstrap-t: Efron, Canadian Journal of Statistics 9 (1981) 139; MOVER of a
    ratio: Donner and Zou, Statistical Methods in Medical Research 21 (2012) 347.
    """
    a, b, (ab,), left_out = _checked(names, f_a, f_b, {"f_ab": f_ab})
    k = len(names)
    table = pd.DataFrame({"parameter": list(names), "n": len(a), "n_left_out": left_out})
    table["n_changed"] = (ab != a).sum(axis=1)
    if is_binary(a, b, ab) and 0 < a.mean() + b.mean() < 2:
        _check_options(level, resamples)
        counted = zip(counted_first(a, b, ab, level), counted_total(a, b, ab, level), strict=True)
        estimate, low, high = (np.concatenate(parts) for parts in counted)
    else:
        first, total = (b - (a.mean() + b.mean()) / 2) * (ab - a), (a - ab) ** 2 / 2
        estimate, low, high = _ratios(np.concatenate([first, total]), a, b, level, resamples, seed)
        few = np.tile(table["n_changed"] < FEW_CHANGES, 2)
        low[few], high[few] = np.nan, np.nan
    for name, part in (("first", slice(0, k)), ("total", slice(k, None))):
        table[name], table[f"{name}_low"], table[f"{name}_high"] = estimate[part], low[part], high[part]
    return table


def pair_interactions(
    names: Sequence[str],
    f_a: ArrayLike,
    f_b: ArrayLike,
    f_ab: ArrayLike,
    f_ba: ArrayLike,
    *,
    level: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Second-order Sobol indices, a row for each pair of parameters: what they explain together beyond each alone.

    Columns: parameter_1, parameter_2, n, n_left_out, interaction with its bootstrap-t interval low and high, as in
    ``sobol_indices``; nan for bounds where fewer than FEW_CHANGES rows carry the first order of one of the two.
    Products of heavy tails need rows: of Ishigami's function 95 % intervals cover 0.91 to 0.95 with 256, 0.94 to 0.96
    with 1024 (benchmarks/coverage_comparison.py).

    Args:
        names, f_a, f_b, f_ab, level, resamples, seed: as in ``sobol_indices``.
        f_ba: outcomes [k, n] of BA_i, B with column i taken from A.

    Raises:
        ValueError: as in ``sobol_indices``, or there is only one parameter.

    Source: Saltelli, Computer Physics Communications 145 (2002) 280, theorem 2, the mean of its two estimates.
    """
    if len(names) < 2:
        raise ValueError(f"pair_interactions wants two or more parameters, got {list(names)}")
    a, b, (ab, ba), left_out = _checked(names, f_a, f_b, {"f_ab": f_ab, "f_ba": f_ba})
    centre = (a.mean() + b.mean()) / 2
    telling = np.minimum(telling_rows(a, b, ab), telling_rows(b, a, ba))
    a, b, ab, ba = a - centre, b - centre, ab - centre, ba - centre
    # the first orders estimated from both sides, as the pair's share is: the noise they have in common cancels
    alone = (b * (ab - a) + a * (ba - b)) / 2
    pairs = list(combinations(range(len(names)), 2))
    parts = [(ba[i] * ab[j] + ba[j] * ab[i]) / 2 - a * b - alone[i] - alone[j] for i, j in pairs]
    estimate, low, high = _ratios(np.stack(parts), a, b, level, resamples, seed)
    few = np.array([min(telling[i], telling[j]) < FEW_CHANGES for i, j in pairs])
    ends = {f"parameter_{end + 1}": [names[pair[end]] for pair in pairs] for end in (0, 1)}
    table = pd.DataFrame(ends | {"n": len(a), "n_left_out": left_out, "interaction": estimate})
    table["low"], table["high"] = np.where(few, np.nan, low), np.where(few, np.nan, high)
    return table


def _checked(
    names: Sequence[str], f_a: ArrayLike, f_b: ArrayLike, mixed: dict[str, ArrayLike]
) -> tuple[Array, Array, list[Array], int]:
    """The outcomes as float64, rows with a nan left out, and how many these were."""
    a, b = np.asarray(f_a, dtype=float), np.asarray(f_b, dtype=float)
    others = [np.asarray(f, dtype=float) for f in mixed.values()]
    if a.ndim != 1 or b.shape != a.shape:
        raise ValueError(f"f_a and f_b want the same shape [n], got {a.shape} and {b.shape}")
    for name, f in zip(mixed, others, strict=True):
        if f.shape != (len(names), len(a)):
            raise ValueError(f"{name} wants shape [{len(names)}, {len(a)}], a row for each parameter, got {f.shape}")
    whole = np.isfinite(np.concatenate([a[None], b[None], *others])).all(axis=0)
    if whole.sum() < 2:
        raise ValueError(f"Sobol indices want two or more rows with finite outcomes everywhere, got {whole.sum()}")
    return a[whole], b[whole], [f[:, whole] for f in others], int((~whole).sum())


def _check_options(level: float, resamples: int) -> None:
    if not 0 < level < 1 or resamples < 100:
        raise ValueError(f"want a level between 0 and 1 and 100 resamples or more, got {level} and {resamples}")


def _ratios(parts: Array, a: Array, b: Array, level: float, resamples: int, seed: int) -> tuple[Array, Array, Array]:
    """Means of ``parts`` [m, n] over the outcome's variance, with bootstrap-t bounds, each [m]."""
    _check_options(level, resamples)
    n, m = len(a), len(parts)
    centre = (a.mean() + b.mean()) / 2
    mean, square = (a + b) / 2 - centre, ((a - centre) ** 2 + (b - centre) ** 2) / 2
    # all that estimates and their standard errors are made of, so that a resample is one product of matrices
    columns = np.concatenate([parts, parts**2, parts * square, mean[None], square[None], square[None] ** 2]).T
    estimate, error = _studentised(columns.mean(axis=0)[None], m, n)
    rng = np.random.default_rng(seed)
    values, errors = [], []
    block = max(_WEIGHTS // n, 1)
    for start in range(0, resamples, block):
        drawn = rng.integers(0, n, (min(block, resamples - start), n))
        weights = np.stack([np.bincount(row, minlength=n) for row in drawn]) / n
        value, spread = _studentised(weights @ columns, m, n)
        values.append(value)
        errors.append(spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (np.concatenate(values) - estimate) / np.concatenate(errors)
    t = np.where(np.isfinite(t), t, 0.0)  # a resample without any spread
    # ranks of resamples + 1: others lose coverage with fewer resamples
    below, above = np.quantile(t, [0.5 - level / 2, 0.5 + level / 2], axis=0, method="weibull")
    with np.errstate(invalid="ignore"):
        return estimate[0], estimate[0] - above * error[0], estimate[0] - below * error[0]


def _studentised(moments: Array, m: int, n: int) -> tuple[Array, Array]:
    """Ratios [r, m] and their standard errors by the delta method, from the means [r, 3 m + 3] of the columns."""
    part, part2, cross = moments[:, :m], moments[:, m : 2 * m], moments[:, 2 * m : 3 * m]
    mean, square, square2 = moments[:, -3:-2], moments[:, -2:-1], moments[:, -1:]
    variance = square - mean**2
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(variance > 0, part / variance, np.nan)
        spread = part2 - 2 * ratio * cross + ratio**2 * square2 - (part - ratio * square) ** 2
        error = np.sqrt(np.maximum(spread, 0) / n) / variance
    return ratio, error
