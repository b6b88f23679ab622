"""Numbers that the back end goes by, and what can be chosen about soft rendering; needs neither torch nor PyTorch3D."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from posetest.errors import ConfigError

#: Depth, in object units, in front of which nothing is drawn.
NEAR = 0.01
#: PyTorch3D's CUDA kernels keep no more faces a sample (kMaxPointsPerPixel).
MAX_FACES_PER_PIXEL = 150
#: Depth, in object units, that ``SoftOptions.gamma`` is a fraction of: about PyTorch3D's defaults (1 to 100), but
#: centred on the object, so that a distant one does not fade into the background.
DEPTH_RANGE = 100.0
#: Chance of a face below which a sample does not see it.
_LEAST_CHANCE = 1e-4


@dataclass(frozen=True)
class SoftOptions:
    """How soft edges are.

    Attributes:
        blend: "coverage" mixes the faces that a sample sees as PyTorch3D does and lays them over the background by
            their coverage; "softmax" is PyTorch3D's own way, as its SoftPhongShader takes it. There the background
            weighs 1e-10 where a face weighs at least 1e-4, so that colours keep a hard outline, blown up by three
            pixels or so, and gradients do not see it move.
        sigma: a face covers a sample at squared distance d from its outline (half the shorter image side is 1) by
            1 / (1 + exp(d / sigma)). 1e-4 is about one pixel of 224; finer and coarser pictures want the square of
            their pixel's side, 2 / (shorter side).
        gamma: a face at depth z weighs exp(-z / (100 gamma)): the larger, the more shines through. At 1e-2 one object
            unit behind still weighs a third.
        faces_per_pixel: how many faces a sample keeps, nearest first. A fine mesh needs many, or the one that matters
            is missing; memory and time grow with it.
        has_depth_gradient: let gradients flow through the depths in those weights too.
    """

    blend: Literal["coverage", "softmax"] = "coverage"
    sigma: float = 1e-4
    gamma: float = 1e-3
    faces_per_pixel: int = 30
    has_depth_gradient: bool = False

    def __post_init__(self) -> None:
        if self.blend not in ("coverage", "softmax"):
            raise ConfigError(f'soft.blend must be "coverage" or "softmax", not "{self.blend}"')
        for name in ("sigma", "gamma"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ConfigError(f"soft.{name} must be a number above 0, not {value}")
        if not 1 <= self.faces_per_pixel <= MAX_FACES_PER_PIXEL:
            raise ConfigError(f"soft.faces_per_pixel must be 1 to {MAX_FACES_PER_PIXEL}, not {self.faces_per_pixel}")

    @property
    def blur_radius(self) -> float:
        """Squared distance from a face at which it covers a sample by one part in ten thousand."""
        return math.log(1 / _LEAST_CHANCE - 1) * self.sigma
