"""A parking meter: a coin meter's head with an arched window in front and behind, on a pole. Lengths are decimetres."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Array, Part, Skin, box, box_mapped, lathe, moved, plain, tube, turned
from posetest.objects.slabs import slab

LABELS = ("parking meter",)

_BLACK: Color = (0.06, 0.06, 0.07)
_WHITE: Color = (0.94, 0.94, 0.92)
_CHROME: Color = (0.78, 0.79, 0.80)
_RED: Color = (0.80, 0.08, 0.07)
_YELLOW: Color = (0.95, 0.76, 0.12)
_GRAPHITE: Color = (0.23, 0.25, 0.27)
_PAINTS: tuple[Color, ...] = (
    (0.42, 0.44, 0.46),
    (0.16, 0.17, 0.19),
    (0.10, 0.24, 0.18),
    (0.20, 0.27, 0.36),
    (0.30, 0.25, 0.18),
)
_TARIFFS = (("12 MIN", "5 CENTS"), ("1 HOUR", "25 CENTS"), ("30 MIN", "10 CENTS"), ("2 HOURS", "1 EURO"))


class _Head(NamedTuple):
    """Sizes of a head: it stands on y = 0, is widest at ``shoulder`` and ends in half a circle of radius ``half``."""

    foot: float
    half: float
    shoulder: float
    deep: float

    @property
    def centre(self) -> float:
        """Height of the middle of the window's arch."""
        return self.shoulder + 0.55

    @property
    def top(self) -> float:
        return self.centre + self.half


def build(seed: int = 0) -> BuiltObject:
    """A parking meter; seed 0 is the bundled one, others vary head, paint, dial, tariff, pole and how many heads."""
    vary = Variation(seed)
    head = _Head(
        vary.number(0.66, 0.6, 0.74),
        vary.number(0.84, 0.78, 0.90),
        vary.number(1.45, 1.35, 1.6),
        vary.number(0.52, 0.48, 0.58),
    )
    paint = vary.pick(_GRAPHITE, _PAINTS)
    twin = vary.chance(False, 0.3)
    reach = vary.number(2.7, 2.4, 3.6)
    pole = plain(vary.pick((0.42, 0.43, 0.44), ((0.30, 0.31, 0.32), (0.55, 0.56, 0.57))))
    one = _meter(vary, head, paint)
    if not twin:
        parts = one + _pole(reach, -0.12, pole)
    else:
        apart = head.half + 0.16
        parts = [moved(p, (x, 0.0, 0.0)) for x in (-apart, apart) for p in one] + _yoke(apart, plain(paint))
        parts += _pole(reach, -0.55, pole)
    return BuiltObject(assemble("parking_meter", parts), LABELS)


def _outline(head: _Head) -> Array:
    """The head from the front, from its lower right corner over the top to the lower left one."""
    arch = np.linspace(0.0, np.pi, 17)
    right = [(head.foot, 0.0), (head.foot + 0.02, 0.3), (head.half, head.shoulder)]
    left = [(-x, y) for x, y in reversed(right)]
    over = [(head.half * np.cos(a), head.centre + head.half * np.sin(a)) for a in arch]
    return np.round(np.array([*right, *over, *left]), 7)


def _meter(vary: Variation, head: _Head, paint: Color) -> list[Part]:
    """One head with all that is on it."""
    d = head.deep
    edge = plain(mix(paint, _BLACK, 0.3))
    shell = slab(
        _outline(head),
        (0.0, 1.2),
        [(-d, 0.88), (-d + 0.12, 0.98), (-d + 0.2, 1.0), (d - 0.2, 1.0), (d - 0.12, 0.98), (d, 0.88)],
        plain(paint),
    )
    parts = [shell]
    # The seam between the lower housing and the cap.
    w = head.half
    parts += box(
        (-w - 0.02, head.shoulder - 0.07, -d - 0.03), (w + 0.02, head.shoulder + 0.07, d + 0.03), edge, bevel=0.04
    )
    tariff = vary.pick(_TARIFFS[0], _TARIFFS)
    expired = vary.chance(False, 0.4)
    share = vary.number(0.35, 0.1, 0.9)
    front = Skin(_dial(head, share, expired, tariff[0]).picture)
    parts += _window(head, front)
    parts += [turned(p, "y", 180) for p in _window(head, Skin(_back(head, expired).picture))]
    parts += _coin_side(head, paint, tariff)
    parts += _vault(head, paint)
    return parts


def _window_outline(head: _Head, margin: float) -> Array:
    """The arch of a window, ``margin`` inside the head's outline."""
    r = head.half - margin
    arch = np.linspace(0.0, np.pi, 17)
    right = [(r, head.shoulder + margin)]
    over = [(r * np.cos(a), head.centre + r * np.sin(a)) for a in arch]
    return np.round(np.array([*right, *over, (-r, head.shoulder + margin)]), 7)


def _window(head: _Head, glass: Skin) -> list[Part]:
    """The window on the front: a bright frame and bulging glass with the dial behind it."""
    d, middle = head.deep, (0.0, head.centre - 0.05)
    frame = slab(
        _window_outline(head, 0.10), middle, [(d - 0.2, 1.0), (d + 0.02, 1.0), (d + 0.05, 0.96)], plain(_CHROME)
    )
    inner = _window_outline(head, 0.19)
    bulge = [(d - 0.1, 1.0), (d + 0.09, 1.0), (d + 0.17, 0.93), (d + 0.23, 0.78), (d + 0.27, 0.5), (d + 0.285, 0.2)]
    pane = slab(inner, middle, bulge, glass)
    low, high = inner.min(axis=0), inner.max(axis=0)
    return [
        frame,
        *box_mapped(pane, {"": plain((0.75, 0.77, 0.76)), "+z": glass}, (low[0], low[1], 0.0), (high[0], high[1], 1.0)),
    ]


def _pane(head: _Head, color: Color) -> tuple[Canvas, float, float]:
    """A canvas for a window with the x of its middle and the y of its arch's centre."""
    inner = _window_outline(head, 0.19)
    size = inner.max(axis=0) - inner.min(axis=0)
    return Canvas.blank(size[0], size[1], 110.0, color), size[0] / 2, head.centre - inner[:, 1].min()


def _dial(head: _Head, share: float, expired: bool, limit: str) -> Canvas:
    """What the front window shows: a scale of minutes with its pointer, or the red flag."""
    canvas, x, y = _pane(head, (0.86, 0.86, 0.80))
    r = x
    canvas.disc(x, y, r * 0.92, _BLACK, hole=r * 0.88)
    for k in range(13):
        a = np.pi * (1.0 - k / 12) * 0.86 + np.pi * 0.07
        c, s = float(np.cos(a)), float(np.sin(a))
        inner = 0.66 if k % 3 == 0 else 0.76
        canvas.line([(x + c * r * inner, y + s * r * inner), (x + c * r * 0.88, y + s * r * 0.88)], 0.035, _BLACK)
    for k, minutes in enumerate(("0", "15", "30", "45", "60")):
        a = np.pi * (1.0 - k / 4) * 0.86 + np.pi * 0.07
        canvas.text(minutes, x + float(np.cos(a)) * r * 0.52, y + float(np.sin(a)) * r * 0.52, 0.13, _BLACK)
    if expired:
        canvas.rect(x - r * 0.8, y - 0.12, x + r * 0.8, y + 0.18, _RED)
        canvas.text("EXPIRED", x, y + 0.03, 0.145, _WHITE)
    else:
        a = np.pi * (1.0 - share) * 0.86 + np.pi * 0.07
        canvas.line([(x, y), (x + float(np.cos(a)) * r * 0.8, y + float(np.sin(a)) * r * 0.8)], 0.06, _RED)
        canvas.disc(x, y, 0.09, _RED)
    canvas.rect(0.0, 0.0, 2 * x, y - 0.14, _BLACK)
    canvas.text(f"{limit} LIMIT", x, y - 0.24, 0.11, _WHITE, weight=0.2)
    return canvas


def _back(head: _Head, expired: bool) -> Canvas:
    """What the window behind shows the warden: a green or a red flag."""
    canvas, x, y = _pane(head, (0.80, 0.80, 0.76))
    r = x
    canvas.disc(x, y, r * 0.92, _BLACK, hole=r * 0.86)
    flag = _RED if expired else (0.10, 0.48, 0.25)
    canvas.rect(x - r * 0.7, y - 0.05, x + r * 0.7, y + 0.4, flag)
    canvas.text("EXPIRED" if expired else "PAID", x, y + 0.175, 0.145, _WHITE)
    canvas.rect(0.0, 0.0, 2 * x, y - 0.18, _BLACK)
    return canvas


def _coin_side(head: _Head, paint: Color, tariff: tuple[str, str]) -> list[Part]:
    """The front below the window: plate with the tariff, coin slot, and the handle that is turned after paying."""
    d = head.deep
    wide, low, high = 1.06, 0.62, head.shoulder - 0.16
    canvas = Canvas.blank(wide, high - low, 110.0, _CHROME)
    canvas.rect(0.04, 0.04, wide - 0.04, high - low - 0.04, mix(paint, _BLACK, 0.35), radius=0.04)
    canvas.text(tariff[0], 0.33, high - low - 0.15, 0.12, _YELLOW)
    canvas.text(tariff[1], 0.33, high - low - 0.29, 0.085, _WHITE)
    canvas.rect(0.68, 0.12, 0.98, high - low - 0.1, _CHROME, radius=0.05)
    canvas.rect(0.80, 0.20, 0.86, high - low - 0.18, _BLACK)
    plate = box((-wide / 2, low, d - 0.1), (wide / 2, high, d + 0.03), {"": plain(_CHROME), "+z": Skin(canvas.picture)})
    steel = plain(_CHROME)
    knob = [(0.0, 0.0), (0.15, 0.0), (0.15, 0.06), (0.11, 0.08), (0.11, 0.14), (0.0, 0.15)]
    parts = [*plate, moved(turned(lathe(knob, steel, segments=20), "x", 90), (-0.2, low + 0.15, d + 0.02))]
    parts += box((-0.25, low + 0.03, d + 0.1), (-0.15, low + 0.27, d + 0.26), steel, bevel=0.03)
    return parts


def _vault(head: _Head, paint: Color) -> list[Part]:
    """The coin vault at the foot, thicker than the head, with a locked door in front and behind."""
    d, w = head.deep + 0.05, head.foot + 0.05
    body = box((-w, -0.06, -d), (w, 0.52, d), plain(mix(paint, _BLACK, 0.12)), bevel=0.08)
    door = [(0.0, 0.0), (0.2, 0.0), (0.2, 0.04), (0.17, 0.06), (0.08, 0.06), (0.07, 0.03), (0.0, 0.03)]
    lock = turned(lathe(door, plain(_CHROME), segments=20), "x", 90)
    collar = [(0.0, -0.4), (0.30, -0.4), (0.32, -0.3), (0.45, -0.05), (0.0, -0.05)]
    parts = [*body, moved(lock, (0.0, 0.24, d - 0.01)), turned(moved(lock, (0.0, 0.24, d - 0.01)), "y", 180)]
    return [*parts, lathe(collar, plain(mix(paint, _BLACK, 0.2)), segments=20)]


def _yoke(apart: float, skin: Skin) -> list[Part]:
    """The bar that carries two heads."""
    bar = [(-apart, -0.3, 0.0), (-apart * 0.6, -0.52, 0.0), (apart * 0.6, -0.52, 0.0), (apart, -0.3, 0.0)]
    return [tube(bar, 0.2, skin, sides=12)]


def _pole(reach: float, top: float, skin: Skin) -> list[Part]:
    """The pole from ``top`` down to -``reach``."""
    r = 0.24
    return [lathe([(0.0, -reach), (r, -reach), (r, top), (0.0, top)], skin, segments=18)]
