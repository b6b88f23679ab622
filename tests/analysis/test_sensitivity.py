"""Smallest flipping changes: against closed forms of a rule that knows where it ends."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated_probe import bases_at, simulate_probe
from simulated_run import simulate

from posetest.analysis.intervals import wilson
from posetest.analysis.sensitivity import flip_median, sensitivity, smallest_flips
from posetest.engine.probe_plan import STEPS, Rows, one_parameter
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.run_info import ProbeInfo
from posetest.space import INDEX, PARAMETERS

EDGE = 60.0
INFO = ProbeInfo(what="sensitivity", parent="x", parent_digest="d", poses=400, steps=dict(STEPS))


def narrow_yaw(rows: Rows) -> NDArray[np.str_]:
    """Recognised where the yaw is within EDGE degrees."""
    return np.where(np.abs(rows.vectors[:, INDEX["yaw"]]) <= EDGE, "jeep", "toaster")


def start_poses(count: int, seed: int = 0) -> NDArray[np.float64]:
    vectors = np.zeros((count, len(PARAMETERS)))
    vectors[:, INDEX["yaw"]] = np.round(np.random.default_rng(seed).uniform(-EDGE, EDGE, count), 4)
    vectors[:, INDEX["distance"]] = 6.0
    return vectors


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    bases = bases_at(start_poses(400))
    rows = one_parameter(bases, STEPS, 1.7)
    return simulate_probe(tmp_path_factory.mktemp("probe"), INFO, bases, rows, narrow_yaw)


def test_the_smallest_flip_is_the_first_step_beyond_the_edge(run: RunFolder) -> None:
    table = smallest_flips(run)
    yaw = start_poses(400)[:, INDEX["yaw"]]
    ladder = np.array([*STEPS["yaw"], np.inf])
    expected = {}
    for direction, room in (("up", EDGE - yaw), ("down", EDGE + yaw)):
        expected[direction] = ladder[[np.argmax(ladder > r) for r in room]]
        found = table[(table["parameter"] == "yaw") & (table["direction"] == direction)].sort_values("base")
        np.testing.assert_array_equal(found["flip"], expected[direction])
    both = table[(table["parameter"] == "yaw") & (table["direction"] == "both")].sort_values("base")
    np.testing.assert_array_equal(both["flip"], np.minimum(expected["up"], expected["down"]))
    assert np.isinf(table.loc[table["parameter"] != "yaw", "flip"]).all()


def test_a_failure_rate_covers_the_share_that_geometry_gives(run: RunFolder) -> None:
    table = sensitivity(run).set_index(["parameter", "direction"])
    up = table.loc["yaw", "up"]
    # from a yaw uniform in [-60, 60], 90 degrees lead past 60 wherever it began above -30
    assert up["low"] < 0.75 < up["high"]
    assert up["n"] == 400
    assert (up["low"], up["high"]) == tuple(float(x) for x in wilson(up["failed"], 400))
    both = table.loc["yaw", "both"]
    assert both["fail_rate"] == 1
    # the smaller of the distances to the edges is uniform in [0, 60]: half are below 30
    assert both["median_low"] < 30 < both["median_high"]
    assert table.loc["roll", "both"]["failed"] == 0
    assert np.isnan(table.loc["roll", "both"]["median"])
    assert np.isnan(table.loc["roll", "both"]["median_failed"])
    assert table["n_lost"].eq(0).all()


def test_a_pose_that_is_not_recognised_again_is_left_out_and_counted(tmp_path: Path) -> None:
    vectors = start_poses(20)
    vectors[3, INDEX["yaw"]] = 90.0
    bases = bases_at(vectors)
    run = simulate_probe(tmp_path, INFO, bases, one_parameter(bases, STEPS, 1.7), narrow_yaw)
    table = sensitivity(run)
    assert set(table["n"]) == {19}
    assert set(table["n_lost"]) == {1}


def test_steps_without_an_answer_are_counted_and_no_failures(tmp_path: Path) -> None:
    vectors = start_poses(1)
    vectors[0, INDEX["yaw"]] = 50.0
    bases = bases_at(vectors)
    rows = one_parameter(bases, STEPS, 1.7)
    first_beyond = int(np.flatnonzero((rows.change == "yaw") & (rows.amount == 12))[0])
    run = simulate_probe(tmp_path, INFO, bases, rows, narrow_yaw, failed=first_beyond)
    table = sensitivity(run).set_index(["parameter", "direction"])
    assert table.loc["yaw", "up"]["n_failed_status"] == 1
    assert table.loc["yaw", "up"]["median_failed"] == 18


def test_a_distance_that_ends_inside_the_object_is_told_as_cut(tmp_path: Path) -> None:
    vectors = start_poses(4)
    vectors[:, INDEX["distance"]] = [2.5, 2.5, 6, 6]
    bases = bases_at(vectors)
    rows = one_parameter(bases, STEPS, 1.7)
    assert rows.vectors[:, INDEX["distance"]].min() > 1.7
    table = sensitivity(simulate_probe(tmp_path, INFO, bases, rows, narrow_yaw)).set_index(["parameter", "direction"])
    assert table.loc["distance", "down"]["n_cut"] == 2
    assert table.loc["distance", "up"]["n_cut"] == 0
    assert table.loc["yaw", "both"]["n_cut"] == 0


def test_the_median_of_a_ladder_is_interpolated_between_its_steps() -> None:
    # a quarter flips at 1, half at 2: half have flipped midway
    median, low, high = flip_median([1, 1, 2, 2, 2, 2, 4, np.inf] * 50, [1, 2, 4, 8])
    assert median == 1.5
    # the density near it is 1/2 a unit; each pose adds 1, 1/2 or 0 to the distribution function: variance 1/8
    half = 1.96 * np.sqrt(1 / 8 / 400) / 0.5
    assert high - low == pytest.approx(2 * half, rel=0.02)


def test_the_median_of_many_fine_steps_is_that_of_the_sample() -> None:
    sample = np.random.default_rng(0).lognormal(1.0, 0.7, 2001)
    steps = np.geomspace(0.01, 100, 4000)
    flips = steps[np.searchsorted(steps, sample)]
    median, low, high = flip_median(flips, steps)
    assert median == pytest.approx(np.median(sample), rel=0.01)
    exact = stats.bootstrap((sample,), np.median, n_resamples=2000, rng=np.random.default_rng(1)).confidence_interval
    assert low == pytest.approx(exact.low, rel=0.02)
    assert high == pytest.approx(exact.high, rel=0.02)


def test_beyond_the_ladder_there_is_no_median() -> None:
    median, low, high = flip_median([1.0] * 45 + [np.inf] * 55, [1, 2])
    assert np.isnan(median)
    assert 0 < low <= 1
    assert np.isnan(high)
    assert all(np.isnan(flip_median([np.inf] * 50, [1, 2])))
    assert all(np.isnan(flip_median([], [1, 2])))


@pytest.mark.parametrize(("flips", "steps"), [([1], [2, 1]), ([1], [0, 1]), ([1.5], [1, 2]), ([1], [])])
def test_flips_that_are_no_steps_are_refused(flips: list[float], steps: list[float]) -> None:
    with pytest.raises(ValueError, match="flip_median wants"):
        flip_median(flips, steps)


def test_other_runs_and_unfinished_ones_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r'is of kind "audit"; make what is needed with posetest probe RUN --what sens'):
        sensitivity(simulate(tmp_path / "audit", poses=5))
    bases = bases_at(start_poses(2))
    run = simulate_probe(tmp_path / "x", INFO, bases, one_parameter(bases, STEPS, 1.7), narrow_yaw, finished=False)
    with pytest.raises(RunError, match="not complete; go on with the probe by --resume"):
        sensitivity(run)


def test_one_number_is_changed_at_a_time_and_angles_stay_on_their_circle() -> None:
    vectors = np.tile(start_poses(1), (3, 1))
    vectors[:, INDEX["yaw"]] = [170.0, -170.0, 0.0]
    rows = one_parameter(bases_at(vectors), STEPS, 1.7)
    change = rows.vectors - vectors[rows.of]
    yaw = change[:, INDEX["yaw"]]
    assert np.abs(rows.vectors[:, INDEX["yaw"]]).max() <= 180
    change[:, INDEX["yaw"]] = (yaw + 180) % 360 - 180
    names = [p.name for p in PARAMETERS]
    for row, name, amount in zip(change, rows.change, rows.amount, strict=True):
        expected = np.zeros(len(names))
        if name != "none":
            expected[names.index(name)] = amount
        np.testing.assert_allclose(row, expected, atol=1e-4)
    counts = {name: int((rows.change == name).sum()) for name in STEPS}
    assert counts == {name: 3 * 2 * len(steps) for name, steps in STEPS.items()}
