"""Scene and run files: what is wrong is said with file, key and fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig, decode, read_toml, to_toml
from posetest.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[object]\nmehs = "a.obj"', r'street.toml: unknown key "mehs" in \[object\]; did you mean "mesh"\?'),
        ('[object]\nmesh = "a"\n[space]\ndistnce = 3', r'unknown key "distnce" in \[space\]; did you mean "distance"'),
        ('[object]\nmesh = "a"\n[[lights]]\nelevation = 3', r'unknown key "elevation" in \[lights\[0\]\]'),
        ('[object]\nmesh = "a"\n[space.yaw]\nlow = 1\nhigh = 2\npiror = "log"', r'\[space.yaw\]; did you mean "prior"'),
        ('[object]\nmesh = "a"\n[space]\nrotation = "harr"', r'space.rotation = "harr"; did you mean "haar"'),
        ('[object]\nmesh = "a"\n[camera]\nfov_deg = 180', r"Expected `float` < 170.*camera.fov_deg"),
        ('[object]\nmesh = "a"\n[render]\nsampels = 2', r'unknown key "sampels" in \[render\]; did you mean "samples"'),
        ('[object]\nmesh = "a"\n[render]\nsamples = 4', r"street.toml: render.samples = 4 \(one of 1, 2\)"),
        (
            '[object]\nmesh = "a"\n[render]\nbackend = "cuda"',
            r'render.backend = "cuda" \(one of cpu, pytorch3d, reference',
        ),
        ('[object]\nmesh = "a"\n[render]\nshading = "gamma"', r'shading = "gamma"; did you mean "gamma_free"\?'),
        ('name = "x"', "missing required field `object`"),
        ("[object", "street.toml: not valid TOML"),
        ('objekt = 1\n[object]\nmesh = "a"', r'unknown key "objekt" in the top level; did you mean "object"'),
    ],
)
def test_a_wrong_scene_file_names_file_key_and_fix(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "street.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_toml(path, SceneConfig)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere.toml: no such file"):
        read_toml(tmp_path / "nowhere.toml", SceneConfig)


def test_toml_out_and_in_again_is_the_same() -> None:
    config = SceneConfig(
        object=ObjectConfig(mesh="a.obj", labels=("jeep", 609), up="+z"),
        space=SpaceConfig(yaw=(-10.0, 10.0), distance=4.0),
    )
    import tomllib

    assert decode(tomllib.loads(to_toml(config)), SceneConfig, "again") == config
