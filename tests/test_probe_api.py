"""Probes end to end, on a cube whose sides have known colours and a model that names the largest."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import SCENE, LargestColour, write_cube_scene

import posetest
from posetest.cli import main
from posetest.config import RenderConfig
from posetest.engine.probe_jobs import drawn_otherwise
from posetest.engine.record import POSE_COLUMNS
from posetest.errors import ConfigError, ModelError, RunError
from posetest.space import INDEX

MODEL = f"{Path(__file__).with_name('helpers.py')}:LargestColour"
FEW = {"poses": 6, "threads": 2}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scene of a red-fronted cube and an audit of it."""
    folder = tmp_path_factory.mktemp("probed")
    scene = write_cube_scene(folder)
    posetest.audit(MODEL, scene, poses=120, image_size=24, batch_size=16, threads=2, out=folder / "audit")
    return folder


@pytest.fixture(scope="module")
def sensitivity(folder: Path) -> posetest.ProbeRun:
    return posetest.probe(folder / "audit", out=folder / "sensitivity", **FEW)


def test_an_unchanged_pose_is_drawn_and_read_as_it_was(folder: Path, sensitivity: posetest.ProbeRun) -> None:
    audit = posetest.open_run(folder / "audit").table().set_index("index")
    table = sensitivity.table()
    same = table[table["change"] == "none"].set_index("base")
    assert len(same) == 6
    assert same["base_recognised"].all()
    assert same["recognised"].all()
    before = audit.loc[same.index]
    for column in ("image_digest", "recognised", *POSE_COLUMNS):
        np.testing.assert_array_equal(same[column], before[column])
    np.testing.assert_allclose(same["top1_p"], before["top1_p"], atol=1e-5)


def test_the_red_side_turned_away_is_lost_and_rolled_it_is_not(sensitivity: posetest.ProbeRun) -> None:
    table = sensitivity.table()
    turned = table[(table["change"] == "yaw") & (table["amount"].abs() == 90)]
    assert turned.groupby("base")["recognised"].min().eq(False).all()
    result = sensitivity.result().set_index(["parameter", "direction"])
    assert result.loc["yaw", "both"]["fail_rate"] == 1
    assert result.loc["yaw", "both"]["n"] == 6
    assert result.loc["distance", "up"]["fail_rate"] == 0
    assert set(table["index"]) == set(range(len(table)))


def test_run_toml_names_the_parent_and_what_was_changed(folder: Path, sensitivity: posetest.ProbeRun) -> None:
    info = posetest.open_run(sensitivity.path).info
    assert info.kind == "probe"
    assert info.status == "complete"
    assert info.probe is not None
    assert info.probe.what == "sensitivity"
    assert Path(info.probe.parent) == (folder / "audit").resolve()
    assert info.probe.steps["yaw"][-1] == 90
    assert isinstance(posetest.open_run(sensitivity.path), posetest.ProbeRun)


class Dies(LargestColour):
    """Fails at its n-th call, like a process that is killed."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.calls, self.at = 0, at

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        if self.calls == self.at:
            raise RuntimeError("out of memory")
        return super().forward(images)


def test_a_probe_that_died_resumes_to_the_rows_of_an_undisturbed_one(
    folder: Path, sensitivity: posetest.ProbeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetest.api.probing._PART_SIZE", 64)
    dying = posetest.load_model(Dies(at=20), name="LargestColour")
    with pytest.raises(ModelError, match="out of memory"):
        posetest.probe(folder / "audit", model=dying, out=tmp_path / "died", **FEW)
    died = posetest.open_run(tmp_path / "died")
    assert died.info.status == "running"
    assert 0 < len(died.part_files()) < 10
    with pytest.raises(RunError, match="not complete; go on with the probe by --resume"):
        died.result()  # type: ignore[attr-defined]
    resumed = posetest.probe(folder / "audit", model=LargestColour(), out=tmp_path / "died", resume=True, **FEW)
    assert len(resumed.part_files()) > 10
    assert resumed.table().equals(sensitivity.table())
    with pytest.raises(RunError, match=r"started with poses = 6, now 5"):
        posetest.probe(
            folder / "audit", model=LargestColour(), out=tmp_path / "died", resume=True, **{**FEW, "poses": 5}
        )


def test_a_changed_mesh_is_refused(tmp_path: Path) -> None:
    scene = write_cube_scene(tmp_path)
    posetest.audit(MODEL, scene, poses=40, image_size=16, threads=2, out=tmp_path / "audit")
    mesh = tmp_path / "cube.obj"
    text = mesh.read_text()
    mesh.write_text(text.replace("v -1 -1 -1", "v -1 -1 -0.5"))
    with pytest.raises(RunError, match=r"the mesh of cube .* changed since the audit .*restore it, or audit again"):
        posetest.probe(tmp_path / "audit", out=tmp_path / "p", **FEW)
    mesh.unlink()
    with pytest.raises(RunError, match=r"its scene cube .* cannot be loaded again: .*hand over the scene"):
        posetest.probe(tmp_path / "audit", out=tmp_path / "p", **FEW)
    mesh.write_text(text)
    dark = tmp_path / "dark"
    write_cube_scene(dark, SCENE + "[background]\ncolor = '#000000'\n")
    with pytest.raises(RunError, match="the scene file or its backgrounds of cube .* changed"):
        posetest.probe(tmp_path / "audit", scene=dark / "cube.toml", out=tmp_path / "p", **FEW)
    write_cube_scene(dark, SCENE.replace("red", "green"))
    with pytest.raises(RunError, match="other classes of LargestColour count as cube than in the audit"):
        posetest.probe(tmp_path / "audit", scene=dark / "cube.toml", out=tmp_path / "p", **FEW)
    write_cube_scene(dark, SCENE.replace('"cube"', '"box"'))
    with pytest.raises(RunError, match=r'has no scene "box" \(it has cube\)'):
        posetest.probe(tmp_path / "audit", scene=dark / "cube.toml", out=tmp_path / "p", **FEW)
    assert not (tmp_path / "p").exists()


def test_what_the_audit_was_told_of_its_object_is_kept(folder: Path, tmp_path: Path) -> None:
    conditions = tmp_path / "conditions" / "dim.toml"
    conditions.parent.mkdir()
    conditions.write_text('ambient = 0.1\n[object]\nmesh = "none.obj"\n[background]\ncolor = "#000000"\n')
    mesh = folder / "cube.obj"
    scene = posetest.load_scene(mesh, front="-z", labels=["green"], under=conditions)
    audit = posetest.audit(MODEL, scene, poses=60, image_size=16, threads=2, samples=2, out=tmp_path / "audit")
    table = posetest.probe(audit.path, "tolerance", out=tmp_path / "p", **{**FEW, "poses": 3}).table()
    same = table[table["change"] == "none"].set_index("base")
    before = audit.table().set_index("index").loc[same.index]
    np.testing.assert_array_equal(same["image_digest"], before["image_digest"])
    assert set(same["top1_label"].astype(str)) == {"green"}


class Grey(LargestColour):
    """Never says red."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return super().forward(images) * 0 + torch.tensor([0.0, 1.0, 0.0])


def test_models_of_python_are_handed_over_again_and_checked(folder: Path, tmp_path: Path) -> None:
    posetest.audit(LargestColour(), folder / "cube.toml", poses=40, image_size=16, threads=2, out=tmp_path / "audit")
    with pytest.raises(RunError, match="LargestColour was handed over in Python and cannot be loaded from run.toml"):
        posetest.probe(tmp_path / "audit", out=tmp_path / "p", **FEW)
    with pytest.raises(RunError, match=r"Grey .* is none of its models, or has changed since"):
        posetest.probe(tmp_path / "audit", model=Grey(), out=tmp_path / "p", **FEW)
    with pytest.raises(RunError, match="is none of its models, or has changed since"):
        posetest.probe(tmp_path / "audit", model=f"{MODEL}?mean=0.4&std=0.2", out=tmp_path / "p", **FEW)
    done = posetest.probe(tmp_path / "audit", model=LargestColour(), out=tmp_path / "p", **{**FEW, "poses": 1})
    assert done.info.status == "complete"


def test_probes_of_what_is_no_audit_are_refused(folder: Path, sensitivity: posetest.ProbeRun, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r'a run of kind "probe" did not draw its poses from a measure'):
        posetest.probe(sensitivity, out=tmp_path / "p", **FEW)
    with pytest.raises(ConfigError, match=r'what = "sensitivty"; did you mean "sensitivity"\?'):
        posetest.probe(folder / "audit", "sensitivty", out=tmp_path / "p", **FEW)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="rates need poses drawn from a measure"):
        sensitivity.rates()
    grey = posetest.audit(Grey(), folder / "cube.toml", poses=10, image_size=16, threads=2, out=tmp_path / "grey")
    with pytest.raises(RunError, match="no pose of the audit was recognised, so there is none to change"):
        posetest.probe(grey, model=Grey(), out=tmp_path / "p", **FEW)
    assert not (tmp_path / "p").exists()


def test_two_models_have_poses_of_their_own(folder: Path, tmp_path: Path) -> None:
    both = [LargestColour(), LargestColour()]
    audit = posetest.audit(both, folder / "cube.toml", poses=60, image_size=16, threads=2, out=tmp_path / "audit")
    done = posetest.probe(audit, model=both, out=tmp_path / "p", **{**FEW, "poses": 2})
    table = done.table()
    assert table["model"].value_counts().tolist() == [2 * 121, 2 * 121]
    first, second = (set(rows["base"]) for _, rows in table.groupby("model", observed=True))
    assert first != second
    assert len(done.result()) == 2 * 18


@pytest.fixture(scope="module")
def redrawn(folder: Path) -> posetest.ProbeRun:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("posetest.api.probing._FEW", 3)  # the reference is slow
        return posetest.probe(folder / "audit", "artefacts", out=folder / "artefacts", **{**FEW, "poses": 10})


def test_the_same_poses_are_drawn_otherwise(folder: Path, redrawn: posetest.ProbeRun) -> None:
    audit = posetest.open_run(folder / "audit").table().set_index("index")
    table = redrawn.table()
    drawn = {str(change): rows.set_index("base") for change, rows in table.groupby("change", observed=True)}
    same = drawn["none"]
    assert same["base_recognised"].sum() == 10
    assert len(same) == 20
    assert (same["recognised"] == same["base_recognised"]).all()
    assert (same["image_digest"] == audit.loc[same.index, "image_digest"]).all()
    assert sorted(table["index"]) == list(range(len(table)))
    # a picture 1.5 times as wide holds 2.25 times the pixels, and 2 x 2 samples hold as many
    np.testing.assert_allclose(drawn["size"]["area_px"] / same["area_px"], 2.25, rtol=0.05)
    np.testing.assert_allclose(drawn["samples"]["area_px"] / same["area_px"], 1, rtol=0.05)
    for change in ("samples", "size", "jitter", "flat"):
        assert (drawn[change]["image_digest"] != same["image_digest"]).all()
    aside = drawn["jitter"][["offset_x", "offset_y"]] - same[["offset_x", "offset_y"]]
    np.testing.assert_allclose(np.hypot(aside["offset_x"], aside["offset_y"]) * 24 / 2, 0.5, atol=1e-3)
    assert set(drawn["flat"]["ambient"]) == {1.0}
    assert len(drawn["renderer"]) == 6
    assert drawn["renderer"]["base_recognised"].sum() == 3


def test_what_the_largest_colour_is_does_not_depend_on_how_it_is_drawn(redrawn: posetest.ProbeRun) -> None:
    result = redrawn.result().set_index(["group", "change"])
    # a cube seen from all sides: only a pose at the very edge between two answers can change
    for group in ("misread", "recognised"):
        for change in ("samples", "size", "jitter"):
            assert result.loc[(group, change), "share"] >= 0.8
    assert result["n_lost"].eq(0).all()
    assert result.loc[("misread", "renderer"), "n"] == 3
    assert result.loc[("misread", "every"), "n"] == 10


@pytest.mark.parametrize(
    ("drawn", "samples", "renderer"),
    [
        ({}, {"samples": 2}, {"backend": "reference"}),
        ({"samples": 2}, {}, {"backend": "reference"}),
        ({"shading": "gamma_free"}, {"shading": "gamma_free", "samples": 2}, None),
        ({"backend": "reference"}, None, {}),
        ({"backend": "pytorch3d"}, {"backend": "pytorch3d", "samples": 2}, {}),
    ],
)
def test_another_renderer_and_other_samples_are_others(
    folder: Path, drawn: dict[str, object], samples: dict[str, object] | None, renderer: dict[str, object] | None
) -> None:
    scene = posetest.load_scene(folder / "cube.toml").drawn_with(drawn)
    other = drawn_otherwise(scene, "samples")
    assert (None if other is None else other.config.render) == (None if samples is None else RenderConfig(**samples))
    other = drawn_otherwise(scene, "renderer")
    assert other is not None
    expected = {"backend": "reference", "shading": "gamma_free"} if renderer is None else renderer
    assert other.config.render == RenderConfig(**expected)


def test_small_turns_keep_the_red_side_in_sight_and_large_ones_do_not(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetest.api.probing.DRAWS", 5)
    monkeypatch.setattr("posetest.api.probing.RADII_DEG", (1.0, 120.0))
    done = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "p", **FEW)
    result = done.result().set_index("radius_deg")
    assert result["n"].tolist() == [6, 6]
    assert result["turns"].tolist() == [30, 30]
    assert result.loc[1.0, "rate"] >= 0.8
    assert result.loc[120.0, "rate"] < 0.6
    assert not result["is_held"].any()  # six poses show no share of 0.9
    again = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "q", **FEW)
    assert again.table().equals(done.table())
    other = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "r", seed=1, **FEW)
    assert not other.table()["yaw_deg"].equals(done.table()["yaw_deg"])


@pytest.mark.parametrize("what", ["artefacts", "tolerance"])
def test_every_probe_prints_a_table(
    what: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("posetest.api.probing.DRAWS", 2)
    monkeypatch.setattr("posetest.api.probing._FEW", 1)
    arguments = ["probe", str(folder / "audit"), "--what", what, "--poses", "2", "--threads", "2"]
    assert main([*arguments, "--out", str(tmp_path / "p")]) == 0
    shown = capsys.readouterr().out
    assert "cube, LargestColour" in shown
    assert {"artefacts": "every", "tolerance": "45"}[what] in shown


def test_the_command_prints_the_table(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["probe", str(folder / "audit"), "--poses", "3", "--out", str(tmp_path / "p"), "--threads", "2"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    yaw = next(row for row in rows if (row["parameter"], row["direction"]) == ("yaw", "both"))
    assert yaw["n"] == 3
    assert yaw["low"] < yaw["fail_rate"]
    assert main([*arguments, "--resume"]) == 0
    shown = capsys.readouterr()
    assert "cube, LargestColour" in shown.out
    assert f"run folder: {tmp_path / 'p'}" in shown.err
    assert main(["probe", str(folder / "audit"), "--resume"]) == 1
    assert "--resume needs --out" in capsys.readouterr().err


def test_offsets_and_distance_move_the_picture_alone(sensitivity: posetest.ProbeRun) -> None:
    table = sensitivity.table()
    moved = table[table["change"].isin(["offset_x", "offset_y"])]
    same = table[table["change"] == "none"].set_index("base")
    turns = ["yaw_deg", "pitch_deg", "roll_deg", "distance"]
    np.testing.assert_array_equal(moved[turns], same.loc[moved["base"], turns])
    column = POSE_COLUMNS[INDEX["offset_x"]]
    along = moved[moved["change"] == "offset_x"]
    np.testing.assert_allclose(along[column] - same.loc[along["base"], column].to_numpy(), along["amount"], atol=1e-5)


def test_a_probe_is_told_in_the_report_of_its_audit_and_by_itself(
    folder: Path, sensitivity: posetest.ProbeRun, tmp_path: Path
) -> None:
    both = posetest.write_report([folder / "audit", sensitivity], tmp_path / "both.html").read_text()
    alone = sensitivity.report(tmp_path / "alone.html").read_text()
    rate = sensitivity.result().set_index(["parameter", "direction"]).loc["yaw", "both"]["fail_rate"]
    assert rate == 1
    for text in (both, alone):
        assert "How small a change makes it fail" in text
        assert re.search(r"Most fragile to .*: changing it alone by at most .* makes 100\u202f% \[61, 100\]", text)
        assert re.search(r'<td>yaw</td><td class="r">100\u202f% \[61, 100\]</td>', text)
        assert "recognised poses of: " in text
    assert "Where it is recognised" in both
    assert "Where it is recognised" not in alone
    with pytest.raises(RunError, match="give the audit's folder too"):
        sensitivity.report(tmp_path / "alone.json", format="json")
