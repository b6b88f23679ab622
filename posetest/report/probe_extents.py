"""What the report says of probes of extents and of shares of variance: intervals, boxes, Sobol indices."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

from posetest.analysis.indices import index_pairs, indices
from posetest.analysis.robust import MEASURE_SHARE, VOLUME, axes, boxes
from posetest.engine.run import RunFolder
from posetest.report import words
from posetest.report.probe_page import ProbeBlock, ProbeColumn, Table, figure, median, of_scene
from posetest.run_info import SceneInfo

_MOST_PAIRS = 5  # interactions shown


def axes_block(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    """Intervals along each parameter around poses of ``scene``; None where the probe holds none.

    Raises:
        RunError: the probe is not complete.
    """
    settings = probe.info.probe
    assert settings is not None
    columns = []
    for model, rows in of_scene(axes(probe), scene).groupby("model", sort=False):
        cells = []
        for row in rows.to_dict(orient="records"):
            unit = words.unit(row["parameter"])
            ends = [median(row[end], row[f"{end}_low"], row[f"{end}_high"], unit) for end in ("down", "up")]
            held = words.with_bounds(row["held_share"], row["held_low"], row["held_high"], 0)
            cells.append((str(row["parameter"]).replace("_", " "), *ends, held, words.count(row["n"])))
        turns = [
            f"{row['parameter']} −{row['down']:.3g}° and +{row['up']:.3g}°"
            for row in rows.to_dict(orient="records")
            if row["parameter"] in ("yaw", "pitch", "roll")
        ]
        n = words.plural(int(rows["n"].max()), "pose")
        told = (
            [f"How far a recognised pose is shown to turn, one angle at a time, medians over {n}: {', '.join(turns)}."]
            if turns
            else []
        )
        columns.append(ProbeColumn(str(model), told, [], [Table(("parameter", "down", "up", "shown", "n"), cells)]))
    if not columns:
        return None
    return ProbeBlock(
        "How far it may go along each parameter",
        columns,
        [],
        "Around each of several recognised poses, drawn at random, an interval of one parameter grown by probing and "
        f"tested on {settings.draws} fresh draws: claimed where at least {words.percent(settings.least, 0)} of it are "
        "shown to be recognised (exact bound at 95 % over all tests). Down and up: medians over poses of how far it "
        "reaches, a pose without such an interval counting as 0, with exact 95 % intervals (of 6 poses or more); "
        "shown: poses that have "
        f"one, 95 % Wilson interval. Measure: recognised poses of: {scene.measure}.",
    )


def boxes_block(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    """Boxes over several parameters around poses of ``scene``; None where the probe holds none.

    Raises:
        RunError: the probe is not complete.
    """
    settings = probe.info.probe
    assert settings is not None
    columns = []
    for model, rows in of_scene(boxes(probe), scene).groupby("model", sort=False):
        cells = []
        for row in rows.to_dict(orient="records"):
            quantity = str(row["quantity"])
            unit = {VOLUME: "", MEASURE_SHARE: "%"}[quantity] if quantity in _QUANTITIES else words.unit(quantity)
            largest = figure(row["largest"], unit) if row["n"] else "–"
            name = _QUANTITIES.get(quantity, f"width, {quantity.replace('_', ' ')}")
            cells.append((name, median(row["median"], row["low"], row["high"], unit), largest))
        first = rows.iloc[0].to_dict()
        held = words.with_bounds(first["held_share"], first["held_low"], first["held_high"], 0)
        told = [f"A box is shown for {held} of the poses (n = {words.count(first['n'])})."]
        columns.append(ProbeColumn(str(model), told, [], [Table(("of the box", "median", "largest found"), cells)]))
    if not columns:
        return None
    return ProbeBlock(
        "How far it may go in several parameters at once",
        columns,
        [],
        "Around each of several recognised poses, drawn at random, a box over these parameters, grown by probing and "
        f"tested on {settings.draws} fresh draws: claimed where at least {words.percent(settings.least, 0)} of it are "
        "shown to be recognised (exact bound at 95 % over all tests). Medians over poses, one without a box counting "
        "as 0, with exact 95 % intervals (of 6 poses or more); the largest is what was found, no estimate. After Hamdi "
        "and Ghanem (2020). "
        f"Measure: recognised poses of: {scene.measure}.",
    )


_QUANTITIES = {VOLUME: "volume, product of widths", MEASURE_SHARE: "share of the measure"}


def indices_block(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    """Sobol indices and interactions of ``scene``; None where the probe holds none.

    Raises:
        RunError: the probe is not complete.
    """
    columns = []
    pairs = of_scene(index_pairs(probe), scene)
    for model, rows in of_scene(indices(probe), scene).groupby("model", sort=False):
        own = rows[rows["outcome"] == "recognised"].sort_values("total", ascending=False, kind="stable")
        listed = own.to_dict(orient="records")
        cells = [
            (str(row["parameter"]).replace("_", " "), *(_index(row, kind) for kind in ("first", "total")))
            for row in listed
        ]
        top = listed[0]
        n = words.count(top["n"])
        told = [
            f"Recognition hangs most on {str(top['parameter']).replace('_', ' ')}: with all that it takes part in it "
            f"explains {_index(top, 'total')} of the variance, alone {_index(top, 'first')} (n = {n} rows of the "
            "design)."
            if top["total"] == top["total"]
            else f"Recognition does not vary (n = {n} rows of the design)."
            if top["n"] > 1
            else "Too few poses could be evaluated."
        ]
        both = pairs[(pairs["model"].astype(str) == model) & (pairs["outcome"] == "recognised")]
        both = both.sort_values("interaction", ascending=False, kind="stable").head(_MOST_PAIRS)
        together = [
            (
                f"{row['parameter_1']} and {row['parameter_2']}".replace("_", " "),
                "too few rows to tell"
                if math.isnan(row["low"])
                else words.with_bounds(row["interaction"], row["low"], row["high"]),
            )
            for row in both.to_dict(orient="records")
        ]
        tables = [Table(("parameter", "alone", "with all it takes part in"), cells)]
        tables += [Table(("two together, beyond each alone", "share of variance"), together)] if together else []
        columns.append(ProbeColumn(str(model), told, [], tables))
    if not columns:
        return None
    return ProbeBlock(
        "Which parameters decide",
        columns,
        [],
        "Sobol indices of being recognised (0 or 1): shares of its variance over the measure that a parameter explains "
        "alone (first order) and with all that it takes part in (total), with 95 % intervals; estimates may lie "
        f"below 0. Of pairs the {_MOST_PAIRS} with the largest estimates, chosen for that. Rotation: yaw, pitch and "
        "roll together. Saltelli's design of "
        f"{words.count(probe.info.poses)} rows, new poses. Measure: {scene.measure}.",
    )


def _index(row: dict[Hashable, Any], kind: str) -> str:
    return words.with_bounds(row[kind], row[f"{kind}_low"], row[f"{kind}_high"], 0)
