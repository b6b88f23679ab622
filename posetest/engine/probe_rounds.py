"""Probes whose later evaluations follow from the earlier ones: boxes around poses, round by round.

A round depends on the records before it and on the seed alone, so that a probe that was cut off goes on from its parts,
and a reader finds the boxes again by playing the records back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.engine.probe_boxes import Asked, Boxes, Outcome
from posetest.engine.probe_plan import UNCHANGED, Bases, Rows, unchanged
from posetest.engine.record import POSE_COLUMNS
from posetest.errors import RunError
from posetest.run_info import ProbeInfo
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: What the rows of a test say was changed; those of growing say "grow" and the parameter.
TEST = "test"


def groups_of(settings: ProbeInfo, scene: str) -> list[tuple[str, ...]]:
    """The parameters of each box around a pose: one each, or all together."""
    names = tuple(settings.limits[scene])
    return [(name,) for name in names] if settings.what == "axes" else [names]


class Rounds:
    """The rounds of one scene and model: first every pose as it is, then boxes around those recognised again.

    Args:
        settings: of a probe of axes or boxes.
        scene: its name.
        bases: poses of the parent.
        key: the draws depend on these numbers, the round and the box's parameters alone.
    """

    def __init__(self, settings: ProbeInfo, scene: str, bases: Bases, key: Sequence[int]) -> None:
        self.settings, self.scene, self.bases, self.key = settings, scene, bases, tuple(key)
        self.groups = groups_of(settings, scene)
        self.boxes: list[Boxes] = []
        #: positions in the bases of the poses that have boxes
        self.steady = np.zeros(0, dtype=np.int64)
        self.number = 0
        self._asked: list[Asked | None] = []
        self._rows: Rows | None = None

    def ask(self) -> Rows | None:
        """The rows of the next round; None when there are no more."""
        if self.number == 0:
            self._rows = unchanged(self.bases) if len(self.bases) else None
            return self._rows
        self._asked = [
            boxes.ask(np.random.default_rng([*self.key, 4, self.number, place]))
            for place, boxes in enumerate(self.boxes)
        ]
        parts = [
            self._rows_of(asked, group)
            for asked, group in zip(self._asked, self.groups, strict=True)
            if asked is not None
        ]
        self._rows = _one_below_the_other(parts) if parts else None
        return self._rows

    def tell(self, recognised: Mask, vectors: Array | None = None) -> None:
        """Which rows [n] were recognised (could be evaluated, and were); ``vectors`` as recorded, else as asked for."""
        assert self._rows is not None, "ask before tell"
        rows, found = self._rows, self._rows.vectors if vectors is None else vectors
        self._rows = None
        if self.number == 0:
            self._begin(rows.of[recognised == self.bases.recognised[rows.of]])
        else:
            start = 0
            for boxes, asked, group in zip(self.boxes, self._asked, self.groups, strict=True):
                if asked is not None:
                    stop = start + len(asked.cell)
                    boxes.tell(self._unwrapped(found[start:stop], asked.cell, group), recognised[start:stop])
                    start = stop
        self.number += 1

    @property
    def most(self) -> int:
        """So many rows may still be asked for, at most; before the first round as if every pose were steady."""
        if self.number > 0:
            return sum(boxes.most for boxes in self.boxes)
        one = [self._boxes(self.bases.vectors, group).most for group in self.groups]
        return len(self.bases) + sum(one)

    def outcomes(self) -> list[tuple[tuple[str, ...], Outcome]]:
        """The boxes' parameters and what is known of them, a box for each of the ``steady`` poses."""
        return [(group, boxes.outcome()) for group, boxes in zip(self.groups, self.boxes, strict=True)]

    def _begin(self, steady: NDArray[np.int64]) -> None:
        self.steady = steady
        self.boxes = [self._boxes(self.bases.vectors[steady], group) for group in self.groups]

    def _boxes(self, vectors: Array, group: tuple[str, ...]) -> Boxes:
        settings = self.settings
        return Boxes(
            vectors[:, [INDEX[name] for name in group]],
            [np.asarray(settings.steps[name]) for name in group],
            np.array([settings.limits[self.scene][name] for name in group]),
            probes=settings.probes,
            draws=settings.draws,
            tries=settings.tries,
            least=settings.least,
        )

    def _rows_of(self, asked: Asked, group: tuple[str, ...]) -> Rows:
        of = self.steady[asked.cell]
        vectors = self.bases.vectors[of].copy()
        for k, name in enumerate(group):
            parameter = PARAMETERS[INDEX[name]]
            value = asked.points[:, k]
            if parameter.period is not None:
                half = parameter.period / 2
                value = np.where(np.abs(value) > half, (value + half) % parameter.period - half, value)
            vectors[:, INDEX[name]] = np.round(value, parameter.decimals) + 0.0
        what = TEST if asked.grown is None else f"grow {group[asked.grown]}"
        if len(self.groups) > 1 and asked.grown is None:
            what = f"{TEST} {group[0]}"
        change = np.full(len(of), what, dtype=object)
        return Rows(vectors, of, change, np.full(len(of), float(self.number)))

    def _unwrapped(self, vectors: Array, cell: NDArray[np.int64], group: tuple[str, ...]) -> Array:
        """The points of pose ``vectors``, angles as they run on from their pose."""
        columns = [INDEX[name] for name in group]
        value = self.bases.vectors[self.steady[cell]][:, columns]
        apart = vectors[:, columns] - value
        for k, column in enumerate(columns):
            period = PARAMETERS[column].period
            if period is not None:
                apart[:, k] -= period * np.round(apart[:, k] / period)
        points: Array = value + apart
        return points


def _one_below_the_other(parts: Sequence[Rows]) -> Rows:
    return Rows(
        np.concatenate([p.vectors for p in parts]),
        np.concatenate([p.of for p in parts]),
        np.concatenate([p.change for p in parts]),
        np.concatenate([p.amount for p in parts]),
    )


def played_back(settings: ProbeInfo, frame: pd.DataFrame, scene: str, where: str) -> Rounds:
    """The rounds of the records ``frame`` of one scene and model, told again.

    Args:
        settings: of the probe.
        frame: the records in order, with status, recognised, base, base_recognised, base_label, change and the pose
            columns.
        scene: its name.
        where: the run folder, for an error's text.

    Raises:
        RunError: the records are not those of such rounds.
    """
    vectors = frame[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)
    change = frame["change"].astype(str).to_numpy(dtype=object)
    base = frame["base"].to_numpy(dtype=np.int64)
    recognised = (frame["recognised"] & (frame["status"].astype(str) == "ok")).to_numpy(dtype=bool)
    first = change == UNCHANGED
    bases = Bases(
        vectors[first],
        base[first],
        frame["base_recognised"].to_numpy(dtype=bool)[first],
        frame["base_label"].astype(str).to_numpy(dtype=object)[first],
    )
    rounds = Rounds(settings, scene, bases, (0,))
    start = 0
    while (rows := rounds.ask()) is not None:
        stop = start + len(rows)
        if not (
            np.array_equal(bases.index[rows.of], base[start:stop]) and np.array_equal(rows.change, change[start:stop])
        ):
            raise RunError(f"{where}: its records are not those that run.toml asks for; probe the audit again")
        rounds.tell(recognised[start:stop], vectors[start:stop])
        start = stop
    if start != len(frame):
        raise RunError(f"{where}: holds {len(frame) - start} records more than run.toml asks for; probe again")
    return rounds
