"""The searches of Alcorn et al., "Strike (with) a Pose", CVPR 2019, as published.

Not as released: the released script sets yaw, pitch and roll to one angle while it takes differences, leaves the
numbers it has moved where they are, constrains no depth in its depth-constrained search, and turns the light in its
random search. ``tests/search/released.py`` has these defects, and tests show what each does.

Each repeats from a new start until the budget is spent, so that methods can be compared at equal calls.
"""

from __future__ import annotations

from itertools import count

import numpy as np

from posetest.config import Strict
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.raw import RawCoordinates
from posetest.search.steps import DISTANCE, Count, NotNegative, Positive, explore, finite, start, together

_NUMERIC_STEP = 0.005  # of differences of the coordinates themselves: far above the rounding of poses


class DepthConstrainedSearch(Strict, frozen=True):
    """ZRS (section 3.4): random poses at even depths, then random poses between the two best depths.

    A depth is as good as its best pose.
    """

    depths: Count = 30
    """Depths, evenly spaced over the interval of distance."""
    poses: Count = 10
    """Random poses at each depth."""
    draws: Count = 100
    """Random poses between the two best depths."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``.

        Raises:
            ConfigError: the distance is not searched.
        """
        rng, prior = problem.generator(), problem.prior()
        if len(problem.starts):
            yield Proposal(problem.starts)
        while True:
            explored = yield from explore(problem, prior, self.depths, self.poses)
            low, high = sorted(_best_depths(explored))
            vectors = prior.take(self.draws)
            vectors[:, DISTANCE] = rng.uniform(low, high, self.draws)
            yield from together(problem.domain.rounded(vectors))


class FiniteDifferences(Strict, frozen=True):
    """FD-G (section 3.4): gradient ascent by central differences of the score, from the best of ZRS's first 300 poses.

    Plain ascent in the study's coordinates (``RawCoordinates``): 18 classifier calls a step for a free rotation and
    position, 2,100 for start and 100 steps.
    """

    h: Positive = 0.001
    """Difference between the two values of a number that are compared."""
    step: Positive = 0.001
    """Learning rate."""
    iterations: Count = 100
    """Steps from one start."""
    explored: NotNegative = 300
    """Poses of which the best is the start, at 10 a depth; 0: the given or a random pose."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        raw, prior = RawCoordinates(problem.domain), problem.prior()
        sides = np.eye(len(raw.columns)) * self.h / 2
        for round_number in count():
            at = raw.from_vectors((yield from start(problem, prior, self.explored, round_number)))
            for _ in range(self.iterations):
                told = yield Proposal(raw.to_vectors(np.concatenate([at + sides, at - sides])))
                ahead, behind = np.split(told.scores, 2)
                is_known = np.isfinite(ahead) & np.isfinite(behind)
                slope = np.subtract(ahead, behind, out=np.zeros(len(ahead)), where=is_known) / self.h
                at = raw.normalised(at + self.step * slope[None])


class RendererGradient(Strict, frozen=True):
    """DR-G (section 3.4): gradient ascent through a differentiable renderer, otherwise as FD-G; 3 calls a step."""

    step: Positive = 0.001
    """Learning rate."""
    iterations: Count = 100
    """Steps from one start."""
    explored: NotNegative = 300
    """Poses of which the best is the start, at 10 a depth; 0: the given or a random pose."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        raw, prior = RawCoordinates(problem.domain), problem.prior()
        for round_number in count():
            at = raw.from_vectors((yield from start(problem, prior, self.explored, round_number)))
            for _ in range(self.iterations):
                vectors = raw.to_vectors(at)
                told = yield Proposal(vectors, with_gradient=True)
                assert told.gradients is not None
                at = raw.normalised(at + self.step * finite(told.gradients) @ _tangents(problem, raw, at).T)


def _tangents(problem: Problem, raw: RawCoordinates, at: Array) -> Array:
    """[m, dim]: the tangent step that each of the study's m numbers makes, a unit of it, at ``at`` [1, m]."""
    moves = np.eye(len(raw.columns)) * _NUMERIC_STEP
    steps = problem.domain.difference(raw.to_vectors(at - moves), raw.to_vectors(at + moves))
    return steps / (2 * _NUMERIC_STEP)


def _best_depths(told: Evaluation) -> tuple[float, float]:
    """The two depths whose best poses are best."""
    distances = told.vectors[:, DISTANCE]
    best = {distance: told.scores[distances == distance].max() for distance in np.unique(distances)}
    ranked = sorted(best, key=lambda distance: -best[distance])
    return ranked[0], ranked[min(1, len(ranked) - 1)]
