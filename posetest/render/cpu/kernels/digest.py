"""A hash of an image's bits: 128 lanes of 32 bits, each a chain of xor, multiply and shift, folded into one at the end.

It tells whether two renders are the same; it is not meant to withstand anybody.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from posetest.render.cpu.kernels.common import OPTIONS, u32, u64

LANES = 128
MULTIPLIER = np.uint32(0x9E3779B1)
WIDE_MULTIPLIER = np.uint64(0xBF58476D1CE4E5B9)
WIDE_START = np.uint64(0xCBF29CE484222325)


@njit(**OPTIONS)
def digest(words, lanes):
    """uint64 hash of a uint32 array; ``lanes`` has room for LANES. Steps are bijections: one changed word shows."""
    for j in range(LANES):
        lanes[j] = u32(j) * MULTIPLIER + u32(words.shape[0])
    whole = words.shape[0] // LANES
    for i in range(whole):
        block = words[i * LANES : i * LANES + LANES]
        for j in range(LANES):
            h = u32(u32(lanes[j] ^ block[j]) * MULTIPLIER)
            lanes[j] = u32(h ^ (h >> u32(15)))
    for j in range(words.shape[0] - whole * LANES):
        h = u32(u32(lanes[j] ^ words[whole * LANES + j]) * MULTIPLIER)
        lanes[j] = u32(h ^ (h >> u32(15)))
    total = WIDE_START
    for j in range(LANES):
        total = (total ^ u64(lanes[j])) * WIDE_MULTIPLIER
        total ^= total >> u64(31)
    return total
