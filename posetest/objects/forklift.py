"""A forklift truck: counterweight and gas bottle behind, seat under a barred guard, mast, carriage and two forks.

Lengths are metres. The tyres stand on y = 0, the forks point towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Array, Canvas, Color, mix
from posetest.objects.parts import (
    Part,
    Skin,
    Vector,
    box,
    box_mapped,
    lathe,
    loft,
    mirrored,
    moved,
    plain,
    tube,
    turned,
)
from posetest.objects.prisms import along_x, between
from posetest.objects.vehicles import axle_wheels

LABELS = ("forklift",)

_YELLOW: Color = (0.95, 0.68, 0.05)
_ORANGE: Color = (0.93, 0.42, 0.06)
_BLACK: Color = (0.07, 0.07, 0.08)
_STEEL: Color = (0.40, 0.41, 0.43)
_WHITE: Color = (0.92, 0.92, 0.90)
_RED: Color = (0.80, 0.08, 0.06)
_AMBER: Color = (1.0, 0.55, 0.05)

_BACK, _FRONT = -0.75, 0.82  # z of the body between counterweight and mast
_REAR_AXLE, _FRONT_AXLE = -0.72, 0.55
_REAR_WHEEL, _FRONT_WHEEL = 0.26, 0.34
_MAST = 1.02  # z of the mast's middle


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one truck share."""

    paint: Color
    half: float  # half the width of the body
    tail: float  # z of the back of the counterweight
    guard: float  # height of the overhead guard
    mast: float  # height of the mast
    forks: float  # their length
    lift: float  # height of the forks above the ground
    number: str


def build(seed: int = 0) -> BuiltObject:
    """A forklift; seed 0 is the bundled one, others vary paint, proportions, height of mast and forks, equipment."""
    vary = Variation(seed)
    plan = Plan(
        paint=vary.pick(vary.color(_YELLOW, 0.03), (_YELLOW, _ORANGE, (0.80, 0.10, 0.08))),
        half=vary.number(0.56, 0.52, 0.60),
        tail=vary.number(-1.25, -1.4, -1.15),
        guard=vary.number(2.10, 2.02, 2.18),
        mast=vary.number(2.20, 2.05, 2.45),
        forks=vary.number(1.10, 0.95, 1.20),
        lift=vary.number(0.12, 0.06, 0.4),
        number=vary.pick("25", ("18", "20", "30", "35")),
    )
    hub = vary.pick(_WHITE, (plan.paint, _WHITE))
    parts = axle_wheels(plan.half + 0.06, _FRONT_AXLE, _FRONT_WHEEL, 0.25, hub)
    parts += axle_wheels(plan.half + 0.02, _REAR_AXLE, _REAR_WHEEL, 0.2, hub)
    parts += _body(plan) + _counterweight(plan) + _seat() + _guard(plan) + _mast(plan) + _carriage(plan)
    if vary.chance(True, 0.7):
        parts += _bottle(plan)
    return BuiltObject(assemble("forklift", parts), LABELS)


def _body(plan: Plan) -> list[Part]:
    """Bonnet under the seat, floor and cowl in one, with arches over the wheels, and the chassis between these."""
    stations = np.array([-0.75, -0.6, -0.45, -0.38, -0.3, 0.04, 0.06, 0.13, 0.2, 0.34, 0.48, 0.5, 0.62, 0.76, 0.82])
    below = [(float(z), _underside(float(z))) for z in stations]
    above = np.interp(
        stations, [-0.75, 0.04, 0.06, 0.48, 0.5, 0.62, 0.76, 0.82], [1.0, 0.98, 0.5, 0.5, 0.78, 1.12, 1.12, 0.9]
    )
    body = along_x(between(below, above.tolist()), -plan.half, plan.half, plain(plan.paint))
    low, high = (-plan.half, 0.26, _BACK), (plan.half, 1.12, _FRONT)
    sides = {"+x": _side(plan, front_left=True), "-x": _side(plan, front_left=False)}
    parts = box_mapped(body, {"": plain(plan.paint), **sides}, low, high)
    parts += box((-0.3, 0.2, plan.tail + 0.2), (0.3, 0.45, _FRONT + 0.1), plain(_BLACK))
    floor = box((-plan.half + 0.02, 0.45, 0.08), (plan.half - 0.02, 0.52, 0.46), plain(_BLACK))
    return parts + floor


def _underside(z: float) -> float:
    """Lower edge of the body."""
    low = 0.28
    for axle, wheel in ((_REAR_AXLE, _REAR_WHEEL), (_FRONT_AXLE, _FRONT_WHEEL)):
        rise = (wheel + 0.07) ** 2 - (z - axle) ** 2
        if rise > 0:
            low = max(low, wheel + float(np.sqrt(rise)))
    return round(low, 6)


def _side(plan: Plan, *, front_left: bool) -> Skin:
    """The body's side seen from outside: louvres, number, dark sill."""
    length, height = _FRONT - _BACK, 1.12 - 0.26
    canvas = Canvas.blank(length, height, 110.0, plan.paint)

    def at(z: float) -> float:
        return _FRONT - z if front_left else z - _BACK

    left, right = sorted((at(0.0), at(-0.7)))
    canvas.rect(left, 0.62, right, 0.66, _BLACK)
    canvas.rect(0.0, 0.0, length, 0.07, _BLACK)
    for k in range(5):
        y = 0.40 + 0.04 * k
        canvas.rect(at(-0.11) - 0.09, y, at(-0.11) + 0.09, y + 0.02, _BLACK)
    canvas.text(plan.number, at(-0.345), 0.48, 0.15, _BLACK, weight=0.2)
    return Skin(canvas.picture)


def _counterweight(plan: Plan) -> list[Part]:
    """The casting behind, rounded in plan, with tail lamps and a grille."""
    half, tail, front = plan.half + 0.03, plan.tail, _BACK + 0.27
    rings = []
    for y, inset in ((0.58, 0.0), (0.9, 0.0), (1.0, 0.02), (1.06, 0.08)):
        rings.append(_rounded(half - inset, tail + inset, front, y))
    upper = loft(np.stack(rings).round(7), plain(plan.paint), crease_deg=40.0)
    low = [
        _rounded(half - inset, tail + inset, _REAR_AXLE - 0.31, y)
        for y, inset in ((0.22, 0.05), (0.3, 0.0), (0.57, 0.0), (0.62, 0.02))
    ]
    lower = loft(np.stack(low).round(7), plain(plan.paint), crease_deg=40.0)
    grille = Canvas.blank(0.5, 0.3, 100.0, _BLACK)
    for k in range(4):
        grille.rect(0.02, 0.04 + 0.065 * k, 0.48, 0.065 + 0.065 * k, mix(plan.paint, _BLACK, 0.5))
    skins = {"": plain(_BLACK), "-z": Skin(grille.picture)}
    parts = [upper, lower, *box((-0.25, 0.4, tail - 0.015), (0.25, 0.7, tail + 0.1), skins)]
    lamp = Canvas.blank(0.12, 0.07, 200.0, _BLACK)
    lamp.rect(0.012, 0.012, 0.108, 0.058, _RED)
    skins = {"": plain(_BLACK), "-z": Skin(lamp.picture)}
    for side in (-1, 1):
        x0, x1 = sorted((side * (half - 0.32), side * (half - 0.2)))
        parts += box((x0, 0.86, tail - 0.01), (x1, 0.93, tail + 0.3), skins)
    return parts


def _rounded(half: float, tail: float, front: float, y: float) -> Array:
    """A ring at the height ``y``, square in front, rounded at the back."""
    turn = np.linspace(0.0, np.pi / 2, 6)
    x = half - 0.2 + 0.2 * np.cos(turn)
    z = tail + 0.2 - 0.2 * np.sin(turn)
    right = np.concatenate([[(half, front)], np.stack([x, z], axis=1)])
    left = right[::-1] * np.array([-1.0, 1.0])
    flat = np.concatenate([left, right])
    return np.column_stack([flat[:, 0], np.full(len(flat), y), flat[:, 1]])


def _bottle(plan: Plan) -> list[Part]:
    """The gas bottle that lies across the counterweight in two straps."""
    shape = [
        (0.0, -0.36),
        (0.1, -0.36),
        (0.15, -0.3),
        (0.15, 0.3),
        (0.1, 0.36),
        (0.05, 0.37),
        (0.05, 0.43),
        (0.0, 0.43),
    ]
    place = (0.0, 1.22, plan.tail + 0.36)
    parts = [moved(turned(lathe(shape, plain(_WHITE), segments=20), "z", -90.0), place)]
    for x in (-0.18, 0.18):
        strap = lathe([(0.0, -0.025), (0.16, -0.025), (0.16, 0.025), (0.0, 0.025)], plain(_BLACK), segments=20)
        parts.append(moved(turned(strap, "z", -90.0), (place[0] + x, place[1], place[2])))
    return parts


def _seat() -> list[Part]:
    """Seat, steering wheel on its column, two levers."""
    black = plain((0.12, 0.12, 0.13))
    parts = box((-0.24, 0.97, -0.42), (0.24, 1.12, 0.02), black, bevel=0.04)
    parts += [turned(p, "x", -8.0) for p in box((-0.23, 1.05, -0.58), (0.23, 1.62, -0.45), black, bevel=0.04)]
    ring = [(0.17 + 0.018 * np.cos(a), 0.018 * np.sin(a)) for a in np.radians([0, 60, 120, 180, 240, 300])]
    wheel = [lathe([*ring, ring[0]], black, segments=20)]
    wheel += box((-0.17, -0.012, -0.02), (0.17, 0.012, 0.02), black)
    wheel.append(lathe([(0.0, -0.02), (0.05, -0.02), (0.05, 0.02), (0.0, 0.02)], black, segments=10))
    parts += [moved(turned(p, "x", -35.0), (0.0, 1.32, 0.36)) for p in wheel]
    parts.append(tube([(0.0, 1.0, 0.6), (0.0, 1.32, 0.36)], 0.03, black, sides=8, up=(1, 0, 0)))
    for x in (0.25, 0.33):
        parts.append(tube([(x, 1.05, 0.66), (x, 1.3, 0.52)], 0.012, black, sides=6, up=(1, 0, 0)))
    return parts


def _guard(plan: Plan) -> list[Part]:
    """Four posts and the roof of bars over the driver, with lamps and a beacon."""
    black, top = plain(_BLACK), plan.guard
    x, front, back = plan.half - 0.05, 0.45, -0.62
    parts: list[Part] = []
    for foot, head in (((x, 1.0, 0.74), (x, top, front)), ((x, 0.9, -0.78), (x, top, back))):
        post = tube([foot, head], [(0.035, 0.045)] * 2, black, sides=8)
        parts += [post, mirrored(post)]
    rail: list[Part] = box((x - 0.035, top - 0.03, back - 0.06), (x + 0.035, top + 0.05, front + 0.06), black)
    parts += rail + [mirrored(p) for p in rail]
    for z in np.linspace(back - 0.02, front + 0.02, 8):
        wide = 0.04 if back < z < front else 0.06
        parts += box((-x, top - 0.01, z - wide / 2), (x, top + 0.035, z + wide / 2), black)
    for side in (-1, 1):
        parts += _lamp((side * (x - 0.06), top - 0.1, front + 0.06))
    beacon = [(0.0, 0.0), (0.045, 0.0), (0.045, 0.07), (0.025, 0.09), (0.0, 0.09)]
    parts.append(moved(lathe(beacon, plain(_AMBER, (0.2, 0.1, 0.0)), segments=14), (x - 0.1, top + 0.05, back + 0.05)))
    return parts


def _lamp(place: Vector) -> list[Part]:
    """A round working lamp that shines forwards."""
    face = Canvas.blank(2.0, 2.0, 16.0, _BLACK)
    face.disc(1.0, 1.0, 0.85, (1.0, 1.0, 0.92))
    shape = [(0.0, -0.06), (0.05, -0.06), (0.08, 0.0), (0.08, 0.03), (0.0, 0.03)]
    lamp = turned(lathe(shape, plain(_BLACK), segments=16), "x", 90.0)
    skins = {"": plain(_BLACK), "+z": Skin(face.picture)}
    return [moved(p, place) for p in box_mapped(lamp, skins, (-0.08, -0.08, -0.06), (0.08, 0.08, 0.03))]


def _mast(plan: Plan) -> list[Part]:
    """Two pairs of uprights with cross members, lifting cylinders and chains."""
    black, steel = plain(_BLACK), plain(_STEEL)
    top, z = plan.mast, _MAST
    parts: list[Part] = []
    upright: list[Part] = box((0.32, 0.08, z - 0.09), (0.39, top, z + 0.06), black)
    upright += box((0.26, 0.1, z - 0.05), (0.325, top - 0.06, z + 0.085), plain(mix(_BLACK, _STEEL, 0.5)))
    upright.append(tube([(0.21, 0.3, z - 0.05), (0.21, top - 0.3, z - 0.05)], 0.03, steel, sides=10))
    upright += box((0.08, 0.5, z + 0.03), (0.11, top - 0.2, z + 0.05), steel)
    parts += upright + [mirrored(p) for p in upright]
    for y in (top - 0.12, 0.62 * top, 0.15):
        parts += box((-0.40, y, z - 0.1), (0.39, y + 0.09, z - 0.02), black)
    parts += box((-0.29, top - 0.22, z - 0.02), (0.29, top - 0.10, z + 0.08), black)
    tilt = tube([(0.36, 0.75, 0.7), (0.36, 0.85, z - 0.05)], 0.035, steel, sides=8, up=(0, 1, 0))
    return [*parts, tilt, mirrored(tilt)]


def _carriage(plan: Plan) -> list[Part]:
    """Cross bars, the backrest that keeps the load away from the mast, and the forks."""
    black, steel = plain(_BLACK), plain(_STEEL)
    y, z, half = plan.lift, _MAST + 0.10, 0.50
    parts: list[Part] = []
    for low, tall in ((0.12, 0.1), (0.48, 0.1), (1.14, 0.06)):
        parts += box((-half, y + low, z), (half, y + low + tall, z + 0.05), black)
    for x in (-half + 0.03, -0.29, -0.1, 0.1, 0.29, half - 0.03):
        parts += box((x - 0.02, y + 0.14, z + 0.01), (x + 0.02, y + 1.17, z + 0.04), black)
    for side in (-1, 1):
        x0, x1 = sorted((side * 0.22, side * 0.35))
        shank = z + 0.05
        parts += box((x0, y - 0.01, shank), (x1, y + 0.62, shank + 0.05), steel)
        blade = between([(shank + 0.01, y - 0.02), (shank + plan.forks, y - 0.02)], [y + 0.03, y - 0.005])
        parts.append(along_x(blade, x0 + 0.002, x1 - 0.002, steel))
    return parts
