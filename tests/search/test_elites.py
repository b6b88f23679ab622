"""Quality-diversity searches keep an elite a cell and answer, and cover more of them than random draws do."""

from __future__ import annotations

import numpy as np
import pytest
from planted import euler, rotations_only

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.search.asktell import Evaluation, Problem, Search, joined
from posetest.search.domain import make_domain
from posetest.search.elites import pose_cells
from posetest.search.select import make_method
from posetest.space import scene_space


def answers(matrices: np.ndarray) -> np.ndarray:
    """One common answer, and many that are had only where the object's axis points within 25 degrees of a direction.

    That is one view in twenty; there the answer changes with the turn about the axis.
    """
    centre = euler(40, 30, 20)
    is_rare = matrices[:, :, 2] @ centre[:, 2] > np.cos(np.radians(25))
    turn = np.arctan2(matrices[:, :, 0] @ centre[:, 1], matrices[:, :, 0] @ centre[:, 0])
    return np.where(is_rare, 1 + ((turn + np.pi) / (2 * np.pi) * 40).astype(np.int64), 0)


def pairs_found(name: str, seed: int, budget: int = 2500) -> int:
    domain = rotations_only()
    search, told = Search(make_method(name), Problem(domain, seed=seed, budget=budget)), []
    while sum(map(len, told)) < budget:
        vectors = search.ask().vectors
        matrices = domain.rotations(vectors)
        labels = answers(matrices)
        scores = np.zeros(len(vectors))  # nothing to climb: only what is new counts
        told.append(Evaluation(vectors, scores, scores, labels))
        search.tell(told[-1])
    everything = joined(told)[slice(0, budget)]
    is_rare = everything.labels > 0
    cells = pose_cells(domain, everything.vectors)
    return len(set(zip(cells[is_rare].tolist(), everything.labels[is_rare].tolist(), strict=True)))


def test_quality_diversity_finds_more_cells_and_answers_than_random_draws() -> None:
    by_chance = pairs_found("random", 0)
    assert pairs_found("map-elites", 0) > 1.2 * by_chance
    assert pairs_found("cma-me", 0) > 1.2 * by_chance


def test_cells_of_the_searched_parameters_stand_in_where_no_rotation_moves() -> None:
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(rotation="fixed"))
    domain = make_domain(scene_space(config), ("distance", "offset_x"))
    vectors = domain.sample(0, 0, 20_000)
    counts = np.bincount(pose_cells(domain, vectors), minlength=24 * 24)
    assert len(counts) == 24 * 24
    assert counts.min() > 10
    assert counts.std() == pytest.approx(np.sqrt(counts.mean()), rel=0.15)  # as even as chance makes them
