"""A North American box ambulance: a van's cab before a tall white box with stripe, star of life and warning lamps.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the ambulance looks towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, Vector, box, plain
from posetest.objects.trucks import (
    TruckCab,
    truck_arch,
    truck_cab_face,
    truck_cab_side,
    truck_chassis,
    truck_glass,
    truck_lamp,
    truck_mirrors,
    truck_shell,
    truck_sides,
)
from posetest.objects.vehicles import axle_wheels

LABELS = ("ambulance",)

_BLACK: Color = (0.06, 0.06, 0.07)
_CHROME: Color = (0.78, 0.79, 0.81)
_WHITE: Color = (0.96, 0.96, 0.95)
_BLUE: Color = (0.07, 0.20, 0.58)
_RED: Color = (0.82, 0.07, 0.07)
_ORANGE: Color = (0.95, 0.38, 0.05)
_LAMP_RED: Color = (0.98, 0.08, 0.06)
_AMBER: Color = (0.98, 0.55, 0.05)
_PX_PER_M = 72.0


@dataclass(frozen=True)
class _Plan:
    """The measures and colours that the parts of one ambulance share."""

    stripe: Color
    ink: Color  # of the word AMBULANCE
    half: float  # half the width of the box
    body: float  # length of the box
    top: float  # y of the box's roof
    wheel: float
    cab: TruckCab
    number: str

    base: float = 0.62  # y of the box's lower edge
    low: float = 1.02  # y of the stripe
    high: float = 1.36

    @property
    def rear_axle(self) -> float:
        return 0.36 * self.body

    @property
    def front_axle(self) -> float:
        return self.cab.front - 0.86

    @property
    def frame(self) -> tuple[Vector, Vector]:
        """The box that the pictures fill."""
        return (-self.half, 0.0, 0.0), (self.half, self.top, self.cab.front)


def build(seed: int = 0) -> BuiltObject:
    """An ambulance; seed 0 is the bundled one, others vary proportions, stripe, colour of the lettering, number."""
    vary = Variation(seed)
    body = vary.number(3.7, 3.4, 4.1)
    cab = TruckCab(
        half=vary.number(1.0, 0.96, 1.04),
        back=body - 0.05,
        front=body + vary.number(2.35, 2.25, 2.5),
        bonnet=vary.number(0.85, 0.75, 1.0),
        roof=vary.number(2.08, 2.0, 2.15),
    )
    stripe = vary.pick(_ORANGE, (_ORANGE, _RED, _BLUE))
    plan = _Plan(
        stripe=stripe,
        ink=vary.pick(_RED, (_RED, _BLUE)),
        half=vary.number(1.15, 1.1, 1.2),
        body=body,
        top=vary.number(2.78, 2.72, 2.9),
        wheel=vary.number(0.40, 0.38, 0.43),
        cab=cab,
        number=str(vary.integer(12, 1, 99)),
    )
    skins = _skins(plan)
    parts = _box(plan, skins) + _cab(plan, skins) + _lamps(plan)
    for z, wide, half in ((plan.front_axle, 0.26, cab.half + 0.02), (plan.rear_axle, 0.42, plan.half + 0.015)):
        parts += axle_wheels(half, z, plan.wheel, wide, vary.pick(_CHROME, ((0.9, 0.9, 0.9), (0.5, 0.5, 0.5))))
    return BuiltObject(assemble("ambulance", parts), LABELS)


def _skins(plan: _Plan) -> dict[str, Skin]:
    """Pictures for every direction, each filling the plan's frame."""
    sides = _sides(plan)
    return {
        "": plain(_WHITE),
        "+x": sides["+x"],
        "-x": sides["-x"],
        "+z": Skin(_face(plan)),
        "-z": Skin(_rear(plan)),
        "+y": Skin(_from_above(plan)),
        "-y": plain(_BLACK),
    }


def _star(canvas: Canvas, x: float, y: float, size: float) -> None:
    """The star of life: six blue bars with a white rod in the middle."""
    for edge, color in ((0.035 * size, _WHITE), (0.0, _BLUE)):
        for angle in (30.0, 90.0, 150.0):
            c, s = float(np.round(np.cos(np.radians(angle)), 9)), float(np.round(np.sin(np.radians(angle)), 9))
            a, b = size / 2 + edge, size * 0.145 + edge
            corners = ((a, b), (-a, b), (-a, -b), (a, -b))
            canvas.polygon([(x + u * c - v * s, y + u * s + v * c) for u, v in corners], color)
    canvas.line([(x, y - 0.36 * size), (x, y + 0.36 * size)], 0.06 * size, _WHITE)
    snake = [(x + dx * size, y + dy * size) for dx, dy in ((0.08, 0.24), (-0.09, 0.1), (0.09, -0.05), (-0.07, -0.2))]
    canvas.line(snake, 0.045 * size, _WHITE)


def _sides(plan: _Plan) -> dict[str, Skin]:
    """Both sides: stripe, star, compartment doors, a window in the box."""
    cab = plan.cab
    canvas = Canvas.blank(cab.front, plan.top, _PX_PER_M, _WHITE)
    canvas.rect(0.0, plan.low, cab.front - 0.36, plan.high, plan.stripe)
    canvas.rect(0.0, plan.high + 0.05, cab.foot - 0.05, plan.high + 0.08, plan.stripe)
    canvas.rect(0.0, plan.base, plan.body, plan.base + 0.10, _CHROME)
    truck_arch(canvas, plan.rear_axle, plan.wheel, plan.base)
    truck_arch(canvas, plan.front_axle, plan.wheel, cab.skirt)
    seam = mix(_WHITE, _BLACK, 0.45)
    doors = ((0.10, 0.62, plan.base + 0.12, 2.25), (plan.body - 0.72, plan.body - 0.1, plan.base + 0.12, 2.25))
    for x0, x1, y0, y1 in doors:
        canvas.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], 0.022, seam)
        canvas.rect(x1 - 0.13, 1.50, x1 - 0.05, 1.62, _BLACK)
    x = plan.body - 0.41
    truck_glass(canvas, [(x - 0.22, 1.66), (x + 0.22, 1.66), (x + 0.22, 2.14), (x - 0.22, 2.14)])
    truck_cab_side(canvas, cab, _WHITE)
    _star(canvas, plan.body * 0.47, 1.86, 0.62)
    words = [
        ("AMBULANCE", plan.body * 0.5, plan.top - 0.38, 0.24, plan.ink),
        ("AMBULANCE", plan.body * 0.47, (plan.low + plan.high) / 2, 0.2, _WHITE),
        (plan.number, cab.back + 0.62, (plan.low + plan.high) / 2, 0.2, _WHITE),
    ]
    return truck_sides(canvas, words)


def _face(plan: _Plan) -> NDArray[np.uint8]:
    """The front: the cab below, the box with its word above."""
    canvas = Canvas.blank(2 * plan.half, plan.top, _PX_PER_M, _WHITE)
    canvas.text("AMBULANCE", plan.half, plan.top - 0.38, 0.22, plan.ink, weight=0.2)
    truck_cab_face(canvas, plan.cab, plan.half, _CHROME)
    return canvas.picture


def _rear(plan: _Plan) -> NDArray[np.uint8]:
    """The back: double doors with windows and stars."""
    wide, mid = 2 * plan.half, plan.half
    canvas = Canvas.blank(wide, plan.top, _PX_PER_M, _WHITE)
    canvas.rect(0.0, plan.low, wide, plan.high, plan.stripe)
    canvas.rect(0.0, plan.base, wide, plan.base + 0.10, _CHROME)
    seam = mix(_WHITE, _BLACK, 0.6)
    for side in (-1, 1):
        x0, x1 = sorted((mid, mid + side * 0.72))
        canvas.line([(x0, 0.74), (x1, 0.74), (x1, 2.28), (x0, 2.28), (x0, 0.74)], 0.03, seam)
        x = mid + side * 0.37
        truck_glass(canvas, [(x - 0.22, 1.66), (x + 0.22, 1.66), (x + 0.22, 2.18), (x - 0.22, 2.18)])
        _star(canvas, x, (plan.low + plan.high) / 2 + 0.02, 0.36)
        canvas.rect(mid + side * 0.08 - 0.035, 1.38, mid + side * 0.08 + 0.035, 1.60, _BLACK)
        x = mid + side * (plan.half - 0.2)
        for y, color in ((0.86, _LAMP_RED), (1.46, _AMBER), (1.68, _LAMP_RED)):
            canvas.rect(x - 0.12, y - 0.09, x + 0.12, y + 0.09, _BLACK)
            canvas.rect(x - 0.1, y - 0.07, x + 0.1, y + 0.07, color)
    canvas.text("AMBULANCE", mid, plan.top - 0.36, 0.2, plan.ink, weight=0.2)
    return canvas.picture


def _from_above(plan: _Plan) -> NDArray[np.uint8]:
    """Roof and bonnet from above, the front below; the bonnet's word is for mirrors, so it is written mirrored."""
    cab = plan.cab
    canvas = Canvas.blank(2 * plan.half, cab.front, _PX_PER_M, _WHITE)
    word = replace(canvas, pixels=canvas.pixels[:, ::-1])
    word.text("AMBULANCE", plan.half, cab.bonnet * 0.42, 0.19, plan.ink, weight=0.2)
    _star(canvas, plan.half, cab.front - plan.body * 0.5, 1.2)
    return canvas.picture


def _box(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The box, the frame below, the step behind."""
    half, end, top = plan.half, plan.body, plan.top
    levels = [(plan.base, half, 0.0, end), (top - 0.06, half, 0.0, end), (top, half - 0.06, 0.06, end - 0.06)]
    parts = truck_shell(levels, skins, plan.frame, cut=0.05)
    parts += truck_chassis(0.8, 0.1, plan.cab.front - 0.2, 0.34, plan.base + 0.02)
    step = {"": plain((0.55, 0.56, 0.58)), "-y": plain(_BLACK)}
    parts += box((-half + 0.02, 0.42, -0.30), (half - 0.02, 0.54, 0.04), step)
    return parts


def _cab(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The cab with bumper and mirrors."""
    cab = plan.cab
    parts = truck_shell(cab.levels(), {**skins, "-z": plain(_WHITE)}, plan.frame, cut=0.07)
    chrome = {"": plain(_CHROME), "-y": plain(_BLACK)}
    parts += box((-cab.half, 0.40, cab.front - 0.2), (cab.half, 0.66, cab.front + 0.14), chrome, bevel=0.04)
    return parts + truck_mirrors(cab.half - 0.02, cab.cowl + 0.18, cab.foot - 0.32, 0.36)


def _lamps(plan: _Plan) -> list[Part]:
    """Warning lamps: a row over the cab, one at each upper corner of the sides and the back."""
    half, top, end = plan.half, plan.top, plan.body
    parts: list[Part] = []
    colors = (_LAMP_RED, _LAMP_RED, _WHITE, _AMBER, _WHITE, _LAMP_RED, _LAMP_RED)
    step = 2 * (half - 0.08) / len(colors)
    for k, color in enumerate(colors):
        x = -half + 0.08 + k * step
        parts += truck_lamp((x + 0.02, top - 0.24, end - 0.03), (x + step - 0.02, top - 0.09, end + 0.05), color)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (half - 0.03), side * (half + 0.04)))
        for z, color in ((0.28, _LAMP_RED), (end / 2, _WHITE), (end - 0.28, _LAMP_RED)):
            parts += truck_lamp((x0, top - 0.24, z - 0.15), (x1, top - 0.09, z + 0.15), color)
        x = side * (half - 0.24)
        parts += truck_lamp((x - 0.15, top - 0.24, -0.04), (x + 0.15, top - 0.09, 0.03), _LAMP_RED)
    parts += truck_lamp((-0.15, top - 0.24, -0.04), (0.15, top - 0.09, 0.03), _AMBER)
    return parts
