"""What every renderer promises about where things fall in the picture. Truths are closed forms, not other pictures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from backends import Backend
from render_pictures import FOV, about, disk, make_mesh, octahedra, quad, random_rotations, sphere, srgb_encoded, views

from posetest.errors import ConfigError
from posetest.geometry.camera import project
from posetest.protocols import Renderer
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture

IDENTITY = np.eye(3)[None]
RED, GREEN, BLUE = (1.0, 0.0, 0.0, 1.0), (0.0, 1.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)


def at_scale(px_per_unit: float, side: int, x_px: float = 0, y_px: float = 0) -> tuple[float, float, float]:
    """The position that puts the object's centre (x_px, y_px) from the picture's centre at that scale."""
    distance = side / 2 / np.tan(FOV / 2) / px_per_unit
    return (x_px / px_per_unit, -y_px / px_per_unit, -distance)


def test_it_is_a_renderer(backend: Backend) -> None:
    renderer = backend.renderer(quad())
    assert isinstance(renderer, Renderer)
    rendered = renderer.render(views(random_rotations(2)), 6, 9)
    renderer.close()
    assert rendered.mask is None
    assert (rendered.images.shape, rendered.images.dtype) == ((2, 3, 6, 9), np.float32)
    for values in (rendered.inside, rendered.area_px, rendered.long_px):
        assert (values.shape, values.dtype) == ((2,), np.float32)
    assert (rendered.digest.shape, rendered.digest.dtype) == ((2,), np.uint64)


def test_axes_point_right_up_and_towards_the_viewer(backend: Backend) -> None:
    parts = [quad(half=0.1).verts_obj + np.array(at) for at in ((0.8, 0, 0), (0, 0.8, 0), (0, 0, 0), (0, 0, 0.5))]
    faces = np.concatenate([quad().faces + 4 * k for k in range(4)])
    materials = tuple(Material(base_color=c) for c in (RED, GREEN, (1.0, 1.0, 1.0, 1.0), BLUE))
    mesh = make_mesh(np.concatenate(parts), faces, materials, face_material=np.repeat(np.arange(4), 2))
    image = backend.draw(mesh, views(IDENTITY, (0, 0, -4))).images[0]
    assert image[:, 32, 32 + 21].tolist() == pytest.approx([1, 0, 0], abs=backend.color)
    assert image[:, 32 - 21, 32].tolist() == pytest.approx([0, 1, 0], abs=backend.color)
    assert image[:, 32, 32].tolist() == pytest.approx([0, 0, 1], abs=backend.color)  # it hides the white one


def test_a_turned_object_shows_its_parts_where_its_rotation_puts_them(backend: Backend) -> None:
    """Three differently coloured lumps on the axes tell every rotation, and every mirroring, from any other."""
    centers = np.array([[0.8, 0, 0], [0, 0.8, 0], [0, 0, 0.8]])
    mesh = octahedra(centers, 0.15, (RED, GREEN, BLUE))
    poses = views(random_rotations(20, 3), (0.1, -0.3, -5))
    images = backend.draw(mesh, poses, 48, 64).images
    centers_cam = centers @ poses.rotation.transpose(0, 2, 1) + poses.position[:, None]
    places = project(centers_cam, poses.fov, 48, 64)
    checked = 0
    for i, k in np.ndindex(20, 3):
        apart = np.linalg.norm(places[i] - places[i, k], axis=1)
        if ((apart < 10) & (centers_cam[i, :, 2] > centers_cam[i, k, 2])).any():
            continue  # a nearer lump may hide it
        x, y = np.floor(places[i, k]).astype(int)
        assert images[i, :, y, x].tolist() == pytest.approx(np.eye(3)[k].tolist(), abs=backend.color)
        checked += 1
    assert checked > 40


def test_turning_by_pi_shows_the_back(backend: Backend) -> None:
    box = np.array([[x, y, z] for z in (-1, 1) for y in (-1, 1) for x in (-1, 1)]) * 0.5
    faces = np.array([[4, 5, 7], [4, 7, 6], [1, 0, 2], [1, 2, 3]])
    red, blue = Material(base_color=RED), Material(base_color=BLUE)
    mesh = make_mesh(box, faces, (red, blue), face_material=np.array([0, 0, 1, 1]))
    images = backend.draw(mesh, views(np.stack([np.eye(3), about("y", np.pi)]))).images
    assert images[0, :, 32, 32].tolist() == pytest.approx([1, 0, 0], abs=backend.color)
    assert images[1, :, 32, 32].tolist() == pytest.approx([0, 0, 1], abs=backend.color)


def test_backs_are_seen_of_two_sided_materials_only(backend: Backend) -> None:
    poses = views(np.stack([about("y", 0.3), about("y", np.pi + 0.3)]))
    one_sided, two_sided = backend.draw(quad(), poses), backend.draw(quad(Material(two_sided=True)), poses)
    assert one_sided.area_px[0] > 100
    assert one_sided.area_px[1] == 0
    assert not one_sided.images[1].any()
    np.testing.assert_allclose(two_sided.area_px, one_sided.area_px[0], rtol=1e-3)


def test_a_ball_is_lit_as_a_convex_body(backend: Backend) -> None:
    """Drawn inside out it would be lit from the other side: brightness is compared with that of a sphere."""
    light, side, distance = np.array([-0.6, 0.7, 0.4]), 48, 4.0
    light /= np.linalg.norm(light)
    poses = views(random_rotations(2, 4), (0, 0, -distance), lights=light[None], ambient=0.1)
    rendered = backend.draw(sphere(24), poses, side, side)
    focal = side / 2 / np.tan(FOV / 2)
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / focal
    ray = np.stack([x, -y, -np.ones_like(x)], axis=-1)
    length = (ray**2).sum(axis=-1)
    root = distance**2 - length * (distance**2 - 1)
    depth = (distance - np.sqrt(np.maximum(root, 0))) / length
    normal = ray * depth[..., None] + (0, 0, distance)
    expected = srgb_encoded(0.1 + 0.7 * np.maximum(normal @ light, 0))
    inner = root > 0.2  # away from the outline
    assert inner.sum() > 500
    for image in rendered.images:
        np.testing.assert_allclose(image[0][inner], expected[inner], atol=0.03)
        assert np.abs(image[0] - expected)[inner].mean() < 0.005


def test_a_square_that_covers_whole_pixels_covers_exactly_those(backend: Backend) -> None:
    rendered = backend.draw(quad(), views(IDENTITY, at_scale(8, 64, 4, -6)))
    expected = np.zeros((64, 64))
    expected[18:34, 28:44] = 1
    assert rendered.mask is not None
    np.testing.assert_allclose(rendered.mask[0, 0], expected, atol=1e-3)
    np.testing.assert_allclose(rendered.images[0, 1], expected, atol=backend.color)
    assert rendered.area_px[0] == pytest.approx(256, abs=0.1)
    if backend.keeps("extent"):
        assert rendered.long_px[0] == 16
        assert rendered.inside[0] == 1


def test_a_square_shifted_by_a_third_of_a_pixel_covers_a_third_of_its_rim(backend: Backend) -> None:
    rendered = backend.draw(quad(), views(IDENTITY, at_scale(8, 64, 1 / 3, -1 / 3)))
    assert rendered.mask is not None
    row, column = rendered.mask[0, 0, 32], rendered.mask[0, 0, :, 32]
    for line, first, last in ((row, 24, 40), (column, 39, 23)):
        assert line[last] == pytest.approx(1 / 3, abs=backend.rim)
        assert line[first] == pytest.approx(2 / 3, abs=backend.rim)
    if backend.keeps("antialiasing"):  # half light is not half a number: outlines are mixed in linear light
        encoded = srgb_encoded(rendered.mask[0, 0, 32, [24, 40]].astype(float))
        np.testing.assert_allclose(rendered.images[0, 0, 32, [24, 40]], encoded, atol=5e-3)


@pytest.mark.parametrize("tilt", [0.0, 1.2])
def test_a_disk_covers_the_area_of_an_ellipse(backend: Backend, tilt: float) -> None:
    """At a distance, where perspective changes areas by less than a thousandth."""
    side, radius = 96, 30.0
    poses = views(about("z", 0.3)[None] @ about("y", tilt)[None], at_scale(radius, side, 3.3, -2.2), fov=FOV)
    poses = replace(poses, fov=np.array([0.02]), position=poses.position * [1, 1, np.tan(FOV / 2) / np.tan(0.01)])
    rendered = backend.draw(disk(), poses, side, side)
    area = np.pi * radius**2 * np.cos(tilt)
    assert rendered.mask is not None
    assert rendered.area_px[0] == pytest.approx(area, rel=0.005)
    assert rendered.mask.sum() == pytest.approx(area, rel=0.005)
    if backend.keeps("antialiasing"):
        assert (rendered.mask > 0.999).sum() < area < (rendered.mask > 0.001).sum()
    if backend.keeps("extent"):
        across = 2 * radius * np.hypot(np.cos(tilt) * np.sin(0.3), np.cos(0.3))  # the ellipse's height
        assert rendered.long_px[0] == pytest.approx(across, abs=1.5)


def test_texture_coordinates_are_perspective_correct(backend: Backend) -> None:
    picture = np.full((1, 256, 4), 255, dtype=np.uint8)
    picture[0, :, :3] = np.arange(256)[:, None]
    mesh = quad(Material(texture=Texture(picture, "clamp", "clamp")))
    side, angle, distance = 128, 1.0, 4.0
    image = backend.draw(mesh, views(about("y", angle)[None], (0, 0, -distance)), side, side).images[0, 0, side // 2]
    slope = (np.arange(side) + 0.5 - side / 2) / (side / 2 / np.tan(FOV / 2))  # x / depth of each column
    x = slope * distance / (np.cos(angle) - slope * np.sin(angle))
    inner = np.abs(x) < 0.95
    assert inner.sum() > 20
    np.testing.assert_allclose(image[inner], ((x[inner] + 1) / 2 * 256 - 0.5) / 255, atol=6e-3)


def test_a_floor_that_runs_under_the_camera_is_cut_at_the_near_plane_alone(backend: Backend) -> None:
    """The floor's picture grows brighter along z, and a row of pixels below the horizon sees one z."""
    drop, reach, side = 0.1, 4.0, 64
    verts = np.array([[-1, 0, 1], [1, 0, 1], [1, 0, -1], [-1, 0, -1]]) * reach
    picture = np.full((256, 1, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.arange(256)[::-1, None, None]  # v = 1 is bright
    uv = np.array([[0, 0], [0, 0], [0, 1], [0, 1]])
    faces = np.array([[0, 1, 2], [0, 2, 3]])
    mesh = make_mesh(verts, faces, (Material(texture=Texture(picture, "clamp", "clamp")),), uv=uv[faces])
    rendered = backend.draw(mesh, views(IDENTITY, (0.05, -drop, 0.0), fov=1.2), side, side)
    assert rendered.mask is not None
    below = (np.arange(side) + 0.5 - side / 2) / (side / 2 / np.tan(0.6))
    depth = drop / np.maximum(below, 1e-9)
    is_floor = below > drop / reach + 1 / side  # the whole pixel
    assert is_floor.sum() > 25
    assert (rendered.mask[0, 0, : side // 2] == 0).all()
    np.testing.assert_allclose(rendered.mask[0, 0, is_floor], 1, atol=1e-3)
    value = ((depth / reach + 1) / 2 * 256 - 0.5) / 255
    np.testing.assert_allclose(rendered.images[0, 0, is_floor], np.tile(value[is_floor, None], side), atol=0.01)


def test_a_camera_inside_a_two_sided_object_sees_it_everywhere(backend: Backend) -> None:
    mesh = sphere(8, (Material(two_sided=True),))
    poses = views(random_rotations(min(5, backend.poses)), (0.1, 0.0, 0.2), fov=1.5)
    rendered = backend.draw(mesh, poses, 32, 32)
    assert rendered.mask is not None
    assert rendered.mask.min() > 1 - 1e-6
    assert not backend.draw(sphere(8), poses, 32, 32).images.any()  # one-sided: the inside is not there
    if backend.keeps("extent"):
        assert (rendered.inside < 1).all()


@pytest.mark.parametrize("position", [(50.0, 0, -5), (0, -50.0, -5), (0, 0, 5), (0.0, 0.0, 1.0)])
def test_an_object_out_of_sight_leaves_the_background_alone(
    backend: Backend, position: tuple[float, float, float]
) -> None:
    color = (0.25, 0.5, 0.75)
    rendered = backend.draw(quad(), views(IDENTITY, position), 20, 30, background=Background(color))
    for channel in range(3):
        np.testing.assert_allclose(rendered.images[0, channel], color[channel], atol=1e-6)
    assert rendered.mask is not None
    assert not rendered.mask.any()
    assert rendered.area_px[0] == 0
    if backend.keeps("extent"):
        assert (rendered.long_px[0], rendered.inside[0]) == (0, 0)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 1.5, 1.9])
def test_visibility_is_the_part_of_the_silhouette_inside_the_frame(backend: Backend, shift: float) -> None:
    half = np.tan(FOV / 2) * 4  # of the frame, in object units
    rendered = backend.draw(quad(), views(IDENTITY, (half - 1 + shift, 0, -4)), 48, 48)
    full = (2 * 48 / 2 / half) ** 2
    assert rendered.area_px[0] == pytest.approx(full * (2 - shift) / 2, rel=0.01, abs=80 * backend.rim)
    if backend.keeps("extent"):
        assert rendered.inside[0] == pytest.approx((2 - shift) / 2, abs=0.02)


def test_an_object_of_one_pixel_is_drawn(backend: Backend) -> None:
    side = 65  # a centre pixel
    rendered = backend.draw(quad(), views(IDENTITY, at_scale(0.5, side)), side, side)
    assert rendered.images[0, 0, 32, 32] == pytest.approx(1, abs=backend.color)
    assert (rendered.images[0, 0] > 0.1).sum() == 1
    assert rendered.area_px[0] == pytest.approx(1, abs=0.01)
    if backend.keeps("extent"):
        assert rendered.long_px[0] == 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (40, 64), (64, 40), (7, 3)])
def test_the_field_of_view_belongs_to_the_shorter_side(backend: Backend, height: int, width: int) -> None:
    rendered = backend.draw(disk(), views(IDENTITY, (0, 0, -4)), height, width)
    radius = min(height, width) / 2 / np.tan(FOV / 2) / 4
    assert rendered.images.shape == (1, 3, height, width)
    assert rendered.mask is not None
    assert rendered.mask.shape == (1, 1, height, width)
    assert rendered.images[0, 0, height // 2, width // 2] > 0.5
    if min(height, width) > 8:
        assert rendered.area_px[0] == pytest.approx(np.pi * radius**2, rel=0.01)
        if backend.keeps("extent"):
            assert rendered.long_px[0] == pytest.approx(2 * radius, abs=1)


def test_each_view_has_its_own_field_of_view(backend: Backend) -> None:
    poses = views(np.repeat(IDENTITY, 3, axis=0), (0, 0, -6))
    poses.fov[:] = (0.5, 0.8, 1.1)
    areas = backend.draw(quad(), poses, 80, 80).area_px
    np.testing.assert_allclose(areas, (80 / 6 / np.tan(poses.fov / 2)) ** 2, rtol=0.03)


def test_no_views_give_no_pictures(backend: Backend) -> None:
    rendered = backend.draw(quad(), views(np.zeros((0, 3, 3))), 8, 8)
    assert rendered.images.shape == (0, 3, 8, 8)
    assert rendered.mask is not None
    assert rendered.mask.shape == (0, 1, 8, 8)
    assert rendered.digest.shape == (0,)


def test_a_picture_does_not_depend_on_its_batch(backend: Backend) -> None:
    mesh = sphere(6, (Material(base_color=(0.7, 0.5, 0.2, 1.0)),), lumps=0.2)
    poses = views(random_rotations(5), (0.1, 0.1, -4), lights=np.array([[1.0, 1, 1]]), ambient=0.2)
    poses.position[2] = (0, 0, -0.8)  # through the camera
    poses.position[3] = (1.2, 0, -4)  # half outside
    whole = backend.draw(mesh, poses, 20, 28)
    for i in range(5):
        alone = backend.draw(mesh, poses[i : i + 1], 20, 28)
        np.testing.assert_array_equal(alone.images[0], whole.images[i])
        np.testing.assert_array_equal(alone.inside[0], whole.inside[i])
        assert alone.digest[0] == whole.digest[i]
    if backend.keeps("digest"):
        assert len(set(whole.digest.tolist())) == 5


def test_no_pose_gives_nan_or_leaves_the_unit_range(backend: Backend) -> None:
    rng, count = np.random.default_rng(0), 2 * backend.poses
    holes = np.full((16, 16, 4), 255, dtype=np.uint8)
    holes[::2, :, 3] = 0
    materials = (
        Material(two_sided=True, roughness=0.3, specular=(0.2, 0.2, 0.2)),
        Material(texture=Texture(holes), alpha_mode="mask"),
        Material(base_color=(1.0, 0.5, 0.2, 0.5), alpha_mode="blend", two_sided=True),
    )
    mesh = sphere(5, materials, lumps=0.3)
    reach = 10.0 ** rng.uniform(-6, 12, (count, 1))
    position = rng.normal(size=(count, 3)) * reach
    near = position[: count // 2]
    near *= 0.3 / np.maximum(np.abs(near).max(axis=1, keepdims=True), 1e-2)  # cameras inside the object
    poses = views(random_rotations(count), position, lights=np.array([[0.0, 0, 1]]), ambient=0.2)
    poses.fov[:] = rng.uniform(0.001, 3.1, count)
    rendered = backend.draw(mesh, poses, 12, 16)
    assert rendered.mask is not None
    for values in (rendered.images, rendered.mask):
        assert np.isfinite(values).all()
        assert values.min() >= 0
        assert values.max() <= 1
    assert (rendered.area_px >= -1e-3).all()
    assert (rendered.area_px <= 12 * 16 + 1e-3).all()
    if backend.keeps("extent"):
        assert ((rendered.inside >= 0) & (rendered.inside <= 1)).all()
        assert ((rendered.long_px >= 0) & (rendered.long_px <= 16)).all()


def test_bad_views_are_refused_with_the_number_of_the_view(backend: Backend) -> None:
    backend.needs("errors")
    renderer = backend.renderer(quad())
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
    with pytest.raises(ConfigError, match=r"backgrounds"):
        renderer.render(views(IDENTITY), 8, 8, backgrounds=np.zeros((1, 3, 8, 9), np.float32))
