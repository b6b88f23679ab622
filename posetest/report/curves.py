"""Figures of searches and tuning curves, as SVG text that takes its colours from the page."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from posetest.report.figures import palette
from posetest.report.svg import LEFT, RIGHT, axis, axis_ticks, label, polyline, steps, text, ticks

Array = NDArray[np.float64]


def rising_curve(calls: ArrayLike, scores: ArrayLike, total: int, title: str) -> str:
    """The best score so far over classifier calls, from the calls and scores at which it rose.

    The axis of calls is logarithmic: a search rises fast at first.
    """
    x_calls, y = np.asarray(calls, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    place = axis(1.0, max(float(total), 2.0), True)
    low, high = float(y.min()), float(y.max())
    spread = (high - low) or 1.0
    top, bottom = 8.0, 146.0
    heights = bottom - (y - low) / spread * (bottom - top)
    parts = [f'<svg class="panel" viewBox="0 0 340 164" role="img" aria-label="{escape(title)}">']
    for value in (low, (low + high) / 2, high):
        at = bottom - (value - low) / spread * (bottom - top)
        parts.append(
            f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>{text(LEFT - 4, at + 3, f"{value:.3g}", "end")}'
        )
    edges = place(np.append(x_calls, max(float(total), 2.0)))
    parts.append(f'<path class="line recognised" d="{steps(edges, heights)}"/>')
    for power in range(int(math.log10(max(total, 2))) + 1):
        at = float(place(10.0**power))
        parts.append(f'<path class="tick" d="M{at:.1f} {bottom}v3"/>{text(at, bottom + 13, f"{10**power:,}")}')
    return "".join(parts) + "</svg>"


def tuning_curve(values: Array, curve: Array, blank: float, unit: str, title: str) -> str:
    """A unit's response over one parameter, with its response to the background alone dashed."""
    place = axis(float(values[0]), float(values[-1]), False)
    top, bottom = 8.0, 100.0
    low, high = float(min(curve.min(), blank)), float(max(curve.max(), blank))
    scale = (high - low) or 1.0
    height = bottom - (np.append(curve, blank) - low) / scale * (bottom - top)
    x = place(values)
    parts = [f'<svg class="panel" viewBox="0 0 340 118" role="img" aria-label="{escape(title)}">']
    for value in (low, high):
        at = bottom - (value - low) / scale * (bottom - top)
        parts.append(
            f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>{text(LEFT - 4, at + 3, f"{value:.3g}", "end")}'
        )
    parts.append(f'<path class="blank-line" d="M{LEFT} {height[-1]:.1f}H{RIGHT}"/>')
    parts.append(f'<path class="line recognised" d="{polyline(x, height[:-1])}"/>')
    parts += ticks(float(values[0]), float(values[-1]), unit, place, bottom)
    return "".join(parts) + "</svg>"


def tuning_map(values: Sequence[Array], grid: Array, blank: float, units: Sequence[str], title: str) -> str:
    """A unit's response over two parameters, from its response to the background (dark) to its highest (light)."""
    low, high = min(blank, float(grid.max())), float(grid.max())
    share = np.clip((grid.T[::-1] - low) / ((high - low) or 1.0), 0, 1)
    colors = palette()[np.rint(share * 100).astype(int)]
    top, bottom = 8.0, 146.0
    across = axis(float(values[0][0]), float(values[0][-1]), False)
    parts = [
        f'<svg class="panel" viewBox="0 0 340 164" role="img" aria-label="{escape(title)}">'
        f'<image x="{LEFT}" y="{top}" width="{RIGHT - LEFT}" height="{bottom - top}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{base64.b64encode(_png(colors)).decode()}"/>'
    ]
    parts += ticks(float(values[0][0]), float(values[0][-1]), units[0], across, bottom)
    first, last = float(values[1][0]), float(values[1][-1])
    for tick in axis_ticks(first, last, units[1]):
        at = bottom - (tick - first) / (last - first) * (bottom - top)
        parts.append(text(LEFT - 4, at + 3, label(tick, units[1]), "end"))
    return "".join(parts) + "</svg>"


def unit_scatter(table: pd.DataFrame, name: str, unit: str) -> str:
    """Half-width over the first parameter against invariance, a dot a driven unit."""
    driven = table[table["is_driven"] & table[f"half_width_{name}"].notna()]
    if not len(driven):
        return ""
    widths, shares = driven[f"half_width_{name}"].to_numpy(), driven["invariance"].to_numpy()
    last = float(widths.max()) or 1.0
    place = axis(0.0, last, False)
    top, bottom = 8.0, 146.0
    parts = ['<svg class="panel" viewBox="0 0 340 164" role="img" aria-label="half-width and invariance of units">']
    for value in (0.0, 0.5, 1.0):
        at = bottom - value * (bottom - top)
        parts.append(f'<path class="grid" d="M{LEFT} {at:.1f}H{RIGHT}"/>{text(LEFT - 4, at + 3, f"{value:g}", "end")}')
    dots = zip(driven["channel"], place(widths), bottom - shares * (bottom - top), strict=True)
    parts += [
        f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2"><title>unit {n}</title></circle>' for n, x, y in dots
    ]
    parts += ticks(0.0, last, unit, place, bottom)
    return "".join(parts) + "</svg>"


def _png(colors: NDArray[np.uint8]) -> bytes:
    """Pixels [h, w, 3] as a PNG file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(colors)).save(buffer, "PNG")
    return buffer.getvalue()
