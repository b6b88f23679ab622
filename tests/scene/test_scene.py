"""Scene files: what they say is what is drawn, and what is wrong in them is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import SCENE, write_cube_scene
from PIL import Image

import posetest
from posetest.config import RenderConfig, to_toml
from posetest.errors import ConfigError
from posetest.scene.scene import bundled_scenes, load_scene, parse_color


def test_the_digest_follows_the_content_and_not_the_name(tmp_path: Path) -> None:
    one = load_scene(write_cube_scene(tmp_path / "a"))
    renamed = load_scene(write_cube_scene(tmp_path / "b", SCENE.replace('"cube"', '"box"', 1)))
    darker = load_scene(write_cube_scene(tmp_path / "c", "ambient = 0.1\n" + SCENE))
    assert one.digest == renamed.digest
    assert one.digest != darker.digest


def test_the_digest_follows_how_pictures_are_drawn_and_not_how_that_is_written(tmp_path: Path) -> None:
    def of(name: str, render: str) -> posetest.Scene:
        return load_scene(write_cube_scene(tmp_path / name, SCENE + render))

    plain = of("a", "")
    said = of("b", '[render]\nbackend = "cpu"\nsamples = 1\nshading = "linear"\n')
    finer = of("c", "[render]\nsamples = 2\n")
    assert plain.digest == said.digest == plain.drawn_with({"samples": 1, "shading": None}).digest
    assert "render" not in to_toml(plain.config)
    assert finer.digest == plain.drawn_with({"samples": 2}).digest != plain.digest
    assert finer.drawn_with({"samples": 1}).digest == plain.digest
    assert finer.drawn_with({"shading": "gamma_free"}).config.render == RenderConfig(samples=2, shading="gamma_free")


def test_settings_that_there_are_not_are_named_with_their_place(tmp_path: Path) -> None:
    scene = load_scene(write_cube_scene(tmp_path))
    with pytest.raises(ConfigError, match=r'^audit: render.shading = "gama_free"; did you mean "gamma_free"'):
        scene.drawn_with({"shading": "gama_free"}, where="audit")
    with pytest.raises(ConfigError, match=r"cube.toml: render.samples = 3 \(one of 1, 2\)"):
        scene.drawn_with({"samples": 3})


def test_backgrounds_fill_the_frame_behind_the_object(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, color in (("a.png", (255, 0, 255)), ("b.png", (0, 255, 255))):
        Image.new("RGB", (20, 10), color).save(pictures / name)
    path = write_cube_scene(tmp_path, SCENE + '[background]\nimages = "pictures"\n')
    scene = load_scene(path)
    assert scene.background.count == 2
    first, second = posetest.render_poses(scene, ["distance=20", "distance=20,background=1"], image_size=24)
    assert np.allclose(first[:, 0, 0], [1, 0, 1], atol=0.01)
    assert np.allclose(second[:, 0, 0], [0, 1, 1], atol=0.01)
    plain = load_scene(write_cube_scene(tmp_path, SCENE + '[background]\ncolor = "#ff8000"\n'))
    assert np.allclose(
        posetest.render_poses(plain, "distance=20", image_size=24)[0][:, 0, 0], [1, 128 / 255, 0], atol=1e-6
    )


@pytest.mark.parametrize(
    ("background", "message"),
    [
        ('images = "none"', "no such folder of background pictures"),
        ('images = "empty"', "no background picture in this folder"),
        ('image = "none.png"', "background.image: no such file"),
        ('image = "a.png"\nimages = "empty"', "has both image and images"),
        ('color = "grey"', 'background.color: "grey" is not a colour such as "#8090a0" or "imagenet_mean"'),
        ('color = "imagenet-mean"', 'did you mean "imagenet_mean"'),
    ],
)
def test_backgrounds_that_are_not_there_are_named(tmp_path: Path, background: str, message: str) -> None:
    (tmp_path / "empty").mkdir()
    path = write_cube_scene(tmp_path, SCENE + f"[background]\n{background}\n")
    with pytest.raises(ConfigError, match=message):
        load_scene(path)


def test_colours_are_read_as_written() -> None:
    assert parse_color("#ff0080", "x") == (1.0, 0.0, 128 / 255)
    assert parse_color((0.1, 0.2, 0.3), "x") == (0.1, 0.2, 0.3)
    assert parse_color("imagenet_mean", "x") == (0.485, 0.456, 0.406)


def test_a_missing_scene_is_answered_with_what_is_near(tmp_path: Path) -> None:
    write_cube_scene(tmp_path)
    with pytest.raises(ConfigError, match=r'did you mean ".*cube\.toml"'):
        load_scene(tmp_path / "cub.toml")
    with pytest.raises(ConfigError, match="neither a scene"):
        load_scene(tmp_path / "cube.mtl")


@pytest.mark.parametrize("path", bundled_scenes(), ids=lambda p: p.stem)
def test_every_bundled_scene_loads_without_a_warning_and_can_be_named(path: Path) -> None:
    scene = load_scene(path.stem)
    assert scene.labels
    assert not scene.mesh.warnings
    assert not scene.mesh.not_drawn


def test_a_bare_mesh_is_a_scene_under_default_conditions(tmp_path: Path) -> None:
    write_cube_scene(tmp_path)
    scene = load_scene(tmp_path / "cube.obj", labels=["red", 2])
    assert scene.name == "cube"
    assert scene.labels == ("red", 2)
