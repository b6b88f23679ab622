"""What PLY, STL and Collada files add: colours, pictures named in comments, solids."""

from __future__ import annotations

import numpy as np
import pytest
from mesh_files import CORNERS, CUBE, CUBE_QUADS, FACES, QUARTERS, write_png

from posetest.errors import MeshError, MeshWarning
from posetest.scene.load import load_mesh


def write_ply(path, *, comment="", vertex="", vertex_rows=None, face="", face_rows=None, faces=FACES, corners=CORNERS):
    vertex_rows = vertex_rows or [""] * len(corners)
    face_rows = face_rows or [""] * len(faces)
    head = ["ply", "format ascii 1.0", *([f"comment {comment}"] if comment else []), f"element vertex {len(corners)}"]
    head += [f"property float {axis}" for axis in "xyz"] + vertex.splitlines()
    head += [f"element face {len(faces)}", "property list uchar int vertex_indices", *face.splitlines(), "end_header"]
    body = [f"{x} {y} {z} {more}" for (x, y, z), more in zip(np.asarray(corners).tolist(), vertex_rows, strict=True)]
    body += [f"{len(f)} {' '.join(map(str, f))} {more}" for f, more in zip(faces, face_rows, strict=True)]
    path.write_text("\n".join([*head, *body, ""]))
    return path


RGB = "property uchar red\nproperty uchar green\nproperty uchar blue"
UV = "property float s\nproperty float t"


def test_vertex_colours_of_a_ply_are_srgb(tmp_path):
    rows = ["255 0 0", "0 255 0", "0 0 255", "188 188 188"]
    mesh = load_mesh(write_ply(tmp_path / "c.ply", vertex=RGB, vertex_rows=rows))
    apex = (mesh.verts_obj[mesh.faces] == mesh.verts_obj[:, 2].max()).any(axis=2)
    np.testing.assert_allclose(mesh.colors[apex], [[0.50289, 0.50289, 0.50289, 1]] * apex.sum(), atol=1e-5)
    assert mesh.materials[0].base_color == (1, 1, 1, 1)


def test_face_colours_of_a_ply_colour_whole_faces(tmp_path):
    rows = ["255 0 0", "0 255 0", "0 0 255", "255 255 255"]
    mesh = load_mesh(write_ply(tmp_path / "c.ply", face=RGB, face_rows=rows))
    np.testing.assert_array_equal(mesh.colors[0], [[1, 0, 0, 1]] * 3)
    np.testing.assert_array_equal(mesh.colors[2], [[0, 0, 1, 1]] * 3)


def test_the_picture_that_a_comment_names_wins_over_colours(tmp_path):
    write_png(tmp_path / "my skin.png")
    rows = ["0 0 10 10 10", "1 0 10 10 10", "0 1 10 10 10", "1 1 10 10 10"]
    path = write_ply(tmp_path / "t.ply", comment="TextureFile  my skin.png ", vertex=UV + "\n" + RGB, vertex_rows=rows)
    mesh = load_mesh(path)
    np.testing.assert_array_equal(mesh.materials[0].texture.image[..., :3], QUARTERS)
    np.testing.assert_array_equal(mesh.uv[0], [[0, 0], [0, 1], [1, 0]])
    assert mesh.colors.min() == 1.0


def test_a_lost_picture_of_a_ply_is_told(tmp_path):
    path = write_ply(tmp_path / "t.ply", comment="TextureFile lost.png", vertex=UV, vertex_rows=["0 0"] * 4)
    with pytest.warns(MeshWarning, match=r't\.ply: the picture "lost\.png" does not exist'):
        assert load_mesh(path).materials[0].texture is None


def test_quads_of_a_ply_are_cut(tmp_path):
    mesh = load_mesh(write_ply(tmp_path / "q.ply", corners=CUBE, faces=CUBE_QUADS))
    assert len(mesh.faces) == 12
    assert not mesh.materials[0].two_sided


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "the PLY header is corrupt"),
        ("ply\nformat ascii 1.0\nelement vertex 0\nend_header\n", r"no face in it \(points only\)"),
        ("ply\nformat ascii 1.0\nelement vertex 1\nproperty wrong x\nelement face 1\nend_header\n", "broken"),
    ],
)
def test_a_ply_that_cannot_be_read_is_refused(text, message, tmp_path):
    (tmp_path / "b.ply").write_text(text)
    with pytest.raises(MeshError, match=rf"b\.ply: .*{message}"):
        load_mesh(tmp_path / "b.ply")


def test_a_text_stl_of_two_solids_is_read_whole(tmp_path):
    def solid(shift):
        facets = "".join(
            "facet normal 0 0 0\nouter loop\n"
            + "".join(f"vertex {x + shift} {y} {z}\n" for x, y, z in CORNERS[face])
            + "endloop\nendfacet\n"
            for face in FACES
        )
        return f"solid part\n{facets}endsolid part\n"

    (tmp_path / "two.stl").write_text(solid(0) + solid(3))
    mesh = load_mesh(tmp_path / "two.stl")
    assert len(mesh.faces) == 8
    assert len(mesh.verts_obj) == 8


def test_an_stl_of_text_that_is_no_stl_is_refused(tmp_path):
    (tmp_path / "b.stl").write_text("hello")
    with pytest.raises(MeshError, match=r"b\.stl: "):
        load_mesh(tmp_path / "b.stl")


def test_a_collada_file_that_is_no_xml_is_refused(tmp_path):
    (tmp_path / "b.dae").write_text("hello")
    with pytest.raises(MeshError, match=r"b\.dae: the file is broken or not of its kind"):
        load_mesh(tmp_path / "b.dae")
