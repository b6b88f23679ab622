"""The kernels against the slow renderer, which shares no code with them but the sRGB curve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from render_pictures import about, checker, disk, make_mesh, noise_picture, quad, random_rotations, sphere, views

from posetest.geometry.camera import Views
from posetest.protocols import Rendered
from posetest.render.cpu import CpuRenderer
from posetest.render.reference import ReferenceRenderer
from posetest.scene.background import Background
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

LIGHTS = np.array([[-1.0, 1.5, 1.0], [1.0, 0.2, 0.3]])
COLORS = np.array([[0.6, 0.5, 0.4], [0.1, 0.2, 0.3]])
BEHIND = Background((0.2, 0.4, 0.7))

#: Mean absolute difference of colours where every sample of a pixel sees the object: plain surfaces differ by rounding
#: and by creases within a pixel, textures by the mip level's filter, which is not a box.
PLAIN, TEXTURED = 0.002, 0.02


def both(mesh: Mesh, poses: Views, height: int = 48, width: int = 48) -> tuple[Rendered, Rendered]:
    fast = CpuRenderer(mesh, BEHIND, threads=1).render(poses, height, width, mask=True)
    return fast, ReferenceRenderer(mesh, BEHIND, samples=6).render(poses, height, width, mask=True)


def inner_difference(fast: Rendered, slow: Rendered) -> float:
    assert slow.mask is not None
    inner = slow.mask[:, 0] == 1
    assert inner.sum() > 50
    return float(np.abs(fast.images - slow.images).max(axis=1)[inner].mean())


def check_outlines(fast: Rendered, slow: Rendered, limit: float = 0.1) -> None:
    assert fast.mask is not None
    assert slow.mask is not None
    edge = (slow.mask > 0) & (slow.mask < 1)
    assert np.sqrt(((fast.mask - slow.mask)[edge] ** 2).mean()) < limit
    assert np.abs((fast.mask - slow.mask)[~edge]).mean() < 0.002
    np.testing.assert_allclose(fast.area_px, slow.area_px, rtol=0.01, atol=3)
    np.testing.assert_allclose(fast.area_px, fast.mask.sum(axis=(1, 2, 3)), rtol=1e-4, atol=0.1)


def test_a_plain_lit_surface_agrees() -> None:
    fast, slow = both(sphere(8, lumps=0.2), views(random_rotations(3), lights=LIGHTS, colors=COLORS, ambient=0.2))
    assert inner_difference(fast, slow) < PLAIN
    check_outlines(fast, slow)


@pytest.mark.parametrize("wraps", [("repeat", "repeat"), ("clamp", "mirror"), ("mirror", "clamp")])
def test_a_texture_of_any_size_and_wrap_agrees(wraps: tuple[str, str]) -> None:
    texture = Texture(noise_picture(37, 51, coarse=2), *wraps)  # type: ignore[arg-type]
    mesh = sphere(8, (Material(texture=texture, base_color=(0.9, 0.8, 1.0, 1.0)),))
    mesh = replace(mesh, uv=mesh.uv * np.float32(2.5) - np.float32(0.7))
    fast, slow = both(mesh, views(random_rotations(2, 1), lights=LIGHTS, colors=COLORS, ambient=0.3), 64, 64)
    assert inner_difference(fast, slow) < TEXTURED


def test_magnified_texels_are_interpolated_as_in_the_reference() -> None:
    for wrap in ("repeat", "clamp", "mirror"):
        texture = Texture(noise_picture(5, 3, coarse=1), wrap, wrap)  # type: ignore[arg-type]
        mesh = quad(Material(texture=texture), repeats=1.7)
        fast, slow = both(mesh, views(np.eye(3)[None], (0, 0, -3)), 64, 64)
        assert inner_difference(fast, slow) < 0.001


def test_several_materials_vertex_colors_and_emission_agree() -> None:
    materials = (
        Material(base_color=(0.8, 0.2, 0.1, 1.0)),
        Material(texture=Texture(noise_picture(32, 32)), emissive=(0.1, 0.0, 0.2)),
        Material(emissive=(0.4, 0.5, 0.3), emissive_texture=Texture(noise_picture(16, 64, 3, coarse=2))),
    )
    mesh = sphere(8, materials)
    colors = (0.6 + 0.3 * np.sin(4 * mesh.verts_obj[mesh.faces])).astype(np.float32)
    thirds = np.digitize(mesh.verts_obj[mesh.faces].mean(axis=1)[:, 1], [-0.4, 0.4])  # bands, few creases
    mesh = replace(mesh, colors=np.append(colors, mesh.colors[..., 3:], axis=-1), face_material=thirds.astype(np.int32))
    fast, slow = both(mesh, views(random_rotations(2, 2), lights=LIGHTS, ambient=0.2), 64, 64)
    assert inner_difference(fast, slow) < TEXTURED
    check_outlines(fast, slow)


def test_holes_of_masked_textures_show_what_is_behind() -> None:
    holes = np.full((16, 16, 4), 255, dtype=np.uint8)
    holes[4:12, 4:12, 3] = 0
    front = quad(Material(texture=Texture(holes), alpha_mode="mask"))
    verts = np.concatenate([front.verts_obj, front.verts_obj - (0, 0, 0.5)])
    faces = np.concatenate([front.faces, front.faces + 4])
    mesh = make_mesh(
        verts,
        faces,
        (front.materials[0], Material(base_color=(1.0, 0.0, 0.0, 1.0))),
        uv=np.concatenate([front.uv, front.uv]),
        face_material=np.array([0, 0, 1, 1]),
    )
    fast, slow = both(mesh, views(about("y", 0.3)[None]))
    assert fast.images[0, :, 24, 24].tolist() == pytest.approx([1.0, 0.0, 0.0], abs=1e-3)
    difference = np.abs(fast.images - slow.images).max(axis=1)
    assert difference.mean() < 0.02  # the holes' rims are not antialiased
    opaque = quad(Material(texture=Texture(holes)))
    whole, _ = both(opaque, views(np.eye(3)[None]))
    assert whole.images[0, :, 24, 24].tolist() == pytest.approx([1.0, 1.0, 1.0], abs=1e-3)


def test_two_sided_sheets_are_lit_from_the_side_that_is_seen() -> None:
    poses = views(np.stack([about("y", 0.4), about("y", np.pi + 0.4)]), lights=LIGHTS, colors=COLORS, ambient=0.1)
    fast, slow = both(quad(Material(two_sided=True)), poses)
    assert inner_difference(fast, slow) < PLAIN
    check_outlines(fast, slow)
    one_sided, none = both(quad(), poses)
    assert one_sided.area_px[1] == 0
    assert none.area_px[1] == 0


@pytest.mark.parametrize("seed", [3, 4])
def test_a_surface_that_reaches_behind_the_camera_agrees(seed: int) -> None:
    mesh = sphere(5, (Material(texture=Texture(noise_picture(32, 32)), two_sided=True),), lumps=0.2)
    poses = views(random_rotations(2, seed), (0.3, 0.2, -0.7), fov=1.2, lights=LIGHTS, colors=COLORS, ambient=0.3)
    fast, slow = both(mesh, poses, 32, 40)
    assert inner_difference(fast, slow) < TEXTURED
    assert np.abs(fast.images - slow.images).mean() < TEXTURED
    np.testing.assert_allclose(fast.inside, slow.inside, atol=0.05)


def test_a_floor_that_runs_under_the_camera_agrees() -> None:
    floor = quad(Material(texture=checker(64, 8)))
    poses = views(about("x", -1.45)[None], (0.0, -0.15, -0.6), fov=1.0)
    fast, slow = both(floor, poses, 48, 64)
    assert slow.area_px[0] > 800
    check_outlines(fast, slow)
    assert inner_difference(fast, slow) < 0.06  # checks finer than a pixel near the horizon


def test_outlines_are_antialiased() -> None:
    mesh, poses = sphere(10), views(random_rotations(1, 7), (0.1, 0.2, -4), ambient=0.5)
    fast, slow = both(mesh, poses, 72, 72)
    assert slow.mask is not None
    edge = (slow.mask[:, 0] > 0) & (slow.mask[:, 0] < 1)

    def error(images: NDArray[np.float32]) -> float:
        return float(np.sqrt(((images - slow.images) ** 2).mean(axis=1)[edge].mean()))

    single = ReferenceRenderer(mesh, BEHIND, samples=1).render(poses, 72, 72)
    double = ReferenceRenderer(mesh, BEHIND, samples=2).render(poses, 72, 72)
    assert error(fast.images) < 0.03
    assert error(fast.images) < 0.5 * error(single.images)
    assert error(fast.images) < error(double.images)
    check_outlines(fast, slow, 0.06)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.0, 1.4])
def test_visibility_is_the_part_of_the_silhouette_inside_the_frame(shift: float) -> None:
    half = np.tan(0.3) * 4  # half a frame at distance 4, in object units
    for mesh, radius in ((disk(), 1.0), (quad(), 1.0)):
        fast, slow = both(mesh, views(np.eye(3)[None], (half - 1 + 1.0 * shift, 0, -4)))
        if mesh.faces.shape[0] == 2:
            truth = min(1.0, (2 * radius - shift) / (2 * radius))
        else:
            c = min(max(1 - shift, -1.0), 1.0)  # the chord's distance from the centre
            truth = 1 - (np.arccos(c) - c * np.sqrt(1 - c * c)) / np.pi
        assert fast.inside[0] == pytest.approx(truth, abs=0.02)
        assert slow.inside[0] == pytest.approx(truth, abs=0.02)
