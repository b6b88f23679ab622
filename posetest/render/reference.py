"""The slow renderer that the fast ones are held against: plain torch in float64, supersampled, no approximations.

Every sample is a ray decided by itself: which faces it meets (``reference_trace``), what colour and opacity they have
there (``reference_shade``), and how all of them, in order, mix with what is behind. What the fast renderers do with mip
levels and outlines happens here by averaging samples. Meant for small pictures; differentiate it by finite differences.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import TracebackType
from typing import get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from posetest.config import Shading
from posetest.errors import ConfigError
from posetest.geometry.camera import Views, focal_px
from posetest.protocols import Rendered
from posetest.render.checks import check_frame, check_pictures, check_views
from posetest.render.reference_shade import Lights, Surface, linear_to_srgb, shade, srgb_to_linear, surface_of
from posetest.render.reference_trace import NEAR, Rays, find_hits, in_layers, rays_through, volumes
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh

#: How many frames around the frame's centre the silhouette is measured over, and samples per side for that.
REACH = 8.0
REACH_SAMPLES = 320
#: Rays of one band of the picture: what memory allows.
BAND = 1 << 18


class ReferenceRenderer:
    """Draws like ``CpuRenderer``, with ``samples`` x ``samples`` rays a pixel and any number of layers.

    ``shading`` is "linear" (light is added up linearly and encoded to sRGB at the end) or "gamma_free" (the same
    formulas on encoded values, as in the published protocol of 2019).

    Raises:
        ConfigError: ``samples`` below one, or an unknown ``shading``.
    """

    def __init__(
        self, mesh: Mesh, background: Background | None = None, *, samples: int = 8, shading: Shading = "linear"
    ) -> None:
        if samples < 1:
            raise ConfigError(f"samples must be at least 1, not {samples}")
        if shading not in get_args(Shading):
            raise ConfigError(f'shading must be one of {", ".join(get_args(Shading))}, not "{shading}"')
        self._surface = surface_of(mesh, is_linear=shading == "linear")
        self._background = background if background is not None else Background()
        self._samples = samples

    def render(
        self,
        views: Views,
        height: int,
        width: int,
        *,
        mask: bool = False,
        backgrounds: NDArray[np.float32] | None = None,
    ) -> Rendered:
        """Pictures of ``views``; digests are left at zero.

        Raises:
            ConfigError: as ``CpuRenderer.render``.
        """
        check_frame(height, width)
        check_views(views, self._background.count)
        behind = self._behind(views, height, width, backgrounds)
        count = len(views)
        images = torch.zeros(count, 3, height, width, dtype=torch.float32)
        through = torch.zeros(count, 1, height, width, dtype=torch.float32)
        inside = np.zeros(count, dtype=np.float32)
        for i in range(count):
            scene = _scene(self._surface, views, i)
            images[i], through[i] = self._draw(scene, views, i, behind[i])
            inside[i] = _inside(scene, views, i, height, width)
        covered = (1 - through).numpy()
        long_px = [_long_side(one[0] >= 0.5) for one in covered]
        return Rendered(
            images.numpy(),
            covered if mask else None,
            inside,
            covered.sum(axis=(1, 2, 3), dtype=np.float64).astype(np.float32),
            np.asarray(long_px, dtype=np.float32),
            np.zeros(count, dtype=np.uint64),
        )

    def close(self) -> None:
        """Nothing: there is nothing to give back."""

    def __enter__(self) -> ReferenceRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _behind(self, views: Views, height: int, width: int, given: NDArray[np.float32] | None) -> Tensor:
        """What is behind the object, float64 [n, 3, h, w], in the values that are mixed."""
        if given is None:
            pictures = self._background.images(height, width)[views.background]
        else:
            pictures = np.asarray(given)
            check_pictures("backgrounds", pictures, (len(views), 3, height, width))
        encoded = torch.from_numpy(pictures.astype(np.float64))
        return srgb_to_linear(encoded) if self._surface.is_linear else encoded

    def _draw(self, scene: _Scene, views: Views, i: int, behind: Tensor) -> tuple[Tensor, Tensor]:
        """The picture of view ``i`` [3, h, w] and what shows through the object [1, h, w], band by band."""
        height, width = behind.shape[1:]
        per_side = self._samples
        rows = max(1, BAND // (width * per_side**2))
        images, throughs = [], []
        for top in range(0, height, rows):
            bottom = min(top + rows, height)
            rays = rays_through(
                views, i, height, width, (0, top, width, bottom), ((bottom - top) * per_side, width * per_side)
            )
            color, through = _seen(scene, rays)
            cells = (bottom - top, per_side, width, per_side)
            mean = through.reshape(*cells).mean(dim=(1, 3))[None]
            light = color.reshape(*cells, 3).mean(dim=(1, 3)).permute(2, 0, 1) + mean * behind[:, top:bottom]
            images.append(linear_to_srgb(light) if self._surface.is_linear else light)
            throughs.append(mean)
        return torch.cat(images, dim=1), torch.cat(throughs, dim=1)


@dataclass(frozen=True, eq=False)
class _Scene:
    """A surface in front of the camera of one view: ``corners`` [f, 3, 3] in the camera frame."""

    surface: Surface
    lights: Lights
    rotation: Tensor
    corners: Tensor


def _scene(surface: Surface, views: Views, i: int) -> _Scene:
    rotation, position, directions, strengths, ambient = (
        torch.tensor(values[i], dtype=torch.float64)
        for values in (views.rotation, views.position, views.light_dirs, views.light_colors, views.ambient)
    )
    corners = (surface.verts_obj @ rotation.T + position)[surface.faces]
    return _Scene(surface, Lights(directions, strengths, ambient), rotation, corners)


def _seen(scene: _Scene, rays: Rays) -> tuple[Tensor, Tensor]:
    """What each ray sees of the object: colour [n, 3], weighted by opacity, and the part that shows through [n]."""
    color = torch.zeros(rays.count, 3, dtype=torch.float64)
    through = torch.ones(rays.count, dtype=torch.float64)
    hits = find_hits(scene.corners, scene.surface.is_two_sided, rays)
    for layer in in_layers(hits, rays.count):
        seen = layer[through[layer.ray] > 0]
        paint, alpha = shade(scene.surface, scene.lights, scene.rotation, rays, seen)
        color[seen.ray] += (through[seen.ray] * alpha)[:, None] * paint
        through[seen.ray] *= 1 - alpha
    return color, through


def _inside(scene: _Scene, views: Views, i: int, height: int, width: int) -> float:
    """The part of the silhouette, measured over REACH frames, that lies in the frame."""
    volume = volumes(scene.corners)
    if not ((volume < 0) | (scene.surface.is_two_sided & (volume > 0))).any():
        return 0.0
    low, high = (np.array([0.5 * width, 0.5 * height]) * (1 + side * REACH) for side in (-1, 1))
    depth = -scene.corners[..., 2]
    focal = float(focal_px(views.fov[i : i + 1], height, width)[0])
    if depth.min() > NEAR:
        flat = (scene.corners[..., :2] / depth[..., None]).numpy() * (focal, -focal) + (width / 2, height / 2)
        low, high = np.maximum(low, flat.min(axis=(0, 1))), np.minimum(high, flat.max(axis=(0, 1)))
        if (low >= 0).all() and (high <= (width, height)).all():
            return 1.0
    if not (high - low > 1e-6).all():
        return 0.0
    box = (float(low[0]), float(low[1]), float(high[0]), float(high[1]))
    rays = rays_through(views, i, height, width, box, (REACH_SAMPLES, REACH_SAMPLES))
    covered = 1 - _seen(scene, rays)[1].reshape(REACH_SAMPLES, REACH_SAMPLES)
    is_in = (rays.down.abs() * focal < height / 2)[:, None] & (rays.across.abs() * focal < width / 2)
    return float(covered[is_in].sum() / covered.sum().clamp(min=1e-12))


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
