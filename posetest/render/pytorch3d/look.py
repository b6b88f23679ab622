"""Colours of fragments in plain torch: textures with mip levels, materials and lights, in our own camera frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from posetest.scene.material import Highlight, Material, Texture, Wrap, highlight
from posetest.scene.mesh import Mesh

#: Levels by which textures are read finer than their footprint asks for, as the CPU renderer does.
SHARPEN = 1.0
#: Least footprint, in texels, whose logarithm is taken.
_LEAST_FOOTPRINT = 1e-6
#: Least cosine that is raised to a power, for slopes that stay finite.
_LEAST_COSINE = 1e-6


@dataclass(frozen=True, eq=False)
class Picture:
    """A texture's mip levels, [1, 4, h + 2, w + 2] each: RGBA in the space of the shading, bordered as it wraps."""

    levels: tuple[Tensor, ...]
    wrap_u: Wrap
    wrap_v: Wrap


@dataclass(frozen=True, eq=False)
class Surface:
    """A material, ready to shade. ``factor`` [4] and ``emissive`` [3] are in the space of the shading."""

    picture: Picture | None
    glow_picture: Picture | None
    factor: Tensor
    emissive: Tensor
    gloss: Highlight
    alpha_mode: str
    alpha_cutoff: float


@dataclass(frozen=True, eq=False)
class Look:
    """A mesh's attributes, [f, 3, ...] a corner, and its surfaces."""

    uv: Tensor
    normals: Tensor
    colors: Tensor
    face_material: Tensor
    surfaces: tuple[Surface, ...]


@dataclass(frozen=True, eq=False)
class Hits:
    """m points where samples meet faces.

    Attributes:
        view, face: int64 [m].
        weights: [m, 3], barycentric coordinates.
        point_cam: [m, 3].
        is_back: bool [m], whether the face shows its back.
        uv_by_px: [m, 2, 2], how (u, v), last, changes from sample to sample along x and y; carries no gradient.
    """

    view: Tensor
    face: Tensor
    weights: Tensor
    point_cam: Tensor
    is_back: Tensor
    uv_by_px: Tensor


@dataclass(frozen=True, eq=False)
class Lights:
    """Rotations [n, 3, 3] from the object to the camera frame, and the lights as in ``Views``."""

    rotation: Tensor
    light_dirs: Tensor
    light_colors: Tensor
    ambient: Tensor


def srgb_to_linear(encoded: Tensor) -> Tensor:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1); its slope is finite everywhere."""
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: Tensor) -> Tensor:
    """sRGB of linear light in [0, 1] (IEC 61966-2-1); its slope is finite everywhere."""
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


def prepare_look(mesh: Mesh, device: torch.device, *, is_linear: bool) -> Look:
    """What shading needs of ``mesh``, on ``device``; colours linear, or encoded as sRGB where not ``is_linear``."""

    def tensor(values: object) -> Tensor:
        return torch.as_tensor(np.asarray(values), dtype=torch.float32, device=device)

    def shaded(linear: Tensor) -> Tensor:
        return linear if is_linear else torch.cat([linear_to_srgb(linear[..., :3]), linear[..., 3:]], dim=-1)

    def surface(material: Material) -> Surface:
        is_alpha_used = material.alpha_mode != "opaque"
        return Surface(
            _picture(material.texture, device, is_linear=is_linear, is_alpha_used=is_alpha_used),
            _picture(material.emissive_texture, device, is_linear=is_linear, is_alpha_used=False),
            shaded(tensor(material.base_color)),
            shaded(tensor(material.emissive)),
            highlight(material),
            material.alpha_mode,
            material.alpha_cutoff,
        )

    face_material = torch.as_tensor(mesh.face_material.astype(np.int64), device=device)
    surfaces = tuple(surface(m) for m in mesh.materials)
    return Look(tensor(mesh.uv), tensor(mesh.normals), shaded(tensor(mesh.colors)), face_material, surfaces)


def _picture(texture: Texture | None, device: torch.device, *, is_linear: bool, is_alpha_used: bool) -> Picture | None:
    if texture is None:
        return None
    rgba = torch.as_tensor(texture.image.astype(np.float32) / 255, device=device).permute(2, 0, 1)[None]
    if is_linear:
        rgba = torch.cat([srgb_to_linear(rgba[:, :3]), rgba[:, 3:]], dim=1)
    chain = [rgba]
    while max(chain[-1].shape[2:]) > 1:
        chain.append(_halved(chain[-1], is_alpha_used=is_alpha_used))
    levels = tuple(_bordered(level, texture.wrap_u, texture.wrap_v) for level in chain)
    return Picture(levels, texture.wrap_u, texture.wrap_v)


def _halved(rgba: Tensor, *, is_alpha_used: bool) -> Tensor:
    """The next mip level; where alpha counts, what is transparent lends no colour."""
    size = (max(rgba.shape[2] // 2, 1), max(rgba.shape[3] // 2, 1))
    plain = functional.adaptive_avg_pool2d(rgba, size)
    if not is_alpha_used:
        return plain
    alpha = plain[:, 3:]
    weighted = functional.adaptive_avg_pool2d(rgba[:, :3] * rgba[:, 3:], size)
    return torch.cat([torch.where(alpha > 1e-4, weighted / alpha.clamp(min=1e-4), plain[:, :3]), alpha], dim=1)


def _bordered(level: Tensor, wrap_u: Wrap, wrap_v: Wrap) -> Tensor:
    """``level`` with one texel more on every side: what a sample across the border sees."""
    rows = functional.pad(level, (0, 0, 1, 1), mode="circular" if wrap_v == "repeat" else "replicate")
    return functional.pad(rows, (1, 1, 0, 0), mode="circular" if wrap_u == "repeat" else "replicate")


def fold(coordinate: Tensor, wrap: Wrap) -> Tensor:
    """Texture coordinates brought into [0, 1] as the texture wraps."""
    if wrap == "clamp":
        return coordinate.clamp(0, 1)
    if wrap == "repeat":
        return coordinate - torch.floor(coordinate)
    return (coordinate - 2 * torch.floor(coordinate / 2 + 0.5)).abs()


def look_up(picture: Picture, uv: Tensor, uv_by_px: Tensor) -> Tensor:
    """RGBA [m, 4] at ``uv`` [m, 2], trilinear between the mip levels that ``uv_by_px`` [m, 2, 2] asks for."""
    height, width = (side - 2 for side in picture.levels[0].shape[2:])
    footprint = (uv_by_px * uv_by_px.new_tensor((width, height))).norm(dim=-1).amax(dim=-1)
    level = (torch.log2(footprint.clamp(min=_LEAST_FOOTPRINT)) - SHARPEN).clamp(0, len(picture.levels) - 1)
    folded = torch.stack([fold(uv[:, 0], picture.wrap_u), 1 - fold(uv[:, 1], picture.wrap_v)], dim=1)
    rgba = uv.new_zeros(len(uv), 4)
    for number, texels in enumerate(picture.levels):
        weight = (1 - (level - number).abs()).clamp(min=0)
        at = weight.nonzero()[:, 0]
        if len(at):
            rgba = rgba.index_add(0, at, weight[at, None] * _bilinear(texels, folded[at]))
    return rgba


def _bilinear(texels: Tensor, folded: Tensor) -> Tensor:
    """RGBA [m, 4] at coordinates in [0, 1] (right, down) of a level with its border."""
    size = texels.new_tensor((texels.shape[3], texels.shape[2]))
    grid = 2 * (folded * (size - 2) + 1) / size - 1
    read = functional.grid_sample(texels, grid[None, None], mode="bilinear", padding_mode="border", align_corners=False)
    return read[0, :, 0].T


def shade(look: Look, hits: Hits, lights: Lights) -> Tensor:
    """RGBA [m, 4] of ``hits``: lit colour clipped to [0, 1], and alpha, which is 1 or 0 unless the material blends.

    Differentiable in weights, points and lights. See ``posetest.scene.material.Highlight`` for the formula.
    """
    uv, own = _interpolated(look.uv, hits), _interpolated(look.colors, hits)
    normal = _normals(look, hits, lights)
    diffuse = _diffuse(normal, hits.view, lights)
    material = look.face_material[hits.face]
    rgba = torch.zeros_like(own)
    for number, surface in enumerate(look.surfaces):
        at = (material == number).nonzero()[:, 0]
        if not len(at):
            continue
        base = own[at] * surface.factor
        if surface.picture is not None:
            base = base * look_up(surface.picture, uv[at], hits.uv_by_px[at])
        color = base[:, :3] * (1 - surface.gloss.metalness) * diffuse[at]
        if not surface.gloss.is_matte:
            head_on = base[:, :3] * surface.gloss.metalness + base.new_tensor(surface.gloss.specular)
            color = color + head_on * _lobe(normal[at], hits.point_cam[at], hits.view[at], lights, surface.gloss)
        glow = surface.emissive.expand(len(at), 3)
        if surface.glow_picture is not None:
            glow = glow * look_up(surface.glow_picture, uv[at], hits.uv_by_px[at])[:, :3]
        drawn = torch.cat([(color + glow).clamp(0, 1), _alpha(surface, base[:, 3:])], dim=1)
        rgba = rgba.index_add(0, at, drawn)
    return rgba


def _interpolated(per_corner: Tensor, hits: Hits) -> Tensor:
    return (hits.weights[..., None] * per_corner[hits.face]).sum(dim=1)


def _normals(look: Look, hits: Hits, lights: Lights) -> Tensor:
    """Unit normals [m, 3] in the camera frame, on the side that is seen."""
    turned = (lights.rotation[hits.view] * _interpolated(look.normals, hits)[:, None]).sum(dim=-1)
    normal = functional.normalize(turned, dim=1)
    return torch.where(hits.is_back[:, None], -normal, normal)


def _diffuse(normal: Tensor, view: Tensor, lights: Lights) -> Tensor:
    """[m, 3]: ambient light and what falls on the surface from each light."""
    light = lights.ambient[view]
    for k in range(lights.light_dirs.shape[1]):
        falling = (normal * lights.light_dirs[view, k]).sum(dim=1, keepdim=True).clamp(min=0)
        light = light + falling * lights.light_colors[view, k]
    return light


def _lobe(normal: Tensor, point_cam: Tensor, view: Tensor, lights: Lights, gloss: Highlight) -> Tensor:
    """[m, 3]: ambient light and each light's highlight, before the reflectance."""
    to_camera = -functional.normalize(point_cam, dim=1)
    light = lights.ambient[view]
    for k in range(lights.light_dirs.shape[1]):
        direction = lights.light_dirs[view, k]
        falling = (normal * direction).sum(dim=1, keepdim=True).clamp(min=0)
        halfway = functional.normalize(direction + to_camera, dim=1)
        across = (normal * halfway).sum(dim=1, keepdim=True)
        peak = torch.where(across > 0, across.clamp(min=_LEAST_COSINE) ** gloss.exponent, 0.0)
        light = light + falling * gloss.scale * peak * lights.light_colors[view, k]
    return light


def _alpha(surface: Surface, alpha: Tensor) -> Tensor:
    if surface.alpha_mode == "blend":
        return alpha.clamp(0, 1)
    if surface.alpha_mode == "mask":
        return (alpha >= surface.alpha_cutoff).to(alpha.dtype)
    return torch.ones_like(alpha)
