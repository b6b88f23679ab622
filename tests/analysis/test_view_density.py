"""Densities of views: against draws of the space itself, between two ways to write one space, and at singular ones."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.transform import Rotation
from scipy.special import expit

from posetest.analysis.density import QUATERNION
from posetest.analysis.reweight import weighted_share
from posetest.analysis.view_density import seen, seen_draws, view_density
from posetest.analysis.weights import importance_weights
from posetest.config import ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.engine.record import POSE_COLUMNS
from posetest.errors import ConfigError
from posetest.geometry.so3 import matrix_to_quaternion
from posetest.space import Space, object_to_camera, scene_space

ANYWHERE = {"light_azimuth": (-180, 180), "light_elevation": (-90, 90)}


def space(**entries: object) -> Space:
    config = SceneConfig(object=ObjectConfig(mesh="x.obj"), space=SpaceConfig(**entries))  # type: ignore[arg-type]
    return scene_space(config)


def records(drawn: Space, n: int, seed: int = 0) -> pd.DataFrame:
    vectors = drawn.sample(seed, 0, n)
    frame = pd.DataFrame(vectors, columns=list(POSE_COLUMNS))
    frame[list(QUATERNION)] = matrix_to_quaternion(object_to_camera(vectors))
    return frame


HAAR = space(**ANYWHERE)
PHOTOGRAPHER = space(
    rotation="fixed",
    yaw=(-180, 180),
    pitch=(-10, 10),
    roll=(-15, 15),
    elevation=(-5, 50),
    light_azimuth=(-90, 90),
    light_elevation=(5, 75),
)
TURNTABLE = space(rotation="fixed", azimuth=(-180, 180), elevation=(0, 30), **ANYWHERE)
OPERATIONAL = space(rotation="fixed", azimuth=(-180, 180), elevation=(-2, 12), roll=(-3, 3), **ANYWHERE)
#: Space, tilt: of each kind that has a density.
SPACES = {
    "photographer": (PHOTOGRAPHER, 0.0),
    "photographer, tilted": (PHOTOGRAPHER, 8.0),
    "turntable": (TURNTABLE, 5.0),
    "operational": (OPERATIONAL, 5.0),
    "an arc, uniform in elevation": (
        space(
            rotation="fixed",
            azimuth=(30, 100),
            elevation=RangeConfig(low=-20, high=60, prior="uniform"),
            **ANYWHERE,
        ),
        10.0,
    ),
    "euler, camera going round": (space(rotation="euler", azimuth=(-40, 40), **ANYWHERE), 0.0),
}


def chance(rotation: np.ndarray, light: np.ndarray) -> np.ndarray:
    """A rate that hangs on each of the angles and on where the light is."""
    lit = np.einsum("nj,nj->n", rotation[:, 2], light[:, [1, 2, 0]])
    return expit(2 * rotation[:, 1, 1] + 3 * rotation[:, 0, 1] + rotation[:, 0, 2] + 2 * lit)


@pytest.mark.parametrize("name", SPACES)
def test_densities_are_of_mean_one_and_positive_at_all_poses_of_the_space(name: str) -> None:
    drawn, roll_deg = SPACES[name]
    n = 8000
    rotation = Rotation.random(n, np.random.default_rng(1)).as_matrix()
    density = view_density(drawn, rotation, roll_deg=roll_deg)
    assert density.mean() == pytest.approx(1, abs=4 * density.std() / n**0.5)
    own, light = seen_draws(drawn, 2000, roll_deg)
    assert (view_density(drawn, own, light, roll_deg) > 0).mean() > 0.99  # nodes miss a sliver at the very edge


@pytest.mark.parametrize("name", [name for name in SPACES if "euler" not in name])  # its weights have no bound
def test_weighted_rates_are_those_of_the_space_itself(name: str) -> None:
    target, roll_deg = SPACES[name]
    rows = records(HAAR, 8000, seed=3)
    weights = importance_weights(rows, HAAR, target, roll_deg=roll_deg)
    recognised = np.random.default_rng(4).random(len(rows)) < chance(*seen(rows))
    found = weighted_share(recognised, weights, level=0.9999)
    wanted = chance(*seen_draws(target, 100_000, roll_deg)).mean()
    assert found.low < wanted < found.high
    assert found.high - found.low < 0.7
    assert abs(weights.mean() - 1) < 4 * weights.std() / len(rows) ** 0.5


def test_turning_the_object_and_going_round_it_are_one_rotation() -> None:
    rotation = Rotation.random(12_000, np.random.default_rng(2)).as_matrix()
    around = view_density(space(rotation="fixed", azimuth=(20, 90), elevation=(-10, 40)), rotation, roll_deg=6)
    turned = view_density(space(rotation="fixed", yaw=(-90, -20), elevation=(-10, 40)), rotation, roll_deg=6)
    assert (around > 0).sum() > 10
    np.testing.assert_allclose(turned, around, rtol=1e-9)


def test_a_tilt_is_the_share_of_a_turn_that_it_is() -> None:
    # of a camera that goes everywhere, upright to within 6 degrees: one rotation in 30
    everywhere = space(rotation="fixed", azimuth=(-180, 180), elevation=(-90, 90))
    rotation = Rotation.random(6000, np.random.default_rng(5)).as_matrix()
    density = view_density(everywhere, rotation, roll_deg=6)
    assert set(np.round(density, 9)) == {0.0, 30.0}
    assert (density > 0).mean() == pytest.approx(1 / 30, abs=0.01)


def test_haar_rotations_have_density_one_wherever_the_camera_is() -> None:
    rotation = Rotation.random(500, np.random.default_rng(6)).as_matrix()
    for drawn in (HAAR, space(azimuth=(-40, 60), elevation=(0, 30))):
        np.testing.assert_allclose(view_density(drawn, rotation), 1)
    rows = records(HAAR, 400)
    turned = importance_weights(rows, HAAR, space(azimuth=(-40, 60), **ANYWHERE))
    np.testing.assert_allclose(turned, 1, atol=1e-9)  # a light from anywhere is one to each camera


@pytest.mark.parametrize(
    ("source", "target", "options", "text"),
    [
        (HAAR, TURNTABLE, {}, "the target's camera is always exactly upright: allow a tilt, such as roll_deg = 5"),
        (HAAR, space(rotation="fixed", azimuth=(-9, 9)), {"roll_deg": 5}, "no pose has a density under both; audit"),
        (TURNTABLE, PHOTOGRAPHER, {}, "the source draws azimuth, elevation, which do not fill the rotations"),
        (PHOTOGRAPHER, TURNTABLE, {"roll_deg": 5, "keep": ["light"]}, ""),
        (
            PHOTOGRAPHER,
            space(rotation="fixed", azimuth=(-180, 180), elevation=(0, 80)),
            {"roll_deg": 5, "keep": ["light"]},
            r"\d+ % of the target's poses are seen as no audited pose is; narrow the target",
        ),
        (
            PHOTOGRAPHER,
            TURNTABLE,
            {"roll_deg": 5},
            "lit, as the camera sees it, from where no audited pose is; keep the",
        ),
        (
            HAAR,
            space(rotation="fixed", azimuth=(-180, 180), elevation=RangeConfig(low=-90, high=90, prior="uniform")),
            {"roll_deg": 5},
            'elevation of the target is "uniform" up to a pole',
        ),
        (HAAR, TURNTABLE, {"keep": ["lamp"]}, 'keep: "lamp" is no part of a pose'),
    ],
)
def test_what_has_no_density_is_refused(source: Space, target: Space, options: dict[str, object], text: str) -> None:
    rows = records(source, 50)
    if not text:
        assert (importance_weights(rows, source, target, **options) >= 0).all()  # type: ignore[arg-type]
        return
    with pytest.raises(ConfigError, match=text):
        importance_weights(rows, source, target, **options)  # type: ignore[arg-type]
