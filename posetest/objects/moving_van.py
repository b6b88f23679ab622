"""A moving van: a box truck whose tall cargo box reaches out over the cab, with the mover's name and a roller door.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the van looks towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    truck_lamp,
    truck_mirrors,
    truck_shell,
    truck_sides,
)
from posetest.objects.vehicles import axle_wheels

LABELS = ("moving van",)

_BLACK: Color = (0.06, 0.06, 0.07)
_CHROME: Color = (0.70, 0.71, 0.73)
_STEEL: Color = (0.55, 0.56, 0.58)
_WHITE: Color = (0.95, 0.95, 0.93)
_LAMP_RED: Color = (0.85, 0.06, 0.05)
_AMBER: Color = (0.98, 0.55, 0.05)
_ORANGE: Color = (0.93, 0.42, 0.06)
_PX_PER_M = 60.0
_NAMES = ("MOVERS", "CITY MOVERS", "U-MOVE", "VAN LINES")


@dataclass(frozen=True)
class _Plan:
    """The measures and colours that the parts of one moving van share."""

    paint: Color  # of cab and box
    band: Color
    half: float  # half the width of the box
    body: float  # length of the box without what is over the cab
    top: float
    wheel: float
    cab: TruckCab
    name: str

    base: float = 0.84  # y of the box's lower edge

    @property
    def rear_axle(self) -> float:
        return 0.30 * self.body

    @property
    def front_axle(self) -> float:
        return self.cab.front - 0.86

    @property
    def eaves(self) -> float:
        """y of the underside of what is over the cab."""
        return self.cab.roof + 0.08

    @property
    def nose(self) -> float:
        """z of the front of what is over the cab."""
        return self.cab.brow + 0.18

    @property
    def frame(self) -> tuple[Vector, Vector]:
        """The box that the pictures fill."""
        return (-self.half, 0.0, 0.0), (self.half, self.top, self.cab.front)


def build(seed: int = 0) -> BuiltObject:
    """A moving van; seed 0 is the bundled one, others vary proportions, colours and the mover's name."""
    vary = Variation(seed)
    body = vary.number(4.0, 3.8, 4.4)
    cab = TruckCab(
        half=vary.number(1.0, 0.96, 1.04),
        back=body - 0.05,
        front=body + vary.number(2.35, 2.25, 2.5),
        bonnet=vary.number(0.85, 0.75, 1.0),
        roof=vary.number(2.06, 2.0, 2.12),
    )
    plan = _Plan(
        paint=_WHITE,
        band=vary.pick(_ORANGE, (_ORANGE, (0.10, 0.30, 0.65), (0.75, 0.10, 0.10), (0.08, 0.42, 0.25))),
        half=vary.number(1.2, 1.15, 1.25),
        body=body,
        top=vary.number(3.3, 3.15, 3.45),
        wheel=vary.number(0.41, 0.39, 0.44),
        cab=cab,
        name=vary.pick(_NAMES[0], _NAMES[1:]),
    )
    skins = _skins(plan)
    parts = _cargo(plan, skins) + _cab(plan, skins) + _lamps(plan)
    hub = vary.pick((0.85, 0.85, 0.85), (_CHROME, plan.band))
    for z, wide, half in ((plan.front_axle, 0.26, cab.half + 0.02), (plan.rear_axle, 0.44, plan.half - 0.06)):
        parts += axle_wheels(half, z, plan.wheel, wide, hub)
    return BuiltObject(assemble("moving_van", parts), LABELS)


def _skins(plan: _Plan) -> dict[str, Skin]:
    """Pictures for every direction, each filling the plan's frame."""
    sides = _sides(plan)
    return {
        "": plain(plan.paint),
        "+x": sides["+x"],
        "-x": sides["-x"],
        "+z": Skin(_face(plan)),
        "-z": Skin(_rear(plan)),
        "+y": plain(plan.paint),
        "-y": plain(_BLACK),
    }


def _sides(plan: _Plan) -> dict[str, Skin]:
    """Both sides: the band, aluminium edges, the lettering; door and window of the cab."""
    cab, ink = plan.cab, mix(plan.band, _BLACK, 0.1)
    canvas = Canvas.blank(cab.front, plan.top, _PX_PER_M, plan.paint)
    canvas.rect(0.0, plan.base, plan.body, plan.base + 0.58, plan.band)
    canvas.rect(0.0, plan.base + 0.64, plan.body, plan.base + 0.69, plan.band)
    canvas.rect(0.0, plan.base, plan.body, plan.base + 0.09, _CHROME)
    canvas.rect(0.0, plan.top - 0.09, cab.front, plan.top, _CHROME)
    canvas.rect(0.0, plan.base, 0.07, plan.top, _CHROME)
    canvas.rect(cab.back + 0.05, 0.0, cab.front, 0.80, plan.band)
    truck_arch(canvas, plan.front_axle, plan.wheel, cab.skirt)
    truck_cab_side(canvas, cab, plan.paint)
    size = min(0.62, 3.3 / len(plan.name))
    words = [
        (plan.name, plan.body * 0.52, plan.base + 1.56, size, ink),
        ("MOVING & STORAGE", plan.body * 0.52, plan.base + 0.98, 0.22, ink),
        ("LOCAL - LONG DISTANCE", plan.body * 0.5, plan.base + 0.34, 0.2, _WHITE),
    ]
    return truck_sides(canvas, words)


def _face(plan: _Plan) -> NDArray[np.uint8]:
    """The front: the cab, the box over it with the name."""
    canvas = Canvas.blank(2 * plan.half, plan.top, _PX_PER_M, plan.paint)
    canvas.rect(0.0, 0.0, 2 * plan.half, 0.72, plan.band)
    canvas.rect(0.0, plan.top - 0.09, 2 * plan.half, plan.top, _CHROME)
    size = min(0.32, 1.9 / len(plan.name))
    canvas.text(plan.name, plan.half, plan.eaves + 0.55, size, mix(plan.band, _BLACK, 0.1), weight=0.2)
    truck_cab_face(canvas, plan.cab, plan.half, _CHROME)
    return canvas.picture


def _rear(plan: _Plan) -> NDArray[np.uint8]:
    """The back: a roller door in an aluminium frame, lamps below it."""
    wide, mid = 2 * plan.half, plan.half
    canvas = Canvas.blank(wide, plan.top, _PX_PER_M, _CHROME)
    low, high = plan.base + 0.20, plan.top - 0.22
    canvas.rect(0.10, low - 0.02, wide - 0.10, high + 0.02, _STEEL)
    canvas.rect(0.12, low, wide - 0.12, high, plan.paint)
    slats = 7
    for k in range(1, slats):
        y = low + (high - low) * k / slats
        canvas.rect(0.12, y - 0.015, wide - 0.12, y + 0.015, (0.60, 0.60, 0.60))
    canvas.rect(0.12, low, wide - 0.12, low + 0.12, _STEEL)
    canvas.rect(mid - 0.10, low + 0.02, mid + 0.10, low + 0.28, _BLACK)
    canvas.text(plan.name, mid, low + 0.62 * (high - low), min(0.3, 2.0 / len(plan.name)), plan.band, weight=0.2)
    for side in (-1, 1):
        x = mid + side * (plan.half - 0.22)
        canvas.rect(x - 0.16, plan.base + 0.03, x + 0.16, plan.base + 0.16, _LAMP_RED)
    return canvas.picture


def _cargo(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The cargo box, its part over the cab, the frame and the bumper behind."""
    half, end, top = plan.half, plan.body, plan.top
    parts = truck_shell([(plan.base, half, 0.0, end), (top, half, 0.0, end)], skins, plan.frame, cut=0.03)
    over = [
        (plan.eaves, half - 0.015, end - 0.1, plan.nose - 0.10),
        (plan.eaves + 0.14, half - 0.015, end - 0.1, plan.nose),
        (top - 0.12, half - 0.015, end - 0.1, plan.nose - 0.12),
        (top - 0.015, half - 0.04, end - 0.1, plan.nose - 0.24),
    ]
    parts += truck_shell(over, skins, plan.frame, cut=0.12)
    parts += truck_chassis(0.55, 0.1, plan.cab.front - 0.2, 0.40, plan.base + 0.02)
    step = {"": plain(_STEEL), "-y": plain(_BLACK)}
    parts += box((-half + 0.1, 0.44, -0.22), (half - 0.1, 0.58, -0.02), step)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (half - 0.35), side * (half - 0.5)))
        parts += box((x0, 0.52, -0.12), (x1, plan.base + 0.01, 0.02), plain(_BLACK))
    return parts


def _cab(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The cab with bumper and mirrors."""
    cab = plan.cab
    parts = truck_shell(cab.levels(), {**skins, "-z": plain(plan.paint)}, plan.frame, cut=0.07)
    bumper = {"": plain(_CHROME), "-y": plain(_BLACK)}
    parts += box((-cab.half, 0.40, cab.front - 0.2), (cab.half, 0.66, cab.front + 0.14), bumper, bevel=0.04)
    return parts + truck_mirrors(cab.half + 0.06, cab.cowl + 0.18, cab.foot - 0.32, 0.44)


def _lamps(plan: _Plan) -> list[Part]:
    """Marker lamps along the upper edge before and behind."""
    parts: list[Part] = []
    for x in (-0.8, -0.15, 0.0, 0.15, 0.8):
        x *= plan.half
        y = plan.top - 0.11
        parts += truck_lamp((x - 0.05, y - 0.05, -0.03), (x + 0.05, y + 0.03, 0.02), _LAMP_RED)
        z = plan.nose - 0.13
        parts += truck_lamp((x - 0.05, y - 0.08, z - 0.05), (x + 0.05, y, z + 0.04), _AMBER)
    return parts
