"""A soccer ball: twelve pentagons and twenty hexagons, painted on a sphere.

The one bundled object that looks the same from all round, so that an audit has something that never turns its back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posetest.objects.assemble import BuiltObject, Variation, assemble
from posetest.objects.paint import Array, Color
from posetest.objects.parts import Skin, lathe, turned

LABELS = ("soccer ball",)

#: Distances of the pentagon and hexagon planes of a truncated icosahedron from its centre, relative to each other.
_PENTAGON, _HEXAGON = 2.327438, 2.267283


def build(seed: int = 0) -> BuiltObject:
    """A soccer ball; seed 0 is the bundled black and white one, any other seed varies colours, seams and position."""
    vary = Variation(seed)
    pentagons = vary.pick((0.07, 0.07, 0.08), ((0.07, 0.07, 0.08), (0.05, 0.12, 0.40), (0.65, 0.06, 0.08)))
    hexagons = vary.color((0.95, 0.95, 0.94), 0.05)
    seam = vary.number(0.012, 0.008, 0.018)
    turn = np.linspace(-np.pi / 2, np.pi / 2, 25)
    profile = [(max(0.0, float(np.cos(a))) if abs(a) < 1.57 else 0.0, float(np.sin(a))) for a in turn]
    ball = lathe(np.round(profile, 7).tolist(), Skin(_leather(pentagons, hexagons, seam)), segments=48, crease_deg=60.0)
    tilted = turned(turned(ball, "z", vary.number(14.0, 0.0, 180.0)), "x", vary.number(20.0, 0.0, 180.0))
    return BuiltObject(assemble("soccer_ball", [tilted]), LABELS)


def _leather(pentagons: Color, hexagons: Color, seam: float) -> NDArray[np.uint8]:
    """The unrolled ball, uint8 [h, w, 3]: longitude from left to right, latitude from below to above."""
    rows, columns = 224, 448
    shares = np.linspace(0.0, 1.0, columns)[None, :]  # the last column meets the first
    heights = np.linspace(np.pi / 2, -np.pi / 2, rows)[:, None]
    x = np.cos(heights) * np.sin(shares * 2 * np.pi)
    y = np.broadcast_to(np.sin(heights), x.shape)
    z = np.cos(heights) * np.cos(shares * 2 * np.pi)
    centres, distances = _face_planes()
    reach = np.stack([x, y, z], axis=-1) @ centres.T / distances
    nearest = np.argmax(reach, axis=-1)
    ranked = np.sort(reach, axis=-1)
    gap = (ranked[..., -1] - ranked[..., -2]) * distances.mean()
    is_dark = nearest < 12
    color = np.where(is_dark[..., None], pentagons, hexagons)
    # Seams: a line as wide as `seam` on the unit ball, its edges soft over a pixel.
    line = np.clip((seam * 2.0 - gap) / 0.016 + 0.5, 0.0, 1.0)[..., None]
    color = color + (np.array([0.10, 0.10, 0.11]) - color) * line * 0.9
    picture: NDArray[np.uint8] = np.floor(np.clip(color, 0, 1) * 255 + 0.5).astype(np.uint8)
    return picture


def _face_planes() -> tuple[Array, Array]:
    """Unit normals [32, 3] of the ball's patches, the pentagons first, and the planes' distances [32]."""
    golden = (1 + 5**0.5) / 2
    corners = [(0.0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    twelve = np.array([c[k:] + c[:k] for c in corners for k in range(3)])
    twelve /= np.linalg.norm(twelve, axis=1, keepdims=True)
    triples = [
        (i, j, k)
        for i in range(12)
        for j in range(i + 1, 12)
        for k in range(j + 1, 12)
        if min(twelve[i] @ twelve[j], twelve[j] @ twelve[k], twelve[i] @ twelve[k]) > 0.4
    ]
    twenty = np.array([twelve[list(t)].sum(axis=0) for t in triples])
    twenty /= np.linalg.norm(twenty, axis=1, keepdims=True)
    return np.concatenate([twelve, twenty]), np.array([_PENTAGON] * 12 + [_HEXAGON] * 20)
