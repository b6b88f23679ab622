"""Where in pose space a model fails: outcomes over viewing direction and over each parameter that varies.

A density says where the poses of one outcome lie; it follows the sampling (under Haar measure few poses have a steep
pitch). A share says how often poses of one bin have an outcome, whatever their number. Both are given.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.intervals import share, wilson
from posetest.analysis.recorded import recorded_space
from posetest.geometry.grids import cell_count, cell_to_direction, direction_to_cell
from posetest.geometry.grids import choose_nside as choose_nside  # where every map takes its resolution from
from posetest.geometry.so3 import direction_to_angles, quaternion_to_matrix, viewing_direction
from posetest.run_info import SceneInfo
from posetest.space import INDEX, PARAMETERS, Interval

Array = NDArray[np.float64]

QUATERNION = ("qw", "qx", "qy", "qz")
#: Outcomes counted in each bin; "misread" includes "confident".
OUTCOMES = ("recognised", "misread", "confident")

_POSES_PER_BIN = 25
_MOST_BINS = 24  # 15 degrees of a full turn


def direction_rates(rows: pd.DataFrame, nside: int | None = None) -> pd.DataFrame:
    """Recognition over viewing direction: a row for each of the 12 nside^2 equal-area cells, those without poses too.

    Columns: cell, azimuth_deg, elevation_deg (of its centre, object frame: from the front +z towards +x, and upwards),
    n, recognised, misread, confident, rate, low, high (95 % Wilson; nan in empty cells).

    Args:
        rows: evaluated records of one scene and model (``of_pair``), with the QUATERNION columns.
        nside: resolution; by default what ``choose_nside`` says.
    """
    nside = choose_nside(len(rows)) if nside is None else nside
    cells = viewing_cells(rows, nside)
    azimuth, elevation = direction_to_angles(cell_to_direction(nside))
    count = cell_count(nside)
    table = pd.DataFrame(
        {"cell": np.arange(count), "azimuth_deg": np.degrees(azimuth), "elevation_deg": np.degrees(elevation)}
    )
    table["n"] = np.bincount(cells, minlength=count)
    for outcome in OUTCOMES:
        table[outcome] = np.bincount(cells[rows[outcome].to_numpy(dtype=bool)], minlength=count)
    table["rate"] = share(table["recognised"], table["n"])
    table["low"], table["high"] = wilson(table["recognised"], table["n"])
    return table


def viewing_cells(rows: pd.DataFrame, nside: int) -> NDArray[np.int64]:
    """The HEALPix cell [n] of each row's viewing direction: from the object to the camera, in the object frame."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    matrices = quaternion_to_matrix(rows[list(QUATERNION)].to_numpy(dtype=np.float64))
    return direction_to_cell(viewing_direction(matrices), nside)


def densities(
    rows: pd.DataFrame,
    parameter: str,
    interval: Interval | None = None,
    outcomes: Sequence[str] = OUTCOMES,
    poses: int | None = None,
) -> pd.DataFrame:
    """Outcomes over one parameter: a row for each bin.

    Columns: bin_low, bin_high (the parameter's unit), n, and for each of ``outcomes`` its count ("misread"), its
    share of the bin's n with 95 % Wilson interval ("misread_share", "misread_low", "misread_high") and its density
    over the parameter ("misread_density": count / (all of that outcome x width); nan where there is none), and
    all_density for all poses.

    Args:
        rows: evaluated records of one scene and model, with the parameter's column.
        parameter: its name as in scene files ("pitch").
        interval: what it spreads over; by default the range of the data. Bins are equally wide, or equally wide in
            the logarithm where the prior is "log".
        outcomes: columns of ``rows`` that hold whether a pose counts.
        poses: how many there are to divide among bins, as ``bin_edges`` does; by default all rows.
    """
    values = rows[PARAMETERS[INDEX[parameter]].column].to_numpy(dtype=np.float64)
    edges = bin_edges(interval or _data_interval(values), len(values) if poses is None else poses)
    # values at the very end, or beyond it by the rounding of sampled values, belong to the last bin
    index = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    widths = np.diff(edges)
    table = pd.DataFrame({"bin_low": edges[:-1], "bin_high": edges[1:]})
    table["n"] = np.bincount(index, minlength=len(widths))
    table["all_density"] = share(table["n"], len(values) * widths)
    for outcome in outcomes:
        counts = np.bincount(index[rows[outcome].to_numpy(dtype=bool)], minlength=len(widths))
        table[outcome] = counts
        table[f"{outcome}_share"] = share(counts, table["n"])
        table[f"{outcome}_low"], table[f"{outcome}_high"] = wilson(counts, table["n"])
        table[f"{outcome}_density"] = share(counts, counts.sum() * widths)
    return table


def bin_edges(interval: Interval, n: int) -> Array:
    """Edges of the bins over ``interval`` for ``n`` poses: at least 25 a bin on average, at most 24 bins."""
    bins = min(max(n // _POSES_PER_BIN, 1), _MOST_BINS)
    if interval.prior == "log":
        return np.geomspace(interval.low, interval.high, bins + 1)
    return np.linspace(interval.low, interval.high, bins + 1)


def free_intervals(scene: SceneInfo) -> dict[str, Interval | None]:
    """What each parameter that varies in ``scene`` spreads over, in registry order, from the scene file in run.toml.

    None where that file does not say. The background, an index without order, is left out.
    """
    space = recorded_space(scene)
    return {name: space.free.get(name) if space else None for name in scene.free if name != "background"}


def _data_interval(values: Array) -> Interval:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return Interval(low, high, "uniform") if high > low else Interval(low - 0.5, high + 0.5, "uniform")
