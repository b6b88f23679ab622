"""Colour of the pixels that see the object, row by row.

Each row runs in phases over the span that holds object: hit points (vector), attributes and texture (one pixel at a
time, branch-free, eight values in a register), normals and lights (vector), encoding and writing (vector). Pixels of
background inside the span are computed like the others, from face 0, and left out when writing: a branch would cost
more than it saves.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import ONE, OPTIONS, ZERO, encode_srgb, f32, fold, i32, log2_fast, u32
from posetest.render.cpu.kernels.texture import attributes_at, level_of, trilinear
from posetest.render.cpu.kernels.vector import times

#: Rows of scratch.rows.
HIT_X, HIT_Y, HIT_Z, LEVEL, UNIT_X, UNIT_Y, UNIT_Z = range(7)
BASE_R, BASE_G, BASE_B, LIT_R, LIT_G, LIT_B, GLOW_R, GLOW_G, GLOW_B = range(7, 16)
ROW_BUFFERS = 16


@njit(**OPTIONS)
def shade_image(mesh, ambient, light_dirs, light_colors, background, height, width, stride, scratch, image):
    """Writes ``image`` [3, h, w], and the linear colours of the object's pixels to scratch.linear.

    Returns (pixels, left, top, right, bottom) of what the object covers; right < left where there is nothing.
    """
    pixels, x0, y0, x1, y1 = 0, width, height, -1, -1
    for y in range(height):
        row = y * stride
        face = scratch.face[row : row + width]
        start = 0
        while start < width and face[start] < 0:
            start += 1
        stop = width
        while stop > start and face[stop - 1] < 0:
            stop -= 1
        count = stop - start
        for channel in range(3):
            behind, out = background[channel, y], image[channel, y]
            for x in range(start):
                out[x] = behind[x]
            behind, out = behind[stop:], out[stop:]
            for x in range(width - stop):
                out[x] = behind[x]
        if count == 0:
            continue
        x0, x1, y0, y1 = min(x0, start), max(x1, stop - 1), min(y0, y), y
        face = face[start:stop]
        for x in range(count):
            pixels += face[x] >= 0
        hit_points(mesh, face, scratch.inverse[row + start : row + stop], f32(start), f32(y), scratch)
        fetch(mesh, face, scratch)
        if mesh.has_emission:
            fetch_emission(mesh, face, scratch)
        light(mesh, face, ambient, light_dirs, light_colors, scratch)
        write(mesh, face, background, y, start, row + start, scratch, image)
    return pixels, x0, y0, x1, y1


@njit(**OPTIONS)
def hit_points(mesh, face, inverse, x_start, y, scratch):
    """Points of the object behind each pixel, within its bounds, and mip levels."""
    ray, rows, footprint = scratch.ray, scratch.rows, scratch.footprint
    ox, oy, oz = ray[0, 0], ray[0, 1], ray[0, 2]
    dx = ray[1, 0] + x_start * ray[2, 0] + y * ray[3, 0]
    dy = ray[1, 1] + x_start * ray[2, 1] + y * ray[3, 1]
    dz = ray[1, 2] + x_start * ray[2, 2] + y * ray[3, 2]
    sx, sy, sz = ray[2, 0], ray[2, 1], ray[2, 2]
    low_x, low_y, low_z = mesh.bounds[0, 0], mesh.bounds[0, 1], mesh.bounds[0, 2]
    top_x, top_y, top_z = mesh.bounds[1, 0], mesh.bounds[1, 1], mesh.bounds[1, 2]
    hit_x, hit_y, hit_z, level = rows[HIT_X], rows[HIT_Y], rows[HIT_Z], rows[LEVEL]
    for x in range(face.shape[0]):
        depth = ONE / max(inverse[x], f32(1e-30))
        step = f32(x)
        hit_x[x] = min(max(ox + depth * (dx + step * sx), low_x), top_x)
        hit_y[x] = min(max(oy + depth * (dy + step * sy), low_y), top_y)
        hit_z[x] = min(max(oz + depth * (dz + step * sz), low_z), top_z)
        level[x] = depth
    for x in range(face.shape[0]):
        level[x] = level_of(footprint[u32(max(face[x], i32(0)))], level[x])


@njit(**OPTIONS)
def fetch(mesh, face, scratch):
    """Base colours (over TEXEL_ONE) and shading normals, to the rows BASE_R to BASE_B and UNIT_X to UNIT_Z."""
    rows = scratch.rows
    hit_x, hit_y, hit_z, levels = rows[HIT_X], rows[HIT_Y], rows[HIT_Z], rows[LEVEL]
    red, green, blue = rows[BASE_R], rows[BASE_G], rows[BASE_B]
    normal_x, normal_y, normal_z = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z]
    for x in range(face.shape[0]):
        f = u32(max(face[x], i32(0)))
        lanes = attributes_at(mesh.attributes, f, hit_x[x], hit_y[x], hit_z[x])
        if mesh.is_plain:
            u, v = fold(lanes[3], i32(0)), fold(lanes[7], i32(0))
        else:
            code = i32(mesh.wrap[f])
            u, v = fold(lanes[3], code & i32(3)), fold(lanes[7], code >> i32(2))
        texel = trilinear(mesh.texels, mesh.levels, mesh.first_level[f], mesh.last_level[f], u, v, levels[x])
        base = times(lanes[:4], texel)
        red[x], green[x], blue[x] = base[0], base[1], base[2]
        normal_x[x], normal_y[x], normal_z[x] = lanes[4], lanes[5], lanes[6]


@njit(**OPTIONS)
def fetch_emission(mesh, face, scratch):
    """Emitted light, to the rows GLOW_R to GLOW_B."""
    rows = scratch.rows
    for x in range(face.shape[0]):
        f = u32(max(face[x], i32(0)))
        red, green, blue = mesh.emissive[f, 0], mesh.emissive[f, 1], mesh.emissive[f, 2]
        if max(red, max(green, blue)) <= ZERO:
            rows[GLOW_R, x], rows[GLOW_G, x], rows[GLOW_B, x] = ZERO, ZERO, ZERO
            continue
        lanes = attributes_at(mesh.attributes, f, rows[HIT_X, x], rows[HIT_Y, x], rows[HIT_Z, x])
        code = i32(mesh.emissive_wrap[f])
        u, v = fold(lanes[3], code & i32(3)), fold(lanes[7], code >> i32(2))
        level = rows[LEVEL, x] + log2_fast(mesh.emissive_scale[f])
        first, last = mesh.emissive_first[f], mesh.emissive_last[f]
        texel = trilinear(mesh.texels, mesh.levels, first, last, u, v, level)
        rows[GLOW_R, x], rows[GLOW_G, x], rows[GLOW_B, x] = red * texel[0], green * texel[1], blue * texel[2]


@njit(**OPTIONS)
def light(mesh, face, ambient, light_dirs, light_colors, scratch):
    """Light that falls on each pixel, linear, to the rows LIT_R to LIT_B."""
    rows, turn = scratch.rows, scratch.turn
    unit_x, unit_y, unit_z = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z]
    lit_r, lit_g, lit_b = rows[LIT_R], rows[LIT_G], rows[LIT_B]
    count = face.shape[0]
    ambient_r, ambient_g, ambient_b = f32(ambient[0]), f32(ambient[1]), f32(ambient[2])
    for x in range(count):
        nx, ny, nz = unit_x[x], unit_y[x], unit_z[x]
        scale = ONE / np.sqrt(nx * nx + ny * ny + nz * nz + f32(1e-20))
        unit_x[x], unit_y[x], unit_z[x] = nx * scale, ny * scale, nz * scale
        lit_r[x], lit_g[x], lit_b[x] = ambient_r, ambient_g, ambient_b
    if mesh.has_backs:
        for x in range(count):
            sign = f32(scratch.state[u32(max(face[x], i32(0)))])
            unit_x[x] *= sign
            unit_y[x] *= sign
            unit_z[x] *= sign
    for k in range(light_dirs.shape[0]):
        # the pixel frame has y and z turned around against the camera frame
        cx, cy, cz = light_dirs[k, 0], -light_dirs[k, 1], -light_dirs[k, 2]
        lx = f32(turn[0, 0] * cx + turn[1, 0] * cy + turn[2, 0] * cz)
        ly = f32(turn[0, 1] * cx + turn[1, 1] * cy + turn[2, 1] * cz)
        lz = f32(turn[0, 2] * cx + turn[1, 2] * cy + turn[2, 2] * cz)
        red, green, blue = f32(light_colors[k, 0]), f32(light_colors[k, 1]), f32(light_colors[k, 2])
        for x in range(count):
            facing = max(unit_x[x] * lx + unit_y[x] * ly + unit_z[x] * lz, ZERO)
            lit_r[x] += red * facing
            lit_g[x] += green * facing
            lit_b[x] += blue * facing


@njit(**OPTIONS)
def write(mesh, face, background, y, start, place, scratch, image):
    """Base colour times light, plus emission, clipped: linear to scratch.linear, encoded to ``image``."""
    rows, linear, count = scratch.rows, scratch.linear, face.shape[0]
    for channel in range(3):
        base, lit, glow = rows[BASE_R + channel], rows[LIT_R + channel], rows[GLOW_R + channel]
        out, behind = image[channel, y, start : start + count], background[channel, y, start : start + count]
        kept = linear[channel, place : place + count]
        if mesh.has_emission:
            for x in range(count):
                kept[x] = min(max(base[x] * lit[x] + glow[x], ZERO), ONE)
        else:
            for x in range(count):
                kept[x] = min(max(base[x] * lit[x], ZERO), ONE)
        for x in range(count):
            out[x] = encode_srgb(kept[x]) if face[x] >= 0 else behind[x]
