"""The report as PDF, read back by another library: its words, bookmarks, pages and bytes."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pypdfium2 as pdfium
import pytest
from simulated_run import simulate

from posetest.analysis.rates import rates
from posetest.cli import main
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report import words
from posetest.report.paper.document import write_pdf
from posetest.report.paper.vector import in_order

HOSTILE = "$x_ 猫 😀 שלום **b** <i> {pages}"


class Paper:
    """A PDF file as a reader has it."""

    def __init__(self, path: Path) -> None:
        document = pdfium.PdfDocument(path)
        self.pages = [self._text(page) for page in document]
        self.bookmarks = [bookmark.get_title() for bookmark in document.get_toc()]
        self.title = document.get_metadata_value("Title")
        self.sizes = [page.get_size() for page in document]
        self.first = np.asarray(document[0].render(scale=1).to_numpy())
        document.close()

    @staticmethod
    def _text(page: pdfium.PdfPage) -> str:
        return re.sub(r"\s+", " ", page.get_textpage().get_text_bounded().replace("\u202f", " "))

    @property
    def text(self) -> str:
        return " ".join(self.pages)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("paper") / "run"
    return simulate(
        folder, scenes=("jeep", HOSTILE), models=("net_a", "net_b"), poses=400, warnings=["6 faces left out"]
    )


@pytest.fixture(scope="module")
def paper(run: RunFolder) -> Paper:
    return Paper(write_pdf(run, run.path / "report.pdf"))


def test_the_first_page_has_title_verdict_and_rates(run: RunFolder, paper: Paper) -> None:
    first = paper.pages[0]
    assert "Verdict" in first
    table = rates(run)
    for row in table[(table["stratum"] == "all") & (table["scene"] == "jeep")].to_dict(orient="records"):
        shown = words.with_bounds(row["rate"], row["low"], row["high"]).replace("\u202f", " ")
        assert f"{row['model']} recognises jeep in {shown} of poses (n = 400)" in first
    assert "Haar-uniform rotations" in first
    assert "95 % Wilson interval" in first
    assert all(size == pytest.approx((595.3, 841.9), abs=0.1) for size in paper.sizes)


def test_pages_are_numbered_and_named(paper: Paper) -> None:
    count = len(paper.pages)
    for number, text in enumerate(paper.pages, start=1):
        assert f"{number} / {count}" in text
    assert paper.title.startswith("jeep and $x_ 猫")
    assert paper.bookmarks[1] == "Rates"
    assert paper.bookmarks[-1] == "Method and limits"
    assert {"jeep", HOSTILE} <= set(paper.bookmarks)


def test_every_object_has_its_pictures_regions_labels_and_strings_to_replay(paper: Paper) -> None:
    of_jeep = paper.text.split("scenes/jeep.toml")[1].split("scenes/$x_")[0]
    assert "azimuth beyond ±90 degrees" in of_jeep
    assert "snowplow" in of_jeep
    assert "Expected calibration error" in of_jeep
    assert "exact McNemar test" in of_jeep
    assert "6 faces left out" in of_jeep
    assert of_jeep.count("from the PNG") == 6  # three pictures of each model
    assert len(re.findall(r"yaw=-?\d", of_jeep)) >= 8
    assert "yaw (degrees)" in of_jeep  # letters of figures are letters


def test_the_last_page_says_how_it_was_made(paper: Paper) -> None:
    last = paper.pages[-1]
    for words_there in ("posetest audit x.obj", "c" * 64, "python 3.11", "seed 0", "torchvision:net_a"):
        assert words_there in last.replace(" ", "") or words_there in last


def test_what_the_fonts_lack_is_spelled_and_nothing_is_markup(paper: Paper) -> None:
    assert "\\u732b" in paper.text
    assert "**b** <i> {pages}" in paper.text
    assert "םולש" in paper.text or "שלום" in paper.text


def test_hebrew_is_set_from_the_right() -> None:
    assert in_order("ab שלום cd") == "ab םולש cd"
    assert in_order("plain text") == "plain text"


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=120)
    first, again = (write_pdf(RunFolder.open(run.path), tmp_path / name / "a.pdf") for name in ("deep", "er"))
    assert first.read_bytes() == again.read_bytes()


def test_an_unfinished_run_is_said_to_be_so(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=40, failed=7, finished=False)
    paper = Paper(write_pdf(run, tmp_path / "a.pdf"))
    assert "This run is not complete." in paper.pages[0]
    assert "7 rows “scores not finite”" in paper.pages[0]
    assert "from 100 poses on" in paper.text


def test_a_run_of_which_nothing_was_evaluated_has_a_paper_too(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=30, failed=30)
    paper = Paper(write_pdf(run, tmp_path / "a.pdf"))
    assert "No pose has been evaluated yet." in paper.pages[0]
    assert "could evaluate none of 30 poses of jeep" in paper.text


def test_names_of_any_length_and_a_space_without_rotation(tmp_path: Path) -> None:
    space = SpaceConfig(rotation="fixed", distance=(2.0, 9.0), offset_x=0.0, offset_y=0.0)
    run = simulate(
        tmp_path / "run", scenes=("x" * 300,), models=("y" * 200, "b", "c", "d"), poses=200, space=space, gallery=1
    )
    paper = Paper(write_pdf(run, tmp_path / "a.pdf"))
    assert "distance (object units)" in paper.text
    assert paper.text.replace(" ", "").count("x" * 300) >= 2


def test_a_page_shows_ink_where_the_words_are(paper: Paper) -> None:
    light = paper.first[..., :3].mean(axis=-1)
    assert light[:50].min() > 250  # the margin
    assert (light < 80).mean() > 0.004


def test_the_command_writes_it_and_the_ending_chooses_it(
    run: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = simulate(tmp_path / "run", poses=20, gallery=0)
    assert main(["report", str(small.path), "--format", "pdf"]) == 0
    assert capsys.readouterr().out.strip() == str(small.path / "report.pdf")
    assert main(["report", str(small.path), "--out", str(tmp_path / "b.pdf")]) == 0
    assert (tmp_path / "b.pdf").read_bytes() == (small.path / "report.pdf").read_bytes()


def test_what_is_no_audit_has_no_paper(tmp_path: Path) -> None:
    import msgspec

    run = simulate(tmp_path / "run", poses=20)
    run.info = msgspec.structs.replace(run.info, kind="search")
    with pytest.raises(RunError, match='a run of kind "search" chose its poses'):
        write_pdf(run, tmp_path / "a.pdf")
    assert not (tmp_path / "a.pdf").exists()
