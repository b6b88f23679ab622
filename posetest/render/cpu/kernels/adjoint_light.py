"""How the colours of a row's fragments change as light and view turn against the surface: shade.py, differentiated."""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import ONE, OPTIONS, ZERO, f32, power
from posetest.render.cpu.kernels.shade import (
    BASE_R,
    EXPONENT,
    GLOW_R,
    HIT_X,
    HIT_Y,
    HIT_Z,
    METAL,
    SCALE,
    SHADE_ROWS,
    SPECULAR_R,
    UNIT_X,
    UNIT_Y,
    UNIT_Z,
    VIEW_X,
    VIEW_Y,
    VIEW_Z,
    light_axis,
)

#: Rows of scratch.rows, after those of shade.py: dL by linear colour, by unit normal and by view direction.
BY_R, BY_G, BY_B, BY_UNIT_X, BY_UNIT_Y, BY_UNIT_Z, BY_VIEW_X, BY_VIEW_Y, BY_VIEW_Z = range(SHADE_ROWS, SHADE_ROWS + 9)
ALL_ROWS = SHADE_ROWS + 9


@njit(**OPTIONS)
def keep_unclipped(mesh, total, cells, scratch):
    """Where a colour is clipped at white it does not change."""
    for channel in range(3):
        by = scratch.rows[BY_R + channel, :total]
        color = scratch.rows[GLOW_R + channel] if mesh.has_blend else scratch.linear[channel, cells : cells + total]
        for j in range(by.shape[0]):
            by[j] = by[j] if color[j] < ONE else ZERO


@njit(**OPTIONS)
def differentiate_lights(mesh, total, view, scratch, by):
    """dL by normals, view directions and lights of a row's fragments, added to ``by``; see ``differentiate_rows``."""
    _, light_dirs, light_colors = view
    torque, force, by_dirs, by_colors, by_ambient = by
    rows = scratch.rows
    by_x, by_y, by_z = rows[BY_UNIT_X, :total], rows[BY_UNIT_Y], rows[BY_UNIT_Z]
    view_by_x, view_by_y, view_by_z = rows[BY_VIEW_X], rows[BY_VIEW_Y], rows[BY_VIEW_Z]
    for j in range(by_x.shape[0]):
        by_x[j], by_y[j], by_z[j] = ZERO, ZERO, ZERO
        view_by_x[j], view_by_y[j], view_by_z[j] = ZERO, ZERO, ZERO
    for channel in range(3):
        by_color, base, specular = rows[BY_R + channel, :total], rows[BASE_R + channel], rows[SPECULAR_R + channel]
        total_by = ZERO
        if mesh.has_highlights:
            for j in range(by_color.shape[0]):
                total_by += by_color[j] * (base[j] + specular[j])
        else:
            for j in range(by_color.shape[0]):
                total_by += by_color[j] * base[j]
        by_ambient[channel] += total_by
    for k in range(light_dirs.shape[0]):
        lx, ly, lz = light_axis(scratch.turn, light_dirs[k])
        if mesh.has_highlights:
            x, y, z = differentiate_glossy(total, lx, ly, lz, light_colors[k], scratch, by_colors[k])
        else:
            x, y, z = differentiate_matte(total, lx, ly, lz, light_colors[k], scratch, by_colors[k])
        by_dirs[k, 0] += x
        by_dirs[k, 1] += y
        by_dirs[k, 2] += z
    unit_x, unit_y, unit_z = rows[UNIT_X], rows[UNIT_Y], rows[UNIT_Z]
    torque_x, torque_y, torque_z = ZERO, ZERO, ZERO
    for j in range(by_x.shape[0]):
        torque_x += unit_y[j] * by_z[j] - unit_z[j] * by_y[j]
        torque_y += unit_z[j] * by_x[j] - unit_x[j] * by_z[j]
        torque_z += unit_x[j] * by_y[j] - unit_y[j] * by_x[j]
    torque[0] += torque_x
    torque[1] += torque_y
    torque[2] += torque_z
    if mesh.has_highlights:
        move_views(total, scratch, torque, force)


@njit(**OPTIONS)
def move_views(total, scratch, torque, force):
    """The direction to the camera turns as a point of the surface moves past it."""
    rows, ray = scratch.rows, scratch.ray
    hit_x, hit_y, hit_z = rows[HIT_X, :total], rows[HIT_Y], rows[HIT_Z]
    view_x, view_y, view_z = rows[VIEW_X], rows[VIEW_Y], rows[VIEW_Z]
    by_x, by_y, by_z = rows[BY_VIEW_X], rows[BY_VIEW_Y], rows[BY_VIEW_Z]
    force_x, force_y, force_z, torque_x, torque_y, torque_z = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for j in range(hit_x.shape[0]):
        x, y, z = hit_x[j] - ray[0, 0], hit_y[j] - ray[0, 1], hit_z[j] - ray[0, 2]
        scale = -ONE / np.sqrt(x * x + y * y + z * z + f32(1e-12))
        along = by_x[j] * view_x[j] + by_y[j] * view_y[j] + by_z[j] * view_z[j]
        fx = scale * (by_x[j] - along * view_x[j])
        fy = scale * (by_y[j] - along * view_y[j])
        fz = scale * (by_z[j] - along * view_z[j])
        force_x += fx
        force_y += fy
        force_z += fz
        torque_x += hit_y[j] * fz - hit_z[j] * fy
        torque_y += hit_z[j] * fx - hit_x[j] * fz
        torque_z += hit_x[j] * fy - hit_y[j] * fx
    force[0] += force_x
    force[1] += force_y
    force[2] += force_z
    torque[0] += torque_x
    torque[1] += torque_y
    torque[2] += torque_z


@njit(**OPTIONS)
def differentiate_matte(total, lx, ly, lz, color, scratch, by_color):
    """One light on surfaces without highlights; returns dL by its direction (object frame)."""
    rows = scratch.rows
    red, green, blue = f32(color[0]), f32(color[1]), f32(color[2])
    unit_x, unit_y, unit_z = rows[UNIT_X, :total], rows[UNIT_Y], rows[UNIT_Z]
    by_x, by_y, by_z = rows[BY_UNIT_X], rows[BY_UNIT_Y], rows[BY_UNIT_Z]
    by_r, by_g, by_b = rows[BY_R], rows[BY_G], rows[BY_B]
    base_r, base_g, base_b = rows[BASE_R], rows[BASE_R + 1], rows[BASE_R + 2]
    sum_r, sum_g, sum_b, sum_x, sum_y, sum_z = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for j in range(unit_x.shape[0]):
        facing = unit_x[j] * lx + unit_y[j] * ly + unit_z[j] * lz
        lit = ONE if facing > ZERO else ZERO
        r, g, b = by_r[j] * base_r[j] * lit, by_g[j] * base_g[j] * lit, by_b[j] * base_b[j] * lit
        sum_r += r * facing
        sum_g += g * facing
        sum_b += b * facing
        by = r * red + g * green + b * blue
        by_x[j] += by * lx
        by_y[j] += by * ly
        by_z[j] += by * lz
        sum_x += by * unit_x[j]
        sum_y += by * unit_y[j]
        sum_z += by * unit_z[j]
    by_color[0] += sum_r
    by_color[1] += sum_g
    by_color[2] += sum_b
    return sum_x, sum_y, sum_z


@njit(**OPTIONS)
def differentiate_glossy(total, lx, ly, lz, color, scratch, by_color):
    """One light on surfaces with highlights; returns dL by its direction (object frame)."""
    rows = scratch.rows
    red, green, blue = f32(color[0]), f32(color[1]), f32(color[2])
    unit_x, unit_y, unit_z = rows[UNIT_X, :total], rows[UNIT_Y], rows[UNIT_Z]
    by_x, by_y, by_z = rows[BY_UNIT_X], rows[BY_UNIT_Y], rows[BY_UNIT_Z]
    view_by_x, view_by_y, view_by_z = rows[BY_VIEW_X], rows[BY_VIEW_Y], rows[BY_VIEW_Z]
    by_r, by_g, by_b = rows[BY_R], rows[BY_G], rows[BY_B]
    base_r, base_g, base_b = rows[BASE_R], rows[BASE_R + 1], rows[BASE_R + 2]
    gloss_r, gloss_g, gloss_b = rows[SPECULAR_R], rows[SPECULAR_R + 1], rows[SPECULAR_R + 2]
    metal, exponent, scale = rows[METAL], rows[EXPONENT], rows[SCALE]
    view_x, view_y, view_z = rows[VIEW_X], rows[VIEW_Y], rows[VIEW_Z]
    sum_r, sum_g, sum_b, sum_x, sum_y, sum_z = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for j in range(unit_x.shape[0]):
        nx, ny, nz = unit_x[j], unit_y[j], unit_z[j]
        facing = nx * lx + ny * ly + nz * lz
        lit = ONE if facing > ZERO else ZERO
        hx, hy, hz = lx + view_x[j], ly + view_y[j], lz + view_z[j]
        shrink = ONE / np.sqrt(hx * hx + hy * hy + hz * hz + f32(1e-12))
        hx, hy, hz = hx * shrink, hy * shrink, hz * shrink
        across = min(nx * hx + ny * hy + nz * hz, ONE)
        lobe = scale[j] * power(across, exponent[j])
        rest, metallic = (ONE - metal[j]) * lit, metal[j]
        r, g, b = by_r[j] * base_r[j] * rest, by_g[j] * base_g[j] * rest, by_b[j] * base_b[j] * rest
        shine_r = by_r[j] * (base_r[j] * metallic + gloss_r[j]) * lit
        shine_g = by_g[j] * (base_g[j] * metallic + gloss_g[j]) * lit
        shine_b = by_b[j] * (base_b[j] * metallic + gloss_b[j]) * lit
        sum_r += (r + shine_r * lobe) * facing
        sum_g += (g + shine_g * lobe) * facing
        sum_b += (b + shine_b * lobe) * facing
        by_shine = shine_r * red + shine_g * green + shine_b * blue
        by_facing = r * red + g * green + b * blue + by_shine * lobe
        by_across = by_shine * facing * exponent[j] * lobe / max(across, f32(1e-3))
        # the half vector turns half as fast as light and view do
        jx, jy, jz = by_across * nx, by_across * ny, by_across * nz
        along = jx * hx + jy * hy + jz * hz
        jx, jy, jz = (jx - hx * along) * shrink, (jy - hy * along) * shrink, (jz - hz * along) * shrink
        by_x[j] += by_facing * lx + by_across * hx
        by_y[j] += by_facing * ly + by_across * hy
        by_z[j] += by_facing * lz + by_across * hz
        view_by_x[j] += jx
        view_by_y[j] += jy
        view_by_z[j] += jz
        sum_x += by_facing * nx + jx
        sum_y += by_facing * ny + jy
        sum_z += by_facing * nz + jz
    by_color[0] += sum_r
    by_color[1] += sum_g
    by_color[2] += sum_b
    return sum_x, sum_y, sum_z
