"""Materials of Wavefront .mtl files, read for what their authors meant rather than by the letter.

* Colours are sRGB as authored; a neutral grey ``Kd`` beside a colour map is an exporter's default and darkens nothing.
* The alpha channel of ``map_Kd`` is no transparency without ``map_d``.
* ``Tr 1`` without ``d`` means opaque to those who write it; read as transparency the object would vanish.
* ``Ks`` is an amount, not a colour of paint: the highlight of a light of strength one peaks at it as it stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posetest.errors import MeshError
from posetest.scene.color import rgb, srgb_to_linear
from posetest.scene.files import find_beside, read_picture
from posetest.scene.material import Material, Texture, lobe_of_exponent

#: How many values follow an option of a map line.
_OPTION_VALUES = {
    "-blendu": 1, "-blendv": 1, "-bm": 1, "-boost": 1, "-cc": 1, "-clamp": 1, "-imfchan": 1,
    "-mm": 2, "-o": 3, "-s": 3, "-t": 3, "-texres": 1, "-type": 1,
}  # fmt: skip
_NOT_DRAWN = {
    "map_bump": "bump map", "bump": "bump map", "norm": "normal map", "map_kn": "normal map", "disp": "displacement",
    "map_disp": "displacement", "map_ks": "specular map", "map_ns": "shininess map", "refl": "reflection map",
    "map_refl": "reflection map", "map_pr": "roughness map", "map_pm": "metalness map", "map_ps": "sheen map",
    "decal": "decal", "map_tr": "transparency map (map_Tr)", "map_opacity": "transparency map (map_opacity)",
}  # fmt: skip
#: Values that ask for something where they are not zero.
_NOT_DRAWN_VALUES = {
    "pr": "roughness (Pr)", "pm": "metalness (Pm)", "ps": "sheen", "pc": "clearcoat", "aniso": "anisotropy",
}  # fmt: skip
#: Illumination models of the format that know no highlights, and those that trace rays.
_MATTE, _TRACED = (0, 1), {3: "reflection", 4: "glass", 5: "reflection", 6: "refraction", 7: "refraction",
                           8: "reflection", 9: "glass"}  # fmt: skip


@dataclass(frozen=True, eq=False)
class ObjMaterial:
    """A material, how its maps shift texture coordinates, and whether its colour picture could not be had."""

    material: Material
    uv_scale: tuple[float, float] = (1.0, 1.0)
    uv_offset: tuple[float, float] = (0.0, 0.0)
    is_lacking: bool = False


@dataclass(frozen=True)
class _Map:
    name: str
    options: dict[str, list[str]]


@dataclass(frozen=True)
class MtlBlock:
    """The lines of one material, by their lower-case key, and the file they stand in."""

    name: str
    values: dict[str, str]
    library: Path


def read_mtl(library: Path) -> dict[str, MtlBlock]:
    """What an .mtl file says, by material; no picture is opened yet."""
    data = library.read_bytes()
    utf16 = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if utf16 else "utf-8-sig" if _is_utf8(data) else "latin-1", errors="replace")
    blocks: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in text.splitlines():
        key, _, rest = line.strip().replace("\t", " ").partition(" ")
        if key.lower() == "newmtl":
            current = blocks.setdefault(rest.strip(), {})
        elif key and not key.startswith("#"):
            current[key.lower()] = rest.strip()
    return {name: MtlBlock(name or "material", values, library) for name, values in blocks.items()}


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _floats(text: str | None) -> list[float]:
    out = []
    for field in (text or "").split():
        try:
            out.append(float(field))
        except ValueError:
            break
    return [v for v in out if math.isfinite(v)]


def _color(text: str | None, default: float) -> tuple[float, float, float]:
    values = _floats(text)
    if not values:
        return default, default, default
    return rgb(values if len(values) >= 3 else values[:1] * 3)


def _map(text: str) -> _Map:
    """File name and options of a map line; the name may hold spaces, the values of ``-o -s -t`` may be fewer."""
    fields = text.split()
    options: dict[str, list[str]] = {}
    rest = text
    while fields and fields[0].lower() in _OPTION_VALUES:
        option = fields.pop(0).lower()
        rest = rest.split(None, 1)[1] if fields else ""
        for _ in range(_OPTION_VALUES[option]):
            if not fields or (option in ("-o", "-s", "-t") and not _floats(fields[0])):
                break
            options.setdefault(option, []).append(fields.pop(0))
            rest = rest.split(None, 1)[1] if fields else ""
    return _Map(rest.strip(), options)


def _alpha(values: dict[str, str]) -> float:
    opacity, transparency = _floats(values.get("d", "").replace("-halo", "")), _floats(values.get("tr"))
    if opacity:
        return min(max(opacity[0], 0.0), 1.0)
    if transparency and 0.0 < transparency[0] < 1.0:
        return 1.0 - transparency[0]
    return 1.0


def _picture(entry: _Map, library: Path, mesh: Path, material: str, notes: list[str]) -> NDArray[np.uint8] | None:
    found = find_beside(library, entry.name) or find_beside(mesh, entry.name)
    if found is None:
        notes.append(f'the picture "{entry.name}" of material "{material}" does not exist: drawn in plain colour')
        return None
    try:
        return read_picture(found)
    except MeshError as error:
        notes.append(f'material "{material}" is drawn in plain colour: {error}')
        return None


def _pair(values: list[str] | None, default: float) -> tuple[float, float]:
    numbers = _floats(" ".join(values or []))
    return (numbers[0] if numbers else default), (numbers[1] if len(numbers) > 1 else default)


def _shine(block: MtlBlock, mesh: Path) -> tuple[float, tuple[float, float, float], bool]:
    """Roughness, the specular reflectance whose highlight peaks at Ks, and whether the mean of map_Ks is in it.

    There is no highlight where the file gives no Ks or no Ns, or a matte illumination model.
    """
    values = block.values
    exponent, model, peak = _floats(values.get("ns")), _floats(values.get("illum")), _floats(values.get("ks"))
    is_matte = not exponent or not any(peak) or (len(model) > 0 and int(model[0]) in _MATTE)
    roughness, specular = lobe_of_exponent(exponent[0] if exponent else 0.0, _color(values.get("ks"), 0.0))
    if is_matte:
        return roughness, (0.0, 0.0, 0.0), False
    name = _map(values.get("map_ks", "")).name
    found = (find_beside(block.library, name) or find_beside(mesh, name)) if name else None
    try:
        image = None if found is None else read_picture(found)
    except MeshError:
        image = None  # not drawn, and listed so
    if image is None:
        return roughness, specular, False
    red, green, blue = image[..., :3].mean(axis=(0, 1)) / 255.0 * specular
    return roughness, (float(red), float(green), float(blue)), True


def _not_drawn(values: dict[str, str]) -> tuple[str, ...]:
    found = {words for key, words in _NOT_DRAWN.items() if values.get(key)}
    found |= {words for key, words in _NOT_DRAWN_VALUES.items() if any(_floats(values.get(key)))}
    if values.get("map_ka") and values["map_ka"] != values.get("map_kd"):
        found.add("ambient map")
    if len(set(_floats(values.get("tf"))[:3])) > 1 and _alpha(values) < 1.0:
        found.add("transmission colour")
    model = _floats(values.get("illum"))
    if model and int(model[0]) in _TRACED:
        found.add(f"{_TRACED[int(model[0])]} (illum {int(model[0])})")
    return tuple(sorted(found))


def obj_material(block: MtlBlock, mesh: Path, notes: list[str]) -> ObjMaterial:
    """The material of a block; pictures are sought beside its file, then beside the mesh."""
    values, library = block.values, block.library
    diffuse = _color(values.get("kd"), 0.8 if "map_kd" not in values else 1.0)
    glows = srgb_to_linear(_color(values.get("ke"), 0.0))
    roughness, specular, is_mean_used = _shine(block, mesh)
    not_drawn = _not_drawn(values)
    if is_mean_used:
        not_drawn = tuple(f"{text} (its mean is used)" if text == "specular map" else text for text in not_drawn)
    material = Material(
        name=block.name,
        emissive=rgb(glows.tolist()),
        roughness=roughness,
        specular=specular,
        not_drawn=not_drawn,
    )
    out = ObjMaterial(material)
    image = None
    wrap = "repeat"
    if values.get("map_kd"):
        entry = _map(values["map_kd"])
        wrap = "clamp" if entry.options.get("-clamp", [""])[0].lower() == "on" else "repeat"
        image = _picture(entry, library, mesh, material.name, notes)
        out = replace(
            out,
            uv_scale=_pair(entry.options.get("-s"), 1.0),
            uv_offset=_pair(entry.options.get("-o"), 0.0),
            is_lacking=image is None,
        )
    if image is not None and diffuse[0] == diffuse[1] == diffuse[2]:
        if diffuse[0] == 0.0:
            notes.append(f'material "{material.name}" multiplies its picture by black (Kd 0 0 0)')
        else:
            diffuse = (1.0, 1.0, 1.0)
    alpha = _alpha(values)
    if alpha == 0.0:
        notes.append(f'material "{material.name}" is wholly transparent (d 0): its faces do not show')
    if image is not None and alpha < 1.0 and not values.get("map_d"):
        image = np.dstack([image[..., :3], np.full(image.shape[:2], 255, dtype=np.uint8)])
    if values.get("map_d"):
        image = _with_alpha(image, _picture(_map(values["map_d"]), library, mesh, material.name, notes))
    glow_image = None
    if values.get("map_ke"):
        glow_image = _picture(_map(values["map_ke"]), library, mesh, material.name, notes)
        if glow_image is not None and not any(material.emissive):
            material = replace(material, emissive=(1.0, 1.0, 1.0))
    red, green, blue = rgb(srgb_to_linear(diffuse).tolist())
    is_clamped = wrap == "clamp"
    return replace(
        out,
        material=replace(
            material,
            base_color=(red, green, blue, alpha),
            texture=None if image is None else _texture(image, is_clamped),
            emissive_texture=None if glow_image is None else _texture(glow_image, is_clamped),
            alpha_mode="blend" if alpha < 1.0 or (values.get("map_d") and image is not None) else "opaque",
        ),
    )


def _texture(image: NDArray[np.uint8], is_clamped: bool) -> Texture:
    return Texture(image, "clamp", "clamp") if is_clamped else Texture(image)


def _with_alpha(image: NDArray[np.uint8] | None, mask: NDArray[np.uint8] | None) -> NDArray[np.uint8] | None:
    """``image`` with the alpha that ``mask`` means: its alpha channel if it has one, else its brightness."""
    if mask is None:
        return image
    from PIL import Image

    alpha = mask[..., 3] if mask[..., 3].min() < 255 else mask[..., :3].mean(axis=2).round().astype(np.uint8)
    if image is None:
        image = np.full((*alpha.shape, 4), 255, dtype=np.uint8)
    elif alpha.shape != image.shape[:2]:
        size = (image.shape[1], image.shape[0])
        alpha = np.asarray(Image.fromarray(alpha).resize(size, Image.Resampling.BILINEAR))
    return np.dstack([image[..., :3], alpha])
