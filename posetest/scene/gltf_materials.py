"""Materials of glTF 2.0 files: factors, wrap modes, texture transforms, and in words what is not drawn.

Factors are linear, colour pictures sRGB. A material has one roughness and one metalness here: where the file has a map
of them, the map's mean multiplies the factors. Source: glTF 2.0 specification, section 3.9; KHR_texture_transform and
KHR_materials_emissive_strength, _ior, _specular, _unlit, _pbrSpecularGlossiness.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.errors import MeshError
from posetest.scene.color import rgb, srgb_to_linear
from posetest.scene.files import decode_picture, find_beside
from posetest.scene.material import GLTF_SPECULAR, AlphaMode, Material, Texture, Wrap
from posetest.scene.raw import Floats

Json = dict[str, Any]
_WRAPS: dict[int, Wrap] = {33071: "clamp", 33648: "mirror", 10497: "repeat"}
_ALPHA_MODES: dict[str, AlphaMode] = {"OPAQUE": "opaque", "MASK": "mask", "BLEND": "blend"}
_READ = {f"KHR_materials_{name}" for name in ("emissive_strength", "ior", "specular", "unlit", "pbrSpecularGlossiness")}
_MEAN_USED = "its mean is used"


@dataclass(frozen=True, eq=False)
class GltfMaterial:
    """A material, the texture coordinate set it reads and how it transforms it."""

    material: Material
    uv_set: int = 0
    offset: tuple[float, float] = (0.0, 0.0)
    rotation: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    is_lacking: bool = False

    def map_uv(self, uv: Floats) -> Floats:
        """Texture coordinates with the lower left as origin, from glTF's (upper left), float64 [n, 2]."""
        u, v = uv[:, 0] * self.scale[0], uv[:, 1] * self.scale[1]
        c, s = math.cos(self.rotation), math.sin(self.rotation)
        u, v = c * u + s * v + self.offset[0], -s * u + c * v + self.offset[1]
        return np.stack([u, 1.0 - v], axis=1)


def read_materials(path: Path, header: Json, buffers: list[bytes], notes: list[str]) -> list[GltfMaterial]:
    """The materials of the file, and glTF's default material (white) as the last one.

    Pictures of materials that no primitive uses are not opened.
    """
    pictures = _Pictures(path, header, buffers, notes)
    primitives = [p for mesh in header["meshes"] for p in mesh["primitives"]]
    used = {p.get("material") for p in primitives}
    colored = {p.get("material") for p in primitives if "COLOR_0" in p["attributes"]}
    out = []
    for i, entry in enumerate(header.get("materials", [])):
        material = _material(i, entry if i in used else {}, pictures, notes)
        if "KHR_materials_unlit" in entry.get("extensions", {}):
            material = replace(material, material=_unlit(material.material, has_colors=i in colored))
        out.append(material)
    return [*out, GltfMaterial(Material(name="default", metalness=1.0, specular=GLTF_SPECULAR))]


class _Pictures:
    """The file's textures, each decoded once and only when a drawn map asks for it."""

    def __init__(self, path: Path, header: Json, buffers: list[bytes], notes: list[str]) -> None:
        self.path, self.header, self.buffers, self.notes = path, header, buffers, notes
        self.textures: dict[int, Texture | None] = {}
        self.images: dict[int, NDArray[np.uint8] | None] = {}

    def texture(self, index: int) -> Texture | None:
        """Texture ``index``, or None where its picture cannot be had."""
        if index not in self.textures:
            entry = self.header["textures"][index]
            image = self._image_of(entry)
            sampler = self.header["samplers"][entry["sampler"]] if "sampler" in entry else {}
            u, v = (_WRAPS.get(sampler.get(key, 10497), "repeat") for key in ("wrapS", "wrapT"))
            self.textures[index] = None if image is None else Texture(image, u, v)
        return self.textures[index]

    def _image_of(self, entry: Json) -> NDArray[np.uint8] | None:
        extensions = entry.get("extensions", {})
        source = extensions.get("EXT_texture_webp", entry).get("source", entry.get("source"))
        if source is None:
            kind = "KTX2" if "KHR_texture_basisu" in extensions else "unknown"
            self.notes.append(f"a picture is there only in a format that is not read ({kind}): drawn in plain colour")
            return None
        if source not in self.images:
            image = self.header["images"][source]
            try:
                self.images[source] = decode_picture(self._bytes(image))
            except MeshError as error:
                name = image.get("uri", image.get("name", source))
                name = name if len(str(name)) < 200 else source
                self.notes.append(f'the picture "{name}" is not drawn: {error}')
                self.images[source] = None
        return self.images[source]

    def _bytes(self, image: Json) -> bytes:
        from posetest.scene.gltf import data_uri

        if "bufferView" in image:
            view = self.header["bufferViews"][image["bufferView"]]
            start = int(view.get("byteOffset", 0))
            blob: bytes = self.buffers[view["buffer"]]
            return blob[start : start + int(view["byteLength"])]
        uri = image["uri"]
        if uri.startswith("data:"):
            return data_uri(str(uri))
        found = find_beside(self.path, uri)
        if found is None:
            raise MeshError("the file does not exist")
        return found.read_bytes()


def _set_of(info: Json) -> tuple[Any, ...]:
    """Texture coordinate set and transform of a texture reference."""
    transform = info.get("extensions", {}).get("KHR_texture_transform", {})
    return (
        transform.get("texCoord", info.get("texCoord", 0)),
        tuple(transform.get("offset", (0.0, 0.0))),
        transform.get("rotation", 0.0),
        tuple(transform.get("scale", (1.0, 1.0))),
    )


def _material(number: int, entry: Json, pictures: _Pictures, notes: list[str]) -> GltfMaterial:
    name = str(entry.get("name") or f"material {number}")
    extensions: Json = entry.get("extensions", {})
    surface: Json = entry.get("pbrMetallicRoughness", {})
    factor, base = surface.get("baseColorFactor", (1.0, 1.0, 1.0, 1.0)), surface.get("baseColorTexture")
    gloss = extensions.get("KHR_materials_pbrSpecularGlossiness")
    if gloss is not None and "pbrMetallicRoughness" not in entry:
        factor, base = gloss.get("diffuseFactor", (1.0, 1.0, 1.0, 1.0)), gloss.get("diffuseTexture")
    glow_info = entry.get("emissiveTexture")
    strength = extensions.get("KHR_materials_emissive_strength", {}).get("emissiveStrength", 1.0)
    emissive = rgb(strength * v for v in entry.get("emissiveFactor", (0.0, 0.0, 0.0)))
    shine = _shine(entry, surface, extensions, pictures)
    not_drawn = [*_not_drawn(entry, extensions), *shine.not_drawn]
    texture = None if base is None else pictures.texture(base["index"])
    glow = None
    if glow_info is not None and any(emissive):
        if base is not None and _set_of(glow_info) != _set_of(base):
            not_drawn.append("emissive texture (it has texture coordinates of its own)")
            emissive = (0.0, 0.0, 0.0)
        else:
            glow = pictures.texture(glow_info["index"])
            if glow is None:
                emissive = (0.0, 0.0, 0.0)  # a glow without its picture would cover the whole part
    mode = entry.get("alphaMode", "OPAQUE")
    if mode not in _ALPHA_MODES:
        notes.append(f'material "{name}" has the unknown alphaMode "{mode}": drawn opaque')
    red, green, blue = rgb(factor)
    alpha = float(min(max(factor[3], 0.0), 1.0)) if len(factor) > 3 else 1.0
    material = Material(
        name=name,
        base_color=(red, green, blue, alpha),
        texture=texture,
        alpha_mode=_ALPHA_MODES.get(mode, "opaque"),
        alpha_cutoff=float(entry.get("alphaCutoff", 0.5)),
        two_sided=bool(entry.get("doubleSided", False)),
        emissive=emissive,
        emissive_texture=glow,
        roughness=shine.roughness,
        metalness=shine.metalness,
        specular=shine.specular,
        not_drawn=tuple(sorted(set(not_drawn))),
    )
    out = GltfMaterial(material, is_lacking=base is not None and texture is None)
    leader = base if base is not None else glow_info
    if leader is None:
        return out
    uv_set, offset, rotation, scale = _set_of(leader)
    return replace(out, uv_set=int(uv_set), offset=offset, rotation=float(rotation), scale=scale)


@dataclass(frozen=True)
class _Shine:
    """How a material reflects, and what it asks for besides."""

    roughness: float
    metalness: float
    specular: tuple[float, float, float]
    not_drawn: tuple[str, ...]


def _shine(entry: Json, surface: Json, extensions: Json, pictures: _Pictures) -> _Shine:
    gloss = extensions.get("KHR_materials_pbrSpecularGlossiness")
    if gloss is not None and "pbrMetallicRoughness" not in entry:
        mean, words = _mean(gloss, "specularGlossinessTexture", "specular-glossiness map", pictures)
        factor = gloss.get("specularFactor", (1.0, 1.0, 1.0))
        specular = rgb(v * m for v, m in zip(factor, mean, strict=False))
        return _Shine(_unit(1.0 - mean[3] * gloss.get("glossinessFactor", 1.0)), 0.0, specular, words)
    mean, words = _mean(surface, "metallicRoughnessTexture", "metallic-roughness map", pictures, is_color=False)
    usual = GLTF_SPECULAR[0]
    if "ior" in extensions.get("KHR_materials_ior", {}):
        ior = max(float(extensions["KHR_materials_ior"]["ior"]), 0.0)
        usual = ((ior - 1.0) / (ior + 1.0)) ** 2
    layer = extensions.get("KHR_materials_specular", {})
    head_on = [usual * v for v in layer.get("specularColorFactor", (1.0, 1.0, 1.0))]
    specular = rgb(layer.get("specularFactor", 1.0) * min(v, 1.0) for v in head_on)
    maps = (("specularTexture", "specular map"), ("specularColorTexture", "specular colour map"))
    return _Shine(
        _unit(mean[1] * surface.get("roughnessFactor", 1.0)),
        _unit(mean[2] * surface.get("metallicFactor", 1.0)),
        specular,
        (*words, *(text for key, text in maps if key in layer)),
    )


def _unit(value: float) -> float:
    return float(min(max(value, 0.0), 1.0))


def _mean(
    owner: Json, key: str, name: str, pictures: _Pictures, *, is_color: bool = True
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """The mean RGBA over the whole of a map (of linear light where it is a colour), and words for what is not drawn."""
    if key not in owner:
        return (1.0, 1.0, 1.0, 1.0), ()
    texture = pictures.texture(owner[key]["index"])
    if texture is None:
        return (1.0, 1.0, 1.0, 1.0), (name,)
    red, green, blue, alpha = np.moveaxis(texture.image, 2, 0)
    decode = srgb_to_linear(np.arange(256) / 255.0) if is_color else np.arange(256) / 255.0
    mean = (*(float(decode[channel].mean()) for channel in (red, green, blue)), float(alpha.mean()) / 255.0)
    return mean, (f"{name} ({_MEAN_USED})",)


def _unlit(material: Material, *, has_colors: bool) -> Material:
    """``material`` drawn in its base colour whatever the light: it glows and reflects nothing.

    The extension has every map but that of the base colour ignored, so that nothing else is asked for.
    """
    return replace(
        material,
        base_color=(0.0, 0.0, 0.0, material.base_color[3]),
        emissive=material.base_color[:3],
        emissive_texture=material.texture,
        roughness=1.0,
        metalness=0.0,
        specular=(0.0, 0.0, 0.0),
        not_drawn=("vertex colours (unlit)",) if has_colors else (),
    )


def _not_drawn(entry: Json, extensions: Json) -> list[str]:
    maps = (("normalTexture", "normal map"), ("occlusionTexture", "occlusion map"))
    words = [text for key, text in maps if key in entry]
    names = [name for name in sorted(extensions) if name not in _READ]
    return [*words, *(name.removeprefix("KHR_materials_").replace("_", " ") for name in names)]
