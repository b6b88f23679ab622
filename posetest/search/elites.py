"""Quality-diversity search by the package ribs: the best pose of every pose cell and every answer that can be had.

MAP-Elites: Mouret and Clune, arXiv:1504.04909, with the line mutation of Vassiliades and Mouret, GECCO 2018. CMA-ME:
Fontaine et al., GECCO 2020. Cells are of equal measure on SO(3) (``geometry.grids.rotation_to_cell``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.config import Strict
from posetest.geometry.grids import cell_count, rotation_to_cell
from posetest.geometry.so3 import matrix_to_quaternion, quaternion_to_matrix
from posetest.search.asktell import Array, Evaluation, Problem, Proposal, Steps
from posetest.search.domain import Domain
from posetest.search.steps import Count, Positive, finite
from posetest.space import object_to_camera

#: Cells of SO(3): viewing directions about 29 degrees apart, turns of 30 degrees.
NSIDE, TURNS = 2, 12
_BINS = 24  # along each of the first two parameters, where no rotation is searched
_MOST_LABELS = 1000  # answers told apart, in the order in which they turn up
_ROTATIONAL = {"yaw", "pitch", "roll", "azimuth", "elevation"}


class MapElites(Strict, frozen=True):
    """MAP-Elites over pose cells times the first answer."""

    explored: Count = 200
    """Draws of the prior that the archive begins with."""
    batch: Count = 50
    """Poses in a generation."""
    spread: Positive = 0.05
    """Standard deviation of a child's own mutation: quaternion numbers, half-ranges."""
    line: Positive = 0.2
    """Standard deviation along the line to another elite."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        from ribs.emitters import IsoLineEmitter

        elites = _Elites(problem)
        yield from elites.begin(self.explored)
        emitter = IsoLineEmitter(
            elites.archive,
            iso_sigma=self.spread,
            line_sigma=self.line,
            x0=elites.solution_of(problem.domain.base[None])[0],  # for an empty archive, which this is not
            batch_size=self.batch,
            seed=problem.seed,
        )
        yield from elites.improve([emitter])


class CmaMe(Strict, frozen=True):
    """CMA-ME over pose cells times the first answer: evolution strategies that climb what the archive gains."""

    explored: Count = 200
    """Draws of the prior that the archive begins with; the emitters start at the best."""
    emitters: Count = 5
    """Evolution strategies at work."""
    batch: Count = 12
    """Poses of each in a generation."""
    sigma: Positive = 0.2
    """Their first step size: quaternion numbers, half-ranges."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        from ribs.emitters import EvolutionStrategyEmitter

        elites = _Elites(problem)
        told = yield from elites.begin(self.explored)
        starts = elites.solution_of(told.vectors[np.argsort(-told.scores, kind="stable")[: self.emitters]])
        emitters = [
            EvolutionStrategyEmitter(
                elites.archive, x0=x0, sigma0=self.sigma, batch_size=self.batch, seed=problem.seed + number
            )
            for number, x0 in enumerate(starts)
        ]
        yield from elites.improve(emitters)


class _Elites:
    """An archive of ribs over pose cells and answers, filled with poses.

    A solution is the quaternion of the object's rotation (any length) and the coordinates of the other parameters.
    """

    def __init__(self, problem: Problem) -> None:
        from ribs.archives import GridArchive

        self._problem, self._domain = problem, problem.domain
        self._slots: dict[int, int] = {}
        cells = _cell_count(problem.domain)
        self.archive = GridArchive(
            solution_dim=4 * problem.domain.has_rotation + len(problem.domain.axes),
            dims=[cells, _MOST_LABELS],
            ranges=[(0, cells), (0, _MOST_LABELS)],
            seed=problem.seed,
        )

    def begin(self, count: int) -> Any:
        """Fill the archive with the user's starts and ``count`` draws; returns what was told."""
        vectors = np.concatenate([self._problem.starts, self._problem.prior().take(count)])
        told = yield Proposal(vectors)
        self._add(self.solution_of(vectors), told)
        return told

    def improve(self, emitters: list[Any]) -> Steps:
        """Let ``emitters`` propose and learn, turn by turn together, for good."""
        while True:
            asked = [np.asarray(emitter.ask()) for emitter in emitters]
            told = yield Proposal(self._to_vectors(np.concatenate(asked)))
            first = 0
            for emitter, solutions in zip(emitters, asked, strict=True):
                part = told[slice(first, first + len(solutions))]
                first += len(solutions)
                scores, measures, info = self._add(solutions, part)
                emitter.tell(solutions, scores, measures, info)

    def solution_of(self, vectors: Array) -> Array:
        """Solutions [n, s] of pose vectors."""
        parts = [matrix_to_quaternion(self._domain.rotations(vectors))] if self._domain.has_rotation else []
        return np.concatenate([*parts, self._domain.coordinates(vectors)], axis=1)

    def _to_vectors(self, solutions: Array) -> Array:
        vectors = np.repeat(self._domain.base[None], len(solutions), axis=0)
        if self._domain.has_rotation:
            quaternions = np.where(
                np.abs(solutions[:, :4]).max(1, keepdims=True) > 1e-9, solutions[:, :4], [1.0, 0, 0, 0]
            )
            vectors = self._domain.with_rotations(vectors, quaternion_to_matrix(quaternions))
            solutions = solutions[:, 4:]
        return self._domain.with_coordinates(vectors, solutions)

    def _add(self, solutions: Array, told: Evaluation) -> tuple[Array, Array, Any]:
        labels = [self._slots.setdefault(int(label), len(self._slots)) for label in told.labels]
        slots = np.minimum(labels, _MOST_LABELS - 1)
        measures = np.stack([pose_cells(self._domain, told.vectors), slots], axis=1) + 0.5
        scores = np.where(np.isfinite(told.scores), told.scores, finite(told.scores).min() - 1)
        return scores, measures, self.archive.add(solutions, scores, measures)


def pose_cells(domain: Domain, vectors: Array) -> NDArray[np.int64]:
    """The cell [n] of each pose: of SO(3) where a rotation is searched, else of the first two parameters."""
    if _ROTATIONAL & set(domain.searched):
        return rotation_to_cell(object_to_camera(vectors), NSIDE, TURNS)
    cells = np.zeros(len(vectors), dtype=np.int64)
    for name in domain.searched[:2]:
        axis = next(axis for axis in domain.axes if axis.name == name)
        share = (vectors[:, axis.column] - axis.low) / (axis.high - axis.low)
        cells = cells * _BINS + np.clip((share * _BINS).astype(np.int64), 0, _BINS - 1)
    return cells


def _cell_count(domain: Domain) -> int:
    if _ROTATIONAL & set(domain.searched):
        return cell_count(NSIDE) * TURNS
    return int(_BINS ** min(len(domain.searched), 2))
