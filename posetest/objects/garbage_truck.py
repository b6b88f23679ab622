"""A garbage truck that is loaded from behind: cab over the engine, ribbed packer body, open hopper at the back.

Lengths are metres. The tyres stand on y = 0, the body's back is at z = 0, the truck looks towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, Vector, box, moved, plain, tube
from posetest.objects.trucks import (
    truck_arch,
    truck_chassis,
    truck_glass,
    truck_lamp,
    truck_mirrors,
    truck_shell,
    truck_sides,
)
from posetest.objects.vehicles import axle_wheels

LABELS = ("garbage truck, dustcart",)

_BLACK: Color = (0.06, 0.06, 0.07)
_STEEL: Color = (0.50, 0.51, 0.53)
_WHITE: Color = (0.93, 0.93, 0.91)
_GREEN: Color = (0.16, 0.52, 0.22)
_YELLOW: Color = (0.96, 0.80, 0.10)
_LAMP_RED: Color = (0.90, 0.07, 0.05)
_AMBER: Color = (0.98, 0.55, 0.05)
_PX_PER_M = 52.0
_WORDS = ("WASTE", "RECYCLING", "CITY WASTE", "SANITATION")


@dataclass(frozen=True)
class _Plan:
    """The measures and colours that the parts of one garbage truck share."""

    paint: Color  # of the body
    cab_paint: Color
    half: float
    body: float  # length of the packer body
    tail: float  # length of the hopper behind it
    top: float
    roof: float  # y of the cab's roof
    wheel: float
    ribs: int
    word: str

    base: float = 1.02  # y of the body's lower edge
    skirt: float = 0.52  # y of the cab's lower edge

    @property
    def back_of_cab(self) -> float:
        return self.body + 0.28

    @property
    def front(self) -> float:
        return self.back_of_cab + 1.85

    @property
    def front_axle(self) -> float:
        return self.front - 1.05

    @property
    def ink(self) -> Color:
        """What the words on white boards are written in."""
        return _GREEN if self.paint == _WHITE else self.paint

    @property
    def trim(self) -> Color:
        """What stands out on the cab."""
        return mix(self.paint, _BLACK, 0.35) if self.paint == self.cab_paint else self.paint

    @property
    def frame(self) -> tuple[Vector, Vector]:
        """The box that the pictures fill."""
        return (-self.half, 0.0, -self.tail), (self.half, self.top, self.front)


def build(seed: int = 0) -> BuiltObject:
    """A garbage truck; seed 0 is the bundled one, others vary proportions, colours, ribs and lettering."""
    vary = Variation(seed)
    paint = vary.pick(_GREEN, (_GREEN, _WHITE, (0.90, 0.42, 0.06), (0.08, 0.30, 0.55)))
    plan = _Plan(
        paint=paint,
        cab_paint=vary.pick(_WHITE, (_WHITE, paint)),
        half=vary.number(1.24, 1.2, 1.28),
        body=vary.number(3.6, 3.3, 4.2),
        tail=vary.number(1.75, 1.6, 1.9),
        top=vary.number(3.2, 3.1, 3.3),
        roof=vary.number(2.72, 2.6, 2.85),
        wheel=vary.number(0.52, 0.5, 0.55),
        ribs=vary.integer(6, 5, 8),
        word=vary.pick(_WORDS[0], _WORDS[1:]),
    )
    skins = _skins(plan)
    parts = _packer(plan, skins) + _hopper(plan, skins) + _cab(plan, skins)
    hub = vary.pick((0.80, 0.80, 0.80), (plan.paint, (0.55, 0.55, 0.55)))
    for z, wide in ((plan.front_axle, 0.30), (0.42, 0.50), (1.60, 0.50)):
        parts += axle_wheels(plan.half - 0.02, z, plan.wheel, wide, hub)
    return BuiltObject(assemble("garbage_truck", parts), LABELS)


def _skins(plan: _Plan) -> dict[str, Skin]:
    """Pictures for every direction, each filling the plan's frame."""
    sides = _sides(plan)
    return {
        "": plain(plan.paint),
        "+x": sides["+x"],
        "-x": sides["-x"],
        "+z": Skin(_face(plan)),
        "-z": plain(plan.paint),
        "+y": plain(mix(plan.paint, _WHITE, 0.15)),
        "-y": plain(_BLACK),
    }


def _sides(plan: _Plan) -> dict[str, Skin]:
    """Both sides: body with its sign, hopper with a striped edge, cab with door and window."""
    canvas = Canvas.blank(plan.front + plan.tail, plan.top, _PX_PER_M, plan.paint)
    shift = plan.tail  # z = 0 in the picture
    start, end = plan.back_of_cab + shift, plan.front + shift
    dark = mix(plan.paint, _BLACK, 0.35)
    canvas.rect(0.0, 0.0, shift - 0.05, plan.top, mix(plan.paint, _BLACK, 0.12))
    canvas.line([(shift - 0.05, plan.base), (shift - 0.05, plan.top)], 0.06, dark)
    canvas.rect(shift, plan.base, shift + plan.body, plan.base + 0.12, dark)
    canvas.rect(shift, plan.top - 0.12, shift + plan.body, plan.top, dark)
    canvas.rect(start, 0.0, end, plan.top, plan.cab_paint)
    canvas.rect(start, 1.16, end, 1.34, plan.trim)
    truck_arch(canvas, plan.front_axle + shift, plan.wheel, plan.skirt)
    low, high = 1.66, plan.roof - 0.22
    truck_glass(canvas, [(start + 0.62, low), (end - 0.20, low), (end - 0.28, high), (start + 0.62, high)])
    seam = mix(plan.cab_paint, _BLACK, 0.5)
    canvas.line([(start + 0.52, plan.skirt), (start + 0.52, high + 0.08), (end - 0.18, high + 0.08)], 0.025, seam)
    canvas.line([(end - 0.14, plan.skirt), (end - 0.14, low)], 0.025, seam)
    canvas.rect(start + 0.60, 1.44, start + 0.84, 1.51, _BLACK)
    return truck_sides(canvas, [])


def _face(plan: _Plan) -> NDArray[np.uint8]:
    """The front of the cab: one large windscreen, a dark grille, lamps in the bumper."""
    wide, mid = 2 * plan.half, plan.half
    canvas = Canvas.blank(wide, plan.top, _PX_PER_M, plan.cab_paint)
    low, high = 1.55, plan.roof - 0.22
    truck_glass(canvas, [(0.14, low), (wide - 0.14, low), (wide - 0.18, high), (0.18, high)])
    canvas.line([(mid, low), (mid, high)], 0.05, _BLACK)
    for x in (mid - 0.8, mid + 0.2):
        canvas.line([(x, low + 0.05), (x + 0.55, low + 0.22)], 0.035, _BLACK)
    canvas.rect(0.0, 1.16, wide, 1.34, plan.trim)
    canvas.rect(mid - 0.75, 0.86, mid + 0.75, 1.44, _BLACK, radius=0.05)
    for k in range(4):
        canvas.rect(mid - 0.70, 0.94 + 0.12 * k, mid + 0.70, 0.98 + 0.12 * k, _STEEL)
    return canvas.picture


def _packer(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The packer body with its upright ribs and signs, on the frame."""
    half, end, top = plan.half - 0.06, plan.body, plan.top
    levels = [
        (plan.base, half - 0.10, -0.05, end),
        (plan.base + 0.18, half, -0.05, end),
        (top - 0.28, half, -0.05, end),
        (top, half - 0.24, -0.05, end),
    ]
    parts = truck_shell(levels, {**skins, "+z": plain(mix(plan.paint, _BLACK, 0.2))}, plan.frame)
    rib = plain(mix(plan.paint, _BLACK, 0.25))
    step = (end - 0.1) / (plan.ribs - 1)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (half - 0.03), side * (half + 0.055)))
        for k in range(plan.ribs):
            z = k * step
            parts += box((x0, plan.base + 0.10, z), (x1, top - 0.22, z + 0.11), rib)
        parts += box((x0, plan.base + 0.14, 0.0), (x1, plan.base + 0.26, end), rib)
        parts += box((x0, top - 0.34, 0.0), (x1, top - 0.22, end), rib)
    parts += _signs(plan, half)
    parts += truck_chassis(0.5, -0.9, plan.front - 0.2, 0.55, plan.base + 0.02)
    tank = tube(
        [(half - 0.26, 0.78, z) for z in (plan.body - 1.15, plan.body - 0.7, plan.body - 0.2)],
        0.24,
        plain(_STEEL),
        sides=12,
        up=(0, 1, 0),
    )
    parts += [tank, moved(tank, (-2 * half + 0.52, 0.0, 0.0))]
    return parts


def _signs(plan: _Plan, half: float) -> list[Part]:
    """Boards with lettering on both sides of the body."""
    long, tall = plan.body * 0.62, 0.62
    canvas = Canvas.blank(long, tall, _PX_PER_M, _WHITE)
    canvas.text(plan.word, long / 2, tall / 2, min(0.44, 1.1 * long / len(plan.word)), plan.ink, weight=0.2)
    skin, y, z = Skin(canvas.picture), (plan.base + plan.top) / 2 - 0.25, plan.body * 0.5
    parts = []
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * half, side * (half + 0.075)))
        skins = {"": plain(_WHITE), "+x": skin, "-x": skin}
        parts += box((x0, y, z - long / 2), (x1, y + tall, z + long / 2), skins)
    return parts


def _hopper(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The tailgate: slanting above, the dark mouth of the hopper in the middle, a trough with steps below."""
    half, top, tail = plan.half - 0.02, plan.top, plan.tail
    upper = [
        (top - 1.05, half, -tail + 0.10, -0.02),
        (top - 0.90, half, -tail + 0.12, -0.02),
        (top - 0.10, half, -tail + 0.78, -0.02),
        (top + 0.02, half - 0.1, -tail + 0.92, -0.02),
    ]
    back = Canvas.blank(2 * plan.half, plan.top, _PX_PER_M, plan.paint)
    ink = _GREEN if plan.paint == _WHITE else _WHITE
    back.text(plan.word, plan.half, top - 0.50, min(0.3, 2.2 / len(plan.word)), ink, weight=0.2)
    parts = truck_shell(upper, {**skins, "-z": Skin(back.picture), "+z": plain(plan.paint)}, plan.frame)
    low, sill = 0.78, 1.38
    trough = [
        (low, half, -tail + 0.45, -0.02),
        (low + 0.22, half, -tail + 0.08, -0.02),
        (sill, half, -tail, -0.02),
    ]
    parts += truck_shell(trough, {**skins, "+y": plain(_BLACK), "+z": plain(_BLACK)}, plan.frame)
    parts += box((-half + 0.1, sill - 0.05, -0.75), (half - 0.1, top - 1.0, -0.03), plain((0.10, 0.10, 0.11)))
    blade = plain(_STEEL)
    parts += box((-half + 0.1, sill + 0.25, -1.05), (half - 0.1, sill + 0.42, -0.70), blade)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * half, side * (half - 0.12)))
        parts += box((x0, sill - 0.03, -tail + 0.12), (x1, top - 1.02, -0.03), plain(mix(plan.paint, _BLACK, 0.12)))
        a, b = sorted((side * (half - 0.35), side * (half + 0.0)))
        parts += box((a, 0.48, -tail - 0.12), (b, 0.56, -tail + 0.42), blade)
        parts += box((a, 0.52, -tail + 0.34), (b, 0.98, -tail + 0.48), plain(_BLACK))
        x = side * (half - 0.16)
        for y, color in ((1.22, _LAMP_RED), (1.04, _AMBER)):
            parts += truck_lamp((x - 0.12, y - 0.07, -tail - 0.03), (x + 0.12, y + 0.07, -tail + 0.3), color, 0.2)
        parts += truck_lamp((x - 0.1, top - 0.86, -tail + 0.05), (x + 0.1, top - 0.74, -tail + 0.5), _LAMP_RED, 0.2)
    return parts + _warning(half, sill, -tail)


def _warning(half: float, y: float, z: float) -> list[Part]:
    """The striped edge of the trough."""
    canvas = Canvas.blank(2 * half, 0.2, _PX_PER_M, _YELLOW)
    for k in range(9):
        x = 0.28 * k
        canvas.polygon([(x, 0.0), (x + 0.14, 0.0), (x + 0.28, 0.2), (x + 0.14, 0.2)], _BLACK)
    skins = {"": plain(_BLACK), "-z": Skin(canvas.picture)}
    return box((-half, y - 0.14, z - 0.04), (half, y + 0.06, z + 0.08), skins)


def _cab(plan: _Plan, skins: dict[str, Skin]) -> list[Part]:
    """The cab with bumper, lamps, mirrors, beacons and the exhaust behind it."""
    half, back, front = plan.half - 0.02, plan.back_of_cab, plan.front
    levels = [
        (plan.skirt, half, back, front - 0.02),
        (0.80, half, back, front),
        (1.50, half, back, front),
        (plan.roof - 0.16, half - 0.05, back, front - 0.10),
        (plan.roof, half - 0.18, back + 0.08, front - 0.26),
    ]
    roof = {"+y": plain(plan.cab_paint), "-z": plain(mix(plan.cab_paint, _BLACK, 0.2)), "": plain(plan.cab_paint)}
    parts = truck_shell(levels, {**skins, **roof}, plan.frame, cut=0.10)
    front_of_bumper = Canvas.blank(2 * half, 0.36, 60.0, _BLACK)
    for x in (0.32, 2 * half - 0.32):
        front_of_bumper.rect(x - 0.22, 0.07, x + 0.22, 0.29, _STEEL, radius=0.03)
        front_of_bumper.rect(x - 0.19, 0.1, x + 0.19, 0.26, (0.97, 0.98, 1.0), radius=0.03)
    bumper = {"": plain(_BLACK), "+z": Skin(front_of_bumper.picture)}
    parts += box((-half, 0.44, front - 0.3), (half, 0.80, front + 0.14), bumper, bevel=0.04)
    parts += truck_mirrors(half, 1.95, front - 0.10, 0.55)
    for x in (-0.7, 0.7):
        z = front - 0.55
        parts += truck_lamp((x - 0.11, plan.roof - 0.02, z - 0.11), (x + 0.11, plan.roof + 0.18, z + 0.11), _AMBER)
    stack = [(half - 0.2, y, back - 0.14) for y in (1.1, 2.2, plan.top + 0.15)]
    return [*parts, tube(stack, 0.08, plain(_STEEL), sides=10)]
