"""glTF: nodes, materials and texture coordinates as the specification has them; broken headers refused by name."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from mesh_files import CORNERS, CUBE, CUBE_QUADS, FACES, QUARTERS, Gltf, png_bytes, textured_square

from posetest.errors import MeshError, MeshWarning
from posetest.scene.load import load_mesh


def points(mesh):
    return mesh.verts_obj[mesh.faces].astype(np.float64)


def volume(mesh):
    a, b, c = np.moveaxis(points(mesh), 1, 0)
    return float(np.einsum("fi,fi->f", a, np.cross(b, c)).sum() / 6)


def material_of(tmp_path, **entry):
    gltf = Gltf()
    gltf.primitive(material=0)
    gltf.doc["materials"] = [entry]
    return load_mesh(gltf.write(tmp_path / "m.glb")).materials[0]


@pytest.mark.parametrize("suffix", [".gltf", ".glb"])
def test_texture_coordinates_count_from_the_lower_left(suffix, tmp_path):
    gltf = Gltf()
    textured_square(gltf)
    mesh = load_mesh(gltf.write(tmp_path / f"s{suffix}"))
    np.testing.assert_array_equal(mesh.uv[0], [[0, 0], [1, 0], [1, 1]])
    image = mesh.materials[0].texture.image
    np.testing.assert_array_equal(image[..., :3], QUARTERS)  # red, at the upper left, is at v = 1


def test_factors_are_linear_and_kept(tmp_path):
    surface = {"baseColorFactor": [0.25, 0.5, 1, 0.125], "roughnessFactor": 0.5, "metallicFactor": 0.75}
    material = material_of(tmp_path, pbrMetallicRoughness=surface, emissiveFactor=[0.5, 0, 0.25], doubleSided=True)
    assert material.base_color == (0.25, 0.5, 1.0, 0.125)
    assert (material.roughness, material.metalness) == (0.5, 0.75)
    assert material.emissive == (0.5, 0, 0.25)
    assert material.two_sided
    assert material.alpha_mode == "opaque"  # whatever the alpha


@pytest.mark.parametrize(("mode", "cutoff"), [("MASK", 0.25), ("BLEND", 0.5), ("OPAQUE", 0.5)])
def test_alpha_modes_are_kept(mode, cutoff, tmp_path):
    material = material_of(tmp_path, alphaMode=mode, alphaCutoff=cutoff)
    assert (material.alpha_mode, material.alpha_cutoff) == (mode.lower(), cutoff)


def test_without_a_material_it_is_white_and_one_sided(tmp_path):
    gltf = Gltf()
    gltf.primitive(faces=FACES[:3])  # open, and yet one-sided: the format says so
    mesh = load_mesh(gltf.write(tmp_path / "m.glb"))
    assert mesh.materials[0].base_color == (1, 1, 1, 1)
    assert not mesh.materials[0].two_sided


def test_what_is_not_drawn_is_listed(tmp_path):
    extensions = {"KHR_materials_transmission": {}, "KHR_materials_emissive_strength": {"emissiveStrength": 2}}
    material = material_of(
        tmp_path, normalTexture={"index": 0}, occlusionTexture={"index": 0}, extensions=extensions,
        emissiveFactor=[0.25, 0, 0],
    )  # fmt: skip
    assert material.not_drawn == ("normal map", "occlusion map", "transmission")
    assert material.emissive == (0.5, 0, 0)


def test_wrap_modes_come_from_the_sampler(tmp_path):
    gltf = Gltf()
    textured_square(gltf)
    gltf.doc["samplers"][0] = {"wrapS": 33071, "wrapT": 33648}
    texture = load_mesh(gltf.write(tmp_path / "s.glb")).materials[0].texture
    assert (texture.wrap_u, texture.wrap_v) == ("clamp", "mirror")


def test_the_texture_transform_is_applied(tmp_path):
    gltf = Gltf()
    transform = {"offset": [0.5, 0.25], "rotation": np.pi / 2, "scale": [2, 3]}
    textured_square(gltf, info={"extensions": {"KHR_texture_transform": transform}})
    mesh = load_mesh(gltf.write(tmp_path / "s.glb"))
    # A quarter turn counter-clockwise as seen with v downwards takes (1, 0) to (0, -1) and (0, 1) to (1, 0).
    for corner, (u, v) in zip(mesh.uv[0], [(0, 1), (1, 1), (1, 0)], strict=True):
        np.testing.assert_allclose(corner, [3 * v + 0.5, 1 - (-2 * u + 0.25)], atol=1e-6)


def test_the_second_set_of_texture_coordinates_is_read_where_the_material_says_so(tmp_path):
    gltf = Gltf()
    textured_square(gltf, uv=np.zeros((5, 2)), info={"texCoord": 1})
    attributes = gltf.doc["meshes"][0]["primitives"][0]["attributes"]
    attributes["TEXCOORD_1"] = gltf.array([[0, 255], [255, 255], [255, 0], [0, 0], [0, 255]], "u1", normalized=True)
    gltf.doc["bufferViews"][-1]["byteStride"] = 2
    mesh = load_mesh(gltf.write(tmp_path / "s.glb"))
    np.testing.assert_array_equal(mesh.uv[0], [[0, 0], [1, 0], [1, 1]])


def test_vertex_colours_are_linear_and_absent_ones_are_white(tmp_path):
    gltf = Gltf()
    first = gltf.primitive()
    first["attributes"]["COLOR_0"] = gltf.array([[0.25, 0.5, 1]] * 4)
    second = gltf.primitive(CORNERS + 5)
    second["attributes"]["COLOR_0"] = gltf.array([[0, 51, 255, 102]] * 4, "u1", normalized=True)
    gltf.primitive(CORNERS - 5)
    mesh = load_mesh(gltf.write(tmp_path / "c.glb"))
    np.testing.assert_allclose(mesh.colors[0, 0], [0.25, 0.5, 1, 1])
    np.testing.assert_allclose(mesh.colors[4, 0], [0, 0.2, 1, 0.4], rtol=1e-6)
    np.testing.assert_allclose(mesh.colors[8:], 1)


def test_nodes_are_composed_and_instances_repeated(tmp_path):
    gltf = Gltf()
    gltf.primitive()
    turn = [0, 0, np.sqrt(0.5), np.sqrt(0.5)]  # a quarter turn about z: x to y
    gltf.doc["nodes"] = [
        {"children": [1, 2], "translation": [10, 0, 0], "camera": 0},
        {"mesh": 0, "rotation": turn, "scale": [2, 2, 2]},
        {"mesh": 0},
    ]
    gltf.doc["cameras"] = [{"type": "perspective", "perspective": {"yfov": 1, "znear": 0.1}}]
    mesh = load_mesh(gltf.write(tmp_path / "n.glb"))
    assert len(mesh.faces) == 8  # the camera's node and what is below it are not lost
    turned = CORNERS @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]) * 2 + [10, 0, 0]
    for place in np.concatenate([turned, CORNERS + np.array([10, 0, 0])]):
        expected = place @ mesh.file_to_object[:3, :3].T + mesh.file_to_object[:3, 3]
        assert np.abs(mesh.verts_obj - expected).max(axis=1).min() < 1e-6


def test_a_node_that_mirrors_keeps_the_outside_outside(tmp_path):
    gltf = Gltf()
    entry = gltf.primitive(CUBE, [t for a, b, c, d in CUBE_QUADS for t in ((a, b, c), (a, c, d))])
    entry["attributes"]["NORMAL"] = gltf.array(CUBE / np.sqrt(3))
    gltf.doc["nodes"][0]["scale"] = [-1, 2, 3]
    mesh = load_mesh(gltf.write(tmp_path / "m.glb"))
    assert volume(mesh) > 0
    outward = points(mesh) / np.array([1, 2, 3]) ** 2  # normals turn with the inverse transpose
    np.testing.assert_allclose(mesh.normals, outward / np.linalg.norm(outward, axis=2, keepdims=True), atol=1e-6)


def test_unshared_corners_without_normals_are_flat_and_shared_ones_smooth(tmp_path):
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    ring = np.stack([np.cos(angle), np.zeros(24), np.sin(angle)], axis=1)
    corners = np.concatenate([ring, ring + np.array([0, 1, 0])])
    i, j = np.arange(24), (np.arange(24) + 1) % 24
    faces = np.concatenate([np.stack([i, i + 24, j], 1), np.stack([j, i + 24, j + 24], 1)])
    shared, loose = Gltf(), Gltf()
    shared.primitive(corners, faces)
    loose.primitive(corners[faces].reshape(-1, 3), None)
    smooth, flat = load_mesh(shared.write(tmp_path / "a.glb")), load_mesh(loose.write(tmp_path / "b.glb"))
    radial = points(smooth) * [1, 0, 1]
    np.testing.assert_allclose(smooth.normals, radial / np.linalg.norm(radial, axis=2, keepdims=True), atol=1e-5)
    np.testing.assert_allclose(flat.normals, flat.normals[:, :1].repeat(3, axis=1), atol=1e-6)


def test_pictures_are_read_from_files_and_data_uris_and_webp(tmp_path):
    for number, image in enumerate(
        [
            {"uri": "pictures/skin%20one.png"},
            {"uri": "data:image/png;base64," + base64.b64encode(png_bytes()).decode()},
        ]
    ):
        gltf = Gltf()
        textured_square(gltf)
        gltf.doc["images"] = [image]
        (tmp_path / "pictures").mkdir(exist_ok=True)
        (tmp_path / "pictures" / "skin one.png").write_bytes(png_bytes())
        texture = load_mesh(gltf.write(tmp_path / f"{number}.gltf")).materials[0].texture
        np.testing.assert_array_equal(texture.image[..., :3], QUARTERS)


def test_of_a_png_beside_a_ktx2_the_png_is_drawn_and_a_lone_ktx2_is_told(tmp_path):
    gltf = Gltf()
    textured_square(gltf)
    gltf.doc["images"].append({"uri": "x.ktx2", "mimeType": "image/ktx2"})
    gltf.doc["textures"][0]["extensions"] = {"KHR_texture_basisu": {"source": 1}}
    assert load_mesh(gltf.write(tmp_path / "a.glb")).materials[0].texture is not None
    del gltf.doc["textures"][0]["source"]
    with pytest.warns(MeshWarning, match=r"b\.glb: a picture is there only in a format that is not read \(KTX2\)"):
        assert load_mesh(gltf.write(tmp_path / "b.glb")).materials[0].texture is None


def test_triangle_strips_are_read_and_lines_told(tmp_path):
    gltf = Gltf()
    gltf.primitive(mode=1, faces=[[0, 1]])
    gltf.primitive([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 1]], [[0, 1, 2, 3]], mode=5)
    with pytest.warns(MeshWarning, match="1 primitives are lines, which are not drawn"):
        mesh = load_mesh(gltf.write(tmp_path / "s.glb"))
    assert len(mesh.faces) == 2
    assert (mesh.normals[:, 0, 2] > 0).all()  # every other triangle of a strip is wound the other way


def test_without_a_scene_all_nodes_are_drawn(tmp_path):
    gltf = Gltf()
    gltf.primitive()
    del gltf.doc["scene"], gltf.doc["scenes"]
    with pytest.warns(MeshWarning, match=r"n\.glb: no scene says what to draw: all nodes are drawn"):
        assert len(load_mesh(gltf.write(tmp_path / "n.glb")).faces) == 4


def test_an_image_of_emission_without_light_is_kept(tmp_path):
    gltf = Gltf()
    textured_square(gltf, emissiveFactor=[1, 1, 1], emissiveTexture={"index": 0})
    material = load_mesh(gltf.write(tmp_path / "e.glb")).materials[0]
    assert material.emissive == (1, 1, 1)
    np.testing.assert_array_equal(material.emissive_texture.image[..., :3], QUARTERS)


BREAKS = {
    "count": (lambda d: d["accessors"][0].update(count=5), r"accessor 0 \(POSITION\) needs 60 bytes, .* has 48"),
    "huge": (lambda d: d["accessors"][0].update(count=10**12), r"accessor 0 \(POSITION\) has 1000000000000 entries"),
    "view": (
        lambda d: d["bufferViews"][0].update(byteLength=10**9),
        r"buffer view 0 .* outside its buffer of 72 bytes",
    ),
    "no view": (lambda d: d["accessors"][0].pop("bufferView"), r"accessor 0 \(POSITION\) has no data"),
    "type": (lambda d: d["accessors"][0].update(type="VEC2"), r"accessor 0 \(POSITION\) is of the type VEC2"),
    "index": (lambda d: d["meshes"][0]["primitives"][0].update(indices=7), r"accessor 7 \(indices\) does not exist"),
    "mesh": (lambda d: d["nodes"][0].update(mesh=3), "node 0 shows mesh 3, and there are 1"),
    "child": (lambda d: d["nodes"][0].update(children=[4]), "node 0 has a child 4, and there are 1 nodes"),
    "loop": (lambda d: d["nodes"][0].update(children=[0]), "nodes form a loop"),
    "scene": (lambda d: d.update(scene=2), "it shows scene 2, and there are 1 scenes"),
    "elsewhere": (lambda d: d["scenes"][0].update(nodes=[1]), "names nodes that do not exist"),
    "required": (
        lambda d: d.update(extensionsRequired=["EXT_meshopt_compression"]),
        "requires EXT_meshopt_compression",
    ),
    "key": (lambda d: d["accessors"][0].pop("componentType"), "broken glTF: the key 'componentType' is missing"),
    "version": (lambda d: d["asset"].update(version="1.0"), r"glTF version 1\.0; only 2\.0 is read"),
    "fan": (
        lambda d: d["meshes"][0]["primitives"][0].update(mode=6),
        "no triangles in it.*1 primitives are triangle fans",
    ),
    "nothing": (lambda d: d.update(meshes=[]), "no mesh in it"),
    "thirds": (lambda d: d["accessors"][1].update(count=11), "11 corners make no whole number of triangles"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_header_is_refused_with_what_is_wrong(what, tmp_path):
    gltf = Gltf()
    gltf.primitive()
    change, message = BREAKS[what]
    change(gltf.doc)
    with pytest.raises(MeshError, match=rf"b\.glb: .*{message}"):
        load_mesh(gltf.write(tmp_path / "b.glb"))


def test_a_truncated_or_missing_buffer_is_named(tmp_path):
    gltf = Gltf()
    gltf.primitive()
    path = gltf.write(tmp_path / "b.gltf")
    (tmp_path / "b.bin").write_bytes(gltf.blob[:-4])
    with pytest.raises(MeshError, match=r'b\.gltf: buffer 0 "b\.bin" has 68 bytes of 72 declared'):
        load_mesh(path)
    (tmp_path / "b.bin").unlink()
    with pytest.raises(MeshError, match=r'b\.gltf: the buffer file "b\.bin" does not exist; it holds the geometry'):
        load_mesh(path)


def test_json_that_is_no_gltf_is_refused(tmp_path):
    (tmp_path / "a.gltf").write_text(json.dumps([1]))
    with pytest.raises(MeshError, match=r'a\.gltf: JSON, but no glTF \(it has no "asset"\)'):
        load_mesh(tmp_path / "a.gltf")
    (tmp_path / "a.gltf").write_text("[" * 100_000)
    with pytest.raises(MeshError, match=r"a\.gltf: its glTF header is not JSON"):
        load_mesh(tmp_path / "a.gltf")
