"""What every renderer that has gradients promises about them: formulas where there are any, else exact differences.

The differences are those of the supersampled reference, which shares no code with the gradients that they judge.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backends import BACKENDS, Backend
from numpy.typing import NDArray
from render_pictures import FOV, about, noise_picture, quad, random_rotations, sphere, srgb_encoded, views

from posetest.geometry.camera import Views
from posetest.protocols import DifferentiableRenderer, ViewGradients
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

Array = NDArray[np.float64]
IDENTITY = np.eye(3)[None]
SIDE = 32

#: Steps of the differences: a quarter of a pixel of the outline's motion, two samples of the reference.
STEPS = {"rotation": 0.02, "position": 0.02, "fov": 0.004, "light_dirs": 1e-3, "light_colors": 1e-3, "ambient": 1e-3}


WITH_GRADIENT = [backend for backend in BACKENDS if backend.has_gradient]


@pytest.fixture(params=WITH_GRADIENT, ids=[backend.name for backend in WITH_GRADIENT])
def differentiable(request: pytest.FixtureRequest) -> Backend:
    chosen: Backend = request.param
    assert isinstance(chosen.renderer(quad()), DifferentiableRenderer)
    return chosen


def gradient(
    backend: Backend,
    mesh: Mesh,
    poses: Views,
    adjoints: Array,
    *,
    shading: str = "linear",
    backgrounds: NDArray[np.float32] | None = None,
) -> ViewGradients:
    renderer = backend.renderer(mesh, shading=shading)
    assert isinstance(renderer, DifferentiableRenderer)
    height, width = adjoints.shape[2:]
    images = renderer.render(poses, height, width, backgrounds=backgrounds).images
    weights = adjoints.astype(np.float32)
    found = renderer.gradient(poses, images, weights, backgrounds=backgrounds, with_backgrounds=backgrounds is not None)
    renderer.close()
    return found


def slope(linear: float) -> float:
    """The derivative of the sRGB curve."""
    return float(srgb_encoded(np.array(linear + 1e-6)) - srgb_encoded(np.array(linear - 1e-6))) / 2e-6


def one_pixel(count: int = 1) -> Array:
    """Weights of pictures of 9 x 9 that look at the middle pixel's first channel alone."""
    weights = np.zeros((count, 3, 9, 9))
    weights[:, 0, 4, 4] = 1
    return weights


def test_shapes_are_those_of_the_views(differentiable: Backend) -> None:
    poses = views(random_rotations(3), lights=np.array([[0.0, 0, 1], [1, 0, 0]]), ambient=0.1)
    found = gradient(differentiable, quad(), poses, np.ones((3, 3, 6, 9)))
    for name, shape in {
        "rotation": (3, 3),
        "position": (3, 3),
        "fov": (3,),
        "light_dirs": (3, 2, 3),
        "light_colors": (3, 2, 3),
        "ambient": (3, 3),
    }.items():
        assert (getattr(found, name).shape, getattr(found, name).dtype) == (shape, np.float64), name
    assert found.backgrounds is None


def test_lights_have_the_gradient_of_the_cosine_law(differentiable: Backend) -> None:
    light, strength = np.array([0.48, 0.0, 0.8]), np.array([0.5, 0.4, 0.3])
    poses = views(IDENTITY, lights=light[None], colors=strength[None], ambient=0.1)
    light = poses.light_dirs[0, 0]
    found = gradient(differentiable, quad(Material(base_color=(0.6, 0.6, 0.6, 1.0))), poses, one_pixel())
    rate = 0.6 * slope(0.6 * (0.1 + strength[0] * light[2]))
    assert found.ambient[0].tolist() == pytest.approx([rate, 0, 0], rel=0.01, abs=1e-6)
    assert found.light_colors[0, 0].tolist() == pytest.approx([rate * light[2], 0, 0], rel=0.01, abs=1e-6)
    assert found.light_dirs[0, 0].tolist() == pytest.approx([0, 0, rate * strength[0]], rel=0.01, abs=1e-5)


def test_turning_a_plane_changes_its_cosine(differentiable: Backend) -> None:
    """d(n.l) = w . (n x l) for a turn w; seen in one pixel in the middle, of one color."""
    poses = views(about("y", 0.4)[None], (0, 0, -3), lights=np.array([[0.5, 0.4, 0.8]]), ambient=0.1)
    normal, light = poses.rotation[0, :, 2], poses.light_dirs[0, 0]
    found = gradient(differentiable, quad(), poses, one_pixel())
    expected = slope(0.1 + 0.7 * normal @ light) * 0.7 * np.cross(normal, light)
    np.testing.assert_allclose(found.rotation[0], expected, rtol=0.02, atol=2e-3)
    np.testing.assert_allclose(found.position[0], 0, atol=2e-3)


def test_the_area_of_a_square_has_the_gradient_of_its_formula(differentiable: Backend) -> None:
    """Covered pixels, encoded as they are, add up to the area: of the silhouette's motion alone."""
    differentiable.needs("silhouette gradient")
    distance, side = 6.0, 48
    focal = side / 2 / np.tan(FOV / 2)
    area = (2 * focal / distance) ** 2
    poses = views(about("z", 0.2)[None], (0.03, 0.05, -distance))
    found = gradient(differentiable, quad(), poses, np.ones((1, 3, side, side)) / 3, shading="gamma_free")
    assert found.position[0, 2] == pytest.approx(2 * area / distance, rel=0.02)
    assert found.fov[0] == pytest.approx(-2 * area / np.sin(FOV), rel=0.02)
    assert abs(found.position[0, :2]).max() < 1.5 * focal / distance  # a pixel and a half of an edge
    assert abs(found.rotation[0]).max() < 0.03 * area
    tilt, side = 0.7, 96
    far = views(about("y", tilt)[None], (0, 0, -600.0), fov=0.006)
    found = gradient(differentiable, quad(), far, np.ones((1, 3, side, side)) / 3, shading="gamma_free")
    across = side / 2 / np.tan(0.003) * 2 / 600
    assert found.rotation[0, 1] == pytest.approx(-(across**2) * np.sin(tilt), rel=0.03)
    assert abs(found.rotation[0, [0, 2]]).max() < 0.02 * across**2


def test_a_moving_edge_changes_the_pixels_that_it_crosses(differentiable: Backend) -> None:
    differentiable.needs("silhouette gradient")
    side, scale = 32, 8.0
    position = (0.04, 0.02, -side / 2 / np.tan(FOV / 2) / scale)
    weights = np.zeros((2, 3, side, side))
    weights[0, 0, :, 16:] = 1  # sees the right edge only
    weights[1, 0, :16] = 1  # sees the upper edge only
    poses = views(np.repeat(IDENTITY, 2, axis=0), position)
    found = gradient(differentiable, quad(), poses, weights, shading="gamma_free")
    assert found.position[0, 0] == pytest.approx(2 * scale * scale, rel=0.02)
    assert found.position[1, 1] == pytest.approx(2 * scale * scale, rel=0.02)
    assert abs(found.position[0, 1]) < 1
    assert abs(found.position[1, 0]) < 1


def test_pictures_behind_have_the_gradient_of_what_is_not_covered(differentiable: Backend) -> None:
    rng = np.random.default_rng(0)
    poses = views(np.stack([np.eye(3), about("z", 0.5)]), (0.1, 0, -8))
    given = rng.uniform(0.1, 0.9, (2, 3, 24, 32)).astype(np.float32)
    weights = rng.normal(size=(2, 3, 24, 32))
    found = gradient(differentiable, quad(), poses, weights, backgrounds=given).backgrounds
    assert found is not None
    assert (found.shape, found.dtype) == ((2, 3, 24, 32), np.float32)
    rendered = differentiable.draw(quad(), poses, 24, 32, backgrounds=given)
    assert rendered.mask is not None
    cover = rendered.mask.repeat(3, axis=1)
    far_off = np.pad(cover, ((0, 0), (0, 0), (1, 1), (1, 1)))
    is_free = np.all([far_off[:, :, i : i + 24, j : j + 32] == 0 for i in range(3) for j in range(3)], axis=0)
    assert is_free.sum() > 2000
    np.testing.assert_allclose(found[is_free], weights[is_free], atol=2e-3)
    assert np.abs(found[cover == 1]).max() < 1e-6


def smooth(count: int, height: int, width: int, seed: int = 1) -> Array:
    """Weights that change over a quarter of the picture."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / np.array([height, width]).reshape(2, 1, 1) * np.pi
    waves = [np.cos(i * y) * np.cos(j * x) for i in range(4) for j in range(4)]
    return np.einsum("nck,khw->nchw", rng.normal(size=(count, 3, len(waves))), np.array(waves))


def smooth_scene() -> tuple[Mesh, Views, NDArray[np.float32]]:
    """A lumpy, glossy, textured ball: whole, half outside the frame, and so near that it fills the frame."""
    picture = noise_picture(32, 64, 2, coarse=2)
    fade = np.sin(np.pi * (np.arange(32) + 0.5) / 32)[:, None, None] ** 2  # one color at the poles, where faces meet
    picture[..., :3] = fade * picture[..., :3] + (1 - fade) * 128
    mesh = sphere(9, (Material(texture=Texture(picture), roughness=0.6, specular=(0.1, 0.1, 0.1)),), lumps=0.2)
    positions = np.array([[0.1, -0.1, -4.2], [0.9, 0.5, -4], [0.3, 0.1, -2.2]])
    lights, colors = np.array([[-0.6, 0.7, 0.6], [0.9, 0.1, 0.3]]), np.array([[0.4, 0.35, 0.3], [0.1, 0.2, 0.2]])
    poses = views(random_rotations(3, 8), positions, lights=lights, colors=colors, ambient=0.15)
    return mesh, poses, (0.5 + 0.03 * smooth(3, SIDE, SIDE, 5)).clip(0, 1).astype(np.float32)


def moved(poses: Views, name: str, at: tuple[int, ...], step: float) -> Views:
    if name == "rotation":
        turn = about("xyz"[at[0]], step)
        return replace(poses, rotation=turn @ poses.rotation)
    values = getattr(poses, name).copy()
    values[(slice(None), *at)] += step
    return replace(poses, **{name: values})


@pytest.fixture(scope="module")
def truth() -> dict[str, Array]:
    from posetest.render import reference

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "REACH_SAMPLES", 4)  # the visible part, which takes longest, is not asked for
        return true_gradient()


def true_gradient() -> dict[str, Array]:
    """Central differences of supersampled pictures of the smooth scene, by the name of what is moved."""
    from posetest.render import reference

    mesh, poses, behind = smooth_scene()
    weights = smooth(3, SIDE, SIDE)
    found = {}
    for name, step in STEPS.items():
        samples = 8 if name in ("rotation", "position", "fov") else 2  # light moves no outline
        renderer = reference.ReferenceRenderer(mesh, samples=samples)
        shape = (3,) if name == "rotation" else getattr(poses, name).shape[1:]
        found[name] = np.zeros((3, *shape))
        for at in np.ndindex(shape):
            plus, minus = (
                renderer.render(moved(poses, name, at, sign * step), SIDE, SIDE, backgrounds=behind).images
                for sign in (1, -1)
            )
            change = ((plus.astype(float) - minus) * weights).sum(axis=(1, 2, 3)) / (2 * step)
            found[name][(slice(None), *at)] = change
    return found


@pytest.mark.parametrize("names", [("rotation", "position", "fov"), ("light_dirs", "light_colors", "ambient")])
def test_gradients_of_a_smooth_scene_are_those_of_exact_differences(
    differentiable: Backend, truth: dict[str, Array], names: tuple[str, ...]
) -> None:
    if "rotation" in names:
        differentiable.needs("silhouette gradient")
    mesh, poses, behind = smooth_scene()
    found = gradient(differentiable, mesh, poses, smooth(3, SIDE, SIDE), backgrounds=behind)
    ours, theirs = (
        np.concatenate([values[name].reshape(3, -1) for name in names], axis=1) for values in (vars(found), truth)
    )
    cosine = (ours * theirs).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    length = np.linalg.norm(ours, axis=1) / np.linalg.norm(theirs, axis=1)
    assert cosine.min() > 0.99, cosine
    assert np.abs(length - 1).max() < 0.1, length


def test_no_pose_has_a_gradient_that_is_not_finite(differentiable: Backend) -> None:
    rng, count = np.random.default_rng(0), differentiable.poses
    holes = np.full((16, 16, 4), 255, dtype=np.uint8)
    holes[::2, :, 3] = 0
    materials = (
        Material(two_sided=True, roughness=0.3, specular=(0.2, 0.2, 0.2)),
        Material(texture=Texture(holes), alpha_mode="mask"),
        Material(base_color=(1.0, 0.5, 0.2, 0.5), alpha_mode="blend", two_sided=True),
    )
    mesh = sphere(5, materials, lumps=0.3)
    position = rng.normal(size=(count, 3)) * 10.0 ** rng.uniform(-6, 8, (count, 1))
    near = position[: count // 2]
    near *= 0.3 / np.maximum(np.abs(near).max(axis=1, keepdims=True), 1e-2)  # cameras inside the object
    lights = np.array([[0.0, 0, 1], [0, 0, 0]])  # the second has no direction
    poses = views(random_rotations(count), position, lights=lights, ambient=0.2)
    poses.fov[:] = rng.uniform(0.001, 3.1, count)
    given = rng.uniform(0, 1, (count, 3, 12, 16)).astype(np.float32)
    found = gradient(differentiable, mesh, poses, rng.normal(size=(count, 3, 12, 16)), backgrounds=given)
    for name, values in vars(found).items():
        assert np.isfinite(values).all(), name


def test_a_gradient_does_not_depend_on_its_batch(differentiable: Backend) -> None:
    mesh, poses, behind = smooth_scene()
    weights = smooth(3, SIDE, SIDE)
    whole = gradient(differentiable, mesh, poses, weights, backgrounds=behind)
    for i in range(3):
        one = slice(i, i + 1)
        alone = gradient(differentiable, mesh, poses[one], weights[one], backgrounds=behind[one])
        for name, values in vars(alone).items():
            np.testing.assert_allclose(values[0], getattr(whole, name)[i], rtol=1e-9, atol=1e-9, err_msg=name)


def test_what_is_out_of_sight_has_no_gradient(differentiable: Backend) -> None:
    poses = views(np.repeat(IDENTITY, 2, axis=0), np.array([[50.0, 0, -5], [0, 0, 3]]), lights=np.array([[0.0, 0, 1]]))
    found = gradient(differentiable, quad(), poses, np.ones((2, 3, 9, 9)))
    for name in STEPS:
        assert not getattr(found, name).any(), name
    none = gradient(differentiable, quad(), views(np.zeros((0, 3, 3))), np.ones((0, 3, 9, 9)))
    assert none.rotation.shape == (0, 3)
