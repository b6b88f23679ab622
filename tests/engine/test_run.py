"""The run folder: parts are whole or absent, damage is named, nothing is overwritten."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posetest.engine.record import SCHEMA, pose_columns, score_columns, to_arrow
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError
from posetest.protocols import Rendered
from posetest.run_info import ModelInfo, RunInfo, SceneInfo
from posetest.space import PARAMETERS


def info(**changes: object) -> RunInfo:
    values: dict[str, object] = {
        "kind": "audit",
        "status": "running",
        "created": "2026-01-01T00:00:00+00:00",
        "command": "posetest audit",
        "seed": 0,
        "poses": 4,
        "sampling": "independent",
        "image_size": 32,
        "batch_size": 2,
        "part_size": 4,
        "versions": {"python": "3.11"},
        "scenes": (
            SceneInfo(
                name="a",
                source="a.toml",
                measure="Haar-uniform rotations",
                labels=("x",),
                mesh_digest="0",
                scene_digest="0",
                faces=1,
                free=("yaw",),
            ),
        ),
        "models": (
            ModelInfo(
                name="m",
                spec="bundled",
                digest="",
                classes=3,
                preprocessing="none",
                accepted={"a": (1,)},
                accepted_names={"a": ("x",)},
            ),
        ),
        "renderer": "cpu",
    }
    return RunInfo(**{**values, **changes})


def table(log_p: np.ndarray) -> object:
    n = len(log_p)
    rendered = Rendered(
        images=np.zeros((n, 3, 1, 1), np.float32),
        mask=None,
        inside=np.ones(n, np.float32),
        area_px=np.full(n, 100, np.float32),
        long_px=np.full(n, 50, np.float32),
        digest=np.arange(n, dtype=np.uint64),
    )
    columns = pose_columns(np.zeros((n, len(PARAMETERS))), np.tile([1.0, 0, 0, 0], (n, 1)), rendered)
    columns |= score_columns(log_p, [1], ["a", "b", "c"])
    return to_arrow({**columns, "index": np.arange(n), "scene": "a", "model": "m"})


def log_softmax(scores: list[list[float]]) -> np.ndarray:
    x = np.asarray(scores, dtype=np.float32)
    return x - np.log(np.exp(x).sum(axis=1, keepdims=True))


def test_records_come_back_as_written(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", info())
    run.write_part(0, table(log_softmax([[0, 3, 1], [5, 1, 0]])))
    frame = RunFolder.open(tmp_path / "run").table()
    assert list(frame.columns) == SCHEMA.names
    assert frame["recognised"].tolist() == [True, False]
    assert frame["top1_label"].tolist() == ["b", "a"]
    assert frame["accepted_rank"].tolist() == [1, 2]
    assert frame["top1_p"][1] == pytest.approx(np.exp(5) / (np.exp(5) + np.exp(1) + 1), rel=1e-5)
    assert frame["image_digest"].tolist() == [0, 1]


def test_accepted_probability_sums_over_the_accepted_labels() -> None:
    log_p = log_softmax([[1, 1, 0]])
    columns = score_columns(log_p, [0, 2], ["a", "b", "c"])
    assert columns["accepted_p"][0] == pytest.approx(np.exp(log_p[0, 0]) + np.exp(log_p[0, 2]))


def test_entropy_of_a_uniform_prediction_is_the_logarithm_of_the_classes() -> None:
    assert score_columns(log_softmax([[2, 2, 2]]), [0], "abc")["entropy"][0] == pytest.approx(np.log(3))


def test_equal_scores_rank_by_class_as_the_first_answer_does() -> None:
    columns = score_columns(np.zeros((1, 10), np.float32), [7], "abcdefghij")
    assert columns["accepted_rank"][0] == 8
    assert not columns["top5"][0]
    certain = score_columns(
        np.log(np.array([[1, 1e-30, 1e-30, 1e-30, 1e-30, 1e-30, 1e-30]], np.float32)), [6], "abcdefg"
    )
    assert certain["accepted_rank"][0] == 7
    assert not certain["top5"][0]


def test_certainty_has_no_entropy_and_is_not_an_error() -> None:
    columns = score_columns(np.array([[0, -np.inf, -np.inf]], np.float32), [0], "abc")
    assert columns["status"][0] == "ok"
    assert columns["entropy"][0] == 0


def test_scores_that_are_no_numbers_are_recorded_with_their_reason_and_never_recognised() -> None:
    columns = score_columns(np.array([[np.nan, 0, 0], [0.0, -2, -3]], np.float32), [0], "abc")
    assert columns["status"].tolist() == ["scores not finite", "ok"]
    assert columns["recognised"].tolist() == [False, True]
    assert columns["top1"].tolist() == [-1, 0]


def test_an_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "run", info())
    with pytest.raises(RunError, match=r"already there and not empty; add --resume"):
        RunFolder.create(tmp_path / "run", info())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty; choose another --out"):
        RunFolder.create(tmp_path / "other", info())


def test_a_half_written_part_does_not_count(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", info())
    (run.path / "records" / ".part-00000.parquet.1.partial").write_bytes(b"half")
    assert not run.has_part(0)
    with pytest.raises(RunError, match="no records yet"):
        run.table()


def test_a_damaged_part_is_named(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", info())
    run.part_path(0).write_bytes(b"PAR1 nonsense")
    with pytest.raises(RunError, match=r"part-00000.parquet: damaged"):
        run.table()


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no run folder \(it has no run.toml\)"):
        RunFolder.open(tmp_path)
    (tmp_path / "run.toml").write_text("kind = 3")
    with pytest.raises(ConfigError, match=r"run.toml"):
        RunFolder.open(tmp_path)


def test_run_toml_round_trips_and_marks_completion(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "run", info())
    assert RunFolder.open(run.path).info == info()
    run.finish()
    assert RunFolder.open(run.path).info.status == "complete"
