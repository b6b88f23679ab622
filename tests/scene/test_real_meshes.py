"""The thirty real meshes: all of each loads, and the traps that they set."""

from __future__ import annotations

import csv
import functools
import warnings
from pathlib import Path

import numpy as np
import pytest

from posetest.scene.load import load_mesh

SHARED = Path(__file__).resolve().parents[3] / "shared" / "meshes"
LINES = (SHARED / "manifest.csv").read_text().splitlines() if SHARED.is_dir() else []
ROWS = {row["name"]: row for row in csv.DictReader(LINES)}
#: What the sound meshes warn of; see the manifest's notes.
TOLD = {
    "ambulance": ['the picture "model://suv/materials/textures/wheels_01.png" of material "Firetruck_Wheels"'],
    "jeep": ["6 of 1514 faces have no area"],
    "coffee_mug": ['its material file "./mug.obj.mtl" does not exist', "pictures beside it: mug.png"],
}
#: How many pictures of colour each has; the manifest counts the other maps, too.
PICTURES = {
    "ambulance": 1, "fire_engine": 3, "jeep": 2, "traffic_light": 1, "ox": 1, "ox_glb": 1, "banana": 1, "pop_bottle": 1,
    "pop_bottle_ply": 1, "red_fox": 1, "sunglasses": 1, "moped": 1, "water_bottle": 1, "studio_couch": 2, "bookcase": 1,
    "chiffonier": 1, "bell_pepper": 1, "pirate_ship": 3, "soccer_ball": 1, "mailbox": 1,
}  # fmt: skip


@functools.cache
def mesh_of(name, texture=None):
    row = ROWS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        picture = SHARED / texture if texture else None
        return load_mesh(SHARED / row["file"], up=row["up_axis"], front=row["front_axis"] or None, texture=picture)


def material(name, of):
    return next(m for m in mesh_of(of).materials if m.name == name)


pytestmark = pytest.mark.skipif(not ROWS, reason="no ../shared/meshes beside the checkout")


@pytest.mark.parametrize("name", ROWS)
def test_all_of_it_loads(name):
    mesh, row = mesh_of(name), ROWS[name]
    dropped = 6 if name == "jeep" else 0  # its faces without area
    assert len(mesh.faces) == int(row["faces"]) - dropped
    assert len({m.name for m in mesh.materials} | {"grey"}) - 1 <= int(row["materials"])
    textures = {id(m.texture) for m in mesh.materials if m.texture is not None}
    assert len(textures) == PICTURES.get(name, 0)
    assert len(mesh.warnings) == len(TOLD.get(name, []))
    assert all(text in told for text, told in zip(TOLD.get(name, []), mesh.warnings, strict=True))
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=2), 1, atol=1e-5)
    np.testing.assert_allclose(mesh.verts_obj.max(axis=0) + mesh.verts_obj.min(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(np.ptp(mesh.verts_obj, axis=0).max(), 2, atol=1e-6)


def test_copies_of_the_cow_agree():
    obj, glb = mesh_of("ox"), mesh_of("ox_glb")
    np.testing.assert_allclose(obj.verts_obj, glb.verts_obj, atol=1e-6)
    np.testing.assert_allclose(obj.verts_obj[obj.faces], glb.verts_obj[glb.faces], atol=1e-6)
    np.testing.assert_allclose(obj.uv, glb.uv, atol=1e-6)
    np.testing.assert_allclose(obj.normals, glb.normals, atol=1e-3)
    np.testing.assert_array_equal(obj.materials[0].texture.image, glb.materials[0].texture.image)
    assert obj.materials[0].base_color == glb.materials[0].base_color
    assert obj.materials[0].two_sided == glb.materials[0].two_sided


def test_copies_of_the_bottle_agree():
    obj, ply = mesh_of("pop_bottle"), mesh_of("pop_bottle_ply")
    np.testing.assert_allclose(obj.verts_obj[obj.faces], ply.verts_obj[ply.faces], atol=1e-5)
    np.testing.assert_allclose(obj.uv, ply.uv, atol=1e-5)
    np.testing.assert_array_equal(obj.materials[0].texture.image, ply.materials[0].texture.image)
    assert obj.materials[0].base_color == ply.materials[0].base_color == (1, 1, 1, 1)
    assert obj.colors.min() == ply.colors.min() == 1.0
    cosine = np.einsum("fij,fij->fi", obj.normals, ply.normals)  # the OBJ has normals, those of the PLY are computed
    assert (cosine > np.cos(np.radians(10))).mean() > 0.8


@pytest.mark.parametrize("name", ["ambulance", "ox", "banana", "coffee_mug", "fire_engine"])
def test_obj_triangles_are_those_of_trimesh(name):
    import trimesh
    from scipy.spatial import cKDTree

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = trimesh.load_mesh(SHARED / ROWS[name]["file"], process=False)
    mesh = mesh_of(name)
    expected = theirs.triangles @ mesh.file_to_object[:3, :3].T + mesh.file_to_object[:3, 3]
    ours = mesh.verts_obj[mesh.faces].astype(np.float64)
    distance, found = cKDTree(ours.mean(axis=1)).query(expected.mean(axis=1))  # it orders faces by material
    assert distance.max() < 1e-5
    if name != "fire_engine":  # which has duplicate faces
        assert len(np.unique(found)) == len(ours) == len(expected)


@pytest.mark.parametrize(("name", "least"), [("jeep", 0.6), ("coffee_mug", 0.15)])
def test_stray_alpha_is_not_honoured(name, least):
    mesh = mesh_of(name, "coffee_mug/mug.png") if name == "coffee_mug" else mesh_of(name)
    pictures = [m.texture.image[..., 3] for m in mesh.materials if m.texture is not None]
    assert max(float((alpha == 0).mean()) for alpha in pictures) > least  # it is there
    assert {m.alpha_mode for m in mesh.materials} == {"opaque"}


def test_alpha_that_is_meant_is_kept():
    assert material("dutch_ship_medium_sails", "pirate_ship").alpha_mode == "mask"
    assert material("dutch_ship_medium_hull", "pirate_ship").alpha_mode == "opaque"
    assert material("sofa_03_fringe", "studio_couch").alpha_mode == "blend"
    assert any(words.startswith("transmission") for words in mesh_of("sunglasses").not_drawn)


@pytest.mark.parametrize("name", ["banana", "jeep", "traffic_light", "pop_bottle", "fire_engine"])
def test_the_default_kd_of_exporters_does_not_darken_pictures(name):
    assert {m.base_color for m in mesh_of(name).materials if m.texture is not None} == {(1, 1, 1, 1)}


def test_wheels_without_their_picture_are_drawn_in_their_own_colour():
    wheels = [m for m in mesh_of("ambulance").materials if m.name == "Firetruck_Wheels"]
    assert all(m.texture is None for m in wheels)
    np.testing.assert_allclose(wheels[0].base_color[:3], 0.3049, atol=1e-3)  # 0.5882 in sRGB


def test_the_mug_takes_its_picture_by_hand():
    assert mesh_of("coffee_mug").materials[0].texture is None
    mesh = mesh_of("coffee_mug", "coffee_mug/mug.png")
    assert mesh.materials[0].texture is not None
    assert mesh.warnings == ()


def test_palette_coordinates_lie_on_single_colours():
    mesh = mesh_of("moped")
    image = mesh.materials[0].texture.image
    height, width = image.shape[:2]
    uv = mesh.uv.mean(axis=1) % 1
    picked = image[np.minimum(((1 - uv[:, 1]) * height).astype(int), height - 1), (uv[:, 0] * width).astype(int)]
    corner = image[
        np.minimum(((1 - mesh.uv[:, 0, 1] % 1) * height).astype(int), height - 1),
        np.minimum((mesh.uv[:, 0, 0] % 1 * width).astype(int), width - 1),
    ]
    assert (np.abs(picked.astype(int) - corner).max(axis=1) <= 32).mean() > 0.98
    is_green = (picked[:, 1] > 100) & (picked[:, 0] < 100)
    assert is_green.mean() > 0.1  # the tank and the mudguards; upside down they would be another colour


def test_vertex_colours_of_the_tank_are_white_where_present_and_where_absent():
    assert mesh_of("tank").colors.min() == 1.0


def test_the_fox_is_flat_because_nothing_shares_its_corners():
    normals = mesh_of("red_fox").normals
    np.testing.assert_allclose(normals, normals[:, :1].repeat(3, axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("axis", "names"),
    [
        (2, ["jeep", "ambulance", "fire_engine", "red_fox", "tank", "revolver"]),  # length along the front axis
        (1, ["mailbox", "pop_bottle", "traffic_light", "table_lamp", "goblet"]),
    ],
)
def test_the_longest_axis_is_where_the_manifest_puts_it(axis, names):
    assert {int(np.argmax(np.ptp(mesh_of(name).verts_obj, axis=0))) for name in names} == {axis}


def test_the_cow_looks_along_plus_z():
    mesh = mesh_of("ox")
    head = mesh.verts_obj[mesh.verts_obj[:, 1] > 0.6]  # horns and ears are the highest
    assert head[:, 2].mean() > 0.3


def test_emission_of_the_water_bottle_is_kept():
    found = mesh_of("water_bottle").materials[0]
    assert found.emissive == (1, 1, 1)
    assert found.emissive_texture is not None
