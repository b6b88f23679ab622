"""Lightings of one object: which are compared, and that shared labels are counted."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from simulated_run import simulate

import posetest
from posetest.analysis.labels import labels_by_octant
from posetest.analysis.lightings import lighting_overlap, overlap_between
from posetest.analysis.outcomes import outcomes
from posetest.analysis.summary import summary_frame
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.report import answers


def test_scenes_of_one_mesh_are_compared_and_others_are_not(tmp_path: Path) -> None:
    run = simulate(
        tmp_path / "run", scenes=("strike", "strike_bright", "van"), poses=400, wrong=("bus", "cart", "crate")
    )
    scenes = list(run.info.scenes)
    scenes[2] = msgspec.structs.replace(scenes[2], mesh_digest="b" * 64)
    table = lighting_overlap(RunFolder(run.path, msgspec.structs.replace(run.info, scenes=tuple(scenes))))
    (row,) = table.to_dict(orient="records")
    assert (row["compared"], row["first"], row["second"]) == ("scenes", "strike", "strike_bright")
    assert (row["n_first"], row["labels_first"], row["shared"], row["jaccard"]) == (400, 3, 3, 1.0)
    assert "strike and strike_bright share 3 of net's wrong labels" in answers.overlapping(row)
    assert answers.overlapping(row).endswith("if both drew them alike.")


def test_a_run_that_varies_its_light_is_compared_with_itself_by_thirds(tmp_path: Path) -> None:
    space = SpaceConfig(light_strength=(0.2, 1.0), ambient=(0.1, 0.5))
    run = simulate(tmp_path / "run", poses=900, space=space)
    frame = outcomes(run, ["index", "light_strength", "ambient"])
    # in the dark everything is a bat
    light = frame["light_strength"] + frame["ambient"]
    is_dark = light < np.quantile(light, 1 / 3)
    label = frame["top1_label"].astype(str)
    frame["top1_label"] = np.where(frame["misread"] & is_dark, "bat", label)
    table = lighting_overlap(run, frame)
    assert table["compared"].tolist() == ["light"] * 3
    assert [text.split()[0] for text in table["first"]] == ["dark", "dark", "medium"]
    assert table["shared"].tolist() == [0, 0, 3]
    assert table["n_first"].tolist() == [300] * 3
    assert table["labels_first"].tolist() == [1, 1, 3]


def test_scenes_of_different_runs_are_compared(tmp_path: Path) -> None:
    runs = {
        name: simulate(tmp_path / name, scenes=("jeep",), models=("a", "b"), poses=300) for name in ("noon", "dusk")
    }
    table = overlap_between(runs)
    assert table["compared"].tolist() == ["runs"] * 2
    assert table["model"].tolist() == ["a", "b"]
    assert set(table["first"]) | set(table["second"]) == {"jeep (noon)", "jeep (dusk)"}
    # the same answers to the same poses are no more alike than others of their kind
    assert (table["jaccard"] == 1).all()
    assert (table["first_misread"] == table["second_misread"]).all()
    out = tmp_path / "both.json"
    posetest.write_report([run.path for run in runs.values()], out, format="json")
    assert [row["model"] for row in json.loads(out.read_text())["label_overlap"]] == ["a", "b"]
    posetest.write_report([run.path for run in runs.values()], tmp_path / "both.md", format="md")
    assert "jeep (noon) and jeep (dusk) share 3 of a's wrong labels" in (tmp_path / "both.md").read_text()


def test_few_misread_poses_are_said_to_be_few(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=("a", "b"), poses=200, rule=lambda d: np.full(len(d), 0.95))
    (row,) = lighting_overlap(run).to_dict(orient="records")
    assert row["note"] == "fewer than 20 misread poses"
    assert np.isnan(row["jaccard_at"])
    assert "not compared at equal numbers" in answers.overlapping(row)
    assert not len(lighting_overlap(simulate(tmp_path / "one", poses=20)))


def test_labels_are_told_by_eighths_of_the_view_sphere(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=4000, space=SpaceConfig(), rule=lambda d: np.where(d[:, 1] > 0, 0.0, 1.0))
    table = labels_by_octant(run, summary_frame(run))
    # misread from above, always
    assert set(table["region"]) == {1, 2, 3, 4}
    assert (table["misread"] == table["n"]).all()
    whole = table.drop_duplicates("region")
    assert whole["n"].sum() == pd.Series(summary_frame(run)["misread"]).sum()
    assert (whole["n"] - 500).abs().max() < 5 * np.sqrt(500)
    assert whole["words"].tolist()[0] == "azimuth -180 to -90 degrees, from above"
