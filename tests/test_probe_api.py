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
from posetest.space import INDEX, PARAMETERS

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
        patched.setattr("posetest.api.probe_settings._FEW", 3)  # the reference is slow
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


def test_small_turns_keep_the_red_side_in_sight_and_large_ones_do_not(folder: Path, tmp_path: Path) -> None:
    few = {**FEW, "draws": 5, "radii": (1, 120)}
    done = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "p", **few)
    result = done.result().set_index("radius_deg")
    assert result["n"].tolist() == [6, 6]
    assert result["turns"].tolist() == [30, 30]
    assert result.loc[1.0, "rate"] >= 0.8
    assert result.loc[120.0, "rate"] < 0.6
    assert not result["is_held"].any()  # six poses show no share of 0.9
    again = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "q", **few)
    assert again.table().equals(done.table())
    other = posetest.probe(folder / "audit", "tolerance", out=tmp_path / "r", seed=1, **few)
    assert not other.table()["yaw_deg"].equals(done.table()["yaw_deg"])


SMALL = {
    "artefacts": [],
    "tolerance": ["--draws", "2"],
    "axes": ["--over", "yaw", "--steps", "yaw=5,30"],
    "boxes": ["--over", "yaw,roll", "--steps", "yaw=5", "--steps", "roll=10"],
    "indices": [],
}


@pytest.mark.parametrize("what", list(SMALL))
def test_every_probe_prints_a_table(
    what: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("posetest.api.probe_settings._FEW", 1)
    arguments = ["probe", str(folder / "audit"), "--what", what, "--poses", "2", "--threads", "2", *SMALL[what]]
    assert main([*arguments, "--out", str(tmp_path / "p")]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "cube, LargestColour" in shown
    assert "poses" in shown.lower()
    assert "Haar-uniform rotations" in shown
    words = {"artefacts": "every", "tolerance": "45", "axes": "yaw", "boxes": "measure_share", "indices": "rotation"}
    assert words[what] in shown
    assert main([*arguments, "--out", str(tmp_path / "p"), "--resume", "--json"]) == 0
    tables = json.loads(capsys.readouterr().out)
    assert list(tables) == list(posetest.open_run(tmp_path / "p").tables())  # type: ignore[attr-defined]
    for rows in tables.values():
        for row in rows:
            assert row["scene"] == "cube"
            assert row["n"] >= 0
            assert "Haar-uniform rotations" in row["measure"]


def test_the_command_prints_the_table(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["probe", str(folder / "audit"), "--poses", "3", "--out", str(tmp_path / "p"), "--threads", "2"]
    assert main([*arguments, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["flips"]
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
        assert re.search(r'<td>yaw</td><td class="r">100\u202f%<br><span class="ci">\[61, 100\]</span></td>', text)
        assert "recognised poses of: " in text
    assert "Where it is recognised" in both
    assert "Where it is recognised" not in alone
    with pytest.raises(RunError, match="give the audit's folder too"):
        sensitivity.report(tmp_path / "alone.json", format="json")


@pytest.fixture(scope="module")
def yaw_axis(folder: Path) -> posetest.ProbeRun:
    return posetest.probe(folder / "audit", "axes", over="yaw,distance", out=folder / "axes", **FEW)


def test_the_red_side_may_turn_until_it_is_not_the_largest(folder: Path, yaw_axis: posetest.ProbeRun) -> None:
    each = yaw_axis.tables()["pose_axes"].set_index(["parameter", "base"])
    assert len(each.loc["yaw"]) == 6
    assert each.loc["yaw", "is_held"].any()
    # in front of the camera for less than half a circle
    assert (each.loc["yaw", "down"] + each.loc["yaw", "up"]).max() < 180
    flips = posetest.open_run(folder / "sensitivity").table()  # type: ignore[attr-defined]
    common = flips[(flips["change"] == "yaw") & flips["base"].isin(each.loc["yaw"].index)]
    assert len(common)
    for base, rows in common.groupby("base"):
        row = each.loc[("yaw", base)]
        within = rows[(rows["amount"] > -row["down"]) & (rows["amount"] < row["up"])]
        assert within["recognised"].mean() >= 0.8 or not len(within)
    assert each.loc["distance", "is_held"].mean() >= 0.5


@pytest.mark.parametrize("at", [2, 9, 25])
def test_rounds_that_died_resume_to_the_rows_of_undisturbed_ones(
    at: int, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, yaw_axis: posetest.ProbeRun
) -> None:
    monkeypatch.setattr("posetest.api.probing._PART_SIZE", 64)  # several parts a round
    few = {**FEW, "over": "yaw,distance"}
    dying = posetest.load_model(Dies(at=at), name="LargestColour")
    with pytest.raises(ModelError, match="out of memory"):
        posetest.probe(folder / "audit", "axes", model=dying, out=tmp_path / "died", **few)
    died = len(posetest.open_run(tmp_path / "died").part_files())
    told: list[tuple[int, int]] = []
    resumed = posetest.probe(
        folder / "audit",
        "axes",
        model=LargestColour(),
        out=tmp_path / "died",
        resume=True,
        progress=lambda done, most: told.append((done, most)),
        **few,
    )
    assert resumed.table().equals(yaw_axis.table())
    assert died < len(resumed.part_files())
    assert len(resumed.part_files()) > len(yaw_axis.part_files())
    assert told[-1][0] == len(resumed.table())
    assert all(done <= most for done, most in told)
    with pytest.raises(RunError, match="started with draws = 60, now 50"):
        posetest.probe(
            folder / "audit", "axes", model=LargestColour(), out=tmp_path / "died", resume=True, draws=50, **few
        )


def test_a_box_of_turns_holds_on_fresh_draws(folder: Path, tmp_path: Path) -> None:
    done = posetest.probe(folder / "audit", "boxes", over=["yaw", "roll"], out=tmp_path / "p", **FEW)
    each = done.tables()["pose_boxes"]
    held = each[each["is_held"]]
    assert len(held)
    assert held["exact_low"].min() >= 0.9
    # the cube's red side is lost within a half turn, so no box is the whole of the measure
    assert held["measure_share"].between(0, 0.5, inclusive="neither").all()
    np.testing.assert_allclose(
        held["volume"], (held["yaw_high"] - held["yaw_low"]) * (held["roll_high"] - held["roll_low"])
    )
    scene = posetest.load_scene(folder / "cube.toml")
    row = held.loc[held["volume"].idxmax()]
    base = posetest.open_run(folder / "audit").table().set_index("index").loc[row["base"]]
    rng, texts = np.random.default_rng(5), []
    for _ in range(60):
        pose = {p.name: base[p.column] for p in PARAMETERS}
        pose["yaw"] = rng.uniform(row["yaw_low"], row["yaw_high"])
        pose["roll"] = rng.uniform(row["roll_low"], row["roll_high"])
        texts.append(",".join(f"{name}={value:.9g}" for name, value in pose.items()))
    colours = posetest.render_poses(scene, texts, image_size=24, threads=2).mean(axis=(2, 3))
    recognised = int((colours.argmax(axis=1) == 0).sum())
    assert recognised >= 48  # of 0.9, 47 or fewer are drawn in 1 of 1,000


@pytest.mark.parametrize(
    ("what", "given", "text"),
    [
        ("sensitivity", {"radii": (5,)}, r"radii: is of tolerance; a probe of sensitivity has none"),
        ("artefacts", {"draws": 5}, r"draws: is of tolerance, axes, boxes; a probe of artefacts has none"),
        ("indices", {"over": "yaw"}, r"over: is of sensitivity, axes, boxes; a probe of indices has none"),
        ("tolerance", {"radii": (5, 5)}, r"radii = \(5, 5\): numbers above 0 that rise"),
        ("tolerance", {"radii": (5, 190)}, r"radii = \(5, 190\): 190 is too large; at most 180 degrees"),
        ("tolerance", {"radii": ("x",)}, r"radii = \('x',\): numbers are wanted"),
        ("tolerance", {"radii": ()}, r"radii = \(\): numbers above 0"),
        ("tolerance", {"draws": 0}, r"draws = 0: at least 1"),
        ("sensitivity", {"steps": {"yaw": (1, float("nan"))}}, r"steps: yaw = \(1, nan\): numbers above 0 that rise"),
        ("sensitivity", {"steps": {"fov": (1,)}}, r'steps: "fov" is none of the parameters that are changed .*by over'),
        ("sensitivity", {"over": "yaw,yam"}, r'over: "yam"; did you mean "yaw"\? does not change by steps'),
        ("axes", {"over": "yaw,yaw"}, r"over: yaw, yaw; each parameter once"),
        ("axes", {"draws": 20}, r"draws = 20: too few to show a share of 0.9; 39 or more are needed"),
        ("boxes", {"draws": 30}, r"draws = 30: too few to show a share of 0.9; 44 or more are needed"),
        ("boxes", {"over": "yaw,fov"}, r"over: fov does not vary in the scene cube, .*\(yaw, pitch, roll, distance"),
        ("indices", {"poses": 1}, r"poses = 1: at least 2"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_can(
    what: str, given: dict[str, object], text: str, folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=text):
        posetest.probe(folder / "audit", what, out=tmp_path / "p", **given)  # type: ignore[arg-type]
    assert not (tmp_path / "p").exists()


def test_the_command_refuses_ladders_that_are_none(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, text in (
        (["--steps", "yaw:1"], 'steps "yaw:1": parameter=numbers is wanted, as in yaw=1,5,10'),
        (["--steps", "yaw=1,b"], "numbers are wanted, comma-separated, as in 2,5,10"),
        (["--steps", "yaw=1", "--steps", "yaw=2"], "steps: yaw stands there twice"),
        (["--what", "tolerance", "--radii", "2;5"], '--radii "2;5": numbers are wanted'),
    ):
        assert main(["probe", str(folder / "audit"), *arguments]) == 1
        assert text in capsys.readouterr().err


def test_the_ladder_that_is_asked_for_is_the_one_that_is_climbed(folder: Path, tmp_path: Path) -> None:
    done = posetest.probe(
        folder / "audit", steps={"roll": (3, 7.5)}, over=("roll", "ambient"), out=tmp_path / "p", **FEW
    )
    table = done.table()
    assert sorted(set(table.loc[table["change"] == "roll", "amount"])) == [-7.5, -3, 3, 7.5]
    ambient = table[table["change"] == "ambient"]
    assert ambient["ambient"].min() >= 0  # what cannot be is left out
    assert ambient["amount"].min() < 0
    assert set(done.result()["parameter"]) == {"roll", "ambient"}


def test_indices_of_the_cube_are_of_its_rotation_alone(folder: Path, tmp_path: Path) -> None:
    done = posetest.probe(folder / "audit", "indices", out=tmp_path / "p", poses=60, threads=2)
    table = done.result().query("outcome == 'recognised'").set_index("parameter")
    assert table["n"].eq(60).all()
    assert table.loc["rotation", "total"] > 0.8
    assert table.loc["rotation", "total_low"] <= 1
    # a nearer cube is a larger one: which side is the largest hardly changes
    assert table.loc[["distance", "offset_x", "offset_y"], "total"].max() < 0.3
    assert list(done.tables()) == ["indices", "pairs"]
    assert len(done.table()) == 60 * (2 + 2 * 7)
