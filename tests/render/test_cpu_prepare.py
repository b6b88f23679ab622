"""What the kernels are given: mip levels, affine attributes, edges, digests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from render_pictures import make_mesh, noise_picture, quad, random_rotations, sphere, views

from posetest.render.cpu import CpuRenderer
from posetest.render.cpu.prepare import MeshArrays, prepare_mesh
from posetest.render.cpu.textures import TEXEL_ONE, TextureAtlas, build_atlas, linear_to_srgb, srgb_to_linear
from posetest.scene.material import Material, Texture


def level(atlas: TextureAtlas, number: int) -> np.ndarray:  # type: ignore[type-arg]
    """One level with its border, linear RGBA in [0, 1]."""
    start, width, height, stride = atlas.levels[number]
    assert stride == width + 2
    flat = atlas.texels[4 * start : 4 * (start + stride * (height + 2))]
    return flat.reshape(height + 2, stride, 4) / TEXEL_ONE


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (5, 7), (37, 51), (64, 3)])
def test_every_level_has_the_mean_of_the_picture_in_linear_light(size: tuple[int, int]) -> None:
    picture = noise_picture(*size)
    atlas = build_atlas([(Texture(picture), False)])
    mean = srgb_to_linear(picture[..., :3] / 255).mean(axis=(0, 1))
    last = int(atlas.last_level[0])
    assert atlas.levels[last, 1:3].tolist() == [1, 1]
    for number in range(last + 1):
        inner = level(atlas, number)[1:-1, 1:-1, :3]
        np.testing.assert_allclose(inner.mean(axis=(0, 1)), mean, atol=3 / TEXEL_ONE)


def test_borders_continue_the_picture_as_it_wraps() -> None:
    picture = noise_picture(4, 6)
    wrapped = level(build_atlas([(Texture(picture, "repeat", "clamp"), False)]), 0)
    np.testing.assert_array_equal(wrapped[:, 0], wrapped[:, -2])
    np.testing.assert_array_equal(wrapped[:, -1], wrapped[:, 1])
    np.testing.assert_array_equal(wrapped[0], wrapped[1])
    mirrored = level(build_atlas([(Texture(picture, "mirror", "mirror"), False)]), 0)
    np.testing.assert_array_equal(mirrored[:, 0], mirrored[:, 1])


def test_transparent_texels_lend_no_color_where_alpha_is_used() -> None:
    picture = np.zeros((2, 2, 4), dtype=np.uint8)
    picture[0, 0] = (255, 0, 0, 255)
    used, ignored = (build_atlas([(Texture(picture), is_used)]) for is_used in (True, False))
    np.testing.assert_allclose(level(used, 1)[1, 1], [1, 0, 0, 0.25], atol=1e-4)
    np.testing.assert_allclose(level(ignored, 1)[1, 1], [0.25, 0, 0, 0.25], atol=1e-4)


def test_srgb_conversions_undo_each_other() -> None:
    values = np.linspace(0, 1, 1001)
    np.testing.assert_allclose(linear_to_srgb(srgb_to_linear(values)), values, atol=1e-6)


def attributes_at_corners(arrays: MeshArrays) -> np.ndarray:  # type: ignore[type-arg]
    corners = arrays.verts.T[arrays.faces[:, [0, 2, 1]]]
    ones = np.ones((*corners.shape[:2], 1))
    rows = arrays.attributes.reshape(-1, 4, 8)
    return np.concatenate([corners, ones], axis=2) @ rows


def test_attributes_are_exact_at_the_corners() -> None:
    mesh = sphere(6, (Material(base_color=(0.5, 0.6, 0.7, 1.0)),))
    arrays = prepare_mesh(mesh)
    found = attributes_at_corners(arrays)
    places = {
        tuple(np.round(v, 5)): n
        for v, n in zip(mesh.verts_obj[mesh.faces].reshape(-1, 3), mesh.normals.reshape(-1, 3), strict=True)
    }
    for corner, lanes in zip(
        arrays.verts.T[arrays.faces[:, [0, 2, 1]]].reshape(-1, 3), found.reshape(-1, 8), strict=True
    ):
        np.testing.assert_allclose(lanes[4:7], places[tuple(np.round(corner, 5))], atol=1e-4)
        np.testing.assert_allclose(lanes[:3] * TEXEL_ONE, (0.5, 0.6, 0.7), atol=1e-4)


def test_slivers_do_not_blow_up() -> None:
    verts = np.array([[0, 0, 0], [1, 0, 0], [0.5, 1e-6, 0], [0, 1, 0]])
    mesh = make_mesh(verts, np.array([[0, 1, 2], [0, 1, 3]]), uv=np.random.default_rng(0).uniform(size=(2, 3, 2)))
    assert np.abs(prepare_mesh(mesh).attributes).max() < 100


def test_faces_without_an_area_are_left_out() -> None:
    mesh = quad()
    flat = replace(mesh, faces=np.array([[0, 1, 2], [0, 1, 1]], dtype=np.int32))
    assert len(prepare_mesh(flat).faces) == 1


def test_a_mesh_without_faces_shows_the_background() -> None:
    mesh = quad()
    none = replace(
        mesh,
        faces=mesh.faces[:0],
        uv=mesh.uv[:0],
        normals=mesh.normals[:0],
        colors=mesh.colors[:0],
        face_material=mesh.face_material[:0],
    )
    rendered = CpuRenderer(none).render(views(np.eye(3)[None]), 8, 8)
    assert (rendered.images == 0.5).all()
    assert rendered.inside[0] == 0


def test_a_closed_surface_has_no_open_edges_though_its_texture_has_a_seam() -> None:
    mesh = sphere(6)
    split = replace(
        mesh,
        verts_obj=mesh.verts_obj[mesh.faces].reshape(-1, 3),
        faces=np.arange(3 * len(mesh.faces), dtype=np.int32).reshape(-1, 3),
    )
    arrays = prepare_mesh(split)
    count = len(arrays.faces)
    assert len(arrays.edges) == 3 * count // 2
    assert (arrays.edges[:, 3] < count).all()
    assert (arrays.edge_sign == -1).all()


def test_edges_of_three_sheets_are_paired_by_direction() -> None:
    verts = np.array([[0, 0, 0], [0, 1, 0], [1, 0, 0], [-1, 0, 0], [0, 0, 1]])
    mesh = make_mesh(verts, np.array([[0, 1, 3], [1, 0, 2], [0, 1, 4]]))
    arrays = prepare_mesh(mesh)
    shared_edge = [sorted(edge) for edge in arrays.edges[:, 2:].tolist() if edge]
    assert len(arrays.edges) == 8  # six outer ones, the pair, and the third sheet's own
    assert sum(3 not in faces for faces in shared_edge) == 1


def test_one_changed_bit_changes_the_digest() -> None:
    from numba import njit

    from posetest.render.cpu.kernels.common import ENTRY
    from posetest.render.cpu.kernels.digest import LANES, digest

    compiled = njit(**ENTRY)(digest.py_func)
    lanes = np.zeros(LANES, dtype=np.uint32)
    words = np.random.default_rng(0).integers(0, 2**32, 300, dtype=np.uint32)
    seen = {int(compiled(words, lanes))}
    for place in (0, 63, 64, 255, 256, 299):
        for bit in (0, 15, 31):
            changed = words.copy()
            changed[place] ^= np.uint32(1 << bit)
            seen.add(int(compiled(changed, lanes)))
    assert len(seen) == 19
    assert int(compiled(words, lanes)) in seen


def test_equal_pictures_have_equal_digests() -> None:
    poses = views(np.repeat(random_rotations(1), 5, axis=0))
    assert len(set(CpuRenderer(sphere(6)).render(poses, 20, 20).digest.tolist())) == 1
