"""Numbers of distinct labels, and how far two sets of them are the same, as equally many misread poses would show them.

More poses show more labels, so that neither the number of labels nor the share of common ones (Jaccard's index) of two
runs can be compared as counted. Both are told here as their expectation for m poses drawn from those there are, for
which there is a closed form, with the interval of a jackknife over poses: what is estimated, the expectation for m
fresh poses, does not depend on how many there are.

Source: rarefaction, Hurlbert, Ecology 52 (1971) 577; its estimate is a U-statistic, whose variance the jackknife tells,
Arvesen, Annals of Mathematical Statistics 40 (1969) 2076.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]

#: Misread poses that label sets are told for where there are twice as many.
STANDARD = 100
_FEWEST_COMMON = 5
_HALVES = 8
#: Sets of fewer misread poses are not compared.
FEWEST = 20


def common_size(sizes: Sequence[int]) -> int:
    """For how many misread poses sets of ``sizes`` are compared: 100, or half of the smallest of 20 and more; else 0.

    Half, because the jackknife knows the spread of small parts of what there is.
    """
    enough = [size for size in sizes if size >= FEWEST]
    return min(STANDARD, min(enough) // 2) if enough else 0


def rarefied_count(counts: Array, m: int, level: float = 0.95) -> tuple[float, float, float]:
    """Distinct labels expected among ``m`` misread poses, with its interval; nan where there are fewer than 2 m.

    Args:
        counts: [k], poses of each label, 1 or more.
        m: poses drawn.
        level: of the interval, which is normal in the logarithm.
    """
    n = float(counts.sum())
    if m < 1 or n < 2 * m:
        return (float("nan"),) * 3
    value = float(_seen(counts, n, m).sum())
    without = _seen(counts, n - 1, m)
    left_out = without.sum() - without + _seen(counts - 1, n - 1, m)
    error = _jackknife(left_out, counts)
    reach = float(np.exp(NormalDist().inv_cdf(0.5 + level / 2) * error / value))
    return value, max(value / reach, 1.0), min(value * reach, float(m))


def comparable_size(first: pd.Series, second: pd.Series) -> int:
    """How many misread poses ``rarefied_jaccard`` can draw of each: 0 where there are too few of one."""
    parts = _independent(first, second)
    sizes = [len(labels) for pair in parts for labels in pair]
    return common_size(sizes) if min(sizes) >= FEWEST else 0


def rarefied_jaccard(first: pd.Series, second: pd.Series, m: int, level: float = 0.95) -> tuple[float, float, float]:
    """Labels common to ``m`` misread poses of each over labels of either, both as expected; with its interval.

    The draws of both are independent of each other. Where the same poses were seen in both lightings, labels of one
    half of the poses are held against those of the other half, both ways round, and the mean is told: the labels of
    one pose hang together, and would count as more in common than independent poses have.

    nan where one of them has fewer than 2 m, in halves fewer than 2 m in each. The interval is normal in the logit;
    it is nan where fewer than 5 labels are common.

    Args:
        first, second: labels of misread poses; where both have an index value, these are one pose (in two lightings).
        m: poses drawn of each.
        level: of the interval.
    """
    nothing = (float("nan"),) * 3
    parts = _independent(first, second)
    if m < 1 or min(len(labels) for pair in parts for labels in pair) < 2 * m:
        return nothing
    names = pd.Index(sorted({*first, *second}))
    changes: dict[str, list[pd.Series]] = {"first": [], "second": []}
    values = []
    for pair in parts:
        counts = [np.bincount(names.get_indexer(labels), minlength=len(names)).astype(float) for labels in pair]
        value, *without = _leave_one_out(counts[0], counts[1], m)
        values.append(value)
        for side, labels, left_out in zip(changes, pair, without, strict=True):
            changes[side].append(pd.Series((left_out - value)[names.get_indexer(labels)], index=labels.index))
    value = float(np.mean(values))
    # a pose of both lightings is left out of both at once
    shifts = pd.concat([pd.concat(changes["first"]), pd.concat(changes["second"])], axis=1).fillna(0.0)
    change = shifts.sum(axis=1).to_numpy() / len(parts)
    error = _jackknife(change, np.ones(len(change)))
    if len(set(first) & set(second)) < _FEWEST_COMMON or not 0 < value < 1:
        return value, *nothing[1:]
    centre, scale = np.log(value / (1 - value)), error / (value * (1 - value))
    reach = NormalDist().inv_cdf(0.5 + level / 2) * scale
    low, high = (float(1 / (1 + np.exp(-(centre + sign * reach)))) for sign in (-1, 1))
    return value, low, high


def _independent(first: pd.Series, second: pd.Series) -> list[tuple[pd.Series, pd.Series]]:
    """Pairs of labels of different poses: both as they are, or where they share poses, by halves of these."""
    if not len(first.index.intersection(second.index)):
        return [(first, second)]
    # by the order of poses and not by their number's parity: a Sobol sequence has structure there
    poses = first.index.union(second.index)
    half = poses[np.random.default_rng(0).permutation(len(poses))[: len(poses) // 2]]
    is_in = [labels.index.isin(half) for labels in (first, second)]
    return [(first[is_in[0]], second[~is_in[1]]), (first[~is_in[0]], second[is_in[1]])]


def _leave_one_out(first: Array, second: Array, m: int) -> tuple[float, Array, Array]:
    """The index of label counts [k] and [k], and [k] without a pose of each label of the first, of the second."""
    chances = [_seen(counts, counts.sum(), m) for counts in (first, second)]
    found = []
    for counts, other in ((first, chances[1]), (second, chances[0])):
        # without a pose all chances change with n, and its label's with its count
        rest = _seen(counts, counts.sum() - 1, m)
        fewer = _seen(np.maximum(counts - 1, 0), counts.sum() - 1, m) - rest
        common = float((rest * other).sum()) + fewer * other
        found.append(common / (rest.sum() + fewer + other.sum() - common))
    return _jaccard(chances), found[0], found[1]


def alike_jaccard(first: pd.Series, second: pd.Series, m: int) -> float:
    """What ``rarefied_jaccard`` would be about if both drew their labels alike: below 1, as labels are seen by chance.

    The mean over a few random halves of the poses of both, taken together; nan where one of them has fewer than 2 m.
    """
    if m < 1 or min(len(first), len(second)) < 2 * m:
        return float("nan")
    labels = pd.concat([first, second])
    poses, values = labels.index.unique(), []
    for seed in range(_HALVES):
        # by poses, as in ``_independent``: both labels of one are in the same half
        chosen = np.random.default_rng(seed).permutation(len(poses))[: len(poses) // 2]
        is_in = labels.index.isin(poses[chosen])
        names = pd.Index(labels.unique())
        halves = [np.bincount(names.get_indexer(labels[part]), minlength=len(names)) for part in (is_in, ~is_in)]
        values.append(_jaccard([_seen(half.astype(np.float64), float(half.sum()), m) for half in halves]))
    return float(np.mean(values))


def _seen(counts: Array, n: float, m: int) -> Array:
    """Chance [k] that m of n poses, drawn without replacement, show a label that ``counts`` of them have."""
    rest = n - counts
    with np.errstate(invalid="ignore"):
        missed = np.exp(gammaln(rest + 1) - gammaln(rest - m + 1) - gammaln(n + 1) + gammaln(n - m + 1))
    seen: Array = np.where(rest < m, 1.0, 1 - missed)
    return np.where(counts <= 0, 0.0, seen)


def _jaccard(chances: Sequence[Array]) -> float:
    first, second = chances
    common = float((first * second).sum())
    whole = float(first.sum() + second.sum()) - common
    return common / whole if whole > 0 else 0.0


def _jackknife(left_out: Array, times: Array) -> float:
    """Standard error from the values without a pose, each of which stands for ``times`` poses."""
    n = float(times.sum())
    mean = float((times * left_out).sum()) / n
    return float(np.sqrt((n - 1) / n * (times * (left_out - mean) ** 2).sum()))
