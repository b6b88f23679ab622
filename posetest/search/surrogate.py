"""Search by a surrogate: a Gaussian process of the score proposes poses by Thompson sampling, region by region.

Thompson (1933); in batches as in Kandasamy et al., AISTATS 2018. Candidates are draws of the scene's prior and poses at
all distances from the best ones, as in trust-region methods (TuRBO: Eriksson et al., NeurIPS 2019), so that one batch
looks into new regions and refines old ones, as the process believes it to pay.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from posetest.config import Strict
from posetest.search.archive import Archive
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.process import PoseProcess
from posetest.search.steps import Count, Positive, together

_REFIT = 1.5  # hyperparameters are fitted again when there are so many times more poses


class SurrogateSearch(Strict, frozen=True):
    """Thompson sampling with a two-scale Gaussian process (``PoseProcess``)."""

    explored: Count = 32
    """Poses of a Sobol sequence at the beginning."""
    batch: Count = 8
    """Poses in a proposal."""
    candidates: Count = 800
    """Poses of which the proposal is chosen."""
    share_new: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.25
    """Share of the candidates that are new draws; the others lie around the best poses."""
    best: Count = 12
    """Best poses that candidates lie around."""
    smallest: Positive = 0.02
    """Least distance of candidates from them, each number: radians, half-ranges."""
    largest: Positive = 0.6
    """Largest distance."""
    kept: Count = 400
    """Poses that the process is conditioned on: two thirds the best in play, the rest at random."""
    patience: Count = 40
    """Poses without a better one after which a region is left."""
    radius: Positive = 0.5
    """Size of a region: radians, half-ranges."""

    def __post_init__(self) -> None:
        if not self.smallest < self.largest:
            raise ValueError("smallest must be less than largest")

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        archive = Archive(problem.domain, self.radius)
        arm = SurrogateArm(self, problem, archive)
        archive.add((yield from together(np.concatenate([problem.starts, arm.prior.take(self.explored)]))))
        while True:
            told = yield Proposal(arm.propose())
            archive.add(told)
            arm.note(told)


class SurrogateArm:
    """The surrogate at work on an archive that others may fill as well."""

    def __init__(self, options: SurrogateSearch, problem: Problem, archive: Archive) -> None:
        self._options, self._domain, self._archive = options, problem.domain, archive
        self._rng = problem.generator(1)
        self.prior = problem.prior("sobol")
        self._process = PoseProcess(problem.domain)
        self._next_fit = 0.0
        self._best, self._waited = -np.inf, 0

    def propose(self) -> Array:
        """Poses [batch, parameters] worth trying."""
        o, archive = self._options, self._archive
        if len(archive.scores) >= self._next_fit:
            self._process.fit(archive.points, archive.scores, self._rng)
            self._next_fit = len(archive.scores) * _REFIT
        rows = self._conditioned()
        self._process.condition(archive.points[rows], archive.scores[rows])
        candidates, points = self._candidates()
        drawn = self._process.sample(points, o.batch, self._rng)
        chosen: list[int] = []
        for values in drawn:  # the best of each draw that no other draw has taken
            order = np.argsort(-values, kind="stable")
            chosen += [int(k) for k in order[: o.batch + 1] if k not in chosen][:1]
        return candidates[chosen]

    def note(self, told: Evaluation) -> None:
        """Leave the region when what was ``told`` has shown nothing better for long enough."""
        best = told.scores.max(initial=-np.inf)
        if best > self._best:
            self._best, self._waited = best, 0
        else:
            self._waited += len(told)
        if self._waited >= self._options.patience:
            self.leave()

    def leave(self) -> None:
        """Retire the region of the best pose in play."""
        ranked = self._archive.ranked()
        if len(ranked):
            self._archive.retire(int(ranked[0]))
        self._best, self._waited = -np.inf, 0

    def _conditioned(self) -> NDArray[np.int64]:
        """Rows of the archive that the process learns from."""
        archive, most = self._archive, self._options.kept
        everything = np.arange(len(archive.scores))
        if len(everything) <= most:
            return everything
        best = archive.ranked()[: most * 2 // 3]
        others = np.setdiff1d(everything, best)
        return np.concatenate([best, self._rng.choice(others, most - len(best), replace=False)])

    def _candidates(self) -> tuple[Array, Array]:
        """Poses that may be proposed, and their embedding."""
        o, archive = self._options, self._archive
        count = o.candidates - int(o.candidates * o.share_new)
        around = archive.ranked()[: o.best]
        parts = [self.prior.take(o.candidates - count)]
        if len(around):
            base = archive.vectors[self._rng.choice(around, count)]
            reach = np.exp(self._rng.uniform(np.log(o.smallest), np.log(o.largest), count))
            parts.append(
                self._domain.moved(base, self._rng.standard_normal((count, self._domain.dim)) * reach[:, None])
            )
        candidates = np.concatenate(parts)
        points = self._domain.embedding(candidates)
        is_open = archive.are_open(points)
        return (candidates[is_open], points[is_open]) if is_open.sum() > o.batch else (candidates, points)
