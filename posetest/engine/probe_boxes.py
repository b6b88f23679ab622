"""Boxes around poses in which a model goes on recognising them: grown by probing, then tested on fresh draws.

A box grows face by face: a step is taken where enough of a few draws in what it would add are recognised. That says
where to look and proves nothing, as the same draws chose the box; so a box counts only if draws made afterwards, in all
of it, show that the share recognised is at least what was asked for. One that fails is drawn in at the faces near which
draws were misread, and tested again, a few times at most. A box of one parameter is an interval on its axis.

Hamdi and Ghanem, "Towards Analyzing Semantic Robustness of Deep Neural Networks" (ECCV workshops 2020), pose the
question, the largest box about a pose in which the network's answer stays; they move bounds by the answers at a box's
corners, and do not test what they find.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Confidence that a pose's box is not claimed too large, over all its tests.
LEVEL = 0.95
#: What drawing a face in to the pose itself costs, as the logarithm of a ratio of widths: any other step is cheaper.
_ALL_OF_A_WIDTH = 10.0
#: Two bounds are the same if they are so near, in border units.
_SAME = 1e-9


def is_shown(recognised: ArrayLike, draws: int, least: float, tries: int, level: float = LEVEL) -> Mask:
    """Whether so many ``recognised`` [...] of ``draws`` show a share of at least ``least``.

    The exact one-sided test at an error of (1 - level) / tries: as many tests of one pose as there are ``tries`` claim
    too much with a probability of at most 1 - level (Bonferroni), whatever earlier draws chose the boxes.

    Source: Clopper and Pearson, Biometrika 26 (1934) 404.
    """
    return np.asarray(stats.binom.sf(np.asarray(recognised) - 1, draws, least) <= (1 - level) / tries)


@dataclass(frozen=True, eq=False)
class Asked:
    """Points that a round wants evaluated.

    Attributes:
        cell: int [n], positions of the boxes.
        points: float64 [n, d], in border units; angles run on past a half turn.
        grown: the position of the parameter that grows, or None in a test.
    """

    cell: NDArray[np.int64]
    points: Array
    grown: int | None


@dataclass(frozen=True, eq=False)
class Outcome:
    """The outcome of a box's last test.

    Attributes:
        box: float64 [c, d, 2], low and high of each parameter, border units.
        draws, recognised: int [c], of the last test; 0 where there was none, as the box had no width.
        is_held: bool [c], whether it was passed.
        is_ended: bool [c, d, 2], faces that could go no further: the last step, or what the parameter may not pass.
    """

    box: Array
    draws: NDArray[np.int64]
    recognised: NDArray[np.int64]
    is_held: Mask
    is_ended: NDArray[np.bool_]


class Boxes:
    """Boxes around ``values`` [c, d], in rounds: ``ask`` for points and ``tell`` which of them were recognised.

    What is asked next follows from what was told, and the points besides from the generator alone.

    Args:
        values: float64 [c, d], the poses' own, border units.
        ladders: the d ladders of steps, above 0 and rising.
        limits: float64 [d, 2], what each parameter stays within.
        probes: draws in what a step would add.
        draws: of a test.
        tries: tests of a box, at most.
        least: share of draws to be recognised, when a box grows and when it is tested.
    """

    def __init__(
        self,
        values: Array,
        ladders: Sequence[Array],
        limits: Array,
        *,
        probes: int,
        draws: int,
        tries: int,
        least: float,
    ) -> None:
        self.values, self.limits, self.ladders = values, limits, [np.asarray(steps, dtype=float) for steps in ladders]
        self.probes, self.draws, self.tries, self.least = probes, draws, tries, least
        count, d = values.shape
        self.box = np.repeat(values[:, :, None], 2, axis=2)
        self.rung = np.zeros((count, d, 2), dtype=np.int64)
        self.is_open = np.ones((count, d, 2), dtype=bool)
        self.is_held = np.zeros(count, dtype=bool)
        self.is_over = np.zeros(count, dtype=bool)
        self.tested = np.zeros(count, dtype=np.int64)
        self.drawn = np.zeros(count, dtype=np.int64)
        self.recognised = np.zeros(count, dtype=np.int64)
        self._turn = 0  # of the parameters, in order
        self._known: list[tuple[NDArray[np.int64], Array, Mask]] = []
        self._pending: tuple[Asked, NDArray[np.int64]] | None = None

    def ask(self, rng: np.random.Generator) -> Asked | None:
        """The points of the next round; None when all is tested."""
        asked = self._grow(rng) or self._test(rng)
        if asked is None:
            self._pending = None
        return asked

    def tell(self, points: Array, recognised: Mask) -> None:
        """What came of the round asked for: the points [n, d] as evaluated, and whether each was recognised."""
        assert self._pending is not None, "ask before tell"
        asked, side = self._pending
        self._pending = None
        self._known.append((asked.cell, points, recognised))
        if asked.grown is not None:
            self._grown(asked, asked.grown, side, recognised)
        else:
            self._told(asked.cell, recognised)

    @property
    def most(self) -> int:
        """So many points may still be asked for, at most."""
        left = [len(steps) - self.rung[:, i][self.is_open[:, i]] for i, steps in enumerate(self.ladders)]
        grow = self.probes * int(sum(rungs.sum() for rungs in left))
        return grow + self.draws * int((self.tries - self.tested)[~self.is_over].sum())

    def outcome(self) -> Outcome:
        """What is known of each box."""
        reached = np.stack(
            [self._bound(np.arange(len(self.values)), i, s, self.rung[:, i, s] + 1)[0] for i, s in self._faces()],
            axis=1,
        ).reshape(self.box.shape)
        is_ended = np.abs(reached - self.box) <= _SAME
        return Outcome(self.box.copy(), self.drawn.copy(), self.recognised.copy(), self.is_held.copy(), is_ended)

    def _faces(self) -> list[tuple[int, int]]:
        return [(i, s) for i in range(self.values.shape[1]) for s in (0, 1)]

    def _bound(self, cells: NDArray[np.int64], i: int, side: int, rung: NDArray[np.int64]) -> tuple[Array, Mask]:
        """Where faces are after ``rung`` steps, and whether these are steps of the ladder."""
        steps = np.concatenate([[0.0], self.ladders[i]])
        value = self.values[cells, i]
        moved = value + (1, -1)[side == 0] * steps[np.minimum(rung, len(steps) - 1)]
        # not past the limits; a pose that is outside of them does not move back
        low, high = np.minimum(self.limits[i, 0], value), np.maximum(self.limits[i, 1], value)
        return np.clip(moved, low, high), rung < len(steps)

    def _grow(self, rng: np.random.Generator) -> Asked | None:
        """Draws in what one step of one parameter would add, downwards and upwards."""
        d = self.values.shape[1]
        while self.is_open.any():
            i, self._turn = self._turn % d, self._turn + 1
            cells, points, sides = [], [], []
            for side in (0, 1):
                open_cells = np.flatnonzero(self.is_open[:, i, side])
                bound, has_step = self._bound(open_cells, i, side, self.rung[open_cells, i, side] + 1)
                now = self.box[open_cells, i, side]
                can_go = has_step & (np.abs(bound - now) > _SAME)
                self.is_open[open_cells[~can_go], i, side] = False
                cell = np.repeat(open_cells[can_go], self.probes)
                share = rng.random((len(cell), d))
                drawn = self._drawn(cell, share)
                begin, end = np.repeat(now[can_go], self.probes), np.repeat(bound[can_go], self.probes)
                drawn[:, i] = begin + share[:, i] * (end - begin)
                cells.append(cell)
                points.append(drawn)
                sides.append(np.full(len(cell), side))
            if sum(map(len, cells)):
                asked = Asked(np.concatenate(cells), np.concatenate(points), i)
                self._pending = (asked, np.concatenate(sides))
                return asked
        return None

    def _drawn(self, cell: NDArray[np.int64], share: Array) -> Array:
        low, high = self.box[cell, :, 0], self.box[cell, :, 1]
        drawn: Array = low + share * (high - low)
        return drawn

    def _grown(self, asked: Asked, i: int, side: NDArray[np.int64], recognised: Mask) -> None:
        for s in (0, 1):
            mine = side == s
            cells = asked.cell[mine][:: self.probes]
            rate = recognised[mine].reshape(-1, self.probes).mean(axis=1)
            goes = rate >= self.least - _SAME
            self.is_open[cells[~goes], i, s] = False
            cells = cells[goes]
            self.rung[cells, i, s] += 1
            self.box[cells, i, s] = self._bound(cells, i, s, self.rung[cells, i, s])[0]

    def _test(self, rng: np.random.Generator) -> Asked | None:
        """Fresh draws in the whole of every box that is neither held nor given up."""
        has_width = (self.box[:, :, 1] - self.box[:, :, 0] > _SAME).any(axis=1)
        self.is_over |= ~has_width
        cells = np.flatnonzero(~self.is_over)
        if not len(cells):
            return None
        cell = np.repeat(cells, self.draws)
        asked = Asked(cell, self._drawn(cell, rng.random((len(cell), self.values.shape[1]))), None)
        self._pending = (asked, np.zeros(len(cell), dtype=np.int64))
        return asked

    def _told(self, cell: NDArray[np.int64], recognised: Mask) -> None:
        cells = cell[:: self.draws]
        found = recognised.reshape(-1, self.draws).sum(axis=1)
        self.tested[cells] += 1
        self.drawn[cells], self.recognised[cells] = self.draws, found
        held = is_shown(found, self.draws, self.least, self.tries)
        self.is_held[cells[held]] = True
        self.is_over[cells[held | (self.tested[cells] == self.tries)]] = True
        left = cells[~self.is_over[cells]]
        if not len(left):
            return
        of, points, right = (np.concatenate(column) for column in zip(*self._known, strict=True))
        order = np.argsort(of, kind="stable")
        ends = np.searchsorted(of[order], np.stack([left, left + 1]))
        for cell_left, start, stop in zip(left, *ends, strict=True):
            mine = order[start:stop]
            self._draw_in(int(cell_left), points[mine], ~right[mine])

    def _draw_in(self, cell: int, points: Array, misread: Mask) -> None:
        """Faces of a box that failed back by steps, until of the known draws in it few enough were misread.

        Each time the face goes back whose step loses the most misread draws for the least width. What is left is tested
        again; the rule only chooses what to test.
        """
        at = np.array([cell])
        while True:
            box = self.box[cell]
            inside = ((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=1)
            best: tuple[float, int, int, float] | None = None
            for i, s in self._faces():
                if self.rung[cell, i, s] == 0:
                    continue
                bound = float(self._bound(at, i, s, self.rung[at, i, s] - 1)[0][0])
                lost = points[:, i] < bound if s == 0 else points[:, i] > bound
                width = float(box[i, 1] - box[i, 0])
                left = width - abs(bound - float(box[i, s]))
                price = np.log(width / left) if left > _SAME else _ALL_OF_A_WIDTH
                worth = (float((inside & misread & lost).sum()) + _SAME) / max(price, _SAME)
                if best is None or worth > best[0]:
                    best = (worth, i, s, bound)
            if best is None:
                return  # nothing is left of it
            _, i, s, bound = best
            self.rung[cell, i, s] -= 1
            self.box[cell, i, s] = bound
            box = self.box[cell]
            inside = ((points >= box[:, 0]) & (points <= box[:, 1])).all(axis=1)
            # fewer than are allowed, and fewer still later: a box at the very limit fails its test
            if misread[inside].sum() <= (1 - self.least) / 2 ** (1 + self.tested[cell]) * inside.sum():
                return
