"""Whether a model's confidence is to be believed: accuracy by confidence, and how far the two are apart.

Accuracy is the share of recognised poses, confidence the probability of the first label. The expected calibration error
(Guo et al., ICML 2017, eq. 3) is the mean distance of the two over bins of confidence, weighted by rows. It is a sum of
absolute values, so noise only adds to it: the plain figure is too high, the more so the fewer the rows, and the
percentiles of an ordinary bootstrap lie higher still, at a well calibrated model all above the truth. The bootstrap
here is therefore turned around: the errors are told under which the plain figure would not be surprising.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns, require_audit
from posetest.analysis.features import FEATURE_COLUMNS
from posetest.analysis.intervals import share, wilson
from posetest.analysis.labels import Place
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.engine.run import RunFolder

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

BINS = 15
#: With fewer poses a part of them is told to be too few: the bins hold three or four each.
FEWEST = 50
_SHRINK = 4.0
_PRIOR_ROWS = 3.0
_Z = 1.959963984540054
_Z_SURE = 2.5758293035489  # of 99 %


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error of n rows, and whether the model is too sure or not sure enough.

    Attributes:
        n: rows.
        ece, ece_low, ece_high: sum over bins of n_bin / n x |accuracy - mean confidence|, as it is, and the 95 %
            interval of the true one over the same bins. The plain figure is above the truth on average and may lie
            above the interval of few rows of a well calibrated model. nan without rows.
        gap, gap_low, gap_high: mean confidence less accuracy, positive where the model is too sure; 95 %.
    """

    n: int
    ece: float
    ece_low: float
    ece_high: float
    gap: float
    gap_low: float
    gap_high: float


def reliability(rows: pd.DataFrame, bins: int = BINS) -> pd.DataFrame:
    """Accuracy by confidence: a row for each of ``bins`` equal bins of the first label's probability, empty ones too.

    Columns: bin_low, bin_high, n, recognised, mean_confidence, accuracy with its 95 % Wilson interval low and high
    (nan in empty bins), gap (mean_confidence - accuracy).

    Args:
        rows: evaluated records of one scene and model (``of_pair``) of an audit.
        bins: 1 or more; a bin holds its upper end.

    Raises:
        RunError: a column is missing.
        ValueError: ``bins`` is below 1.
    """
    if bins < 1:
        raise ValueError(f"reliability wants bins >= 1, got {bins}")
    need_columns(rows, ["top1_p", "recognised"], "reliability")
    p = rows["top1_p"].to_numpy(dtype=np.float64)
    recognised = rows["recognised"].to_numpy(dtype=bool)
    number = _bins(p, bins)
    n = np.bincount(number, minlength=bins)
    hits = np.bincount(number[recognised], minlength=bins)
    table = pd.DataFrame({"bin_low": np.arange(bins) / bins, "bin_high": np.arange(1, bins + 1) / bins})
    table["n"], table["recognised"] = n, hits
    table["mean_confidence"] = share(np.bincount(number, weights=p, minlength=bins), n)
    table["accuracy"] = share(hits, n)
    table["low"], table["high"] = wilson(hits, n)
    table["gap"] = table["mean_confidence"] - table["accuracy"]
    return table


def calibration_error(rows: pd.DataFrame, *, bins: int = BINS, draws: int = 1000, seed: int = 0) -> CalibrationError:
    """Expected calibration error of ``rows`` with a bootstrap interval, and the signed gap.

    The interval is that of a parametric bootstrap by inversion (Carpenter, JRSS B 61 (1999) 159): of all multiples c of
    the gaps seen in the bins, those under which an error at least as high, and one at least as low, as the one seen
    have probabilities of 0.025 or more. Gaps are drawn as normal with the variance of confidence less answer in
    each bin, the rows of the bins from the multinomial. The lower end is at least that of the signed gap's size at
    99 %, which the error cannot be below. Without rows all figures are nan.

    What is not known, how the error lies over the bins, is allowed for, which widens the interval where gaps are about
    as large as their noise; of a calibrated model only the lower end can miss (benchmarks/coverage_regions.py).

    Args:
        rows: evaluated records of one scene and model of an audit.
        bins: of equal width over [0, 1].
        draws: of the bootstrap.
        seed: of the draws.

    Raises:
        RunError: a column is missing.
        ValueError: ``bins`` or ``draws`` is below 1.
    """
    if draws < 1:
        raise ValueError(f"calibration_error wants draws >= 1, got {draws}")
    table = reliability(rows, bins)
    total = len(rows)
    if not total:
        return CalibrationError(0, *[float("nan")] * 6)
    filled = table[table["n"] > 0]
    n, gap = filled["n"].to_numpy(dtype=np.float64), filled["gap"].to_numpy(dtype=np.float64)
    p = rows["top1_p"].to_numpy(dtype=np.float64)
    excess = p - rows["recognised"].to_numpy(dtype=np.float64)
    spread = _variance(n, filled["recognised"].to_numpy(), filled["mean_confidence"].to_numpy()) / n
    error = float((n * np.abs(gap)).sum() / total)
    low, high = _inverted(n, gap, spread, error, draws, np.random.default_rng(seed))
    mean, reach = float(excess.mean()), _Z * float(excess.std(ddof=1)) / total**0.5 if total > 1 else float("nan")
    if total > 1:
        low = max(low, min(abs(mean) - _Z_SURE / _Z * reach, high))
    return CalibrationError(total, error, low, high, mean, mean - reach, mean + reach)


def calibration_inside(
    rows: pd.DataFrame, familiar: Mask | Place, *, bins: int = BINS, draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Calibration of three sets of ``rows``: all, inside of ``familiar`` and outside, a row each.

    Columns: part ("all", "inside", "outside") and those of CalibrationError.

    Args:
        rows: evaluated records of one scene and model of an audit; for a region with FEATURE_COLUMNS.
        familiar: bool [n], or a region of pose space.
        bins, draws, seed: as ``calibration_error`` has them.

    Raises:
        RunError: a column is missing.
        ValueError: the mask has another length than ``rows``.
    """
    inside = np.asarray(familiar, dtype=bool) if isinstance(familiar, np.ndarray) else familiar.contains(rows)
    if inside.shape != (len(rows),):
        raise ValueError(f"calibration_inside wants a mask of {len(rows)} rows, got shape {inside.shape}")
    parts = {"all": rows, "inside": rows[inside], "outside": rows[~inside]}
    found = [
        {"part": part, **vars(calibration_error(of, bins=bins, draws=draws, seed=seed))} for part, of in parts.items()
    ]
    return pd.DataFrame(found)


def calibration(
    run: RunFolder,
    frame: pd.DataFrame | None = None,
    *,
    familiar: Place | None = None,
    bins: int = BINS,
    seed: int = 0,
) -> pd.DataFrame:
    """Calibration of each scene and model of ``run``, in the order of run.toml.

    Columns: scene, model, poses ("all", and where ``familiar`` is given "familiar" and "unfamiliar"), those of
    CalibrationError, note ("" or that there are too few poses to say), familiar (what that is), measure.

    Args:
        run: an audit.
        frame: ``outcomes(run, FEATURE_COLUMNS)`` where the caller has read it already.
        familiar: a ``Familiar`` or a region of pose space.
        bins, seed: as ``calibration_error`` has them.

    Raises:
        RunError: there are no records yet, or the run is a search.
    """
    require_audit(run)
    if frame is None:
        frame = outcomes(run, FEATURE_COLUMNS if familiar else ())
    found = []
    for scene in run.info.scenes:
        for model in run.info.models:
            parts = {"all": of_pair(frame, scene.name, model.name)}
            if familiar is not None:
                inside = familiar.contains(parts["all"])
                parts |= {"familiar": parts["all"][inside], "unfamiliar": parts["all"][~inside]}
            for poses, rows in parts.items():
                row = {"scene": scene.name, "model": model.name, "poses": poses}
                row |= vars(calibration_error(rows, bins=bins, seed=seed))
                row["note"] = "" if len(rows) >= FEWEST or poses == "all" else _too_few(poses, len(rows))
                found.append(row | {"familiar": familiar.words() if familiar else "", "measure": scene.measure})
    return pd.DataFrame(found)


def _too_few(poses: str, n: int) -> str:
    return f"{n} {poses} {'pose' if n == 1 else 'poses'}: too few to say (below {FEWEST})"


def _bins(p: Array, bins: int) -> NDArray[np.int64]:
    """The bin [n] of each probability; bin i is (i / bins, (i + 1) / bins], the first with 0."""
    number: NDArray[np.int64] = np.clip(np.ceil(p * bins).astype(np.int64) - 1, 0, bins - 1)
    return number


def _variance(n: Array, hits: Array, confidence: Array) -> Array:
    """Variance of one answer in each bin, of a share drawn towards the bin's confidence by the weight of _PRIOR_ROWS.

    A bin of few rows that were all answered alike would else have no noise at all.
    """
    answered = (hits + _PRIOR_ROWS * confidence) / (n + _PRIOR_ROWS)
    variance: Array = answered * (1 - answered)
    return variance


def _inverted(
    n: Array, gap: Array, spread: Array, error: float, draws: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The 95 % interval of the expected calibration error, by inversion over multiples of three patterns of gaps.

    How much the noise adds depends on how the true error lies over the bins: least if it is as large in each, most if
    all is in a few. Patterns of both kinds are tried, the second by shrinking gaps so that those within the noise
    vanish, and the gaps as seen; each end reaches to the farthest of the three.
    """
    total = n.sum()
    noise = rng.standard_normal((draws, len(n))) * np.sqrt(spread)
    weight = rng.multinomial(int(total), n / total, size=draws) / total
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.where(gap == 0, 0.0, gap * np.maximum(0, 1 - _SHRINK * spread / gap**2))
    ends = []
    for pattern in (gap, shrunk, np.sign(gap) * np.sqrt(np.abs(gap))):
        size = float((n * np.abs(pattern)).sum() / total)
        if size > 0:
            above = partial(_above, weight, noise, pattern / size, error)
            ends.append((_solve(above, error, 0.025), _solve(above, error, 0.975)))
    if not ends:
        return 0.0, 0.0
    return min(low for low, _ in ends), max(high for _, high in ends)


def _above(weight: Array, noise: Array, pattern: Array, error: float, size: float) -> float:
    """Share of draws, the true error being ``size``, whose plain error is at least ``error``."""
    return float((np.sum(weight * np.abs(size * pattern + noise), axis=1) >= error).mean())


def _solve(above: Callable[[float], float], error: float, level: float) -> float:
    """The true error, 0 to 1, at which ``above`` crosses ``level``; it rises but for the noise of the draws."""
    if above(0.0) >= level:
        return 0.0
    low, high = 0.0, max(error, 1e-6)
    while above(high) < level and high < 1:
        low, high = high, 2 * high
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if above(middle) < level else (low, middle)
    return min((low + high) / 2, 1.0)
