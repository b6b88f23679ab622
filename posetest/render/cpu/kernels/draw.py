"""The stages of one image in order, and the loop over a range of images that one thread runs."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from numba import njit

from posetest.render.cpu.kernels.common import ENTRY, OPTIONS, ZERO, f32
from posetest.render.cpu.kernels.digest import digest
from posetest.render.cpu.kernels.geometry import find_drawn, project_vertices, set_camera, set_lens
from posetest.render.cpu.kernels.raster import raster_faces, raster_pending
from posetest.render.cpu.kernels.shade import shade_image
from posetest.render.cpu.kernels.silhouette import blend, collect, find_silhouette

#: Side of the grid on which the silhouette of an object that leaves the frame is measured.
GRID = 128

#: How many frames wide, around the frame's centre, that grid may reach.
REACH = 8.0


@njit(**OPTIONS)
def cover(height, width, stride, face, mask):
    """Fills ``mask`` [1, h, w] with 1 where there is a face."""
    for y in range(height):
        row = face[y * stride : y * stride + width]
        for x in range(width):
            mask[0, y, x] = f32(row[x] >= 0)


@njit(**OPTIONS)
def inside_frame(mesh, drawn, extent, height, width, scratch):
    """The fraction of the silhouette's area that lies inside the frame; 0 where every face looks away.

    Exactly 1 where all vertices project into the frame. Otherwise the silhouette is drawn on a coarse grid over its
    extent, cut at REACH frames, and each sample counts by the part of its cell that lies inside.
    """
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
        scratch.grid_x[j] = (scratch.px[j] - f32(low_x)) * f32(scale_x)
        scratch.grid_y[j] = (scratch.py[j] - f32(low_y)) * f32(scale_y)
    inverse, face = scratch.grid_inverse, scratch.grid_face
    inverse[:] = ZERO
    face[:] = -1
    aside = raster_faces(mesh, drawn, scratch.grid_x, scratch.grid_y, GRID, GRID, GRID, scratch, inverse, face)
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


@cache
def compiled_draw() -> Any:
    """The compiled ``draw_range``, read from numba's cache on disk if these sources were compiled before.

    numba looks only at the file of the function that is cached, not at the files of those it calls, and would run
    yesterday's kernels after an edit. Variables from an outer function are part of its key; hence ``build``. The cache
    is kept beside the sources, or in the user's cache folder where that is read-only, or in NUMBA_CACHE_DIR.
    """
    sha = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        sha.update(path.read_bytes())
    loop = _loop(int(sha.hexdigest()[:12], 16))
    try:
        return njit(cache=True, **ENTRY)(loop)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        return njit(**ENTRY)(loop)  # nowhere to write: every process compiles for itself


def _loop(build: int) -> Any:
    def draw_range(first, last, mesh, views, backgrounds, scratch, out):
        """Draws views ``first`` to ``last - 1`` into the arrays of ``out``; returns ``build``."""
        height, width = out.images.shape[2], out.images.shape[3]
        stride = scratch.face.shape[0] // height
        for i in range(first, last):
            set_camera(views.rotation[i], views.position[i], views.fov[i], height, width, scratch)
            extent = project_vertices(mesh.verts, height, width, scratch)
            drawn = find_drawn(mesh, scratch)
            scratch.inverse[:] = ZERO
            scratch.face[:] = -1
            px, py = scratch.px, scratch.py
            aside = raster_faces(mesh, drawn, px, py, height, width, stride, scratch, scratch.inverse, scratch.face)
            if aside > 0:
                raster_pending(mesh, aside, height, width, stride, scratch, scratch.inverse, scratch.face)
            place = views.background[i]
            pixels, x0, y0, x1, y1 = shade_image(
                mesh,
                views.ambient[i],
                views.light_dirs[i],
                views.light_colors[i],
                backgrounds[place],
                height,
                width,
                stride,
                scratch,
                out.images[i],
            )
            area = float(pixels)
            mask = out.mask[i] if out.mask.shape[0] > 0 else out.no_mask
            if out.mask.shape[0] > 0:
                cover(height, width, stride, scratch.face, mask)
            if pixels > 0:
                edges = find_silhouette(mesh, scratch)
                behind = backgrounds[place]
                mixes = collect(mesh, edges, behind, height, width, stride, scratch)
                area += blend(mixes, behind, width, stride, scratch, out.images[i], mask)
            out.area_px[i] = f32(area)
            out.long_px[i] = f32(max(x1 - x0, y1 - y0) + 1 if pixels > 0 else 0)
            out.inside[i] = inside_frame(mesh, drawn, extent, height, width, scratch)
            out.digest[i] = digest(out.words[i], scratch.lanes)
        return build

    return draw_range
