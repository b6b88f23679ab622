"""Rays and triangles: which rays of a grid meet which faces, exactly, in float64.

The planes through the camera and a face's edges say whether a ray meets the face, without clipping and wherever its
corners lie. Hits on an edge that two faces share belong to exactly one of them, so that a surface has no cracks and is
never met twice at one place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from posetest.geometry.camera import Views, focal_px

#: Nothing nearer than this, in object units along the optical axis, is met.
NEAR = 0.01
#: Pairs of a face and a ray that are looked at together: what memory allows.
BLOCK = 1 << 19


@dataclass(frozen=True, eq=False)
class Rays:
    """A grid of rays, row after row: slopes x / depth of its columns and y / depth, downwards, of its rows."""

    across: Tensor
    down: Tensor

    @property
    def count(self) -> int:
        """How many rays there are."""
        return len(self.across) * len(self.down)

    def directions(self, ray: Tensor) -> Tensor:
        """[n, 3] of unit depth, camera frame."""
        across, down = self.across[ray % len(self.across)], self.down[ray // len(self.across)]
        return torch.stack([across, -down, -torch.ones_like(across)], dim=1)


def rays_through(
    views: Views, i: int, height: int, width: int, box: tuple[float, float, float, float], grid: tuple[int, int]
) -> Rays:
    """Rays through the centres of a ``grid`` (rows, columns) of cells over ``box`` (left, top, right, bottom), px."""
    focal = float(focal_px(views.fov[i : i + 1], height, width)[0])
    x = box[0] + (torch.arange(grid[1], dtype=torch.float64) + 0.5) / grid[1] * (box[2] - box[0])
    y = box[1] + (torch.arange(grid[0], dtype=torch.float64) + 0.5) / grid[0] * (box[3] - box[1])
    return Rays((x - width / 2) / focal, (y - height / 2) / focal)


@dataclass(frozen=True, eq=False)
class Hits:
    """Where rays meet faces.

    Attributes:
        ray, face: int64 [n].
        weights: [n, 3] of the face's corners, summing to one.
        inverse_depth: [n], one over the distance along the optical axis.
        is_back: bool [n], the face is seen from its back.
    """

    ray: Tensor
    face: Tensor
    weights: Tensor
    inverse_depth: Tensor
    is_back: Tensor

    def __getitem__(self, rows: Tensor) -> Hits:
        columns = (self.ray, self.face, self.weights, self.inverse_depth, self.is_back)
        return Hits(*(column[rows] for column in columns))


def in_layers(hits: Hits, rays: int) -> Iterator[Hits]:
    """The first hit of every ray, then the second, and so on; each layer holds a ray at most once."""
    nearest_first = torch.argsort(hits.inverse_depth, descending=True, stable=True)
    order = nearest_first[torch.argsort(hits.ray[nearest_first], stable=True)]
    per_ray = torch.bincount(hits.ray, minlength=rays)
    place = torch.arange(len(order)) - (per_ray.cumsum(0) - per_ray)[hits.ray[order]]
    for k in range(int(per_ray.max()) if len(order) else 0):
        yield hits[order[place == k]]


def find_hits(corners: Tensor, is_two_sided: Tensor, rays: Rays) -> Hits:
    """All hits on faces with ``corners`` [f, 3, 3], camera frame, beyond NEAR; backs only where ``is_two_sided`` [f].

    For corners a, b, c the ray d meets their plane at depth t where d t = wa a + wb b + wc c. With the volume
    v = a.(b x c), wa = t d.(b x c) / v and so on in turn; the weights sum to one, so d.(b x c) / v and the other two
    sum to 1 / t. The face is met where all three are positive. v is negative where the front is seen. Source: Olano and
    Greer, Triangle scan conversion using 2D homogeneous coordinates, Graphics Hardware 1997, doi:10.1145/258694.258723.
    """
    a, b, c = corners.unbind(1)
    planes = torch.stack([_cross(b, c), _cross(c, a), _cross(a, b)], dim=1)
    volume = volumes(corners)
    planes = planes * volume.sign()[:, None, None]  # the inside is positive
    x, y, z = planes.unbind(2)
    is_owner = (x > 0) | ((x == 0) & ((y > 0) | ((y == 0) & (z > 0))))  # of an edge: one of the two faces beside it
    is_drawn = (volume < 0) | ((volume > 0) & is_two_sided)
    found = []
    for face, ray in _candidates(corners, is_drawn, rays):
        parts = dot(rays.directions(ray)[:, None], planes[face])
        inverse_depth = parts.sum(dim=1) / volume[face].abs()
        is_in = ((parts > 0) | ((parts == 0) & is_owner[face])).all(dim=1)
        is_hit = is_in & (inverse_depth > 0) & (inverse_depth < 1 / NEAR)
        weights = parts[is_hit] / parts[is_hit].sum(dim=1, keepdim=True)
        found.append((ray[is_hit], face[is_hit], weights, inverse_depth[is_hit], volume[face[is_hit]] > 0))
    return Hits(*(torch.cat(columns) for columns in zip(*found, strict=True)))


def _candidates(corners: Tensor, is_drawn: Tensor, rays: Rays) -> Iterator[tuple[Tensor, Tensor]]:
    """Pairs of a face and a ray that may meet, in blocks; the first block may be empty."""
    depth = -corners[..., 2]
    is_drawn = is_drawn & (depth.max(dim=1).values > NEAR)
    flat = corners[..., :2] / depth.clamp(min=NEAR)[..., None]
    low, high = flat.min(dim=1).values - 1e-9, flat.max(dim=1).values + 1e-9
    is_whole = depth.min(dim=1).values < NEAR  # its picture has no bounds that its corners would tell
    starts, sizes = [], []
    for slopes, least, most in ((rays.down, -high[:, 1], -low[:, 1]), (rays.across, low[:, 0], high[:, 0])):
        start = torch.searchsorted(slopes, least.contiguous()).masked_fill(is_whole, 0)
        stop = torch.searchsorted(slopes, most.contiguous(), right=True).masked_fill(is_whole, len(slopes))
        starts.append(start)
        sizes.append((stop - start) * is_drawn)
    pairs = sizes[0] * sizes[1]
    block_of = pairs.cumsum(0) // BLOCK
    yield torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    for block in torch.unique(block_of[pairs > 0]).tolist():
        mine = torch.nonzero((block_of == block) & (pairs > 0))[:, 0]
        face = torch.repeat_interleave(mine, pairs[mine])
        place = torch.arange(len(face)) - (pairs[mine].cumsum(0) - pairs[mine]).repeat_interleave(pairs[mine])
        row = starts[0][face] + place // sizes[1][face]
        column = starts[1][face] + place % sizes[1][face]
        yield face, row * len(rays.across) + column


def volumes(corners: Tensor) -> Tensor:
    """Six times the volume [f] between the camera and faces with ``corners`` [f, 3, 3]: negative where fronts show."""
    return dot(corners[:, 0], _cross(corners[:, 1], corners[:, 2]))


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products over the last axis.

    Written out, like the cross product, so that every product is rounded by itself: the planes through an edge that two
    faces share must be exact opposites, which fused or reordered sums do not promise.
    """
    return a[..., 0] * b[..., 0] + a[..., 1] * b[..., 1] + a[..., 2] * b[..., 2]


def _cross(a: Tensor, b: Tensor) -> Tensor:
    (ax, ay, az), (bx, by, bz) = a.unbind(-1), b.unbind(-1)
    return torch.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], dim=-1)
