"""Sets of wrong labels, counted by hand: how many, how far the same in two scenes or models, and where."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from planted_failures import planted
from simulated_run import simulate

from posetest.analysis.labels import distinct_labels, label_overlap, labels_by_region
from posetest.analysis.regions import Bound, Region, failure_regions
from posetest.engine.run import RunFolder
from posetest.errors import RunError


def answered(scene: str, model: str, labels: list[str]) -> pd.DataFrame:
    """Rows of one scene and model that say ``labels``; "jeep" is right."""
    frame = pd.DataFrame({"scene": scene, "model": model, "top1_label": labels, "top1_p": 0.5, "ok": True})
    frame["recognised"] = frame["top1_label"] == "jeep"
    return frame.assign(misread=~frame["recognised"])


FRAME = pd.concat(
    [
        answered("bright", "a", ["jeep"] * 5 + ["bus"] * 4 + ["cart", "snail"]),
        answered("dark", "a", ["jeep"] * 2 + ["bus"] * 1 + ["snail"] * 3 + ["crate"] * 4),
        answered("bright", "b", ["jeep"] * 3 + ["plane"]),
        answered("dark", "b", ["jeep"] * 3),
    ],
    ignore_index=True,
).astype({"scene": pd.CategoricalDtype(["dark", "bright"]), "model": pd.CategoricalDtype(["a", "b"])})


def test_distinct_labels_are_counted_with_how_varied_they_are() -> None:
    table = distinct_labels(FRAME).set_index(["scene", "model"])
    assert table.loc[("bright", "a"), ["n", "misread", "labels", "once"]].tolist() == [11, 6, 3, 2]
    assert table.loc[("bright", "a"), "most_share"] == pytest.approx(4 / 6)
    shares = np.array([4, 1, 1]) / 6
    assert table.loc[("bright", "a"), "effective_labels"] == pytest.approx(np.exp(-(shares * np.log(shares)).sum()))
    assert table.loc[("bright", "a"), "unseen_share"] == pytest.approx(2 / 6)
    assert table.loc[("dark", "b"), ["n", "misread", "labels"]].tolist() == [3, 0, 0]
    assert np.isnan(table.loc[("dark", "b"), ["most_share", "unseen_share", "low"]].astype(float)).all()


def test_the_share_of_unseen_labels_is_what_further_poses_get() -> None:
    rng = np.random.default_rng(2)
    chance = 1 / np.arange(1, 401)
    chance /= chance.sum()
    held = []
    for _ in range(40):
        drawn = rng.choice(400, 300, p=chance)
        row = distinct_labels(answered("s", "m", [f"label {i}" for i in drawn])).iloc[0]
        unseen = chance[~np.isin(np.arange(400), drawn)].sum()
        held.append(row["low"] <= unseen <= row["high"])
    assert sum(held) >= 33  # of 40 at 0.95, fewer come with probability 0.001


def test_the_overlap_of_two_lightings_is_that_of_their_sets() -> None:
    table = label_overlap(FRAME)
    assert table["model"].tolist() == ["a", "b"]
    row = table.iloc[0]
    assert (row["first"], row["second"]) == ("dark", "bright")
    # bus and snail are in both; crate in the dark alone, cart in the bright alone
    assert (row["labels_first"], row["labels_second"], row["shared"]) == (3, 3, 2)
    assert row["jaccard"] == pytest.approx(2 / 4)
    assert (row["first_shared"], row["first_misread"]) == (4, 8)
    assert (row["second_shared"], row["second_misread"]) == (5, 6)
    assert row["second_low"] < row["second_share"] == pytest.approx(5 / 6)
    # nothing is misread in the dark by b
    assert table.iloc[1]["jaccard"] == 0
    assert np.isnan(table.iloc[1]["first_share"])


def test_the_overlap_of_models_is_told_for_each_scene() -> None:
    table = label_overlap(FRAME, by="model")
    assert table["scene"].tolist() == ["dark", "bright"]
    assert table["shared"].tolist() == [0, 0]
    with pytest.raises(ValueError, match='by "scene" or "model"'):
        label_overlap(FRAME, by="lamp")


def test_the_same_model_twice_overlaps_fully_in_a_run(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=400, models=["a", "b", "c"], wrong=["minibus", "toaster"])
    table = label_overlap(run, by="model")
    assert list(zip(table["first"], table["second"], strict=True)) == [("a", "b"), ("a", "c"), ("b", "c")]
    assert (table["jaccard"] == 1).all()
    assert (table[["first_share", "second_share"]] == 1).all(axis=None)
    search = RunFolder(run.path, msgspec.structs.replace(run.info, kind="search"))
    for tell in (label_overlap, distinct_labels):
        with pytest.raises(RunError, match="chooses its poses"):
            tell(search)


def test_labels_of_a_region_are_those_given_there() -> None:
    rows = planted(3000, 4, lambda x: x["azimuth"].abs() > 90)
    behind = Region((Bound("azimuth", 90, np.inf, "mirror"),))
    inside = behind.contains(rows)
    rows.loc[inside & rows["misread"].to_numpy(), "top1_label"] = "snowplow"
    table = labels_by_region(rows, [behind])
    first = table[table["region"] == 1]
    assert first["label"].tolist() == ["snowplow"]
    assert first["words"].tolist() == ["azimuth beyond ±90 degrees, any elevation"]
    assert first["count"].tolist() == [(inside & rows["misread"]).sum()]
    assert first["share"].iloc[0] == pytest.approx(rows[inside]["misread"].mean())
    elsewhere = (rows[~inside]["top1_label"] == "snowplow").mean()
    assert first["lift"].iloc[0] == pytest.approx(first["share"].iloc[0] / elsewhere)
    rest = table[table["region"] == 0]
    assert rest["label"].tolist() == ["snowplow", "bus"]
    assert (rest["words"] == "in no region").all()
    assert rest["n"].tolist() == [(~inside).sum()] * 2
    assert rest["share_of_misread"].sum() == pytest.approx(1)
    assert np.isinf(rest["lift"].iloc[1])  # none behind is read as a bus


def test_found_regions_can_be_asked_for_their_labels() -> None:
    rows = planted(3000, 4, lambda x: x["azimuth"].abs() > 90)
    table = labels_by_region(rows, failure_regions(rows), top=1)
    assert table["region"].tolist() == [1, 0]
    everywhere = labels_by_region(rows, [])
    assert everywhere["count"].sum() == rows["misread"].sum()
    assert np.isnan(everywhere["lift"]).all()
