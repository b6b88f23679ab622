"""Maps and densities of a simulated classifier whose recognition depends on the viewing direction in a known way."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from simulated_run import simulate

from posetest.analysis.density import (
    QUATERNION,
    bin_edges,
    choose_nside,
    densities,
    direction_rates,
    free_intervals,
)
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.config import RangeConfig, SpaceConfig
from posetest.space import Interval

TURN = Interval(-180, 180, "uniform")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    run = simulate(tmp_path_factory.mktemp("density") / "run", poses=12_000, space=SpaceConfig(), failed=4)
    return of_pair(outcomes(run, [*QUATERNION, "yaw_deg", "pitch_deg", "roll_deg", "distance"]), "jeep", "net")


def test_every_evaluated_pose_is_in_one_cell(rows: pd.DataFrame) -> None:
    table = direction_rates(rows)
    assert len(table) == 12 * choose_nside(len(rows)) ** 2
    assert table["n"].sum() == len(rows) == 11_996
    for outcome in ("recognised", "misread", "confident"):
        assert table[outcome].sum() == rows[outcome].sum()


def test_cells_in_front_are_recognised_and_cells_behind_are_not(rows: pd.DataFrame) -> None:
    table = direction_rates(rows, nside=4)
    azimuth, elevation = np.radians(table["azimuth_deg"]), np.radians(table["elevation_deg"])
    towards_front = np.cos(elevation) * np.cos(azimuth)
    front, back = table[towards_front > 0.3], table[towards_front < -0.3]
    assert (front["low"] <= 0.9).mean() > 0.9
    assert (front["rate"] > 0.6).all()
    assert (back["rate"] < 0.4).all()


def test_cell_intervals_cover_the_true_rate(rows: pd.DataFrame) -> None:
    table = direction_rates(rows, nside=6)
    azimuth, elevation = np.radians(table["azimuth_deg"]), np.radians(table["elevation_deg"])
    towards_front = np.cos(elevation) * np.cos(azimuth)
    clear = table[np.abs(towards_front) > 0.25]  # cells that the border between the halves does not cross
    true = np.where(towards_front[clear.index] > 0, 0.9, 0.1)
    assert 0.92 <= ((clear["low"] <= true) & (true <= clear["high"])).mean() <= 0.98


def test_haar_uniform_poses_fill_the_cells_evenly(rows: pd.DataFrame) -> None:
    n = direction_rates(rows, nside=4)["n"].to_numpy()
    expected = len(rows) / 192
    chi2 = ((n - expected) ** 2 / expected).sum()
    assert abs(chi2 - 191) < 4 * np.sqrt(2 * 191)


def test_an_empty_cell_has_no_rate(rows: pd.DataFrame) -> None:
    table = direction_rates(rows.head(3), nside=2)
    empty = table["n"] == 0
    assert table.loc[empty, ["rate", "low", "high"]].isna().all().all()
    assert table.loc[~empty, "rate"].notna().all()


def test_no_poses_give_a_table_of_empty_cells(rows: pd.DataFrame) -> None:
    assert direction_rates(rows.head(0))["n"].sum() == 0


@pytest.mark.parametrize(("n", "nside"), [(1, 1), (119, 1), (480, 2), (2000, 4), (20_000, 12), (10**7, 16)])
def test_resolution_grows_with_the_number_of_poses(n: int, nside: int) -> None:
    assert choose_nside(n) == nside


def test_densities_have_area_one_and_counts_add_up(rows: pd.DataFrame) -> None:
    table = densities(rows, "yaw", TURN)
    widths = table["bin_high"] - table["bin_low"]
    for outcome in ("recognised", "misread", "confident"):
        assert (table[f"{outcome}_density"] * widths).sum() == pytest.approx(1)
        assert table[outcome].sum() == rows[outcome].sum()
    assert (table["all_density"] * widths).sum() == pytest.approx(1)
    assert (table["recognised"] + table["misread"] == table["n"]).all()


def test_pitch_is_dense_at_the_equator_but_its_rate_is_even(rows: pd.DataFrame) -> None:
    table = densities(rows, "pitch", Interval(-90, 90, "sphere"))
    middle = np.radians((table["bin_low"] + table["bin_high"]) / 2)
    # Haar measure: density cos(pitch) / 2 per radian
    expected = len(rows) * np.cos(middle) / 2 * np.radians(table["bin_high"] - table["bin_low"])
    assert (np.abs(table["n"] - expected) < 4.5 * np.sqrt(expected) + 1).all()
    # turning the front half away needs yaw; half of the poses of any pitch show it
    assert ((table["recognised_low"] <= 0.5) & (table["recognised_high"] >= 0.5)).mean() > 0.8


def test_recognition_over_yaw_shows_the_front(rows: pd.DataFrame) -> None:
    table = densities(rows, "yaw", TURN)
    in_front = table[(table["bin_low"] >= -60) & (table["bin_high"] <= 60)]
    behind = table[(table["bin_high"] <= -120) | (table["bin_low"] >= 120)]
    assert in_front["recognised_share"].min() > 0.75
    assert behind["recognised_share"].max() < 0.25


def test_a_label_has_a_density_in_bins_made_for_as_many_poses_as_it_has(rows: pd.DataFrame) -> None:
    seen = rows.assign(seen=rows["recognised"] & (rows["yaw_deg"] > 0))
    table = densities(seen, "yaw", TURN, ["seen"], poses=100)
    assert len(table) == 4
    assert table["n"].sum() == len(rows)
    assert table["seen"].tolist()[:2] == [0, 0]
    assert (table["seen_density"] * 90).sum() == pytest.approx(1)
    assert table["seen_density"][2] == pytest.approx(table["seen_share"][2] * table["n"][2] / table["seen"].sum() / 90)
    assert "recognised_share" not in table


def test_a_value_at_the_upper_end_is_in_the_last_bin() -> None:
    frame = pd.DataFrame({"distance": [1.0, 2.0, 3.0], "recognised": True, "misread": False, "confident": False})
    table = densities(frame, "distance", Interval(1, 3, "uniform"))
    assert table["n"].sum() == 3


def test_one_value_alone_is_a_bin_around_it() -> None:
    frame = pd.DataFrame({"distance": [2.0], "recognised": [True], "misread": [False], "confident": [False]})
    table = densities(frame, "distance")
    assert table["bin_low"][0] < 2 < table["bin_high"][0]
    assert table["n"].tolist() == [1]


def test_bins_of_a_log_prior_are_even_in_the_logarithm() -> None:
    edges = bin_edges(Interval(1, 100, "log"), 10_000)
    assert np.diff(np.log(edges)) == pytest.approx(np.full(24, np.log(100) / 24))


def test_few_poses_give_few_bins() -> None:
    assert len(bin_edges(TURN, 3)) == 2
    assert len(bin_edges(TURN, 10**6)) == 25


def test_the_bins_reach_over_the_interval_of_the_scene_file(tmp_path: Path) -> None:
    space = SpaceConfig(distance=RangeConfig(low=2, high=20, prior="log"), elevation=(-10, 40))
    scene = simulate(tmp_path / "run", poses=3, space=space).info.scenes[0]
    found = free_intervals(scene)
    assert found["distance"] == Interval(2, 20, "log")
    assert found["elevation"] == Interval(-10, 40, "sphere")
    assert "fov" not in found
    without_file = free_intervals(msgspec.structs.replace(scene, config={}))
    assert set(without_file) == set(found)
    assert without_file["distance"] is None
