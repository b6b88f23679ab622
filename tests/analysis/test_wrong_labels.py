"""Wrong labels, counted by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from simulated_run import simulate

from posetest.analysis.intervals import wilson
from posetest.analysis.labels import wrong_labels
from posetest.analysis.outcomes import outcomes

NAMES = ["minibus", "snowplow", "toaster", "crate"]


def test_labels_come_most_frequent_first_with_their_shares(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=800, models=["a", "b"], wrong=NAMES, failed=3)
    frame = outcomes(run)
    table = wrong_labels(run)
    for model in ("a", "b"):
        rows = frame[(frame["model"] == model) & frame["ok"]]
        misread = rows[rows["misread"]]
        part = table[table["model"] == model]
        assert part["count"].is_monotonic_decreasing
        assert part["count"].sum() == len(misread)
        assert part["share_of_misread"].sum() == pytest.approx(1)
        for row in part.itertuples():
            of_label = misread[misread["top1_label"] == row.label]
            assert row.count == len(of_label)
            assert row.share == pytest.approx(len(of_label) / len(rows))
            assert (row.low, row.high) == pytest.approx([float(b) for b in wilson(len(of_label), len(rows))])
            assert row.mean_confidence == pytest.approx(of_label["top1_p"].mean(), rel=1e-5)


def test_top_cuts_each_pair_of_scene_and_model(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["jeep", "van"], models=["a", "b"], poses=200, wrong=NAMES)
    table = wrong_labels(run, top=2)
    assert table.groupby(["scene", "model"], observed=True).size().tolist() == [2, 2, 2, 2]


def test_correct_answers_are_no_wrong_labels(tmp_path: Path) -> None:
    assert "jeep" not in set(wrong_labels(simulate(tmp_path / "run", poses=300))["label"])


def test_nothing_misread_gives_an_empty_table(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=40, rule=lambda d: np.ones(len(d)))
    assert len(wrong_labels(run)) == 0
