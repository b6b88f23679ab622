"""Which face each pixel sees: exact spans row by row, and an unclipped way for faces that reach behind the camera.

Depth is kept as its inverse, which is linear over the picture; larger is nearer.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import BIG, HALF, NEAR, ONE, OPTIONS, WIDEN_PX, ZERO, f32, i32, u32, u64
from posetest.render.cpu.kernels.texture import is_cut


@njit(**OPTIONS)
def raster_faces(mesh, count, px, py, height, width, stride, scratch, inverse, face):
    """Draws the first ``count`` faces of scratch.drawn into ``inverse`` and ``face``.

    Returns how many faces were put aside in scratch.pending: those with a vertex that could not be projected.
    """
    faces, state, drawn, pending, ray = mesh.faces, scratch.state, scratch.drawn, scratch.pending, scratch.ray
    inverse_depth, footprint = scratch.inverse_depth, scratch.footprint
    last_x, last_y = f32(width - 1), f32(height - 1)
    aside = u32(0)
    for j in range(count):
        f = u32(drawn[j])
        i0, i1, i2 = u32(faces[f, 0]), u32(faces[f, 1]), u32(faces[f, 2])
        w0, w1, w2 = inverse_depth[i0], inverse_depth[i1], inverse_depth[i2]
        if min(w0, min(w1, w2)) <= ZERO:
            pending[aside] = i32(f)
            aside += u32(1)
            continue
        is_back = state[f] < 0
        if is_back:
            i1, i2, w1, w2 = i2, i1, w2, w1
        x0, y0, x1, y1, x2, y2 = px[i0], py[i0], px[i1], py[i1], px[i2], py[i2]
        top = max(np.ceil(min(y0, min(y1, y2)) - HALF - WIDEN_PX), ZERO)
        bottom = min(np.floor(max(y0, max(y1, y2)) - HALF + WIDEN_PX), last_y)
        left = max(np.ceil(min(x0, min(x1, x2)) - HALF - WIDEN_PX), ZERO)
        right = min(np.floor(max(x0, max(x1, x2)) - HALF + WIDEN_PX), last_x)
        x10, y10, x20, y20 = x1 - x0, y1 - y0, x2 - x0, y2 - y0
        area = x10 * y20 - x20 * y10
        if (top > bottom) | (left > right) | (area <= ZERO):
            continue
        scale = ONE / area
        # gradient of the inverse depth over the picture, and of u / depth and v / depth for the mip level
        w10, w20 = w1 - w0, w2 - w0
        w_x, w_y = (y20 * w10 - y10 * w20) * scale, (x10 * w20 - x20 * w10) * scale
        e = u64(f) * u64(4)
        uv = mesh.texel_edges
        u1, v1, u2, v2 = uv[e], uv[e + u64(1)], uv[e + u64(2)], uv[e + u64(3)]
        if is_back:
            u1, v1, u2, v2 = u2, v2, u1, v1
        u1, v1, u2, v2 = u1 * w1, v1 * w1, u2 * w2, v2 * w2
        total = w0 + w1 + w2
        mid_u, mid_v = (u1 + u2) / total, (v1 + v2) / total
        u_x = (y20 * u1 - y10 * u2) * scale - mid_u * w_x
        v_x = (y20 * v1 - y10 * v2) * scale - mid_v * w_x
        u_y = (x10 * u2 - x20 * u1) * scale - mid_u * w_y
        v_y = (x10 * v2 - x20 * v1) * scale - mid_v * w_y
        mid_w = total * f32(1 / 3)
        footprint[f] = max(u_x * u_x + v_x * v_x, u_y * u_y + v_y * v_y) * mid_w * mid_w
        # each edge bounds the span on its left or on its right, by where its line crosses the row
        y = top + HALF
        y21 = y2 - y1
        s0 = (x2 - x1) / y21 if y21 != ZERO else ZERO
        s1 = x20 / y20 if y20 != ZERO else ZERO
        s2 = x10 / y10 if y10 != ZERO else ZERO
        c0, c1, c2 = x1 + (y - y1) * s0, x0 + (y - y0) * s1, x0 + (y - y0) * s2
        l0 = c0 if y21 < ZERO else -BIG
        r0 = c0 if y21 > ZERO else BIG
        l1 = c1 if y20 > ZERO else -BIG
        r1 = c1 if y20 < ZERO else BIG
        l2 = c2 if y10 < ZERO else -BIG
        r2 = c2 if y10 > ZERO else BIG
        w_row = w0 + (HALF - x0) * w_x + (y - y0) * w_y
        is_tested = mesh.cutoff[f] >= ZERO
        for row in range(i32(top), i32(bottom) + 1):
            start = max(np.ceil(max(l0, max(l1, l2)) - HALF - WIDEN_PX), left)
            stop = min(np.floor(min(r0, min(r1, r2)) - HALF + WIDEN_PX), right)
            w = w_row + start * w_x
            base = u32(row * stride)
            if is_tested:
                for x in range(i32(start), i32(stop) + 1):
                    p = base + u32(x)
                    if w > inverse[p] and not is_cut(mesh, f, footprint[f], f32(x), f32(row), w, ray):
                        inverse[p] = w
                        face[p] = i32(f)
                    w += w_x
            else:
                for x in range(i32(start), i32(stop) + 1):
                    p = base + u32(x)
                    if w > inverse[p]:
                        inverse[p] = w
                        face[p] = i32(f)
                    w += w_x
            l0 += s0
            r0 += s0
            l1 += s1
            r1 += s1
            l2 += s2
            r2 += s2
            w_row += w_y
    return aside


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
