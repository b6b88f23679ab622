"""sRGB and linear light: textures and authored colours are sRGB, factors of glTF and everything shaded is linear.

Source: IEC 61966-2-1, as quoted in section 3.9.2 of the glTF 2.0 specification.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def srgb_to_linear(values: Any) -> NDArray[np.float64]:
    """Linear light of sRGB values in [0, 1], any shape, float64."""
    v = np.asarray(values, dtype=np.float64)
    return np.where(v <= 0.04045, v / 12.92, (np.maximum(v, 0.0) + 0.055) ** 2.4 / 1.055**2.4)


def rgb(values: Any) -> tuple[float, float, float]:
    """Three floats, clipped to [0, 1], of the first three of ``values``."""
    r, g, b = (float(min(max(v, 0.0), 1.0)) for v in list(values)[:3])
    return r, g, b
