"""The pictures on a school bus and the plan that its painter and its builder share. Lengths are metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.paint import Canvas, Color, mix

BLACK: Color = (0.06, 0.06, 0.07)
CHROME: Color = (0.72, 0.73, 0.75)
_GLASS_LOW: Color = (0.10, 0.12, 0.14)
_GLASS_HIGH: Color = (0.30, 0.36, 0.42)
RED: Color = (0.80, 0.07, 0.06)
AMBER: Color = (0.98, 0.55, 0.05)
_PX_PER_M = 56.0


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one bus share."""

    yellow: Color
    roof: Color
    windows: int
    pitch: float  # from one side window to the next
    half: float  # half the width of the body
    skirt: float  # lower edge of the body
    sill: float  # lower edge of the side windows
    eaves: float  # where the roof begins to curve
    top: float
    bonnet: float  # its length
    wheel: float  # radius
    district: str
    number: str

    @property
    def back(self) -> float:
        """z of the body's back."""
        return 0.0

    @property
    def front(self) -> float:
        """z of the body's front, the foot of the windscreen."""
        return 0.45 + self.windows * self.pitch + 1.15

    @property
    def rear_axle(self) -> float:
        """z of the rear wheels."""
        return 0.30 * self.front

    @property
    def front_axle(self) -> float:
        """z of the front wheels."""
        return self.front + 0.42 * self.bonnet


def side(plan: Plan, *, door: bool) -> NDArray[np.uint8]:
    """A side seen from outside: the front is at the left on the driver's side (+x), at the right on the door's side."""
    length, height = plan.front - plan.back, plan.top - plan.skirt
    canvas = Canvas.blank(length, height, _PX_PER_M, plan.yellow)

    def at(z: float) -> float:
        return z - plan.back if door else plan.front - z

    base = plan.skirt
    canvas.rect(0, plan.eaves + 0.12 - base, length, height, plan.roof)
    canvas.rect(0, plan.eaves + 0.10 - base, length, plan.eaves + 0.13 - base, mix(plan.yellow, BLACK, 0.45))
    for k in range(plan.windows):
        z = plan.back + 0.45 + (k + 0.5) * plan.pitch
        _window(canvas, at(z), plan.sill - base, plan.pitch * 0.86, plan.eaves - plan.sill - 0.02)
    z = plan.front - 0.68
    if door:
        x = at(z)
        canvas.rect(x - 0.44, 0.02, x + 0.44, plan.eaves - base + 0.05, BLACK, radius=0.03)
        for dx in (-0.21, 0.21):
            canvas.fade(x + dx - 0.17, 0.12, x + dx + 0.17, plan.eaves - base, _GLASS_LOW, _GLASS_HIGH, radius=0.02)
            canvas.rect(x + dx - 0.17, 0.78, x + dx + 0.17, 0.84, BLACK)
    else:
        _window(canvas, at(z), plan.sill - base - 0.12, 0.86, plan.eaves - plan.sill + 0.1)
    axle = at(plan.rear_axle)
    canvas.line([(0, 0.28), (length, 0.28)], 0.07, BLACK)
    canvas.disc(axle, plan.wheel - base, plan.wheel + 0.13, BLACK)
    canvas.rect(axle - plan.wheel - 0.13, 0, axle + plan.wheel + 0.13, max(plan.wheel - base, 0.01), BLACK)
    middle = at(0.45 + plan.windows * plan.pitch / 2 - 0.1)
    canvas.text(plan.district, middle, 1.44 - base, 0.20, BLACK, weight=0.17)
    canvas.text(plan.number, at(plan.front - 1.5), 1.13 - base, 0.22, BLACK, weight=0.2)
    canvas.text(plan.number, at(plan.back + 0.45), 1.13 - base, 0.22, BLACK, weight=0.2)
    for z, color in ((plan.back + 0.12, RED), (plan.front - 0.12, AMBER)):
        canvas.disc(at(z), plan.eaves + 0.2 - base, 0.05, color)
    for k in range(1, plan.windows + 2):  # seams of the panels
        x = at(plan.back + 0.45 + (k - 0.5) * plan.pitch)
        canvas.line([(x, 0.0), (x, plan.sill - base)], 0.012, BLACK, opacity=0.35)
    canvas.tint(0, 0, length, 0.14, 0.85)
    return canvas.picture


def _window(canvas: Canvas, x: float, y: float, width: float, height: float) -> None:
    """A sash window with black frame, its lower left corner at (x - width / 2, y)."""
    half = width / 2
    canvas.rect(x - half, y, x + half, y + height, BLACK, radius=0.06)
    canvas.fade(x - half + 0.05, y + 0.05, x + half - 0.05, y + height - 0.05, _GLASS_LOW, _GLASS_HIGH, radius=0.03)
    canvas.rect(
        x - half + 0.10, y + 0.05, x + half - 0.10, y + height * 0.30, (0.16, 0.13, 0.11), radius=0.05
    )  # a seat
    canvas.rect(x - half + 0.03, y + height * 0.53, x + half - 0.03, y + height * 0.59, (0.55, 0.56, 0.57))
    canvas.polygon(
        [
            (x - half + 0.08, y + height * 0.62),
            (x - half * 0.3, y + height * 0.62),
            (x, y + height - 0.06),
            (x - half * 0.5, y + height - 0.06),
        ],
        (0.60, 0.66, 0.72),
        opacity=0.45,
    )


def _header(canvas: Canvas, plan: Plan, width: float, height: float) -> None:
    """The board above the windscreen or the rear window: lettering between two pairs of warning lamps."""
    y = plan.eaves + 0.21 - plan.skirt
    canvas.text("SCHOOL BUS", width / 2, y + 0.03, 0.20, BLACK, weight=0.2, stretch=1.05)
    for side in (-1, 1):
        for x, color in ((0.88, RED), (0.67, AMBER)):
            centre = width / 2 + side * x * plan.half
            canvas.disc(centre, y - 0.17, 0.115, BLACK)
            canvas.glow(centre, y - 0.17, 0.085, mix(color, (1.0, 1.0, 1.0), 0.35), color)
    for x in (-0.25, 0.0, 0.25):
        canvas.rect(width / 2 + x - 0.05, height - 0.14, width / 2 + x + 0.05, height - 0.10, AMBER)


def face(plan: Plan) -> NDArray[np.uint8]:
    """The front of the body: windscreen, header; the lower half is behind the bonnet."""
    width, height = 2 * plan.half, plan.top - plan.skirt
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.yellow)
    bottom, top = 1.56 - plan.skirt, plan.eaves - plan.skirt - 0.10
    canvas.rect(0.10, bottom, width - 0.10, top, BLACK, radius=0.10)
    for x0, x1 in ((0.16, width / 2 - 0.03), (width / 2 + 0.03, width - 0.16)):
        canvas.fade(x0, bottom + 0.06, x1, top - 0.05, _GLASS_LOW, (0.36, 0.43, 0.50), radius=0.06)
        canvas.polygon(
            [(x0 + 0.15, bottom + 0.1), (x0 + 0.35, bottom + 0.1), (x0 + 0.65, top - 0.08), (x0 + 0.45, top - 0.08)],
            (0.62, 0.68, 0.74),
            opacity=0.4,
        )
        canvas.line([(x0 + 0.2, bottom + 0.08), (x0 + 0.65, bottom + 0.28)], 0.03, BLACK)  # wiper
    _header(canvas, plan, width, height)
    canvas.rect(0, 0, width, 0.25, BLACK)
    return canvas.picture


def rear(plan: Plan) -> NDArray[np.uint8]:
    """The back: emergency door, windows, lamps, lettering."""
    width, height = 2 * plan.half, plan.top - plan.skirt
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.yellow)
    base, mid = plan.skirt, width / 2
    _header(canvas, plan, width, height)
    door_top = plan.eaves - base - 0.10
    canvas.rect(mid - 0.52, 0.30, mid + 0.52, door_top, BLACK, radius=0.04)
    canvas.rect(mid - 0.48, 0.33, mid + 0.48, door_top - 0.03, plan.yellow, radius=0.03)
    _window(canvas, mid, plan.sill - base, 0.80, plan.eaves - plan.sill - 0.18)
    _window(canvas, mid, plan.sill - base - 0.72, 0.80, 0.50)
    canvas.text("EMERGENCY DOOR", mid, plan.sill - base - 0.11, 0.09, BLACK, weight=0.2)
    for side in (-1, 1):
        _window(canvas, mid + side * 0.84, plan.sill - base, 0.50, plan.eaves - plan.sill - 0.18)
        for y, radius, color in ((0.92, 0.11, RED), (0.68, 0.09, AMBER), (0.48, 0.07, (0.92, 0.92, 0.92))):
            canvas.disc(mid + side * 0.88, y, radius + 0.025, BLACK)
            canvas.glow(mid + side * 0.88, y, radius, mix(color, (1.0, 1.0, 1.0), 0.3), color)
        canvas.text(plan.number, mid + side * 0.85, 1.13, 0.13, BLACK, weight=0.2)
    canvas.rect(0, 0.0, width, 0.2, BLACK)
    return canvas.picture


def roof(plan: Plan) -> NDArray[np.uint8]:
    """The roof from above, the front below: ribs, hatch."""
    width, length = 2 * plan.half, plan.front - plan.back
    canvas = Canvas.blank(width, length, _PX_PER_M / 2, plan.roof)
    for k in range(1, int(length / 0.9)):
        canvas.line([(0.0, k * 0.9), (width, k * 0.9)], 0.05, mix(plan.roof, BLACK, 0.25))
    return canvas.picture
