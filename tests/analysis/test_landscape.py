"""Landscapes over two parameters, of answers that depend on them in a known way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from posetest.analysis.landscape import data_interval, landscape
from posetest.errors import ConfigError, RunError
from posetest.space import INDEX, PARAMETERS, Interval

TURN = Interval(-180, 180, "uniform")
YAW = PARAMETERS[INDEX["yaw"]]


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    """Recognised with 0.9 where yaw and elevation have one sign, else with 0.2; confident as the distance is small."""
    rng = np.random.default_rng(11)
    count = 30_000
    frame = pd.DataFrame({"yaw_deg": rng.uniform(-180, 180, count)})
    frame["elevation_deg"] = np.degrees(np.arcsin(rng.uniform(-0.5, 0.5, count)))
    frame["distance"] = np.exp(rng.uniform(np.log(2), np.log(8), count))
    same = (frame["yaw_deg"] > 0) == (frame["elevation_deg"] > 0)
    frame["recognised"] = rng.random(count) < np.where(same, 0.9, 0.2)
    frame["top1_p"] = np.clip(1 - frame["distance"] / 10 + 0.05 * rng.standard_normal(count), 0, 1)
    return frame


def test_the_four_quarters_of_an_interaction_are_seen_where_each_parameter_alone_shows_nothing(
    rows: pd.DataFrame,
) -> None:
    table = landscape(rows, "yaw", "elevation", {"yaw": TURN, "elevation": Interval(-30, 30, "sphere")}, bins=(8, 6))
    same = (table["yaw_deg_low"] >= 0) == (table["elevation_deg_low"] > -1e-9)
    true = np.where(same, 0.9, 0.2)
    assert 0.85 <= ((table["low"] <= true) & (true <= table["high"])).mean() <= 1
    alone = table.groupby("first_bin")[["recognised", "n"]].sum()
    assert (alone["recognised"] / alone["n"]).between(0.5, 0.6).all()


def test_bins_of_each_prior_are_equally_likely(rows: pd.DataFrame) -> None:
    intervals = {"elevation": Interval(-30, 30, "sphere"), "distance": Interval(2, 8, "log")}
    table = landscape(rows, "elevation", "distance", intervals)
    assert len(table) == 24**2
    expected = len(rows) / len(table)
    chi2 = ((table["n"] - expected) ** 2 / expected).sum()
    assert abs(chi2 - 575) < 4 * np.sqrt(2 * 575)
    edges = np.unique(table["distance_low"])
    assert np.diff(np.log(edges)) == pytest.approx(np.full(23, np.log(4) / 24))


def test_confidence_falls_with_the_distance_it_depends_on(rows: pd.DataFrame) -> None:
    table = landscape(rows, "distance", "yaw", {"distance": Interval(2, 8, "log"), "yaw": TURN}, bins=(5, 4))
    low, high = table["distance_low"], table["distance_high"]
    true = 1 - (high - low) / np.log(high / low) / 10  # mean of a log-uniform distance
    assert ((table["confidence_low"] <= true) & (true <= table["confidence_high"])).mean() >= 0.8
    assert np.abs(table["confidence"] - true).max() < 0.02


def test_the_landscape_agrees_with_a_two_dimensional_histogram(rows: pd.DataFrame) -> None:
    few = rows.head(2000)
    table = landscape(few, "distance", "elevation", bins=(7, 3))
    edges = [np.append(np.unique(table[f"{c}_low"]), table[f"{c}_high"].max()) for c in ("distance", "elevation_deg")]
    n, *_ = np.histogram2d(few["distance"], few["elevation_deg"], edges)
    np.testing.assert_array_equal(table["n"].to_numpy().reshape(7, 3), n)
    hits = few[few["recognised"]]
    recognised, *_ = np.histogram2d(hits["distance"], hits["elevation_deg"], edges)
    np.testing.assert_array_equal(table["recognised"].to_numpy().reshape(7, 3), recognised)


def test_exchanging_the_parameters_transposes_the_landscape(rows: pd.DataFrame) -> None:
    one, other = (landscape(rows, *pair, bins=(4, 4)) for pair in (("yaw", "distance"), ("distance", "yaw")))
    np.testing.assert_array_equal(one["n"].to_numpy().reshape(4, 4), other["n"].to_numpy().reshape(4, 4).T)


def test_a_turn_and_more_falls_on_the_same_bins(rows: pd.DataFrame) -> None:
    further = rows.assign(yaw_deg=np.where(rows.index % 2, rows["yaw_deg"], rows["yaw_deg"] % 360))
    pd.testing.assert_frame_equal(
        landscape(rows, "yaw", "distance", {"yaw": TURN}), landscape(further, "yaw", "distance", {"yaw": TURN})
    )


def test_values_on_both_sides_of_180_degrees_are_one_arc() -> None:
    interval = data_interval(np.array([170.0, 175, 180, -175, -165]), YAW)
    assert (interval.low, interval.high) == (170, 195)
    frame = pd.DataFrame({"yaw_deg": [170.0, 175, -175, -165], "distance": [1.0, 2, 3, 4]})
    frame = frame.assign(recognised=True, top1_p=0.5)
    table = landscape(frame, "yaw", "distance", bins=(5, 1))
    assert table["n"].tolist() == [1, 1, 0, 1, 1]


def test_values_all_around_have_the_full_turn() -> None:
    assert data_interval(np.linspace(-350, 350, 200), YAW) == TURN


def test_a_parameter_that_does_not_vary_is_one_bin_around_it(rows: pd.DataFrame) -> None:
    table = landscape(rows.head(50).assign(yaw_deg=20.0), "yaw", "distance", bins=(1, 2))
    assert (table["yaw_deg_low"] < 20).all()
    assert (table["yaw_deg_high"] > 20).all()
    assert table["n"].sum() == 50


@pytest.mark.parametrize(("n", "side"), [(0, 1), (199, 1), (200, 2), (5000, 10), (30_000, 24)])
def test_the_number_of_bins_follows_the_number_of_poses(rows: pd.DataFrame, n: int, side: int) -> None:
    assert len(landscape(rows.head(n), "yaw", "distance")) == side**2


def test_what_cannot_be_a_landscape_is_refused_with_the_reason(rows: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match='"elevatoin"; did you mean "elevation"'):
        landscape(rows, "yaw", "elevatoin")
    with pytest.raises(ConfigError, match='over "background"'):
        landscape(rows, "background", "yaw")
    with pytest.raises(ConfigError, match='got "yaw" twice'):
        landscape(rows, "yaw", "yaw")
    with pytest.raises(RunError, match="needs the column pitch_deg"):
        landscape(rows, "yaw", "pitch")
    with pytest.raises(RunError, match=r"distance = .* lies outside \[3, 5\]; widen"):
        landscape(rows, "yaw", "distance", {"distance": Interval(3, 5, "uniform")})
    with pytest.raises(ValueError, match="one bin or more"):
        landscape(rows, "yaw", "distance", bins=(0, 3))
