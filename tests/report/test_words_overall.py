"""What is said of all objects together: true to the rows it is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from simulated_run import simulate

from posetest.analysis.summary import summarise
from posetest.report import words
from posetest.report.plain import records


def told(tmp_path: Path, share: float, scenes: int = 4) -> str:
    def rule(directions: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.full(len(directions), share)

    run = simulate(tmp_path / "run", scenes=[f"o{k}" for k in range(scenes)], poses=300, rule=rule)
    summary = summarise(run)
    counted = [row for row in records(summary.rates) if row["stratum"] == "all"]
    return " ".join(words.overall(counted, records(summary.pooled)))


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (0.05, "net fails in most poses of all 4 objects."),
        (0.95, "net is right in most poses of all 4 objects."),
    ],
)
def test_the_verdict_over_objects_follows_the_intervals(tmp_path: Path, share: float, expected: str) -> None:
    text = told(tmp_path, share)
    assert text.startswith(expected)
    assert "(4 objects, 1,200 poses)" in text


def test_one_object_has_no_verdict_over_objects(tmp_path: Path) -> None:
    assert told(tmp_path, 0.3, scenes=1) == ""


POOLED: dict[str, Any] = {
    "model": "net",
    "outcome": "recognised",
    "objects": 4,
    "n": 400,
    "mean": 0.45,
    "low": 0.1,
    "high": 0.8,
    "least": 0.2,
    "least_object": "a",
    "most": 0.8,
    "most_object": "b",
}


@pytest.mark.parametrize(
    ("lows", "expected"),
    [
        ((0.1, 0.2, 0.7, 0.4), "net fails in most poses of 2 and is right in most poses of 1 of 4 objects."),
        ((0.4, 0.45), "net is neither right nor wrong in most poses of any of 2 objects."),
    ],
)
def test_mixed_verdicts_count_the_objects_on_each_side(lows: tuple[float, ...], expected: str) -> None:
    rows: list[dict[str, Any]] = [{"model": "net", "n": 100, "low": low, "high": low + 0.2} for low in lows]
    (text,) = words.overall(rows, [POOLED])
    assert text.startswith(expected)
