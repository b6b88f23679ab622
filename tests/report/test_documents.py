"""The report as JSON and Markdown: the same numbers as the tables, and text that cannot break out of a cell."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from simulated_run import simulate

from posetest.analysis.comparison import compare_models
from posetest.analysis.rates import rates
from posetest.analysis.summary import summarise
from posetest.api import open_run
from posetest.cli import main
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError
from posetest.report.documents import to_json, to_markdown, write_document


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("documents") / "run"
    return simulate(folder, scenes=("jeep", "a|b <img src=x>"), models=("one", "two"), poses=800)


def test_json_holds_the_numbers_of_the_tables(run: RunFolder) -> None:
    document = json.loads(write_document(run, run.path / "report.json", "json").read_text())
    assert (document["format"], document["version"]) == ("posetest report", 1)
    table = rates(run)
    assert len(document["rates"]) == len(table) == 8
    for row, expected in zip(document["rates"], table.to_dict(orient="records"), strict=True):
        assert (row["scene"], row["n"]) == (expected["scene"], expected["n"])
        assert row["rate"] == pytest.approx(expected["rate"])
    assert [row["p"] for row in document["comparison"]] == pytest.approx(list(compare_models(run)["p"]))
    assert document["scenes"][0]["measure"].startswith("Haar-uniform")
    assert {row["by"] for row in document["strata"]} == {"long_px", "inside", "distance"}


def test_numbers_that_there_are_not_are_null(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=60, visible=0.0)
    text = write_document(run, run.path / "report.json", "json").read_text()
    assert "NaN" not in text
    (visible,) = [row for row in json.loads(text)["rates"] if row["stratum"] == "visible"]
    assert (visible["n"], visible["rate"]) == (0, None)


def test_the_back_half_comes_out_as_a_region_in_words_with_poses_to_replay(run: RunFolder) -> None:
    regions = summarise(run).regions
    for _, row in regions.groupby(["scene", "model"]).head(1).iterrows():
        assert row["words"].startswith("azimuth beyond ±")
        assert float(row["words"].split("±")[1].split()[0]) == pytest.approx(90, abs=15)
        assert row["rate"] == pytest.approx(0.9, abs=0.06)
        assert "yaw=" in row["typical_pose"]
        assert "yaw=" in row["nearest_pose"]
    assert len(regions) >= 4


def test_markdown_names_every_object_and_model_and_escapes_what_they_are_called(run: RunFolder) -> None:
    text = to_markdown(run, summarise(run))
    assert text.startswith("## Robustness to pose")
    assert "<img" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    cells = [line.replace("\\|", "").count("|") for line in rows]
    assert len(rows) == 1 + 4
    assert set(cells) == {7}
    assert "azimuth beyond ±" in text
    assert "exact McNemar test" in text
    assert "Haar-uniform" in text


def test_names_become_neither_links_nor_pictures(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=("[x](http://e.vil)",), wrong=("![p](http://evil/x.png)",), poses=200)
    text = to_markdown(run, summarise(run))
    assert "](http" not in text
    assert "![" not in text.replace("\\![", "")


def test_failed_poses_and_unfinished_runs_are_said(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=120, failed=7, finished=False)
    text = to_markdown(run, summarise(run))
    assert "7 evaluations failed and are in no rate" in text
    assert "This run is not complete" in text


def test_a_run_of_which_nothing_could_be_evaluated_has_a_summary_too(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=150, failed=150)
    summary = summarise(run)
    assert len(summary.regions) == len(summary.strata) == 0
    assert to_json(run, summary)["rates"][0]["n"] == 0


def test_the_format_follows_the_files_ending(run: RunFolder, tmp_path: Path) -> None:
    assert main(["report", str(run.path), "--out", str(tmp_path / "card.md")]) == 0
    assert (tmp_path / "card.md").read_text().startswith("## Robustness to pose")


@pytest.mark.parametrize("kind", ["md", "json"])
def test_the_command_writes_beside_the_records_unless_told_otherwise(
    kind: str, run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(run.path), "--format", kind]) == 0
    assert capsys.readouterr().out.strip() == str(run.path / f"report.{kind}")
    out = tmp_path / "deep" / f"card.{kind}"
    assert main(["report", str(run.path), "--format", kind, "--out", str(out)]) == 0
    assert out.read_text() == (run.path / f"report.{kind}").read_text()


def test_another_format_is_refused(run: RunFolder) -> None:
    with pytest.raises(ConfigError, match=r'format = "odt" \(one of html, md, json, pdf\)'):
        open_run(run.path).report(format="odt")  # type: ignore[arg-type]


def test_a_run_of_few_poses_has_a_summary_too(tmp_path: Path) -> None:
    summary = summarise(simulate(tmp_path / "run", poses=12))
    assert len(summary.regions) == len(summary.strata) == len(summary.comparison) == 0
    assert np.isfinite(summary.rates["rate"]).all()
