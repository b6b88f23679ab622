"""What every search is: a generator that yields poses and is sent their scores, behind ``ask`` and ``tell``.

A method is a frozen struct of its options whose ``run`` reads like the algorithm on paper:

    def run(self, problem):
        told = yield Proposal(problem.domain.sample(problem.seed, 0, 300))
        best = told.vectors[told.scores.argmax()]
        ...

The evaluation stays with the caller: a search never renders and never calls a model. A search depends on its problem
and on what it was told, on nothing else; its state is therefore the list of what it was told, and a search is restored
by telling it the same again.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from posetest.errors import ConfigError
from posetest.search.domain import Domain
from posetest.space import INDEX, PARAMETERS, Sampling

Array = NDArray[np.float64]

#: Classifier calls that an evaluation with a gradient counts for: a forward and a backward pass, which costs two.
GRADIENT_CALLS = 3


@dataclass(frozen=True, eq=False)
class Proposal:
    """Poses to be evaluated together.

    Attributes:
        vectors: float64 [n, parameters], border units.
        with_gradient: whether the gradient of the score is wanted as well.
    """

    vectors: Array
    with_gradient: bool = False

    @property
    def calls_each(self) -> int:
        """Classifier calls of one pose, a backward pass counted as two."""
        return GRADIENT_CALLS if self.with_gradient else 1


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What n poses were found to be worth.

    Attributes:
        vectors: float64 [n, parameters], as evaluated.
        scores: float64 [n], higher is better; -inf where a pose could not be evaluated.
        margins: float64 [n], positive exactly where the objective is reached; NaN where there is nothing to reach.
        labels: int64 [n], the first answer, -1 where there is none.
        gradients: float64 [n, dim] of the scores in the domain's tangent coordinates, or None where not asked for.
    """

    vectors: Array
    scores: Array
    margins: Array
    labels: NDArray[np.int64]
    gradients: Array | None = None

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, rows: slice | NDArray[np.int64] | NDArray[np.bool_]) -> Evaluation:
        gradients = None if self.gradients is None else self.gradients[rows]
        return Evaluation(self.vectors[rows], self.scores[rows], self.margins[rows], self.labels[rows], gradients)

    @property
    def best(self) -> Array:
        """The vector [parameters] of the highest score."""
        vector: Array = self.vectors[int(self.scores.argmax())]
        return vector


def joined(pieces: Sequence[Evaluation]) -> Evaluation:
    """Several evaluations one after the other; gradients are left out."""
    return Evaluation(
        np.concatenate([e.vectors for e in pieces]),
        np.concatenate([e.scores for e in pieces]),
        np.concatenate([e.margins for e in pieces]),
        np.concatenate([e.labels for e in pieces]),
    )


#: A method at work: yields what it wants to know and is sent the answer; ends when it has nothing more to ask.
Steps = Generator[Proposal, Evaluation, None]


@dataclass(frozen=True, eq=False)
class Problem:
    """What a method is given.

    Attributes:
        domain: where it moves.
        seed: of all its draws.
        budget: classifier calls that it may count on; the caller stops it there.
        starts: float64 [m, parameters], poses to begin at, as the user gave them; may be empty.
        has_gradient: whether gradients can be asked for.
        calls_per_pose: classifier calls of one evaluation without a gradient (copies of a robust objective).
        anchor: float64 [parameters], the pose whose nearest failure is wanted, or None.
    """

    domain: Domain
    seed: int = 0
    budget: int = 2000
    starts: Array = field(default_factory=lambda: np.empty((0, len(PARAMETERS))))
    has_gradient: bool = True
    calls_per_pose: int = 1
    anchor: Array | None = None

    def generator(self, stream: int = 0) -> np.random.Generator:
        """Random numbers of this search; other ``stream``s are independent of each other."""
        return np.random.default_rng([self.seed, stream])

    def prior(self, sampling: Sampling = "independent") -> Prior:
        """The poses of the scene's own measure, under the problem's seed."""
        return Prior(self.domain, self.seed, sampling)


class Prior:
    """Poses of a domain's prior one after the other, each once."""

    def __init__(self, domain: Domain, seed: int, sampling: Sampling = "independent") -> None:
        self._domain, self._seed, self._sampling = domain, seed, sampling
        self._taken = 0

    def take(self, count: int) -> Array:
        """The next ``count`` poses [count, parameters]."""
        first, self._taken = self._taken, self._taken + count
        return self._domain.sample(self._seed, first, self._taken, self._sampling)


class Method(Protocol):
    """An algorithm with its options."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        ...


class Search:
    """A method at work on a problem, by ``ask`` and ``tell``.

    >>> while (proposal := search.ask()) is not None:
    ...     search.tell(evaluate(proposal))
    """

    def __init__(self, method: Method, problem: Problem) -> None:
        self._steps = method.run(problem)
        self._told: list[Evaluation] = []
        self._proposal: Proposal | None = next(self._steps, None)

    def ask(self) -> Proposal | None:
        """What is to be evaluated next: the same until it is told; None when the method has ended."""
        return self._proposal

    def tell(self, evaluation: Evaluation) -> None:
        """The answer to the last ``ask``.

        Raises:
            ConfigError: not as many scores as poses were asked for, or no gradients where they were.
        """
        asked = self._proposal
        if asked is None:
            raise ConfigError("the search has ended: there is nothing to tell it")
        if len(evaluation) != len(asked.vectors):
            raise ConfigError(f"{len(asked.vectors)} poses were asked for, {len(evaluation)} scores were told")
        if asked.with_gradient and evaluation.gradients is None:
            raise ConfigError("gradients were asked for: tell them with the scores")
        self._told.append(evaluation)
        try:
            self._proposal = self._steps.send(evaluation)
        except StopIteration:
            self._proposal = None

    def state(self) -> tuple[Evaluation, ...]:
        """All that this search was told: hand it to ``restore``."""
        return tuple(self._told)

    @classmethod
    def restore(cls, method: Method, problem: Problem, state: Iterable[Evaluation]) -> Search:
        """The search as it was when it had been told ``state``.

        Raises:
            ConfigError: ``state`` is of another search: its poses are not those that this one asks for.
        """
        search = cls(method, problem)
        columns = [
            INDEX[name] for name in problem.domain.searched
        ]  # others may be drawn at random by whoever evaluates
        for number, evaluation in enumerate(state):
            asked, count = search.ask(), len(evaluation)
            if asked is None or not np.array_equal(asked.vectors[:count, columns], evaluation.vectors[:, columns]):
                raise ConfigError(f"step {number} of the saved search is not what this one asks for")
            if count < len(asked.vectors):
                break  # the last one, cut short by its budget
            search.tell(evaluation)
        return search
