"""Materials and textures as the renderers read them: plain data, no file access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Wrap = Literal["repeat", "clamp", "mirror"]
AlphaMode = Literal["opaque", "mask", "blend"]

#: ``Material.specular`` of glTF materials that say nothing about it.
GLTF_SPECULAR = (0.04, 0.04, 0.04)


@dataclass(frozen=True, eq=False)
class Texture:
    """A colour image.

    Attributes:
        image: uint8 [h, w, 4], sRGB colour and linear alpha; row 0 is the top of the picture, which is v = 1.
        wrap_u, wrap_v: what lies outside [0, 1].
    """

    image: NDArray[np.uint8]
    wrap_u: Wrap = "repeat"
    wrap_v: Wrap = "repeat"


@dataclass(frozen=True, eq=False)
class Material:
    """How a part of a mesh looks.

    The base colour is ``base_color`` (linear RGBA) times the texture (sRGB, decoded to linear) times the vertex
    colour (linear).

    Attributes:
        base_color: linear RGBA factor, each in [0, 1].
        texture: colour map, or None.
        alpha_mode: "opaque" ignores every alpha; "mask" draws where alpha >= ``alpha_cutoff``; "blend" mixes.
        two_sided: draw back faces too, with the normal turned to the viewer.
        emissive: linear RGB added unlit.
        roughness, metalness: as in glTF 2.0; for OBJ derived from Ns.
        specular: linear RGB reflectance, seen head-on, of what is not metal: 0.04 for glTF, for OBJ such that the
            highlight peaks at Ks.
        not_drawn: what the file asks for and this package does not draw ("normal map", "transmission" ...).
    """

    name: str = "material"
    base_color: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)
    texture: Texture | None = None
    alpha_mode: AlphaMode = "opaque"
    alpha_cutoff: float = 0.5
    two_sided: bool = False
    emissive: tuple[float, float, float] = (0.0, 0.0, 0.0)
    emissive_texture: Texture | None = None
    roughness: float = 1.0
    metalness: float = 0.0
    specular: tuple[float, float, float] = (0.0, 0.0, 0.0)
    not_drawn: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Highlight:
    """How a material reflects light, made ready for shading.

    A light of strength s in direction l, seen from v, with n the normal and h halfway between l and v, adds

        s (n.l)+ [ base (1 - metalness) + (specular + base metalness) scale (n.h)+^exponent ]

    and ambient light a adds a (base + specular). Blinn's lobe with its energy kept by scale = (exponent + 8) / 8.

    Source: Blinn, Models of light reflection for computer synthesized pictures, SIGGRAPH 1977; the exponent of a
    roughness: Walter et al., Microfacet models for refraction through rough surfaces, EGSR 2007, section 5.2.

    Attributes:
        metalness: the part of the reflection that takes the base colour, in [0, 1].
        exponent, scale: of the lobe.
        specular: linear RGB, already without the metallic part.
    """

    metalness: float
    exponent: float
    scale: float
    specular: tuple[float, float, float]

    @property
    def is_matte(self) -> bool:
        """Nothing but diffuse reflection."""
        return self.metalness == 0.0 and not any(self.specular)


#: Sharpest highlight, as an exponent: a sharper one falls between the pixels' centres.
MAX_EXPONENT = 1000.0


def highlight(material: Material) -> Highlight:
    """The lobe of ``material``; a non-metal whose exponent is below one (roughness over 0.9) is drawn matte."""
    width = max(material.roughness, 1e-3) ** 4
    exponent = min(max(2.0 / width - 2.0, 0.0), MAX_EXPONENT)
    rest = 0.0 if material.metalness == 0.0 and exponent < 1.0 else 1.0 - material.metalness
    red, green, blue = (rest * v for v in material.specular)
    return Highlight(material.metalness, exponent, (exponent + 8.0) / 8.0, (red, green, blue))


def lobe_of_exponent(exponent: float, peak: Sequence[float]) -> tuple[float, tuple[float, float, float]]:
    """The roughness and the specular reflectance whose ``highlight`` has ``exponent`` and peaks at ``peak``, RGB.

    For formats that give (n.h)^exponent instead of a roughness. An exponent above ``MAX_EXPONENT`` keeps its roughness
    and is drawn as that one, with the same peak.
    """
    exponent = max(exponent, 0.0)
    drawn = min(exponent, MAX_EXPONENT)
    red, green, blue = (min(max(8.0 * value / (drawn + 8.0), 0.0), 1.0) for value in peak)
    return float((2.0 / (exponent + 2.0)) ** 0.25), (red, green, blue)
