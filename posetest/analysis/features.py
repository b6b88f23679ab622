"""What a person would call a pose by: where it is seen from, how it is turned in the picture, how far away it is.

Viewing direction and roll are taken from the rotation itself, so that a turned object and a camera that went round it
are described alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns
from posetest.analysis.density import QUATERNION
from posetest.geometry.so3 import direction_to_angles, quaternion_to_matrix, viewing_direction
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]

#: Features of the rotation, degrees: always there.
ROTATION = ("azimuth", "elevation", "roll")
#: Parameters that are features where they vary. The background, an index without order, is none.
BESIDE = ("distance", "offset_x", "offset_y", "fov", "light_azimuth", "light_elevation", "light_strength", "ambient")
#: Features that run around a circle, degrees.
CIRCULAR = ("azimuth", "roll", "light_azimuth")
ANGLES = (*CIRCULAR, "elevation", "light_elevation", "fov")
#: Columns of records that features are made from.
FEATURE_COLUMNS: tuple[str, ...] = (*QUATERNION, *(PARAMETERS[INDEX[name]].column for name in BESIDE))

_QUANTILES = 40


def pose_features(rows: pd.DataFrame, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Features of each row, float64; the index is that of ``rows``.

    Columns: azimuth and elevation of the viewing direction (degrees, object frame: from the front +z towards +x, and
    upwards), roll (degrees, how far the picture is turned counter-clockwise from an upright camera there), and those
    of BESIDE that vary in ``rows``, in the unit of scene files. Angles of CIRCULAR lie in [-180, 180].

    Args:
        rows: records with FEATURE_COLUMNS; those of BESIDE may be missing.
        names: the features wanted, whether or not they vary.

    Raises:
        RunError: the rotation's columns, or one of ``names``, are missing.
    """
    columns = {name: PARAMETERS[INDEX[name]].column for name in BESIDE}
    if names is None:
        beside = [n for n, column in columns.items() if column in rows and len(rows) and np.ptp(rows[column]) > 0]
        names = [*ROTATION, *beside]
    need_columns(rows, [*QUATERNION, *(columns[n] for n in names if n in columns)], "a description of poses")
    features = dict(zip(ROTATION, _view_angles(rows), strict=True))
    for name in names:
        if name in columns:
            values = rows[columns[name]].to_numpy(dtype=np.float64)
            features[name] = np.mod(values + 180, 360) - 180 if name in CIRCULAR else values
    return pd.DataFrame({name: features[name] for name in names}, index=rows.index)


def _view_angles(rows: pd.DataFrame) -> tuple[Array, Array, Array]:
    if not len(rows):
        return (np.zeros(0),) * 3
    parts = []
    # in parts: matrices of a million rows would take 300 MB
    for start in range(0, len(rows), 100_000):
        matrix = quaternion_to_matrix(rows.iloc[start : start + 100_000][list(QUATERNION)].to_numpy(dtype=np.float64))
        azimuth, elevation = direction_to_angles(viewing_direction(matrix))
        # the rest, matrix times that of an upright camera transposed, is a turn about the optical axis; the upright
        # camera's own x axis is (cos azimuth, 0, -sin azimuth)
        along, across = np.cos(azimuth), -np.sin(azimuth)
        sine = matrix[:, 1, 0] * along + matrix[:, 1, 2] * across
        cosine = matrix[:, 0, 0] * along + matrix[:, 0, 2] * across
        parts.append(np.degrees(np.stack([azimuth, elevation, np.arctan2(sine, cosine)])))
    azimuth, elevation, roll = np.concatenate(parts, axis=1)
    return azimuth, elevation, roll


@dataclass(frozen=True, eq=False)
class Grid:
    """Bins of one feature: the round numbers at which a region may end.

    Attributes:
        name: of the feature.
        edges: float64 [bins + 1], rising; a circle's from -180 to 180.
        codes: int64 [n], the bin of each row.
    """

    name: str
    edges: Array
    codes: NDArray[np.int64]

    @property
    def is_circular(self) -> bool:
        """Whether the last bin is beside the first."""
        return self.name in CIRCULAR


def make_grid(name: str, values: Array, step: float = 5.0) -> Grid:
    """Bins of ``values`` [n]: every ``step`` degrees for angles, else 40 quantiles rounded to two digits."""
    if name in CIRCULAR:
        edges = np.linspace(-180, 180, round(360 / step) + 1)
    elif name in ANGLES:
        first, last = np.floor(values.min() / step), np.ceil(values.max() / step)
        edges = np.arange(first, max(last, first + 1) + 1) * step
    else:
        quantiles = np.quantile(values, np.linspace(0, 1, _QUANTILES + 1))
        edges = np.unique([float(f"{q:.2g}") for q in quantiles])
        edges = edges if len(edges) > 1 else np.array([values.min(), values.max()])
    codes = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    return Grid(name, edges, codes.astype(np.int64))
