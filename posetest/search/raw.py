"""The study's own coordinates: positions in object units, angles as (cosine, sine).

Alcorn et al. (CVPR 2019, section 3) move an object by x, y, z and by the cosine and sine of yaw, pitch and roll, nine
numbers that an optimiser takes for a flat space; the angle is read back with atan2. Their published searches are
written in these coordinates here, so that a step of .001 means what it meant there.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from posetest.search.domain import Domain
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]

_OFFSETS = ("offset_x", "offset_y")


@dataclass(frozen=True, eq=False)
class RawCoordinates:
    """Pose vectors as the study's numbers, of a domain's searched parameters, and back.

    Parameters in registry order. One that runs on a circle is two numbers, its cosine and sine; an offset is a shift in
    object units at the pose's own distance; any other is its border value.
    """

    domain: Domain

    @cached_property
    def columns(self) -> tuple[int, ...]:
        """The pose vector's column that each number belongs to; an angle's stands twice, cosine before sine."""
        searched = [INDEX[name] for name in self.domain.searched]
        return tuple(column for column in searched for _ in range(2 if _is_angle(column) else 1))

    @cached_property
    def _first(self) -> dict[str, int]:
        """Where the numbers of a searched parameter begin."""
        return {name: self.columns.index(INDEX[name]) for name in self.domain.searched}

    def from_vectors(self, vectors: Array) -> Array:
        """The numbers [n, m] of pose ``vectors``."""
        numbers = np.empty((len(vectors), len(self.columns)))
        for name, at in self._first.items():
            values = vectors[:, INDEX[name]]
            if _is_angle(INDEX[name]):
                numbers[:, at], numbers[:, at + 1] = np.cos(np.radians(values)), np.sin(np.radians(values))
            else:
                numbers[:, at] = values * _half_frame(vectors) if name in _OFFSETS else values
        return numbers

    def to_vectors(self, numbers: Array) -> Array:
        """Pose vectors of ``numbers`` [n, m], held within the scene's intervals, rounded."""
        vectors = np.repeat(self.domain.base[None], len(numbers), axis=0)
        for name, at in sorted(self._first.items(), key=lambda item: item[0] in _OFFSETS):
            column = INDEX[name]
            if _is_angle(column):
                vectors[:, column] = self._angles(name, np.degrees(np.arctan2(numbers[:, at + 1], numbers[:, at])))
            else:
                # what an offset is measured in, distance and field of view, is there by now
                values = numbers[:, at] / _half_frame(vectors) if name in _OFFSETS else numbers[:, at]
                interval = self.domain.space.free[name]
                vectors[:, column] = np.clip(values, interval.low, interval.high)
        return self.domain.rounded(vectors)

    def normalised(self, numbers: Array) -> Array:
        """``numbers`` with each pair of cosine and sine on the unit circle again."""
        result = numbers.copy()
        for name, at in self._first.items():
            if _is_angle(INDEX[name]):
                pair = result[:, at : at + 2]
                pair /= np.maximum(np.linalg.norm(pair, axis=1, keepdims=True), 1e-12)
        return result

    def _angles(self, name: str, degrees: Array) -> Array:
        """Angles as they are where the interval is a turn or part of a free rotation; else within the interval."""
        interval = self.domain.space.free[name]
        is_part = self.domain.has_rotation and name in ("yaw", "pitch", "roll")
        if is_part or interval.high - interval.low >= 360:
            return degrees
        middle = (interval.low + interval.high) / 2  # an angle outside goes to the nearer end
        return np.clip(middle + np.mod(degrees - middle + 180, 360) - 180, interval.low, interval.high)


def _is_angle(column: int) -> bool:
    return PARAMETERS[column].period is not None


def _half_frame(vectors: Array) -> Array:
    """Half the width of a square frame at the object's distance, object units."""
    half: Array = np.tan(np.radians(vectors[:, INDEX["fov"]]) / 2) * vectors[:, INDEX["distance"]]
    return half
