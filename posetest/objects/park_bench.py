"""A park bench: wooden slats on cast-iron sides with scrolls. Lengths are metres; who sits looks towards +z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Array, Part, Skin, box, moved, plain, tube, turned

LABELS = ("park bench",)

_BLACK: Color = (0.06, 0.06, 0.07)
_TEAK: Color = (0.48, 0.28, 0.13)
_WOODS: tuple[Color, ...] = (
    _TEAK,
    (0.42, 0.23, 0.11),
    (0.64, 0.44, 0.25),
    (0.46, 0.40, 0.33),
    (0.12, 0.28, 0.18),
)
_IRONS: tuple[Color, ...] = ((0.07, 0.07, 0.08), (0.08, 0.18, 0.13), (0.22, 0.22, 0.23))

#: Points (z, y) of the side frame: the rail under the seat and up the back, seen from +x with the front on the left.
Profile = Sequence[tuple[float, float]]


class _Shape(NamedTuple):
    """Sizes of a bench."""

    half: float  # of its length
    seat: float  # height
    lean: float  # of the back, metres back per metre up
    back: float  # height of the top above the seat


def build(seed: int = 0) -> BuiltObject:
    """A park bench; seed 0 is the bundled one, others vary length, slats, wood, iron and the middle support."""
    vary = Variation(seed)
    shape = _Shape(
        vary.number(0.72, 0.62, 0.9),
        vary.number(0.44, 0.41, 0.46),
        vary.number(0.30, 0.2, 0.36),
        vary.number(0.44, 0.38, 0.5),
    )
    wood = vary.pick(_TEAK, _WOODS)
    skins = [Skin(_grain(mix(wood, _BLACK, dark), k)) for k, dark in enumerate((0.0, 0.07, 0.14))]
    iron = plain(vary.pick(_IRONS[0], _IRONS))
    parts = _slats(shape, skins, vary.integer(6, 5, 7), vary.integer(5, 3, 6))
    side = _side(shape, iron)
    inset = shape.half - 0.10
    parts += [moved(p, (x, 0.0, 0.0)) for x in (-inset, inset) for p in side]
    if vary.chance(False, 0.2):
        parts += [*_legs(shape, iron), _rail(shape, iron)]
    parts.append(_bar(inset, (-0.06, 0.17), iron))
    return BuiltObject(assemble("park_bench", parts), LABELS)


def _grain(color: Color, k: int) -> NDArray[np.uint8]:
    """A plank of one colour with a few darker streaks along it."""
    canvas = Canvas.blank(4.0, 0.4, 32.0, color)
    for i in range(3):
        y = 0.07 + 0.12 * i + 0.02 * k
        start = (0.9 * i + 1.3 * k) % 3.0
        canvas.rect(start, y, start + 1.6, y + 0.03, mix(color, _BLACK, 0.16))
    return canvas.picture


def _along(profile: Profile, count: int) -> list[tuple[float, float, float]]:
    """``count`` places evenly along a polyline of (z, y): z, y and the slope there in degrees."""
    p = np.asarray(profile, dtype=np.float64)
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))])
    at = (np.arange(count) + 0.5) / count * length[-1]
    z, y = np.interp(at, length, p[:, 0]), np.interp(at, length, p[:, 1])
    k = np.clip(np.searchsorted(length, at) - 1, 0, len(p) - 2)
    step = np.diff(p, axis=0)[k]
    slope = np.degrees(np.arctan2(step[:, 1], -step[:, 0]))
    return [(float(a), float(b), float(round(c, 6))) for a, b, c in zip(z, y, slope, strict=True)]


def _seat_line(shape: _Shape) -> Profile:
    """The top of the seat from its rounded front edge to the back."""
    s = shape.seat
    return [(0.275, s - 0.06), (0.255, s - 0.015), (0.20, s), (0.0, s - 0.025), (-0.20, s - 0.03)]


def _back_line(shape: _Shape) -> Profile:
    """The front of the back from below to its top."""
    s, up = shape.seat, shape.back
    foot = -0.225
    return [
        (foot, s + 0.05),
        (foot - shape.lean * up * 0.5, s + 0.05 + up * 0.5),
        (foot - shape.lean * up * 1.1, s + up),
    ]


def _slats(shape: _Shape, skins: Sequence[Skin], seat: int, back: int) -> list[Part]:
    """The planks of seat and back, lying on their lines."""
    parts = []
    for line, count in ((_seat_line(shape), seat), (_back_line(shape), back)):
        p = np.asarray(line)
        pitch = float(np.linalg.norm(np.diff(p, axis=0), axis=1).sum()) / count
        wide = pitch * 0.40
        for k, (z, y, slope) in enumerate(_along(line, count)):
            plank = box(
                (-shape.half, -0.028, -wide), (shape.half, 0.0, wide), skins[(2 * k + count) % len(skins)], bevel=0.007
            )
            parts += [moved(turned(part, "x", slope), (0.0, y, z)) for part in plank]
    return parts


def _iron(path: Sequence[tuple[float, float]] | Array, skin: Skin, thick: float = 0.014, wide: float = 0.022) -> Part:
    """A cast bar along (z, y) points in the plane x = 0."""
    points = [(0.0, float(y), float(z)) for z, y in path]
    return tube(points, [(thick, wide)] * len(points), skin, sides=6, up=(1, 0, 0))


def _curve(points: Sequence[tuple[float, float]], steps: int = 3) -> list[tuple[float, float]]:
    """A smooth line through the points (Catmull-Rom)."""
    p = np.asarray([points[0], *points, points[-1]], dtype=np.float64)
    out = []
    for k in range(1, len(p) - 2):
        a, b, c, d = p[k - 1 : k + 3]
        for t in np.arange(steps) / steps:
            q = b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
            out.append((round(float(q[0]), 6), round(float(q[1]), 6)))
    return [*out, (float(p[-1][0]), float(p[-1][1]))]


def _scroll(z: float, y: float, radius: float, start: float, sweep: float) -> list[tuple[float, float]]:
    """A spiral inwards about (z, y) from the angle ``start`` over ``sweep``, both in degrees; 0 looks towards +z."""
    share = np.linspace(0.0, 1.0, 12)
    angle = np.radians(start + sweep * share)
    r = radius * (1 - 0.68 * share)
    return [
        (round(float(a), 6), round(float(b), 6))
        for a, b in zip(z + r * np.cos(angle), y + r * np.sin(angle), strict=True)
    ]


def _rail(shape: _Shape, iron: Skin) -> Part:
    """The bar under the seat that turns up behind the back."""
    drop = 0.042
    under = [(z - 0.005, y - drop) for z, y in _seat_line(shape)[1:]]
    behind = [(z - drop, y + 0.01) for z, y in _back_line(shape)]
    return _iron(_curve([*under, *behind]), iron)


def _legs(shape: _Shape, iron: Skin) -> list[Part]:
    """A front leg and a back leg, both swung outwards at the foot."""
    s = shape.seat
    front = [(0.20, s - 0.03), (0.235, s - 0.12), (0.19, s * 0.45), (0.215, 0.06), (0.27, 0.014), (0.31, 0.014)]
    rear = [(-0.20, s - 0.06), (-0.20, s * 0.6), (-0.25, s * 0.3), (-0.32, 0.06), (-0.37, 0.014), (-0.41, 0.014)]
    return [_iron(_curve(leg), iron, 0.017, 0.024) for leg in (front, rear)]


def _side(shape: _Shape, iron: Skin) -> list[Part]:
    """One cast side: rail, legs, arm with its scroll, and the scrolls below the seat."""
    s = shape.seat
    at_back = _back_line(shape)[1][0] - 0.03
    arm = [(at_back, s + 0.23), (-0.05, s + 0.245), (0.14, s + 0.225)]
    curl = _scroll(0.19, s + 0.155, 0.072, 90.0, -420.0)
    post = [(0.20, s - 0.03), (0.235, s + 0.03), (0.21, s + 0.10)]
    parts = [_rail(shape, iron), *_legs(shape, iron)]
    parts.append(_iron([*_curve(arm), *curl], iron, 0.015, 0.026))
    parts.append(_iron(_curve(post), iron))
    # Brace between the legs, ending in two scrolls.
    parts.append(
        _iron(_curve([(0.19, 0.18), (0.06, 0.24), (-0.06, 0.17), (-0.16, 0.22), (-0.27, 0.16)]), iron, 0.011, 0.016)
    )
    parts.append(_iron(_scroll(0.10, s - 0.115, 0.075, 100.0, 400.0), iron, 0.011, 0.016))
    parts.append(_iron(_scroll(-0.10, s - 0.135, 0.075, 80.0, -400.0), iron, 0.011, 0.016))
    parts.append(_iron(_scroll(0.06, s + 0.10, 0.08, 90.0, 420.0), iron, 0.010, 0.014))
    return parts


def _bar(half: float, place: tuple[float, float], iron: Skin) -> Part:
    """The bar that ties both sides together; ``place`` is its (z, y)."""
    z, y = place
    return tube([(-half, y, z), (0.0, y, z), (half, y, z)], 0.012, iron, sides=6)
