"""Meshes written as binary glTF, the same bytes on every machine.

Pictures are compressed by a small encoder of our own: the output of zlib depends on its version and maker, so that a
rebuilt file could differ from the committed one without any difference in content. Formats: glTF 2.0, PNG (RFC 2083),
DEFLATE (RFC 1951).
"""

from __future__ import annotations

import json
import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.scene.material import GLTF_SPECULAR
from posetest.scene.mesh import Mesh

_SPECULAR = "KHR_materials_specular"
_LENGTH_BASE = (
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    13,
    15,
    17,
    19,
    23,
    27,
    31,
    35,
    43,
    51,
    59,
    67,
    83,
    99,
    115,
    131,
    163,
    195,
    227,
    258,
)
_LENGTH_EXTRA = (0,) * 8 + (1,) * 4 + (2,) * 4 + (3,) * 4 + (4,) * 4 + (5,) * 4 + (0,)


def mesh_to_glb(mesh: Mesh) -> bytes:
    """The mesh as a GLB file: one node, one primitive per material, pictures inside as PNG.

    Vertex colours are left out; base colour, texture, emissive factor, reflection and two-sidedness are kept.
    """
    blob = bytearray()
    views: list[dict[str, Any]] = []
    accessors: list[dict[str, Any]] = []

    def view(data: bytes, target: int | None = None) -> int:
        blob.extend(b"\0" * (-len(blob) % 4))
        entry: dict[str, Any] = {"buffer": 0, "byteOffset": len(blob), "byteLength": len(data)}
        if target is not None:
            entry["target"] = target
        blob.extend(data)
        views.append(entry)
        return len(views) - 1

    def accessor(array: NDArray[Any], kind: str, component: int, target: int, *, bounds: bool = False) -> int:
        entry: dict[str, Any] = {"bufferView": view(array.tobytes(), target), "componentType": component}
        entry |= {"count": len(array), "type": kind}
        if bounds:
            entry |= {"min": [float(v) for v in array.min(axis=0)], "max": [float(v) for v in array.max(axis=0)]}
        accessors.append(entry)
        return len(accessors) - 1

    primitives = []
    for m in range(len(mesh.materials)):
        mine = mesh.face_material == m
        if not mine.any():
            continue
        corners = np.concatenate(
            [
                mesh.verts_obj[mesh.faces[mine]].reshape(-1, 3),
                mesh.normals[mine].reshape(-1, 3),
                mesh.uv[mine].reshape(-1, 2) * np.array([1, -1], dtype=np.float32) + np.array([0, 1], dtype=np.float32),
            ],
            axis=1,
        ).astype("<f4")
        unique, index = np.unique(corners, axis=0, return_inverse=True)
        small = len(unique) < 65535
        attributes = {
            "POSITION": accessor(unique[:, :3], "VEC3", 5126, 34962, bounds=True),
            "NORMAL": accessor(unique[:, 3:6], "VEC3", 5126, 34962),
            "TEXCOORD_0": accessor(unique[:, 6:], "VEC2", 5126, 34962),
        }
        indices = accessor(
            index.reshape(-1).astype("<u2" if small else "<u4"), "SCALAR", 5123 if small else 5125, 34963
        )
        primitives.append({"attributes": attributes, "indices": indices, "material": m, "mode": 4})

    textures = {id(m.texture): m.texture for m in mesh.materials if m.texture is not None}
    slot = {key: i for i, key in enumerate(textures)}
    images = [{"bufferView": view(png(t.image[..., :3])), "mimeType": "image/png"} for t in textures.values()]
    materials = []
    for material in mesh.materials:
        surface: dict[str, Any] = {
            "baseColorFactor": list(material.base_color),
            "metallicFactor": material.metalness,
            "roughnessFactor": material.roughness,
        }
        if material.texture is not None:
            surface["baseColorTexture"] = {"index": slot[id(material.texture)]}
        entry: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": surface}
        if any(material.emissive):
            entry["emissiveFactor"] = list(material.emissive)
        if material.two_sided:
            entry["doubleSided"] = True
        if material.specular != GLTF_SPECULAR:
            ratio = [value / usual for value, usual in zip(material.specular, GLTF_SPECULAR, strict=True)]
            entry["extensions"] = {_SPECULAR: {"specularColorFactor": ratio}}
        materials.append(entry)
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "posetest.objects"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": mesh.name}],
        "meshes": [{"name": mesh.name, "primitives": primitives}],
        "materials": materials,
        "textures": [{"sampler": 0, "source": i} for i in range(len(images))],
        "samplers": [{"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}],
        "images": images,
        "accessors": accessors,
        "bufferViews": views,
        "buffers": [{"byteLength": len(blob) + -len(blob) % 4}],
    }
    if any("extensions" in entry for entry in materials):
        document["extensionsUsed"] = [_SPECULAR]
    text = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    text += b" " * (-len(text) % 4)
    blob.extend(b"\0" * (-len(blob) % 4))
    total = 12 + 8 + len(text) + 8 + len(blob)
    header = struct.pack("<4sII", b"glTF", 2, total)
    return header + struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob


def png(image: NDArray[np.uint8]) -> bytes:
    """An 8-bit RGB picture, uint8 [h, w, 3], as a PNG file."""
    rows, columns = image.shape[:2]
    above = np.concatenate([np.zeros((1, columns, 3), dtype=np.uint8), image[:-1]])
    lines = np.concatenate([np.full((rows, 1), 2, dtype=np.uint8), (image - above).reshape(rows, -1)], axis=1)
    raw = lines.tobytes()
    stream = b"\x78\x01" + _deflate(np.frombuffer(raw, dtype=np.uint8)) + struct.pack(">I", zlib.adler32(raw))
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", stream) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _deflate(data: NDArray[np.uint8]) -> bytes:
    """One DEFLATE block with the fixed codes whose only matches repeat the pixel before (distance 3).

    After the "up" filter painted surfaces are runs of one pixel, and little more could be gained from them.
    """
    repeats = np.zeros(len(data) + 1, dtype=bool)
    repeats[3:-1] = data[3:] == data[:-3]
    edges = np.flatnonzero(np.diff(repeats.astype(np.int8), prepend=0))
    codes: list[tuple[int, int]] = [(1, 1), (1, 2)]  # final block, fixed codes
    position = 0
    for start, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        if stop - start < 6:
            continue
        codes += [_LITERAL[b] for b in data[position:start].tolist()]
        left = stop - start
        while left >= 3:
            length = min(left, 258) if left - min(left, 258) not in (1, 2) else left - 3
            codes += _MATCH[length]
            left -= length
        position = stop
    codes += [_LITERAL[b] for b in data[position:].tolist()]
    codes.append((0, 7))  # end of block
    values, sizes = np.array(codes, dtype=np.int64).T
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    bits = np.zeros(int(offsets[-1]), dtype=np.uint8)
    for k in range(int(sizes.max())):
        has = sizes > k
        bits[offsets[:-1][has] + k] = (values[has] >> k) & 1
    return np.packbits(bits, bitorder="little").tobytes()


def _fixed(symbol: int) -> tuple[int, int]:
    """The fixed code of a literal or length symbol as (bits in the order they are sent, lowest first; how many)."""
    for first, last, start, size in ((0, 143, 48, 8), (144, 255, 400, 9), (256, 279, 0, 7), (280, 287, 192, 8)):
        if first <= symbol <= last:
            return int(f"{start + symbol - first:0{size}b}"[::-1], 2), size
    raise ValueError(symbol)


def _match(length: int) -> list[tuple[int, int]]:
    """The codes of "repeat ``length`` bytes from 3 back"."""
    k = max(i for i, base in enumerate(_LENGTH_BASE) if base <= length)
    codes = [_fixed(257 + k)]
    if _LENGTH_EXTRA[k]:
        codes.append((length - _LENGTH_BASE[k], _LENGTH_EXTRA[k]))
    return [*codes, (int(f"{2:05b}"[::-1], 2), 5)]


_LITERAL = tuple(_fixed(symbol) for symbol in range(256))
_MATCH = {length: _match(length) for length in range(3, 259)}
