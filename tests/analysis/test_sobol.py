"""Sobol indices against closed forms, scipy's own, and the truth of simulated 0-1 outcomes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.stats import qmc
from scipy.stats import sobol_indices as scipy_indices

from posetest.analysis.sobol import FEW_CHANGES, pair_interactions, sobol_indices
from posetest.analysis.sobol_counts import counted_first, counted_total

Array = NDArray[np.float64]
NAMES = ("yaw", "pitch", "roll")
TOLERANCE = 0.01  # of estimates from 2**13 rows of a scrambled Sobol sequence


def ishigami(unit: Array) -> Array:
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_truth() -> tuple[Array, Array, float]:
    """First order, total and the interaction of the first and third (Ishigami and Homma 1990)."""
    first = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2
    second = 7**2 / 8
    both = 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = first + second + both
    return np.array([first, second, 0]) / whole, np.array([first + both, second, both]) / whole, both / whole


def swapped(into: Array, source: Array) -> list[Array]:
    """``into`` with each column in turn from ``source``."""
    return [np.where(np.arange(into.shape[1]) == i, source, into) for i in range(into.shape[1])]


def design(f: Callable[[Array], Array], n: int, seed: int, k: int = 3, sobol: bool = False) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    points = qmc.Sobol(2 * k, rng=rng).random(n) if sobol else rng.random((n, 2 * k))
    a, b = points[:, :k], points[:, k:]
    mixed = {"f_ab": np.stack([f(x) for x in swapped(a, b)]), "f_ba": np.stack([f(x) for x in swapped(b, a)])}
    return {"f_a": f(a), "f_b": f(b)} | mixed


def indices(found: dict[str, Array], **options: int) -> pd.DataFrame:
    return sobol_indices(NAMES, found["f_a"], found["f_b"], found["f_ab"], **options)


def test_ishigamis_function_has_the_indices_of_its_closed_form() -> None:
    first, total, both = ishigami_truth()
    found = design(ishigami, 2**13, 0, sobol=True)
    table = indices(found, resamples=100)
    np.testing.assert_allclose(table["first"], first, atol=TOLERANCE)
    np.testing.assert_allclose(table["total"], total, atol=TOLERANCE)
    pairs = pair_interactions(NAMES, **found, resamples=100).set_index(["parameter_1", "parameter_2"])["interaction"]
    assert pairs["yaw", "roll"] == pytest.approx(both, abs=TOLERANCE)
    assert pairs["yaw", "pitch"] == pytest.approx(0, abs=TOLERANCE)
    assert pairs["pitch", "roll"] == pytest.approx(0, abs=TOLERANCE)


def test_parameters_of_a_sum_explain_their_variances_and_do_not_interact() -> None:
    weights = np.array([1.0, 2.0, 0.5])
    found = design(lambda unit: 50 + unit @ weights, 2**13, 1, sobol=True)
    table = indices(found, resamples=100)
    truth = weights**2 / (weights**2).sum()
    np.testing.assert_allclose(table["first"], truth, atol=TOLERANCE)
    np.testing.assert_allclose(table["total"], truth, atol=TOLERANCE)
    pairs = pair_interactions(NAMES, **found, resamples=100)
    np.testing.assert_allclose(pairs["interaction"], 0, atol=TOLERANCE)


def test_estimates_are_scipys_of_the_same_rows() -> None:
    found = design(ishigami, 512, 2)
    table = indices(found, resamples=100)
    shaped = {"f_A": found["f_a"][None], "f_B": found["f_b"][None], "f_AB": found["f_ab"][:, None]}
    expected = scipy_indices(func=shaped, n=512)
    # scipy divides by the variance of all rows of A and B as well
    np.testing.assert_allclose(table["first"], expected.first_order.ravel(), rtol=1e-9)
    np.testing.assert_allclose(table["total"], expected.total_order.ravel(), rtol=1e-9)


def test_an_interaction_without_any_first_order_is_seen_by_the_pair_alone() -> None:
    found = design(lambda unit: np.sign(unit[:, 0] - 0.5) * np.sign(unit[:, 2] - 0.5), 2**12, 3, sobol=True)
    table = indices(found).set_index("parameter")
    assert (table["first"].abs() < 0.03).all()
    np.testing.assert_allclose(table["total"], [1, 0, 1], atol=0.03)
    pairs = pair_interactions(NAMES, **found).set_index(["parameter_1", "parameter_2"])
    assert pairs.loc[("yaw", "roll"), "interaction"] == pytest.approx(1, abs=0.06)
    assert pairs.loc[("yaw", "roll"), "low"] < 1 < pairs.loc[("yaw", "roll"), "high"]
    assert np.isnan(pairs.loc[("yaw", "pitch"), "low"])  # the second never changes anything


def covered(f: Callable[[Array], Array], truth: Array, n: int, repeats: int, seed: int) -> Array:
    """Shares of repeats whose interval holds the truth [2 k], first orders then totals."""
    hits = np.zeros(len(truth))
    for repeat in range(repeats):
        table = indices(design(f, n, seed + repeat), resamples=150)
        low, high = (np.concatenate([table[f"first_{end}"], table[f"total_{end}"]]) for end in ("low", "high"))
        hits += (low <= truth) & (truth <= high)
    return hits / repeats


def test_bootstrap_intervals_of_ishigamis_function_cover_it() -> None:
    first, total, _ = ishigami_truth()
    shares = covered(ishigami, np.concatenate([first, total]), 400, 150, 1000)
    assert 0.92 <= shares.mean() <= 0.975
    assert shares.min() >= 0.87


def often_recognised(unit: Array) -> Array:
    """0-1: misread where the first is above 0.9, if the second is below 0.3 and whatever the third."""
    return 1.0 - (unit[:, 0] > 0.9) * (unit[:, 1] < 0.3)


def test_intervals_from_a_handful_of_changed_rows_still_cover_a_rare_failure() -> None:
    p = 0.1 * 0.3
    first = np.array([0.3 * p - p * p, 0.1 * p - p * p, 0]) / (p - p * p)
    total = np.array([0.3 * 0.09, 0.1 * 0.21, 0]) / (p - p * p)
    n = 200  # 11, 8 and 0 changed rows on average
    assert (indices(design(often_recognised, n, 0))["n_changed"] < FEW_CHANGES).all()
    shares = covered(often_recognised, np.concatenate([first, total]), n, 60, 2000)
    assert shares.min() >= 0.93


def test_what_is_counted_estimates_the_indices() -> None:
    p = 0.1 * 0.3
    for f in (often_recognised, lambda unit: 1 - often_recognised(unit)):
        found = design(f, 400_000, 9)
        a, b, ab = found["f_a"], found["f_b"], found["f_ab"]
        first, *first_bounds = counted_first(a, b, ab, 0.95)
        total, *total_bounds = counted_total(a, b, ab, 0.95)
        np.testing.assert_allclose(first, np.array([0.3 * p - p * p, 0.1 * p - p * p, 0]) / (p - p * p), atol=0.01)
        np.testing.assert_allclose(total, np.array([0.3 * 0.09, 0.1 * 0.21, 0]) / (p - p * p), atol=0.01)
        for value, (low, high) in ((first, first_bounds), (total, total_bounds)):
            assert (low <= value).all()
            assert (value <= high).all()
            assert (high - low < 0.04).all()


def test_of_a_rare_failure_an_index_is_told_within_less_than_all_there_is() -> None:
    tables = [indices(design(often_recognised, 256, seed), resamples=100) for seed in range(5)]
    widths = [(table["total_high"] - table["total_low"]).max() for table in tables]
    assert np.median(widths) < 0.8


def test_a_parameter_that_never_changes_a_row_has_bounds_and_not_a_certainty() -> None:
    found = design(lambda unit: 1.0 * (unit[:, 0] < 0.4), 300, 4)
    row = indices(found).iloc[1]
    assert (row["first"], row["total"], row["n_changed"]) == (0, 0, 0)
    # of the rows with the rarer answer at most so many lose it, and the index is this over the share of the other
    most = 3.8415 / (found["f_a"].sum() + 3.8415)
    assert row["total_high"] == pytest.approx(most / (2 - most) / 0.6, rel=0.05)
    assert row["first_low"] < 0 < row["first_high"]


def test_a_number_that_rarely_changes_has_no_bounds() -> None:
    row = indices(design(lambda unit: unit[:, 0] + 9 * (unit[:, 1] > 0.99), 300, 4)).iloc[1]
    assert 0 < row["n_changed"] < FEW_CHANGES
    assert row["total"] > 0
    assert np.isnan([row["first_low"], row["first_high"], row["total_low"], row["total_high"]]).all()


def test_rows_without_a_value_are_left_out_and_counted() -> None:
    found = design(ishigami, 300, 5)
    whole = indices({name: f[..., 4:] for name, f in found.items()})
    found["f_ab"][1, :3] = np.nan
    found["f_b"][3] = np.inf
    table = indices(found)
    assert set(table["n_left_out"]) == {4}
    pd.testing.assert_frame_equal(table.drop(columns="n_left_out"), whole.drop(columns="n_left_out"))


def test_an_outcome_that_does_not_vary_has_no_indices() -> None:
    found = design(lambda unit: np.ones(len(unit)), 50, 6)
    assert indices(found).filter(regex="first|total").isna().all(axis=None)
    assert pair_interactions(NAMES, **found)[["interaction", "low", "high"]].isna().all(axis=None)


def test_the_seed_decides_the_resampling() -> None:
    found = design(ishigami, 100, 7)
    pd.testing.assert_frame_equal(indices(found, seed=3), indices(found, seed=3))
    assert not indices(found, seed=3).equals(indices(found, seed=4))


def test_arrays_that_do_not_fit_are_refused_by_name() -> None:
    found = design(ishigami, 20, 8)
    with pytest.raises(ValueError, match=r"f_ab wants shape \[2, 20\], a row for each parameter, got \(3, 20\)"):
        sobol_indices(NAMES[:2], found["f_a"], found["f_b"], found["f_ab"])
    with pytest.raises(ValueError, match="f_a and f_b want the same shape"):
        sobol_indices(NAMES, found["f_a"], found["f_b"][1:], found["f_ab"])
    with pytest.raises(ValueError, match="two or more rows with finite outcomes"):
        sobol_indices(NAMES, found["f_a"] * np.nan, found["f_b"], found["f_ab"])
    with pytest.raises(ValueError, match="100 resamples or more"):
        indices(found, resamples=10)
    with pytest.raises(ValueError, match="two or more parameters"):
        pair_interactions(["yaw"], found["f_a"], found["f_b"], found["f_ab"][:1], found["f_ba"][:1])
