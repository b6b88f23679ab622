"""Autograd through pictures: what stands between torch and a renderer, and a pose found again by its gradient."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from render_pictures import noise_picture, sphere
from smooth_renderer import Clouds, some_views
from test_gradients import adjoints, pictures
from torch import Tensor

from posetest.errors import ConfigError, ModelError
from posetest.geometry.camera import Views
from posetest.geometry.so3 import quaternion_to_matrix, tangent_to_matrix
from posetest.geometry.so3_torch import quaternion_to_matrix as quaternion_to_matrix_torch
from posetest.geometry.so3_torch import tangent_to_matrix as tangent_to_matrix_torch
from posetest.protocols import Renderer
from posetest.render.cpu import CpuRenderer
from posetest.render.differentiable import PoseTensors, blend_backgrounds, render_images
from posetest.render.gradients import FIELDS, Jitter
from posetest.scene.material import Material, Texture

SIZE = 20


def leaves(count: int, *, dtype: torch.dtype = torch.float64, seed: int = 0) -> PoseTensors:
    """Poses every number of which asks for a gradient."""
    poses = PoseTensors.from_views(some_views(count, seed), dtype=dtype)
    for name in FIELDS:
        getattr(poses, name).requires_grad_()
    return poses


def score(images: Tensor, seed: int = 1) -> Tensor:
    return (images * torch.from_numpy(adjoints(len(images), seed))).sum()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("options", [{}, {"gradient": "finite"}, {"jitter": Jitter(count=2, turn_rad=0.001)}])
def test_gradients_have_the_shape_and_type_of_their_inputs(dtype: torch.dtype, options: dict[str, object]) -> None:
    poses, behind = leaves(3, dtype=dtype), torch.from_numpy(pictures(3)).to(dtype).requires_grad_()
    images = render_images(Clouds(), poses, SIZE, SIZE, backgrounds=behind, **options)
    assert images.shape == (3, 3, SIZE, SIZE)
    assert images.dtype == torch.float32
    score(images).backward()
    for tensor in (*(getattr(poses, name) for name in FIELDS), behind):
        assert tensor.grad.shape == tensor.shape
        assert tensor.grad.dtype == dtype
        assert tensor.grad.isfinite().all()
        assert tensor.grad.any()


def test_the_pictures_are_those_of_the_renderer() -> None:
    views, behind = some_views(2), pictures(2)
    ours = render_images(Clouds(), views, SIZE, 30, backgrounds=torch.ones(1, 3, SIZE, 30) / 2)
    theirs = Clouds().render(views, SIZE, 30, backgrounds=np.full((2, 3, SIZE, 30), 0.5, np.float32))
    assert (ours.numpy() == theirs.images).all()
    assert not ours.requires_grad
    again = PoseTensors.from_views(views, dtype=torch.float64).to_views()
    assert all((getattr(again, name) == getattr(views, name)).all() for name in (*FIELDS, "background"))
    assert (render_images(Clouds(), again, SIZE, SIZE, backgrounds=torch.from_numpy(behind)).shape) == behind.shape


def test_a_turn_of_the_pose_is_answered_with_the_torque() -> None:
    poses = PoseTensors.from_views(some_views(3), dtype=torch.float64)
    turn = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    images = render_images(Clouds(), poses.turned(turn), SIZE, SIZE)
    score(images).backward()
    true = Clouds().gradient(some_views(3), images.detach().numpy(), adjoints(3))
    assert np.allclose(turn.grad, true.rotation, rtol=1e-9)


def test_the_gradient_of_the_matrix_lies_along_the_rotations() -> None:
    poses = leaves(3)
    score(render_images(Clouds(), poses, SIZE, SIZE)).backward()
    # R^T G of a gradient tangent to the rotations at R is antisymmetric
    inner = poses.rotation.detach().mT @ poses.rotation.grad
    assert torch.allclose(inner, -inner.mT, atol=1e-9)


def chain(renderer: Renderer, numbers: Tensor, **options: object) -> Tensor:
    """A score of 12 numbers through a quaternion, a logarithm, light angles and a blend of backgrounds."""
    poses = PoseTensors.from_views(some_views(1, lights=1), dtype=torch.float64)
    azimuth, elevation = numbers[7], numbers[8]
    towards = torch.stack([elevation.cos() * azimuth.sin(), elevation.sin(), elevation.cos() * azimuth.cos()])
    poses = replace(
        poses,
        rotation=quaternion_to_matrix_torch(numbers[:4])[None],
        position=torch.stack([numbers[4], numbers[5], -numbers[6].exp()])[None],
        fov=numbers[9][None] * 0.1,
        light_dirs=towards.reshape(1, 1, 3),
    )
    behind = blend_backgrounds(torch.from_numpy(pictures(3)).double(), numbers[9:12].softmax(0)[None])
    return score(render_images(renderer, poses, SIZE, SIZE, backgrounds=behind, **options))


START = [0.8, 0.4, -0.3, 0.2, 0.1, -0.2, 1.6, 0.5, 0.4, 6.0, 5.5, 6.3]


@pytest.mark.parametrize("options", [{}, {"gradient": "finite"}])
def test_the_chain_rule_agrees_with_differences_of_the_whole(options: dict[str, str]) -> None:
    numbers = torch.tensor(START, dtype=torch.float64, requires_grad=True)
    chain(Clouds(), numbers, **options).backward()
    step = 0.003
    slopes = []
    with torch.no_grad():
        for move in step * torch.eye(len(START), dtype=torch.float64):
            slopes.append(float(chain(Clouds(), numbers + move) - chain(Clouds(), numbers - move)) / (2 * step))
    assert np.allclose(numbers.grad, slopes, rtol=0.01, atol=0.01 * np.abs(slopes).max())


def test_a_tensor_that_all_poses_share_gets_the_sum_of_their_gradients() -> None:
    poses = leaves(4)
    single = {name: getattr(poses, name).detach()[:1].clone().requires_grad_() for name in FIELDS}
    for name in FIELDS:
        shared = replace(poses, **{name: single[name]})
        every = replace(poses, **{name: single[name].detach().expand(4, *single[name].shape[1:]).clone()})
        getattr(every, name).requires_grad_()
        for together in (shared, every):
            score(render_images(Clouds(), together, SIZE, SIZE)).backward()
        assert torch.allclose(single[name].grad, getattr(every, name).grad.sum(0, keepdim=True))
    behind = torch.full((1, 3, SIZE, SIZE), 0.3, requires_grad=True)
    score(render_images(Clouds(), poses, SIZE, SIZE, backgrounds=behind)).backward()
    assert behind.grad.shape == behind.shape


@pytest.mark.parametrize("options", [{}, {"gradient": "finite"}, {"jitter": Jitter(count=3)}])
def test_no_poses_make_no_pictures_and_no_gradient(options: dict[str, object]) -> None:
    poses, behind = leaves(0), torch.zeros(1, 3, SIZE, SIZE, requires_grad=True)
    images = render_images(Clouds(), poses, SIZE, SIZE, backgrounds=behind, **options)
    assert images.shape == (0, 3, SIZE, SIZE)
    images.sum().backward()
    assert poses.rotation.grad.shape == (0, 3, 3)
    assert not behind.grad.any()


def test_only_what_is_asked_for_is_computed() -> None:
    renderer = Clouds()
    poses = PoseTensors.from_views(some_views(3))
    with torch.no_grad():
        render_images(renderer, leaves(3), SIZE, SIZE)
    assert not render_images(renderer, poses, SIZE, SIZE).requires_grad
    poses.fov.requires_grad_()
    renderer.drawn = 0
    score(render_images(renderer, poses, SIZE, SIZE, gradient="finite")).backward()
    assert renderer.drawn == 3 + 2 * 3
    assert renderer.gradients == 0
    assert poses.position.grad is None


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("options", [{}, {"gradient": "finite"}])
def test_a_score_that_is_no_number_never_reaches_a_pose(value: float, options: dict[str, str]) -> None:
    poses = leaves(2)
    images = render_images(Clouds(), poses, SIZE, SIZE, **options)
    weights = torch.ones_like(images)
    weights[1, 0, 3, 3] = value
    with pytest.raises(ModelError, match="picture 1 of 2 is not finite, and no pose can follow it: look for a log"):
        (images * weights).sum().backward()
    assert poses.rotation.grad is None


def test_a_second_derivative_is_refused_by_torch() -> None:
    poses = leaves(1)
    loss = (render_images(Clouds(), poses, SIZE, SIZE) ** 2).sum()
    (first,) = torch.autograd.grad(loss, poses.position, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_pictures_overwritten_before_the_backward_pass_are_noticed() -> None:
    poses = leaves(1)
    images = render_images(Clouds(), poses, SIZE, SIZE)
    loss = score(images)
    with torch.no_grad():
        images.mul_(0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_poses_changed_after_the_drawing_do_not_change_the_gradient() -> None:
    first, second = leaves(2), leaves(2)
    plain = score(render_images(Clouds(), first, SIZE, SIZE))
    changed = score(render_images(Clouds(), second, SIZE, SIZE))
    second.position.data.add_(1)  # as an optimiser's step would
    plain.backward()
    changed.backward()
    assert (first.position.grad == second.position.grad).all()


class Plain:
    """A back end without a gradient."""

    def __init__(self) -> None:
        self.render = Clouds().render
        self.close = Clouds().close


def test_a_renderer_without_a_gradient_is_differentiated_by_differences_alone() -> None:
    poses = leaves(1)
    with pytest.raises(ConfigError, match='Plain has no gradient of its own: ask for gradient="finite"'):
        render_images(Plain(), poses, SIZE, SIZE)
    with torch.no_grad():
        render_images(Plain(), poses, SIZE, SIZE)
    render_images(Plain(), some_views(1), SIZE, SIZE)
    score(render_images(Plain(), poses, SIZE, SIZE, gradient="finite")).backward()
    assert poses.rotation.grad.any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fov": torch.zeros(3)}, r"poses\.\w+ must have the shape \(3, .*not \(2,"),
        ({"rotation": torch.zeros(2, 3)}, r"poses\.rotation must have the shape \(2, 3, 3\), or 1 .*not \(2, 3\)"),
        ({"position": torch.tensor(1.0)}, r"poses\.position must have the shape \(2, 3\).*not \(\)"),
        ({"light_dirs": torch.zeros(2, 1, 3)}, r"poses\.light_colors must have the shape \(2, 1, 3\)"),
        ({"position": torch.full((2, 3), float("nan"))}, "views.position of view 0 is not finite"),
    ],
)
def test_poses_that_do_not_fit_are_named(change: dict[str, Tensor], message: str) -> None:
    class Checked(Clouds):
        def render(self, views, height, width, **options):  # type: ignore[no-untyped-def]
            from posetest.render.checks import check_views

            check_views(views, 1)
            return super().render(views, height, width, **options)

    poses = replace(PoseTensors.from_views(some_views(2)), **change)
    with pytest.raises(ConfigError, match=message):
        render_images(Checked(), poses, SIZE, SIZE)


def test_options_that_make_no_sense_are_named() -> None:
    poses = leaves(2)
    with pytest.raises(ConfigError, match='gradient = "analytical"; did you mean "analytic"'):
        render_images(Clouds(), poses, SIZE, SIZE, gradient="analytical")
    with pytest.raises(ConfigError, match="jitter averages analytic gradients"):
        render_images(Clouds(), poses, SIZE, SIZE, gradient="finite", jitter=Jitter())
    with pytest.raises(ConfigError, match=r"backgrounds must have the shape \(2, 3, 20, 20\), or 1 first, not \(3, 3"):
        render_images(Clouds(), poses, SIZE, SIZE, backgrounds=torch.zeros(3, 3, SIZE, SIZE))
    with pytest.raises(ConfigError, match=r"weights \[n, b\] are wanted, not \(2, 3, 4, 4\) and \(5, 3\)"):
        blend_backgrounds(torch.zeros(2, 3, 4, 4), torch.zeros(5, 3))


def test_backgrounds_are_mixed_in_linear_light() -> None:
    black_and_white = torch.stack([torch.zeros(3, 2, 2), torch.ones(3, 2, 2)]).double()
    half = torch.tensor([[0.5, 0.5]], dtype=torch.float64)
    assert torch.allclose(blend_backgrounds(black_and_white, half), torch.tensor(0.735356983).double())
    assert torch.allclose(blend_backgrounds(black_and_white, half, shading="gamma_free"), torch.tensor(0.5).double())
    one = blend_backgrounds(torch.from_numpy(pictures(2)).double(), torch.eye(2).double())
    assert np.allclose(one, pictures(2), atol=1e-9)


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
def test_mixtures_can_be_differentiated_in_weights_and_pictures(shading: str) -> None:
    found = torch.from_numpy(pictures(2)[:, :, :2, :2]).double() * 0.9 + 0.05
    weights = torch.tensor([[0.3, 0.6], [0.5, 0.2]], dtype=torch.float64)
    inputs = (found.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradcheck(lambda a, b: blend_backgrounds(a, b, shading=shading), inputs)


def test_black_pictures_have_a_finite_gradient() -> None:
    black, weights = torch.zeros(2, 3, 2, 2, requires_grad=True), torch.zeros(1, 2, requires_grad=True)
    blend_backgrounds(black, weights).sum().backward()
    assert black.grad.isfinite().all()
    assert weights.grad.isfinite().all()


@pytest.mark.parametrize(
    ("ours", "theirs", "size"),
    [
        (tangent_to_matrix_torch, tangent_to_matrix, 3),
        (quaternion_to_matrix_torch, quaternion_to_matrix, 4),
    ],
)
def test_torch_and_numpy_turn_alike(ours: Callable, theirs: Callable, size: int) -> None:  # type: ignore[type-arg]
    vectors = np.random.default_rng(0).normal(size=(20, size)) * np.geomspace(1e-3, 3, 20)[:, None]
    assert np.allclose(ours(torch.from_numpy(vectors)), theirs(vectors), atol=1e-12)
    assert torch.autograd.gradcheck(ours, torch.from_numpy(vectors[-3:]).requires_grad_())


def test_a_turn_by_nothing_can_be_differentiated() -> None:
    zero = torch.zeros(1, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(tangent_to_matrix_torch, zero)
    assert (tangent_to_matrix_torch(zero) == torch.eye(3)).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_poses_on_a_gpu_get_pictures_and_gradients_there() -> None:
    poses, here = PoseTensors.from_views(some_views(2), device="cuda"), leaves(2, dtype=torch.float32)
    poses.position.requires_grad_()
    images = render_images(Clouds(), poses, SIZE, SIZE)
    assert images.is_cuda
    score(images.cpu()).backward()
    score(render_images(Clouds(), here, SIZE, SIZE)).backward()
    assert poses.position.grad.is_cuda
    assert torch.allclose(poses.position.grad.cpu(), here.position.grad)


@pytest.fixture(scope="module")
def painted() -> Iterator[CpuRenderer]:
    """A lumpy, textured ball."""
    mesh = sphere(30, (Material(texture=Texture(noise_picture(64, 64, coarse=2))),), lumps=0.15)
    with CpuRenderer(mesh, threads=2) as renderer:
        yield renderer


def lit(count: int, seed: int = 0) -> Views:
    found = some_views(count, seed)
    return replace(found, ambient=np.full((count, 3), 0.25), light_colors=found.light_colors / 2)


def test_the_gradients_of_the_cpu_renderer_agree_with_differences_of_its_pictures(painted: CpuRenderer) -> None:
    size, count = 128, 6
    weights = torch.from_numpy(adjoints(count, height=size, width=size))
    behind = torch.from_numpy(adjoints(count, seed=5, height=size, width=size)).sigmoid()
    found = {}
    for kind in ("analytic", "finite"):
        poses = PoseTensors.from_views(lit(count), dtype=torch.float64)
        inputs = [getattr(poses, name).requires_grad_() for name in FIELDS]
        inputs.append(behind.clone().requires_grad_())
        images = render_images(painted, poses, size, size, backgrounds=inputs[-1], gradient=kind)
        (images * weights).sum().backward()
        found[kind] = [tensor.grad for tensor in inputs]
    for name, ours, differences in zip((*FIELDS, "backgrounds"), found["analytic"], found["finite"], strict=True):
        a, b = ours.flatten().double(), differences.flatten().double()
        cosine = float((a @ b) / (a.norm() * b.norm()))
        # what moves silhouettes is estimated by both; how close that comes is measured elsewhere
        is_moving = name in ("rotation", "position", "fov")
        assert cosine > (0.97 if is_moving else 0.999), f"{name}: {cosine}"
        assert float(a.norm() / b.norm()) == pytest.approx(1, abs=0.15 if is_moving else 0.01), name


def test_weights_of_backgrounds_can_be_found_again(painted: CpuRenderer) -> None:
    size = 32
    behind = torch.from_numpy(adjoints(3, seed=5, height=size, width=size)).mul(2).sigmoid()
    views = lit(2)
    true = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
    wanted = render_images(painted, views, size, size, backgrounds=blend_backgrounds(behind, true))
    scores = torch.zeros(2, 3, requires_grad=True)
    optimiser = torch.optim.Adam([scores], lr=0.2)
    for _ in range(60):
        optimiser.zero_grad()
        mixed = blend_backgrounds(behind, scores.softmax(1))
        (render_images(painted, views, size, size, backgrounds=mixed) - wanted).square().mean().backward()
        optimiser.step()
    assert torch.allclose(scores.softmax(1), true, atol=0.03)


@pytest.mark.parametrize(
    "options", [{}, {"gradient": "finite"}, {"jitter": Jitter(count=2)}], ids=["analytic", "finite", "jitter"]
)
def test_a_pose_is_found_again_from_its_picture(painted: CpuRenderer, options: dict[str, object]) -> None:
    size, steps = 64, 50
    views = lit(1, seed=4)
    wanted = render_images(painted, views, size, size)
    start = PoseTensors.from_views(views).turned(torch.tensor([[0.12, -0.15, 0.1]]))
    turn, shift = torch.zeros(1, 3, requires_grad=True), torch.tensor([[0.06, -0.04, 0.15]], requires_grad=True)
    optimiser = torch.optim.Adam([turn, shift], lr=0.02)
    losses = []
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 0.02 * (1 - step / steps)
        optimiser.zero_grad()
        moved = start.turned(turn)
        moved = replace(moved, position=moved.position + shift)
        loss = (render_images(painted, moved, size, size, **options) - wanted).square().mean()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 10
    between = start.turned(turn.detach()).rotation[0].double().numpy() @ views.rotation[0].T
    angle_deg = np.degrees(np.arccos(np.clip((np.trace(between) - 1) / 2, -1, 1)))
    assert angle_deg < 1
    assert float(shift.detach()[:, :2].norm()) < 0.01
