"""A North American fire engine: red, a crew cab with light bar, pump panel, roller shutters, an aerial ladder on top.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the engine looks towards +z.
"""

from __future__ import annotations

import numpy as np

from posetest.objects import fire_engine_paint
from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.fire_engine_paint import AMBER, BLACK, CHROME, LAMP_RED, STEEL, WHITE, Plan
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, Vector, box, lathe, mirrored, moved, plain, tube, turned
from posetest.objects.trucks import truck_chassis, truck_lamp, truck_mirrors, truck_shell
from posetest.objects.vehicles import axle_wheels

LABELS = ("fire engine, fire truck",)

_TOWNS = ("ENGINE", "TRUCK", "LADDER", "RESCUE", "COUNTY")
_BLUE: Color = (0.15, 0.30, 0.95)


def build(seed: int = 0) -> BuiltObject:
    """A fire engine; seed 0 is the bundled one, others vary proportions, shade, cab roof, ladder and lettering."""
    vary = Variation(seed)
    red = vary.color((0.72, 0.04, 0.04), 0.03)
    plan = Plan(
        red=red,
        upper=vary.pick(red, (WHITE, red, BLACK)),
        half=vary.number(1.25, 1.2, 1.3),
        body=vary.number(4.3, 4.0, 5.0),
        cab=vary.number(2.2, 2.25, 2.8),
        deck=vary.number(2.52, 2.4, 2.6),
        roof=vary.number(2.78, 2.7, 2.9),
        wheel=vary.number(0.54, 0.51, 0.57),
        shutters=vary.integer(2, 1, 3),
        town=vary.pick(_TOWNS[0], _TOWNS[1:]),
        number=str(vary.integer(7, 1, 99)),
    )
    skins = fire_engine_paint.skins(plan)
    parts = _body(plan, skins) + _cab(plan, skins) + _bumper(plan)
    hub = vary.pick(CHROME, ((0.9, 0.9, 0.9), plan.red))
    for z, wide in ((plan.front_axle, 0.32), (plan.rear_axle, 0.50)):
        parts += axle_wheels(plan.half + 0.02, z, plan.wheel, wide, hub)
    parts += _light_bar(plan, vary.chance(True, 0.6)) + _rear_details(plan)
    parts += _ladder(plan, vary)
    return BuiltObject(assemble("fire_engine", parts), LABELS)


def _body(plan: Plan, skins: dict[str, Skin]) -> list[Part]:
    """Body with hose bed, pump panel and the frame below."""
    top = {**skins, "+y": plain((0.30, 0.31, 0.33)), "+z": plain(BLACK)}
    half, end = plan.half, plan.body
    parts = truck_shell([(plan.skirt, half, 0.0, end), (plan.deck, half, 0.0, end)], top, plan.frame)
    low = plan.skirt
    pump = [(low, half - 0.02, end, end + plan.pump), (plan.deck - 0.02, half - 0.02, end, end + plan.pump)]
    parts += truck_shell(pump, top, plan.frame)
    parts += truck_chassis(half - 0.15, 0.1, plan.front - 0.1, 0.38, low + 0.02)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * half, side * (half - 0.08)))
        parts += box((x0, plan.deck, 0.02), (x1, plan.deck + 0.12, end - 0.02), plain(CHROME))
        hose = [(side * (half - 0.22), plan.deck + 0.13, z) for z in (0.4, end * 0.5, end - 0.3)]
        parts.append(tube(hose, 0.11, plain(BLACK), sides=6, up=(0, 1, 0)))
    return parts


def _cab(plan: Plan, skins: dict[str, Skin]) -> list[Part]:
    """The crew cab with its leaning windscreen, and mirrors."""
    half, back, front = plan.half, plan.back_of_cab, plan.front
    levels = [
        (plan.skirt, half - 0.02, back, front - 0.05),
        (0.8, half, back, front),
        (plan.belt, half, back, front),
        (plan.roof - 0.18, half - 0.05, back, front - 0.20),
        (plan.roof, half - 0.22, back + 0.12, front - 0.42),
    ]
    parts = truck_shell(levels, {**skins, "-z": plain(plan.red)}, plan.frame, cut=0.12)
    return parts + truck_mirrors(half, 1.95, front - 0.12, 0.5)


def _bumper(plan: Plan) -> list[Part]:
    """The long chrome bumper with a siren and warning lamps."""
    half, z = plan.half, plan.front
    canvas = Canvas.blank(2 * half, 0.36, 60.0, CHROME)
    canvas.rect(0.0, 0.0, 2 * half, 0.08, (0.45, 0.46, 0.48))
    canvas.rect(0.0, 0.28, 2 * half, 0.36, WHITE)
    skins = {"": plain(CHROME), "+z": Skin(canvas.picture), "+y": plain(STEEL), "-y": plain(BLACK)}
    parts = box((-half, 0.46, z - 0.25), (half, 0.82, z + 0.45), skins, bevel=0.06)
    siren = lathe([(0.0, 0.0), (0.15, 0.0), (0.17, 0.14), (0.1, 0.2), (0.0, 0.2)], plain(CHROME), segments=12)
    parts.append(moved(turned(siren, "x", 90), (-0.45 * half, 0.98, z + 0.15)))
    for side in (-1.0, 1.0):
        x = side * half * 0.72
        parts += truck_lamp((x - 0.14, 0.56, z + 0.44), (x + 0.14, 0.72, z + 0.48), LAMP_RED)
    return parts


def _light_bar(plan: Plan, has_blue: bool) -> list[Part]:
    """Lamps across the cab's roof, and one at each upper corner of the body."""
    y, z = plan.roof + 0.02, plan.front - 0.85
    parts = box((-0.9, plan.roof - 0.02, z - 0.14), (0.9, plan.roof + 0.04, z + 0.14), plain(BLACK))
    colors = (LAMP_RED, WHITE, LAMP_RED, AMBER, _BLUE if has_blue else LAMP_RED, WHITE, LAMP_RED)
    step = 1.8 / len(colors)
    for k, color in enumerate(colors):
        x = -0.9 + k * step
        parts += truck_lamp((x + 0.01, y, z - 0.16), (x + step - 0.01, y + 0.2, z + 0.16), color, bevel=0.04)
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (plan.half - 0.05), side * (plan.half + 0.04)))
        for at in (0.35, plan.body - 0.35):
            parts += truck_lamp((x0, plan.deck - 0.10, at - 0.16), (x1, plan.deck + 0.02, at + 0.16), LAMP_RED)
        x = side * (plan.half - 0.17)
        dome = [(0.0, 0.0), (0.13, 0.0), (0.12, 0.12), (0.0, 0.19)]
        skin = plain(LAMP_RED, (0.35, 0.02, 0.01))
        parts.append(moved(lathe(dome, skin, segments=10), (x, plan.deck + 0.11, 0.17)))
    return parts


def _rear_details(plan: Plan) -> list[Part]:
    """The step at the back and grab rails."""
    half, steel = plan.half, plain(STEEL)
    parts = box((-half, 0.44, -0.42), (half, 0.56, 0.04), {"": steel, "-z": plain(LAMP_RED), "-y": plain(BLACK)})
    for side in (-1.0, 1.0):
        x = side * 0.60
        rail = [(x, 0.75, 0.03), (x, 0.75, -0.07), (x, 2.0, -0.07), (x, 2.0, 0.03)]
        parts.append(tube(rail, 0.025, plain(CHROME), sides=6, up=(1, 0, 0)))
    return parts


def _beam(a: Vector, b: Vector, thick: float, skin: Skin) -> Part:
    """A square bar from ``a`` to ``b`` that does not run along x."""
    return tube([a, b], thick / np.sqrt(2), skin, sides=4, up=(1, 0, 0))


def _ladder(plan: Plan, vary: Variation) -> list[Part]:
    """The aerial ladder on its turntable behind, resting over the cab: two trusses with rungs between them."""
    paint = plain(vary.pick((0.86, 0.87, 0.88), (WHITE, CHROME)))
    half, tall = vary.number(0.52, 0.46, 0.56), vary.number(0.5, 0.42, 0.56)
    y0, start = plan.roof + 0.18, 0.25
    end = plan.front + vary.number(0.35, -0.1, 0.5)
    bays = 10

    def at(k: float, up: float, x: float) -> Vector:
        share = k / bays
        return (x, y0 + up, start + (end - start) * share)

    right: list[Part] = [_beam(at(0, 0, half), at(bays, 0, half), 0.10, paint)]
    right.append(_beam(at(0, tall, half), at(bays, tall * 0.8, half), 0.07, paint))
    for k in range(bays):
        top = tall * (1 - 0.2 * (k + 0.5) / bays)
        right.append(_beam(at(k, 0, half), at(k + 0.5, top, half), 0.05, paint))
        right.append(_beam(at(k + 0.5, top, half), at(k + 1, 0, half), 0.05, paint))
    parts = right + [mirrored(p) for p in right]
    for k in range(2 * bays + 1):
        _, y, z = at(k / 2, 0, 0.0)
        parts += box((-half, y - 0.025, z - 0.025), (half, y + 0.025, z + 0.025), plain(STEEL))
    return parts + _turntable(plan, y0) + _board(plan, half, y0, tall, vary)


def _turntable(plan: Plan, y0: float) -> list[Part]:
    """What carries the ladder: a drum with cheeks behind, a rest at the back of the cab."""
    red, z = plain(plan.red), 0.95
    drum = lathe(
        [(0.0, plan.deck - 0.02), (0.72, plan.deck - 0.02), (0.72, y0 - 0.18), (0.0, y0 - 0.18)],
        plain(STEEL),
        segments=20,
    )
    parts: list[Part] = [moved(drum, (0.0, 0.0, z))]
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * 0.48, side * 0.60))
        parts += box((x0, y0 - 0.2, z - 0.45), (x1, y0 + 0.3, z + 0.45), red, bevel=0.04)
    rest = plan.body + plan.pump / 2
    parts += box((-0.3, plan.deck - 0.04, rest - 0.08), (0.3, y0 - 0.03, rest + 0.08), plain(mix(STEEL, BLACK, 0.3)))
    return parts


def _board(plan: Plan, half: float, y0: float, tall: float, vary: Variation) -> list[Part]:
    """The name boards on both sides of the ladder."""
    long, z = 1.9, plan.body * 0.62
    canvas = Canvas.blank(long, tall * 0.72, 70.0, plan.red)
    canvas.text(vary.pick("FIRE", ("RESCUE", "LADDER")), long / 2, tall * 0.36, tall * 0.42, WHITE, weight=0.2)
    skin = Skin(canvas.picture)
    parts = []
    for side in (-1.0, 1.0):
        x0, x1 = sorted((side * (half + 0.06), side * (half + 0.09)))
        low, high = (x0, y0 + 0.02, z - long / 2), (x1, y0 + 0.02 + tall * 0.72, z + long / 2)
        parts += box(low, high, {"": plain(plan.red), "+x": skin, "-x": skin})
    return parts
