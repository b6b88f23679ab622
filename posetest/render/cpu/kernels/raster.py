"""Which face each pixel sees: exact spans row by row, and an unclipped way for faces that reach behind the camera.

Depth is kept as its inverse, which is linear over the picture; larger is nearer.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import (
    BIG,
    HALF,
    INLINED,
    NEAR,
    ONE,
    OPTIONS,
    WIDEN_PX,
    ZERO,
    f32,
    i32,
    i64,
    u32,
    u64,
)
from posetest.render.cpu.kernels.lanes import LANES, draw_box, draw_lanes, higher, lower, transpose
from posetest.render.cpu.kernels.texture import is_cut
from posetest.render.cpu.kernels.vector import load4, store

#: From the left or upper end of a face to the first centre of a pixel that it may touch, and likewise at its other end.
BEFORE_PX, AFTER_PX = HALF + WIDEN_PX, HALF - WIDEN_PX


@njit(**OPTIONS)
def find_touching(mesh, count, screen, height, width, scratch):
    """Of the first ``count`` faces of scratch.drawn, those whose box holds the centre of a pixel: scratch.touching.

    Those with a vertex that could not be projected go to scratch.pending. Returns how many there are of each. There is
    no branch to guess wrong: each face is noted in both lists, and stays there if the list's length is raised.
    """
    faces, drawn, touching, pending = mesh.faces, scratch.drawn, scratch.touching, scratch.pending
    last_x, last_y = f32(width - 1), f32(height - 1)
    touched, aside = u32(0), u32(0)
    for j in range(count):
        f = u32(drawn[j])
        a, b, c = corner(faces, f, 0, screen), corner(faces, f, 1, screen), corner(faces, f, 2, screen)
        low, high = lower(a, lower(b, c)), higher(a, higher(b, c))
        left, top = max(np.ceil(low[0] - BEFORE_PX), ZERO), max(np.ceil(low[1] - BEFORE_PX), ZERO)
        right, bottom = min(np.floor(high[0] - AFTER_PX), last_x), min(np.floor(high[1] - AFTER_PX), last_y)
        is_aside = low[2] <= ZERO
        touching[touched] = i32(f)
        touched += u32((top <= bottom) & (left <= right) & (not is_aside))
        pending[aside] = i32(f)
        aside += u32(is_aside)
    return touched, aside


@njit(**INLINED)
def corner(faces, f, number, screen):
    """Corner ``number`` of face ``f`` in the picture: x, y, inverse depth, zero."""
    return load4(screen, u64(u32(faces[f, number])) * u64(4))


#: Faces that are set up together, one in each lane of the vector registers.
BLOCK = 128

#: Faces that are gathered together.
TOGETHER = 4

#: Rows of scratch.setup, BLOCK values each: corners in the picture with their inverse depths, texels of level 0 from
#: corner 0 to the others, and which side is seen; then what is made of them.
X0, Y0, W0, X1, Y1, W1, X2, Y2, W2, U1, V1, U2, V2, SIDE = (u64(row * BLOCK) for row in range(14))
LEFT, TOP, RIGHT, BOTTOM, E0, E1, E2, E0_X, E1_X, E2_X, E0_Y, E1_Y, E2_Y, W, W_X, W_Y, FOOT = (
    u64(row * BLOCK) for row in range(14, 31)
)
SETUP_ROWS = 31


@njit(**OPTIONS)
def raster_faces(mesh, count, screen, height, width, stride, scratch, inverse, face):
    """Draws the first ``count`` faces of scratch.drawn into ``inverse`` and ``face``.

    Returns how many faces were put aside in scratch.pending: those with a vertex that could not be projected.
    """
    touched, aside = find_touching(mesh, count, screen, height, width, scratch)
    for start in range(0, touched, BLOCK):
        block = scratch.touching[start : min(start + BLOCK, i64(touched))]
        gather(mesh, block, screen, scratch)
        set_up(block.shape[0], height, width, scratch.setup)
        draw(mesh, block, stride, scratch, inverse, face)
    return aside


@njit(**OPTIONS)
def gather(mesh, block, screen, scratch):
    """Fills the first rows of scratch.setup with what belongs to the faces of ``block``."""
    faces, state, uv, rows = mesh.faces, scratch.state, mesh.texel_edges, scratch.setup
    for lane in range(0, block.shape[0], TOGETHER):
        j = u64(lane)
        # beyond the last face these are leftovers: faces all the same
        f, g, h, i = u32(block[j]), u32(block[j + u64(1)]), u32(block[j + u64(2)]), u32(block[j + u64(3)])
        for number, row in ((0, X0), (1, X1), (2, X2)):
            a, b = corner(faces, f, number, screen), corner(faces, g, number, screen)
            c, d = corner(faces, h, number, screen), corner(faces, i, number, screen)
            x, y, w, _ = transpose(a, b, c, d)
            store(rows, row + j, x)
            store(rows, row + j + u64(BLOCK), y)
            store(rows, row + j + u64(2 * BLOCK), w)
        a, b = load4(uv, u64(f) * u64(4)), load4(uv, u64(g) * u64(4))
        c, d = load4(uv, u64(h) * u64(4)), load4(uv, u64(i) * u64(4))
        u1, v1, u2, v2 = transpose(a, b, c, d)
        store(rows, U1 + j, u1)
        store(rows, V1 + j, v1)
        store(rows, U2 + j, u2)
        store(rows, V2 + j, v2)
        store(rows, SIDE + j, (f32(state[f]), f32(state[g]), f32(state[h]), f32(state[i])))


@njit(**OPTIONS)
def set_up(count, height, width, rows):
    """Box, edge functions, inverse depth and footprint of ``count`` faces, all in vector registers."""
    last_x, last_y = f32(width - 1), f32(height - 1)
    for lane in range(count):
        j = u64(lane)
        x0, y0, w0 = rows[X0 + j], rows[Y0 + j], rows[W0 + j]
        x1, y1, w1 = rows[X1 + j], rows[Y1 + j], rows[W1 + j]
        x2, y2, w2 = rows[X2 + j], rows[Y2 + j], rows[W2 + j]
        side = rows[SIDE + j]
        x10, y10, x20, y20 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
        area = x10 * y20 - x20 * y10
        top = max(np.ceil(min(y0, min(y1, y2)) - HALF - WIDEN_PX), ZERO)
        bottom = min(np.floor(max(y0, max(y1, y2)) - HALF + WIDEN_PX), last_y)
        left = max(np.ceil(min(x0, min(x1, x2)) - HALF - WIDEN_PX), ZERO)
        right = min(np.floor(max(x0, max(x1, x2)) - HALF + WIDEN_PX), last_x)
        # turned away at this resolution, or without area: no rows
        rows[LEFT + j], rows[TOP + j], rows[RIGHT + j] = left, top, right
        rows[BOTTOM + j] = bottom if area * side > ZERO else -ONE
        scale = ONE / area
        # gradient of the inverse depth over the picture, and of u / depth and v / depth for the mip level
        w10, w20 = w1 - w0, w2 - w0
        w_x, w_y = (y20 * w10 - y10 * w20) * scale, (x10 * w20 - x20 * w10) * scale
        u1, v1, u2, v2 = rows[U1 + j] * w1, rows[V1 + j] * w1, rows[U2 + j] * w2, rows[V2 + j] * w2
        total = w0 + w1 + w2
        mid_u, mid_v = (u1 + u2) / total, (v1 + v2) / total
        u_x = (y20 * u1 - y10 * u2) * scale - mid_u * w_x
        v_x = (y20 * v1 - y10 * v2) * scale - mid_v * w_x
        u_y = (x10 * u2 - x20 * u1) * scale - mid_u * w_y
        v_y = (x10 * v2 - x20 * v1) * scale - mid_v * w_y
        mid_w = total * f32(1 / 3)
        rows[FOOT + j] = max(u_x * u_x + v_x * v_x, u_y * u_y + v_y * v_y) * mid_w * mid_w
        # edge functions at the first pixel, not negative inside
        x = left + HALF
        y = top + HALF
        x21, y21 = (x2 - x1) * side, (y2 - y1) * side
        x10, y10, x20, y20 = x10 * side, y10 * side, x20 * side, y20 * side
        rows[E0 + j] = x21 * (y - y1) - y21 * (x - x1) + (WIDEN_PX * abs(y21) if y21 != ZERO else BIG)
        rows[E1 + j] = y20 * (x - x0) - x20 * (y - y0) + (WIDEN_PX * abs(y20) if y20 != ZERO else BIG)
        rows[E2 + j] = x10 * (y - y0) - y10 * (x - x0) + (WIDEN_PX * abs(y10) if y10 != ZERO else BIG)
        rows[E0_X + j], rows[E1_X + j], rows[E2_X + j] = -y21, y20, -y10
        rows[E0_Y + j], rows[E1_Y + j], rows[E2_Y + j] = x21, -x20, x10
        rows[W + j] = w0 + (x - x0) * w_x + (y - y0) * w_y
        rows[W_X + j], rows[W_Y + j] = w_x, w_y


@njit(**OPTIONS)
def draw(mesh, block, stride, scratch, inverse, face):
    """Draws the faces that are set up."""
    rows, footprint = scratch.setup, scratch.footprint
    may_cut = mesh.alpha.shape[0] == mesh.texel_edges.shape[0]
    for lane in range(block.shape[0]):
        j = u64(lane)
        f = u32(block[j])
        footprint[f] = rows[FOOT + j]
        left, top, right, bottom = rows[LEFT + j], rows[TOP + j], rows[RIGHT + j], rows[BOTTOM + j]
        e0, e1, e2, w = rows[E0 + j], rows[E1 + j], rows[E2 + j], rows[W + j]
        e0_x, e1_x, e2_x, w_x = rows[E0_X + j], rows[E1_X + j], rows[E2_X + j], rows[W_X + j]
        e0_y, e1_y, e2_y, w_y = rows[E0_Y + j], rows[E1_Y + j], rows[E2_Y + j], rows[W_Y + j]
        place = u64(u32(i32(top)) * u32(stride) + u32(i32(left)))
        is_tested = may_cut and mesh.cutoff[f] >= ZERO
        if not is_tested and right - left < f32(LANES):
            starts, steps = (e0, e1, e2, w), (e0_x, e1_x, e2_x, w_x)
            height = i32(bottom) - i32(top) + i32(1)
            draw_box(inverse, face, place, u64(stride), height, starts, steps, (e0_y, e1_y, e2_y, w_y), i32(f))
            continue
        # each edge bounds the rows' spans on the left or on the right, counted from the first column
        l0, r0, s0 = bound(e0, e0_x, e0_y)
        l1, r1, s1 = bound(e1, e1_x, e1_y)
        l2, r2, s2 = bound(e2, e2_x, e2_y)
        width = right - left
        for row in range(i32(top), i32(bottom) + 1):
            first = np.ceil(max(max(l0, ZERO), max(l1, l2)))
            last = np.floor(min(min(r0, width), min(r1, r2)))
            start = min(first, width)
            if is_tested:
                for x in range(i32(start), i32(last if first <= last else -ONE) + 1):
                    p = place + u64(x)
                    v = w + f32(x) * w_x
                    if v > inverse[p] and not is_cut(mesh, f, footprint[f], left + f32(x), f32(row), v, scratch.ray):
                        inverse[p] = v
                        face[p] = i32(f)
            else:
                # the first eight without asking: most spans are shorter, and no predictor knows which are empty
                draw_span(inverse, face, place, start, last - first, w, w_x, f)
                for x in range(i32(start) + LANES, i32(last) + 1, LANES):
                    draw_span(inverse, face, place, f32(x), last - f32(x), w, w_x, f)
            l0 += s0
            r0 += s0
            l1 += s1
            r1 += s1
            l2 += s2
            r2 += s2
            w += w_y
            place += u64(u32(stride))


@njit(**INLINED)
def bound(e, e_x, e_y):
    """Where an edge function is zero: as a lower bound of x, as an upper one, and how it moves from row to row."""
    crossing, step = (-e / e_x, -e_y / e_x) if e_x != ZERO else (ZERO, ZERO)
    return crossing if e_x > ZERO else -BIG, crossing if e_x < ZERO else BIG, step


@njit(**INLINED)
def draw_span(inverse, face, place, x, room, w, w_x, f):
    """Draws up to eight pixels from x on, counted from ``place``; ``room`` is how many follow the first."""
    draw_lanes(inverse, face, place + u64(u32(i32(x))), room, w + x * w_x, w_x, i32(f))


@njit(**OPTIONS)
def raster_pending(mesh, count, height, width, stride, scratch, inverse, face):
    """Draws the faces put aside, by edge functions of the homogeneous vertices: no division, hence no clipping.

    Source: Olano and Greer, Triangle scan conversion using 2D homogeneous coordinates, Graphics Hardware 1997.
    """
    for j in range(count):
        f = scratch.pending[j]
        volume = homogeneous_edges(mesh, f, scratch)
        if not volume > 0:
            continue
        left, top, right, bottom = clipped_box(scratch.corner, scratch.lens, height, width)
        if left > right or top > bottom:
            continue
        raster_homogeneous(mesh, f, volume, left, top, right, bottom, stride, scratch, inverse, face)


@njit(**OPTIONS)
def homogeneous_edges(mesh, f, scratch):
    """Fills corner, cross and slack for face ``f``; returns six times the volume it spans with the camera.

    A sample's ray lies inside the three planes through the camera and the face's edges where the products with the rows
    of ``cross`` are positive. The volume is negative if the face is not to be drawn.
    """
    turn, shift, lens, corner, cross = scratch.turn, scratch.shift, scratch.lens, scratch.corner, scratch.cross
    nearest = -math.inf
    for k in range(3):
        i = mesh.faces[f, k]
        x, y, z = float(mesh.verts[0, i]), float(mesh.verts[1, i]), float(mesh.verts[2, i])
        for r in range(3):
            corner[k, r] = turn[r, 0] * x + turn[r, 1] * y + turn[r, 2] * z + shift[r]
        nearest = max(nearest, corner[k, 2])
    if not nearest > NEAR:
        return -1.0
    sign = 1.0 if scratch.state[f] > 0 else -1.0
    for k in range(3):
        a, b = (k + 1) % 3, (k + 2) % 3
        cross[k, 0] = sign * (corner[a, 1] * corner[b, 2] - corner[a, 2] * corner[b, 1])
        cross[k, 1] = sign * (corner[a, 2] * corner[b, 0] - corner[a, 0] * corner[b, 2])
        cross[k, 2] = sign * (corner[a, 0] * corner[b, 1] - corner[a, 1] * corner[b, 0])
        reach = math.sqrt((cross[k, 0] / lens[0]) ** 2 + (cross[k, 1] / lens[1]) ** 2)
        scratch.slack[k] = -reach * float(WIDEN_PX)
    return corner[0, 0] * cross[0, 0] + corner[0, 1] * cross[0, 1] + corner[0, 2] * cross[0, 2]


@njit(**OPTIONS)
def clipped_box(corner, lens, height, width):
    """First and last pixel columns and rows (left, top, right, bottom) of what lies beyond the near plane."""
    x0, y0, x1, y1 = math.inf, math.inf, -math.inf, -math.inf
    for k in range(3):
        a, b = k, (k + 1) % 3
        depth_a, depth_b = corner[a, 2], corner[b, 2]
        for end in range(2):
            # the corner itself, then the place where the edge to the next one meets the near plane
            if end == 0:
                if depth_a < NEAR:
                    continue
                x, y, z = corner[a, 0], corner[a, 1], depth_a
            else:
                if (depth_a < NEAR) == (depth_b < NEAR):
                    continue
                t = (NEAR - depth_a) / (depth_b - depth_a)
                x = corner[a, 0] + t * (corner[b, 0] - corner[a, 0])
                y = corner[a, 1] + t * (corner[b, 1] - corner[a, 1])
                z = NEAR
            u, v = lens[0] * x / z + lens[2], lens[1] * y / z + lens[3]
            x0, x1, y0, y1 = min(x0, u), max(x1, u), min(y0, v), max(y1, v)
    left = int(min(max(math.floor(min(max(x0, -1.0), width + 1.0)), 0.0), float(width)))
    top = int(min(max(math.floor(min(max(y0, -1.0), height + 1.0)), 0.0), float(height)))
    right = int(min(max(math.ceil(min(max(x1, -1.0), width + 1.0)), -1.0), width - 1.0))
    bottom = int(min(max(math.ceil(min(max(y1, -1.0), height + 1.0)), -1.0), height - 1.0))
    return left, top, right, bottom


@njit(**OPTIONS)
def raster_homogeneous(mesh, f, volume, left, top, right, bottom, stride, scratch, inverse, face):
    """Tests every sample of a box against the edges that ``homogeneous_edges`` found."""
    lens, ray, cross, slack = scratch.lens, scratch.ray, scratch.cross, scratch.slack
    focal_x, focal_y, center_x, center_y = lens[0], lens[1], lens[2], lens[3]
    is_first = True
    for row in range(top, bottom + 1):
        dy = (row + 0.5 - center_y) / focal_y
        for column in range(left, right + 1):
            dx = (column + 0.5 - center_x) / focal_x
            e0 = cross[0, 0] * dx + cross[0, 1] * dy + cross[0, 2]
            e1 = cross[1, 0] * dx + cross[1, 1] * dy + cross[1, 2]
            e2 = cross[2, 0] * dx + cross[2, 1] * dy + cross[2, 2]
            total = e0 + e1 + e2
            w = f32(total / volume)
            p = u32(row * stride + column)
            if not (e0 >= slack[0] and e1 >= slack[1] and e2 >= slack[2] and total > 0):
                continue
            if not (w > inverse[p] and w * f32(NEAR) < ONE):
                continue
            if is_first:
                is_first = False
                scratch.footprint[f] = homogeneous_footprint(mesh, f, e0, e1, e2, volume, scratch)
            if mesh.cutoff[f] >= ZERO and is_cut(mesh, f, scratch.footprint[f], f32(column), f32(row), w, ray):
                continue
            inverse[p] = w
            face[p] = i32(f)


@njit(**OPTIONS)
def homogeneous_footprint(mesh, f, e0, e1, e2, volume, scratch):
    """Squared texels per sample at unit depth, from the edge functions at one sample of the face."""
    cross, focal_x, focal_y = scratch.cross, scratch.lens[0], scratch.lens[1]
    e = u64(f) * u64(4)
    uv = mesh.texel_edges
    u1, v1, u2, v2 = float(uv[e]), float(uv[e + u64(1)]), float(uv[e + u64(2)]), float(uv[e + u64(3)])
    total = e0 + e1 + e2
    u, v = (u1 * e1 + u2 * e2) / total, (v1 * e1 + v2 * e2) / total
    sum_x = (cross[0, 0] + cross[1, 0] + cross[2, 0]) / focal_x / total
    sum_y = (cross[0, 1] + cross[1, 1] + cross[2, 1]) / focal_y / total
    u_x = (u1 * cross[1, 0] + u2 * cross[2, 0]) / focal_x / total - u * sum_x
    v_x = (v1 * cross[1, 0] + v2 * cross[2, 0]) / focal_x / total - v * sum_x
    u_y = (u1 * cross[1, 1] + u2 * cross[2, 1]) / focal_y / total - u * sum_y
    v_y = (v1 * cross[1, 1] + v2 * cross[2, 1]) / focal_y / total - v * sum_y
    larger = max(u_x * u_x + v_x * v_x, u_y * u_y + v_y * v_y)
    return f32(larger * (total / volume) ** 4)
