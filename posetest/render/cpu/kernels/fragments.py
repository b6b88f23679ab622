"""From samples to fragments: each face that a pixel sees becomes one point to shade.

With one sample a pixel the two are the same. With 2 x 2 samples most pixels see one face with all four, and shading it
once in their middle costs a quarter. Fragments of a row lie close together, without gaps for the background, so that
the loops over them waste nothing. Each fragment becomes a cell, a colour that samples refer to.
"""

from __future__ import annotations

from numba import njit

from posetest.render.cpu.kernels.common import HALF, LAYERS, ONE, OPTIONS, ZERO, f32, i32, u32

#: Rows of scratch.rows that describe a fragment: its place among the samples' centres, its inverse depth and the part
#: of its pixel's samples that see it.
PLACE_X, PLACE_Y, INVERSE, SHARE = range(4)


@njit(**OPTIONS)
def row_span(row, scratch, stride, samples, width):
    """(start, stop): the columns of pixels in ``row`` between which some sample sees the object."""
    start, stop = i32(width * samples), i32(0)
    for j in range(samples):
        base = (row * samples + j) * stride
        face = scratch.face[base : base + width * samples]
        first = i32(0)
        while first < start and face[first] < 0:
            first += i32(1)
        last = i32(width * samples)
        while last > max(stop, first) and face[last - 1] < 0:
            last -= i32(1)
        if last > first:
            start, stop = min(start, first), max(stop, last)
    if scratch.layer_face.shape[0] > 0:
        for j in range(samples):
            base = (row * samples + j) * stride
            face = scratch.layer_face[0, base : base + width * samples]
            for x in range(face.shape[0]):
                if face[x] >= 0:
                    start, stop = min(start, i32(x)), max(stop, i32(x + 1))
    if stop <= start:
        return i32(0), i32(0)
    return start // i32(samples), (stop - i32(1)) // i32(samples) + i32(1)


@njit(**OPTIONS)
def gather(row, start, stop, cells, stride, scratch):
    """Fragments of ``row`` at one sample a pixel; their samples get cells, from ``cells`` on. Returns the count."""
    base = row * stride
    face, inverse = scratch.face[base + start : base + stop], scratch.inverse[base + start : base + stop]
    found, pixel, rows = scratch.fragment_face, scratch.fragment_pixel, scratch.rows
    place_x, place_y, kept, share = rows[PLACE_X], rows[PLACE_Y], rows[INVERSE], rows[SHARE]
    count = u32(0)
    for x in range(face.shape[0]):
        f = face[x]
        found[count] = f
        pixel[count] = i32(start + x)
        kept[count] = inverse[x]
        face[x] = i32(cells + i32(count)) if f >= 0 else i32(-1)
        count += u32(f >= 0)
    for j in range(count):
        place_x[j], place_y[j], share[j] = f32(pixel[j]), f32(row), ONE
    return i32(count)


@njit(**OPTIONS)
def gather_quads(row, start, stop, cells, stride, scratch):
    """The same at 2 x 2 samples: a fragment for each face that a pixel sees, amid the samples that see it."""
    face, inverse = scratch.face, scratch.inverse
    found, pixel, rows = scratch.fragment_face, scratch.fragment_pixel, scratch.rows
    place_x, place_y, kept, share = rows[PLACE_X], rows[PLACE_Y], rows[INVERSE], rows[SHARE]
    count = u32(0)
    upper, lower = u32(2 * row * stride), u32((2 * row + 1) * stride)
    for x in range(start, stop):
        a = upper + u32(2 * x)
        c = lower + u32(2 * x)
        b, d = a + u32(1), c + u32(1)
        f = face[a]
        if (f == face[b]) & (f == face[c]) & (f == face[d]):
            if f < 0:
                continue
            found[count], pixel[count] = f, i32(x)
            kept[count] = f32(0.25) * (inverse[a] + inverse[b] + inverse[c] + inverse[d])
            place_x[count], place_y[count], share[count] = f32(2 * x) + HALF, f32(2 * row) + HALF, ONE
            cell = i32(cells + i32(count))
            face[a], face[b], face[c], face[d] = cell, cell, cell, cell
            count += u32(1)
            continue
        first = count
        for j in range(4):
            p = (upper if j < 2 else lower) + u32(2 * x + (j & 1))
            f = face[p]
            if f < 0:
                continue
            k = first
            while k < count and found[k] != f:
                k += u32(1)
            if k == count:
                found[k], pixel[k] = f, i32(x)
                kept[k], place_x[k], place_y[k], share[k] = ZERO, ZERO, ZERO, ZERO
                count += u32(1)
            kept[k] += inverse[p]
            place_x[k] += f32(2 * x + (j & 1))
            place_y[k] += f32(2 * row + (j >> 1))
            share[k] += f32(0.25)
            face[p] = i32(cells + i32(k))
        for k in range(first, count):
            scale = f32(0.25) / share[k]
            kept[k] *= scale
            place_x[k] *= scale
            place_y[k] *= scale
    return i32(count)


@njit(**OPTIONS)
def gather_samples(row, start, stop, cells, stride, samples, scratch):
    """The same with every sample for itself, for the gradient: how a pixel changes hangs on what differs inside it."""
    face, inverse = scratch.face, scratch.inverse
    found, pixel, rows = scratch.fragment_face, scratch.fragment_pixel, scratch.rows
    place_x, place_y, kept, share = rows[PLACE_X], rows[PLACE_Y], rows[INVERSE], rows[SHARE]
    count = u32(0)
    for line in range(row * samples, (row + 1) * samples):
        base = u32(line * stride)
        for x in range(start * samples, stop * samples):
            p = base + u32(x)
            f = face[p]
            if f < 0:
                continue
            found[count], pixel[count], kept[count] = f, i32(x // samples), inverse[p]
            place_x[count], place_y[count], share[count] = f32(x), f32(line), ONE / f32(samples * samples)
            face[p] = i32(cells + i32(count))
            count += u32(1)
    return i32(count)


@njit(**OPTIONS)
def gather_layers(row, start, stop, count, stride, samples, scratch):
    """Adds a fragment for each transparent layer of each sample; fills scratch.layered.

    Returns (fragments, samples with layers).
    """
    found, pixel, rows, layered = scratch.fragment_face, scratch.fragment_pixel, scratch.rows, scratch.layered
    total, lists = u32(count), u32(0)
    for j in range(samples):
        base = (row * samples + j) * stride
        for x in range(start * samples, stop * samples):
            p = u32(base + x)
            if scratch.layer_face[0, p] < 0:
                continue
            layers = i32(0)
            layered[lists, 0], layered[lists, 1], layered[lists, 2] = i32(p), i32(x // samples), i32(total)
            while layers < LAYERS and scratch.layer_face[layers, p] >= 0:
                found[total], pixel[total] = scratch.layer_face[layers, p], i32(x // samples)
                rows[INVERSE, total] = scratch.layer_inverse[layers, p]
                rows[PLACE_X, total], rows[PLACE_Y, total] = f32(x), f32(row * samples + j)
                rows[SHARE, total] = ONE / f32(samples * samples)
                total += u32(1)
                layers += i32(1)
            layered[lists, 3] = layers
            lists += u32(1)
    return i32(total), i32(lists)
