"""Figures for publications: readable files, captions that say what is counted, the same bytes each time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simulated_run import simulate

from posetest.analysis.density import densities
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import summary_frame
from posetest.cli import main
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.report.drawing.style import blank, printed
from posetest.report.plates import Plate, write_plates
from posetest.report.sketches import audit_sketches

SPACE = SpaceConfig(rotation="haar", distance=5.0, offset_x=0.0, offset_y=0.0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return simulate(tmp_path_factory.mktemp("plates") / "run", scenes=("a <b>",), poses=400, space=SPACE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("figures")


@pytest.fixture(scope="module")
def plates(run: RunFolder, folder: Path) -> list[Plate]:
    return write_plates(run, folder)


def picture(folder: Path, plates: list[Plate], ending: str) -> np.ndarray:
    (name,) = [plate.name for plate in plates if plate.name.endswith(ending)]
    with Image.open(folder / f"{name}.png") as opened:
        return np.asarray(opened.convert("RGB"), dtype=float)


def test_every_figure_is_there_twice_and_has_a_caption(folder: Path, plates: list[Plate]) -> None:
    kinds = {plate.name.rpartition("-net-")[2] for plate in plates}
    over = {"yaw", "pitch", "roll"}
    assert kinds == {
        *("direction", "globes", "scores", "reliability", "rotations", "labels", "yaw-pitch", "roll-pitch", "yaw-roll"),
        *over,
        *(f"labels-{name}" for name in over),
    }
    captions = (folder / "captions.md").read_text()
    for plate in plates:
        with Image.open(folder / f"{plate.name}.png") as opened:
            assert np.asarray(opened.convert("L")).std() > 5
        pdf = (folder / f"{plate.name}.pdf").read_bytes()
        assert pdf.startswith(b"%PDF")
        assert b"/FontFile2" in pdf  # letters are embedded as they are, not as drawings
        assert b"/Type3" not in pdf
        assert "n = 400" in plate.caption
        assert "Haar-uniform rotations" in plate.caption
    assert captions.count("n = 400") == len(plates)
    assert "<b>" not in captions
    assert len(list(folder.iterdir())) == 2 * len(plates) + 1


def test_captions_name_the_interval(plates: list[Plate]) -> None:
    for plate in plates:
        assert re.search("95 % (Wilson )?interval", plate.caption), plate


def test_the_front_is_bright_and_the_back_is_dark(folder: Path, plates: list[Plate]) -> None:
    light = picture(folder, plates, "-direction").mean(axis=-1)
    line = light[len(light) // 2]
    left = int(np.argmax(line < 200))  # where the map begins
    right = int(np.argmax(line[left:] > 250)) + left
    middle = (left + right) // 2
    assert line[middle - 60 : middle + 60].mean() > line[left + 10 : left + 60].mean() + 60  # dark is 0, bright is 1
    globes = picture(folder, plates, "-globes").mean(axis=-1)
    front, back = globes[150:250, 120:260], globes[150:250, 800:940]
    assert front.mean() > back.mean() + 60


def test_the_density_of_a_label_has_area_one_and_lies_where_it_is_seen(run: RunFolder) -> None:
    rows = of_pair(summary_frame(run), "a <b>", "net")
    table = densities(rows.assign(seen=rows["top1_label"] == "minibus"), "yaw", None, ["seen"])
    assert table["seen"].sum() == (rows["top1_label"] == "minibus").sum()
    assert (table["seen_density"] * (table["bin_high"] - table["bin_low"])).sum() == pytest.approx(1)
    assert "misread" not in table
    turned = rows.loc[rows["top1_label"] == "minibus", "yaw_deg"].abs()
    assert (turned > 90).mean() > 0.6  # the rule misreads the back


def test_two_models_have_a_map_of_their_difference(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", scenes=("jeep", "van"), models=("one", "two"), poses=90, space=SPACE)
    sketches = {sketch.name: sketch for sketch in audit_sketches(run)}
    assert list(sketches)[:2] == ["rates", "transfer"]
    difference = sketches["jeep-one-two-difference"]
    assert "false discovery rate of 5 %" in difference.caption
    assert "n = 90 shared poses" in difference.caption
    with printed():
        for sketch in (sketches["rates"], sketches["transfer"], difference):
            sketch.draw(blank(*sketch.size_in))


def test_smooth_maps_of_rotations_come_with_a_thousand_poses(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=1200, space=SPACE)
    (smooth,) = [sketch for sketch in audit_sketches(run) if sketch.name.endswith("rotations-smooth")]
    assert re.search(r"fallen to half at \d+ degrees \(chosen by cross-validation\)", smooth.caption)
    assert re.search(r"median 95 % interval ±\d+ points", smooth.caption)


def test_a_few_poses_have_figures_too_always_the_same_bytes_whatever_their_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetest.report.drawing.style.DPI", 70)  # nothing here looks closer
    run = simulate(tmp_path / "run", scenes=("$x_ 猫 😀",), poses=25, space=SPACE, wrong=("$a$ 猫",))
    assert main(["report", str(run.path), "--figures", str(tmp_path / "a")]) == 0
    files = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [file.name.rpartition("-")[2] for file in files] == [
        f"{name}.png" for name in ("direction", "globes", "scores", "reliability", "rotations")
    ]
    write_plates(run, tmp_path / "b")
    assert len(list((tmp_path / "a").iterdir())) == 11
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name
