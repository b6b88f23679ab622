"""The defects of the script that was released with the 2019 study, each written so that a test can show what it does.

Written anew from reading it; nothing here is used by the package.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from posetest.search.raw import RawCoordinates
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]
Score = Callable[[Array], Array]


def one_angle_for_three(raw: RawCoordinates, numbers: Array, moved: int) -> Array:
    """The pose that a difference looks at: all three angles are set to the one whose number is moved."""
    vectors = raw.to_vectors(numbers)
    column = raw.columns[moved]
    if PARAMETERS[column].period is not None:
        for name in ("yaw", "pitch", "roll"):
            vectors[:, INDEX[name]] = vectors[:, column]
    return vectors


def slopes(
    raw: RawCoordinates, at: Array, score: Score, h: float, *, has_one_angle: bool, is_left_moved: bool
) -> Array:
    """Central differences [m] at ``at`` [m], with or without the two defects of the released differences."""
    found, here = np.zeros(len(at)), at.copy()
    for k in range(len(at)):
        values = []
        for sign in (-1, 1):
            numbers = here.copy()
            numbers[k] = at[k] + sign * h / 2
            seen = one_angle_for_three(raw, numbers[None], k) if has_one_angle else raw.to_vectors(numbers[None])
            values.append(float(score(seen)[0]))
            if is_left_moved:
                here[k] = numbers[k]  # the renderer keeps what was set last
        found[k] = (values[1] - values[0]) / h
    return found


def depths_between(best_by_depth: dict[float, float]) -> tuple[float, float]:
    """The interval of depths that the released search draws from.

    It keeps the lower of each loss and 0, which is always 0, so that which depths come first says nothing; and of the
    first one's pair of depth and loss it makes the interval's ends.
    """
    kept = {depth: min(0.0, loss) for depth, loss in best_by_depth.items()}
    depth, loss = sorted(kept.items(), key=lambda item: item[1], reverse=True)[0]
    return min(depth, loss), max(depth, loss)


def random_light(rng: np.random.Generator) -> Array:
    """The three angles, radians, that the released random search turns the light by for every pose."""
    return rng.uniform(-np.pi, np.pi, 3)
