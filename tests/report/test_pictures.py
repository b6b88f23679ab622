"""Pictures in the page: which of them get in, and as what."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from simulated_run import simulate

from posetest.engine.run import RunFolder
from posetest.report.pictures import embed

SIZES = {"canonical": 3000, "directions": 9000, "gallery": 6000}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Two scenes, each with one file of each kind, of SIZES bytes."""
    return simulate(tmp_path_factory.mktemp("pictures") / "run", poses=5, gallery=0)


@pytest.fixture(scope="module")
def kept(run: RunFolder) -> pd.DataFrame:
    rows = []
    for scene in ("a", "b"):
        for kind, size in SIZES.items():
            sheet = kind == "directions"
            file = run.path / "images" / f"{scene}.{kind}.{'webp' if sheet else 'png'}"
            Image.fromarray(np.zeros((4, 4, 3), dtype=np.uint8)).save(file)
            data = file.read_bytes()
            file.write_bytes(data + bytes(size - len(data)))
            rows.append({"file": f"images/{file.name}", "kind": kind, "scene": scene, "model": "", "index": 0})
    return pd.DataFrame(rows)


def kinds(urls: dict[str, str]) -> list[str]:
    return sorted(Path(file).name.split(".")[1] for file in urls)


def test_all_get_in_where_there_is_room_each_as_what_it_is(run: RunFolder, kept: pd.DataFrame) -> None:
    urls = embed(run, kept, 100_000)
    assert set(urls) == set(kept["file"])
    for file, url in urls.items():
        kind = "webp" if file.endswith("webp") else "png"
        assert url.startswith(f"data:image/{kind};base64,")


@pytest.mark.parametrize("budget", [1, 8_000, 16_000, 20_000, 30_000, 40_000, 50_000, 60_000])
def test_the_budget_holds_and_sheets_take_at_most_half_of_it(run: RunFolder, kept: pd.DataFrame, budget: int) -> None:
    urls = embed(run, kept, budget)
    sizes = {file: len(url) * (2 if ".canonical." in file else 1) for file, url in urls.items()}
    slack = 60 * len(urls)  # of media types and rounding
    assert sum(sizes.values()) <= budget + slack
    assert sum(size for file, size in sizes.items() if ".directions." in file) <= budget / 2 + slack


def test_sheets_come_after_the_objects_and_leave_room_for_galleries(run: RunFolder, kept: pd.DataFrame) -> None:
    assert kinds(embed(run, kept, 16_100)) == ["canonical", "canonical"]
    assert kinds(embed(run, kept, 40_000)) == ["canonical", "canonical", "directions", "gallery"]


def test_what_only_calls_itself_a_picture_is_left_out(run: RunFolder, kept: pd.DataFrame) -> None:
    file = run.path / "images" / "page.webp"
    file.write_bytes(b"RIFF\x00\x00\x00\x00WAVE<script>")
    row = {"file": "images/page.webp", "kind": "directions", "scene": "a", "model": "", "index": 0}
    assert embed(run, pd.DataFrame([row]), 100_000) == {}
