"""All that a search has been told, and which part of it is still in play."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posetest.search.asktell import Array, Evaluation
from posetest.search.domain import Domain


class Archive:
    """Evaluated poses with finite scores.

    A pose goes out of play when it lies within ``radius`` of one that was retired: that region has been searched.

    Attributes:
        vectors: [n, parameters].
        scores: [n]; a pose that could not be evaluated counts as the worst that could.
        points: [n, e], ``Domain.embedding`` of the vectors.
        is_open: [n], still in play.
    """

    def __init__(self, domain: Domain, radius: float) -> None:
        self._domain, self._radius = domain, radius
        self._retired = np.empty((0, sum(domain.embedding_groups)))
        self.vectors = np.empty((0, len(domain.base)))
        self.scores = np.empty(0)
        self.points = np.empty((0, sum(domain.embedding_groups)))
        self.is_open = np.empty(0, dtype=bool)

    def add(self, told: Evaluation) -> None:
        """Take in what was told."""
        self.vectors = np.concatenate([self.vectors, told.vectors])
        scores = np.concatenate([self.scores, told.scores])
        is_known = np.isfinite(scores)
        self.scores = np.where(is_known, scores, scores[is_known].min() if is_known.any() else 0.0)
        points = self._domain.embedding(told.vectors)
        self.points = np.concatenate([self.points, points])
        self.is_open = np.concatenate([self.is_open, self.are_open(points)])

    def are_open(self, points: Array) -> NDArray[np.bool_]:
        """Which of embedded ``points`` [m, e] lie in no region that has been searched."""
        return np.asarray(self._far(points, self._retired).all(axis=1), dtype=np.bool_)

    def retire(self, row: int) -> None:
        """Take the region around the pose of this row out of play."""
        centre = self.points[row][None]
        self._retired = np.concatenate([self._retired, centre])
        self.is_open &= self._far(self.points, centre)[:, 0]

    def _far(self, points: Array, centres: Array) -> NDArray[np.bool_]:
        return self._domain.embedded_distances(points, centres) >= self._radius

    def ranked(self) -> NDArray[np.int64]:
        """Rows in play, the best first."""
        rows = np.flatnonzero(self.is_open)
        order: NDArray[np.int64] = rows[np.argsort(-self.scores[rows], kind="stable")]
        return order


def spread(domain: Domain, vectors: Array, apart: float, most: int | None = None) -> list[int]:
    """Rows of ``vectors``, from the first on, that lie at least ``apart`` from all chosen before; at most ``most``."""
    chosen: list[int] = []
    is_free = np.ones(len(vectors), dtype=bool)
    while is_free.any() and (most is None or len(chosen) < most):
        chosen.append(int(is_free.argmax()))
        is_free &= domain.distance(vectors[chosen[-1]][None], vectors) >= apart
        is_free[chosen[-1]] = False
    return chosen
