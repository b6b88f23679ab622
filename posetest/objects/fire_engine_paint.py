"""The pictures on a fire engine and the plan that its painter and its builder share. Lengths are metres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Skin, Vector, plain
from posetest.objects.trucks import truck_arch, truck_glass, truck_sides

BLACK: Color = (0.06, 0.06, 0.07)
CHROME: Color = (0.80, 0.81, 0.83)
STEEL: Color = (0.62, 0.64, 0.66)
WHITE: Color = (0.95, 0.95, 0.94)
GOLD: Color = (0.93, 0.74, 0.25)
LAMP_RED: Color = (0.98, 0.10, 0.08)
AMBER: Color = (0.98, 0.55, 0.05)
_PX_PER_M = 48.0


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one fire engine share."""

    red: Color
    upper: Color  # of the cab above its belt
    half: float  # half the width
    body: float  # length of the body behind the pump panel
    cab: float  # length of the cab
    deck: float  # y of the body's upper edge
    roof: float  # y of the cab's roof
    wheel: float  # radius
    shutters: int  # compartments between pump panel and rear wheels
    town: str
    number: str

    skirt: float = 0.50
    pump: float = 0.85
    belt: float = 1.62

    @property
    def back_of_cab(self) -> float:
        """z where the cab begins."""
        return self.body + self.pump + 0.06

    @property
    def front(self) -> float:
        """z of the cab's front."""
        return self.back_of_cab + self.cab

    @property
    def rear_axle(self) -> float:
        """z of the rear wheels."""
        return 0.36 * self.body

    @property
    def front_axle(self) -> float:
        """z of the front wheels."""
        return self.front - 1.28

    @property
    def frame(self) -> tuple[Vector, Vector]:
        """The box that the pictures fill."""
        return (-self.half, 0.0, 0.0), (self.half, self.roof, self.front)


def skins(plan: Plan) -> dict[str, Skin]:
    """Pictures for every direction, each filling the plan's frame."""
    sides = _sides(plan)
    return {
        "": plain(plan.red),
        "+x": sides["+x"],
        "-x": sides["-x"],
        "+z": Skin(_face(plan)),
        "-z": Skin(_rear(plan)),
        "+y": plain(plan.upper),
        "-y": plain(BLACK),
    }


def _sides(plan: Plan) -> dict[str, Skin]:
    canvas = Canvas.blank(plan.front, plan.roof, _PX_PER_M, plan.red)
    start = plan.back_of_cab
    canvas.rect(start, plan.roof - 0.2, plan.front, plan.roof, plan.upper)
    canvas.rect(0.0, 1.06, plan.front, 1.30, WHITE)
    canvas.rect(0.0, 1.00, plan.front, 1.04, GOLD)
    canvas.rect(0.0, plan.skirt, start, plan.skirt + 0.07, STEEL)
    for axle in (plan.rear_axle, plan.front_axle):
        canvas.disc(axle, plan.wheel, plan.wheel + 0.22, CHROME)
        canvas.rect(axle - plan.wheel - 0.22, 0.3, axle + plan.wheel + 0.22, plan.wheel, CHROME)
        truck_arch(canvas, axle, plan.wheel, plan.skirt)
    _compartments(canvas, plan)
    _pump_panel(canvas, plan.body + 0.03, plan.body + plan.pump + 0.03, plan)
    _cab_side(canvas, plan)
    door = start + 0.28 * plan.cab
    words = [
        ("FIRE DEPT", plan.body * 0.5, plan.deck - 0.17, 0.24, GOLD),
        (plan.number, plan.front - 0.62, 1.43, 0.17, GOLD),
        (plan.town, door - 0.02, 1.42, 0.15, GOLD),
    ]
    return truck_sides(canvas, words, weight=0.2)


def _compartments(canvas: Canvas, plan: Plan) -> None:
    """Roller shutters before, above and behind the rear wheels."""
    top, reach = plan.deck - 0.36, plan.wheel + 0.30
    axle = plan.rear_axle
    _shutter(plan, canvas, 0.10, plan.skirt + 0.14, axle - reach, top)
    _shutter(plan, canvas, axle - reach + 0.09, 1.42, axle + reach - 0.09, top)
    start, width = axle + reach, (plan.body - 0.06 - axle - reach) / plan.shutters
    for k in range(plan.shutters):
        _shutter(plan, canvas, start + k * width, plan.skirt + 0.14, start + (k + 1) * width - 0.09, top)


def _shutter(plan: Plan, canvas: Canvas, x0: float, y0: float, x1: float, y1: float) -> None:
    """A roller shutter with slats and the bar to pull it by."""
    canvas.rect(x0 - 0.04, y0 - 0.04, x1 + 0.04, y1 + 0.04, CHROME)
    canvas.rect(x0, y0, x1, y1, plan.red)
    for k in range(1, int((y1 - y0) / 0.11)):
        canvas.rect(x0, y0 + 0.11 * k, x1, y0 + 0.11 * k + 0.025, (0.52, 0.54, 0.56))
    canvas.rect(x0 + 0.04, y0 + 0.05, x1 - 0.04, y0 + 0.11, BLACK)


def _pump_panel(canvas: Canvas, x0: float, x1: float, plan: Plan) -> None:
    """Polished steel with gauges above and hose connections below."""
    canvas.rect(x0, plan.skirt, x1, plan.deck, BLACK)
    canvas.rect(x0 + 0.05, plan.skirt + 0.08, x1 - 0.05, plan.deck - 0.06, STEEL)
    mid, wide = (x0 + x1) / 2, x1 - x0
    for k in range(6):
        x, y = mid + (k % 3 - 1) * wide * 0.27, plan.deck - 0.28 - 0.24 * (k // 3)
        canvas.disc(x, y, 0.095, BLACK)
        canvas.disc(x, y, 0.075, WHITE)
        canvas.line([(x, y), (x + 0.04, y + 0.035)], 0.02, LAMP_RED)
    for k in range(5):
        x = x0 + wide * (0.2 + 0.15 * k)
        canvas.rect(x - 0.025, 1.62, x + 0.025, 1.78, (LAMP_RED, GOLD, WHITE, (0.1, 0.3, 0.7), BLACK)[k])
    for dx, y, r in ((-0.27, 1.34, 0.09), (0.27, 1.34, 0.09), (0.0, 0.92, 0.19), (-0.27, 0.74, 0.08)):
        canvas.disc(mid + dx * wide, y, r, BLACK)
        canvas.disc(mid + dx * wide, y, r * 0.8, CHROME)
        canvas.disc(mid + dx * wide, y, r * 0.4, BLACK)


def _cab_side(canvas: Canvas, plan: Plan) -> None:
    """Two doors with windows, handles and seams."""
    start, top = plan.back_of_cab, plan.roof - 0.24
    split = plan.front - 1.34
    rear = (start + 0.16, split - 0.10)
    truck_glass(canvas, [(rear[0], 1.72), (rear[1], 1.72), (rear[1], top), (rear[0], top)])
    nose = plan.front
    truck_glass(canvas, [(split + 0.10, 1.72), (nose - 0.20, 1.72), (nose - 0.34, top), (split + 0.10, top)])
    canvas.rect(start, plan.belt - 0.025, plan.front, plan.belt + 0.025, GOLD)
    seam = mix(plan.red, BLACK, 0.6)
    for x in (start + 0.08, split, nose - 0.12):
        canvas.line([(x, plan.skirt), (x, top + 0.1)], 0.025, seam)
    for x in (split - 0.18, split + 0.18):
        canvas.rect(x - 0.11, 1.52, x + 0.11, 1.57, CHROME)
    canvas.rect(start + 0.08, plan.skirt, split - 0.62, plan.skirt + 0.12, CHROME)


def _face(plan: Plan) -> NDArray[np.uint8]:
    """The cab's front: windscreen in two panes, chrome grille between lamps."""
    wide, mid = 2 * plan.half, plan.half
    canvas = Canvas.blank(wide, plan.roof, _PX_PER_M, plan.red)
    canvas.rect(0, plan.roof - 0.2, wide, plan.roof, plan.upper)
    top = plan.roof - 0.26
    canvas.rect(0.10, 1.56, wide - 0.10, top + 0.05, BLACK, radius=0.1)
    for x0, x1 in ((0.15, mid - 0.03), (mid + 0.03, wide - 0.15)):
        truck_glass(canvas, [(x0, 1.62), (x1, 1.62), (x1, top), (x0, top)])
        canvas.line([(x0 + 0.2, 1.64), (x0 + 0.8, 1.86)], 0.035, BLACK)
    canvas.rect(mid - 0.48, 0.78, mid + 0.48, 1.44, CHROME, radius=0.05)
    for k in range(6):
        canvas.rect(mid - 0.42, 0.84 + 0.095 * k, mid + 0.42, 0.89 + 0.095 * k, BLACK)
    for side in (-1, 1):
        x = mid + side * 0.84
        canvas.rect(x - 0.33, 0.84, x + 0.33, 1.38, CHROME, radius=0.05)
        for dx in (-0.15, 0.15):
            canvas.disc(x + dx, 1.00, 0.125, BLACK)
            canvas.disc(x + dx, 1.00, 0.105, (0.97, 0.98, 1.0))
            canvas.rect(x + dx - 0.12, 1.19, x + dx + 0.12, 1.33, LAMP_RED if dx * side < 0 else AMBER, radius=0.02)
    return canvas.picture


def _rear(plan: Plan) -> NDArray[np.uint8]:
    """The back: a shutter, the stripe, lamps one above the other."""
    wide, mid = 2 * plan.half, plan.half
    canvas = Canvas.blank(wide, plan.roof, _PX_PER_M, plan.red)
    canvas.rect(0.0, 1.06, wide, 1.30, WHITE)
    canvas.rect(0.0, 1.0, wide, 1.04, GOLD)
    canvas.rect(mid - 0.62, 0.0, mid + 0.62, plan.deck, plan.red)
    _shutter(plan, canvas, mid - 0.42, plan.skirt + 0.2, mid + 0.42, 1.95)
    canvas.text("FIRE DEPT", mid, plan.deck - 0.26, 0.24, GOLD, weight=0.2)
    for side in (-1, 1):
        x = mid + side * (plan.half - 0.22)
        for y, color in ((0.85, LAMP_RED), (1.10, AMBER), (1.35, WHITE)):
            canvas.rect(x - 0.15, y - 0.1, x + 0.15, y + 0.1, CHROME)
            canvas.rect(x - 0.12, y - 0.075, x + 0.12, y + 0.075, color)
    return canvas.picture
