"""A mesh as the renderers read it: triangles in object units with per-corner attributes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from posetest.scene.material import Material


@dataclass(frozen=True, eq=False)
class Mesh:
    """Textured triangles in the object frame: +x right, +y up, +z towards the viewer, the front faces +z.

    Centred on the bounding box of the vertices that faces use; its longest axis spans [-1, 1].

    Attributes:
        name: for people; usually the file's stem.
        verts_obj: float32 [v, 3], welded or not.
        faces: int32 [f, 3], counter-clockwise seen from outside.
        uv: float32 [f, 3, 2] texture coordinates per corner, (0, 0) the lower left of the picture.
        normals: float32 [f, 3, 3] unit shading normals per corner, object frame.
        colors: float32 [f, 3, 4] linear RGBA vertex colours per corner, all ones where the file has none.
        face_material: int32 [f], index into ``materials``.
        materials: at least one.
        file_to_object: float64 [4, 4], from the file's coordinates to the object frame.
        warnings: defects that were mended or tolerated, in words.
    """

    name: str
    verts_obj: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32]
    normals: NDArray[np.float32]
    colors: NDArray[np.float32]
    face_material: NDArray[np.int32]
    materials: tuple[Material, ...]
    file_to_object: NDArray[np.float64]
    warnings: tuple[str, ...] = ()

    @property
    def not_drawn(self) -> tuple[str, ...]:
        """What the materials ask for and this package does not draw, each once, in words."""
        found = {f"{what} ({material.name})" for material in self.materials for what in material.not_drawn}
        return tuple(sorted(found))

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over everything that can change a picture of the mesh."""
        sha = hashlib.sha256()
        for array in (self.verts_obj, self.faces, self.uv, self.normals, self.colors, self.face_material):
            sha.update(str((array.dtype.str, array.shape)).encode())
            sha.update(np.ascontiguousarray(array).tobytes())
        for m in self.materials:
            sha.update(repr((m.base_color, m.alpha_mode, m.alpha_cutoff, m.two_sided, m.emissive)).encode())
            sha.update(repr((m.roughness, m.metalness, m.specular)).encode())
            for texture in (m.texture, m.emissive_texture):
                if texture is not None:
                    sha.update(repr((texture.image.shape, texture.wrap_u, texture.wrap_v)).encode())
                    sha.update(np.ascontiguousarray(texture.image).tobytes())
        return sha.hexdigest()
