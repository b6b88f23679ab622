"""A backpack: two zipped compartments, a front pocket, pockets at the sides, straps behind. Lengths are decimetres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Array, Part, Skin, Vector, box, corner_normals, mirrored, moved, plain, tube, turned
from posetest.objects.slabs import arch, slab

LABELS = ("backpack, back pack, knapsack, packsack, rucksack, haversack",)

_BLACK: Color = (0.06, 0.06, 0.07)
_LEATHER: Color = (0.42, 0.24, 0.12)
_METAL: Color = (0.74, 0.75, 0.76)
#: Cloth of the body and of the pockets.
_CLOTHS: tuple[tuple[Color, Color], ...] = (
    ((0.68, 0.09, 0.10), (0.60, 0.08, 0.09)),
    ((0.10, 0.16, 0.36), (0.07, 0.11, 0.26)),
    ((0.68, 0.09, 0.10), (0.14, 0.14, 0.15)),
    ((0.10, 0.10, 0.11), (0.16, 0.16, 0.17)),
    ((0.28, 0.32, 0.18), (0.22, 0.25, 0.14)),
    ((0.06, 0.35, 0.55), (0.16, 0.17, 0.19)),
    ((0.88, 0.42, 0.07), (0.80, 0.36, 0.05)),
)

#: Where the compartments lie from back to front: z of the back, between them, of the second one's front.
_BACK, _MIDDLE, _FRONT = -0.85, 0.10, 0.72


class _Size(NamedTuple):
    """The body from the front."""

    half: float
    high: float
    pocket: float  # height of the front pocket's top


def build(seed: int = 0) -> BuiltObject:
    """A backpack; seed 0 is the bundled one, others vary proportions, cloth, pockets, base and patch."""
    vary = Variation(seed)
    size = _Size(vary.number(1.5, 1.38, 1.6), vary.number(4.4, 4.1, 4.7), vary.number(2.2, 2.0, 2.35))
    cloth, pocket = vary.pick(_CLOTHS[0], _CLOTHS)
    trim = plain(mix(cloth, _BLACK, 0.75))
    teeth = plain(vary.pick((0.12, 0.12, 0.13), (_METAL, (0.70, 0.52, 0.20))))
    parts = _body(size, plain(cloth), trim, teeth)
    parts += _front_pocket(size, plain(pocket), trim, teeth, vary.chance(True, 0.6))
    parts += _patch(size, vary.pick(_LEATHER, ((0.15, 0.13, 0.12), (0.62, 0.45, 0.28))))
    side = _side_pocket(size, plain(mix(pocket, _BLACK, 0.25)), trim)
    parts += [*side, *(mirrored(p) for p in side)]
    parts += _base(size, plain(vary.pick(_BLACK, (_LEATHER, pocket))))
    parts += _carrying(size, trim)
    return BuiltObject(assemble("backpack", parts), LABELS)


def _cushion(
    outline: Array, low: float, high: float, skin: Skin, *, round_: float = 0.16, puff: float = 0.12, limp: float = 0.06
) -> Part:
    """A stuffed body over an outline, its front edge rounded over ``round_``, its back edge less."""
    middle = (0.0, float(outline[:, 1].mean()))
    size = float(np.abs(outline[:, 0]).max())
    depths = [(low, 1 - 0.6 * round_ / size), (low + 0.5 * round_, 1.0), (high - round_, 1.0)]
    for angle in (0.35, 0.7, 1.0):
        a = angle * np.pi / 2
        depths.append((high - round_ + round_ * float(np.sin(a)), 1 - round_ / size * (1 - float(np.cos(a)))))
    inner = 1 - round_ / size
    depths += [(high + puff * lift, inner * factor) for factor, lift in ((0.75, 0.6), (0.4, 0.95))]
    return _creased(slab(outline, middle, depths, skin, crease_deg=50.0), limp)


def _creased(part: Part, limp: float) -> Part:
    """The part with the folds of soft cloth, up to ``limp`` deep."""
    x, y, z = part.verts.T
    wave = np.sin(2.9 * x + 1.7 * y + 0.6) + np.sin(4.3 * y - 1.9 * x + 2.0 * z) + 0.7 * np.sin(7.1 * y + 3.1 * x)
    out = _outward(part)
    verts = np.round(part.verts + out * (limp / 2.7 * wave)[:, None], 6)
    return replace(part, verts=verts, normals=corner_normals(verts, part.faces, 50.0))


def _outward(part: Part) -> Array:
    """The mean normal at each vertex, float64 [v, 3]."""
    total = np.zeros_like(part.verts)
    np.add.at(total, part.faces.ravel(), part.normals.reshape(-1, 3))
    unit: Array = total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-9)
    return unit


def _zip(outline: Array, z: float, low: float, trim: Skin, teeth: Skin) -> list[Part]:
    """A zip along an outline above ``low``: its tape with the row of teeth on it, and a pull hanging from it."""
    path = [(float(x), float(y), z) for x, y in outline if y > low]
    pull = path[3]
    return [
        tube(path, [(0.035, 0.085)] * len(path), trim, sides=6),
        tube(path, [(0.055, 0.025)] * len(path), teeth, sides=4),
        *box((pull[0], pull[1] - 0.42, z - 0.04), (pull[0] + 0.06, pull[1], z + 0.04), plain(_METAL)),
    ]


def _body(size: _Size, cloth: Skin, trim: Skin, teeth: Skin) -> list[Part]:
    """The two compartments with their zips over the top."""
    rear = arch(size.half, 0.0, size.high, 1.15, 0.45, steps=5)
    second = arch(size.half - 0.10, 0.06, size.high - 0.45, 1.10, 0.45, steps=5)
    return [
        _cushion(rear, _BACK, _MIDDLE, cloth, round_=0.2),
        _cushion(second, _MIDDLE - 0.2, _FRONT, cloth, round_=0.3),
        *_zip(rear, -0.35, 1.9, trim, teeth),
        *_zip(second, 0.30, 2.1, trim, teeth),
    ]


def _front_pocket(size: _Size, cloth: Skin, trim: Skin, teeth: Skin, second: bool) -> list[Part]:
    """The big pocket low on the front with its zip, and a flat one above it."""
    low = arch(size.half - 0.26, 0.22, size.pocket, 0.55, 0.35, steps=4)
    parts = [_cushion(low, _FRONT - 0.25, _FRONT + 0.36, cloth, round_=0.22)]
    parts += _zip(low, _FRONT + 0.10, size.pocket - 0.75, trim, teeth)
    if second:
        y = size.pocket + 0.25
        bar = [(-size.half * 0.55, y, _FRONT + 0.13), (0.0, y, _FRONT + 0.13), (size.half * 0.55, y, _FRONT + 0.13)]
        parts.append(tube(bar, [(0.08, 0.03)] * 3, trim, sides=6))
        parts.append(tube(bar, [(0.025, 0.05)] * 3, teeth, sides=4))
    return parts


def _patch(size: _Size, leather: Color) -> list[Part]:
    """The lash tab with its two slots, a diamond high on the front."""
    y = (size.pocket + size.high) / 2
    canvas = Canvas.blank(0.6, 0.6, 64.0, leather)
    for x in (0.21, 0.39):
        canvas.line([(x - 0.09, x + 0.09), (x + 0.09, x - 0.09)], 0.07, _BLACK)
    tab = box((-0.3, -0.3, -0.12), (0.3, 0.3, 0.05), {"": plain(leather), "+z": Skin(canvas.picture)}, bevel=0.015)
    return [moved(turned(turned(p, "z", 45), "x", -6), (0.0, y, _FRONT + 0.06)) for p in tab]


def _side_pocket(size: _Size, mesh: Skin, trim: Skin) -> list[Part]:
    """The open pocket for a bottle at +x, its hem, and the strap with a buckle above it."""
    outline = arch(0.62, 0.15, 1.65, 0.12, 0.3, steps=2)
    bag = _cushion(outline, 0.0, 0.32, mesh, round_=0.2)
    hem = tube([(-0.62, 1.62, 0.08), (-0.3, 1.60, 0.30), (0.3, 1.60, 0.30), (0.62, 1.62, 0.08)], 0.06, trim, sides=6)
    x = size.half - 0.06
    return [
        *(moved(turned(p, "y", 90), (x, 0.0, -0.12)) for p in (bag, hem)),
        tube(
            [(x + 0.05, 2.5, -0.75), (x + 0.10, 2.45, -0.2), (x - 0.02, 2.4, 0.55)],
            [(0.04, 0.1)] * 3,
            trim,
            sides=6,
            up=(0, 1, 0),
        ),
        *box((x + 0.04, 2.33, -0.3), (x + 0.17, 2.57, 0.02), plain(_BLACK), bevel=0.03),
    ]


def _base(size: _Size, skin: Skin) -> list[Part]:
    """The stronger cloth below, drawn up the sides."""
    outline = arch(size.half + 0.04, -0.04, 0.62, 0.08, 0.46, steps=3)
    return [_cushion(outline, _BACK - 0.03, _MIDDLE + 0.05, skin, round_=0.12)]


def _carrying(size: _Size, trim: Skin) -> list[Part]:
    """The handle on top, padded shoulder straps and their webbing, and the padding of the back."""
    top = size.high
    handle = [(-0.42, top - 0.15, _BACK + 0.1), (-0.34, top + 0.16, _BACK + 0.02), (0.0, top + 0.28, _BACK)]
    handle += [(-x, y, z) for x, y, z in reversed(handle[:-1])]
    parts = [tube(handle, [(0.05, 0.12)] * len(handle), trim, sides=8)]
    above = [(0.50, top - 0.35, _BACK + 0.15), (0.52, top - 0.25, _BACK - 0.2), (0.60, top - 0.65, _BACK - 0.4)]
    below = [(0.78, top - 1.5, _BACK - 0.48), (0.95, top - 2.3, _BACK - 0.48), (1.06, 1.45, _BACK - 0.42)]
    strap = _bent([*above, *below])
    webbing = _bent([(1.05, 1.55, _BACK - 0.45), (1.12, 0.9, _BACK - 0.3), (1.18, 0.42, _BACK + 0.05)])
    right = [
        tube(strap, [(0.09, 0.31)] * len(strap), trim, sides=8, up=(1, 0, 0)),
        tube(webbing, [(0.035, 0.12)] * len(webbing), trim, sides=6, up=(1, 0, 0)),
        *box((0.90, 1.40, _BACK - 0.58), (1.22, 1.62, _BACK - 0.36), plain(_BLACK), bevel=0.04),
    ]
    parts += [*right, *(mirrored(p) for p in right)]
    cushion = arch(0.42, 0.75, top - 0.8, 0.3, 0.3, steps=2)
    back = turned(_cushion(cushion, 0.0, 0.16, trim, round_=0.1), "y", 180)
    parts += [moved(back, (x, 0.0, _BACK + 0.04)) for x in (-0.55, 0.55)]
    return parts


def _bent(points: Sequence[Vector]) -> Array:
    """Points along a smooth curve through the given ones, which bends as a strap does."""
    p = np.asarray(points, dtype=np.float64)
    knots = np.arange(len(p))
    fine = np.linspace(0, len(p) - 1, 2 * len(p) + 1)
    # Rounding the corners: the mean of the polyline a little before and a little after each place.
    ways = [np.clip(fine + d, 0, len(p) - 1) for d in (-0.3, 0.0, 0.3)]
    columns = [sum(np.interp(w, knots, p[:, k]) for w in ways) / 3 for k in range(3)]
    return np.round(np.stack(columns, axis=1), 6)
