"""glTF 2.0 and GLB read into triangles.

trimesh decodes accessors, Draco and the scene graph. Before that the file is checked here, because trimesh (5.2.0)
takes indices and sizes on trust, gives zeros for Draco without its decoder, drops nodes with cameras, and says nothing
where there is no scene. What it gets is a header reduced to geometry: buffers by number, other texture coordinate sets
as attributes of their own, no materials (they are read in ``gltf_materials``, with what trimesh leaves out).
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import struct
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

from posetest.errors import MeshError, MissingDependencyError, require
from posetest.scene.files import find_beside
from posetest.scene.gltf_checks import check_accessors, check_nodes, version
from posetest.scene.gltf_materials import GltfMaterial, read_materials
from posetest.scene.raw import Floats, Raw, joined, part
from posetest.scene.readers import quiet

Json = dict[str, Any]
_TRIANGLES, _STRIP = 4, 5
_DRACO = "KHR_draco_mesh_compression"
#: Extensions that a file may require; those of materials are listed as not drawn where they are not.
_READ = {_DRACO, "KHR_texture_transform", "KHR_mesh_quantization", "EXT_texture_webp", "KHR_texture_basisu"}
_LARGEST = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}


def read_gltf(path: Path, notes: list[str]) -> Raw:
    """The triangles and materials of a glTF or GLB file; ``notes`` gains what was mended.

    Raises:
        MeshError: broken, of version 1, without a mesh, or of a feature that is not read.
    """
    try:
        return _read(path, notes)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise MeshError(f"{path}: broken glTF: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"the key {error} is missing"
    return str(error) or type(error).__name__


def _read(path: Path, notes: list[str]) -> Raw:
    header, chunk = _container(path)
    major = version(header)
    if major < 2:
        raise MeshError(f"{path}: glTF version {header['asset'].get('version')}; only 2.0 is read. Convert it")
    if not header.get("meshes"):
        check_nodes(path, header, notes)
        raise MeshError(f"{path}: no mesh in it (nodes: {len(header.get('nodes', []))}): nothing to draw")
    unknown = [e for e in header.get("extensionsRequired", []) if e not in _READ and not e.startswith("KHR_materials")]
    if unknown:
        raise MeshError(f"{path}: it requires {', '.join(unknown)}, which is not supported; export it without")
    buffers = _buffers(path, header, chunk)
    materials = read_materials(path, header, buffers, notes)
    reduced, primitives = _reduced(path, header, buffers, materials, notes)
    loaded = _through_trimesh(path, reduced, buffers, notes)
    return _instances(path, header, loaded, primitives, materials, notes)


def _container(path: Path) -> tuple[Json, bytes | None]:
    """The JSON header, and the binary chunk of a GLB."""
    data = path.read_bytes()
    if data[:4] == b"glTF":
        if len(data) < 20:
            raise MeshError(f"{path}: the file ends within its header ({len(data)} bytes)")
        glb_version, total = struct.unpack("<II", data[4:12])
        if glb_version != 2:
            raise MeshError(f"{path}: binary glTF version {glb_version}; only 2 is read. Convert it")
        if total > len(data):
            raise MeshError(f"{path}: cut off: {len(data)} bytes of the {total} that its header declares")
        chunks, at = [], 12
        while at + 8 <= min(total, len(data)):
            size, kind = struct.unpack("<I4s", data[at : at + 8])
            chunks.append((kind, data[at + 8 : at + 8 + size]))
            at += 8 + size
        text = next((body for kind, body in chunks if kind == b"JSON"), b"")
        blob = next((body for kind, body in chunks if kind == b"BIN\0"), None)
    elif path.suffix.lower() == ".glb" and not data.lstrip().startswith(b"{"):
        raise MeshError(f'{path}: not a binary glTF: it begins with {data[:16]!r} instead of "glTF"')
    else:
        text, blob = data, None
    try:
        header = json.loads(text.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise MeshError(f"{path}: its glTF header is not JSON ({error})") from error
    if not isinstance(header, dict) or not isinstance(header.get("asset"), dict):
        raise MeshError(f'{path}: JSON, but no glTF (it has no "asset")')
    return header, blob


def data_uri(uri: str) -> bytes:
    """The bytes inside a ``data:`` URI.

    Raises:
        ValueError: not base64.
    """
    meta, _, body = uri.partition(",")
    try:
        return base64.b64decode(body) if meta.endswith(";base64") else unquote_to_bytes(body)
    except binascii.Error as error:
        raise ValueError(f"a data URI is not base64 ({error})") from error


def _buffers(path: Path, header: Json, chunk: bytes | None) -> list[bytes]:
    out = []
    for number, entry in enumerate(header.get("buffers", [])):
        uri = entry.get("uri")
        if uri is None:
            if chunk is None or number > 0:
                raise MeshError(f"{path}: buffer {number} has neither a uri nor a binary chunk")
            data = chunk
        elif uri.startswith("data:"):
            data = data_uri(uri)
        else:
            found = find_beside(path, uri)
            if found is None:
                raise MeshError(f'{path}: the buffer file "{uri}" does not exist; it holds the geometry')
            data = found.read_bytes()
        if len(data) < entry["byteLength"]:
            name = "" if uri is None or uri.startswith("data:") else f' "{uri}"'
            raise MeshError(f"{path}: buffer {number}{name} has {len(data)} bytes of {entry['byteLength']} declared")
        out.append(data)
    return out


def _reduced(
    path: Path, header: Json, buffers: list[bytes], materials: list[GltfMaterial], notes: list[str]
) -> tuple[Json, list[Json]]:
    """A header of geometry alone, and its primitives in the order in which trimesh will number them."""
    roots = check_nodes(path, header, notes)
    meshes: list[Json] = []
    primitives: list[Json] = []
    skipped: dict[str, int] = {}
    for number, mesh in enumerate(header["meshes"]):
        if any(mesh.get("weights", ())):
            notes.append(f'morph targets are not applied (mesh "{mesh.get("name", number)}")')
        kept = []
        for primitive in mesh["primitives"]:
            mode = primitive.get("mode", _TRIANGLES)
            if mode not in (_TRIANGLES, _STRIP) or "POSITION" not in primitive["attributes"]:
                what = {0: "points", 1: "lines", 2: "lines", 3: "lines", 6: "triangle fans"}.get(mode, "parts")
                skipped[what] = skipped.get(what, 0) + 1
                continue
            attributes = {k: v for k, v in primitive["attributes"].items() if k in ("POSITION", "NORMAL", "COLOR_0")}
            name = f"TEXCOORD_{_used(materials, primitive).uv_set}"
            if name in primitive["attributes"]:
                attributes["_UV"] = primitive["attributes"][name]
                attributes[name] = attributes["_UV"]  # Draco data go by this name
            entry: Json = {"attributes": attributes, "mode": mode}
            if "indices" in primitive:
                entry["indices"] = primitive["indices"]
            if _DRACO in primitive.get("extensions", {}):
                _need_draco(path)
                entry["extensions"] = {_DRACO: primitive["extensions"][_DRACO]}
            kept.append(entry)
            primitives.append(entry | {"material": primitive.get("material", -1)})
        meshes.append({"name": str(number), "primitives": kept})
    notes += [f"{count} primitives are {what}, which are not drawn" for what, count in skipped.items()]
    if not primitives:
        raise MeshError(f"{path}: no triangles in it: nothing to draw")
    accessors = check_accessors(path, header, buffers, primitives)
    nodes = []
    for number, node in enumerate(header.get("nodes", [])):
        entry = {k: node[k] for k in ("children", "matrix", "translation", "rotation", "scale") if k in node}
        if "mesh" in node and meshes[node["mesh"]]["primitives"]:
            entry["mesh"] = node["mesh"]
        nodes.append(entry | {"name": str(number)})
    reduced = {
        "asset": {"version": "2.0"},
        "buffers": [{"uri": str(i), "byteLength": len(data)} for i, data in enumerate(buffers)],
        "bufferViews": header.get("bufferViews", []),
        "accessors": accessors,
        "meshes": meshes,
        "nodes": nodes,
        "scenes": [{"nodes": roots}],
        "scene": 0,
    }
    return reduced, primitives


def _need_draco(path: Path) -> None:
    try:
        require("DracoPy", "draco", "its geometry is Draco-compressed, and reading it")
    except MissingDependencyError as error:
        raise MeshError(f"{path}: {error}") from error


class _Numbered:
    """Answers trimesh's requests for files: buffers by their number, and nothing else."""

    def __init__(self, buffers: list[bytes]) -> None:
        self.buffers = buffers

    def __getitem__(self, name: str) -> bytes:
        return self.buffers[int(name)]


def _through_trimesh(path: Path, reduced: Json, buffers: list[bytes], notes: list[str]) -> Json:
    from trimesh.exchange.gltf import load_gltf

    with quiet(path, notes):
        loaded: Json = load_gltf(
            io.BytesIO(json.dumps(reduced).encode()), resolver=_Numbered(buffers), skip_materials=True
        )
    return loaded


def _used(materials: list[GltfMaterial], primitive: Json) -> GltfMaterial:
    return materials[primitive.get("material", -1)]


def _instances(
    path: Path, header: Json, loaded: Json, primitives: list[Json], materials: list[GltfMaterial], notes: list[str]
) -> Raw:
    """Every occurrence of a primitive in the scene graph, in the file's world frame."""
    world: dict[str, Floats] = {loaded["base_frame"]: np.eye(4)}
    by_name = dict(zip(loaded["geometry"], primitives, strict=True))
    parts = []
    for edge in loaded["graph"]:
        matrix = world[edge["frame_from"]] @ np.asarray(edge["matrix"], dtype=np.float64)
        world[edge["frame_to"]] = matrix
        if edge.get("geometry") is not None:
            name = edge["geometry"]
            parts.append(_placed(path, header, loaded["geometry"][name], by_name[name], materials, matrix))
    if not parts:
        raise MeshError(f"{path}: its scene holds no mesh (meshes in the file: {len(header['meshes'])})")
    lacking = frozenset(i for i, m in enumerate(materials) if m.is_lacking)
    return joined(parts, [m.material for m in materials], has_sides=True, lacking=lacking)


def _placed(
    path: Path, header: Json, geometry: Json, primitive: Json, materials: list[GltfMaterial], matrix: Floats
) -> Raw:
    attributes = primitive["attributes"]

    def scaled(values: Any, key: str, *, always: bool = False) -> Floats:
        accessor = header["accessors"][attributes[key]]
        largest = _LARGEST.get(accessor["componentType"])
        out = np.asarray(values, dtype=np.float64)
        is_decoded = out.size > 0 and np.asarray(values).dtype.kind == "f"
        if largest is None or is_decoded or not (always or accessor.get("normalized", False)):
            return out
        return np.maximum(out / largest, -1.0)

    local = scaled(geometry["vertices"], "POSITION")
    if "extensions" in primitive and not local.any():
        raise MeshError(f"{path}: Draco decoding gave no geometry (every vertex is 0 0 0)")
    faces = np.asarray(geometry["faces"], dtype=np.int64)
    positions = local @ matrix[:3, :3].T + matrix[:3, 3]
    is_mirrored = float(np.linalg.det(matrix[:3, :3])) < 0
    if is_mirrored:
        faces = faces[:, ::-1]  # glTF 2.0, section 3.7.4: a negative determinant swaps the winding
    normals = colors = uv = None
    if "NORMAL" in attributes:
        normals = scaled(geometry["vertex_normals"], "NORMAL") @ _cofactor(matrix[:3, :3]).T
        if is_mirrored:
            normals = -normals
    elif "indices" not in primitive:  # flat, as the format wants it; shared corners are smoothed up to the crease angle
        corners = positions[faces]
        flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals = np.zeros_like(positions)
        normals[faces] = flat[:, None, :]
    if "COLOR_0" in attributes and "vertex_colors" in geometry:
        colors = scaled(geometry["vertex_colors"], "COLOR_0", always=True)
        colors = np.where(np.isfinite(colors), np.clip(colors, 0.0, 1.0), np.nan)
    material = _used(materials, primitive)
    if "_UV" in attributes:
        uv = material.map_uv(scaled(geometry["vertex_attributes"]["_UV"], "_UV", always=True))
    index = primitive["material"] if primitive["material"] >= 0 else len(materials) - 1
    return part(positions, faces, index, uv=uv, normals=normals, colors=colors)


def _cofactor(matrix: Floats) -> Floats:
    """The matrix that turns normals: det(M) times the inverse transpose, defined for singular M as well."""
    a, b, c = matrix
    return np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)])
