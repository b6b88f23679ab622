"""What road vehicles share: wheels with tyre, rim and bolts. Lengths are metres; vehicles look towards +z."""

from __future__ import annotations

from posetest.objects.paint import Canvas, Color, mix
from posetest.objects.parts import Part, Skin, box_mapped, circle, lathe, mirrored, moved, plain, turned

_BLACK: Color = (0.06, 0.06, 0.07)


def axle_wheels(half: float, z: float, radius: float, wide: float, hub: Color, *, segments: int = 28) -> list[Part]:
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
    wheel = turned(lathe(profile, tyre, segments=segments), "z", -90)
    mapped = box_mapped(wheel, {"": tyre, "+x": side}, (-wide / 2, -r, -r), (wide / 2, r, r))
    right = [moved(p, (half - wide / 2, r, z)) for p in mapped]
    return right + [mirrored(p) for p in right]
