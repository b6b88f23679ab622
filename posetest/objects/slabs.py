"""Bodies whose outline is seen from the front: housings, cushions and pockets with rounded edges."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from posetest.objects.parts import Array, Part, Skin, circle, loft


def arch(half: float, low: float, high: float, upper: float, lower: float, *, steps: int = 6) -> Array:
    """A rectangle from -``half`` to ``half`` with corners rounded by ``upper`` and ``lower``, counter-clockwise.

    It starts at the right end of its lower edge, as ``loft`` wants an outline that it can close, float64 [n, 2].
    """
    quarter = circle(4 * steps)[: steps + 1]
    top = np.array([half - upper, high - upper]) + upper * quarter
    bottom = np.array([half - lower, low + lower]) + lower * (quarter[::-1] * [1.0, -1.0])
    right = np.concatenate([bottom, top])
    return np.concatenate([right, right[::-1] * [-1.0, 1.0]])


def slab(
    outline: Array,
    centre: tuple[float, float],
    depths: Sequence[tuple[float, float]],
    skin: Skin,
    *,
    crease_deg: float = 30.0,
) -> Part:
    """A body over an outline (x, y), which at each (z, factor) of ``depths`` is drawn in towards ``centre``."""
    middle = np.asarray(centre)
    rings = [np.column_stack([middle + (outline - middle) * factor, np.full(len(outline), z)]) for z, factor in depths]
    return loft(np.stack(rings), skin, crease_deg=crease_deg)
