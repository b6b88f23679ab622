"""Broken, incomplete and misleading files: each is refused, or loads with a warning; both name file and defect."""

from __future__ import annotations

import importlib.util
import re
import warnings

import numpy as np
import pytest

from posetest.errors import MeshError, MeshWarning
from posetest.scene.load import SUFFIXES, load_mesh

REFUSED = {
    "all_indices_out_of_range/AllIndicesOutOfRange.gltf": r"12 of 12 faces point outside its vertices",
    "bad_ply_header/crash.ply": r"the PLY header is corrupt",
    "draco_required/Rover_Round-transformed.glb": r'Draco-compressed.*"DracoPy".*pip install "posetest\[draco\]"',
    "empty/empty.obj": r"the file is empty \(0 bytes\)",
    "empty/empty.ply": r"the file is empty \(0 bytes\)",
    "empty/empty_nodes.glb": r"no mesh in it \(nodes: 3\)",
    "gltf_1/TwoBoxes.gltf": r"glTF version 1\.0; only 2\.0 is read",
    "infinite_positions/BoxWithInfinites.glb": r"12 of 12 faces have corners that are infinite",
    "missing_bin/BoxTextured.gltf": r'the buffer file "BoxTextured0\.bin" does not exist',
    "missing_mtl/model2.obj": r'no face has an area.*material file "model2\.mtl" does not exist',
    "missing_texture/model.obj": r'no face has an area.*the picture "material_1\.png" .* does not exist',
    "no_faces/obj_wireframe.obj": r"no face in it \(points and lines only\)",
    "no_faces/points_bin.ply": r"no face in it \(points only\)",
    "no_scene/NoScene.gltf": r"no mesh in it",
    "no_scene/SceneWithoutNodes.gltf": r"no mesh in it",
    "not_a_mesh/armchair.obj": r'no vertex in it .* it begins with "\.\./\.\./\.\./sample_data/meshes/armchair\.obj"',
    "not_a_mesh/dummy.glb": r"not a binary glTF: it begins with b'dummy file",
    "number_formats/number_formats.obj": r'no face has an area.*cannot be read \(the first is "3\.1\+e2"\)',
    "recursive_nodes/RecursiveNodes.gltf": r"nodes form a loop",
    "short_buffer/Cube.gltf": r"buffer view 2 \(bytes 504 to 936\) lies outside its buffer of 514 bytes",
}
#: File -> faces that remain, and what the warnings say.
LOADS = {
    "degenerate_faces/wallhole.obj": (66, [r'material file "00\.mtl" does not exist']),
    "far_from_origin/regr_3429812.obj": (4, [r"120 times its size from the origin"]),
    "index_out_of_range/IndexOutOfRange.gltf": (11, [r"1 of 12 faces point outside its vertices .*: dropped"]),
    "malformed_obj/malformed.obj": (
        7,
        [r"2 of 6 faces have corners outside the 8 vertices", r"1 of 8 faces have no area"],
    ),
    "nan_vertex_colour/nancolor.obj": (12, [r"4 corners have a vertex colour that is not a number: drawn white"]),
    "no_mtllib/noimg.obj": (1000, [r'the material "material_0" and names no material file']),
    "no_usemtl/cow.obj": (5856, [r'no face says which material it uses .*: all drawn with "material_1"']),
    "parent_folder_textures/meshes/Hybrid.obj": (2176, [r"4 of 2180 faces have no area: dropped"]),
    "two_corner_face/notenoughindices.obj": (1, [r"1 faces with fewer than 3 corners dropped", r"it is flat"]),
    "utf16/box_UTF16BE.obj": (12, [r"the text is UTF-16"]),
}


def loaded(path):
    """The mesh and the texts of its warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        mesh = load_mesh(path)
    assert all(w.category is MeshWarning for w in caught)
    return mesh, [str(w.message) for w in caught]


def test_every_bad_file_has_its_row_here(shared):
    folder = shared / "meshes" / "bad"
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES}
    assert files == {*REFUSED, *LOADS}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_by_name(name, shared):
    if "draco" in name and importlib.util.find_spec("DracoPy"):
        pytest.skip("the Draco decoder is installed, so the file is sound")
    with pytest.raises(MeshError, match=rf"{name.rpartition('/')[2]}: .*{REFUSED[name]}"):
        load_mesh(shared / "meshes" / "bad" / name)


@pytest.mark.parametrize("name", LOADS)
def test_it_loads_with_a_warning(name, shared):
    count, expected = LOADS[name]
    path = shared / "meshes" / "bad" / name
    mesh, told = loaded(path)
    for pattern in expected:
        assert any(re.search(pattern, text) for text in told)
    assert all(text.startswith(f"{path}: ") for text in told)
    assert [text.removeprefix(f"{path}: ") for text in told] == list(mesh.warnings)
    assert len(mesh.faces) == count
    assert np.isfinite(mesh.verts_obj).all()
    assert np.isfinite(mesh.colors).all()
    assert np.isfinite(mesh.uv).all()
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=2), 1, atol=1e-5)


def test_draco_geometry_is_decoded_where_the_decoder_is_installed(shared):
    pytest.importorskip("DracoPy", reason="the extra posetest[draco] is not installed")
    mesh, told = loaded(shared / "meshes/bad/draco_required/Rover_Round-transformed.glb")
    assert told == []
    assert len(mesh.faces) == 7052
    image = mesh.materials[0].texture.image
    uv = mesh.uv.mean(axis=1)
    assert len(np.unique(image[((1 - uv[:, 1]) * 32).astype(int), (uv[:, 0] * 32).astype(int)], axis=0)) > 3


def test_textures_above_the_mesh_are_found(shared):
    mesh, _ = loaded(shared / "meshes/bad/parent_folder_textures/meshes/Hybrid.obj")
    textured = {m.name for m in mesh.materials if m.texture is not None}
    assert textured == {"Hybrid", "Wheels3", "Hybrid_Interior"}
    (window,) = [m for m in mesh.materials if m.name == "Windows"]
    assert (window.alpha_mode, window.base_color[3]) == ("blend", 0.1)


def test_outlines_with_holes_are_cut_into_their_own_area(shared):
    mesh, _ = loaded(shared / "meshes/bad/degenerate_faces/wallhole.obj")
    p = mesh.verts_obj[mesh.faces] / mesh.file_to_object[0, 0]
    area = 0.5 * np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    assert area.sum() == pytest.approx(721.42136, abs=1e-3)  # Newell's area of the polygons; fans cover 761.42
    assert area.min() > 1


def test_without_usemtl_it_is_the_same_cow(shared):
    mesh, _ = loaded(shared / "meshes/bad/no_usemtl/cow.obj")
    cow = load_mesh(shared / "meshes/ox/cow.obj")
    assert mesh.digest == cow.digest
