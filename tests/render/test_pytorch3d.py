"""The PyTorch3D back end on a brute-force stand-in, which is everywhere, and on PyTorch3D where it is installed."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch3d_standin
import torch
from numpy.typing import NDArray
from pytorch3d_references import BLACK
from render_pictures import about, make_mesh, noise_picture, quad, random_rotations, sphere, stacked, views

from posetest.errors import BackendError, ConfigError
from posetest.geometry.camera import Views
from posetest.geometry.so3 import tangent_to_matrix
from posetest.protocols import DifferentiableRenderer, ViewGradients
from posetest.render.differentiable import PoseTensors
from posetest.render.pytorch3d import Pytorch3dRenderer, SoftOptions
from posetest.render.pytorch3d.backend import load_pytorch3d, usable_device
from posetest.render.reference import ReferenceRenderer
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

IS_INSTALLED = importlib.util.find_spec("pytorch3d") is not None
needs_pytorch3d = pytest.mark.skipif(
    not IS_INSTALLED, reason="no pytorch3d: no wheels for Linux on PyPI, built from source by hand where it is wanted"
)

LIGHTS = np.array([[-1.0, 1.5, 1.0], [1.0, 0.2, 0.3]])
COLORS = np.array([[0.6, 0.5, 0.4], [0.1, 0.2, 0.3]])
BEHIND = Background((0.2, 0.4, 0.7))
SOFT = SoftOptions(sigma=1e-3, gamma=1e-3, faces_per_pixel=40, has_depth_gradient=True)


@pytest.fixture(params=["stand-in", pytest.param("pytorch3d", marks=needs_pytorch3d)])
def rasterizer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "stand-in":
        pytorch3d_standin.install(monkeypatch)
    return str(request.param)


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> None:
    pytorch3d_standin.install(monkeypatch)


def lumpy(*materials: Material, rings: int = 5) -> Mesh:
    return sphere(rings, materials or (Material(),), lumps=0.2)


def three_views(seed: int = 0) -> Views:
    return views(random_rotations(3, seed), (0.3, 0.2, -5), lights=LIGHTS, colors=COLORS, ambient=0.2)


# agreement with the reference


LEAFY = noise_picture(24, 24, 3, coarse=2)
LEAFY[..., 3] = np.where(np.indices((24, 24)).sum(axis=0) // 6 % 2, 255, 60)
SCENES: dict[str, Mesh] = {
    "a plain surface": lumpy(),
    "several materials": lumpy(
        Material(base_color=(0.8, 0.2, 0.1, 1.0)),
        Material(texture=Texture(noise_picture(37, 51, coarse=2), "mirror", "clamp")),
        Material(emissive=(0.4, 0.5, 0.3), emissive_texture=Texture(noise_picture(16, 32, 3, coarse=2))),
        Material(texture=Texture(noise_picture(20, 30, 5, coarse=2)), metalness=0.7, roughness=0.5),
        Material(base_color=(0.3, 0.5, 0.2, 1.0), roughness=0.4, specular=(0.3, 0.2, 0.1)),
    ),
    "holes": lumpy(Material(texture=Texture(LEAFY), alpha_mode="mask", two_sided=True)),
    "glass": stacked(
        [
            Material(base_color=(0.9, 0.3, 0.2, 0.5), alpha_mode="blend", two_sided=True),
            Material(base_color=(0.1, 0.8, 0.3, 0.3), alpha_mode="blend", two_sided=True),
            Material(base_color=(0.5, 0.5, 0.9, 1.0), two_sided=True),
        ],
        [0.4, 0.2, -0.2],
    ),
}
SCENES["vertex colours"] = replace(
    SCENES["a plain surface"],
    colors=np.random.default_rng(0).uniform(0, 1, (*SCENES["a plain surface"].faces.shape, 4)).astype(np.float32),
)


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
@pytest.mark.parametrize("name", SCENES)
def test_pictures_are_those_of_the_reference(rasterizer: str, name: str, shading: Any) -> None:
    poses = three_views(4)
    ours = Pytorch3dRenderer(SCENES[name], BEHIND, samples=3, shading=shading).render(poses, 26, 34, mask=True)
    slow = ReferenceRenderer(SCENES[name], BEHIND, samples=3, shading=shading).render(poses, 26, 34, mask=True)
    assert ours.mask is not None
    assert slow.mask is not None
    # the same rays: what differs are those that meet an edge, and textures, which here have mip levels
    assert np.abs(ours.mask - slow.mask).mean() < 5e-4
    assert np.abs(ours.images - slow.images).mean() < 1e-3
    np.testing.assert_allclose(ours.area_px, slow.area_px, rtol=0.005)
    np.testing.assert_allclose(ours.inside, slow.inside, atol=0.02)
    np.testing.assert_allclose(ours.long_px, slow.long_px, atol=1)


@pytest.mark.parametrize("position", [(0, 0, -0.9), (0.4, 0.3, -0.2), (0, 0, 0), (1.3, 0, -2.5)])
def test_objects_at_the_camera_and_at_the_border_are_those_of_the_reference(
    rasterizer: str, position: tuple[float, float, float]
) -> None:
    mesh = lumpy(Material(texture=Texture(noise_picture(16, 16, coarse=1)), two_sided=True))
    poses = views(random_rotations(2, 3), position, lights=LIGHTS, colors=COLORS, ambient=0.2, fov=1.2)
    ours = Pytorch3dRenderer(mesh, BEHIND, samples=3).render(poses, 30, 24, mask=True)
    slow = ReferenceRenderer(mesh, BEHIND, samples=3).render(poses, 30, 24, mask=True)
    assert ours.mask is not None
    assert slow.mask is not None
    assert np.abs(ours.mask - slow.mask).mean() < 1e-3
    assert np.abs(ours.images - slow.images).mean() < 2e-3
    np.testing.assert_allclose(ours.inside, slow.inside, atol=0.02)


def test_a_pane_seen_square_on_is_mixed_once_along_its_diagonal(rasterizer: str) -> None:
    pane = quad(Material(base_color=(1.0, 1.0, 1.0, 0.5), alpha_mode="blend"), half=5.0)
    rendered = Pytorch3dRenderer(pane, BLACK, shading="gamma_free").render(views(np.eye(3)), 16, 16, mask=True)
    np.testing.assert_allclose(rendered.images, 0.5, atol=1e-5)
    assert rendered.mask is not None
    np.testing.assert_allclose(rendered.mask, 0.5, atol=1e-5)


def test_a_view_has_the_same_bits_in_any_batch(rasterizer: str) -> None:
    renderer, poses = Pytorch3dRenderer(lumpy(), BEHIND), three_views()
    together = renderer.render(poses, 20, 20)
    alone = renderer.render(poses[1:2], 20, 20)
    assert together.digest[1] == alone.digest[0]
    assert len(set(together.digest.tolist())) == 3


def test_pictures_behind_may_be_handed_over(rasterizer: str) -> None:
    behind = np.random.default_rng(0).uniform(0, 1, (3, 3, 20, 20)).astype(np.float32)
    renderer = Pytorch3dRenderer(lumpy(), BEHIND)
    drawn = renderer.render(three_views(), 20, 20, mask=True, backgrounds=behind)
    assert drawn.mask is not None
    is_free = np.broadcast_to(drawn.mask == 0, behind.shape)
    np.testing.assert_allclose(drawn.images[is_free], behind[is_free], atol=1e-5)
    with pytest.raises(ConfigError, match=r"backgrounds must have the shape \(3, 3, 20, 20\)"):
        renderer.render(three_views(), 20, 20, backgrounds=behind[:2])


# soft edges


def test_soft_edges_end_as_hard_ones_do_when_sigma_is_small(rasterizer: str) -> None:
    poses = three_views()
    hard = Pytorch3dRenderer(lumpy(), BEHIND).render(poses, 32, 32, mask=True)
    sharp = SoftOptions(sigma=1e-7, gamma=1e-5, faces_per_pixel=20)
    soft = Pytorch3dRenderer(lumpy(), BEHIND, soft=sharp).render(poses, 32, 32, mask=True)
    assert soft.mask is not None
    assert hard.mask is not None
    assert np.abs(soft.mask - hard.mask).mean() < 2e-3
    assert np.abs(soft.images - hard.images).mean() < 2e-3


def test_a_soft_edge_covers_half_where_it_runs_and_less_outside(rasterizer: str) -> None:
    # the right edge runs through the centres of column 20, one pixel is 2 / 32 of the half frame's units
    half = 4.5 / 16 * np.tan(0.3) * 5
    soft = SoftOptions(sigma=1e-2, faces_per_pixel=8)
    mesh = make_mesh(np.array([[-9, -9, 0], [half, -9, 0], [half, 9, 0], [-9, 9, 0]]), np.array([[0, 1, 2], [0, 2, 3]]))
    rendered = Pytorch3dRenderer(mesh, BLACK, soft=soft, shading="gamma_free").render(
        views(np.eye(3)), 32, 32, mask=True
    )
    assert rendered.mask is not None
    row = rendered.mask[0, 0, 8]  # far from the diagonal, whose faces both cover what lies along it
    away = (np.arange(32) - 20) / 16
    expected = 1 / (1 + np.exp(away**2 * np.sign(away) / soft.sigma))
    near = np.abs(away) <= 0.25
    np.testing.assert_allclose(row[near], expected[near], atol=0.02)
    np.testing.assert_allclose(rendered.images[0, :, 8, near], expected[near, None].repeat(3, 1), atol=0.02)


def test_glass_keeps_hard_outlines_in_soft_pictures(rasterizer: str) -> None:
    poses = three_views(4)
    hard = Pytorch3dRenderer(SCENES["glass"], BEHIND).render(poses, 24, 24)
    sharp = SoftOptions(sigma=1e-7, gamma=1e-5, faces_per_pixel=8)
    soft = Pytorch3dRenderer(SCENES["glass"], BEHIND, soft=sharp).render(poses, 24, 24)
    assert np.abs(soft.images - hard.images).mean() < 3e-3


# gradients


def adjoint(count: int, side: int) -> NDArray[np.float32]:
    y, x = np.mgrid[:side, :side] / side
    one = np.stack([np.sin(3 * x + 2 * y + k) + 0.5 * np.cos(5 * y - k) for k in range(3)])
    return np.repeat(one[None], count, axis=0).astype(np.float32)


def differences(
    renderer: Pytorch3dRenderer, poses: Views, weight: NDArray[np.float32], step: float, names: tuple[str, ...]
) -> dict[str, NDArray[np.float64]]:
    """Central differences of the renderer's own pictures."""

    def slope(low: Views, high: Views) -> NDArray[np.float64]:
        pictures = [renderer.render(v, *weight.shape[2:]).images.astype(np.float64) for v in (low, high)]
        return ((pictures[1] - pictures[0]) * weight).sum(axis=(1, 2, 3)) / (2 * step)

    def turned(axis: NDArray[np.float64]) -> Views:
        return replace(poses, rotation=tangent_to_matrix(step * axis) @ poses.rotation)

    found = {}
    for name in names:
        if name == "rotation":
            found[name] = np.stack([slope(turned(-axis), turned(axis)) for axis in np.eye(3)], axis=1)
            continue
        values = getattr(poses, name)
        found[name] = np.zeros(values.shape)
        for place in np.ndindex(values.shape[1:]):
            move = np.zeros(values.shape[1:])
            move[place] = step
            low, high = (replace(poses, **{name: values + sign * move}) for sign in (-1, 1))
            found[name][(slice(None), *place)] = slope(low, high)
    return found


def glossy() -> Material:
    return Material(
        texture=Texture(noise_picture(24, 24, coarse=1)), roughness=0.5, specular=(0.2, 0.2, 0.1), two_sided=True
    )


def check_gradient(found: ViewGradients, truth: dict[str, NDArray[np.float64]], limit: float) -> None:
    for name, wanted in truth.items():
        assert np.linalg.norm(getattr(found, name) - wanted) < limit * np.linalg.norm(wanted), name


def test_gradients_are_exact_where_no_edge_is_seen(rasterizer: str) -> None:
    turn = about("y", 0.4) @ about("x", 0.2) @ about("z", 0.5)
    poses = views(turn, lights=LIGHTS[:1], colors=COLORS[:1], ambient=0.2)
    renderer = Pytorch3dRenderer(quad(glossy(), half=4.0), BEHIND)
    assert isinstance(renderer, DifferentiableRenderer)
    weight = adjoint(1, 24)
    found = renderer.gradient(poses, renderer.render(poses, 24, 24).images, weight)
    names = ("rotation", "position", "fov", "light_dirs", "light_colors", "ambient")
    check_gradient(found, differences(renderer, poses, weight, 1e-3, names), 0.005)


def test_gradients_of_lights_and_backgrounds_are_exact_for_hard_edges(rasterizer: str) -> None:
    poses, weight = three_views()[:2], adjoint(2, 24)
    behind = np.random.default_rng(0).uniform(0.1, 0.9, (2, 3, 24, 24)).astype(np.float32)
    renderer = Pytorch3dRenderer(lumpy(glossy()), BEHIND)
    drawn = renderer.render(poses, 24, 24, mask=True, backgrounds=behind)
    assert drawn.mask is not None
    found = renderer.gradient(poses, drawn.images, weight, backgrounds=behind, with_backgrounds=True)
    check_gradient(found, differences(renderer, poses, weight, 1e-3, ("light_dirs", "light_colors", "ambient")), 0.01)
    assert found.backgrounds is not None
    np.testing.assert_allclose(found.backgrounds, weight * (1 - drawn.mask), atol=1e-4)


def test_gradients_of_soft_pictures_are_those_of_the_picture(rasterizer: str) -> None:
    poses, weight = three_views(), adjoint(3, 40)
    plain = Material(roughness=0.5, specular=(0.2, 0.2, 0.1))  # no texture: mip levels carry no gradient
    renderer = Pytorch3dRenderer(lumpy(plain, rings=4), BEHIND, soft=SOFT)
    found = renderer.gradient(poses, renderer.render(poses, 40, 40).images, weight)
    check_gradient(found, differences(renderer, poses, weight, 1e-4, ("rotation", "position", "fov")), 0.05)


def test_gradients_of_soft_pictures_see_the_silhouette_move(rasterizer: str) -> None:
    # a white ball before black: shading stays as it is, and only the outline tells where the ball goes
    poses, side = views(np.eye(3), (0.2, -0.1, -6)), 40
    ball, weight = sphere(6, (Material(),)), adjoint(1, side)
    slow = ReferenceRenderer(ball, BLACK, samples=4, shading="gamma_free")
    step = 0.02

    def score(axis: int, sign: float) -> float:
        moved = replace(poses, position=poses.position + sign * step * np.eye(3)[axis])
        return float((slow.render(moved, side, side).images * weight).sum())

    truth = np.array([(score(axis, 1) - score(axis, -1)) / (2 * step) for axis in range(3)])
    found = {}
    pixel = (2 / side) ** 2
    settings = {"hard": None, "soft": SoftOptions(sigma=pixel), "theirs": SoftOptions(sigma=pixel, blend="softmax")}
    for name, soft in settings.items():
        renderer = Pytorch3dRenderer(ball, BLACK, shading="gamma_free", soft=soft)
        found[name] = renderer.gradient(poses, weight, weight).position[0]
    assert np.abs(found["hard"]).max() < 1e-3
    assert np.linalg.norm(found["theirs"] - truth) > 0.9 * np.linalg.norm(truth)  # too small, or far too large
    cosine = found["soft"] @ truth / np.linalg.norm(found["soft"]) / np.linalg.norm(truth)
    assert cosine > 0.95
    assert np.linalg.norm(found["soft"]) == pytest.approx(np.linalg.norm(truth), rel=0.3)


def test_autograd_flows_through_tensors_as_the_gradient_says(rasterizer: str) -> None:
    poses, weight = three_views(), adjoint(3, 20)
    renderer = Pytorch3dRenderer(lumpy(), BEHIND, soft=SOFT)
    tensors = PoseTensors.from_views(poses)
    turn = torch.zeros(3, 3, requires_grad=True)
    position = tensors.position.requires_grad_(True)
    images = renderer.render_tensors(replace(tensors, position=position).turned(turn), 20, 20)
    np.testing.assert_allclose(images.detach().numpy(), renderer.render(poses, 20, 20).images, atol=1e-5)
    (images * torch.from_numpy(weight)).sum().backward()
    found = renderer.gradient(poses, images.detach().numpy(), weight)
    assert turn.grad is not None
    assert position.grad is not None
    np.testing.assert_allclose(turn.grad.numpy(), found.rotation, rtol=1e-2, atol=1e-2)
    np.testing.assert_allclose(position.grad.numpy(), found.position, rtol=1e-2, atol=1e-2)


def test_no_pose_gives_a_gradient_that_is_not_finite(rasterizer: str) -> None:
    rng = np.random.default_rng(1)
    count = 24
    poses = views(random_rotations(count, 2), rng.uniform(-1, 1, (count, 3)), lights=LIGHTS, colors=COLORS, ambient=0.1)
    poses.position[-4:] = [(0, 0, 0), (0, 0, 9), (60, 0, -5), (0, 0, -1)]
    poses.rotation[-1] = np.eye(3)
    weight = adjoint(count, 12)
    for soft in (None, SoftOptions()):
        renderer = Pytorch3dRenderer(lumpy(glossy(), rings=3), BEHIND, soft=soft)
        found = renderer.gradient(poses, weight, weight, with_backgrounds=True)
        for name, values in vars(found).items():
            assert np.isfinite(values).all(), name


# without PyTorch3D, or with a broken one


def test_the_error_says_that_it_is_missing_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BackendError, match="not installed.*no wheels for Linux: pip install --no-build-isolation"):
        Pytorch3dRenderer(lumpy())


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "pytorch3d").mkdir()
    (tmp_path / "pytorch3d" / "__init__.py").write_text('__version__ = "0.7.9"\n')
    (tmp_path / "pytorch3d" / "_C.py").write_text('raise ImportError("undefined symbol: _ZN3c10")\n')
    for name in [name for name in sys.modules if name.split(".")[0] == "pytorch3d"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("pytorch3d", None)


def test_the_error_says_why_an_installed_one_does_not_import(broken: None) -> None:
    wanted = r"does not import beside torch .*undefined symbol: _ZN3c10\); it must be built against the torch"
    with pytest.raises(BackendError, match=wanted):
        load_pytorch3d()


def test_devices_that_are_not_there_are_refused(standin: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(
        BackendError, match='asked to draw on "cuda:1", but torch .* sees 0 CUDA devices: use device="cpu"'
    ):
        usable_device("cuda:1")
    for name in ("mps", "cuda:x"):
        with pytest.raises(BackendError, match=f'draws on "cpu", "cuda" or "cuda:N", not on "{name}"'):
            usable_device(name)


def test_importing_the_back_end_needs_neither_torch_nor_pytorch3d() -> None:
    import subprocess

    code = "import sys, posetest.render.pytorch3d\nprint({'torch', 'pytorch3d'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_options_out_of_range_are_refused(standin: None) -> None:
    with pytest.raises(ConfigError, match=r"soft\.sigma must be a number above 0, not 0"):
        SoftOptions(sigma=0)
    with pytest.raises(ConfigError, match=r"soft\.faces_per_pixel must be 1 to 150, not 151"):
        SoftOptions(faces_per_pixel=151)
    with pytest.raises(ConfigError, match=r'soft\.blend must be "coverage" or "softmax", not "hard"'):
        SoftOptions(blend="hard")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="samples must be 1 to 8, not 0"):
        Pytorch3dRenderer(lumpy(), samples=0)
    with pytest.raises(ConfigError, match="layers must be 1 to 150, not 0"):
        Pytorch3dRenderer(lumpy(), layers=0)
    with pytest.raises(ConfigError, match='shading must be "linear" or "gamma_free", not "phong"'):
        Pytorch3dRenderer(lumpy(), shading="phong")  # type: ignore[arg-type]
