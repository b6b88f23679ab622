"""Compiler options, constants and small inlined helpers that all kernels share.

Three rules keep these loops in vector registers: constants are float32 (a Python float promotes its line to float64),
rounding is ``np.floor`` and ``np.ceil`` (those of ``math`` return int64), and computed indices are unsigned (a signed
one costs a test for Python's negative indices).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

#: Options of each kernel. NaN and infinity keep their meaning: poses may put vertices at or behind the camera, and
#: comparisons must fail there. No numba run-time (``_nrt``): counting references to a mesh that threads share, up and
#: down for each row, costs more than the rows do; hence kernels allocate nothing. No wrappers for Python, except around
#: the one entry (ENTRY): they cost a third of the compilation. ``compiled_draw`` in draw.py has the cache.
ENTRY: dict[str, Any] = {
    "nogil": True,
    "_nrt": False,
    "fastmath": {"contract", "reassoc", "arcp", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}
OPTIONS: dict[str, Any] = {**ENTRY, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
INLINED: dict[str, Any] = {**OPTIONS, "forceinline": True}

f32 = np.float32
i32 = np.int32
i64 = np.int64
u32 = np.uint32
u64 = np.uint64

ZERO = np.float32(0)
HALF = np.float32(0.5)
ONE = np.float32(1)
BIG = np.float32(1e9)

#: Nearest depth that is drawn, in object units.
NEAR = 0.01

#: Vertices farther than this from the frame's corner go the exact, slow way: float32 edges would be too coarse there.
GUARD_PX = np.float32(4096)

#: Faces are widened by this much, in pixels, so that rounding never opens a crack between neighbours.
WIDEN_PX = np.float32(1e-3)

#: Extra pixels at the end of each row of the depth and face buffers.
ROW_PAD = 16


#: Transparent surfaces that a sample can see in front of the opaque one.
LAYERS = 4


class Scratch(NamedTuple):
    """What one thread writes while it draws: made once, used for every image of one size.

    A sample is one of the n x n places of a pixel where visibility is found (n is 1 or 2). A fragment is a face as one
    pixel sees it: one point to shade, whatever the number of its samples there. A cell is a colour that samples show:
    that of a fragment, or of several transparent ones over each other. s samples are kept in rows of ``stride``.

    Attributes:
        lens: float64 [4], focal lengths and principal point in samples (fx, fy, cx, cy).
        turn: float64 [3, 3], object frame to pixel frame (x right, y down, z forward).
        shift: float64 [3], the object's centre in the pixel frame.
        ray: float32 [4, 3], in the object frame: the camera, the ray direction (unit depth) through the centre of
            sample (0, 0), and what one sample to the right and one down add to it.
        screen: float32 [v * 4], of each vertex x and y in samples, the inverse depth and a zero; -1 for the inverse
            depth where a vertex cannot be projected.
        px, py, inverse_depth: float32 [v], the columns of ``screen``.
        grid: float32 [v * 4], the same on the coarse grid that ``inside_frame`` draws on.
        state: int8 [f + 1], 1 for a face seen from the front, -1 from the back, 0 if not drawn.
        rim: int8 [f], 1 for a face that may have an edge on the silhouette; rim_words: the same bytes as int64.
        drawn: int32 [f], the faces to draw.
        touching: int32 [f], those of them whose box in the picture holds the centre of a sample.
        setup: float32 [rows * block], faces of the visibility pass that are set up together; see raster.py.
        pending: int32 [f], those that need the slow way.
        footprint: float32 [f], squared texels per sample at unit depth, for the mip level.
        silhouette: int32 [e], edges on the outline.
        inverse: float32 [s], 1 / depth of the nearest face, 0 where there is none.
        face: int32 [s], that face, or -1; once its row is shaded the cell, or -1.
        layer_inverse, layer_face: float32 and int32 [LAYERS, s], transparent faces, nearest first; no rows where the
            mesh has none.
        grid_inverse, grid_face: the same for the visibility pass.
        fragment_face, fragment_pixel: int32 [r], face and column of the fragments of one row of pixels.
        layered: int32 [r, 5], samples with layers: sample, column, first layer's fragment, number of layers, fragment
            of the opaque face behind or -1.
        rows: float32 [k, r], values of the fragments of one row.
        linear: float32 [3, c], colours of the cells.
        cover: float32 [c], how much of what is behind each cell hides; empty where no face is transparent.
        claimed: uint8 [2, s], pairs of neighbours already blended.
        weight: float32 [s], sum of the weights blended into a sample.
        mixes: int32 [m, 5], notes on pairs of samples with an edge between them: the near one, the far one (right of it
            or below), the axis, the face that the near plane cuts there or -1, what the note is for.
        mix_values: float32 [m, 6], the part of the near sample to be blended with the far one's colour, that of the far
            sample, the share of the edge that lies in the far sample, the place where the edge crosses the line of
            samples, that line, the inverse depth there.
        touched: int32 [p], pixels with blends; is_touched: uint8 [p]; blended: float32 [3, p], their linear colours.
        corner, cross: float64 [3, 3], slack: float64 [3], of one face on the slow way.
        lanes: uint32 [128], state of the digest.
    """

    lens: Any
    turn: Any
    shift: Any
    ray: Any
    screen: Any
    px: Any
    py: Any
    inverse_depth: Any
    grid: Any
    state: Any
    rim: Any
    rim_words: Any
    drawn: Any
    touching: Any
    setup: Any
    pending: Any
    footprint: Any
    silhouette: Any
    inverse: Any
    face: Any
    layer_inverse: Any
    layer_face: Any
    grid_inverse: Any
    grid_face: Any
    fragment_face: Any
    fragment_pixel: Any
    layered: Any
    rows: Any
    linear: Any
    cover: Any
    claimed: Any
    weight: Any
    mixes: Any
    mix_values: Any
    touched: Any
    is_touched: Any
    blended: Any
    corner: Any
    cross: Any
    slack: Any
    lanes: Any


@njit(**INLINED)
def log2_fast(x):
    """Base-2 logarithm of a positive float32, within 0.01: exponent plus a parabola through the mantissa."""
    bits = f32(x).view(np.int32)
    exponent = f32((bits >> i32(23)) - i32(127))
    mantissa = i32((bits & i32(0x7FFFFF)) | i32(0x3F800000)).view(np.float32)
    return exponent + (mantissa - ONE) * (f32(1.3465) - f32(0.3465) * (mantissa - ONE))


@njit(**INLINED)
def power(x, exponent):
    """x ** exponent for x in (0, 1]; relative error below 1e-6 times 1 + exponent near x = 1, 0 for x of 0 or less."""
    x = max(x, f32(1e-12))
    bits = f32(x).view(np.int32)
    whole = (bits - i32(0x3F3504F3)) >> i32(23)  # the mantissa left is within [root of 1/2, root of 2)
    m = i32(bits - (whole << i32(23))).view(np.float32) - ONE
    log = f32(-0.1443716436624527)
    log = log * m + f32(0.23131930828094482)
    log = log * m + f32(-0.24826620519161224)
    log = log * m + f32(0.28739508986473083)
    log = log * m + f32(-0.3603087365627289)
    log = log * m + f32(0.48091503977775574)
    log = log * m + f32(-0.7213515043258667)
    log = log * m + f32(1.4426950216293335)
    y = max(exponent * (f32(whole) + m * log), f32(-126))
    floor = np.floor(y)
    part = y - floor
    y = f32(0.001894380315206945)
    y = y * part + f32(0.008940587751567364)
    y = y * part + f32(0.05587654560804367)
    y = y * part + f32(0.2401317059993744)
    y = y * part + f32(0.6931567788124084)
    y = y * part + f32(0.9999997615814209)
    return i32((i32(floor) + i32(127)) << i32(23)).view(np.float32) * y


@njit(**INLINED)
def encode_srgb(x):
    """sRGB of linear light in [0, 1], within 2e-4: a polynomial in the square root."""
    s = np.sqrt(x)
    y = f32(-0.8919521570205688)
    y = y * s + f32(3.2604105472564697)
    y = y * s + f32(-4.832965850830078)
    y = y * s + f32(3.8119969367980957)
    y = y * s + f32(-1.8783544301986694)
    y = y * s + f32(1.5730185508728027)
    y = y * s + f32(-0.0421532578766346)
    y = min(y, ONE)
    return y if x > f32(0.0031308) else x * f32(12.92)


@njit(**INLINED)
def decode_srgb(x):
    """Linear light of an sRGB value in [0, 1]; encoding it again gives the value within 3e-4."""
    y = f32(0.08293290436267853)
    y = y * x + f32(-0.29885727167129517)
    y = y * x + f32(0.661561906337738)
    y = y * x + f32(0.5208353400230408)
    y = y * x + f32(0.032606326043605804)
    y = y * x + f32(0.0009208141127601266)
    return y if x > f32(0.04045) else x * f32(1 / 12.92)


@njit(**INLINED)
def fold(t, code):
    """A texture coordinate brought into [0, 1] by its wrap mode: 0 repeat, 1 clamp, 2 mirror."""
    if code == 0:
        t = t - np.floor(t)
    elif code == 2:
        t = abs(t - f32(2) * np.floor(t * HALF + HALF))
    t = t if t > ZERO else ZERO
    return t if t < ONE else ONE
