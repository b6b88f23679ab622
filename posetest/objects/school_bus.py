"""A North American school bus with a bonnet: yellow, black rub rails, a row of sash windows, lettering and a stop arm.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the bus looks towards +z.
"""

from __future__ import annotations

import numpy as np

from posetest.objects import school_bus_paint
from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Array, Canvas, mix
from posetest.objects.parts import (
    Part,
    Skin,
    box,
    box_mapped,
    circle,
    extruded,
    lathe,
    loft,
    mirrored,
    moved,
    plain,
    tube,
    turned,
)
from posetest.objects.school_bus_paint import AMBER, BLACK, CHROME, RED, Plan
from posetest.objects.vehicles import axle_wheels

LABELS = ("school bus",)

_DISTRICTS = ("UNIFIED SCHOOL DISTRICT", "COUNTY SCHOOLS", "CITY SCHOOL DISTRICT", "COMMUNITY SCHOOLS")


def build(seed: int = 0) -> BuiltObject:
    """A school bus; seed 0 is the bundled one, others vary length, proportions, shade, roof and lettering."""
    vary = Variation(seed)
    yellow = vary.color((0.96, 0.68, 0.06), 0.03)
    plan = Plan(
        yellow=yellow,
        roof=vary.pick(yellow, (yellow, (0.93, 0.93, 0.90))),
        windows=vary.integer(6, 5, 9),
        pitch=vary.number(0.72, 0.66, 0.78),
        half=vary.number(1.20, 1.12, 1.24),
        skirt=0.48,
        sill=vary.number(1.70, 1.62, 1.76),
        eaves=vary.number(2.40, 2.32, 2.46),
        top=vary.number(3.02, 2.92, 3.12),
        bonnet=vary.number(1.55, 1.25, 1.8),
        wheel=vary.number(0.50, 0.47, 0.54),
        district=vary.pick(_DISTRICTS[0], _DISTRICTS[1:]),
        number=str(vary.integer(27, 1, 99)),
    )
    parts = _body(plan) + _bonnet(plan, vary) + _trim(plan)
    for z, wide in ((plan.front_axle, 0.30), (plan.rear_axle, 0.42)):
        parts += axle_wheels(
            plan.half + 0.02,
            z,
            plan.wheel,
            wide,
            vary.pick((0.75, 0.75, 0.74), ((0.9, 0.66, 0.1), BLACK, (0.92, 0.92, 0.92))),
        )
    parts += _mirrors(plan) + _stop_arm(plan)
    return BuiltObject(assemble("school_bus", parts), LABELS)


def _outline(plan: Plan, inset: float = 0.0) -> Array:
    """The cross-section of the body, float64 [n, 2], counter-clockwise seen from the front."""
    turn = np.linspace(0.0, np.pi / 2, 9)
    half, rise = plan.half - inset, plan.top - plan.eaves - inset
    x = half * np.cos(turn) ** 0.72
    y = plan.eaves + rise * np.sin(turn) ** 0.95
    right = np.concatenate([[(half, plan.skirt + inset), (half, plan.sill - 0.2)], np.stack([x, y], axis=1)])
    left = right[-2::-1] * np.array([-1.0, 1.0])
    outline: Array = np.round(np.concatenate([right, left]), 7)
    return outline


def _body(plan: Plan) -> list[Part]:
    """The passenger body with its painted sides, front and back."""
    rings = []
    slant = 0.28
    for z, inset in ((plan.back, 0.06), (plan.back + 0.07, 0.0), (plan.front - 0.05, 0.0), (plan.front, 0.04)):
        flat = _outline(plan, inset)
        lean = np.clip(flat[:, 1] - 1.55, 0.0, None) / (plan.top - 1.55) * slant if z > plan.front - 0.1 else 0.0
        rings.append(np.column_stack([flat, np.full(len(flat), z) - lean]))
    body = loft(np.stack(rings), plain(plan.yellow), crease_deg=32.0)
    low, high = (-plan.half, plan.skirt, plan.back), (plan.half, plan.top, plan.front)
    skins = {
        "+x": Skin(school_bus_paint.side(plan, door=False)),
        "-x": Skin(school_bus_paint.side(plan, door=True)),
        "+y": Skin(school_bus_paint.roof(plan)),
        "-y": plain(BLACK),
        "+z": Skin(school_bus_paint.face(plan)),
        "-z": Skin(school_bus_paint.rear(plan)),
    }
    return box_mapped(body, skins, low, high)


def _bonnet(plan: Plan, vary: Variation) -> list[Part]:
    """Bonnet with grille and headlamps, front wings, bumper."""
    z0, z1 = plan.front - 0.1, plan.front + plan.bonnet
    turn = np.linspace(0.0, np.pi / 2, 6)
    rings = []
    slope = vary.number(0.22, 0.12, 0.4)
    for share, z, shrink in ((0.0, z0, 0.0), (0.5, (z0 + z1) / 2, 0.0), (0.93, z1 - 0.1, 0.0), (1.0, z1, 0.07)):
        half = 0.92 - 0.12 * share - shrink
        top = 1.66 - slope * share**1.5 - shrink
        x, y = half * np.cos(turn) ** 0.5, top - 0.42 + 0.42 * np.sin(turn) ** 0.8
        right = np.concatenate([[(half, 0.55)], np.stack([x, y], axis=1)])
        flat = np.concatenate([right, right[-2::-1] * np.array([-1.0, 1.0])])
        rings.append(np.column_stack([flat, np.full(len(flat), z)]))
    bonnet = loft(np.round(np.stack(rings), 7), plain(plan.yellow), crease_deg=35.0)
    top = 1.66 - slope
    low, high = (-0.80, 0.55, z0), (0.80, top, z1)
    front = Canvas.blank(1.6, top - 0.55, 64.0, plan.yellow)
    height = top - 0.55
    front.rect(0.36, 0.16, 1.24, height - 0.16, BLACK, radius=0.06)
    for k in range(6):
        y = 0.22 + k * (height - 0.44) / 5
        front.rect(0.40, y - 0.02, 1.20, y + 0.025, CHROME)
    skins = {"": plain(plan.yellow), "+z": Skin(front.picture), "-y": plain(BLACK)}
    parts = box_mapped(bonnet, skins, low, high)
    parts += _wings(plan, z1)
    parts += box((-1.18, 0.42, z1 + 0.02), (1.18, 0.72, z1 + 0.20), plain(BLACK), bevel=0.05)
    return parts


def _wings(plan: Plan, z1: float) -> list[Part]:
    """The arches over the front wheels with the headlamps at their front ends."""
    r, axle = plan.wheel, plan.front_axle
    outer_front = z1 - axle
    back = axle - (plan.front - 0.05)
    turn = np.radians(np.linspace(0, 180, 15))
    inner = [(-(r + 0.10) * np.cos(a), r + (r + 0.10) * np.sin(a)) for a in turn]
    outer = []
    for a in turn:
        c, s = np.cos(a), np.sin(a)
        reach = outer_front if c < 0 else back
        outer.append((-np.sign(c) * min(abs(c) * 1.25, 1.0) * max(reach, r + 0.12), r + 0.66 * s**0.5))
    outer[0], outer[-1] = (-max(back, r + 0.12), 0.50), (max(outer_front, r + 0.12), 0.50)
    inner[0], inner[-1] = (-(r + 0.10), 0.50), (r + 0.10, 0.50)
    outline = inner + outer[::-1]
    parts = []
    for x0, x1 in ((0.62, 1.14), (-1.14, -0.62)):
        # The outline lies in (z, y): what is extruded along +z has to run along -x.
        arch = extruded(outline, 0.0, x1 - x0, plain(plan.yellow), crease_deg=40.0)
        verts = np.stack([x1 - arch.verts[:, 2], arch.verts[:, 1], arch.verts[:, 0] + axle], axis=1)
        parts.append(
            Part(
                verts,
                arch.faces,
                np.stack([-arch.normals[..., 2], arch.normals[..., 1], arch.normals[..., 0]], -1),
                arch.uv,
                arch.skin,
            )
        )
    for side in (-1, 1):
        lamp = Canvas.blank(0.4, 0.3, 100.0, CHROME)
        lamp.disc(0.16, 0.15, 0.13, BLACK)
        lamp.glow(0.16, 0.15, 0.115, (1.0, 1.0, 0.97), (0.78, 0.82, 0.86))
        lamp.rect(0.31, 0.06, 0.38, 0.24, AMBER, radius=0.02)
        picture = lamp.picture if side > 0 else lamp.picture[:, ::-1]
        skins = {"": plain(plan.yellow), "+z": Skin(np.ascontiguousarray(picture))}
        x0, x1 = (0.68, 1.10) if side > 0 else (-1.10, -0.68)
        parts += box((x0, 0.78, z1 - 0.25), (x1, 1.12, z1 + 0.03), skins, bevel=0.03)
    return parts


def _trim(plan: Plan) -> list[Part]:
    """Rub rails, rear bumper, roof hatch."""
    black = plain(BLACK)
    parts: list[Part] = []
    start, end = plan.back + 0.05, plan.front - 0.1
    before_wheel, after_wheel = plan.rear_axle - plan.wheel - 0.12, plan.rear_axle + plan.wheel + 0.12
    for side in (-1, 1):
        inner, outer = sorted((side * plan.half, side * (plan.half + 0.03)))
        door = plan.front - 1.15 if side < 0 else end  # the lowest rail ends at the door
        rails = [(plan.sill - 0.10, start, end), (1.28, start, end)]
        rails += [(0.98, start, before_wheel), (0.98, after_wheel, door)]
        for y, z0, z1 in rails:
            parts += box((inner, y - 0.04, z0), (outer, y + 0.04, z1), black)
    parts += box(
        (-plan.half - 0.02, 0.46, plan.back - 0.16), (plan.half + 0.02, 0.76, plan.back + 0.05), black, bevel=0.04
    )
    middle = (plan.back + plan.front) / 2
    parts += box(
        (-0.35, plan.top - 0.05, middle - 0.35),
        (0.35, plan.top + 0.06, middle + 0.35),
        plain(mix(plan.roof, BLACK, 0.12)),
        bevel=0.03,
    )
    return parts


def _mirrors(plan: Plan) -> list[Part]:
    """Mirrors beside the windscreen and on the wings."""
    black, parts = plain(BLACK), []
    z = plan.front - 0.15
    head = box(
        (plan.half + 0.14, 1.72, z + 0.22),
        (plan.half + 0.40, 2.16, z + 0.30),
        {"": black, "-z": plain((0.62, 0.68, 0.74))},
        bevel=0.03,
    )
    arm = tube(
        [(plan.half - 0.05, 2.25, z), (plan.half + 0.12, 2.25, z + 0.12), (plan.half + 0.26, 2.10, z + 0.25)],
        0.022,
        black,
        sides=6,
    )
    lower = tube(
        [(plan.half - 0.05, 1.66, z), (plan.half + 0.12, 1.66, z + 0.12), (plan.half + 0.26, 1.78, z + 0.25)],
        0.022,
        black,
        sides=6,
    )
    tip = plan.front + plan.bonnet - 0.15
    ball = [(0.0, -0.14), (0.08, -0.12), (0.13, -0.05), (0.13, 0.05), (0.08, 0.12), (0.0, 0.14)]
    cross = moved(lathe(ball, black, segments=12), (1.12, 1.62, tip + 0.28))
    stalk = tube([(0.95, 1.10, tip), (1.02, 1.38, tip + 0.12), (1.12, 1.55, tip + 0.28)], 0.02, black, sides=6)
    for part in [*head, arm, lower, cross, stalk]:
        parts += [part, mirrored(part)]
    return parts


def _stop_arm(plan: Plan) -> list[Part]:
    """The folded stop sign on the driver's side."""
    canvas = Canvas.blank(0.5, 0.5, 110.0, (0.95, 0.95, 0.95))
    eight = circle(8, start_deg=22.5)
    canvas.polygon([(0.25 + 0.25 * x, 0.25 + 0.25 * y) for x, y in eight], RED)
    canvas.text("STOP", 0.25, 0.25, 0.15, (1.0, 1.0, 1.0), weight=0.18)
    board = extruded([(0.26 * x, 0.26 * y) for x, y in eight], -0.015, 0.015, plain(RED))
    skin = Skin(canvas.picture)
    mapped = box_mapped(
        board, {"": plain((0.9, 0.9, 0.9)), "+z": skin, "-z": skin}, (-0.26, -0.26, -0.1), (0.26, 0.26, 0.1)
    )
    return [moved(turned(p, "y", 90), (plan.half + 0.07, plan.sill - 0.42, plan.front - 0.62)) for p in mapped]
