"""Sampling is what its measure's name says, and a pose depends on (seed, index) alone."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from posetest.config import LightConfig, ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.errors import ConfigError
from posetest.geometry.so3 import viewing_direction
from posetest.space import INDEX, NAMES, Space, format_pose, parse_pose, scene_space, vectors_to_views

MANY = 20_000
#: Kolmogorov-Smirnov level: a sound sampler fails one such test in ten thousand; seeds are fixed.
LEVEL = 1e-4


def config(**space: object) -> SceneConfig:
    return SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(**space))


def rotations(space: Space, scene: SceneConfig, sampling: str = "independent") -> np.ndarray:
    return vectors_to_views(space.sample(7, 0, MANY, sampling), scene).rotation


@pytest.mark.parametrize("sampling", ["independent", "sobol"])
def test_a_pose_depends_on_seed_and_index_alone(sampling: str) -> None:
    space = scene_space(config())
    whole = space.sample(3, 0, 500, sampling)
    pieces = [space.sample(3, a, b, sampling) for a, b in ((0, 7), (7, 64), (64, 65), (65, 500))]
    assert np.array_equal(whole, np.concatenate(pieces))
    assert not np.array_equal(whole[:10], space.sample(4, 0, 10, sampling))


def test_freeing_another_parameter_leaves_the_numbers_of_the_first_alone() -> None:
    few = scene_space(config()).sample(1, 0, 50)
    more = scene_space(config(fov=(20.0, 40.0), ambient=(0.1, 0.5))).sample(1, 0, 50)
    columns = [INDEX[n] for n in ("yaw", "pitch", "roll", "distance", "offset_x")]
    assert np.array_equal(few[:, columns], more[:, columns])


@pytest.mark.parametrize("sampling", ["independent", "sobol"])
def test_haar_rotations_have_the_angle_density_of_so3(sampling: str) -> None:
    # angle of a Haar-uniform rotation: distribution function (x - sin x) / pi
    matrix = rotations(scene_space(config()), config(), sampling)
    angle = np.arccos(np.clip((np.trace(matrix, axis1=1, axis2=2) - 1) / 2, -1, 1))
    assert stats.kstest(angle, lambda x: (x - np.sin(x)) / np.pi).pvalue > LEVEL


def test_haar_rotations_are_invariant_under_a_fixed_turn() -> None:
    matrix = rotations(scene_space(config()), config())
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    for column in range(3):  # each image of an axis is uniform on the sphere: its coordinates are uniform on [-1, 1]
        vector = matrix @ turn[:, column]
        for row in range(3):
            assert stats.kstest(vector[:, row], stats.uniform(-1, 2).cdf).pvalue > LEVEL


def test_euler_uniform_rotations_crowd_the_poles_and_say_so() -> None:
    scene = config(rotation="euler")
    space = scene_space(scene)
    height = viewing_direction(rotations(space, scene))[:, 2]
    assert stats.kstest(height, stats.uniform(-1, 2).cdf).pvalue < 1e-12
    assert "not uniform on SO(3)" in space.measure


def test_a_box_of_pitch_is_uniform_on_its_part_of_the_sphere() -> None:
    scene = config(rotation="fixed", elevation=(0.0, 60.0), azimuth=(-180.0, 180.0))
    directions = viewing_direction(rotations(scene_space(scene), scene))
    sine = np.sin(np.radians(60))
    assert stats.kstest(directions[:, 1], stats.uniform(0, sine).cdf).pvalue > LEVEL


def test_the_log_prior_is_uniform_in_the_logarithm() -> None:
    space = scene_space(config(distance=RangeConfig(low=2, high=32, prior="log")))
    draws = np.log2(space.sample(0, 0, MANY)[:, INDEX["distance"]])
    assert stats.kstest(draws, stats.uniform(1, 4).cdf).pvalue > LEVEL


def test_strike_is_the_published_protocol() -> None:
    space = scene_space(config(preset="strike"))
    vectors = space.sample(0, 0, 1000)
    assert (vectors[:, INDEX["fov"]] == 16.426).all()
    assert space.free["distance"].low == 2
    assert space.free["distance"].high == 30
    assert "Euler-uniform" in space.measure
    assert abs(vectors[:, INDEX["offset_x"]]).max() <= 1


def test_the_measure_names_what_varies() -> None:
    assert scene_space(config(distance=5.0, offset_x=0.0, offset_y=0.0)).measure == "Haar-uniform rotations"
    box = scene_space(config(rotation="fixed", yaw=(-30.0, 30.0), distance=4.0, offset_x=0.0, offset_y=0.0))
    assert box.measure == "yaw uniform -30 to 30"
    assert scene_space(config(rotation="fixed", distance=4.0, offset_x=0.0, offset_y=0.0)).measure == "fixed rotation"


def test_every_background_is_drawn_equally_often() -> None:
    draws = scene_space(config(), backgrounds=3).sample(0, 0, MANY)[:, INDEX["background"]]
    counts = np.bincount(draws.astype(int), minlength=3)
    assert len(counts) == 3
    assert stats.chisquare(counts).pvalue > LEVEL


def test_a_replay_string_gives_the_very_pose_back() -> None:
    space = scene_space(config(distance=RangeConfig(low=1, high=1000, prior="log"), light_azimuth=(-90.0, 90.0)))
    vectors = space.sample(11, 0, 2000)
    for vector in vectors:
        assert np.array_equal(space.vector(parse_pose(format_pose(vector, space)))[0], vector)


def test_offsets_are_half_frames_at_the_objects_distance() -> None:
    scene = config()
    space = scene_space(scene)
    for distance in (3.0, 30.0):
        views = vectors_to_views(space.vector({"offset_x": 1.0, "distance": distance, "fov": 40.0}), scene, aspect=2.0)
        # wide frame: the field of view belongs to the height, half the width is twice as far
        assert views.position[0, 0] / -views.position[0, 2] == pytest.approx(2 * np.tan(np.radians(20)))


def test_the_first_light_follows_its_parameters_and_the_orbit() -> None:
    scene = SceneConfig(
        object=ObjectConfig(mesh="none.obj"), lights=(LightConfig(azimuth_deg=0, elevation_deg=0), LightConfig())
    )
    space = scene_space(scene)
    front = vectors_to_views(space.vector({}), scene)
    assert front.light_dirs[0, 0] == pytest.approx([0, 0, 1])
    # the camera walks a quarter round towards +x: the light from +z now comes from its left
    side = vectors_to_views(space.vector({"azimuth": 90.0}), scene)
    assert side.light_dirs[0, 0] == pytest.approx([-1, 0, 0], abs=1e-12)
    turned = vectors_to_views(space.vector({"light_azimuth": 90.0, "light_strength": 2.0}), scene)
    assert turned.light_dirs[0, 0] == pytest.approx([1, 0, 0], abs=1e-12)
    assert turned.light_colors[0, 0] == pytest.approx([2, 2, 2])
    assert np.allclose(turned.light_dirs[0, 1], front.light_dirs[0, 1])


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"distance": (8.0, 4.0)}, r"distance = \[8, 4\] is empty"),
        ({"distance": -1.0}, r"distance = -1 is outside"),
        ({"elevation": (-120.0, 0.0)}, r"elevation = -120 is outside"),
        ({"distance": RangeConfig(low=float("nan"), high=1)}, "distance = nan"),
        ({"yaw": RangeConfig(low=-180, high=180, prior="sphere")}, r'yaw with prior "sphere" must stay within'),
        ({"offset_x": RangeConfig(low=-1, high=1, prior="log")}, r'offset_x with prior "log" must be above 0'),
        ({"background": (0.0, 3.0)}, r"x.toml: \[space\] background reaches 3; the 1 backgrounds count from 0"),
    ],
)
def test_impossible_intervals_are_refused(space: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        scene_space(config(**space), where="x.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("yaw", "is not name=number"),
        ("yaw=abc", "is not name=number"),
        ("yaww=3", 'unknown parameter "yaww"; did you mean "yaw"'),
        ("distance=-3", "is outside"),
        ("yaw=nan", "outside"),
        ("yaw=1,yaw=2", "yaw stands there twice"),
        ("background=0.5", "not the index of a picture"),
    ],
)
def test_unreadable_poses_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_pose(text)


def test_a_background_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match="background 2 of 2; the first is 0"):
        scene_space(config(), backgrounds=2).vector({"background": 2})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lights": (LightConfig(azimuth_deg=float("nan")),)}, r"x.toml: lights\[0\]: light_azimuth = nan"),
        ({"lights": (LightConfig(), LightConfig(strength=1000))}, r"x.toml: lights\[1\]: light_strength = 1000"),
        ({"ambient": float("inf")}, "x.toml: ambient = inf"),
        (
            {"lights": (), "space": SpaceConfig(light_strength=(0.5, 1.0))},
            "varies light_strength, but the scene has no light",
        ),
    ],
)
def test_impossible_lights_are_refused_with_their_place(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        scene_space(SceneConfig(object=ObjectConfig(mesh="none.obj"), **changes), where="x.toml")


def test_a_pitch_interval_past_the_poles_is_filled_uniformly_however_it_is_written() -> None:
    for pitch in ((-180.0, 180.0), RangeConfig(low=-180, high=180)):
        assert scene_space(config(rotation="fixed", pitch=pitch)).free["pitch"].prior == "uniform"


def test_negative_seeds_are_refused() -> None:
    with pytest.raises(ConfigError, match="must not be negative"):
        scene_space(config()).sample(-1, 0, 1)


def test_every_parameter_has_a_key_in_the_space_of_a_scene_file() -> None:
    assert set(NAMES) <= set(SpaceConfig.__struct_fields__)
