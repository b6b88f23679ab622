"""The default search: several ways of searching share what they learn, and the budget goes where it pays.

Which arms it has was decided by ``benchmarks/search.py`` (docs/performance.md): the surrogate finds most per call, and
local evolution finds better poses than it late in a long search. Gradients are no arm: over three degrees their
cosine with what the score does is .4, and each costs three calls.
"""

from __future__ import annotations

import numpy as np

from posetest.config import Strict
from posetest.search.archive import Archive
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.evolution import RestartingCma
from posetest.search.nearest import NearestSearch
from posetest.search.steps import Count, NotNegative, Positive, together
from posetest.search.surrogate import SurrogateArm, SurrogateSearch

_APART = 0.3  # of the poses that local evolution starts at: radians, half-ranges
_BETTER = 1e-3  # a rise of the best score that counts, as a share of the scores' spread


class AutoSearch(Strict, frozen=True):
    """A portfolio of the surrogate and of local evolution, which share an archive.

    After the first draws the surrogate works alone for ``first`` poses. From then on a slice of the budget goes to the
    arm with the higher upper confidence bound of the share of its slices that found a better pose, old slices counting
    less (discounted UCB: Garivier and Moulines, ALT 2011). For the nearest failure it is the method nearest.
    """

    explored: Count = 32
    """Poses of a Sobol sequence at the beginning."""
    first: NotNegative = 400
    """Poses that are evaluated before evolution gets its turn."""
    slice: Count = 50
    """Poses, about, that an arm gets at a time."""
    memory: Positive = 0.8
    """What a slice counts for when another has passed."""
    curiosity: Positive = 0.3
    """Weight of the bound's width."""
    surrogate: SurrogateSearch = SurrogateSearch()
    """Options of the surrogate."""
    evolution: RestartingCma = RestartingCma(sigma=0.15, population=10, patience=8)
    """Options of local evolution."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        if problem.anchor is not None:
            yield from NearestSearch().run(problem)
            return
        archive = Archive(problem.domain, self.surrogate.radius)
        surrogate = SurrogateArm(self.surrogate, problem, archive)
        arms = (surrogate, _Climbs(self.evolution, problem, archive))
        archive.add((yield from together(np.concatenate([problem.starts, surrogate.prior.take(self.explored)]))))
        gains, slices = np.zeros(len(arms)), np.zeros(len(arms))
        while True:
            is_early = len(archive.scores) < self.first
            which = 0 if is_early else int(self._bounds(gains, slices).argmax())
            before, spent = archive.scores.max(initial=-np.inf), 0
            while spent < self.slice:
                told = yield Proposal(arms[which].propose())
                archive.add(told)
                arms[which].note(told)
                spent += len(told)
            if not is_early:
                is_better = archive.scores.max() > before + _BETTER * archive.scores.std()
                gains, slices = gains * self.memory, slices * self.memory
                gains[which] += is_better
                slices[which] += 1

    def _bounds(self, gains: Array, slices: Array) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            bounds = gains / slices + self.curiosity * np.sqrt(np.log1p(slices.sum()) / slices)
        return np.where(slices > 0, bounds, np.inf)


class _Climbs:
    """Ascents by CMA-ES, one after the other, each from the best pose that lies apart from all starts before."""

    def __init__(self, evolution: RestartingCma, problem: Problem, archive: Archive) -> None:
        self._evolution, self._problem, self._archive = evolution, problem, archive
        self._rng = problem.generator(2)
        self._steps: Steps | None = None
        self._proposal: Proposal | None = None
        self._begun: list[Array] = []

    def propose(self) -> Array:
        """The next generation; of a new ascent where the last one has ended."""
        while self._proposal is None:
            self._steps = self._evolution.climb(self._problem, self._start(), self._rng)
            self._proposal = next(self._steps, None)
        return self._proposal.vectors

    def note(self, told: Evaluation) -> None:
        """Hand its scores to the ascent."""
        assert self._steps is not None
        try:
            self._proposal = self._steps.send(told)
        except StopIteration:
            self._proposal = None

    def _start(self) -> Array:
        domain, archive = self._problem.domain, self._archive
        is_fresh = np.ones(len(archive.scores), dtype=bool)
        for start in self._begun:
            is_fresh &= domain.distance(start, archive.vectors) >= _APART
        if not is_fresh.any():
            is_fresh[:] = True
        best = int(np.where(is_fresh, archive.scores, -np.inf).argmax())
        self._begun.append(archive.vectors[best][None])
        return self._begun[-1]
