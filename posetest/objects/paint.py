"""Pictures painted by code: shapes and lettering as signed distances, with smooth edges, the same bits every time.

Nothing here reads a font or a file: letters are strokes of our own, drawn with the arithmetic that IEEE 754 fixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Color = tuple[float, float, float]
Array = NDArray[np.float64]

#: Strokes of each glyph on a grid four wide and six high: polylines separated by "|", points as pairs of digits.
_STROKES = {
    "A": "00 14 26 34 40|12 32",
    "B": "00 06 36 45 44 33 03|33 42 41 30 00",
    "C": "45 36 16 05 01 10 30 41",
    "D": "00 06 26 44 42 20 00",
    "E": "40 00 06 46|03 33",
    "F": "00 06 46|03 33",
    "G": "45 36 16 05 01 10 30 41 43 23",
    "H": "00 06|40 46|03 43",
    "I": "20 26|10 30|16 36",
    "J": "01 10 20 31 36",
    "K": "00 06|46 02|13 40",
    "L": "06 00 40",
    "M": "00 06 22 46 40",
    "N": "00 06 40 46",
    "O": "10 01 05 16 36 45 41 30 10",
    "P": "00 06 36 45 44 33 03",
    "Q": "10 01 05 16 36 45 41 30 10|22 40",
    "R": "00 06 36 45 44 33 03|23 40",
    "S": "45 36 16 05 04 13 33 42 41 30 10 01",
    "T": "20 26|06 46",
    "U": "06 01 10 30 41 46",
    "V": "06 20 46",
    "W": "06 10 24 30 46",
    "X": "00 46|06 40",
    "Y": "06 23 46|23 20",
    "Z": "06 46 00 40",
    "0": "10 01 05 16 36 45 41 30 10",
    "1": "15 26 20|10 30",
    "2": "05 16 36 45 44 00 40",
    "3": "05 16 36 45 44 33 42 41 30 10 01|13 33",
    "4": "30 36 02 42",
    "5": "46 06 03 33 42 41 30 10 01",
    "6": "45 36 16 05 01 10 30 41 42 33 03",
    "7": "06 46 10",
    "8": "13 04 05 16 36 45 44 33 13 02 01 10 30 41 42 33",
    "9": "01 10 30 41 45 36 16 05 04 13 43",
    "-": "13 33",
    ".": "20 20",
    "&": "40 05 16 25 02 01 10 20 42",
    " ": "",
}
_ADVANCE = 5.6  # one glyph and the gap after it, in grid units


def mix(first: Color, second: Color, share: float) -> Color:
    """The colour ``share`` of the way from ``first`` to ``second``."""
    return (
        first[0] + (second[0] - first[0]) * share,
        first[1] + (second[1] - first[1]) * share,
        first[2] + (second[2] - first[2]) * share,
    )


@dataclass(frozen=True, eq=False)
class Canvas:
    """A picture in the making, in the units of the object: (0, 0) is its lower left corner, y points up.

    Attributes:
        pixels: float64 [h, w, 3], sRGB in [0, 1]; row 0 on top. Painting changes it in place.
        width, height: size in the object's units.
    """

    pixels: Array
    width: float
    height: float

    @staticmethod
    def blank(width: float, height: float, scale: float, color: Color) -> Canvas:
        """A canvas of one colour with about ``scale`` pixels per unit."""
        rows, columns = max(4, round(height * scale)), max(4, round(width * scale))
        return Canvas(np.tile(np.asarray(color, dtype=np.float64), (rows, columns, 1)), width, height)

    @property
    def picture(self) -> NDArray[np.uint8]:
        """uint8 [h, w, 3] sRGB."""
        return np.floor(np.clip(self.pixels, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)

    def _window(self, x0: float, y0: float, x1: float, y1: float) -> tuple[Array, Array, Array]:
        """The pixels that touch a rectangle (a view) with the x and y of their centres."""
        rows, columns = self.pixels.shape[:2]
        step_x, step_y = self.width / columns, self.height / rows
        left, right = max(0, int(np.floor(x0 / step_x)) - 1), min(columns, int(np.ceil(x1 / step_x)) + 1)
        top = max(0, rows - int(np.ceil(y1 / step_y)) - 1)
        bottom = min(rows, rows - int(np.floor(y0 / step_y)) + 1)
        x = (np.arange(left, max(left, right)) + 0.5) * step_x
        y = self.height - (np.arange(top, max(top, bottom)) + 0.5) * step_y
        return self.pixels[top : max(top, bottom), left : max(left, right)], x[None, :], y[:, None]

    def _paint(self, window: Array, distance: Array, color: Color | Array, opacity: float) -> None:
        """Blends ``color`` in where the signed ``distance`` is negative, with an edge one pixel wide."""
        step = self.height / self.pixels.shape[0]
        cover = (np.clip(0.5 - distance / step, 0.0, 1.0) * opacity)[..., None]
        window += (np.asarray(color, dtype=np.float64) - window) * cover

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, color: Color, *, radius: float = 0.0, opacity: float = 1.0
    ) -> None:
        """Fills a rectangle with corners rounded by ``radius``."""
        window, x, y = self._window(x0, y0, x1, y1)
        self._paint(window, _box_distance(x, y, x0, y0, x1, y1, radius), color, opacity)

    def fade(self, x0: float, y0: float, x1: float, y1: float, low: Color, high: Color, *, radius: float = 0.0) -> None:
        """Fills a rectangle with a vertical run from ``low`` at the bottom to ``high`` at the top."""
        window, x, y = self._window(x0, y0, x1, y1)
        share = np.clip((y - y0) / (y1 - y0), 0.0, 1.0)[..., None]
        color = np.asarray(low) + (np.asarray(high) - np.asarray(low)) * share
        self._paint(window, _box_distance(x, y, x0, y0, x1, y1, radius), color, 1.0)

    def disc(self, x: float, y: float, radius: float, color: Color, *, hole: float = 0.0, opacity: float = 1.0) -> None:
        """Fills a disc, or a ring where ``hole``, the inner radius, is positive."""
        window, px, py = self._window(x - radius, y - radius, x + radius, y + radius)
        r = np.sqrt((px - x) ** 2 + (py - y) ** 2)
        self._paint(window, np.maximum(r - radius, hole - r) if hole > 0 else r - radius, color, opacity)

    def glow(self, x: float, y: float, radius: float, inner: Color, outer: Color, power: float = 1.0) -> None:
        """Fills a disc that runs from ``inner`` at the centre to ``outer`` at the rim."""
        window, px, py = self._window(x - radius, y - radius, x + radius, y + radius)
        r = np.sqrt((px - x) ** 2 + (py - y) ** 2)
        share = (np.clip(r / radius, 0.0, 1.0) ** power)[..., None]
        self._paint(window, r - radius, np.asarray(inner) + (np.asarray(outer) - np.asarray(inner)) * share, 1.0)

    def line(self, points: Sequence[tuple[float, float]], width: float, color: Color, *, opacity: float = 1.0) -> None:
        """Draws a polyline with round ends."""
        p = np.asarray(points, dtype=np.float64)
        reach = width / 2
        low, high = p.min(axis=0) - reach, p.max(axis=0) + reach
        window, x, y = self._window(low[0], low[1], high[0], high[1])
        if window.size:
            self._paint(window, _polyline_distance(x, y, p) - reach, color, opacity)

    def polygon(self, points: Sequence[tuple[float, float]], color: Color, *, opacity: float = 1.0) -> None:
        """Fills a simple polygon, convex or not."""
        p = np.asarray(points, dtype=np.float64)
        low, high = p.min(axis=0), p.max(axis=0)
        window, x, y = self._window(low[0], low[1], high[0], high[1])
        if not window.size:
            return
        inside = np.zeros((y.shape[0], x.shape[1]), dtype=bool)
        for (ax, ay), (bx, by) in zip(p, np.roll(p, -1, axis=0), strict=True):
            if ay != by:
                crosses = ((ay > y) != (by > y)) & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
                inside ^= crosses
        distance = _polyline_distance(x, y, np.concatenate([p, p[:1]]))
        self._paint(window, np.where(inside, -distance, distance), color, opacity)

    def text(
        self, words: str, x: float, y: float, height: float, color: Color, *, weight: float = 0.16, stretch: float = 1.0
    ) -> None:
        """Writes ``words`` in capitals, centred on (x, y); ``weight`` is the stroke's width over the letter height."""
        unit = (height - weight * height) / 6.0
        wide = unit * stretch
        length = (len(words) * _ADVANCE - (_ADVANCE - 4.0)) * wide
        left, bottom = x - length / 2, y - 3.0 * unit
        for i, letter in enumerate(words.upper()):
            for stroke in filter(None, _STROKES[letter].split("|")):
                points = [
                    (left + (i * _ADVANCE + int(pair[0])) * wide, bottom + int(pair[1]) * unit)
                    for pair in stroke.split()
                ]
                self.line(points, weight * height, color)

    def tint(self, x0: float, y0: float, x1: float, y1: float, factor: float) -> None:
        """Multiplies a rectangle by ``factor``: shadow below 1, shine above."""
        window, x, y = self._window(x0, y0, x1, y1)
        self._paint(window, _box_distance(x, y, x0, y0, x1, y1, 0.0), np.clip(window * factor, 0.0, 1.0), 1.0)


def _box_distance(x: Array, y: Array, x0: float, y0: float, x1: float, y1: float, radius: float) -> Array:
    """Signed distance to a rectangle with rounded corners."""
    dx = np.abs(x - (x0 + x1) / 2) - (x1 - x0) / 2 + radius
    dy = np.abs(y - (y0 + y1) / 2) - (y1 - y0) / 2 + radius
    outside = np.sqrt(np.maximum(dx, 0.0) ** 2 + np.maximum(dy, 0.0) ** 2)
    distance: Array = outside + np.minimum(np.maximum(dx, dy), 0.0) - radius
    return distance


def _polyline_distance(x: Array, y: Array, points: Array) -> Array:
    """Distance to the nearest point of a polyline."""
    best = np.full((y.shape[0], x.shape[1]), np.inf)
    for (ax, ay), (bx, by) in pairwise(points):
        dx, dy = bx - ax, by - ay
        long = dx * dx + dy * dy
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / long, 0.0, 1.0) if long > 0 else 0.0
        best = np.minimum(best, (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2)
    distance: Array = np.sqrt(best)
    return distance


def swatch(color: Color) -> NDArray[np.uint8]:
    """A tiny picture of one colour, uint8 [4, 4, 3]."""
    return Canvas.blank(1.0, 1.0, 4.0, color).picture
