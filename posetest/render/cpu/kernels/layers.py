"""Transparent faces: for each sample, the nearest ones in front of what is opaque, in order of depth.

Each face is tested against every sample of its box by edge functions of the homogeneous vertices, as faces at the near
plane are: transparent parts are few, and this way serves them all.
"""

from __future__ import annotations

from numba import njit

from posetest.render.cpu.kernels.common import LAYERS, NEAR, ONE, OPTIONS, ZERO, f32, i32, u32
from posetest.render.cpu.kernels.raster import clipped_box, homogeneous_edges, homogeneous_footprint


@njit(**OPTIONS)
def raster_layers(mesh, height, width, stride, scratch):
    """Fills layer_inverse and layer_face with the faces from mesh.first_blend on that are turned the right way."""
    lens, cross = scratch.lens, scratch.cross
    inverse, layer_inverse, layer_face = scratch.inverse, scratch.layer_inverse, scratch.layer_face
    layer_face[:] = -1
    for f in range(mesh.first_blend, mesh.faces.shape[0]):
        if scratch.state[f] == 0:
            continue
        volume = homogeneous_edges(mesh, f, scratch)
        if not volume > 0:
            continue
        left, top, right, bottom = clipped_box(scratch.corner, lens, height, width)
        is_first = True
        for row in range(top, bottom + 1):
            dy = (row + 0.5 - lens[3]) / lens[1]
            for column in range(left, right + 1):
                dx = (column + 0.5 - lens[2]) / lens[0]
                e0 = cross[0, 0] * dx + cross[0, 1] * dy + cross[0, 2]
                e1 = cross[1, 0] * dx + cross[1, 1] * dy + cross[1, 2]
                e2 = cross[2, 0] * dx + cross[2, 1] * dy + cross[2, 2]
                if not (e0 >= scratch.slack[0] and e1 >= scratch.slack[1] and e2 >= scratch.slack[2]):
                    continue
                w = f32((e0 + e1 + e2) / volume)
                p = u32(row * stride + column)
                if not (w > inverse[p] and w > ZERO and w * f32(NEAR) < ONE):
                    continue
                if is_first:
                    is_first = False
                    scratch.footprint[f] = homogeneous_footprint(mesh, f, e0, e1, e2, volume, scratch)
                insert(layer_inverse, layer_face, p, w, i32(f))


@njit(**OPTIONS)
def insert(layer_inverse, layer_face, p, w, f):
    """Puts a face into the list of sample ``p``, nearest first; the farthest one falls out of a full list.

    A neighbour at the same depth is the same surface, drawn twice where its faces were widened: it is kept once.
    """
    for k in range(LAYERS):
        if layer_face[k, p] >= 0 and abs(w - layer_inverse[k, p]) <= f32(2e-6) * w and layer_face[k, p] != f:
            return
    for k in range(LAYERS):
        if layer_face[k, p] < 0:
            layer_inverse[k, p], layer_face[k, p] = w, f
            return
        if w > layer_inverse[k, p]:
            old_w, old_f = layer_inverse[k, p], layer_face[k, p]
            layer_inverse[k, p], layer_face[k, p] = w, f
            w, f = old_w, old_f
