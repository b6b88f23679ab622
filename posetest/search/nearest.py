"""The nearest failure: the smallest change of a pose at which the objective is reached.

A Gaussian process of the margin in the ball around the anchor proposes, by Thompson sampling, the poses at which each
draw of it is first reached; every pose found shrinks the ball, and the way from the anchor to the nearest pose so far
is walked back in between.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from posetest.config import Strict
from posetest.errors import ConfigError
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.domain import Domain
from posetest.search.process import PoseProcess
from posetest.search.steps import Count, Positive, Several

_REFIT = 1.5  # hyperparameters are fitted again when there are so many times more poses
_BACK = (0.01, 0.04, 0.12)  # steps back along the way to the nearest pose, as shares of it
_AROUND = 12  # poses that candidates lie around
_SMALLEST, _LARGEST = 0.003, 0.3  # how far candidates lie from them, each number


class NearestSearch(Strict, frozen=True):
    """Smallest distance from the anchor at which the margin is positive; of rotations alone, the smallest angle."""

    batch: Count = 16
    """Poses in a proposal."""
    first: Positive = 0.25
    """Radius of the first ball: radians, half-ranges; it grows until a failure is found."""
    growth: Annotated[float, msgspec.Meta(gt=1)] = 1.5
    """Factor of the radius after a ball without a failure."""
    shell: Count = 64
    """Poses tried in a ball before it grows."""
    candidates: Several = 1000
    """Poses of which a proposal is chosen."""
    kept: Count = 400
    """Poses that the process is conditioned on."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``; ends at once where the anchor itself reaches the objective.

        Raises:
            ConfigError: no anchor is given.
        """
        if problem.anchor is None:
            raise ConfigError("method nearest starts from a pose: give one as the initial pose")
        domain, rng = problem.domain, problem.generator()
        ball = _Ball(domain, problem.anchor[None])
        ball.add((yield Proposal(ball.anchor)))
        radius = self.first
        while not ball.has_hit:
            reach = min(radius, domain.diameter)
            ball.add((yield Proposal(domain.moved(ball.anchor, _in_ball(self.shell, domain.dim, reach, rng)))))
            radius *= self.growth
        process, next_fit = PoseProcess(domain), 0.0
        while ball.radius > 0:
            if len(ball.margins) >= next_fit:
                process.fit(ball.points, ball.margins, rng)
                next_fit = len(ball.margins) * _REFIT
            rows = ball.worth_knowing(self.kept, rng)
            process.condition(ball.points[rows], ball.margins[rows])
            ball.add((yield Proposal(self._proposal(ball, process, rng))))

    def _proposal(self, ball: _Ball, process: PoseProcess, rng: np.random.Generator) -> Array:
        """Steps back from the nearest pose, and where draws of the process are first positive."""
        domain = ball.domain
        back = domain.moved(ball.anchor, ball.step * (1 - np.array(_BACK)[:, None]))
        half = self.candidates // 2
        anywhere = domain.moved(ball.anchor, _in_ball(half, domain.dim, ball.radius, rng))
        around = ball.vectors[rng.choice(ball.most_telling(_AROUND), half)]
        reach = np.exp(rng.uniform(np.log(_SMALLEST), np.log(_LARGEST), (half, 1)))
        around = domain.moved(around, rng.standard_normal((half, domain.dim)) * reach)
        candidates = np.concatenate([anywhere, around])
        distances = domain.distance(ball.anchor, candidates)
        is_inside = distances < ball.radius
        candidates, distances = candidates[is_inside], distances[is_inside]
        wanted = max(self.batch - len(_BACK), 1)
        if len(candidates) <= wanted:
            return np.concatenate([back, candidates])
        chosen: list[int] = []
        for values in process.sample(domain.embedding(candidates), wanted, rng):
            # the nearest pose that this draw reaches; where it reaches none, the one that comes closest to it
            order = np.lexsort((-values, np.where(values > 0, distances, np.inf)))
            chosen += [int(k) for k in order[: wanted + 1] if k not in chosen][:1]
        return np.concatenate([back, candidates[chosen]])


class _Ball:
    """What is known around an anchor: poses, their margins, and the nearest that reaches the objective."""

    def __init__(self, domain: Domain, anchor: Array) -> None:
        self.domain, self.anchor = domain, anchor
        self.vectors, self.margins = np.empty((0, anchor.shape[1])), np.empty(0)
        self.points, self.distances = np.empty((0, sum(domain.embedding_groups))), np.empty(0)

    def add(self, told: Evaluation) -> None:
        self.vectors = np.concatenate([self.vectors, told.vectors])
        margins = np.concatenate([self.margins, told.margins])
        is_known = np.isfinite(margins)
        self.margins = np.where(is_known, margins, margins[is_known].min() if is_known.any() else -1.0)
        self.points = np.concatenate([self.points, self.domain.embedding(told.vectors)])
        self.distances = np.concatenate([self.distances, self.domain.distance(self.anchor, told.vectors)])

    @property
    def has_hit(self) -> bool:
        return bool((self.margins > 0).any())

    @property
    def _nearest(self) -> int:
        return int(np.where(self.margins > 0, self.distances, np.inf).argmin())

    @property
    def radius(self) -> float:
        """Distance of the nearest pose that reaches the objective."""
        return float(self.distances[self._nearest])

    @property
    def step(self) -> Array:
        """The step [1, dim] from the anchor to it."""
        return self.domain.difference(self.anchor, self.vectors[self._nearest][None])

    def most_telling(self, count: int) -> NDArray[np.int64]:
        """Rows of the nearest poses that reach the objective and of the best margins within the ball."""
        hits = np.flatnonzero(self.margins > 0)
        inside = np.flatnonzero(self.distances <= self.radius)
        nearest = hits[np.argsort(self.distances[hits], kind="stable")]
        best = inside[np.argsort(-self.margins[inside], kind="stable")]
        return np.unique(np.concatenate([nearest[: count // 2], best[: count - count // 2]]))

    def worth_knowing(self, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """At most ``count`` rows: of highest margin in and near the ball, and others at random."""
        everything = np.arange(len(self.margins))
        if len(everything) <= count:
            return everything
        near = np.flatnonzero(self.distances <= 1.2 * self.radius)
        best = near[np.argsort(-self.margins[near], kind="stable")][: count * 2 // 3]
        others = np.setdiff1d(everything, best)
        return np.concatenate([best, rng.choice(others, count - len(best), replace=False)])


def _in_ball(count: int, dim: int, radius: float, rng: np.random.Generator) -> Array:
    """[count, dim]: steps uniform in a ball of flat space."""
    directions = rng.standard_normal((count, dim))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * radius * rng.uniform(size=(count, 1)) ** (1 / dim)
