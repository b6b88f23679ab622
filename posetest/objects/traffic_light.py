"""A traffic light: three lamps one above the other under deep visors, on a back plate."""

from __future__ import annotations

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, Vector, box, box_mapped, lathe, loft, moved, plain, tube, turned

LABELS = ("traffic light, traffic signal, stoplight",)

_BLACK: Color = (0.09, 0.09, 0.10)
_YELLOW: Color = (0.90, 0.68, 0.10)
#: Glass of the red, amber and green lamp: lit centre, lit rim, unlit.
_LAMPS: tuple[tuple[Color, Color, Color], ...] = (
    ((1.0, 0.55, 0.40), (0.95, 0.08, 0.05), (0.30, 0.05, 0.05)),
    ((1.0, 0.90, 0.50), (0.98, 0.65, 0.08), (0.36, 0.24, 0.06)),
    ((0.75, 1.0, 0.85), (0.10, 0.85, 0.45), (0.05, 0.25, 0.17)),
)
_GLOW: tuple[Vector, ...] = ((0.55, 0.03, 0.02), (0.5, 0.28, 0.02), (0.03, 0.45, 0.2))


def build(seed: int = 0) -> BuiltObject:
    """A traffic light; seed 0 is the bundled one, others vary housing, plate, visors and which lamp is lit."""
    vary = Variation(seed)
    lit = vary.pick((True, False, False), ((True, True, True), (False, True, False), (False, False, True)))
    radius = vary.number(0.145, 0.13, 0.155)
    pitch, half, depth = vary.number(0.36, 0.345, 0.39), vary.number(0.18, 0.17, 0.2), vary.number(0.2, 0.16, 0.26)
    paint = vary.pick(_BLACK, (_BLACK, _YELLOW, _YELLOW, (0.10, 0.22, 0.15), (0.25, 0.26, 0.27)))
    face = vary.pick(_BLACK, (paint,))
    visor = plain(vary.pick(_BLACK, (paint,)))
    housing, front = plain(paint), plain(face)
    ridge = plain(mix(paint, (0.0, 0.0, 0.0), 0.25))
    hood = _visor(vary, radius + 0.012, visor)
    parts: list[Part] = []
    for k in range(3):
        y = (1 - k) * pitch
        low, high = y - pitch / 2 + 0.006, y + pitch / 2 - 0.006
        parts += box((-half, low, -depth), (half, high, -0.03), housing, bevel=0.025)
        parts += box((-half + 0.01, low + 0.01, -0.06), (half - 0.01, high - 0.01, 0.0), front, bevel=0.02)
        parts += [moved(p, (0.0, y, 0.0)) for p in _lamp(k, lit[k], radius)]
        parts.append(moved(hood, (0.0, y, 0.0)))
    parts += box(
        (-half * 0.8, -1.5 * pitch, -depth - 0.02), (half * 0.8, 1.5 * pitch, -depth + 0.03), ridge, bevel=0.015
    )
    if vary.chance(False, 0.4):
        parts += _plate(half + vary.number(0.12, 0.08, 0.16), 1.5 * pitch + 0.12, vary.chance(True, 0.5))
    parts += _mount(vary, pitch, depth)
    return BuiltObject(assemble("traffic_light", parts), LABELS)


def _lamp(k: int, is_lit: bool, radius: float) -> list[Part]:
    """A bulging lens with its rim, facing +z, its centre at the origin."""
    centre, rim, dark = _LAMPS[k]
    canvas = Canvas.blank(2.0, 2.0, 32, rim if is_lit else dark)
    if is_lit:
        canvas.glow(1.0, 1.0, 1.0, centre, rim, power=1.5)
    else:
        canvas.glow(1.0, 1.0, 1.0, mix(dark, rim, 0.35), dark)
    for i in range(-3, 4):  # the ribs of the glass
        canvas.line([(1.0 + 0.28 * i, 0.1), (1.0 + 0.28 * i, 1.9)], 0.03, (0.0, 0.0, 0.0), opacity=0.15)
        canvas.line([(0.1, 1.0 + 0.28 * i), (1.9, 1.0 + 0.28 * i)], 0.03, (0.0, 0.0, 0.0), opacity=0.15)
    skin = Skin(canvas.picture, _GLOW[k] if is_lit else (0.0, 0.0, 0.0))
    dome = [(radius * np.cos(a), 0.015 + 0.05 * np.sin(a)) for a in np.linspace(0, np.pi / 2, 6)]
    lens = turned(lathe([(0.0, -0.02), (radius, -0.02), *dome[:-1], (0.0, 0.065)], skin, segments=28), "x", 90)
    glass = box_mapped(lens, {"": skin}, (-radius, -radius, -0.1), (radius, radius, 0.1))
    ring = [
        (radius, -0.01),
        (radius + 0.02, -0.01),
        (radius + 0.02, 0.02),
        (radius, 0.024),
        (radius - 0.004, 0.0),
        (radius, -0.01),
    ]
    return [*glass, turned(lathe(ring, plain(_BLACK), segments=28), "x", 90)]


def _visor(vary: Variation, radius: float, skin: Skin) -> Part:
    """A hood open below and in front: part of a tube with thick walls, cut slanting."""
    reach, share, thick = vary.number(0.2, 0.14, 0.22), vary.number(0.6, 0.5, 0.8), 0.009
    count = 22
    angle = np.pi / 2 + np.linspace(-1, 1, count) * np.pi * share
    c, s = np.round(np.cos(angle), 9), np.round(np.sin(angle), 9)
    # The rim lies farther forward on top than at the sides.
    front = reach * (0.45 + 0.55 * (s + 1) / 2)
    outer, inner = radius + thick, radius
    # One closed ring (inner wall, rim, outer wall, root) per angle, strung along the arc.
    corners = ((inner, 0.0 * front), (inner, front), (outer, front), (outer, 0.0 * front))
    rings = np.stack([np.stack([r * c, r * s, z], axis=1) for r, z in corners], axis=1)
    return loft(rings, skin, crease_deg=40.0)


def _plate(half_x: float, half_y: float, has_border: bool) -> list[Part]:
    """The back plate just behind the front of the housing, with a reflecting border where it has one."""
    canvas = Canvas.blank(2 * half_x, 2 * half_y, 90, (0.07, 0.07, 0.08))
    if has_border:
        canvas.rect(0.0, 0.0, 2 * half_x, 2 * half_y, (0.95, 0.78, 0.15))
        canvas.rect(0.045, 0.045, 2 * half_x - 0.045, 2 * half_y - 0.045, (0.07, 0.07, 0.08), radius=0.04)
    skins = {"": plain((0.07, 0.07, 0.08)), "+z": Skin(canvas.picture), "-z": plain((0.16, 0.16, 0.17))}
    return box((-half_x, -half_y, -0.05), (half_x, half_y, -0.03), skins)


def _mount(vary: Variation, pitch: float, depth: float) -> list[Part]:
    """Brackets above and below and the pole behind that they hold on to."""
    steel = plain(vary.pick((0.55, 0.56, 0.57), ((0.30, 0.31, 0.32), (0.12, 0.12, 0.12))))
    z = -depth - 0.16
    parts = []
    for y in (1.2 * pitch, -1.2 * pitch):
        parts.append(
            tube([(0.0, y, z), (0.0, y, -depth - 0.08), (0.0, y, -depth + 0.02)], 0.03, steel, sides=10, up=(0, 1, 0))
        )
    reach = vary.number(2.1, 1.6, 2.4) * pitch
    pole = [(0.0, -reach), (0.055, -reach), (0.055, reach), (0.0, reach)]
    parts.append(moved(lathe(pole, steel, segments=16), (0.0, 0.0, z)))
    return parts
