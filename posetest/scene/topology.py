"""How triangles hang together: corners welded by position, connected pieces, and which of them are closed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def weld(corners: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Distinct positions float32 [v, 3], and faces int32 [f, 3] over them, of triangles float32 [f, 3, 3]."""
    flat = corners.reshape(-1, 3) + np.float32(0)  # -0 and 0 are one place
    order = np.lexsort((flat[:, 2], flat[:, 1], flat[:, 0]))
    is_new = np.ones(len(flat), dtype=bool)
    is_new[1:] = (flat[order][1:] != flat[order][:-1]).any(axis=1)
    index = np.empty(len(flat), dtype=np.int32)
    index[order] = (np.cumsum(is_new) - 1).astype(np.int32)
    return np.ascontiguousarray(flat[order][is_new]), index.reshape(-1, 3)


def has_area(corners: Floats) -> NDArray[np.bool_]:
    """Whether each triangle [f, 3, 3] is more than a line: height above its longest edge over 1e-12 of that edge."""
    edges = np.roll(corners, -1, axis=1) - corners
    longest = np.einsum("fij,fij->fi", edges, edges).max(axis=1)
    normal = np.cross(edges[:, 0], edges[:, 1])
    twice_area = np.sqrt(np.einsum("fi,fi->f", normal, normal))
    return np.asarray((longest > 0) & (twice_area > 1e-12 * longest), dtype=bool)


@dataclass(frozen=True, eq=False)
class Edges:
    """Half-edges of welded triangles, sorted so that those of one edge are neighbours.

    Attributes:
        face, corner: int64 [3f]; the half-edge runs from ``corner`` of ``face`` to the next corner.
        is_forward: bool [3f]; it runs from the lower to the higher vertex number.
        run: int64 [3f]; number of the undirected edge.
    """

    face: Ints
    corner: Ints
    is_forward: NDArray[np.bool_]
    run: Ints

    @property
    def pairs(self) -> Ints:
        """Places [p, 2] of neighbouring half-edges of one edge."""
        first = np.flatnonzero(self.run[1:] == self.run[:-1])
        return np.stack([first, first + 1], axis=1)


def edges_of(faces: NDArray[np.int32]) -> Edges:
    """The half-edges of ``faces`` int32 [f, 3]."""
    a = faces.astype(np.int64).reshape(-1)
    b = np.roll(faces, -1, axis=1).astype(np.int64).reshape(-1)
    key = np.minimum(a, b) * (int(faces.max(initial=0)) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    run = np.cumsum(np.concatenate([[0], (np.diff(key[order]) != 0).astype(np.int64)]))
    return Edges(order // 3, order % 3, (a < b)[order], run)


def pieces(edges: Edges, count: int) -> Ints:
    """The connected piece of each of ``count`` faces, int64 [f]; faces are connected that share an edge."""
    return components(edges.face[edges.pairs], count)


def components(links: Ints, count: int) -> Ints:
    """Labels int64 [count] of the connected components of the graph with edges ``links`` [n, 2]."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(len(links), dtype=np.int8)
    graph = coo_array((ones, (links[:, 0], links[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def closed_volumes(corners: Floats, piece: Ints, edges: Edges) -> Floats:
    """Signed volume of each closed and consistently wound piece, NaN for the others; float64 [pieces].

    Closed: every edge has two faces that run along it in opposite directions. Negative: wound inside out.
    """
    count = int(piece.max(initial=-1)) + 1
    sizes = np.bincount(edges.run)
    forward = np.bincount(edges.run, weights=edges.is_forward)
    is_good = (sizes == 2) & (forward == 1)
    is_open = np.zeros(count, dtype=bool)
    is_open[piece[edges.face[~is_good[edges.run]]]] = True
    number = np.bincount(piece, minlength=count)[:, None]
    centre = np.stack([np.bincount(piece, corners.mean(axis=1)[:, k], count) for k in range(3)], axis=1) / number
    local = corners - centre[piece][:, None, :]
    six = np.einsum("fi,fi->f", local[:, 0], np.cross(local[:, 1], local[:, 2]))
    volume = np.bincount(piece, six / 6.0, count)
    return np.where(is_open, np.nan, volume)


def inside_out(corners: Floats, piece: Ints, volumes: Floats) -> NDArray[np.bool_]:
    """Which faces belong to closed pieces wound inside out; bool [f].

    A piece of negative volume within the bounds of one of positive volume is the wall of a cavity, right as it is.
    """
    count = len(volumes)
    low, high = np.full((count, 3), np.inf), np.full((count, 3), -np.inf)
    np.minimum.at(low, piece, corners.min(axis=1))
    np.maximum.at(high, piece, corners.max(axis=1))
    thin = 1e-9 * np.prod(np.maximum(high - low, 1e-9), axis=1)
    is_out, is_in = volumes > thin, volumes < -thin
    for number in np.flatnonzero(is_in):
        around = (low[is_out] < low[number]).all(axis=1) & (high[is_out] > high[number]).all(axis=1)
        is_in[number] = not around.any()
    return np.asarray(is_in[piece], dtype=bool)
