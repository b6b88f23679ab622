"""Rates under other measures, as reports ask for them: what is asked, what stays as audited, and who is told how."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from simulated_run import simulate

from posetest.analysis.measures import measured, parse_measure
from posetest.api import open_run
from posetest.cli import main
from posetest.config import SpaceConfig
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError

TELLABLE = "photographer?only=rotation"
KEPT = "distance, offset_x, offset_y, fov, light, light_strength, ambient, background"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Recognised in 9 of 10 poses from the front, 1 of 10 from behind; all rotations, one light."""
    folder = tmp_path_factory.mktemp("measures") / "run"
    return simulate(folder, scenes=("jeep", "van"), models=("a", "b"), poses=4000, space=SpaceConfig())


def test_what_is_asked_is_read_with_its_options() -> None:
    asked = parse_measure("operational?roll_deg=5&keep=light,fov")
    assert (asked.name, asked.keep, asked.roll_deg) == ("operational", ("fov", "light"), 5)
    assert asked.measure.startswith("operational (roll uniform -3 to 3; distance log-uniform")
    assert asked.measure.endswith(", tilted in the picture by up to 5 degrees; as audited: fov, light")
    assert ", ".join(parse_measure(TELLABLE).keep) == KEPT


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("photographr", 'no such scene or mesh file, nor a bundled scene; did you mean "photographer"'),
        ("photographer?kep=light", 'unknown option "kep"; did you mean "keep"'),
        ("photographer?keep=lights", '"lights" is no part of a pose; did you mean "light'),
        ("photographer?roll_deg=wide", "roll_deg = wide must be an angle from 0 to 180 degrees"),
        ("photographer?keep=light&only=rotation", "keep and only say the same in two ways; give one"),
        ("photographer?roll_deg=-1", "roll_deg = -1 must be an angle"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint.replace("?", r"\?")):
        parse_measure(text)


def test_each_scene_and_model_has_rates_under_each_measure(run: RunFolder) -> None:
    table = measured(run, [parse_measure(TELLABLE)])
    told = table[table["outcome"] == "recognised"]
    assert list(zip(told["scene"], told["model"], strict=True)) == [(s, m) for s in ("jeep", "van") for m in "ab"]
    # the front half of an object seen from all round is half of the measure
    assert ((told["low"] < 0.5) & (told["high"] > 0.5)).all()
    assert (told["n"] == 4000).all()
    # level to 50 degrees up, upright to within some 15: few of all rotations
    assert told["ess"].between(80, 350).all()
    assert (told["as_audited"] == KEPT).all()
    assert (told["audited_measure"] == run.info.scenes[0].measure).all()


def test_the_error_says_how_to_ask_instead(run: RunFolder) -> None:
    with pytest.raises(ConfigError) as error:
        measured(run, [parse_measure("photographer")])
    text = str(error.value)
    assert "the poses of jeep do not tell of distance (distance of the target, [4, 8], reaches beyond" in text
    assert f'by "{TELLABLE}", or audit jeep under photographer' in text
    with pytest.raises(
        ConfigError, match=r'do not tell of rotation .*, by "outdoor\?keep=light,ambient,background&roll_deg=5"'
    ):
        measured(run, [parse_measure("outdoor?keep=light,background,ambient")])


def test_reports_hold_the_rates_that_were_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = simulate(tmp_path / "run", scenes=("jeep", "van"), models=("a", "b"), poses=300, space=SpaceConfig())
    out = tmp_path / "report.json"
    assert main(["report", str(run.path), "--out", str(out), "--measure", TELLABLE, "--familiar", "turntable"]) == 0
    document = json.loads(out.read_text())
    rows = [row for row in document["reweighted"] if row["outcome"] == "recognised"]
    assert [row["asked"] for row in rows] == [TELLABLE] * 4
    assert rows[0]["low"] < rows[0]["rate"] < rows[0]["high"]
    assert document["calibration"][1]["familiar"].endswith("(as in turntable)")
    card = open_run(run.path).report(tmp_path / "card.md", format="md", measures=[TELLABLE]).read_text()
    assert "Under the measure of photographer, a recognises jeep in" in card
    assert "(effective n = " in card
    capsys.readouterr()
    assert main(["report", str(run.path), "--measure", "photographer", "--format", "json"]) == 1
    assert "do not tell of" in capsys.readouterr().err


def test_a_run_says_its_rates_under_a_measure_and_other_runs_do_not(run: RunFolder, tmp_path: Path) -> None:
    assert len(open_run(run.path).reweighted(TELLABLE, "rotations?only=rotation")) == 2 * 2 * 2 * 4
    page = open_run(run.path).report(tmp_path / "page.html", measures=[TELLABLE]).read_text()
    assert page.count("<h3>Under other measures</h3>") == len(run.info.scenes)
    bare = simulate(tmp_path / "bare", poses=20)
    scene = msgspec.structs.replace(bare.info.scenes[0], config={})
    with pytest.raises(RunError, match="does not hold the scene jeep: its poses have no weights"):
        measured(RunFolder(bare.path, msgspec.structs.replace(bare.info, scenes=(scene,))), [parse_measure(TELLABLE)])
