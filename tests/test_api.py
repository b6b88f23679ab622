"""The whole path from Python, on a cube whose sides have known colours and a model that names the largest."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import SCENE, LargestColour, write_cube_scene
from PIL import Image

import posetest
from posetest.analysis.summary import summarise
from posetest.api import contact_sheet, grid_poses
from posetest.config import RenderConfig, SceneConfig, decode
from posetest.engine.evaluate import plan
from posetest.errors import ConfigError, LabelError, ModelError, RunError
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> posetest.Scene:
    return posetest.load_scene(write_cube_scene(tmp_path_factory.mktemp("cube")))


def audit(scene: object, out: Path, **options: object) -> posetest.Run:
    settings = {"poses": 150, "image_size": 48, "threads": 2, "batch_size": 16, **options}
    return posetest.audit(settings.pop("model", LargestColour()), scene, out=out, **settings)


def test_the_audit_finds_the_side_that_the_model_recognises(cube: posetest.Scene, tmp_path: Path) -> None:
    table = audit(cube, tmp_path / "run", poses=400).table()
    towards = viewing_direction(quaternion_to_matrix(table[["qw", "qx", "qy", "qz"]].to_numpy()))
    front = table["recognised"][towards[:, 2] > 0.95]
    behind = table["recognised"][towards[:, 2] < 0]
    assert len(front) >= 5
    assert front.all()
    assert not behind.any()
    assert (table["status"] == "ok").all()


@pytest.mark.parametrize("other", [{"batch_size": 7}, {"batch_size": 64}, {"threads": 1}])
def test_poses_and_pictures_do_not_depend_on_batch_or_threads(
    cube: posetest.Scene, tmp_path: Path, other: dict[str, int]
) -> None:
    first = audit(cube, tmp_path / "a").table()
    second = audit(cube, tmp_path / "b", **other).table()
    assert first["image_digest"].equals(second["image_digest"])
    assert first["image_digest"].nunique() == len(first)
    assert first.drop(columns=["top1_p", "accepted_p", "entropy"]).equals(
        second.drop(columns=["top1_p", "accepted_p", "entropy"])
    )
    assert np.abs(first["top1_p"] - second["top1_p"]).max() < 1e-4


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


def test_a_run_that_died_resumes_to_the_rows_of_an_undisturbed_one(
    cube: posetest.Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("posetest.api.auditing._PART_SIZE", 32)
    whole = audit(cube, tmp_path / "whole")
    with pytest.raises(ModelError, match=r"Dies: failed .*RuntimeError: out of memory.*at poses 80 to 95 of cube"):
        audit([cube], tmp_path / "died", model=posetest.load_model(Dies(at=6 + 1)))
    died = posetest.open_run(tmp_path / "died")
    assert died.info.status == "running"
    assert 0 < len(died.part_files()) < len(whole.part_files())
    model = posetest.load_model(LargestColour(), name="Dies")
    resumed = audit(cube, tmp_path / "died", model=model, resume=True)
    assert resumed.info.status == "complete"
    assert resumed.table().drop(columns="model").equals(whole.table().drop(columns="model"))


def test_resuming_with_another_request_is_refused(cube: posetest.Scene, tmp_path: Path) -> None:
    audit(cube, tmp_path / "run")
    with pytest.raises(RunError, match="started with seed = 0, now 1"):
        audit(cube, tmp_path / "run", seed=1, resume=True)
    with pytest.raises(RunError, match="started with other models"):
        audit(cube, tmp_path / "run", model=posetest.load_model(LargestColour(), name="other"), resume=True)
    file = f"{Path(__file__).with_name('helpers.py')}:LargestColour"
    audit(cube, tmp_path / "file", model=file)
    with pytest.raises(RunError, match="started with other models"):
        audit(cube, tmp_path / "file", model=f"{file}?mean=0.4&std=0.2", resume=True)
    with pytest.raises(RunError, match="add --resume"):
        audit(cube, tmp_path / "run")


def test_several_models_see_the_same_pictures(cube: posetest.Scene, tmp_path: Path) -> None:
    table = audit(cube, tmp_path / "run", model=[LargestColour(), LargestColour()], poses=40).table()
    first, second = (table[table["model"] == name] for name in ("LargestColour", "LargestColour-2"))
    assert len(first) == len(second) == 40
    assert first["image_digest"].tolist() == second["image_digest"].tolist()


def test_kept_pictures_are_the_ones_that_were_recorded(cube: posetest.Scene, tmp_path: Path) -> None:
    run = audit(cube, tmp_path / "run")
    images, table = run.images(), run.table().set_index("index")
    gallery = images[images["kind"] == "gallery"]
    assert len(gallery) == 12
    assert (images["kind"] == "canonical").sum() == 1
    for row in gallery.itertuples():
        assert not table["recognised"][row.index]
        assert row.top1_p == table["top1_p"][row.index]
        assert row.persists
        with Image.open(run.path / row.file) as opened:
            stored = np.asarray(opened, dtype=np.float32).transpose(2, 0, 1) / 255
        again = posetest.render_poses(cube, row.pose, image_size=48)[0]
        assert np.abs(stored - again).max() <= 0.5 / 255 + 1e-6
    misread = table[~table["recognised"] & table["visible"]]
    assert gallery["top1_p"].min() >= misread["top1_p"].nlargest(12).min()


def test_run_toml_is_enough_to_repeat_the_run(cube: posetest.Scene, tmp_path: Path) -> None:
    info = audit(cube, tmp_path / "run", seed=5).info
    scene = info.scenes[0]
    assert info.seed == 5
    assert scene.mesh_digest == cube.mesh.digest
    assert scene.measure.startswith("Haar-uniform rotations; distance uniform 4.5 to 8")
    assert info.models[0].accepted == {"cube": (0,)}
    assert {"posetest", "torch", "numpy", "numba", "python"} <= set(info.versions)


FINER = {"samples": 2, "shading": "gamma_free"}


def test_run_toml_says_how_pictures_were_drawn(cube: posetest.Scene, tmp_path: Path) -> None:
    plain = audit(cube, tmp_path / "plain", poses=20).info
    finer = audit(cube, tmp_path / "finer", poses=20, **FINER).info
    assert plain.renderer == "cpu"
    assert finer.renderer == "cpu, 2 x 2 samples, gamma_free shading"
    assert "samples=2, shading='gamma_free'" in finer.command
    assert "samples" not in plain.command
    assert plain.scenes[0].scene_digest == cube.digest != finer.scenes[0].scene_digest
    assert decode(finer.scenes[0].config, SceneConfig, "run.toml").render == RenderConfig(**FINER)
    differ = [posetest.open_run(tmp_path / name).table()["image_digest"] for name in ("plain", "finer")]
    assert not (differ[0] == differ[1]).any()


def test_what_is_recorded_draws_the_run_again(tmp_path: Path) -> None:
    path = write_cube_scene(tmp_path / "scene", SCENE + "[render]\nsamples = 2\n")
    info = audit(path, tmp_path / "run", poses=20, shading="gamma_free").info
    config = decode(info.scenes[0].config, SceneConfig, "run.toml")
    again = posetest.load_scene(path)
    again = replace(again, config=config)
    audit(again, tmp_path / "again", poses=20)
    first, second = (posetest.open_run(tmp_path / name).table()["image_digest"] for name in ("run", "again"))
    assert first.equals(second)


def test_a_run_resumes_only_with_the_settings_it_was_drawn_with(cube: posetest.Scene, tmp_path: Path) -> None:
    audit(cube, tmp_path / "run", **FINER)
    with pytest.raises(
        RunError, match="started with renderer = cpu, 2 x 2 samples, gamma_free shading, now cpu: resume"
    ):
        audit(cube, tmp_path / "run", resume=True)
    assert audit(cube, tmp_path / "run", resume=True, **FINER).info.status == "complete"


def test_scenes_drawn_differently_are_told_apart_in_run_toml(cube: posetest.Scene, tmp_path: Path) -> None:
    finer = cube.renamed("fine").drawn_with({"samples": 2})
    info = audit([cube, finer], tmp_path / "run", poses=10).info
    assert info.renderer == "cube: cpu; fine: cpu, 2 x 2 samples"


def test_the_reference_can_draw_an_audit(cube: posetest.Scene, tmp_path: Path) -> None:
    options = {"poses": 6, "image_size": 16}
    slow = audit(cube, tmp_path / "slow", backend="reference", **options)
    fast = audit(cube, tmp_path / "fast", **options)
    assert slow.info.renderer == "reference"
    assert slow.info.status == "complete"
    assert np.abs(slow.table()["top1_p"] - fast.table()["top1_p"]).max() < 0.02


def test_render_settings_that_there_are_not_leave_no_folder_behind(cube: posetest.Scene, tmp_path: Path) -> None:
    for options, message in (
        ({"backend": "gpu"}, r'audit: render.backend = "gpu".*one of cpu, pytorch3d, reference'),
        ({"samples": 3}, r"audit: render.samples = 3 \(one of 1, 2\)"),
        ({"backend": "reference", "samples": 2}, "draws 8 x 8 samples a pixel"),
    ):
        with pytest.raises(ConfigError, match=message):
            audit(cube, tmp_path / "run", **options)
        with pytest.raises(ConfigError, match=message.replace("audit", "render_poses")):
            posetest.render_poses(cube, image_size=8, **options)
    assert not (tmp_path / "run").exists()


def test_the_2019_protocol_is_a_scene(tmp_path: Path) -> None:
    document = (Path(__file__).parents[1] / "docs" / "scenes.md").read_text(encoding="utf-8")
    text = next(t for t in document.split("```toml\n")[1:] if "gamma_free" in t and "elevation_deg = 90" in t)
    text = text.partition("```")[0].replace("jeep.obj", "cube.obj")
    scene = posetest.load_scene(write_cube_scene(tmp_path, text))
    assert scene.background.color == (0.485, 0.456, 0.406)
    front, tipped, top = posetest.render_poses(
        scene, ["distance=6", "pitch=45,distance=6", "pitch=90,distance=6"], image_size=24
    )[:, :, 6, 12]
    # the light comes from above: 0.5 of a colour where it grazes, 0.5 + 0.7 cos 45 on the blue top tipped to the viewer
    assert np.allclose(front, [0.5, 0, 0], atol=0.01)
    assert np.allclose(tipped, [0, 0, 0.995], atol=0.01)
    assert np.allclose(top, [0, 0, 0.5], atol=0.01)


def test_scores_that_are_no_numbers_are_counted_not_dropped(cube: posetest.Scene, tmp_path: Path) -> None:
    def broken(images: torch.Tensor) -> torch.Tensor:
        scores = LargestColour()(images)
        if len(images) > 2:  # not the two pictures that a model is tried on when it is loaded
            scores[::2] = float("nan")
        return scores

    broken.categories = LargestColour.categories  # type: ignore[attr-defined]
    run = audit(cube, tmp_path / "run", model=broken, poses=30)
    assert (run.table()["status"] == "scores not finite").sum() == 15
    assert len(run.table()) == 30


def test_a_scene_without_labels_is_refused(tmp_path: Path) -> None:
    path = write_cube_scene(tmp_path, '[object]\nmesh = "cube.obj"')
    with pytest.raises(LabelError, match="which labels count as recognised"):
        posetest.audit(LargestColour(), path)


def test_a_label_that_the_model_does_not_know_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    path = write_cube_scene(tmp_path, SCENE.replace('"red"', '"gren"'))
    with pytest.raises(LabelError, match="green"):
        posetest.audit(LargestColour(), path, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["poses", "batch_size", "image_size", "threads"])
@pytest.mark.parametrize(
    ("value", "message"), [(0, "= 0: at least 1"), (-1, "= -1: at least 1"), (1e3, "whole number")]
)
def test_sizes_that_are_no_counts_are_refused(
    cube: posetest.Scene, tmp_path: Path, option: str, value: float, message: str
) -> None:
    with pytest.raises(ConfigError, match=f"{option} .*{message}|{option} {message}"):
        audit(cube, tmp_path / "run", **{option: value})
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed = -1"),
        ({"seed": 2**64}, "below 2"),
        ({"sampling": "Sobol"}, 'sampling = "Sobol"; did you mean "sobol"'),
        ({"image_size": 100_000}, "100000"),
    ],
)
def test_what_cannot_be_drawn_leaves_no_folder_behind(
    cube: posetest.Scene, tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        audit(cube, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


EVERYTHING_FREE = """
[space]
fov = [20, 40]
azimuth = [-180, 180]
elevation = [-30, 60]
light_azimuth = [-90, 90]
light_elevation = [0, 80]
light_strength = [0.5, 1]
ambient = [0.2, 0.4]
distance = { low = 4, high = 12, prior = "log" }
"""


@pytest.mark.parametrize("space", [EVERYTHING_FREE, '[space]\npreset = "strike"\n', "[space]\noffset_x = 0.9\n"])
def test_any_space_can_be_audited_and_its_kept_view_shows_the_whole_object(tmp_path: Path, space: str) -> None:
    scene = posetest.load_scene(write_cube_scene(tmp_path / "scene", SCENE + space))
    run = audit(scene, tmp_path / "run", poses=40, sampling="sobol")
    assert run.info.status == "complete"
    images = run.images()
    with Image.open(run.path / images["file"][images["kind"] == "canonical"].iloc[0]) as opened:
        picture = np.asarray(opened).astype(int)
    grey = np.abs(picture - 128).max(axis=2) <= 1
    assert grey[0].all() and grey[-1].all() and grey[:, 0].all() and grey[:, -1].all()  # noqa: PT018
    assert (~grey).mean() > 0.2
    assert picture.max() > 150  # lit


def test_backgrounds_of_a_folder_are_drawn_and_recorded(tmp_path: Path) -> None:
    pictures = tmp_path / "scene" / "pictures"
    pictures.mkdir(parents=True)
    for name in "abc":
        Image.new("RGB", (8, 8), "white").save(pictures / f"{name}.png")
    text = SCENE + '[background]\nimages = "pictures"\n[space]\nbackground = [1, 2]\n'
    run = audit(posetest.load_scene(write_cube_scene(tmp_path / "scene", text)), tmp_path / "run", poses=60)
    assert set(run.table()["background"]) == {1, 2}
    assert "one of 2 backgrounds" in run.info.scenes[0].measure


def test_names_that_look_like_paths_stay_inside_the_run_folder(tmp_path: Path) -> None:
    scenes = [
        posetest.load_scene(write_cube_scene(tmp_path / f"s{i}", SCENE.replace('"cube"', f'"{name}"', 1)))
        for i, name in enumerate(("../evil", "/evil", "bus", "bus-old"))
    ]
    models = [posetest.load_model(LargestColour(), name=name) for name in ("old-net", "net")]
    run = audit(scenes, tmp_path / "run", model=models, poses=20)
    files = run.images()["file"]
    assert files.is_unique
    assert {(run.path / f).resolve().parent for f in files} == {(run.path / "images").resolve()}


def test_no_thread_is_left_after_a_model_fails(cube: posetest.Scene, tmp_path: Path) -> None:
    with pytest.raises(ModelError):
        audit(cube, tmp_path / "run", model=Dies(at=7))
    assert not [t for t in threading.enumerate() if t.name == "posetest-render"]


def test_the_plan_covers_every_pose_once_in_parts_of_its_own() -> None:
    work = list(plan(scenes=2, poses=100, part_size=48, batch_size=16))
    covered = [(w.scene, i) for w in work for i in range(w.start, w.stop)]
    assert covered == [(s, i) for s in range(2) for i in range(100)]
    assert [w.part for w in work if w.is_last] == [0, 1, 2, 3, 4, 5]


def test_render_draws_the_side_that_the_pose_turns_to_the_viewer(cube: posetest.Scene) -> None:
    front, back, side = posetest.render_poses(
        cube, ["distance=8", "yaw=180,distance=8", "yaw=90,distance=8"], image_size=32
    )
    for picture, channel in ((front, 0), (back, 1), (side, 2)):
        assert picture[:, 16, 16].argmax() == channel


def test_a_grid_runs_along_rows_and_down_columns() -> None:
    texts, columns = grid_poses("yaw=0:90:3,pitch=-10:10:2", "distance=4")
    assert columns == 3
    assert texts[1] == "distance=4,yaw=45,pitch=-10"
    assert texts[3] == "distance=4,yaw=0,pitch=10"


@pytest.mark.parametrize("grid", ["yaw=0:90", "yaw", "yaw=0:90:x", "", "yaw=0:1:2,pitch=0:1:2,roll=0:1:2"])
def test_a_grid_that_cannot_be_read_is_refused(grid: str) -> None:
    with pytest.raises(ConfigError, match="grid"):
        grid_poses(grid)


def test_a_contact_sheet_holds_its_pictures_in_reading_order() -> None:
    images = np.stack([np.full((3, 4, 5), value, np.float32) for value in (0.0, 0.5, 1.0)])
    sheet = contact_sheet(images, columns=2, gap=1)
    assert sheet.shape == (9, 11, 3)
    assert sheet[0, 0, 0] == 0
    assert sheet[0, 6, 0] == 128
    assert sheet[5, 0, 0] == 255


def test_an_audit_needs_a_classifier(cube: posetest.Scene, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="an audit asks what a classifier answers"):
        audit(cube, tmp_path / "run", model="none")
    assert not (tmp_path / "run").exists()


def test_poses_that_regions_name_are_kept_as_pictures(tmp_path: Path) -> None:
    scene = write_cube_scene(tmp_path)
    run = posetest.audit(LargestColour(), scene, poses=600, image_size=16, threads=2, out=tmp_path / "run")
    regions = summarise(run).regions
    kept = run.images()
    kept = kept[kept["kind"] == "region"].set_index("index")
    assert len(regions)
    for row in regions.itertuples():
        assert not kept.loc[[row.worst]]["persists"].isna().any()
        assert kept.loc[[row.typical]]["top1_label"].iloc[0] == row.label
        assert kept.loc[[row.nearest]]["pose"].iloc[0] == row.nearest_pose
    table = run.table().set_index("index")
    assert table.loc[regions["nearest"], "recognised"].all()
    assert "nearest recognised" in run.report(tmp_path / "r.html").read_text()
