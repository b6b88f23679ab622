"""The study's searches do what was published, and what the released script's defects do to them."""

from __future__ import annotations

import numpy as np
import pytest
from planted import SCALE, bump, euler, one_peak, rotations_only, run
from released import depths_between, random_light, slopes

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.search.asktell import Evaluation, Problem, Search, joined
from posetest.search.domain import make_domain
from posetest.search.raw import RawCoordinates
from posetest.search.select import make_method
from posetest.space import INDEX, scene_space, vectors_to_views

DISTANCE = INDEX["distance"]
PEAK = one_peak("peak", euler(40, 25, -60))


def strike() -> tuple[SceneConfig, object]:
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(preset="strike"))
    return config, make_domain(scene_space(config))


def test_the_studys_coordinates_are_positions_in_object_units_and_cosines_and_sines() -> None:
    config, domain = strike()
    raw, vectors = RawCoordinates(domain), domain.sample(0, 0, 50)
    numbers = raw.from_vectors(vectors)
    assert numbers.shape == (50, 9)
    views = vectors_to_views(vectors, config)
    columns = list(raw.columns)
    for k, name in enumerate(("offset_x", "offset_y")):
        assert numbers[:, columns.index(INDEX[name])] == pytest.approx(views.position[:, k])
    yaw = columns.index(INDEX["yaw"])
    assert numbers[:, yaw] == pytest.approx(np.cos(np.radians(vectors[:, INDEX["yaw"]])))
    assert domain.distance(raw.to_vectors(numbers), vectors).max() < 1e-5


def test_coordinates_outside_the_intervals_are_brought_back() -> None:
    _, domain = strike()
    raw = RawCoordinates(domain)
    numbers = raw.from_vectors(domain.sample(0, 0, 3)) + 100
    vectors = raw.to_vectors(numbers)
    assert (vectors[:, DISTANCE] <= 30).all()
    assert (np.abs(vectors[:, INDEX["offset_x"]]) <= 1).all()
    pairs = raw.normalised(numbers)
    at = list(raw.columns).index(INDEX["roll"])
    assert np.hypot(pairs[:, at], pairs[:, at + 1]) == pytest.approx(np.ones(3))


def depth_score(vectors: np.ndarray) -> np.ndarray:
    """Best at a distance of 9, whatever the rotation."""
    return -np.abs(vectors[:, DISTANCE] - 9.0)


def test_random_search_constrained_in_depth_draws_between_the_two_best_depths() -> None:
    _, domain = strike()
    search, told = Search(make_method("zrs"), Problem(domain, budget=400)), []
    while sum(map(len, told)) < 400:
        vectors = search.ask().vectors
        scores = depth_score(vectors)
        told.append(Evaluation(vectors, scores, scores, np.zeros(len(scores), dtype=np.int64)))
        search.tell(told[-1])
    distances = joined(told).vectors[:, DISTANCE]
    explored, drawn = distances[:300], distances[300:400]
    depths = np.unique(explored)
    assert depths == pytest.approx(np.linspace(2, 30, 30), abs=1e-4)
    assert (np.unique(explored, return_counts=True)[1] == 10).all()
    nearest = np.sort(depths[np.argsort(np.abs(depths - 9))[:2]])
    assert (drawn >= nearest[0]).all()
    assert (drawn <= nearest[1]).all()
    assert np.ptp(drawn) > 0.8 * np.ptp(nearest)


def test_the_released_depth_constraint_constrains_nothing() -> None:
    """With the best loss at depth -7 its interval runs from the first depth tried to 0, whatever was found."""
    depths = np.linspace(-28, 0, 30)  # its z, from the farthest to the nearest
    for best in (-7.0, -20.0):
        low, high = depths_between({z: abs(z - best) for z in depths})
        assert (low, high) == (-28, 0)


def test_setting_three_angles_to_one_turns_the_difference_away_from_the_gradient() -> None:
    domain = rotations_only()
    raw = RawCoordinates(domain)

    def score(vectors: np.ndarray) -> np.ndarray:
        return PEAK.score(domain.rotations(vectors))

    right, wrong = [], []
    for vector in domain.sample(1, 0, 40):
        at = raw.from_vectors(vector[None])[0]
        true = slopes(raw, at, score, 1e-3, has_one_angle=False, is_left_moved=False)
        released = slopes(raw, at, score, 1e-3, has_one_angle=True, is_left_moved=False)
        # the gradient by another way: differences of the smooth score over a step ten times as long
        longer = slopes(raw, at, score, 1e-2, has_one_angle=False, is_left_moved=False)
        right.append(cosine(true, longer))
        wrong.append(cosine(released, longer))
    assert np.median(right) > 0.999
    assert np.median(wrong) < 0.6
    assert np.mean(np.array(wrong) < 0) > 0.15  # uphill is downhill in many poses


def test_numbers_left_where_a_difference_moved_them_change_the_others() -> None:
    """Each slope is then taken at a pose half a step off in all numbers before it: an error of the step's own order."""
    domain = rotations_only()
    raw = RawCoordinates(domain)

    def score(vectors: np.ndarray) -> np.ndarray:
        return 50 * PEAK.score(domain.rotations(vectors))  # as steep as a network's score

    errors: dict[float, list[float]] = {1e-2: [], 1e-1: []}
    for h, found in errors.items():
        for vector in domain.sample(1, 0, 20):
            at = raw.from_vectors(vector[None])[0]
            kept = slopes(raw, at, score, h, has_one_angle=False, is_left_moved=True)
            true = slopes(raw, at, score, h, has_one_angle=False, is_left_moved=False)
            found.append(np.linalg.norm(kept - true) / np.linalg.norm(true))
    assert np.median(errors[1e-1]) > 5 * np.median(errors[1e-2]) > 0
    assert np.median(errors[1e-1]) > 0.01


def test_the_released_differences_climb_less_than_the_published_ones() -> None:
    domain = rotations_only()
    raw = RawCoordinates(domain)

    def score(vectors: np.ndarray) -> np.ndarray:
        return PEAK.score(domain.rotations(vectors))

    heights: dict[bool, list[float]] = {True: [], False: []}
    for has_defects, found in heights.items():
        there = domain.with_rotations(domain.base[None], PEAK.optima)
        turns = np.random.default_rng(0).normal(size=(8, 4)) * [1, 1, 1, 0]
        for start in domain.moved(there, 0.9 * turns / np.linalg.norm(turns, axis=1, keepdims=True)):
            at = raw.from_vectors(start[None])[0]
            for _ in range(60):
                rise = slopes(raw, at, score, 1e-3, has_one_angle=has_defects, is_left_moved=has_defects)
                at = raw.normalised((at + 0.003 * rise)[None])[0]
            found.append(float(score(raw.to_vectors(at[None]))[0]))
    assert np.median(heights[False]) > 0.9 * SCALE
    assert np.median(heights[True]) < 0.7 * np.median(heights[False])


def test_turning_the_light_with_the_pose_hides_what_the_pose_alone_does() -> None:
    """A score that hangs on pose and light: what turning lights find is worth less in the scene's own light."""
    domain, rng = rotations_only(), np.random.default_rng(0)
    vectors = domain.sample(4, 0, 4000)
    of_pose = bump(domain.rotations(vectors), PEAK.optima[0], 0.8)
    own_light = 0.2
    of_light = np.array([np.cos(random_light(rng)).mean() for _ in vectors])
    released, own = of_pose + of_light, of_pose + own_light
    best = np.argsort(-released)[:40]
    assert released[best].mean() > own[best].mean() + 0.3  # what the search reports is not what the scene shows
    # the published search leaves the light alone
    told = joined(run(make_method("random"), Problem(domain, budget=640), PEAK))
    lights = [INDEX[name] for name in ("light_azimuth", "light_elevation", "light_strength", "ambient")]
    assert (told.vectors[:, lights] == domain.base[lights]).all()


def test_the_gradient_in_the_studys_coordinates_is_that_of_its_differences() -> None:
    """DR-G takes the step that FD-G would: the chain rule against differences of the score itself."""
    domain = rotations_only()
    raw = RawCoordinates(domain)
    problem = Problem(domain, seed=5, budget=400, starts=domain.sample(9, 0, 1))
    steps = [e.vectors for e in run(make_method("dr-g?step=0.001"), problem, PEAK)]
    at = raw.from_vectors(problem.starts)[0]
    true = slopes(raw, at, lambda v: PEAK.score(domain.rotations(v)), 1e-3, has_one_angle=False, is_left_moved=False)
    expected = raw.to_vectors(raw.normalised((at + 0.001 * true)[None]))
    assert domain.distance(steps[1], expected)[0] < 0.02 * domain.distance(steps[0], expected)[0] + 1e-5


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / max(np.linalg.norm(a) * np.linalg.norm(b), 1e-30))
