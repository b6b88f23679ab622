"""The report as a reader's browser meets it: parsed, with every reference, text and figure looked at."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from simulated_run import simulate

from posetest.analysis.calibration import calibration
from posetest.analysis.comparison import compare_models
from posetest.analysis.rates import rates
from posetest.analysis.summary import summarise
from posetest.analysis.transfer import transfer
from posetest.config import SpaceConfig
from posetest.engine.run import IMAGE_SCHEMA, RunFolder
from posetest.errors import RunError
from posetest.report.html import write_page

_VOID = {"meta", "img", "br", "wbr"}


class Page(HTMLParser):
    """Tags with their attributes, and the visible text; complains where tags do not nest."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)
        assert not self._open, self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words).replace("\u202f", " "))

    def all(self, tag: str, css_class: str | None = None) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and (css_class is None or css_class in (a.get("class") or ""))]


def page_of(run: RunFolder) -> Page:
    return Page(write_page(run, run.path / "report.html"))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return simulate(
        tmp_path_factory.mktemp("report") / "run",
        scenes=["jeep", "banana"],
        models=["net_a", "net_b"],
        poses=400,
        warnings=["x.obj: 6 degenerate faces, left out"],
    )


@pytest.fixture(scope="module")
def page(run: RunFolder) -> Page:
    return page_of(run)


def test_nothing_is_fetched(page: Page) -> None:
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "data", "action", "poster"):
            value = attributes.get(name)
            assert value is None or value.startswith(("data:image/png;base64,", "data:image/webp;base64,", "#"))
    assert "@import" not in page.source
    assert not re.search(r"url\((?!#)", page.source)
    assert page.all("meta")[-1]["content"].startswith("default-src 'none'; img-src data:")  # type: ignore[union-attr]


def test_every_link_within_the_page_has_its_target(page: Page) -> None:
    targets = [a["id"] for _, a in page.tags if "id" in a]
    assert len(set(targets)) == len(targets)
    links = {(a.get("href") or "")[1:] for t, a in page.tags if t in ("a", "use")}
    assert links <= set(targets)
    assert "url(#scale)" in page.source
    assert "scale" in targets


def test_the_verdict_is_in_words_with_interval_n_and_measure(run: RunFolder, page: Page) -> None:
    for row in rates(run).query("stratum == 'all'").to_dict(orient="records"):
        words = (
            f"{row['model']} recognises {row['scene']} in {100 * row['rate']:.1f} % "
            f"[{100 * row['low']:.1f}, {100 * row['high']:.1f}] of poses (n = 400)"
        )
        assert words in page.text
    assert f"Measure: {run.info.scenes[0].measure}. Intervals: 95 %, Wilson." in page.text


def test_rates_of_visible_poses_stand_beside_those_of_all(run: RunFolder, page: Page) -> None:
    for row in rates(run).query("stratum == 'visible'").to_dict(orient="records"):
        assert f"{100 * row['rate']:.1f} % [{100 * row['low']:.1f}, {100 * row['high']:.1f}]" in page.text
        assert f"of the visible ones (n = {row['n']})" in page.text


def test_each_object_and_model_has_map_labels_and_panels(page: Page) -> None:
    assert len(page.all("svg", "map")) == 4
    # yaw, pitch, roll, distance, offset_x, offset_y, fov, azimuth for each pair
    # and landscapes over yaw and pitch, yaw and roll, distance and pitch
    assert len(page.all("svg", "heat")) == 4 * 3
    # accuracy by confidence; densities of wrong labels over each parameter
    assert len(page.all("svg", "panel")) == 4 * (8 + 3 + 1 + 8)
    # by size and distance, and wrong labels; of each object calibration and eighths; of one mesh in both, its lightings
    assert len(page.all("table", "labels")) == 2 * 4 + 2 * 2 + 1


def test_regions_stand_in_words_with_poses_to_copy(run: RunFolder, page: Page) -> None:
    regions = summarise(run).regions
    assert len(page.all("article", "region")) == len(regions) >= 4  # the back half, of every object and model
    copied = {a["data-copy"] for a in page.all("button")}
    for row in regions.to_dict(orient="records"):
        assert row["words"] in page.text
        assert f"misread in {100 * row['rate']:.1f} % [{100 * row['rate_low']:.1f}," in page.text
        assert {row["typical_pose"], row["worst_pose"], row["nearest_pose"]} <= copied


def test_how_far_confidence_is_to_be_believed_is_said(run: RunFolder, page: Page) -> None:
    for row in calibration(run).to_dict(orient="records"):
        assert f"{row['ece']:.3f} [{row['ece_low']:.3f}, {row['ece_high']:.3f}]" in page.text
    assert page.text.count("Calibration error: the expected one") == 2


def test_models_are_compared_on_the_same_poses_and_over_objects(run: RunFolder, page: Page) -> None:
    for row in compare_models(run).to_dict(orient="records"):
        assert f"{row['only_a']} are recognised by net_a alone, {row['only_b']} by net_b alone" in page.text
    assert "mean over objects" in page.text
    pooled = transfer(run).query("is_pooled").to_dict(orient="records")
    for row in pooled:
        assert f"{100 * row['misread_rate']:.1f} % [{100 * row['misread_low']:.1f}," in page.text


def test_the_gallery_shows_the_pictures_as_stored_with_replay_strings(run: RunFolder, page: Page) -> None:
    kept = run.images().query("kind == 'gallery'")
    sources = {a["src"] for a in page.all("img")}
    copied = [a["data-copy"] for a in page.all("button")]
    for row in kept.itertuples():
        data = (run.path / row.file).read_bytes()
        assert f"data:image/png;base64,{base64.b64encode(data).decode()}" in sources
        assert row.pose in copied
    assert "also from the PNG" in page.text
    assert "✗ from the PNG: crate 0.69" in page.text


def test_what_is_wrong_with_the_mesh_is_said(page: Page) -> None:
    assert "x.obj: 6 degenerate faces, left out" in page.text
    assert "Asked for but not drawn normal map of paint" in page.text


def test_the_method_section_holds_what_a_repetition_needs(run: RunFolder, page: Page) -> None:
    for text in ("seed 0", "posetest audit x.obj", "torchvision:net_a", "a" * 64, "b" * 64, "c" * 64, "python 3.11"):
        assert text in page.text
    assert "not about photographs" in page.text
    assert "a search finds failures, it does not count them" in page.text


def test_hostile_names_are_text(tmp_path: Path) -> None:
    script, image, label = "<script>alert(1)</script>", '"><img src=x onerror=alert(2)>', "</title><b onclick='x'>"
    run = simulate(
        tmp_path / "run",
        scenes=[script, image],
        models=["</style>{{ 7 * 7 }}"],
        poses=200,
        wrong=[label, "{% raw %}"],
        warnings=["</p><iframe src='https://example.org'>"],
    )
    page = page_of(run)
    tags = [t for t, _ in page.tags]
    assert [a.get("type") for t, a in page.tags if t == "script"] == ["application/json", "application/json", None]
    assert tags.count("style") == 1
    assert "iframe" not in tags
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    for name in (script, image, label, "</style>{{ 7 * 7 }}"):
        assert re.sub(r"\s+", " ", name) in page.text


def test_an_unfinished_run_says_how_much_is_there(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=["jeep", "banana"], poses=120, finished=False)
    run.part_path(1).unlink()
    text = page_of(run).text
    assert "This run is not complete. It has 120 of 240 rows (status “running”)" in text
    assert "net has no poses of banana yet." in text


def test_failed_poses_are_counted_with_their_reason(tmp_path: Path) -> None:
    text = page_of(simulate(tmp_path / "run", poses=50, failed=7)).text
    assert "Some poses could not be evaluated and are in no rate: 7 rows “scores not finite”" in text
    assert "+ 7 failed" in text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"poses": 1}, "(n = 1)"),
        ({"poses": 1, "failed": 1}, "net could evaluate none of 1 pose of jeep."),
        ({"poses": 60, "visible": 0.0}, "none of them is visible"),
        ({"poses": 60, "rule": lambda d: np.ones(len(d))}, "No failure among 60 poses: at most 4.9"),
        ({"poses": 60, "rule": lambda d: np.zeros(len(d))}, "net recognises jeep in 0.0 % [0.0, 6.0]"),
        ({"poses": 150, "space": SpaceConfig(rotation="fixed", distance=5, offset_x=0, offset_y=0)}, "fixed rotation"),
        ({"poses": 150, "space": SpaceConfig(preset="strike")}, "Euler-uniform rotations (not uniform on SO(3))"),
        ({"poses": 60, "gallery": 0}, "no picture kept"),
    ],
)
def test_runs_at_the_edge_give_a_report(tmp_path: Path, options: dict[str, object], sentence: str) -> None:
    page = page_of(simulate(tmp_path / "run", **options))  # type: ignore[arg-type]
    assert sentence in page.text
    assert "nan" not in re.findall(r"\b\w+\b", page.text)


def test_many_objects_and_models_give_a_section_each(tmp_path: Path) -> None:
    run = simulate(
        tmp_path / "run", scenes=[f"object_{i}" for i in range(12)], models=["a", "b", "c"], poses=40, gallery=1
    )
    page = page_of(run)
    assert len(page.all("section", "object")) == 12
    assert len(page.all("svg", "map")) == 36


def test_pictures_stay_within_the_budget_and_the_rest_is_told(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posetest.report.html._BUDGET", 0)
    monkeypatch.setattr("posetest.report.html._LEAST_FOR_PICTURES", 20_000)
    small = Page(write_page(run, run.path / "small.html"))
    assert sum(len(a["src"] or "") for a in small.all("img")) <= 20_000
    assert "more in the run folder's images/" in small.text


def test_a_picture_outside_the_run_folder_is_not_read(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=60, gallery=0)
    secret = (run.path / "images" / "0-canonical.png").rename(tmp_path / "secret.png")
    row = {"file": "../secret.png", "kind": "canonical", "scene": "jeep", "model": "", "index": -1, "pose": ""}
    run.write_images(pa.Table.from_pylist([row], schema=IMAGE_SCHEMA))
    assert secret.is_file()
    assert not page_of(run).all("img")


def test_a_lost_picture_and_a_file_that_is_none_are_left_out(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=60, gallery=2)
    files = run.images()["file"].tolist()
    (run.path / files[0]).unlink()
    (run.path / files[1]).write_text("no picture")
    page = page_of(run)
    assert "2 more in the run folder's images/" in page.text


def test_the_report_is_the_same_when_made_again(run: RunFolder) -> None:
    first = write_page(run, run.path / "one.html").read_bytes()
    assert write_page(run, run.path / "deep" / "er" / "two.html").read_bytes() == first
    assert not list(run.path.glob(".*partial"))


def test_a_run_without_records_gives_no_report(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=5, finished=False)
    run.part_path(0).unlink()
    with pytest.raises(RunError, match="no records yet"):
        write_page(run, tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()


def test_neither_analysis_nor_report_imports_torch(run: RunFolder, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from posetest.engine.run import RunFolder; "
        "from posetest.report.html import write_page; import posetest.report.terminal; "
        f"write_page(RunFolder.open({str(run.path)!r}), Path({str(tmp_path / 'r.html')!r})); "
        "print(sorted(m for m in sys.modules if m.partition('.')[0] in ('torch', 'torchvision', 'numba', 'trimesh')))"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
