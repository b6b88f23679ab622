"""Evolution strategies with covariance matrix adaptation, by the package cma (Hansen and Ostermeier, 2001)."""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np

from posetest.config import Strict
from posetest.search.asktell import Array, Problem, Proposal, Steps
from posetest.search.raw import RawCoordinates
from posetest.search.steps import Count, NotNegative, Positive, Several, start


class CmaEs(Strict, frozen=True):
    """CMA-ES as in the report of the study's authors (Alcorn, Eleh and Li, 2019).

    In the study's coordinates (``RawCoordinates``: object units, cosines and sines), from the best of 300 poses.
    """

    sigma: Positive = 1.0
    """First step size, for all numbers alike."""
    population: Several = 18
    """Poses in a generation."""
    generations: Count = 100
    """Before it starts again elsewhere."""
    explored: NotNegative = 300
    """Poses of which the best is the start; 0: the given or a random pose."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        raw, prior, rng = RawCoordinates(problem.domain), problem.prior(), problem.generator()
        for round_number in count():
            first = raw.from_vectors((yield from start(problem, prior, self.explored, round_number)))[0]
            strategy = make_strategy(first, self.sigma, self.population, rng)
            for _ in range(self.generations):
                if strategy.stop():
                    break
                numbers = np.asarray(strategy.ask())
                told = yield Proposal(raw.to_vectors(numbers))
                strategy.tell(list(numbers), losses(told.scores))


class RestartingCma(Strict, frozen=True):
    """CMA-ES in the tangent space at each start, from the best of a few draws, again and again.

    Steps are turns of the object about its own axes, so that there is no pole and no seam; it starts again where the
    step size has become ``smallest`` or the best score has not risen for ``patience`` generations.
    """

    sigma: Positive = 0.3
    """First step size: radians, half-ranges."""
    population: Several = 14
    """Poses in a generation."""
    explored: Count = 100
    """Draws of which the best is the start."""
    smallest: Positive = 0.01
    """Step size at which it starts again."""
    patience: Count = 12
    """Generations without a better pose after which it starts again."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        prior, rng = problem.prior(), problem.generator()
        for round_number in count():
            base = yield from start(problem, prior, self.explored, round_number)
            yield from self.climb(problem, base, rng)

    def climb(self, problem: Problem, base: Array, rng: np.random.Generator) -> Steps:
        """One ascent from ``base`` [1, parameters]."""
        domain = problem.domain
        strategy = make_strategy(np.zeros(domain.dim), self.sigma, self.population, rng)
        best, waited = -np.inf, 0
        while waited < self.patience and strategy.sigma > self.smallest and not strategy.stop():
            tangents = np.asarray(strategy.ask())
            vectors = domain.moved(np.repeat(base, len(tangents), axis=0), tangents)
            told = yield Proposal(vectors)
            strategy.tell(list(tangents), losses(told.scores))
            waited = 0 if told.scores.max() > best else waited + 1
            best = max(best, told.scores.max())


def make_strategy(start_at: Array, sigma: float, population: int, rng: np.random.Generator) -> Any:
    """A strategy of the package cma whose every random number comes from ``rng``."""
    import cma

    options = {
        "popsize": population,
        "randn": lambda *shape: rng.standard_normal(shape),
        "seed": float("nan"),  # a number would seed numpy's global generator
        "verbose": -9,
    }
    return cma.CMAEvolutionStrategy(start_at, sigma, options)


def losses(scores: Array) -> list[float]:
    """``scores`` as cma wants them: lower is better; a pose without a score is worse than any."""
    return [float(x) for x in np.where(np.isfinite(scores), -scores, 1e12)]
