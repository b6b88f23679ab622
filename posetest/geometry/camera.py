"""Camera geometry: what a renderer needs to know about n views, and how positions and projections follow from it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Views:
    """n views of one scene, in the frame of the camera: +x right, +y up, looking along -z from the origin.

    Attributes:
        rotation: float64 [n, 3, 3], object to camera frame, v_cam = rotation @ v_obj + position.
        position: float64 [n, 3], the object's centre in the camera frame (z negative in front).
        fov: float64 [n], full field of view of the shorter image side, radians.
        light_dirs: float64 [n, k, 3], unit vectors towards the directional lights, camera frame.
        light_colors: float64 [n, k, 3], linear RGB strength of each light.
        ambient: float64 [n, 3], linear RGB strength of the ambient light.
        background: int64 [n], index of the background picture.
    """

    rotation: Array
    position: Array
    fov: Array
    light_dirs: Array
    light_colors: Array
    ambient: Array
    background: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.rotation)

    def __getitem__(self, rows: slice | NDArray[np.int64]) -> Views:
        return Views(
            self.rotation[rows],
            self.position[rows],
            self.fov[rows],
            self.light_dirs[rows],
            self.light_colors[rows],
            self.ambient[rows],
            self.background[rows],
        )


def focal_px(fov: Array, height: int, width: int) -> Array:
    """Focal length in pixels, [n], of a full field of view ``fov`` [n] (radians) over the shorter image side."""
    return min(height, width) / 2 / np.tan(fov / 2)


def half_frame(fov: Array, distance: Array, aspect: float) -> tuple[Array, Array]:
    """Half the width and half the height of the frame, in object units, at ``distance`` along the optical axis.

    ``aspect`` is width over height; ``fov`` belongs to the shorter side.
    """
    short = np.tan(fov / 2) * distance
    return short * max(aspect, 1.0), short * max(1 / aspect, 1.0)


def project(points_cam: Array, fov: Array, height: int, width: int) -> Array:
    """Pixel coordinates [n, m, 2] (x right, y down, centres at +0.5) of ``points_cam`` [n, m, 3] in front."""
    focal = focal_px(fov, height, width)[:, None]
    depth = -points_cam[..., 2]
    x = width / 2 + focal * points_cam[..., 0] / depth
    y = height / 2 - focal * points_cam[..., 1] / depth
    return np.stack([x, y], axis=-1)
