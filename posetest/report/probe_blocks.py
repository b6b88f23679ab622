"""What the report says of probes: how small a change makes a model fail, how far a pose may turn, what persists."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from posetest.analysis.artefacts import EVERY, artefacts
from posetest.analysis.intervals import wilson
from posetest.analysis.sensitivity import sensitivity, smallest_flips
from posetest.analysis.tolerance import LEAST_SHARE, tolerance
from posetest.engine.run import RunFolder
from posetest.report import words
from posetest.report.probe_extents import axes_block, boxes_block, indices_block
from posetest.report.probe_figures import Curve, flipped_by, ladder_panel
from posetest.report.probe_page import ProbeBlock, ProbeColumn, Table, of_scene, spread
from posetest.run_info import SceneInfo


def probe_block(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    """What ``probe`` says of ``scene``; None where it holds nothing of it.

    Raises:
        RunError: the probe is not complete.
    """
    assert probe.info.probe is not None
    return _BLOCKS[probe.info.probe.what](probe, scene)


def _sensitivity(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    settings = probe.info.probe
    assert settings is not None
    table, flips = (of_scene(frame, scene) for frame in (sensitivity(probe), smallest_flips(probe)))
    columns = []
    for model, rows in table.groupby("model", sort=False):
        own = flips[flips["model"].astype(str) == model]
        figures = []
        for name, steps in settings.steps.items():
            curves = []
            for direction in ("up", "down"):
                is_meant = (own["parameter"].astype(str) == name) & (own["direction"] == direction)
                counts, n = flipped_by(own.loc[is_meant, "flip"], steps)
                curves.append(Curve(direction, counts / np.maximum(n, 1), *wilson(counts, n)))
            title = f"share of poses that fail over the change of {name}, {scene.name}, {model}"
            figures.append((name.replace("_", " "), ladder_panel(steps, curves, words.unit(name), title)))
        both = rows[rows["direction"] == "both"]
        cells = [
            (
                str(row["parameter"]).replace("_", " "),
                words.with_bounds(row["fail_rate"], row["low"], row["high"], 0),
                spread(row["median"], row["median_low"], row["median_high"], words.unit(str(row["parameter"]))),
                words.count(row["n"]),
            )
            for row in both.to_dict(orient="records")
        ]
        told = [_most_fragile(both)] if both["n"].sum() else []
        columns.append(
            ProbeColumn(str(model), told, figures, [Table(("parameter", "fail", "median change", "n"), cells)])
        )
    if not columns:
        return None
    return ProbeBlock(
        "How small a change makes it fail",
        columns,
        [("up", "upwards"), ("down", "downwards")],
        f"Recognised poses, drawn at random ({settings.poses} a model at most), with one parameter changed at a time, "
        "up and down, by a ladder of steps (logarithmic axis): the share that has failed by then, with 95 % Wilson "
        "intervals. Fail: somewhere on the ladder, either way. Median: the change by which half have failed, with its "
        f"95 % interval (Woodruff). Measure: recognised poses of: {scene.measure}.",
    )


def _tolerance(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    settings = probe.info.probe
    assert settings is not None
    columns = []
    for model, rows in of_scene(tolerance(probe), scene).groupby("model", sort=False):
        curve = Curve("recognised", *(rows[name].to_numpy(dtype=float) for name in ("rate", "low", "high")))
        title = f"share of turned poses recognised over the radius, {scene.name}, {model}"
        panel = ladder_panel(rows["radius_deg"].tolist(), [curve], "degrees", title, aim=LEAST_SHARE)
        cells = [
            (
                f"{row['radius_deg']:g}°",
                words.with_bounds(row["rate"], row["low"], row["high"]),
                f"{words.percent(row['exact_low'])}{' ✓' if row['is_held'] else ''}",
                words.with_bounds(row["tolerant_share"], row["tolerant_low"], row["tolerant_high"], 0),
            )
            for row in rows.to_dict(orient="records")
        ]
        held = rows.loc[rows["is_held"], "radius_deg"]
        n = words.plural(int(rows["n"].max()), "pose")
        told = [
            f"A recognised pose turned at random by at most {held.max():g}° is still recognised with a probability of "
            f"at least {words.percent(LEAST_SHARE, 0)} (exact bound at 95 %, {n})."
            if len(held)
            else f"Not even at {rows['radius_deg'].min():g}° are {words.percent(LEAST_SHARE, 0)} of random turns shown "
            f"to keep it recognised ({n})."
        ]
        names = ("radius", "recognised", "at least", "poses that hold")
        columns.append(ProbeColumn(str(model), told, [("random turns", panel)], [Table(names, cells)]))
    if not columns:
        return None
    return ProbeBlock(
        "How far it may be turned",
        columns,
        [],
        f"Recognised poses, drawn at random, each turned {settings.draws} times by rotations uniform in the ball of "
        "each radius. Recognised: mean over poses with its 95 % interval. At least: exact one-sided 95 % bound from "
        f"one turn a pose, ✓ while it stays at {words.percent(LEAST_SHARE, 0)} or more up to this radius. Poses that "
        "hold: share of the poses shown by themselves to stay recognised that often, 95 % Wilson interval. Measure: "
        f"recognised poses of: {scene.measure}.",
    )


_CHANGED = {
    "samples": "other samples per pixel",
    "size": "another image size",
    "jitter": "half a pixel aside",
    "flat": "flat light",
    "renderer": "another renderer",
    EVERY: "all of these but the renderer",
}


def _artefacts(probe: RunFolder, scene: SceneInfo) -> ProbeBlock | None:
    columns = []
    for model, rows in of_scene(artefacts(probe), scene).groupby("model", sort=False):
        cells = []
        for change, group in rows.groupby("change", sort=False):
            by = {row["group"]: row for row in group.to_dict(orient="records")}
            shares = [
                words.with_bounds(by[g]["share"], by[g]["low"], by[g]["high"], 0) if g in by else "–"
                for g in ("misread", "recognised")
            ]
            n = "\u202f/\u202f".join(words.count(by[g]["n"]) if g in by else "–" for g in ("misread", "recognised"))
            cells.append((_CHANGED.get(str(change), str(change)), *shares, n))
        every = rows[(rows["change"] == EVERY) & (rows["group"] == "misread")]
        told = [
            f"{words.with_bounds(row['share'], row['low'], row['high'], 0)} of the failures persist under every change "
            f"but the renderer (n = {words.count(row['n'])}): these are the model's."
            for row in every.to_dict(orient="records")
            if row["n"]
        ]
        names = ("drawn with", "failures persist", "recognised stay", "n")
        columns.append(ProbeColumn(str(model), told, [], [Table(names, cells)]))
    if not columns:
        return None
    return ProbeBlock(
        "Failures of the model, or of the renderer?",
        columns,
        [],
        "Misread poses, drawn at random, and as many recognised ones, drawn again otherwise: the share that is "
        "misread, or recognised, again, with 95 % Wilson intervals; n of both. Measure: misread, and recognised, "
        f"poses of: {scene.measure}.",
    )


_BLOCKS: dict[str, Callable[[RunFolder, SceneInfo], ProbeBlock | None]] = {
    "sensitivity": _sensitivity,
    "tolerance": _tolerance,
    "artefacts": _artefacts,
    "axes": axes_block,
    "boxes": boxes_block,
    "indices": indices_block,
}


def _most_fragile(both: pd.DataFrame) -> str:
    """Which parameter makes most poses fail."""
    row = max(both[both["n"] > 0].to_dict(orient="records"), key=lambda row: row["fail_rate"])
    name = str(row["parameter"])
    degree = "°" if words.unit(name) == "degrees" else ""
    rate = words.with_bounds(row["fail_rate"], row["low"], row["high"], 0)
    return (
        f"Most fragile to {name.replace('_', ' ')}: changing it alone by at most {row['ladder_end']:g}{degree} makes "
        f"{rate} of recognised poses fail (n = {words.count(row['n'])})."
    )
