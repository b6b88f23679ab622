"""Wilson's interval against its defining equation, at its ends, and by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posetest.analysis.intervals import pooled_wilson, share, wilson


@pytest.mark.parametrize(("k", "n"), [(1, 10), (5, 10), (468, 2000), (1999, 2000)])
def test_bounds_are_the_shares_whose_score_test_just_rejects(k: int, n: int) -> None:
    z = 1.959963984540054
    for bound in wilson(k, n):
        assert abs(k / n - bound) == pytest.approx(z * math.sqrt(bound * (1 - bound) / n), rel=1e-9)


def test_no_success_gives_a_lower_bound_of_exactly_zero_and_all_an_upper_bound_of_one() -> None:
    low, high = wilson([0, 7], [7, 7])
    assert low[0] == 0
    assert high[1] == 1
    assert high[0] == pytest.approx(1 - low[1])
    assert high[0] == pytest.approx(3.8414588 / (7 + 3.8414588))


def test_no_draws_give_nan() -> None:
    low, high = wilson(0, 0)
    assert np.isnan(low)
    assert np.isnan(high)
    assert np.isnan(share(0, 0))


def test_a_higher_level_gives_a_wider_interval() -> None:
    (low, high), (lower, higher) = wilson(30, 100), wilson(30, 100, level=0.99)
    assert lower < low < high < higher


def test_more_successes_than_draws_are_refused() -> None:
    with pytest.raises(ValueError, match="0 <= k <= n"):
        wilson(3, 2)
    with pytest.raises(ValueError, match="level between 0 and 1"):
        wilson(1, 2, level=95)


@pytest.mark.parametrize("n", [20, 100, 2000])
def test_coverage_is_nominal_on_average_over_shares(n: int) -> None:
    rng = np.random.default_rng(n)
    true = np.repeat(rng.random(400), 100)
    low, high = wilson(rng.binomial(n, true), n)
    assert 0.93 <= np.mean((low <= true) & (true <= high)) <= 0.97


@pytest.mark.parametrize("true", [0.02, 0.2, 0.5, 0.9])
def test_coverage_is_nominal_at_a_given_share(true: float) -> None:
    low, high = wilson(np.random.default_rng(1).binomial(500, true, 20_000), 500)
    assert 0.93 <= np.mean((low <= true) & (true <= high)) <= 0.97


def test_what_strata_differ_by_does_not_widen_the_pooled_interval() -> None:
    k, n, draws = np.array([95, 5]), np.array([100, 100]), np.array([200, 200])
    low, high = pooled_wilson(k, n, draws)
    plain = wilson(100, 200)
    # half of the asked are successes, 0.95 and 0.05 of them: what the strata differ by is taken off the binomial 50
    between = 2 * 45.0**2 / 200
    assert (high - low) / (plain[1] - plain[0]) == pytest.approx(np.sqrt(1 - between / 50), rel=0.01)
    for found, expected in (
        (pooled_wilson([7], [30], [100]), wilson(7, 30)),
        (pooled_wilson([0, 0], [10, 20], [10, 20]), wilson(0, 30)),
    ):
        assert [float(bound) for bound in found] == pytest.approx([float(bound) for bound in expected])


def test_pooled_intervals_hold_the_truth_over_very_unlike_strata() -> None:
    rng = np.random.default_rng(3)
    asked = rng.binomial(500, [0.3, 0.3], (4000, 2))
    low, high = pooled_wilson(rng.binomial(asked, [0.99, 0.2]), asked, 500)
    held = ((low <= 0.595) & (high >= 0.595)).mean()
    assert 0.94 < held < 0.96
