"""One report of several runs: which go together, what is said between them, and where it is written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from simulated_run import front_half, simulate

from posetest import write_report
from posetest.analysis.regression import compare_runs
from posetest.cli import main
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError
from posetest.report.gathered import gather


def worse(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """``front_half``, but from above."""
    return np.where(directions[:, 1] > 0.5, 0.02, front_half(directions))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    folder = tmp_path_factory.mktemp("several")
    names = ("jeep", "<b>ant</b>")
    return (
        simulate(folder / "v1" / "run", scenes=names, models=["net"], poses=600, gallery=1),
        simulate(folder / "v2" / "run", scenes=names, models=["net"], poses=600, gallery=1, rule=worse),
    )


def test_a_page_of_two_runs_tells_what_was_broken(runs: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    text = write_report(runs, tmp_path / "report.html").read_text()
    table = compare_runs(*runs)
    assert text.count('<section class="object"') == 4
    assert 'id="between"' in text
    for row in table.itertuples():
        assert row.broken > row.fixed
        assert f'<td class="r">{row.broken}</td><td class="r">{row.fixed}</td>' in text
    assert "<b>ant" not in text
    for name in ("v1/run", "v2/run"):  # both folders are called run
        assert name in text


def test_json_and_markdown_hold_both_runs_and_what_lies_between(
    runs: tuple[RunFolder, RunFolder], tmp_path: Path
) -> None:
    document = json.loads(write_report(runs, tmp_path / "r.json", format="json").read_text())
    assert document["format"] == "posetest reports"
    assert [report["name"] for report in document["reports"]] == ["v1/run", "v2/run"]
    (between,) = document["between_runs"]
    assert [row["broken"] for row in between["rates"]] == list(compare_runs(*runs)["broken"])
    assert all(row["pose"] for row in between["poses"])
    text = write_report(runs, tmp_path / "r.md", format="md").read_text()
    assert text.count("## Robustness to pose") == 2
    assert f"{between['rates'][0]['broken']} broken" in text


def test_runs_of_other_poses_stand_beside_each_other_with_the_reason(
    runs: tuple[RunFolder, RunFolder], tmp_path: Path
) -> None:
    other = simulate(tmp_path / "other", models=["net"], poses=200, seed=5)
    text = write_report([runs[0], other], tmp_path / "report.html").read_text()
    assert "not compared pose by pose" in text
    assert "seed (0 and 5)" in text


def test_what_does_not_go_together_is_refused(runs: tuple[RunFolder, RunFolder], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="given twice"):
        gather([runs[0], RunFolder.open(runs[0].path)])
    with pytest.raises(ConfigError, match="--out"):
        write_report(runs)
    assert main(["report", *(str(run.path) for run in runs), "--out", str(tmp_path / "both.html")]) == 0
    assert (tmp_path / "both.html").stat().st_size > 10_000
