"""Familiar poses are those of a scene, however a run is parametrised."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from planted_failures import haar_poses

from posetest.analysis.density import QUATERNION
from posetest.analysis.familiar import Familiar, familiar_poses, familiar_scene
from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.errors import ConfigError
from posetest.geometry.so3 import matrix_to_quaternion, orbit_to_matrix
from posetest.resources import bundled
from posetest.scene.include import read_scene
from posetest.space import object_to_camera, scene_space


def views(azimuth: float, elevation: float, roll: float = 0.0) -> pd.DataFrame:
    """The record of an upright object seen from there by a camera turned by ``roll`` degrees."""
    c, s = np.cos(np.radians(roll)), np.sin(np.radians(roll))
    turn = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    rotation = turn @ orbit_to_matrix([np.radians(azimuth)], [np.radians(elevation)])
    return pd.DataFrame(matrix_to_quaternion(rotation), columns=list(QUATERNION)).assign(visible=True)


def of(**entries: object) -> Familiar:
    return familiar_poses(
        SceneConfig(object=ObjectConfig(mesh="x.obj"), space=SpaceConfig(**entries)),  # type: ignore[arg-type]
        "scene",
    )


def test_photographers_know_upright_views_from_all_round() -> None:
    familiar = familiar_scene()
    assert familiar.words().endswith("(as in photographer)")
    for azimuth in (-170, -30, 80):
        assert familiar.contains(views(azimuth, 20)).all()
        assert familiar.contains(views(azimuth, 20, roll=-12)).all()
        for elevation, roll in ((75, 0), (-30, 0), (20, 40), (20, 180)):
            assert not familiar.contains(views(azimuth, elevation, roll)).any()
    assert not familiar.contains(views(0, 20).assign(visible=False)).any()


def test_nine_in_ten_of_the_scenes_own_poses_are_familiar() -> None:
    config = read_scene(bundled("scenes") / "photographer.toml")
    rotation = object_to_camera(scene_space(config, 48).sample(9, 0, 20_000))
    rows = pd.DataFrame(matrix_to_quaternion(rotation), columns=list(QUATERNION)).assign(visible=True)
    assert 0.88 < familiar_scene().contains(rows).mean() < 0.97


def test_turned_objects_and_cameras_that_go_round_know_the_same_poses() -> None:
    around = of(rotation="fixed", azimuth=(20, 90), elevation=(0, 40))
    turned = of(rotation="fixed", yaw=(-90, -20), elevation=(0, 40))
    rows = haar_poses(20_000, 0).assign(visible=True)
    inside = around.contains(rows)
    assert (inside == turned.contains(rows)).mean() > 0.998
    # an arc of 0.95 x 70 degrees, 0.95 of the band of elevations and the least tilt, of all rotations
    band = (np.sin(np.radians(39)) - np.sin(np.radians(1))) / 2
    assert inside.mean() == pytest.approx(66.5 / 360 * band * 10 / 360, rel=0.25)


def test_whoever_knows_all_rotations_knows_most_of_them() -> None:
    assert of().contains(haar_poses(4000, 1).assign(visible=True)).mean() == pytest.approx(0.95, abs=0.02)


def test_a_mesh_is_no_scene(tmp_path: Path) -> None:
    mesh = tmp_path / "x.obj"
    mesh.write_text("v 0 0 0\n")
    with pytest.raises(ConfigError, match="is a mesh; name a scene whose poses are familiar, such as photographer"):
        familiar_scene(mesh)
