"""Where our conventions meet PyTorch3D's: the one module that knows both.

    what                 here                                    PyTorch3D
    view frame           +x right, +y up, looks along -z         +x left, +y up, looks along +z
    points               columns, v' = R v + t                   rows, v' = v R + t
    normalised frame     pixels, y down, (0, 0) top left         +x left, +y up, the shorter side spans [-1, 1]
    field of view        of the shorter side                     the same
    depth                -z of the camera frame                  z of the view frame
    near plane           NEAR                                    any; half of a camera's znear unless told
    back faces           by material                             all drawn, or none
    texture              texels' centres half a texel inside     centres of the outer texels on the picture's corners
    outside a texture    repeat, clamp or mirror                 clamp

A point is turned by pi about the y axis to get from our camera frame to theirs. We hand over triangles that are
already in their normalised frame, so their cameras, which cannot hold a field of view for each view beside a near
plane of ours, are not needed; and we read our own textures, so their texture conventions do not matter either.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from posetest.render.pytorch3d.options import NEAR
from posetest.render.pytorch3d.weights import weights_at

#: Squared distance, in units of the shorter side's half, within which a pixel's centre counts as on a face. Without it
#: a centre exactly on an edge belongs to neither face.
ON_EDGE = 1e-8
#: Least |depth| that is divided by; their clipping multiplies by it again.
_TINY_DEPTH = 1e-6


@dataclass(frozen=True, eq=False)
class Window:
    """The part of the image plane that is drawn, and how finely.

    Attributes:
        height, width: samples.
        low, high: [2] x and y of its upper left and lower right corners, pixels of the frame.
        frame: height and width of the frame in pixels.
    """

    height: int
    width: int
    low: tuple[float, float]
    high: tuple[float, float]
    frame: tuple[int, int]


def whole_frame(height: int, width: int, samples: int) -> Window:
    """The window of a whole picture with ``samples`` x ``samples`` samples a pixel."""
    return Window(height * samples, width * samples, (0.0, 0.0), (float(width), float(height)), (height, width))


@dataclass(frozen=True, eq=False)
class Fragments:
    """What each sample sees, nearest first; k faces a sample. Empty places hold face -1.

    Attributes:
        face: int64 [n, h, w, k], index into the mesh's faces.
        depth: [n, h, w, k], object units.
        weights: [n, h, w, k, 3], perspective-correct barycentric coordinates.
        distance: [n, h, w, k], squared distance to the face's outline, negative inside, in units of half the window's
            shorter side.
    """

    face: Tensor
    depth: Tensor
    weights: Tensor
    distance: Tensor


def camera_to_pytorch3d(points_cam: Tensor) -> Tensor:
    """[..., 3] points of our camera frame in PyTorch3D's view frame."""
    return points_cam * points_cam.new_tensor((-1.0, 1.0, -1.0))


def camera_to_px(points_cam: Tensor, fov: Tensor, height: int, width: int) -> Tensor:
    """[n, ..., 2] pixel coordinates (x right, y down) of [n, ..., 3] points; ``fov`` [n] in radians.

    Points behind the camera come out mirrored, as PyTorch3D's clipping expects them.
    """
    depth = -points_cam[..., 2:]
    depth = torch.where(depth.abs() < _TINY_DEPTH, torch.where(depth < 0, -_TINY_DEPTH, _TINY_DEPTH), depth)
    focal = min(height, width) / 2 / torch.tan(fov / 2)
    focal = focal.reshape(-1, *[1] * (points_cam.dim() - 1))
    flat = points_cam[..., :2] * points_cam.new_tensor((1.0, -1.0)) / depth
    return points_cam.new_tensor((width / 2, height / 2)) + focal * flat


def px_to_pytorch3d(points_px: Tensor, window: Window) -> Tensor:
    """[..., 2] pixel coordinates of the frame in PyTorch3D's normalised frame of ``window``."""
    low, high = points_px.new_tensor(window.low), points_px.new_tensor(window.high)
    half = points_px.new_tensor((window.width, window.height)) / min(window.height, window.width)
    return (1 - 2 * (points_px - low) / (high - low)) * half


def facing(corners_cam: Tensor) -> Tensor:
    """[n, f], positive for faces that show their front, negative for backs: the signed volume towards the camera."""
    a, b, c = corners_cam.unbind(dim=-2)
    volume: Tensor = (a * torch.linalg.cross(b, c)).sum(dim=-1)
    return -volume


def rasterize(
    corners_cam: Tensor,
    fov: Tensor,
    is_wanted: Tensor,
    window: Window,
    faces_per_sample: int,
    blur_radius: float,
    *,
    has_own_weights: bool = False,
) -> Fragments:
    """What each sample of ``window`` sees of the faces that ``is_wanted`` [n, f]; ``corners_cam`` is [n, f, 3, 3].

    Differentiable in ``corners_cam`` and ``fov``: depth, weights and distance, as PyTorch3D defines them. A sample
    outside a face sees it too up to the squared distance ``blur_radius``. With ``has_own_weights`` the three are
    computed by ``weights_at`` instead: the same inside a face, steadier outside, and with a faster gradient.
    """
    places = px_to_pytorch3d(camera_to_px(corners_cam, fov, *window.frame), window)
    depth = camera_to_pytorch3d(corners_cam)[..., 2:]
    chosen = is_wanted & _may_be_seen(places.detach(), depth.detach(), window, blur_radius)
    count = len(corners_cam)
    if not bool(chosen.any()):
        return _nothing(count, window, faces_per_sample, corners_cam)
    theirs = torch.cat([places, depth], dim=-1).to(torch.float32)
    per_view = [theirs[i][chosen[i]] for i in range(count)]
    is_cut = bool((depth.detach()[chosen] < NEAR).any())
    most = max(len(faces) for faces in per_view)
    # their gradient takes ten times as long as the picture on a CPU: not asked for where we have one of our own
    handed = [faces.detach() for faces in per_view] if has_own_weights and not is_cut else per_view
    face, zbuf, weights, distance = _module("pytorch3d.renderer").rasterize_meshes(
        _meshes(handed),
        image_size=(window.height, window.width),
        blur_radius=max(blur_radius, ON_EDGE),
        faces_per_pixel=faces_per_sample,
        max_faces_per_bin=max(most, 1),  # their default drops faces of dense meshes from crowded bins
        perspective_correct=True,
        clip_barycentric_coords=True,
        cull_backfaces=False,
        z_clip_value=NEAR if is_cut else None,
    )
    packed_to_face = chosen.nonzero()[:, 1]
    found = torch.where(face >= 0, packed_to_face[face.clamp(min=0)], face)
    fragments = Fragments(found, zbuf, weights, distance)
    return _with_own_weights(fragments, face, torch.cat(per_view), window) if has_own_weights else fragments


def _with_own_weights(fragments: Fragments, packed: Tensor, theirs: Tensor, window: Window) -> Fragments:
    """``fragments`` with weights, depths and distances by ``weights_at``.

    ``packed`` [n, h, w, k] are rows of ``theirs`` [p, 3, 3]. Faces that reach behind the near plane stay as they are.
    """
    is_ours = (packed >= 0) & (theirs[..., 2].detach().amin(dim=1) >= NEAR)[packed.clamp(min=0)]
    at = is_ours.nonzero()
    corners = theirs[packed[is_ours]]
    size = theirs.new_tensor((window.width, window.height))
    samples = (size - 2 * at[:, [2, 1]] - 1) / size.amin()
    is_inside = fragments.distance.detach()[is_ours] < 0
    weights, distance = weights_at(samples, corners[..., :2], corners[..., 2], is_inside)
    index = (is_ours,)
    return Fragments(
        fragments.face,
        fragments.depth.index_put(index, (weights * corners[..., 2]).sum(dim=1)),
        fragments.weights.index_put(index, weights),
        fragments.distance.index_put(index, distance),
    )


def _may_be_seen(places: Tensor, depth: Tensor, window: Window, blur_radius: float) -> Tensor:
    """[n, f]: in front of the near plane, and not wholly beside the window."""
    half = places.new_tensor((window.width, window.height)) / min(window.height, window.width)
    half = half + max(blur_radius, ON_EDGE) ** 0.5
    is_beside = (places.amin(dim=2) > half) | (places.amax(dim=2) < -half)
    nearest, farthest = depth[..., 0].amin(dim=2), depth[..., 0].amax(dim=2)
    is_seen: Tensor = (farthest > NEAR) & ((nearest < NEAR) | ~is_beside.any(dim=-1))
    return is_seen


def _meshes(per_view: list[Tensor]) -> Any:
    """Their structure of one soup of triangles [f, 3, 3] for each view."""
    return _module("pytorch3d.structures").Meshes(
        verts=[corners.reshape(-1, 3) for corners in per_view],
        faces=[torch.arange(3 * len(corners), device=corners.device).reshape(-1, 3) for corners in per_view],
    )


def _nothing(count: int, window: Window, faces_per_sample: int, like: Tensor) -> Fragments:
    shape = (count, window.height, window.width, faces_per_sample)
    empty = torch.full(shape, -1.0, dtype=torch.float32, device=like.device)
    face = torch.full(shape, -1, dtype=torch.int64, device=like.device)
    return Fragments(face, empty, empty[..., None].expand(*shape, 3), empty)


def softmax_blend(
    colors: Tensor,
    fragments: Fragments,
    behind: Tensor,
    *,
    sigma: float,
    gamma: float,
    depth_range: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    """PyTorch3D's soft compositing: colours [n, h, w, 3] over ``behind`` and coverage [n, h, w].

    ``depth_range`` holds two [n] depths whose difference gamma is a fraction of; what is beyond the second is not seen.

    Source: Liu et al., Soft Rasterizer, ICCV 2019, doi 10.1109/ICCV.2019.00780.
    """
    blending = _module("pytorch3d.renderer.blending")
    theirs = _module("pytorch3d.renderer.mesh.rasterizer").Fragments(
        pix_to_face=fragments.face, zbuf=fragments.depth, bary_coords=fragments.weights, dists=fragments.distance
    )
    parameters = blending.BlendParams(sigma=sigma, gamma=gamma, background_color=behind)
    rgba = blending.softmax_rgb_blend(colors, theirs, parameters, znear=depth_range[0], zfar=depth_range[1])
    return rgba[..., :3], rgba[..., 3]


def _module(name: str) -> Any:
    """A module of PyTorch3D, which has no type hints and need not be there when this file is checked."""
    return importlib.import_module(name)
