"""Materials and textures as the renderers read them: plain data, no file access."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Wrap = Literal["repeat", "clamp", "mirror"]
AlphaMode = Literal["opaque", "mask", "blend"]


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
        roughness, metalness: as in glTF 2.0; for OBJ derived from Ks and Ns.
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
    not_drawn: tuple[str, ...] = field(default=())
