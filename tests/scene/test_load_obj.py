"""OBJ and its material files: what authors mean, not the letter."""

from __future__ import annotations

import codecs

import numpy as np
import pytest
from mesh_files import CORNERS, CUBE, FACES, QUARTERS, SQUARE, obj_text, write_obj, write_png, write_square
from PIL import Image

from posetest.errors import ConfigError, MeshError, MeshWarning
from posetest.scene.load import load_mesh
from posetest.scene.polygons import cut_polygon

MAP = "map_Kd quarters.png\n"


def only(mesh):
    assert len(mesh.materials) == 1
    return mesh.materials[0]


def square(folder, lines):
    return only(load_mesh(write_square(folder, f"newmtl m\n{lines}")))


def area(mesh):
    p = mesh.verts_obj[mesh.faces].astype(np.float64)
    return 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)


def test_negative_indices_count_back_from_their_line(tmp_path):
    plain = load_mesh(write_obj(tmp_path / "plain.obj", obj_text()))
    lines = []
    for face in FACES:  # each face right after its own three vertices, so that -1 means another vertex every time
        lines += [f"v {x} {y} {z}" for x, y, z in CORNERS[face]]
        lines.append("f -3 -2 -1")
    relative = load_mesh(write_obj(tmp_path / "relative.obj", "\n".join(lines)))
    assert relative.digest == plain.digest


def test_a_concave_polygon_is_cut_within_its_outline(tmp_path):
    outline = [(0, 0), (4, 0), (4, 4), (2, 1), (0, 4)]  # an M; a fan from its first corner would cover the notch
    text = "".join(f"v {x} {y} 0\n" for x, y in outline) + "v 0 0 -4\nf 1 2 3 4 5\nf 1 5 6\n"
    mesh = load_mesh(write_obj(tmp_path / "m.obj", text))
    assert len(mesh.faces) == 3 + 1
    assert area(mesh)[:3].sum() == pytest.approx((16 - 6) / 4)  # shoelace, in object units of 2 file units
    assert (mesh.normals[:3, :, 2] > 0.99).all()


@pytest.mark.parametrize("start", range(4))
def test_a_concave_quad_is_cut_within_its_outline(start, tmp_path):
    outline = np.roll([(0, 0), (4, 0), (1, 1), (0, 4)], start, axis=0)
    text = "".join(f"v {x} {y} 0\n" for x, y in outline) + "v 0 0 -4\nv 1 0 -4\nf 1 2 3 4\nf 1 6 5\n"
    mesh = load_mesh(write_obj(tmp_path / "q.obj", text))
    assert area(mesh)[:2].sum() == pytest.approx(4 / 4)
    assert (mesh.normals[:2, :, 2] > 0.99).all()


def test_a_polygon_of_many_corners_is_cut_into_its_own_area():
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    radius = np.where(np.arange(120) % 2, 1.0, 0.5)  # a star
    corners = np.stack([radius * np.cos(angle), np.zeros(120), radius * np.sin(angle)], axis=1)
    triangles = np.array(cut_polygon(corners))
    assert triangles.shape == (118, 3)
    cross = np.cross(
        corners[triangles[:, 1]] - corners[triangles[:, 0]], corners[triangles[:, 2]] - corners[triangles[:, 0]]
    )
    x, z = corners[:, 0], corners[:, 2]
    shoelace = 0.5 * (x * np.roll(z, -1) - z * np.roll(x, -1)).sum()
    assert (cross[:, 1] <= 1e-12).all()  # all wound as the outline, which turns from x to z
    assert -0.5 * cross[:, 1].sum() == pytest.approx(shoelace)


def test_every_face_gets_its_own_material_in_any_order(tmp_path):
    mtl = "newmtl a\nKd 1 0 0\nnewmtl b\nKd 0 1 0\nnewmtl unused\nmap_Kd nowhere.png\n"
    faces = [f"usemtl {'ab'[i % 2]}\ng group{i}\ns {i}\nf {a + 1} {b + 1} {c + 1}" for i, (a, b, c) in enumerate(FACES)]
    vertices = obj_text(faces=[])
    mesh = load_mesh(write_obj(tmp_path / "two.obj", vertices + "\n".join(faces), mtl))
    colors = [mesh.materials[m].base_color[:3] for m in mesh.face_material]
    assert colors == [(1, 0, 0), (0, 1, 0)] * 2
    assert mesh.warnings == ()  # the missing picture of a material that nothing uses is nobody's business


def test_faces_with_and_without_texture_coordinates_keep_their_own(tmp_path):
    write_png(tmp_path / "quarters.png")
    with pytest.warns(MeshWarning, match="1 faces of textured materials have no texture coordinates: in plain colour"):
        mesh = load_mesh(write_obj(tmp_path / "s.obj", SQUARE, "newmtl m\n" + MAP))
    textured = [mesh.materials[m].texture is not None for m in mesh.face_material]
    assert textured == [True, True, False]
    np.testing.assert_array_equal(mesh.uv[0], [[0, 0], [1, 0], [1, 1]])


@pytest.mark.parametrize("shade", ["0.588", "0.8", "1"])
def test_a_neutral_kd_beside_a_picture_does_not_darken_it(shade, tmp_path):
    assert square(tmp_path, f"Kd {shade} {shade} {shade}\n{MAP}").base_color == (1, 1, 1, 1)


def test_a_coloured_kd_beside_a_picture_tints_it_and_is_srgb(tmp_path):
    color = square(tmp_path, f"Kd 1 0.5 0\n{MAP}").base_color
    np.testing.assert_allclose(color, [1, 0.2140411, 0, 1], atol=1e-6)


def test_kd_without_a_picture_is_srgb(tmp_path):
    np.testing.assert_allclose(square(tmp_path, "Kd 0.5 0.5 0.5\n").base_color, [0.2140411] * 3 + [1], atol=1e-6)


def test_a_black_kd_that_hides_its_picture_is_told(tmp_path):
    with pytest.warns(MeshWarning, match='material "m" multiplies its picture by black'):
        square(tmp_path, f"Kd 0 0 0\n{MAP}")


def test_alpha_of_the_colour_picture_is_no_transparency(tmp_path):
    rgba = np.dstack([QUARTERS, np.zeros((2, 2), dtype=np.uint8)])
    path = write_square(tmp_path, "newmtl m\n" + MAP)
    write_png(tmp_path / "quarters.png", rgba)
    material = only(load_mesh(path))
    assert material.alpha_mode == "opaque"
    np.testing.assert_array_equal(material.texture.image[..., :3], QUARTERS)  # colour survives under alpha 0


@pytest.mark.parametrize(
    ("lines", "mode", "alpha"),
    [
        ("Tr 1\n", "opaque", 1.0),  # no d: opaque to its author
        ("Tr 0\n", "opaque", 1.0),
        ("d 1\nTr 1\n", "opaque", 1.0),
        ("d 0.25\n", "blend", 0.25),
        ("d 0.25\nTr 0.75\n", "blend", 0.25),
        ("Tr 0.75\n", "blend", 0.25),
    ],
)
def test_opacity_of_a_material(lines, mode, alpha, tmp_path):
    material = square(tmp_path, lines + MAP)
    assert (material.alpha_mode, material.base_color[3]) == (mode, alpha)


def test_map_d_is_transparency(tmp_path):
    write_png(tmp_path / "holes.png", np.array([[0, 255], [255, 0]], dtype=np.uint8))
    material = square(tmp_path, MAP + "map_d holes.png\n")
    assert material.alpha_mode == "blend"
    np.testing.assert_array_equal(material.texture.image[..., 3], [[0, 255], [255, 0]])


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("a picture.png", "a picture.png"),
        ("model://car/materials/textures/skin.png", "skin.png"),
        ("sub/skin.png", "sub/skin.png"),
        ("sub\\skin.png", "sub/skin.png"),
        ("../textures/skin.png", "../textures/skin.png"),
        ("C:\\Users\\me\\skin.png", "skin.png"),
        ("/home/me/skin.png", "skin.png"),
        ("Skin.PNG", "skin.png"),
        ("a%20picture.png", "a picture.png"),
        ("-clamp on -bm 1 -s 1 1 1 skin.png", "skin.png"),
    ],
)
def test_pictures_are_found_however_they_are_named(name, place, tmp_path):
    folder = tmp_path / "meshes"
    target = folder / place
    target.parent.mkdir(parents=True)
    write_png(target.resolve())
    material = only(load_mesh(write_square(folder, f"newmtl m\nmap_Kd {name}\n")))
    np.testing.assert_array_equal(material.texture.image[..., :3], QUARTERS)
    assert material.texture.wrap_u == ("clamp" if "-clamp" in name else "repeat")


def test_scale_and_offset_of_a_map_move_its_texture_coordinates(tmp_path):
    mesh = load_mesh(write_square(tmp_path, "newmtl m\nmap_Kd -s 2 3 -o 0.5 0.25 0 quarters.png\n"))
    np.testing.assert_allclose(mesh.uv[0], [[0.5, 0.25], [2.5, 0.25], [2.5, 3.25]])


@pytest.mark.parametrize("lines", ["map_Kd lost.png\n", "map_Kd quarters.png\n"])
def test_a_picture_that_is_lost_or_broken_is_told(lines, tmp_path):
    path = write_square(tmp_path, f"newmtl m\nKd 0 0 1\n{lines}")
    (tmp_path / "quarters.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    with pytest.warns(
        MeshWarning, match=r'square\.obj: .*(lost\.png" of material "m" does not exist|cannot be decoded)'
    ):
        material = only(load_mesh(path))
    assert material.texture is None
    assert material.base_color == (0, 0, 1, 1)


def test_what_is_not_drawn_is_listed(tmp_path):
    mesh = load_mesh(write_square(tmp_path, f"newmtl m\n{MAP}map_Bump b.png\nmap_Ks s.png\n"))
    assert mesh.not_drawn == ("bump map (m)", "specular map (m)")


def test_a_picture_given_by_hand_is_laid_on_a_mesh_that_names_none(tmp_path):
    path = write_obj(tmp_path / "s.obj", SQUARE.replace("v 0 0 -1\nf 1 4 5\n", "v 0 0 -1\nf 1/1 4/4 5/1\n"))
    picture = write_png(tmp_path / "by_hand.png")
    with pytest.warns(MeshWarning) as caught:
        assert only(load_mesh(path)).texture is None
    assert any("pictures beside it: by_hand.png. Give one as texture" in str(w.message) for w in caught)
    with pytest.warns(MeshWarning, match='uses the material "m" and names no material file'):
        material = only(load_mesh(path, texture=picture))
    np.testing.assert_array_equal(material.texture.image[..., :3], QUARTERS)
    assert material.base_color == (1, 1, 1, 1)


def test_a_picture_given_by_hand_for_a_mesh_that_cannot_take_it_is_refused(tmp_path):
    picture = write_png(tmp_path / "by_hand.png")
    with pytest.raises(MeshError, match=r"t\.obj: it has no texture coordinates"):
        load_mesh(write_obj(tmp_path / "t.obj", obj_text()), texture=picture)
    with pytest.raises(ConfigError, match="has its own pictures"):
        load_mesh(write_square(tmp_path, "newmtl m\n" + MAP), texture=picture)
    with pytest.raises(MeshError, match=r"gone\.png"):
        load_mesh(write_square(tmp_path, "newmtl m\n"), texture=tmp_path / "gone.png")


def test_vertex_colours_are_srgb(tmp_path):
    lines = [f"v {x} {y} {z} 0.5 1 0" for x, y, z in CORNERS]
    text = "\n".join(lines) + "\n" + obj_text(CORNERS[:0])
    mesh = load_mesh(write_obj(tmp_path / "c.obj", text))
    np.testing.assert_allclose(mesh.colors[2, 1], [0.2140411, 1, 0, 1], atol=1e-6)


@pytest.mark.parametrize("bom", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_with_a_warning(encoding, bom, tmp_path):
    mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}[encoding]
    (tmp_path / "wide.obj").write_bytes((mark if bom else b"") + obj_text().encode(encoding))
    with pytest.warns(MeshWarning, match=r"wide\.obj: the text is UTF-16"):
        assert len(load_mesh(tmp_path / "wide.obj").faces) == 4


def test_binary_data_named_obj_is_refused(tmp_path):
    (tmp_path / "b.obj").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(MeshError, match=r"b\.obj: this is binary data, not OBJ text"):
        load_mesh(tmp_path / "b.obj")


def test_comments_tabs_continued_lines_and_crlf_are_read(tmp_path):
    text = obj_text().replace("f 1 3 2", "f\t1 \\\n 3 2 # the first face").replace("\n", "\r\n")
    (tmp_path / "odd.obj").write_bytes(text.encode())
    assert load_mesh(tmp_path / "odd.obj").digest == load_mesh(write_obj(tmp_path / "t.obj", obj_text())).digest


def test_an_illegal_number_costs_only_the_faces_that_use_it(tmp_path):
    text = obj_text().replace("f ", "v 1 1 3.1+e2\nf ", 1) + "f 1 2 5\n"
    with pytest.warns(MeshWarning) as caught:
        mesh = load_mesh(write_obj(tmp_path / "n.obj", text))
    assert len(mesh.faces) == 4
    told = " ".join(str(w.message) for w in caught)
    assert '1 numbers of v lines cannot be read (the first is "3.1+e2")' in told
    assert "1 of 5 faces have corners that are infinite or not a number: dropped" in told


def test_indices_out_of_range_cost_only_their_faces(tmp_path):
    text = obj_text() + "f 1 2 9\nf 0 1 2\nf 1 2 x\n"
    with pytest.warns(MeshWarning, match=r"i\.obj: 3 of 7 faces have corners outside the 4 vertices \(line 9;"):
        assert len(load_mesh(write_obj(tmp_path / "i.obj", text)).faces) == 4


def test_sixteen_bit_pictures_keep_their_brightness(tmp_path):
    path = write_square(tmp_path, "newmtl m\n" + MAP)
    Image.fromarray(np.full((2, 2), 32896, dtype=np.uint16)).save(tmp_path / "quarters.png")
    assert only(load_mesh(path)).texture.image[0, 0].tolist() == [128, 128, 128, 255]


def test_normals_of_the_file_are_kept_and_made_unit(tmp_path):
    normals = "".join(f"vn {3 * x} {3 * y} {3 * z}\n" for x, y, z in CUBE)
    faces = "".join(f"f {' '.join(f'{i + 1}//{i + 1}' for i in q)}\n" for q in [(0, 1, 3, 2), (4, 6, 7, 5)])
    mesh = load_mesh(write_obj(tmp_path / "n.obj", obj_text(CUBE, []) + normals + faces))
    corner = mesh.verts_obj[mesh.faces]
    np.testing.assert_allclose(mesh.normals, corner / np.linalg.norm(corner, axis=2, keepdims=True), atol=1e-6)


def test_zero_normals_are_computed_with_a_warning(tmp_path):
    text = obj_text(faces=[]) + "vn 0 0 0\nvn 0 0 -1\nf 1//1 3//2 2//2\nf 1 2 4\nf 1 4 3\nf 2 3 4\n"
    with pytest.warns(MeshWarning, match=r"z\.obj: 1 of 12 corner normals are zero or not finite: computed"):
        mesh = load_mesh(write_obj(tmp_path / "z.obj", text))
    np.testing.assert_allclose(mesh.normals[0], [[0, 0, -1]] * 3, atol=1e-6)
