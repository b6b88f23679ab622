"""What every renderer promises about colours: textures, materials, lights, layers, backgrounds. Truths are formulas."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from backends import Backend
from numpy.typing import NDArray
from render_pictures import FOV, about, checker, make_mesh, quad, srgb_decoded, srgb_encoded, stacked, views

from posetest.scene.background import Background
from posetest.scene.material import Material, Texture, highlight
from posetest.scene.mesh import Mesh

IDENTITY = np.eye(3)[None]
LIGHT = np.array([[0.5, 0.3, 0.8]]) / np.linalg.norm([0.5, 0.3, 0.8])


def fitting(px: int, side: int) -> tuple[float, float, float]:
    """The position at which a square from -1 to 1 covers the middle ``px`` pixels of ``side``."""
    return (0, 0, -side / px / np.tan(FOV / 2))


def middle(backend: Backend, mesh: Mesh, poses: object, **options: object) -> NDArray[np.float64]:
    """Colours [n, 3] of the pixel in the middle of small pictures."""
    return backend.draw(mesh, poses, 9, 9, **options).images[:, :, 4, 4].astype(np.float64)  # type: ignore[arg-type]


def ambient(level: float = 1.0, count: int = 1) -> object:
    return views(np.repeat(IDENTITY, count, axis=0), ambient=level)


def test_the_picture_stands_upright_on_its_texture_coordinates(backend: Backend) -> None:
    picture = np.full((2, 2, 4), 255, dtype=np.uint8)
    picture[0, 0, :3], picture[0, 1, :3] = (255, 0, 0), (0, 255, 0)  # top left, top right
    picture[1, 0, :3], picture[1, 1, :3] = (0, 0, 255), (0, 0, 0)
    mesh = quad(Material(texture=Texture(picture, "clamp", "clamp")))
    image = backend.draw(mesh, views(IDENTITY, fitting(48, 64))).images[0]
    assert image[:, 12, 12].tolist() == pytest.approx([1, 0, 0], abs=backend.color)
    assert image[:, 12, 52].tolist() == pytest.approx([0, 1, 0], abs=backend.color)
    assert image[:, 52, 12].tolist() == pytest.approx([0, 0, 1], abs=backend.color)
    assert image[:, 52, 52].tolist() == pytest.approx([0, 0, 0], abs=backend.color)


@pytest.mark.parametrize(("wrap_u", "wrap_v"), [("repeat", "mirror"), ("mirror", "clamp"), ("clamp", "repeat")])
def test_outside_its_picture_a_texture_wraps_as_told(backend: Backend, wrap_u: str, wrap_v: str) -> None:
    """A picture of 4 x 3 texels on coordinates from -1 to 2: each texel is seen nine pixels wide, at its centre."""
    texels_x, texels_y, zoom = 4, 3, 9
    rng = np.random.default_rng(1)
    picture = rng.integers(120, 250, (texels_y, texels_x, 4)).astype(np.uint8)
    width, height = 3 * texels_x * zoom, 3 * texels_y * zoom
    mesh = quad(Material(texture=Texture(picture, wrap_u, wrap_v)))  # type: ignore[arg-type]
    mesh = replace(mesh, verts_obj=mesh.verts_obj * np.float32([width / height, 1, 1]), uv=mesh.uv * 3 - 1)
    position = (0, 0, -1 / np.tan(FOV / 2))  # the square's upper and lower sides touch the frame
    image = backend.draw(mesh, views(IDENTITY, position), height, width).images[0]

    def folded(size: int, wrap: str) -> NDArray[np.int64]:
        index = np.arange(-size, 2 * size)
        if wrap == "clamp":
            return np.clip(index, 0, size - 1)
        if wrap == "repeat":
            return index % size
        return np.where(index % (2 * size) < size, index % (2 * size), 2 * size - 1 - index % (2 * size))

    rows = texels_y - 1 - folded(texels_y, wrap_v)[::-1]  # v counts from below, rows from above
    expected = picture[rows][:, folded(texels_x, wrap_u), :3].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(image[:, zoom // 2 :: zoom, zoom // 2 :: zoom], expected, atol=0.03)


def test_squares_finer_than_a_pixel_mix_in_linear_light(backend: Backend) -> None:
    mesh = quad(Material(texture=checker(128, 128)))
    image = backend.draw(mesh, views(about("z", 0.2)[None], fitting(16, 32)), 32, 32).images[0, 0]
    np.testing.assert_allclose(image[11:21, 11:21], float(srgb_encoded(np.array(0.5))), atol=0.02)


def test_base_color_is_factor_times_texture_times_vertex_color(backend: Backend) -> None:
    texture = Texture(np.array([[[200, 120, 60, 30]]], dtype=np.uint8))
    factor, vertex = np.array([0.9, 0.8, 0.5, 0.3]), np.array([0.5, 1.0, 0.7, 0.4])
    mesh = quad(Material(base_color=tuple(factor), texture=texture))
    mesh = replace(mesh, colors=np.broadcast_to(vertex, mesh.colors.shape).astype(np.float32))
    linear = factor[:3] * vertex[:3] * srgb_decoded(np.array([200, 120, 60]) / 255)
    found = middle(backend, mesh, ambient(0.7))  # the alphas mean nothing to an opaque material
    np.testing.assert_allclose(found[0], srgb_encoded(0.7 * linear), atol=backend.color)


def test_vertex_colors_run_evenly_over_a_face_in_linear_light(backend: Backend) -> None:
    mesh = quad()
    ramp = np.repeat((mesh.verts_obj[mesh.faces][..., :1] + 1) / 2, 3, axis=2)
    mesh = replace(mesh, colors=np.append(ramp, mesh.colors[..., 3:], axis=2).astype(np.float32))
    image = backend.draw(mesh, views(IDENTITY, fitting(32, 32)), 32, 32).images[0, 1]
    np.testing.assert_allclose(image, np.tile(srgb_encoded((np.arange(32) + 0.5) / 32), (32, 1)), atol=4e-3)


def test_each_face_has_its_own_material(backend: Backend) -> None:
    picture = Texture(np.array([[[10, 200, 30, 255]]], dtype=np.uint8))
    materials = (
        Material(base_color=(1.0, 0.0, 0.0, 1.0)),
        Material(texture=picture),
        Material(base_color=(0.2, 0.2, 0.2, 1.0), emissive=(0.0, 0.3, 0.5)),
        Material(base_color=(0.0, 0.0, 0.0, 1.0), emissive=(1.0, 1.0, 1.0), emissive_texture=picture),
    )
    corners = np.array([[-0.5, 0.5, 0], [0.5, 0.5, 0], [-0.5, -0.5, 0], [0.5, -0.5, 0]])
    parts = np.concatenate([quad(half=0.5).verts_obj + at for at in corners])
    faces = np.concatenate([quad().faces + 4 * k for k in range(4)])
    mesh = make_mesh(parts, faces, materials, face_material=np.repeat(np.arange(4), 2))
    image = backend.draw(mesh, views(IDENTITY, fitting(16, 16), ambient=0.5), 16, 16).images[0]
    texel = srgb_decoded(np.array([10, 200, 30]) / 255)
    linear = [np.array([0.5, 0, 0]), 0.5 * texel, np.array([0.1, 0.4, 0.6]), texel]
    for (row, column), expected in zip(((4, 4), (4, 12), (12, 4), (12, 12)), linear, strict=True):
        np.testing.assert_allclose(image[:, row, column], srgb_encoded(expected), atol=backend.color)


def test_srgb_is_encoded_within_a_thousandth(backend: Backend) -> None:
    levels = np.linspace(0, 1, 60)
    poses = views(np.repeat(IDENTITY, 60, axis=0))
    poses.ambient[:] = levels[:, None]
    found = middle(backend, quad(), poses)
    assert np.abs(found - srgb_encoded(levels)[:, None]).max() < backend.color


@pytest.mark.parametrize("angle", [0.0, 0.5, 1.0, 1.4, 2.0])
def test_brightness_follows_the_cosine_in_linear_light(backend: Backend, angle: float) -> None:
    light = np.array([[np.sin(angle), 0, np.cos(angle)]])
    found = middle(backend, quad(), views(IDENTITY, lights=light, ambient=0.1))
    expected = 0.1 + 0.7 * max(np.cos(angle), 0)
    np.testing.assert_allclose(found, float(srgb_encoded(np.array(expected))), atol=backend.color)


def test_lights_add_each_in_its_color_and_ambient_light_too(backend: Backend) -> None:
    directions = np.array([[1.0, 0, 1], [-1, 1, 0.5], [0, 0, -1]])
    colors = np.array([[0.3, 0.1, 0.0], [0.0, 0.2, 0.4], [1.0, 1.0, 1.0]])  # the last one comes from behind
    poses = replace(views(IDENTITY, lights=directions, colors=colors), ambient=np.array([[0.05, 0.1, 0.2]]))
    unit = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    linear = poses.ambient[0] + np.maximum(unit[:, 2], 0) @ colors
    np.testing.assert_allclose(middle(backend, quad(), poses)[0], srgb_encoded(linear), atol=backend.color)


def test_lights_stay_with_the_camera_when_the_object_turns(backend: Backend) -> None:
    turns = np.stack([about("y", a) @ about("x", b) for a in (-0.8, 0.0, 0.8) for b in (-0.6, 0.5)])
    found = middle(backend, quad(), views(turns, lights=LIGHT, ambient=0.1))
    linear = 0.1 + 0.7 * np.maximum(turns[:, :, 2] @ LIGHT[0], 0)
    np.testing.assert_allclose(found, np.repeat(srgb_encoded(linear)[:, None], 3, axis=1), atol=backend.color)


def test_too_much_light_is_white(backend: Backend) -> None:
    np.testing.assert_allclose(middle(backend, quad(), ambient(3.0)), 1, atol=backend.color)


def test_a_back_is_lit_with_its_normal_turned_round(backend: Backend) -> None:
    turns = np.stack([np.eye(3), about("y", np.pi)])
    found = middle(backend, quad(Material(two_sided=True)), views(turns, lights=LIGHT, ambient=0.1))
    np.testing.assert_allclose(found[1], found[0], atol=backend.color)


SHINY = {
    "plastic": Material(base_color=(0.2, 0.3, 0.5, 1.0), roughness=0.5, specular=(0.04, 0.04, 0.04)),
    "tinted": Material(base_color=(0.2, 0.3, 0.5, 1.0), roughness=0.7, specular=(0.3, 0.1, 0.0)),
    "metal": Material(base_color=(0.9, 0.6, 0.3, 1.0), roughness=0.6, metalness=1.0, specular=(0.04, 0.04, 0.04)),
    "between": Material(base_color=(0.4, 0.2, 0.3, 1.0), roughness=0.4, metalness=0.4, specular=(0.04, 0.05, 0.06)),
    "rough metal": Material(base_color=(0.4, 0.2, 0.3, 1.0), roughness=1.0, metalness=1.0),
    "chalk": Material(base_color=(0.4, 0.2, 0.3, 1.0), roughness=1.0, specular=(0.04, 0.04, 0.04)),
    "glowing": Material(base_color=(0.1, 0.2, 0.3, 1.0), roughness=0.4, specular=(0.1, 0.1, 0.1), emissive=(0.1, 0, 0)),
}


@pytest.mark.parametrize("name", SHINY)
@pytest.mark.parametrize("is_back", [False, True])
def test_highlights_follow_their_formula(backend: Backend, name: str, is_back: bool) -> None:
    """At every pixel of a tilted square: the halfway vector changes from place to place."""
    material = replace(SHINY[name], two_sided=True)
    turn = about("y", 0.3) @ about("x", -0.2)
    normal = turn[:, 2]
    poses = views((turn @ about("y", np.pi) if is_back else turn)[None], lights=LIGHT, colors=[[0.6, 0.5, 0.4]])
    poses = replace(poses, ambient=np.array([[0.1, 0.15, 0.2]]))
    side = 24
    image = backend.draw(quad(material), poses, side, side).images[0]
    focal = side / 2 / np.tan(FOV / 2)
    y, x = (np.mgrid[:side, :side] + 0.5 - side / 2) / focal
    towards = np.stack([-x, y, np.ones_like(x)], axis=-1)
    towards /= np.linalg.norm(towards, axis=-1, keepdims=True)
    half = LIGHT[0] + towards
    half /= np.linalg.norm(half, axis=-1, keepdims=True)
    shine, base = highlight(material), np.array(material.base_color[:3])
    falling = poses.light_colors[0, 0] * max(float(LIGHT[0] @ normal), 0)
    diffuse = poses.ambient[0] + falling
    lobe = shine.scale * np.maximum(half @ normal, 0) ** shine.exponent
    mirrored = poses.ambient[0] + lobe[..., None] * falling
    own = np.array(shine.specular) + base * shine.metalness
    linear = base * (1 - shine.metalness) * diffuse + own * mirrored + np.array(material.emissive)
    inner = (slice(None), slice(8, 16), slice(8, 16))
    expected = srgb_encoded(np.clip(linear, 0, 1)).transpose(2, 0, 1)
    assert 0.02 < expected[inner].max() < 1
    np.testing.assert_allclose(image[inner], expected[inner], atol=4e-3)


def test_masked_materials_are_there_where_alpha_reaches_the_cutoff(backend: Backend) -> None:
    picture = np.full((1, 64, 4), 255, dtype=np.uint8)
    picture[0, :, 3] = np.arange(64) * 4
    material = Material(base_color=(1, 1, 1, 0.8), texture=Texture(picture, "clamp", "clamp"), alpha_mode="mask")
    for cutoff, vertex_alpha in ((0.5, 1.0), (0.2, 1.0), (0.3, 0.5)):
        mesh = quad(replace(material, alpha_cutoff=cutoff))
        mesh.colors[..., 3] = vertex_alpha
        rendered = backend.draw(mesh, views(IDENTITY, fitting(64, 64)))
        alpha = picture[0, :, 3] / 255 * 0.8 * vertex_alpha
        assert rendered.mask is not None
        sure = np.abs(alpha - cutoff) > 0.02
        np.testing.assert_allclose(rendered.mask[0, 0, 32, sure], (alpha >= cutoff)[sure], atol=1e-3)
        assert rendered.area_px[0] == pytest.approx(64 * (alpha >= cutoff).sum(), abs=65)


LAYERS = (
    Material(base_color=(1.0, 0.2, 0.2, 0.5), alpha_mode="blend", two_sided=True),
    Material(base_color=(0.2, 1.0, 0.2, 0.3), alpha_mode="blend", two_sided=True),
    Material(base_color=(0.2, 0.2, 1.0, 0.8), alpha_mode="blend", two_sided=True),
)


def composed(layers: tuple[Material, ...], behind: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """Linear colour of ``layers``, the nearest first, over ``behind``."""
    color = behind
    for layer in reversed(layers):
        alpha = layer.base_color[3]
        color = alpha * level * np.array(layer.base_color[:3]) + (1 - alpha) * color
    return color


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_layers_blend_in_the_order_of_their_depth_from_either_side(backend: Backend, order: tuple[int, ...]) -> None:
    backend.needs("blend")
    mesh = stacked(LAYERS, [0.2 * order.index(k) for k in range(3)])  # order[0] is the farthest from the front
    poses = views(np.stack([np.eye(3), about("y", np.pi)]), ambient=0.9)
    behind = Background((0.3, 0.6, 0.9))
    rendered = backend.draw(mesh, poses, 9, 9, background=behind)
    from_behind = tuple(LAYERS[k] for k in order)
    linear = srgb_decoded(np.array(behind.color))
    for i, layers in enumerate((from_behind[::-1], from_behind)):
        expected = srgb_encoded(composed(layers, linear, 0.9))
        np.testing.assert_allclose(rendered.images[i, :, 4, 4], expected, atol=2 * backend.color)
    assert rendered.mask is not None
    np.testing.assert_allclose(rendered.mask[:, 0, 4, 4], 1 - 0.5 * 0.7 * 0.2, atol=1e-3)


def test_an_opaque_surface_hides_the_layers_behind_it(backend: Backend) -> None:
    backend.needs("blend")
    wall = Material(base_color=(0.7, 0.7, 0.1, 1.0), two_sided=True)
    mesh = stacked((LAYERS[0], wall, LAYERS[1], LAYERS[2]), [0.4, 0.2, 0.0, -0.2])
    rendered = backend.draw(mesh, ambient(0.9), 9, 9)  # type: ignore[arg-type]
    expected = srgb_encoded(composed(LAYERS[:1], 0.9 * np.array([0.7, 0.7, 0.1]), 0.9))
    np.testing.assert_allclose(rendered.images[0, :, 4, 4], expected, atol=2 * backend.color)
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 4, 4] == pytest.approx(1, abs=1e-4)


def test_a_layer_without_alpha_adds_nothing(backend: Backend) -> None:
    backend.needs("blend")
    clear = Material(base_color=(1.0, 1.0, 1.0, 0.0), alpha_mode="blend", emissive=(1.0, 0.0, 0.0))
    rendered = backend.draw(quad(clear), ambient(), 9, 9, background=Background((0.2, 0.4, 0.6)))  # type: ignore[arg-type]
    np.testing.assert_allclose(rendered.images[0, :, 4, 4], (0.2, 0.4, 0.6), atol=1e-3)
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 4, 4] == 0


def test_a_blended_outline_is_mixed_by_coverage_times_alpha(backend: Backend) -> None:
    backend.needs("blend")
    glass = Material(base_color=(1.0, 1.0, 1.0, 0.5), alpha_mode="blend")
    half_a_pixel = views(IDENTITY, (0.5 * 2 / 16, 0, fitting(16, 32)[2]))
    rendered = backend.draw(quad(glass), half_a_pixel, 32, 32)
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 16, 16] == pytest.approx(0.5, abs=1e-3)
    assert rendered.mask[0, 0, 16, 24] == pytest.approx(0.25, abs=backend.rim)
    assert rendered.mask[0, 0, 16, 8] == pytest.approx(0.25, abs=backend.rim)


def test_the_background_is_the_one_the_view_asks_for(backend: Backend, tmp_path: Path) -> None:
    from PIL import Image

    for name, color in (("a.png", (255, 0, 0)), ("b.png", (0, 0, 255))):
        Image.new("RGB", (30, 20), color).save(tmp_path / name)
    behind = Background(files=(tmp_path / "a.png", tmp_path / "b.png"))
    poses = views(np.repeat(IDENTITY, 2, axis=0))
    poses.background[:] = (1, 0)
    images = backend.draw(quad(), poses, 16, 24, background=behind).images
    np.testing.assert_allclose(images[0, :, 0, 0], (0, 0, 1), atol=1e-6)
    np.testing.assert_allclose(images[1, :, 0, 0], (1, 0, 0), atol=1e-6)


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
def test_pictures_handed_over_take_the_backgrounds_place(backend: Backend, shading: str) -> None:
    """Where nothing is in front they come back as they are."""
    given = np.random.default_rng(2).uniform(0, 1, (2, 3, 24, 32)).astype(np.float32)
    poses = views(np.stack([np.eye(3), about("z", 0.5)]), (0.1, 0, -8), ambient=0.0)
    rendered = backend.draw(quad(), poses, 24, 32, backgrounds=given, shading=shading)
    assert rendered.mask is not None
    is_free = (rendered.mask == 0).repeat(3, axis=1)
    assert is_free.sum() > 2000
    np.testing.assert_allclose(rendered.images[is_free], given[is_free], atol=backend.color)
    assert rendered.images[(rendered.mask == 1).repeat(3, axis=1)].max() < backend.color


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
def test_a_half_covered_pixel_shows_half_of_what_is_behind(backend: Backend, shading: str) -> None:
    backend.needs("antialiasing")
    ramp = np.linspace(0.3, 0.9, 32, dtype=np.float32)
    given = np.stack([np.tile(ramp, (32, 1)), np.tile(ramp[:, None], 32), np.full((32, 32), 0.5, np.float32)])[None]
    poses = views(IDENTITY, (0.5 * 2 / 16, 0, fitting(16, 32)[2]), ambient=0.0)
    image = backend.draw(quad(), poses, 32, 32, backgrounds=given, shading=shading).images[0, :, 16, 24]
    behind = given[0, :, 16, 24].astype(np.float64)
    expected = behind / 2 if shading == "gamma_free" else srgb_encoded(srgb_decoded(behind) / 2)
    np.testing.assert_allclose(image, expected, atol=0.02)  # a neighbour's background may stand in for a pixel's own


def test_gamma_free_shading_multiplies_encoded_values(backend: Backend) -> None:
    """As in the study of 2019: ambient 0.5 and diffuse 0.7 times the texture's numbers as they are."""
    texture = Texture(np.array([[[200, 120, 60, 255]]], dtype=np.uint8))
    poses = views(IDENTITY, lights=LIGHT, ambient=0.5)
    factor = (0.9, 0.5, 0.7, 1.0)
    glow = (0.01, 0.0, 0.02)
    mesh = quad(Material(base_color=factor, texture=texture, emissive=glow))
    found = middle(backend, mesh, poses, shading="gamma_free")[0]
    encoded = srgb_encoded(np.array(factor[:3])) * np.array([200, 120, 60]) / 255
    expected = encoded * (0.5 + 0.7 * LIGHT[0, 2]) + srgb_encoded(np.array(glow))
    np.testing.assert_allclose(found, np.minimum(expected, 1), atol=backend.color)
    behind = Background((0.485, 0.456, 0.406))
    corner = backend.draw(mesh, poses, 64, 64, background=behind, shading="gamma_free").images[0, :, 0, 0]
    np.testing.assert_allclose(corner, behind.color, atol=1e-6)


def test_gamma_free_layers_mix_as_encoded(backend: Backend) -> None:
    backend.needs("blend")
    glass = Material(base_color=(1.0, 1.0, 1.0, 0.25), alpha_mode="blend")
    behind = Background((0.2, 0.4, 0.6))
    found = middle(backend, quad(glass), ambient(), background=behind, shading="gamma_free")[0]
    np.testing.assert_allclose(found, 0.25 + 0.75 * np.array(behind.color), atol=backend.color)
