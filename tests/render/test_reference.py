"""The slow renderer against what can be computed by hand, and against rays cut with triangles in another way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from render_pictures import Array, about, disk, make_mesh, quad, random_rotations, sphere, views

from posetest.config import Shading
from posetest.errors import ConfigError
from posetest.geometry.camera import Views, focal_px
from posetest.protocols import Renderer
from posetest.render.reference import NEAR, ReferenceRenderer
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture, Wrap, highlight
from posetest.scene.mesh import Mesh

IDENTITY = np.eye(3)[None]
BLACK = Background((0.0, 0.0, 0.0))
FOCAL_AT = 2 * np.tan(0.3)  # frame over focal length at the tests' field of view


def encoded(linear: Array | tuple[float, ...] | float) -> Array:
    """sRGB of linear light, written from the standard once more."""
    v = np.asarray(linear, dtype=np.float64)
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * np.abs(v) ** (1 / 2.4) - 0.055)


def centre(
    mesh: Mesh, poses: Views, *, shading: Shading = "linear", behind: Background | None = None, side: int = 9
) -> Array:
    """The colour of the middle pixel, whose one ray runs along the optical axis."""
    rendered = ReferenceRenderer(mesh, behind or BLACK, samples=1, shading=shading).render(poses, side, side)
    middle: Array = rendered.images[0, :, side // 2, side // 2].astype(np.float64)
    return middle


def stacked(materials: list[Material], depths: list[float]) -> Mesh:
    """Squares that look at +z, at different heights above z = 0."""
    verts = np.concatenate([quad().verts_obj + np.array([0, 0, z]) for z in depths])
    faces = np.concatenate([quad().faces + 4 * k for k in range(len(depths))])
    uv = np.concatenate([quad().uv] * len(depths))
    return make_mesh(verts, faces, tuple(materials), uv=uv, face_material=np.repeat(np.arange(len(depths)), 2))


def lit(strengths: Array, directions: Array, ambient: float, turn: float = 0.0) -> Views:
    return views(about("y", turn)[None], lights=directions, colors=strengths, ambient=ambient)


def test_the_reference_is_a_renderer() -> None:
    with ReferenceRenderer(quad()) as renderer:
        assert isinstance(renderer, Renderer)


def test_a_matte_square_has_the_colour_computed_by_hand() -> None:
    directions = np.array([[0.6, 0.0, 0.8], [0.0, -0.6, 0.8], [0.0, 0.0, -1.0]])
    strengths = np.array([[0.5, 0.4, 0.3], [0.1, 0.2, 0.3], [1.0, 1.0, 1.0]])  # the third shines on its back
    material = Material(base_color=(0.5, 0.25, 1.0, 1.0), emissive=(0.0, 0.1, 0.0))
    light = 0.2 + 0.8 * strengths[0] + 0.8 * strengths[1]
    poses = lit(strengths, directions, 0.2)
    expected = encoded(np.array([0.5, 0.25, 1.0]) * light + (0, 0.1, 0))
    np.testing.assert_allclose(centre(quad(material), poses), expected, atol=1e-6)
    encoded_base = encoded((0.5, 0.25, 1.0)) * light + encoded((0.0, 0.1, 0.0))
    gamma_free = centre(quad(material), poses, shading="gamma_free")
    np.testing.assert_allclose(gamma_free, np.clip(encoded_base, 0, 1), atol=1e-6)


def test_gamma_free_shading_multiplies_the_bytes_of_the_picture() -> None:
    picture = np.full((4, 4, 4), 255, dtype=np.uint8)
    picture[..., :3] = (100, 150, 200)
    poses = lit(np.full((1, 3), 0.7), np.array([[0.6, 0.0, 0.8]]), 0.5)  # the published protocol's lights
    color = centre(quad(Material(texture=Texture(picture))), poses, shading="gamma_free")
    np.testing.assert_allclose(color, np.minimum(np.array([100, 150, 200]) / 255 * (0.5 + 0.7 * 0.8), 1), atol=1e-6)


@pytest.mark.parametrize("metalness", [0.0, 0.3, 1.0])
def test_a_highlight_peaks_where_light_is_mirrored_into_the_camera(metalness: float) -> None:
    base, specular = np.array([0.3, 0.2, 0.1]), np.array([0.04, 0.05, 0.06])
    material = Material(base_color=(*base, 1.0), roughness=0.5, metalness=metalness, specular=tuple(specular))
    shine, turn, strength, ambient = highlight(material), 0.4, 0.2, 0.1
    assert shine.exponent == pytest.approx(30)

    def expected(angle: float) -> Array:
        """Lit from ``angle`` towards +x; the normal is at ``turn``, the viewer at zero, halfway at half the angle."""
        arriving = strength * np.cos(angle - turn)
        lobe = 38 / 8 * np.cos(angle / 2 - turn) ** 30
        mirror = (1 - metalness) * specular + metalness * base
        color: Array = base * (1 - metalness) * (ambient + arriving) + mirror * (ambient + arriving * lobe)
        return color

    for angle in (2 * turn, 1.1, 0.3):
        poses = lit(np.full((1, 3), strength), np.array([[np.sin(angle), 0, np.cos(angle)]]), ambient, turn)
        np.testing.assert_allclose(centre(quad(material), poses), encoded(expected(angle)), atol=1e-6)


def test_a_wholly_rough_metal_looks_like_a_matte_surface() -> None:
    poses = lit(np.array([[0.5, 0.4, 0.3]]), np.array([[0.3, 0.5, 0.8]]), 0.2)
    metal = Material(base_color=(0.6, 0.4, 0.2, 1.0), roughness=1.0, metalness=1.0, specular=(0.04, 0.04, 0.04))
    matte = Material(base_color=(0.6, 0.4, 0.2, 1.0))
    np.testing.assert_allclose(centre(quad(metal), poses), centre(quad(matte), poses), atol=1e-7)


@pytest.mark.parametrize("shading", ["linear", "gamma_free"])
@pytest.mark.parametrize("is_reversed", [False, True])
def test_two_blended_layers_over_a_background_mix_as_computed_by_hand(shading: Shading, is_reversed: bool) -> None:
    front = Material(base_color=(0.8, 0.1, 0.1, 0.4), alpha_mode="blend")
    back = Material(base_color=(0.1, 0.6, 0.1, 0.7), alpha_mode="blend")
    mesh = stacked([back, front], [-0.5, 0.5]) if is_reversed else stacked([front, back], [0.5, -0.5])
    behind = np.array([0.9, 0.5, 0.2])
    a, b = np.array([0.8, 0.1, 0.1]), np.array([0.1, 0.6, 0.1])
    if shading == "linear":
        decoded = ((behind + 0.055) / 1.055) ** 2.4
        expected = encoded(0.4 * a + 0.6 * (0.7 * b + 0.3 * decoded))
    else:
        expected = 0.4 * encoded(a) + 0.6 * (0.7 * encoded(b) + 0.3 * behind)
    color = centre(mesh, views(IDENTITY), shading=shading, behind=Background((0.9, 0.5, 0.2)))
    np.testing.assert_allclose(color, expected, atol=1e-6)


def test_any_number_of_layers_is_mixed() -> None:
    sheets = [Material(base_color=(1.0, 1.0, 1.0, 0.1), alpha_mode="blend")] * 12
    mesh = stacked(sheets, np.linspace(-0.6, 0.6, 12).tolist())
    rendered = ReferenceRenderer(mesh, BLACK, samples=2).render(views(IDENTITY), 8, 8, mask=True)
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 4, 4] == pytest.approx(1 - 0.9**12, abs=1e-6)
    assert rendered.images[0, 0, 4, 4] == pytest.approx(float(encoded(1 - 0.9**12)), abs=1e-6)


def test_an_opaque_layer_hides_what_is_behind_and_a_clear_one_adds_nothing() -> None:
    glass = Material(base_color=(0.0, 0.0, 1.0, 0.5), alpha_mode="blend")
    wall = Material(base_color=(1.0, 0.0, 0.0, 0.2))  # opaque: its alpha means nothing
    clear = Material(base_color=(0.0, 1.0, 0.0, 0.0), alpha_mode="blend", emissive=(0.0, 1.0, 0.0))
    color = centre(stacked([glass, wall, clear], [-0.5, 0.0, 0.5]), views(IDENTITY))
    np.testing.assert_allclose(color, [1, 0, 0], atol=1e-6)


def test_a_blended_square_has_no_seam_between_its_triangles() -> None:
    half = Material(base_color=(1.0, 1.0, 1.0, 0.5), alpha_mode="blend")
    for side, samples in ((8, 1), (9, 1), (8, 4), (9, 3)):  # rays run exactly along the diagonal
        position = (0.0, 0.0, -1 / np.tan(0.3))  # the square fills the frame
        rendered = ReferenceRenderer(quad(half), samples=samples).render(
            views(IDENTITY, position), side, side, mask=True
        )
        np.testing.assert_allclose(rendered.mask, 0.5, atol=1e-6)


@pytest.mark.parametrize(("cutoff", "drawn"), [(100 / 255, [0, 1, 1]), (101 / 255, [0, 0, 1]), (0.0, [1, 1, 1])])
def test_a_masked_surface_is_drawn_where_alpha_reaches_the_cutoff(cutoff: float, drawn: list[int]) -> None:
    picture = np.full((1, 3, 4), 255, dtype=np.uint8)
    picture[0, :, 3] = (99, 100, 255)
    material = Material(texture=Texture(picture, "clamp", "clamp"), alpha_mode="mask", alpha_cutoff=cutoff)
    rendered = ReferenceRenderer(quad(material), samples=1).render(
        views(IDENTITY, (0, 0, -1 / np.tan(0.3))), 3, 3, mask=True
    )
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 1].tolist() == drawn  # each pixel's ray meets the centre of a texel


@pytest.mark.parametrize(
    ("wrap", "expected"),
    [
        ("repeat", [1, 2, 3, 1, 2, 3, 1, 2, 3]),
        ("clamp", [1, 1, 1, 1, 2, 3, 3, 3, 3]),
        ("mirror", [3, 2, 1, 1, 2, 3, 3, 2, 1]),
    ],
)
def test_pictures_wrap_as_opengl_has_it(wrap: Wrap, expected: list[int]) -> None:
    picture = np.full((3, 3, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.array([1, 2, 3])[None, :, None] * 50
    for axis in "uv":
        image = picture if axis == "u" else np.ascontiguousarray(picture.transpose(1, 0, 2)[::-1])  # from below
        texture = Texture(image, wrap if axis == "u" else "repeat", wrap if axis == "v" else "repeat")
        mesh = quad(Material(texture=texture))
        mesh = replace(mesh, uv=mesh.uv * np.float32(3) - np.float32(1))
        renderer = ReferenceRenderer(mesh, samples=1, shading="gamma_free")
        drawn = renderer.render(views(IDENTITY, (0, 0, -1 / np.tan(0.3))), 9, 9).images[0, 0] * 255 / 50
        np.testing.assert_allclose(drawn[4] if axis == "u" else drawn[::-1, 4], expected, atol=1e-4)


@pytest.mark.parametrize(("wrap", "expected"), [("repeat", 0.5), ("clamp", 0.0), ("mirror", 0.0)])
def test_between_copies_of_a_picture_its_border_is_interpolated(wrap: Wrap, expected: float) -> None:
    picture = np.full((1, 2, 4), 255, dtype=np.uint8)
    picture[0, 0, :3] = 0
    mesh = quad(Material(texture=Texture(picture, wrap, wrap)))
    mesh = replace(mesh, uv=np.zeros_like(mesh.uv))  # everywhere the left border
    np.testing.assert_allclose(centre(mesh, views(IDENTITY)), encoded([expected] * 3), atol=1e-6)


def test_texels_are_interpolated_in_linear_light() -> None:
    picture = np.full((1, 2, 4), 255, dtype=np.uint8)
    picture[0, 0, :3] = 0
    mesh = quad(Material(texture=Texture(picture, "clamp", "clamp")))
    np.testing.assert_allclose(centre(mesh, views(IDENTITY)), encoded([0.5] * 3), atol=1e-6)
    np.testing.assert_allclose(centre(mesh, views(IDENTITY), shading="gamma_free"), 0.5, atol=1e-6)


def test_a_disk_covers_its_area_and_half_of_it_when_halved_by_the_frame() -> None:
    corners, radius = 90, 64 / FOCAL_AT / 4
    renderer = ReferenceRenderer(disk(corners), samples=8)
    area = corners / 2 * np.sin(2 * np.pi / corners) * radius**2
    for offset, part in ((0.0, 1.0), (4 * np.tan(0.3), 0.5)):
        rendered = renderer.render(views(IDENTITY, (offset, 0, -4)), 64, 64, mask=True)
        assert rendered.area_px[0] == pytest.approx(part * area, rel=5e-4)
        assert rendered.inside[0] == pytest.approx(part, abs=5e-3)
        assert rendered.long_px[0] == pytest.approx(2 * radius, abs=1)
    away = renderer.render(views(np.stack([np.eye(3), about("y", np.pi)]), [(9, 0, -4), (0, 0, -4)]), 64, 64)
    assert away.area_px.tolist() == away.inside.tolist() == away.long_px.tolist() == [0, 0]


def test_a_floor_that_runs_under_the_camera_fills_the_lower_half() -> None:
    mesh = quad(Material(two_sided=True), half=1e7)
    flat = about("x", -np.pi / 2)[None]  # its normal up
    rendered = ReferenceRenderer(mesh, BLACK, samples=4).render(views(flat, (0, -1.0, 0)), 32, 32, mask=True)
    assert rendered.mask is not None
    assert rendered.mask[0, 0, 16:].min() == 1
    assert rendered.mask[0, 0, :16].max() == 0
    ceiling = ReferenceRenderer(mesh, BLACK, samples=4).render(views(flat, (0, 1.0, 0)), 32, 32, mask=True)
    np.testing.assert_array_equal(ceiling.mask, rendered.mask[:, :, ::-1])


def test_nothing_nearer_than_the_near_plane_is_drawn() -> None:
    renderer = ReferenceRenderer(quad(), BLACK, samples=1)
    for depth, covered in ((1.01 * NEAR, 1), (0.99 * NEAR, 0), (0.0, 0), (-1.0, 0)):
        rendered = renderer.render(views(IDENTITY, (0, 0, -depth)), 5, 5, mask=True)
        np.testing.assert_array_equal(rendered.mask, covered)


def test_a_sheet_seen_from_behind_is_lit_on_the_side_that_shows() -> None:
    poses = lit(np.full((1, 3), 0.5), np.array([[0.0, 0.0, 1.0]]), 0.1, np.pi)
    both = Material(two_sided=True)
    np.testing.assert_allclose(centre(quad(both), poses), encoded([0.6] * 3), atol=1e-6)
    np.testing.assert_allclose(centre(quad(), poses), 0, atol=1e-6)


def test_a_picture_behind_replaces_the_background_of_the_scene() -> None:
    given = np.random.default_rng(0).uniform(0, 1, (2, 3, 16, 20)).astype(np.float32)
    poses = views(np.repeat(IDENTITY, 2, axis=0), (0, 0, -40))
    for shading in ("linear", "gamma_free"):
        renderer = ReferenceRenderer(quad(), BLACK, samples=2, shading=shading)
        rendered = renderer.render(poses, 16, 20, mask=True, backgrounds=given)
        assert rendered.mask is not None
        is_free = np.broadcast_to(rendered.mask == 0, given.shape)
        np.testing.assert_allclose(rendered.images[is_free], given[is_free], atol=1e-6)
        assert (~is_free).any()
    with pytest.raises(ConfigError, match=r"backgrounds must have the shape \(2, 3, 16, 20\), not \(1, 3, 16, 20\)"):
        renderer.render(poses, 16, 20, backgrounds=given[:1])
    given[1, 0, 3, 3] = np.nan
    with pytest.raises(ConfigError, match="backgrounds of view 1 hold numbers that are not finite"):
        renderer.render(poses, 16, 20, backgrounds=given)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(ConfigError, match="samples must be at least 1, not 0"):
        ReferenceRenderer(quad(), samples=0)
    with pytest.raises(ConfigError, match='shading must be one of linear, gamma_free, not "gamma"'):
        ReferenceRenderer(quad(), shading="gamma")  # type: ignore[arg-type]


def test_a_picture_does_not_depend_on_its_batch_or_on_how_the_work_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    glass = Material(base_color=(0.9, 0.5, 0.5, 0.5), alpha_mode="blend", two_sided=True)
    mesh = sphere(6, (Material(), glass), lumps=0.3)
    poses = views(random_rotations(3), [(0, 0, -4), (0.1, 0, -0.9), (1.0, 0, -4)], lights=np.eye(3), ambient=0.2)
    renderer = ReferenceRenderer(mesh, samples=3)
    whole = renderer.render(poses, 20, 28, mask=True)
    monkeypatch.setattr("posetest.render.reference.BAND", 600)
    monkeypatch.setattr("posetest.render.reference_trace.BLOCK", 1000)
    for i in range(3):
        one = renderer.render(poses[i : i + 1], 20, 28, mask=True)
        np.testing.assert_allclose(one.images[0], whole.images[i], atol=1e-6)
        assert one.area_px[0] == pytest.approx(whole.area_px[i])


def test_rays_meet_the_triangles_that_another_method_finds() -> None:
    """Random triangles all around the camera, cut with rays by Moeller and Trumbore's method (1997)."""
    rng = np.random.default_rng(4)
    count, side = 60, 24
    corners = rng.normal(size=(count, 1, 3)) * 1.5 + rng.normal(size=(count, 3, 3))
    colors = np.append(rng.uniform(0, 1, (count, 3, 3)), np.ones((count, 3, 1)), axis=2)
    sides = (Material(two_sided=True), Material())
    of = rng.integers(0, 2, count)
    faces = np.arange(3 * count).reshape(count, 3)
    mesh = make_mesh(corners.reshape(-1, 3), faces, sides, colors=colors, face_material=of)
    poses = views(random_rotations(1), (0, 0, 0), fov=1.4)
    placed = mesh.verts_obj.astype(np.float64)[mesh.faces] @ poses.rotation[0].T
    rays = _rays(poses, side)
    first, second = placed[:, 1] - placed[:, 0], placed[:, 2] - placed[:, 0]
    across = np.cross(rays[:, None], second)
    scale = (first * across).sum(axis=2)
    u = -(placed[:, 0] * across).sum(axis=2) / scale
    turned = np.cross(-placed[:, 0], first)
    v = (rays[:, None] * turned).sum(axis=2) / scale
    depth = (second * turned).sum(axis=1) / scale
    is_met = (u > 0) & (v > 0) & (u + v < 1) & (depth > NEAR) & ((scale > 0) | (of == 0))
    nearest = np.where(is_met, depth, np.inf).argmin(axis=1)
    expected = np.zeros((len(rays), 3))
    for ray in np.flatnonzero(is_met.any(axis=1)):
        k = nearest[ray]
        weights = np.array([1 - u[ray, k] - v[ray, k], u[ray, k], v[ray, k]])
        expected[ray] = encoded(weights @ colors[k, :, :3].astype(np.float32))
    image = ReferenceRenderer(mesh, BLACK, samples=1).render(poses, side, side).images[0]
    assert is_met.any(axis=1).mean() > 0.5
    assert (placed[..., 2].max(axis=1) > 0)[nearest[is_met.any(axis=1)]].any()  # some reach behind the camera
    np.testing.assert_allclose(image.reshape(3, -1).T, expected, atol=1e-5)


def _rays(poses: Views, side: int) -> NDArray[np.float64]:
    """Directions through the pixels' centres, row after row, of unit depth, camera frame."""
    focal = float(focal_px(poses.fov, side, side)[0])
    row, column = (a.reshape(-1) for a in np.mgrid[:side, :side] + 0.5 - side / 2)
    return np.stack([column / focal, -row / focal, -np.ones(side * side)], axis=1)
