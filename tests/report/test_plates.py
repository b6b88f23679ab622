"""Figures for publications: readable files, captions that say what is counted, the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from simulated_run import simulate

from posetest.cli import main
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.report.plates import write_plates


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("plates") / "run"
    space = SpaceConfig(rotation="haar", distance=5.0, offset_x=0.0, offset_y=0.0)
    return simulate(folder, scenes=("a <b>",), poses=400, space=space)


def test_every_figure_is_there_twice_and_has_a_caption(run: RunFolder, tmp_path: Path) -> None:
    plates = write_plates(run, tmp_path)
    kinds = {plate.name.rpartition("-net-")[2] for plate in plates}
    assert kinds == {"direction", "reliability", "yaw", "pitch", "roll", "yaw-pitch", "roll-pitch", "yaw-roll"}
    captions = (tmp_path / "captions.md").read_text()
    for plate in plates:
        with Image.open(tmp_path / f"{plate.name}.png") as picture:
            assert picture.size == (1280, 800)
            assert np.asarray(picture.convert("L")).std() > 5
        assert (tmp_path / f"{plate.name}.pdf").read_bytes().startswith(b"%PDF")
        assert "n = 400" in plate.caption
        assert "Haar-uniform rotations" in plate.caption
    assert captions.count("n = 400") == len(plates)
    assert "<b>" not in captions
    assert len(list(tmp_path.iterdir())) == 2 * len(plates) + 1


def test_the_front_is_bright_and_the_back_is_dark(run: RunFolder, tmp_path: Path) -> None:
    (plate,) = [p for p in write_plates(run, tmp_path) if p.name.endswith("direction")]
    with Image.open(tmp_path / f"{plate.name}.png") as picture:
        light = np.asarray(picture.convert("L"), dtype=float)
    middle = light[360:400, 480:600].mean()  # cividis runs from dark to bright
    rim = light[380:400, 60:110].mean()
    assert middle > rim + 60


def test_a_few_poses_have_figures_too_and_the_command_lists_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = simulate(tmp_path / "run", poses=30)
    assert main(["report", str(run.path), "--figures", str(tmp_path / "figures")]) == 0
    names = [Path(line).name for line in capsys.readouterr().out.split()]
    assert names == ["jeep-net-direction.png", "jeep-net-reliability.png"]
