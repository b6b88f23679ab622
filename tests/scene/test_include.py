"""Facts about scene files that build on others."""

from __future__ import annotations

from pathlib import Path

import pytest

from posetest.errors import ConfigError
from posetest.resources import bundled
from posetest.scene.include import read_scene
from posetest.scene.scene import bundled_scenes, load_scene, object_scenes
from posetest.space import scene_space

BASE = """
name = "base"
about = "a base"
ambient = 0.7
[object]
mesh = "cup.obj"
labels = ["cup"]
up = "+z"
[camera]
fov_deg = 20.0
[background]
image = "pictures/sky.png"
[space]
rotation = "fixed"
yaw = [-30, 30]
distance = [3, 4]
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_a_file_takes_precedence_over_what_it_includes_key_by_key(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", BASE)
    got = read_scene(write(tmp_path / "own.toml", 'include = ["base.toml"]\n[space]\ndistance = 9\n'))
    assert got.ambient == 0.7
    assert got.camera.fov_deg == 20.0
    assert (got.space.distance, got.space.yaw, got.space.rotation) == (9, (-30, 30), "fixed")
    assert (got.name, got.about) == ("", "")  # these say what the included file itself is


def test_of_two_included_files_the_later_one_wins(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", BASE)
    write(tmp_path / "dim.toml", "ambient = 0.1\n")
    got = read_scene(write(tmp_path / "own.toml", 'include = ["base.toml", "dim.toml"]\n'))
    assert (got.ambient, got.object.mesh) == (0.1, "cup.obj")


def test_a_mesh_or_a_background_replaces_all_that_was_said_of_it(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", BASE)
    own = 'include = ["base.toml"]\n[object]\nmesh = "other.obj"\n[background]\ncolor = "#112233"\n'
    got = read_scene(write(tmp_path / "own.toml", own))
    assert (got.object.labels, got.object.up) == ((), "+y")
    assert got.background.image is None
    only_labels = read_scene(write(tmp_path / "b.toml", 'include = ["base.toml"]\n[object]\nlabels = ["mug"]\n'))
    assert (only_labels.object.mesh, only_labels.object.labels, only_labels.object.up) == ("cup.obj", ("mug",), "+z")


def test_bundled_scenes_may_be_included_from_anywhere(tmp_path: Path) -> None:
    for entry in ("strike.toml", "strike"):
        own = f'include = ["{entry}"]\n[object]\nmesh = "suv.obj"\n[space]\ndistance = [2, 10]\n'
        got = read_scene(write(tmp_path / "own.toml", own))
        assert (got.object.mesh, got.space.preset, got.space.distance) == ("suv.obj", "strike", (2, 10))
    with pytest.raises(ConfigError, match=r'strik.toml; did you mean "strike"\?'):
        read_scene(write(tmp_path / "own.toml", 'include = ["strik.toml"]'))


def test_a_mesh_that_is_a_link_keeps_its_own_name(tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / "1f3a").write_bytes((bundled("meshes") / "street_sign.glb").read_bytes())
    (tmp_path / "sign.glb").symlink_to(store / "1f3a")
    scene = load_scene(tmp_path / "sign.glb", labels="street sign", under="strike")
    assert scene.mesh.digest == load_scene("street_sign").mesh.digest


def test_a_preset_or_a_rotation_forgets_the_intervals_that_it_stands_for(tmp_path: Path) -> None:
    write(tmp_path / "base.toml", BASE)
    strike = read_scene(write(tmp_path / "a.toml", 'include = ["base.toml"]\n[space]\npreset = "strike"\n'))
    assert (strike.space.distance, strike.space.yaw, strike.space.rotation) == (None, None, None)
    haar = read_scene(write(tmp_path / "b.toml", 'include = ["base.toml"]\n[space]\nrotation = "haar"\n'))
    assert (haar.space.distance, haar.space.yaw) == ((3, 4), None)


def test_paths_count_from_the_file_that_they_stand_in(tmp_path: Path) -> None:
    write(tmp_path / "deep" / "base.toml", BASE)
    got = read_scene(write(tmp_path / "own.toml", 'include = ["deep/base.toml"]\n'))
    assert (got.object.mesh, got.background.image) == ("deep/cup.obj", "deep/pictures/sky.png")
    aside = read_scene(write(tmp_path / "aside" / "own.toml", 'include = ["../own.toml"]\n'))
    assert (aside.object.mesh, aside.background.image) == ("../deep/cup.obj", "../deep/pictures/sky.png")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"own": 'include = ["own.toml"]'}, r"own.toml: includes itself"),
        (
            {"own": 'include = ["b.toml"]', "b": 'include = ["own.toml"]'},
            r"includes itself, through own.toml -> b.toml",
        ),
        ({"own": 'include = ["gone.toml"]'}, r"own.toml: include: no such scene file: .*gone.toml"),
        ({"own": 'include = "b.toml"', "b": BASE}, r"own.toml: include is a list"),
        (
            {"own": 'include = ["b.toml"]', "b": "ambience = 1"},
            r'b.toml: unknown key "ambience" .* did you mean "ambient"',
        ),
        (
            {"own": 'include = ["b.toml"]', "b": "ambient = 1"},
            r"own.toml: no \[object\], and no included scene has one",
        ),
        ({"own": 'include = ["b.toml"]', "b": "ambient = -1"}, r"b.toml: .*ambient"),
    ],
)
def test_a_mistake_names_the_file_that_holds_it(tmp_path: Path, files: dict[str, str], message: str) -> None:
    for name, text in files.items():
        write(tmp_path / f"{name}.toml", text)
    with pytest.raises(ConfigError, match=message):
        read_scene(tmp_path / "own.toml")


def test_every_object_has_a_scene_and_every_scene_loads() -> None:
    meshes = {path.stem for path in bundled("meshes").glob("*.glb")}
    assert {path.stem for path in object_scenes()} == meshes
    for path in bundled_scenes():
        scene = load_scene(path)
        assert scene.labels
        assert scene.config.about or path.stem in meshes
        assert scene_space(scene.config, scene.background.count).free


def test_strike_is_the_published_protocol() -> None:
    spaces = [scene_space(load_scene(name).config) for name in ("strike", "strike_bright", "strike_dark")]
    for space in spaces:
        assert space.fixed["fov"] == 16.426
        assert (space.free["distance"].low, space.free["distance"].high) == (2.0, 30.0)
        assert (space.free["offset_x"].low, space.free["offset_y"].high) == (-1.0, 1.0)
        assert space.measure.startswith("Euler-uniform")
    assert [(s.fixed["light_strength"], s.fixed["ambient"]) for s in spaces] == [(0.4, 1.0), (1.2, 1.6), (0.2, 0.5)]


def test_conditions_of_another_scene_leave_the_object_alone(tmp_path: Path) -> None:
    plain, under = load_scene("coffee_mug"), load_scene("coffee_mug", under="strike")
    assert under.name == "coffee_mug"
    assert under.mesh.digest == plain.mesh.digest
    assert under.labels == plain.labels
    assert under.config.space == load_scene("strike").config.space
    assert under.config.render.shading == "gamma_free"
    assert under.digest == load_scene("strike").digest
    mesh = tmp_path / "mug.glb"
    mesh.write_bytes((bundled("meshes") / "coffee_mug.glb").read_bytes())
    bare = load_scene(mesh, labels="cup", under="photographer")
    assert (bare.name, bare.labels, bare.background.count) == ("mug", ("cup",), 48)
