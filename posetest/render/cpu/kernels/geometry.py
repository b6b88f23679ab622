"""Per image: the camera in the object's frame, which faces look at it, and where the vertices fall."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import GUARD_PX, NEAR, ONE, OPTIONS, ZERO, f32, i32, u32


@njit(**OPTIONS)
def set_camera(rotation, position, fov, height, width, scratch):
    """Fills lens, turn, shift and ray of ``scratch``: the camera frame with y and z turned to pixels' directions."""
    for j in range(3):
        scratch.turn[0, j] = rotation[0, j]
        scratch.turn[1, j] = -rotation[1, j]
        scratch.turn[2, j] = -rotation[2, j]
    scratch.shift[0] = position[0]
    scratch.shift[1] = -position[1]
    scratch.shift[2] = -position[2]
    focal = min(height, width) / 2 / math.tan(fov / 2)
    set_lens(focal, focal, width / 2, height / 2, scratch)


@njit(**OPTIONS)
def set_lens(focal_x, focal_y, center_x, center_y, scratch):
    """Fills lens and ray of ``scratch`` for a camera whose turn and shift are set."""
    lens, turn, shift, ray = scratch.lens, scratch.turn, scratch.shift, scratch.ray
    lens[0], lens[1], lens[2], lens[3] = focal_x, focal_y, center_x, center_y
    corner_x, corner_y = (0.5 - center_x) / focal_x, (0.5 - center_y) / focal_y
    for j in range(3):
        ray[0, j] = -(turn[0, j] * shift[0] + turn[1, j] * shift[1] + turn[2, j] * shift[2])
        ray[1, j] = turn[0, j] * corner_x + turn[1, j] * corner_y + turn[2, j]
        ray[2, j] = turn[0, j] / focal_x
        ray[3, j] = turn[1, j] / focal_y


@njit(**OPTIONS)
def project_vertices(verts, height, width, scratch):
    """Fills px, py, inverse_depth; returns (x0, y0, x1, y1, flagged): the extent of those projected, how many not."""
    turn, shift, lens = scratch.turn, scratch.shift, scratch.lens
    a00, a01, a02 = f32(turn[0, 0]), f32(turn[0, 1]), f32(turn[0, 2])
    a10, a11, a12 = f32(turn[1, 0]), f32(turn[1, 1]), f32(turn[1, 2])
    a20, a21, a22 = f32(turn[2, 0]), f32(turn[2, 1]), f32(turn[2, 2])
    b0, b1, b2 = f32(shift[0]), f32(shift[1]), f32(shift[2])
    focal_x, focal_y, center_x, center_y = f32(lens[0]), f32(lens[1]), f32(lens[2]), f32(lens[3])
    near, guard = f32(NEAR), max(GUARD_PX, f32(2 * max(height, width)))
    xs, ys, zs = verts[0], verts[1], verts[2]
    px, py, inverse_depth = scratch.px, scratch.py, scratch.inverse_depth
    for i in range(xs.shape[0]):
        x, y, z = xs[i], ys[i], zs[i]
        depth = a20 * x + a21 * y + a22 * z + b2
        w = ONE / depth
        u = focal_x * (a00 * x + a01 * y + a02 * z + b0) * w + center_x
        v = focal_y * (a10 * x + a11 * y + a12 * z + b1) * w + center_y
        good = (depth > near) & (abs(u) < guard) & (abs(v) < guard) & (w > ZERO)
        px[i] = u if good else ZERO
        py[i] = v if good else ZERO
        inverse_depth[i] = w if good else -ONE
    x0, x1, y0, y1 = f32(np.inf), f32(-np.inf), f32(np.inf), f32(-np.inf)
    flagged = 0
    for i in range(xs.shape[0]):
        good = inverse_depth[i] > ZERO
        u, v = px[i], py[i]
        x0 = min(x0, u if good else x0)
        x1 = max(x1, u if good else x1)
        y0 = min(y0, v if good else y0)
        y1 = max(y1, v if good else y1)
        flagged += 0 if good else 1
    return x0, y0, x1, y1, flagged


@njit(**OPTIONS)
def find_drawn(mesh, scratch):
    """Fills state of all faces, and drawn with the opaque ones; returns how many those are."""
    ray, state, drawn = scratch.ray, scratch.state, scratch.drawn
    x, y, z = ray[0, 0], ray[0, 1], ray[0, 2]
    nx, ny, nz, offset = mesh.planes[0], mesh.planes[1], mesh.planes[2], mesh.planes[3]
    for f in range(nx.shape[0]):
        state[f] = np.int8(1) if nx[f] * x + ny[f] * y + nz[f] * z > offset[f] else mesh.back_state[f]
    count = u32(0)
    for f in range(mesh.first_blend):
        drawn[count] = i32(f)
        count += u32(state[f] != 0)
    return count
