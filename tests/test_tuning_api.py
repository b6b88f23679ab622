"""Tuning curves end to end, on a cube whose sides have known colours and units that watch one colour each."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import LargestColour, write_cube_scene

import posetest
from posetest.api.tuning import grid_of
from posetest.cli import main
from posetest.errors import ConfigError, ModelError, RunError
from posetest.space import scene_space

SMALL = {"image_size": 32, "threads": 2, "batch_size": 16}


class Watchers(LargestColour):
    """Its layer has a channel for red, one for green, one for anything that is not grey, and one that never changes."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = torch.nn.Conv2d(3, 4, 1, bias=True)
        self.watch.weight.data = torch.tensor([[1, -0.5, -0.5], [-0.5, 1, -0.5], [0, 0, 0], [0, 0, 0.0]])[
            :, :, None, None
        ]
        self.watch.weight.data[2] = torch.tensor([1.0, 1.0, 1.0])[:, None, None]
        self.watch.bias.data = torch.tensor([0.0, 0.0, -1.5, 0.7])

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images) + 0 * self.watch(images).sum((1, 2, 3))[:, None]


class Failing(Watchers):
    """Fails at its third batch after it was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == 6:
            raise RuntimeError("out of memory")
        return super().forward(images)


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> posetest.Scene:
    return posetest.load_scene(write_cube_scene(tmp_path_factory.mktemp("cube")))


def tune(scene: posetest.Scene, out: Path, **options: object) -> posetest.TuneRun:
    given = {"layer": "watch", "over": "yaw", "pose": "azimuth=0,elevation=0", **SMALL, **options}
    return posetest.tuning_curves(given.pop("model", Watchers()), scene, out=out, **given)


def test_a_unit_prefers_the_pose_that_shows_its_colour(cube: posetest.Scene, tmp_path: Path) -> None:
    units = tune(cube, tmp_path / "run").units().set_index("channel")
    assert abs(units["yaw"][0]) <= 10  # red in front; the light comes from the left
    assert abs(units["yaw"][1]) >= 170  # green behind
    assert 30 < units["half_width_yaw"][0] < 75
    assert units["is_driven"].tolist()[:2] == [True, True]
    assert not units["is_driven"][3]
    assert units["blank"][3] == pytest.approx(0.7)


def test_the_blank_picture_shows_the_background_alone(cube: posetest.Scene, tmp_path: Path) -> None:
    run = tune(cube, tmp_path / "run", over="yaw=-180:150:12")
    found = run.responses()
    grey = 0x80 / 255
    assert found.blank[2] == pytest.approx(3 * grey - 1.5, abs=1e-5)
    assert run.table()["area_px"].iloc[0] == 0
    assert found.grid.shape == (12, 4)
    assert found.wraps == (True,)


def test_grids_run_over_the_scenes_interval_or_once_around(cube: posetest.Scene) -> None:
    space = scene_space(cube.config)
    names, values, wraps = grid_of("azimuth,distance", space)
    assert names == ("azimuth", "distance")
    assert values[0].tolist() == np.linspace(-180, 180, 36, endpoint=False).tolist()
    assert (values[1][0], values[1][-1], wraps) == (4.5, 8.0, (True, False))
    _, values, wraps = grid_of("elevation=-30:60:4", space)
    assert (values[0].tolist(), wraps) == ([-30, 0, 30, 60], (False,))


def test_a_grid_that_died_goes_on(cube: posetest.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("posetest.engine.tune_loop._PART_ROWS", 16)
    whole = tune(cube, tmp_path / "whole")
    died = posetest.load_model(Failing(), name="Watchers")
    with pytest.raises(ModelError, match="out of memory"):
        tune(cube, tmp_path / "died", model=died)
    with pytest.raises(RunError, match="of 73 poses are there; go on with --resume"):
        posetest.open_run(tmp_path / "died").units()
    resumed = tune(cube, tmp_path / "died", resume=True)
    assert np.array_equal(resumed.responses().grid, whole.responses().grid)
    with pytest.raises(RunError, match="tune"):
        resumed.rates()
    for other, words in (({"reduce": "max"}, "reduce = mean, now max"), ({"over": "pitch"}, "over = .*yaw.*pitch")):
        with pytest.raises(RunError, match=words):
            tune(cube, tmp_path / "died", resume=True, **other)
    with pytest.raises(ModelError, match="one model is wanted here, not 2"):
        tune(cube, tmp_path / "two", model=[Watchers(), LargestColour()])


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"over": "yawn"}, ConfigError, 'unknown parameter "yawn"; did you mean "yaw"'),
        ({"over": "yaw,pitch,roll"}, ConfigError, "one or two parameters are wanted, here are 3"),
        ({"over": "yaw=0:90"}, ConfigError, '"yaw=0:90" is not name=first:last:count'),
        ({"over": "yaw,yaw"}, ConfigError, "yaw stands there twice"),
        ({"over": "fov"}, ConfigError, "fov does not vary in this scene, so its range is not known"),
        ({"layer": "wacth"}, ModelError, 'no layer "wacth"; did you mean "watch"'),
        ({"channels": [0, 9]}, ModelError, "channel 9: watch has 4 channels"),
    ],
)
def test_mistakes_are_said_before_a_folder_exists(
    cube: posetest.Scene, tmp_path: Path, options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        tune(cube, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_class_scores_are_named_by_their_classes(cube: posetest.Scene, tmp_path: Path) -> None:
    run = tune(cube, tmp_path / "run", layer="probabilities", over="yaw=-180:165:24,pitch=-80:80:9")
    assert run.responses().grid.shape == (24, 9, 3)
    text = run.report().read_text()
    assert all(f"<h4>{name} " in text for name in ("red", "green", "blue"))


def test_the_command_line_draws_curves(
    cube: posetest.Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = f"{Path(__file__).resolve()}:Watchers"
    given = ["tune", cube.source, "--model", model, "--layer", "watch", "--image-size", "32", "--channels", "0,1"]
    assert main([*given, "--over", "yaw=-180:170:36", "--out", str(tmp_path / "run"), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["channel"] for row in rows] == [0, 1]
    assert (tmp_path / "run" / "report.html").is_file()
    assert main([*given, "--over", "yaw", "--out", str(tmp_path / "two")]) == 0
    assert "most view-tuned" in capsys.readouterr().out
    assert main([*given, "--over", "yaw", "--channels", "a"]) == 1
    assert "numbers are wanted" in capsys.readouterr().err
