"""Poses that depend on no score: independent and Sobol draws from the scene's prior, and even grids."""

from __future__ import annotations

import numpy as np

from posetest.config import Strict
from posetest.geometry.grids import super_fibonacci
from posetest.geometry.so3 import quaternion_to_matrix
from posetest.search.asktell import Array, Problem, Proposal, Steps
from posetest.search.domain import Domain
from posetest.search.steps import TOGETHER, NotNegative, together
from posetest.space import INDEX, Sampling


class RandomSearch(Strict, frozen=True):
    """Poses of the scene's prior."""

    sampling: Sampling = "independent"
    """independent draws, or a scrambled Sobol sequence."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        prior = problem.prior(self.sampling)
        if len(problem.starts):
            yield Proposal(problem.starts)
        while True:
            yield Proposal(prior.take(TOGETHER))


class SobolSearch(Strict, frozen=True):
    """Poses of the scene's prior by a scrambled Sobol sequence (Owen 1998)."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        return RandomSearch(sampling="sobol").run(problem)


class GridSearch(Strict, frozen=True):
    """An even grid, visited in random order: each part of it is spread over the whole.

    Rotations on a super-Fibonacci spiral (Alexa, CVPR 2022); without a free rotation azimuth and elevation, or yaw and
    pitch, on a golden spiral of equal areas; all else by a Sobol sequence of the prior.
    """

    points: NotNegative = 0
    """Points of the grid; 0: as many as the budget allows."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        size = self.points or max(1, problem.budget // problem.calls_per_pose)
        vectors = grid(problem.domain, problem.seed, size)
        if len(problem.starts):
            yield Proposal(problem.starts)
        yield from together(problem.generator().permutation(vectors))


def grid(domain: Domain, seed: int, size: int) -> Array:
    """An even grid [size, parameters] over ``domain``; see ``GridSearch``."""
    vectors = domain.sample(seed, 0, size, "sobol")
    if domain.has_rotation:
        return domain.with_rotations(vectors, quaternion_to_matrix(super_fibonacci(size)))
    for around, up in (("azimuth", "elevation"), ("yaw", "pitch")):
        if around in domain.searched and up in domain.searched:
            steps = np.arange(size) + 0.5
            golden = (np.sqrt(5) - 1) / 2
            for name, share in ((around, np.mod(steps * golden, 1)), (up, steps / size)):
                vectors[:, INDEX[name]] = domain.space.free[name].from_unit(share)
            return domain.rounded(vectors)
    return vectors
