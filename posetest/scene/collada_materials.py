"""Materials of Collada files: colours, highlights, transparency, and in words what is not drawn.

* Colours are sRGB as authored; amounts of reflection are taken as they stand, as those of OBJ's Ks. Of a map of them
  the mean is used.
* <phong> raises the cosine between mirrored light and viewer to its exponent, our lobe and <blinn> that between normal
  and halfway vector, which is as narrow with four times the exponent.
* What is wholly transparent by the letter is opaque to the exporters that write so; the object would vanish.

Source: COLLADA 1.4.1, chapter 4, "Determining transparency", and chapter 8, <phong>, <blinn>, <transparent>.
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
from posetest.scene.files import find_beside, read_picture
from posetest.scene.material import Material, Texture, Wrap, lobe_of_exponent

_WRAPS: dict[str, Wrap] = {"WRAP": "repeat", "MIRROR": "mirror", "CLAMP": "clamp", "BORDER": "clamp"}
#: What the exponent of a shading model is to be multiplied by to mean the cosine with the halfway vector.
_TO_HALFWAY = {"phong": 4.0, "blinn": 1.0}
#: Names of the maps in the extensions of exporters.
_EXTRA_MAPS = {"bump": "bump map", "specularLevel": "specular map", "normal": "normal map"}


@dataclass(frozen=True, eq=False)
class _Map:
    """A map that pycollada did not make out, in the form of its own."""

    sampler: Any


class DaeMaterials:
    """Makes the materials of one file; pictures are read once. ``notes`` gains what was lost or doubted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._pictures: dict[str, NDArray[np.uint8] | None] = {}
        self._materials: dict[int, Material] = {}

    def material(self, effect: Any, name: str) -> Material:
        """The material of a pycollada Effect, named ``name``."""
        if id(effect) not in self._materials:
            self._materials[id(effect)] = self._made(effect)
        return replace(self._materials[id(effect)], name=name)

    def is_lacking(self, effect: Any) -> bool:
        """Whether the file names a colour picture for the effect that could not be had."""
        return _is_map(effect.diffuse) and self._picture(effect.diffuse) is None

    def _made(self, effect: Any) -> Material:
        words = _not_drawn(effect)
        exponent, peak, level = _number(effect.shininess), _color(effect.specular), _specular_map(effect)
        image = None if level is None else self._picture(level)
        if image is not None:
            mean = image[..., :3].mean(axis=(0, 1)) / 255.0
            peak = tuple((mean if peak is None else mean * peak[:3]).tolist())
            words = tuple(sorted({*words, "specular map (its mean is used)"} - {"specular map"}))
        roughness, reflectance = 1.0, (0.0, 0.0, 0.0)
        if exponent is not None and peak is not None and effect.shadingtype in _TO_HALFWAY:
            roughness, reflectance = lobe_of_exponent(exponent * _TO_HALFWAY[effect.shadingtype], peak[:3])
        red, green, blue = _linear(_color(effect.diffuse), 1.0)
        if effect.shadingtype == "constant":  # it has no diffuse part: what it shows is its emission
            red, green, blue = 0.0, 0.0, 0.0
        glow = self._texture(effect.emission)
        material = Material(
            base_color=(red, green, blue, 1.0),
            texture=self._texture(effect.diffuse),
            emissive=_linear(_color(effect.emission), 0.0 if glow is None else 1.0),
            emissive_texture=glow,
            roughness=roughness,
            specular=reflectance,
            not_drawn=words,
        )
        return self._with_transparency(effect, material)

    def _with_transparency(self, effect: Any, material: Material) -> Material:
        element, texture = effect.xmlnode.find(".//{*}transparent"), material.texture
        mode = "A_ONE" if element is None else str(element.get("opaque", "A_ONE"))
        if _is_map(effect.transparent):
            is_own = _is_map(effect.diffuse) and _name(effect.transparent) == _name(effect.diffuse)
            if mode != "A_ONE" or not is_own or texture is None:
                return replace(material, not_drawn=tuple(sorted({*material.not_drawn, "transparency map"})))
            return replace(material, alpha_mode="blend") if texture.image[..., 3].min() < 255 else material
        color = _color(effect.transparent)
        if color is None:
            if mode != "A_ONE":
                return material
            color = (1.0, 1.0, 1.0, 1.0)
        # pycollada fills in an amount of its own where the file has none
        has_amount = effect.xmlnode.find(".//{*}transparency") is not None
        amount = _number(effect.transparency) if has_amount else 1.0
        opacity = (1.0 if amount is None else amount) * (_luminance(color) if mode.startswith("RGB") else color[3])
        opacity = min(max(1.0 - opacity if mode.endswith("ZERO") else opacity, 0.0), 1.0)
        if opacity == 0.0:
            self.notes.append("a material is wholly transparent by the letter of the file: drawn opaque")
        if opacity in (0.0, 1.0):
            return material
        if texture is not None:  # the picture's own alpha is not what the file asks for
            solid = np.full(texture.image.shape[:2], 255, dtype=np.uint8)
            texture = replace(texture, image=np.dstack([texture.image[..., :3], solid]))
        base = (*material.base_color[:3], opacity)
        return replace(material, base_color=base, texture=texture, alpha_mode="blend")

    def _texture(self, value: Any) -> Texture | None:
        image = self._picture(value) if _is_map(value) else None
        if image is None:
            return None
        u, v = (value.sampler.xmlnode.find(f".//{{*}}{key}") for key in ("wrap_s", "wrap_t"))
        wrap_u, wrap_v = (_WRAPS.get((w.text or "").strip(), "repeat") if w is not None else "repeat" for w in (u, v))
        return Texture(image, wrap_u, wrap_v)

    def _picture(self, value: Any) -> NDArray[np.uint8] | None:
        name = _name(value)
        if name not in self._pictures:
            found, reason = find_beside(self.path, name), ""
            try:
                self._pictures[name] = None if found is None else read_picture(found)
            except MeshError as error:
                self._pictures[name], reason = None, f" ({error})"
            if self._pictures[name] is None:
                self.notes.append(f'the picture "{name}" does not exist or cannot be read: drawn without{reason}')
        return self._pictures[name]


def _is_map(value: Any) -> bool:
    return hasattr(value, "sampler")


def _name(value: Any) -> str:
    return str(value.sampler.surface.image.path)


def _number(value: Any) -> float | None:
    """A number, also where it stands in a parameter, which pycollada hands over as a list."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    return value if isinstance(value, float) and math.isfinite(value) else None


def _color(value: Any) -> tuple[float, float, float, float] | None:
    """RGBA of a colour as the file has it; None where there is none, or a picture."""
    if not isinstance(value, tuple | list) or len(value) < 3:
        return None
    red, green, blue, alpha = (v if math.isfinite(v) else 0.0 for v in [*value, 1.0][:4])
    return red, green, blue, alpha


def _linear(color: tuple[float, ...] | None, absent: float) -> tuple[float, float, float]:
    """Linear RGB of an authored colour; ``absent`` thrice where there is none."""
    return (absent, absent, absent) if color is None else rgb(srgb_to_linear(np.clip(color[:3], 0.0, 1.0)).tolist())


def _luminance(color: tuple[float, ...]) -> float:
    return sum(weight * value for weight, value in zip((0.212671, 0.715160, 0.072169), color[:3], strict=True))


def _specular_map(effect: Any) -> Any:
    """The map of the highlight's strength: in the place of its colour, or beside it in 3ds Max's extension."""
    if _is_map(effect.specular):
        return effect.specular
    element = effect.xmlnode.find(".//{*}specularLevel/{*}texture")
    sampler = None if element is None else element.get("texture")
    return next((_Map(p) for p in effect.params if getattr(p, "id", None) == sampler and hasattr(p, "surface")), None)


def _not_drawn(effect: Any) -> tuple[str, ...]:
    maps = (("specular", "specular map"), ("shininess", "shininess map"), ("reflective", "reflection map"))
    found = {text for key, text in maps if _is_map(getattr(effect, key))}
    if _is_map(effect.ambient) and not (_is_map(effect.diffuse) and _name(effect.ambient) == _name(effect.diffuse)):
        found.add("ambient map")
    for element in effect.xmlnode.iterfind(".//{*}extra//*"):
        if any(_tag(child) == "texture" for child in element):
            found.add(_EXTRA_MAPS.get(_tag(element), f"{_tag(element)} map"))
    mirrored = _color(effect.reflective)
    if mirrored is not None and any(mirrored[:3]) and _number(effect.reflectivity) != 0.0:
        found.add("reflection")
    return tuple(sorted(found))


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
