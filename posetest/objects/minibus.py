"""A minibus: a tall van with a short bonnet and passenger windows all along its sides, painted in two tones.

Lengths are metres. The tyres stand on y = 0, the back is at z = 0, the bus looks towards +z.
"""

from __future__ import annotations

from posetest.objects import minibus_paint
from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.cars import car_cabin, car_shell, car_stations
from posetest.objects.minibus_paint import BLACK, WHITE, Plan
from posetest.objects.parts import Part, Skin, box, box_mapped, mirrored, plain, tube
from posetest.objects.vehicles import axle_wheels

LABELS = ("minibus",)

_LOWER = ((0.12, 0.27, 0.52), (0.55, 0.10, 0.12), (0.10, 0.38, 0.30), (0.62, 0.63, 0.65))
_OWNERS = ("CITY SHUTTLE", "AIRPORT SHUTTLE", "COMMUNITY BUS", "VALLEY TOURS")


def build(seed: int = 0) -> BuiltObject:
    """A minibus; seed 0 is the bundled one, others vary length, height, windows, both tones and lettering."""
    vary = Variation(seed)
    windows = vary.integer(3, 3, 5)
    plan = Plan(
        upper=vary.color((0.93, 0.93, 0.91), 0.03),
        lower=vary.pick(_LOWER[0], _LOWER[1:]),
        windows=windows,
        pitch=vary.number(0.92, 0.86, 0.98),
        half=vary.number(0.98, 0.95, 1.02),
        belt=vary.number(1.22, 1.17, 1.26),
        top=vary.number(2.42, 2.32, 2.52),
        wheel=vary.number(0.36, 0.34, 0.38),
        owner=vary.pick(_OWNERS[0], _OWNERS[1:]),
        number=f"{vary.pick('MB', ('KX', 'SH', 'TR'))}{vary.integer(16, 10, 99)} {vary.integer(482, 100, 999)}",
    )
    parts = _body(plan) + _cabin(plan) + _bumpers(plan) + _mirrors(plan) + _roof(plan)
    hub = vary.pick((0.66, 0.67, 0.68), ((0.80, 0.80, 0.80), (0.50, 0.51, 0.53)))
    for z in (plan.rear_axle, plan.front_axle):
        parts += axle_wheels(plan.half - 0.01, z, plan.wheel, 0.24, hub)
    return BuiltObject(assemble("minibus", parts), LABELS)


def _body(plan: Plan) -> list[Part]:
    """The body below the windows with its short bonnet; behind the wheel arches it is black."""
    end, belt = plan.length, plan.belt
    profile = [
        (0.00, 0.46, belt - 0.06),
        (0.03, 0.38, belt),
        (0.5 * end, 0.30, belt),
        (plan.screen_foot, 0.30, belt),
        (plan.screen_foot + 0.10, 0.30, belt - 0.01),
        (end - 0.22, 0.31, belt - 0.13),
        (end - 0.08, 0.33, belt - 0.22),
        (end - 0.02, 0.36, belt - 0.34),
        (end, 0.42, belt - 0.50),
    ]
    stations = car_stations(profile, (plan.rear_axle, plan.front_axle), plan.wheel, plan.wheel + 0.07)
    shell = car_shell(stations, plan.half, shoulder=0.05, nose=0.22, tail=0.05)
    skins = {
        "+x": Skin(minibus_paint.side(plan, is_right=False)),
        "-x": Skin(minibus_paint.side(plan, is_right=True)),
        "+y": plain(plan.upper),
        "-y": plain(BLACK),
        "+z": Skin(minibus_paint.front(plan)),
        "-z": Skin(minibus_paint.rear(plan)),
    }
    parts = box_mapped(shell, skins, (-plan.half, plan.floor, 0.0), (plan.half, belt, end))
    wide = plan.half - 0.26
    return parts + box((-wide, 0.32, 0.3), (wide, 0.86, end - 0.4), plain(BLACK))


def _cabin(plan: Plan) -> list[Part]:
    """Windows, pillars and roof."""
    half, belt, top = plan.half, plan.belt, plan.top
    levels = [
        (belt - 0.04, 0.05, plan.screen_foot, half * 0.985),
        (belt + 0.05, 0.055, plan.screen_foot - 0.06, half * 0.985),
        (top - 0.20, 0.13, plan.roof_front, half * 0.90),
        (top - 0.09, 0.17, plan.roof_front - 0.10, half * 0.85),
        (top - 0.02, 0.28, plan.roof_front - 0.28, half * 0.70),
        (top, 0.50, plan.roof_front - 0.55, half * 0.45),
    ]
    skins = {
        "": plain(plan.upper),
        "+x": Skin(minibus_paint.cabin_side(plan, is_right=False)),
        "-x": Skin(minibus_paint.cabin_side(plan, is_right=True)),
        "+z": Skin(minibus_paint.windscreen(plan)),
        "-z": Skin(minibus_paint.rear_window(plan)),
        "+y": Skin(minibus_paint.roof(plan)),
        "-y": plain(BLACK),
    }
    return car_cabin(levels, skins)


def _bumpers(plan: Plan) -> list[Part]:
    """Bumpers with number plates."""
    wide, end = plan.half * 0.92, plan.length
    grey = plain((0.17, 0.17, 0.18))
    parts = box((-wide, 0.34, end - 0.30), (wide, 0.58, end + 0.05), grey, bevel=0.06)
    parts += box((-wide, 0.36, -0.08), (wide, 0.56, 0.25), grey, bevel=0.05)
    plate = Skin(minibus_paint.plate(plan))
    parts += box((-0.26, 0.40, end + 0.03), (0.26, 0.52, end + 0.07), {"": plain(WHITE), "+z": plate})
    parts += box((-0.26, 0.66, -0.03), (0.26, 0.78, 0.06), {"": plain(WHITE), "-z": plate})
    return parts


def _mirrors(plan: Plan) -> list[Part]:
    """Tall mirrors on the front doors, and door handles."""
    z, y, x = plan.screen_foot - 0.42, plan.belt + 0.10, plan.half - 0.02
    black = plain(BLACK)
    skins = {"": black, "-z": plain((0.60, 0.66, 0.72))}
    pieces = box((x + 0.05, y, z - 0.05), (x + 0.24, y + 0.32, z + 0.06), skins, bevel=0.03)
    pieces.append(tube([(x - 0.08, y + 0.04, z), (x + 0.10, y + 0.07, z)], 0.03, black, sides=6))
    for handle in (plan.door_back + 0.08, plan.door_back - 0.28):
        pieces += box(
            (plan.half - 0.01, plan.belt - 0.20, handle), (plan.half + 0.025, plan.belt - 0.15, handle + 0.2), black
        )
    return [*pieces, *(mirrored(piece) for piece in pieces)]


def _roof(plan: Plan) -> list[Part]:
    """A ventilation hatch on the roof and the rail of the sliding door, which is on the kerb side."""
    middle = plan.length * 0.42
    grey = plain((0.70, 0.71, 0.71))
    parts = box((-0.32, plan.top - 0.05, middle - 0.32), (0.32, plan.top + 0.06, middle + 0.32), grey, bevel=0.03)
    rail = (plan.half - 0.01, plan.belt - 0.09, plan.rear_axle - 0.1)
    right = box(rail, (plan.half + 0.015, plan.belt - 0.06, plan.door_back - plan.pitch), plain(BLACK))
    return parts + [mirrored(part) for part in right]
