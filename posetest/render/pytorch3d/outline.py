"""Weights of samples just outside a face, as soft edges need them: those of the outline's nearest point.

PyTorch3D prolongs a face's plane to the sample, divides by the depth found there and cuts negative weights off. For a
face seen nearly edge-on the plane has run past the camera within a pixel: the weights are then of the wrong corners,
and their slopes, divided by that depth squared, reach a thousand times those of the picture. The nearest point of the
outline is well defined for every face and moves no faster than its edge.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Least squared length of an edge that is divided by.
_TINY = 1e-12


def nearest_on_outline(samples: Tensor, corners: Tensor, depth: Tensor) -> tuple[Tensor, Tensor]:
    """Weights [m, 3] of the outline's point nearest to each sample, and the squared distance [m] to it.

    ``samples`` [m, 2] and ``corners`` [m, 3, 2] are in one plane of projection; ``depth`` [m, 3] of the corners makes
    the weights perspective-correct. Differentiable in all of them.
    """
    start, along = corners, corners.roll(-1, dims=1) - corners
    part = ((samples[:, None] - start) * along).sum(dim=2) / (along * along).sum(dim=2).clamp(min=_TINY)
    part = part.clamp(0, 1)
    squared = ((samples[:, None] - start - part[..., None] * along) ** 2).sum(dim=2)
    edge = squared.detach().argmin(dim=1, keepdim=True)
    on_edge = part.gather(1, edge)
    corner, following = edge, (edge + 1) % 3
    near, far = (1 - on_edge) * depth.gather(1, following), on_edge * depth.gather(1, corner)
    weights = torch.zeros_like(depth).scatter_add(1, corner, near).scatter_add(1, following, far)
    return weights / (near + far), squared.gather(1, edge)[:, 0]
