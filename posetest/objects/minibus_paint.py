"""The pictures on a minibus and the plan that its painter and its builder share. Lengths are metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.paint import Canvas, Color, mix

BLACK: Color = (0.06, 0.06, 0.07)
WHITE: Color = (0.95, 0.95, 0.93)
_GLASS: Color = (0.17, 0.20, 0.23)
_SEAT: Color = (0.09, 0.10, 0.12)
_SHINE: Color = (0.42, 0.49, 0.55)
_CHROME: Color = (0.74, 0.75, 0.77)
_RED: Color = (0.78, 0.06, 0.06)
_AMBER: Color = (0.97, 0.52, 0.06)
_PX_PER_M = 90.0


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one minibus share."""

    upper: Color
    lower: Color
    windows: int  # passenger windows on each side, behind the front doors
    pitch: float  # from one of them to the next
    half: float  # half the width of the body
    belt: float  # lower edge of the windows
    top: float
    wheel: float  # radius
    owner: str
    number: str

    #: Lower edge of the body.
    floor = 0.30

    @property
    def door_back(self) -> float:
        """z of the front doors' rear edge."""
        return 0.22 + self.windows * self.pitch

    @property
    def length(self) -> float:
        """z of the front."""
        return self.door_back + 1.95

    @property
    def screen_foot(self) -> float:
        """z of the foot of the windscreen."""
        return self.length - 0.72

    @property
    def roof_front(self) -> float:
        """z of the top of the windscreen."""
        return self.length - 1.42

    @property
    def rear_axle(self) -> float:
        """z of the rear wheels."""
        return 0.24 * self.length

    @property
    def front_axle(self) -> float:
        """z of the front wheels."""
        return self.length - 0.95


def side(plan: Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """A side below the windows; the front is at the left on the left side (+x), at the right on the other side."""
    length, height = plan.length, plan.belt - plan.floor
    canvas = Canvas.blank(length, height, _PX_PER_M, plan.lower)

    def at(z: float) -> float:
        return z if is_right else length - z

    def bar(z0: float, y0: float, z1: float, y1: float, color: Color) -> None:
        canvas.rect(min(at(z0), at(z1)), y0 - plan.floor, max(at(z0), at(z1)), y1 - plan.floor, color)

    bar(0.0, plan.belt - 0.17, length, plan.belt, plan.upper)
    bar(0.0, plan.belt - 0.20, length, plan.belt - 0.17, mix(plan.lower, WHITE, 0.55))
    bar(0.0, plan.floor, length, 0.37, BLACK)
    bar(plan.rear_axle + 0.46, 0.56, plan.front_axle - 0.46, 0.62, BLACK)
    dark = mix(plan.lower, BLACK, 0.6)
    seams = [plan.door_back, plan.screen_foot - 0.02]
    if is_right:
        seams.append(plan.door_back - plan.pitch)
    for z in seams:
        canvas.line([(at(z), 0.08), (at(z), height)], 0.02, dark)
    canvas.line([(at(plan.door_back - (plan.pitch if is_right else 0.0)), 0.10), (at(seams[1]), 0.10)], 0.02, dark)
    words = (plan.rear_axle + 0.45 + plan.door_back) / 2
    canvas.text(plan.owner, at(words), 0.83 - plan.floor, 0.16, WHITE, weight=0.2)
    bar(length - 0.30, plan.belt - 0.47, length, plan.belt - 0.27, WHITE)
    bar(length - 0.36, plan.belt - 0.45, length - 0.28, plan.belt - 0.29, _AMBER)
    bar(0.0, 0.80, 0.09, plan.belt, _RED)
    return canvas.picture


def cabin_side(plan: Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """The windows along a side, projected onto it; the front as in ``side``."""
    front, back = plan.screen_foot + 0.096 * plan.half, 0.05 - 0.048 * plan.half
    length, base = front - back, plan.belt - 0.04
    canvas = Canvas.blank(length, plan.top - base, _PX_PER_M, plan.upper)

    def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(z - back if is_right else front - z, y - base) for z, y in pairs]

    def pane(z0: float, z1: float, z2: float, z3: float) -> None:
        """Corners below (z0, z1) and above (z2, z3)."""
        canvas.polygon(points((z0, low), (z1, low), (z3, high), (z2, high)), BLACK)
        rim = 0.035
        inner = ((z0 + rim, low + rim), (z1 - rim, low + rim), (z3 - rim, high - rim), (z2 + rim, high - rim))
        canvas.polygon(points(*inner), _GLASS)

    low, high = plan.belt + 0.06, plan.top - 0.34
    for k in range(plan.windows):
        z = 0.22 + k * plan.pitch
        pane(z + 0.03, z + plan.pitch - 0.03, z + 0.03, z + plan.pitch - 0.03)
        for y0, y1, wide in ((low + 0.035, low + 0.30, 0.22), (low + 0.34, low + 0.48, 0.14)):  # seat and head rest
            seat = z + 0.30
            canvas.polygon(points((seat, y0), (seat + wide, y0), (seat + wide, y1), (seat, y1)), _SEAT)
        gleam = ((z + 0.52, low + 0.04), (z + 0.62, low + 0.04), (z + 0.80, high - 0.04), (z + 0.70, high - 0.04))
        canvas.polygon(points(*gleam), _SHINE, opacity=0.5)
    z = plan.door_back
    pane(z + 0.05, plan.screen_foot - 0.20, z + 0.05, plan.roof_front - 0.02)
    for y0, y1, wide in ((low + 0.035, low + 0.28, 0.20), (low + 0.32, low + 0.46, 0.13)):
        canvas.polygon(points((z + 0.16, y0), (z + 0.16 + wide, y0), (z + 0.16 + wide, y1), (z + 0.16, y1)), _SEAT)
    for edge in (plan.door_back, *((plan.door_back - plan.pitch,) if is_right else ())):
        canvas.line(points((edge, base), (edge, plan.top - 0.22)), 0.02, mix(plan.upper, BLACK, 0.5))
    return canvas.picture


def windscreen(plan: Plan) -> NDArray[np.uint8]:
    """The windscreen, projected onto the front."""
    half, base = plan.half * 0.985, plan.belt - 0.04
    width, height = 2 * half, plan.top - base
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.upper)
    low, high = 0.07, height - 0.24
    a, b = plan.half * 0.90, plan.half * 0.80
    canvas.polygon([(half - a, low), (half + a, low), (half + b, high), (half - b, high)], BLACK)
    a, b, low, high = a - 0.04, b - 0.04, low + 0.05, high - 0.04
    canvas.polygon([(half - a, low), (half + a, low), (half + b, high), (half - b, high)], (0.21, 0.25, 0.29))
    for x in (-0.45, 0.45):
        canvas.rect(half + x - 0.20, low, half + x + 0.20, low + 0.26, _SEAT, radius=0.05)
        canvas.rect(half + x - 0.11, low + 0.29, half + x + 0.11, low + 0.43, _SEAT, radius=0.04)
        canvas.line([(half + x - 0.30, low), (half + x + 0.25, low + 0.10)], 0.025, BLACK)
    gleam = [(half - 0.45, low), (half - 0.22, low), (half + 0.05, high), (half - 0.15, high)]
    canvas.polygon(gleam, _SHINE, opacity=0.5)
    canvas.rect(half - 0.12, high - 0.12, half + 0.12, high - 0.04, BLACK, radius=0.02)
    return canvas.picture


def rear_window(plan: Plan) -> NDArray[np.uint8]:
    """The windows of the two rear doors, projected onto the back."""
    half, base = plan.half * 0.985, plan.belt - 0.04
    width, height = 2 * half, plan.top - base
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.upper)
    low, high = 0.10, height - 0.34
    for s in (-1, 1):
        x0, x1 = sorted((half + s * 0.05, half + s * 0.78))
        canvas.rect(x0, low, x1, high, BLACK, radius=0.05)
        canvas.rect(x0 + 0.04, low + 0.04, x1 - 0.04, high - 0.04, _GLASS, radius=0.04)
        canvas.rect(x0 + 0.20, low + 0.04, x1 - 0.20, low + 0.36, _SEAT, radius=0.06)
        gleam = [(x0 + 0.10, low + 0.04), (x0 + 0.22, low + 0.04), (x0 + 0.52, high - 0.04), (x0 + 0.40, high - 0.04)]
        canvas.polygon(gleam, _SHINE, opacity=0.5)
        canvas.rect(half + s * 0.84 - 0.05, 0.0, half + s * 0.84 + 0.05, 0.18, _RED)
    canvas.line([(half, 0.0), (half, height - 0.2)], 0.02, mix(plan.upper, BLACK, 0.6))
    canvas.rect(half - 0.25, height - 0.22, half + 0.25, height - 0.16, _RED, radius=0.02)
    return canvas.picture


def roof(plan: Plan) -> NDArray[np.uint8]:
    """The roof from above, the front below: beads along the sheet."""
    half = plan.half * 0.985
    length = plan.screen_foot + 0.048 * plan.half
    canvas = Canvas.blank(2 * half, length, _PX_PER_M / 1.5, plan.upper)
    for x in (-0.66, -0.44, -0.22, 0.0, 0.22, 0.44, 0.66):
        ends = [(half + x, length - plan.roof_front + 0.30), (half + x, length - 0.35)]
        canvas.line(ends, 0.05, mix(plan.upper, BLACK, 0.22))
    return canvas.picture


def front(plan: Plan) -> NDArray[np.uint8]:
    """Grille and headlamps below the bonnet."""
    width, height = 2 * plan.half, plan.belt - plan.floor
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.lower)
    mid, y0, y1 = plan.half, plan.belt - 0.50 - plan.floor, plan.belt - 0.26 - plan.floor
    canvas.rect(0.0, y1 + 0.06, width, height, plan.upper)
    canvas.rect(mid - 0.46, y0 + 0.02, mid + 0.46, y1 + 0.01, BLACK, radius=0.04)
    for k in range(3):
        y = y0 + 0.07 + k * 0.065
        canvas.line([(mid - 0.42, y), (mid + 0.42, y)], 0.022, _CHROME)
    canvas.disc(mid, (y0 + y1) / 2 + 0.015, 0.085, _CHROME)
    canvas.disc(mid, (y0 + y1) / 2 + 0.015, 0.055, BLACK, hole=0.035)
    for s in (-1, 1):
        x0, x1 = sorted((mid + s * 0.50, mid + s * 0.86))
        canvas.rect(x0 - 0.015, y0 - 0.005, x1 + 0.015, y1 + 0.025, BLACK, radius=0.05)
        canvas.rect(x0, y0 + 0.01, x1, y1 + 0.01, (0.90, 0.92, 0.94), radius=0.05)
        canvas.disc(mid + s * 0.64, (y0 + y1) / 2 + 0.01, 0.085, (0.62, 0.65, 0.68))
        canvas.disc(mid + s * 0.64, (y0 + y1) / 2 + 0.01, 0.068, (1.0, 1.0, 1.0))
        x0, x1 = sorted((mid + s * 0.88, mid + s * 0.97))
        canvas.rect(x0, y0 + 0.01, x1, y1 + 0.01, _AMBER, radius=0.02)
    return canvas.picture


def rear(plan: Plan) -> NDArray[np.uint8]:
    """Rear doors below their windows, lamps."""
    width, height = 2 * plan.half, plan.belt - plan.floor
    canvas = Canvas.blank(width, height, _PX_PER_M, plan.lower)
    mid = plan.half
    canvas.rect(0.0, height - 0.17, width, height, plan.upper)
    for s in (-1, 1):
        for y0, y1, color in ((0.70, 0.86, WHITE), (0.86, 1.00, _AMBER), (1.00, plan.belt, _RED)):
            x0, x1 = sorted((mid + s * 0.80, mid + s * 0.93))
            canvas.rect(x0, y0 - plan.floor, x1, y1 - plan.floor, color)
    canvas.line([(mid, 0.2), (mid, height)], 0.02, mix(plan.lower, BLACK, 0.6))
    canvas.rect(mid + 0.03, 0.62, mid + 0.20, 0.67, BLACK)
    return canvas.picture


def plate(plan: Plan) -> NDArray[np.uint8]:
    """A number plate."""
    canvas = Canvas.blank(0.52, 0.12, 1.6 * _PX_PER_M, (0.96, 0.95, 0.90))
    canvas.text(plan.number, 0.26, 0.06, 0.085, BLACK, weight=0.18, stretch=0.95)
    return canvas.picture
