"""The command line: results on stdout, everything else on stderr, a user's mistake never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import write_cube_scene
from PIL import Image

from posetest.api import open_run
from posetest.cli import main

MODEL = f"{Path(__file__).with_name('helpers.py')}:LargestColour"


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return write_cube_scene(tmp_path)


def test_an_audit_prints_rates_and_leaves_a_report(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = ["audit", str(scene), "--model", MODEL, "--poses", "40", "--image-size", "32", "--out", str(out)]
    assert main([*arguments, "--json"]) == 0
    printed = capsys.readouterr()
    rows = json.loads(printed.out)
    everything = next(row for row in rows if row["stratum"] == "all")
    assert everything["n"] == 40
    assert everything["low"] < everything["rate"] < everything["high"]
    assert everything["measure"].startswith("Haar-uniform")
    assert "report.html" in printed.err
    assert (out / "report.html").stat().st_size > 10_000
    (out / "report.html").unlink()
    assert main(["report", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out / "report.html")
    assert (out / "report.html").is_file()


@pytest.mark.parametrize("command", [["report", "RUN", "--out", "FOLDER"], ["render", "SCENE", "-o", "FILE/x.png"]])
def test_a_place_that_cannot_be_written_is_named(
    scene: Path, tmp_path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    (tmp_path / "file").write_text("")
    assert main(["audit", str(scene), "--model", MODEL, "--poses", "8", "--image-size", "16", "--out", str(out)]) == 0
    places = {
        "RUN": str(out),
        "FOLDER": str(tmp_path),
        "SCENE": str(scene),
        "FILE/x.png": str(tmp_path / "file" / "x.png"),
    }
    assert main([places.get(word, word) for word in command]) == 1
    error = capsys.readouterr().err
    assert str(tmp_path) in error
    assert "Traceback" not in error


def test_options_of_the_mesh_reach_it(scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # the cube's green back faces -z: with --front=-z it is what the viewer sees
    target = tmp_path / "back.png"
    mesh = str(scene.with_name("cube.obj"))
    assert main(["render", mesh, "--front=-z", "--pose", "distance=6", "--size", "40x20", "-o", str(target)]) == 0
    with Image.open(target) as opened:
        picture = np.asarray(opened)
    assert picture.shape == (20, 40, 3)
    assert picture[10, 20].argmax() == 1


def test_a_grid_is_a_sheet_of_pictures(scene: Path, tmp_path: Path) -> None:
    target = tmp_path / "grid.png"
    grid = ["--grid", "yaw=0:180:3,pitch=0:30:2", "--pose", "distance=6", "--size", "32", "-o", str(target)]
    assert main(["render", str(scene), *grid]) == 0
    with Image.open(target) as sheet:
        assert sheet.size == (3 * 34 - 2, 2 * 34 - 2)


def test_options_say_how_pictures_are_drawn(scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = {}
    options = {
        "plain": [],
        "raw": ["--shading", "gamma_free"],
        "fine": ["--samples", "2"],
        "slow": ["--backend", "reference"],
    }
    for name, given in options.items():
        target = tmp_path / f"{name}.png"
        pose = ["--pose", "yaw=30,pitch=20,distance=6", "--size", "24", "-o", str(target)]
        assert main(["render", str(scene), *pose, *given]) == 0
        with Image.open(target) as opened:
            drawn[name] = np.asarray(opened).astype(int)
    apart = {name: np.abs(picture - drawn["plain"]) for name, picture in drawn.items()}
    assert apart["raw"].max() > 20  # half the light is half the number
    assert apart["fine"].max() > 0
    assert 0 < apart["slow"].mean() < 5
    out = tmp_path / "run"
    audit = ["audit", str(scene), "--model", MODEL, "--poses", "8", "--image-size", "16", "--out", str(out)]
    assert main([*audit, *options["raw"], *options["fine"]]) == 0
    assert open_run(out).info.renderer == "cpu, 2 x 2 samples, gamma_free shading"
    assert main([*audit, "--resume"]) == 1
    assert "started with renderer = cpu, 2 x 2 samples, gamma_free shading, now cpu" in capsys.readouterr().err
    assert main([*audit, "--resume", *options["raw"], *options["fine"]]) == 0


def test_what_is_not_drawn_is_said_once(scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    material = scene.with_name("cube.mtl")
    material.write_text(material.read_text() + "map_Bump bumps.png\n")
    arguments = ["audit", str(scene), "--model", MODEL, "--poses", "8", "--image-size", "16"]
    note = "note: the mesh of cube asks for bump map (blue), which is not drawn\n"
    assert main([*arguments, "--out", str(tmp_path / "run"), "--json"]) == 0
    printed = capsys.readouterr()
    assert printed.err.count(note) == 1
    json.loads(printed.out)
    assert main(["render", str(scene), "--size", "16", "-o", str(tmp_path / "x.png")]) == 0
    assert capsys.readouterr().err.count(note) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["audit", "nowhere.obj"], "nowhere.obj: no such scene or mesh file"),
        (["audit", "SCENE", "--model", "torchvision:resnet5", "--poses", "1"], "resnet50"),
        (["audit", "SCENE", "--resume"], "--resume needs --out"),
        (["audit", "SCENE", "SCENE", "--label", "x"], "--label: for one scene only; here are 2"),
        (["audit", "SCENE", "--poses", "0"], "poses = 0: at least 1"),
        (["render", "SCENE", "--pose", "yaww=3"], 'did you mean "yaw"'),
        (["render", "SCENE", "--size", "big"], '--size big: "224" or "640x480"'),
        (["render", "SCENE", "-o", "x.tiff"], "written as PNG"),
        (["render", "SCENE", "--up", "+w"], "+w"),
        (["report", "nowhere"], "no run folder"),
        (["report", "nowhere", "--out", "x.txt"], "--out x.txt: which format? End it in .html, .md, .json, .pdf"),
        (["audit", "FOLDER"], "a folder; give a file of it: "),
        (["render", "FOLDER/empty"], "a folder, without a scene (.toml) or a mesh"),
    ],
)
def test_a_mistake_is_one_plain_message(
    scene: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (scene.parent / "empty").mkdir()
    named = {"SCENE": scene, "FOLDER": scene.parent, "FOLDER/empty": scene.parent / "empty"}
    assert main([str(named.get(a, a)) for a in arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_an_unknown_command_is_answered_with_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audt"]) == 2
    assert 'did you mean "audit"?' in capsys.readouterr().err


def test_help_and_version_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    assert "doctor" in capsys.readouterr().out
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("posetest 0.")


def test_the_doctor_finds_the_installation_sound(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out
    for name in ("torch", "torchvision", "renderer: cpu", "renderer: reference", "bundled classifier"):
        assert f"ok      {name}" in lines
    assert "broken" not in lines
    pytorch3d = next(line for line in lines.splitlines() if "renderer: pytorch3d" in line)
    assert "a bundled object drawn" in pytorch3d or "pip install" in pytorch3d


def test_help_tells_a_default_and_leaves_out_an_empty_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--help"])
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "--out PATH Where to write" in told
    assert "--format {html,md,json,pdf} html;" in told
    assert "None" not in told
    with pytest.raises(SystemExit):
        main(["audit", "--help"])
    told = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "(default: 2000)" in told
    assert "(default: 0)" in told
    assert "--resume Go on" in told
