"""Paired intervals and tests against their defining equations, scipy, published values and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from posetest.analysis.paired import holm, mcnemar, paired_interval

Z2 = 3.841458820694124


def rejected_at(b: int, c: int, n: int, difference: float) -> float:
    """The squared score statistic, its nuisance share found by maximising the likelihood on a fine grid."""
    low, high = max(0.0, -difference), (1 - difference) / 2
    q = np.linspace(low, high, 400_001)[1:-1]
    likelihood = b * np.log(q + difference) + c * np.log(q) + (n - b - c) * np.log1p(-2 * q - difference)
    best = q[likelihood.argmax()]
    return float((b - c - n * difference) ** 2 / (n * (2 * best + difference * (1 - difference))))


@pytest.mark.parametrize(("b", "c", "n"), [(12, 5, 60), (3, 9, 40), (1, 1, 25), (40, 2, 90)])
def test_bounds_are_the_differences_whose_score_test_just_rejects(b: int, c: int, n: int) -> None:
    for bound in paired_interval(b, c, n):
        assert rejected_at(b, c, n, float(bound)) == pytest.approx(Z2, rel=2e-3)


def test_without_disagreement_the_bounds_are_those_of_the_closed_form() -> None:
    low, high = paired_interval(0, 0, 50)
    assert high == pytest.approx(Z2 / (50 + Z2))  # n d^2 / (d (1 - d)) = z^2
    assert low == -high


def test_swapping_the_two_mirrors_the_interval() -> None:
    low, high = paired_interval([3, 10], [8, 0], [40, 10])
    low_swapped, high_swapped = paired_interval([8, 0], [3, 10], [40, 10])
    np.testing.assert_array_equal([low, high], [-high_swapped, -low_swapped])


def test_winning_every_pose_reaches_a_difference_of_one() -> None:
    low, high = paired_interval(10, 0, 10)
    assert high == 1
    assert 0 < low < 1


def test_no_poses_give_nan_and_the_others_keep_their_bounds() -> None:
    low, high = paired_interval([0, 3], [0, 1], [0, 20])
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[1]) == paired_interval(3, 1, 20)


@pytest.mark.parametrize(
    ("p_a", "p_b", "n"), [(0.3, 0.2, 100), (0.05, 0.05, 200), (0.1, 0.01, 300), (0.01, 0.01, 1000)]
)
def test_coverage_is_nominal(p_a: float, p_b: float, n: int) -> None:
    cells = np.random.default_rng(n).multinomial(n, [p_a, p_b, 1 - p_a - p_b], size=8000)
    low, high = paired_interval(cells[:, 0], cells[:, 1], n)
    assert 0.93 <= np.mean((low <= p_a - p_b) & (p_a - p_b <= high)) <= 0.97


def test_the_test_is_a_binomial_test_of_the_disagreements() -> None:
    b, c = np.array([0, 1, 7, 30, 4]), np.array([5, 0, 7, 14, 10])
    expected = [binomtest(int(x), int(x + y), 0.5).pvalue for x, y in zip(b, c, strict=True)]
    np.testing.assert_allclose(mcnemar(b, c), expected, rtol=1e-9)
    assert mcnemar(0, 0) == 1


def test_holm_gives_the_values_of_its_definition_in_the_order_given() -> None:
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])
    np.testing.assert_allclose(holm([0.5, np.nan, 0.02]), [0.5, np.nan, 0.04])
    np.testing.assert_allclose(holm([0.9, 0.8]), [1.0, 1.0])
    assert len(holm([])) == 0


def test_holm_rejects_a_true_null_in_at_most_one_of_twenty_families() -> None:
    rng = np.random.default_rng(3)
    families = rng.random((2000, 8))
    wrong = np.mean([holm(p).min() < 0.05 for p in families])
    assert 0.03 < wrong < 0.065
    assert np.mean(families.min(axis=1) < 0.05) > 0.25  # what comes of not adjusting


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="only_a \\+ only_b <= n"):
        paired_interval(6, 5, 10)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        paired_interval(1, 1, 10, level=95)
    with pytest.raises(ValueError, match="wants counts"):
        mcnemar(-1, 3)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        holm([0.2, 1.2])
