"""The pictures on a taxi and the plan that its painter and its builder share. Lengths are metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.paint import Canvas, Color, mix

BLACK: Color = (0.06, 0.06, 0.07)
WHITE: Color = (0.95, 0.95, 0.93)
CHROME: Color = (0.74, 0.75, 0.77)
GLASS: Color = (0.11, 0.13, 0.15)
_SHINE: Color = (0.42, 0.49, 0.55)
_RED: Color = (0.78, 0.06, 0.06)
_AMBER: Color = (0.97, 0.52, 0.06)
_PX_PER_M = 110.0


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one taxi share."""

    yellow: Color
    length: float
    half: float  # half the width of the body
    belt: float  # lower edge of the side windows
    top: float
    wheel: float  # radius
    has_checker: bool
    owner: str
    number: str

    #: Lower edge of the body.
    floor = 0.21

    @property
    def rear_axle(self) -> float:
        """z of the rear wheels."""
        return 0.215 * self.length

    @property
    def front_axle(self) -> float:
        """z of the front wheels."""
        return 0.805 * self.length

    @property
    def screen_foot(self) -> float:
        """z of the foot of the windscreen."""
        return 0.70 * self.length

    @property
    def rear_foot(self) -> float:
        """z of the foot of the rear window."""
        return 0.19 * self.length

    @property
    def roof_front(self) -> float:
        """z of the top of the windscreen."""
        return 0.57 * self.length

    @property
    def roof_back(self) -> float:
        """z of the top of the rear window."""
        return 0.30 * self.length


def _seam(canvas: Canvas, points: list[tuple[float, float]], yellow: Color) -> None:
    canvas.line(points, 0.014, mix(yellow, BLACK, 0.6))


def side(plan: Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """A side from outside; the front is at the left on the left side (+x) of the car, at the right on the other."""
    length, height = plan.length, plan.belt + 0.03 - plan.floor
    canvas = Canvas.blank(length, height, _PX_PER_M, plan.yellow)

    def at(z: float) -> float:
        return z if is_right else length - z

    def bar(z0: float, y0: float, z1: float, y1: float, color: Color) -> None:
        canvas.rect(min(at(z0), at(z1)), y0 - plan.floor, max(at(z0), at(z1)), y1 - plan.floor, color)

    bar(0.0, 0.0, length, 0.27, (0.20, 0.19, 0.17))
    bar(plan.rear_axle + 0.42, 0.46, plan.front_axle - 0.42, 0.50, BLACK)
    if plan.has_checker:
        size = 0.075
        for row in range(2):
            y = plan.belt - 0.30 + row * size
            for k in range(int((length - 0.9) / size)):
                if (k + row) % 2:
                    bar(0.45 + k * size, y, 0.45 + (k + 1) * size, y + size, BLACK)
    else:
        bar(0.3, plan.belt - 0.24, length - 0.3, plan.belt - 0.21, BLACK)
    rear_door, middle, front_door = plan.rear_axle + 0.20, 0.455 * length, plan.screen_foot - 0.12
    low, high = 0.29 - plan.floor, height
    for z in (middle, front_door):
        _seam(canvas, [(at(z), low), (at(z), high)], plan.yellow)
    _seam(canvas, [(at(rear_door + 0.24), low), (at(rear_door + 0.12), 0.35), (at(rear_door), high)], plan.yellow)
    _seam(canvas, [(at(rear_door + 0.24), low), (at(front_door), low)], plan.yellow)
    canvas.text(plan.owner, at((middle + front_door) / 2), 0.57 - plan.floor, 0.11, BLACK, weight=0.2)
    canvas.text("TAXI", at((middle + rear_door) / 2 + 0.12), 0.57 - plan.floor, 0.13, BLACK, weight=0.22, stretch=1.2)
    canvas.text(plan.number, at(plan.front_axle - 0.02), plan.belt - 0.15 - plan.floor, 0.07, BLACK, weight=0.2)
    bar(length - 0.28, plan.belt - 0.40, length, plan.belt - 0.27, WHITE)
    bar(length - 0.28, plan.belt - 0.40, length - 0.18, plan.belt - 0.27, _AMBER)
    bar(0.0, 0.62, 0.16, 0.84, _RED)
    return canvas.picture


def cabin_side(plan: Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """The side windows and their pillars, projected onto the side; the front as in ``side``."""
    front, back = plan.screen_foot + 0.085 * plan.half, plan.rear_foot - 0.045 * plan.half
    length, base = front - back, plan.belt - 0.04
    canvas = Canvas.blank(length, plan.top - base, _PX_PER_M, plan.yellow)

    def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(z - back if is_right else front - z, y - base) for z, y in pairs]

    low, high = plan.belt + 0.035, plan.top - 0.11
    z0, z1, z2, z3 = plan.rear_foot + 0.42, plan.roof_back + 0.16, plan.roof_front - 0.12, plan.screen_foot - 0.28
    middle = 0.455 * plan.length
    rim = 0.025
    canvas.polygon(
        points((z0 - 2 * rim, low - rim), (z3 + 3 * rim, low - rim), (z2 + rim, high + rim), (z1 - rim, high + rim)),
        BLACK,
    )
    quarter = z1 + 0.12
    panes = (
        points((z0, low), (quarter - 0.03, low), (quarter - 0.03, high), (z1, high)),
        points((quarter + 0.01, low), (middle - 0.06, low), (middle - 0.06, high), (quarter + 0.01, high)),
        points((middle + 0.06, low), (z3, low), (z2, high), (middle + 0.06, high)),
    )
    for pane in panes:
        canvas.polygon(pane, (0.20, 0.24, 0.28))
    for z in (middle - 0.55, middle + 0.22):  # the seats and their head rests
        for y0, y1, wide in ((low, low + 0.17, 0.16), (low + 0.20, low + 0.30, 0.11)):
            canvas.polygon(points((z, y0), (z + wide, y0), (z + wide, y1), (z, y1)), BLACK)
    for z in (middle - 0.34, middle + 0.42):
        canvas.polygon(points((z, low), (z + 0.07, low), (z + 0.22, high), (z + 0.15, high)), _SHINE, opacity=0.5)
    canvas.line(points((middle, low - rim), (middle, high + rim)), 0.05, mix(plan.yellow, BLACK, 0.25))
    return canvas.picture


def screen(plan: Plan, *, is_front: bool) -> NDArray[np.uint8]:
    """The windscreen or the rear window, projected onto the front or the back."""
    half, base = plan.half * 0.93, plan.belt - 0.04
    width, height = 2 * half, plan.top - base
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.yellow)
    low, high = 0.05, height - 0.10
    a, b = plan.half * 0.80, plan.half * 0.63
    canvas.polygon([(half - a, low), (half + a, low), (half + b, high), (half - b, high)], BLACK)
    rim = 0.03
    a, b, low, high = a - rim, b - rim, low + rim, high - 0.02
    canvas.polygon([(half - a, low), (half + a, low), (half + b, high), (half - b, high)], (0.22, 0.26, 0.30))
    for x in (-0.36, 0.36):
        canvas.rect(half + x - 0.17, low, half + x + 0.17, low + 0.18, BLACK, radius=0.05)
        canvas.rect(half + x - 0.10, low + 0.2, half + x + 0.10, low + 0.30, BLACK, radius=0.04)
    canvas.polygon(
        [(half - 0.5, low), (half - 0.3, low), (half - 0.08, high), (half - 0.25, high)], _SHINE, opacity=0.5
    )
    if is_front:
        canvas.rect(half - 0.10, high - 0.09, half + 0.10, high - 0.03, BLACK, radius=0.02)
    return canvas.picture


def above(plan: Plan) -> NDArray[np.uint8]:
    """Bonnet and boot from above, the front below."""
    width, length = 2 * plan.half, plan.length
    canvas = Canvas.blank(width, length, _PX_PER_M / 2, plan.yellow)
    for x in (0.16, width - 0.16):
        _seam(canvas, [(x, 0.20), (x + (0.1 if x < 1 else -0.1), length - plan.screen_foot)], plan.yellow)
        _seam(canvas, [(x + 0.02, length - 0.05), (x + 0.02, length - plan.rear_foot)], plan.yellow)
    _seam(canvas, [(0.16, 0.20), (width - 0.16, 0.20)], plan.yellow)
    canvas.rect(0.2, length - plan.screen_foot - 0.12, width - 0.2, length - plan.screen_foot - 0.02, BLACK)
    return canvas.picture


def front(plan: Plan) -> NDArray[np.uint8]:
    """Grille and headlamps."""
    width, height = 2 * plan.half, plan.belt + 0.03 - plan.floor
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.yellow)
    mid, y0, y1 = plan.half, plan.belt - 0.42 - plan.floor, plan.belt - 0.22 - plan.floor
    canvas.rect(mid - 0.42, y0, mid + 0.42, y1, CHROME, radius=0.03)
    canvas.rect(mid - 0.39, y0 + 0.025, mid + 0.39, y1 - 0.025, BLACK, radius=0.02)
    for k in range(1, 10):
        x = mid - 0.39 + 0.078 * k
        canvas.line([(x, y0 + 0.03), (x, y1 - 0.03)], 0.014, CHROME)
    for s in (-1, 1):
        x0, x1 = sorted((mid + s * 0.46, mid + s * 0.82))
        canvas.rect(x0 - 0.015, y0 + 0.005, x1 + 0.015, y1 - 0.005, BLACK, radius=0.03)
        canvas.rect(x0, y0 + 0.02, x1, y1 - 0.02, (0.90, 0.92, 0.94), radius=0.03)
        canvas.disc(mid + s * 0.62, (y0 + y1) / 2, 0.065, (1.0, 1.0, 1.0))
        canvas.disc(mid + s * 0.62, (y0 + y1) / 2, 0.07, (0.62, 0.65, 0.68), hole=0.055)
        x0, x1 = sorted((mid + s * 0.83, mid + s * 0.95))
        canvas.rect(x0, y0 + 0.02, x1, y1 - 0.02, _AMBER, radius=0.02)
    canvas.rect(mid - 0.55, 0.03, mid + 0.55, 0.11, BLACK, radius=0.03)
    return canvas.picture


def rear(plan: Plan) -> NDArray[np.uint8]:
    """Boot lid and rear lamps."""
    width, height = 2 * plan.half, plan.belt + 0.03 - plan.floor
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.yellow)
    mid, y0, y1 = plan.half, 0.60 - plan.floor, 0.86 - plan.floor
    for s in (-1, 1):
        x0, x1 = sorted((mid + s * 0.50, mid + s * 0.90))
        canvas.rect(x0 - 0.015, y0 - 0.015, x1 + 0.015, y1 + 0.015, BLACK, radius=0.03)
        canvas.rect(x0, y0, x1, y1, _RED, radius=0.03)
        canvas.rect(x0 + 0.03, y0 + 0.02, x1 - 0.03, y0 + 0.075, _AMBER)
        x0, x1 = sorted((mid + s * 0.52, mid + s * 0.64))
        canvas.rect(x0, y0 + 0.10, x1, y1 - 0.04, WHITE, radius=0.02)
    _seam(canvas, [(mid - 0.47, y0 - 0.05), (mid - 0.47, height - 0.03)], plan.yellow)
    _seam(canvas, [(mid + 0.47, y0 - 0.05), (mid + 0.47, height - 0.03)], plan.yellow)
    canvas.text("TAXI", mid, y1 - 0.01, 0.075, BLACK, weight=0.2)
    return canvas.picture


def sign(plan: Plan, width: float, height: float) -> NDArray[np.uint8]:
    """The face of the roof sign: TAXI in black on a light ground, or the medallion number on its narrow ends."""
    canvas = Canvas.blank(width, height, 1.6 * _PX_PER_M, (1.0, 0.97, 0.84))
    if width > 0.4:
        canvas.text("TAXI", width / 2, height / 2, height * 0.66, BLACK, weight=0.22, stretch=1.15)
    else:
        canvas.text(plan.number, width / 2, height / 2, height * 0.36, BLACK, weight=0.18)
    return canvas.picture


def plate(plan: Plan) -> NDArray[np.uint8]:
    """A number plate."""
    canvas = Canvas.blank(0.32, 0.16, 2 * _PX_PER_M, (0.96, 0.90, 0.60))
    canvas.text(f"T{plan.number}C", 0.16, 0.075, 0.07, (0.08, 0.10, 0.35), weight=0.18, stretch=0.8)
    return canvas.picture
