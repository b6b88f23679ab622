"""The smallest thing that can be drawn: one triangle under one view, to compile the kernels with."""

from __future__ import annotations

import numpy as np

from posetest.geometry.camera import Views
from posetest.scene.material import Material
from posetest.scene.mesh import Mesh


def one_triangle() -> Mesh:
    """A white triangle that looks at +z."""
    corner = np.zeros((1, 3, 3), dtype=np.float32)
    return Mesh(
        name="triangle",
        verts_obj=np.array([[-1, -1, 0], [1, -1, 0], [0, 1, 0]], dtype=np.float32),
        faces=np.array([[0, 1, 2]], dtype=np.int32),
        uv=corner[..., :2],
        normals=corner + np.array([0, 0, 1], dtype=np.float32),
        colors=np.ones((1, 3, 4), dtype=np.float32),
        face_material=np.zeros(1, dtype=np.int32),
        materials=(Material(),),
        file_to_object=np.eye(4),
    )


def one_view() -> Views:
    """The identity pose, four units away, one light."""
    return Views(
        rotation=np.eye(3)[None],
        position=np.array([[0.0, 0.0, -4.0]]),
        fov=np.array([0.6]),
        light_dirs=np.array([[[0.0, 0.0, 1.0]]]),
        light_colors=np.ones((1, 1, 3)),
        ambient=np.zeros((1, 3)),
        background=np.zeros(1, dtype=np.int64),
    )
