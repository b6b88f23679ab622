"""Two runs of one model on the same poses: what was broken and fixed, and what is refused as another experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from simulated_run import front_half, simulate

from posetest.analysis.regression import changed_poses, compare_runs
from posetest.config import SpaceConfig
from posetest.engine.record import POSE_COLUMNS, to_arrow
from posetest.engine.run import RunFolder
from posetest.errors import RunError

SCENES = ("jeep", "ant")


def turned(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """``front_half``, better from above and worse from below: with the same draws no pose there goes the other way."""
    return np.clip(front_half(directions) + np.where(directions[:, 1] > 0, 0.05, -0.1), 0, 1)


def change(run: RunFolder, part: int, **columns: Any) -> None:
    """Write a part again with other columns, each a function of the rows."""
    frame = pq.read_table(run.part_path(part)).to_pandas()
    for name, value in columns.items():
        frame[name] = value(frame)
    run.write_part(part, to_arrow({name: frame[name].to_numpy() for name in frame}))


@pytest.fixture
def before(tmp_path: Path) -> RunFolder:
    return simulate(tmp_path / "before", scenes=SCENES, models=["old"], poses=2000, failed=3, gallery=0)


@pytest.fixture
def after(tmp_path: Path) -> RunFolder:
    return simulate(tmp_path / "after", scenes=SCENES, models=["new"], poses=2000, failed=3, gallery=0, rule=turned)


def test_broken_and_fixed_poses_are_counted_where_the_simulation_put_them(before: RunFolder, after: RunFolder) -> None:
    table = compare_runs(before, after)
    assert table["scene"].tolist() == list(SCENES)
    assert set(table["n"]) == {1997}
    for row in table.itertuples():
        # half of the poses are seen from above: 0.05 of them fixed; of the others 0.1 broken
        assert row.broken_rate == pytest.approx(0.05, abs=0.015)
        assert row.fixed_rate == pytest.approx(0.025, abs=0.011)
        assert row.low < -0.025 < row.high
        assert row.change == pytest.approx(row.rate_after - row.rate_before)
        assert row.still_recognised + row.broken + row.fixed + row.still_misread == row.n
        assert row.p <= row.p_holm < 0.01
    assert table["p_holm"].min() == pytest.approx(2 * table["p"].min())


def test_changed_poses_are_those_whose_answer_turned(before: RunFolder, after: RunFolder) -> None:
    poses, table = changed_poses(before, after), compare_runs(before, after).set_index("scene")
    counts = poses.groupby(["scene", "change"]).size()
    for scene in SCENES:
        assert counts[scene, "broken"] == table.loc[scene, "broken"]
        assert counts[scene, "fixed"] == table.loc[scene, "fixed"]
    broken = poses[poses["change"] == "broken"]
    assert set(broken["label_before"]) == {"jeep"}
    assert "jeep" not in set(broken["label_after"])
    records = before.table().query("scene == 'jeep'").set_index("index")
    mine = poses[poses["scene"] == "jeep"]
    pd.testing.assert_frame_equal(
        mine[list(POSE_COLUMNS)].reset_index(drop=True),
        records.loc[mine["index"], list(POSE_COLUMNS)].reset_index(drop=True),
    )
    assert mine["index"].is_monotonic_increasing


def test_a_run_compared_with_itself_has_changed_nothing(before: RunFolder) -> None:
    table = compare_runs(before, before)
    assert set(table["broken"] + table["fixed"] + table["n_unmatched"] + table["n_other_picture"]) == {0}
    assert set(table["p_holm"]) == {1}
    assert (table["low"] < 0).all()  # 2000 poses without a change do not show that there is none
    assert len(changed_poses(before, before)) == 0


def test_the_order_of_rows_does_not_matter(before: RunFolder, after: RunFolder) -> None:
    expected = compare_runs(before, after)
    rows = pq.read_table(after.part_path(1))
    after.write_part(1, rows.take(np.random.default_rng(0).permutation(len(rows))))
    pd.testing.assert_frame_equal(compare_runs(before, after), expected)


def test_a_longer_run_is_compared_on_the_poses_that_both_have(tmp_path: Path) -> None:
    short, long = (simulate(tmp_path / str(n), poses=n, gallery=0) for n in (60, 100))
    row = compare_runs(short, long).iloc[0]
    assert (row["n"], row["n_unmatched"]) == (60, 40)


def test_other_pictures_of_the_same_poses_are_counted(before: RunFolder, after: RunFolder) -> None:
    change(after, 0, image_digest=lambda frame: frame["image_digest"] + np.uint64(1) * (frame["index"] < 10))
    assert compare_runs(before, after)["n_other_picture"].tolist() == [7, 0]  # three were not evaluated


def test_another_experiment_is_refused_by_what_differs(before: RunFolder, tmp_path: Path) -> None:
    other = simulate(tmp_path / "other", scenes=["jeep"], poses=20, gallery=0, seed=5)
    with pytest.raises(RunError, match=r"differ in seed \(0 and 5\); scenes \(ant, jeep and jeep\)"):
        compare_runs(before, other)
    scenes = tuple(msgspec.structs.replace(s, mesh_digest="f" * 64) for s in before.info.scenes)
    remeshed = RunFolder(before.path, msgspec.structs.replace(before.info, scenes=scenes))
    with pytest.raises(RunError, match="mesh_digest of scene jeep"):
        compare_runs(before, remeshed)
    found = RunFolder(before.path, msgspec.structs.replace(before.info, kind="search"))
    with pytest.raises(RunError, match="chooses its poses"):
        compare_runs(before, found)


def test_poses_that_differ_are_named_with_their_values(before: RunFolder, after: RunFolder, tmp_path: Path) -> None:
    change(after, 1, pitch_deg=lambda frame: frame["pitch_deg"].where(frame["index"] != 7, 12.5))
    with pytest.raises(RunError, match=r'pitch_deg of pose 7 of scene "ant" is 12\.5, .* \(1 of 1997 poses differ\)'):
        compare_runs(before, after)
    spaces = [SpaceConfig(distance=(4, 5)), SpaceConfig(distance=(4, 6))]
    runs = [simulate(tmp_path / f"space{k}", poses=9, gallery=0, space=space) for k, space in enumerate(spaces)]
    with pytest.raises(RunError, match="distance of pose 0"):
        changed_poses(*runs)


def test_a_pose_that_is_there_twice_is_refused(before: RunFolder, after: RunFolder) -> None:
    change(after, 0, index=lambda frame: frame["index"].where(frame["index"] != 9, 8))
    with pytest.raises(RunError, match='pose 8 of scene "jeep" is there more than once'):
        compare_runs(before, after)


def test_runs_that_share_no_pose_are_no_comparison(tmp_path: Path) -> None:
    runs = [simulate(tmp_path / str(k), poses=10, gallery=0) for k in (1, 2)]
    change(runs[1], 0, index=lambda frame: frame["index"] + 10)
    with pytest.raises(RunError, match="no pose was evaluated here and in"):
        compare_runs(*runs)


def test_the_models_meant_are_found_or_asked_for(tmp_path: Path) -> None:
    first = simulate(tmp_path / "first", models=["net", "old"], poses=30, gallery=0)
    second = simulate(tmp_path / "second", models=["new", "net"], poses=30, gallery=0)
    third = simulate(tmp_path / "third", models=["new", "newer"], poses=30, gallery=0)
    assert compare_runs(first, second)[["model_before", "model_after"]].iloc[0].tolist() == ["net", "net"]
    with pytest.raises(
        RunError, match=r'it is not clear which to compare; name one of each, as in models=\("net", "new"\)'
    ):
        compare_runs(first, third)
    chosen = compare_runs(first, third, models=("old", "newer"))  # both answer with the second model's draws
    assert chosen["broken"].tolist() == chosen["fixed"].tolist() == [0]
    with pytest.raises(RunError, match='no model "newest"; did you mean "newer"'):
        compare_runs(first, third, models=("old", "newest"))
