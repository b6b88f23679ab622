"""Parts become one mesh: pictures packed into one atlas, vertices welded, size normalised to object units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from posetest.objects.parts import Part
from posetest.scene.material import GLTF_SPECULAR, Material, Texture
from posetest.scene.mesh import Mesh

Choice = TypeVar("Choice")

#: Pixels around each picture in the atlas that repeat its border, so that coarse mip levels do not mix neighbours.
PADDING_PX = 8

#: Of all surfaces: paint and plastic with a broad sheen.
ROUGHNESS = 0.7


@dataclass(frozen=True, eq=False)
class BuiltObject:
    """An object made by code.

    Attributes:
        mesh: in object units, front +z, up +y.
        labels: ImageNet names of the classes that are right for it, the best first.
    """

    mesh: Mesh
    labels: tuple[str, ...]


class Variation:
    """The choices a builder makes: the canonical ones for seed 0, random ones within the class for any other seed."""

    def __init__(self, seed: int) -> None:
        self.is_canonical = seed == 0
        self._rng = np.random.default_rng(seed)

    def number(self, canonical: float, low: float, high: float) -> float:
        """``canonical``, or a number between ``low`` and ``high``, rounded so that it is the same everywhere."""
        return canonical if self.is_canonical else round(float(self._rng.uniform(low, high)), 4)

    def integer(self, canonical: int, low: int, high: int) -> int:
        """``canonical``, or a whole number from ``low`` to ``high``, both included."""
        return canonical if self.is_canonical else int(self._rng.integers(low, high + 1))

    def pick(self, canonical: Choice, others: Sequence[Choice]) -> Choice:
        """``canonical``, or one of it and ``others``."""
        return canonical if self.is_canonical else [canonical, *others][int(self._rng.integers(0, len(others) + 1))]

    def chance(self, canonical: bool, probability: float) -> bool:
        """``canonical``, or true with ``probability``."""
        return canonical if self.is_canonical else bool(self._rng.random() < probability)

    def color(self, canonical: tuple[float, float, float], spread: float) -> tuple[float, float, float]:
        """``canonical``, or a colour with each channel up to ``spread`` away from it."""
        if self.is_canonical:
            return canonical
        r, g, b = (round(float(np.clip(c + self._rng.uniform(-spread, spread), 0, 1)), 4) for c in canonical)
        return r, g, b


Builder = Callable[[int], BuiltObject]


def assemble(name: str, parts: Sequence[Part]) -> Mesh:
    """The parts as one mesh in object units, with one atlas and one material per kind of skin."""
    skins = list({id(part.skin): part.skin for part in parts}.values())
    atlas, places = pack([skin.picture for skin in skins])
    place_of = {id(skin): place for skin, place in zip(skins, places, strict=True)}
    texture = Texture(atlas, wrap_u="clamp", wrap_v="clamp")
    kinds = sorted({(skin.emissive, skin.two_sided) for skin in skins})
    materials = tuple(
        Material(
            name=f"{name}_{i}",
            texture=texture,
            emissive=emissive,
            two_sided=two_sided,
            roughness=ROUGHNESS,
            specular=GLTF_SPECULAR,
        )
        for i, (emissive, two_sided) in enumerate(kinds)
    )
    corners = np.concatenate([part.verts[part.faces] for part in parts])
    normals = np.concatenate([part.normals for part in parts])
    uv = np.concatenate([_to_atlas(part, place_of[id(part.skin)], atlas.shape[:2]) for part in parts])
    material = np.concatenate(
        [np.full(len(part.faces), kinds.index((part.skin.emissive, part.skin.two_sided))) for part in parts]
    )
    order = np.argsort(material, kind="stable")
    verts, index = np.unique(np.round(corners[order].reshape(-1, 3), 6), axis=0, return_inverse=True)
    low, high = verts.min(axis=0), verts.max(axis=0)
    centre, scale = (low + high) / 2, 2 / (high - low).max()
    to_object = np.diag([scale, scale, scale, 1.0])
    to_object[:3, 3] = -scale * centre
    return Mesh(
        name=name,
        verts_obj=np.round((verts - centre) * scale, 6).astype(np.float32),
        faces=index.reshape(-1, 3).astype(np.int32),
        uv=np.round(uv[order], 6).astype(np.float32),
        normals=np.round(normals[order], 5).astype(np.float32),
        colors=np.ones((len(order), 3, 4), dtype=np.float32),
        face_material=material[order].astype(np.int32),
        materials=materials,
        file_to_object=np.eye(4),
    )


def _to_atlas(part: Part, place: tuple[int, int], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Texture coordinates of a part in the atlas; (row, column) ``place`` is its picture's upper left pixel."""
    rows, columns = part.skin.picture.shape[:2]
    # Half a pixel inside the border: bilinear taps at the very edge stay on the picture.
    x = place[1] + 0.5 + part.uv[..., 0] * (columns - 1)
    y = place[0] + rows - 0.5 - part.uv[..., 1] * (rows - 1)
    return np.stack([x / shape[1], 1 - y / shape[0]], axis=-1)


def pack(pictures: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], list[tuple[int, int]]]:
    """An atlas, uint8 [h, w, 4] with powers of two for sides, and (row, column) of each picture in it.

    Pictures stand on shelves, tallest first, with their borders repeated around them.
    """
    sizes = [(p.shape[0] + 2 * PADDING_PX, p.shape[1] + 2 * PADDING_PX) for p in pictures]
    order = sorted(range(len(pictures)), key=lambda i: (-sizes[i][0], -sizes[i][1], i))
    for width, height in (
        (128, 128),
        (256, 128),
        (256, 256),
        (512, 256),
        (512, 512),
        (1024, 512),
        (1024, 1024),
        (2048, 1024),
    ):
        places = _shelves(sizes, order, width, height)
        if places is not None:
            break
    else:
        raise ValueError("the pictures of one object do not fit into 2048 x 1024 pixels: paint them coarser")
    atlas = np.zeros((height, width, 4), dtype=np.uint8)
    atlas[..., 3] = 255
    pad = PADDING_PX
    for picture, (row, column), (tall, wide) in zip(pictures, places, sizes, strict=True):
        atlas[row : row + tall, column : column + wide, :3] = np.pad(
            picture, ((pad, pad), (pad, pad), (0, 0)), mode="edge"
        )
    return atlas, [(row + pad, column + pad) for row, column in places]


def _shelves(
    sizes: Sequence[tuple[int, int]], order: Sequence[int], width: int, height: int
) -> list[tuple[int, int]] | None:
    """Upper left corners in an atlas of the given size, or None where it is too small."""
    places = [(0, 0)] * len(sizes)
    row, column, shelf = 0, 0, 0
    for i in order:
        tall, wide = sizes[i]
        if column + wide > width:
            row, column, shelf = row + shelf, 0, 0
        if wide > width or row + tall > height:
            return None
        places[i] = (row, column)
        column, shelf = column + wide, max(shelf, tall)
    return places
