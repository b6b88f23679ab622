"""How surfaces reflect, as the formats have it: each file's own words against the lobe that is drawn."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
from mesh_files import Gltf, textured_square, write_png, write_square

from posetest.errors import MeshWarning
from posetest.objects.catalogue import BUILDERS
from posetest.objects.glb import mesh_to_glb
from posetest.scene.load import load_mesh
from posetest.scene.material import MAX_EXPONENT, Material, highlight, lobe_of_exponent

#: One pixel each: red 0, green 64, blue 255; and twice that green and no blue.
SHINE = np.array([[[0, 64, 255], [0, 128, 0]]], dtype=np.uint8)


def peak(material: Material) -> list[float]:
    """What a white light of strength one adds where it is mirrored into the camera, metal aside."""
    lobe = highlight(material)
    return [lobe.scale * value for value in lobe.specular]


def obj(folder: Path, lines: str) -> Material:
    return load_mesh(write_square(folder, "newmtl m\n" + lines)).materials[0]


def gltf(folder: Path, *, pixels: np.ndarray = SHINE, **entry: object) -> Material:
    """The material of a square whose texture 1 is ``pixels``."""
    made = Gltf()
    textured_square(made)
    made.texture(pixels)
    surface = {"baseColorTexture": {"index": 0}} | entry.pop("pbrMetallicRoughness", {})  # type: ignore[operator]
    made.doc["materials"] = [entry | ({"pbrMetallicRoughness": surface} if entry.pop("is_core", True) else {})]
    return load_mesh(made.write(folder / "m.glb")).materials[0]


# --- OBJ ---


@pytest.mark.parametrize("exponent", [2.0, 10.0, 96.0, 900.0])
def test_the_exponent_and_the_peak_of_an_obj_are_ns_and_ks(exponent: float, tmp_path: Path) -> None:
    material = obj(tmp_path, f"Ns {exponent}\nKs 0.5 0.25 1\nillum 2\n")
    assert highlight(material).exponent == pytest.approx(exponent)
    assert peak(material) == pytest.approx([0.5, 0.25, 1.0])
    assert material.metalness == 0.0


def test_sharper_highlights_than_can_be_drawn_keep_their_peak(tmp_path: Path) -> None:
    material = obj(tmp_path, "Ns 50000\nKs 0.5 0.5 0.5\n")
    assert highlight(material).exponent == MAX_EXPONENT
    assert peak(material) == pytest.approx([0.5] * 3)


@pytest.mark.parametrize(
    "lines",
    ["Ks 1 1 1\n", "Ns 10\n", "Ns 10\nKs 0 0 0\n", "Ns 10\nKs 1 1 1\nillum 1\n", "Ns 10\nKs 1 1 1\nillum 0\n", ""],
)
def test_an_obj_that_does_not_ask_for_a_highlight_has_none(lines: str, tmp_path: Path) -> None:
    assert obj(tmp_path, lines).specular == (0.0, 0.0, 0.0)


def test_a_highlight_as_wide_as_the_surface_is_drawn_matte(tmp_path: Path) -> None:
    assert highlight(obj(tmp_path, "Ns 0\nKs 1 1 1\n")).is_matte  # by the letter it would bleach the whole object


def test_of_a_specular_map_the_mean_is_used(tmp_path: Path) -> None:
    write_png(tmp_path / "shine.png", SHINE)
    material = obj(tmp_path, "Ns 10\nKs 1 1 0.5\nmap_Ks shine.png\n")
    assert peak(material) == pytest.approx([0, 96 / 255, 0.25])
    assert material.not_drawn == ("specular map (its mean is used)",)


def test_what_an_obj_asks_for_and_is_not_drawn_is_listed(tmp_path: Path) -> None:
    lines = "illum 7\nPr 0.2\nPm 0\nPc 0.5\naniso 0\nmap_Ns n.png\nnorm n.png\nmap_Ka a.png\nTf 1 0.5 0\nd 0.5\n"
    assert obj(tmp_path, lines).not_drawn == (
        "ambient map", "clearcoat", "normal map", "refraction (illum 7)", "roughness (Pr)", "shininess map",
        "transmission colour",
    )  # fmt: skip
    assert obj(tmp_path, "illum 2\nTf 1 1 1\nmap_Kd quarters.png\nmap_Ka quarters.png\nPr 0\n").not_drawn == ()


def test_a_half_transparent_obj_does_not_take_the_alpha_of_its_colour_picture(tmp_path: Path) -> None:
    path = write_square(tmp_path, "newmtl m\nd 0.5\nmap_Kd quarters.png\n")
    write_png(tmp_path / "quarters.png", np.full((2, 2, 4), 99, dtype=np.uint8))
    material = load_mesh(path).materials[0]
    assert material.base_color[3] == 0.5
    assert material.texture is not None
    assert (material.texture.image == (99, 99, 99, 255)).all()


# --- glTF ---


def test_gltf_reflects_four_percent_and_is_metal_unless_it_says_otherwise(tmp_path: Path) -> None:
    plain = gltf(tmp_path)
    assert plain.specular == (0.04, 0.04, 0.04)
    assert (plain.metalness, plain.roughness) == (1.0, 1.0)
    assert highlight(plain).specular == (0.0, 0.0, 0.0)  # a metal reflects in its base colour
    half = gltf(tmp_path, pbrMetallicRoughness={"metallicFactor": 0.25, "roughnessFactor": 0.5})
    assert highlight(half).specular == pytest.approx([0.03] * 3)


@pytest.mark.parametrize(
    ("extensions", "specular"),
    [
        ({"KHR_materials_ior": {"ior": 2.0}}, [1 / 9] * 3),
        ({"KHR_materials_ior": {}}, [0.04] * 3),
        ({"KHR_materials_ior": {"ior": 1}}, [0.0] * 3),
        ({"KHR_materials_ior": {"ior": 0}}, [1.0] * 3),  # the specification's mark for a mirror
        ({"KHR_materials_specular": {"specularFactor": 0.5, "specularColorFactor": [1, 0.5, 2]}}, [0.02, 0.01, 0.04]),
        ({"KHR_materials_specular": {"specularFactor": 0.5, "specularColorFactor": [99, 1, 0]}}, [0.5, 0.02, 0.0]),
        ({"KHR_materials_specular": {"specularFactor": 0.5}, "KHR_materials_ior": {"ior": 2}}, [1 / 18] * 3),
    ],
)
def test_extensions_set_what_gltf_reflects(
    extensions: dict[str, object], specular: list[float], tmp_path: Path
) -> None:
    material = gltf(tmp_path, extensions=extensions)
    assert material.specular == pytest.approx(specular)
    assert material.not_drawn == ()


def test_of_a_metallic_roughness_map_the_mean_of_the_data_is_used(tmp_path: Path) -> None:
    surface = {"metallicFactor": 0.5, "roughnessFactor": 0.8, "metallicRoughnessTexture": {"index": 1}}
    material = gltf(tmp_path, pbrMetallicRoughness=surface)
    assert material.metalness == pytest.approx(0.5 * 0.5)
    assert material.roughness == pytest.approx(0.8 * 96 / 255)  # not decoded: the channels are no colours
    assert material.not_drawn == ("metallic-roughness map (its mean is used)",)


def test_maps_of_extensions_that_are_read_are_listed(tmp_path: Path) -> None:
    layer = {"specularTexture": {"index": 1}, "specularColorTexture": {"index": 1}}
    extensions = {"KHR_materials_specular": layer, "KHR_materials_clearcoat": {"clearcoatFactor": 1}}
    material = gltf(tmp_path, extensions=extensions, normalTexture={"index": 1})
    assert material.not_drawn == ("clearcoat", "normal map", "specular colour map", "specular map")


def test_glossiness_is_the_opposite_of_roughness(tmp_path: Path) -> None:
    gloss = {"diffuseFactor": [0.5, 0.25, 1, 1], "specularFactor": [0.1, 0.2, 0.3], "glossinessFactor": 0.75}
    material = gltf(tmp_path, is_core=False, extensions={"KHR_materials_pbrSpecularGlossiness": gloss})
    assert material.base_color == (0.5, 0.25, 1.0, 1.0)
    assert material.specular == pytest.approx([0.1, 0.2, 0.3])
    assert (material.roughness, material.metalness) == (0.25, 0.0)
    assert material.not_drawn == ()


def test_of_a_specular_glossiness_map_the_mean_light_is_used(tmp_path: Path) -> None:
    pixels = np.array([[[255, 188, 0, 51], [0, 188, 0, 153]]], dtype=np.uint8)
    gloss = {"specularGlossinessTexture": {"index": 1}}
    material = gltf(tmp_path, pixels=pixels, is_core=False, extensions={"KHR_materials_pbrSpecularGlossiness": gloss})
    assert material.specular == pytest.approx([0.5, 0.50289, 0.0], abs=1e-5)
    assert material.roughness == pytest.approx(1 - 102 / 255)
    assert material.not_drawn == ("specular-glossiness map (its mean is used)",)


def test_an_unlit_material_glows_in_its_base_colour_and_reflects_nothing(tmp_path: Path) -> None:
    surface = {"baseColorFactor": [0.5, 0.25, 1, 0.75], "metallicFactor": 0.5}
    material = gltf(
        tmp_path, pbrMetallicRoughness=surface, alphaMode="BLEND", emissiveFactor=[1, 1, 1],
        normalTexture={"index": 1}, extensions={"KHR_materials_unlit": {}},
    )  # fmt: skip
    assert material.base_color == (0.0, 0.0, 0.0, 0.75)
    assert material.emissive == (0.5, 0.25, 1.0)
    assert material.emissive_texture is material.texture is not None
    assert highlight(material).is_matte
    assert material.not_drawn == ()  # the extension has the other maps ignored


def test_vertex_colours_of_an_unlit_material_are_not_drawn_and_listed(tmp_path: Path) -> None:
    made = Gltf()
    made.primitive(material=0)["attributes"]["COLOR_0"] = made.array([[0.25, 0.5, 1]] * 4)
    made.doc["materials"] = [{"extensions": {"KHR_materials_unlit": {}}}]
    assert load_mesh(made.write(tmp_path / "m.glb")).not_drawn == ("vertex colours (unlit) (material 0)",)


# --- Collada ---


def collada(folder: Path, effect: str, *, shader: str = "phong", extra: str = "") -> Material:
    """The material of a Collada square; the sampler "s" reads quarters.png."""
    square = write_square(folder, "newmtl m\n")
    square.unlink()
    (folder / "square.dae").write_text(f"""<?xml version="1.0"?>
<COLLADA xmlns="http://www.collada.org/2005/11/COLLADASchema" version="1.4.1"><asset/>
<library_images><image id="i"><init_from>quarters.png</init_from></image></library_images>
<library_effects><effect id="e"><profile_COMMON>
<newparam sid="f"><surface type="2D"><init_from>i</init_from></surface></newparam>
<newparam sid="s"><sampler2D><source>f</source><wrap_s>CLAMP</wrap_s><wrap_t>MIRROR</wrap_t></sampler2D></newparam>
<technique sid="common"><{shader}>{effect}</{shader}>{extra}</technique></profile_COMMON></effect></library_effects>
<library_materials><material id="m"><instance_effect url="#e"/></material></library_materials>
<library_geometries><geometry id="g"><mesh>
<source id="p"><float_array id="pa" count="15">0 0 0 1 0 0 1 1 0 0 1 0 0 0 -1</float_array><technique_common>
<accessor source="#pa" count="5" stride="3"><param name="X" type="float"/><param name="Y" type="float"/>
<param name="Z" type="float"/></accessor></technique_common></source>
<source id="t"><float_array id="ta" count="10">0 0 1 0 1 1 0 1 0 0</float_array><technique_common>
<accessor source="#ta" count="5" stride="2"><param name="S" type="float"/><param name="T" type="float"/></accessor>
</technique_common></source><vertices id="v"><input semantic="POSITION" source="#p"/></vertices>
<triangles count="3" material="b"><input semantic="VERTEX" source="#v" offset="0"/>
<input semantic="TEXCOORD" source="#t" offset="1"/><p>0 0 1 1 2 2 0 0 2 2 3 3 0 0 3 3 4 4</p></triangles>
</mesh></geometry></library_geometries>
<library_visual_scenes><visual_scene id="sc"><node><instance_geometry url="#g"><bind_material><technique_common>
<instance_material symbol="b" target="#m"/></technique_common></bind_material></instance_geometry></node></visual_scene>
</library_visual_scenes><scene><instance_visual_scene url="#sc"/></scene></COLLADA>""")
    return load_mesh(folder / "square.dae").materials[0]


def color(name: str, *values: float, more: str = "") -> str:
    return f"<{name}{more}><color>{' '.join(map(str, values))}</color></{name}>"


def number(name: str, value: float) -> str:
    return f"<{name}><float>{value}</float></{name}>"


MAP = '<texture texture="s" texcoord="UV"/>'
DIFFUSE = f"<diffuse>{MAP}</diffuse>"


def test_a_collada_picture_wraps_as_its_sampler_says(tmp_path: Path) -> None:
    material = collada(tmp_path, DIFFUSE)
    assert material.texture is not None
    assert (material.texture.wrap_u, material.texture.wrap_v) == ("clamp", "mirror")
    assert material.base_color == (1.0, 1.0, 1.0, 1.0)
    assert material.not_drawn == ()


@pytest.mark.parametrize(("shader", "exponent"), [("blinn", 20.0), ("phong", 80.0)])
def test_the_highlight_of_collada_peaks_at_its_specular_colour(shader: str, exponent: float, tmp_path: Path) -> None:
    material = collada(tmp_path, color("specular", 0.5, 0.25, 1, 1) + number("shininess", 20), shader=shader)
    assert highlight(material).exponent == pytest.approx(exponent)
    assert peak(material) == pytest.approx([0.5, 0.25, 1.0])


def test_phongs_lobe_is_as_narrow_about_the_mirrored_light_as_ours_about_the_halfway_vector() -> None:
    roughness, specular = lobe_of_exponent(4 * 25.0, (1.0, 1.0, 1.0))
    ours = highlight(Material(roughness=roughness, specular=specular))
    angle = np.linspace(0, 0.5, 20)  # between the mirrored light and the viewer: twice that at the halfway vector
    lobe = ours.scale * ours.specular[0] * np.cos(angle / 2) ** ours.exponent
    np.testing.assert_allclose(lobe, np.cos(angle) ** 25, atol=0.012)


@pytest.mark.parametrize(
    ("effect", "shader"),
    [
        (number("shininess", 20), "phong"),
        (color("specular", 1, 1, 1, 1), "phong"),
        (color("specular", 1, 1, 1, 1) + number("shininess", 20), "lambert"),
    ],
)
def test_a_collada_effect_without_a_highlight_has_none(effect: str, shader: str, tmp_path: Path) -> None:
    assert highlight(collada(tmp_path, effect, shader=shader)).is_matte


def test_constant_shading_is_emission_alone(tmp_path: Path) -> None:
    material = collada(tmp_path, color("emission", 1, 0.5, 0, 1), shader="constant")
    assert material.base_color == (0.0, 0.0, 0.0, 1.0)
    assert material.emissive == pytest.approx([1, 0.2140411, 0])


def test_a_glowing_picture_of_collada_is_its_own(tmp_path: Path) -> None:
    material = collada(tmp_path, f"<emission>{MAP}</emission>" + color("diffuse", 0, 0, 0, 1))
    assert material.texture is None
    assert material.emissive_texture is not None
    assert material.emissive == (1.0, 1.0, 1.0)


ZERO = ' opaque="RGB_ZERO"'


@pytest.mark.parametrize(
    ("effect", "alpha"),
    [
        ("", 1.0),
        (number("transparency", 1), 1.0),
        (number("transparency", 0.25), 0.25),  # no colour: as if white
        (color("transparent", 1, 1, 1, 0.5), 0.5),
        (color("transparent", 0, 0, 0, 0.5) + number("transparency", 0.5), 0.25),
        (color("transparent", 0, 0, 0, 1, more=ZERO) + number("transparency", 1), 1.0),
        (color("transparent", 0.5, 0.5, 0.5, 1, more=ZERO), 0.5),
        (color("transparent", 0, 1, 0, 1, more=ZERO) + number("transparency", 0.5), 1 - 0.5 * 0.71516),
        (color("transparent", 1, 0, 0, 1, more=' opaque="RGB_ONE"'), 0.212671),
        (color("transparent", 1, 1, 1, 0.25, more=' opaque="A_ZERO"'), 0.75),
    ],
)
def test_transparency_of_collada_is_drawn(effect: str, alpha: float, tmp_path: Path) -> None:
    material = collada(tmp_path, DIFFUSE + effect)
    assert material.base_color[3] == pytest.approx(alpha)
    assert material.alpha_mode == ("blend" if alpha < 1 else "opaque")


@pytest.mark.parametrize(
    "effect",
    [color("transparent", 1, 1, 1, 1, more=ZERO), color("transparent", 1, 1, 1, 1) + number("transparency", 0)],
)
def test_what_is_wholly_transparent_by_the_letter_is_drawn_and_told(effect: str, tmp_path: Path) -> None:
    with pytest.warns(MeshWarning, match="wholly transparent by the letter of the file: drawn opaque"):
        assert collada(tmp_path, effect).alpha_mode == "opaque"


def test_the_alpha_of_a_collada_picture_counts_where_the_file_asks_for_it(tmp_path: Path) -> None:
    def drawn(effect: str) -> Material:
        folder = tmp_path / str(len(effect))
        folder.mkdir()
        write = np.dstack([np.full((2, 2, 3), 9), [[0, 255], [255, 255]]]).astype(np.uint8)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            collada(folder, effect)
            write_png(folder / "quarters.png", write)
            return load_mesh(folder / "square.dae").materials[0]

    asked, stray = drawn(DIFFUSE + f"<transparent>{MAP}</transparent>"), drawn(DIFFUSE)
    half = drawn(DIFFUSE + number("transparency", 0.5))
    assert (asked.alpha_mode, stray.alpha_mode, half.alpha_mode) == ("blend", "opaque", "blend")
    assert asked.texture is not None
    assert half.texture is not None
    assert asked.texture.image[0, 0, 3] == 0
    assert half.texture.image[..., 3].min() == 255
    alone = drawn(color("diffuse", 1, 1, 1, 1) + f"<transparent>{MAP}</transparent>")
    assert alone.not_drawn == ("transparency map",)


def test_of_a_specular_map_of_collada_the_mean_is_used(tmp_path: Path) -> None:
    extra = f'<extra><technique profile="OpenCOLLADA3dsMax"><specularLevel>{MAP}</specularLevel></technique></extra>'
    effect = color("specular", 0.9, 0.9, 0.9, 1) + number("shininess", 10)
    material = collada(tmp_path, effect, shader="blinn", extra=extra)
    assert peak(material) == pytest.approx([0.45, 0.45, 0.45])  # red, green, blue and white pixels
    assert material.not_drawn == ("specular map (its mean is used)",)
    assert peak(collada(tmp_path, f"<specular>{MAP}</specular>" + number("shininess", 10))) == pytest.approx([0.5] * 3)


def test_what_collada_asks_for_and_is_not_drawn_is_listed(tmp_path: Path) -> None:
    extra = f'<extra><technique profile="FCOLLADA"><bump>{MAP}</bump></technique></extra>'
    effect = f"<ambient>{MAP}</ambient>" + color("reflective", 1, 1, 1, 1) + number("reflectivity", 0.5)
    assert collada(tmp_path, effect, extra=extra).not_drawn == ("ambient map", "bump map", "reflection")
    assert collada(tmp_path, color("reflective", 1, 1, 1, 1) + number("reflectivity", 0)).not_drawn == ()


# --- objects made by code, and real files ---


@pytest.mark.parametrize("name", BUILDERS)
def test_an_object_made_by_code_reflects_as_its_file_does(name: str, tmp_path: Path) -> None:
    mesh = BUILDERS[name](0).mesh
    (tmp_path / "o.glb").write_bytes(mesh_to_glb(mesh))
    loaded = load_mesh(tmp_path / "o.glb")
    assert [highlight(m) for m in loaded.materials] == [highlight(m) for m in mesh.materials]
    assert not any(highlight(m).is_matte for m in mesh.materials)


def test_a_material_of_another_reflectance_survives_the_glb(tmp_path: Path) -> None:
    path = write_square(tmp_path, "newmtl m\nNs 50\nKs 0.5 0.25 0\nmap_Kd quarters.png\n")
    mesh = load_mesh(path)
    (tmp_path / "o.glb").write_bytes(mesh_to_glb(mesh))
    loaded = load_mesh(tmp_path / "o.glb")
    assert loaded.materials[0].specular == pytest.approx(mesh.materials[0].specular)
    assert highlight(loaded.materials[0]).exponent == pytest.approx(50)
    assert loaded.not_drawn == ()


def test_materials_of_real_files_are_read_for_what_they_ask(shared: Path) -> None:
    def of(name: str, **axes: str) -> dict[str, Material]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MeshWarning)
            return {m.name: m for m in load_mesh(shared / "meshes" / name, **axes).materials}  # type: ignore[arg-type]

    assert highlight(of("banana/textured_simple_reoriented.obj")["material_0.016"]).is_matte  # Ks 1 and Ns 0
    assert highlight(of("ox/cow.obj")["material_1"]).is_matte  # Ks 0
    glasses = of("sunglasses/SunglassesKhronos.glb")
    assert glasses["lens_exterior"].specular == (0.0, 0.0, 0.0)  # an index of refraction of one
    assert glasses["lens_exterior"].not_drawn == ("iridescence", "transmission")
    assert glasses["temples"].metalness == 1.0
    bottle = of("water_bottle/WaterBottle.gltf")["BottleMat"]
    assert 0.5 < bottle.metalness < 0.75
    assert bottle.not_drawn == ("metallic-roughness map (its mean is used)", "normal map", "occlusion map")
    [box] = of("mailbox/postbox.dae", up="+z").values()
    assert peak(box) == pytest.approx([0.9 * 102.3 / 255] * 3, abs=1e-3)
    assert box.not_drawn == ("specular map (its mean is used)",)
    [ball] = of("soccer_ball/ball.dae", up="+z").values()
    assert highlight(ball).exponent == pytest.approx(192)
    assert peak(ball) == pytest.approx([0.5] * 3)
