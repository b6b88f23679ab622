"""What cars share: bodies lofted over stations with wheel arches, and cabins. Lengths are metres; front +z."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from posetest.objects.paint import Array, Color
from posetest.objects.parts import Part, Skin, Vector, box_mapped, loft, plain, scaled

_BLACK: Color = (0.06, 0.06, 0.07)


def car_stations(profile: Sequence[Vector], axles: Sequence[float], radius: float, arch: float) -> Array:
    """Stations (z, bottom, top), float64 [k, 3], of a body from back to front with wheel arches cut into its bottom.

    ``profile`` gives the stations without arches; ``arch`` is the arch's radius about an axis ``radius`` above ground.
    """
    base = np.asarray(profile, dtype=np.float64)
    inside = np.zeros(len(base), dtype=bool)
    rows = []
    for axle in axles:
        inside |= np.abs(base[:, 0] - axle) <= arch + 0.01
        skirt = float(np.interp(axle, base[:, 0], base[:, 1]))
        turn = np.linspace(np.pi, 0.0, 10)
        z, bottom = axle + arch * np.cos(turn), radius + arch * np.sin(turn)
        # Not straight above each other: no triangle of the side may lose its area.
        z, bottom = np.concatenate([[z[0] - 0.01], z, [z[-1] + 0.01]]), np.concatenate([[skirt], bottom, [skirt]])
        rows.append(np.stack([z, bottom, np.interp(z, base[:, 0], base[:, 2])], axis=1))
    every = np.concatenate([base[~inside], *rows])
    stations: Array = np.round(every[np.argsort(every[:, 0], kind="stable")], 6)
    return stations


def car_shell(stations: Array, half: float, *, shoulder: float, nose: float, tail: float) -> Part:
    """A body below the windows: the outline of ``stations`` across x from -half to half, shoulders rounded.

    ``nose`` and ``tail`` say how far the corners in front and behind are drawn in.
    """
    z, bottom, top = stations.T
    middle = (z.min() + z.max()) / 2
    reach = (z.max() - z.min()) / 2
    ends = np.clip((np.abs(z - middle) / reach - 0.72) / 0.28, 0.0, 1.0) ** 2
    rings = []
    for share in (-1.0, -0.965, -0.85, -0.5, 0.5, 0.85, 0.965, 1.0):
        drop = shoulder * (0.1 if abs(share) < 0.6 else 0.35 if abs(share) < 0.9 else 0.6 if abs(share) < 0.99 else 1.0)
        drop -= shoulder * 0.1
        pulled = z - np.where(z > middle, nose, -tail) * ends * abs(share) ** 4
        x = np.full(len(z), share * half) * (1 - 0.04 * ends)
        lower = np.minimum(bottom + (0.04 if abs(share) == 1.0 else 0.0), top - drop - 0.05)
        under = np.stack([x, lower, pulled], axis=1)
        upper = np.stack([x, top - drop, pulled], axis=1)
        rings.append(np.concatenate([under[::-1], upper]))
    return loft(np.stack(rings), plain(_BLACK), crease_deg=38.0)


def car_cabin(levels: Sequence[tuple[float, float, float, float]], skins: Mapping[str, Skin]) -> list[Part]:
    """What stands above the shoulders: rounded rectangles (y, back, front, half width) from below to above.

    Slanted windscreens count as front and back, so that their pictures are projected along z.
    """
    rings = []
    for y, back, front, half in levels:
        bow = 0.16 * half
        right = [(0.5 * half, front + 0.6 * bow), (0.88 * half, front), (0.97 * half, front - 0.6 * bow)]
        right += [(half, front - 2.0 * bow), (half, back + 2.0 * bow)]
        right += [(0.97 * half, back + 0.6 * bow), (0.88 * half, back), (0.5 * half, back - 0.3 * bow)]
        ring = [(x, y, z) for x, z in right] + [(-x, y, z) for x, z in right[::-1]]
        rings.append(ring)
    squash = 0.35
    body = scaled(loft(np.asarray(rings), plain(_BLACK), crease_deg=38.0), (1.0, 1.0, squash))
    low, high = body.verts.min(axis=0), body.verts.max(axis=0)
    mapped = box_mapped(body, skins, (low[0], low[1], low[2]), (high[0], high[1], high[2]))
    return [scaled(part, (1.0, 1.0, 1.0 / squash)) for part in mapped]
