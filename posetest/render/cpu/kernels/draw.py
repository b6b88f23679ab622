"""The stages of one image in order, and the loop over a range of images that one thread runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

from posetest.render.cpu.kernels.common import ENTRY, OPTIONS, ZERO, f32, i32, u32
from posetest.render.cpu.kernels.digest import digest
from posetest.render.cpu.kernels.geometry import find_drawn, project_vertices, set_camera, set_lens
from posetest.render.cpu.kernels.layers import raster_layers
from posetest.render.cpu.kernels.raster import raster_faces, raster_pending
from posetest.render.cpu.kernels.resolve import shade_image
from posetest.render.cpu.kernels.silhouette import blend, collect, find_silhouette, forget

#: Side of the grid on which the silhouette of an object that leaves the frame is measured.
GRID = 128

#: How many frames wide, around the frame's centre, that grid may reach.
REACH = 8.0


@njit(**OPTIONS)
def inside_frame(mesh, drawn, extent, height, width, scratch):
    """The fraction of the silhouette's area that lies inside the frame; 0 where every face looks away.

    Exactly 1 where all vertices project into the frame. Otherwise the silhouette is drawn on a coarse grid over its
    extent, cut at REACH frames, and each cell counts by its part inside. ``height``, ``width``, ``extent`` in samples.
    """
    for f in range(mesh.first_blend, mesh.faces.shape[0]):
        scratch.drawn[drawn] = i32(f)
        drawn += u32(scratch.state[f] != 0)
    if drawn == 0:
        return ZERO
    x0, y0, x1, y1, flagged = extent
    if flagged == 0 and x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return f32(1)
    low_x, high_x = 0.5 * width * (1 - REACH), 0.5 * width * (1 + REACH)
    low_y, high_y = 0.5 * height * (1 - REACH), 0.5 * height * (1 + REACH)
    if flagged == 0:
        low_x, high_x = max(low_x, float(x0)), min(high_x, float(x1))
        low_y, high_y = max(low_y, float(y0)), min(high_y, float(y1))
        if high_x <= 0 or low_x >= width or high_y <= 0 or low_y >= height:
            return ZERO
    if not (high_x - low_x > 1e-6 and high_y - low_y > 1e-6):
        return ZERO
    scale_x, scale_y = GRID / (high_x - low_x), GRID / (high_y - low_y)
    focal_x, focal_y, center_x, center_y = scratch.lens[0], scratch.lens[1], scratch.lens[2], scratch.lens[3]
    set_lens(focal_x * scale_x, focal_y * scale_y, (center_x - low_x) * scale_x, (center_y - low_y) * scale_y, scratch)
    for j in range(scratch.px.shape[0]):
        k = 4 * j
        scratch.grid[k] = (scratch.screen[k] - f32(low_x)) * f32(scale_x)
        scratch.grid[k + 1] = (scratch.screen[k + 1] - f32(low_y)) * f32(scale_y)
        scratch.grid[k + 2] = scratch.screen[k + 2]
    inverse, face = scratch.grid_inverse, scratch.grid_face
    inverse[:] = ZERO
    face[:] = -1
    aside = raster_faces(mesh, drawn, scratch.grid, GRID, GRID, GRID, scratch, inverse, face)
    if aside > 0:
        raster_pending(mesh, aside, GRID, GRID, GRID, scratch, inverse, face)
    total, inside = 0.0, 0.0
    for y in range(GRID):
        top, bottom = low_y + y / scale_y, low_y + (y + 1) / scale_y
        part_y = max(min(bottom, float(height)) - max(top, 0.0), 0.0) * scale_y
        for x in range(GRID):
            if face[y * GRID + x] >= 0:
                left, right = low_x + x / scale_x, low_x + (x + 1) / scale_x
                total += 1
                inside += part_y * max(min(right, float(width)) - max(left, 0.0), 0.0) * scale_x
    return f32(inside / total) if total > 0 else ZERO


@njit(**OPTIONS)
def find_visible(mesh, rotation, position, fov, is_traced, height, width, stride, samples, scratch):
    """Which face each sample sees, and what is to be blended along outlines; ``height`` and ``width`` in pixels.

    ``is_traced`` is for the gradient; see ``collect``. Returns (extent of the vertices, opaque faces drawn, notes).
    """
    rows, columns = height * samples, width * samples
    set_camera(rotation, position, fov, rows, columns, scratch)
    extent = project_vertices(mesh.verts, rows, columns, scratch)
    drawn = find_drawn(mesh, scratch)
    scratch.inverse[:] = ZERO
    scratch.face[:] = -1
    inverse, face = scratch.inverse, scratch.face
    aside = raster_faces(mesh, drawn, scratch.screen, rows, columns, stride, scratch, inverse, face)
    if aside > 0:
        raster_pending(mesh, aside, rows, columns, stride, scratch, inverse, face)
    if mesh.has_blend:
        raster_layers(mesh, rows, columns, stride, scratch)
    edges = find_silhouette(mesh, is_traced, scratch)
    return extent, drawn, collect(mesh, edges, aside, is_traced, rows, columns, stride, scratch)


@cache
def compiled(loop_of: Callable[[int], Any]) -> Any:
    """The loop that ``loop_of`` makes, compiled, or read from numba's cache on disk if these sources were before.

    numba looks only at the file of the function that is cached, not at the files of those it calls, and would run
    yesterday's kernels after an edit. Variables from an outer function are part of its key; hence ``loop_of`` takes a
    hash of the sources. The cache is kept beside the sources, or in the user's cache folder where that is read-only, or
    in NUMBA_CACHE_DIR.
    """
    sha = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(path.read_bytes())
    loop = loop_of(int(sha.hexdigest()[:12], 16))
    try:
        return njit(cache=True, **ENTRY)(loop)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return njit(**ENTRY)(loop)  # nowhere to write: every process compiles for itself


def draw_loop(build: int) -> Any:
    """The loop over images, for ``compiled``."""

    def draw_range(first, last, mesh, views, backgrounds, samples, scratch, out):
        """Draws views ``first`` to ``last - 1`` into the arrays of ``out``; returns ``build``."""
        height, width = out.images.shape[2], out.images.shape[3]
        stride = scratch.face.shape[0] // (height * samples)
        for i in range(first, last):
            extent, drawn, mixes = find_visible(
                mesh, views.rotation[i], views.position[i], views.fov[i], False, height, width, stride, samples, scratch
            )
            behind, image = backgrounds[views.background[i]], out.images[i]
            mask = out.mask[i] if out.mask.shape[0] > 0 else out.no_mask
            lights = (views.ambient[i], views.light_dirs[i], views.light_colors[i])
            _, area, x0, y0, x1, y1 = shade_image(
                mesh, lights, behind, height, width, stride, samples, scratch, image, mask
            )
            area += blend(mesh, mixes, behind, width, stride, samples, scratch, image, mask)
            forget(mixes, scratch)
            out.area_px[i] = f32(area)
            out.long_px[i] = f32(max(x1 - x0, y1 - y0) + 1 if x1 >= x0 else 0)
            out.inside[i] = inside_frame(mesh, drawn, extent, height * samples, width * samples, scratch)
            out.digest[i] = digest(out.words[i], scratch.lanes)
        return build

    return draw_range
