"""Checks of a glTF header against its buffers: what the format promises and files break.

Source: glTF 2.0 specification, sections 3.5 (scenes) and 3.6 (binary data).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posetest.errors import MeshError

Json = dict[str, Any]
_SIZES = {5120: 1, 5121: 1, 5122: 2, 5123: 2, 5125: 4, 5126: 4}
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_WIDTH_OF = {"POSITION": (3,), "NORMAL": (3,), "COLOR_0": (3, 4), "indices": (1,)}
#: More entries than this in one accessor are taken for a corrupt header.
MAX_COUNT = 200_000_000


def version(header: Json) -> int:
    """The major version that the file declares; 2 where it declares none."""
    text = str(header["asset"].get("version", "2.0")).partition(".")[0]
    return int(text) if text.isdigit() else 2


def check_nodes(path: Path, header: Json, notes: list[str]) -> list[int]:
    """The root nodes to draw.

    Raises:
        MeshError: the nodes form a loop, or a scene names nodes that do not exist.
    """
    nodes, scenes = header.get("nodes", []), header.get("scenes", [])
    children = [list(node.get("children", ())) for node in nodes]
    for number, below in enumerate(children):
        wrong = [c for c in below if not 0 <= c < len(nodes)]
        if wrong:
            raise MeshError(f"{path}: node {number} has a child {wrong[0]}, and there are {len(nodes)} nodes")
    _refuse_loops(path, children)
    for number, node in enumerate(nodes):
        if not 0 <= node.get("mesh", 0) < max(1, len(header.get("meshes", []))):
            raise MeshError(f"{path}: node {number} shows mesh {node['mesh']}, and there are {len(header['meshes'])}")
    chosen = header.get("scene", 0)
    if scenes and not 0 <= chosen < len(scenes):
        raise MeshError(f"{path}: it shows scene {chosen}, and there are {len(scenes)} scenes")
    roots = list(scenes[chosen].get("nodes", ())) if scenes else []
    if any(not 0 <= root < len(nodes) for root in roots):
        raise MeshError(f"{path}: scene {chosen} names nodes that do not exist")
    if not roots and nodes and header.get("meshes"):
        notes.append("no scene says what to draw: all nodes are drawn")
        below_some = {c for below in children for c in below}
        roots = [i for i in range(len(nodes)) if i not in below_some]
    return roots


def _refuse_loops(path: Path, children: list[list[int]]) -> None:
    state = [0] * len(children)  # 0 unseen, 1 on the way down, 2 done
    for start in range(len(children)):
        stack = [(start, 0)]
        while stack:
            node, at = stack.pop()
            if at == 0 and state[node] == 2:
                continue
            state[node] = 1
            if at == len(children[node]):
                state[node] = 2
                continue
            stack.append((node, at + 1))
            child = children[node][at]
            if state[child] == 1:
                raise MeshError(f"{path}: its nodes form a loop (node {child} is below itself)")
            if state[child] == 0:
                stack.append((child, 0))


def check_accessors(path: Path, header: Json, buffers: list[bytes], primitives: list[Json]) -> list[Json]:
    """The accessors, those that no primitive uses replaced by one zero.

    Raises:
        MeshError: a used one does not fit its buffer view, or its view the buffer.
    """
    accessors: list[Json] = header.get("accessors", [])
    views: list[Json] = header.get("bufferViews", [])
    _check_views(path, views, buffers)
    used: set[int] = set()
    for primitive in primitives:
        is_packed = "extensions" in primitive
        refs = dict(primitive["attributes"]) | ({"indices": primitive["indices"]} if "indices" in primitive else {})
        for key, index in refs.items():
            what = f"accessor {index} ({key})"
            if not 0 <= index < len(accessors):
                raise MeshError(f"{path}: {what} does not exist; there are {len(accessors)}")
            if _WIDTHS.get(accessors[index]["type"]) not in _WIDTH_OF.get(key, (2,)):
                raise MeshError(f"{path}: {what} is of the type {accessors[index]['type']}, which does not fit")
            _check_fit(path, what, accessors[index], views, is_packed)
            used.add(index)
        counts = {key: accessors[index]["count"] for key, index in refs.items() if key != "indices"}
        if len(set(counts.values())) > 1:
            raise MeshError(f"{path}: the attributes of one primitive differ in number: {counts}")
        corners = accessors[refs["indices"]]["count"] if "indices" in refs else counts["POSITION"]
        if primitive["mode"] == 4 and corners % 3:
            raise MeshError(f"{path}: {corners} corners make no whole number of triangles")
        for packed in primitive.get("extensions", {}).values():
            if not 0 <= packed["bufferView"] < len(views):
                raise MeshError(f"{path}: compressed data in buffer view {packed['bufferView']}, which does not exist")
    nothing = {"componentType": 5126, "type": "SCALAR", "count": 1}
    return [accessor if i in used else nothing for i, accessor in enumerate(accessors)]


def _check_views(path: Path, views: list[Json], buffers: list[bytes]) -> None:
    for number, view in enumerate(views):
        if not 0 <= view["buffer"] < len(buffers):
            raise MeshError(f"{path}: buffer view {number} lies in buffer {view['buffer']}, which does not exist")
        start, length = view.get("byteOffset", 0), view["byteLength"]
        if start < 0 or length < 0 or start + length > len(buffers[view["buffer"]]):
            raise MeshError(
                f"{path}: buffer view {number} (bytes {start} to {start + length}) lies outside its buffer "
                f"of {len(buffers[view['buffer']])} bytes"
            )


def _check_fit(path: Path, what: str, accessor: Json, views: list[Json], is_packed: bool) -> None:
    count = accessor["count"]
    if accessor["componentType"] not in _SIZES:
        raise MeshError(f"{path}: {what} has the unknown component type {accessor['componentType']}")
    if not 0 < count <= MAX_COUNT:
        raise MeshError(f"{path}: {what} has {count} entries")
    if "bufferView" not in accessor:
        if not is_packed and "sparse" not in accessor:
            raise MeshError(f"{path}: {what} has no data (no bufferView)")
        return
    if not 0 <= accessor["bufferView"] < len(views):
        raise MeshError(f"{path}: {what} lies in buffer view {accessor['bufferView']}, which does not exist")
    view = views[accessor["bufferView"]]
    size = _SIZES[accessor["componentType"]] * _WIDTHS[accessor["type"]]
    stride = view.get("byteStride", size)
    if stride < size:
        raise MeshError(f"{path}: {what} needs {size} bytes an entry, its buffer view advances by {stride}")
    needed = accessor.get("byteOffset", 0) + (count - 1) * stride + size
    if needed > view["byteLength"] or accessor.get("byteOffset", 0) < 0:
        raise MeshError(f"{path}: {what} needs {needed} bytes, its buffer view has {view['byteLength']}")
