"""The CPU renderer against pictures that PyTorch3D made of the same mesh under the same cameras."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from render_pictures import make_mesh, views

from posetest.geometry.camera import Views
from posetest.protocols import Rendered
from posetest.render.cpu import CpuRenderer
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

#: Width of the band along outlines, in pixels, that is left out when colours are compared.
BAND_PX = 2


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    return shared / "pytorch3d"


@pytest.fixture(scope="module")
def cow(folder: Path) -> Mesh:
    data = np.load(folder / "mesh.npz")
    picture = np.asarray(Image.open(folder / "texture.png").convert("RGBA"))
    size = np.array([picture.shape[1], picture.shape[0]])
    uv = (data["verts_uvs"][data["faces_uvs"]] * (size - 1) + 0.5) / size  # its texels lie on the picture's corners
    material = Material(texture=Texture(picture, "clamp", "clamp"), two_sided=True)
    normals = data["vertex_normals"][data["faces"]]
    return make_mesh(data["verts"], data["faces"], (material,), uv=uv, normals=normals)


def references(folder: Path) -> list[dict[str, Any]]:
    """All but those that PyTorch3D cut at its near plane, which is fifty times farther than ours."""
    found: list[dict[str, Any]] = json.loads((folder / "params.json").read_text())["refs"]
    return [reference for reference in found if reference["zmin"] > reference["raster"]["z_clip"] + 0.01]


def view_of(reference: dict[str, Any]) -> Views:
    matrix = np.array(reference["world_to_view_gl_col"])
    return views(matrix[:3, :3][None], tuple(matrix[:3, 3]), fov=np.radians(reference["fov_y_deg"]))


def draw(mesh: Mesh, reference: dict[str, Any]) -> Rendered:
    height, width = reference["image_size_HW"]
    behind = Background(tuple(reference["background"]))
    with CpuRenderer(mesh, behind, threads=1) as renderer:
        return renderer.render(view_of(reference), height, width, mask=True)


def shrunk(inner: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """``inner`` less all within BAND_PX of what is not in it."""
    kept = inner.copy()
    for y in range(-BAND_PX, BAND_PX + 1):
        for x in range(-BAND_PX, BAND_PX + 1):
            kept &= np.roll(inner, (y, x), axis=(0, 1))
    return kept


def test_outlines_match_those_of_pytorch3d(folder: Path, cow: Mesh) -> None:
    assert len(references(folder)) == 7
    for reference in references(folder):
        truth = np.load(folder / f"{reference['name']}.npz")["rgba_ss4"][..., 3].astype(np.float64)
        rendered = draw(cow, reference)
        assert rendered.mask is not None
        difference = np.abs(rendered.mask[0, 0] - truth)
        edge = (truth > 0) & (truth < 1)
        assert difference[~edge].mean() < 2e-4, reference["name"]
        assert difference[edge].mean() < 0.05, reference["name"]
        assert rendered.area_px[0] == pytest.approx(truth.sum(), rel=0.002), reference["name"]


def test_unlit_colors_match_those_of_pytorch3d(folder: Path, cow: Mesh) -> None:
    reference = references(folder)[0]
    assert reference["light"]["type"] == "ambient"
    truth = np.load(folder / f"{reference['name']}.npz")["rgba_ss4"].astype(np.float64)
    image = draw(cow, reference).images[0].transpose(1, 2, 0)
    inner = shrunk(truth[..., 3] == 1)
    assert inner.sum() > 5000
    assert np.abs(image - truth[..., :3])[inner].mean() < 0.005
