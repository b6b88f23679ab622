"""Surfaces in front of lights: colour and opacity where rays meet a mesh, level 0 of its textures, in float64."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from posetest.render.reference_trace import Hits, Rays, dot
from posetest.scene.material import Highlight, Material, Texture, Wrap, highlight
from posetest.scene.mesh import Mesh

#: Lengths below this are taken for zero when a vector is normalised.
TINY = 1e-12


def srgb_to_linear(encoded: Tensor) -> Tensor:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return torch.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055).clamp(min=0) / 1.055) ** 2.4)


def linear_to_srgb(linear: Tensor) -> Tensor:
    """sRGB of linear light in [0, 1] (IEC 61966-2-1)."""
    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055)


@dataclass(frozen=True, eq=False)
class _Picture:
    """Texels [h, w, 4]: linear light, or as encoded where shading is gamma-free; alpha; row 0 is at v = 1."""

    texels: Tensor
    wrap_u: Wrap
    wrap_v: Wrap


@dataclass(frozen=True, eq=False)
class _Paint:
    """A material in the values that are shaded."""

    material: Material
    highlight: Highlight
    base: Tensor
    emissive: Tensor
    texture: _Picture | None
    emissive_texture: _Picture | None


@dataclass(frozen=True, eq=False)
class Surface:
    """A mesh as tensors: float64 but for ``faces``, ``paint_of`` [f] and ``is_two_sided`` [f]."""

    verts_obj: Tensor
    faces: Tensor
    uv: Tensor
    normals: Tensor
    colors: Tensor
    paint_of: Tensor
    is_two_sided: Tensor
    paints: tuple[_Paint, ...]
    is_linear: bool


def surface_of(mesh: Mesh, *, is_linear: bool) -> Surface:
    """``mesh`` in linear values, or with all its colours encoded to sRGB; vertex colours are encoded by corner."""

    def values(linear: object) -> Tensor:
        """Linear values in those that are shaded; a fourth channel stays as it is."""
        tensor = torch.as_tensor(np.asarray(linear, dtype=np.float64))
        return tensor if is_linear else torch.cat([linear_to_srgb(tensor[..., :3]), tensor[..., 3:]], dim=-1)

    def picture(texture: Texture | None) -> _Picture | None:
        if texture is None:
            return None
        texels = torch.from_numpy(texture.image.astype(np.float64) / 255)
        if is_linear:
            texels = torch.cat([srgb_to_linear(texels[..., :3]), texels[..., 3:]], dim=-1)
        return _Picture(texels, texture.wrap_u, texture.wrap_v)

    paints = tuple(
        _Paint(
            m, highlight(m), values(m.base_color), values(m.emissive), picture(m.texture), picture(m.emissive_texture)
        )
        for m in mesh.materials
    )
    paint_of = torch.from_numpy(mesh.face_material.astype(np.int64))
    return Surface(
        torch.from_numpy(mesh.verts_obj.astype(np.float64)),
        torch.from_numpy(mesh.faces.astype(np.int64)),
        torch.from_numpy(mesh.uv.astype(np.float64)),
        torch.from_numpy(mesh.normals.astype(np.float64)),
        values(mesh.colors),
        paint_of,
        torch.tensor([m.two_sided for m in mesh.materials])[paint_of],
        paints,
        is_linear,
    )


@dataclass(frozen=True, eq=False)
class Lights:
    """What one view is lit by, camera frame: directions towards the lights and their strengths [k, 3], ambient [3]."""

    directions: Tensor
    strengths: Tensor
    ambient: Tensor


def shade(surface: Surface, lights: Lights, rotation: Tensor, rays: Rays, hits: Hits) -> tuple[Tensor, Tensor]:
    """Colours [n, 3] and opacities [n] of the surface, turned by ``rotation`` [3, 3], at ``hits``.

    The formula stands in ``posetest.scene.material.Highlight``; colours are clipped to [0, 1].
    """
    weights = hits.weights[..., None]
    uv, vertex_color, normal_obj = (
        (weights * values[hits.face]).sum(dim=1) for values in (surface.uv, surface.colors, surface.normals)
    )
    normal = normalize(normal_obj @ rotation.T, dim=1, eps=TINY)
    normal = torch.where(hits.is_back[:, None], -normal, normal)
    to_camera = normalize(-rays.directions(hits.ray), dim=1)
    color, alpha = torch.zeros_like(normal), torch.ones(len(normal), dtype=torch.float64)
    paint_of = surface.paint_of[hits.face]
    for number in torch.unique(paint_of).tolist():
        mine, paint = paint_of == number, surface.paints[number]
        base = paint.base * vertex_color[mine] * _lookup(paint.texture, uv[mine])
        glow = paint.emissive * _lookup(paint.emissive_texture, uv[mine])[:, :3]
        diffuse, mirrored = _light(lights, paint.highlight, normal[mine], to_camera[mine])
        metalness, specular = paint.highlight.metalness, torch.tensor(paint.highlight.specular, dtype=torch.float64)
        rgb = base[:, :3]
        lit = rgb * (1 - metalness) * diffuse + (specular + rgb * metalness) * mirrored + glow
        color[mine] = lit.clamp(0, 1)
        if paint.material.alpha_mode == "mask":
            alpha[mine] = (base[:, 3] >= paint.material.alpha_cutoff).double()
        elif paint.material.alpha_mode == "blend":
            alpha[mine] = base[:, 3].clamp(0, 1)
    return color, alpha


def _light(lights: Lights, lobe: Highlight, normal: Tensor, to_camera: Tensor) -> tuple[Tensor, Tensor]:
    """Light that a surface scatters evenly, and light that it mirrors towards the camera, each [n, 3]."""
    diffuse = mirrored = lights.ambient.expand(len(normal), 3)
    for direction, strength in zip(lights.directions, lights.strengths, strict=True):
        arriving = dot(normal, direction).clamp(min=0)[:, None] * strength
        halfway = normalize(direction + to_camera, dim=1, eps=TINY)
        peak = lobe.scale * dot(normal, halfway).clamp(min=0) ** lobe.exponent
        diffuse = diffuse + arriving
        mirrored = mirrored + arriving * peak[:, None]
    return diffuse, mirrored


def _lookup(picture: _Picture | None, uv: Tensor) -> Tensor:
    """RGBA [n, 4], bilinear between the four texels around (u, v); white where there is no picture."""
    if picture is None:
        return torch.ones(len(uv), 4, dtype=torch.float64)
    height, width = picture.texels.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    column, row = x.floor().long(), y.floor().long()
    part_x, part_y = (x - column)[:, None], (y - row)[:, None]
    color = torch.zeros(len(uv), 4, dtype=torch.float64)
    for step_y, weight_y in ((0, 1 - part_y), (1, part_y)):
        for step_x, weight_x in ((0, 1 - part_x), (1, part_x)):
            rows = _wrapped(row + step_y, height, picture.wrap_v)
            color += weight_y * weight_x * picture.texels[rows, _wrapped(column + step_x, width, picture.wrap_u)]
    return color


def _wrapped(index: Tensor, size: int, wrap: Wrap) -> Tensor:
    """Texel numbers within the picture. Source: OpenGL 4.6 core specification, table 8.20."""
    if wrap == "clamp":
        return index.clamp(0, size - 1)
    if wrap == "repeat":
        return index % size
    folded = index % (2 * size)
    return torch.where(folded < size, folded, 2 * size - 1 - folded)
