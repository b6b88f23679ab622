"""What trucks share: bodies, cabs, panes, mirrors and lamps. Lengths are metres; front +z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, Vector, box, box_mapped, loft, mirrored, plain

_BLACK: Color = (0.06, 0.06, 0.07)


def truck_shell(
    levels: Sequence[tuple[float, float, float, float]],
    skins: Mapping[str, Skin],
    frame: tuple[Vector, Vector],
    *,
    cut: float = 0.0,
) -> list[Part]:
    """A body from its floor to its roof: at each level y, half the width, z of the back and of the front.

    Upright edges are cut by ``cut``; ``frame`` is the box whose sides the pictures of ``skins`` fill.
    """
    rings = []
    for y, half, back, front in levels:
        corners = [(half - cut, front), (half, front - cut), (half, back + cut), (half - cut, back)]
        if cut <= 0:
            corners = [(half, front), (half, back)]
        corners += [(-x, z) for x, z in corners[::-1]]
        rings.append([(x, y, z) for x, z in corners])
    return box_mapped(loft(np.array(rings), skins[""], crease_deg=30.0), skins, *frame)


def truck_sides(
    canvas: Canvas, words: Sequence[tuple[str, float, float, float, Color]], *, weight: float = 0.19
) -> dict[str, Skin]:
    """Skins of both long sides from the one at -x, lettered after the turning: words, x, y, height, colour."""
    skins = {}
    for name, step in (("-x", 1), ("+x", -1)):
        lettered = replace(canvas, pixels=canvas.pixels[:, ::step].copy())
        for text, x, y, height, color in words:
            lettered.text(text, x if step > 0 else canvas.width - x, y, height, color, weight=weight)
        skins[name] = Skin(lettered.picture)
    return skins


def truck_glass(canvas: Canvas, corners: Sequence[tuple[float, float]], seal: Color = _BLACK) -> None:
    """A dark pane with a rubber seal and one slanting reflection."""
    low_x, high_x = min(x for x, _ in corners), max(x for x, _ in corners)
    low_y, high_y = min(y for _, y in corners), max(y for _, y in corners)
    canvas.polygon(corners, (0.13, 0.16, 0.19))
    wide, tall = high_x - low_x, high_y - low_y
    middle = (low_x + high_x) / 2
    shine = [(middle - 0.16 * wide, low_y + 0.12 * tall), (middle, low_y + 0.12 * tall)]
    shine += [(middle + 0.22 * wide, high_y - 0.12 * tall), (middle + 0.06 * wide, high_y - 0.12 * tall)]
    canvas.polygon(shine, (0.42, 0.49, 0.55))
    canvas.line([*corners, corners[0]], 0.05, seal)


def truck_arch(canvas: Canvas, x: float, radius: float, base: float) -> None:
    """The dark opening round a wheel that stands on y = 0; the body's lower edge is at ``base``."""
    canvas.disc(x, radius, radius + 0.12, _BLACK)
    canvas.rect(x - radius - 0.12, min(base, radius) - 0.02, x + radius + 0.12, radius, _BLACK)


def truck_mirrors(half: float, y: float, z: float, tall: float = 0.42) -> list[Part]:
    """Black mirrors on arms beside a cab whose side is at x = +-half."""
    black, glass = plain(_BLACK), plain((0.62, 0.68, 0.74))
    skins = {"": black, "-z": glass}
    right = box((half + 0.12, y - tall / 2, z), (half + 0.34, y + tall / 2, z + 0.09), skins, bevel=0.02)
    for dy in (-tall * 0.36, tall * 0.36):
        right += box((half - 0.08, y + dy - 0.02, z + 0.02), (half + 0.16, y + dy + 0.02, z + 0.06), black)
    return right + [mirrored(p) for p in right]


def truck_lamp(low: Vector, high: Vector, color: Color, glow: float = 0.35, bevel: float = 0.0) -> list[Part]:
    """A lit lens of one colour."""
    r, g, b = (glow * c * c for c in color)
    return box(low, high, plain(color, (r, g, b)), bevel=bevel)


def truck_chassis(half: float, z0: float, z1: float, low: float, high: float) -> list[Part]:
    """The dark frame and axles under a body."""
    return box((-half, low, z0), (half, high, z1), plain(_BLACK))


@dataclass(frozen=True)
class TruckCab:
    """The measures of a van's cab with a short bonnet."""

    half: float
    back: float  # z of its rear wall
    front: float  # z of its nose
    bonnet: float  # length of the bonnet
    roof: float
    skirt: float = 0.42
    nose: float = 1.12  # y of the bonnet's leading edge
    cowl: float = 1.34  # y of the windscreen's foot

    @property
    def foot(self) -> float:
        """z of the windscreen's foot."""
        return self.front - self.bonnet

    @property
    def brow(self) -> float:
        """z of the windscreen's upper edge, at 0.13 below the roof."""
        return self.foot - 0.48

    def levels(self) -> list[tuple[float, float, float, float]]:
        """What ``truck_shell`` makes the cab of."""
        half, back, front = self.half, self.back, self.front
        return [
            (self.skirt, half - 0.02, back, front - 0.06),
            (0.72, half, back, front),
            (self.nose - 0.04, half, back, front - 0.02),
            (self.nose + 0.06, half - 0.03, back, front - 0.12),
            (self.cowl, half - 0.05, back, self.foot),
            (self.roof - 0.13, half - 0.15, back, self.brow),
            (self.roof, half - 0.27, back, self.brow - 0.2),
        ]


def truck_cab_side(canvas: Canvas, cab: TruckCab, paint: Color) -> None:
    """Door, window, handle and seams of a van's cab on the picture of the side at -x, where x is z."""
    low, high = cab.cowl + 0.03, cab.roof - 0.16
    start, seam = cab.back + 0.2, mix(paint, _BLACK, 0.5)
    truck_glass(canvas, [(start, low), (cab.foot - 0.16, low), (cab.brow - 0.05, high), (start, high)])
    for x in (start - 0.09, cab.foot - 0.05):
        canvas.line([(x, cab.skirt + 0.05), (x, low)], 0.022, seam)
    canvas.line([(start - 0.09, low), (start - 0.09, high + 0.05)], 0.022, seam)
    canvas.rect(start, low - 0.16, start + 0.2, low - 0.10, _BLACK, radius=0.02)
    canvas.rect(cab.front - 0.30, 0.80, cab.front, 1.02, (0.93, 0.94, 0.96))
    canvas.rect(cab.front - 0.38, 0.80, cab.front - 0.30, 1.02, (0.98, 0.55, 0.05))


def truck_cab_face(canvas: Canvas, cab: TruckCab, middle: float, trim: Color) -> None:
    """Windscreen, grille, lamps and number plate of a van's cab on the picture of the front."""
    low, high = cab.cowl + 0.02, cab.roof - 0.14
    wide, narrow = cab.half - 0.12, cab.half - 0.22
    pane = [(middle - wide, low), (middle + wide, low), (middle + narrow, high), (middle - narrow, high)]
    truck_glass(canvas, pane)
    for dx in (-0.5, 0.1):
        canvas.line([(middle + dx * cab.half, low + 0.03), (middle + (dx + 0.5) * cab.half, low + 0.12)], 0.03, _BLACK)
    reach = cab.half - 0.08
    canvas.rect(middle - reach, 0.74, middle + reach, cab.nose - 0.04, trim, radius=0.05)
    canvas.rect(middle - reach + 0.42, 0.78, middle + reach - 0.42, cab.nose - 0.08, _BLACK)
    for k in range(3):
        y = 0.83 + 0.08 * k
        canvas.rect(middle - reach + 0.45, y, middle + reach - 0.45, y + 0.03, trim)
    for side in (-1, 1):
        x = middle + side * (reach - 0.2)
        canvas.rect(x - 0.16, 0.80, x + 0.16, 1.02, _BLACK, radius=0.03)
        canvas.rect(x - 0.14, 0.82, x + 0.14, 1.00, (0.96, 0.97, 1.0), radius=0.02)
        x0, x1 = sorted((x + side * 0.17, x + side * 0.25))
        canvas.rect(x0, 0.80, x1, 1.02, (0.98, 0.55, 0.05))
