"""Maps of the viewing directions on an axis: Mollweide's, and globes seen from one side.

Both are drawn as pictures of the HEALPix cells with lines over them: thousands of polygons would be no sharper and
show seams.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.geometry.grids import cell_to_direction, direction_to_cell, direction_to_mollweide, mollweide_to_direction
from posetest.geometry.so3 import direction, orbit_to_matrix
from posetest.report.drawing.style import INK, RATE_COLORS, SOFT, VOID, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]

_MERIDIANS, _PARALLELS = (-135, -90, -45, 0, 45, 90, 135), (-60, -30, 0, 30, 60)
#: Azimuth, elevation and name of the six sides that globes are seen from.
SIDES = (
    (0, 0, "front"),
    (90, 0, "right"),
    (180, 0, "back"),
    (-90, 0, "left"),
    (0, 90, "above"),
    (0, -90, "below"),
)


def draw_map(
    axis: Axes,
    cells: Array,
    *,
    colors: str = RATE_COLORS,
    low: float = 0.0,
    high: float = 1.0,
    pixels: int = 1000,
    named: bool = True,
) -> Any:
    """A Mollweide map of ``cells`` [12 nside^2] (ring order; nan: no poses) on a plain axis; what a colour bar wants.

    The object's front is in the middle, its top above, the side on the viewer's right to the right. ``named`` says so.
    """
    from matplotlib.patches import Ellipse

    at = _cells_of_map(math.isqrt(len(cells) // 12), pixels)
    values = np.where(at >= 0, np.asarray(cells, dtype=np.float64)[at], np.nan)
    axis.add_patch(Ellipse((0, 0), 4, 2, facecolor=VOID, edgecolor="none", zorder=0))
    image = axis.imshow(
        np.ma.masked_invalid(values),
        extent=(-2, 2, -1, 1),
        cmap=colors,
        vmin=low,
        vmax=high,
        interpolation="nearest",
        zorder=1,
    )
    span = np.radians(np.linspace(-90, 90, 61))
    for azimuth in _MERIDIANS:
        x, y = direction_to_mollweide(direction(np.full(len(span), math.radians(azimuth)), span))
        axis.plot(x, y, color="white", alpha=0.4, linewidth=0.4, zorder=2)
    for elevation in _PARALLELS:
        x, y = direction_to_mollweide(direction(np.radians([-179.99, 179.99]), np.full(2, math.radians(elevation))))
        axis.plot(x, y, color="white", alpha=0.4, linewidth=0.4, zorder=2)
    axis.add_patch(Ellipse((0, 0), 4, 2, facecolor="none", edgecolor=SOFT, linewidth=0.7, zorder=3))
    if named:
        for at_x, word in ((-1.93, "back"), (-1, "left"), (0, "front"), (1, "right"), (1.93, "back")):
            axis.text(at_x, -1.1, word, ha="center", va="top", color=SOFT, fontsize="small")
        axis.text(0, 1.05, "top", ha="center", va="bottom", color=SOFT, fontsize="small")
    axis.set(xlim=(-2.03, 2.03), ylim=(-1.3 if named else -1.03, 1.2 if named else 1.03))
    axis.set_aspect("equal")
    axis.set_axis_off()
    return image


def mark_cells(axis: Axes, marked: Sequence[bool] | NDArray[np.bool_]) -> None:
    """Dots at the centres of the cells of a map that are ``marked`` [12 nside^2]."""
    marks = np.asarray(marked, dtype=bool)
    x, y = direction_to_mollweide(cell_to_direction(math.isqrt(len(marks) // 12))[marks])
    axis.plot(x, y, linestyle="none", marker="o", markersize=2.6, color=INK, markeredgecolor="white", mew=0.3, zorder=4)


def draw_globe(axis: Axes, cells: Array, azimuth_deg: float, elevation_deg: float, *, pixels: int = 420) -> Any:
    """The half of the view sphere that faces a viewer at this azimuth and elevation, orthographic; rates 0 to 1."""
    from matplotlib.patches import Circle

    turn = orbit_to_matrix([math.radians(azimuth_deg)], [math.radians(elevation_deg)])[0]
    at = _cells_of_globe(math.isqrt(len(cells) // 12), pixels, azimuth_deg, elevation_deg)
    values = np.where(at >= 0, np.asarray(cells, dtype=np.float64)[at], np.nan)
    axis.add_patch(Circle((0, 0), 1, facecolor=VOID, edgecolor="none", zorder=0))
    image = axis.imshow(
        np.ma.masked_invalid(values),
        extent=(-1, 1, -1, 1),
        cmap=RATE_COLORS,
        vmin=0,
        vmax=1,
        interpolation="nearest",
        zorder=1,
    )
    around = np.radians(np.linspace(-180, 180, 181))
    lines = [direction(np.full(len(around), math.radians(a)), around / 2) for a in (*_MERIDIANS, 180)]
    lines += [direction(around, np.full(len(around), math.radians(e))) for e in _PARALLELS]
    for line in lines:
        seen = line @ turn.T
        x, y = (np.where(seen[:, 2] > 0, seen[:, k], np.nan) for k in (0, 1))
        axis.plot(x, y, color="white", alpha=0.4, linewidth=0.4, zorder=2)
    axis.add_patch(Circle((0, 0), 1, facecolor="none", edgecolor=SOFT, linewidth=0.7, zorder=3))
    axis.set(xlim=(-1.03, 1.03), ylim=(-1.03, 1.03))
    axis.set_aspect("equal")
    axis.set_axis_off()
    return image


def globes(figure: Figure, cells: Array) -> None:
    """Six globes: from the front, right, back, left, above and below."""
    axes = figure.subplots(2, 3).ravel()
    for axis, (azimuth, elevation, name) in zip(axes, SIDES, strict=True):
        image = draw_globe(axis, cells, azimuth, elevation)
        axis.set_title(f"from {'the ' if elevation == 0 else ''}{name}")
    figure.colorbar(image, ax=list(axes), shrink=0.6, label="share recognised")


def scores_figure(figure: Figure, table: pd.DataFrame) -> None:
    """Confidence above, entropy below, from ``maps.direction_scores``."""
    axes = figure.subplots(2, 1)
    top = float(np.nanmax(table["entropy"])) if table["entropy"].notna().any() else 1.0
    shown = (
        ("confidence", 1.0, RATE_COLORS, "mean confidence"),
        ("entropy", top or 1.0, RATE_COLORS, "mean entropy, nats"),
    )
    for axis, (name, high, colors, label) in zip(axes, shown, strict=True):
        image = draw_map(axis, table[name].to_numpy(), high=high, colors=colors)
        figure.colorbar(image, ax=axis, shrink=0.8, label=label)


def multiples(figure: Figure, maps: Sequence[tuple[str, Array]], label: str, high: float | None, columns: int) -> None:
    """Small maps with titles, ``columns`` beside each other, with one scale from 0 to ``high`` (None: the highest)."""
    rows = -(-len(maps) // columns)
    axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    top = high if high is not None else max(float(np.nanmax(cells)) for _, cells in maps)
    for axis in axes[len(maps) :]:
        axis.set_axis_off()
    for axis, (title, cells) in zip(axes, maps, strict=False):
        image = draw_map(axis, cells, high=top or 1.0, pixels=500, named=False)
        axis.set_title(short(title))
    figure.colorbar(image, ax=list(axes), shrink=min(0.8, 2 / rows), label=label)


@lru_cache(maxsize=4)
def _cells_of_map(nside: int, width: int) -> NDArray[np.int64]:
    """The cell under each pixel [width / 2, width] of a Mollweide map; -1 off it."""
    x, y = np.meshgrid(((np.arange(width) + 0.5) / width - 0.5) * 4, 1 - (np.arange(width // 2) + 0.5) * 4 / width)
    vectors, on_map = mollweide_to_direction(x, y)
    return np.where(on_map, direction_to_cell(vectors.reshape(-1, 3), nside).reshape(on_map.shape), -1)


def _cells_of_globe(nside: int, pixels: int, azimuth_deg: float, elevation_deg: float) -> NDArray[np.int64]:
    """The cell under each pixel [pixels, pixels] of a globe; -1 beside it."""
    at = (np.arange(pixels) + 0.5) * 2 / pixels - 1
    x, y = np.meshgrid(at, -at)
    inside = x**2 + y**2 < 1
    towards = np.stack([x, y, np.sqrt(np.maximum(1 - x**2 - y**2, 0))], axis=-1)
    turn = orbit_to_matrix([math.radians(azimuth_deg)], [math.radians(elevation_deg)])[0]
    vectors = towards.reshape(-1, 3) @ turn  # its transpose takes the viewer's frame to the object's
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(inside, direction_to_cell(vectors, nside).reshape(inside.shape), -1)
