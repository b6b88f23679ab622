"""Where a search moves: all rotations of the object, if they are all free, times a box of the other parameters.

Poses are vectors in border units everywhere; a search that wants to step, measure or interpolate does it here, in
tangent coordinates: radians about the object's own axes for the rotation, radians for a parameter that runs once around
a circle, and half-ranges for any other (its interval is 2 long), on the logarithm where the prior is logarithmic.
Nothing here sees an Euler angle's pole or the seam at 180 degrees.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posetest.errors import ConfigError, suggest
from posetest.geometry.so3 import euler_to_matrix, matrix_to_euler, matrix_to_tangent, tangent_to_matrix
from posetest.space import INDEX, PARAMETERS, Interval, Sampling, Space, check_value

Array = NDArray[np.float64]

_EULER = ("yaw", "pitch", "roll")
_EULER_COLUMNS = [INDEX[name] for name in _EULER]


@dataclass(frozen=True)
class Axis:
    """A searched parameter that is no part of a free rotation.

    Attributes:
        name: of the parameter.
        column: its place in a pose vector.
        low, high: its interval, border units.
        is_circle: the interval is a whole turn; coordinates are radians and wrap.
        is_log: coordinates are of the logarithm.
    """

    name: str
    column: int
    low: float
    high: float
    is_circle: bool
    is_log: bool

    def to_coordinate(self, values: Array) -> Array:
        """Radians, or half-ranges from the middle of the interval (-1 to 1), of border values."""
        if self.is_circle:
            return np.radians(values)
        low, high = self._ends
        return ((np.log(values) if self.is_log else values) - low) * 2 / (high - low) - 1

    def from_coordinate(self, coordinates: Array) -> Array:
        """Border values, wrapped around a circle or held within the interval."""
        if self.is_circle:
            return np.mod(np.degrees(coordinates) - self.low, 360) + self.low
        low, high = self._ends
        at = low + (np.clip(coordinates, -1, 1) + 1) / 2 * (high - low)
        return np.clip(np.exp(at) if self.is_log else at, self.low, self.high)

    @property
    def _ends(self) -> tuple[float, float]:
        return (math.log(self.low), math.log(self.high)) if self.is_log else (self.low, self.high)


@dataclass(frozen=True, eq=False)
class Domain:
    """The part of a space that a search moves in.

    Attributes:
        space: the scene's space: intervals and priors.
        searched: names of the parameters that move, in registry order.
        base: pose vector [parameters] with the values of all others.
    """

    space: Space
    searched: tuple[str, ...]
    base: Array

    @cached_property
    def has_rotation(self) -> bool:
        """Whether yaw, pitch and roll are searched and their intervals hold every rotation."""
        if not set(_EULER) <= set(self.searched):
            return False
        yaw, pitch, roll = (self.space.free[name] for name in _EULER)
        return _is_turn(yaw) and _is_turn(roll) and pitch.low <= -90 and pitch.high >= 90

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """The searched parameters beside a free rotation, in registry order."""
        found = []
        for name in self.searched:
            if not (self.has_rotation and name in _EULER):
                interval, column = self.space.free[name], INDEX[name]
                is_circle = PARAMETERS[column].period is not None and _is_turn(interval)
                is_log = interval.prior == "log"
                found.append(Axis(name, column, interval.low, interval.high, is_circle, is_log))
        return tuple(found)

    @property
    def dim(self) -> int:
        """Number of tangent coordinates."""
        return 3 * self.has_rotation + len(self.axes)

    @property
    def diameter(self) -> float:
        """An upper bound of ``distance`` between any two poses."""
        spans = [np.pi] * self.has_rotation + [np.pi if axis.is_circle else 2.0 for axis in self.axes]
        return float(np.linalg.norm(spans))

    def sample(self, seed: int, start: int, stop: int, sampling: Sampling = "independent") -> Array:
        """Poses start to stop - 1 of the space's prior, with what is not searched at ``base``."""
        vectors = np.repeat(self.base[None], stop - start, axis=0)
        columns = [INDEX[name] for name in self.searched]
        vectors[:, columns] = self.space.sample(seed, start, stop, sampling)[:, columns]
        return vectors

    def rotations(self, vectors: Array) -> Array:
        """Object rotations [n, 3, 3] of pose vectors."""
        return euler_to_matrix(*np.radians(vectors[:, _EULER_COLUMNS].T))

    def with_rotations(self, vectors: Array, matrices: Array) -> Array:
        """``vectors`` with the object rotations ``matrices`` [n, 3, 3], rounded."""
        turned = vectors.copy()
        turned[:, _EULER_COLUMNS] = np.degrees(matrix_to_euler(matrices))
        return self.rounded(turned)

    def coordinates(self, vectors: Array) -> Array:
        """Coordinates [n, axes] of the searched parameters beside a free rotation."""
        columns = [axis.to_coordinate(vectors[:, axis.column]) for axis in self.axes]
        return np.stack(columns, axis=1) if columns else np.empty((len(vectors), 0))

    def with_coordinates(self, vectors: Array, coordinates: Array) -> Array:
        """``vectors`` with these ``coordinates`` [n, axes], wrapped or held within their intervals, rounded."""
        changed = vectors.copy()
        for k, axis in enumerate(self.axes):
            changed[:, axis.column] = axis.from_coordinate(coordinates[:, k])
        return self.rounded(changed)

    def moved(self, vectors: Array, tangents: ArrayLike) -> Array:
        """The poses [n, parameters] that steps ``tangents`` lead to from ``vectors``; rounded, and never out of bounds.

        One pose may take n steps, and n poses one step [dim].
        """
        steps = np.atleast_2d(np.asarray(tangents, dtype=np.float64))
        count = max(len(vectors), len(steps)) if len(vectors) else 0
        steps = np.repeat(steps, count, axis=0) if len(steps) == 1 else steps
        changed = np.repeat(vectors, count, axis=0) if len(vectors) == 1 else vectors
        if self.has_rotation:
            changed = self.with_rotations(changed, self.rotations(changed) @ tangent_to_matrix(steps[:, :3]))
        if self.axes:
            rest = steps[:, 3 * self.has_rotation :]
            changed = self.with_coordinates(changed, self.coordinates(changed) + rest)
        return changed

    def difference(self, start: Array, end: Array) -> Array:
        """The steps [n, dim] that lead from ``start`` to ``end``, the shortest where there are several."""
        parts = []
        if self.has_rotation:
            parts.append(matrix_to_tangent(np.swapaxes(self.rotations(start), 1, 2) @ self.rotations(end)))
        if self.axes:
            change = self.coordinates(end) - self.coordinates(start)
            circles = [axis.is_circle for axis in self.axes]
            change[:, circles] = np.mod(change[:, circles] + np.pi, 2 * np.pi) - np.pi
            parts.append(change)
        shape = np.broadcast_shapes(start.shape, end.shape)
        return np.concatenate(parts, axis=1) if parts else np.empty((shape[0], 0))

    def distance(self, start: Array, end: Array) -> Array:
        """Length [n] of the steps from ``start`` to ``end``; for rotations alone their angle in radians."""
        length: Array = np.linalg.norm(self.difference(start, end), axis=1)
        return length

    def embedding(self, vectors: Array) -> Array:
        """Points [n, e] in flat space whose distances are, for small ones, those of ``distance``.

        Rotation matrices over sqrt(2) (9 numbers), cosine and sine of a circle (2), coordinates of the rest (1 each).
        A positive definite kernel of flat space is then one on this domain.
        """
        parts = [self.rotations(vectors).reshape(len(vectors), 9) / np.sqrt(2)] if self.has_rotation else []
        coordinates = self.coordinates(vectors)
        for k, axis in enumerate(self.axes):
            column = coordinates[:, k : k + 1]
            parts.append(np.concatenate([np.cos(column), np.sin(column)], axis=1) if axis.is_circle else column)
        return np.concatenate(parts, axis=1) if parts else np.empty((len(vectors), 0))

    def embedded_distances(self, points: Array, others: Array) -> Array:
        """``distance`` [n, m] between all poses of two sets, from their embeddings [n, e] and [m, e]."""
        total, first = np.zeros((len(points), len(others))), 0
        for size in self.embedding_groups:
            a, b = points[:, first : first + size], others[:, first : first + size]
            squared = np.maximum((a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T), 0)
            # of an angle the embedding holds the chord
            total += squared if size == 1 else (2 * np.arcsin(np.minimum(np.sqrt(squared) / 2, 1))) ** 2
            first += size
        return np.sqrt(total)

    @cached_property
    def embedding_groups(self) -> tuple[int, ...]:
        """How many numbers of ``embedding`` belong to the rotation and to each axis: what shares a length scale."""
        return (9,) * self.has_rotation + tuple(2 if axis.is_circle else 1 for axis in self.axes)

    def rounded(self, vectors: Array) -> Array:
        """``vectors`` with the searched parameters rounded as sampled ones are, so that replay strings are exact."""
        rounded = vectors.copy()
        for name in self.searched:
            column = INDEX[name]
            values = np.round(rounded[:, column], PARAMETERS[column].decimals) + 0.0
            interval = self.space.free[name]
            # free rotations leave an Euler interval such as [0, 360] only in name
            is_held = not (self.has_rotation and name in _EULER)
            rounded[:, column] = np.clip(values, interval.low, interval.high) if is_held else values
        return rounded


def make_domain(
    space: Space,
    searched: Sequence[str] | None = None,
    values: Mapping[str, float] | None = None,
    where: str = "search",
) -> Domain:
    """The domain of ``searched`` parameters (by default all that the space frees), the others at ``values``.

    Raises:
        ConfigError: a name that is no parameter or that the scene fixes; nothing to search.
    """
    names = tuple(space.free) if searched is None else tuple(searched)
    for name in names:
        if name not in INDEX:
            raise ConfigError(f'{where}: unknown parameter "{name}"{suggest(name, space.free)}')
        if name not in space.free:
            raise ConfigError(
                f"{where}: {name} does not vary in this scene (free: {', '.join(space.free) or 'nothing'}); "
                f"give it an interval in [space], or leave it out"
            )
    if not names:
        raise ConfigError(f"{where}: nothing to search: the scene's space fixes every parameter")
    base = space.vector(dict(values or {}))[0]
    return Domain(space, tuple(p.name for p in PARAMETERS if p.name in names), base)


def check_start(domain: Domain, vector: Array, where: str) -> None:
    """Nothing, if a search may start at ``vector`` [parameters].

    Raises:
        ConfigError: a searched parameter is out of its interval.
    """
    for axis in domain.axes:
        value = float(vector[axis.column])
        check_value(axis.name, value, where)
        if not axis.is_circle and not axis.low <= value <= axis.high:
            raise ConfigError(
                f"{where}: {axis.name} = {value:g} is outside [{axis.low:g}, {axis.high:g}], where the search may "
                "move; give a value within, or widen [space]"
            )


def _is_turn(interval: Interval) -> bool:
    return interval.high - interval.low >= 360
