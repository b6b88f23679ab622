"""Backgrounds painted by code: plain pictures, rooms and landscapes, the same for an index at any size.

They are surroundings in colour and structure, not photographs: nothing in them is meant to be recognised.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]
Random = np.random.Generator

#: How many pictures a scene has that names a kind and no number.
DEFAULT_COUNT = 24


def paint(kind: str, index: int, height: int, width: int) -> NDArray[np.float32]:
    """Picture ``index`` of a ``kind`` (one of KINDS), float32 [3, height, width], sRGB in [0, 1].

    The pictures of one index at two sizes show the same.
    """
    half = min(height, width) / 2
    x: Array = (np.arange(width) + 0.5 - width / 2) / half
    y: Array = (height / 2 - np.arange(height) - 0.5) / half
    stream = KINDS.index(kind)
    if kind == "mixed":
        index, stream = divmod(index, len(_PAINTERS))
    picture = _PAINTERS[KINDS[stream]](np.random.default_rng([stream, index, 0xBAC]), x[None, :], y[:, None])
    return np.clip(picture, 0, 1).astype(np.float32)


@lru_cache(maxsize=8)
def paint_all(kind: str, count: int, height: int, width: int) -> NDArray[np.float32]:
    """Pictures 0 to count - 1, float32 [count, 3, height, width]. Scenes share them: they are not to be changed."""
    return np.stack([paint(kind, i, height, width) for i in range(count)])


def _color(rng: Random, low: float = 0.0, high: float = 1.0) -> Array:
    """A random colour, [3, 1, 1]."""
    return rng.uniform(low, high, (3, 1, 1))


def _muted(rng: Random, low: float, high: float) -> Array:
    """A random colour of little saturation, as walls and furniture have it."""
    color = _color(rng, low, high)
    muted: Array = 0.45 * color + 0.55 * color.mean()
    return muted


def _over(picture: Array, cover: Array, color: Array) -> Array:
    """``color`` laid over the picture where ``cover`` [h, w] is 1."""
    return picture + (color - picture) * np.clip(cover, 0, 1)


def _inside(x: Array, y: Array, x0: float, y0: float, x1: float, y1: float) -> Array:
    """1 within a rectangle, 0 outside, with soft edges about a pixel of a 224-pixel frame wide."""
    soft = 110.0
    across = np.minimum(x - x0, x1 - x) * soft
    along = np.minimum(y - y0, y1 - y) * soft
    cover: Array = np.clip(np.minimum(across, along) + 0.5, 0, 1)
    return cover


def _noise(rng: Random, x: Array, y: Array, octaves: tuple[int, ...] = (3, 6, 12, 24)) -> Array:
    """Smooth noise, about 0.5 on average, [h, w]: octaves of random grids over [-2, 2] squared, bilinearly enlarged."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape))
    for octave in octaves:
        grid = rng.uniform(-1, 1, (octave + 2, octave + 2))
        column, row = np.clip((x[0] + 2) / 4, 0, 1) * octave, np.clip((y[:, 0] + 2) / 4, 0, 1) * octave
        left, below = column.astype(int), row.astype(int)
        a, b = (column - left)[None, :], (row - below)[:, None]
        lower = grid[below][:, left] * (1 - a) + grid[below][:, left + 1] * a
        upper = grid[below + 1][:, left] * (1 - a) + grid[below + 1][:, left + 1] * a
        total += (lower * (1 - b) + upper * b) * (2.0 / octave)
    return np.clip(total + 0.5, 0, 1)


def _plain(rng: Random, x: Array, y: Array) -> Array:
    """One colour (half of these near mid grey), a run of colours, clouds, a horizon, or scattered boxes and discs."""
    first, second = _color(rng), _color(rng)
    shape = np.broadcast_shapes(x.shape, y.shape)
    kind = int(rng.integers(0, 6))
    if kind == 0:
        return np.broadcast_to(rng.uniform(0.35, 0.65) + rng.uniform(-0.02, 0.02, (3, 1, 1)), (3, *shape))
    if kind == 1:
        return np.broadcast_to(first, (3, *shape))
    angle, steep = rng.uniform(0, 2 * np.pi), rng.uniform(0.3, 0.8)
    run = np.clip((np.cos(angle) * x + np.sin(angle) * y) * steep + 0.5, 0, 1)
    if kind == 3:
        run = _noise(rng, x, y)
    elif kind == 4:
        run = np.clip((rng.uniform(-0.4, 0.6) - y) * rng.choice([3.0, 60.0]) + 0.5, 0, 1)
        run = np.clip(run + rng.uniform(0, 0.5) * (_noise(rng, x, y) - 0.5), 0, 1)
    picture: Array = first + (second - first) * run
    if kind == 5:
        for _ in range(int(rng.integers(3, 12))):
            (cx, cy), (half_x, half_y) = rng.uniform(-1, 1, 2), rng.uniform(0.05, 0.6, 2)
            if rng.random() < 0.4:
                cover = np.clip((half_x - np.hypot(x - cx, y - cy)) * 110 + 0.5, 0, 1)
            else:
                cover = _inside(x, y, cx - half_x, cy - half_y, cx + half_x, cy + half_y)
            picture = _over(picture, cover, _color(rng))
    return picture


def _ground(rng: Random, x: Array, y: Array, horizon: float, color: Array, tile: float) -> Array:
    """A floor below ``horizon`` in perspective, [3, h, w]: joints where ``tile`` (its size in eye heights) is not 0."""
    depth = 1.0 / np.maximum(horizon - y, 0.02)
    shade = 1 - 0.25 * np.exp(-depth / 6) + 0.0 * x
    grain = 0.16 * (_noise(rng, x * 0.5, (horizon - y) * 1.2 - 1.0) - 0.5)
    floor: Array = color * shade + grain
    if tile > 0:
        along, across = depth / tile + rng.uniform(0, 1), x * depth / tile + rng.uniform(0, 1)
        sharp = np.clip(8 / depth, 0.0, 1.0)
        joint = ((along % 1) < 0.07) | ((across % 1) < 0.07)
        floor = floor * (1 - 0.35 * sharp * joint)
    return floor


def _indoor(rng: Random, x: Array, y: Array) -> Array:
    """A room: wall, skirting board, floor of boards, tiles or carpet; windows, pictures, cupboards or shelves."""
    edge = float(rng.uniform(-0.75, -0.1))
    wall = _muted(rng, 0.45, 0.95) * (0.7 + 0.3 * rng.random())
    light = 1 - 0.2 * np.clip(np.abs(x - rng.uniform(-1, 1)) + np.abs(y - 0.5) * 0.5, 0, 1)
    picture = wall * light
    if rng.random() < 0.3:  # wallpaper
        stripes = ((x * rng.integers(4, 12)) % 1 < 0.5) & np.ones_like(y, dtype=bool)
        picture = picture * (1 - 0.08 * stripes)
    for _ in range(int(rng.integers(0, 4))):
        cx, cy = rng.uniform(-1.2, 1.2), rng.uniform(0.0, 0.8)
        half_x, half_y = rng.uniform(0.12, 0.45), rng.uniform(0.12, 0.45)
        frame, pane = _muted(rng, 0.1, 0.95), _color(rng, 0.2, 0.95)
        picture = _over(picture, _inside(x, y, cx - half_x, cy - half_y, cx + half_x, cy + half_y), frame)
        rim = 0.12 * min(half_x, half_y)
        if rng.random() < 0.5:  # a window: two panes
            for left, right in ((cx - half_x + rim, cx - rim / 2), (cx + rim / 2, cx + half_x - rim)):
                picture = _over(picture, _inside(x, y, left, cy - half_y + rim, right, cy + half_y - rim), pane)
        else:
            inner = _inside(x, y, cx - half_x + rim, cy - half_y + rim, cx + half_x - rim, cy + half_y - rim)
            picture = _over(picture, inner, pane + 0.5 * (_noise(rng, x * 1.5, y * 1.5) - 0.5))
    floor = _ground(rng, x, y, edge + 0.35, _muted(rng, 0.15, 0.75), float(rng.choice([0.0, 0.35, 0.8])))
    picture = _over(picture, np.clip((edge - y) * 110 + 0.5, 0, 1) + 0.0 * x, floor)
    picture = _over(picture, _inside(x, y, -9, edge, 9, edge + 0.05), _muted(rng, 0.3, 0.95))
    for _ in range(int(rng.integers(0, 3))):  # furniture along the wall
        cx, half_x, top = rng.uniform(-1.3, 1.3), rng.uniform(0.15, 0.5), edge + rng.uniform(0.2, 0.9)
        body = _muted(rng, 0.1, 0.7)
        picture = _over(picture, _inside(x, y, cx - half_x, edge - 0.06, cx + half_x, top), body)
        rows = int(rng.integers(1, 5))
        for k in range(rows):
            low = edge + (top - edge) * (k + 0.1) / rows
            high = edge + (top - edge) * (k + 0.9) / rows
            picture = _over(picture, _inside(x, y, cx - half_x * 0.9, low, cx + half_x * 0.9, high), body * 0.8)
    return picture


def _outdoor(rng: Random, x: Array, y: Array) -> Array:
    """A landscape: sky with clouds, hills, trees or houses, and a meadow, a square or a road."""
    horizon = float(rng.uniform(-0.35, 0.35))
    zenith = np.array([0.25, 0.45, 0.8]).reshape(3, 1, 1) + rng.uniform(-0.15, 0.15, (3, 1, 1))
    haze = np.array([0.78, 0.85, 0.93]).reshape(3, 1, 1) + rng.uniform(-0.12, 0.07, (3, 1, 1))
    picture = zenith + (haze - zenith) * np.exp(-np.clip(y - horizon, 0, None) * 1.5)
    clouds = np.clip((_noise(rng, x * 0.7, y * 1.4) - rng.uniform(0.4, 0.8)) * 3, 0, 1)
    picture = _over(picture + 0.0 * x, clouds, np.full((3, 1, 1), 0.95))
    ridge = horizon + 0.25 * rng.random() * (_noise(rng, x, np.zeros_like(y[:1]), (3, 6))[0][None, :])
    picture = _over(
        picture, (ridge - y) * 60 + 0.5, np.array([0.35, 0.45, 0.42]).reshape(3, 1, 1) * rng.uniform(0.6, 1.4)
    )
    kind = int(rng.integers(0, 3))
    for _ in range(int(rng.integers(2, 8)) if kind < 2 else 0):
        cx, size = rng.uniform(-1.5, 1.5), rng.uniform(0.15, 0.6)
        if kind == 0:  # trees
            trunk = _inside(x, y, cx - 0.03, horizon - 0.05, cx + 0.03, horizon + size * 0.6)
            picture = _over(picture, trunk, np.array([0.3, 0.22, 0.15]).reshape(3, 1, 1))
            crown = size * 0.5 - np.hypot(x - cx, (y - horizon - size * 0.7) * 0.9)
            leafy = crown * 60 + 8 * (_noise(rng, x * 2, y * 2, (24, 48)) - 0.5)
            green = np.array([0.18, 0.36, 0.13]).reshape(3, 1, 1) * rng.uniform(0.6, 1.5)
            picture = _over(picture, leafy + 0.5, green)
        else:  # houses with windows
            wide, wall = rng.uniform(0.15, 0.4), _muted(rng, 0.3, 0.85)
            picture = _over(picture, _inside(x, y, cx - wide, horizon - 0.05, cx + wide, horizon + size * 1.5), wall)
            panes = (((x - cx) * 9) % 1 < 0.5) & (((y - horizon) * 7) % 1 < 0.6)
            inner = _inside(x, y, cx - wide * 0.85, horizon + 0.03, cx + wide * 0.85, horizon + size * 1.4)
            picture = _over(picture, panes * inner, np.array([0.2, 0.25, 0.32]).reshape(3, 1, 1))
    if rng.random() < 0.5:  # a meadow
        surface, tile = np.array([0.3, 0.45, 0.18]).reshape(3, 1, 1) * rng.uniform(0.6, 1.3), 0.0
    else:
        surface = np.full((3, 1, 1), rng.uniform(0.3, 0.65)) + rng.uniform(-0.06, 0.06, (3, 1, 1))
        tile = float(rng.choice([0.0, 0.8]))
    ground = _ground(rng, x, y, horizon, surface, tile)
    if rng.random() < 0.5:  # a road to the horizon
        middle, wide = rng.uniform(-0.5, 0.5), rng.uniform(0.6, 1.6)
        depth = 1.0 / np.maximum(horizon - y, 0.02)
        at = (x - middle * np.exp(-depth * 0.15)) * depth
        road = np.clip((wide - np.abs(at)) * 20, 0, 1)
        ground = _over(ground, road, np.full((3, 1, 1), rng.uniform(0.25, 0.45)))
        dashes = (np.abs(at) < 0.04) & ((depth * 0.8) % 1 < 0.5)
        ground = _over(ground, dashes * 0.8, np.full((3, 1, 1), 0.9))
    return _over(picture, (horizon - y) * 110 + 0.5 + 0.0 * x, ground)


_PAINTERS: dict[str, Callable[[Random, Array, Array], Array]] = {
    "plain": _plain,
    "indoor": _indoor,
    "outdoor": _outdoor,
}
#: "mixed" is all others in turn.
KINDS = (*_PAINTERS, "mixed")
