"""Figures of probes, as SVG text that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.report.svg import LEFT, RIGHT, axis, label, polyline, text

Array = NDArray[np.float64]

_TOP, _BOTTOM = 8.0, 112.0


@dataclass(frozen=True, eq=False)
class Curve:
    """Shares over the steps of a ladder.

    Attributes:
        css: class of its colour.
        share, low, high: [k]; nan where there is none.
    """

    css: str
    share: Array
    low: Array
    high: Array


def ladder_panel(
    steps: Sequence[float], curves: Sequence[Curve], unit: str, title: str, *, aim: float | None = None
) -> str:
    """Shares (0 to 100 %, upwards) over the steps of a ladder (rising, above 0, logarithmic axis), with intervals.

    Args:
        steps: [k].
        curves: each with k values.
        unit: "degrees", or what does not change numbers.
        title: for readers who do not see it.
        aim: a share that is marked by a line across.
    """
    ladder = np.asarray(steps, dtype=np.float64)
    place = axis(ladder[0] / 1.2, ladder[-1] * 1.1, True)
    x = place(ladder)
    parts = [f'<svg class="panel" viewBox="0 0 340 132" role="img" aria-label="{escape(title)}">']
    for p in (0, 50, 100):
        y = float(_height(p / 100))
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>{text(LEFT - 4, y + 3, f"{p} %", "end")}')
    if aim is not None:
        parts.append(f'<path class="blank-line" d="M{LEFT} {float(_height(aim)):.1f}H{RIGHT}"/>')
    for curve in curves:
        known = ~np.isnan(curve.share)
        if known.any():
            edge = np.append(_height(curve.high[known]), _height(curve.low[known])[::-1])
            around = polyline(np.append(x[known], x[known][::-1]), edge)
            parts.append(f'<path class="band {curve.css}" d="{around}Z"/>')
            parts.append(f'<path class="line {curve.css}" d="{polyline(x[known], _height(curve.share[known]))}"/>')
    for step, at in zip(ladder, x, strict=True):
        parts.append(f'<path class="tick" d="M{at:.1f} {_BOTTOM}v3"/>')
        if step in _numbered(ladder):
            parts.append(text(at, _BOTTOM + 13, label(float(step), unit)))
    for k, (step, at) in enumerate(zip(ladder, x, strict=True)):
        told = "; ".join(
            f"{100 * c.share[k]:.0f} % [{100 * c.low[k]:.0f}, {100 * c.high[k]:.0f}]"
            for c in curves
            if not np.isnan(c.share[k])
        )
        words = escape(f"{label(float(step), unit)}: {told or 'none'}")
        parts.append(
            f'<rect class="hit" x="{at - 8:.1f}" y="{_TOP}" width="16" height="104"><title>{words}</title></rect>'
        )
    return "".join(parts) + "</svg>"


def flipped_by(flips: pd.Series[float], steps: Sequence[float]) -> tuple[Array, Array]:
    """How many of ``flips`` are at most each of ``steps``, [k], and how many there are, [k]."""
    flip, ladder = flips.to_numpy(dtype=np.float64), np.asarray(steps, dtype=np.float64)
    counts = (flip[:, None] <= ladder * (1 + 1e-12)).sum(axis=0)
    return counts.astype(np.float64), np.full(len(ladder), float(len(flip)))


def _height(share: Array | float) -> Array:
    return np.asarray(_BOTTOM - np.asarray(share, dtype=np.float64) * (_BOTTOM - _TOP), dtype=np.float64)


def _numbered(ladder: Array) -> list[float]:
    """The steps that get a number: about every second of many."""
    return list(ladder if len(ladder) <= 6 else ladder[:: -(-len(ladder) // 5)])
