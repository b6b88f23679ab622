"""What a file reader hands over: triangles and materials in the file's own frame, before any check or mending.

Every corner carries its own attributes. NaN stands for "the file has none": faces without texture coordinates are drawn
in plain colour, corners without a normal get a computed one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from posetest.scene.color import srgb_to_linear
from posetest.scene.material import Material

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: sRGB grey of parts for which a file names neither material nor colour; trimesh draws them so, too.
PLAIN_GREY = 0.4


@dataclass(frozen=True, eq=False)
class Raw:
    """Triangles as a file holds them.

    Attributes:
        positions: float64 [v, 3], file frame, scene graph applied.
        faces: int64 [f, 3]; may point past ``positions``.
        uv: float64 [f, 3, 2], (0, 0) the lower left; NaN where absent.
        normals: float64 [f, 3, 3], any length; NaN where absent.
        colors: float64 [f, 3, 4] linear RGBA; ones where absent.
        face_material: int64 [f].
        materials: what ``face_material`` points to.
        has_sides: the file says which materials are two-sided; otherwise the geometry decides.
        lacking: materials whose colour picture the file names, but which could not be had.
    """

    positions: Floats
    faces: Ints
    uv: Floats
    normals: Floats
    colors: Floats
    face_material: Ints
    materials: tuple[Material, ...]
    has_sides: bool = False
    lacking: frozenset[int] = frozenset()


def plain_material(name: str = "plain") -> Material:
    """The grey of parts without any material."""
    grey = float(srgb_to_linear(PLAIN_GREY))
    return Material(name=name, base_color=(grey, grey, grey, 1.0))


def part(
    positions: Floats,
    faces: Ints,
    material: int,
    *,
    uv: Floats | None = None,
    normals: Floats | None = None,
    colors: Floats | None = None,
) -> Raw:
    """A piece of one material, attributes per vertex, spread to the corners; its ``materials`` are left empty.

    Corners of faces that point past the vertices have no attributes; such faces are dropped later.
    """
    positions, faces = np.asarray(positions, dtype=np.float64), np.asarray(faces, dtype=np.int64)

    def spread(values: Floats | None, width: int, absent: float) -> Floats:
        if values is None:
            return np.full((len(faces), 3, width), absent)
        padded = np.full((len(values) + 1, width), absent)
        padded[:-1, : values.shape[1]] = values
        return padded[np.where((faces >= 0) & (faces < len(values)), faces, len(values))]

    if normals is not None:
        normals = np.nan_to_num(normals, nan=0.0, posinf=0.0, neginf=0.0)  # zero: there is one, and it is broken
    return Raw(
        positions,
        faces,
        spread(uv, 2, np.nan),
        spread(normals, 3, np.nan),
        spread(colors, 4, 1.0),
        np.full(len(faces), material, dtype=np.int64),
        (),
    )


def joined(
    parts: Sequence[Raw],
    materials: Sequence[Material],
    *,
    has_sides: bool = False,
    lacking: frozenset[int] = frozenset(),
) -> Raw:
    """One Raw of several that share ``materials``."""
    starts = np.cumsum([0, *(len(p.positions) for p in parts)])
    far = np.iinfo(np.int64).max // 2  # an index past one part's vertices must not land in the next part's

    def shifted(p: Raw, start: int) -> Ints:
        return np.where((p.faces >= 0) & (p.faces < len(p.positions)), p.faces + start, far)

    def rows(name: str, shape: tuple[int, ...]) -> Floats:
        return np.concatenate([np.zeros((0, *shape)), *(getattr(p, name) for p in parts)])

    return Raw(
        rows("positions", (3,)),
        np.concatenate(
            [np.zeros((0, 3), dtype=np.int64), *(shifted(p, int(s)) for p, s in zip(parts, starts, strict=False))]
        ),
        rows("uv", (3, 2)),
        rows("normals", (3, 3)),
        rows("colors", (3, 4)),
        np.concatenate([np.zeros(0, dtype=np.int64), *(p.face_material for p in parts)]),
        tuple(materials),
        has_sides,
        lacking,
    )
