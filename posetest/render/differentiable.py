"""Pictures that autograd flows through: from poses, camera, lights and backgrounds to torch tensors, for any renderer.

A renderer works in numpy. Here its pictures become the output of one torch.autograd.Function whose inputs are what a
view is made of; whatever makes those inputs (a turn, an orbit, a blend of backgrounds) is plain torch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.function import once_differentiable

from posetest.config import GradientKind, Shading
from posetest.errors import ConfigError, suggest
from posetest.geometry.camera import Views
from posetest.geometry.so3_torch import tangent_to_matrix
from posetest.protocols import DifferentiableRenderer, Renderer, ViewGradients
from posetest.render.gradients import FIELDS, Jitter, check_adjoints, finite_gradient, jittered_gradient

Images = NDArray[np.float32]
_KINDS: tuple[GradientKind, ...] = get_args(GradientKind)


@dataclass(frozen=True, eq=False)
class PoseTensors:
    """``Views`` as tensors: what pictures can be differentiated with respect to.

    A first dimension of 1 stands for all n poses; its gradient is then the sum over the poses. Floating point of any
    width, on any device; units and frames as in ``Views``.

    Attributes:
        rotation: [n, 3, 3], object to camera frame.
        position: [n, 3], of the object's centre in the camera frame.
        fov: [n], radians.
        light_dirs: [n, k, 3], towards the lights, camera frame; unit length is the caller's business.
        light_colors: [n, k, 3], linear.
        ambient: [n, 3], linear.
        background: int64 [n], which of the scene's backgrounds; unused where pictures are handed over.
    """

    rotation: Tensor
    position: Tensor
    fov: Tensor
    light_dirs: Tensor
    light_colors: Tensor
    ambient: Tensor
    background: Tensor

    @classmethod
    def from_views(
        cls, views: Views, *, dtype: torch.dtype = torch.float32, device: torch.device | str | None = None
    ) -> PoseTensors:
        """The tensors of ``views``: copies, without a gradient."""
        numbers = {name: torch.tensor(getattr(views, name), dtype=dtype, device=device) for name in FIELDS}
        return cls(**numbers, background=torch.tensor(views.background, dtype=torch.int64, device=device))

    def to_views(self) -> Views:
        """The same as numpy arrays, float64, moved to the CPU."""
        whole = self.expanded()
        return _views([getattr(whole, name) for name in FIELDS], whole.background.cpu().numpy())

    def turned(self, tangent: Tensor) -> PoseTensors:
        """The objects turned by ``tangent`` [n, 3] or [1, 3], radians, about the camera's axes: exp([w]x) R."""
        return replace(self, rotation=tangent_to_matrix(tangent) @ self.rotation)

    def expanded(self) -> PoseTensors:
        """The same with the first dimension n everywhere.

        Raises:
            ConfigError: a field of another shape; names it.
        """
        first = [tensor.shape[0] if tensor.ndim else -1 for tensor in vars(self).values()]
        count = 0 if 0 in first else max(first)
        lights = self.light_dirs.shape[1] if self.light_dirs.ndim == 3 else 0
        wide = {"rotation": (3, 3), "light_dirs": (lights, 3), "light_colors": (lights, 3), "fov": (), "background": ()}
        shapes = {name: wide.get(name, (3,)) for name in vars(self)}
        for name, shape in shapes.items():
            if tuple(vars(self)[name].shape) not in ((count, *shape), (1, *shape)):
                raise ConfigError(
                    f"poses.{name} must have the shape {(count, *shape)}, or 1 in place of {count} where all poses "
                    f"share it, not {tuple(vars(self)[name].shape)}"
                )
        return PoseTensors(**{name: vars(self)[name].expand(count, *shape) for name, shape in shapes.items()})


def render_images(
    renderer: Renderer,
    poses: PoseTensors | Views,
    height: int,
    width: int,
    *,
    backgrounds: Tensor | None = None,
    gradient: GradientKind = "analytic",
    jitter: Jitter | None = None,
) -> Tensor:
    """Pictures [n, 3, height, width] of ``poses``, float32 sRGB in [0, 1], on the device of ``poses.rotation``.

    Differentiable, once, with respect to all of ``poses`` but the background's number, and to ``backgrounds``. Only
    gradients that are asked for are computed where that saves work. Inputs on another device are moved to the CPU and
    the pictures back, gradients likewise: the renderers work on numpy arrays.

    The gradient of a rotation matrix is that of a turn: with torque t about the camera's axes, G = [t]x R / 2, so that
    <G, [w]x R> = t.w for every turn w. Directions that lead off the rotations have no gradient; take steps through
    ``PoseTensors.turned``, a quaternion or another map onto rotations.

    Args:
        renderer: any back end; a back end without a gradient of its own needs ``gradient="finite"``.
        poses: n poses; ``Views`` stand for poses without a gradient.
        height, width: of the pictures.
        backgrounds: pictures behind, [n, 3, height, width] or [1, ...] for all, sRGB in [0, 1], in place of the
            scene's; ``blend_backgrounds`` mixes them.
        gradient: "analytic", the renderer's own; "finite", central differences (``finite_gradient``).
        jitter: the mean of analytic gradients at slightly moved poses (``jittered_gradient``).

    Raises:
        ConfigError: poses or backgrounds that do not fit, a renderer that cannot give the gradient asked for.
        ModelError: in the backward pass, where the gradient that arrives is not finite.
    """
    if gradient not in _KINDS:
        raise ConfigError(f'gradient = "{gradient}"{suggest(gradient, _KINDS)} (one of {", ".join(_KINDS)})')
    if gradient == "finite" and jitter is not None:
        raise ConfigError('jitter averages analytic gradients: leave it out, or gradient="finite"')
    whole = (PoseTensors.from_views(poses, dtype=torch.float64) if isinstance(poses, Views) else poses).expanded()
    if backgrounds is not None:
        shape = (len(whole.rotation), 3, height, width)
        if tuple(backgrounds.shape) not in (shape, (1, *shape[1:])):
            raise ConfigError(f"backgrounds must have the shape {shape}, or 1 first, not {tuple(backgrounds.shape)}")
        backgrounds = backgrounds.expand(shape)
    inputs = [*(getattr(whole, name) for name in FIELDS), backgrounds]
    is_asked_for = torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in inputs)
    gradient_of = _gradient_of(renderer, gradient, jitter) if is_asked_for else None
    images: Tensor = _Render.apply(_Task(renderer, height, width, whole.background.cpu().numpy(), gradient_of), *inputs)
    return images


def blend_backgrounds(pictures: Tensor, weights: Tensor, *, shading: Shading = "linear") -> Tensor:
    """Mixtures [n, 3, h, w] of ``pictures`` [b, 3, h, w], sRGB, by ``weights`` [n, b]; differentiable in both.

    Mixed in linear light, or with shading "gamma_free" as encoded, and clipped to [0, 1]. Weights that are not negative
    and sum to 1 in each row (a softmax) keep the mixture within its pictures.

    Raises:
        ConfigError: shapes that do not fit.
    """
    if pictures.ndim != 4 or weights.ndim != 2 or weights.shape[1] != len(pictures):
        raise ConfigError(
            "pictures [b, 3, h, w] and weights [n, b] are wanted, "
            f"not {tuple(pictures.shape)} and {tuple(weights.shape)}"
        )
    if shading == "gamma_free":
        return torch.einsum("nb,bchw->nchw", weights, pictures).clamp(0, 1)
    mixed = torch.einsum("nb,bchw->nchw", weights, _srgb_to_linear(pictures)).clamp(0, 1)
    return _linear_to_srgb(mixed)


# IEC 61966-2-1; the clamps keep the gradient of the branch that is not taken finite
def _srgb_to_linear(values: Tensor) -> Tensor:
    return torch.where(values <= 0.04045, values / 12.92, ((values.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)


def _linear_to_srgb(values: Tensor) -> Tensor:
    curve = 1.055 * values.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(values <= 0.0031308, values * 12.92, curve)


#: (views, pictures, adjoints, backgrounds, fields wanted, whether of the backgrounds too) -> gradients.
_GradientOf = Callable[[Views, Images, Images, Images | None, list[str], bool], ViewGradients]


def _gradient_of(renderer: Renderer, kind: GradientKind, jitter: Jitter | None) -> _GradientOf:
    """How ``renderer``'s gradients are computed.

    Raises:
        ConfigError: it has none of this kind.
    """
    if kind == "finite":
        return lambda views, _, adjoints, behind, wanted, with_behind: finite_gradient(
            renderer, views, adjoints, backgrounds=behind, with_backgrounds=with_behind, fields=wanted
        )
    if not isinstance(renderer, DifferentiableRenderer):
        raise ConfigError(f'{type(renderer).__name__} has no gradient of its own: ask for gradient="finite"')
    if jitter is None:
        return lambda views, images, adjoints, behind, _, with_behind: renderer.gradient(
            views, images, adjoints, backgrounds=behind, with_backgrounds=with_behind
        )
    return lambda views, images, adjoints, behind, _, with_behind: jittered_gradient(
        renderer, views, images, adjoints, **asdict(jitter), backgrounds=behind, with_backgrounds=with_behind
    )


@dataclass(frozen=True, eq=False)
class _Task:
    """What the Function needs beside tensors."""

    renderer: Renderer
    height: int
    width: int
    background: NDArray[np.int64]
    gradient_of: _GradientOf | None


class _Render(torch.autograd.Function):
    """Pictures from a task, the tensors of FIELDS, and pictures behind or None."""

    @staticmethod
    def forward(ctx: Any, task: _Task, *inputs: Any) -> Tensor:
        *numbers, behind = inputs
        views = _views(numbers, task.background)
        pictures = None if behind is None else _images(behind)
        images = task.renderer.render(views, task.height, task.width, backgrounds=pictures).images
        drawn = torch.from_numpy(images).to(numbers[0].device)
        ctx.task, ctx.views = task, views
        ctx.kinds = [None if tensor is None else (tensor.dtype, tensor.device) for tensor in inputs]
        ctx.save_for_backward(drawn, behind)
        return drawn

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, adjoint: Tensor) -> tuple[Tensor | None, ...]:
        drawn, behind = ctx.saved_tensors
        needed = ctx.needs_input_grad[1:]
        wanted = [name for name, is_needed in zip(FIELDS, needed, strict=False) if is_needed]
        views, adjoints = ctx.views, _images(adjoint)
        check_adjoints(adjoints, len(views))
        pictures = None if behind is None else _images(behind)
        found = ctx.task.gradient_of(views, _images(drawn), adjoints, pictures, wanted, needed[-1])
        turn = np.cross(found.rotation[:, :, None], views.rotation, axis=1) / 2  # [t]x R / 2, column by column
        arrays = (turn, *(getattr(found, name) for name in FIELDS[1:]), found.backgrounds)
        return None, *(
            torch.from_numpy(array).to(dtype=kind[0], device=kind[1]) if is_needed else None
            for array, kind, is_needed in zip(arrays, ctx.kinds, needed, strict=True)
        )


def _views(numbers: Sequence[Tensor], background: NDArray[np.int64]) -> Views:
    """``Views`` of the tensors of FIELDS: float64 copies on the CPU; later changes of the tensors do not reach them."""
    copies = {
        name: np.array(tensor.detach().to("cpu", torch.float64).numpy())
        for name, tensor in zip(FIELDS, numbers, strict=True)
    }
    return Views(**copies, background=background)


def _images(tensor: Tensor) -> Images:
    return np.ascontiguousarray(tensor.detach().to("cpu", torch.float32).numpy())
