"""One chunk of views drawn with PyTorch3D, as a function that torch can differentiate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from posetest.render.differentiable import PoseTensors
from posetest.render.pytorch3d import conventions
from posetest.render.pytorch3d.conventions import Fragments, Window
from posetest.render.pytorch3d.look import Hits, Lights, linear_to_srgb, prepare_look, shade, srgb_to_linear
from posetest.render.pytorch3d.options import DEPTH_RANGE, NEAR, SoftOptions
from posetest.scene.mesh import Mesh

#: Relative difference in depth up to which two faces that a sample meets on their edges are one surface.
_SAME_DEPTH = 1e-4


class Drawing:
    """A mesh on a device, ready to be drawn."""

    def __init__(
        self,
        mesh: Mesh,
        device: torch.device,
        *,
        is_linear: bool,
        soft: SoftOptions | None,
        samples: int,
        layers: int,
    ) -> None:
        self._corners_obj = torch.as_tensor(mesh.verts_obj.astype(np.float64)[mesh.faces], device=device)
        self._look = prepare_look(mesh, device, is_linear=is_linear)
        used = set(np.unique(mesh.face_material).tolist())
        materials = [m for number, m in enumerate(mesh.materials) if number in used]
        is_two_sided = np.array([m.two_sided for m in mesh.materials])[mesh.face_material]
        is_blended = np.array([m.alpha_mode == "blend" for m in mesh.materials])[mesh.face_material]
        self._is_two_sided = torch.as_tensor(is_two_sided, device=device)
        self._is_blended = torch.as_tensor(is_blended, device=device)
        self._is_linear = is_linear
        self._soft = soft
        self._samples = samples
        has_alpha = any(m.alpha_mode != "opaque" for m in materials)
        self._hard_layers = layers if has_alpha else 1

    @property
    def faces_per_sample(self) -> int:
        """How many faces a sample keeps."""
        return self._hard_layers if self._soft is None else self._soft.faces_per_pixel

    def corners_cam(self, poses: PoseTensors) -> Tensor:
        """[n, f, 3, 3] corners of the faces in the camera frame."""
        turned = torch.einsum("fkj,nij->nfki", self._corners_obj, poses.rotation)
        return turned + poses.position[:, None, None]

    def draw(self, poses: PoseTensors, behind: Tensor, height: int, width: int) -> tuple[Tensor, Tensor]:
        """Pictures [n, 3, h, w] (sRGB) over ``behind`` [n, 3, h, w] (sRGB), and coverage [n, h, w]."""
        side = self._samples
        window = conventions.whole_frame(height, width, side)
        light = (srgb_to_linear(behind) if self._is_linear else behind).permute(0, 2, 3, 1)
        light = light.repeat_interleave(side, dim=1).repeat_interleave(side, dim=2)
        color, cover = self._seen(poses, self.corners_cam(poses), window, light, self._soft)
        color = _block_means(color.permute(0, 3, 1, 2), side)
        image = linear_to_srgb(color) if self._is_linear else color
        return image.clamp(0, 1), _block_means(cover[:, None], side)[:, 0]

    def shows_faces(self, poses: PoseTensors) -> bool:
        """Whether any face of any view is turned so that it is drawn."""
        return bool(self._is_wanted(conventions.facing(self.corners_cam(poses))).any())

    def _is_wanted(self, facing: Tensor) -> Tensor:
        return (facing > 0) | ((facing < 0) & self._is_two_sided)

    def silhouette(self, poses: PoseTensors, window: Window) -> Tensor:
        """[n, h, w] coverage of ``window`` with hard edges."""
        behind = torch.zeros(len(poses.rotation), window.height, window.width, 3, device=poses.rotation.device)
        return self._seen(poses, self.corners_cam(poses), window, behind, None)[1]

    def _seen(
        self, poses: PoseTensors, corners_cam: Tensor, window: Window, behind: Tensor, soft: SoftOptions | None
    ) -> tuple[Tensor, Tensor]:
        """Colours [n, h, w, 3] over ``behind`` in the space of the shading, and coverage [n, h, w]."""
        facing = conventions.facing(corners_cam).detach()
        count = self._hard_layers if soft is None else soft.faces_per_pixel
        blur = 0.0 if soft is None else soft.blur_radius
        fragments = conventions.rasterize(
            corners_cam,
            poses.fov,
            self._is_wanted(facing),
            window,
            count,
            blur,
            has_own_weights=soft is None or soft.blend == "coverage",
        )
        rgba = self._shaded(poses, corners_cam, facing, fragments, window)
        is_there = (fragments.face >= 0) & (rgba[..., 3].detach() > 0)
        is_blended = is_there & self._is_blended[fragments.face.clamp(min=0)]
        solid = replace(fragments, face=torch.where(is_there & ~is_blended, fragments.face, -1))
        if soft is None:
            color, cover = _nearest(rgba[..., :3], solid, behind)
        else:
            distance = -poses.position[:, 2].detach().to(torch.float32)
            color, cover = conventions.softmax_blend(
                rgba[..., :3],
                solid if soft.has_depth_gradient else replace(solid, depth=solid.depth.detach()),
                behind,
                sigma=soft.sigma,
                gamma=soft.gamma,
                depth_range=(distance - DEPTH_RANGE / 2, distance + DEPTH_RANGE / 2),
            )
            if soft.blend == "coverage":
                color = torch.lerp(behind, color, cover[..., None])
        if not bool(is_blended.any()):
            return color, cover
        return _overlaid(color, cover, rgba, is_blended, solid, fragments)

    def _shaded(
        self, poses: PoseTensors, corners_cam: Tensor, facing: Tensor, fragments: Fragments, window: Window
    ) -> Tensor:
        """RGBA [n, h, w, k, 4] of every fragment; zero where there is none."""
        flat = fragments.face.reshape(-1)
        at = (flat >= 0).nonzero()[:, 0]
        face, view = flat[at], at // (flat.numel() // len(poses.rotation))
        weights = fragments.weights.reshape(-1, 3)[at]
        corners = corners_cam[view, face].to(torch.float32)
        point = (weights[..., None] * corners).sum(dim=1)
        with torch.no_grad():
            fov = poses.fov.to(torch.float32)[view]
            samples_per_px = window.width / (window.high[0] - window.low[0])
            focal = min(window.frame) / 2 / torch.tan(fov / 2) * samples_per_px
            uv_by_px = _uv_by_px(corners, weights, self._look.uv[face], focal)
        hits = Hits(view, face, weights, point, facing[view, face] < 0, uv_by_px)
        lights = Lights(
            *(t.to(torch.float32) for t in (poses.rotation, poses.light_dirs, poses.light_colors, poses.ambient))
        )
        rgba = torch.zeros(flat.numel(), 4, device=flat.device).index_add(0, at, shade(self._look, hits, lights))
        return rgba.reshape(*fragments.face.shape, 4)


def _uv_by_px(corners: Tensor, weights: Tensor, uv: Tensor, focal: Tensor) -> Tensor:
    """[m, 2, 2]: by how much (u, v), last, change from sample to sample along x and along y.

    The ray d = (x, y, -1) meets the plane of corners a, b, c with weights d.(b x c), d.(c x a), d.(a x b) over their
    sum; the quotient rule does the rest.
    """
    a, b, c = corners.unbind(dim=1)
    normals = torch.stack([torch.linalg.cross(b, c), torch.linalg.cross(c, a), torch.linalg.cross(a, b)], dim=1)
    total = normals.sum(dim=1)
    point = (weights[..., None] * corners).sum(dim=1)
    ray = point / -point[:, 2:].clamp(max=-NEAR)
    over = (ray * total).sum(dim=1)
    over = torch.where(over.abs() < 1e-20, 1e-20, over)
    by_xy = (normals[..., :2] - weights[..., None] * total[:, None, :2]) / (over * focal)[:, None, None]
    return (by_xy[..., None] * uv[:, :, None]).sum(dim=1)


def _block_means(planes: Tensor, side: int) -> Tensor:
    """[n, c, h, w] means over blocks of ``side`` x ``side``."""
    return planes if side == 1 else torch.nn.functional.avg_pool2d(planes, side)


def _nearest(color: Tensor, solid: Fragments, behind: Tensor) -> tuple[Tensor, Tensor]:
    """Colours [n, h, w, 3] of the first fragment of each sample over ``behind``, and coverage [n, h, w]."""
    is_solid = solid.face >= 0
    first = is_solid.to(torch.uint8).argmax(dim=-1, keepdim=True)
    nearest = color.gather(3, first[..., None].expand(*first.shape, 3))[..., 0, :]
    cover = is_solid.any(dim=-1)
    return torch.where(cover[..., None], nearest, behind), cover.to(color.dtype)


def _overlaid(
    color: Tensor, cover: Tensor, rgba: Tensor, is_blended: Tensor, solid: Fragments, fragments: Fragments
) -> tuple[Tensor, Tensor]:
    """``color`` and ``cover`` under the blended fragments in front of the nearest solid one, in exact order.

    Their outlines are hard. A sample on the edge between two faces meets both; the second is left out.
    """
    inside = fragments.distance <= conventions.ON_EDGE
    wall = torch.where((solid.face >= 0) & inside, fragments.depth, torch.inf).amin(dim=-1, keepdim=True)
    on_edge = (fragments.distance.abs() < conventions.ON_EDGE) & (fragments.face >= 0)
    is_again = torch.zeros_like(is_blended)
    step = (fragments.depth[..., 1:] - fragments.depth[..., :-1]).abs()
    is_again[..., 1:] = on_edge[..., 1:] & on_edge[..., :-1] & (step < _SAME_DEPTH * fragments.depth[..., 1:])
    is_laid = is_blended & inside & (fragments.depth <= wall) & ~is_again
    alpha = rgba[..., 3] * is_laid
    for k in reversed(range(alpha.shape[-1])):
        color = torch.lerp(color, rgba[..., k, :3], alpha[..., k, None])
        cover = 1 - (1 - cover) * (1 - alpha[..., k])
    return color, cover
