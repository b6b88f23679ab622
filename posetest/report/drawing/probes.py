"""Figures of probes: shares flipped by a change, turns tolerated, outcomes that persist when drawn otherwise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from posetest.analysis.intervals import wilson
from posetest.report.drawing.curves import axis_name, to_log
from posetest.report.drawing.style import COLORS, INK, RULE, SERIES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure


def sensitivity_figure(figure: Figure, flips: pd.DataFrame, steps: Mapping[str, Sequence[float]]) -> None:
    """Share of poses that have flipped by each size of change, a panel a parameter, from ``smallest_flips`` of a pair.

    Both directions, and each by itself.
    """
    columns = min(3, len(steps))
    axes = figure.subplots(-(-len(steps) // columns), columns, sharey=True, squeeze=False).ravel()
    for axis in axes[len(steps) :]:
        axis.set_axis_off()
    for axis, (parameter, ladder) in zip(axes, steps.items(), strict=False):
        for (color, dashes), direction in zip(SERIES, ("both", "up", "down"), strict=False):
            rows = flips[(flips["parameter"] == parameter) & (flips["direction"] == direction)]
            if not len(rows):
                continue
            share, low, high = flipped_by(rows["flip"].to_numpy(), ladder)
            label = {"both": "either way", "up": "upwards", "down": "downwards"}[direction]
            width = 1.4 if direction == "both" else 0.9
            axis.plot(ladder, share, color=color, linestyle=dashes, linewidth=width, marker=".", ms=3, label=label)
            if direction == "both":
                axis.fill_between(ladder, low, high, color=color, alpha=0.18, linewidth=0)
        axis.axhline(0.5, color=RULE, linewidth=0.6, zorder=0)
        to_log(axis, ladder[0], ladder[-1], most=5)
        axis.set(ylim=(0, 1), xlabel=f"change of {axis_name(parameter)}")
    for axis in axes[::columns]:
        axis.set_ylabel("share misread")
    handles, names = axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=3)


def flipped_by(flips: np.ndarray, ladder: Sequence[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares [k] of poses whose smallest flip is at most each step of ``ladder`` [k], with 95 % Wilson bounds."""
    counts = np.array([(flips <= step).sum() for step in ladder])
    low, high = wilson(counts, np.full(len(counts), len(flips)))
    return counts / len(flips), low, high


def tolerance_figure(figure: Figure, table: pd.DataFrame, least: float) -> None:
    """Recognition of turned poses over the radius of the ball, with interval and exact bound, from ``tolerance``."""
    axis = figure.add_subplot()
    radius = table["radius_deg"]
    axis.plot(radius, table["rate"], color=COLORS["recognised"], marker="o", markersize=3.5, label="turns recognised")
    axis.fill_between(radius, table["low"], table["high"], color=COLORS["recognised"], alpha=0.18, linewidth=0)
    axis.plot(
        radius, table["exact_low"], color=COLORS["confident"], linestyle="--", linewidth=1, label="exact lower bound"
    )
    error = np.abs(table[["tolerant_low", "tolerant_high"]].to_numpy().T - table["tolerant_share"].to_numpy())
    axis.errorbar(
        radius,
        table["tolerant_share"],
        error,
        color=INK,
        linestyle=":",
        marker="s",
        markersize=3,
        linewidth=1,
        label="poses shown to be tolerant",
    )
    axis.axhline(least, color=RULE, linewidth=0.8, zorder=0)
    axis.set(xlim=(0, float(radius.max()) * 1.03), ylim=(0, 1.02), xlabel="largest turn (degrees)", ylabel="share")
    figure.legend(loc="outside upper center", ncols=3)


def artefacts_figure(figure: Figure, table: pd.DataFrame) -> None:
    """Outcomes that persist under each way of drawing, misread and recognised poses, from ``artefacts``."""
    axis = figure.add_subplot()
    changes = list(dict.fromkeys(table["change"]))
    kinds = (("misread", COLORS["confident"], "o", -0.12), ("recognised", COLORS["recognised"], "s", 0.12))
    for group, color, marker, aside in kinds:
        rows = table[(table["group"] == group) & (table["n"] > 0)]
        at = [changes.index(change) + aside for change in rows["change"]]
        error = np.abs(rows[["low", "high"]].to_numpy().T - rows["share"].to_numpy())
        axis.errorbar(
            rows["share"], at, xerr=error, fmt=marker, color=color, markersize=4, elinewidth=1.1, label=f"{group} again"
        )
    words = {
        "samples": "2 × 2 samples",
        "size": "another image size",
        "jitter": "half a pixel aside",
        "flat": "flat light",
        "renderer": "another renderer",
        "every": "all but the renderer",
    }
    axis.set_yticks(range(len(changes)), [words.get(change, change) for change in changes])
    axis.set(xlim=(0, 1.01), ylim=(len(changes) - 0.5, -0.5), xlabel="share of poses whose outcome persists")
    axis.grid(axis="x", color=RULE, linewidth=0.4)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2)


def indices_figure(figure: Figure, table: pd.DataFrame) -> None:
    """First-order and total Sobol indices of each parameter, largest total first, from ``indices`` of an outcome."""
    axis = figure.add_subplot()
    rows = table.sort_values("total", ascending=False, kind="stable")
    kinds = (("first", "alone", COLORS["recognised"], "o", -0.14), ("total", "in all", COLORS["confident"], "s", 0.14))
    for kind, label, color, marker, aside in kinds:
        value, low, high = (rows[f"{kind}{part}"].to_numpy(dtype=float) for part in ("", "_low", "_high"))
        # where only a bound on the other side of the estimate is known, the bar begins at the estimate
        error = np.clip([value - low, high - value], 0, None)
        at = np.arange(len(rows)) + aside
        axis.errorbar(value, at, xerr=error, fmt=marker, color=color, markersize=4, elinewidth=1.1, label=label)
    axis.axvline(0, color=RULE, linewidth=0.8, zorder=0)
    axis.set_yticks(range(len(rows)), [str(name).replace("_", " ") for name in rows["parameter"]])
    axis.set(ylim=(len(rows) - 0.5, -0.5), xlabel="share of the variance of being recognised")
    axis.grid(axis="x", color=RULE, linewidth=0.4)
    axis.tick_params(axis="y", length=0)
    figure.legend(loc="outside upper center", ncols=2)
