"""A stand-in for the parts of PyTorch3D that our back end calls: brute force in torch, from what its documents say.

PyTorch3D is installed almost nowhere. With this the back end's own work (conventions, shading, layers, gradients) is
tested everywhere; where the real one is there, the two are held against each other.
"""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor


class Meshes:
    """Triangle soups: ``verts`` [3 f, 3] and ``faces`` [f, 3] of each view."""

    def __init__(self, verts: list[Tensor], faces: list[Tensor]) -> None:
        self.corners = [v[f] for v, f in zip(verts, faces, strict=True)]


class Fragments(NamedTuple):
    pix_to_face: Tensor
    zbuf: Tensor
    bary_coords: Tensor
    dists: Tensor


def rasterize_meshes(
    meshes: Meshes,
    *,
    image_size: tuple[int, int],
    blur_radius: float,
    faces_per_pixel: int,
    max_faces_per_bin: int,
    perspective_correct: bool,
    clip_barycentric_coords: bool,
    cull_backfaces: bool,
    z_clip_value: float | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Packed face numbers, depths, weights and signed squared distances [n, h, w, k]; empty places hold -1."""
    assert perspective_correct
    assert clip_barycentric_coords
    assert not cull_backfaces
    assert max_faces_per_bin >= max(len(corners) for corners in meshes.corners)
    height, width = image_size
    short = min(height, width)
    x = (width - 2 * torch.arange(width) - 1) / short  # their +x points left
    y = (height - 2 * torch.arange(height) - 1) / short
    samples = torch.stack([x.expand(height, width), y[:, None].expand(height, width)], dim=-1).reshape(-1, 1, 2)
    views, first = [], 0
    for corners in meshes.corners:
        views.append(_one_view(samples, corners, blur_radius, faces_per_pixel, z_clip_value or 0.0, first))
        first += len(corners)
    face, depth, weights, distance = (torch.stack(parts) for parts in zip(*views, strict=True))
    shape = (len(views), height, width, faces_per_pixel)
    return face.reshape(shape), depth.reshape(shape), weights.reshape(*shape, 3), distance.reshape(shape)


def _one_view(
    samples: Tensor, corners: Tensor, blur_radius: float, keep: int, near: float, first: int
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    count, faces = len(samples), len(corners)
    points = torch.cat([corners[..., :2] * corners[..., 2:], corners[..., 2:]], dim=-1)
    a, b, c = points.unbind(dim=1)
    across = torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)], dim=1)
    volume = (a * across[:, 0]).sum(dim=-1)
    rays = torch.cat([samples, torch.ones(count, 1, 1)], dim=-1)
    parts = (rays[:, :, None] * across).sum(dim=-1) / torch.where(volume == 0, 1.0, volume)[:, None]
    inverse = parts.sum(dim=-1)
    is_inside = (parts > 0).all(dim=-1) & (inverse > 0) & (volume != 0)
    is_in_front = (corners[..., 2] > near).all(dim=1)
    distance = _outline_distance(samples, corners[..., :2])
    is_near = is_in_front & (distance < blur_radius) & (inverse > 0)
    weights = parts / torch.where(inverse > 0, inverse, 1.0)[..., None]
    weights = weights.clamp(min=0)
    weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-5)
    depth = (weights * points[:, :, 2]).sum(dim=-1)
    is_met = (is_inside | is_near) & (depth > near)
    order = torch.where(is_met, depth, torch.inf).detach().sort(dim=1, stable=True).indices[:, :keep]
    order = torch.nn.functional.pad(order, (0, keep - order.shape[1]), value=0)
    is_kept = is_met.gather(1, order) & (torch.arange(keep) < faces)

    def kept(values: Tensor) -> Tensor:
        return torch.where(is_kept, values.gather(1, order), -1)

    signed = torch.where(is_inside, -distance, distance)
    chosen = torch.stack([kept(weights[..., k]) for k in range(3)], dim=-1)
    return torch.where(is_kept, order + first, -1), kept(depth), chosen, kept(signed)


def _outline_distance(samples: Tensor, corners: Tensor) -> Tensor:
    """[s, f]: squared distance from each sample to the outline of each triangle."""
    nearest = []
    for k in range(3):
        start, along = corners[:, k], corners[:, (k + 1) % 3] - corners[:, k]
        t = ((samples - start) * along).sum(dim=-1) / (along * along).sum(dim=-1).clamp(min=1e-12)
        nearest.append(((samples - start - t.clamp(0, 1)[..., None] * along) ** 2).sum(dim=-1))
    return torch.stack(nearest).amin(dim=0)


def softmax_rgb_blend(colors: Tensor, fragments: Fragments, parameters: Any, *, znear: Tensor, zfar: Tensor) -> Tensor:
    """RGBA [n, h, w, 4]: faces weigh by coverage times exp(nearness / gamma), the background by exp(0 / gamma)."""
    is_there = fragments.pix_to_face >= 0
    covers = torch.where(is_there, torch.sigmoid(-fragments.dists / parameters.sigma), 0.0)
    low, high = (z.reshape(-1, 1, 1, 1) for z in (znear, zfar))
    nearness = torch.where(is_there, (high - fragments.zbuf) / (high - low), 0.0)
    most = nearness.amax(dim=-1, keepdim=True).clamp(min=1e-10)
    weights = covers * torch.exp((nearness - most) / parameters.gamma)
    rest = torch.exp((1e-10 - most) / parameters.gamma).clamp(min=1e-10)
    mixed = (weights[..., None] * colors).sum(dim=-2) + rest * parameters.background_color
    seen = 1 - (1 - covers).prod(dim=-1, keepdim=True)
    return torch.cat([mixed / (weights.sum(dim=-1, keepdim=True) + rest), seen], dim=-1)


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts the stand-in in PyTorch3D's place."""

    def blend_params(**values: Any) -> SimpleNamespace:
        return SimpleNamespace(**values)

    contents: dict[str, dict[str, Any]] = {
        "pytorch3d": {"__version__": "0"},
        "pytorch3d._C": {},
        "pytorch3d.structures": {"Meshes": Meshes},
        "pytorch3d.renderer": {"rasterize_meshes": rasterize_meshes},
        "pytorch3d.renderer.blending": {"BlendParams": blend_params, "softmax_rgb_blend": softmax_rgb_blend},
        "pytorch3d.renderer.mesh": {},
        "pytorch3d.renderer.mesh.rasterizer": {"Fragments": Fragments},
    }
    for name, values in contents.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(values)
        monkeypatch.setitem(__import__("sys").modules, name, module)
