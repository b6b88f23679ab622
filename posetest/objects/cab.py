"""A North American taxi: a yellow saloon with a lit roof sign, checker stripe, door lettering and medallion number.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the car looks towards +z.
"""

from __future__ import annotations

from posetest.objects import cab_paint
from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.cab_paint import BLACK, CHROME, GLASS, WHITE, Plan
from posetest.objects.cars import car_cabin, car_shell, car_stations
from posetest.objects.parts import Part, Skin, box, box_mapped, mirrored, plain, tube
from posetest.objects.vehicles import axle_wheels

LABELS = ("cab, hack, taxi, taxicab",)

_OWNERS = ("CITY TAXI", "YELLOW CAB", "METRO CAB", "UNION TAXI")


def build(seed: int = 0) -> BuiltObject:
    """A taxi; seed 0 is the bundled one, others vary proportions, shade, stripe, rims and lettering."""
    vary = Variation(seed)
    plan = Plan(
        yellow=vary.color((0.96, 0.70, 0.06), 0.02),
        length=vary.number(4.8, 4.65, 5.0),
        half=vary.number(0.95, 0.92, 0.97),
        belt=vary.number(0.99, 0.96, 1.01),
        top=vary.number(1.60, 1.57, 1.62),
        wheel=vary.number(0.30, 0.29, 0.315),
        has_checker=vary.chance(True, 0.8),
        owner=vary.pick(_OWNERS[0], _OWNERS[1:]),
        number=f"{vary.integer(6, 1, 9)}{vary.pick('K', 'ABDEHM')}{vary.integer(42, 10, 99)}",
    )
    parts = _body(plan) + _cabin(plan) + _bumpers(plan) + _sign(plan) + _mirrors(plan)
    hub = vary.pick((0.70, 0.71, 0.72), ((0.80, 0.80, 0.80), (0.55, 0.56, 0.58)))
    for z in (plan.rear_axle, plan.front_axle):
        parts += axle_wheels(plan.half - 0.02, z, plan.wheel, 0.22, hub)
    return BuiltObject(assemble("cab", parts), LABELS)


def _body(plan: Plan) -> list[Part]:
    """The body below the windows: bonnet, wings, doors, boot; behind the wheel arches it is black."""
    end, belt = plan.length, plan.belt
    profile = [
        (0.00, 0.44, 0.72),
        (0.02, 0.32, 0.90),
        (0.08, 0.26, belt - 0.01),
        (0.35, 0.24, belt + 0.02),
        (plan.rear_foot, 0.22, belt + 0.03),
        (0.5 * end, 0.21, belt + 0.01),
        (plan.screen_foot, 0.21, belt + 0.01),
        (plan.screen_foot + 0.45, 0.21, belt - 0.03),
        (end - 0.45, 0.22, belt - 0.10),
        (end - 0.16, 0.24, belt - 0.17),
        (end - 0.05, 0.26, belt - 0.23),
        (end - 0.01, 0.30, belt - 0.30),
        (end, 0.38, belt - 0.42),
    ]
    stations = car_stations(profile, (plan.rear_axle, plan.front_axle), plan.wheel, plan.wheel + 0.06)
    shell = car_shell(stations, plan.half, shoulder=0.11, nose=0.16, tail=0.10)
    skins = {
        "+x": Skin(cab_paint.side(plan, is_right=False)),
        "-x": Skin(cab_paint.side(plan, is_right=True)),
        "+y": Skin(cab_paint.above(plan)),
        "-y": plain(BLACK),
        "+z": Skin(cab_paint.front(plan)),
        "-z": Skin(cab_paint.rear(plan)),
    }
    parts = box_mapped(shell, skins, (-plan.half, plan.floor, 0.0), (plan.half, plan.belt + 0.03, end))
    wide = plan.half - 0.24
    return parts + box((-wide, 0.24, 0.3), (wide, 0.74, end - 0.3), plain(BLACK))


def _cabin(plan: Plan) -> list[Part]:
    """Windows, pillars and roof."""
    half, base, top = plan.half, plan.belt - 0.04, plan.top
    levels = [
        (base, plan.rear_foot, plan.screen_foot, half * 0.93),
        (plan.belt + 0.03, plan.rear_foot + 0.06, plan.screen_foot - 0.09, half * 0.92),
        (top - 0.10, plan.roof_back, plan.roof_front, half * 0.75),
        (top - 0.04, plan.roof_back + 0.08, plan.roof_front - 0.10, half * 0.70),
        (top - 0.01, plan.roof_back + 0.2, plan.roof_front - 0.25, half * 0.58),
        (top, plan.roof_back + 0.4, plan.roof_front - 0.45, half * 0.35),
    ]
    skins = {
        "": plain(plan.yellow),
        "+x": Skin(cab_paint.cabin_side(plan, is_right=False)),
        "-x": Skin(cab_paint.cabin_side(plan, is_right=True)),
        "+z": Skin(cab_paint.screen(plan, is_front=True)),
        "-z": Skin(cab_paint.screen(plan, is_front=False)),
        "-y": plain(BLACK),
    }
    return car_cabin(levels, skins)


def _bumpers(plan: Plan) -> list[Part]:
    """Bumpers with number plates."""
    wide, end = plan.half * 0.90, plan.length
    grey = plain((0.16, 0.16, 0.17))
    bar = {"": plain(plan.yellow), "-y": grey}
    parts = box((-wide, 0.33, end - 0.22), (wide, 0.50, end + 0.05), bar, bevel=0.05)
    parts += box((-wide, 0.33, -0.06), (wide, 0.54, 0.20), bar, bevel=0.05)
    strip = wide - 0.08
    parts += box((-strip, 0.41, end + 0.03), (strip, 0.455, end + 0.065), grey)
    parts += box((-strip, 0.44, -0.075), (strip, 0.485, -0.04), grey)
    plate = Skin(cab_paint.plate(plan))
    parts += box((-0.16, 0.34, end + 0.03), (0.16, 0.48, end + 0.085), {"": plain(WHITE), "+z": plate})
    parts += box((-0.16, 0.64, -0.03), (0.16, 0.80, 0.06), {"": plain(WHITE), "-z": plate})
    return parts


def _sign(plan: Plan) -> list[Part]:
    """The lit sign on the roof, on a black foot, across the car."""
    z = (plan.roof_back + plan.roof_front) / 2 + 0.15
    y = plan.top
    lit = Skin(cab_paint.sign(plan, 0.62, 0.21), (0.12, 0.11, 0.07))
    small = Skin(cab_paint.sign(plan, 0.26, 0.21), (0.12, 0.11, 0.07))
    skins = {"": plain(WHITE), "+z": lit, "-z": lit, "+x": small, "-x": small}
    parts = box((-0.31, y + 0.03, z - 0.13), (0.31, y + 0.24, z + 0.13), skins, bevel=0.02)
    return parts + box((-0.26, y - 0.04, z - 0.10), (0.26, y + 0.045, z + 0.10), plain(BLACK))


def _mirrors(plan: Plan) -> list[Part]:
    """Mirrors on the doors, and door handles."""
    z, y = plan.screen_foot - 0.42, plan.belt + 0.08
    x = plan.half - 0.05
    skins = {"": plain(plan.yellow), "-z": plain((0.60, 0.66, 0.72))}
    pieces = box((x + 0.03, y - 0.06, z - 0.05), (x + 0.22, y + 0.08, z + 0.08), skins, bevel=0.025)
    pieces.append(tube([(x - 0.09, y - 0.02, z), (x + 0.08, y, z)], 0.03, plain(BLACK), sides=6))
    for handle in (0.5 * plan.length - 0.20, plan.rear_foot + 0.42):
        low, high = (plan.half - 0.01, plan.belt - 0.17, handle), (plan.half + 0.025, plan.belt - 0.13, handle + 0.18)
        pieces += box(low, high, plain(CHROME))
    wiper = tube(
        [(0.1, plan.belt + 0.05, plan.screen_foot - 0.02), (0.5, plan.belt + 0.10, plan.screen_foot - 0.16)],
        0.012,
        plain(GLASS),
        sides=6,
    )
    return [*pieces, *(mirrored(piece) for piece in pieces), wiper]
