"""Small mesh files with known content, written by the tests."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

#: A tetrahedron with a corner for each axis: where a vertex ends up tells which axis became which.
CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 2, 0], [0, 0, 4]], dtype=np.float64)
FACES = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])

#: Two by two pixels, row 0 on top: red, green / blue, white.
QUARTERS = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [255, 255, 255]]], dtype=np.uint8)

CUBE = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], dtype=np.float64)
CUBE_QUADS = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]


def write_png(path: Path, pixels: np.ndarray = QUARTERS) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def png_bytes(pixels: np.ndarray = QUARTERS) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def obj_text(corners: np.ndarray = CORNERS, faces: Any = FACES) -> str:
    lines = [f"v {x} {y} {z}" for x, y, z in corners.tolist()]
    return "\n".join([*lines, *("f " + " ".join(str(i + 1) for i in face) for face in faces), ""])


def write_obj(path: Path, text: str, mtl: str | None = None) -> Path:
    path.write_text((f"mtllib {path.stem}.mtl\n" if mtl is not None else "") + text)
    if mtl is not None:
        path.with_suffix(".mtl").write_text(mtl)
    return path


#: A square in the xy plane that faces +z, its texture coordinates those of the picture, in the material "m".
SQUARE = """v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0
vt 0 0
vt 1 0
vt 1 1
vt 0 1
usemtl m
f 1/1 2/2 3/3 4/4
v 0 0 -1
f 1 4 5
"""


def write_square(folder: Path, mtl: str) -> Path:
    """SQUARE with a fin behind it, so that it is not flat, under the material file ``mtl``."""
    write_png(folder / "quarters.png")
    return write_obj(folder / "square.obj", SQUARE.replace("v 0 0 -1\nf 1 4 5\n", "v 0 0 -1\nf 1/1 4/4 5/1\n"), mtl)


class Gltf:
    """A glTF document that grows by arrays, one buffer."""

    def __init__(self) -> None:
        self.blob = b""
        self.doc: dict[str, Any] = {
            "asset": {"version": "2.0"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": []}],
            "accessors": [],
            "bufferViews": [],
        }

    def view(self, data: bytes) -> int:
        self.blob += b"\0" * (-len(self.blob) % 4)
        self.doc["bufferViews"].append({"buffer": 0, "byteOffset": len(self.blob), "byteLength": len(data)})
        self.blob += data
        return len(self.doc["bufferViews"]) - 1

    def array(self, values: Any, dtype: str = "<f4", **more: Any) -> int:
        data = np.ascontiguousarray(values, dtype=dtype)
        component = {"<f4": 5126, "<u2": 5123, "<u4": 5125, "u1": 5121}[dtype]
        kind = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}[1 if data.ndim == 1 else data.shape[1]]
        entry = {"bufferView": self.view(data.tobytes()), "componentType": component, "count": len(data), "type": kind}
        self.doc["accessors"].append(entry | more)
        return len(self.doc["accessors"]) - 1

    def primitive(self, positions: Any = CORNERS, faces: Any = FACES, **more: Any) -> dict[str, Any]:
        entry: dict[str, Any] = {"attributes": {"POSITION": self.array(positions)}}
        if faces is not None:
            entry["indices"] = self.array(np.reshape(faces, -1), "<u2")
        self.doc["meshes"][0]["primitives"].append(entry | more)
        return self.doc["meshes"][0]["primitives"][-1]

    def texture(self, pixels: np.ndarray = QUARTERS, **sampler: int) -> int:
        for key in ("images", "textures", "samplers"):
            self.doc.setdefault(key, [])
        self.doc["images"].append({"bufferView": self.view(png_bytes(pixels)), "mimeType": "image/png"})
        self.doc["samplers"].append(sampler)
        self.doc["textures"].append({"source": len(self.doc["images"]) - 1, "sampler": len(self.doc["samplers"]) - 1})
        return len(self.doc["textures"]) - 1

    def write(self, path: Path) -> Path:
        doc = json.loads(json.dumps(self.doc))
        blob = self.blob + b"\0" * (-len(self.blob) % 4)
        doc["buffers"] = [{"byteLength": len(self.blob)}]
        if path.suffix == ".gltf":
            doc["buffers"][0]["uri"] = path.stem + ".bin"
            path.with_suffix(".bin").write_bytes(blob)
            path.write_text(json.dumps(doc))
            return path
        text = json.dumps(doc).encode()
        text += b" " * (-len(text) % 4)
        chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(blob), b"BIN\0") + blob
        path.write_bytes(struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks)
        return path


def textured_square(gltf: Gltf, uv: Any = None, info: dict[str, Any] | None = None, **material: Any) -> None:
    """A square and a fin behind it in glTF; texture coordinates count from the upper left there."""
    corners = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, -1]]
    entry = gltf.primitive(corners, [[0, 1, 2], [0, 2, 3], [0, 3, 4]], material=0)
    uv = [[0, 1], [1, 1], [1, 0], [0, 0], [0, 1]] if uv is None else uv
    entry["attributes"]["TEXCOORD_0"] = gltf.array(uv)
    texture = gltf.texture()
    surface = {"baseColorTexture": {"index": texture} | (info or {})}
    gltf.doc["materials"] = [{"pbrMetallicRoughness": surface} | material]
