"""A barrel: bulging oak staves under iron hoops, heads sunk between them at both ends, a bung at the widest place.

Lengths are metres. The barrel stands on y = 0, the bung looks towards +z.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, box_mapped, lathe, moved, plain, turned

LABELS = ("barrel, cask",)

_BLACK: Color = (0.05, 0.04, 0.04)
_PALE: Color = (0.93, 0.80, 0.60)
_OAK: Color = (0.53, 0.35, 0.195)
_IRON: Color = (0.24, 0.24, 0.25)
_MARKS = ("OAK", "RUM", "WINE", "PORT", "ALE", "RYE")
_SEGMENTS = 40
_RIM = 0.035  # thickness of the staves
_SUNK = 0.045  # depth of the heads below the ends


@dataclass(frozen=True)
class Plan:
    """The measures and colours that the parts of one barrel share."""

    height: float
    end: float  # outer radius at both ends
    bulge: float  # what the widest place has more
    staves: int
    oak: Color
    iron: Color

    def radius(self, y: float) -> float:
        """Outside of the staves at the height ``y``: an arc."""
        t = 2 * y / self.height - 1
        return self.end + self.bulge * (1 - t * t)


def build(seed: int = 0) -> BuiltObject:
    """A barrel; seed 0 is the bundled one, others vary proportions, wood, iron, number of hoops and the mark."""
    vary = Variation(seed)
    plan = Plan(
        height=vary.number(1.0, 0.92, 1.05),
        end=vary.number(0.285, 0.27, 0.30),
        bulge=vary.number(0.075, 0.06, 0.09),
        staves=vary.integer(24, 20, 28),
        oak=vary.color(_OAK, 0.04),
        iron=vary.pick(_IRON, (_IRON, (0.33, 0.31, 0.29), (0.30, 0.22, 0.17))),
    )
    parts = _shell(plan, vary)
    shares = vary.pick((0.0, 0.27), ((0.0, 0.25), (0.0, 0.17, 0.30)))
    for k, share in enumerate(shares):
        wide = 0.062 if k == 0 else 0.052
        low = share * plan.height + (0.004 if k == 0 else 0.0)
        parts.append(_hoop(plan, low, low + wide))
        parts.append(_hoop(plan, plan.height - low - wide, plan.height - low))
        for y in (low + wide / 2, plan.height - low - wide / 2):
            parts += _rivets(plan, y, 70.0 + 40.0 * k)
    parts.append(_bung(plan))
    return BuiltObject(assemble("barrel", parts), LABELS)


def _tone(k: int) -> float:
    """How much darker board ``k`` is, in [0, 1): the same irregular order for every barrel."""
    return ((k * 37 + 11) % 16) / 16.0


def _grain(canvas: Canvas, x0: float, x1: float, y0: float, y1: float, k: int, dark: Color) -> None:
    """A few upright lines of the wood's grain between ``x0`` and ``x1``."""
    for i in range(3):
        x = x0 + (x1 - x0) * (0.2 + 0.3 * i + 0.1 * _tone(5 * k + 3 * i))
        low = y0 + (y1 - y0) * 0.45 * _tone(3 * k + 7 * i)
        high = y1 - (y1 - y0) * 0.45 * _tone(7 * k + 5 * i)
        canvas.line([(x, low), (x + 0.06 * (x1 - x0), (low + high) / 2), (x, high)], 0.004, dark, opacity=0.5)


def _shell(plan: Plan, vary: Variation) -> list[Part]:
    """The staves and the two heads: one closed surface."""
    h, inner = plan.height, plan.end - _RIM
    levels = np.linspace(0.0, h, 13)
    outside = [(inner, 0.0), *((plan.radius(float(y)), float(y)) for y in levels), (inner, h)]
    staves = lathe(outside, _stave_skin(plan), segments=_SEGMENTS)
    sill = [(0.0, _SUNK), (inner, _SUNK), (inner, 0.0)]
    top = [(inner, h), (inner, h - _SUNK), (0.0, h - _SUNK)]
    mark = vary.pick(_MARKS[0], _MARKS)
    parts = [staves]
    for profile, name in ((sill, "-y"), (top, "+y")):
        head = lathe(profile, plain(plan.oak), segments=_SEGMENTS, crease_deg=20.0)
        skins = {"": plain(mix(plan.oak, _BLACK, 0.45)), name: _head_skin(plan, inner, mark)}
        parts += box_mapped(head, skins, (-inner, 0.0, -inner), (inner, h, inner))
    return parts


def _stave_skin(plan: Plan) -> Skin:
    """The staves unrolled."""
    wide, tall = 2 * np.pi * (plan.end + plan.bulge * 0.7), plan.height + 2 * _RIM
    canvas = Canvas.blank(wide, tall, 200.0, plan.oak)
    step = wide / plan.staves
    for k in range(plan.staves):
        tone = _tone(k)
        color = mix(plan.oak, _BLACK, 0.30 * tone) if tone > 0.4 else mix(plan.oak, _PALE, 0.30 * (0.5 - tone))
        canvas.rect(k * step, 0.0, (k + 1) * step, tall, color)
        _grain(canvas, k * step, (k + 1) * step, 0.0, tall, k, mix(plan.oak, _BLACK, 0.6))
    for k in range(plan.staves + 1):
        canvas.line([(k * step, 0.0), (k * step, tall)], 0.008, _BLACK, opacity=0.8)
    return Skin(canvas.picture)


def _head_skin(plan: Plan, radius: float, mark: str) -> Skin:
    """Boards side by side, with the cooper's mark branded into them."""
    size = 2 * radius
    canvas = Canvas.blank(size, size, 200.0, plan.oak)
    step = size / 6
    for k in range(6):
        canvas.rect(k * step, 0.0, (k + 1) * step, size, mix(plan.oak, _PALE, 0.15 + 0.25 * _tone(k)))
        _grain(canvas, k * step, (k + 1) * step, 0.0, size, k, mix(plan.oak, _BLACK, 0.5))
    for k in range(1, 6):
        canvas.line([(k * step, 0.0), (k * step, size)], 0.006, _BLACK, opacity=0.8)
    canvas.text(mark, radius, radius, 0.09, mix(plan.oak, _BLACK, 0.75))
    return Skin(canvas.picture)


def _hoop(plan: Plan, low: float, high: float) -> Part:
    """An iron band that hugs the staves between two heights."""
    thick, sunk = 0.008, -0.006
    levels = (low, high)
    outer = [(plan.radius(y) + thick, y) for y in levels]
    inner = [(plan.radius(y) + sunk, y) for y in reversed(levels)]
    return lathe([inner[-1], *outer, *inner], plain(plan.iron), segments=_SEGMENTS)


def _rivets(plan: Plan, y: float, angle_deg: float) -> list[Part]:
    """Two rivets where the ends of a hoop overlap."""
    cone = [(0.0, -0.01), (0.011, -0.01), (0.008, 0.006), (0.0, 0.008)]
    rivet = turned(lathe(cone, plain(mix(plan.iron, _PALE, 0.25)), segments=8), "x", 90.0)
    out = moved(rivet, (0.0, y, plan.radius(y) + 0.008))
    return [turned(out, "y", angle_deg + 4.0 * side) for side in (-1, 1)]


def _bung(plan: Plan) -> Part:
    """The cork that closes the hole in the side."""
    cork = [(0.0, -0.03), (0.032, -0.03), (0.028, 0.018), (0.024, 0.022), (0.0, 0.022)]
    y = plan.height / 2
    return moved(turned(lathe(cork, plain(_PALE), segments=20), "x", 90.0), (0.0, y, plan.radius(y)))
