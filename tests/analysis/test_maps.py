"""Maps of simulated answers whose confidence, labels and dependence on roll are known."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from simulated_run import simulate

from posetest.analysis.audits import require_audit
from posetest.analysis.density import QUATERNION, direction_rates
from posetest.analysis.intervals import wilson
from posetest.analysis.maps import choose_rotation_nside, direction_labels, direction_scores, rotation_rates
from posetest.analysis.means import FEWEST, cell_means
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.geometry.so3 import euler_to_matrix, matrix_to_quaternion, quaternion_to_matrix, viewing_direction

LABELS = np.array(["jeep", "minibus", "toaster", "crate"])


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """20,000 Haar-uniform rotations: a jeep from the front, from behind mostly a minibus; more certain from the top."""
    rng = np.random.default_rng(5)
    quaternions = rng.standard_normal((20_000, 4))
    quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
    directions = viewing_direction(quaternion_to_matrix(quaternions))
    behind = rng.choice([1, 1, 1, 2, 3], 20_000)
    label = np.where(directions[:, 2] > 0, 0, behind)
    frame = pd.DataFrame(quaternions, columns=list(QUATERNION))
    frame["top1_label"], frame["recognised"] = pd.Categorical(LABELS[label]), label == 0
    frame["misread"] = ~frame["recognised"]
    frame["top1_p"] = (0.5 + 0.3 * directions[:, 1] + 0.2 * (rng.random(20_000) - 0.5)).astype(np.float32)
    frame["entropy"] = (2 - directions[:, 1] + 0.5 * (rng.random(20_000) - 0.5)).astype(np.float32)
    frame["confident"] = frame["misread"] & (frame["top1_p"] >= 0.7)
    return frame


def test_mean_confidence_follows_the_elevation_it_depends_on(rows: pd.DataFrame) -> None:
    table = direction_scores(rows, nside=4)
    # HEALPix cells of one ring have one centre; the mean height over a cell is within half a ring of it
    height = np.sin(np.radians(table["elevation_deg"]))
    assert np.abs(table["confidence"] - (0.5 + 0.3 * height)).max() < 0.05
    assert np.abs(table["entropy"] - (2 - height)).max() < 0.15
    assert table["confidence"].mul(table["n"]).sum() / len(rows) == pytest.approx(rows["top1_p"].mean(), abs=1e-6)
    assert (table["confidence_low"] < table["confidence"]).all()
    assert (table["entropy_high"] > table["entropy"]).all()


def test_the_map_of_scores_holds_the_map_of_rates(rows: pd.DataFrame) -> None:
    rates = direction_rates(rows, nside=3)
    pd.testing.assert_frame_equal(direction_scores(rows, nside=3)[list(rates.columns)], rates)


def test_cells_of_the_map_of_scores_hold_enough_poses_for_an_interval(rows: pd.DataFrame) -> None:
    table = direction_scores(rows)
    assert len(table) == 12 * 5**2
    assert (table["n"] >= FEWEST).mean() > 0.97


def test_cell_means_agree_with_pandas_and_stay_in_their_range() -> None:
    rng = np.random.default_rng(0)
    values, cells = rng.beta(9, 0.5, 4000), rng.integers(0, 20, 4000)
    mean, low, high = cell_means(values, cells, 21, upper=1.0)
    assert mean[:20] == pytest.approx(pd.Series(values).groupby(cells).mean().to_numpy())
    assert np.isnan([mean[20], low[20], high[20]]).all()
    assert ((low > 0) & (low < mean) & (mean < high) & (high < 1))[:20].all()


def test_the_interval_of_a_mean_is_that_of_student_where_scores_are_far_from_the_ends() -> None:
    from scipy import stats

    values = 0.5 + 0.001 * np.random.default_rng(1).standard_normal(200)
    _, low, high = cell_means(values, np.zeros(200, dtype=np.int64), 1, upper=1.0)
    expected = stats.t.interval(0.95, 199, values.mean(), stats.sem(values))
    assert [low[0], high[0]] == pytest.approx(expected, abs=1e-7)
    _, low, high = cell_means(values, np.zeros(200, dtype=np.int64), 1)
    assert [low[0], high[0]] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("values", [np.linspace(0, 1, FEWEST - 1), np.full(50, 0.25), np.ones(50), np.zeros(50)])
def test_few_or_equal_scores_have_a_mean_and_no_interval(values: np.ndarray) -> None:
    mean, low, high = cell_means(values, np.zeros(len(values), dtype=np.int64), 1, upper=1.0)
    assert mean[0] == pytest.approx(values.mean())
    assert np.isnan(low[0])
    assert np.isnan(high[0])


def test_a_probability_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="from 0 to 1.0, got 0.5 to 1.5"):
        cell_means([0.5, 1.5], np.zeros(2, dtype=np.int64), 1, upper=1.0)


def test_labels_come_by_frequency_and_their_densities_integrate_to_one(rows: pd.DataFrame) -> None:
    table = direction_labels(rows, nside=4, top=3)
    counts = rows["top1_label"].astype(str).value_counts()
    assert list(dict.fromkeys(table["label"])) == ["jeep", "minibus", max(("crate", "toaster"), key=counts.get)]
    for label, cells in table.groupby("label"):
        assert cells["count"].sum() == counts[label]
        assert (cells["density"] * 4 * np.pi / 192).sum() == pytest.approx(1)
        assert set(cells["accepted"]) == {label == "jeep"}
        assert (cells["density_low"] <= cells["density"]).all()


def test_the_share_of_a_label_is_what_the_model_says_from_there(rows: pd.DataFrame) -> None:
    table = direction_labels(rows, nside=4)
    towards_front = np.cos(np.radians(table["elevation_deg"])) * np.cos(np.radians(table["azimuth_deg"]))
    minibus = table[table["label"] == "minibus"]
    behind, front = minibus[towards_front[minibus.index] < -0.3], minibus[towards_front[minibus.index] > 0.3]
    assert (front["count"] == 0).all()
    assert 0.9 < ((behind["low"] <= 0.6) & (behind["high"] >= 0.6)).mean() <= 1
    # uniform over the half sphere behind: 1 / (2 pi) a steradian; a label's n is a tenth of that of the cell
    assert behind["density"].mean() == pytest.approx(1 / (2 * np.pi), rel=0.05)
    all_labels = table.groupby("cell")["count"].sum()
    assert (all_labels == table.drop_duplicates("cell")["n"].to_numpy()).all()


def test_equally_frequent_labels_come_by_alphabet(rows: pd.DataFrame) -> None:
    few = rows.head(4).assign(top1_label=["b", "a", "b", "a"])
    assert list(dict.fromkeys(direction_labels(few, top=2)["label"])) == ["a", "b"]


def test_no_poses_have_no_labels_and_empty_cells(rows: pd.DataFrame) -> None:
    none = rows.head(0)
    assert direction_labels(none).empty
    assert list(direction_labels(none).columns) == list(direction_labels(rows, nside=1).columns)
    assert direction_scores(none)["confidence"].isna().all()
    assert rotation_rates(none)["n"].sum() == 0


def test_haar_uniform_rotations_fill_the_cells_of_so3_evenly(rows: pd.DataFrame) -> None:
    table = rotation_rates(rows)
    assert len(table) == 72 * 3**3
    assert table["n"].sum() == len(rows)
    expected = len(rows) / len(table)
    chi2, freedom = ((table["n"] - expected) ** 2 / expected).sum(), len(table) - 1
    assert abs(chi2 - freedom) < 4 * np.sqrt(2 * freedom)


def test_a_model_that_fails_upside_down_does_so_in_the_bins_of_that_roll(rows: pd.DataFrame) -> None:
    angles = np.random.default_rng(2).uniform(-180, 180, (3000, 3))
    angles[:, 1] = np.degrees(np.arcsin(np.random.default_rng(3).uniform(-1, 1, 3000)))
    upright = euler_to_matrix(*np.radians(angles[:, :2]).T, np.zeros(3000))
    about_axis = euler_to_matrix(np.zeros(3000), np.zeros(3000), np.radians(angles[:, 2]))
    frame = pd.DataFrame(matrix_to_quaternion(about_axis @ upright), columns=list(QUATERNION))
    turn = np.mod(matrix_roll(about_axis @ upright), 360)
    frame["recognised"] = (turn < 90) | (turn >= 270)
    table = rotation_rates(frame, nside=1, turns=4)
    lit = table[table["n"] > 0]
    assert (lit["rate"] == ((lit["roll_high_deg"] <= 90) | (lit["roll_low_deg"] >= 270))).all()
    by_direction = frame.assign(misread=~frame["recognised"], confident=False)
    assert direction_rates(by_direction, nside=1)["rate"].between(0.35, 0.65).all()


def matrix_roll(matrix: np.ndarray) -> np.ndarray:
    """Degrees that the picture of +y is turned counter-clockwise from upwards: +y's component in the image."""
    return np.degrees(np.arctan2(-matrix[:, 0, 1], matrix[:, 1, 1]))


def test_so3_rates_are_brute_force_counts(rows: pd.DataFrame) -> None:
    few = rows.head(900)
    table = rotation_rates(few, nside=2, turns=5)
    matrices = quaternion_to_matrix(few[list(QUATERNION)].to_numpy())
    roll = np.mod(matrix_roll(matrices), 360)
    for low in (0, 72, 144, 216, 288):
        inside = (roll >= low) & (roll < low + 72)
        bins = table[table["roll_low_deg"] == low]
        assert bins["n"].sum() == inside.sum()
        assert bins["recognised"].sum() == few["recognised"][inside].sum()
    low, high = wilson(table["recognised"], table["n"])
    np.testing.assert_array_equal(table["low"], low)
    np.testing.assert_array_equal(table["high"], high)


@pytest.mark.parametrize(("n", "nside"), [(0, 1), (719, 1), (5760, 2), (20_000, 3), (10**9, 8)])
def test_rotation_cells_get_finer_with_the_number_of_poses(n: int, nside: int) -> None:
    assert choose_rotation_nside(n) == nside


def test_a_missing_column_is_named_with_its_remedy(rows: pd.DataFrame) -> None:
    with pytest.raises(RunError, match=r'needs the column entropy.*outcomes\(run, \["entropy"\]\)'):
        direction_scores(rows.drop(columns="entropy"))
    with pytest.raises(ValueError, match="nside = 0"):
        rotation_rates(rows, nside=0)


def test_poses_that_a_run_chose_make_no_map(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=6, failed=2)
    require_audit(run)
    with pytest.raises(RunError, match='of kind "search" chooses its poses'):
        require_audit(RunFolder(run.path, msgspec.structs.replace(run.info, kind="search")))
