"""Training pictures of the bundled classifier: seeded variants of the objects under the photographer's poses.

The poses come from posetest/space.py, so that the very distribution the classifier was trained on can be written into
a scene file and audited. Everything follows from the seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.objects.catalogue import BUILDERS
from posetest.objects.distractors import distractor
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh
from posetest.space import Space, scene_space, vectors_to_views

Random = np.random.Generator
Picture = NDArray[np.float32]

OTHER = "other"

#: So many backdrops are painted; each object is seen in front of some, which the renderer prepares once per object.
BACKDROPS = 512
BACKDROPS_PER_MESH = 12

#: How people photograph things: from all round, from slightly below to well above, upright to within a few degrees.
PHOTOGRAPHER = SpaceConfig(
    rotation="fixed",
    yaw=(-180.0, 180.0),
    pitch=(-10.0, 10.0),
    roll=(-15.0, 15.0),
    elevation=(-5.0, 50.0),
    distance=(4.0, 8.0),
    fov=(22.0, 38.0),
    offset_x=(-0.2, 0.2),
    offset_y=(-0.2, 0.2),
    light_azimuth=(-90.0, 90.0),
    light_elevation=(5.0, 75.0),
    light_strength=(0.4, 1.1),
    ambient=(0.2, 0.6),
)
IN_WORDS = (
    "seen from all round (yaw -180 to 180 degrees), camera elevation -5 to 50 degrees, object upright but for pitch "
    "+-10 and roll +-15 degrees, distance 4 to 8 object units at 22 to 38 degrees field of view, offsets up to 0.2 "
    "half-frames, one light from the camera's side of the object"
)


def categories() -> tuple[str, ...]:
    """The classifier's classes: the labels of every bundled object, joined as synonyms, and "other"."""
    return (*(", ".join(build(0).labels) for build in BUILDERS.values()), OTHER)


@dataclass(frozen=True)
class Plan:
    """How many pictures of what.

    Attributes:
        seed: of poses and backgrounds.
        variants: builder seeds, used for every class.
        views: pictures per variant.
        others: seeds of distractors.
        other_views: pictures per distractor.
        size: side of the pictures as rendered, in pixels.
    """

    seed: int
    variants: Sequence[int]
    views: int
    others: Sequence[int]
    other_views: int
    size: int = 96


@dataclass(frozen=True, eq=False)
class PaintedBackground(Background):
    """Pictures in memory, float32 [n, 3, size, size], instead of files."""

    pictures: Picture = field(default_factory=lambda: np.zeros((1, 3, 1, 1), dtype=np.float32))

    @property
    def count(self) -> int:
        """How many pictures there are."""
        return len(self.pictures)

    def images(self, height: int, width: int) -> Picture:
        """The pictures, which have this size already."""
        assert self.pictures.shape[-2:] == (height, width)
        return self.pictures


def meshes(plan: Plan) -> Iterator[tuple[Mesh, int, int]]:
    """(mesh, class, number of views) of everything in ``plan``, in a fixed order."""
    for k, build in enumerate(BUILDERS.values()):
        for seed in plan.variants:
            yield build(seed).mesh, k, plan.views
    for seed in plan.others:
        yield distractor(seed), len(BUILDERS), plan.other_views


def pictures(
    plan: Plan, space: SpaceConfig = PHOTOGRAPHER, *, shrink: Callable[[Picture], NDArray[Any]] = lambda images: images
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Rendered pictures, float32 [n, 3, size, size] or as ``shrink`` makes them, and their classes, int64 [n]."""
    from posetest.render.cpu import CpuRenderer

    config = SceneConfig(object=ObjectConfig(mesh=""), space=space)
    poses: Space = scene_space(config)
    rng = np.random.default_rng([plan.seed, 1])
    backs = backdrops(rng, BACKDROPS, plan.size)
    found, classes, start = [], [], 0
    for mesh, k, count in meshes(plan):
        views = vectors_to_views(poses.sample(plan.seed, start, start + count), config)
        start += count
        behind = PaintedBackground(pictures=backs[rng.integers(0, len(backs), BACKDROPS_PER_MESH)])
        with CpuRenderer(mesh, behind, threads=2) as renderer:
            views = replace(views, background=np.arange(count) % behind.count)
            image = renderer.render(views, plan.size, plan.size).images
        found.append(shrink(image))
        classes.append(np.full(count, k))
    return np.concatenate(found), np.concatenate(classes)


def backdrops(rng: Random, count: int, size: int) -> Picture:
    """``count`` square pictures to stand behind an object, float32 [count, 3, size, size], sRGB in [0, 1].

    A third are of one colour (half of these near mid grey); the others run from one colour to another, are cloudy, have
    a horizon, or are littered with boxes and discs.
    """
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    out = np.empty((count, 3, size, size), dtype=np.float32)
    for i in range(count):
        first, second = rng.uniform(0, 1, (2, 3, 1, 1))
        kind = int(rng.integers(0, 6))
        if kind == 0:
            out[i] = rng.uniform(0.35, 0.65) + rng.uniform(-0.02, 0.02, (3, 1, 1))
        elif kind == 1:
            out[i] = first
        else:
            angle = rng.uniform(0, 2 * np.pi)
            run = np.clip((np.cos(angle) * x + np.sin(angle) * y) * rng.uniform(0.3, 0.8) + 0.5, 0, 1)
            if kind == 3:
                run = _clouds(rng, size)
            elif kind == 4:
                run = np.clip((y - rng.uniform(-0.4, 0.6)) * rng.choice([3.0, 60.0]) + 0.5, 0, 1)
                run = np.clip(run + rng.uniform(0, 0.5) * (_clouds(rng, size) - 0.5), 0, 1)
            out[i] = first + (second - first) * run
            if kind == 5:
                out[i] = _litter(rng, out[i], x, y)
        if rng.random() < 0.3:
            out[i] += rng.normal(0, rng.uniform(0.01, 0.05), (3, size, size))
    return np.clip(out, 0, 1)


def _clouds(rng: Random, size: int) -> NDArray[np.float64]:
    """Smooth noise in [0, 1]: octaves of random grids, bilinearly enlarged."""
    total = np.zeros((size, size))
    for octave in (3, 6, 12, 24):
        grid = rng.uniform(-1, 1, (octave + 1, octave + 1))
        at = np.linspace(0, octave, size, endpoint=False)
        low = at.astype(int)
        share = at - low
        rows = grid[low] * (1 - share[:, None]) + grid[low + 1] * share[:, None]
        total += (rows[:, low] * (1 - share) + rows[:, low + 1] * share) * (2.0 / octave)
    return np.clip(total + 0.5, 0, 1)


def _litter(rng: Random, picture: Picture, x: NDArray[np.float64], y: NDArray[np.float64]) -> Picture:
    """Boxes and discs of random colours scattered over a picture."""
    out = picture.copy()
    for _ in range(int(rng.integers(3, 12))):
        cx, cy, half_x, half_y = *rng.uniform(-1, 1, 2), *rng.uniform(0.05, 0.6, 2)
        round_ = rng.random() < 0.4
        inside = (
            ((x - cx) / half_x) ** 2 + ((y - cy) / half_x) ** 2 < 1
            if round_
            else (abs(x - cx) < half_x) & (abs(y - cy) < half_y)
        )
        out[:, inside] = rng.uniform(0, 1, (3, 1))
    return out
