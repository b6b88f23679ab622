"""What figures are drawn of: axes, ticks, paths and words, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

#: The plot's sides in a panel 340 wide.
LEFT, RIGHT = 38.0, 334.0


def axis(low: float, high: float, log: bool) -> Callable[[ArrayLike], Array]:
    """From values of the parameter to x in the figure."""

    def place(values: ArrayLike) -> Array:
        warp = np.log if log else np.asarray
        first, last = warp(low), warp(high)
        return np.asarray(LEFT + (warp(values) - first) / (last - first) * (RIGHT - LEFT), dtype=np.float64)

    return place


def axis_ticks(low: float, high: float, unit: str) -> list[float]:
    """Three to seven round values within [low, high]; for degrees, parts of a turn where they fit."""
    width = high - low
    step: float
    if unit == "degrees" and width >= 60:
        step = next(s for s in (15, 30, 45, 90, 180, 360) if width / s <= 5)
    else:
        power = 10.0 ** math.floor(math.log10(width / 3))
        step = next(m * power for m in (10, 5, 2, 1) if width / (m * power) >= 3 or m == 1)
    first = math.ceil(low / step - 1e-9)
    return [k * step for k in range(first, math.floor(high / step + 1e-9) + 1)]


def label(value: float, unit: str) -> str:
    """A number on an axis."""
    number = f"{value:.6g}".replace("-", "−")
    return number + ("°" if unit == "degrees" else "")


def boxes(x: Array, low: Array, high: Array) -> str:
    """A path of one box for each bin, none where a bound is nan."""
    return "".join(
        f"M{x[i]:.1f} {low[i]:.1f}V{high[i]:.1f}H{x[i + 1]:.1f}V{low[i]:.1f}"
        for i in range(len(low))
        if not math.isnan(low[i] + high[i])
    )


def steps(x: Array, y: Array) -> str:
    """A path of steps, interrupted where y is nan."""
    pieces, is_drawing = [], False
    for i, height in enumerate(y):
        if math.isnan(height):
            is_drawing = False
            continue
        pieces.append(f"V{height:.1f}" if is_drawing else f"M{x[i]:.1f} {height:.1f}")
        pieces.append(f"H{x[i + 1]:.1f}")
        is_drawing = True
    return "".join(pieces)


def polyline(x: Sequence[float] | Array, y: Sequence[float] | Array) -> str:
    """A path through points."""
    return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True))


def text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    """Words at a place of the figure."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def ticks(low: float, high: float, unit: str, place: Callable[[ArrayLike], Array], bottom: float) -> list[str]:
    """Marks and numbers below a plot."""
    marks = [(float(place(tick)), label(tick, unit)) for tick in axis_ticks(low, high, unit)]
    return [f'<path class="tick" d="M{at:.1f} {bottom}v3"/>{text(at, bottom + 13, name)}' for at, name in marks]
