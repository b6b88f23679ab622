"""The PyTorch3D back end with PyTorch3D itself, where it is installed: its stand-in, its own pictures, real meshes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch3d_standin
import torch
from pytorch3d_references import BLACK, Reference, outside_band, references
from render_pictures import six_views

from posetest.render.pytorch3d import Pytorch3dRenderer, SoftOptions
from posetest.scene.background import Background
from posetest.scene.load import load_mesh

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("pytorch3d") is None,
    reason="no pytorch3d: no wheels for Linux on PyPI, built from source by hand where it is wanted",
)

BEHIND = Background((0.2, 0.4, 0.7))


@pytest.mark.parametrize("blur_radius", [0.0, 1e-2])
def test_the_stand_in_sees_what_pytorch3d_sees(monkeypatch: pytest.MonkeyPatch, blur_radius: float) -> None:
    from posetest.render.pytorch3d import conventions

    rng = np.random.default_rng(0)
    corners = torch.tensor(rng.normal(size=(2, 30, 3, 3)) * 0.5 + (0, 0, -2.5), dtype=torch.float32)
    corners[:, :4, 0, 2] = 0.3  # some reach behind the camera
    fov, wanted = torch.tensor([0.8, 1.1]), torch.ones(2, 30, dtype=torch.bool)
    window = conventions.whole_frame(20, 28, 1)
    real = conventions.rasterize(corners, fov, wanted, window, 30, blur_radius)
    with monkeypatch.context() as patch:
        pytorch3d_standin.install(patch)
        fake = conventions.rasterize(corners, fov, wanted, window, 30, blur_radius)

    def by_face(fragments: conventions.Fragments, values: torch.Tensor) -> torch.Tensor:
        """[n, h, w, 30]: the values of each face, NaN where the sample does not see it."""
        place = torch.where(fragments.face >= 0, fragments.face, 30)  # a place more, for what is empty
        return torch.full((*place.shape[:3], 31), torch.nan).scatter_(3, place, values)[..., :30]

    # of a face cut at the near plane PyTorch3D tells the distance to the piece that lies nearer, not to its outline
    distances = by_face(real, real.distance)[..., 4:], by_face(fake, fake.distance)[..., 4:]
    is_known = ~distances[1].isnan()  # the stand-in leaves out samples beyond the horizon of a face's plane
    assert is_known.sum() > 500
    np.testing.assert_allclose(distances[0][is_known], distances[1][is_known], atol=1e-4)
    is_inside = by_face(real, real.distance) < -1e-6
    assert is_inside.sum() > 1000
    depths = by_face(real, real.depth), by_face(fake, fake.depth)
    np.testing.assert_allclose(depths[0][is_inside], depths[1][is_inside], rtol=1e-3)
    for k in range(3):
        weights = by_face(real, real.weights[..., k]), by_face(fake, fake.weights[..., k])
        np.testing.assert_allclose(weights[0][is_inside], weights[1][is_inside], atol=1e-3)


def test_the_stand_in_blends_as_pytorch3d_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from posetest.render.pytorch3d import conventions

    generator = torch.Generator().manual_seed(0)
    face = torch.randint(-1, 5, (2, 6, 7, 4), generator=generator)
    depth, distance = torch.rand(face.shape, generator=generator) + 2, torch.randn(face.shape, generator=generator)
    fragments = conventions.Fragments(face, depth, torch.zeros(*face.shape, 3), distance)
    colors, behind = torch.rand(*face.shape, 3, generator=generator), torch.rand(2, 6, 7, 3, generator=generator)
    reach = (torch.tensor([1.0, 0.5]), torch.tensor([9.0, 5.0]))

    def blended() -> list[Any]:
        parts = conventions.softmax_blend(colors, fragments, behind, sigma=0.5, gamma=0.1, depth_range=reach)
        return [part.numpy() for part in parts]

    real = blended()
    pytorch3d_standin.install(monkeypatch)
    for a, b in zip(real, blended(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.fixture(scope="module")
def known(shared: Path) -> dict[str, Reference]:
    return {reference.name: reference for reference in references(shared / "pytorch3d")}


@pytest.mark.parametrize("name", [f"ref{number:02d}" for number in range(8)])
def test_pictures_match_those_that_pytorch3d_made_itself(known: dict[str, Reference], name: str) -> None:
    reference = known[name]
    renderer = Pytorch3dRenderer(reference.mesh, reference.background, shading="gamma_free")
    shine = Pytorch3dRenderer(reference.shine, BLACK, shading="gamma_free") if reference.shine is not None else None
    image, cover = reference.drawn(renderer, shine)
    assert (cover != reference.hard[..., 3]).mean() < 5e-4
    difference = np.abs(image - np.clip(reference.hard[..., :3], 0, 1))
    far = outside_band(reference.smooth[..., 3])
    inside = far & (reference.hard[..., 3] == 1)
    assert inside.sum() > 3000
    assert difference[inside].mean() < 0.006  # measured: .0004 to .0046; they have no mip levels
    assert difference[far].mean() < 0.002


def test_soft_pictures_are_pytorch3ds_own_when_blended_its_way(known: dict[str, Reference]) -> None:
    reference = known["ref06"]
    soft = SoftOptions(blend="softmax", gamma=1e-4, faces_per_pixel=10)
    image, cover = reference.drawn(
        Pytorch3dRenderer(reference.mesh, reference.background, shading="gamma_free", soft=soft), None
    )
    assert np.abs(cover - reference.soft[..., 3]).mean() < 1e-3
    assert np.abs(image - reference.soft[..., :3]).mean() < 2e-3


@pytest.mark.parametrize("path", ["traffic_light/stop_light.obj", "goblet/Chalice.glb", "red_fox/Fox.glb"])
@pytest.mark.filterwarnings("ignore::posetest.errors.MeshWarning")
def test_real_meshes_agree_with_the_cpu_renderer(shared: Path, path: str) -> None:
    from posetest.render.cpu import CpuRenderer

    mesh = load_mesh(shared / "meshes" / path)
    poses = six_views(mesh)
    theirs = Pytorch3dRenderer(mesh, BEHIND).render(poses, 128, 128)
    with CpuRenderer(mesh, BEHIND, threads=1, samples=2) as renderer:
        ours = renderer.render(poses, 128, 128, mask=True)
    assert ours.mask is not None
    far = np.stack([outside_band(cover[0].astype(np.float64)) for cover in ours.mask])
    inside = far & (ours.mask[:, 0] == 1)
    difference = np.abs(theirs.images - ours.images).mean(axis=1)
    assert difference[inside].mean() < 0.01
    np.testing.assert_allclose(theirs.area_px, ours.area_px, rtol=0.02)
    np.testing.assert_allclose(theirs.inside, ours.inside, atol=0.02)
