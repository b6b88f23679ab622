"""Every format gives the same mesh, placed in the object frame."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from mesh_files import CORNERS, CUBE, CUBE_QUADS, FACES, Gltf, obj_text, write_obj, write_square

from posetest.errors import ConfigError, MeshError, MeshWarning
from posetest.scene.load import SUFFIXES, axes_to_object, load_mesh

AXES = [sign + name for name in "xyz" for sign in "+-"]


def points(mesh):
    return mesh.verts_obj[mesh.faces].astype(np.float64)


def volume(mesh):
    a, b, c = np.moveaxis(points(mesh), 1, 0)
    return float(np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6)


def from_file(mesh, file_points):
    return file_points @ mesh.file_to_object[:3, :3].T + mesh.file_to_object[:3, 3]


def write_ply(path):
    rows = [" ".join(map(str, p)) for p in CORNERS.tolist()] + ["3 " + " ".join(map(str, f)) for f in FACES.tolist()]
    head = "ply\nformat ascii 1.0\nelement vertex 4\nproperty float x\nproperty float y\nproperty float z\n"
    path.write_text(
        head + "element face 4\nproperty list uchar int vertex_indices\nend_header\n" + "\n".join(rows) + "\n"
    )


def write_stl(path):
    body = b"".join(struct.pack("<12fH", 0, 0, 0, *CORNERS[f].reshape(-1), 0) for f in FACES)
    path.write_bytes(b"\0" * 80 + struct.pack("<I", 4) + body)


def write_dae(path, matrix="1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1", effect="", image=""):
    floats = " ".join(str(v) for v in CORNERS.reshape(-1))
    path.write_text(f"""<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1"><asset/>
<library_effects><effect id="e"><profile_COMMON><technique sid="common"><lambert><diffuse>
<color>0.5 0.25 1 1</color></diffuse></lambert></technique></profile_COMMON></effect></library_effects>
<library_materials><material id="m"><instance_effect url="#e"/></material></library_materials>
<library_geometries><geometry id="g"><mesh><source id="p"><float_array id="pa" count="12">{floats}</float_array>
<technique_common><accessor source="#pa" count="4" stride="3"><param name="X" type="float"/>
<param name="Y" type="float"/><param name="Z" type="float"/></accessor></technique_common></source>
<vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="4" material="s"><input semantic="VERTEX" source="#v" offset="0"/>
<p>{" ".join(str(i) for i in FACES.reshape(-1))}</p></triangles></mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="sc"><node><matrix>{matrix}</matrix><instance_geometry url="#g"><bind_material>
<technique_common><instance_material symbol="s" target="#m"/></technique_common></bind_material></instance_geometry>
</node></visual_scene></library_visual_scenes><scene><instance_visual_scene url="#sc"/></scene></COLLADA>""")


@pytest.fixture(params=SUFFIXES)
def tetrahedron(request, tmp_path):
    path = tmp_path / f"tetra{request.param}"
    if request.param == ".obj":
        path.write_text(obj_text())
    elif request.param in (".gltf", ".glb"):
        gltf = Gltf()
        gltf.primitive()
        gltf.write(path)
    else:
        {".ply": write_ply, ".stl": write_stl, ".dae": write_dae}[request.param](path)
    return path


def test_every_format_gives_the_same_tetrahedron(tetrahedron):
    mesh = load_mesh(tetrahedron)
    assert mesh.warnings == ()
    assert mesh.faces.shape == (4, 3)
    assert mesh.verts_obj.shape == (4, 3)  # welded, also in STL, where every corner stands alone
    expected = (CORNERS - [0.5, 1.0, 2.0]) / 2.0  # the longest axis, 4, spans [-1, 1]
    for corner in expected:
        assert np.abs(mesh.verts_obj - corner).max(axis=1).min() < 1e-6
    assert volume(mesh) == pytest.approx(1 * 2 * 4 / 6 / 8)  # outward winding is kept
    assert mesh.verts_obj.dtype == mesh.uv.dtype == mesh.normals.dtype == mesh.colors.dtype == np.float32
    assert mesh.faces.dtype == mesh.face_material.dtype == np.int32
    assert mesh.colors.min() == mesh.colors.max() == 1.0


def test_loading_twice_gives_the_same_digest(tetrahedron):
    assert load_mesh(tetrahedron).digest == load_mesh(tetrahedron).digest


@pytest.mark.parametrize("up", AXES)
@pytest.mark.parametrize("front", AXES)
def test_up_becomes_plus_y_and_front_plus_z_without_mirroring(up, front, tmp_path):
    if up[1] == front[1]:
        with pytest.raises(ConfigError, match=rf'up "\{up}" and front "\{front}" are parallel'):
            axes_to_object(up, front)
        return
    mesh = load_mesh(write_obj(tmp_path / "t.obj", obj_text()), up=up, front=front)

    def axis(text):
        return (1.0 if text[0] == "+" else -1.0) * np.eye(3)["xyz".index(text[1])]

    rotation = mesh.file_to_object[:3, :3] / np.linalg.norm(mesh.file_to_object[0, :3])
    np.testing.assert_allclose(rotation @ axis(up), [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation @ axis(front), [0, 0, 1], atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1.0)
    assert volume(mesh) > 0
    np.testing.assert_allclose(np.ptp(mesh.verts_obj, axis=0).max(), 2.0, rtol=1e-6)
    for corner in from_file(mesh, CORNERS):
        assert np.abs(mesh.verts_obj - corner).max(axis=1).min() < 1e-6


@pytest.mark.parametrize(
    ("up", "front"), [("+y", "+z"), ("-y", "+z"), ("+z", "+y"), ("-z", "+y"), ("+x", "+z"), ("-x", "+z"), ("z", "y")]
)
def test_without_a_front_it_is_plus_z_or_plus_y_where_up_is_z(up, front):
    np.testing.assert_array_equal(axes_to_object(up), axes_to_object(up, front))


def test_an_unknown_axis_is_refused_with_the_known_ones():
    with pytest.raises(ConfigError, match=r'up: "w" is not an axis; it must be one of \+x -x \+y -y \+z -z'):
        axes_to_object("w")


def test_a_square_facing_the_file_front_shows_its_picture_upright(tmp_path):
    mesh = load_mesh(write_square(tmp_path, "newmtl m\nmap_Kd quarters.png\n"))
    corner = points(mesh)[:2].reshape(-1, 3)
    uv = mesh.uv[:2].reshape(-1, 2)
    is_upper_left = (corner[:, 0] < 0) & (corner[:, 1] > 0)
    np.testing.assert_array_equal(uv[is_upper_left], [[0, 1]] * is_upper_left.sum())
    image = mesh.materials[mesh.face_material[0]].texture.image
    assert image[0, 0].tolist() == [255, 0, 0, 255]  # row 0 of the image is v = 1


def test_the_bounding_box_counts_used_vertices_only(tmp_path):
    text = obj_text() + "v 1e10 0 0\n"
    mesh = load_mesh(write_obj(tmp_path / "far.obj", text))
    assert np.ptp(mesh.verts_obj, axis=0).max() == pytest.approx(2.0)
    assert len(mesh.verts_obj) == 4


def test_a_mesh_far_from_the_origin_keeps_its_shape(tmp_path):
    with pytest.warns(MeshWarning, match=r"far\.obj: it lies .* times its size from the origin"):
        mesh = load_mesh(write_obj(tmp_path / "far.obj", obj_text(CORNERS + 1e6)))
    np.testing.assert_allclose(volume(mesh), 1 / 6, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-12, 1e12])
def test_units_do_not_matter(scale, tmp_path):
    mesh = load_mesh(write_obj(tmp_path / "t.obj", obj_text(CORNERS * scale)))
    np.testing.assert_allclose(volume(mesh), 1 / 6, rtol=1e-6)


@pytest.mark.parametrize("scale", [1e-40, 1e40, 1e200])
def test_an_absurd_size_is_refused(scale, tmp_path):
    with pytest.raises(MeshError, match=r"t\.obj: its size is .*, which is no size of an object"):
        load_mesh(write_obj(tmp_path / "t.obj", obj_text(CORNERS * scale)))


def test_a_cube_of_quads_is_closed_one_sided_and_sharp(tmp_path):
    mesh = load_mesh(write_obj(tmp_path / "cube.obj", obj_text(CUBE, CUBE_QUADS)))
    assert mesh.faces.shape == (12, 3)
    assert volume(mesh) == pytest.approx(8.0)
    assert [m.two_sided for m in mesh.materials] == [False]
    assert np.sort(np.abs(mesh.normals), axis=2)[..., :2].max() < 1e-6  # 90 degree edges are creases


def test_an_open_part_is_two_sided_and_a_closed_one_of_the_same_material_is_not(tmp_path):
    shifted = CUBE + np.array([4, 0, 0])
    quads = [*CUBE_QUADS, *[tuple(i + 8 for i in q) for q in CUBE_QUADS[1:]]]
    mesh = load_mesh(write_obj(tmp_path / "two.obj", obj_text(np.concatenate([CUBE, shifted]), quads)))
    is_two_sided = np.array([m.two_sided for m in mesh.materials])[mesh.face_material]
    assert is_two_sided.tolist() == [False] * 12 + [True] * 10


def test_a_closed_part_wound_inside_out_is_turned(tmp_path):
    path = write_obj(tmp_path / "inner.obj", obj_text(CUBE, [q[::-1] for q in CUBE_QUADS]))
    with pytest.warns(MeshWarning, match=r"inner\.obj: 1 closed parts \(12 faces\) are wound inside out: turned"):
        mesh = load_mesh(path)
    assert volume(mesh) == pytest.approx(8.0)
    centre = points(mesh).mean(axis=1)
    assert (np.einsum("fij,fj->fi", mesh.normals, centre) > 0).all()
    assert not mesh.materials[0].two_sided


def test_the_wall_of_a_cavity_stays_as_it_is(tmp_path):
    quads = [*CUBE_QUADS, *[tuple(i + 8 for i in q[::-1]) for q in CUBE_QUADS]]
    mesh = load_mesh(write_obj(tmp_path / "hollow.obj", obj_text(np.concatenate([CUBE, CUBE / 2]), quads)))
    assert mesh.warnings == ()
    assert volume(mesh) == pytest.approx(8.0 - 1.0)


def test_a_collada_node_that_mirrors_keeps_the_outside_outside(tmp_path):
    write_dae(tmp_path / "m.dae", matrix="-1 0 0 0 0 1 0 0 0 0 1 0 0 0 0 1")
    mesh = load_mesh(tmp_path / "m.dae")
    assert mesh.warnings == ()
    assert volume(mesh) > 0
    np.testing.assert_allclose(mesh.materials[0].base_color, [0.21404, 0.05088, 1.0, 1.0], atol=2e-3)  # 8-bit sRGB


def test_a_missing_file_is_named_with_the_near_ones(tmp_path):
    write_obj(tmp_path / "bottle.obj", obj_text())
    with pytest.raises(MeshError, match=r'botle\.obj: no such mesh file; did you mean "bottle\.obj"\?'):
        load_mesh(tmp_path / "botle.obj")
    with pytest.raises(MeshError, match=r"zzz\.obj: no such mesh file; meshes there: bottle\.obj"):
        load_mesh(tmp_path / "zzz.obj")
    with pytest.raises(MeshError, match="this is a folder"):
        load_mesh(tmp_path)


def test_an_unknown_format_is_refused_with_the_known_ones(tmp_path):
    (tmp_path / "a.fbx").write_bytes(b"x")
    with pytest.raises(
        MeshError, match=r'a\.fbx: "\.fbx" is not a mesh format .* \.obj \.gltf \.glb \.ply \.stl \.dae'
    ):
        load_mesh(tmp_path / "a.fbx")


@pytest.mark.parametrize("keep", [0.02, 0.3, 0.6, 0.9, 0.98])
def test_a_file_cut_short_is_a_mesh_error_or_a_mesh(keep, tetrahedron, recwarn):
    data = tetrahedron.read_bytes()
    tetrahedron.write_bytes(data[: int(len(data) * keep)])
    text = ""
    try:
        mesh = load_mesh(tetrahedron)
    except MeshError as error:
        text = str(error)
    assert str(tetrahedron) in text or np.isfinite(mesh.verts_obj).all()
    assert all(w.category is MeshWarning for w in recwarn)


def test_a_small_part_vanishes_with_a_warning_not_in_silence(tmp_path):
    corners = np.concatenate([CORNERS * 1e12, CORNERS])
    with pytest.warns(MeshWarning, match=r"4 faces are too small to be drawn beside its size of 4e\+12: dropped"):
        mesh = load_mesh(write_obj(tmp_path / "s.obj", obj_text(corners, np.concatenate([FACES, FACES + 4]))))
    assert len(mesh.faces) == 4


def test_faces_without_area_are_dropped_with_a_warning(tmp_path):
    text = obj_text() + "f 1 1 2\nf 2 3 2\n"
    with pytest.warns(MeshWarning, match=r"d\.obj: 2 of 6 faces have no area: dropped"):
        mesh = load_mesh(write_obj(tmp_path / "d.obj", text))
    assert len(mesh.faces) == 4
    assert mesh.warnings == ("2 of 6 faces have no area: dropped",)
