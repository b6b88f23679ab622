"""Rotations that autograd flows through: the torch twins of what optimisers need of ``so3``.

Same conventions: v' = R v, quaternions w, x, y, z. Kept apart so that whoever draws poses need not import torch.
"""

from __future__ import annotations

import torch
from torch import Tensor


def skew(vectors: Tensor) -> Tensor:
    """[..., 3, 3], the matrices [v]x of ``vectors`` [..., 3]: [v]x u is the cross product of v and u."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*vectors.shape, 3)


def tangent_to_matrix(tangent: Tensor) -> Tensor:
    """Rotation matrices [..., 3, 3], exp([w]x), of tangent vectors w [..., 3]: a turn by |w| radians about w.

    Differentiable everywhere, at w = 0 as well.
    """
    matrix: Tensor = torch.linalg.matrix_exp(skew(tangent))
    return matrix


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """Rotation matrices [..., 3, 3] of quaternions [..., 4] (w, x, y, z), normalised first; not defined at 0."""
    w, x, y, z = (quaternion / quaternion.norm(dim=-1, keepdim=True)).unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
        *(2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
        *(2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, dim=-1).reshape(*quaternion.shape[:-1], 3, 3)
