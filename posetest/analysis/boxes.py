"""Boxes in pose space in which a model fails more often than elsewhere: seeds from a tree, bounds by a scan.

A decision tree (Breiman et al. 1984) cuts where it must, also through the middle of what is one region: at the seam of
a circle, or once for each side of a mirror image. Its leaves therefore only say where to look. Each is then a box whose
bounds are set one feature at a time to the best interval there is, by the likelihood ratio of the scan statistic
(Kulldorff, Commun. Stat. Theory Methods 26 (1997) 1481, eq. 4), less a price for each bound, so that a bound that
tells little is dropped; boxes that are told better as one are merged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import xlogy
from sklearn.model_selection import KFold
from sklearn.tree import DecisionTreeClassifier

from posetest.analysis.features import CIRCULAR, Grid, make_grid

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Kind = Literal["plain", "arc", "mirror"]

_TREE_ROWS = 6_000
_DEPTH = 5
_LEAVES = 8
_ALPHAS = 5
_FOLDS = 3
_SWEEPS = 8
_OWN = 0.8
_FINER = 1.1


@dataclass(frozen=True)
class Side:
    """Bins first to last, the last included, of one feature.

    An arc goes around the circle, past its seam where first > last; a mirror holds bins of the absolute value.
    """

    kind: Kind
    first: int
    last: int


Box = tuple[Side | None, ...]


@dataclass(frozen=True, eq=False)
class Field:
    """Rows to look for boxes in.

    Attributes:
        grids: of each feature.
        misread: bool [n].
        least: a box holds at least so many rows.
    """

    grids: tuple[Grid, ...]
    misread: Mask
    least: int

    @property
    def price(self) -> float:
        """Of a bound: half of log n for the rate that it adds (Schwarz 1978), and log of the places it may be at."""
        bins = sum(len(grid.edges) - 1 for grid in self.grids)
        return 0.5 * math.log(max(len(self.misread), 2)) + math.log(bins)

    def within(self, box: Box) -> Mask:
        """Which rows [n] lie in ``box``."""
        inside = np.ones(len(self.misread), dtype=bool)
        for grid, side in zip(self.grids, box, strict=True):
            if side is not None:
                inside &= _holds(grid, side)
        return inside


def find_boxes(features: pd.DataFrame, misread: Mask, most: int, seed: int) -> list[tuple[tuple[Grid, ...], Box]]:
    """At most ``most`` boxes with a raised misread rate, each with the grids of its bounds.

    Later ones are looked for among the rows outside of the earlier ones.

    Args:
        features: ``pose_features`` of n rows.
        misread: bool [n].
        most: number of boxes at most.
        seed: of the folds of the cross-validation.
    """
    least = max(10, len(features) // 200)
    grids = tuple(make_grid(str(name), features[name].to_numpy()) for name in features)
    fine = tuple(make_grid(str(name), features[name].to_numpy(), step=1.0) for name in features)
    found: list[tuple[tuple[Grid, ...], Box]] = []
    rest = np.ones(len(features), dtype=bool)
    for _ in range(most):
        field, finer = _part(grids, misread, rest, least), _part(fine, misread, rest, least)
        boxes = _round(field, features[rest], most - len(found), seed)
        for box in boxes:
            chosen, is_fine = _sharpen(box, field, finer)
            kept = fine if is_fine else grids
            inside = Field(kept, misread, least).within(chosen)
            own = inside & rest
            # a slope leaves shells around the box at its top; a larger box would tell the top's rate for them
            if own.any() and misread[own].mean() >= _OWN * misread[inside].mean():
                found.append((kept, chosen))
            rest &= ~inside
        if not boxes or len(found) >= most:
            break
    return found


def _part(grids: tuple[Grid, ...], misread: Mask, rows: Mask, least: int) -> Field:
    return Field(tuple(replace(g, codes=g.codes[rows]) for g in grids), misread[rows], least)


def _round(field: Field, features: pd.DataFrame, most: int, seed: int) -> list[Box]:
    """Boxes of one tree, refined, merged, the most telling first; empty where none is worth its bounds."""
    if not 0 < field.misread.sum() < len(field.misread) or len(field.misread) < 4 * field.least:
        return []
    leaves = _leaves(field, features, seed)
    boxes = [_hull(field, leaf) for leaf in leaves]
    # a tree that was cut back to its root leaves the scan of single features
    boxes = _settle(field, boxes) or _settle(field, [(None,) * len(field.grids)])
    scored = [(_gain(field, box, _others(field, boxes, i)), box) for i, box in enumerate(boxes)]
    return [box for gain, box in sorted(scored, key=lambda s: -s[0]) if gain > 0][:most]


def _leaves(field: Field, features: pd.DataFrame, seed: int) -> list[Mask]:
    """Rows [n] of each leaf with a high misread rate, of a tree pruned by cross-validation; at most _LEAVES."""
    table = _tree_features(features)
    part, target = table[:_TREE_ROWS], field.misread[:_TREE_ROWS]
    if not 0 < target.sum() < len(target):
        return []
    leaf = max(field.least * len(part) // len(table), 10)
    tree = DecisionTreeClassifier(max_depth=_DEPTH, min_samples_leaf=leaf, random_state=0)
    tree.set_params(ccp_alpha=_alpha(tree, part, target, seed)).fit(part, target)
    where = tree.apply(table)
    names, number = np.unique(where, return_inverse=True)
    count = np.bincount(number).astype(np.float64)
    hits = np.bincount(number, weights=field.misread.astype(np.float64))
    order = np.argsort(-hits / count, kind="stable")
    # of all cuts between leaves in order of rate, the one that parts misread from recognised best
    k, n = np.cumsum(hits[order])[:-1], np.cumsum(count[order])[:-1]
    if not len(k):
        return []
    cut = int(_ratio(k, n, float(hits.sum()), float(count.sum())).argmax()) + 1
    high = sorted(order[:cut], key=lambda i: -hits[i])[:_LEAVES]
    return [where == names[i] for i in high]


def _tree_features(features: pd.DataFrame) -> NDArray[np.float32]:
    """The features, and of circular ones also the circle cut at the other side, and the absolute value."""
    columns = [features[name].to_numpy() for name in features]
    circles = [features[name].to_numpy() for name in features if name in CIRCULAR]
    columns += [np.mod(values, 360) for values in circles] + [np.abs(values) for values in circles]
    return np.stack(columns, axis=1).astype(np.float32)


def _alpha(tree: DecisionTreeClassifier, table: NDArray[np.float32], target: Mask, seed: int) -> float:
    """Of at most _ALPHAS prunings, the price of a leaf with the least Brier score in cross-validation."""
    path = np.unique(np.maximum(tree.cost_complexity_pruning_path(table, target).ccp_alphas, 0))
    # midway between two prices the tree is the same as at the lower one (Breiman et al. 1984, section 3.4)
    middles = np.append(np.sqrt(path[:-1] * path[1:]), path[-1] * 1.01)
    alphas = middles[np.unique(np.linspace(0, len(middles) - 1, _ALPHAS).round().astype(int))]
    loss = np.zeros(len(alphas))
    for train, test in KFold(_FOLDS, shuffle=True, random_state=seed).split(table):
        if not 0 < target[train].sum() < len(train):
            continue
        for i, alpha in enumerate(alphas):
            fold = tree.set_params(ccp_alpha=alpha).fit(table[train], target[train])
            loss[i] += ((fold.predict_proba(table[test])[:, 1] - target[test]) ** 2).sum()
    return float(alphas[loss.argmin()])


def _hull(field: Field, rows: Mask) -> Box:
    """The least box around ``rows``; of a circle the arc that leaves out the widest gap."""
    sides: list[Side | None] = []
    for grid in field.grids:
        bins = len(grid.edges) - 1
        filled = np.unique(grid.codes[rows])
        if not grid.is_circular:
            first, last = int(filled[0]), int(filled[-1])
            sides.append(None if (first, last) == (0, bins - 1) else Side("plain", first, last))
            continue
        gaps = np.diff(np.append(filled, filled[0] + bins))
        widest = int(gaps.argmax())
        arc = Side("arc", int(filled[(widest + 1) % len(filled)]), int(filled[widest]))
        sides.append(None if gaps[widest] <= bins // 12 else arc)
    return tuple(sides)


def _settle(field: Field, boxes: list[Box]) -> list[Box]:
    """Boxes refined against each other; a pair is merged where one box tells the same."""
    for i in range(len(boxes)):
        boxes[i] = _refine(field, boxes[i], ~_others(field, boxes, i))
    boxes = [box for box in dict.fromkeys(boxes) if any(box)]
    while len(boxes) > 1:
        best, pair, merged = 0.0, (0, 0), boxes[0]
        for i in range(len(boxes)):
            for j in range(i):
                others = [box for m, box in enumerate(boxes) if m not in (i, j)]
                joint = field.within(boxes[i]) | field.within(boxes[j])
                one = _refine(field, _hull(field, joint), ~_others(field, others))
                gain = _total(field, [*others, one]) - _total(field, boxes)
                if any(one) and gain > best:
                    best, pair, merged = gain, (i, j), one
        if best <= 0:
            break
        boxes = [*(box for m, box in enumerate(boxes) if m not in pair), merged]
    boxes = sorted(boxes, key=lambda box: -_gain(field, box, np.zeros(len(field.misread), dtype=bool)))
    for i in range(len(boxes)):
        boxes[i] = _refine(field, boxes[i], ~_others(field, boxes, i))
    kept = [box for box in dict.fromkeys(boxes) if any(box)]
    return [box for i, box in enumerate(kept) if _total(field, kept) > _total(field, kept[:i] + kept[i + 1 :])]


def _others(field: Field, boxes: list[Box], besides: int | None = None) -> Mask:
    covered = np.zeros(len(field.misread), dtype=bool)
    for i, box in enumerate(boxes):
        if i != besides and any(box):
            covered |= field.within(box)
    return covered


def _total(field: Field, boxes: list[Box]) -> float:
    """Log-likelihood of one rate for each box and one for the rest, less the price of the bounds."""
    rest, total = np.ones(len(field.misread), dtype=bool), 0.0
    for box in boxes:
        inside = field.within(box) & rest
        total += float(_likelihood(field.misread[inside].sum(), inside.sum())) - _price(field, box)
        rest &= ~inside
    return total + float(_likelihood(field.misread[rest].sum(), rest.sum()))


def _price(field: Field, box: Box) -> float:
    bounds = sum(_bounds(grid, side) for grid, side in zip(field.grids, box, strict=True) if side is not None)
    return field.price * bounds


def _bounds(grid: Grid, side: Side) -> int:
    if side.kind == "arc":
        return 2
    bins = (len(grid.edges) - 1) // (2 if side.kind == "mirror" else 1)
    return (side.first > 0) + (side.last < bins - 1)


def _gain(field: Field, box: Box, taken: Mask) -> float:
    """Likelihood ratio of ``box`` among the rows not ``taken``, less the price of its bounds."""
    inside = field.within(box) & ~taken
    k, n = field.misread[inside].sum(), inside.sum()
    ratio = _ratio(np.array([k]), np.array([n]), float(field.misread[~taken].sum()), float((~taken).sum()))
    return float(ratio[0]) - _price(field, box)


def _refine(field: Field, box: Box, rows: Mask) -> Box:
    """``box`` with each side in turn set to the best interval of its feature, until none changes."""
    sides = list(box)
    misread = field.misread
    total_k, total_n = float(misread[rows].sum()), float(rows.sum())
    outside = [_fails(grid, side) for grid, side in zip(field.grids, sides, strict=True)]
    misses = np.sum(outside, axis=0, dtype=np.int8)
    for _ in range(_SWEEPS):
        before = list(sides)
        for f, grid in enumerate(field.grids):
            free = rows & (misses - outside[f] == 0)
            sides[f] = _best_side(grid, free, misread, total_k, total_n, field.price, field.least)
            misses -= outside[f]
            outside[f] = _fails(grid, sides[f])
            misses += outside[f]
        if sides == before:
            break
    return tuple(sides)


def _best_side(
    grid: Grid, free: Mask, misread: Mask, total_k: float, total_n: float, price: float, least: int
) -> Side | None:
    """The interval of ``grid`` among the rows ``free`` with the highest likelihood ratio less its price."""
    bins = len(grid.edges) - 1
    n = np.bincount(grid.codes[free], minlength=bins).astype(float)
    k = np.bincount(grid.codes[free & misread], minlength=bins).astype(float)
    whole = _ratio(np.array([k.sum()]), np.array([n.sum()]), total_k, total_n)[0]
    best, side = (float(whole) if n.sum() >= least else -np.inf), None
    kinds: tuple[Kind, ...] = ("mirror", "arc") if grid.is_circular else ("plain",)
    for kind in kinds:
        hits, counts = (_fold(k), _fold(n)) if kind == "mirror" else (k, n)
        m = len(counts)
        if kind == "arc":
            starts = np.repeat(np.arange(m), m - 1)
            ends = starts + np.tile(np.arange(1, m), m)
            hits, counts = np.tile(hits, 2), np.tile(counts, 2)
            cost = np.full(len(starts), 2 * price)
        else:
            starts, ends = np.triu_indices(m + 1, 1)
            cost = price * ((starts > 0).astype(float) + (ends < m))
        sum_k, sum_n = np.concatenate([[0], np.cumsum(hits)]), np.concatenate([[0], np.cumsum(counts)])
        in_k, in_n = sum_k[ends] - sum_k[starts], sum_n[ends] - sum_n[starts]
        gain = np.where((in_n >= least) & (cost > 0), _ratio(in_k, in_n, total_k, total_n) - cost, -np.inf)
        top = int(gain.argmax())
        if gain[top] > best:
            best, side = float(gain[top]), Side(kind, int(starts[top]), int((ends[top] - 1) % m))
    return side


def _fold(values: Array) -> Array:
    """Sums over bins of the absolute value, of bins from -180 to 180."""
    half = len(values) // 2
    folded: Array = values[half:] + values[:half][::-1]
    return folded


def _holds(grid: Grid, side: Side) -> Mask:
    bins, codes = len(grid.edges) - 1, grid.codes
    if side.kind == "mirror":
        half = bins // 2
        codes = np.where(codes >= half, codes - half, half - 1 - codes)
    elif side.first > side.last:
        wrapped: Mask = (codes >= side.first) | (codes <= side.last)
        return wrapped
    held: Mask = (codes >= side.first) & (codes <= side.last)
    return held


def _fails(grid: Grid, side: Side | None) -> Mask:
    return np.zeros(len(grid.codes), dtype=bool) if side is None else ~_holds(grid, side)


def _likelihood(k: ArrayLike, n: ArrayLike) -> Array:
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    value: Array = xlogy(k, k / np.maximum(n, 1)) + xlogy(n - k, (n - k) / np.maximum(n, 1))
    return value


def _ratio(k: ArrayLike, n: ArrayLike, total_k: float, total_n: float) -> Array:
    """Log-likelihood ratio of two rates against one; 0 where the rate inside is not the higher one."""
    k, n = np.asarray(k, dtype=float), np.asarray(n, dtype=float)
    rest_k, rest_n = total_k - k, total_n - n
    gain = _likelihood(k, n) + _likelihood(rest_k, rest_n) - _likelihood(total_k, total_n)
    higher = k * np.maximum(rest_n, 1) > rest_k * np.maximum(n, 1)
    ratio: Array = np.where(higher & (rest_n > 0), gain, 0.0)
    return ratio


def _sharpen(box: Box, coarse: Field, fine: Field) -> tuple[Box, bool]:
    """``box`` in degrees instead of 5 degrees where rounding costs it a tenth or more; and whether it does."""
    none = np.zeros(len(coarse.misread), dtype=bool)
    sharp = _refine(fine, _hull(fine, coarse.within(box)), ~none)
    again = _refine(coarse, _hull(coarse, fine.within(sharp)), ~none)
    box = max(box, again, key=lambda b: _gain(coarse, b, none))
    if any(sharp) and _gain(fine, sharp, none) > _FINER * _gain(coarse, box, none):
        return sharp, True
    return box, False
