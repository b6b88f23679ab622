"""A golf cart: open sides, a flat roof on four thin posts, a bench for two, small wheels and two golf bags behind.

Lengths are metres. The tyres stand on y = 0, the body's back is at z = 0, the cart looks towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.cars import car_cabin, car_shell, car_stations
from posetest.objects.paint import Canvas, Color, mix
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
from posetest.objects.vehicles import axle_wheels

LABELS = ("golfcart, golf cart",)

_BLACK: Color = (0.07, 0.07, 0.08)
_GREY: Color = (0.24, 0.24, 0.25)
_STEEL: Color = (0.74, 0.75, 0.77)
_RED: Color = (0.75, 0.08, 0.08)
_BODIES = ((0.94, 0.94, 0.92), (0.10, 0.30, 0.20), (0.90, 0.86, 0.74), (0.12, 0.20, 0.42))
_SEATS = ((0.76, 0.68, 0.54), (0.88, 0.86, 0.80), (0.20, 0.20, 0.21), (0.55, 0.50, 0.44))
_BAGS = ((0.62, 0.10, 0.12), (0.12, 0.22, 0.48), (0.14, 0.14, 0.15), (0.12, 0.34, 0.22), (0.85, 0.84, 0.80))
_PX_PER_M = 120.0


@dataclass(frozen=True)
class _Plan:
    """The measures and colours that the parts of one cart share."""

    body: Color
    roof: Color
    seat: Color
    length: float
    half: float  # half the width of the body
    top: float
    wheel: float  # radius
    number: str

    @property
    def dash(self) -> float:
        """z of the dashboard, where the foot well ends."""
        return self.length - 0.68

    @property
    def bench(self) -> float:
        """z of the front edge of the seat."""
        return self.length - 1.28


def build(seed: int = 0) -> BuiltObject:
    """A golf cart; seed 0 is the bundled one, others vary length, height, colours, bags and number."""
    vary = Variation(seed)
    plan = _Plan(
        body=vary.pick(_BODIES[0], (_BODIES[0], *_BODIES[1:])),
        roof=vary.pick(_BODIES[0], (_BODIES[2],)),
        seat=vary.pick(_SEATS[0], _SEATS[1:]),
        length=vary.number(2.35, 2.25, 2.45),
        half=vary.number(0.60, 0.57, 0.63),
        top=vary.number(1.82, 1.76, 1.88),
        wheel=vary.number(0.225, 0.21, 0.24),
        number=str(vary.integer(18, 1, 72)),
    )
    parts = _body(plan) + _bench(plan) + _roof(plan) + _controls(plan)
    hub = vary.pick((0.90, 0.90, 0.89), ((0.72, 0.73, 0.75), (0.85, 0.85, 0.84)))
    for z in (0.42, plan.length - 0.36):
        parts += axle_wheels(plan.half, z, plan.wheel, 0.20, hub, segments=18)
    first = vary.integer(0, 0, len(_BAGS) - 1)
    second = (first + vary.integer(1, 1, len(_BAGS) - 1)) % len(_BAGS)
    for x, index in ((-0.24, first), (0.24, second)):
        parts += _bag(vary, (x, 0.40, -0.04), _BAGS[index])
    return BuiltObject(assemble("golf_cart", parts), LABELS)


def _body(plan: _Plan) -> list[Part]:
    """Cowl, foot well and the box below the bench in one shell; bumper, lamps, shelf for the bags."""
    end, dash, bench, half = plan.length, plan.dash, plan.bench, plan.half
    profile = [
        (0.00, 0.40, 0.56),
        (0.04, 0.34, 0.66),
        (0.10, 0.30, 0.69),
        (bench - 0.02, 0.20, 0.67),
        (bench, 0.20, 0.64),
        (bench + 0.03, 0.20, 0.31),
        (dash - 0.10, 0.20, 0.31),
        (dash - 0.02, 0.20, 0.44),
        (dash, 0.20, 0.90),
        (dash + 0.08, 0.20, 0.95),
        (dash + 0.30, 0.20, 0.88),
        (end - 0.12, 0.24, 0.76),
        (end - 0.03, 0.28, 0.66),
        (end, 0.34, 0.52),
    ]
    stations = car_stations(profile, (0.42, end - 0.36), plan.wheel, plan.wheel + 0.055)
    shell = car_shell(stations, half, shoulder=0.07, nose=0.16, tail=0.04)
    nose = Skin(_front(plan))
    skins = {
        "+x": Skin(_side(plan, is_right=False)),
        "-x": Skin(_side(plan, is_right=True)),
        "+y": Skin(_above(plan)),
        "-y": plain(_BLACK),
        "+z": nose,
        "-z": plain(plan.body),
    }
    parts: list[Part] = []
    for part in box_mapped(shell, skins, (-half, 0.20, 0.0), (half, 0.95, end)):
        behind = part.verts[part.faces][..., 2].max(axis=1) < dash
        if part.skin is nose and behind.any():  # below the bench, which looks to the front too
            parts += [_faces(part, ~behind, nose), _faces(part, behind, plain(plan.body))]
        else:
            parts.append(part)
    wide = half - 0.21
    parts += box((-wide, 0.18, 0.12), (wide, 0.28, end - 0.12), plain(_BLACK))
    parts += box((-half + 0.06, 0.27, end - 0.14), (half - 0.06, 0.40, end + 0.05), plain(_BLACK), bevel=0.03)
    parts += box((-half + 0.10, 0.34, -0.26), (half - 0.10, 0.40, 0.06), plain(_GREY))
    for x in (-half + 0.06, half - 0.18):
        parts += box((x, 0.50, -0.025), (x + 0.12, 0.58, 0.06), plain(_RED))
    return parts


def _faces(part: Part, chosen: NDArray[np.bool_], skin: Skin) -> Part:
    """Some faces of a part, with another skin."""
    return replace(part, faces=part.faces[chosen], normals=part.normals[chosen], uv=part.uv[chosen], skin=skin)


def _side(plan: _Plan, *, is_right: bool) -> NDArray[np.uint8]:
    """A side of the shell seen from outside; the front is at the left on the left side (+x)."""
    canvas = Canvas.blank(plan.length, 0.75, _PX_PER_M, plan.body)

    def at(z: float) -> float:
        return z if is_right else plan.length - z

    x0, x1 = sorted((at(plan.bench + 0.02), at(plan.dash - 0.08)))
    canvas.rect(0.0, 0.0, plan.length, 0.055, _BLACK)
    canvas.rect(x0 - 0.4, 0.0, x1 + 0.06, 0.10, _BLACK)
    canvas.line([(at(0.06), 0.42), (at(plan.bench - 0.02), 0.40)], 0.014, mix(plan.body, _BLACK, 0.4))
    middle = at(plan.length - 0.36)
    ink = _BLACK if sum(plan.body) > 1.5 else _BODIES[0]
    canvas.text(plan.number, middle, 0.44, 0.13, ink, weight=0.2)
    return canvas.picture


def _above(plan: _Plan) -> NDArray[np.uint8]:
    """The shell from above, the front below: a black mat in the foot well."""
    canvas = Canvas.blank(2 * plan.half, plan.length, _PX_PER_M / 2, plan.body)
    y0, y1 = plan.length - plan.dash, plan.length - plan.bench
    canvas.rect(0.04, y0 + 0.01, 2 * plan.half - 0.04, y1 - 0.02, _BLACK)
    return canvas.picture


def _front(plan: _Plan) -> NDArray[np.uint8]:
    """The nose: headlamps, a badge."""
    width = 2 * plan.half
    canvas = Canvas.blank(width, 0.75, _PX_PER_M, plan.body)
    for s in (-1, 1):
        x0, x1 = sorted((plan.half + s * 0.22, plan.half + s * 0.46))
        canvas.rect(x0 - 0.015, 0.295, x1 + 0.015, 0.415, _BLACK, radius=0.04)
        canvas.rect(x0, 0.31, x1, 0.40, (0.95, 0.96, 0.97), radius=0.03)
    canvas.rect(plan.half - 0.16, 0.22, plan.half + 0.16, 0.27, _BLACK, radius=0.02)
    canvas.disc(plan.half, 0.40, 0.05, mix(plan.body, _BLACK, 0.8))
    canvas.disc(plan.half, 0.40, 0.036, _STEEL)
    return canvas.picture


def _bench(plan: _Plan) -> list[Part]:
    """Cushions and backs for two, with arm rests of black tube."""
    seat, black = plain(plan.seat), plain(_BLACK)
    front, x1 = plan.bench, plan.half - 0.06
    back = front - 0.52
    parts = box((-x1, 0.66, back), (x1, 0.72, front), black)
    for x in (-x1, 0.01):
        parts += box((x, 0.71, back + 0.04), (x + x1 - 0.01, 0.83, front + 0.02), seat, bevel=0.04)
        rest = box((x, 0.0, -0.06), (x + x1 - 0.01, 0.40, 0.05), seat, bevel=0.04)
        parts += [moved(turned(p, "x", -12), (0.0, 0.86, back + 0.02)) for p in rest]
    for x in (-0.3, 0.3):
        parts.append(
            tube([(x, 0.66, back - 0.02), (x, 0.85, back - 0.06), (x, 1.05, back - 0.10)], 0.02, black, sides=6)
        )
    x = x1 + 0.005
    rail = [(x, 0.72, front - 0.10), (x, 0.93, front - 0.13), (x, 0.97, front - 0.20), (x, 0.97, back)]
    arm = tube(rail, 0.02, black, sides=6, up=(1, 0, 0))
    return [*parts, arm, mirrored(arm)]


def _roof(plan: _Plan) -> list[Part]:
    """The roof, its four posts and the bars that tie them."""
    half, top = plan.half, plan.top
    back, front = -0.08, plan.dash + 0.06
    roof = plain(plan.roof)
    levels = [
        (top - 0.09, back + 0.02, front - 0.02, half * 0.97),
        (top - 0.06, back, front, half),
        (top - 0.02, back + 0.03, front - 0.03, half * 0.95),
        (top, back + 0.18, front - 0.18, half * 0.75),
    ]
    parts = car_cabin(levels, {"": roof, "-y": plain(mix(plan.roof, _BLACK, 0.25))})
    black, x = plain(_BLACK), half - 0.07
    foot, head = (x, 0.86, plan.dash + 0.10), (x, top - 0.07, front - 0.16)
    rear_foot, rear_head = (x, 0.60, 0.20), (x, top - 0.07, 0.06)
    for a, b in ((foot, head), (rear_foot, rear_head)):
        post = tube([a, b], 0.022, black, sides=8)
        parts += [post, mirrored(post)]
    bars: tuple[Vector, ...] = ((x, 1.30, 0.125), (x, 0.96, plan.dash + 0.08))
    for _, y, z in bars:
        parts.append(tube([(-x, y, z), (x, y, z)], 0.018, black, sides=6))
    return parts


def _controls(plan: _Plan) -> list[Part]:
    """Dashboard, steering wheel on the left (+x), pedals."""
    black = plain(_BLACK)
    z = plan.dash
    parts = box((-plan.half + 0.08, 0.66, z - 0.06), (plan.half - 0.08, 0.90, z + 0.06), plain(_GREY))
    rim = circle(18)
    ring = circle(5)[::-1]
    rings = np.array([[((0.16 + 0.016 * c) * a, 0.016 * s, -(0.16 + 0.016 * c) * b) for c, s in ring] for a, b in rim])
    wheel = loft(rings, black, caps=False, crease_deg=60.0, closed_path=True)
    spokes = box((-0.15, -0.012, -0.02), (0.15, 0.012, 0.02), black)
    spokes += box((-0.018, -0.013, -0.15), (0.018, 0.011, 0.0), black)
    at = (0.27, 1.00, z - 0.20)
    parts += [moved(turned(p, "x", -40), at) for p in (wheel, *spokes)]
    parts.append(tube([(0.27, 1.00, z - 0.20), (0.27, 0.82, z - 0.03)], 0.022, black, sides=6))
    for x in (0.17, 0.32):
        parts += box((x, 0.36, z - 0.16), (x + 0.08, 0.44, z - 0.11), black)
    return parts


def _bag(vary: Variation, foot: Vector, color: Color) -> list[Part]:
    """A golf bag leaning back a little, with pockets, a rim and the heads of its clubs."""
    dark, trim, steel = plain(mix(color, _BLACK, 0.45)), plain(_BLACK), plain(_STEEL)
    profile = [(0.0, 0.0), (0.13, 0.0), (0.13, 0.06), (0.115, 0.09), (0.115, 0.74), (0.145, 0.77), (0.145, 0.84)]
    profile += [(0.11, 0.85), (0.0, 0.82)]
    lengths = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(np.array(profile), axis=0), axis=1))])
    cloth = Canvas.blank(0.4, float(lengths[-1]), _PX_PER_M, color)
    for first, last in ((0, 2), (5, 8)):  # the foot and the rim with what is inside it
        cloth.rect(0.0, float(lengths[first]), 0.4, float(lengths[last]), _BLACK)
    cloth.rect(0.0, float(lengths[3]) + 0.34, 0.4, float(lengths[3]) + 0.38, _BLACK)
    parts = [lathe(profile, Skin(cloth.picture), segments=14)]
    parts += box((-0.085, 0.12, -0.19), (0.085, 0.38, -0.05), dark, bevel=0.03)
    parts += box((-0.07, 0.48, -0.16), (0.07, 0.68, -0.05), dark, bevel=0.03)
    for k, (c, s) in enumerate(circle(5, start_deg=20)):
        x, z, tall = 0.07 * c, 0.07 * s, vary.number(1.08 + 0.06 * (k % 3), 1.02, 1.22)
        parts.append(tube([(x, 0.75, z), (x * 1.25, tall, z * 1.25)], 0.010, steel, sides=5))
        centre = np.array([x * 1.25, tall, z * 1.25])
        size = np.array([0.035, 0.035, 0.055] if k % 2 else [0.018, 0.045, 0.035])
        low, high = centre - size, centre + size
        parts += box((low[0], low[1], low[2]), (high[0], high[1], high[2]), trim if k % 2 else steel)
    return [moved(turned(part, "x", -8), foot) for part in parts]
