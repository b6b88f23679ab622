"""The PyTorch3D back end: posetest's views in, PyTorch3D's rasterizer and blending in between, pictures out.

It is here for people who work with PyTorch3D and want the same scenes drawn by it, hard or soft, on a CPU or a CUDA
device, and for comparing gradients. It is no fast renderer on a CPU, where PyTorch3D visits every face for every pixel.
"""

from __future__ import annotations

from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posetest.config import Shading
from posetest.errors import ConfigError
from posetest.geometry.camera import Views
from posetest.protocols import Rendered, ViewGradients
from posetest.render.checks import check_frame, check_pictures, check_views
from posetest.render.gradients import FIELDS
from posetest.render.pytorch3d.backend import usable_device
from posetest.render.pytorch3d.measures import GRID, digest, extent, inside_part, is_within, long_side
from posetest.render.pytorch3d.options import MAX_FACES_PER_PIXEL, SoftOptions
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh

if TYPE_CHECKING:  # torch takes a second to import
    from torch import Tensor

    from posetest.render.differentiable import PoseTensors

#: Memory on a CUDA device that one chunk of views may take, and what one fragment takes with its gradient, in bytes.
_CHUNK_BYTES = 2 << 30
_FRAGMENT_BYTES = 1 << 10


class Pytorch3dRenderer:
    """Draws one mesh in front of one background with PyTorch3D.

    Args:
        device: "cpu", "cuda" or "cuda:N". PyTorch3D must have been built for CUDA to draw on it.
        shading: "linear" or "gamma_free", as for ``CpuRenderer``.
        soft: soft edges, whose gradients see silhouettes move. None draws hard edges: gradients are then those of
            shading alone, which for poses often point the wrong way.
        samples: ``samples`` x ``samples`` samples a pixel, averaged in the space of the shading. Hard edges are
            antialiased by this alone.
        layers: how many faces a sample keeps where a material has alpha and edges are hard. Others keep one.

    "blend" materials are laid over the rest with hard outlines, also where ``soft`` is given. Faces smaller than 1e-8
    of the half frame's square are not drawn: PyTorch3D takes them for degenerate.

    Raises:
        BackendError: PyTorch3D is not installed, does not import, or cannot use ``device``.
        ConfigError: an option out of range.
    """

    def __init__(
        self,
        mesh: Mesh,
        background: Background | None = None,
        *,
        device: str = "cpu",
        shading: Shading = "linear",
        soft: SoftOptions | None = None,
        samples: int = 1,
        layers: int = 8,
    ) -> None:
        if shading not in ("linear", "gamma_free"):
            raise ConfigError(f'shading must be "linear" or "gamma_free", not "{shading}"')
        if not 1 <= samples <= 8:
            raise ConfigError(f"samples must be 1 to 8, not {samples}")
        if not 1 <= layers <= MAX_FACES_PER_PIXEL:
            raise ConfigError(f"layers must be 1 to {MAX_FACES_PER_PIXEL}, not {layers}")
        self._device = usable_device(device)
        from posetest.render.pytorch3d.drawing import Drawing

        self._drawing = Drawing(
            mesh, self._device, is_linear=shading == "linear", soft=soft, samples=samples, layers=layers
        )
        self._verts_obj = mesh.verts_obj.astype(np.float64)
        self._samples = samples
        self._read: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._background = background if background is not None else Background()

    def render(
        self,
        views: Views,
        height: int,
        width: int,
        *,
        mask: bool = False,
        backgrounds: NDArray[np.float32] | None = None,
    ) -> Rendered:
        """Pictures of ``views``. On a CPU the same bits for a view in any batch.

        ``inside`` counts a hard silhouette on a grid over its extent, cut at eight frames, and is exactly 1 where all
        vertices project into the frame. ``area_px`` sums the coverage; ``long_px`` is the longer side of the bounding
        box of pixels covered by half.

        Raises:
            ConfigError: arrays of the wrong shape, values that are not finite, no such background; names the view.
        """
        import torch

        behind = self._behind(views, height, width, backgrounds)
        count = len(views)
        images = np.empty((count, 3, height, width), dtype=np.float32)
        covers = np.empty((count, 1, height, width), dtype=np.float32)
        inside = np.empty(count, dtype=np.float32)
        with torch.no_grad():
            for rows in self._chunks(count, height, width):
                image, cover = self._drawing.draw(self._poses(views[rows]), self._tensor(behind[rows]), height, width)
                images[rows], covers[rows, 0] = image.cpu().numpy(), cover.cpu().numpy()
            for i in range(count):
                inside[i] = self._inside(views[i : i + 1], height, width)
        area = covers.sum(axis=(1, 2, 3), dtype=np.float64).astype(np.float32)
        long = np.array([long_side(cover[0] >= 0.5) for cover in covers], dtype=np.float32)
        digests = np.array([digest(image) for image in images], dtype=np.uint64)
        return Rendered(images, covers if mask else None, inside, area, long, digests)

    def render_tensors(
        self, poses: PoseTensors, height: int, width: int, *, backgrounds: Tensor | None = None
    ) -> Tensor:
        """Pictures, float32 [n, 3, h, w] in sRGB, that autograd follows back to ``poses`` as far as ``gradient`` does.

        ``backgrounds``, [n, 3, h, w] in sRGB, takes the place of the scene's and may require a gradient too. The graph
        of all views is held until it is released; ``render_images`` with this renderer holds one chunk at a time.

        Raises:
            ConfigError: a frame out of range, poses or backgrounds of the wrong shape.
        """
        import torch

        check_frame(height, width)
        whole = poses.expanded()
        shape = (len(whole.rotation), 3, height, width)
        if backgrounds is None:
            backgrounds = self._tensor(self._pictures(height, width)[whole.background.cpu().numpy()])
        if backgrounds.shape != shape:
            raise ConfigError(f"backgrounds must have the shape {shape}, not {tuple(backgrounds.shape)}")
        behind = backgrounds.to(self._device, torch.float32)
        numbers = {name: getattr(whole, name).to(self._device, torch.float64) for name in FIELDS}
        images = [
            self._drawing.draw(
                replace(whole, **{name: values[rows] for name, values in numbers.items()}), behind[rows], height, width
            )[0]
            for rows in self._chunks(shape[0], height, width)
        ]
        return torch.cat(images) if images else behind

    def gradient(
        self,
        views: Views,
        images: NDArray[np.float32],
        adjoints: NDArray[np.float32],
        *,
        backgrounds: NDArray[np.float32] | None = None,
        with_backgrounds: bool = False,
    ) -> ViewGradients:
        """The gradient of sum(adjoints * images) by autograd; ``images`` themselves are drawn anew.

        Exact for lights and backgrounds; the choice of mip levels is taken as fixed. For the pose, without ``soft``,
        silhouettes do not move; with it they do, blurred, and edges inside the object add noise. Judge it against
        differences before a search relies on it; with ``SoftOptions.blend`` "softmax" it is of no use.

        Raises:
            ConfigError: as ``render``; images or adjoints of another shape.
        """
        import torch

        shape = (len(views), 3, *adjoints.shape[2:])
        check_pictures("adjoints", adjoints, shape)
        check_pictures("images", images, shape)
        height, width = shape[2:]
        behind = self._behind(views, height, width, backgrounds)
        numbers = {name: np.zeros(getattr(views, name).shape) for name in FIELDS}
        numbers["rotation"] = np.zeros((len(views), 3))
        pictures = np.zeros(shape, dtype=np.float32) if with_backgrounds else None
        for rows in self._chunks(len(views), height, width):
            poses, picture = self._poses(views[rows]), self._tensor(behind[rows]).requires_grad_(with_backgrounds)
            turn = torch.zeros_like(poses.position)
            leaves = [turn, *(getattr(poses, name) for name in FIELDS[1:])]
            for leaf in leaves:
                leaf.requires_grad_(True)
            image, _ = self._drawing.draw(poses.turned(turn), picture, height, width)
            score = (image * self._tensor(adjoints[rows])).sum()
            for name, slope in zip(FIELDS, _slopes(score, leaves), strict=True):
                numbers[name][rows] = slope.cpu().numpy()
            if pictures is not None:
                pictures[rows] = _slopes(score, [picture])[0].cpu().numpy()
        return ViewGradients(**numbers, backgrounds=pictures)

    def close(self) -> None:
        """Nothing: no threads or files are held open."""

    def __enter__(self) -> Pytorch3dRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tensor(self, values: NDArray[np.float32]) -> Tensor:
        import torch

        return torch.tensor(values, dtype=torch.float32, device=self._device)

    def _poses(self, views: Views) -> PoseTensors:
        import torch

        from posetest.render.differentiable import PoseTensors

        return PoseTensors.from_views(views, dtype=torch.float64, device=self._device)

    def _pictures(self, height: int, width: int) -> NDArray[np.float32]:
        """The scene's backgrounds, read once per size."""
        if (height, width) not in self._read:
            self._read[height, width] = self._background.images(height, width)
        return self._read[height, width]

    def _behind(
        self, views: Views, height: int, width: int, backgrounds: NDArray[np.float32] | None
    ) -> NDArray[np.float32]:
        """[n, 3, h, w] pictures behind ``views``, after checking both."""
        check_frame(height, width)
        check_views(views, self._background.count)
        if backgrounds is None:
            return self._pictures(height, width)[views.background]
        check_pictures("backgrounds", backgrounds, (len(views), 3, height, width))
        return backgrounds

    def _chunks(self, count: int, height: int, width: int) -> list[slice]:
        """Rows drawn together: one on a CPU, where batches save nothing, as many as fit elsewhere."""
        step = 1
        if self._device.type != "cpu":
            fragments = height * width * self._samples**2 * self._drawing.faces_per_sample
            step = max(1, _CHUNK_BYTES // (fragments * _FRAGMENT_BYTES))
        return [slice(first, min(first + step, count)) for first in range(0, count, step)]

    def _inside(self, one: Views, height: int, width: int) -> float:
        from posetest.render.pytorch3d.conventions import Window

        box = extent(self._verts_obj, one, height, width)
        poses = self._poses(one)
        if box is None or not self._drawing.shows_faces(poses):
            return 0.0
        if is_within(box, height, width):
            return 1.0
        window = Window(GRID, GRID, box.low, box.high, (height, width))
        return inside_part(self._drawing.silhouette(poses, window)[0].cpu().numpy(), box, height, width)


def _slopes(score: Tensor, leaves: list[Tensor]) -> list[Tensor]:
    """d score / d leaf; zero for what the picture does not depend on, as where nothing was drawn."""
    import torch

    if not score.requires_grad:
        return [torch.zeros_like(leaf) for leaf in leaves]
    return list(torch.autograd.grad(score, leaves, retain_graph=True, allow_unused=True, materialize_grads=True))
