"""Wavefront OBJ read into triangles.

trimesh's own reader (5.2.0) is not used: it counts negative indices from the end of the file instead of from the line,
cuts concave polygons as fans, drops the texture coordinates of a whole material where one face has none, reads only the
first mtllib, and raises on indices out of range. Format: "Object Files (.obj)", Wavefront's appendix B1.
"""

from __future__ import annotations

import codecs
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from posetest.errors import MeshError
from posetest.scene.color import srgb_to_linear
from posetest.scene.files import find_beside
from posetest.scene.obj_materials import MtlBlock, ObjMaterial, obj_material, read_mtl
from posetest.scene.polygons import cut_polygon, cut_quads
from posetest.scene.raw import Floats, Ints, Raw, plain_material

Ref = tuple[int, int, int]  # position, texture coordinate, normal; ABSENT or INVALID
ABSENT, INVALID = -1, -2
_FREE_FORM = {"curv", "curv2", "surf", "bzp", "bsp", "cdc", "cdp", "res"}


class _Lines:
    """What the lines of an OBJ file say, gathered in one pass."""

    def __init__(self) -> None:
        self.v: list[list[str]] = []
        self.vt: list[list[str]] = []
        self.vn: list[list[str]] = []
        self.refs: list[Ref] = []
        self.sizes: list[int] = []
        self.face_lines: list[int] = []
        self.face_materials: list[int] = []
        self.materials: dict[str, int] = {}  # name -> number, in the order of use
        self.libraries: list[str] = []
        self.short_faces: list[int] = []
        self.other: set[str] = set()


def read_obj(path: Path, notes: list[str]) -> Raw:
    """The triangles and materials of an OBJ file; ``notes`` gains what was mended.

    Raises:
        MeshError: it is no OBJ text, or holds no face.
    """
    lines = _gather(_decoded(path, notes))
    if not lines.v:
        raise MeshError(f"{path}: no vertex in it (no line starts with v), so it is no OBJ mesh{_start_of(path)}")
    if not lines.sizes and not lines.short_faces:
        what = "points and lines only" if "l" in lines.other else "points only"
        raise MeshError(f"{path}: no face in it ({what}): nothing to draw")
    if free := sorted(lines.other & _FREE_FORM):
        notes.append(f"free-form curves and surfaces are not drawn ({', '.join(free)})")
    if lines.short_faces:
        notes.append(f"{len(lines.short_faces)} faces with fewer than 3 corners dropped (line {lines.short_faces[0]})")
    positions = _numbers(lines.v, 3, "v", notes)
    texcoords, normals = _numbers(lines.vt, 2, "vt", notes), _numbers(lines.vn, 3, "vn", notes)
    corners, face_of = _triangles(lines, positions, notes)
    table, by_face = _materials(path, lines, notes)
    face_material = by_face[face_of]
    uv = _picked(texcoords, corners[..., 1])
    for number, material in enumerate(table):
        if material.uv_scale != (1.0, 1.0) or material.uv_offset != (0.0, 0.0):
            uv[face_material == number] *= material.uv_scale
            uv[face_material == number] += material.uv_offset
    given = _picked(np.nan_to_num(normals, nan=0.0, posinf=0.0, neginf=0.0), corners[..., 2])
    colors = _colors(lines.v)
    faces = corners[..., 0]
    return Raw(
        positions,
        faces,
        uv,
        given,
        np.ones((len(faces), 3, 4)) if colors is None else colors[np.clip(faces, 0, len(colors) - 1)],
        face_material,
        tuple(entry.material for entry in table),
        lacking=frozenset(i for i, entry in enumerate(table) if entry.is_lacking),
    )


def _decoded(path: Path, notes: list[str]) -> str:
    data = path.read_bytes()
    for bom, name in ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32")):
        if data.startswith(bom):
            notes.append("the text is UTF-32, where OBJ is ASCII or UTF-8: decoded")
            return _as(path, data, name)
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4096]:
        head = data[:4096]
        name = "utf-16"
        if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            name = "utf-16-be" if head[::2].count(0) > head[1::2].count(0) else "utf-16-le"
            if max(head[::2].count(0), head[1::2].count(0)) < len(head) // 4:
                raise MeshError(f"{path}: this is binary data, not OBJ text")
        notes.append("the text is UTF-16, where OBJ is ASCII or UTF-8: decoded")
        return _as(path, data, name)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # old exporters wrote names and comments in the machine's own code page


def _as(path: Path, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding).lstrip("\ufeff")
    except UnicodeDecodeError as error:
        raise MeshError(f"{path}: this is no OBJ text; it begins like {encoding} and is not ({error})") from error


def _start_of(path: Path) -> str:
    first = path.read_bytes()[:60].decode("latin-1").split("\n")[0].strip()
    return f'; it begins with "{first}"' if first.isprintable() and first else ""


def _gather(text: str) -> _Lines:
    out = _Lines()
    memo: dict[str, Ref] = {}
    material = -1
    for number, line in enumerate(text.replace("\\\r\n", " ").replace("\\\n", " ").splitlines(), 1):
        fields = line.split()
        if not fields:
            continue
        key = fields[0]
        if key == "f":
            refs = []
            for token in fields[1:]:
                if token.startswith("#"):
                    break
                ref = memo.get(token)
                if ref is None:
                    ref = _ref(token, (len(out.v), len(out.vt), len(out.vn)))
                    if "-" not in token:  # a negative index means another vertex on every line
                        memo[token] = ref
                refs.append(ref)
            if len(refs) < 3:
                out.short_faces.append(number)
                continue
            out.refs += refs
            out.sizes.append(len(refs))
            out.face_lines.append(number)
            out.face_materials.append(material)
        elif key == "v":
            out.v.append(fields[1:])
        elif key == "vt":
            out.vt.append(fields[1:])
        elif key == "vn":
            out.vn.append(fields[1:])
        elif key == "usemtl":
            name = line.split(None, 1)[1].strip() if len(fields) > 1 else ""
            material = out.materials.setdefault(name, len(out.materials))
        elif key == "mtllib" and len(fields) > 1:
            out.libraries.append(line.split(None, 1)[1].strip())
        else:
            out.other.add(key)
    return out


def _ref(token: str, counts: tuple[int, int, int]) -> Ref:
    out = [ABSENT, ABSENT, ABSENT]
    for k, field in enumerate(token.split("/")[:3]):
        if not field:
            continue
        try:
            index = int(field)
        except ValueError:
            index = 0
        out[k] = index - 1 if index > 0 else counts[k] + index if index < 0 else INVALID
        if out[k] < 0:
            out[k] = INVALID
    if out[0] == ABSENT:
        out[0] = INVALID
    return out[0], out[1], out[2]


def _number(field: str) -> float:
    try:
        return float(field)
    except ValueError:
        return math.nan


def _numbers(rows: Sequence[Sequence[str]], width: int, key: str, notes: list[str]) -> Floats:
    """The first ``width`` numbers of each row, float64 [n, width]; NaN where there is none."""
    if not rows:
        return np.zeros((0, width))
    try:
        return np.array([[float(field) for field in row[:width]] for row in rows], dtype=np.float64).reshape(-1, width)
    except ValueError:
        pass
    values = np.full((len(rows), width), math.nan)
    wrong: list[str] = []
    for i, row in enumerate(rows):
        fields = [f for f in row[:width] if not f.startswith("#")]
        numbers = [_number(f) for f in fields]
        values[i, : len(numbers)] = numbers
        if key == "vt" and len(numbers) == 1:
            values[i, 1] = 0.0  # a one-dimensional texture
        wrong += [f for f, value in zip(fields, numbers, strict=True) if math.isnan(value) and f.lower() != "nan"]
    if wrong:
        notes.append(f'{len(wrong)} numbers of {key} lines cannot be read (the first is "{wrong[0]}")')
    return values


def _colors(rows: list[list[str]]) -> Floats | None:
    """Linear RGBA per vertex from the end of v lines (x y z r g b), or None where there are none."""
    if not any(len(row) >= 6 for row in rows):
        return None
    values = np.ones((len(rows), 3))
    for i, row in enumerate(rows):
        if len(row) >= 6 and not any(f.startswith("#") for f in row[:6]):
            values[i] = [_number(f) for f in row[3:6]]
    if np.nanmax(values) > 1.0:
        values = values / 255.0
    return np.concatenate([srgb_to_linear(np.clip(values, 0.0, 1.0)), np.ones((len(rows), 1))], axis=1)


def _triangles(lines: _Lines, positions: Floats, notes: list[str]) -> tuple[Ints, Ints]:
    """Triangles, int64 [t, 3, 3] (corner; position, texture coordinate, normal), and the polygon of each [t]."""
    refs = np.array(lines.refs, dtype=np.int64).reshape(-1, 3)
    sizes = np.array(lines.sizes, dtype=np.int64)
    starts = np.cumsum(sizes) - sizes
    is_bad = (refs[:, 0] < 0) | (refs[:, 0] >= len(positions))
    bad_faces = np.logical_or.reduceat(is_bad, starts) if len(starts) else np.zeros(0, dtype=bool)
    if bad_faces.any():
        line = lines.face_lines[int(np.flatnonzero(bad_faces)[0])]
        notes.append(
            f"{int(bad_faces.sum())} of {len(sizes)} faces have corners outside the {len(positions)} vertices "
            f"(line {line}; the first vertex is 1): dropped"
        )
    for k, key, count in ((1, "vt", len(lines.vt)), (2, "vn", len(lines.vn))):
        is_out = (refs[:, k] == INVALID) | (refs[:, k] >= count)
        if is_out.any():
            notes.append(f"{int(is_out.sum())} corners point outside the {count} {key} lines: taken as without")
            refs[is_out, k] = ABSENT
    pieces: list[Ints] = []
    owners: list[Ints] = []
    for size in np.unique(sizes[~bad_faces]).tolist():
        which = np.flatnonzero((sizes == size) & ~bad_faces)
        corners = refs[starts[which][:, None] + np.arange(size)]  # [n, size, 3]
        if size == 3:
            cut: Any = np.broadcast_to(np.arange(3), (len(which), 1, 3))
        elif size == 4:
            cut = cut_quads(positions[corners[..., 0]])
        else:
            cut = np.array([cut_polygon(p) for p in positions[corners[..., 0]]], dtype=np.int64)
        pieces.append(corners[np.arange(len(which))[:, None, None], cut].reshape(-1, 3, 3))
        owners.append(np.repeat(which, size - 2))
    if not pieces:
        return np.zeros((0, 3, 3), dtype=np.int64), np.zeros(0, dtype=np.int64)
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")
    return np.concatenate(pieces)[order], owner[order]


def _picked(values: Floats, index: Ints) -> Floats:
    """Rows of ``values``; NaN where the index is ABSENT."""
    return np.concatenate([values, np.full((1, values.shape[1]), np.nan)])[index]


def _materials(path: Path, lines: _Lines, notes: list[str]) -> tuple[list[ObjMaterial], Ints]:
    """The materials that faces use and the one of each polygon."""
    known: dict[str, MtlBlock] = {}
    for entry in lines.libraries:
        whole = find_beside(path, entry)
        found = [(entry, whole)] if whole else [(name, find_beside(path, name)) for name in entry.split()]
        for name, library in found:
            if library is None:
                notes.append(f'its material file "{name}" does not exist')
            else:
                known |= read_mtl(library)
    names = list(lines.materials)
    by_face = np.array(lines.face_materials, dtype=np.int64)
    missing = [name for name in names if name not in known]
    if missing and not lines.libraries:
        notes.append(f'it uses the material "{missing[0]}" and names no material file (no mtllib): drawn grey')
    elif missing and known:
        notes.append(f"no material file defines {', '.join(missing)!r}: drawn grey")
    table = [
        obj_material(known[name], path, notes) if name in known else ObjMaterial(plain_material(name or "plain"))
        for name in names
    ]
    if (by_face < 0).any():
        first = next(iter(known.values()), None)
        if first is not None and not names:
            notes.append(f'no face says which material it uses (no usemtl): all drawn with "{first.name}"')
            table.append(obj_material(first, path, notes))
        else:
            table.append(ObjMaterial(plain_material()))
        by_face[by_face < 0] = len(table) - 1
    return table, by_face
