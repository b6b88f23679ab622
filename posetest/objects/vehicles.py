"""What road vehicles share: wheels with tyre, rim and bolts. Lengths are metres; vehicles look towards +z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import (
    Part,
    Skin,
    Vector,
    box,
    box_mapped,
    circle,
    lathe,
    loft,
    mirrored,
    moved,
    plain,
    turned,
)

_BLACK: Color = (0.06, 0.06, 0.07)


def axle_wheels(half: float, z: float, radius: float, wide: float, hub: Color) -> list[Part]:
    """Two wheels on one axle, standing on y = 0: their outer sides at x = +-half, their axis at z, hubs painted."""
    r = radius
    canvas = Canvas.blank(2 * r, 2 * r, 64.0, (0.09, 0.09, 0.09))
    canvas.disc(r, r, r * 0.93, (0.13, 0.13, 0.13), hole=r * 0.80)
    canvas.disc(r, r, r * 0.60, hub)
    canvas.disc(r, r, r * 0.52, mix(hub, _BLACK, 0.35), hole=r * 0.46)
    canvas.disc(r, r, r * 0.24, mix(hub, _BLACK, 0.55))
    canvas.disc(r, r, r * 0.17, mix(hub, (1.0, 1.0, 1.0), 0.2))
    for x, y in circle(10) * r * 0.36:
        canvas.disc(r + x, r + y, r * 0.055, _BLACK)
    side = Skin(canvas.picture)
    tyre = plain((0.08, 0.08, 0.085))
    w = wide / 2
    profile = [(0.0, -w), (r * 0.88, -w), (r, -w + 0.06), (r, w - 0.06), (r * 0.88, w), (r * 0.62, w)]
    profile += [(r * 0.56, w - 0.07), (r * 0.28, w - 0.07), (r * 0.22, w - 0.01), (0.0, w)]
    wheel = turned(lathe(profile, tyre, segments=28), "z", -90)
    mapped = box_mapped(wheel, {"": tyre, "+x": side}, (-wide / 2, -r, -r), (wide / 2, r, r))
    right = [moved(p, (half - wide / 2, r, z)) for p in mapped]
    return right + [mirrored(p) for p in right]


def truck_shell(
    levels: Sequence[tuple[float, float, float, float]],
    skins: Mapping[str, Skin],
    frame: tuple[Vector, Vector],
    *,
    cut: float = 0.0,
) -> list[Part]:
    """A body from its floor to its roof: at each level y, half the width, z of the back and of the front.

    Upright edges are cut by ``cut``; ``frame`` is the box whose sides the pictures of ``skins`` fill.
    """
    rings = []
    for y, half, back, front in levels:
        corners = [(half - cut, front), (half, front - cut), (half, back + cut), (half - cut, back)]
        if cut <= 0:
            corners = [(half, front), (half, back)]
        corners += [(-x, z) for x, z in corners[::-1]]
        rings.append([(x, y, z) for x, z in corners])
    return box_mapped(loft(np.array(rings), skins[""], crease_deg=30.0), skins, *frame)


def truck_sides(
    canvas: Canvas, words: Sequence[tuple[str, float, float, float, Color]], *, weight: float = 0.19
) -> dict[str, Skin]:
    """Skins of both long sides from the one at -x, lettered after the turning: words, x, y, height, colour."""
    skins = {}
    for name, step in (("-x", 1), ("+x", -1)):
        lettered = replace(canvas, pixels=canvas.pixels[:, ::step].copy())
        for text, x, y, height, color in words:
            lettered.text(text, x if step > 0 else canvas.width - x, y, height, color, weight=weight)
        skins[name] = Skin(lettered.picture)
    return skins


def truck_glass(canvas: Canvas, corners: Sequence[tuple[float, float]], seal: Color = _BLACK) -> None:
    """A dark pane with a rubber seal and one slanting reflection."""
    low_x, high_x = min(x for x, _ in corners), max(x for x, _ in corners)
    low_y, high_y = min(y for _, y in corners), max(y for _, y in corners)
    canvas.polygon(corners, (0.13, 0.16, 0.19))
    wide, tall = high_x - low_x, high_y - low_y
    middle = (low_x + high_x) / 2
    shine = [(middle - 0.16 * wide, low_y + 0.12 * tall), (middle, low_y + 0.12 * tall)]
    shine += [(middle + 0.22 * wide, high_y - 0.12 * tall), (middle + 0.06 * wide, high_y - 0.12 * tall)]
    canvas.polygon(shine, (0.42, 0.49, 0.55))
    canvas.line([*corners, corners[0]], 0.05, seal)


def truck_arch(canvas: Canvas, x: float, radius: float, base: float) -> None:
    """The dark opening round a wheel that stands on y = 0; the body's lower edge is at ``base``."""
    canvas.disc(x, radius, radius + 0.12, _BLACK)
    canvas.rect(x - radius - 0.12, min(base, radius) - 0.02, x + radius + 0.12, radius, _BLACK)


def truck_mirrors(half: float, y: float, z: float, tall: float = 0.42) -> list[Part]:
    """Black mirrors on arms beside a cab whose side is at x = +-half."""
    black, glass = plain(_BLACK), plain((0.62, 0.68, 0.74))
    skins = {"": black, "-z": glass}
    right = box((half + 0.12, y - tall / 2, z), (half + 0.34, y + tall / 2, z + 0.09), skins, bevel=0.02)
    for dy in (-tall * 0.36, tall * 0.36):
        right += box((half - 0.08, y + dy - 0.02, z + 0.02), (half + 0.16, y + dy + 0.02, z + 0.06), black)
    return right + [mirrored(p) for p in right]


def truck_lamp(low: Vector, high: Vector, color: Color, glow: float = 0.35, bevel: float = 0.0) -> list[Part]:
    """A lit lens of one colour."""
    r, g, b = (glow * c * c for c in color)
    return box(low, high, plain(color, (r, g, b)), bevel=bevel)


def truck_chassis(half: float, z0: float, z1: float, low: float, high: float) -> list[Part]:
    """The dark frame and axles under a body."""
    return box((-half, low, z0), (half, high, z1), plain(_BLACK))
