"""From the colours of fragments to the picture: layers over each other, samples averaged, sRGB."""

from __future__ import annotations

from numba import njit

from posetest.render.cpu.kernels.common import ONE, OPTIONS, ZERO, decode_srgb, encode_srgb, f32, i32, u32
from posetest.render.cpu.kernels.fragments import (
    INVERSE,
    PLACE_X,
    SHARE,
    gather,
    gather_layers,
    gather_quads,
    gather_samples,
    row_span,
)
from posetest.render.cpu.kernels.shade import ALPHA, BASE_R, GLOW_R, shade_fragments

#: Rows of scratch.rows that hold, by column instead of by fragment, what a row of pixels adds up to.
SUM, COVER = BASE_R, PLACE_X


@njit(**OPTIONS)
def shade_image(mesh, view, background, height, width, stride, samples, scratch, image, mask):
    """Writes ``image`` [3, h, w] and, unless it is empty, ``mask`` [1, h, w], all but the blends along outlines.

    ``view`` is (ambient, light directions, light colours). Returns (cells, covered samples, left, top, right, bottom)
    of what the object covers, in pixels; right < left where there is nothing.
    """
    ambient, light_dirs, light_colors = view
    cells, area, x0, y0, x1, y1 = i32(0), 0.0, width, height, -1, -1
    level_shift = f32(samples - 1)
    has_mask = mask.shape[0] > 0
    for y in range(height):
        start, stop = row_span(y, scratch, stride, samples, width)
        for channel in range(3):
            behind, out = background[channel, y], image[channel, y]
            for x in range(width):
                out[x] = behind[x]
        if has_mask:
            mask[0, y, :] = ZERO
        if stop <= start:
            continue
        x0, x1, y0, y1 = min(x0, start), max(x1, stop - 1), min(y0, y), y
        count, total, lists = gather_row(mesh, y, start, stop, cells, stride, samples, True, scratch)
        shade_fragments(mesh, total, cells, level_shift, ambient, light_dirs, light_colors, scratch)
        if mesh.has_blend:
            made = pile_up(mesh, lists, cells, count, background, y, scratch)
            area += write_samples(mesh, y, start, stop, background, stride, samples, scratch, image, mask)
            cells += made
            continue
        if samples == 1:
            write_fragments(mesh, count, start, stop, cells, y, scratch, image)
            area += float(count)
        else:
            area += write_averages(mesh, count, start, stop, cells, y, background, scratch, image)
        if has_mask:
            write_mask(count, y, scratch, mask)
        cells += count
    return cells, area, x0, y0, x1, y1


@njit(**OPTIONS)
def gather_row(mesh, y, start, stop, cells, stride, samples, is_reused, scratch):
    """(fragments of opaque faces, all fragments, samples with layers) of a row of pixels; see fragments.py.

    ``is_reused``: samples of a pixel that see one face share one fragment.
    """
    if samples == 1:
        count = gather(y, start, stop, cells, stride, scratch)
    elif is_reused:
        count = gather_quads(y, start, stop, cells, stride, scratch)
    else:
        count = gather_samples(y, start, stop, cells, stride, samples, scratch)
    if not mesh.has_blend:
        return count, count, i32(0)
    total, lists = gather_layers(y, start, stop, count, stride, samples, scratch)
    return count, total, lists


@njit(**OPTIONS)
def write_fragments(mesh, count, start, stop, cells, y, scratch, image):
    """One sample a pixel: each fragment is a pixel."""
    pixel = scratch.fragment_pixel[:count]
    for channel in range(3):
        color, out, buffer = scratch.linear[channel, cells : cells + count], image[channel, y], scratch.rows[BASE_R]
        if count == stop - start:
            encode_row(color, out[start:stop], mesh.is_encoded)
            continue
        encode_row(color, buffer, mesh.is_encoded)
        for j in range(pixel.shape[0]):
            out[u32(pixel[j])] = buffer[j]


@njit(**OPTIONS)
def encode_row(color, out, is_encoded):
    """Colours ready for the picture: sRGB, or as they are where shading works on encoded values."""
    if is_encoded:
        for j in range(color.shape[0]):
            out[j] = color[j]
    else:
        for j in range(color.shape[0]):
            out[j] = encode_srgb(color[j])


@njit(**OPTIONS)
def write_averages(mesh, count, start, stop, cells, y, background, scratch, image):
    """Four samples a pixel: fragments by their share, and the background by the rest. Returns the covered area."""
    rows, pixel, share = scratch.rows, scratch.fragment_pixel[:count], scratch.rows[SHARE]
    cover = scratch.rows[COVER]
    for x in range(start, stop):
        cover[x] = ZERO
    for j in range(pixel.shape[0]):
        cover[u32(pixel[j])] += share[j]
    area = ZERO
    for x in range(start, stop):
        area += cover[x]
    for channel in range(3):
        sums, color = rows[SUM], scratch.linear[channel, cells : cells + count]
        for x in range(start, stop):
            sums[x] = ZERO
        for j in range(pixel.shape[0]):
            sums[u32(pixel[j])] += share[j] * color[j]
        behind, out = background[channel, y, start:stop], image[channel, y, start:stop]
        part, lit = cover[start:stop], sums[start:stop]
        for x in range(out.shape[0]):
            old = behind[x]
            rest = old if mesh.is_encoded else decode_srgb(old)
            lit[x] += (ONE - part[x]) * rest
        for x in range(out.shape[0]):
            new = min(max(lit[x], ZERO), ONE)
            new = new if mesh.is_encoded else encode_srgb(new)
            out[x] = new if part[x] > ZERO else behind[x]
    return float(area)


@njit(**OPTIONS)
def write_mask(count, y, scratch, mask):
    """How much of each pixel is covered."""
    pixel, share = scratch.fragment_pixel[:count], scratch.rows[SHARE]
    for j in range(pixel.shape[0]):
        mask[0, y, u32(pixel[j])] += share[j]


@njit(**OPTIONS)
def behind_of(mesh, background, channel, y, x):
    """The background of a pixel, as the shading counts."""
    value = background[channel, y, x]
    return value if mesh.is_encoded else decode_srgb(value)


@njit(**OPTIONS)
def pile_up(mesh, lists, cells, count, background, y, scratch):
    """Colours of samples with transparent layers, farthest first; gives each a cell of its own.

    The colours of the row's fragments are left in the rows GLOW_R to GLOW_B. Returns the number of cells of the row:
    ``count`` of opaque fragments and ``lists``.
    """
    rows, linear, cover = scratch.rows, scratch.linear, scratch.cover
    # the layers' colours stand where the new cells go: they are set aside first
    total = count
    for j in range(lists):
        total += scratch.layered[j, 3]
    for channel in range(3):
        aside, color = rows[GLOW_R + channel], linear[channel, cells : cells + total]
        for j in range(total):
            aside[j] = color[j]
    for j in range(count):
        cover[cells + j] = ONE
    for j in range(lists):
        p, x = u32(scratch.layered[j, 0]), scratch.layered[j, 1]
        first, layers = scratch.layered[j, 2], scratch.layered[j, 3]
        base, cell = scratch.face[p], cells + count + j
        scratch.layered[j, 4] = base - i32(cells) if base >= 0 else i32(-1)
        # depths are averaged as colours are, for the gradient: how fast what the sample shows moves
        through, inverse = ONE, ZERO
        for k in range(layers):
            inverse += through * rows[ALPHA, first + k] * rows[INVERSE, first + k]
            through *= ONE - rows[ALPHA, first + k]
        if base >= 0:
            inverse += through * scratch.inverse[p]
            through = ZERO
        cover[cell] = ONE - through
        scratch.inverse[p] = inverse / max(cover[cell], f32(1e-6))
        for channel in range(3):
            color = linear[channel, base] if base >= 0 else behind_of(mesh, background, channel, y, x)
            for k in range(layers - 1, -1, -1):
                color += rows[ALPHA, first + k] * (rows[GLOW_R + channel, first + k] - color)
            linear[channel, cell] = color
        scratch.face[p] = i32(cell)
    return count + lists


@njit(**OPTIONS)
def write_samples(mesh, y, start, stop, background, stride, samples, scratch, image, mask):
    """The picture where samples may hold several layers; returns the covered area."""
    share = ONE / f32(samples * samples)
    area = 0.0
    for x in range(start, stop):
        covered, seen = ZERO, False
        for j in range(samples * samples):
            p = u32((y * samples + j // samples) * stride + x * samples + j % samples)
            if scratch.face[p] >= 0:
                covered += share * scratch.cover[scratch.face[p]]
                seen = True
        if not seen:
            continue
        area += float(covered)
        if mask.shape[0] > 0:
            mask[0, y, x] = covered
        for channel in range(3):
            color = ZERO
            for j in range(samples * samples):
                p = u32((y * samples + j // samples) * stride + x * samples + j % samples)
                cell = scratch.face[p]
                color += share * (
                    scratch.linear[channel, cell] if cell >= 0 else behind_of(mesh, background, channel, y, x)
                )
            color = min(max(color, ZERO), ONE)
            image[channel, y, x] = color if mesh.is_encoded else encode_srgb(color)
    return area
