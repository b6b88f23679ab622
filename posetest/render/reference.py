"""The slow renderer that the fast ones are held against: plain numpy in float64, supersampled, no approximations.

Every sample is decided by itself: three planes through the camera and a face's edges, the inverse depth, level 0 of the
texture, the exact sRGB curve. What the fast renderer does with mip levels and silhouette edges happens here by
averaging samples, in linear light. Meant for small pictures of small meshes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.camera import Views, focal_px
from posetest.protocols import Rendered
from posetest.render.checks import check_frame, check_views
from posetest.render.cpu.textures import linear_to_srgb, srgb_to_linear
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture, Wrap
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]

NEAR = 0.01
BLEND_CUTOFF = 0.5

#: How many frames around the frame's centre the silhouette is measured over, and samples per side for that.
REACH = 8.0
REACH_SAMPLES = 320


@dataclass(frozen=True, eq=False)
class _Samples:
    """Rays of one view: directions [s, 3] with unit depth, x right, y down, z forward; frame coordinates in pixels."""

    x_px: Array
    y_px: Array
    directions: Array


@dataclass(frozen=True, eq=False)
class _Hits:
    """What the samples see: face (-1: nothing) and barycentric coordinates [s, 3]."""

    face: NDArray[np.int64]
    weights: Array


class ReferenceRenderer:
    """Draws like ``CpuRenderer``, with ``samples`` x ``samples`` rays a pixel."""

    def __init__(self, mesh: Mesh, background: Background | None = None, *, samples: int = 8) -> None:
        self._mesh = mesh
        self._background = background if background is not None else Background()
        self._samples = samples

    def render(self, views: Views, height: int, width: int, *, mask: bool = False) -> Rendered:
        """Pictures of ``views``; digests are left at zero.

        Raises:
            ConfigError: as ``CpuRenderer.render``.
        """
        check_frame(height, width)
        check_views(views, self._background.count)
        behind = srgb_to_linear(self._background.images(height, width).astype(np.float64))
        count, per_side = len(views), self._samples
        images = np.zeros((count, 3, height, width))
        covered = np.zeros((count, 1, height, width))
        inside, long_px = np.zeros(count), np.zeros(count)
        for i in range(count):
            samples = _samples(views, i, height, width, (0, 0, width, height), (height * per_side, width * per_side))
            hits = _trace(self._mesh, views, i, samples)
            seen = (hits.face >= 0).astype(np.float64)
            color = np.zeros((len(seen), 3))
            color[hits.face >= 0] = _shade(self._mesh, views, i, hits)
            blocks = (height, per_side, width, per_side)
            covered[i, 0] = seen.reshape(blocks).mean(axis=(1, 3))
            light = color.reshape(*blocks, 3).mean(axis=(1, 3)).transpose(2, 0, 1)
            images[i] = linear_to_srgb(light + (1 - covered[i]) * behind[views.background[i]])
            inside[i] = _inside(self._mesh, views, i, height, width)
            long_px[i] = _long_side(covered[i, 0] >= 0.5)
        return Rendered(
            images.astype(np.float32),
            covered.astype(np.float32) if mask else None,
            inside.astype(np.float32),
            covered.sum(axis=(1, 2, 3)).astype(np.float32),
            long_px.astype(np.float32),
            np.zeros(count, dtype=np.uint64),
        )


def _samples(
    views: Views, i: int, height: int, width: int, box: tuple[float, float, float, float], grid: tuple[int, int]
) -> _Samples:
    """Rays through the cells of a ``grid`` (rows, columns) over ``box`` (left, top, right, bottom) in pixels."""
    focal = float(focal_px(views.fov[i : i + 1], height, width)[0])
    x_px = box[0] + (np.arange(grid[1]) + 0.5) / grid[1] * (box[2] - box[0])
    y_px = box[1] + (np.arange(grid[0]) + 0.5) / grid[0] * (box[3] - box[1])
    x_all, y_all = (a.reshape(-1) for a in np.meshgrid(x_px, y_px))
    directions = np.stack([(x_all - width / 2) / focal, (y_all - height / 2) / focal, np.ones_like(x_all)], axis=1)
    return _Samples(x_all, y_all, directions)


def _corners(mesh: Mesh, views: Views, i: int) -> Array:
    """[f, 3, 3] corners in the frame of the rays."""
    verts = mesh.verts_obj.astype(np.float64) @ views.rotation[i].T + views.position[i]
    corners: Array = (verts * (1, -1, -1))[mesh.faces]
    return corners


def _trace(mesh: Mesh, views: Views, i: int, samples: _Samples) -> _Hits:
    """The nearest face along each ray whose alpha is not cut away.

    For corners a, b, c the ray d meets the plane at a d = wa a + wb b + wc c with wa = d.(b x c) / a.(b x c).
    """
    corners = _corners(mesh, views, i)
    nearest = np.zeros(len(samples.directions))
    face = np.full(len(nearest), -1, dtype=np.int64)
    weights = np.zeros((len(nearest), 3))
    for f, (a, b, c) in enumerate(corners):
        if max(a[2], b[2], c[2]) < NEAR:
            continue
        normals = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
        volume = float(a @ normals[0])
        material = mesh.materials[mesh.face_material[f]]
        is_front = volume < 0  # the rays' frame is the camera's turned about x, seen along +z
        if volume == 0 or not (is_front or material.two_sided):
            continue
        near_rays = _may_hit(corners[f], samples)
        if not len(near_rays):
            continue
        parts = samples.directions[near_rays] @ normals.T / volume
        inverse_depth = parts.sum(axis=1)
        is_hit = (parts >= 0).all(axis=1) & (inverse_depth > nearest[near_rays]) & (inverse_depth < 1 / NEAR)
        at, inner = near_rays[is_hit], parts[is_hit] / inverse_depth[is_hit, None]
        kept = _is_kept(mesh, f, material, inner)
        nearest[at[kept]], face[at[kept]] = inverse_depth[is_hit][kept], f
        weights[at[kept]] = inner[kept]
    return _Hits(face, weights)


def _may_hit(corners: Array, samples: _Samples) -> NDArray[np.int64]:
    """Rays within the bounds of a face's picture; all of them if it reaches behind the camera."""
    if corners[:, 2].min() < NEAR:
        return np.arange(len(samples.directions))
    flat = corners[:, :2] / corners[:, 2:]
    low, high = flat.min(axis=0), flat.max(axis=0)
    rays = samples.directions[:, :2]
    return np.flatnonzero(((rays >= low) & (rays <= high)).all(axis=1))


def _is_kept(mesh: Mesh, f: int, material: Material, weights: Array) -> NDArray[np.bool_]:
    if material.alpha_mode == "opaque":
        return np.ones(len(weights), dtype=bool)
    cutoff = BLEND_CUTOFF if material.alpha_mode == "blend" else material.alpha_cutoff
    alpha = material.base_color[3] * (weights @ mesh.colors[f, :, 3].astype(np.float64))
    if material.texture is not None:
        alpha = alpha * _lookup(material.texture, weights @ mesh.uv[f].astype(np.float64))[:, 3]
    kept: NDArray[np.bool_] = alpha >= cutoff
    return kept


def _shade(mesh: Mesh, views: Views, i: int, hits: _Hits) -> Array:
    """Linear colours [k, 3] of the samples that see something."""
    is_seen = hits.face >= 0
    face, weights = hits.face[is_seen], hits.weights[is_seen, :, None]
    uv = (weights * mesh.uv[face]).sum(axis=1)
    vertex_color = (weights * mesh.colors[face]).sum(axis=1)[:, :3]
    normal = (weights * mesh.normals[face]).sum(axis=1) @ views.rotation[i].T
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    corners = _corners(mesh, views, i)[face]
    volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum(axis=1)
    normal = np.where((volume > 0)[:, None], -normal, normal)
    light = np.tile(views.ambient[i], (len(face), 1))
    for direction, strength in zip(views.light_dirs[i], views.light_colors[i], strict=True):
        light = light + np.maximum(normal @ direction, 0)[:, None] * strength
    color = np.zeros((len(face), 3))
    for number, material in enumerate(mesh.materials):
        mine = mesh.face_material[face] == number
        base = vertex_color[mine] * material.base_color[:3]
        if material.texture is not None:
            base = base * _lookup(material.texture, uv[mine])[:, :3]
        glow = np.tile(np.asarray(material.emissive, dtype=np.float64), (int(mine.sum()), 1))
        if material.emissive_texture is not None:
            glow = glow * _lookup(material.emissive_texture, uv[mine])[:, :3]
        color[mine] = base * light[mine] + glow
    return np.clip(color, 0, 1)


def _lookup(texture: Texture, uv: Array) -> Array:
    """Linear RGBA [k, 4], bilinear between the four texels around (u, v)."""
    rgba = texture.image.astype(np.float64) / 255
    rgba[..., :3] = srgb_to_linear(rgba[..., :3])
    height, width = rgba.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    part_x, part_y = (x - column)[:, None], (y - row)[:, None]
    color = np.zeros((len(uv), 4))
    for step_y, weight_y in ((0, 1 - part_y), (1, part_y)):
        for step_x, weight_x in ((0, 1 - part_x), (1, part_x)):
            texel = rgba[
                _wrapped(row + step_y, height, texture.wrap_v), _wrapped(column + step_x, width, texture.wrap_u)
            ]
            color += weight_y * weight_x * texel
    return color


def _wrapped(index: NDArray[np.int64], size: int, wrap: Wrap) -> NDArray[np.int64]:
    if wrap == "clamp":
        return np.clip(index, 0, size - 1)
    if wrap == "repeat":
        return index % size
    folded = index % (2 * size)
    return np.where(folded < size, folded, 2 * size - 1 - folded)


def _inside(mesh: Mesh, views: Views, i: int, height: int, width: int) -> float:
    """The part of the silhouette, measured over REACH frames, that lies in the frame."""
    corners = _corners(mesh, views, i)
    is_two_sided = np.array([m.two_sided for m in mesh.materials])[mesh.face_material]
    volume = (corners[:, 0] * np.cross(corners[:, 1], corners[:, 2])).sum(axis=1)
    if not ((volume < 0) | is_two_sided).any():
        return 0.0
    low = np.array([0.5 * width, 0.5 * height]) * (1 - REACH)
    high = np.array([0.5 * width, 0.5 * height]) * (1 + REACH)
    if corners[..., 2].min() > NEAR:
        focal = float(focal_px(views.fov[i : i + 1], height, width)[0])
        places = corners[..., :2] / corners[..., 2:] * focal + (width / 2, height / 2)
        low, high = np.maximum(low, places.min(axis=(0, 1))), np.minimum(high, places.max(axis=(0, 1)))
        if (low >= 0).all() and (high <= (width, height)).all():
            return 1.0
    if not (high - low > 1e-6).all():
        return 0.0
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    samples = _samples(views, i, height, width, box, (REACH_SAMPLES, REACH_SAMPLES))
    is_seen = _trace(mesh, views, i, samples).face >= 0
    is_in = (samples.x_px >= 0) & (samples.x_px < width) & (samples.y_px >= 0) & (samples.y_px < height)
    return float((is_seen & is_in).sum() / max(is_seen.sum(), 1))


def _long_side(is_covered: NDArray[np.bool_]) -> float:
    if not is_covered.any():
        return 0.0
    rows, columns = np.flatnonzero(is_covered.any(axis=1)), np.flatnonzero(is_covered.any(axis=0))
    return float(max(np.ptp(rows), np.ptp(columns)) + 1)


def without_lights(views: Views) -> Views:
    """``views`` under plain white ambient light of strength one: base colours as they are."""
    count = len(views)
    return replace(
        views,
        light_dirs=np.zeros((count, 0, 3)),
        light_colors=np.zeros((count, 0, 3)),
        ambient=np.ones((count, 3)),
    )
