"""Gradients from pictures alone: central differences, and analytic gradients averaged over neighbouring poses.

Differences of antialiased pictures hold for every back end and every parameter, cost two pictures a number, and are
what analytic gradients are held against. Averaging smooths what a score does on the scale of a pixel; a search along a
rough score is better served by a few neighbours than by one exact gradient. Everything here is numpy.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from posetest.errors import ConfigError, ModelError, suggest
from posetest.geometry.camera import Views, focal_px
from posetest.geometry.so3 import tangent_to_matrix
from posetest.protocols import DifferentiableRenderer, Renderer, ViewGradients
from posetest.render.cpu.textures import linear_to_srgb, srgb_to_linear

Array = NDArray[np.float64]
Images = NDArray[np.float32]

#: The fields of ``ViewGradients`` that differences give, in the order of a view's numbers.
FIELDS = ("rotation", "position", "fov", "light_dirs", "light_colors", "ambient")

#: Steps of the lights' components and of background pictures: pictures follow both smoothly, so that only rounding
#: bounds them from below and the curvature of sRGB from above.
LIGHT_STEP = 0.01
BACKGROUND_STEP = 0.02

_MOST_TURN_RAD = 0.1  # a smaller picture than a few pixels tells nothing finer, and a larger turn shows another side
_LEAST_DEPTH = 0.25  # object units: nearer than that the silhouette has no one speed
_BATCH_BYTES = 1 << 28  # pictures held at a time
_REACH = 1  # pixels: a background pixel shines through its own pixel, and through a neighbour's antialiased edge


@dataclass(frozen=True)
class Jitter:
    """How far and how often poses are moved for ``jittered_gradient``.

    Attributes:
        count: gradients in the mean; an odd number holds the pose itself.
        turn_rad: standard deviation of the turn about each axis of the object.
        shift: standard deviation of the shift along each axis of the camera, object units.
        seed: of the moves; all views of a call, and all calls, are moved alike.
    """

    count: int = 4
    turn_rad: float = 0.01
    shift: float = 0.01
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ConfigError(f"jitter: count must be at least 1, not {self.count}")
        for name in ("turn_rad", "shift"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ConfigError(f"jitter: {name} must be finite and not negative, not {value}")

    def moves(self) -> Array:
        """[count, 6]: a turn (3, radians) and a shift (3) each, in pairs of opposite sign: their mean is zero."""
        half = np.random.default_rng(self.seed).normal(size=(self.count // 2, 6))
        half *= np.repeat([self.turn_rad, self.shift], 3)
        centre = np.zeros((self.count % 2, 6))
        return np.concatenate([centre, half, -half])


def central_differences(
    draw: Callable[[Array], Images], vectors: ArrayLike, steps: ArrayLike, adjoints: Images
) -> Array:
    """dL/dvectors, float64 [n, d], from two pictures for each number.

    Args:
        draw: pictures [m, 3, h, w] of parameter vectors [m, d], whatever the parameters are; row by row, so that a
            vector's picture does not depend on the others.
        vectors: [n, d], where the gradient is wanted.
        steps: how far to each side, in the unit of each parameter; [d], or [n, d] for steps that differ. A parameter
            whose step is 0 is held: its gradient is 0 and costs nothing.
        adjoints: dL/dimages at ``vectors``, float32 [n, 3, h, w].

    The steps should move the silhouette by 0.3 to 0.5 pixels: a smaller step measures rounding, a larger one blurs.

    Raises:
        ConfigError: steps that are negative or not finite, or adjoints of another number of views.
        ModelError: adjoints that are not finite.
    """
    where = np.asarray(vectors, dtype=np.float64)
    wide = np.broadcast_to(np.asarray(steps, dtype=np.float64), where.shape)
    if not (np.isfinite(wide) & (wide >= 0)).all():
        raise ConfigError("steps of central differences must be finite and not negative; 0 holds a parameter")
    check_adjoints(adjoints, len(where))
    return _differences(lambda moved, _: draw(moved), where, wide, adjoints)


def finite_gradient(
    renderer: Renderer,
    views: Views,
    adjoints: Images,
    *,
    backgrounds: Images | None = None,
    with_backgrounds: bool = False,
    fields: Collection[str] = FIELDS,
    step_px: float = 0.4,
    samples: int | None = None,
) -> ViewGradients:
    """The gradient at ``views`` by central differences of what ``renderer`` draws.

    Args:
        renderer: any back end.
        views: n views.
        adjoints: dL/dimages, float32 [n, 3, h, w]; gives the size of the pictures.
        backgrounds: pictures behind, one a view, as in ``Renderer.render``.
        with_backgrounds: also the gradient with respect to ``backgrounds``, for 18 pictures a view.
        fields: which fields to compute, two pictures a number; the others are left at zero.
        step_px: how far, in pixels, a step moves the silhouette of an object that spans [-1, 1]; steps of turns, shifts
            and field of view follow from it for each view, those of lights and backgrounds are fixed.
        samples: draw samples x samples times the pixels and average in linear light: for tests and oracles.

    Raises:
        ConfigError: a field that is none, a step that is not positive, adjoints of another number of views.
        ModelError: adjoints that are not finite.
    """
    for name in fields:
        if name not in FIELDS:
            raise ConfigError(f'fields: "{name}" is none of {", ".join(FIELDS)}{suggest(name, FIELDS)}')
    if not (math.isfinite(step_px) and step_px > 0):
        raise ConfigError(f"step_px must be positive, not {step_px}")
    per_side = 1 if samples is None else samples
    if per_side < 1:
        raise ConfigError(f"samples must be at least 1, not {samples}")
    check_adjoints(adjoints, len(views))
    if with_backgrounds and backgrounds is None:
        raise ConfigError("with_backgrounds asks for the gradient of pictures behind: hand over backgrounds")
    height, width = adjoints.shape[2:]

    def draw(deltas: Array, rows: NDArray[np.int64]) -> Images:
        behind = None if backgrounds is None else backgrounds[rows]
        return _draw(renderer, _moved(views[rows], deltas), height, width, behind, per_side)

    steps = _steps(views, height, width, step_px)
    wanted = np.repeat([name in fields for name in FIELDS], _sizes(views))
    flat = _differences(draw, np.zeros_like(steps), steps * wanted, adjoints, per_side**2)
    behind = None
    if backgrounds is not None and with_backgrounds:
        behind = _background_differences(
            lambda pictures: _draw(renderer, views, height, width, pictures, per_side), backgrounds, adjoints
        )
    return _gradients(flat, views, behind)


def jittered_gradient(
    renderer: DifferentiableRenderer,
    views: Views,
    images: Images,
    adjoints: Images,
    *,
    count: int = 4,
    turn_rad: float = 0.01,
    shift: float = 0.01,
    seed: int = 0,
    backgrounds: Images | None = None,
    with_backgrounds: bool = False,
) -> ViewGradients:
    """The mean of the analytic gradients at ``count`` poses about each view, for the same adjoints.

    ``images`` and ``adjoints`` are the pictures of ``views`` and dL/dimages, both float32 [n, 3, h, w]. What ``count``,
    ``turn_rad``, ``shift`` and ``seed`` do is said in ``Jitter``. The object is turned about its own axes before the
    view's rotation, so that each neighbour's gradient is with respect to the same turn in the camera's axes.

    Costs ``count`` pictures and gradients a view. Biased where the adjoints would change from pose to pose: they are
    those of the view itself, since a new one costs a pass through the model.

    Raises:
        ConfigError: settings that make no sense, adjoints of another number of views.
        ModelError: adjoints that are not finite.
    """
    check_adjoints(adjoints, len(views))
    moves = Jitter(count, turn_rad, shift, seed).moves()
    height, width = adjoints.shape[2:]
    total = np.zeros((len(views), sum(_sizes(views))))
    behind = np.zeros(adjoints.shape, dtype=np.float32) if with_backgrounds else None
    pairs = np.stack(np.meshgrid(np.arange(len(moves)), np.arange(len(views)), indexing="ij")).reshape(2, -1)
    for move, row in _batches(pairs, adjoints):
        near = _turned(views[row], moves[move])
        pictures = None if backgrounds is None else backgrounds[row]
        seen, away = images[row], np.flatnonzero(moves[move].any(axis=1))
        if len(away):
            behind_away = None if pictures is None else pictures[away]
            seen[away] = renderer.render(near[away], height, width, backgrounds=behind_away).images
        part = renderer.gradient(near, seen, adjoints[row], backgrounds=pictures, with_backgrounds=with_backgrounds)
        np.add.at(total, row, _joined(part) / count)
        if behind is not None and part.backgrounds is not None:
            np.add.at(behind, row, part.backgrounds / np.float32(count))
    return _gradients(total, views, behind)


def check_adjoints(adjoints: Images, count: int) -> None:
    """Nothing, if ``adjoints`` are finite pictures [count, 3, h, w].

    Raises:
        ConfigError: another shape.
        ModelError: a value that is not finite; names the first picture.
    """
    if adjoints.ndim != 4 or adjoints.shape[:2] != (count, 3):
        raise ConfigError(f"adjoints must have the shape ({count}, 3, h, w), not {adjoints.shape}")
    is_bad = ~np.isfinite(adjoints.reshape(count, -1)).all(axis=1) if count else np.zeros(0, dtype=bool)
    if is_bad.any():
        raise ModelError(
            f"the gradient of the score with respect to picture {int(np.flatnonzero(is_bad)[0])} of {count} is not "
            "finite, and no pose can follow it: look for a logarithm of 0, a division by 0 or half precision in the "
            "score or the model"
        )


def _differences(
    draw: Callable[[Array, NDArray[np.int64]], Images],
    vectors: Array,
    steps: Array,
    adjoints: Images,
    samples: int = 1,
) -> Array:
    """Central differences [n, d]; ``draw`` is told the row of ``vectors`` that each moved vector comes from.

    ``samples`` is how many pixels it draws for one of ``adjoints``.
    """
    gradient = np.zeros(vectors.shape)
    for row, column in _batches(np.stack(np.nonzero(steps)), adjoints, samples):
        ahead, behind, step = vectors[row], vectors[row], steps[row, column]
        number = np.arange(len(row))
        ahead[number, column] += step
        behind[number, column] -= step
        images = draw(np.concatenate([ahead, behind]), np.concatenate([row, row]))
        change = (images[: len(row)] - images[len(row) :]) * adjoints[row]
        gradient[row, column] = change.reshape(len(row), -1).sum(axis=1, dtype=np.float64) / (2 * step)
    return gradient


def _batches(pairs: NDArray[np.int64], adjoints: Images, samples: int = 1) -> list[NDArray[np.int64]]:
    """``pairs`` [2, m] cut into pieces whose pictures, two for each, fit the memory that is set aside."""
    size = max(1, _BATCH_BYTES // (2 * samples * max(1, adjoints[:1].nbytes)))
    return [pairs[:, start : start + size] for start in range(0, pairs.shape[1], size)]


def _background_differences(draw: Callable[[Images], Images], backgrounds: Images, adjoints: Images) -> Images:
    """dL/dbackgrounds [n, 3, h, w]: pixels too far apart to meet in one pixel of a picture are moved together."""
    gradient = np.zeros(backgrounds.shape, dtype=np.float32)
    period = 2 * _REACH + 1
    high, low = np.minimum(backgrounds + BACKGROUND_STEP, 1), np.maximum(backgrounds - BACKGROUND_STEP, 0)
    for top in range(period):
        for left in range(period):
            place = (..., slice(top, None, period), slice(left, None, period))
            ahead, behind = backgrounds.copy(), backgrounds.copy()
            ahead[place], behind[place] = high[place], low[place]
            change = (draw(ahead) - draw(behind)) * adjoints
            gradient[place] = (_around(change) / np.maximum(high - low, 1e-6))[place]
    return gradient


def _around(values: Images) -> Images:
    """The sum of each pixel's surroundings, ``_REACH`` to each side."""
    height, width = values.shape[2:]
    padded = np.pad(values, ((0, 0), (0, 0), (_REACH, _REACH), (_REACH, _REACH)))
    shifts = range(2 * _REACH + 1)
    total: Images = np.sum([padded[..., y : y + height, x : x + width] for y in shifts for x in shifts], axis=0)
    return total


def _draw(
    renderer: Renderer, views: Views, height: int, width: int, backgrounds: Images | None, samples: int
) -> Images:
    if samples == 1:
        return renderer.render(views, height, width, backgrounds=backgrounds).images
    large = None if backgrounds is None else backgrounds.repeat(samples, axis=2).repeat(samples, axis=3)
    fine = renderer.render(views, height * samples, width * samples, backgrounds=large).images
    light = srgb_to_linear(fine.astype(np.float64)).reshape(len(views), 3, height, samples, width, samples)
    return linear_to_srgb(light.mean(axis=(3, 5))).astype(np.float32)


def _steps(views: Views, height: int, width: int, step_px: float) -> Array:
    """[n, numbers of a view]: what moves the outline of a ball of radius 1 by ``step_px``; fixed steps for lights."""
    focal, lights = focal_px(views.fov, height, width), views.light_dirs.shape[1]
    depth = np.maximum(np.abs(views.position[:, 2]), _LEAST_DEPTH)
    across = step_px * depth / focal
    reach = 1 + np.abs(views.position[:, :2]).max(axis=1)  # of the outline from the optical axis, object units
    turn = np.minimum(across, _MOST_TURN_RAD)
    along = np.minimum(across * depth / reach, 0.1 * depth)
    # d(focal)/d(fov) = -focal / sin(fov); a quarter of what is left of (0, pi) keeps the field of view within
    zoom = np.minimum(across * np.sin(views.fov) / reach, 0.25 * np.minimum(views.fov, np.pi - views.fov))
    moves = np.stack([turn, turn, turn, across, across, along, zoom], axis=1)
    return np.concatenate([moves, np.full((len(views), 6 * lights + 3), LIGHT_STEP)], axis=1)


def _sizes(views: Views) -> tuple[int, ...]:
    """How many numbers each of FIELDS has."""
    lights = views.light_dirs.shape[1]
    return 3, 3, 1, 3 * lights, 3 * lights, 3


def _split(flat: Array, views: Views) -> dict[str, Array]:
    """Rows of numbers [m, numbers of a view] as arrays named and shaped like the fields of ``ViewGradients``."""
    pieces = np.split(flat, np.cumsum(_sizes(views))[:-1], axis=1)
    return {
        name: piece.reshape(len(flat), *getattr(views, name if name != "rotation" else "position").shape[1:])
        for name, piece in zip(FIELDS, pieces, strict=True)
    }


def _gradients(flat: Array, views: Views, backgrounds: Images | None) -> ViewGradients:
    return ViewGradients(**_split(flat, views), backgrounds=backgrounds)


def _joined(gradients: ViewGradients) -> Array:
    count = len(gradients.rotation)
    return np.concatenate([getattr(gradients, name).reshape(count, -1) for name in FIELDS], axis=1)


def _moved(views: Views, deltas: Array) -> Views:
    """``views`` with ``deltas`` added to their numbers; turns are about the camera's axes."""
    change = _split(deltas, views)
    return replace(
        views,
        rotation=tangent_to_matrix(change["rotation"]) @ views.rotation,
        **{name: getattr(views, name) + change[name] for name in FIELDS[1:]},
    )


def _turned(views: Views, moves: Array) -> Views:
    """``views`` whose objects are turned about their own axes and shifted, as ``Jitter.moves`` has it."""
    rotation = views.rotation @ tangent_to_matrix(moves[:, :3])
    return replace(views, rotation=rotation, position=views.position + moves[:, 3:])
