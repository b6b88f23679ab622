"""Figures as SVG text: they take their colours from the page, so that one figure serves light, dark and print.

Drawn by hand rather than with matplotlib, whose SVG carries its own colours and outlined text at ten times the size,
and whose font settings are global state. Only its colour map is used.
"""

from __future__ import annotations

import base64
import io
import math
from functools import lru_cache
from html import escape

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.geometry.grids import direction_to_cell, direction_to_mollweide, mollweide_to_direction
from posetest.geometry.so3 import direction
from posetest.report.svg import LEFT, RIGHT, axis, axis_ticks, boxes, label, polyline, steps, text
from posetest.report.words import with_bounds

Array = NDArray[np.float64]

#: Perceptually uniform, monotone in lightness, and the same to readers who cannot tell red from green.
COLOR_MAP = "cividis"

_MAP_PX = (840, 420)  # of the cells' raster: more than twice the width it is shown at
_CENTRE, _RADII = (200.0, 112.0), (192.0, 96.0)  # of the map's ellipse, in the figure's units


@lru_cache(maxsize=1)
def palette() -> NDArray[np.uint8]:
    """Colours [101, 3] of the rates 0 to 100 %."""
    from matplotlib import colormaps

    colors: NDArray[np.uint8] = np.rint(colormaps[COLOR_MAP](np.linspace(0, 1, 101))[:, :3] * 255).astype(np.uint8)
    return colors


def direction_map(table: pd.DataFrame, title: str, *, named: bool = True) -> str:
    """A Mollweide map of the recognition rate over viewing direction, from ``density.direction_rates``.

    Needs ``definitions`` in the page. Small multiples need no ``named`` sides.
    """
    cx, cy = _CENTRE
    rx, ry = _RADII
    labels = []
    if named:
        ticks = [(-180, "back"), (-90, "left"), (0, "front"), (90, "right"), (180, "back")]
        base = cy + ry + 26
        labels = [text(cx + a / 180 * (rx - 10 if abs(a) == 180 else rx), base, word) for a, word in ticks]
        labels += [text(cx, cy - ry - 6, "top"), text(cx, cy + ry + 12, "bottom")]
    cells = _cell_raster(math.isqrt(len(table) // 12))
    rate = np.where(cells >= 0, table["rate"].to_numpy()[cells], np.nan)  # nan where a cell has no poses, too
    return (
        f'<svg class="map" viewBox="{"0 0 400 240" if named else "4 12 392 200"}" role="img" '
        f'aria-label="{escape(title)}">'
        f'<ellipse class="void" cx="{cx}" cy="{cy}" rx="{rx}" ry="{ry}"/>'
        f'<image x="{cx - rx}" y="{cy - ry}" width="{2 * rx}" height="{2 * ry}" preserveAspectRatio="none" '
        f'href="{rates_url(rate)}"/>'
        '<use class="graticule" href="#graticule"/>'
        f'<ellipse class="rim" cx="{cx}" cy="{cy}" rx="{rx}" ry="{ry}"/>{"".join(labels)}</svg>'
    )


def rates_url(rate: Array) -> str:
    """Rates [h, w] as the data URL of a PNG with a palette, a pixel each; transparent where nan."""
    from PIL import Image

    is_known = ~np.isnan(rate)
    level = np.zeros(rate.shape, dtype=np.uint8)
    level[is_known] = 1 + np.rint(100 * rate[is_known]).astype(np.uint8)
    image = Image.fromarray(level, mode="P")
    image.putpalette(np.vstack([[[0, 0, 0]], palette()]).astype(np.uint8).tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", transparency=0, compress_level=9)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


@lru_cache(maxsize=2)
def _cell_raster(nside: int) -> NDArray[np.int64]:
    """The HEALPix cell under each pixel of the map, [h, w]; -1 off the map."""
    width, height = _MAP_PX
    x, y = np.meshgrid(((np.arange(width) + 0.5) / width - 0.5) * 4, (0.5 - (np.arange(height) + 0.5) / height) * 2)
    vectors, on_map = mollweide_to_direction(x, y)
    return np.where(on_map, direction_to_cell(vectors.reshape(-1, 3), nside).reshape(on_map.shape), -1)


def _graticule() -> str:
    """Meridians every 45 degrees, parallels every 30, as one path."""
    lines = []
    span = np.radians(np.linspace(-90, 90, 37))
    for azimuth in (-135, -90, -45, 0, 45, 90, 135):
        lines.append(direction(np.full(len(span), math.radians(azimuth)), span))
    for elevation in (-60, -30, 0, 30, 60):
        lines.append(direction(np.radians([-179.999, 179.999]), np.full(2, math.radians(elevation))))
    pieces = []
    for vectors in lines:
        x, y = direction_to_mollweide(vectors)
        pieces.append(polyline(_CENTRE[0] + x / 2 * _RADII[0], _CENTRE[1] - y * _RADII[1]))
    return "".join(pieces)


def definitions() -> str:
    """What maps and colour bars of a page share; to stand in the page once."""
    stops = "".join(
        f'<stop offset="{10 * i}%" stop-color="rgb({r},{g},{b})"/>' for i, (r, g, b) in enumerate(palette()[::10])
    )
    return (
        '<svg class="definitions" width="0" height="0" aria-hidden="true"><defs>'
        f'<linearGradient id="scale">{stops}</linearGradient><path id="graticule" d="{_graticule()}"/></defs></svg>'
    )


def color_bar() -> str:
    """The scale of ``direction_map``, 0 to 100 %. Needs ``definitions`` in the page."""
    ticks = "".join(text(12 + 2.2 * p, 30, f"{p}\u202f%") for p in (0, 25, 50, 75, 100))
    return (
        '<svg class="bar" viewBox="0 0 420 34" role="img" aria-label="colour scale, 0 to 100 % recognised">'
        f'<rect x="12" y="6" width="220" height="11" fill="url(#scale)"/>{ticks}'
        f'<rect class="void" x="280" y="6" width="22" height="11"/>'
        f'<rect class="rim" x="280" y="6" width="22" height="11"/>{text(308, 15, "no poses", "start")}</svg>'
    )


_SHARE, _DENSITY = (8.0, 92.0), (104.0, 146.0)  # top and bottom of the two plots
FEWEST = 25  # poses of an outcome below which its density is not drawn


def density_panel(table: pd.DataFrame, unit: str, title: str, log: bool = False) -> str:
    """Shares per bin with intervals over densities of the outcomes, from ``density.densities``.

    Above: recognised and confidently misread shares of each bin. Below: where the recognised, the misread and the
    confidently misread poses lie, each with area 1, over all poses as sampled (grey).
    """
    edges = np.append(table["bin_low"].to_numpy(), table["bin_high"].to_numpy()[-1])
    place = axis(edges[0], edges[-1], log)
    x = place(edges)
    parts = [f'<svg class="panel" viewBox="0 0 340 164" role="img" aria-label="{escape(title)}">']
    for p in (0, 50, 100):
        y = _SHARE[1] - p / 100 * (_SHARE[1] - _SHARE[0])
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>{text(LEFT - 4, y + 3, f"{p} %", "end")}')
    for outcome in ("recognised", "confident"):
        low, high, middle = (_at(table[f"{outcome}_{part}"], _SHARE, 1.0) for part in ("low", "high", "share"))
        parts.append(f'<path class="band {outcome}" d="{boxes(x, low, high)}"/>')
        parts.append(f'<path class="line {outcome}" d="{steps(x, middle)}"/>')
    parts.append(_densities(table, x))
    for tick in axis_ticks(edges[0], edges[-1], unit):
        at, name = float(place(tick)), label(tick, unit)
        parts.append(f'<path class="tick" d="M{at:.1f} {_DENSITY[1]}v3"/>{text(at, _DENSITY[1] + 13, name)}')
    parts.append(_hover(table, x, unit))
    return "".join(parts) + "</svg>"


def _densities(table: pd.DataFrame, x: Array) -> str:
    drawn = [o for o in ("recognised", "misread", "confident") if table[o].sum() >= FEWEST]
    top = float(np.nanmax([table["all_density"].max(), *(table[f"{o}_density"].max() for o in drawn)]))
    if not top > 0:
        return ""
    floor = np.full(len(table), _DENSITY[1])
    parts = [text(LEFT - 4, sum(_DENSITY) / 2 + 3, "density", "end")]
    parts += [f'<path class="sampled" d="{boxes(x, floor, _at(table["all_density"], _DENSITY, top))}"/>']
    parts.append(f'<path class="grid" d="M{LEFT} {_DENSITY[1]}H{RIGHT}"/>')
    parts += [f'<path class="line {o}" d="{steps(x, _at(table[f"{o}_density"], _DENSITY, top))}"/>' for o in drawn]
    return "".join(parts)


def _hover(table: pd.DataFrame, x: Array, unit: str) -> str:
    """A transparent box over each bin that tells its numbers."""
    degree = "°" if unit == "degrees" else ""
    boxes = []
    for i, row in enumerate(table.to_dict(orient="records")):
        words = f"{row['bin_low']:.4g} to {row['bin_high']:.4g}{degree}: n {row['n']}"
        if row["n"]:
            rate = with_bounds(row["recognised_share"], row["recognised_low"], row["recognised_high"], 0)
            words += f", recognised {rate}, confidently misread {row['confident']}"
        boxes.append(f'<rect x="{x[i]:.1f}" width="{x[i + 1] - x[i]:.1f}"><title>{escape(words)}</title></rect>')
    return f'<g class="hits">{"".join(boxes)}</g>'


def interval_bar(rate: float, low: float, high: float, outcome: str = "recognised") -> str:
    """A rate as a bar from 0 to 100 %, solid up to the interval and pale within it, with a mark at the rate."""
    track = '<path class="track" d="M0 2H120V10H0Z"/>'
    if math.isnan(rate):
        return f'<svg class="interval" viewBox="0 0 120 12" aria-hidden="true">{track}</svg>'
    x, left, right = (120 * v for v in (rate, low, high))
    return (
        f'<svg class="interval {outcome}" viewBox="0 0 120 12" aria-hidden="true">{track}'
        f'<path class="sure" d="M0 2H{left:.1f}V10H0Z"/>'
        f'<path class="reach" d="M{left:.1f} 2H{right:.1f}V10H{left:.1f}Z"/>'
        f'<path class="mark" d="M{x:.1f} 0V12"/></svg>'
    )


def _at(values: pd.Series[float], plot: tuple[float, float], top: float) -> Array:
    """Heights of ``values`` in a plot whose upper end stands for ``top``."""
    shares = np.asarray(values, dtype=np.float64)
    return np.asarray(plot[1] - shares / top * (plot[1] - plot[0]), dtype=np.float64)
