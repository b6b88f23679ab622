"""What every renderer checks before it draws: shapes, finite numbers, background numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.errors import ConfigError
from posetest.geometry.camera import Views

#: Largest picture side, in pixels; pixel numbers must fit 32 bits.
MAX_SIDE_PX = 8192


def check_frame(height: int, width: int) -> None:
    """Nothing, if a picture of this size can be drawn.

    Raises:
        ConfigError: a side is below 1 or above MAX_SIDE_PX.
    """
    if not (1 <= height <= MAX_SIDE_PX and 1 <= width <= MAX_SIDE_PX):
        raise ConfigError(f"the picture must be 1 to {MAX_SIDE_PX} pixels high and wide, not {height} x {width}")


def check_views(views: Views, backgrounds: int) -> None:
    """Nothing, if ``views`` can be drawn before one of ``backgrounds`` pictures.

    Raises:
        ConfigError: names the field and the first view at fault.
    """
    count = len(views)
    lights = views.light_dirs.shape[1] if views.light_dirs.ndim == 3 else 0
    shapes = {
        "rotation": (count, 3, 3),
        "position": (count, 3),
        "fov": (count,),
        "light_dirs": (count, lights, 3),
        "light_colors": (count, lights, 3),
        "ambient": (count, 3),
        "background": (count,),
    }
    for name, shape in shapes.items():
        values = getattr(views, name)
        if values.shape != shape:
            raise ConfigError(f"views.{name} must have the shape {shape}, not {values.shape}")
        is_bad = ~np.isfinite(values.reshape(count, -1)).all(axis=1) if count else np.zeros(0, dtype=bool)
        if is_bad.any():
            at = int(np.flatnonzero(is_bad)[0])
            raise ConfigError(f"views.{name} of view {at} is not finite: {values[at].tolist()}")
    _refuse((views.fov <= 0) | (views.fov >= np.pi), "fov", views.fov, "between 0 and pi radians")
    _refuse(
        (views.background < 0) | (views.background >= backgrounds),
        "background",
        views.background,
        f"the number of one of {backgrounds} backgrounds, counted from 0",
    )


def check_pictures(name: str, pictures: NDArray[Any], shape: tuple[int, ...]) -> None:
    """Nothing, if ``pictures`` are finite and of this shape.

    Raises:
        ConfigError: names the argument and, for a number that is not finite, the view.
    """
    if pictures.shape != shape:
        raise ConfigError(f"{name} must have the shape {shape}, not {pictures.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(pictures.sum()):  # one pass over memory; only what fails it is looked at closely
            return
    is_bad = ~np.isfinite(pictures.reshape(len(pictures), -1)).all(axis=1)
    if is_bad.any():
        raise ConfigError(f"{name} of view {int(np.flatnonzero(is_bad)[0])} hold numbers that are not finite")


def _refuse(is_bad: NDArray[np.bool_], name: str, values: NDArray[Any], expected: str) -> None:
    if is_bad.any():
        at = int(np.flatnonzero(is_bad)[0])
        raise ConfigError(f"views.{name} of view {at} must be {expected}, not {values[at]}")
