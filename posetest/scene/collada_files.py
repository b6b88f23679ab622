"""Collada (.dae) read into triangles through pycollada.

trimesh's reader (5.2.0) is not used: it loses how materials reflect and let light through, takes the colour picture for
the glow and the first picture of any extension for a normal map. Format: COLLADA 1.4.1, chapters 4 and 8.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from posetest.errors import MeshError
from posetest.scene.collada_materials import DaeMaterials
from posetest.scene.material import Material
from posetest.scene.raw import Floats, Raw, joined, part, plain_material
from posetest.scene.readers import linear_colors, quiet


def read_dae(path: Path, notes: list[str]) -> Raw:
    """The triangles and materials of a Collada file, scene graph applied.

    Raises:
        MeshError: broken, or without triangles.
    """
    data = path.read_bytes()
    if b"<instance_controller" in data:
        notes.append("skinned or morphed parts (instance_controller) are not drawn")
    makers = DaeMaterials(path)
    parts: list[Raw] = []
    materials: list[Material] = []
    lacking: set[int] = set()
    with quiet(path, notes):
        import collada

        document = collada.Collada(io.BytesIO(data), ignore=[collada.common.DaeError])
        pieces = _pieces(document.scene.nodes if document.scene is not None else (), np.eye(4))
        for geometry, primitive, effect, matrix in pieces:
            materials.append(plain_material(geometry.id) if effect is None else makers.material(effect, geometry.id))
            if effect is not None and makers.is_lacking(effect):
                lacking.add(len(materials) - 1)
            parts.append(_part(primitive, matrix, len(materials) - 1, materials[-1]))
    notes += makers.notes
    if not parts:
        raise MeshError(f"{path}: no triangles in it: nothing to draw")
    return joined(parts, materials, lacking=frozenset(lacking))


def _pieces(nodes: Any, matrix: Floats) -> Iterator[tuple[Any, Any, Any, Floats]]:
    """Geometry, triangles, effect (or None) and place of everything below ``nodes``, in the order of the file."""
    from collada.polylist import Polylist
    from collada.scene import GeometryNode, Node
    from collada.triangleset import TriangleSet

    for node in nodes:
        if isinstance(node, Node):
            yield from _pieces(node.children or (), matrix @ np.asarray(node.matrix, dtype=np.float64))
        elif isinstance(node, GeometryNode):
            effects = {bound.symbol: bound.target.effect for bound in node.materials}
            for primitive in node.geometry.primitives:
                triangles = primitive.triangleset() if isinstance(primitive, Polylist) else primitive
                if isinstance(triangles, TriangleSet) and triangles.vertex is not None and len(triangles.index):
                    yield node.geometry, triangles, effects.get(primitive.material), matrix


def _part(triangles: Any, matrix: Floats, material: int, drawn: Material) -> Raw:
    positions = np.asarray(triangles.vertex, dtype=np.float64)[triangles.vertex_index].reshape(-1, 3)
    faces = np.arange(len(positions)).reshape(-1, 3)
    normals = uv = colors = None
    if triangles.normal is not None and triangles.normal_index is not None:
        normals = np.asarray(triangles.normal, dtype=np.float64)[triangles.normal_index].reshape(-1, 3)
    if len(triangles.texcoordset):
        uv = np.asarray(triangles.texcoordset[0])[triangles.texcoord_indexset[0]].reshape(len(positions), -1)[:, :2]
    painted = triangles.sources.get("COLOR", ())
    if len(painted) and drawn.texture is None:
        values = np.asarray(painted[0][4].data)[triangles.index[:, :, painted[0][0]]]
        colors = linear_colors(values.reshape(len(positions), -1)[:, :4])
    linear = matrix[:3, :3]
    is_mirrored = float(np.linalg.det(linear)) < 0
    if normals is not None:
        a, b, c = linear  # normals turn with the cofactors, also where the matrix has no inverse
        normals = normals @ np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)]).T
        normals = -normals if is_mirrored else normals
    placed = positions @ linear.T + matrix[:3, 3]
    return part(placed, faces[:, ::-1] if is_mirrored else faces, material, uv=uv, normals=normals, colors=colors)
