"""What the globe of an object is drawn from: its cells of viewing direction in numbers, as JSON inside the page.

Everything that is shown is computed here, by ``posetest.analysis``; the page's script (templates/globe.js) only looks
up, colours and projects. Shares are told once for each pair of counts that occurs, which keeps 768 cells small.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.contrast import direction_contrast
from posetest.analysis.density import QUATERNION, choose_nside, viewing_cells
from posetest.analysis.intervals import share, wilson
from posetest.analysis.maps import direction_scores
from posetest.analysis.means import FEWEST
from posetest.analysis.recorded import recorded_space
from posetest.engine.record import POSE_COLUMNS
from posetest.errors import RunError
from posetest.geometry.grids import cell_to_direction
from posetest.geometry.so3 import direction_to_angles, quaternion_to_matrix, viewing_direction
from posetest.report.plain import plain
from posetest.run_info import SceneInfo
from posetest.space import format_pose

#: Cells are no finer than this, 768 of them: a cell is then about as wide as a finger's tip on the globe.
MOST_NSIDE = 8
#: Wrong labels that have a map of their own.
LABELS = 6
#: Pairs of models whose difference has one.
PAIRS = 6
_POSES_PER_DIFFERENCE = 40  # with 10 in a cell, no difference outlives the correction for hundreds of cells

Data = dict[str, Any]
Counts = set[tuple[int, int]]


@dataclass(frozen=True)
class Globe:
    """The globe of one object.

    Attributes:
        json: what the page's script reads, safe inside a script element.
        sheet: file of the sheet of small pictures, relative to the run folder; "" where there is none.
    """

    json: str
    sheet: str


def globe(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame], tiles: pd.DataFrame) -> Globe | None:
    """The globe of ``scene``; None where no model has evaluated a pose of it.

    Args:
        scene: the object.
        pairs: evaluated records of the scene by model (``of_pair``), with index, QUATERNION, POSE_COLUMNS and entropy.
        tiles: of ``RunFolder.tiles``, those of other scenes included; may be empty.
    """
    if not any(len(rows) for rows in pairs.values()):
        return None
    of_scene = tiles[tiles["scene"] == scene.name]
    data = globe_data(scene, pairs, of_scene)
    return Globe(script_json(data), str(of_scene["file"].iloc[0]) if data["tiles"] else "")


def script_json(data: Data) -> str:
    """``data`` as JSON that may stand in a script element: no name in it can end the element or start a comment."""
    text = json.dumps(plain(data), separators=(",", ":"), allow_nan=False)  # pure ASCII, U+2028 and U+2029 included
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def globe_data(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame], tiles: pd.DataFrame) -> Data:
    """The numbers of a globe; some model has rows. ``tiles`` are those of ``scene``, and may be empty.

    Keys: scene, measure, cells and wide (``_grid``, of the maps of models and of differences), shown (labels that have
    a map), fewest (poses from which a mean has an interval), models, differences, tiles (``_tiles``) and shares:
    [k, n, rate, low, high] of every count k of n that occurs, in tenths of percent, with the 95 % Wilson interval.
    """
    most = max(len(rows) for rows in pairs.values())
    nside, wide = choose_nside(most, most=MOST_NSIDE), choose_nside(most, _POSES_PER_DIFFERENCE, MOST_NSIDE)
    counts: Counts = set()
    shown = _shown(pairs.values())
    kept = _kept(pairs, tiles)
    placed = _tiles(scene, kept) if len(kept) else None
    models = [_model(name, rows, nside, shown, placed, counts) for name, rows in pairs.items()]
    return {
        "scene": scene.name,
        "measure": scene.measure,
        "cells": _grid(nside, kept),
        "wide": _grid(wide, kept),
        "shown": shown,
        "fewest": FEWEST,
        "models": models,
        "differences": _differences(pairs, wide, counts),
        "tiles": placed,
        "shares": _shares(counts),
    }


def cells_note(table: pd.DataFrame) -> str:
    """How many poses a map of ``direction_rates`` stands on and how sure its cells are: a sentence without a stop."""
    filled = table[table["n"] > 0]
    reach = 50 * (filled["high"] - filled["low"]).median()
    return (
        f"n = {table['n'].sum():,} poses in {len(filled)} of {len(table)} equal-area cells, median "
        f"{filled['n'].median():.0f} a cell: one cell's 95 % interval reaches about ±{reach:.0f} points"
    )


def _model(name: str, rows: pd.DataFrame, nside: int, shown: list[str], placed: Data | None, counts: Counts) -> Data:
    """What a model says in each cell. Means are in hundredths, with lower and upper bounds by cell for those that have
    them; an index of -1 means none."""
    if not len(rows):
        return {"name": name, "total": 0}
    table = direction_scores(rows, nside)
    labels, wrong, times = _most_frequent_wrong(rows, nside, len(table))
    told = rows["top1_label"].astype(str).where(rows["misread"], "").to_numpy()
    cells, misread = viewing_cells(rows, nside), rows["misread"].to_numpy(dtype=bool)
    read = [np.bincount(cells[misread & (told == label)], minlength=len(table)) for label in shown]
    n, recognised = table["n"].to_numpy(), table["recognised"].to_numpy()
    for k in (recognised, times, *read):
        counts.update(zip(k.tolist(), n.tolist(), strict=True))
    counts.add((int(recognised.sum()), len(rows)))
    data = {
        "name": name,
        "total": len(rows),
        "note": cells_note(table),
        "n": n.tolist(),
        "recognised": recognised.tolist(),
        "labels": labels,
        "wrong": wrong.tolist(),
        "times": times.tolist(),
        "read": [k.tolist() for k in read],
    }
    for score in ("confidence", "entropy"):
        bounds = zip(*(_hundredths(table[f"{score}_{end}"]) for end in ("low", "high")), strict=True)
        # small cells have none, and then most cells
        data[score] = [_hundredths(table[score]), {k: list(pair) for k, pair in enumerate(bounds) if None not in pair}]
    if placed is not None:
        data["answers"] = _answers(rows, placed["index"])
    return data


def _shown(all_rows: Iterable[pd.DataFrame]) -> list[str]:
    """The most frequent wrong labels over all models, ties in alphabetical order."""
    labels = pd.concat([rows.loc[rows["misread"], "top1_label"].astype(str) for rows in all_rows])
    sizes = labels.value_counts().rename_axis("label").reset_index()
    return [
        str(label) for label in sizes.sort_values(["count", "label"], ascending=[False, True])["label"].head(LABELS)
    ]


def _most_frequent_wrong(
    rows: pd.DataFrame, nside: int, count: int
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Labels, and for each cell the index of its most frequent wrong one (-1: none) and how often it is given."""
    misread = rows[rows["misread"]]
    frame = pd.DataFrame({"cell": viewing_cells(misread, nside), "label": misread["top1_label"].astype(str).to_numpy()})
    sizes = frame.value_counts().reset_index()
    sizes = sizes.sort_values(["cell", "count", "label"], ascending=[True, False, True]).drop_duplicates("cell")
    codes, labels = pd.factorize(sizes["label"])
    wrong, times = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
    wrong[sizes["cell"]], times[sizes["cell"]] = codes, sizes["count"]
    return [str(label) for label in labels], wrong, times


def _differences(pairs: Mapping[str, pd.DataFrame], nside: int, counts: Counts) -> list[Data]:
    """The first PAIRS pairs of models that share poses, cell by cell; p, adjusted by Benjamini and Hochberg and by
    Holm, with three digits by "only_first/only_second"."""
    found = []
    names = [name for name, rows in pairs.items() if len(rows)]
    for first, second in itertools.islice(itertools.combinations(names, 2), PAIRS):
        try:
            table = direction_contrast(pairs[first], pairs[second], nside)
        except RunError:  # they answered no pose in common, or other poses: there is nothing to subtract
            continue
        data: Data = {"first": list(pairs).index(first), "second": list(pairs).index(second)}
        for key in ("n", "both", "only_first", "only_second"):
            data[key] = table[key].tolist()
        for alone in ("only_first", "only_second"):
            counts.update(zip((table["both"] + table[alone]).tolist(), table["n"].tolist(), strict=True))
        for key in ("difference", "low", "high"):
            data[key] = _tenths(100 * table[key])
        # p depends on nothing but the poses that one of the two alone recognises
        told = table[table["n"] > 0].drop_duplicates(["only_first", "only_second"])
        columns = ("only_first", "only_second", "p", "p_bh", "p_holm")
        rows = zip(*(told[name].tolist() for name in columns), strict=True)
        data["p"] = {f"{one}/{other}": [float(f"{p:.3g}") for p in values] for one, other, *values in rows}
        # 2: by Holm too; 1: by Benjamini and Hochberg alone
        data["differs"] = (table["differs"].astype(int) + table["differs_surely"].astype(int)).tolist()
        found.append(data)
    return found


def _kept(pairs: Mapping[str, pd.DataFrame], tiles: pd.DataFrame) -> pd.DataFrame:
    """``tiles`` with the pose and rotation of each; those that no model has evaluated are left out."""
    poses = pd.concat(list(pairs.values())).drop_duplicates("index")
    return tiles.merge(poses[["index", *QUATERNION, *POSE_COLUMNS]], on="index", how="inner")


def _directions(kept: pd.DataFrame) -> NDArray[np.float64]:
    return viewing_direction(quaternion_to_matrix(kept[list(QUATERNION)].to_numpy(dtype=np.float64)))


def _grid(nside: int, kept: pd.DataFrame) -> Data:
    """The cells of a map: nside, azimuth and elevation of their centres (tenths of degrees), and which picture each
    shows: the nearest to its centre among those of poses in it; where there is none, the nearest of all, as
    -2 - its number."""
    centres = cell_to_direction(nside)
    azimuth, elevation = direction_to_angles(centres)
    data: Data = {"nside": nside}
    data |= {"azimuth": _tenths(np.degrees(azimuth)), "elevation": _tenths(np.degrees(elevation))}
    if len(kept):
        near = centres @ _directions(kept).T  # cosines [cells, tiles]
        inside = viewing_cells(kept, nside) == np.arange(len(near))[:, None]
        own = np.where(inside, near, -2).argmax(axis=1)
        data["tile"] = np.where(inside.any(axis=1), own, -2 - near.argmax(axis=1)).tolist()
    return data


def _tiles(scene: SceneInfo, kept: pd.DataFrame) -> Data:
    """The small pictures: where each stands on the sheet, and its pose."""
    space = recorded_space(scene)
    vectors = kept[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)
    azimuth, elevation = direction_to_angles(_directions(kept))
    return {
        "index": kept["index"].tolist(),
        "x": kept["x_px"].tolist(),
        "y": kept["y_px"].tolist(),
        "size": int(kept["size_px"].iloc[0]),
        "azimuth": _tenths(np.degrees(azimuth)),
        "elevation": _tenths(np.degrees(elevation)),
        "pose": [format_pose(vector, space) if space else "" for vector in vectors],
    }


def _answers(rows: pd.DataFrame, indices: list[int]) -> Data:
    """What a model answered to the pictures: label, probability in hundredths, whether accepted; null: nothing."""
    answered = rows.set_index("index").reindex(indices)
    there = answered["top1_label"].notna()
    labels = [str(label) if ok else None for label, ok in zip(answered["top1_label"], there, strict=True)]
    codes, names = pd.factorize(pd.Series(labels, dtype=object))
    return {
        "labels": [str(name) for name in names],
        "label": codes.tolist(),
        "p": _hundredths(answered["top1_p"]),
        "recognised": [
            int(ok) if is_there else None for ok, is_there in zip(answered["recognised"], there, strict=True)
        ],
    }


def _shares(counts: Counts) -> list[list[int | None]]:
    ordered = np.asarray(sorted(pair for pair in counts if pair[1] > 0), dtype=np.int64)
    k, n = ordered.T
    columns = [k.tolist(), n.tolist(), *(_tenths(100 * values) for values in (share(k, n), *wilson(k, n)))]
    return [list(row) for row in zip(*columns, strict=True)]


def _tenths(values: Iterable[float]) -> list[int | None]:
    """Values rounded to one decimal as the rest of the report rounds them, times 10."""
    return [None if np.isnan(value) else int(f"{value:.1f}".replace(".", "")) for value in values]


def _hundredths(values: Iterable[float]) -> list[int | None]:
    return [None if np.isnan(value) else int(f"{value:.2f}".replace(".", "")) for value in values]
