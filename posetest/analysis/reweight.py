"""Rates of a space that was not audited, from the rows of one that was: each pose counts by how often it occurs there.

An audit of all rotations also says how a model does where a camera looks from the side, if enough of its poses do.
Where few do, the effective sample size says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import OUTCOMES, audit_rows, check_options
from posetest.analysis.intervals import wilson
from posetest.analysis.weights import columns_of_weights, importance_weights
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.space import Space

Array = NDArray[np.float64]

#: Below this effective sample size a rate comes with a warning.
LEAST_ESS = 100
# So many poses of typical weight stand beside those seen of each outcome when its mean weight is estimated: of few
# seen, their own weights may all happen to be small, and the interval would be too short (see the coverage benchmark).
_TYPICAL = 3.0


@dataclass(frozen=True)
class WeightedShare:
    """A share of weighted draws.

    Attributes:
        rate: sum of the weights of the hits over the sum of all; nan where no draw has weight.
        standard_error: of the rate, by the delta method.
        low, high: interval of the share.
        n: draws.
        n_inside: draws of positive weight.
        ess: Kish's effective sample size, (sum w)^2 / sum w^2; 0 where no draw has weight.
    """

    rate: float
    standard_error: float
    low: float
    high: float
    n: int
    n_inside: int
    ess: float


def reweighted(
    source: RunFolder | pd.DataFrame,
    drawn: Space,
    target: Space,
    outcomes: Sequence[str] = OUTCOMES,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Rates that the audited models have in the space ``target``: a row for each model and outcome.

    Columns: scene, model, outcome, n (evaluated poses), n_inside (of them in the target), ess, rate,
    standard_error, low, high (those of ``weighted_share``), measure (the target's), audited_measure, warning ("" or
    why the rate is not to be relied on).

    The scenes must not differ in anything but their space: mesh, camera and backgrounds are the audited ones.

    Args:
        source: an audit of one scene, or rows of ``outcomes(run, columns_of_weights(drawn, target))``.
        drawn: the space of the audited scene.
        target: the space that the rates are for; inside the audited one (``importance_weights``).
        outcomes: which of OUTCOMES.
        level: of the intervals.

    Raises:
        RunError: the source is a search's, holds several scenes, lacks a column or is not of the space ``drawn``.
        ConfigError: the target cannot be told from that space; an unknown outcome; a level outside (0, 1).
    """
    check_options(outcomes, level)
    rows = audit_rows(source, columns_of_weights(drawn, target))
    scenes = [str(s) for s in rows["scene"].cat.categories[np.unique(rows["scene"].cat.codes)]]
    if len(scenes) > 1:
        raise RunError(
            f"reweighted: rows of {len(scenes)} scenes ({', '.join(scenes)}); a space belongs to one of them"
        )
    weights = importance_weights(rows, drawn, target)
    table = weighted_rates(rows, weights, outcomes, level)
    table.insert(0, "scene", scenes[0] if scenes else "")
    table.insert(len(table.columns) - 1, "measure", target.measure)
    table.insert(len(table.columns) - 1, "audited_measure", drawn.measure)
    return table


def weighted_rates(rows: pd.DataFrame, weights: Array, outcomes: Sequence[str], level: float = 0.95) -> pd.DataFrame:
    """Rates of ``rows`` (of ``audit_rows``, one scene) under importance ``weights`` [n]: a row a model and outcome.

    Columns: model, outcome, n, n_inside, ess, rate, standard_error, low, high, warning, as ``reweighted`` has them.
    """
    codes = rows["model"].cat.codes.to_numpy()
    record = []
    for code, model in enumerate(rows["model"].cat.categories):
        of_model = codes == code
        for outcome in outcomes:
            found = weighted_share(rows[outcome].to_numpy(dtype=bool)[of_model], weights[of_model], level)
            values = ("n", "n_inside", "ess", "rate", "standard_error", "low", "high")
            record.append(
                {"model": str(model), "outcome": outcome}
                | {name: getattr(found, name) for name in values}
                | {"warning": _warning(found)}
            )
    return pd.DataFrame(record)


def weighted_share(hits: NDArray[np.bool_], weights: Array, level: float = 0.95) -> WeightedShare:
    """The share of ``hits`` [n] among independent draws of importance ``weights`` [n], self-normalised.

    With W the sum of weights and p the rate, the delta method gives the variance p (1 - p) v / W, v the weight
    (1 - p) a + p b, a and b the mean weight of hits and misses, by weight. The interval is Wilson's of W / v draws:
    with equal weights that of all draws. Where one outcome was seen but a few times, its mean weight is drawn towards
    that of all, as if 3 draws of that weight had been seen besides.

    Raises:
        ValueError: other shapes, or weights that are negative or not finite.

    Source: Owen, Monte Carlo theory, methods and examples (2013), section 9.2, for the estimate and its variance;
    Kish, Survey Sampling (1965), section 11.7; Korn and Graubard, Survey Methodology 24 (1998) 193, for an interval of
    so many effective draws.
    """
    hits = np.asarray(hits, dtype=bool)
    weights = np.asarray(weights, dtype=np.float64)
    if hits.ndim != 1 or hits.shape != weights.shape:
        raise ValueError(f"weighted_share wants hits and weights of one length, got {hits.shape} and {weights.shape}")
    if not np.all(np.isfinite(weights) & (weights >= 0)):
        raise ValueError("weighted_share wants weights that are finite and not negative")
    total, squares = float(weights.sum()), float((weights**2).sum())
    if total == 0:
        nan = float("nan")
        return WeightedShare(nan, nan, nan, nan, len(hits), 0, 0.0)
    rate = min(float(weights[hits].sum()) / total, 1.0)
    error = float(np.sqrt((weights**2 * (hits - rate) ** 2).sum())) / total
    typical = squares / total
    of_hits, of_misses = (_mean_weight(weights[chosen], typical) for chosen in (hits, ~hits))
    draws = total / ((1 - rate) * of_hits + rate * of_misses)
    low, high = wilson(rate * draws, draws, level)
    return WeightedShare(
        rate, error, float(low), float(high), len(hits), int(np.count_nonzero(weights)), total**2 / squares
    )


def _mean_weight(weights: Array, typical: float) -> float:
    """Mean of the weights, by weight, with _TYPICAL draws of weight ``typical`` besides those that were seen."""
    total, squares = float(weights.sum()), float((weights**2).sum())
    if total == 0:
        return typical
    seen = total**2 / squares
    return (seen * squares / total + _TYPICAL * typical) / (seen + _TYPICAL)


def _warning(found: WeightedShare) -> str:
    if found.n_inside == 0:
        return f"none of {found.n} poses is in the target: audit it itself"
    if found.ess < LEAST_ESS:
        return (
            f"{found.n} poses count for {found.ess:.3g} in the target (effective sample size below {LEAST_ESS}): "
            "audit more poses, or the target itself"
        )
    return ""
