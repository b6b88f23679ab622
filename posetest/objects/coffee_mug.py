"""A coffee mug: a thick-walled glazed body, turned as on a wheel, with a handle at its side and a painted motif."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, lathe, plain, tube

LABELS = ("coffee mug", "cup")

_GLAZES: tuple[Color, ...] = (
    (0.93, 0.92, 0.89),
    (0.16, 0.30, 0.55),
    (0.72, 0.16, 0.14),
    (0.20, 0.45, 0.35),
    (0.88, 0.70, 0.22),
    (0.25, 0.25, 0.27),
)
_WORDS = ("COFFEE", "MOM", "DAD", "BOSS", "CAFE", "HELLO", "JAVA")


def build(seed: int = 0) -> BuiltObject:
    """A mug; seed 0 is the bundled one, any other seed varies shape, glaze, motif and filling."""
    vary = Variation(seed)
    height = vary.number(1.0, 0.85, 1.25)
    foot = vary.number(0.40, 0.36, 0.44)
    lip = vary.number(0.435, 0.40, 0.48)
    wall = vary.number(0.035, 0.028, 0.05)
    belly = vary.number(0.0, -0.02, 0.05)
    glaze = vary.pick((0.72, 0.16, 0.14), _GLAZES)
    inside = vary.pick((0.95, 0.94, 0.90), (glaze, (0.95, 0.94, 0.90)))
    profile = _outside(height, foot, lip, belly)
    body = lathe(profile, Skin(_motif(vary, glaze, height, (foot + lip) / 2)), segments=48)
    parts = [body, lathe(_inside(height, foot, lip, belly, wall), plain(inside), segments=48)]
    if vary.chance(True, 0.6):
        parts.append(_coffee(height, foot, lip, wall, vary.number(0.80, 0.6, 0.88)))
    parts.append(_handle(vary, height, foot, lip, belly, glaze))
    return BuiltObject(assemble("coffee_mug", parts), LABELS)


def _radius(t: float, foot: float, lip: float, belly: float) -> float:
    """Outer radius at the height ``t``, a share of the whole."""
    return foot + (lip - foot) * t + belly * 4 * t * (1 - t)


def _outside(height: float, foot: float, lip: float, belly: float) -> list[tuple[float, float]]:
    """From the middle of the underside, round the foot, to the middle of the lip."""
    points = [(0.0, 0.02), (foot * 0.84, 0.02), (foot * 0.88, 0.0), (foot * 0.93, 0.0), (foot * 0.985, 0.025)]
    points += [(_radius(t, foot, lip, belly), t * height) for t in (0.07, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.97)]
    return [*points, (lip - 0.002, 0.985 * height), (lip - 0.009, 0.997 * height), (lip - 0.018, height)]


def _inside(height: float, foot: float, lip: float, belly: float, wall: float) -> list[tuple[float, float]]:
    """From the middle of the lip down to the middle of the bottom."""
    points = [(lip - 0.018, height), (lip - wall, 0.99 * height)]
    points += [(_radius(t, foot, lip, belly) - wall, t * height) for t in (0.95, 0.8, 0.6, 0.4, 0.2)]
    return [*points, (_radius(0.12, foot, lip, belly) - wall * 1.5, 0.1 * height), (foot * 0.7, 0.07), (0.0, 0.065)]


def _coffee(height: float, foot: float, lip: float, wall: float, level: float) -> Part:
    """The surface of the coffee, a thin lens."""
    r = _radius(level, foot, lip, 0.0) - wall + 0.004
    y = level * height
    canvas = Canvas.blank(1.0, 1.0, 16, (0.16, 0.08, 0.04))
    canvas.rect(0.0, 0.0, 1.0, 0.8, (0.20, 0.10, 0.05))
    canvas.rect(0.0, 0.88, 1.0, 1.0, (0.42, 0.25, 0.12))
    lens = [(0.0, y - 0.02), (r, y - 0.01), (r, y), (r * 0.5, y), (0.0, y)]
    return lathe(lens, Skin(canvas.picture), segments=48)


def _handle(vary: Variation, height: float, foot: float, lip: float, belly: float, glaze: Color) -> Part:
    """A bent strap with an oval section, both ends sunk into the wall, at +x."""
    reach, thick, wide = vary.number(0.30, 0.24, 0.36), vary.number(0.045, 0.035, 0.055), vary.number(0.075, 0.06, 0.1)
    top, bottom = vary.number(0.82, 0.76, 0.88) * height, vary.number(0.20, 0.14, 0.3) * height
    square = vary.number(0.75, 0.6, 1.0)
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    path = []
    for t in np.linspace(-1.0, 1.0, 25):
        angle = t * np.pi / 2
        c, s = np.cos(angle), np.sin(angle)
        y = middle + half * np.sign(s) * np.abs(s) ** square
        start = _radius(float(np.clip(y / height, 0, 1)), foot, lip, belly) - 0.02
        path.append((start + reach * np.abs(c) ** square, y, 0.0))
    return tube(np.round(np.array(path), 7), [(thick, wide)] * len(path), plain(glaze), sides=14)


def _motif(vary: Variation, glaze: Color, height: float, radius: float) -> NDArray[np.uint8]:
    """The glaze with something painted on it, unrolled: the front is at the left edge and again at the right one."""
    round_ = 2 * np.pi * radius
    # Along the profile the wall takes the last height's share of the picture; below it is the underside.
    under = radius
    canvas = Canvas.blank(round_, height + under, 110, glaze)
    light = sum(glaze) > 1.8
    ink = vary.pick((0.97, 0.95, 0.90), ((0.15, 0.12, 0.10), (0.95, 0.75, 0.2))) if not light else (0.25, 0.15, 0.12)
    dark = mix(glaze, (0.0, 0.0, 0.0), 0.25)
    canvas.rect(0.0, 0.0, round_, under * 0.95, mix(glaze, (0.85, 0.8, 0.7), 0.6))
    kind = vary.pick("bands", ("word", "stripes", "dots", "plain", "heart"))
    low = under
    if kind in ("bands", "word"):
        canvas.rect(0.0, low + 0.10 * height, round_, low + 0.14 * height, ink)
        canvas.rect(0.0, low + 0.86 * height, round_, low + 0.90 * height, ink)
    if kind == "stripes":
        for k in range(0, 24, 2):
            canvas.rect(k * round_ / 24, low + 0.12 * height, (k + 1) * round_ / 24, low + 0.88 * height, ink)
    if kind == "dots":
        for k in range(12):
            for row in range(4):
                x = (k + 0.5 * (row % 2) + 0.25) * round_ / 12
                canvas.disc(x, low + (0.2 + 0.2 * row) * height, 0.05, ink)
    if kind in ("bands", "heart"):
        for x in (0.0, 0.5 * round_, round_):
            _cup(canvas, x, low + 0.5 * height, 0.34, ink, dark) if kind == "bands" else _heart(
                canvas, x, low + 0.5 * height, 0.3, ink
            )
    if kind == "word":
        word = vary.pick("COFFEE", _WORDS)
        for x in (0.0, 0.5 * round_, round_):
            canvas.text(word, x, low + 0.5 * height, 0.9 / (len(word) + 1), ink)
    return canvas.picture


def _cup(canvas: Canvas, x: float, y: float, size: float, ink: Color, back: Color) -> None:
    """A little steaming cup."""
    s = size / 2
    canvas.disc(x + s * 0.95, y - s * 0.1, s * 0.42, ink, hole=s * 0.24)
    canvas.polygon(
        [(x - s, y + s * 0.35), (x - s * 0.8, y - s * 0.8), (x + s * 0.8, y - s * 0.8), (x + s, y + s * 0.35)], ink
    )
    canvas.rect(x - s * 1.2, y - s * 1.08, x + s * 1.2, y - s * 0.92, ink, radius=s * 0.08)
    for dx in (-0.5, 0.0, 0.5):
        wave = [(x + s * (dx + 0.1 * (k % 2)), y + s * (0.5 + 0.18 * k)) for k in range(5)]
        canvas.line(wave, s * 0.12, ink)


def _heart(canvas: Canvas, x: float, y: float, size: float, ink: Color) -> None:
    s = size / 2
    canvas.disc(x - s * 0.48, y + s * 0.35, s * 0.55, ink)
    canvas.disc(x + s * 0.48, y + s * 0.35, s * 0.55, ink)
    canvas.polygon([(x - s, y + s * 0.15), (x, y - s), (x + s, y + s * 0.15), (x, y + s * 0.45)], ink)
