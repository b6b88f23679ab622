"""A lighthouse: a tapered tower, a gallery with railing, a glazed lantern, on a low rock with a keeper's house.

Lengths are metres. The tower's foot is at y = 0 with the door towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, box, circle, lathe, loft, moved, plain, scaled, turned
from posetest.objects.prisms import along_x

LABELS = ("beacon, lighthouse, beacon light, pharos",)

_WHITE: Color = (0.94, 0.94, 0.92)
_RED: Color = (0.78, 0.10, 0.09)
_BLACK: Color = (0.08, 0.08, 0.09)
_GREY: Color = (0.55, 0.55, 0.54)
_ROCK: Color = (0.42, 0.38, 0.34)
_GLASS: Color = (0.16, 0.20, 0.24)
_LAMP: Color = (1.0, 0.93, 0.62)
_WOOD: Color = (0.36, 0.20, 0.11)
_BRICK: Color = (0.55, 0.25, 0.18)


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one lighthouse share."""

    height: float  # of the tower up to the gallery
    foot: float  # radius of the tower at its foot
    neck: float  # radius below the gallery
    bands: int  # of the darker colour; none for a plain tower
    paint: Color  # of the bands
    iron: Color  # gallery, frame of the lantern
    roof: Color
    turns: bool  # the bands climb round the tower

    def radius(self, y: float) -> float:
        """Of the tower at the height ``y``: a little concave, as brick towers are."""
        t = y / self.height
        return self.foot + (self.neck - self.foot) * (1.25 * t - 0.25 * t * t)


def build(seed: int = 0) -> BuiltObject:
    """A lighthouse; seed 0 is the bundled one, others vary height, taper, bands, colours and windows."""
    vary = Variation(seed)
    paint = vary.pick(_RED, (_RED, _BLACK, (0.10, 0.22, 0.45)))
    iron = vary.pick(_BLACK, (_BLACK, mix(paint, _BLACK, 0.2)))
    plan = Plan(
        height=vary.number(17.0, 13.0, 20.0),
        foot=vary.number(3.0, 2.8, 3.4),
        neck=vary.number(1.95, 1.8, 2.1),
        bands=vary.pick(0, (1, 2, 3)),
        paint=paint,
        iron=iron,
        roof=vary.pick(_RED, (_RED, _BLACK)),
        turns=vary.chance(False, 0.2),
    )
    place = vary.number(0.0, -20.0, 40.0)
    parts = [turned(part, "y", place) for part in _rock(vary, plan) + _house(vary, plan)]
    parts += _tower(plan) + _openings(vary, plan) + _gallery(plan) + _lantern(plan)
    return BuiltObject(assemble("lighthouse", parts), LABELS)


def _rock(vary: Variation, plan: Plan) -> list[Part]:
    """A low uneven rock, longer towards +x, and the tower's round plinth."""
    count, first, second = 20, vary.number(1.0, 0.0, 6.0), vary.number(2.0, 0.0, 6.0)
    turn = circle(count)
    angle = np.arange(count) * (2 * np.pi / count)
    uneven = 1.0 + 0.10 * np.sin(3 * angle + first) + 0.06 * np.sin(7 * angle + second)
    rings = []
    for share, y, rough in ((0.0, -2.6, 0.0), (2.15, -2.6, 1.0), (2.0, -1.9, 0.7), (1.7, -1.1, 1.0), (0.0, -0.6, 0.0)):
        r = plan.foot * share * (1.0 + (uneven - 1.0) * rough)
        lift = 0.35 * rough * np.sin(5 * angle + second) if y > -2.5 else 0.0 * angle
        rings.append(np.stack([r * turn[:, 1], y + lift, r * turn[:, 0]], axis=1))
    canvas = Canvas.blank(float(count), 4.0, 8.0, _ROCK)
    for k in range(count):
        for row in range(4):
            shade = ((k * 7 + row * 5) % 11) / 11 - 0.5
            canvas.rect(k, row, k + 1, row + 1, mix(_ROCK, _WHITE if shade > 0 else _BLACK, 0.35 * abs(shade)))
    rock = loft(np.round(np.stack(rings), 7), Skin(canvas.picture), caps=False, crease_deg=5.0)
    rock = moved(scaled(rock, (1.5, 1.0, 1.0)), (2.8, 0.0, 0.0))
    r = plan.foot * 1.28
    plinth = lathe([(0.0, -1.4), (r, -1.4), (r, -0.15), (r - 0.15, 0.0), (0.0, 0.0)], plain(_GREY), segments=32)
    return [rock, plinth]


def _tower(plan: Plan) -> list[Part]:
    """The shaft with its bands and the widening that carries the gallery."""
    tall = plan.height
    canvas = Canvas.blank(32.0, tall, 14.0, _WHITE)
    if plan.bands and plan.turns:
        pitch = tall / plan.bands
        for start in np.arange(-plan.bands, plan.bands) * pitch:
            edge = [(0.0, start), (32.0, start + pitch), (32.0, start + 1.5 * pitch), (0.0, start + 0.5 * pitch)]
            canvas.polygon(edge, plan.paint)
    elif plan.bands:
        pitch = tall / (2 * plan.bands + 1)
        for k in range(plan.bands):
            canvas.rect(0.0, (2 * k + 1) * pitch, 32.0, (2 * k + 2) * pitch, plan.paint)
    levels = np.linspace(0.0, tall, 6)
    shaft = [(plan.radius(float(y)), float(y)) for y in levels]
    parts = [lathe([(0.0, 0.0), *shaft, (0.0, tall)], _below(canvas, plan, shaft), segments=32)]
    collar = plan.radius(0.0) + 0.12
    parts.append(lathe([(0.0, -0.1), (collar, -0.1), (collar, 0.6), (0.0, 0.7)], plain(_WHITE), segments=32))
    r = plan.neck
    flare = [(0.0, tall - 0.9), (r * 1.02, tall - 0.9), (r * 1.08, tall - 0.6), (r * 1.4, tall), (0.0, tall)]
    return [*parts, lathe(flare, plain(plan.iron), segments=32)]


def _below(canvas: Canvas, plan: Plan, shaft: list[tuple[float, float]]) -> Skin:
    """The shaft's picture with room for the two ends, so that its rows meet the heights they were painted for."""
    slope = float(np.linalg.norm(np.diff(np.asarray(shaft), axis=0), axis=1).sum())
    rows, columns = canvas.pixels.shape[:2]
    foot, neck = (round(rows * r / slope) for r in (plan.foot, plan.neck))
    picture = np.full((foot + rows + neck, columns, 3), 255, dtype=np.uint8)
    picture[neck : neck + rows] = canvas.picture
    return Skin(picture)


def _openings(vary: Variation, plan: Plan) -> list[Part]:
    """The door with its step towards +z and windows that follow a winding stair."""
    front = plan.radius(1.0)
    frame, stone = plain(mix(_WHITE, _GREY, 0.5)), plain(_GREY)
    canvas = Canvas.blank(1.3, 2.4, 40.0, _WOOD)
    for k in range(1, 5):
        canvas.line([(k * 0.26, 0.0), (k * 0.26, 2.4)], 0.04, mix(_WOOD, _BLACK, 0.5))
    canvas.rect(0.2, 1.5, 1.1, 2.15, _GLASS, radius=0.05)
    door = {"": plain(_WOOD), "+z": Skin(canvas.picture)}
    parts = box((-0.95, 0.0, front - 1.0), (0.95, 2.85, front + 0.22), frame)
    parts += box((-0.65, 0.05, front - 0.9), (0.65, 2.5, front + 0.28), door)
    parts += box((-1.15, 2.85, front - 1.0), (1.15, 3.1, front + 0.4), plain(plan.roof))
    parts += box((-1.2, -0.3, front - 0.5), (1.2, 0.12, front + 0.75), stone)
    levels = vary.integer(5, 4, 6)
    step = vary.number(105.0, 80.0, 130.0)
    for k in range(levels):
        y = plan.height * (0.30 + 0.52 * k / (levels - 1))
        for side in (0.0, 180.0):
            parts += [turned(p, "y", k * step + side) for p in _window(plan, y)]
    return parts


def _window(plan: Plan, y: float) -> list[Part]:
    """A sash window at the height ``y``, facing +z."""
    z = plan.radius(y)
    canvas = Canvas.blank(0.8, 1.3, 40.0, _GLASS)
    canvas.rect(0.36, 0.0, 0.44, 1.3, _WHITE)
    canvas.rect(0.0, 0.61, 0.8, 0.69, _WHITE)
    pane = {"": plain(_WHITE), "+z": Skin(canvas.picture)}
    rim = plain(mix(_WHITE, _GREY, 0.6))
    parts = box((-0.55, y - 0.85, z - 0.6), (0.55, y + 0.8, z + 0.12), rim)
    parts += box((-0.40, y - 0.65, z - 0.5), (0.40, y + 0.65, z + 0.16), pane)
    return [*parts, *box((-0.62, y - 0.95, z - 0.6), (0.62, y - 0.8, z + 0.25), rim)]


def _house(vary: Variation, plan: Plan) -> list[Part]:
    """The keeper's house beside the tower at +x: white walls under a gabled roof, a chimney."""
    x0, x1, half, eaves, ridge = plan.foot + 0.2, plan.foot + vary.number(6.0, 5.0, 6.5), 2.4, 2.9, 4.9
    wall = Canvas.blank(x1 - x0, eaves + 1.6, 24.0, _WHITE)
    for share in (0.24, 0.57, 0.83):
        x = share * (x1 - x0)
        wall.rect(x - 0.5, 2.5, x + 0.5, 3.9, mix(_WHITE, _GREY, 0.7))
        wall.rect(x - 0.4, 2.6, x + 0.4, 3.8, _GLASS)
        wall.rect(x - 0.05, 2.6, x + 0.05, 3.8, _WHITE)
        wall.rect(x - 0.4, 3.15, x + 0.4, 3.25, _WHITE)
    wall.rect(0.0, 0.0, x1 - x0, 1.7, _GREY)
    skins = {"": Skin(wall.picture), "+y": plain(_WHITE), "-y": plain(_GREY)}
    parts = box((x0, -1.6, -half), (x1, eaves, half), skins)
    gable = [(-half, eaves - 0.02), (half, eaves - 0.02), (0.0, ridge - 0.12)]
    parts.append(along_x(gable, x0, x1, plain(_WHITE)))
    eave, low, thick = half + 0.3, eaves - 0.18, 0.3
    slopes = [(-eave, low), (0.0, ridge), (eave, low), (eave, low + thick), (0.0, ridge + thick), (-eave, low + thick)]
    parts.append(along_x(slopes, x0 - 0.1, x1 + 0.3, plain(plan.roof)))
    return parts + box((x1 - 1.6, ridge - 1.2, -0.4), (x1 - 0.8, ridge + 1.0, 0.4), plain(_BRICK))


def _hoop(radius: float, y: float, thick: float, skin: Skin) -> Part:
    """A ring with a square section."""
    t = thick / 2
    corners = [(radius - t, y - t), (radius + t, y - t), (radius + t, y + t), (radius - t, y + t)]
    return lathe([*corners, corners[0]], skin, segments=24)


def _gallery(plan: Plan) -> list[Part]:
    """The deck around the lantern and its railing."""
    iron, r, y = plain(plan.iron), plan.neck * 1.55, plan.height
    parts = [lathe([(0.0, y), (r, y), (r, y + 0.25), (0.0, y + 0.25)], iron, segments=32)]
    edge = r - 0.1
    for rise in (0.55, 0.9, 1.3):
        parts.append(_hoop(edge, y + rise, 0.07, iron))
    for x, z in circle(16) * edge:
        parts += box((x - 0.045, y + 0.2, z - 0.045), (x + 0.045, y + 1.35, z + 0.045), iron)
    return parts


def _lantern(plan: Plan) -> list[Part]:
    """The wall below the glass, the glass in its frame with the lamp behind it, dome, vent and rod."""
    r, y = plan.neck * 0.86, plan.height + 0.25
    iron, roof = plain(plan.iron), plain(plan.roof)
    sill, top = y + 0.9, y + 3.1
    parts = [lathe([(0.0, y), (r * 1.04, y), (r * 1.04, sill), (0.0, sill)], plain(_WHITE), segments=24)]
    parts.append(lathe([(0.0, sill), (r, sill), (r, top), (0.0, top)], _glass(r, top - sill), segments=24))
    for level in (sill, (sill + top) / 2, top):
        parts.append(_hoop(r * 1.03, level, 0.13, iron))
    bar: list[Part] = box((-0.06, sill, r - 0.05), (0.06, top, r * 1.045), iron)
    for k in range(12):
        parts += [turned(p, "y", 30.0 * k) for p in bar]
    eave = r * 1.28
    dome = [(eave, top + 0.15), (eave * 0.8, top + 0.5), (eave * 0.45, top + 1.15), (eave * 0.2, top + 1.6)]
    parts.append(lathe([(0.0, top), (eave, top), *dome, (0.0, top + 1.7)], roof, segments=32))
    vent = top + 1.55
    ball = [(0.42 * np.cos(a), vent + 0.5 + 0.42 * np.sin(a)) for a in np.radians([-45, -20, 0, 20, 45, 70])]
    parts.append(lathe([(0.0, vent), (0.3, vent), *ball, (0.0, vent + 0.92)], roof, segments=16))
    parts.append(
        lathe([(0.0, vent + 0.8), (0.06, vent + 0.8), (0.04, vent + 1.6), (0.0, vent + 1.6)], iron, segments=8)
    )
    return parts


def _glass(radius: float, tall: float) -> Skin:
    """The panes all round with the bright lens seen through them."""
    across = 4.0
    canvas = Canvas.blank(across, tall + 2 * radius, 16.0, _GLASS)
    canvas.rect(0.0, radius, across, radius + tall, (0.30, 0.38, 0.42))
    for k in range(4):
        canvas.rect(k + 0.15, radius + 0.2 * tall, k + 0.85, radius + 0.8 * tall, _LAMP)
    return Skin(canvas.picture, (0.25, 0.22, 0.12))
