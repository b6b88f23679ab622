"""The CPU renderer against OpenGL: other shaders, another projection, depth test and texture unit.

Skipped where moderngl or a driver with EGL is missing (the extra posetest[opengl]; on Debian: libegl1 libgl1-mesa-dri).
"""

from __future__ import annotations

import csv
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from opengl import NoOpenGLError, OpenGLRenderer, open_context
from render_pictures import noise_picture, random_rotations, six_views, sphere, views

from posetest.geometry.camera import Views
from posetest.render.cpu import CpuRenderer
from posetest.scene.background import Background
from posetest.scene.load import load_mesh
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

SHARED = Path(__file__).resolve().parents[3] / "shared" / "meshes"
ROWS = list(csv.DictReader((SHARED / "manifest.csv").read_text().splitlines())) if SHARED.is_dir() else []
BEHIND = Background((0.3, 0.5, 0.6))
SIDE_PX = 224

#: Greatest mean absolute difference over a picture.
CLOSE = 0.004


@pytest.fixture(scope="module")
def context() -> Any:
    try:
        return open_context()
    except NoOpenGLError as error:
        pytest.skip(str(error))


def differences(
    context: Any, mesh: Mesh, poses: Views, side: int, *, samples: int = 2, shading: str = "linear"
) -> NDArray[np.float64]:
    """Mean absolute difference of each view's pictures."""
    truth, covered = OpenGLRenderer(context, mesh, BEHIND, shading=shading).render(poses, side, side)
    with CpuRenderer(mesh, BEHIND, samples=samples, shading=shading) as renderer:
        ours = renderer.render(poses, side, side, mask=True)
    assert ours.mask is not None
    assert np.abs(ours.mask - covered).mean() < 2 * CLOSE  # the pirate ship's rigging is thinner than a sample
    return np.abs(ours.images - truth).mean(axis=(1, 2, 3))


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_real_mesh_looks_as_in_opengl(context: Any, row: dict[str, str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the loader's, tested elsewhere
        mesh = load_mesh(SHARED / row["file"], up=row["up_axis"], front=row["front_axis"] or None)
    poses = six_views(mesh)[np.array([0, 4])]
    assert differences(context, mesh, poses, SIDE_PX).max() < CLOSE


MATERIALS = {
    "matte": Material(base_color=(0.8, 0.3, 0.1, 1.0)),
    "textured": Material(texture=Texture(noise_picture(37, 64, coarse=2), "repeat", "mirror")),
    "clamped": Material(
        texture=Texture(noise_picture(32, 64, coarse=2), "clamp", "clamp"), base_color=(0.5, 0.8, 1, 1)
    ),
    "shiny": Material(base_color=(0.2, 0.3, 0.5, 1.0), roughness=0.35, specular=(0.04, 0.04, 0.04)),
    "metal": Material(base_color=(0.9, 0.6, 0.3, 1.0), roughness=0.5, metalness=1.0),
    "half metal": Material(roughness=0.4, metalness=0.4, specular=(0.04, 0.06, 0.08), base_color=(0.4, 0.2, 0.3, 1.0)),
    "glowing": Material(emissive=(0.3, 0.2, 0.5), emissive_texture=Texture(noise_picture(16, 16, 3, coarse=1))),
    "glass": Material(base_color=(0.9, 0.4, 0.2, 0.4), alpha_mode="blend", roughness=0.3, specular=(0.1, 0.1, 0.1)),
    "glass seen through": Material(base_color=(0.2, 0.4, 0.9, 0.6), alpha_mode="blend", two_sided=True),
}


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
@pytest.mark.parametrize("name", MATERIALS)
def test_a_material_looks_as_in_opengl(context: Any, name: str, shading: str) -> None:
    mesh = sphere(12, (MATERIALS[name],), lumps=0.15)
    mesh = replace(mesh, uv=mesh.uv * np.float32(1.7) - np.float32(0.4))
    lights, colors = np.array([[-0.6, 0.7, 0.6], [0.9, 0.1, 0.3]]), np.array([[0.7, 0.6, 0.5], [0.1, 0.2, 0.3]])
    poses = views(random_rotations(3, 5), (0.1, -0.2, -4), lights=lights, colors=colors, ambient=0.2)
    assert differences(context, mesh, poses, 96, shading=shading).max() < CLOSE


def test_holes_cut_by_alpha_look_as_in_opengl(context: Any) -> None:
    holes = noise_picture(64, 64, coarse=2)
    y, x = np.mgrid[:64, :64] // 16
    holes[..., 3] = np.where((x + y) % 2 == 0, 255, 0)
    mesh = sphere(12, (Material(texture=Texture(holes), alpha_mode="mask", two_sided=True),))
    poses = views(random_rotations(3, 6), (0.1, -0.2, -4), lights=np.array([[-0.6, 0.7, 0.6]]), ambient=0.2)
    assert differences(context, mesh, poses, 128).max() < 2 * CLOSE  # rims of holes have no analytic antialiasing


def test_vertex_colors_and_several_materials_look_as_in_opengl(context: Any) -> None:
    mesh = sphere(10, (MATERIALS["matte"], MATERIALS["textured"], MATERIALS["shiny"]), lumps=0.2)
    colors = 0.5 + 0.4 * np.sin(4 * mesh.verts_obj[mesh.faces])
    bands = np.digitize(mesh.verts_obj[mesh.faces].mean(axis=1)[:, 1], [-0.4, 0.4]).astype(np.int32)
    white = mesh.colors[..., 3:]
    mesh = replace(mesh, colors=np.append(colors, white, axis=-1).astype(np.float32), face_material=bands)
    poses = views(random_rotations(3, 7), (0.1, -0.2, -4), lights=np.array([[-0.6, 0.7, 0.6]]), ambient=0.2)
    assert differences(context, mesh, poses, 128).max() < CLOSE
