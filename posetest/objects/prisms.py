"""Prisms that lie across an object: outlines in the plane of z and y, stretched along x."""

from __future__ import annotations

from collections.abc import Sequence

from posetest.objects.parts import Part, Skin, extruded, turned


def along_x(outline: Sequence[tuple[float, float]], x0: float, x1: float, skin: Skin) -> Part:
    """A prism over an outline (z, y), counter-clockwise where z runs to the right, its ends closed as in ``loft``."""
    return turned(extruded(outline, -x1, -x0, skin, crease_deg=25.0), "y", -90.0)


def between(below: Sequence[tuple[float, float]], above: Sequence[float]) -> list[tuple[float, float]]:
    """The outline, for ``along_x``, between a lower chain (z, y), z growing, and the heights above its points."""
    return [*below, *((z, y) for (z, _), y in zip(reversed(below), reversed(above), strict=True))]
