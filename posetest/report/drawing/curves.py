"""Plots over one or two numbers on an axis: outcomes and labels over a parameter, landscapes, calibration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from posetest.analysis.calibration import reliability
from posetest.analysis.density import densities
from posetest.report.drawing.style import COLORS, RATE_COLORS, RULE, SERIES, VOID, short
from posetest.report.figures import FEWEST
from posetest.report.svg import axis_ticks
from posetest.space import INDEX, PARAMETERS, Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_NAMES = {"recognised": "recognised", "misread": "misread", "confident": "confidently misread", "all": "all as sampled"}


def axis_name(parameter: str) -> str:
    """A parameter as it stands on an axis: "light azimuth (degrees)"."""
    units = {"distance": "object units", "offset_x": "half-frames", "offset_y": "half-frames"}
    is_angle = PARAMETERS[INDEX[parameter]].column.endswith("_deg")
    unit = "degrees" if is_angle else units.get(parameter, "")
    return parameter.replace("_", " ") + (f" ({unit})" if unit else "")


def draw_outcomes(upper: Axes, lower: Axes, table: pd.DataFrame, parameter: str, is_log: bool) -> None:
    """Shares of each bin with their intervals on ``upper``, densities on ``lower``, from ``density.densities``."""
    for outcome in ("recognised", "confident"):
        draw_share(upper, table, outcome, COLORS[outcome], _NAMES[outcome])
    drawn = [outcome for outcome in COLORS if table[outcome].sum() >= FEWEST]
    draw_densities(lower, table, [(outcome, COLORS[outcome], "-", _NAMES[outcome]) for outcome in drawn])
    finish_pair(upper, lower, table, parameter, is_log)


def draw_share(axis: Axes, table: pd.DataFrame, name: str, color: str, label: str, dashes: str = "-") -> None:
    """The share of each bin as steps, with its interval as a band."""
    edges = [*table["bin_low"], table["bin_high"].iloc[-1]]
    axis.stairs(table[f"{name}_share"], edges, color=color, label=label, linewidth=1.3, linestyle=dashes, baseline=None)
    low, high = (np.append(table[f"{name}_{end}"], table[f"{name}_{end}"].iloc[-1]) for end in ("low", "high"))
    axis.fill_between(edges, low, high, step="post", color=color, alpha=0.18, linewidth=0)


def draw_densities(axis: Axes, table: pd.DataFrame, lines: Sequence[tuple[str, str, str, str]]) -> None:
    """Where the poses of each (column, colour, dashes, label) lie, area 1 each, over all as sampled in grey."""
    edges = [*table["bin_low"], table["bin_high"].iloc[-1]]
    axis.stairs(table["all_density"], edges, color=RULE, fill=True, alpha=0.7, zorder=0, label=_NAMES["all"])
    for name, color, dashes, label in lines:
        axis.stairs(
            table[f"{name}_density"], edges, color=color, linewidth=1.1, linestyle=dashes, label=label, baseline=None
        )


def finish_pair(upper: Axes, lower: Axes, table: pd.DataFrame, parameter: str, is_log: bool) -> None:
    """Axes of a pair of plots over one parameter."""
    upper.set_ylim(0, 1)
    lower.set(xlim=(table["bin_low"].iloc[0], table["bin_high"].iloc[-1]), xlabel=axis_name(parameter), yticks=[])
    lower.set_ylim(bottom=0)
    low, high = table["bin_low"].iloc[0], table["bin_high"].iloc[-1]
    if is_log:
        to_log(lower, low, high)
    elif PARAMETERS[INDEX[parameter]].column.endswith("_deg"):
        lower.set_xticks(axis_ticks(low, high, "degrees"))


def to_log(axis: Axes, low: float, high: float, most: int = 7) -> None:
    """A logarithmic axis from ``low`` to ``high`` with at most ``most`` ticks in plain numbers, not formulas."""
    ticks = log_ticks(low, high, most)
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_xticks([], [], minor=True)


def log_ticks(low: float, high: float, most: int = 7) -> list[float]:
    """Round values from ``low`` to ``high``, at most ``most`` where that can be."""
    powers = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    found: list[float] = []
    for steps in ((1,), (1, 3), (1, 2, 5), (1, 2, 3, 4, 5, 7)):
        ticks = [m * 10.0**k for k in powers for m in steps if low * 0.999 <= m * 10.0**k <= high * 1.001]
        found = ticks if len(ticks) <= most else found
    return found


def outcomes_figure(figure: Figure, rows: pd.DataFrame, name: str, interval: Interval | None) -> None:
    """Outcomes over one parameter."""
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    draw_outcomes(upper, lower, densities(rows, name, interval), name, is_log(interval))
    upper.set_ylabel("share of poses")
    lower.set_ylabel("density")
    _legend(figure, upper, lower)


def labels_figure(
    figure: Figure, rows: pd.DataFrame, name: str, interval: Interval | None, labels: Sequence[str]
) -> None:
    """Predictions of each of ``labels`` over one parameter: their share of each bin, and where they lie."""
    columns = {f"label_{k}": (rows["top1_label"] == label).to_numpy() for k, label in enumerate(labels)}
    most = 2 * max(int(column.sum()) for column in columns.values())  # labels are rare: wider bins than for all poses
    table = densities(rows.assign(**columns), name, interval, list(columns), min(most, len(rows)))
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1.4))
    lines = [
        (column, *SERIES[k], f"{short(label)} ({columns[column].sum():,})")
        for k, (column, label) in enumerate(zip(columns, labels, strict=True))
    ]
    for column, color, dashes, label in lines:
        draw_share(upper, table, column, color, label, dashes)
    draw_densities(lower, table, lines)
    finish_pair(upper, lower, table, name, is_log(interval))
    top = max(float(np.nanmax(table[f"{column}_high"])) for column in columns)
    upper.set_ylim(0, min(1.0, 1.1 * top))
    upper.set_ylabel("share of poses")
    lower.set_ylabel("density")
    _legend(figure, upper, lower)


def is_log(interval: Interval | None) -> bool:
    """Whether a parameter spreads over ``interval`` in its logarithm."""
    return interval is not None and interval.prior == "log"


def _legend(figure: Figure, *axes: Axes) -> None:
    """One legend above all plots, each name once."""
    found = {name: handle for axis in axes for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)}
    figure.legend(
        found.values(),
        found.keys(),
        loc="outside upper center",
        ncols=min(len(found), 4 if sum(map(len, found)) < 60 else 3),
    )


def draw_landscape(axis: Axes, table: pd.DataFrame, pair: tuple[str, str]) -> Any:
    """Recognition over the two parameters of ``landscape``'s table; what a colour bar is made of."""
    columns = [PARAMETERS[INDEX[name]].column for name in pair]
    counts = [int(table[f"{which}_bin"].max()) + 1 for which in ("first", "second")]
    edges = [np.append(np.unique(table[f"{column}_low"]), table[f"{column}_high"].max()) for column in columns]
    rate = np.ma.masked_invalid(table["rate"].to_numpy().reshape(counts))
    axis.set_facecolor(VOID)
    image = axis.pcolormesh(
        edges[0], edges[1], rate.T, vmin=0, vmax=1, cmap=RATE_COLORS, edgecolors="face", linewidth=0.2
    )
    axis.set(xlabel=axis_name(pair[0]), ylabel=axis_name(pair[1]))
    return image


def draw_reliability(axis: Axes, rows: pd.DataFrame) -> None:
    """Accuracy by confidence, with the line on which the two agree."""
    table = reliability(rows)
    table = table[table["n"] > 0]
    error = np.abs(table[["low", "high"]].to_numpy().T - table["accuracy"].to_numpy())
    axis.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    axis.errorbar(
        table["mean_confidence"],
        table["accuracy"],
        error,
        fmt="o",
        color=COLORS["recognised"],
        markersize=3.5,
        elinewidth=1,
        capsize=1.5,
    )
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence of the first label", ylabel="share recognised")
    axis.set_aspect("equal")
