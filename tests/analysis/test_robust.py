"""Intervals and boxes in which poses stay recognised: against rules of the pose whose edges are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from simulated_probe import bases_at, simulate_probe

from posetest.analysis.intervals import lower_bound, wilson
from posetest.analysis.robust import axes, boxes, median_interval, pose_axes, pose_boxes
from posetest.config import RangeConfig, SpaceConfig
from posetest.engine.probe_plan import Rows
from posetest.engine.probe_rounds import Rounds
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.run_info import ProbeInfo, ProbeKind
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]
#: Which vectors [n, parameters] are recognised, given those of their poses.
Rule = Callable[[Array, Array], NDArray[np.bool_]]

STEPS = {"yaw": (5.0, 10.0, 20.0, 40.0), "pitch": (5.0, 10.0, 20.0, 40.0), "distance": (0.5, 1.0, 2.0)}
CIRCLE = (-360.0, 360.0)
SPACE = SpaceConfig(distance=RangeConfig(low=4, high=16, prior="log"))


def settings(what: ProbeKind, limits: dict[str, tuple[float, float]]) -> ProbeInfo:
    steps = {name: STEPS[name] for name in limits}
    boxes_of = {"limits": {"jeep": limits}, "probes": 10, "draws": 60, "tries": 3, "least": 0.9}
    return ProbeInfo(what=what, parent="x", parent_digest="d", poses=9, steps=steps, **boxes_of)  # type: ignore[arg-type]


def simulated(folder: Path, info: ProbeInfo, vectors: Array, rule: Rule) -> RunFolder:
    """The run folder of a probe whose rounds the rule answers."""
    bases = bases_at(vectors)
    rounds, parts = Rounds(info, "jeep", bases, (0, 0, 0)), []
    while (rows := rounds.ask()) is not None:
        parts.append(rows)
        rounds.tell(rule(rows.vectors, vectors[rows.of]))
    joined = Rows(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("vectors", "of", "change", "amount"))
    )

    def labels(given: Rows) -> NDArray[np.str_]:
        return np.where(rule(given.vectors, vectors[given.of]), "jeep", "toaster")

    return simulate_probe(folder, info, bases, joined, labels, space=SPACE)


def poses(**values: object) -> Array:
    count = max(np.size(value) for value in values.values())
    vectors = np.zeros((count, len(PARAMETERS)))
    for name, value in {"distance": 6.0, **values}.items():
        vectors[:, INDEX[name]] = value
    return vectors


def turn(vectors: Array, about: Array, name: str) -> Array:
    """By how much an angle differs from that of its pose, in [-180, 180)."""
    apart: Array = (vectors[:, INDEX[name]] - about[:, INDEX[name]] + 180) % 360 - 180
    return apart


def test_intervals_end_at_the_last_step_before_recognition_does(tmp_path: Path) -> None:
    """Recognised from 25 degrees to the left of the pose to 12 to the right, whatever the distance; not any pitch."""
    vectors = poses(yaw=[0.0, 100.0, 175.0, -178.0, 30.0, 60.0, 90.0])

    def rule(x: Array, about: Array) -> NDArray[np.bool_]:
        yaw = turn(x, about, "yaw")
        return np.asarray((yaw >= -25) & (yaw <= 12) & (np.abs(x[:, INDEX["pitch"]]) < 1e-3))

    info = settings("axes", {"yaw": CIRCLE, "pitch": CIRCLE, "distance": (5.2, 100.0)})
    run = simulated(tmp_path, info, vectors, rule)
    each = pose_axes(run).set_index(["parameter", "base"])
    yaw = each.loc["yaw"]
    np.testing.assert_allclose(yaw["value"], vectors[:, INDEX["yaw"]])
    np.testing.assert_allclose(yaw["low"], vectors[:, INDEX["yaw"]] - 20)
    np.testing.assert_allclose(yaw["high"], vectors[:, INDEX["yaw"]] + 10)  # 185 where the pose is at 175
    assert yaw["is_held"].all()
    np.testing.assert_allclose(yaw["exact_low"], lower_bound(60, 60, 1 - 0.05 / 3))
    assert not yaw[["down_ended", "up_ended"]].any(axis=None)
    distance = each.loc["distance"]
    np.testing.assert_allclose(distance["low"], 5.2)  # no nearer than the limit
    np.testing.assert_allclose(distance["high"], 8.0)
    assert distance[["down_ended", "up_ended"]].all(axis=None)
    pitch = each.loc["pitch"]
    assert not pitch["is_held"].any()
    assert pitch["n"].eq(0).all()
    assert pitch[["down", "up"]].eq(0).all(axis=None)
    table = axes(run).set_index("parameter")
    assert table["n"].tolist() == [7, 7, 7]
    assert table["held"].tolist() == [7, 0, 7]
    assert table.loc["yaw", ["down", "down_low", "down_high", "up"]].tolist() == [20, 20, 20, 10]
    assert table.loc["yaw", "held_low"] == wilson(7, 7)[0]
    assert table.loc["pitch", ["down", "up"]].tolist() == [0, 0]
    assert table["n_ended"].tolist() == [0, 0, 7]
    assert table["ladder_end"].tolist() == [40, 40, 2]
    assert table["measure"].str.startswith("uniform in the interval, around recognised poses of: Haar-uniform").all()


def test_a_boxs_share_of_the_measure_is_that_of_its_sides(tmp_path: Path) -> None:
    """yaw within 15 degrees (a circle of 360), pitch within 12 (Haar: its sine counts), distance a factor (log)."""
    vectors = poses(yaw=[0.0, 178.0], pitch=[0.0, 75.0], distance=[6.0, 6.0])

    def rule(x: Array, about: Array) -> NDArray[np.bool_]:
        near = np.abs(x[:, INDEX["distance"]] - 6) <= 1.2
        return np.asarray((np.abs(turn(x, about, "yaw")) <= 15) & (np.abs(turn(x, about, "pitch")) <= 24) & near)

    info = settings("boxes", {"yaw": CIRCLE, "pitch": (-90.0, 90.0), "distance": (4.0, 16.0)})
    run = simulated(tmp_path, info, vectors, rule)
    each = pose_boxes(run)
    assert each["is_held"].all()
    np.testing.assert_allclose(each["yaw_low"], [-10, 168])
    np.testing.assert_allclose(each["yaw_high"], [10, 188])
    np.testing.assert_allclose(each["pitch_low"], [-20, 55])
    np.testing.assert_allclose(each["pitch_high"], [20, 90])  # the space ends there
    np.testing.assert_allclose(each["volume"], [20 * 40 * 2, 20 * 35 * 2])
    tilts = [2 * np.sin(np.radians(20)), 1 - np.sin(np.radians(55))]
    expected = 20 / 360 * np.array(tilts) / 2 * np.log(7 / 5) / np.log(4)
    np.testing.assert_allclose(each["measure_share"], expected)
    table = boxes(run).set_index("quantity")
    assert table.index.tolist() == ["yaw", "pitch", "distance", "volume", "measure_share"]
    assert table.loc["pitch", "median"] == 37.5
    assert table.loc["measure_share", "largest"] == pytest.approx(expected.max())
    assert table["held"].tolist() == [2] * 5
    assert table[["low", "high"]].isna().all(axis=None)  # two poses give no interval


def test_poses_without_a_box_count_as_zero_and_lost_ones_are_left_out(tmp_path: Path) -> None:
    vectors = poses(yaw=np.arange(9.0), pitch=np.repeat([0.0, 50.0], [8, 1]))

    def rule(x: Array, about: Array) -> NDArray[np.bool_]:
        is_wide = about[:, INDEX["yaw"]] < 3
        return np.asarray((x[:, INDEX["pitch"]] < 45) & (is_wide | (x == about).all(axis=1)))

    run = simulated(tmp_path, settings("boxes", {"yaw": CIRCLE}), vectors, rule)
    table = boxes(run).set_index("quantity")
    assert table["n"].tolist() == [8] * 3
    assert table["held"].tolist() == [3] * 3
    assert table["n_lost"].tolist() == [1] * 3
    assert table.loc["yaw", "median"] == 0
    assert table.loc["yaw", "high"] == 80
    assert table.loc["yaw", "largest"] == 80


def test_records_that_do_not_fit_the_settings_are_refused(tmp_path: Path) -> None:
    vectors = poses(yaw=[0.0, 10.0])
    run = simulated(tmp_path, settings("axes", {"yaw": CIRCLE}), vectors, lambda x, about: np.ones(len(x), dtype=bool))
    other = RunFolder(run.path, run.info)
    short = settings("axes", {"yaw": CIRCLE})
    short.steps["yaw"] = (5.0,)
    other.info = type(run.info)(**{f: getattr(run.info, f) for f in run.info.__struct_fields__} | {"probe": short})
    with pytest.raises(RunError, match="its records are not those that run.toml asks for"):
        pose_axes(other)
    with pytest.raises(RunError, match="is a probe of axes; make what is needed with .* --what boxes"):
        boxes(run)


def test_the_interval_of_a_median_has_the_ranks_of_the_sign_test() -> None:
    values = np.random.default_rng(0).permutation(np.arange(1.0, 21.0))
    # of 20 draws fewer than 6 are below the median with probability 0.0207 = P(B(20, 1/2) <= 5)
    assert stats.binom.cdf(5, 20, 0.5) == pytest.approx(0.0207, abs=1e-4)
    assert median_interval(values) == (10.5, 6.0, 15.0)
    assert median_interval([3.0] * 8) == (3.0, 3.0, 3.0)
    assert np.isnan(median_interval([1.0, 2.0])[1:]).all()
    assert np.isnan(median_interval([])).all()


def test_the_interval_of_a_median_covers_it_also_where_many_are_alike() -> None:
    rng = np.random.default_rng(1)
    steps = np.array([0.0, 5.0, 10.0, 20.0, 40.0])
    shares = np.array([0.3, 0.1, 0.15, 0.25, 0.2])  # the median is 10
    hits = 0
    for _ in range(300):
        _, low, high = median_interval(rng.choice(steps, 20, p=shares))
        hits += low <= 10 <= high
    assert hits / 300 >= 0.95
