"""The gradient of a score L(image) with respect to the view, given dL/dimage: no tape, no vertex gradients.

The picture of a rigid object changes with the view in two ways, and each is summed as a force and a torque on the
object (the transpose of the motion it would follow):

* It moves. What lies between two neighbouring samples p and q, a slope of shading or texture, an outline, the rim of a
  hole, passes over them with the velocity u of the surface that it belongs to, so that the score changes by
  - dL/dI (I_q - I_p) u. Pairs side by side give the horizontal part, pairs above each other the vertical part. Summed
  like this, nothing hangs on where a sample happens to fall on a texture: for a plain shift and a smooth dL/dI the sum
  over the whole picture is exact. At outlines and where the near plane cuts, the notes of ``collect`` tell place and
  depth of the edge, which u needs.
* Its colours change, because light and view turn against the surface: adjoint_light.py.

Constant here: mip levels. Approximate: surfaces seen through each other move with their mean depth, and the line where
surfaces pierce each other moves with the nearer one.

Sources: the split into interior and edges, Li, Aittala, Durand and Lehtinen, Differentiable Monte Carlo ray tracing
through edge sampling, SIGGRAPH Asia 2018, section 4; that the picture's own differences stand in for derivatives of
textures, Loper and Black, OpenDR: an approximate differentiable renderer, ECCV 2014, section 4.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.adjoint_light import BY_R, BY_UNIT_X, differentiate_lights, keep_unclipped
from posetest.render.cpu.kernels.common import HALF, ONE, OPTIONS, ZERO, encode_srgb, f32, i32, power, u32
from posetest.render.cpu.kernels.fragments import row_span
from posetest.render.cpu.kernels.resolve import gather_row, pile_up
from posetest.render.cpu.kernels.shade import ALPHA, shade_fragments
from posetest.render.cpu.kernels.silhouette import TRACES, blend_of, color_of, pixel_of

#: Two neighbours whose depths differ by less than this part lie on one surface, as far as its motion goes.
SAME_SURFACE = np.float32(0.02)


@njit(**OPTIONS)
def encoding_slope(value, is_encoded):
    """The change of a picture's value with the linear colour, from the value (IEC 61966-2-1)."""
    if is_encoded:
        return ONE
    if value <= f32(0.04045):
        return f32(12.92)
    return f32(1.055 / 2.4) * power((value + f32(0.055)) * f32(1 / 1.055), f32(-1.4))


@njit(**OPTIONS)
def spread_blends(mesh, mixes, image, by_image, stride, samples, scratch, extra):
    """What the blends along outlines pass on to the samples they mix, beside the pixel's own share, into ``extra``.

    To be called before samples are given cells.
    """
    part = ONE / f32(samples * samples)
    for m in range(2 * mixes):
        target, source, share = blend_of(m, part, scratch)
        if share <= ZERO:
            continue
        y, x = pixel_of(target, stride, samples)
        for channel in range(3):
            by = share * by_image[channel, y, x] * encoding_slope(image[channel, y, x], mesh.is_encoded)
            extra[channel, target] -= by
            if scratch.face[source] >= 0 or (mesh.has_blend and scratch.layer_face[0, source] >= 0):
                extra[channel, source] += by


@njit(**OPTIONS)
def add_blended_background(mesh, mixes, background, image, by_image, stride, samples, scratch, by_background):
    """dL by the background that blends let through at the rim of the object, to ``by_background``."""
    part = ONE / f32(samples * samples)
    for m in range(2 * mixes):
        target, source, share = blend_of(m, part, scratch)
        if share <= ZERO or scratch.face[source] >= 0:
            continue
        y, x = pixel_of(target, stride, samples)
        for channel in range(3):
            by = share * by_image[channel, y, x] * encoding_slope(image[channel, y, x], mesh.is_encoded)
            by_background[channel, y, x] += by / encoding_slope(background[channel, y, x], mesh.is_encoded)


@njit(**OPTIONS)
def forget_blends(mixes, scratch, extra):
    """Leaves ``extra`` as clean as ``spread_blends`` found it."""
    for m in range(mixes):
        for channel in range(3):
            extra[channel, u32(scratch.mixes[m, 0])] = ZERO
            extra[channel, u32(scratch.mixes[m, 1])] = ZERO


@njit(**OPTIONS)
def differentiate_rows(
    mesh, view, background, stride, samples, image, by_image, scratch, adjoint, by, by_lights, by_background
):
    """Adds the moving inside of the picture to ``by`` and the lights' part to ``by_lights``, row by row.

    ``by`` is (torque [3], force [3], logarithm of the focal length [1]) in the pixel frame; ``by_lights`` (torque [3],
    force [3], light directions [k, 3]) in the object frame, and (light colours [k, 3], ambient [3]). Fills
    ``by_background`` unless it is empty.
    """
    ambient, light_dirs, light_colors = view
    height, width = image.shape[1], image.shape[2]
    cells = i32(0)
    was_seen, last = False, 0
    for y in range(height):
        start, stop = row_span(y, scratch, stride, samples, width)
        lists, made = i32(0), i32(0)
        if stop > start:
            count, total, lists = gather_row(mesh, y, start, stop, cells, stride, samples, False, scratch)
            shade_fragments(mesh, total, cells, ZERO, ambient, light_dirs, light_colors, scratch)
            made = pile_up(mesh, lists, cells, count, background, y, scratch) if mesh.has_blend else count
            take_adjoints(mesh, y, cells, count, total, start, stop, stride, samples, image, by_image, scratch, adjoint)
        if by_background.shape[0] > 0:
            differentiate_background(
                mesh, y, stride, samples, background, image, by_image, scratch, adjoint.extra, by_background
            )
        if stop > start:
            if mesh.has_blend:
                share_out_layers(
                    mesh, y, lists, stride, samples, background, image, by_image, scratch, adjoint.extra, by_background
                )
            keep_unclipped(mesh, total, cells, scratch)
            differentiate_lights(mesh, total, view, scratch, by_lights)
            cells += made
        for j in range(samples):
            line = y * samples + j
            if stop > start or was_seen:
                # a line beside the object is of use to its neighbours only
                if line > 0 and last != line - 1:
                    fill_line(mesh, line - 1, stride, samples, 0, 0, background, image, by_image, scratch, adjoint)
                fill_line(mesh, line, stride, samples, start, stop, background, image, by_image, scratch, adjoint)
                last = line
                flow(line, 0, height * samples, width * samples, stride, scratch, adjoint, by)
                if line > 0:
                    flow(line, 1, height * samples, width * samples, stride, scratch, adjoint, by)
            was_seen = stop > start


@njit(**OPTIONS)
def fill_line(mesh, line, stride, samples, start, stop, background, image, by_image, scratch, adjoint):
    """What samples of a line show and dL by it, to the line's row of adjoint.values and adjoint.by_values.

    As values of the picture: between two colours the encoding has their secant as its mean slope, whatever part of a
    pixel each of them fills at this moment.
    """
    y, part = line // samples, ONE / f32(samples * samples)
    face = scratch.face[line * stride : line * stride + image.shape[2] * samples]
    for channel in range(3):
        values, by_values = adjoint.values[line % 2, channel], adjoint.by_values[line % 2, channel]
        behind, by_pixels = background[channel, y], by_image[channel, y]
        color = scratch.linear[channel]
        if samples == 1:
            for x in range(face.shape[0]):
                values[x], by_values[x] = behind[x], by_pixels[x]
        else:
            for x in range(image.shape[2]):
                for j in range(samples):
                    values[x * samples + j], by_values[x * samples + j] = behind[x], part * by_pixels[x]
        seen, shown, aside = (
            face[start * samples : stop * samples],
            values[start * samples : stop * samples],
            adjoint.moved,
        )
        for x in range(seen.shape[0]):
            aside[x] = color[u32(max(seen[x], i32(0)))]
        for x in range(seen.shape[0]):  # apart from the gathering above, so that it runs in vector registers
            value = aside[x] if mesh.is_encoded else encode_srgb(aside[x])
            shown[x] = value if seen[x] >= 0 else shown[x]


@njit(**OPTIONS)
def flow(line, axis, lines, columns, stride, scratch, adjoint, by):
    """Adds what the motion between neighbours changes: ``axis`` 0, within a line; 1, between it and the one before."""
    torque, force, focal = by
    lens, shift = scratch.lens, scratch.shift
    base = line * stride
    now, before = line % 2, (line - 1) % 2
    if axis == 0:
        count, first = columns - 1, base
        values_a, values_b = adjoint.values[now], adjoint.values[now, :, 1:]
        by_a, by_b = adjoint.by_values[now], adjoint.by_values[now, :, 1:]
        second = first + 1
    else:
        count, first = columns, base - stride
        values_a, values_b = adjoint.values[before], adjoint.values[now, :, 0:]
        by_a, by_b = adjoint.by_values[before], adjoint.by_values[now, :, 0:]
        second = base
    face_a, face_b = scratch.face[first : first + count], scratch.face[second : second + count]
    inverse_a, inverse_b = scratch.inverse[first : first + count], scratch.inverse[second : second + count]
    claimed = scratch.claimed[axis, first : first + count]
    moved = adjoint.moved
    red_a, green_a, blue_a = values_a[0], values_a[1], values_a[2]
    red_b, green_b, blue_b = values_b[0], values_b[1], values_b[2]
    by_red_a, by_green_a, by_blue_a = by_a[0], by_a[1], by_a[2]
    by_red_b, by_green_b, by_blue_b = by_b[0], by_b[1], by_b[2]
    # a pair counts half for each of its samples, and wholly for one at the border of the picture, which has no other
    part_a = ONE if axis == 1 and line == 1 else HALF
    part_b = ONE if axis == 1 and line == lines - 1 else HALF
    for j in range(face_a.shape[0]):
        red, green, blue = red_b[j] - red_a[j], green_b[j] - green_a[j], blue_b[j] - blue_a[j]
        by_pair = part_a * (by_red_a[j] * red + by_green_a[j] * green + by_blue_a[j] * blue)
        by_pair += part_b * (by_red_b[j] * red + by_green_b[j] * green + by_blue_b[j] * blue)
        is_moving = ((face_a[j] >= 0) | (face_b[j] >= 0)) & ((claimed[j] & TRACES) == 0)
        moved[j] = -by_pair if is_moving else ZERO
    if axis == 0 and count > 0:
        j = count - 1
        if face_a[0] >= 0 and claimed[0] & TRACES == 0:
            red, green, blue = red_b[0] - red_a[0], green_b[0] - green_a[0], blue_b[0] - blue_a[0]
            moved[0] -= HALF * (by_red_a[0] * red + by_green_a[0] * green + by_blue_a[0] * blue)
        if face_b[j] >= 0 and claimed[j] & TRACES == 0:
            red, green, blue = red_b[j] - red_a[j], green_b[j] - green_a[j], blue_b[j] - blue_a[j]
            moved[j] -= HALF * (by_red_b[j] * red + by_green_b[j] * green + by_blue_b[j] * blue)
    scale = f32(lens[axis])
    step_x, step_y = f32(1 / lens[0]), f32(1 / lens[1])
    start_x = f32(((1.0 if axis == 0 else 0.5) - lens[2]) / lens[0])
    dy = f32((line + (0.5 if axis == 0 else 0.0) - lens[3]) * step_y)
    tx, ty, tz = f32(shift[0]), f32(shift[1]), f32(shift[2])
    sum_f, sum_z, sum_tx, sum_ty, sum_tz, zoom = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
    for j in range(face_a.shape[0]):
        a = inverse_a[j] if face_a[j] >= 0 else ZERO
        b = inverse_b[j] if face_b[j] >= 0 else ZERO
        nearer, farther = max(max(a, b), f32(1e-20)), min(a, b)
        w = HALF * (a + b) if nearer - farther < SAME_SURFACE * nearer else nearer
        depth = ONE / max(w, f32(1e-20))
        dx = start_x + f32(j) * step_x
        q = moved[j] * scale
        along = q * (dx if axis == 0 else dy)
        rx, ry, rz = depth * dx - tx, depth * dy - ty, depth - tz
        q *= w
        z = -along * w
        fx = q if axis == 0 else ZERO
        fy = ZERO if axis == 0 else q
        sum_f += q
        sum_z += z
        sum_tx += ry * z - rz * fy
        sum_ty += rz * fx - rx * z
        sum_tz += rx * fy - ry * fx
        zoom += along
    force[axis] += sum_f
    force[2] += sum_z
    torque[0] += sum_tx
    torque[1] += sum_ty
    torque[2] += sum_tz
    focal[0] += zoom


@njit(**OPTIONS)
def by_sample(mesh, channel, y, x, p, part, image, by_image, extra):
    """dL by the colour of sample ``p`` in the pixel (x, y)."""
    return part * by_image[channel, y, x] * encoding_slope(image[channel, y, x], mesh.is_encoded) + extra[channel, p]


@njit(**OPTIONS)
def take_adjoints(mesh, y, cells, count, total, start, stop, stride, samples, image, by_image, scratch, adjoint):
    """dL by the colour of each opaque fragment of a row, and zero for its transparent ones."""
    rows = scratch.rows
    part = ONE / f32(samples * samples)
    for channel in range(3):
        by_color, slopes, extra = rows[BY_R + channel], rows[BY_UNIT_X], adjoint.extra[channel]
        pixels, by_pixels = image[channel, y, start:stop], by_image[channel, y, start:stop]
        for x in range(pixels.shape[0]):
            slopes[x] = part * by_pixels[x] * encoding_slope(pixels[x], mesh.is_encoded)
        for j in range(total):
            by_color[j] = ZERO
        for j in range(samples):
            base = u32((y * samples + j) * stride)
            for x in range(start * samples, stop * samples):
                p = base + u32(x)
                cell = scratch.face[p] - cells
                if cell >= 0 and cell < count:
                    by_color[u32(cell)] += slopes[u32(x // samples - start)] + extra[p]


@njit(**OPTIONS)
def differentiate_background(mesh, y, stride, samples, background, image, by_image, scratch, extra, by_background):
    """dL by the background's values in a row, from the samples that see it bare."""
    part = ONE / f32(samples * samples)
    for channel in range(3):
        for x in range(image.shape[2]):
            total = ZERO
            for j in range(samples * samples):
                p = u32((y * samples + j // samples) * stride + x * samples + j % samples)
                if scratch.face[p] < 0:
                    total += by_sample(mesh, channel, y, x, p, part, image, by_image, extra)
            by_background[channel, y, x] = total / encoding_slope(background[channel, y, x], mesh.is_encoded)


@njit(**OPTIONS)
def share_out_layers(mesh, y, lists, stride, samples, background, image, by_image, scratch, extra, by_background):
    """dL by the colour of each transparent fragment, and what passes through them to what is behind."""
    rows = scratch.rows
    part = ONE / f32(samples * samples)
    for j in range(lists):
        p, x = u32(scratch.layered[j, 0]), scratch.layered[j, 1]
        first, layers, base = scratch.layered[j, 2], scratch.layered[j, 3], scratch.layered[j, 4]
        for channel in range(3):
            by = by_sample(mesh, channel, y, x, p, part, image, by_image, extra)
            for k in range(layers):
                alpha = rows[ALPHA, first + k]
                rows[BY_R + channel, first + k] += by * alpha
                by *= ONE - alpha
            if base >= 0:
                rows[BY_R + channel, base] += by
            elif by_background.shape[0] > 0:
                by_background[channel, y, x] += by / encoding_slope(background[channel, y, x], mesh.is_encoded)


@njit(**OPTIONS)
def value_of(mesh, sample, background, channel, y, x, scratch):
    """What ``color_of`` gives, as a value of the picture."""
    color = color_of(mesh, sample, background, channel, y, x, scratch)
    return color if mesh.is_encoded else encode_srgb(color)


@njit(**OPTIONS)
def add_outlines(mesh, mixes, background, stride, samples, image, by_image, scratch, by):
    """Adds the part of the moving edges to ``by``; see ``differentiate_rows``."""
    torque, force, focal = by
    lens, shift = scratch.lens, scratch.shift
    part = ONE / f32(samples * samples)
    for m in range(mixes):
        note, values = scratch.mixes[m], scratch.mix_values[m]
        if note[4] & TRACES == 0:
            continue
        near_side, far_side, axis = u32(note[0]), u32(note[1]), note[2]
        near_y, near_x = pixel_of(near_side, stride, samples)
        far_y, far_x = pixel_of(far_side, stride, samples)
        far_share = values[2]
        total = ZERO
        for channel in range(3):
            # each pixel of the pair before its own background
            by_near, by_far = by_image[channel, near_y, near_x], by_image[channel, far_y, far_x]
            step = value_of(mesh, near_side, background, channel, near_y, near_x, scratch)
            step -= value_of(mesh, far_side, background, channel, near_y, near_x, scratch)
            total += (ONE - far_share) * by_near * step
            step = value_of(mesh, near_side, background, channel, far_y, far_x, scratch)
            step -= value_of(mesh, far_side, background, channel, far_y, far_x, scratch)
            total += far_share * by_far * step
        by_crossing = float(part * total)
        depth = 1.0 / float(values[5])
        if axis == 0:
            px, py = float(values[3]), float(values[4])
        else:
            px, py = float(values[4]), float(values[3])
        dx, dy = (px - lens[2]) / lens[0], (py - lens[3]) / lens[1]
        rx, ry, rz = depth * dx - shift[0], depth * dy - shift[1], depth - shift[2]
        if note[3] < 0:
            # rows see the point of the edge move sideways, columns up and down
            fx = by_crossing * lens[0] / depth if axis == 0 else 0.0
            fy = by_crossing * lens[1] / depth if axis == 1 else 0.0
            fz = -(fx * dx + fy * dy)
            focal[0] += -fz * depth
        else:
            # the plane of the face moves, the plane of the cut does not
            nx, ny, nz = face_normal(mesh, note[3], scratch)
            slope_x, slope_y = depth * nx / lens[0], depth * ny / lens[1]
            steepness = slope_x * slope_x + slope_y * slope_y
            if not steepness > 1e-24:
                continue
            by_plane = by_crossing * (slope_x if axis == 0 else slope_y) / steepness
            fx, fy, fz = by_plane * nx, by_plane * ny, by_plane * nz
            focal[0] += (fx * dx + fy * dy) * depth
        torque[0] += ry * fz - rz * fy
        torque[1] += rz * fx - rx * fz
        torque[2] += rx * fy - ry * fx
        force[0] += fx
        force[1] += fy
        force[2] += fz


@njit(**OPTIONS)
def face_normal(mesh, f, scratch):
    """The unit normal of a face in the pixel frame."""
    turn = scratch.turn
    x, y, z = float(mesh.planes[0, f]), float(mesh.planes[1, f]), float(mesh.planes[2, f])
    return (
        turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z,
        turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z,
        turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z,
    )


@njit(**OPTIONS)
def turn_out(vector, turn):
    """Turns a vector from the object frame to the pixel frame, in place."""
    x, y, z = vector[0], vector[1], vector[2]
    for r in range(3):
        vector[r] = turn[r, 0] * x + turn[r, 1] * y + turn[r, 2] * z


@njit(**OPTIONS)
def to_camera(vector):
    """Turns a vector from the pixel frame (y down, z forward) to the camera frame, in place."""
    vector[1] = -vector[1]
    vector[2] = -vector[2]
