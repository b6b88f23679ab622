"""Exact intervals against the binomial test that they invert, and their closed forms at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from posetest.analysis.intervals import exact, upper_bound, wilson


@pytest.mark.parametrize(("k", "n"), [(0, 5), (1, 10), (5, 10), (468, 2000), (1999, 2000), (7, 7)])
@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_bounds_agree_with_the_exact_binomial_test_of_scipy(k: int, n: int, level: float) -> None:
    oracle = stats.binomtest(k, n).proportion_ci(level, method="exact")
    low, high = exact(k, n, level)
    assert (float(low), float(high)) == pytest.approx((oracle.low, oracle.high), abs=1e-12)
    one_sided = stats.binomtest(k, n, alternative="less").proportion_ci(level, method="exact")
    assert float(upper_bound(k, n, level)) == pytest.approx(one_sided.high, abs=1e-12)


def test_no_failure_in_n_draws_gives_the_rule_of_three() -> None:
    n = np.array([1, 30, 2000, 10**6])
    bound = upper_bound(0, n)
    assert bound == pytest.approx(1 - 0.05 ** (1 / n), rel=1e-9)
    assert bound[2] == pytest.approx(3 / 2000, rel=0.003)


def test_so_few_failures_have_one_chance_in_twenty_at_the_upper_bound() -> None:
    for failures, n in [(0, 40), (3, 100), (17, 5000)]:
        assert stats.binom.cdf(failures, n, float(upper_bound(failures, n))) == pytest.approx(0.05)


@pytest.mark.parametrize("n", [5, 20, 150])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_exact_coverage_is_never_below_the_level_where_wilson_is(n: int, level: float) -> None:
    k = np.arange(n + 1)
    shares = np.linspace(0.001, 0.999, 777)
    chance = stats.binom.pmf(k, n, shares[:, None])

    def coverage(bounds: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        return (chance * ((bounds[0] <= shares[:, None]) & (shares[:, None] <= bounds[1]))).sum(axis=1)

    assert coverage(exact(k, n, level)).min() >= level
    assert coverage(wilson(k, n, level)).min() < level
    assert coverage((np.zeros(n + 1), upper_bound(k, n, level))).min() >= level


def test_ends_are_exact_and_no_draws_give_nan() -> None:
    low, high = exact([0, 7, 0], [7, 7, 0])
    assert low[0] == 0
    assert high[1] == 1
    assert np.isnan([low[2], high[2], upper_bound(0, 0)]).all()
    assert upper_bound(3, 3) == 1


def test_impossible_counts_and_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="exact wants 0 <= k <= n"):
        exact([1, 3], 2)
    with pytest.raises(ValueError, match="upper_bound wants 0 <= k <= n"):
        upper_bound(np.nan, 2)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        upper_bound(0, 2, level=95)
