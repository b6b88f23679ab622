"""Where in a face a sample lies, and how far from its outline, in plain torch.

Inside a face this is what PyTorch3D gives, but its gradient on a CPU takes ten times as long as the picture. Outside,
where soft edges need it, PyTorch3D prolongs the face's plane to the sample, divides by the depth found there and cuts
negative weights off. For a face seen nearly edge-on the plane has run past the camera within a pixel: the weights are
then of the wrong corners, and their slopes, divided by that depth squared, reach a thousand times those of the picture.
The nearest point of the outline is well defined for every face and moves no faster than its edge.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Least squared length of an edge that is divided by.
_TINY = 1e-12


def weights_at(samples: Tensor, corners: Tensor, depth: Tensor, is_inside: Tensor) -> tuple[Tensor, Tensor]:
    """Perspective-correct weights [m, 3] of each sample, and its squared distance [m] to the outline, negative inside.

    ``samples`` [m, 2] and ``corners`` [m, 3, 2] are in one plane of projection, ``depth`` [m, 3] is the corners',
    and ``is_inside`` [m] says where samples are. Differentiable in corners and depth.
    """
    outer, squared = _nearest_on_outline(samples, corners, depth)
    weights = torch.where(is_inside[:, None], _inside(samples, corners, depth, is_inside), outer)
    return weights, torch.where(is_inside, -squared, squared)


def _inside(samples: Tensor, corners: Tensor, depth: Tensor, is_inside: Tensor) -> Tensor:
    """Weights [m, 3] where ``is_inside``; ones elsewhere."""
    away = corners - samples[:, None]
    following, last = away.roll(-1, dims=1), away.roll(-2, dims=1)
    areas = following[..., 0] * last[..., 1] - following[..., 1] * last[..., 0]
    parts = areas / depth
    parts = torch.where(is_inside[:, None], parts, 1.0)
    return parts / parts.sum(dim=1, keepdim=True)


def _nearest_on_outline(samples: Tensor, corners: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [m, 3] of the outline's point nearest to each sample, and the squared distance [m] to it."""
    along = corners.roll(-1, dims=1) - corners
    part = ((samples[:, None] - corners) * along).sum(dim=2) / (along * along).sum(dim=2).clamp(min=_TINY)
    part = part.clamp(0, 1)
    squared = ((samples[:, None] - corners - part[..., None] * along) ** 2).sum(dim=2)
    edge = squared.detach().argmin(dim=1, keepdim=True)
    on_edge = part.gather(1, edge)
    corner, following = edge, (edge + 1) % 3
    near, far = (1 - on_edge) * depth.gather(1, following), on_edge * depth.gather(1, corner)
    weights = torch.zeros_like(depth).scatter_add(1, corner, near).scatter_add(1, following, far)
    return weights / (near + far), squared.gather(1, edge)[:, 0]
