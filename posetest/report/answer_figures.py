"""Figures of a model's answers, as SVG text: accuracy by confidence, and where wrong labels are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from posetest.analysis.calibration import reliability
from posetest.analysis.density import densities
from posetest.report import words
from posetest.report.figures import FEWEST
from posetest.report.landscapes import Drawn
from posetest.report.svg import LEFT, RIGHT, axis, boxes, label, steps, text, ticks
from posetest.space import Interval

_TOP, _BOTTOM = 8.0, 112.0
_SERIES = 3  # wrong labels drawn together; lines differ in colour and dashes


def reliability_panel(rows: pd.DataFrame, title: str) -> str:
    """Share recognised by confidence of the first label with 95 % Wilson intervals; "" where there is no pose.

    Args:
        rows: evaluated records of one scene and model.
        title: for readers who do not see it.
    """
    table = reliability(rows)
    table = table[table["n"] > 0]
    if not len(table):
        return ""
    place = axis(0.0, 1.0, False)

    def height(share: float) -> float:
        return _BOTTOM - share * (_BOTTOM - _TOP)

    parts = [f'<svg class="panel" viewBox="0 0 340 144" role="img" aria-label="{escape(title)}">']
    for p in (0, 50, 100):
        y = height(p / 100)
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{RIGHT}"/>{text(LEFT - 4, y + 3, f"{p} %", "end")}')
    parts.append(f'<path class="blank-line" d="M{LEFT} {_BOTTOM}L{RIGHT} {_TOP}"/>')
    for row in table.to_dict(orient="records"):
        x = float(place(row["mean_confidence"]))
        told = f"confidence {row['mean_confidence']:.2f}: recognised in " + words.with_bounds(
            row["accuracy"], row["low"], row["high"], 0
        )
        parts.append(
            f'<g><path class="line recognised" d="M{x:.1f} {height(row["low"]):.1f}V{height(row["high"]):.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{height(row["accuracy"]):.1f}" r="3"/>'
            f"<title>{escape(told)}, n = {words.count(row['n'])}</title></g>"
        )
    parts += ticks(0.0, 1.0, "", place, _BOTTOM)
    parts.append(text((LEFT + RIGHT) / 2, _BOTTOM + 27, "confidence of the first label"))
    return "".join(parts) + "</svg>"


def drawn_labels(wrong: Sequence[Mapping[str, Any]]) -> list[str]:
    """The labels that ``label_panels`` draws."""
    return [str(row["label"]) for row in wrong if row["count"] >= FEWEST][:_SERIES]


def label_panels(
    rows: pd.DataFrame, wrong: Sequence[Mapping[str, Any]], intervals: Mapping[str, Interval | None], about: str
) -> list[Drawn]:
    """Where wrong labels are seen, over each parameter: densities of area 1 over that of all poses.

    Args:
        rows: evaluated records of one scene and model.
        wrong: rows of ``wrong_labels`` about it; the first three of them that are frequent enough are drawn.
        intervals: what parameters spread over (``density.free_intervals``).
        about: object and model, for readers who do not see the figures.
    """
    labels = drawn_labels(wrong)
    if not labels:
        return []
    read_as = [f"read_as_{k}" for k in range(len(labels))]
    answer = rows["top1_label"].astype(str)
    rows = rows.assign(**{name: answer == shown for name, shown in zip(read_as, labels, strict=True)})
    fewest = min(int(rows[name].sum()) for name in read_as)
    drawn = []
    for name, interval in intervals.items():
        table = densities(rows, name, interval, read_as, fewest)
        is_log = interval is not None and interval.prior == "log"
        title = f"densities of {words.listed(labels)} over {name}, {about}"
        drawn.append(Drawn(name.replace("_", " "), _densities(table, labels, words.unit(name), title, is_log), ""))
    return drawn


def _densities(table: pd.DataFrame, labels: Sequence[str], unit: str, title: str, is_log: bool) -> str:
    edges = np.append(table["bin_low"].to_numpy(), table["bin_high"].to_numpy()[-1])
    place = axis(edges[0], edges[-1], is_log)
    x = place(edges)
    read_as = [f"read_as_{k}" for k in range(len(labels))]
    columns = [f"{key}_density" for key in read_as]
    top = float(np.nanmax(table[["all_density", *columns]].to_numpy()))

    def height(column: str) -> np.ndarray:
        return np.asarray(_BOTTOM - table[column].to_numpy() / top * (_BOTTOM - _TOP), dtype=np.float64)

    floor = np.full(len(table), _BOTTOM)
    parts = [f'<svg class="panel" viewBox="0 0 340 132" role="img" aria-label="{escape(title)}">']
    parts.append(f'<path class="sampled" d="{boxes(x, floor, height("all_density"))}"/>')
    parts.append(f'<path class="grid" d="M{LEFT} {_BOTTOM}H{RIGHT}"/>')
    parts += [f'<path class="line series-{k}" d="{steps(x, height(c))}"/>' for k, c in enumerate(columns)]
    parts += ticks(edges[0], edges[-1], unit, place, _BOTTOM)
    for i, row in enumerate(table.to_dict(orient="records")):
        told = [
            f"{shown} {words.with_bounds(row[f'{key}_share'], row[f'{key}_low'], row[f'{key}_high'], 0)}"
            for key, shown in zip(read_as, labels, strict=True)
            if row["n"]
        ]
        span = f"{label(row['bin_low'], unit)} to {label(row['bin_high'], unit)}"
        hint = escape("; ".join([f"{span}: n = {words.count(row['n'])}", *told]))
        parts.append(
            f'<rect class="hit" x="{x[i]:.1f}" y="{_TOP}" width="{x[i + 1] - x[i]:.1f}" height="{_BOTTOM - _TOP}">'
            f"<title>{hint}</title></rect>"
        )
    return "".join(parts) + "</svg>"
