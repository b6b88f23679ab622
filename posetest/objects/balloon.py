"""A hot-air balloon: an envelope of coloured gores with a skirt, ropes, a burner and a wicker basket with its crew.

Lengths are metres. The middle of the envelope's sphere is at the origin, the basket hangs below.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Array, Canvas, Color, mix
from posetest.objects.parts import Part, Skin, box, circle, lathe, loft, moved, plain, tube

LABELS = ("balloon",)

_RED: Color = (0.85, 0.10, 0.10)
_ORANGE: Color = (0.96, 0.48, 0.06)
_YELLOW: Color = (0.98, 0.82, 0.10)
_GREEN: Color = (0.12, 0.58, 0.25)
_BLUE: Color = (0.08, 0.30, 0.72)
_PURPLE: Color = (0.42, 0.16, 0.55)
_WHITE: Color = (0.95, 0.95, 0.93)
_WICKER: Color = (0.62, 0.42, 0.20)
_LEATHER: Color = (0.28, 0.16, 0.09)
_BLACK: Color = (0.07, 0.07, 0.08)

_RAINBOW = (_RED, _ORANGE, _YELLOW, _GREEN, _BLUE, _PURPLE)
_PALETTES = ((_RED, _YELLOW), (_BLUE, _WHITE, _RED), (_RED, _WHITE), (_BLUE, _YELLOW), (_ORANGE, _PURPLE, _YELLOW))

_GORES = 24
_STEPS = 22  # rings of the envelope


def build(seed: int = 0) -> BuiltObject:
    """A balloon; seed 0 is the bundled one, others vary the envelope's shape, colours and pattern, and the crew."""
    vary = Variation(seed)
    radius = vary.number(8.0, 7.6, 8.4)
    taper = np.radians(vary.number(38.0, 33.0, 43.0))
    mouth = vary.number(1.7, 1.5, 1.9)
    colors = vary.pick(_RAINBOW, _PALETTES)
    pattern = vary.pick("gores", ("steps", "band", "spiral"))
    profile = _profile(radius, float(taper), mouth)
    low = float(profile[0, 1])
    parts = _envelope(profile, _cloth(profile, colors, pattern), plain(mix(colors[0], _BLACK, 0.45)))
    parts += _skirt(mouth, low, plain(mix(colors[-1], _BLACK, 0.1)))
    floor = low - vary.number(4.6, 4.3, 5.0)
    half = vary.number(1.15, 1.0, 1.25)
    parts += _basket(half, floor) + _rigging(mouth, low, half, floor)
    shirts = (_RED, _BLUE, _GREEN, _WHITE)
    for k in range(vary.integer(3, 2, 3)):
        parts += _person(((k - 1) * 0.6, floor + 0.1, 0.3 - 0.5 * (k % 2)), shirts[k])
    return BuiltObject(assemble("balloon", parts), LABELS)


def _profile(radius: float, taper: float, mouth: float) -> Array:
    """(radius, y) from the mouth to the crown in steps of equal length: a cone that touches a sphere."""
    cone = (radius * np.cos(taper) - mouth) / np.sin(taper)
    arc = radius * (np.pi / 2 + taper)
    points = []
    for s in np.linspace(0.0, cone + arc, _STEPS):
        if s < cone:
            points.append((mouth + s * np.sin(taper), -radius * np.sin(taper) - (cone - s) * np.cos(taper)))
        else:
            angle = (s - cone) / radius - taper
            points.append((radius * np.cos(angle), radius * np.sin(angle)))
    points[-1] = (0.0, radius)
    profile: Array = np.asarray(points, dtype=np.float64)
    return profile.round(7)


def _envelope(profile: Array, outside: Skin, inside: Skin) -> list[Part]:
    """The cloth, every gore bulging between its tapes, and its inner side."""
    turn = circle(2 * _GORES)
    bulge = np.where(np.arange(2 * _GORES) % 2 == 1, 1.0, 0.975)
    rings = [np.stack([r * bulge * turn[:, 1], np.full(len(turn), y), r * bulge * turn[:, 0]], 1) for r, y in profile]
    shell = np.round(np.stack(rings), 7)
    # Chords over three steps lie inside the bulging shell; the crown is lowered below it.
    inner = shell[::-3].copy()
    inner[0, :, 1] -= 0.1
    return [
        loft(shell, outside, caps=False, crease_deg=35.0),
        loft(inner, inside, caps=False, crease_deg=50.0),
    ]


def _cloth(profile: Array, colors: Sequence[Color], pattern: str) -> Skin:
    """The gores unrolled, with their tapes and seams; the mouth is below."""
    length = float(np.linalg.norm(np.diff(profile, axis=0), axis=1).sum())
    canvas = Canvas.blank(float(_GORES), length, 24.0, colors[0])
    count, rows = len(colors), 12
    tall = length / rows
    for k in range(_GORES):
        for row in range(rows):
            canvas.rect(k, row * tall, k + 1, (row + 1) * tall, colors[_color(pattern, k, row, rows) % count])
    for row in range(1, rows):
        canvas.line([(0.0, row * tall), (_GORES, row * tall)], 0.06, _BLACK, opacity=0.25)
    for k in range(_GORES + 1):
        canvas.line([(k, 0.0), (k, length)], 0.09, _BLACK, opacity=0.5)
    return Skin(canvas.picture)


def _color(pattern: str, gore: int, row: int, rows: int) -> int:
    """Which colour a panel has, ``gore`` round the envelope and ``row`` up from the mouth."""
    if pattern == "steps":
        return row + min(gore % 4, 4 - gore % 4)
    if pattern == "spiral":
        return (gore + row) // 2
    if pattern == "band" and rows // 2 <= row < rows // 2 + 2:
        return gore + row + 1
    return gore // 2 if pattern == "gores" else 0


def _skirt(mouth: float, low: float, skin: Skin) -> list[Part]:
    """The collar of cloth below the mouth, open below."""
    top, narrow = low + 0.1, mouth * 0.72
    outside = [(narrow, low - 1.3), (mouth * 1.01, top), (mouth * 0.95, top), (narrow * 0.95, low - 1.3)]
    return [lathe([*outside, outside[0]], skin, segments=24)]


def _basket(half: float, floor: float) -> list[Part]:
    """Woven walls with a leather rim and a leather foot, closed above by its shadow."""
    top = floor + 1.15
    canvas = Canvas.blank(2.0, 1.0, 60.0, _WICKER)
    for row in range(10):
        for k in range(20):
            if (row + k) % 2:
                canvas.rect(k * 0.1, row * 0.1, k * 0.1 + 0.1, row * 0.1 + 0.1, mix(_WICKER, _BLACK, 0.35))
    for k in range(4):
        canvas.rect(k * 0.5 + 0.23, 0.0, k * 0.5 + 0.27, 1.0, mix(_WICKER, _BLACK, 0.6))
    skins = {"": Skin(canvas.picture), "+y": plain(_BLACK), "-y": plain(_LEATHER)}
    parts = box((-half, floor, -half * 0.8), (half, top, half * 0.8), skins, bevel=0.08)
    leather = plain(_LEATHER)
    deep = half * 0.8
    for low, high in ((floor - 0.06, floor + 0.12), (top - 0.1, top + 0.08)):
        for side in (-1, 1):
            x0, x1 = sorted((side * (half + 0.05), side * (half - 0.1)))
            z0, z1 = sorted((side * (deep + 0.05), side * (deep - 0.1)))
            parts += box((x0, low, -deep + 0.1), (x1, high, deep - 0.1), leather)
            parts += box((-half - 0.05, low, z0), (half + 0.05, high, z1), leather)
    return parts


def _rigging(mouth: float, low: float, half: float, floor: float) -> list[Part]:
    """Ropes from the mouth to the burner's frame, poles from there to the basket, burner."""
    rope, steel = plain(_BLACK), plain((0.35, 0.36, 0.38))
    top, frame, deep = floor + 1.15, floor + 2.6, half * 0.8
    parts: list[Part] = []
    for x in (-1.0, 1.0):
        for z in (-1.0, 1.0):
            corner = (x * half * 0.85, frame, z * deep * 0.85)
            parts.append(tube([(x * half * 0.95, top - 0.1, z * deep * 0.95), corner], 0.06, rope, sides=6))
            for turn in (-20.0, 0.0, 20.0):
                angle = np.arctan2(x, z) + np.radians(turn)
                end = (1.02 * mouth * np.sin(angle), low + 0.15, 1.02 * mouth * np.cos(angle))
                parts.append(tube(np.round([corner, end], 7), 0.035, rope, sides=5))
    for side in (-1, 1):
        x, z = side * half * 0.85, side * deep * 0.85
        parts += box((-half * 0.85, frame - 0.05, z - 0.05), (half * 0.85, frame + 0.05, z + 0.05), steel)
        parts += box((x - 0.05, frame - 0.04, -deep * 0.85), (x + 0.05, frame + 0.04, deep * 0.85), steel)
        burner = lathe([(0.0, -0.1), (0.2, -0.1), (0.26, 0.4), (0.0, 0.4)], steel, segments=12)
        parts.append(moved(burner, (side * 0.3, frame, 0.0)))
    parts += box((-half * 0.8, frame - 0.03, -0.08), (half * 0.8, frame + 0.03, 0.08), steel)
    return parts


def _person(place: tuple[float, float, float], shirt: Color) -> list[Part]:
    """Body, arms' breadth and head of somebody who stands in the basket, seen from the chest upwards."""
    body = lathe([(0.0, 0.0), (0.22, 0.0), (0.26, 1.3), (0.12, 1.48), (0.0, 1.5)], plain(shirt), segments=10)
    ball = [(0.15 * np.cos(a), 1.65 + 0.18 * np.sin(a)) for a in np.linspace(-np.pi / 2, np.pi / 2, 7)]
    ball[0], ball[-1] = (0.0, 1.47), (0.0, 1.83)
    head = lathe(ball, plain((0.80, 0.58, 0.45)), segments=10)
    return [moved(body, place), moved(head, place)]
