"""Where things fall in the picture: facts that need no second renderer."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from render_pictures import about, disk, make_mesh, noise_picture, quad, random_rotations, sphere, views

from posetest.errors import ConfigError
from posetest.geometry.camera import Views
from posetest.render.cpu import CpuRenderer
from posetest.render.cpu.textures import linear_to_srgb
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

IDENTITY = np.eye(3)[None]


def draw(mesh: Mesh, poses: Views, height: int = 64, width: int = 64) -> NDArray[np.float32]:
    with CpuRenderer(mesh, Background((0.0, 0.0, 0.0)), threads=1) as renderer:
        return renderer.render(poses, height, width).images


def at_scale(px_per_unit: float, side: int, x_px: float = 0, y_px: float = 0) -> tuple[float, float, float]:
    """The position that puts the object's centre (x_px, y_px) from the picture's centre at that scale."""
    distance = side / 2 / np.tan(0.3) / px_per_unit
    return (x_px / px_per_unit, -y_px / px_per_unit, -distance)


def test_a_square_that_covers_whole_pixels_covers_exactly_those() -> None:
    rendered = CpuRenderer(quad(), threads=1).render(views(IDENTITY, at_scale(8, 64, 4, -6)), 64, 64, mask=True)
    expected = np.zeros((64, 64))
    expected[18:34, 28:44] = 1
    assert rendered.mask is not None
    np.testing.assert_allclose(rendered.mask[0, 0], expected, atol=1e-3)
    assert rendered.area_px[0] == pytest.approx(256, abs=0.1)
    assert rendered.long_px[0] == 16
    assert rendered.inside[0] == 1


def test_a_square_shifted_by_a_third_of_a_pixel_covers_a_third_of_its_rim() -> None:
    rendered = CpuRenderer(quad(), threads=1).render(views(IDENTITY, at_scale(8, 64, 1 / 3)), 64, 64, mask=True)
    assert rendered.mask is not None
    row = rendered.mask[0, 0, 32]
    assert row[40] == pytest.approx(1 / 3, abs=2e-3)
    assert row[24] == pytest.approx(2 / 3, abs=2e-3)


def test_axes_point_right_up_and_towards_the_viewer() -> None:
    parts = [quad(half=0.1).verts_obj + np.array(at) for at in ((0.8, 0, 0), (0, 0.8, 0), (0, 0, 0), (0, 0, 0.5))]
    faces = np.concatenate([quad().faces + 4 * k for k in range(4)])
    colors = [(1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0), (1.0, 1.0, 1.0, 1.0), (0.0, 0.0, 1.0, 1.0)]
    materials = tuple(Material(base_color=c) for c in colors)
    mesh = make_mesh(np.concatenate(parts), faces, materials, face_material=np.repeat(np.arange(4), 2))
    image = draw(mesh, views(IDENTITY, (0, 0, -4)))[0]
    assert image[:, 32, 32 + 21].tolist() == pytest.approx([1, 0, 0], abs=1e-3)
    assert image[:, 32 - 21, 32].tolist() == pytest.approx([0, 1, 0], abs=1e-3)
    assert image[:, 32, 32].tolist() == pytest.approx([0, 0, 1], abs=1e-3)  # the nearer one hides the white one


def test_turning_by_pi_shows_the_back() -> None:
    box = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * 0.5
    faces = np.array([[4, 5, 7], [4, 7, 6], [1, 0, 2], [1, 2, 3]])
    red, blue = Material(base_color=(1, 0, 0, 1)), Material(base_color=(0, 0, 1, 1))
    mesh = make_mesh(box, faces, (red, blue), face_material=np.array([0, 0, 1, 1]))
    images = draw(mesh, views(np.stack([np.eye(3), about("y", np.pi)])))
    assert images[0, :, 32, 32].tolist() == pytest.approx([1, 0, 0], abs=1e-3)
    assert images[1, :, 32, 32].tolist() == pytest.approx([0, 0, 1], abs=1e-3)


def test_light_from_the_left_lights_the_left_side() -> None:
    images = draw(sphere(), views(IDENTITY, (0, 0, -5), lights=np.array([[-1.0, 0, 0.2]]), ambient=0.05))
    assert images[0, 0, 32, 18] > 0.5
    assert images[0, 0, 32, 46] < 0.3


def test_brightness_follows_the_cosine_in_linear_light() -> None:
    for angle in (0.0, 0.5, 1.0, 1.4, 2.0):
        light = np.array([[np.sin(angle), 0, np.cos(angle)]])
        image = draw(quad(), views(IDENTITY, lights=light, ambient=0.1))[0]
        expected = 0.1 + 0.7 * max(np.cos(angle), 0)
        assert image[0, 32, 32] == pytest.approx(float(linear_to_srgb(np.array(expected))), abs=1e-3)


def test_srgb_is_encoded_within_a_thousandth() -> None:
    levels = np.linspace(0, 1, 400)
    poses = views(np.repeat(IDENTITY, 400, axis=0))
    poses.ambient[:] = levels[:, None]
    images = draw(quad(), poses, 9, 9)
    assert np.abs(images[:, 0, 4, 4] - linear_to_srgb(levels)).max() < 1e-3


def test_the_picture_stands_upright_on_its_texture_coordinates() -> None:
    picture = np.full((2, 2, 4), 255, dtype=np.uint8)
    picture[0, 0, :3], picture[0, 1, :3] = (255, 0, 0), (0, 255, 0)  # top left, top right
    picture[1, 0, :3], picture[1, 1, :3] = (0, 0, 255), (0, 0, 0)
    image = draw(quad(Material(texture=Texture(picture, "clamp", "clamp"))), views(IDENTITY, at_scale(24, 64)))[0]
    assert image[:, 12, 12].tolist() == pytest.approx([1, 0, 0], abs=1e-3)
    assert image[:, 12, 52].tolist() == pytest.approx([0, 1, 0], abs=1e-3)
    assert image[:, 52, 12].tolist() == pytest.approx([0, 0, 1], abs=1e-3)


def test_texture_coordinates_are_perspective_correct() -> None:
    picture = np.full((1, 256, 4), 255, dtype=np.uint8)
    picture[0, :, :3] = np.arange(256)[:, None]
    mesh = quad(Material(texture=Texture(picture, "clamp", "clamp")))
    side, angle, distance = 128, 1.0, 4.0
    image = draw(mesh, views(about("y", angle)[None], (0, 0, -distance)), side, side)[0, 0, side // 2]
    focal = side / 2 / np.tan(0.3)
    slope = (np.arange(side) + 0.5 - side / 2) / focal  # x / depth of each column
    x = slope * distance / (np.cos(angle) - slope * np.sin(angle))
    inner = np.abs(x) < 0.95
    assert inner.sum() > 20
    np.testing.assert_allclose(image[inner], ((x[inner] + 1) / 2 * 256 - 0.5) / 255, atol=6e-3)


def test_a_far_object_of_one_pixel_is_drawn_and_one_outside_is_not() -> None:
    renderer = CpuRenderer(quad(), Background((0.0, 0.0, 0.0)), threads=1)
    side = 65  # a centre pixel
    one = renderer.render(views(IDENTITY, at_scale(0.5, side)), side, side)
    assert one.images[0, 0, 32, 32] == pytest.approx(1, abs=1e-3)
    assert one.area_px[0] == pytest.approx(1, abs=0.01)
    assert one.long_px[0] == 1
    for position in ((50.0, 0, -5), (0, -50.0, -5), (0, 0, 5), (0.0, 0.0, 1.0)):
        away = renderer.render(views(IDENTITY, position), side, side)
        assert away.area_px[0] == 0
        assert away.long_px[0] == 0
        assert away.inside[0] == 0
        assert not away.images.any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (40, 64), (64, 40), (7, 3)])
def test_the_field_of_view_belongs_to_the_shorter_side(height: int, width: int) -> None:
    renderer = CpuRenderer(disk(), Background((0.0, 0.0, 0.0)), threads=1)
    rendered = renderer.render(views(IDENTITY, (0, 0, -4)), height, width, mask=True)
    radius = min(height, width) / 2 / np.tan(0.3) / 4
    assert rendered.images.shape == (1, 3, height, width)
    if min(height, width) > 8:
        assert rendered.area_px[0] == pytest.approx(np.pi * radius**2, rel=0.01)
        assert rendered.long_px[0] == pytest.approx(2 * radius, abs=1)


def test_no_views_give_no_pictures() -> None:
    rendered = CpuRenderer(quad()).render(views(np.zeros((0, 3, 3))), 8, 8, mask=True)
    assert rendered.images.shape == (0, 3, 8, 8)
    assert rendered.mask is not None
    assert rendered.mask.shape == (0, 1, 8, 8)
    assert rendered.digest.shape == (0,)


def test_a_picture_does_not_depend_on_batch_threads_or_order() -> None:
    mesh = sphere(10, (Material(texture=Texture(noise_picture(40, 24))),), lumps=0.2)
    poses = views(random_rotations(23), (0.1, 0.1, -4), lights=np.array([[1.0, 1, 1]]), ambient=0.2)
    poses.position[5] = (0, 0, -0.8)  # through the camera
    poses.position[9] = (1.2, 0, -4)  # half outside
    with CpuRenderer(mesh, threads=1) as renderer:
        whole = renderer.render(poses, 40, 56, mask=True)
        single = [renderer.render(poses[i : i + 1], 40, 56) for i in range(23)]
    order = np.random.default_rng(0).permutation(23)
    with CpuRenderer(mesh, threads=2) as renderer:
        shuffled = renderer.render(poses[order], 40, 56, mask=True)
    assert len(set(whole.digest.tolist())) == 23
    np.testing.assert_array_equal(shuffled.digest, whole.digest[order])
    np.testing.assert_array_equal(shuffled.images, whole.images[order])
    np.testing.assert_array_equal(shuffled.inside, whole.inside[order])
    for i, one in enumerate(single):
        assert one.digest[0] == whole.digest[i]
        np.testing.assert_array_equal(one.images[0], whole.images[i])


def test_no_pose_gives_nan_or_leaves_the_unit_range() -> None:
    rng = np.random.default_rng(0)
    holes = noise_picture(16, 16)
    holes[::2, :, 3] = 0
    materials = (Material(two_sided=True), Material(texture=Texture(holes), alpha_mode="mask"))
    mesh = sphere(6, materials, lumps=0.3)
    reach = 10.0 ** rng.uniform(-6, 12, (400, 1))
    position = rng.normal(size=(400, 3)) * reach
    position[:200] *= 1e-2 / np.maximum(np.abs(position[:200]).max(axis=1, keepdims=True), 1e-2) * 30
    poses = views(random_rotations(400), position, lights=np.array([[0.0, 0, 1]]), ambient=0.2)
    poses.fov[:] = rng.uniform(0.001, 3.1, 400)
    rendered = CpuRenderer(mesh).render(poses, 24, 32, mask=True)
    assert rendered.mask is not None
    for values in (rendered.images, rendered.mask, rendered.inside):
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1
    assert np.isfinite(rendered.area_px).all()
    assert (rendered.area_px >= -1e-3).all()
    assert (rendered.area_px <= 24 * 32 + 1e-3).all()


def test_a_camera_inside_a_two_sided_object_sees_it_everywhere() -> None:
    mesh = sphere(8, (Material(two_sided=True),))
    rendered = CpuRenderer(mesh).render(views(random_rotations(5), (0.1, 0.0, 0.2), fov=1.5), 32, 32, mask=True)
    assert rendered.mask is not None
    assert rendered.mask.min() == 1
    assert (rendered.inside < 1).all()


def test_the_background_is_the_one_the_view_asks_for(tmp_path) -> None:  # type: ignore[no-untyped-def]
    from PIL import Image

    for name, color in (("a.png", (255, 0, 0)), ("b.png", (0, 0, 255))):
        Image.new("RGB", (30, 20), color).save(tmp_path / name)
    behind = Background(files=(tmp_path / "a.png", tmp_path / "b.png"))
    poses = views(np.repeat(IDENTITY, 2, axis=0))
    poses.background[:] = (1, 0)
    images = CpuRenderer(quad(), behind).render(poses, 16, 24).images
    assert images[0, :, 0, 0].tolist() == [0, 0, 1]
    assert images[1, :, 0, 0].tolist() == [1, 0, 0]


def test_bad_views_are_refused_with_the_number_of_the_view() -> None:
    renderer = CpuRenderer(quad())
    poses = views(random_rotations(4))
    poses.position[2, 1] = np.nan
    with pytest.raises(ConfigError, match=r"position of view 2 is not finite"):
        renderer.render(poses, 8, 8)
    poses = views(random_rotations(4))
    poses.fov[3] = 0
    with pytest.raises(ConfigError, match=r"fov of view 3 must be between 0 and pi radians, not 0\.0"):
        renderer.render(poses, 8, 8)
    poses = views(random_rotations(4))
    poses.background[1] = 1
    with pytest.raises(ConfigError, match=r"background of view 1 must be the number of one of 1 backgrounds"):
        renderer.render(poses, 8, 8)
    with pytest.raises(ConfigError, match=r"1 to 8192 pixels high and wide, not 0 x 8"):
        renderer.render(views(IDENTITY), 0, 8)
    with pytest.raises(ConfigError, match="threads must be at least 1"):
        CpuRenderer(quad(), threads=0)
