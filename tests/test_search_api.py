"""Searches from Python, from scene files and from the command line, on a cube whose sides have known colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import SCENE, LargestColour, write_cube_scene
from PIL import Image

import posetest
from posetest.api import animate
from posetest.cli import main
from posetest.errors import ConfigError, LabelError, ModelError, RunError
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction
from posetest.objectives import BlackBox

SMALL = {"image_size": 32, "threads": 2, "batch_size": 16}
MODEL = f"{Path(__file__).with_name('helpers.py')}:LargestColour"


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory) -> posetest.Scene:
    return posetest.load_scene(write_cube_scene(tmp_path_factory.mktemp("cube")))


def search(scene: object, out: Path, **options: object) -> posetest.SearchRun:
    given = {"budget": 150, **SMALL, **options}
    return posetest.search_poses(given.pop("model", LargestColour()), scene, out=out, **given)


def seen_from(table) -> np.ndarray:
    return viewing_direction(quaternion_to_matrix(table[["qw", "qx", "qy", "qz"]].to_numpy(dtype=float)))


@pytest.mark.parametrize(("label", "side"), [("green", [0, 0, -1]), ("red", [0, 0, 1])])
def test_a_target_is_found_where_the_cube_has_its_colour(
    cube: posetest.Scene, tmp_path: Path, label: str, side: list[int]
) -> None:
    run = search(cube, tmp_path / "run", objective=f"target:{label}")
    table = run.table()
    best = table.iloc[int(table["score"].to_numpy().argmax())]
    assert best["top1_label"] == label
    assert seen_from(table)[int(table["score"].to_numpy().argmax())] @ side > 0.9
    kept = run.best()
    assert kept["kind"] == "hit"
    assert kept["survives"]
    assert kept["score"] == table["score"].max()


def test_kept_poses_draw_what_was_recorded_and_differ(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", objective="fool", keep=5)
    found = run.found()
    assert 2 <= len(found) <= 5
    assert (found["score"].diff().dropna() <= 0).all()
    drawn = posetest.render_poses(cube, found["pose"].tolist(), image_size=32)
    for image, file in zip(drawn, found["file"], strict=True):
        with Image.open(run.path / file) as opened:
            stored = np.asarray(opened, dtype=np.float32).transpose(2, 0, 1) / 255
        assert np.abs(image - stored).max() <= 0.5 / 255 + 1e-6
    start = run.images().query("kind == 'start'").iloc[0]
    assert start["png_label"] in ("red", "green", "blue")


def test_a_fragile_hit_does_not_survive(cube: posetest.Scene, tmp_path: Path) -> None:
    """A score that only full precision reaches: the picture's values between the steps of 8 bits."""

    def between_steps(images) -> np.ndarray:
        scaled = images.numpy() * 255
        return np.abs(scaled - np.round(scaled)).reshape(len(images), -1).max(axis=1) - 0.2

    run = search(cube, tmp_path / "run", model="none", objective=BlackBox(between_steps, until=0.0), method="random")
    found = run.found()
    assert (found["kind"] == "hit").all()
    assert not found["persists"].any()
    assert not found["survives"].any()


def test_the_nearest_failure_is_measured_from_the_given_pose(cube: posetest.Scene, tmp_path: Path) -> None:
    """From the red side's front, blue (top and sides) has to be reached: no turn under 30 degrees shows more of it."""
    run = search(cube, tmp_path / "run", objective="nearest", initial="yaw=0,pitch=0,roll=0,distance=5", budget=250)
    assert set(run.info.search.vary) == {"yaw", "pitch", "roll"}
    best = run.best()
    assert best["top1_label"] == "blue"
    angle = np.degrees(-best["score"])
    # the face towards the viewer and one beside it are equally large where both are seen at 45 degrees, three at less
    assert 25 < angle < 45
    text = run.report().read_text()
    assert f"{angle:.2f}° away" in text


def test_the_nearest_failure_starts_from_an_upright_view_where_none_is_given(
    cube: posetest.Scene, tmp_path: Path
) -> None:
    run = search(cube, tmp_path / "run", objective="nearest", budget=40)
    assert "yaw=0,pitch=0,roll=0,distance=7.027" in run.info.search.base  # whole in the frame
    assert run.table()["margin"][0] < 0
    with pytest.raises(
        ConfigError, match="nearest looks for the smallest change that leads to fool, but the initial pose"
    ):
        search(cube, tmp_path / "no", objective="nearest", initial="yaw=180", budget=40)
    blind = posetest.load_model(
        lambda images: images.new_tensor([[0.0, 9.0, 0.0]]).expand(len(images), 3), labels=list("abc")
    )
    with pytest.raises(ConfigError, match="each upright view reaches that already"):
        search(
            cube.__class__(**{**vars(cube), "config": _with_labels(cube, "a")}),
            tmp_path / "no",
            model=blind,
            objective="nearest",
        )
    assert not (tmp_path / "no").exists()


def _with_labels(scene: posetest.Scene, label: str):
    import msgspec

    return msgspec.structs.replace(scene.config, object=msgspec.structs.replace(scene.config.object, labels=(label,)))


def test_several_initial_poses_keep_what_is_not_searched_from_the_first(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(
        cube,
        tmp_path / "run",
        vary=["yaw", "pitch", "roll"],
        initial=["yaw=10,distance=7,elevation=20", "yaw=100,distance=5"],
        method="random",
    )
    table = run.table()
    assert (table["distance"] == 7).all()
    assert (table["elevation_deg"] == 20).all()
    assert table["yaw_deg"][:2].tolist() == [10, 100]
    drawn = posetest.render_poses(cube, run.best()["pose"], image_size=32)  # replays with the elevation it was found at
    with Image.open(run.path / run.best()["file"]) as opened:
        assert np.abs(drawn[0].transpose(1, 2, 0) * 255 - np.asarray(opened)).max() <= 0.51


def test_a_search_needs_no_model_for_a_score_of_pictures(cube: posetest.Scene, tmp_path: Path) -> None:
    (tmp_path / "scores.py").write_text("def green():\n    return lambda images: images[:, 1].mean((1, 2))\n")
    unit = f"score:{tmp_path}/scores.py:green"
    run = search(cube, tmp_path / "run", model="none", objective="maximise", unit=unit, method="cma", budget=250)
    table = run.table()
    assert (table["top1"] == -1).all()
    best = int(table["score"].to_numpy().argmax())
    assert seen_from(table)[best] @ [0, 0, -1] > 0.9  # the green side
    assert "score" in run.report().read_text()


def test_a_layers_unit_is_searched_with_gradients(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(
        cube, tmp_path / "run", objective="maximise:logit:green", method="gradient?explored=16&starts=2", budget=200
    )
    table = run.table()
    assert (table["backward"] == 1).sum() > 30
    assert table["score"].max() > table["score"][:16].max()


SEARCH = """
[search]
objective = "target:green"
method = "sobol"
budget = 40
vary = ["yaw"]
[search.jitter]
turn_deg = 1
"""


def test_the_scene_file_says_what_is_searched_and_arguments_take_its_place(tmp_path: Path) -> None:
    scene = posetest.load_scene(write_cube_scene(tmp_path / "scene", SCENE + SEARCH))
    plain = posetest.load_scene(write_cube_scene(tmp_path / "plain"))
    assert scene.digest == plain.digest  # what is searched changes no picture
    run = posetest.search_poses(LargestColour(), scene, out=tmp_path / "a", **SMALL)
    settings = run.info.search.settings
    assert (settings.objective, settings.method, settings.budget, settings.jitter.turn_deg) == (
        "target:green",
        "sobol",
        40,
        1,
    )
    assert run.table()["yaw_deg"].nunique() > 30
    assert run.table()["pitch_deg"].nunique() == 1
    other = posetest.search_poses(
        LargestColour(), scene, method="random", jitter={"turn_deg": 2}, out=tmp_path / "b", **SMALL
    )
    assert (other.info.search.settings.method, other.info.search.settings.budget) == ("random", 40)
    assert other.info.search.settings.jitter.turn_deg == 2


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"objective": "fol"}, ConfigError, r'cube.toml: objective: "fol" is no objective; did you mean "fool"'),
        ({"objective": "target:purple"}, LabelError, "purple"),
        ({"method": "cmaes"}, ConfigError, r'cube.toml: method: no method "cmaes"'),
        ({"budget": 0}, ConfigError, "budget"),
        ({"vary": ["yaw", "fov"]}, ConfigError, "fov does not vary in this scene"),
        ({"random": ["ambient"]}, ConfigError, "random: ambient does not vary"),
        ({"random": ["yaw"], "vary": ["yaw"]}, ConfigError, "yaw stands in both vary and random"),
        ({"initial": "yaw=x"}, ConfigError, 'pose "yaw=x"'),
        ({"initial": "distance=40"}, ConfigError, r"distance = 40 is outside \[4.5, 8\], where the search may move"),
        ({"method": "nearest"}, ConfigError, 'method nearest goes with objective = "nearest"'),
        ({"objective": "maximise"}, ConfigError, "maximise what"),
        ({"objective": "maximise", "unit": "nolayer:3"}, ModelError, 'no layer "nolayer"'),
        ({"jitter": {"turn": 3}}, ConfigError, 'unknown key "turn".*did you mean "turn_deg"'),
        ({"gradient": {"kind": "exact"}}, ConfigError, "gradient.kind"),
        ({"model": "none"}, LabelError, "name a model other than none"),
        ({"keep": 0}, ConfigError, "keep"),
        ({"objective": "nearst"}, ConfigError, 'did you mean "nearest"'),
        ({"objective": "nearest + fool"}, ConfigError, "nearest stands alone"),
        ({"unit": "probability:red"}, ConfigError, "unit = probability:red goes with the objective maximise"),
        ({"until": 1.0, "objective": "target:red"}, ConfigError, "until = 1.0 goes with the objective maximise"),
        ({"budget": 3, "robust": 4}, ConfigError, "a budget of 3 does not pay for one pose, which takes 4"),
        ({"method": "zrs", "vary": ["yaw"]}, ConfigError, "zrs searches along the distance"),
        (
            {"random": ["yaw", "pitch", "roll", "distance", "offset_x", "offset_y"]},
            ConfigError,
            "nothing is left to search",
        ),
        ({"model": [LargestColour(), LargestColour()]}, ModelError, "one model is wanted here, not 2"),
    ],
)
def test_mistakes_are_said_before_a_folder_exists(
    cube: posetest.Scene, tmp_path: Path, options: dict[str, object], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        search(cube, tmp_path / "run", **options)
    assert not (tmp_path / "run").exists()


def test_the_search_for_the_nearest_measures_from_a_view_that_it_may_reach() -> None:
    from posetest.api.search_plan import upright_views
    from posetest.space import INDEX, scene_space

    scene = posetest.load_scene("operational")
    space = scene_space(scene.config, scene.background.count)
    views = upright_views(scene, space)
    for name, interval in space.free.items():
        values = views[:, INDEX[name]]
        assert ((values >= interval.low) & (values <= interval.high)).all(), name
    assert 1 < len(views) <= 54
    assert len(np.unique(views, axis=0)) == len(views)


def test_distances_that_are_no_angles_are_not_called_so(tmp_path: Path) -> None:
    """Yaw, pitch and roll within narrow intervals are numbers in half-ranges; together and free they are a turn."""
    angles = "".join(f"{name} = [-80, 80]\n" for name in ("yaw", "pitch", "roll"))
    path = write_cube_scene(tmp_path, f'{SCENE}[space]\nrotation = "fixed"\n{angles}')
    run = search(path, tmp_path / "run", objective="nearest", initial="yaw=0,pitch=0,roll=0,distance=5")
    assert set(run.info.search.vary) == {"yaw", "pitch", "roll"}
    assert not run.info.search.is_turn
    assert "° away" not in run.report().read_text()


def test_the_run_says_what_did_not_move(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", vary=["yaw"], budget=20)
    held = posetest.space.parse_pose(run.info.search.base)
    table = run.table()
    for name in ("distance", "pitch", "offset_x"):
        column = next(c for c in table if c in (name, f"{name}_deg"))
        assert table[column].to_numpy() == pytest.approx(held[name])


def test_where_there_is_nothing_to_reach_nothing_persists_or_fails_to(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", objective="maximise", unit="probability:red", budget=30)
    assert run.found()[["persists", "survives"]].isna().all().all()


def test_the_results_of_a_search_are_never_rates(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", budget=30)
    with pytest.raises(RunError, match="search"):
        run.rates()
    assert isinstance(posetest.open_run(tmp_path / "run"), posetest.SearchRun)
    text = run.report().read_text()
    assert "%" not in text.split("<body>")[1].split("Method</h2>")[0].replace("100%", "")
    assert "gone for, not drawn" in text


def test_the_way_to_the_best_pose_is_drawn_in_order(cube: posetest.Scene, tmp_path: Path) -> None:
    run = search(cube, tmp_path / "run", objective="target:green")
    steps = run.path_to_best()
    assert steps["score"].is_monotonic_increasing
    assert steps["calls"].is_monotonic_increasing
    with Image.open(animate(run, cube, tmp_path / "way.gif")) as moving:
        assert moving.n_frames == len(steps)
        assert moving.size == (32, 62)
    with Image.open(animate(run, cube, tmp_path / "way.png")) as strip:
        assert strip.size[0] == min(len(steps), 6) * 34 - 2
    with pytest.raises(ConfigError, match=r"way.mp4: .* as .gif or"):
        animate(run, cube, tmp_path / "way.mp4")


def test_the_command_line_searches_and_reports(
    cube: posetest.Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [cube.source, "--model", MODEL, "--objective", "target:green", "--budget", "60", "--image-size", "32"]
    out = ["--out", str(tmp_path / "run")]
    assert main(["search", *given, *out, "--animate", str(tmp_path / "a.gif"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["forward_calls"] == 60
    assert found["found"][0]["top1_label"] == "green"
    assert found["calls_to_first_hit"] >= 1
    assert (tmp_path / "a.gif").is_file()
    assert (tmp_path / "run" / "report.html").is_file()
    assert main(["search", *given, *out, "--resume"]) == 0
    printed = capsys.readouterr().out
    assert "Found by a search: this says nothing of how frequent such poses are." in printed
    assert "60 forward, 0 backward, 60 pictures" in printed
    assert main(["report", str(tmp_path / "run")]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--objective", "fol"], 'did you mean "fool"'),
        (["--method", "gradient?step=fast"], "Expected `float`"),
        (["--vary", "yaw,pich"], 'unknown parameter "pich"; did you mean "pitch"'),
        (["--jitter", "turn_deg"], '"turn_deg" is not name=number'),
        (["--animate", "way.mp4"], "is written as .gif"),
        (["--resume"], "--resume needs --out"),
    ],
)
def test_the_command_line_says_what_is_wrong_in_one_line(
    cube: posetest.Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    out = [] if words == ["--resume"] else ["--out", str(tmp_path / "run")]
    assert main(["search", cube.source, "--model", MODEL, *out, *words]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_names_with_markup_are_escaped(tmp_path: Path) -> None:
    hostile = SCENE.replace('"cube"\n', '"<script>alert(1)</script>"\n', 1)
    scene = posetest.load_scene(write_cube_scene(tmp_path / "s", hostile))
    model = posetest.load_model(
        LargestColour(), labels=["red", "<img src=x onerror=alert(2)>", "blue"], name="<b>m</b>"
    )
    text = search(scene, tmp_path / "run", model=model, budget=40).report().read_text()
    assert "<script>alert(1)" not in text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(2)&gt;" in text
