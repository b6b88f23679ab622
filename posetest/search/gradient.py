"""Gradient ascent on SO(3) times a box: several starts as one batch, Adam in the tangent space."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np

from posetest.config import Strict
from posetest.search.archive import spread
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.domain import Domain
from posetest.search.steps import Count, Positive, finite, together

Decay = Annotated[float, msgspec.Meta(ge=0, lt=1)]


class GradientSearch(Strict, frozen=True):
    """Adam (Kingma and Ba, 2015) from several starts at once.

    Each start keeps its own two moments in tangent coordinates (Riemannian Adam: Becigneul and Ganea, 2019, without
    transport, since steps are turns about the object's own axes). Where a start has not risen for ``patience`` steps it
    goes back to its best pose with half the step; below ``smallest`` it is given up and another takes its place.

    A network's score over poses is rough: averages of the render gradient (``GradientConfig.jitter``) smooth the
    picture's part of it, copies of a robust objective the network's as well.
    """

    explored: Count = 100
    """Draws that starts are chosen from, the best first."""
    starts: Count = 4
    """Starts that climb at the same time."""
    step: Positive = 0.1
    """First step length of a number: radians, half-ranges."""
    smallest: Positive = 0.005
    """Step length below which a start is given up."""
    patience: Count = 3
    """Steps without a better pose after which the step is halved."""
    momentum: Decay = 0.7
    """Decay of the mean gradient."""
    scaling: Decay = 0.9
    """Decay of the mean square gradient."""
    apart: Positive = 0.3
    """Least distance between starts: radians, half-ranges."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        domain, prior = problem.domain, problem.prior()
        queue: list[Array] = []
        climbers = [_Climber(self, domain, row[None]) for row in problem.starts]
        is_given = bool(climbers)  # the user's own starts have the batch to themselves until one of them is given up
        while True:
            while len(climbers) < self.starts and not is_given:
                if not queue:  # the best of new draws: what is left of the old ones is worse
                    told = yield from together(prior.take(self.explored))
                    vectors = told.vectors[np.argsort(-told.scores, kind="stable")]
                    queue = [vectors[row][None] for row in spread(domain, vectors, self.apart, self.starts)]
                climbers.append(_Climber(self, domain, queue.pop(0)))
            told = yield Proposal(np.concatenate([c.at for c in climbers]), with_gradient=True)
            for k, climber in enumerate(climbers):
                climber.step(told[slice(k, k + 1)])
            climbing = [c for c in climbers if c.length >= self.smallest]
            is_given &= len(climbing) == len(climbers)
            climbers = climbing


class _Climber:
    """One start: where it is, its moments and how long it has not risen."""

    def __init__(self, options: GradientSearch, domain: Domain, at: Array) -> None:
        self.at, self.length = at, options.step
        self._options, self._domain = options, domain
        self._mean = self._square = np.zeros((1, domain.dim))
        self._steps = self._waited = 0
        self._best, self._best_at = -np.inf, at

    def step(self, told: Evaluation) -> None:
        o = self._options
        assert told.gradients is not None
        if told.scores[0] > self._best:
            self._best, self._best_at, self._waited = told.scores[0], self.at, 0
        else:
            self._waited += 1
        if self._waited >= o.patience:
            self.length, self._waited, self.at = self.length / 2, 0, self._best_at
            self._mean = np.zeros_like(self._mean)
        gradient = finite(told.gradients)
        self._steps += 1
        self._mean = o.momentum * self._mean + (1 - o.momentum) * gradient
        self._square = o.scaling * self._square + (1 - o.scaling) * gradient**2
        mean = self._mean / (1 - o.momentum**self._steps)
        square = self._square / (1 - o.scaling**self._steps)
        self.at = self._domain.moved(self.at, self.length * mean / (np.sqrt(square) + 1e-12))
