"""Shading normals against the surfaces that the triangles stand for."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_files import obj_text, write_obj

from posetest.scene.load import load_mesh
from posetest.scene.normals import CREASE_DEG, smooth_normals
from posetest.scene.topology import edges_of, weld


def smooth(corners):
    verts, faces = weld(np.asarray(corners, dtype=np.float32))
    return smooth_normals(verts[faces].astype(np.float64), edges_of(faces))


def hinge(angle_deg):
    """Two triangles that share the y axis and meet at ``angle_deg``."""
    a = np.radians(angle_deg)
    return np.array([[[0, 0, 0], [0, 1, 0], [-1, 0, 0]], [[0, 0, 0], [np.cos(a), 0, -np.sin(a)], [0, 1, 0]]])


@pytest.mark.parametrize(("angle", "is_smooth"), [(CREASE_DEG - 1, True), (CREASE_DEG + 1, False), (170, False)])
def test_an_edge_is_smooth_below_the_crease_angle_and_sharp_above(angle, is_smooth):
    normals = smooth(hinge(angle))
    at_edge = np.array([normals[0, 0], normals[0, 1], normals[1, 0], normals[1, 2]])
    if is_smooth:
        half = np.radians(angle / 2)
        np.testing.assert_allclose(at_edge, [[np.sin(half), 0, np.cos(half)]] * 4, atol=1e-6)
    else:
        np.testing.assert_allclose(normals[0], [[0, 0, 1]] * 3, atol=1e-6)


def test_corners_apart_from_the_smooth_edge_keep_their_own_face():
    normals = smooth(hinge(20))
    np.testing.assert_allclose(normals[0, 2], [0, 0, 1], atol=1e-6)


def sphere(rings=12, around=24):
    theta = np.linspace(0, np.pi, rings + 1)
    phi = np.linspace(0, 2 * np.pi, around, endpoint=False)
    rows = [[np.sin(t) * np.cos(phi), np.cos(t) * np.ones(around), np.sin(t) * np.sin(phi)] for t in theta]
    grid = np.stack([np.stack(row, axis=1) for row in rows])
    quads = [
        (i * around + j, i * around + (j + 1) % around, (i + 1) * around + (j + 1) % around, (i + 1) * around + j)
        for i in range(rings)
        for j in range(around)
    ]
    return grid.reshape(-1, 3), quads


@pytest.mark.filterwarnings("ignore:.*have no area")  # the quads at the poles
def test_a_sphere_has_the_normals_of_a_sphere(tmp_path):
    corners, quads = sphere()
    mesh = load_mesh(write_obj(tmp_path / "ball.obj", obj_text(corners, quads)))
    outward = mesh.verts_obj[mesh.faces]
    cosine = np.einsum("fij,fij->fi", mesh.normals, outward / np.linalg.norm(outward, axis=2, keepdims=True))
    assert cosine.min() > np.cos(np.radians(3))
    assert not mesh.materials[0].two_sided


def test_triangles_that_share_no_vertex_are_smoothed_by_place(tmp_path):
    corners, quads = sphere()
    shared = load_mesh_quietly(write_obj(tmp_path / "a.obj", obj_text(corners, quads)))
    loose_corners = np.concatenate([corners[list(q)] for q in quads])
    loose = obj_text(loose_corners, np.arange(len(loose_corners)).reshape(-1, 4))
    apart = load_mesh_quietly(write_obj(tmp_path / "b.obj", loose))
    np.testing.assert_allclose(apart.normals, shared.normals, atol=1e-6)
    assert len(apart.verts_obj) == len(shared.verts_obj)


def load_mesh_quietly(path):
    with pytest.warns(UserWarning, match="have no area"):
        return load_mesh(path)
