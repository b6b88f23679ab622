"""Antialiasing of outlines: one sample a pixel, and exact coverage along the silhouette edges of the mesh.

An edge is on the silhouette if the faces drawn beside it lie on one side of it. Walking along it, each row it crosses
(each column, if it runs rather level) gives a pair of neighbouring pixels with the edge between their centres; the one
whose area the edge cuts is blended with the other by the part cut off. A pair counts if its inner pixel lies on the
object at the edge's depth and the outer one shows background or something farther, and each pair counts once: outlines
that zigzag through a pixel would otherwise be counted several times.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import (
    HALF,
    NEAR,
    ONE,
    OPTIONS,
    WIDEN_PX,
    ZERO,
    decode_srgb,
    encode_srgb,
    f32,
    i32,
    u32,
)

#: Depth, in pixel footprints, by which the outer pixel must lie behind the edge, and the inner one may.
OUTER_PX = np.float32(0.5)
INNER_PX = np.float32(8)

#: How far, in roots of the pixel footprint, the surface may come forward within a pixel of its outline: a sphere of
#: radius one does so by the root of two footprints.
BULGE = np.float32(2.5)

#: How near to a pixel's centre an edge may pass for the pixel to count as drawn by widening.
MISSED_PX = np.float32(2) * WIDEN_PX


@njit(**OPTIONS)
def find_silhouette(mesh, scratch):
    """Fills scratch.silhouette; returns how many edges it holds."""
    edges, sign, state, found = mesh.edges, mesh.edge_sign, scratch.state, scratch.silhouette
    count = u32(0)
    for e in range(edges.shape[0]):
        found[count] = i32(e)
        side = i32(state[u32(edges[e, 2])]) + i32(sign[e]) * i32(state[u32(edges[e, 3])])
        count += u32(side != 0)
    return count


@njit(**OPTIONS)
def collect(mesh, count, background, height, width, stride, scratch):
    """Walks ``count`` silhouette edges and notes what is to be blended; returns how many blends."""
    turn, shift, lens, end = scratch.turn, scratch.shift, scratch.lens, scratch.corner
    mixes = 0
    for j in range(count):
        e = scratch.silhouette[u32(j)]
        a, b = u32(mesh.edges[e, 0]), u32(mesh.edges[e, 1])
        side = i32(scratch.state[u32(mesh.edges[e, 2])])
        side += i32(mesh.edge_sign[e]) * i32(scratch.state[u32(mesh.edges[e, 3])])
        w0, w1 = scratch.inverse_depth[a], scratch.inverse_depth[b]
        if min(w0, w1) > ZERO:
            x0, y0, x1, y1 = scratch.px[a], scratch.py[a], scratch.px[b], scratch.py[b]
        else:
            for k in range(3):
                xa, ya, za = float(mesh.verts[0, a]), float(mesh.verts[1, a]), float(mesh.verts[2, a])
                xb, yb, zb = float(mesh.verts[0, b]), float(mesh.verts[1, b]), float(mesh.verts[2, b])
                end[0, k] = turn[k, 0] * xa + turn[k, 1] * ya + turn[k, 2] * za + shift[k]
                end[1, k] = turn[k, 0] * xb + turn[k, 1] * yb + turn[k, 2] * zb + shift[k]
            if not max(end[0, 2], end[1, 2]) > NEAR:
                continue
            for k in range(2):
                if end[k, 2] < NEAR:
                    t = (NEAR - end[k, 2]) / (end[1 - k, 2] - end[k, 2])
                    for r in range(3):
                        end[k, r] += t * (end[1 - k, r] - end[k, r])
            w0, w1 = f32(1 / end[0, 2]), f32(1 / end[1, 2])
            x0, y0 = f32(lens[0] * end[0, 0] / end[0, 2] + lens[2]), f32(lens[1] * end[0, 1] / end[0, 2] + lens[3])
            x1, y1 = f32(lens[0] * end[1, 0] / end[1, 2] + lens[2]), f32(lens[1] * end[1, 1] / end[1, 2] + lens[3])
        mixes = walk(x0, y0, w0, x1, y1, w1, side, mixes, background, height, width, stride, scratch)
    return mixes


@njit(**OPTIONS)
def walk(x0, y0, w0, x1, y1, w1, side, mixes, background, height, width, stride, scratch):
    """Notes the blends of one edge after the first ``mixes``; returns how many there are now."""
    inverse, face, claimed = scratch.inverse, scratch.face, scratch.claimed
    # the object lies to the right of the edge's direction if side > 0, as seen with y pointing down
    if abs(y1 - y0) >= abs(x1 - x0):
        along0, along1, across0, across1 = y0, y1, x0, x1
        lines, places, step_along, step_across, axis = height, width, stride, 1, 0
        is_inner_first = (y1 > y0) == (side < 0)
    else:
        along0, along1, across0, across1 = x0, x1, y0, y1
        lines, places, step_along, step_across, axis = width, height, 1, stride, 1
        is_inner_first = (x1 > x0) == (side > 0)
    first = i32(max(np.ceil(min(along0, along1) - HALF), ZERO))
    last = i32(min(np.ceil(max(along0, along1) - HALF), f32(lines)))
    if first >= last:
        return mixes
    per_line = ONE / (along1 - along0)
    focal = f32(min(scratch.lens[0], scratch.lens[1]))
    for line in range(first, last):
        t = (f32(line) + HALF - along0) * per_line
        crossing = across0 + t * (across1 - across0)
        if not (crossing >= HALF and crossing < f32(places) - HALF):
            continue
        place = i32(np.floor(crossing - HALF))
        # a pixel whose centre the edge only just misses was drawn all the same (WIDEN_PX): then it is the inner one
        past = crossing - HALF - f32(place)
        if is_inner_first and past > ONE - MISSED_PX:
            step = 1 if face[u32(line * step_along + (place + 1) * step_across)] >= 0 else 0
        elif not is_inner_first and past < MISSED_PX:
            step = -1 if face[u32(line * step_along + place * step_across)] >= 0 else 0
        else:
            step = 0
        place += i32(step)
        if place < 0 or place + 1 >= places:
            continue
        near_side = u32(line * step_along + place * step_across)
        far_side = near_side + u32(step_across)
        if claimed[axis, near_side]:
            continue
        inner, outer = (near_side, far_side) if is_inner_first else (far_side, near_side)
        if face[inner] < 0:
            continue
        depth = ONE / (w0 + t * (w1 - w0))
        footprint = depth / focal
        if face[outer] >= 0 and ONE / inverse[outer] < depth + OUTER_PX * footprint:
            continue
        behind = ONE / inverse[inner] - depth
        if behind > INNER_PX * footprint or behind < -BULGE * np.sqrt(footprint) - INNER_PX * footprint:
            continue
        claimed[axis, near_side] = 1
        weight = crossing - f32(place + 1)
        if weight > ZERO:
            target, source = far_side, near_side
        else:
            target, source = near_side, far_side
        weight = abs(weight)
        note, values = scratch.mixes[mixes], scratch.mix_values[mixes]
        note[0], note[1], note[2] = i32(target), i32(near_side), i32(axis)
        values[0] = weight
        for channel in range(3):
            old = pixel(scratch, background, channel, target, width, stride)
            new = pixel(scratch, background, channel, source, width, stride)
            values[1 + channel] = new - old
        values[4] = f32(face[source] >= 0) - f32(face[target] >= 0)
        scratch.weight[target] += weight
        mixes += 1
    return mixes


@njit(**OPTIONS)
def pixel(scratch, background, channel, place, width, stride):
    """Linear colour of a pixel before blending."""
    if scratch.face[place] >= 0:
        return scratch.linear[channel, place]
    row = place // u32(stride)
    return decode_srgb(background[channel, row, place - row * u32(stride)])


@njit(**OPTIONS)
def blend(mixes, background, width, stride, scratch, image, mask):
    """Carries out the blends on ``image`` and, unless it is empty, ``mask``; returns the change of covered area.

    Scratch buffers are left as clean as they were found.
    """
    change = 0.0
    has_mask = mask.shape[0] > 0
    for m in range(mixes):
        target = u32(scratch.mixes[m, 0])
        share = scratch.mix_values[m, 0] / max(scratch.weight[target], ONE)
        row = target // u32(stride)
        column = target - row * u32(stride)
        is_object = scratch.face[target] >= 0
        for channel in range(3):
            if not is_object and scratch.claimed[0, target] < 2:
                scratch.linear[channel, target] = decode_srgb(background[channel, row, column])
            scratch.linear[channel, target] += share * scratch.mix_values[m, 1 + channel]
        scratch.claimed[0, target] = 2
        change += share * scratch.mix_values[m, 4]
        if has_mask:
            mask[0, row, column] = min(max(mask[0, row, column] + share * scratch.mix_values[m, 4], ZERO), ONE)
    for m in range(mixes):
        target = u32(scratch.mixes[m, 0])
        row = target // u32(stride)
        column = target - row * u32(stride)
        for channel in range(3):
            image[channel, row, column] = encode_srgb(min(max(scratch.linear[channel, target], ZERO), ONE))
        scratch.weight[target] = ZERO
    for m in range(mixes):
        scratch.claimed[0, u32(scratch.mixes[m, 0])] = 0
        scratch.claimed[scratch.mixes[m, 2], u32(scratch.mixes[m, 1])] = 0
    return change
