"""posetest scenes and posetest meshes: what is listed, drawn and built."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from posetest.cli import main
from posetest.objects.catalogue import BUILDERS
from posetest.resources import bundled
from posetest.scene.load import load_mesh
from posetest.scene.scene import bundled_scenes


def test_all_bundled_scenes_are_listed_with_their_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenes", "--json"]) == 0
    rows = {row["scene"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows) == {path.stem for path in bundled_scenes()}
    assert rows["strike"]["measure"].startswith("Euler-uniform")
    assert rows["operational"]["backgrounds"] == 24
    assert rows["traffic_light"]["labels"] == "traffic light, traffic signal, stoplight"


def test_a_sheet_shows_each_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "deep" / "sheet.png"
    assert main(["scenes", "coffee_mug", "indoor", "--views", "3", "--sheet", str(sheet)]) == 0
    assert "coffee_mug" in capsys.readouterr().out
    picture = np.asarray(Image.open(sheet))
    assert picture.shape == (16 + 96, 2 * (3 * 96 + 2 * 2) + 8, 3)
    left, right = picture[16:, :292], picture[16:, 300:]
    assert (left[:20, :20] == left[0, 0]).all()  # plain grey
    assert right[:20, :20].std() > 0  # a room


def test_a_sheet_is_png(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenes", "coffee_mug", "--sheet", "a.jpg"]) == 1
    assert "written as PNG" in capsys.readouterr().err


def test_variants_are_built_under_their_own_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["meshes", "build", "street_sign", "--out", str(tmp_path), "--seed", "0", "--seed", "4"]
    assert main(arguments) == 0
    assert str(tmp_path / "street_sign_4.glb") in capsys.readouterr().out
    assert (tmp_path / "street_sign.glb").read_bytes() == (bundled("meshes") / "street_sign.glb").read_bytes()
    assert load_mesh(tmp_path / "street_sign_4.glb").digest != load_mesh(tmp_path / "street_sign.glb").digest


def test_the_list_names_every_object(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["meshes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(BUILDERS)


def test_a_check_finds_what_is_not_as_bundled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["meshes", "check", "street_sign", "soccer_ball"]) == 0
    copy = tmp_path / "meshes"
    copy.mkdir()
    (copy / "street_sign.glb").write_bytes((bundled("meshes") / "street_sign.glb").read_bytes() + b"x")
    monkeypatch.setattr("posetest.resources.bundled", lambda folder: tmp_path / folder)
    assert main(["meshes", "check", "street_sign"]) == 1
    assert "street_sign" in capsys.readouterr().err


def test_an_unknown_object_is_named_with_what_is_close(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["meshes", "build", "stret_sign"]) == 1
    assert 'did you mean "street_sign"' in capsys.readouterr().err


def test_conditions_of_another_scene_are_taken_on_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["audit", "coffee_mug", "--under", "operational", "--poses", "8", "--json", "--out", str(out)]) == 0
    (row,) = [r for r in json.loads(capsys.readouterr().out) if r["stratum"] == "all"]
    assert row["scene"] == "coffee_mug"
    assert "distance log-uniform 4 to 24" in row["measure"]
    assert main(["render", "coffee_mug", "--under", "indoor", "-o", str(tmp_path / "a.png")]) == 0
    assert main(["audit", "coffee_mug", "--under", "nowhere"]) == 1
    assert "nowhere: no such scene" in capsys.readouterr().err
