"""Two models on identical poses, whose difference is known cell by cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulated_run import simulate

from posetest.analysis.contrast import (
    benjamini_hochberg,
    cell_contrast,
    direction_contrast,
    rotation_contrast,
)
from posetest.analysis.density import QUATERNION
from posetest.analysis.maps import rotation_rates
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.analysis.paired import holm
from posetest.analysis.pairs import paired_rows
from posetest.errors import RunError
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction


def two_models(poses: int, seed: int, gap: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of two models of rate 0.8 on ``poses`` rotations; from behind the second has ``gap`` less."""
    rng = np.random.default_rng(seed)
    quaternions = rng.standard_normal((poses, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    behind = viewing_direction(quaternion_to_matrix(quaternions))[:, 2] < 0
    frame = pd.DataFrame(quaternions, columns=list(QUATERNION))
    frame["index"] = np.arange(poses)
    hard = rng.random(poses)  # both find the same poses hard
    rates = (np.full(poses, 0.8), np.where(behind, 0.8 - gap, 0.8))
    rows = [frame.assign(recognised=0.7 * hard + 0.3 * rng.random(poses) < mixed_quantile(rate)) for rate in rates]
    return rows[0], rows[1]


def mixed_quantile(rate: np.ndarray) -> np.ndarray:
    """The quantile at ``rate`` of 0.7 U + 0.3 V for uniform U and V, by its closed distribution function."""
    grid = np.linspace(0, 1, 2001)
    low, high = 0.3, 0.7
    below = np.where(
        grid < low,
        grid**2 / (2 * low * high),
        np.where(grid < high, (grid - low / 2) / high, 1 - (1 - grid) ** 2 / (2 * low * high)),
    )
    return np.interp(rate, below, grid)


def test_the_cells_behind_differ_and_the_cells_in_front_do_not() -> None:
    table = direction_contrast(*two_models(20_000, 1, gap=0.3), nside=4)
    towards_front = np.cos(np.radians(table["elevation_deg"])) * np.cos(np.radians(table["azimuth_deg"]))
    behind, front = table[towards_front < -0.3], table[towards_front > 0.3]
    assert behind["differs"].mean() > 0.95
    assert front["differs"].sum() <= 2
    assert front["differs_surely"].sum() == 0
    assert 0.88 <= ((behind["low"] <= 0.3) & (behind["high"] >= 0.3)).mean() <= 1
    assert behind["difference"].mean() == pytest.approx(0.3, abs=0.02)


def test_models_that_agree_differ_in_no_cell_in_at_least_nineteen_of_twenty_runs() -> None:
    found = [direction_contrast(*two_models(3000, seed, gap=0.0), nside=3) for seed in range(40)]
    assert np.mean([table["differs"].any() for table in found]) <= 0.125  # 5 % at most; 40 runs
    assert sum(table["difference"].mean() for table in found) / 40 == pytest.approx(0, abs=0.005)


def test_counts_of_a_cell_are_brute_force_counts() -> None:
    first, second = two_models(500, 3, gap=0.2)
    table = rotation_contrast(first, second, nside=1, turns=2)
    assert table["n"].tolist() == rotation_rates(first, 1, 2)["n"].tolist()
    assert (table["both"] + table["only_first"]).tolist() == rotation_rates(first, 1, 2)["recognised"].tolist()
    assert (table["both"] + table["only_second"]).tolist() == rotation_rates(second, 1, 2)["recognised"].tolist()
    assert table["both"].sum() == (first["recognised"] & second["recognised"]).sum()
    assert table["neither"].sum() == (~first["recognised"] & ~second["recognised"]).sum()
    np.testing.assert_allclose(table["difference"], table["rate_first"] - table["rate_second"], atol=1e-12)


def test_exchanging_the_models_turns_the_sign() -> None:
    first, second = two_models(900, 4, gap=0.2)
    one, other = direction_contrast(first, second), direction_contrast(second, first)
    np.testing.assert_allclose(one["difference"], -other["difference"])
    np.testing.assert_allclose(one["low"], -other["high"], atol=1e-12)
    np.testing.assert_array_equal(one["p_bh"], other["p_bh"])


def test_adjusted_p_values_are_those_of_the_step_procedures() -> None:
    p = np.random.default_rng(0).beta(0.3, 1, 40)
    p[[3, 7]] = np.nan
    tested = np.sort(p[~np.isnan(p)])
    count = len(tested)
    for alpha in (0.01, 0.05, 0.2, 0.5):
        passing = [k for k in range(1, count + 1) if tested[k - 1] <= k * alpha / count]
        assert (benjamini_hochberg(p) <= alpha).sum() == max(passing, default=0)
        failing = [k for k in range(count) if tested[k] > alpha / (count - k)]
        assert (holm(p) <= alpha).sum() == min(failing, default=count)
    assert np.isnan(holm(p)[[3, 7]]).all()
    assert np.isnan(benjamini_hochberg(np.full(3, np.nan))).all()


def test_empty_cells_are_no_tests() -> None:
    pairs = pd.DataFrame({"recognised_first": [True] * 10, "recognised_second": [False] * 10})
    table = cell_contrast(pairs, np.full(10, 2), 5)
    assert table["p_holm"][2] == table["p_bh"][2] == table["p"][2] == pytest.approx(2 / 2**10)
    assert table["differs"].tolist() == [False, False, True, False, False]
    assert table.loc[[0, 1, 3, 4], ["rate_first", "difference", "low", "p", "p_bh", "p_holm"]].isna().all().all()


def test_two_models_of_a_run_are_compared_on_the_poses_both_answered(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", models=["one", "two"], poses=300, failed=4)
    first, second = (of_pair(outcomes(run, [*QUATERNION, "index"]), "jeep", model) for model in ("one", "two"))
    pairs = paired_rows(first.iloc[::-1], second.iloc[10:])
    assert pairs["index"].tolist() == list(range(14, 300))
    expected = first.set_index("index")["recognised"].loc[pairs["index"]]
    assert pairs["recognised_first"].tolist() == expected.tolist()


def test_what_is_no_pair_is_refused() -> None:
    first, second = two_models(20, 0, gap=0.1)
    with pytest.raises(RunError, match="no pose in common"):
        paired_rows(first, second.assign(index=second["index"] + 100))
    with pytest.raises(RunError, match="an index is there twice"):
        paired_rows(pd.concat([first, first]), second)
    with pytest.raises(RunError, match="pose 3 is not the same"):
        paired_rows(first, second.assign(qw=np.where(second["index"] == 3, -second["qw"], second["qw"])))
    with pytest.raises(RunError, match="needs the column index"):
        paired_rows(first.drop(columns="index"), second)
    with pytest.raises(ValueError, match="alpha between 0 and 1"):
        direction_contrast(first, second, alpha=1.0)


def test_a_quaternion_and_its_negative_are_one_pose() -> None:
    first, second = two_models(20, 0, gap=0.1)
    turned = second.assign(**{name: -second[name] for name in QUATERNION})
    pd.testing.assert_frame_equal(paired_rows(first, turned), paired_rows(first, second))
