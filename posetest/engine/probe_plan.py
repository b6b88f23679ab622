"""What a probe evaluates: poses of an audit, and for each of them the changed poses, as one flat list of rows.

Everything follows from the parent's records, the settings and the seed; nothing here draws or scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.engine.record import POSE_COLUMNS
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]

#: Columns of the parent that are read.
NEEDED = ("scene", "model", "index", "status", "recognised", "top1_label", *POSE_COLUMNS)
#: What the row of an unchanged pose says was changed.
UNCHANGED = "none"

_DEGREES = (1.0, 2.0, 4.0, 8.0, 12.0, 18.0, 27.0, 40.0, 60.0, 90.0)
_HALF_FRAMES = (0.01, 0.02, 0.04, 0.08, 0.12, 0.18, 0.27, 0.4, 0.6, 0.9)
#: Sizes of change of each of the six parameters of the 2019 study, border units.
STEPS: Mapping[str, tuple[float, ...]] = {
    "offset_x": _HALF_FRAMES,
    "offset_y": _HALF_FRAMES,
    "distance": (0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0, 1.4, 2.0),
    "yaw": _DEGREES,
    "pitch": _DEGREES,
    "roll": _DEGREES,
}
#: And of every other that changes step by step.
OTHER_STEPS: Mapping[str, tuple[float, ...]] = {
    "fov": (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 9.0, 13.0, 20.0, 30.0),
    "azimuth": _DEGREES,
    "elevation": _DEGREES,
    "light_azimuth": _DEGREES,
    "light_elevation": _DEGREES,
    "light_strength": _HALF_FRAMES,
    "ambient": _HALF_FRAMES,
}


@dataclass(frozen=True, eq=False)
class Bases:
    """Poses of the parent that are changed.

    Attributes:
        vectors: float64 [b, parameters].
        index: int64 [b], their numbers in the parent's records.
        recognised: bool [b], as recorded there.
        label: object [b], first label, as recorded there.
    """

    vectors: Array
    index: NDArray[np.int64]
    recognised: NDArray[np.bool_]
    label: NDArray[np.object_]

    def __len__(self) -> int:
        return len(self.index)


@dataclass(frozen=True, eq=False)
class Rows:
    """Poses to evaluate, each with the base it belongs to.

    Attributes:
        vectors: float64 [n, parameters].
        of: int64 [n], positions in the bases.
        change: object [n], what was changed.
        amount: float64 [n], by how much.
    """

    vectors: Array
    of: NDArray[np.int64]
    change: NDArray[np.object_]
    amount: Array

    def __len__(self) -> int:
        return len(self.of)


def choose_bases(
    frame: pd.DataFrame, pair: tuple[str, str], count: int, key: Sequence[int], *, recognised: bool
) -> Bases:
    """At most ``count`` of the pair's evaluated poses that were, or were not, recognised, drawn without replacement.

    Args:
        frame: the parent's records, at least the columns NEEDED.
        pair: scene and model.
        key: the draw depends on these numbers alone.
    """
    is_meant = (frame["scene"] == pair[0]) & (frame["model"] == pair[1])
    is_meant &= (frame["status"].astype(str) == "ok") & (frame["recognised"] == recognised)
    rows = frame[is_meant].sort_values("index")
    rng = np.random.default_rng([*key, int(recognised)])
    chosen = rows.iloc[np.sort(rng.choice(len(rows), min(count, len(rows)), replace=False))]
    return Bases(
        vectors=chosen[list(POSE_COLUMNS)].to_numpy(dtype=np.float64),
        index=chosen["index"].to_numpy(dtype=np.int64),
        recognised=chosen["recognised"].to_numpy(dtype=bool),
        label=chosen["top1_label"].astype(str).to_numpy(dtype=object),
    )


def together(bases: Iterable[Bases]) -> Bases:
    """Several bases, one below the other."""
    listed = list(bases)
    return Bases(
        np.concatenate([b.vectors for b in listed]),
        np.concatenate([b.index for b in listed]),
        np.concatenate([b.recognised for b in listed]),
        np.concatenate([b.label for b in listed]),
    )


def unchanged(bases: Bases, change: str = UNCHANGED) -> Rows:
    """Every base as it is, to be evaluated under the name ``change``."""
    count = len(bases)
    return Rows(bases.vectors, np.arange(count), np.full(count, change, dtype=object), np.zeros(count))


def one_parameter(bases: Bases, steps: Mapping[str, Sequence[float]], radius: float) -> Rows:
    """Every base as it is, then with one parameter at a time changed by each step and by its negative.

    A distance at which the camera would be within the object's sphere of ``radius`` (object units) is left out, and a
    value that its parameter cannot have. Angles stay on their circle within [-180, 180] degrees.

    Source: the one-parameter disturbances of Alcorn et al., CVPR 2019 ("Strike (with) a Pose").
    """
    moves = [
        (name, sign * step) for name, sizes in steps.items() for sign in (1.0, -1.0) for step in sizes
    ]  # of one base
    names = np.array([UNCHANGED, *(name for name, _ in moves)], dtype=object)
    amounts = np.array([0.0, *(amount for _, amount in moves)])
    vectors = np.repeat(bases.vectors[:, None], len(names), axis=1)
    is_possible = np.ones(vectors.shape[:2], dtype=bool)
    for position, (name, amount) in enumerate(moves, start=1):
        parameter = PARAMETERS[INDEX[name]]
        column = vectors[:, position, INDEX[name]]
        column += amount
        period = parameter.period
        if period is not None:
            column[:] = np.where(np.abs(column) > period / 2, (column + period / 2) % period - period / 2, column)
        column[:] = np.round(column, parameter.decimals) + 0.0
        is_possible[:, position] = (parameter.low <= column) & (column <= parameter.high)
        if name == "distance":
            is_possible[:, position] &= column > radius
    of, place = np.nonzero(is_possible)
    return Rows(vectors[of, place], of.astype(np.int64), names[place], amounts[place])
