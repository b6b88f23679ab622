"""A motor scooter: step-through frame with leg shield, rounded side panels, bench, one headlamp and small wheels.

Lengths are metres. The tyres stand on y = 0, the rear axle is at z = 0, the scooter looks towards +z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Array, Canvas, Color, mix
from posetest.objects.parts import (
    Part,
    Skin,
    Vector,
    box,
    box_mapped,
    circle,
    lathe,
    loft,
    mirrored,
    moved,
    plain,
    tube,
    turned,
)

LABELS = ("motor scooter, scooter", "moped")

_BLACK: Color = (0.07, 0.07, 0.08)
_CHROME: Color = (0.80, 0.81, 0.83)
_RED: Color = (0.80, 0.07, 0.06)
_AMBER: Color = (0.97, 0.52, 0.06)
_PAINTS = ((0.16, 0.30, 0.55), (0.42, 0.66, 0.62), (0.90, 0.87, 0.78), (0.72, 0.07, 0.08), (0.94, 0.76, 0.20))
_SEATS = ((0.10, 0.10, 0.11), (0.36, 0.20, 0.12), (0.62, 0.48, 0.34))
_PX_PER_M = 200.0


@dataclass(frozen=True)
class _Plan:
    """The measures and colours that the parts of one scooter share."""

    paint: Color
    seat: Color
    base: float  # from the rear to the front axle
    wheel: float  # radius
    grip: float  # height of the handlebar
    belly: float  # half the width over the side panels
    number: str

    @property
    def head(self) -> Vector:
        """Middle of the handlebar."""
        return 0.0, self.grip, self.base - 0.30


def build(seed: int = 0) -> BuiltObject:
    """A motor scooter; seed 0 is the bundled one, others vary proportions, paint, seat and number plate."""
    vary = Variation(seed)
    plan = _Plan(
        paint=vary.pick(_PAINTS[0], _PAINTS[1:]),
        seat=vary.pick(_SEATS[0], _SEATS[1:]),
        base=vary.number(1.22, 1.18, 1.27),
        wheel=vary.number(0.225, 0.21, 0.235),
        grip=vary.number(1.00, 0.97, 1.03),
        belly=vary.number(0.215, 0.20, 0.23),
        number=f"{vary.pick('SC', ('MS', 'RV', 'LX'))} {vary.integer(508, 100, 999)}",
    )
    parts = _wheel(plan, 0.0) + _wheel(plan, plan.base)
    parts += _tail(plan) + _seat(plan) + _shield(plan) + _front(plan) + _handlebar(plan) + _below(plan)
    return BuiltObject(assemble("motor_scooter", parts), LABELS)


def _wheel(plan: _Plan, z: float) -> list[Part]:
    """One wheel, the same from both sides."""
    r, w = plan.wheel, 0.05
    canvas = Canvas.blank(2 * r, 2 * r, _PX_PER_M, (0.10, 0.10, 0.10))
    canvas.disc(r, r, r * 0.60, _CHROME)
    canvas.disc(r, r, r * 0.52, mix(_CHROME, _BLACK, 0.4), hole=r * 0.46)
    for x, y in circle(5, start_deg=18) * r * 0.33:
        canvas.disc(r + x, r + y, r * 0.09, _BLACK)
    canvas.disc(r, r, r * 0.14, mix(_CHROME, _BLACK, 0.5))
    side, tyre = Skin(canvas.picture), plain((0.09, 0.09, 0.095))
    half = [(0.0, w - 0.005), (r * 0.20, w - 0.005), (r * 0.56, w - 0.025), (r * 0.62, w - 0.005), (r * 0.86, w)]
    profile = [(a, -y) for a, y in half] + [(r, -0.02), (r, 0.02)] + half[::-1]
    wheel = turned(lathe(profile, tyre, segments=24), "z", -90)
    mapped = box_mapped(wheel, {"": tyre, "+x": side, "-x": side}, (-w, -r, -r), (w, r, r))
    return [moved(part, (0.0, r, z)) for part in mapped]


def _egg(z: float, bottom: float, top: float, half: float, count: int = 16, power: float = 0.75) -> Array:
    """A ring across z: a rounded rectangle that fills the given height and width, float64 [count, 3]."""
    turn = circle(count, start_deg=-90 + 180 / count)
    shape = np.sign(turn) * np.abs(turn) ** power
    x, y = half * shape[:, 0], (bottom + top) / 2 + (top - bottom) / 2 * shape[:, 1]
    return np.column_stack([x, y, np.full(count, z)])


def _tail(plan: _Plan) -> list[Part]:
    """The body over the rear wheel with its side panels, tail lamp, indicators and number plate."""
    b = plan.belly
    stations = [
        (-0.47, 0.54, 0.60, b * 0.25),
        (-0.43, 0.46, 0.66, b * 0.55),
        (-0.33, 0.36, 0.71, b * 0.82),
        (-0.14, 0.26, 0.74, b),
        (0.08, 0.24, 0.74, b),
        (0.26, 0.25, 0.73, b * 0.92),
        (0.40, 0.25, 0.70, b * 0.76),
        (0.48, 0.26, 0.60, b * 0.66),
        (0.51, 0.27, 0.45, b * 0.55),
    ]
    body = loft(np.stack([_egg(*station) for station in stations]), plain(plan.paint), crease_deg=50.0)
    left, right = _panel(plan, is_right=False), _panel(plan, is_right=True)
    skins = {"": plain(plan.paint), "+x": Skin(left), "-x": Skin(right)}
    parts = box_mapped(body, skins, (-b, 0.24, -0.47), (b, 0.74, 0.51))
    parts += box((-0.06, 0.56, -0.52), (0.06, 0.64, -0.42), plain(_RED), bevel=0.015)
    plate = Canvas.blank(0.20, 0.14, 300.0, (0.95, 0.95, 0.92))
    plate.text(plan.number, 0.10, 0.07, 0.065, _BLACK, weight=0.18, stretch=0.62)
    parts += box((-0.10, 0.36, -0.50), (0.10, 0.50, -0.485), {"": plain(_CHROME), "-z": Skin(plate.picture)})
    parts += box((-0.03, 0.38, -0.487), (0.03, 0.54, -0.38), plain(_BLACK))
    for side in (-1, 1):
        x0, x1 = sorted((side * 0.10, side * 0.17))
        parts += box((x0, 0.57, -0.46), (x1, 0.62, -0.37), plain(_AMBER), bevel=0.012)
    rack = [(0.13, 0.76, -0.28), (0.13, 0.80, -0.40), (0.0, 0.80, -0.54), (-0.13, 0.80, -0.40), (-0.13, 0.76, -0.28)]
    return [*parts, tube(rack, 0.010, plain(_CHROME), sides=6, up=(0, 1, 0))]


def _panel(plan: _Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """A side of the tail seen from outside: seam of the side panel, air slots; the front at the left on side +x."""
    canvas = Canvas.blank(0.98, 0.50, _PX_PER_M, plan.paint)
    dark = mix(plan.paint, _BLACK, 0.6)

    def points(*pairs: tuple[float, float]) -> list[tuple[float, float]]:
        return [(z if is_right else 0.98 - z, y) for z, y in pairs]

    canvas.line(points((0.12, 0.40), (0.30, 0.44), (0.70, 0.43), (0.80, 0.36), (0.80, 0.12), (0.72, 0.06)), 0.010, dark)
    canvas.line(points((0.12, 0.40), (0.14, 0.26), (0.26, 0.10)), 0.010, dark)
    for k in range(5):
        canvas.line(points((0.56 + 0.035 * k, 0.18), (0.60 + 0.035 * k, 0.32)), 0.014, _BLACK)
    canvas.line(points((0.20, 0.33), (0.48, 0.34)), 0.016, _CHROME)
    canvas.polygon(points((0.28, 0.0), (0.66, 0.0), (0.62, 0.05), (0.32, 0.05)), _BLACK)
    return canvas.picture


def _seat(plan: _Plan) -> list[Part]:
    """A bench for two with a pale piping."""
    stations = [
        (-0.36, 0.76, 0.80, 0.09),
        (-0.32, 0.73, 0.85, 0.125),
        (-0.10, 0.72, 0.86, 0.145),
        (0.02, 0.72, 0.84, 0.15),
        (0.28, 0.71, 0.82, 0.13),
        (0.40, 0.70, 0.79, 0.095),
        (0.45, 0.71, 0.75, 0.05),
    ]
    seat = loft(np.stack([_egg(*s, count=12, power=0.6) for s in stations]), plain(plan.seat), crease_deg=55.0)
    return [seat]


def _shield(plan: _Plan) -> list[Part]:
    """Leg shield and floor board, with ribs of rubber."""
    z = plan.base - 0.27
    rings = []
    levels = ((0.25, 0.15, -0.02), (0.34, 0.20, 0.02), (0.50, 0.235, 0.03), (0.68, 0.235, 0.02), (0.84, 0.20, -0.02))
    for y, half, lead in (*levels, (0.92, 0.13, -0.05)):
        front = z + lead
        right = [(0.15, 0.0), (0.6, -0.025), (0.9, -0.07), (1.0, -0.11), (0.97, -0.125), (0.6, -0.065), (0.15, -0.04)]
        ring = [(half * x, y, front + dz) for x, dz in right]
        rings.append(ring + [(-x, a, b) for x, a, b in ring[::-1]])
    shield = loft(np.array(rings), plain(plan.paint), crease_deg=50.0)
    parts = [shield, *box((-0.17, 0.235, 0.38), (0.17, 0.285, z - 0.01), plain(plan.paint), bevel=0.02)]
    for x in (-0.13, -0.065, 0.0, 0.065, 0.13):
        parts += box((x - 0.016, 0.28, 0.46), (x + 0.016, 0.297, z - 0.09), plain(_BLACK))
    box_low, box_high = (-0.13, 0.46, z - 0.14), (0.13, 0.74, z - 0.02)
    parts += box(box_low, box_high, plain(plan.paint), bevel=0.03)
    return parts


def _fender(plan: _Plan) -> Part:
    """The mudguard over the front wheel: an arch of closed cross-sections."""
    rings = []
    for k, angle in enumerate(np.radians(np.linspace(-5, 172, 15))):
        half = 0.088 * min(1.0, 0.55 + 0.15 * min(k, 14 - k))
        outer, inner = plan.wheel + 0.055, plan.wheel + 0.02
        section = [(half, inner - 0.05), (half, inner + 0.01), (half * 0.6, outer), (-half * 0.6, outer)]
        section += [(-half, inner + 0.01), (-half, inner - 0.05), (-half + 0.012, inner - 0.05)]
        section += [(-half * 0.5, outer - 0.02), (half * 0.5, outer - 0.02), (half - 0.012, inner - 0.05)]
        c, s = np.cos(angle), np.sin(angle)
        rings.append([(x, plan.wheel + r * s, plan.base + r * c) for x, r in section])
    # The strips that close the ends run across the arch.
    return loft(np.roll(np.array(rings), -2, axis=1)[:, ::-1], plain(plan.paint), crease_deg=50.0)


def _front(plan: _Plan) -> list[Part]:
    """Fork, mudguard, steering column with its horn cover, front indicators."""
    steel, (_, y, z) = plain(mix(_CHROME, _BLACK, 0.3)), plan.head
    top = (0.0, plan.wheel + 0.24, plan.base - 0.07)
    parts = [_fender(plan), tube([top, (0.0, y - 0.06, z)], 0.030, plain(plan.paint), sides=10)]
    leg = tube([(0.068, plan.wheel, plan.base), (0.068, plan.wheel + 0.16, plan.base - 0.05)], 0.018, steel, sides=8)
    hub = turned(lathe([(0.0, 0.045), (0.035, 0.045), (0.035, 0.09), (0.0, 0.09)], steel, segments=12), "z", -90)
    hub = moved(hub, (0.0, plan.wheel, plan.base))
    for part in (leg, hub):
        parts += [part, mirrored(part)]
    horn = [(0.50, 0.02, 0.05), (0.55, 0.055, 0.06), (0.72, 0.06, 0.055), (0.86, 0.04, 0.05), (0.90, 0.02, 0.03)]
    path = [(0.0, h, plan.base - 0.235 - 0.10 * (h - 0.5)) for h, _, _ in horn]
    parts.append(tube(path, [(a, b) for _, a, b in horn], plain(plan.paint), sides=10))
    grille = box((-0.028, 0.60, plan.base - 0.215), (0.028, 0.70, plan.base - 0.178), plain(_BLACK))
    parts += grille
    lamp = box((0.15, 0.70, plan.base - 0.325), (0.20, 0.75, plan.base - 0.265), plain(_AMBER), bevel=0.012)
    return [*parts, *lamp, *(mirrored(p) for p in lamp)]


def _handlebar(plan: _Plan) -> list[Part]:
    """Handlebar with headlamp, dials, grips, levers and mirrors."""
    paint, chrome, black = plain(plan.paint), plain(_CHROME), plain(_BLACK)
    _, y, z = plan.head
    head: Sequence[tuple[float, float, float, float]] = (
        (z - 0.09, y - 0.02, y + 0.05, 0.06),
        (z - 0.06, y - 0.06, y + 0.08, 0.10),
        (z + 0.02, y - 0.09, y + 0.09, 0.11),
        (z + 0.09, y - 0.09, y + 0.08, 0.095),
        (z + 0.10, y - 0.085, y + 0.075, 0.09),
    )
    parts = [loft(np.stack([_egg(*station, power=0.85) for station in head]), paint, crease_deg=50.0)]
    ring = lathe([(0.0, 0.0), (0.088, 0.0), (0.088, 0.02), (0.076, 0.032), (0.0, 0.032)], chrome, segments=20)
    glass = Canvas.blank(0.16, 0.16, _PX_PER_M, (0.93, 0.95, 0.96))
    glass.disc(0.08, 0.08, 0.045, (1.0, 1.0, 1.0))
    for k in range(-2, 3):
        glass.line([(0.08 + 0.025 * k, 0.02), (0.08 + 0.025 * k, 0.14)], 0.005, (0.70, 0.74, 0.78))
    skin = Skin(glass.picture, (0.10, 0.10, 0.09))
    dome = turned(lathe([(0.0, 0.025), (0.074, 0.028), (0.05, 0.05), (0.0, 0.06)], skin, segments=20), "x", 90)
    lens = box_mapped(dome, {"": skin}, (-0.08, -0.08, 0.0), (0.08, 0.08, 0.07))
    parts += [moved(part, (0.0, y - 0.005, z + 0.095)) for part in (turned(ring, "x", 90), *lens)]
    parts += box((-0.06, y + 0.06, z - 0.06), (0.06, y + 0.095, z + 0.02), black, bevel=0.015)
    arm = tube(
        [(0.06, y + 0.01, z - 0.01), (0.20, y + 0.02, z - 0.03)], [(0.032, 0.032), (0.022, 0.022)], paint, sides=8
    )
    grip = tube([(0.19, y + 0.02, z - 0.03), (0.34, y + 0.02, z - 0.075)], 0.020, black, sides=8)
    lever = tube(
        [(0.17, y + 0.02, z + 0.0), (0.22, y + 0.01, z + 0.04), (0.34, y + 0.01, z + 0.0)], 0.008, chrome, sides=5
    )
    stalk = tube(
        [(0.16, y + 0.02, z - 0.02), (0.22, y + 0.14, z - 0.02), (0.27, y + 0.20, z - 0.02)], 0.007, chrome, sides=5
    )
    mirror = lathe([(0.0, -0.012), (0.06, -0.010), (0.062, 0.0), (0.045, 0.018), (0.0, 0.024)], black, segments=14)
    faced = box_mapped(
        turned(mirror, "x", 90), {"": black, "-z": plain((0.66, 0.72, 0.78))}, (-0.1, -0.1, -0.1), (0.1, 0.1, 0.1)
    )
    pieces = [arm, grip, lever, stalk, *(moved(p, (0.30, y + 0.23, z - 0.02)) for p in faced)]
    return [*parts, *pieces, *(mirrored(p) for p in pieces)]


def _below(plan: _Plan) -> list[Part]:
    """Engine, exhaust on the right (-x), centre stand."""
    dark, steel = plain((0.20, 0.20, 0.21)), plain(mix(_CHROME, _BLACK, 0.25))
    parts = box((-0.10, 0.16, -0.12), (-0.055, 0.30, 0.34), dark, bevel=0.015)
    parts += box((0.055, 0.18, -0.06), (0.11, 0.30, 0.20), dark, bevel=0.015)
    pipe = [(-0.15, 0.20, 0.16), (-0.15, 0.20, 0.02), (-0.15, 0.23, -0.30), (-0.15, 0.235, -0.34)]
    parts.append(tube(pipe, [(0.03, 0.03), (0.05, 0.05), (0.05, 0.05), (0.03, 0.03)], steel, sides=10, up=(0, 1, 0)))
    parts.append(tube([(-0.08, 0.22, 0.30), (-0.15, 0.20, 0.14)], 0.018, steel, sides=6, up=(0, 1, 0)))
    leg = tube([(0.06, 0.26, 0.36), (0.13, 0.012, 0.30)], 0.012, plain(_BLACK), sides=6)
    return [*parts, leg, mirrored(leg)]
