"""An open umbrella: eight panels over curved ribs, stretchers below, a shaft and a hooked handle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, lathe, loft, plain, tube, turned

LABELS = ("umbrella",)

_PANELS = 8
_ACROSS = 6  # facets of one panel from rib to rib
_STEPS = 11  # rings of one side of the cloth
_CLOTH = 0.012  # thickness

_BLACK: Color = (0.05, 0.05, 0.06)
_WHITE: Color = (0.95, 0.94, 0.92)
_RED: Color = (0.80, 0.07, 0.09)
_BLUE: Color = (0.08, 0.20, 0.58)
_YELLOW: Color = (0.97, 0.80, 0.10)
_GREEN: Color = (0.08, 0.50, 0.24)
_ORANGE: Color = (0.95, 0.45, 0.06)
_PURPLE: Color = (0.40, 0.14, 0.52)
_PINK: Color = (0.93, 0.38, 0.58)
_RAINBOW = (_RED, _ORANGE, _YELLOW, _GREEN, (0.10, 0.60, 0.85), _BLUE, _PURPLE, _PINK)
#: Colours of the panels in turn.
_CLOTHS: tuple[tuple[Color, ...], ...] = (
    (_RED,),
    (_BLACK,),
    (_BLUE, _WHITE),
    (_RED, _WHITE),
    (_YELLOW,),
    (_GREEN, _WHITE),
    _RAINBOW,
)
_WOODS: tuple[Color, ...] = ((0.30, 0.16, 0.07), (0.62, 0.40, 0.20), (0.10, 0.09, 0.09))


class _Dome(NamedTuple):
    """The shape of the canopy in units of its radius: how far its arc turns, and how deep the rim is cut."""

    turn: float
    cut: float

    def rib(self, share: float) -> tuple[float, float]:
        """(radius, y) at a share of the rib's length; the crown is at (0, 0), the tip at radius 1."""
        size = 1 / np.sin(self.turn)
        angle = share * self.turn
        return size * np.sin(angle), size * (np.cos(angle) - 1)


def build(seed: int = 0) -> BuiltObject:
    """An umbrella; seed 0 is the bundled one, others vary the dome, the cloth, its rim and the handle."""
    vary = Variation(seed)
    dome = _Dome(np.radians(vary.number(60.0, 52.0, 68.0)), vary.number(0.075, 0.05, 0.1))
    colors = vary.pick((_BLUE, _WHITE), _CLOTHS)
    length = vary.number(1.62, 1.5, 1.75)
    steel = plain(vary.pick((0.72, 0.73, 0.75), ((0.12, 0.12, 0.13), (0.60, 0.50, 0.30))))
    wood = plain(vary.pick(_WOODS[0], _WOODS))
    cloth = Skin(_cloth(vary, colors))
    parts = [_canopy(dome, cloth), *_ribs(dome, steel, vary.number(0.50, 0.44, 0.56))]
    parts += _shaft(length, steel, wood)
    parts.append(_hook(length, vary.number(0.115, 0.1, 0.13), vary.number(0.026, 0.022, 0.03), wood))
    return BuiltObject(assemble("umbrella", parts), LABELS)


def _canopy(dome: _Dome, skin: Skin) -> Part:
    """The cloth: its underside from the crown to the rim, then its upper side back. u = 0 is the rib at +z."""
    around = _PANELS * _ACROSS
    angle = np.arange(around) * (2 * np.pi / around)
    across = (np.arange(around) % _ACROSS) / _ACROSS * 2 - 1  # -1 at a rib, 0 in the middle of a panel
    middle = 1 - across**2
    # Cloth stretched between ribs runs nearly straight from one to the next, and sags a little.
    half = np.pi / _PANELS
    straight = np.cos(half) / np.cos(across * half)
    rings = []
    shares = np.linspace(0.0, 1.0, _STEPS)
    for share, lift in [(s, -_CLOTH) for s in shares] + [(s, 0.0) for s in shares[::-1]]:
        here = share * (1 - dome.cut * middle * share**6)
        radius, y = np.array([dome.rib(float(s)) for s in here]).T
        radius = radius * (straight - 0.012 * middle * share)
        rings.append(np.stack([radius * np.sin(angle), y + lift, radius * np.cos(angle)], axis=1))
    return loft(np.stack(rings), skin, caps=False, crease_deg=14.0)


def _cloth(vary: Variation, colors: Sequence[Color]) -> NDArray[np.uint8]:
    """Panels side by side, unrolled: the lower half of the picture is the underside, seen with its rim on top."""
    canvas = Canvas.blank(float(_PANELS), 4.0, 40.0, _BLACK)
    border = vary.chance(False, 0.4)
    edge = vary.pick(_WHITE, (_BLACK, _YELLOW))
    for k in range(_PANELS):
        color = colors[k % len(colors)]
        canvas.rect(k, 2.0, k + 1, 4.0, color)
        canvas.rect(k, 0.0, k + 1, 2.0, mix(color, _BLACK, 0.35))
    if border:
        canvas.rect(0.0, 2.12, float(_PANELS), 2.34, edge)
        canvas.rect(0.0, 1.66, float(_PANELS), 1.88, mix(edge, _BLACK, 0.35))
    for k in range(_PANELS + 1):  # seams
        canvas.rect(k - 0.02, 0.0, k + 0.02, 4.0, _BLACK, opacity=0.45)
    return canvas.picture


def _ribs(dome: _Dome, steel: Skin, joint: float) -> list[Part]:
    """Ribs under the seams with tips beyond the rim, and stretchers from the runner to the ``joint`` of each rib."""
    path = [(r, y - _CLOTH - 0.006, 0.0) for r, y in (dome.rib(s) for s in np.linspace(0.02, 1.0, 9))]
    rib = tube(path, 0.008, steel, sides=4)
    (r0, y0), (r1, y1) = dome.rib(0.97), dome.rib(1.035)
    tip = tube([(r0, y0 - 0.008, 0.0), (r1, y1 - 0.008, 0.0)], 0.014, steel, sides=6)
    r, y = dome.rib(joint)
    stretcher = tube([(0.02, _runner(dome), 0.0), (r, y - _CLOTH - 0.01, 0.0)], 0.008, steel, sides=4)
    return [turned(part, "y", k * 360 / _PANELS + 90) for k in range(_PANELS) for part in (rib, tip, stretcher)]


def _runner(dome: _Dome) -> float:
    """Height of the ring that carries the stretchers."""
    return dome.rib(1.0)[1] + 0.06


def _shaft(length: float, steel: Skin, wood: Skin) -> list[Part]:
    """The shaft down to the handle, the ferrule on the crown, and the runner."""
    rod = [(0.0, -length + 0.3), (0.017, -length + 0.3), (0.017, -0.03), (0.0, -0.03)]
    ferrule = [(0.0, -0.03), (0.05, -0.03), (0.05, 0.012), (0.022, 0.022), (0.018, 0.13), (0.010, 0.16), (0.0, 0.165)]
    runner = [(0.0, -0.56), (0.032, -0.56), (0.032, -0.44), (0.0, -0.44)]
    return [
        lathe(rod, steel, segments=10),
        lathe(ferrule, wood, segments=14),
        lathe(runner, steel, segments=12),
    ]


def _hook(length: float, bend: float, thick: float, wood: Skin) -> Part:
    """The handle: straight, then round by a little more than half a circle towards +x."""
    straight = [(0.0, y, 0.0) for y in (-length + 0.36, -length + 0.2)]
    arc = [(bend * (1 - np.cos(a)), -length - bend * np.sin(a), 0.0) for a in np.linspace(0.0, np.radians(195), 15)]
    path = np.round(np.array([*straight, *arc]), 7)
    return tube(path, thick, wood, sides=12)
