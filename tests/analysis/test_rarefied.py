"""Rarefied sets of labels: against all subsets, against fresh draws, and where lightings share their poses."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from posetest.analysis.rarefied import alike_jaccard, common_size, comparable_size, rarefied_count, rarefied_jaccard

CHANCE = 1 / np.arange(1, 201)
CHANCE /= CHANCE.sum()


def drawn(rng: np.random.Generator, n: int, chance: np.ndarray = CHANCE, first: int = 0) -> pd.Series:
    return pd.Series(rng.choice(len(chance), n, p=chance).astype(str), index=np.arange(first, first + n))


def test_the_expected_number_is_the_mean_over_all_subsets() -> None:
    labels = ["a"] * 4 + ["b"] * 2 + ["c", "d"]
    sets = [len(set(chosen)) for chosen in itertools.combinations(labels, 3)]
    value, low, high = rarefied_count(np.array([4.0, 2, 1, 1]), 3)
    assert value == pytest.approx(np.mean(sets))
    assert low < value < high


def test_the_expected_overlap_is_that_of_all_pairs_of_subsets() -> None:
    one = pd.Series(list("aaaabbcd"))
    two = pd.Series(list("abbbbcee"), index=range(100, 108))
    common, whole = [], []
    for first in map(set, itertools.combinations(one, 3)):
        for second in map(set, itertools.combinations(two, 3)):
            common.append(len(first & second))
            whole.append(len(first | second))
    value, low, _ = rarefied_jaccard(one, two, 3)
    assert value == pytest.approx(np.mean(common) / np.mean(whole))
    assert np.isnan(low)  # three common labels are too few for an interval


def test_intervals_hold_what_fresh_poses_show() -> None:
    shown = 1 - (1 - CHANCE) ** 50
    other = np.roll(shown, 30)
    overlap = (shown * other).sum() / (shown + other - shown * other).sum()
    rng = np.random.default_rng(0)
    counts, sets = [], []
    for _ in range(60):
        one, two = drawn(rng, 300), drawn(rng, 300, np.roll(CHANCE, 30), first=300)
        _, low, high = rarefied_count(one.value_counts().to_numpy(dtype=float), 50)
        counts.append(low <= shown.sum() <= high)
        _, low, high = rarefied_jaccard(one, two, 50)
        sets.append(low <= overlap <= high)
    assert min(sum(counts), sum(sets)) >= 52  # of 60 at 0.95, fewer come with probability 0.005


def test_poses_seen_in_both_lightings_do_not_count_as_more_in_common() -> None:
    shown = 1 - (1 - CHANCE) ** 50
    overlap = float((shown**2).sum() / (2 * shown - shown**2).sum())
    rng = np.random.default_rng(1)
    values = []
    for _ in range(30):
        one = drawn(rng, 400)
        values.append(rarefied_jaccard(one, one.where(rng.random(400) < 0.8, drawn(rng, 400)), 50)[0])
    assert np.mean(values) == pytest.approx(overlap, abs=0.01)
    alike = [alike_jaccard(drawn(rng, 400), drawn(rng, 400, first=400), 50) for _ in range(30)]
    assert np.mean(alike) == pytest.approx(overlap, abs=0.01)


def test_too_few_poses_are_not_compared() -> None:
    assert [common_size(sizes) for sizes in ([], [19], [20], [19, 60], [1000, 300])] == [0, 0, 10, 30, 100]
    few = pd.Series(list("ab") * 9)
    assert comparable_size(few, few) == 0
    assert comparable_size(pd.Series(list("ab") * 30), pd.Series(list("ac") * 30)) == 15  # halves of 30
    assert np.isnan(rarefied_count(np.array([5.0, 4]), 5)).all()
    assert np.isnan(rarefied_jaccard(few, few, 5)).all()
