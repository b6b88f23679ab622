"""What several searches are built of: drawing a first look at the space, choosing where to start."""

from __future__ import annotations

from collections.abc import Generator
from typing import Annotated

import msgspec
import numpy as np

from posetest.errors import ConfigError
from posetest.search.asktell import Array, Evaluation, Prior, Problem, Proposal, joined
from posetest.space import INDEX

Positive = Annotated[float, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=1)]
NotNegative = Annotated[int, msgspec.Meta(ge=0)]
Several = Annotated[int, msgspec.Meta(ge=2)]

#: Poses in one proposal where nothing depends on their order: enough to keep model and renderer busy.
TOGETHER = 64
DISTANCE = INDEX["distance"]


def explore(problem: Problem, prior: Prior, depths: int, poses: int) -> Generator[Proposal, Evaluation, Evaluation]:
    """The first part of ZRS: random poses at even depths.

    Raises:
        ConfigError: the distance is not searched.
    """
    if "distance" not in problem.domain.searched:
        raise ConfigError("method zrs searches along the distance: let it vary in [space], or take another method")
    interval = problem.domain.space.free["distance"]
    vectors = prior.take(depths * poses)
    vectors[:, DISTANCE] = np.repeat(np.linspace(interval.low, interval.high, depths), poses)
    told: Evaluation = yield from together(problem.domain.rounded(vectors))
    return told


def start(problem: Problem, prior: Prior, explored: int, number: int) -> Generator[Proposal, Evaluation, Array]:
    """Where a local search begins, [1, parameters]: the user's start for the first rounds, else the best of a few."""
    if number < len(problem.starts):
        return problem.starts[number : number + 1]
    if not explored:
        return prior.take(1)
    if "distance" in problem.domain.searched:
        told = yield from explore(problem, prior, max(explored // 10, 1), min(explored, 10))
    else:
        told = yield from together(prior.take(explored))
    return told.best[None]


def together(vectors: Array) -> Generator[Proposal, Evaluation, Evaluation]:
    """All of ``vectors`` evaluated, in proposals of a fair size."""
    pieces = []
    for first in range(0, len(vectors), TOGETHER):
        pieces.append((yield Proposal(vectors[first : first + TOGETHER])))
    return joined(pieces)


def finite(values: Array) -> Array:
    """``values`` with 0 where a pose could not be evaluated."""
    return np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
