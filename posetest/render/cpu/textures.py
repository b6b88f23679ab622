"""Textures as the kernels read them: every mip level of every texture in one array of linear-light texels.

Each level carries a border of one texel, filled as the texture wraps. A sampler that has folded its coordinate into
[0, 1] then reads two by two texels without asking whether a neighbour lies across the border. Levels may have any
size: an odd side is halved with the three-tap box filter that keeps every texel's weight equal.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.scene.material import Texture, Wrap

#: Texels are stored as 16-bit linear light: half the memory traffic of float32, finer than any 8-bit sRGB step.
TEXEL_ONE = 65535.0

#: Codes of the wrap modes in the kernels.
WRAP_CODES: dict[Wrap, int] = {"repeat": 0, "clamp": 1, "mirror": 2}


class TextureAtlas(NamedTuple):
    """All textures of a mesh.

    Attributes:
        texels: uint16 [t * 4], linear RGBA, levels row after row with their borders.
        levels: int32 [l, 4], for each level its first texel, width, height and row length (width + 2).
        first_level: int32 [m], where each texture's levels start.
        last_level: int32 [m], how many levels it has, less one.
    """

    texels: NDArray[np.uint16]
    levels: NDArray[np.int32]
    first_level: NDArray[np.int32]
    last_level: NDArray[np.int32]


def srgb_to_linear(encoded: NDArray[np.float64]) -> NDArray[np.float64]:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """sRGB of linear light in [0, 1] (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)


def build_atlas(textures: list[tuple[Texture | None, bool]], is_encoded: bool = False) -> TextureAtlas:
    """The atlas of ``textures``: pairs of a texture, or None for plain white, and whether its alpha is used.

    ``is_encoded``: texels are kept as they are in the picture instead of as linear light.
    """
    texels: list[NDArray[np.uint16]] = []
    levels: list[tuple[int, int, int, int]] = []
    first_level, last_level, start = [], [], 0
    for texture, is_alpha_used in textures:
        chain = _mip_chain(_float_rgba(texture, is_encoded), is_alpha_used)
        first_level.append(len(levels))
        last_level.append(len(chain) - 1)
        for level in chain:
            height, width = level.shape[:2]
            levels.append((start, width, height, width + 2))
            bordered = _with_border(level, texture)
            texels.append(np.rint(bordered * TEXEL_ONE).astype(np.uint16).reshape(-1))
            start += (width + 2) * (height + 2)
    return TextureAtlas(
        np.concatenate(texels),
        np.asarray(levels, dtype=np.int32).reshape(-1, 4),
        np.asarray(first_level, dtype=np.int32),
        np.asarray(last_level, dtype=np.int32),
    )


def _float_rgba(texture: Texture | None, is_encoded: bool) -> NDArray[np.float32]:
    if texture is None:
        return np.ones((1, 1, 4), dtype=np.float32)
    values = np.arange(256) / 255
    decode = (values if is_encoded else srgb_to_linear(values)).astype(np.float32)
    rgba = np.empty(texture.image.shape, dtype=np.float32)
    rgba[..., :3] = decode[texture.image[..., :3]]
    rgba[..., 3] = texture.image[..., 3].astype(np.float32) / 255
    return rgba


def _mip_chain(image: NDArray[np.float32], is_alpha_used: bool) -> list[NDArray[np.float32]]:
    """Level 0 to 1x1. Where alpha counts, colours are averaged by it: what is transparent lends no colour."""
    chain = [image]
    while max(chain[-1].shape[:2]) > 1:
        above = chain[-1]
        if not is_alpha_used:
            chain.append(_halve(_halve(above, 0), 1))
            continue
        weighted = above.copy()
        weighted[..., :3] *= above[..., 3:]
        below = _halve(_halve(weighted, 0), 1)
        plain = _halve(_halve(above, 0), 1)
        alpha = below[..., 3:]
        below[..., :3] = np.where(alpha > 1e-4, below[..., :3] / np.maximum(alpha, 1e-4), plain[..., :3])
        chain.append(np.clip(below, 0, 1))
    return chain


def _halve(image: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """``image`` with one side n made n // 2 (at least 1) by a box filter that weighs all its texels alike."""
    size = image.shape[axis]
    if size == 1:
        return image
    moved = np.moveaxis(image, axis, 0)
    half = size // 2
    if size % 2 == 0:
        halved = (moved[0::2] + moved[1::2]) * np.float32(0.5)
    else:
        place = np.arange(half, dtype=np.float32).reshape(-1, *[1] * (image.ndim - 1))
        halved = ((half - place) * moved[0:-1:2] + half * moved[1::2] + (place + 1) * moved[2::2]) / np.float32(size)
    return np.ascontiguousarray(np.moveaxis(halved.astype(np.float32), 0, axis))


def _with_border(level: NDArray[np.float32], texture: Texture | None) -> NDArray[np.float32]:
    wrap_u: Wrap = texture.wrap_u if texture is not None else "repeat"
    wrap_v: Wrap = texture.wrap_v if texture is not None else "repeat"
    rows = np.pad(level, ((1, 1), (0, 0), (0, 0)), mode="wrap" if wrap_v == "repeat" else "edge")
    return np.pad(rows, ((0, 0), (1, 1), (0, 0)), mode="wrap" if wrap_u == "repeat" else "edge")
