"""The geometry that searches move in: steps and their inverse, seams and poles, bounds, flat embeddings."""

from __future__ import annotations

import numpy as np
import pytest
from planted import angle, euler

from posetest.config import ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.errors import ConfigError
from posetest.search.domain import Domain, check_start, make_domain
from posetest.space import INDEX, scene_space


def domain(searched: tuple[str, ...] | None = None, values: dict[str, float] | None = None, **space: object) -> Domain:
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(**space))
    return make_domain(scene_space(config), searched, values)


def test_a_step_leads_where_the_difference_says() -> None:
    one = domain()
    start, end = one.sample(0, 0, 200), one.sample(1, 0, 200)
    assert one.distance(one.moved(start, one.difference(start, end)), end).max() < 1e-5


def test_distance_of_rotations_is_their_angle() -> None:
    one = domain(("yaw", "pitch", "roll"))
    a, b = one.sample(0, 0, 100), one.sample(5, 0, 100)
    assert one.distance(a, b) == pytest.approx(angle(one.rotations(a), one.rotations(b)), abs=1e-6)
    assert one.distance(a, b).max() <= one.diameter


def test_steps_are_turns_about_the_objects_own_axes() -> None:
    one = domain(("yaw", "pitch", "roll"))
    tipped = one.with_rotations(one.base[None], euler(0, 90, 0)[None])
    turned = one.rotations(one.moved(tipped, [[0, np.radians(30), 0]]))[0]
    assert turned == pytest.approx(euler(0, 90, 0) @ euler(30, 0, 0), abs=1e-5)


@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(179.9, 0, 0), (0, 90, 0), (10, -90, 40), (-180, 89.99, 180)])
def test_a_small_step_is_small_at_seams_and_poles(yaw: float, pitch: float, roll: float) -> None:
    one = domain(("yaw", "pitch", "roll"))
    there = one.with_rotations(one.base[None], euler(yaw, pitch, roll)[None])
    steps = 0.01 * np.vstack([np.eye(3), -np.eye(3)])
    around = one.moved(there, steps)
    assert one.distance(there, around) == pytest.approx(np.full(6, 0.01), abs=1e-5)
    assert one.difference(there, around) == pytest.approx(steps, abs=1e-5)


def test_a_whole_turn_of_one_parameter_wraps_and_a_part_of_it_ends() -> None:
    ring = domain(("azimuth",), azimuth=(-180.0, 180.0), rotation="fixed")
    there = np.array([ring.base])
    there[0, INDEX["azimuth"]] = 170.0
    assert ring.moved(there, [[np.radians(30)]])[0, INDEX["azimuth"]] == pytest.approx(-160)
    assert ring.difference(there, ring.moved(there, [[np.radians(30)]]))[0, 0] == pytest.approx(np.radians(30))
    arc = domain(("azimuth",), azimuth=(-40.0, 60.0), rotation="fixed")
    assert arc.moved(np.array([arc.base]), [[9.0]])[0, INDEX["azimuth"]] == 60
    assert arc.moved(np.array([arc.base]), [[-9.0]])[0, INDEX["azimuth"]] == -40


def test_a_logarithmic_interval_is_halved_by_its_geometric_mean() -> None:
    one = domain(("distance",), distance=RangeConfig(low=2.0, high=32.0, prior="log"))
    assert one.with_coordinates(np.array([one.base]), np.array([[0.0]]))[0, INDEX["distance"]] == pytest.approx(8)
    assert one.coordinates(np.array([one.base]))[0, 0] == pytest.approx(2 * np.log(5 / 2) / np.log(16) - 1)


def test_embedded_points_lie_as_far_apart_as_near_poses_do() -> None:
    one = domain(light_azimuth=(-180.0, 180.0), distance=(3.0, 9.0))
    a = one.sample(0, 0, 50)
    b = one.moved(a, np.random.default_rng(0).normal(size=(50, one.dim)) * 0.004)
    flat = np.linalg.norm(one.embedding(a) - one.embedding(b), axis=1)
    # where a step was cut at a bound, both say so
    assert flat == pytest.approx(one.distance(a, b), rel=1e-3, abs=1e-5)
    assert one.embedding(a).shape[1] == sum(one.embedding_groups)


def test_distances_can_be_had_from_embeddings() -> None:
    one = domain(light_azimuth=(-180.0, 180.0), distance=(3.0, 9.0))
    a, b = one.sample(0, 0, 20), one.sample(1, 0, 20)
    found = one.embedded_distances(one.embedding(a), one.embedding(b))
    assert found.diagonal() == pytest.approx(one.distance(a, b), abs=1e-6)
    assert found[3, 7] == pytest.approx(one.distance(a[3:4], b[7:8])[0], abs=1e-6)


def test_poses_are_rounded_as_sampled_ones_are() -> None:
    one = domain()
    vectors = one.sample(3, 0, 20)
    assert np.array_equal(one.rounded(vectors), vectors)
    moved = one.moved(vectors, np.full(one.dim, 0.0123456789))
    assert np.array_equal(one.rounded(moved), moved)


def test_what_is_not_searched_stays_where_it_is() -> None:
    one = domain(("yaw", "pitch", "roll"), {"distance": 7.5, "elevation": 20.0})
    vectors = one.moved(one.sample(0, 0, 10), np.full(3, 0.3))
    assert (vectors[:, INDEX["distance"]] == 7.5).all()
    assert (vectors[:, INDEX["elevation"]] == 20.0).all()


def test_angles_that_do_not_span_all_rotations_are_searched_as_they_are() -> None:
    one = domain(yaw=(-30.0, 30.0))
    assert not one.has_rotation
    assert [axis.name for axis in one.axes][:3] == ["yaw", "pitch", "roll"]
    assert domain().has_rotation
    assert domain(preset="strike").has_rotation


def test_mistakes_name_the_parameter() -> None:
    with pytest.raises(ConfigError, match='unknown parameter "yaww"; did you mean "yaw"'):
        domain(("yaww",))
    with pytest.raises(ConfigError, match="fov does not vary in this scene"):
        domain(("fov",))
    with pytest.raises(ConfigError, match="nothing to search"):
        domain((), rotation="fixed", distance=5.0, offset_x=0.0, offset_y=0.0)
    one = domain(("distance",))
    with pytest.raises(ConfigError, match=r"distance = 20 is outside \[4.5, 8\], where the search may move"):
        check_start(one, np.where(np.arange(len(one.base)) == INDEX["distance"], 20.0, one.base), "initial")
