"""Things that are none of the bundled objects: random assemblies of simple bodies with random paint.

They teach a classifier what "other" is. Some come close on purpose: yellow boxes on wheels, cylinders without a
handle, balls with other patterns, posts with blank boards, so that colour or outline alone give nothing away.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from posetest.objects.assemble import assemble
from posetest.objects.paint import Canvas, Color
from posetest.objects.parts import Part, Skin, box, lathe, mirrored, moved, plain, scaled, tube, turned
from posetest.scene.mesh import Mesh

Random = np.random.Generator

#: Colours that the bundled objects wear, so that a distractor may wear them too.
_FAMILIAR: tuple[Color, ...] = (
    (0.96, 0.68, 0.06),
    (0.72, 0.16, 0.14),
    (0.09, 0.09, 0.10),
    (0.95, 0.95, 0.94),
    (0.0, 0.38, 0.22),
    (0.60, 0.61, 0.62),
)
_LETTERS = "ABCDEFGHIJKLMNOPRSTUVWXYZ0123456789"


def distractor(seed: int) -> Mesh:
    """A random object in object units that belongs to none of the bundled classes."""
    rng = np.random.default_rng([seed, 0x0D15])
    kinds: tuple[Callable[[Random], list[Part]], ...] = (_heap, _heap, _cart, _pot, _ball, _board, _tower, _ring)
    return assemble(f"distractor_{seed}", kinds[int(rng.integers(len(kinds)))](rng))


def _between(rng: Random, low: float, high: float) -> float:
    return round(float(rng.uniform(low, high)), 4)


def _color(rng: Random) -> Color:
    if rng.random() < 0.4:
        return _FAMILIAR[int(rng.integers(len(_FAMILIAR)))]
    r, g, b = (round(float(c), 4) for c in rng.uniform(0.03, 0.97, 3))
    return r, g, b


def _skin(rng: Random) -> Skin:
    """Plain, striped, checked, dotted, lettered or windowed."""
    ground, ink = _color(rng), _color(rng)
    canvas = Canvas.blank(1.0, 1.0, 64.0, ground)
    kind = int(rng.integers(0, 7))
    count = int(rng.integers(2, 7))
    for k in range(count):
        near, far = k / count, (k + 0.5) / count
        if kind == 1:
            canvas.rect(0.0, near, 1.0, far, ink)
        elif kind == 2:
            canvas.rect(near, 0.0, far, 1.0, ink)
        elif kind in (3, 4, 5):
            for j in range(count):
                x, y = (j + 0.25) / count, (k + 0.25) / count
                if kind == 3:
                    canvas.disc(x, y, 0.3 / count, ink)
                elif kind == 4:
                    canvas.rect(x, y, x + 0.5 / count, y + 0.5 / count, ink)
                elif (j + k) % 2:
                    canvas.rect(j / count, near, (j + 1) / count, (k + 1) / count, ink)
    if kind == 6:
        word = "".join(_LETTERS[int(i)] for i in rng.integers(0, len(_LETTERS), count))
        canvas.text(word, 0.5, 0.5, 0.8 / count, ink)
    return Skin(canvas.picture)


def _body(rng: Random, low: float = 0.3, high: float = 1.0) -> list[Part]:
    """One simple closed body about the origin."""
    a, b, c = (_between(rng, low, high) for _ in range(3))
    skin = _skin(rng)
    kind = int(rng.integers(0, 6))
    if kind == 0:
        return box((-a, -b, -c), (a, b, c), skin, bevel=_between(rng, 0.01, 0.1) * min(a, b, c))
    if kind == 1:
        return [lathe([(0.0, -b), (a, -b), (a, b), (0.0, b)], skin, segments=24)]
    if kind == 2:
        return [lathe([(0.0, -b), (a, -b), (a * _between(rng, 0.0, 0.5), b), (0.0, b)], skin, segments=24)]
    if kind == 3:
        return [scaled(_sphere(skin), (a, b, c))]
    if kind == 4:
        return [_torus(a, _between(rng, 0.2, 0.45) * a, skin)]
    angles = np.linspace(-np.pi / 2, np.pi / 2, 14)
    wobble = 1 + 0.35 * np.sin(angles * _between(rng, 2, 6) + _between(rng, 0, 6))
    profile = np.stack([a * np.cos(angles) * wobble, b * np.sin(angles)], axis=1)
    profile[[0, -1], 0] = 0.0
    return [lathe(np.round(profile, 6).tolist(), skin, segments=24, crease_deg=70.0)]


def _sphere(skin: Skin) -> Part:
    angles = np.linspace(-np.pi / 2, np.pi / 2, 13)
    profile = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    profile[[0, -1], 0] = 0.0
    return lathe(np.round(profile, 6).tolist(), skin, segments=24, crease_deg=60.0)


def _torus(radius: float, thick: float, skin: Skin) -> Part:
    angles = np.linspace(0.0, 2 * np.pi, 13)
    profile = np.round(np.stack([radius + thick * np.cos(angles), thick * np.sin(angles)], axis=1), 6)
    return lathe(profile.tolist(), skin, segments=28, crease_deg=60.0)


def _tumbled(rng: Random, parts: list[Part]) -> list[Part]:
    angles = [_between(rng, 0, 360) for _ in range(3)]
    return [turned(turned(turned(p, "x", angles[0]), "y", angles[1]), "z", angles[2]) for p in parts]


def _heap(rng: Random) -> list[Part]:
    """One to five bodies, stuck into each other."""
    parts = []
    for _ in range(int(rng.integers(1, 6))):
        x, y, z = (_between(rng, -0.8, 0.8) for _ in range(3))
        parts += [moved(p, (x, y, z)) for p in _tumbled(rng, _body(rng))]
    return parts


def _cart(rng: Random) -> list[Part]:
    """A box, or two, on wheels: a car or a lorry, but no bus."""
    length, tall, half = _between(rng, 0.8, 2.2), _between(rng, 0.3, 0.8), _between(rng, 0.35, 0.7)
    paint = plain(_color(rng))
    parts = box(
        (-half, 0.2, -length), (half, 0.2 + tall, length), paint if rng.random() < 0.5 else _skin(rng), bevel=0.06
    )
    if rng.random() < 0.7:
        start = _between(rng, -0.8, 0.2) * length
        glass = {
            "": paint if rng.random() < 0.5 else plain(_color(rng)),
            **{d: plain((0.15, 0.18, 0.22)) for d in ("+x", "-x", "+z")},
        }
        top = 0.2 + tall + _between(rng, 0.25, 0.7)
        parts += box(
            (-half * 0.9, 0.15 + tall, start), (half * 0.9, top, start + _between(rng, 0.4, 1.1)), glass, bevel=0.05
        )
    r = _between(rng, 0.2, 0.35)
    wheel = turned(
        lathe([(0.0, -0.1), (r, -0.1), (r, 0.1), (0.0, 0.1)], plain((0.08, 0.08, 0.08)), segments=18), "z", -90
    )
    for z in (-0.65 * length, 0.65 * length):
        placed = moved(wheel, (half, r, z))
        parts += [placed, mirrored(placed)]
    return parts


def _pot(rng: Random) -> list[Part]:
    """A vessel without a handle at its side: bucket, bowl, can, vase, bottle."""
    height, foot, lip = _between(rng, 0.5, 2.4), _between(rng, 0.25, 0.7), _between(rng, 0.3, 0.9)
    belly = _between(rng, -0.1, 0.3)
    outside = [
        (0.0, 0.0),
        *((foot + (lip - foot) * t + belly * 4 * t * (1 - t), t * height) for t in np.linspace(0, 1, 9)),
    ]
    if rng.random() < 0.5:  # open above
        thick = 0.06 * lip
        inner = [(max(0.05, r - thick), y) for r, y in outside[:1:-1]]
        profile = [*outside, *inner, (0.0, thick + 0.12 * height)]
    else:
        neck = _between(rng, 0.1, 0.9) * lip
        profile = [*outside, (neck, height + 0.1), (neck, height + _between(rng, 0.15, 0.7))]
        profile.append((0.0, profile[-1][1]))
    skin = _skin(rng) if rng.random() < 0.6 else plain(_color(rng))
    parts = [lathe(profile, skin, segments=32)]
    if rng.random() < 0.3:  # a bail over the mouth
        path = [(lip * np.cos(a), height + lip * np.sin(a), 0.0) for a in np.linspace(0, np.pi, 15)]
        parts.append(tube(np.round(np.array(path), 6), 0.04, plain(_color(rng)), sides=8))
    return parts


def _ball(rng: Random) -> list[Part]:
    """A ball that is no soccer ball: plain, striped, dotted or checked."""
    skin = plain(_color(rng)) if rng.random() < 0.3 else _skin(rng)
    return _tumbled(rng, [_sphere(skin)])


def _board(rng: Random) -> list[Part]:
    """A post with a blank or patterned board, a lamp or a box on top."""
    r, tall = _between(rng, 0.03, 0.1), _between(rng, 0.8, 2.0)
    parts = [lathe([(0.0, 0.0), (r, 0.0), (r, tall), (0.0, tall)], plain(_color(rng)), segments=14)]
    kind = int(rng.integers(0, 3))
    if kind == 0:
        w, h = _between(rng, 0.2, 0.5), _between(rng, 0.2, 0.6)
        skin = plain(_color(rng)) if rng.random() < 0.6 else _skin(rng)
        return parts + box((-w, tall - h, r), (w, tall + h, r + 0.03), {"": plain((0.7, 0.7, 0.7)), "+z": skin})
    if kind == 1:
        return [*parts, moved(scaled(_sphere(plain(_color(rng))), (0.35, 0.35, 0.35)), (0.0, tall + 0.2, 0.0))]
    body = box((-0.25, tall, -0.2), (0.25, tall + _between(rng, 0.3, 0.9), 0.2), _skin(rng), bevel=0.04)
    return parts + body


def _tower(rng: Random) -> list[Part]:
    """A slender block with one or two discs on its front, or a plain one."""
    tall, half = _between(rng, 0.8, 1.6), _between(rng, 0.2, 0.5)
    body = _color(rng)
    parts = box((-half, -tall, -half), (half, tall, half), plain(body), bevel=0.05)
    for k in range(int(rng.integers(0, 3))):
        r = _between(rng, 0.4, 0.9) * half
        disc = lathe([(0.0, -0.03), (r, -0.03), (r, 0.03), (0.0, 0.03)], plain(_color(rng)), segments=24)
        parts.append(moved(turned(disc, "x", 90), (0.0, tall * (0.5 - 0.9 * k), half)))
    return parts


def _ring(rng: Random) -> list[Part]:
    """A torus, sometimes with something through it."""
    parts = _tumbled(rng, [_torus(0.8, _between(rng, 0.08, 0.35), _skin(rng))])
    if rng.random() < 0.5:
        parts += _tumbled(rng, _body(rng, 0.15, 0.5))
    return parts
