"""Calibration of answers whose true accuracy at each confidence is known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from planted_failures import haar_poses
from simulated_run import simulate

from posetest.analysis.calibration import calibration, calibration_error, calibration_inside, reliability
from posetest.analysis.features import FEATURE_COLUMNS
from posetest.analysis.intervals import wilson
from posetest.analysis.labels import Marked
from posetest.analysis.outcomes import outcomes
from posetest.analysis.regions import Bound, Region
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report.answers import calibrated_by_familiarity


def answers(n: int, seed: int, over: float = 0.0) -> pd.DataFrame:
    """Rows whose confidence p, uniform from 0.3 to 1, is right with probability p - ``over``."""
    rng = np.random.default_rng(seed)
    p = rng.uniform(0.3, 1, n)
    return pd.DataFrame({"top1_p": p, "recognised": rng.random(n) < np.maximum(p - over, 0)})


def test_bins_hold_what_a_count_by_hand_holds() -> None:
    rows = answers(700, 1)
    table = reliability(rows, bins=10)
    assert table["n"].sum() == 700
    for row in table.itertuples():
        inside = rows[(rows["top1_p"] > row.bin_low) & (rows["top1_p"] <= row.bin_high)]
        assert row.n == len(inside)
        if len(inside):
            assert row.accuracy == pytest.approx(inside["recognised"].mean())
            assert row.mean_confidence == pytest.approx(inside["top1_p"].mean())
            assert (row.low, row.high) == pytest.approx([float(b) for b in wilson(row.recognised, row.n)])
            assert row.gap == pytest.approx(row.mean_confidence - row.accuracy)
        else:
            assert np.isnan([row.accuracy, row.low, row.gap]).all()


def test_the_ends_of_the_scale_belong_to_the_first_and_last_bin() -> None:
    table = reliability(pd.DataFrame({"top1_p": [0.0, 0.5, 1.0], "recognised": [False, True, True]}), bins=2)
    assert table["n"].tolist() == [2, 1]


def test_the_error_is_the_weighted_distance_of_four_rows() -> None:
    rows = pd.DataFrame({"top1_p": [0.9, 0.9, 0.9, 0.2], "recognised": [True, False, False, True]})
    found = calibration_error(rows, bins=2)
    assert found.ece == pytest.approx(0.75 * (0.9 - 1 / 3) + 0.25 * 0.8)
    assert found.gap == pytest.approx(0.725 - 0.5)


def test_the_interval_of_a_calibrated_model_reaches_to_zero_though_the_plain_figure_does_not() -> None:
    reached = [calibration_error(answers(400, seed), draws=300).ece_low == 0 for seed in range(30)]
    assert calibration_error(answers(400, 0), draws=300).ece > 0.02
    assert np.mean(reached) >= 0.85


@pytest.mark.parametrize("over", [0.1, 0.25])
def test_intervals_hold_the_true_error_of_a_model_that_is_too_sure(over: float) -> None:
    held, signed = [], []
    for seed in range(60):
        found = calibration_error(answers(800, 100 + seed, over), draws=200, seed=seed)
        held.append(found.ece_low <= over <= found.ece_high)
        signed.append(found.gap_low <= over <= found.gap_high)
        assert found.ece_low > 0
    # of 60 at 0.95, 51 or fewer come with probability 0.003
    assert sum(held) >= 52
    assert sum(signed) >= 52


def test_errors_in_both_directions_cancel_in_the_gap_and_not_in_the_error() -> None:
    rng = np.random.default_rng(5)
    p = rng.uniform(0, 1, 20_000)
    rows = pd.DataFrame({"top1_p": p, "recognised": rng.random(20_000) < 0.5 + 0.4 * (p - 0.5)})
    found = calibration_error(rows)
    # the mean of 0.6 |p - 0.5| over [0, 1] is 0.15
    assert found.ece_low < 0.15 < found.ece_high
    assert found.ece_high - found.ece_low < 0.04
    assert found.gap_low < 0 < found.gap_high


def test_a_region_and_its_mask_tell_the_same_inside_and_outside() -> None:
    rows = pd.concat([haar_poses(4000, 1), answers(4000, 1)], axis=1)
    region = Region((Bound("azimuth", -np.inf, 60, "mirror"),))
    inside = region.contains(rows)
    outside = ~inside
    rng = np.random.default_rng(0)
    rows.loc[outside, "recognised"] = rng.random(outside.sum()) < rows.loc[outside, "top1_p"] - 0.3
    table = calibration_inside(rows, region).set_index("part")
    assert table.equals(calibration_inside(rows, inside).set_index("part"))
    assert table.loc["inside", "n"] + table.loc["outside", "n"] == table.loc["all", "n"] == 4000
    assert table.loc["inside", "ece_high"] < 0.08
    assert table.loc["outside", "ece_low"] > 0.2
    assert table.loc["outside", "gap"] == pytest.approx(0.3, abs=0.03)


def test_a_run_has_a_row_for_each_scene_model_and_part(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["jeep", "van"], models=["a", "b"], poses=300, failed=9)
    table = calibration(run)
    keys = list(zip(table["scene"], table["model"], table["poses"], strict=True))
    assert keys == [(s, m, "all") for s in ("jeep", "van") for m in ("a", "b")]
    assert table["n"].tolist() == [291] * 4
    # recognised in half of the poses, with a mean confidence of 0.6 whether or not it is
    assert table["gap"].to_numpy() == pytest.approx(np.full(4, 0.1), abs=0.1)
    parts = calibration(run, familiar=Region((Bound("azimuth", -np.inf, 90, "mirror"),)))
    assert parts["poses"].tolist() == ["all", "familiar", "unfamiliar"] * 4
    # the front half is recognised in 0.9, the back half in 0.1
    assert (parts[parts["poses"] == "familiar"]["gap_high"] < 0).all()
    assert (parts[parts["poses"] == "unfamiliar"]["gap_low"] > 0.3).all()


def test_familiar_poses_are_told_apart_in_words_and_few_of_them_are_said_to_be_few(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=3000, space=SpaceConfig())
    rows = calibration(run, familiar=Region((Bound("azimuth", -np.inf, 90, "mirror"),))).to_dict(orient="records")
    text = calibrated_by_familiarity(rows)
    assert f"in familiar poses (n = {rows[1]['n']:,}, −" in text  # too modest from the front
    assert f"in unfamiliar poses (n = {rows[2]['n']:,}, +" in text
    assert "Familiar: azimuth within ±90 degrees" in text
    frame = outcomes(run, FEATURE_COLUMNS)
    front = Marked("the first few", np.arange(len(frame)) < 7)
    few = calibration(run, frame, familiar=front)
    assert few["note"].tolist() == ["", "7 familiar poses: too few to say (below 50)", ""]
    assert "7 familiar poses: too few to say (below 50)" in calibrated_by_familiarity(few.to_dict("records"))


def test_the_error_is_at_least_the_gap() -> None:
    rng = np.random.default_rng(5)
    p = rng.beta(3, 2, 4000)
    found = calibration_error(pd.DataFrame({"top1_p": p, "recognised": rng.random(4000) < p - 0.2}))
    assert found.ece_low >= found.gap_low - (found.gap_high - found.gap_low) / 4
    assert found.ece_low < 0.2 < found.ece_high


def test_no_rows_give_nan_and_bad_input_is_named(tmp_path: Path) -> None:
    found = calibration_error(answers(0, 1))
    assert found.n == 0
    assert np.isnan([found.ece, found.ece_low, found.gap_high]).all()
    with pytest.raises(ValueError, match="a mask of 5 rows"):
        calibration_inside(answers(5, 1), np.ones(4, dtype=bool))
    with pytest.raises(ValueError, match="bins >= 1"):
        reliability(answers(5, 1), bins=0)
    with pytest.raises(RunError, match="needs the column top1_p"):
        reliability(answers(5, 1)[["recognised"]])
    run = simulate(tmp_path / "run", poses=5)
    with pytest.raises(RunError, match="chooses its poses"):
        calibration(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))
