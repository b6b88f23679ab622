"""A renderer without edges: coloured clouds about the points of a rigid body, differentiated by autograd in float64.

Its gradient is exact to rounding, so that what stands between a renderer and torch can be tested by itself.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from posetest.geometry.camera import Views
from posetest.geometry.so3_torch import tangent_to_matrix
from posetest.protocols import Rendered, ViewGradients
from posetest.render.gradients import FIELDS

_RNG = np.random.default_rng(3)
POINTS, NORMALS, COLORS = (torch.tensor(_RNG.uniform(-0.7, 0.7, (9, 3))) for _ in range(3))
SIZE = 0.35


class Clouds:
    """Counts what it is asked for: views drawn, gradients given."""

    def __init__(self) -> None:
        self.drawn = 0
        self.gradients = 0

    def render(self, views: Views, height: int, width: int, *, mask: bool = False, backgrounds=None) -> Rendered:
        self.drawn += len(views)
        numbers = [torch.tensor(getattr(views, name)) for name in FIELDS]
        behind = torch.tensor(self._behind(views, height, width, backgrounds))
        images = draw(*numbers, behind).numpy().astype(np.float32)
        ones = np.ones(len(views), np.float32)
        return Rendered(images, None, ones, ones, ones, np.zeros(len(views), np.uint64))

    def close(self) -> None:
        pass

    def gradient(self, views: Views, images, adjoints, *, backgrounds=None, with_backgrounds=False) -> ViewGradients:
        self.gradients += len(views)
        with torch.enable_grad():  # a backward pass runs without
            return self._gradient(views, images, adjoints, backgrounds, with_backgrounds)

    def _gradient(self, views: Views, images, adjoints, backgrounds, with_backgrounds) -> ViewGradients:
        height, width = images.shape[2:]
        numbers = {name: torch.tensor(getattr(views, name), requires_grad=True) for name in FIELDS}
        turn = torch.zeros(len(views), 3, dtype=torch.float64, requires_grad=True)
        behind = torch.tensor(self._behind(views, height, width, backgrounds), requires_grad=True)
        turned = numbers | {"rotation": tangent_to_matrix(turn) @ numbers["rotation"].detach()}
        loss = (draw(*turned.values(), behind) * torch.tensor(adjoints)).sum()
        inputs = [turn, *(numbers[name] for name in FIELDS[1:]), behind]
        *found, of_behind = (g.numpy() for g in torch.autograd.grad(loss, inputs))
        return ViewGradients(*found, of_behind.astype(np.float32) if with_backgrounds else None)

    def _behind(self, views: Views, height: int, width: int, backgrounds) -> np.ndarray:
        if backgrounds is not None:
            return backgrounds.astype(np.float64)
        return np.full((len(views), 3, height, width), 0.4)


def draw(rotation, position, fov, light_dirs, light_colors, ambient, behind) -> Tensor:  # type: ignore[no-untyped-def]
    height, width = behind.shape[2:]
    focal = min(height, width) / 2 / torch.tan(fov / 2)
    points = POINTS @ rotation.mT + position[:, None]
    depth = -points[..., 2]
    x = width / 2 + focal[:, None] * points[..., 0] / depth
    y = height / 2 - focal[:, None] * points[..., 1] / depth
    size = (SIZE * focal[:, None] / depth)[..., None, None]
    rows, columns = (torch.arange(k, dtype=torch.float64) + 0.5 for k in (height, width))
    apart = (columns - x[..., None, None]) ** 2 + (rows[:, None] - y[..., None, None]) ** 2
    weight = torch.exp(-apart / (2 * size**2))  # [n, points, h, w]
    facing = torch.einsum("nij,mj,nki->nmk", rotation, NORMALS, light_dirs)
    light = ambient[:, None] + torch.einsum("nmk,nkc->nmc", 1 + facing, light_colors)
    color = (0.5 + 0.5 * COLORS) * light
    total = weight.sum(dim=1)[:, None]
    shaded = torch.einsum("nmhw,nmc->nchw", weight, color) / (1 + total)
    return behind * torch.exp(-total) + 0.3 * shaded


def some_views(count: int, seed: int = 0, lights: int = 2) -> Views:
    rng = np.random.default_rng(seed)
    from posetest.geometry.so3 import tangent_to_matrix as matrix

    directions = rng.normal(size=(count, lights, 3))
    return Views(
        rotation=matrix(rng.normal(size=(count, 3))),
        position=rng.uniform(-0.3, 0.3, (count, 3)) - [0, 0, 5],
        fov=rng.uniform(0.5, 0.7, count),
        light_dirs=directions / np.linalg.norm(directions, axis=-1, keepdims=True),
        light_colors=rng.uniform(0.3, 0.8, (count, lights, 3)),
        ambient=rng.uniform(0.2, 0.4, (count, 3)),
        background=np.zeros(count, dtype=np.int64),
    )


def without_lights(views: Views) -> Views:
    return replace(views, light_dirs=views.light_dirs[:, :0], light_colors=views.light_colors[:, :0])
