"""Antialiasing of outlines: one sample a pixel, and exact coverage along the silhouette edges of the mesh.

An edge is on the silhouette if the faces drawn beside it lie on one side of it. Walking along it, each row it crosses
(each column, if it runs rather level) gives a pair of neighbouring pixels with the edge between their centres; each is
blended with the other by the part of its area that the edge cuts off. A pair counts if its inner pixel lies on the
object at the edge's depth and the outer one shows background or something farther, and each pair counts once: outlines
that zigzag through a pixel would otherwise be counted several times. The line in which the near plane cuts a face is an
edge like the others. With 2 x 2 samples, pixels in this text are samples.

What is blended depends on visibility alone: ``collect`` runs before anything is shaded, and the gradient reads its
notes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import (
    HALF,
    INLINED,
    LAYERS,
    NEAR,
    ONE,
    OPTIONS,
    WIDEN_PX,
    ZERO,
    encode_srgb,
    f32,
    i32,
    u32,
    u64,
)
from posetest.render.cpu.kernels.lanes import store_range
from posetest.render.cpu.kernels.resolve import behind_of

#: Depth, in pixel footprints, by which the outer pixel must lie behind the edge, and the inner one may.
OUTER_PX = np.float32(0.5)
INNER_PX = np.float32(8)

#: How far, in roots of the pixel footprint, the surface may come forward within a pixel of its outline: a sphere of
#: radius one does so by the root of two footprints.
BULGE = np.float32(2.5)

#: How near to a pixel's centre an edge may pass for the pixel to count as drawn by widening.
MISSED_PX = np.float32(2) * WIDEN_PX


#: What a note is for, and the bits by which pairs are claimed: a blend of the picture, a crossing for the gradient.
BLENDS, TRACES = 1, 2


#: Most edges that eight faces can have.
EDGES_OF_EIGHT = 24


@njit(**OPTIONS)
def find_silhouette(mesh, is_traced, scratch):
    """Fills scratch.silhouette; returns how many edges it holds. Those that cross no line of samples are left out.

    ``is_traced``: see ``collect``.
    Three passes make the list shorter, none of which has a branch to guess wrong: an edge is written down, and stays if
    the length of the list is raised.
    """
    state, words, found, first_edge = scratch.state, scratch.rim_words, scratch.silhouette, mesh.first_edge
    count = u32(0)
    for word in range(words.shape[0]):
        first = first_edge[word]
        store_range(found, u64(count), first, EDGES_OF_EIGHT)
        count += u32(first_edge[word + 1] - first) * u32(words[word] != 0)
    on_outline = u32(0)
    for k in range(count):
        e = u32(found[k])
        found[on_outline] = i32(e)
        on_outline += u32(edge_side(mesh, e, state) != 0)
    crossed = u32(0)
    for k in range(on_outline):
        e = u32(found[k])
        found[crossed] = i32(e)
        crossed += u32(is_crossed(mesh, e, is_traced, scratch.screen))
    return crossed


@njit(**INLINED)
def edge_side(mesh, e, state):
    """On which side of edge ``e`` the faces that are drawn lie: right of its direction if positive, 0 if on both."""
    return i32(state[u32(mesh.edges[e, 2])]) + i32(mesh.edge_sign[e]) * i32(state[u32(mesh.edges[e, 3])])


@njit(**INLINED)
def is_crossed(mesh, e, is_traced, screen):
    """Whether ``walk`` would find a row to cross, or a column; also true where an end cannot be projected."""
    a, b = u64(u32(mesh.edges[e, 0])) * u64(4), u64(u32(mesh.edges[e, 1])) * u64(4)
    x0, y0, x1, y1 = screen[a], screen[a + u64(1)], screen[b], screen[b + u64(1)]
    by_rows, by_columns = np.ceil(y0 - HALF) != np.ceil(y1 - HALF), np.ceil(x0 - HALF) != np.ceil(x1 - HALF)
    is_steep = abs(y1 - y0) >= abs(x1 - x0)
    is_hidden = min(screen[a + u64(2)], screen[b + u64(2)]) <= ZERO
    return ((is_steep | is_traced) & by_rows) | (((not is_steep) | is_traced) & by_columns) | is_hidden


@njit(**OPTIONS)
def collect(mesh, count, aside, is_traced, height, width, stride, scratch):
    """Notes in scratch.mixes what is to be blended; returns how many notes.

    ``count`` silhouette edges are walked, and the cuts through the first ``aside`` faces of scratch.pending.
    ``is_traced``: for the gradient, crossings with all rows and all columns are noted too.
    """
    lens, end = scratch.lens, scratch.corner
    mixes = 0
    for j in range(count):
        e = scratch.silhouette[u32(j)]
        a, b = u32(mesh.edges[e, 0]), u32(mesh.edges[e, 1])
        f, g = mesh.edges[e, 2], mesh.edges[e, 3]
        side = edge_side(mesh, u32(e), scratch.state)
        # the edge of a transparent part, unless an opaque face that is drawn meets there too
        is_clear = mesh.has_blend and not (is_opaque(mesh, f, scratch) or is_opaque(mesh, g, scratch))
        w0, w1 = scratch.inverse_depth[a], scratch.inverse_depth[b]
        if min(w0, w1) > ZERO:
            x0, y0, x1, y1 = scratch.px[a], scratch.py[a], scratch.px[b], scratch.py[b]
        else:
            place(mesh, a, 0, scratch)
            place(mesh, b, 1, scratch)
            if not max(end[0, 2], end[1, 2]) > NEAR:
                continue
            for k in range(2):
                if end[k, 2] < NEAR:
                    cut(k, 1 - k, k, scratch)
            w0, w1 = f32(1 / end[0, 2]), f32(1 / end[1, 2])
            x0, y0 = f32(lens[0] * end[0, 0] / end[0, 2] + lens[2]), f32(lens[1] * end[0, 1] / end[0, 2] + lens[3])
            x1, y1 = f32(lens[0] * end[1, 0] / end[1, 2] + lens[2]), f32(lens[1] * end[1, 1] / end[1, 2] + lens[3])
        mixes = walk(x0, y0, w0, x1, y1, w1, side, i32(-1), is_clear, is_traced, mixes, height, width, stride, scratch)
    for j in range(aside):
        mixes = walk_cut(mesh, scratch.pending[j], is_traced, mixes, height, width, stride, scratch)
    return mixes


@njit(**INLINED)
def is_opaque(mesh, f, scratch):
    """Whether an opaque face is drawn."""
    return f < mesh.first_blend and scratch.state[u32(f)] != 0


@njit(**OPTIONS)
def place(mesh, i, k, scratch):
    """Puts vertex ``i``, in the pixel frame, into row ``k`` of scratch.corner."""
    turn, shift = scratch.turn, scratch.shift
    x, y, z = float(mesh.verts[0, i]), float(mesh.verts[1, i]), float(mesh.verts[2, i])
    for r in range(3):
        scratch.corner[k, r] = turn[r, 0] * x + turn[r, 1] * y + turn[r, 2] * z + shift[r]


@njit(**OPTIONS)
def cut(a, b, to, scratch):
    """Puts into row ``to`` of scratch.corner where the line between its rows ``a`` and ``b`` meets the near plane."""
    corner = scratch.corner
    t = (NEAR - corner[a, 2]) / (corner[b, 2] - corner[a, 2])
    for r in range(2):
        corner[to, r] = corner[a, r] + t * (corner[b, r] - corner[a, r])
    corner[to, 2] = NEAR


@njit(**OPTIONS)
def walk_cut(mesh, f, is_traced, mixes, height, width, stride, scratch):
    """Notes the blends along the line in which the near plane cuts face ``f``, if it does."""
    corner, cross, lens = scratch.corner, scratch.cross, scratch.lens
    for k in range(3):
        place(mesh, u32(mesh.faces[f, k]), k, scratch)
    beyond = 0
    for k in range(3):
        beyond += 1 if corner[k, 2] > NEAR else 0
    if beyond == 0 or beyond == 3:
        return mixes
    apex = 0  # the corner that is alone on its side
    for k in range(3):
        if (corner[k, 2] > NEAR) == (beyond == 1):
            apex = k
    b, c = (apex + 1) % 3, (apex + 2) % 3
    for r in range(3):
        cross[0, r] = corner[apex, r]
    cut(apex, b, b, scratch)
    cut(apex, c, c, scratch)
    # the face lies right of the line from b to c if, seen from the line, the apex (beyond the plane) lies there
    x0, y0 = lens[0] * corner[b, 0] / NEAR + lens[2], lens[1] * corner[b, 1] / NEAR + lens[3]
    x1, y1 = lens[0] * corner[c, 0] / NEAR + lens[2], lens[1] * corner[c, 1] / NEAR + lens[3]
    plane_x = corner[b, 1] * corner[c, 2] - corner[b, 2] * corner[c, 1]
    plane_y = corner[b, 2] * corner[c, 0] - corner[b, 0] * corner[c, 2]
    plane_z = corner[b, 0] * corner[c, 1] - corner[b, 1] * corner[c, 0]
    apex_side = plane_x * cross[0, 0] + plane_y * cross[0, 1] + plane_z * cross[0, 2]
    side = i32(1) if (apex_side > 0) == (beyond == 1) else i32(-1)
    limit = float(4 * (height + width))
    if not (max(abs(x0), abs(x1)) < 1e6 and max(abs(y0), abs(y1)) < 1e6):
        # so near the camera that the line is almost straight ahead of it or far outside: shorten it to what can show
        reach = math.sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)
        if not reach < 1e12:
            return mixes
        middle = ((lens[2] - x0) * (x1 - x0) + (lens[3] - y0) * (y1 - y0)) / max(reach * reach, 1e-12)
        first, last = max(0.0, middle - limit / reach), min(1.0, middle + limit / reach)
        if first >= last:
            return mixes
        x0, y0, x1, y1 = (
            x0 + first * (x1 - x0),
            y0 + first * (y1 - y0),
            x0 + last * (x1 - x0),
            y0 + last * (y1 - y0),
        )
    w = f32(1 / NEAR)
    x0, y0, x1, y1 = f32(x0), f32(y0), f32(x1), f32(y1)
    return walk(x0, y0, w, x1, y1, w, side, f, False, is_traced, mixes, height, width, stride, scratch)


@njit(**OPTIONS)
def is_at_edge(face, inverse, depth, footprint):
    """Whether a sample shows the object at the depth of an edge, within what a surface may do in one pixel."""
    behind, slack = ONE / inverse - depth, INNER_PX * footprint
    return (face >= 0) & (behind <= slack) & (behind >= -BULGE * np.sqrt(footprint) - slack)


@njit(**OPTIONS)
def is_pair(inner, outer, cut_face, is_clear, depth, footprint, scratch):
    """Whether an edge runs between two samples: the object at its depth on one side, nothing nearer on the other."""
    inverse, face = scratch.inverse, scratch.face
    if cut_face >= 0:
        return face[inner] == cut_face and face[outer] != cut_face
    if face[outer] >= 0 and ONE / inverse[outer] < depth + OUTER_PX * footprint:
        return False
    if not is_clear:
        return is_at_edge(face[inner], inverse[inner], depth, footprint)
    layer_face, layer_inverse = scratch.layer_face, scratch.layer_inverse
    found = False
    for k in range(LAYERS):
        if is_at_edge(layer_face[k, outer], layer_inverse[k, outer], depth, footprint):
            return False
        found |= is_at_edge(layer_face[k, inner], layer_inverse[k, inner], depth, footprint)
    return found


@njit(**OPTIONS)
def sees(sample, is_clear, scratch):
    """Whether a sample shows anything of the kind of surface that an edge bounds."""
    return scratch.layer_face[0, sample] >= 0 if is_clear else scratch.face[sample] >= 0


@njit(**OPTIONS)
def walk(x0, y0, w0, x1, y1, w1, side, cut_face, is_clear, is_traced, mixes, height, width, stride, scratch):
    """Notes what one edge blends after the first ``mixes``; returns how many notes there are now.

    Blends follow the axis that the edge runs along more. A trace crosses rows, for what moves horizontally, and
    columns, for what moves vertically: along a closed outline both then cancel exactly where they should.
    """
    is_steep = abs(y1 - y0) >= abs(x1 - x0)
    # the object lies to the right of the edge's direction if side > 0, as seen with y pointing down
    if is_steep or is_traced:
        kind = (BLENDS if is_steep else 0) + (TRACES if is_traced else 0)
        inner = (y1 > y0) == (side < 0)
        mixes = cross_lines(
            y0, x0, w0, y1, x1, w1, inner, i32(kind), 0, cut_face, is_clear, mixes, height, width, stride, 1, scratch
        )
    if not is_steep or is_traced:
        kind = (0 if is_steep else BLENDS) + (TRACES if is_traced else 0)
        inner = (x1 > x0) == (side > 0)
        mixes = cross_lines(
            x0, y0, w0, x1, y1, w1, inner, i32(kind), 1, cut_face, is_clear, mixes, width, height, 1, stride, scratch
        )
    return mixes


@njit(**INLINED)
def cut_off(past, slope):
    """How an edge divides two neighbours whose border it crosses at a distance ``past``, positive beyond the border.

    Within its line of samples the edge moves sideways by ``slope``. Returns (the part of the near one that lies beyond
    the edge, the part of the far one before the edge, the part of the edge's length that lies in the far one): exact
    areas for slopes up to one.
    """
    reach = HALF * max(slope, f32(1e-4))
    above, below = max(past + reach, ZERO), max(reach - past, ZERO)
    far = above * above / (f32(4) * reach) if past < reach else past
    near = below * below / (f32(4) * reach) if past > -reach else -past
    return min(near, ONE), min(far, ONE), min(HALF * above / reach, ONE)


@njit(**OPTIONS)
def cross_lines(
    along0,
    across0,
    w0,
    along1,
    across1,
    w1,
    is_inner_first,
    kind,
    axis,
    cut_face,
    is_clear,
    mixes,
    lines,
    places,
    step_along,
    step_across,
    scratch,
):
    """Notes the crossings of an edge with the ``lines`` of samples that run across it, each of ``places`` samples."""
    claimed = scratch.claimed
    first = i32(min(max(np.ceil(min(along0, along1) - HALF), ZERO), f32(lines)))
    last = i32(min(max(np.ceil(max(along0, along1) - HALF), ZERO), f32(lines)))
    if first >= last:
        return mixes
    per_line = ONE / (along1 - along0)
    slope = abs((across1 - across0) * per_line)
    focal = f32(min(scratch.lens[0], scratch.lens[1]))
    for line in range(first, last):
        t = (f32(line) + HALF - along0) * per_line
        crossing = across0 + t * (across1 - across0)
        if not (crossing >= HALF and crossing < f32(places) - HALF):
            continue
        place = i32(np.floor(crossing - HALF))
        # a pixel whose centre the edge only just misses was drawn all the same (WIDEN_PX): then it is the inner one
        past = crossing - HALF - f32(place)
        step = 0
        if is_inner_first and past > ONE - MISSED_PX:
            step = 1 if sees(u32(line * step_along + (place + 1) * step_across), is_clear, scratch) else 0
        elif not is_inner_first and past < MISSED_PX:
            step = -1 if sees(u32(line * step_along + place * step_across), is_clear, scratch) else 0
        place += i32(step)
        if place < 0 or place + 1 >= places:
            continue
        near_side = u32(line * step_along + place * step_across)
        far_side = near_side + u32(step_across)
        free = kind & ~i32(claimed[axis, near_side])
        if free == 0:
            continue
        inner, outer = (near_side, far_side) if is_inner_first else (far_side, near_side)
        inverse_depth = w0 + t * (w1 - w0)
        depth = ONE / inverse_depth
        if not is_pair(inner, outer, cut_face, is_clear, depth, depth / focal, scratch):
            continue
        claimed[axis, near_side] |= np.uint8(free)
        near_part, far_part, far_share = cut_off(crossing - f32(place + 1), slope)
        note, values = scratch.mixes[mixes], scratch.mix_values[mixes]
        note[0], note[1], note[2], note[3], note[4] = i32(near_side), i32(far_side), i32(axis), cut_face, free
        values[0], values[1], values[2] = near_part, far_part, far_share
        values[3], values[4], values[5] = crossing, f32(line) + HALF, inverse_depth
        if free & BLENDS:
            scratch.weight[near_side] += near_part
            scratch.weight[far_side] += far_part
        mixes += 1
    return mixes


@njit(**OPTIONS)
def color_of(mesh, sample, background, channel, y, x, scratch):
    """Linear colour of a sample before blending, or of the background of the pixel (x, y) where it sees no object."""
    cell = scratch.face[sample]
    if cell >= 0:
        return scratch.linear[channel, cell]
    return behind_of(mesh, background, channel, y, x)


@njit(**OPTIONS)
def cover_of(mesh, sample, scratch):
    """How much of what is behind a sample hides."""
    cell = scratch.face[sample]
    if cell < 0:
        return ZERO
    return scratch.cover[cell] if mesh.has_blend else ONE


@njit(**OPTIONS)
def blend_of(m, part, scratch):
    """(target, source, share) of blend ``m``: each note holds two, each sample of the pair with a part of the other."""
    note, way = scratch.mixes[m // 2], m % 2
    target, source = u32(note[way]), u32(note[1 - way])
    if note[4] & BLENDS == 0:
        return target, source, ZERO
    return target, source, part * scratch.mix_values[m // 2, way] / max(scratch.weight[target], ONE)


@njit(**OPTIONS)
def blend(mesh, mixes, background, width, stride, samples, scratch, image, mask):
    """Carries out the blends on ``image`` and, unless it is empty, ``mask``; returns the change of covered area."""
    change = 0.0
    touched = 0
    part = ONE / f32(samples * samples)
    for m in range(2 * mixes):
        target, source, share = blend_of(m, part, scratch)
        if share <= ZERO:
            continue
        y, x = pixel_of(target, stride, samples)
        p = y * width + x
        if scratch.is_touched[p] == 0:
            scratch.is_touched[p] = 1
            scratch.touched[touched] = i32(p)
            touched += 1
            for channel in range(3):
                color = ZERO
                for j in range(samples * samples):
                    sample = u32((y * samples + j // samples) * stride + x * samples + j % samples)
                    color += part * color_of(mesh, sample, background, channel, y, x, scratch)
                scratch.blended[channel, p] = color
        for channel in range(3):
            new = color_of(mesh, source, background, channel, y, x, scratch)  # before the pixel's own background
            old = color_of(mesh, target, background, channel, y, x, scratch)
            scratch.blended[channel, p] += share * (new - old)
        gained = share * (cover_of(mesh, source, scratch) - cover_of(mesh, target, scratch))
        change += gained
        if mask.shape[0] > 0:
            mask[0, y, x] = min(max(mask[0, y, x] + gained, ZERO), ONE)
    for m in range(touched):
        p = u32(scratch.touched[m])
        scratch.is_touched[p] = 0
        for channel in range(3):
            color = min(max(scratch.blended[channel, p], ZERO), ONE)
            image[channel, p // u32(width), p % u32(width)] = color if mesh.is_encoded else encode_srgb(color)
    return change


@njit(**OPTIONS)
def pixel_of(sample, stride, samples):
    """(row, column) of the pixel that a sample lies in."""
    row = sample // u32(stride)
    return row // u32(samples), (sample - row * u32(stride)) // u32(samples)


@njit(**OPTIONS)
def forget(mixes, scratch):
    """Leaves the buffers that ``collect`` wrote as clean as it found them."""
    for m in range(mixes):
        near_side, far_side = u32(scratch.mixes[m, 0]), u32(scratch.mixes[m, 1])
        scratch.weight[near_side], scratch.weight[far_side] = ZERO, ZERO
        scratch.claimed[scratch.mixes[m, 2], near_side] = 0
