"""Maps of what a model says beyond right and wrong: confidence, entropy and labels over viewing direction, and
recognition over all rotations (viewing direction times in-plane roll).

A viewing direction alone leaves the picture's turn in its plane out: a model that fails upside down looks half bad from
everywhere. The map over rotations tells the two apart.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns
from posetest.analysis.density import QUATERNION, choose_nside, direction_rates, viewing_cells
from posetest.analysis.intervals import share, wilson
from posetest.analysis.means import cell_means
from posetest.geometry.grids import cell_count, cell_to_direction, rotation_to_cell
from posetest.geometry.so3 import direction_to_angles, quaternion_to_matrix

_POSES_PER_MEAN = 56  # cells vary around it: about 99 of 100 then have the 40 that the interval of a mean needs
_POSES_PER_CELL = 10  # as density.choose_nside
_LARGEST_ROTATION_NSIDE = 8
_TURNS_PER_NSIDE = 6  # a HEALPix cell is sqrt(pi / 3) / nside wide, about 1 / 6 of a turn at nside 1


def direction_scores(rows: pd.DataFrame, nside: int | None = None) -> pd.DataFrame:
    """Recognition, confidence and entropy over viewing direction: a row for each of 12 nside^2 equal-area cells.

    Columns: those of ``density.direction_rates``; confidence (mean probability of the first label, right or wrong)
    with confidence_low, confidence_high; entropy (mean, nats) with entropy_low, entropy_high. Intervals of means are
    95 % (``means.cell_means``), nan where a cell has fewer than 40 poses.

    Args:
        rows: evaluated records of one scene and model (``of_pair``), with QUATERNION, top1_p and entropy.
        nside: resolution; by default the one at which uniform directions are 56 a cell or more.

    Raises:
        RunError: a column is missing.
    """
    need_columns(rows, [*QUATERNION, "top1_p", "entropy"], "direction_scores")
    if nside is None:
        nside = choose_nside(len(rows), _POSES_PER_MEAN)
    table, cells, count = direction_rates(rows, nside), viewing_cells(rows, nside), cell_count(nside)
    for name, column, upper in (("confidence", "top1_p", 1.0), ("entropy", "entropy", None)):
        # rounding in the float32 softmax reaches beyond the range by some 1e-7
        values = np.clip(rows[column].to_numpy(dtype=np.float64), 0, upper)
        table[name], table[f"{name}_low"], table[f"{name}_high"] = cell_means(values, cells, count, upper)
    return table


def direction_labels(rows: pd.DataFrame, nside: int | None = None, top: int = 5) -> pd.DataFrame:
    """Where each of the ``top`` most frequent labels is seen: a row for each label and cell, most frequent label first.

    The share says what the model answers from there; the density where the poses with that answer lie. Ties go by
    alphabet. Columns: label, accepted (the label counts as recognised), cell, azimuth_deg, elevation_deg (as
    ``density.direction_rates``), n (poses of the cell), count (of them with the label), share (count / n) with low and
    high (95 % Wilson; nan in empty cells), density (per steradian: count / (all of the label x area of a cell)) with
    density_low and density_high (Wilson, of the share of the label's poses that lie in the cell).

    Args:
        rows: evaluated records of one scene and model, with QUATERNION, top1_label and recognised.
        nside: resolution; by default what ``density.choose_nside`` says.
        top: how many labels.

    Raises:
        RunError: a column is missing.
    """
    need_columns(rows, [*QUATERNION, "top1_label", "recognised"], "direction_labels")
    nside = choose_nside(len(rows)) if nside is None else nside
    cells, count = viewing_cells(rows, nside), cell_count(nside)
    azimuth, elevation = direction_to_angles(cell_to_direction(nside))
    n, area = np.bincount(cells, minlength=count), 4 * math.pi / count
    codes, labels = pd.factorize(rows["top1_label"].astype(str), sort=True)
    totals = np.bincount(codes, minlength=len(labels))
    recognised = np.bincount(codes, weights=rows["recognised"].to_numpy(dtype=float), minlength=len(labels))
    tables = []
    for code in np.argsort(-totals, kind="stable")[:top]:
        seen = np.bincount(cells[codes == code], minlength=count)
        table = pd.DataFrame({"label": labels[code], "accepted": recognised[code] > 0, "cell": np.arange(count)})
        table["azimuth_deg"], table["elevation_deg"] = np.degrees(azimuth), np.degrees(elevation)
        table["n"], table["count"], table["share"] = n, seen, share(seen, n)
        table["low"], table["high"] = wilson(seen, n)
        table["density"] = share(seen, totals[code] * area)
        table["density_low"], table["density_high"] = (x / area for x in wilson(seen, totals[code]))
        tables.append(table)
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=list(_LABEL_COLUMNS))


def rotation_rates(rows: pd.DataFrame, nside: int | None = None, turns: int | None = None) -> pd.DataFrame:
    """Recognition over SO(3): a row for each of the 12 nside^2 x turns cells of equal Haar measure.

    Columns: cell, direction_cell, azimuth_deg, elevation_deg (of the viewing direction, as in ``direction_rates``),
    roll_low_deg, roll_high_deg (how far the picture is turned counter-clockwise from upright, 0 to 360), n,
    recognised, rate, low, high (95 % Wilson; nan in empty cells).

    Args:
        rows: evaluated records of one scene and model, with QUATERNION and recognised.
        nside: resolution of the viewing direction; by default the largest, 1 to 8, at which uniform rotations are 10 a
            cell or more.
        turns: bins of the roll; by default 6 nside, as wide as the cells of the direction.

    Raises:
        RunError: a column is missing.
        ValueError: nside or turns is below 1.

    Source: cells of Yershova et al., IJRR 29 (2010) 801, section 4.
    """
    need_columns(rows, [*QUATERNION, "recognised"], "rotation_rates")
    nside = choose_rotation_nside(len(rows)) if nside is None else nside
    turns = _TURNS_PER_NSIDE * nside if turns is None else turns
    if nside < 1 or turns < 1:
        raise ValueError(f"rotation_rates wants nside and turns of 1 or more, got nside = {nside}, turns = {turns}")
    cells = rotation_cells(rows, nside, turns)
    azimuth, elevation = direction_to_angles(cell_to_direction(nside))
    count = cell_count(nside) * turns
    table = pd.DataFrame({"cell": np.arange(count), "direction_cell": np.arange(count) // turns})
    table["azimuth_deg"] = np.repeat(np.degrees(azimuth), turns)
    table["elevation_deg"] = np.repeat(np.degrees(elevation), turns)
    edges = np.linspace(0, 360, turns + 1)
    table["roll_low_deg"], table["roll_high_deg"] = edges[table["cell"] % turns], edges[table["cell"] % turns + 1]
    table["n"] = np.bincount(cells, minlength=count)
    table["recognised"] = np.bincount(cells[rows["recognised"].to_numpy(dtype=bool)], minlength=count)
    table["rate"] = share(table["recognised"], table["n"])
    table["low"], table["high"] = wilson(table["recognised"], table["n"])
    return table


def choose_rotation_nside(n: int) -> int:
    """Resolution, 1 to 8, at which ``n`` Haar-uniform rotations are 10 or more in each of 72 nside^3 cells."""
    fine = [k for k in range(1, _LARGEST_ROTATION_NSIDE + 1) if 12 * _TURNS_PER_NSIDE * k**3 * _POSES_PER_CELL <= n]
    return max(fine, default=1)


def rotation_cells(rows: pd.DataFrame, nside: int, turns: int) -> NDArray[np.int64]:
    """The cell [n] of SO(3), 12 nside^2 x turns of them, that each row's rotation lies in."""
    if not len(rows):
        return np.zeros(0, dtype=np.int64)
    matrices = quaternion_to_matrix(rows[list(QUATERNION)].to_numpy(dtype=np.float64))
    return rotation_to_cell(matrices, nside, turns)


_LABEL_COLUMNS = (
    *("label", "accepted", "cell", "azimuth_deg", "elevation_deg", "n", "count", "share", "low", "high"),
    *("density", "density_low", "density_high"),
)
