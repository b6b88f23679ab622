"""Colour of the fragments of one row of pixels.

Each row runs in phases: hit points (vector), attributes and texture (one fragment at a time, branch-free, eight values
in a register), normals and lights (vector), the sum (vector).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import ONE, OPTIONS, ZERO, f32, fold, i32, log2_fast, power, u32, u64
from posetest.render.cpu.kernels.fragments import INVERSE, PLACE_X, PLACE_Y
from posetest.render.cpu.kernels.texture import alpha_at, ask, attributes_at, level_of, trilinear
from posetest.render.cpu.kernels.vector import load8, prefetch
from posetest.render.cpu.textures import TEXEL_ONE

#: Rows of scratch.rows, after those of fragments.py.
HIT_X, HIT_Y, HIT_Z, LEVEL, UNIT_X, UNIT_Y, UNIT_Z, LENGTH = range(4, 12)
BASE_R, BASE_G, BASE_B, LIT_R, LIT_G, LIT_B, GLOW_R, GLOW_G, GLOW_B = range(12, 21)
ALPHA, METAL, EXPONENT, SCALE, SPECULAR_R, SPECULAR_G, SPECULAR_B = range(21, 28)
SHINE_R, SHINE_G, SHINE_B, VIEW_X, VIEW_Y, VIEW_Z = range(28, 34)
AT_U, AT_V = range(34, 36)
SHADE_ROWS = 36


@njit(**OPTIONS)
def shade_fragments(mesh, count, cells, level_shift, ambient, light_dirs, light_colors, scratch):
    """Linear colours of the first ``count`` fragments, to scratch.linear from column ``cells`` on."""
    hit_points(mesh, count, level_shift, scratch)
    locate(mesh, count, scratch)
    fetch(mesh, count, scratch)
    if mesh.has_emission:
        fetch_emission(mesh, count, scratch)
    set_lights(mesh, count, ambient, scratch)
    for k in range(light_dirs.shape[0]):
        add_light(mesh, count, light_dirs[k], light_colors[k], scratch)
    total(mesh, count, cells, scratch)


@njit(**OPTIONS)
def hit_points(mesh, count, level_shift, scratch):
    """Points of the object behind each fragment, within its bounds, and mip levels."""
    ray, rows, footprint = scratch.ray, scratch.rows, scratch.footprint
    ox, oy, oz = ray[0, 0], ray[0, 1], ray[0, 2]
    dx, dy, dz = ray[1, 0], ray[1, 1], ray[1, 2]
    sx, sy, sz = ray[2, 0], ray[2, 1], ray[2, 2]
    tx, ty, tz = ray[3, 0], ray[3, 1], ray[3, 2]
    low_x, low_y, low_z = mesh.bounds[0, 0], mesh.bounds[0, 1], mesh.bounds[0, 2]
    top_x, top_y, top_z = mesh.bounds[1, 0], mesh.bounds[1, 1], mesh.bounds[1, 2]
    place_x, place_y, inverse = rows[PLACE_X, :count], rows[PLACE_Y, :count], rows[INVERSE, :count]
    hit_x, hit_y, hit_z, level = rows[HIT_X], rows[HIT_Y], rows[HIT_Z], rows[LEVEL]
    for j in range(inverse.shape[0]):
        depth = ONE / max(inverse[j], f32(1e-30))
        x, y = place_x[j], place_y[j]
        hit_x[j] = min(max(ox + depth * (dx + x * sx + y * tx), low_x), top_x)
        hit_y[j] = min(max(oy + depth * (dy + x * sy + y * ty), low_y), top_y)
        hit_z[j] = min(max(oz + depth * (dz + x * sz + y * tz), low_z), top_z)
        level[j] = depth
    face = scratch.fragment_face[:count]
    for j in range(face.shape[0]):
        f = u32(face[j])
        prefetch(mesh.attributes, u64(f) * u64(32))
        prefetch(mesh.attributes, u64(f) * u64(32) + u64(16))
        level[j] = footprint[f] * (level[j] * level[j]) * (level[j] * level[j])
    for j in range(face.shape[0]):
        level[j] = level_of(level[j]) + level_shift


@njit(**OPTIONS)
def locate(mesh, count, scratch):
    """Colour factors (over TEXEL_ONE), shading normals and texture coordinates; asks for the texels in advance.

    A row's texels lie scattered over megabytes. Asked for one row ahead of their use, they arrive side by side instead
    of one after the other, which more than halves the time of a picture.
    """
    rows, face = scratch.rows, scratch.fragment_face[:count]
    hit_x, hit_y, hit_z, levels = rows[HIT_X], rows[HIT_Y], rows[HIT_Z], rows[LEVEL]
    red, green, blue, at_u, at_v = rows[BASE_R], rows[BASE_G], rows[BASE_B], rows[AT_U], rows[AT_V]
    normal_x, normal_y, normal_z = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z]
    for j in range(face.shape[0]):
        f = u32(face[j])
        lanes = attributes_at(mesh.attributes, f, hit_x[j], hit_y[j], hit_z[j])
        if mesh.is_plain:
            u, v = fold(lanes[3], i32(0)), fold(lanes[7], i32(0))
        else:
            code = i32(mesh.wrap[f])
            u, v = fold(lanes[3], code & i32(3)), fold(lanes[7], code >> i32(2))
        at_u[j], at_v[j] = u, v
        red[j], green[j], blue[j] = lanes[0], lanes[1], lanes[2]
        normal_x[j], normal_y[j], normal_z[j] = lanes[4], lanes[5], lanes[6]
        ask(mesh.texels, mesh.levels, mesh.first_level[f], mesh.last_level[f], u, v, levels[j])


@njit(**OPTIONS)
def fetch(mesh, count, scratch):
    """Base colours (in place of the factors) and alpha."""
    rows, face = scratch.rows, scratch.fragment_face[:count]
    levels, at_u, at_v = rows[LEVEL], rows[AT_U], rows[AT_V]
    red, green, blue = rows[BASE_R], rows[BASE_G], rows[BASE_B]
    for j in range(face.shape[0]):
        f = u32(face[j])
        texel = trilinear(
            mesh.texels, mesh.levels, mesh.first_level[f], mesh.last_level[f], at_u[j], at_v[j], levels[j]
        )
        red[j] *= texel[0]
        green[j] *= texel[1]
        blue[j] *= texel[2]
        if mesh.has_blend:
            own = alpha_at(mesh.alpha, f, rows[HIT_X, j], rows[HIT_Y, j], rows[HIT_Z, j])
            rows[ALPHA, j] = min(max(own * texel[3] * f32(1 / TEXEL_ONE), ZERO), ONE)


@njit(**OPTIONS)
def fetch_emission(mesh, count, scratch):
    """Emitted light, to the rows GLOW_R to GLOW_B."""
    rows, face = scratch.rows, scratch.fragment_face[:count]
    for j in range(face.shape[0]):
        f = u32(face[j])
        red, green, blue = mesh.emissive[f, 0], mesh.emissive[f, 1], mesh.emissive[f, 2]
        if max(red, max(green, blue)) <= ZERO:
            rows[GLOW_R, j], rows[GLOW_G, j], rows[GLOW_B, j] = ZERO, ZERO, ZERO
            continue
        lanes = attributes_at(mesh.attributes, f, rows[HIT_X, j], rows[HIT_Y, j], rows[HIT_Z, j])
        code = i32(mesh.emissive_wrap[f])
        u, v = fold(lanes[3], code & i32(3)), fold(lanes[7], code >> i32(2))
        level = rows[LEVEL, j] + log2_fast(mesh.emissive_scale[f])
        first, last = mesh.emissive_first[f], mesh.emissive_last[f]
        texel = trilinear(mesh.texels, mesh.levels, first, last, u, v, level)
        rows[GLOW_R, j], rows[GLOW_G, j], rows[GLOW_B, j] = red * texel[0], green * texel[1], blue * texel[2]


@njit(**OPTIONS)
def set_lights(mesh, count, ambient, scratch):
    """Unit normals (and their lengths before), ambient light, and what highlights need."""
    rows, ray = scratch.rows, scratch.ray
    unit_x, unit_y, unit_z, length = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z], rows[LENGTH]
    ambient_r, ambient_g, ambient_b = f32(ambient[0]), f32(ambient[1]), f32(ambient[2])
    lit_r, lit_g, lit_b = rows[LIT_R, :count], rows[LIT_G, :count], rows[LIT_B, :count]
    for j in range(lit_r.shape[0]):
        nx, ny, nz = unit_x[j], unit_y[j], unit_z[j]
        scale = ONE / np.sqrt(nx * nx + ny * ny + nz * nz + f32(1e-20))
        unit_x[j], unit_y[j], unit_z[j], length[j] = nx * scale, ny * scale, nz * scale, scale
        lit_r[j], lit_g[j], lit_b[j] = ambient_r, ambient_g, ambient_b
    face = scratch.fragment_face[:count]
    if mesh.has_backs:
        for j in range(face.shape[0]):
            sign = f32(scratch.state[u32(face[j])])
            unit_x[j] *= sign
            unit_y[j] *= sign
            unit_z[j] *= sign
            length[j] *= sign
    if not mesh.has_highlights:
        return
    for j in range(face.shape[0]):
        shine = load8(mesh.shine, u64(u32(mesh.material_of[u32(face[j])])) * u64(8))
        rows[METAL, j], rows[EXPONENT, j], rows[SCALE, j] = shine[0], shine[1], shine[2]
        rows[SPECULAR_R, j], rows[SPECULAR_G, j], rows[SPECULAR_B, j] = shine[3], shine[4], shine[5]
    shine_r, shine_g, shine_b = rows[SHINE_R, :count], rows[SHINE_G], rows[SHINE_B]
    view_x, view_y, view_z = rows[VIEW_X], rows[VIEW_Y], rows[VIEW_Z]
    place_x, place_y = rows[PLACE_X], rows[PLACE_Y]
    for j in range(shine_r.shape[0]):
        x, y = place_x[j], place_y[j]
        dx = ray[1, 0] + x * ray[2, 0] + y * ray[3, 0]
        dy = ray[1, 1] + x * ray[2, 1] + y * ray[3, 1]
        dz = ray[1, 2] + x * ray[2, 2] + y * ray[3, 2]
        scale = -ONE / np.sqrt(dx * dx + dy * dy + dz * dz)
        view_x[j], view_y[j], view_z[j] = dx * scale, dy * scale, dz * scale
        shine_r[j], shine_g[j], shine_b[j] = ambient_r, ambient_g, ambient_b


@njit(**OPTIONS)
def light_axis(turn, direction):
    """A direction of the camera frame (y up, z backwards) in the object frame."""
    cx, cy, cz = direction[0], -direction[1], -direction[2]
    lx = f32(turn[0, 0] * cx + turn[1, 0] * cy + turn[2, 0] * cz)
    ly = f32(turn[0, 1] * cx + turn[1, 1] * cy + turn[2, 1] * cz)
    lz = f32(turn[0, 2] * cx + turn[1, 2] * cy + turn[2, 2] * cz)
    return lx, ly, lz


@njit(**OPTIONS)
def add_light(mesh, count, direction, color, scratch):
    """One more directional light: the diffuse part to LIT_R.., the lobe to SHINE_R... See material.Highlight."""
    rows = scratch.rows
    lx, ly, lz = light_axis(scratch.turn, direction)
    red, green, blue = f32(color[0]), f32(color[1]), f32(color[2])
    unit_x, unit_y, unit_z = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z]
    lit_r, lit_g, lit_b = rows[LIT_R, :count], rows[LIT_G], rows[LIT_B]
    for j in range(lit_r.shape[0]):
        facing = max(unit_x[j] * lx + unit_y[j] * ly + unit_z[j] * lz, ZERO)
        lit_r[j] += red * facing
        lit_g[j] += green * facing
        lit_b[j] += blue * facing
    if not mesh.has_highlights:
        return
    shine_r, shine_g, shine_b = rows[SHINE_R, :count], rows[SHINE_G], rows[SHINE_B]
    view_x, view_y, view_z = rows[VIEW_X], rows[VIEW_Y], rows[VIEW_Z]
    exponent, scale = rows[EXPONENT], rows[SCALE]
    for j in range(shine_r.shape[0]):
        nx, ny, nz = unit_x[j], unit_y[j], unit_z[j]
        hx, hy, hz = lx + view_x[j], ly + view_y[j], lz + view_z[j]
        across = (nx * hx + ny * hy + nz * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + f32(1e-12))
        lobe = max(nx * lx + ny * ly + nz * lz, ZERO) * scale[j] * power(min(across, ONE), exponent[j])
        shine_r[j] += red * lobe
        shine_g[j] += green * lobe
        shine_b[j] += blue * lobe


@njit(**OPTIONS)
def total(mesh, count, cells, scratch):
    """Base colour times light, plus highlights and emission, clipped, to scratch.linear."""
    rows = scratch.rows
    for channel in range(3):
        base, lit, glow = rows[BASE_R + channel], rows[LIT_R + channel], rows[GLOW_R + channel]
        color = scratch.linear[channel, cells : cells + count]
        if mesh.has_highlights:
            shine, specular, metal = rows[SHINE_R + channel], rows[SPECULAR_R + channel], rows[METAL]
            for j in range(color.shape[0]):
                lit[j] += metal[j] * (shine[j] - lit[j])
                color[j] = base[j] * lit[j] + specular[j] * shine[j]
        else:
            for j in range(color.shape[0]):
                color[j] = base[j] * lit[j]
        if mesh.has_emission:
            for j in range(color.shape[0]):
                color[j] += glow[j]
        for j in range(color.shape[0]):
            color[j] = min(max(color[j], ZERO), ONE)
