"""The nearest failure: planted boundaries around a pose, whose distance is known."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from planted import rotations_only

from posetest.errors import ConfigError
from posetest.search.asktell import Evaluation, Problem, Search
from posetest.search.domain import Domain
from posetest.search.select import make_method

Margin = Callable[[np.ndarray], np.ndarray]


def found_deg(domain: Domain, anchor: np.ndarray, margin: Margin, budget: int, seed: int = 0) -> float:
    """Angle of the nearest pose with a positive margin that the search looked at, degrees."""
    problem = Problem(domain, seed=seed, budget=budget, anchor=anchor)
    search, spent, nearest = Search(make_method("nearest"), problem), 0, np.inf
    while (proposal := search.ask()) is not None and spent < budget:
        steps = domain.difference(anchor[None], proposal.vectors)
        margins = margin(steps)
        told = Evaluation(proposal.vectors, margins, margins, np.zeros(len(margins), dtype=np.int64))
        search.tell(told)
        spent += len(margins)
        if (margins > 0).any():
            nearest = min(nearest, float(np.linalg.norm(steps[margins > 0], axis=1).min()))
    return float(np.degrees(nearest))


def plane(distance_deg: float) -> Margin:
    """Failures beyond a plane in the space of turns."""
    normal = np.array([0.6, -0.64, 0.48])
    return lambda steps: 3 * (steps[:, :3] @ normal - np.radians(distance_deg))


def pocket(distance_deg: float, width_deg: float, elsewhere_deg: float) -> Margin:
    """A small pocket of failures, and a wall of them farther off on the other side."""
    centre = np.radians(distance_deg + width_deg) * np.array([0.48, 0.6, 0.64])

    def margin(steps: np.ndarray) -> np.ndarray:
        into = np.radians(width_deg) - np.linalg.norm(steps[:, :3] - centre, axis=1)
        return np.maximum(8 * into, plane(elsewhere_deg)(steps))

    return margin


@pytest.mark.parametrize("distance_deg", [2.0, 12.0, 50.0])
def test_it_finds_the_distance_of_a_plane(distance_deg: float) -> None:
    domain = rotations_only(distance=5.0)
    anchor = domain.sample(3, 0, 1)[0]
    assert found_deg(domain, anchor, plane(distance_deg), 400) == pytest.approx(distance_deg, abs=0.3)


def test_it_prefers_a_near_pocket_to_a_far_wall() -> None:
    domain = rotations_only(distance=5.0)
    anchor = domain.sample(3, 0, 1)[0]
    assert found_deg(domain, anchor, pocket(10.0, 4.0, 25.0), 700) == pytest.approx(10.0, abs=0.5)


def test_distance_counts_beside_turns_where_it_is_searched_too() -> None:
    """Failures need a change of distance alone: 0.4 half-ranges, and no turn shortens it."""
    domain = rotations_only()
    anchor = domain.sample(3, 0, 1)[0]
    anchor[3] = 5.0
    found = found_deg(domain, anchor, lambda steps: steps[:, 3] - 0.4, 500)
    assert np.radians(found) == pytest.approx(0.4, abs=0.02)


def test_where_nothing_fails_it_looks_at_ever_larger_balls() -> None:
    domain = rotations_only(distance=5.0)
    anchor = domain.base
    search = Search(make_method("nearest"), Problem(domain, anchor=anchor))
    reaches = []
    for _ in range(9):
        vectors = search.ask().vectors
        reaches.append(float(domain.distance(anchor[None], vectors).max()))
        no = np.full(len(vectors), -1.0)
        search.tell(Evaluation(vectors, no, no, np.zeros(len(no), dtype=np.int64)))
    assert reaches[0] == 0
    assert all(a < b for a, b in pairwise(reaches[:7]))
    assert reaches[-1] > np.radians(150)


def test_an_anchor_that_fails_already_ends_the_search() -> None:
    domain = rotations_only()
    search = Search(make_method("nearest"), Problem(domain, anchor=domain.base))
    vectors, yes = search.ask().vectors, np.ones(1)
    search.tell(Evaluation(vectors, yes, yes, np.zeros(1, dtype=np.int64)))
    assert search.ask() is None
    with pytest.raises(ConfigError, match="the search has ended"):
        search.tell(Evaluation(vectors, yes, yes, np.zeros(1, dtype=np.int64)))


def test_it_needs_a_pose_to_measure_from() -> None:
    with pytest.raises(ConfigError, match="nearest starts from a pose"):
        Search(make_method("nearest"), Problem(rotations_only()))


def test_the_default_method_takes_it_where_there_is_an_anchor() -> None:
    domain = rotations_only()
    problem = Problem(domain, anchor=domain.base)
    first, second = (Search(make_method(name), problem) for name in ("auto", "nearest"))
    for _ in range(3):
        a, b = first.ask().vectors, second.ask().vectors
        assert np.array_equal(a, b)
        for search, vectors in ((first, a), (second, b)):
            margins = domain.distance(domain.base[None], vectors) - 0.1
            search.tell(Evaluation(vectors, margins, margins, np.zeros(len(margins), dtype=np.int64)))


def test_it_goes_on_bit_for_bit_from_its_state() -> None:
    domain = rotations_only()
    problem, method = Problem(domain, seed=3, anchor=domain.base), make_method("nearest")

    def told(vectors: np.ndarray) -> Evaluation:
        margins = plane(20)(domain.difference(domain.base[None], vectors))
        return Evaluation(vectors, margins, margins, np.zeros(len(margins), dtype=np.int64))

    search = Search(method, problem)
    for _ in range(8):
        search.tell(told(search.ask().vectors))
    restored = Search.restore(method, problem, search.state())
    for _ in range(3):
        assert np.array_equal(search.ask().vectors, restored.ask().vectors)
        for each in (search, restored):
            each.tell(told(each.ask().vectors))
