"""Per image: the camera in the object's frame, which faces look at it, and where the vertices fall."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import GUARD_PX, INLINED, NEAR, ONE, OPTIONS, ZERO, f32, i32, u32, u64

#: What rounding may add to the difference of two unit normals.
RIM_SLACK = np.float32(1e-5)

#: Keys (float_to_key) of plus and minus infinity.
HIGHEST, LOWEST = np.int32(0x7F800000), np.int32(-0x7F800001)


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


@njit(**INLINED)
def float_to_key(x):
    """An integer that orders like the float: least and greatest of integers stay in vector registers."""
    bits = f32(x).view(np.int32)
    return i32(bits ^ i32(i32(bits >> i32(31)) & i32(0x7FFFFFFF)))


@njit(**INLINED)
def key_to_float(key):
    """The float of ``float_to_key``."""
    return i32(key ^ i32(i32(key >> i32(31)) & i32(0x7FFFFFFF))).view(np.float32)


@njit(**OPTIONS)
def project_vertices(verts, height, width, scratch):
    """Fills scratch.screen; returns (x0, y0, x1, y1, flagged): the extent of those projected, how many not."""
    turn, shift, lens = scratch.turn, scratch.shift, scratch.lens
    a00, a01, a02 = f32(turn[0, 0]), f32(turn[0, 1]), f32(turn[0, 2])
    a10, a11, a12 = f32(turn[1, 0]), f32(turn[1, 1]), f32(turn[1, 2])
    a20, a21, a22 = f32(turn[2, 0]), f32(turn[2, 1]), f32(turn[2, 2])
    b0, b1, b2 = f32(shift[0]), f32(shift[1]), f32(shift[2])
    focal_x, focal_y, center_x, center_y = f32(lens[0]), f32(lens[1]), f32(lens[2]), f32(lens[3])
    near, guard = f32(NEAR), max(GUARD_PX, f32(2 * max(height, width)))
    xs, ys, zs = verts[0], verts[1], verts[2]
    screen = scratch.screen
    x0, x1, y0, y1 = HIGHEST, LOWEST, HIGHEST, LOWEST
    flagged = i32(0)
    for i in range(xs.shape[0]):
        x, y, z = xs[i], ys[i], zs[i]
        depth = a20 * x + a21 * y + a22 * z + b2
        w = ONE / depth
        u = focal_x * (a00 * x + a01 * y + a02 * z + b0) * w + center_x
        v = focal_y * (a10 * x + a11 * y + a12 * z + b1) * w + center_y
        good = (depth > near) & (abs(u) < guard) & (abs(v) < guard) & (w > ZERO)
        k = u64(i) * u64(4)
        screen[k] = u if good else ZERO
        screen[k + u64(1)] = v if good else ZERO
        screen[k + u64(2)] = w if good else -ONE
        screen[k + u64(3)] = ZERO
        u_key, v_key = float_to_key(u), float_to_key(v)
        x0, x1 = min(x0, u_key if good else HIGHEST), max(x1, u_key if good else LOWEST)
        y0, y1 = min(y0, v_key if good else HIGHEST), max(y1, v_key if good else LOWEST)
        flagged += i32(0) if good else i32(1)
    return key_to_float(x0), key_to_float(y0), key_to_float(x1), key_to_float(y1), flagged


@njit(**OPTIONS)
def find_drawn(mesh, scratch):
    """Fills state and rim of all faces, and drawn with the opaque ones; returns how many those are."""
    ray, state, drawn, rim = scratch.ray, scratch.state, scratch.drawn, scratch.rim
    x, y, z = ray[0, 0], ray[0, 1], ray[0, 2]
    nx, ny, nz, offset = mesh.planes[0], mesh.planes[1], mesh.planes[2], mesh.planes[3]
    far = ZERO
    for k in range(3):
        away = max(abs(ray[0, k] - mesh.bounds[0, k]), abs(ray[0, k] - mesh.bounds[1, k]))
        far += away * away
    far = np.sqrt(far)
    back_state, crease = mesh.back_state, mesh.crease
    for f in range(nx.shape[0]):
        side = nx[f] * x + ny[f] * y + nz[f] * z
        state[f] = np.int8(1) if side > offset[f] else back_state[f]
        # seen from the edge between two faces, the camera's heights above their planes differ by no more than this
        rim[f] = np.int8(abs(side - offset[f]) <= far * (crease[f] + RIM_SLACK))
    count = u32(0)
    for f in range(mesh.first_blend):
        drawn[count] = i32(f)
        count += u32(state[f] != 0)
    return count
