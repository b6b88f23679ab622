"""What reports say of confidence, wrong labels and other measures: the part of the page, and the card."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from simulated_run import simulate

from posetest.analysis.summary import Summary, summarise
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.report import words
from posetest.report.answers import answers_of
from posetest.report.documents import to_json, to_markdown
from posetest.report.environment import environment

HOSTILE = "<img src=x>|[a](http://e.vil)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("answers") / "run"
    return simulate(folder, scenes=("jeep", HOSTILE), poses=500, space=SpaceConfig(), wrong=("bus", HOSTILE, "cart"))


@pytest.fixture(scope="module")
def summary(run: RunFolder) -> Summary:
    return summarise(run, ["photographer?only=rotation"])


def test_the_part_of_the_page_shows_every_table_and_escapes_names(run: RunFolder, summary: Summary) -> None:
    for scene in run.info.scenes:
        section = SimpleNamespace(columns=[], anchor="object-1", answers=answers_of(summary, scene.name), scene=scene)
        text = environment().get_template("parts/answers.html.j2").render(s=section, words=words)
        assert "<img" not in text
        assert text.count("familiar</td>") + text.count("familiar<br>") == 2
        assert "as audited: distance, offset_x" in text
        assert "azimuth 90 to 180 degrees, from below" in text
        assert ("Wrong labels in different light" in text) == (scene.name == "jeep")  # told once for both scenes


def test_the_card_says_what_the_tables_say(run: RunFolder, summary: Summary) -> None:
    text = to_markdown(run, summary)
    assert "<img" not in text
    assert "](http" not in text
    (row, *_) = summary.reweighted.to_dict(orient="records")
    assert words.markdown(f"in {words.with_bounds(row['rate'], row['low'], row['high'])} (effective n = ") in text
    assert "### Confidence" in text
    assert "net gives 3 wrong labels to" in text
    assert "if both drew them alike." in text


def test_the_document_holds_the_tables(run: RunFolder, summary: Summary) -> None:
    document = to_json(run, summary)
    assert [row["poses"] for row in document["calibration"]] == ["all", "familiar", "unfamiliar"] * 2
    assert [row["labels"] for row in document["distinct_labels"]] == [3, 3]
    assert [row["compared"] for row in document["label_overlap"]] == ["scenes"]
    assert {row["region"] for row in document["labels_by_octant"]} <= set(range(1, 9))
    assert {row["outcome"] for row in document["reweighted"]} == {"recognised", "misread", "confident", "top5"}
    assert {"exact_low", "confident_exact_high", "misread_at_most"} < set(document["rates"][0])


def test_a_run_without_misread_poses_has_these_parts_too(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=40, failed=40)
    summary = summarise(run)
    section = SimpleNamespace(
        columns=[], anchor="object-1", answers=answers_of(summary, "jeep"), scene=run.info.scenes[0]
    )
    page = environment().get_template("parts/answers.html.j2").render(s=section, words=words)
    assert page.count(">–</td>") == 6
    assert "no poses" in to_markdown(run, summary)
