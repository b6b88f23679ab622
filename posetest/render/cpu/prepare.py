"""What the kernels need of a mesh, computed once: none of it depends on the pose.

A renderer that interpolates corner values has to set up every face anew for every pose. With rigid motion there is a
shorter way: over one face, texture coordinates, normal and colour are affine functions of the point in the object's
own frame. Their coefficients are found here; a kernel casts the pixel's ray, lands on a point and evaluates them.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.config import Shading
from posetest.render.cpu.textures import TEXEL_ONE, WRAP_CODES, TextureAtlas, build_atlas, linear_to_srgb
from posetest.scene.material import Material, Texture, highlight
from posetest.scene.mesh import Mesh

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]

#: Singular values of a face's two edges below this fraction of the larger one count as zero: across a sliver that thin
#: attributes are taken as constant, since float32 could not tell their gradient from noise.
SLIVER = 1e-4


class MeshArrays(NamedTuple):
    """A mesh as the kernels read it. f faces (degenerate ones left out), v vertices welded by position, e edges.

    Attributes:
        verts: float32 [3, v], one row per coordinate.
        faces: int32 [f, 3], turned so that a front face has positive area with y pointing down.
        planes: float32 [4, f], unit normal n and offset d of each face: n.p = d.
        back_state: int8 [f], what the back of a face is drawn as: -1 (two-sided) or 0 (not at all).
        texel_edges: float32 [f * 4], (u, v) of corners 1 and 2 less those of corner 0, in texels of level 0.
        attributes: float32 [f * 32], four rows (x, y, z, 1) of eight lanes: red, green, blue, u, normal x, y, z, v.
            The colour is base colour factor times vertex colour, over TEXEL_ONE; v counts down from the picture's top.
        first_level: int32 [f], row in ``levels`` of the face's colour texture.
        last_level: float32 [f], its coarsest level.
        wrap: int8 [f], wrap code of u plus four times that of v.
        cutoff: float32 [f], the alpha below which the face is not there; negative where alpha is ignored.
        alpha: float32 [f * 4], alpha of factor and vertex colour as an affine function; one row of zeros if no
            material uses it.
        material_of: int32 [f], row of ``shine``; one zero if everything is matte.
        shine: float32 [m * 8], metalness, exponent, scale, specular red, green, blue, two zeros; see Highlight.
        emissive: float32 [f, 3], linear, over TEXEL_ONE; one row of zeros if nothing emits.
        emissive_first: int32 [f], row in ``levels`` of the emissive texture.
        emissive_last: float32 [f].
        emissive_wrap: int8 [f].
        emissive_scale: float32 [f], level-0 texels of the emissive texture per texel of the colour texture.
        texels, levels: see TextureAtlas; both flat.
        edges: int32 [e, 4], two vertices, two faces; the second face is f where there is none.
        edge_sign: int8 [e], -1 where the second face runs along the edge in the other direction, as it should.
        first_edge: int32 [f / 8 + 1], where in ``edges``, in the order of their first face, each eight faces begin.
        crease: float32 [f], greatest length of the difference of a face's unit normal and a neighbour's; infinite where
            an edge has no second face, or one that runs along it in the same direction.
        bounds: float32 [2, 3], least and greatest coordinates.
        first_blend: transparent faces are numbered from here on.
        is_encoded: shading works on encoded values; nothing is decoded or encoded.
        is_plain: every texture repeats.
        has_highlights: something is not matte.
        has_blend: something is transparent.
        has_emission: something emits.
        has_backs: something is two-sided.
    """

    verts: Floats
    faces: Ints
    planes: Floats
    back_state: NDArray[np.int8]
    texel_edges: Floats
    attributes: Floats
    first_level: Ints
    last_level: Floats
    wrap: NDArray[np.int8]
    cutoff: Floats
    alpha: Floats
    material_of: Ints
    shine: Floats
    emissive: Floats
    emissive_first: Ints
    emissive_last: Floats
    emissive_wrap: NDArray[np.int8]
    emissive_scale: Floats
    texels: NDArray[np.uint16]
    levels: Ints
    edges: Ints
    edge_sign: NDArray[np.int8]
    first_edge: Ints
    crease: Floats
    bounds: Floats
    first_blend: int
    is_encoded: bool
    is_plain: bool
    has_highlights: bool
    has_blend: bool
    has_emission: bool
    has_backs: bool


@lru_cache(maxsize=2)  # a run draws a scene once for the records and once more for the pictures it keeps
def prepare_mesh(mesh: Mesh, shading: Shading = "linear") -> MeshArrays:
    """The arrays of ``mesh`` for the kernels."""
    corners = mesh.verts_obj.astype(np.float64)[mesh.faces]
    is_blend = np.array([m.alpha_mode == "blend" for m in mesh.materials])[mesh.face_material]
    kept = _drawing_order(corners)
    kept = kept[np.argsort(is_blend[kept], kind="stable")]
    corners = corners[kept]
    faces, verts = _weld(corners)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    offset = (normal * corners.mean(axis=1)).sum(axis=1)

    material_of = mesh.face_material[kept]
    materials = mesh.materials
    is_encoded = shading == "gamma_free"
    atlas, color_slot, emissive_slot = _atlas(materials, is_encoded)
    uv = _top_down(mesh.uv.astype(np.float64)[kept], materials, material_of)
    vertex_colors, factors = mesh.colors.astype(np.float64)[kept], np.array([m.base_color for m in materials])
    emissive = np.array([m.emissive for m in materials])
    if is_encoded:
        vertex_colors[..., :3] = linear_to_srgb(vertex_colors[..., :3])
        factors[:, :3], emissive = linear_to_srgb(factors[:, :3]), linear_to_srgb(emissive)
    colors = vertex_colors * factors[material_of][:, None]
    lanes = np.concatenate(
        [colors[..., :3] / TEXEL_ONE, uv[..., :1], mesh.normals.astype(np.float64)[kept], uv[..., 1:]], axis=2
    )
    planes = _affine(corners, np.concatenate([lanes, colors[..., 3:]], axis=2))

    color_size, emissive_size = _level_zero(atlas, color_slot), _level_zero(atlas, emissive_slot)
    texel_edges = (uv[:, [2, 1]] - uv[:, :1]) * color_size[material_of][:, None]
    cutoffs = np.array([_cutoff(m) for m in materials], dtype=np.float32)
    glow = emissive.astype(np.float32)
    shine = np.zeros((len(materials), 8), dtype=np.float32)
    highlights = [highlight(m) for m in materials]
    for row, lobe in zip(shine, highlights, strict=True):
        row[:6] = (lobe.metalness, lobe.exponent, lobe.scale, *lobe.specular)
    has_highlights = not all(highlights[m].is_matte for m in np.unique(material_of))
    is_two_sided = np.array([m.two_sided for m in materials])
    has_blend, has_emission = bool(is_blend[kept].any()), bool(glow[material_of].any())
    has_alpha = has_blend or bool((cutoffs[material_of] >= 0).any())
    edges, edge_sign = _edges(faces)

    def per_face(values: NDArray[Any], dtype: type) -> NDArray[Any]:
        return np.ascontiguousarray(values[material_of], dtype=dtype)

    return MeshArrays(
        verts=np.ascontiguousarray(verts.T, dtype=np.float32),
        faces=np.ascontiguousarray(faces[:, [0, 2, 1]], dtype=np.int32),
        planes=np.ascontiguousarray(np.concatenate([normal, offset[:, None]], axis=1).T, dtype=np.float32),
        back_state=np.where(is_two_sided, -1, 0).astype(np.int8)[material_of],
        texel_edges=np.ascontiguousarray(texel_edges, dtype=np.float32).reshape(-1),
        attributes=np.ascontiguousarray(planes[..., :8], dtype=np.float32).reshape(-1),
        first_level=per_face(atlas.first_level[color_slot], np.int32),
        last_level=per_face(atlas.last_level[color_slot], np.float32),
        wrap=per_face(_wrap_codes([m.texture for m in materials]), np.int8),
        cutoff=cutoffs[material_of],
        alpha=np.ascontiguousarray(planes[..., 8] if has_alpha else np.zeros((1, 4)), dtype=np.float32).reshape(-1),
        material_of=material_of.astype(np.int32) if has_highlights else np.zeros(1, np.int32),
        shine=shine.reshape(-1),
        emissive=glow[material_of] / np.float32(TEXEL_ONE) if has_emission else np.zeros((1, 3), np.float32),
        emissive_first=per_face(atlas.first_level[emissive_slot], np.int32),
        emissive_last=per_face(atlas.last_level[emissive_slot], np.float32),
        emissive_wrap=per_face(_wrap_codes([m.emissive_texture for m in materials]), np.int8),
        emissive_scale=per_face((emissive_size / color_size).max(axis=1), np.float32),
        texels=atlas.texels,
        levels=atlas.levels.reshape(-1),
        edges=edges,
        edge_sign=edge_sign,
        first_edge=np.searchsorted(edges[:, 2], np.arange(0, len(faces) + 8, 8)).astype(np.int32),
        crease=_creases(normal, edges, edge_sign),
        bounds=_bounds(verts),
        first_blend=len(kept) - int(is_blend[kept].sum()),
        is_encoded=is_encoded,
        is_plain=not any(_wrap_codes([t for m in materials for t in (m.texture, m.emissive_texture)])),
        has_highlights=has_highlights,
        has_blend=has_blend,
        has_emission=has_emission,
        has_backs=bool(is_two_sided.any()),
    )


def _drawing_order(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices of the faces with an area, neighbours in space close together so that the caches are used well."""
    twice_area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1, initial=0)
    kept = np.flatnonzero(twice_area > 1e-7 * np.maximum(longest, 1e-7) ** 2)
    centers = corners[kept].mean(axis=1)
    low, span = (centers.min(axis=0), np.ptp(centers, axis=0).max()) if len(kept) else (0.0, 1.0)
    cell = ((centers - low) / max(span, 1e-12) * 1023).astype(np.int64)
    morton = np.zeros(len(kept), dtype=np.int64)
    for bit in range(10):
        for axis in range(3):
            morton |= ((cell[:, axis] >> bit) & 1) << (3 * bit + axis)
    return kept[np.argsort(morton, kind="stable")]


def _weld(corners: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Faces [f, 3] and the vertices they use, equal positions made one, numbered in the order of first use."""
    flat = corners.reshape(-1, 3) + 0.0  # -0.0 becomes 0.0
    _, first, inverse = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse.reshape(-1)].reshape(-1, 3), flat[np.sort(first)].reshape(-1, 3)


def _bounds(verts: NDArray[np.float64]) -> Floats:
    if not len(verts):
        return np.zeros((2, 3), dtype=np.float32)
    return np.stack([verts.min(axis=0), verts.max(axis=0)]).astype(np.float32)


def _affine(corners: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """[f, 4, k]: rows x, y, z, 1 such that (p, 1) @ rows gives ``values`` [f, 3, k] at the corners [f, 3, 3]."""
    spans = corners[:, 1:] - corners[:, :1]
    gradient = np.linalg.pinv(spans, rcond=SLIVER) @ (values[:, 1:] - values[:, :1])
    center, mean = corners.mean(axis=1), values.mean(axis=1)
    constant = mean - (center[:, None] @ gradient)[:, 0]
    return np.concatenate([gradient, constant[:, None]], axis=1)


def _atlas(
    materials: tuple[Material, ...], is_encoded: bool
) -> tuple[TextureAtlas, NDArray[np.int64], NDArray[np.int64]]:
    """The atlas and, per material, the places in it of its colour and its emissive texture."""
    slots: dict[tuple[int, bool], int] = {}
    textures: list[tuple[Texture | None, bool]] = []

    def slot(texture: Texture | None, is_alpha_used: bool) -> int:
        key = (id(texture), is_alpha_used)
        if key not in slots:
            slots[key] = len(textures)
            textures.append((texture, is_alpha_used))
        return slots[key]

    color = [slot(m.texture, m.texture is not None and m.alpha_mode != "opaque") for m in materials]
    emissive = [slot(m.emissive_texture if any(m.emissive) else None, False) for m in materials]
    return build_atlas(textures, is_encoded), np.array(color), np.array(emissive)


def _level_zero(atlas: TextureAtlas, slots: NDArray[np.int64]) -> NDArray[np.float64]:
    """[m, 2] width and height of the textures in ``slots``."""
    return atlas.levels[atlas.first_level[slots], 1:3].astype(np.float64)


def _cutoff(material: Material) -> float:
    return max(material.alpha_cutoff, 0.0) if material.alpha_mode == "mask" else -1.0


def _wrap_codes(textures: list[Texture | None]) -> NDArray[np.int64]:
    return np.array([0 if t is None else WRAP_CODES[t.wrap_u] + 4 * WRAP_CODES[t.wrap_v] for t in textures])


def _top_down(
    uv: NDArray[np.float64], materials: tuple[Material, ...], material_of: NDArray[np.int32]
) -> NDArray[np.float64]:
    """``uv`` with v counted from the top, each face moved near 0 by whole periods, which saves float32 digits."""
    uv = np.stack([uv[..., 0], 1 - uv[..., 1]], axis=-1)
    textures = [[t for t in (m.texture, m.emissive_texture) if t is not None] for m in materials]
    may_move = np.array([[all(getattr(t, w) != "clamp" for t in ts) for w in ("wrap_u", "wrap_v")] for ts in textures])
    least = np.floor(uv.min(axis=1) / 2) * 2  # an even number: mirroring has period 2
    moved: NDArray[np.float64] = uv - np.where(may_move[material_of], least, 0)[:, None]
    return moved


def _edges(faces: NDArray[np.int64]) -> tuple[Ints, NDArray[np.int8]]:
    """Edges with the faces on their two sides, from welded faces wound counter-clockwise.

    Where more than two faces meet, those that run in opposite directions are paired and the rest stay alone: an edge
    too many does no harm, because a silhouette is only blended where something farther shows beside it.
    """
    count = len(faces)
    start, end = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    face = np.repeat(np.arange(count), 3)
    is_forward = start < end
    low, high = np.minimum(start, end), np.maximum(start, end)
    order = np.lexsort((is_forward, high, low))
    rows: list[tuple[int, int, int, int, int]] = []
    low, high, face, is_forward = low[order], high[order], face[order], is_forward[order]
    new_group = np.ones(len(order), dtype=bool)
    new_group[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    starts = np.append(np.flatnonzero(new_group), len(order))
    sizes = np.diff(starts)
    firsts = starts[:-1]
    pair = firsts[(sizes == 2)]
    single = firsts[(sizes == 1)]

    def vertex_pair(at: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return np.where(is_forward[at], low[at], high[at]), np.where(is_forward[at], high[at], low[at])

    for begin, size in zip(firsts[sizes > 2], sizes[sizes > 2], strict=True):
        group = range(begin, begin + size)
        backward = [i for i in group if not is_forward[i]]
        forward = [i for i in group if is_forward[i]]
        for i, j in zip(backward, forward, strict=False):
            rows.append((int(high[i]), int(low[i]), int(face[i]), int(face[j]), -1))
        for i in backward[len(forward) :] + forward[len(backward) :]:
            ends = (low[i], high[i]) if is_forward[i] else (high[i], low[i])
            rows.append((int(ends[0]), int(ends[1]), int(face[i]), count, 0))
    a, b = vertex_pair(pair)
    sign = np.where(is_forward[pair] == is_forward[pair + 1], 1, -1)
    c, d = vertex_pair(single)
    paired = np.stack([a, b, face[pair], face[pair + 1], sign], axis=1)
    alone = np.stack([c, d, face[single], np.full(len(single), count), np.zeros(len(single), dtype=np.int64)], axis=1)
    table = np.concatenate([paired, alone, np.array(rows, dtype=np.int64).reshape(-1, 5)])
    table = table[np.argsort(table[:, 2], kind="stable")]
    return np.ascontiguousarray(table[:, :4], dtype=np.int32), np.ascontiguousarray(table[:, 4], dtype=np.int8)


def _creases(normal: NDArray[np.float64], edges: Ints, edge_sign: NDArray[np.int8]) -> Floats:
    """See ``crease`` of MeshArrays."""
    crease = np.zeros(len(normal))
    first, second = edges[:, 2], np.minimum(edges[:, 3], len(normal) - 1)
    size = np.where(edge_sign == -1, np.linalg.norm(normal[first] - normal[second], axis=1), np.inf)
    np.maximum.at(crease, first, size)
    np.maximum.at(crease, second, np.where(edges[:, 3] < len(normal), size, 0))
    return crease.astype(np.float32)
