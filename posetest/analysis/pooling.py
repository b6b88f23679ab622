"""Rates over objects: how a model does on objects of this kind, with the objects as the independent draws.

Renders of one object are no draws of objects: a thousand more of them say nothing about the next object. So each
object counts once, whatever its number of poses, and the interval comes from how the objects differ.

The interval is a studentised bootstrap over objects: of the mean's logit for rates, of the mean for differences. So
few objects do not show their own spread: at 8 of them and a level of 95 %, percentile intervals cover 83 to 91 % and
BCa's 85 to 94 %. The studentised ones cover 93 to 98 % for rates of 8 to 30 objects and 94 to 97 % for differences of
12 to 30, and fall to 92.7 % for skewed differences of 8 (benchmarks/coverage_rates.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import OUTCOMES, audit_rows, check_options
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError

Array = NDArray[np.float64]

#: Rates, and differences, of fewer objects than this get a warning: from here on intervals keep their level.
FEWEST_OBJECTS = 8
FEWEST_DIFFERENCES = 12

_RESAMPLES = 4000
# A resample of almost equal objects has almost no deviation; it is not taken for smaller than this share of the
# deviation of all objects, or one object that differs from many equal ones would make the interval infinite.
_LEAST_DEVIATION = 1 / 3


def pooled(
    source: RunFolder | pd.DataFrame,
    outcomes: Sequence[str] = OUTCOMES,
    *,
    objects: Mapping[str, str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean over objects of each object's rate, a row for each model and outcome.

    Columns: model, outcome, objects (with evaluated poses), n (poses), mean (each object counts once), low, high,
    sd (of the objects' rates), least, least_object, most, most_object (the extreme rates), warning ("" or why the
    interval is not to be relied on). What cannot be told is nan.

    The interval says where the mean over all objects lies that these are independent draws of. Where all rates are
    equal it comes from the chance (1 - level) of drawing so many objects alike; it is then wide.

    Args:
        source: an audit, or rows of ``outcomes(run)``, also of several audits one after the other.
        outcomes: which of OUTCOMES.
        objects: the object that each scene shows, where several scenes show the same; by default each its own.
        level: of the interval.
        seed: of the resampling; the same seed gives the same interval.

    Raises:
        RunError: the source is a search's or lacks a column.
        ConfigError: an unknown outcome, a level outside (0, 1), a scene that ``objects`` does not name.
    """
    check_options(outcomes, level)
    rows = audit_rows(source)
    tables = {outcome: object_rates(rows, outcome, objects) for outcome in outcomes}
    models = rows["model"].cat.categories.astype(str)
    record = [_pooled_row(tables[o], model, o, level, seed) for model in models for o in outcomes]
    return pd.DataFrame(record)


def pooled_difference(
    source: RunFolder | pd.DataFrame,
    model: str,
    baseline: str,
    outcomes: Sequence[str] = OUTCOMES,
    *,
    objects: Mapping[str, str] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> pd.DataFrame:
    """Mean over objects of how much higher each object's rate is with ``model`` than with ``baseline``, by outcome.

    Paired: each object is compared with itself, and only objects count that both models were asked about. Columns:
    model, baseline, outcome, objects, mean, low, high (in [-1, 1]), sd (of the differences), higher (objects whose
    rate is higher with ``model``), lower, warning. Arguments and errors are those of ``pooled``.

    Raises:
        RunError: no rows of one of the models.
    """
    check_options(outcomes, level)
    rows = audit_rows(source)
    record = []
    for outcome in outcomes:
        rates, _ = object_rates(rows, outcome, objects)
        for name in (model, baseline):
            if name not in rates:
                raise RunError(
                    f'pooled_difference: no rows of the model "{name}"; there are {", ".join(map(str, rates))}'
                )
        values = (rates[model] - rates[baseline]).dropna().to_numpy()
        low, high = mean_interval(values, level=level, seed=seed, is_difference=True)
        record.append(
            {
                "model": model,
                "baseline": baseline,
                "outcome": outcome,
                "objects": len(values),
                "mean": values.mean() if len(values) else np.nan,
                "low": low,
                "high": high,
                "sd": values.std(ddof=1) if len(values) > 1 else np.nan,
                "higher": int((values > 0).sum()),
                "lower": int((values < 0).sum()),
                "warning": _warning(values, is_difference=True),
            }
        )
    return pd.DataFrame(record)


def _pooled_row(
    table: tuple[pd.DataFrame, pd.DataFrame], model: str, outcome: str, level: float, seed: int
) -> dict[str, object]:
    rates, counts = table
    known = rates[model].dropna()
    values = known.to_numpy()
    low, high = mean_interval(values, level=level, seed=seed)
    least, most = (str(known.idxmin()), str(known.idxmax())) if len(known) else ("", "")
    return {
        "model": model,
        "outcome": outcome,
        "objects": len(known),
        "n": int(counts[model].sum()),
        "mean": values.mean() if len(known) else np.nan,
        "low": low,
        "high": high,
        "sd": values.std(ddof=1) if len(known) > 1 else np.nan,
        "least": known.get(least, np.nan),
        "least_object": least,
        "most": known.get(most, np.nan),
        "most_object": most,
        "warning": _warning(values, is_difference=False),
    }


def object_rates(
    rows: pd.DataFrame, outcome: str, objects: Mapping[str, str] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Share of ``outcome`` and number of poses of each object (index) and model (columns); nan and 0 where none.

    Args:
        rows: of ``audit_rows``.
        outcome: one of OUTCOMES.
        objects: the object that each scene shows; by default each its own.

    Raises:
        ConfigError: a scene that ``objects`` does not name.
    """
    grouped = rows[outcome].astype(bool).groupby([rows["scene"], rows["model"]], observed=False)
    table = pd.DataFrame({"count": grouped.sum().astype(int), "n": grouped.size().astype(int)}).reset_index()
    names = table["scene"].astype(str)
    if objects is not None:
        if strangers := sorted(set(names) - set(objects)):
            raise ConfigError(f'objects: no object for the scene "{strangers[0]}"; name the object of every scene')
        names = names.map(dict(objects))
    table = table.assign(object=names, model=table["model"].astype(str)).drop(columns="scene")
    sums = table.groupby(["object", "model"], sort=False)[["count", "n"]].sum()
    models = list(rows["model"].cat.categories.astype(str))
    counts, hits = (sums[name].unstack(fill_value=0)[models] for name in ("n", "count"))
    return (hits / counts.where(counts > 0)).astype(float), counts


def mean_interval(
    values: Array, *, level: float = 0.95, seed: int = 0, is_difference: bool = False
) -> tuple[float, float]:
    """Bounds of the mean that ``values`` [n], a number for each object, were drawn around; nan for fewer than 2.

    Rates lie in [0, 1]; differences, where ``is_difference``, in [-1, 1].

    With m and s the mean and its standard error, m* and s* those of a resample of the objects, f the logit (the
    identity for differences): f(m) +- q f'(m) s, q the ``level`` quantile of |f(m*) - f(m)| / (f'(m*) s*). For
    differences each end is the wider one of this interval and of the one with equal tails.

    Source: Hall, The Bootstrap and Edgeworth Expansion (Springer 1992), sections 1.3 and 3.6, percentile-t intervals,
    symmetric and with equal tails; Davison and Hinkley, Bootstrap Methods and their Application (Cambridge 1997),
    section 5.2, for the transformed mean; section 3.8, resampling whole clusters.
    """
    n = len(values)
    if n < 2:
        return float("nan"), float("nan")
    least = -1.0 if is_difference else 0.0
    mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(n))
    if error < 1e-9:
        # with probability ``alike`` or less of this value, n draws of it have a chance of 1 - level or less
        alike = (1 - level) ** (1 / n)
        return alike * mean + (1 - alike) * least, alike * mean + (1 - alike)
    drawn = (values - mean)[np.random.default_rng(seed).integers(0, n, (_RESAMPLES, n))]
    shift, errors = drawn.mean(axis=1), drawn.std(axis=1) / np.sqrt(n - 1)
    flat = errors < 1e-6 * error
    if is_difference:
        ratio = shift / np.maximum(errors, _LEAST_DEVIATION * error)
        reach = float(np.quantile(np.abs(ratio), level))
        below, above = np.quantile(ratio, [(1 + level) / 2, (1 - level) / 2])
        # one object with a large difference, which few would show, is at one end only: the wider of both intervals
        low, high = mean - error * max(reach, below), mean + error * max(reach, -above)
        return max(float(low), -1.0), min(float(high), 1.0)
    # flat resamples, whose mean may be 0 or 1, are measured on the plain scale
    means = np.where(flat, mean, mean + shift)
    scale = error / (mean * (1 - mean))
    scales = np.maximum(errors / (means * (1 - means)), _LEAST_DEVIATION * scale)
    ratio = np.where(flat, shift / (_LEAST_DEVIATION * error), (_logit(means) - _logit(mean)) / scales)
    reach = scale * float(np.quantile(np.abs(ratio), level))
    low, high = (1 / (1 + np.exp(-(_logit(mean) + sign * reach))) for sign in (-1, 1))
    return float(low), float(high)


def _logit(share: Array | float) -> Array:
    odds: Array = np.log(share) - np.log1p(-np.asarray(share))
    return odds


def _warning(values: Array, *, is_difference: bool) -> str:
    n = len(values)
    if n < 2:
        return f"{n} object{'' if n == 1 else 's'}: how objects differ is not known"
    if n < (FEWEST_DIFFERENCES if is_difference else FEWEST_OBJECTS):
        what, fewest = ("differences", FEWEST_DIFFERENCES) if is_difference else ("rates", FEWEST_OBJECTS)
        return f"{n} objects: intervals of {what} are known to keep their level from {fewest} on; this may be too short"
    if np.ptp(values) < 1e-9:
        return f"all {n} objects alike: the interval allows for others that were not drawn"
    return ""
