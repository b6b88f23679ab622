"""Figures over objects and models: rates with their intervals, and how failures transfer."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from posetest.analysis.transfer import transfer_matrix
from posetest.report.drawing.style import RATE_COLORS, RULE, SERIES, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARKERS = "osD^vPX*"


def rates_figure(figure: Figure, rates: pd.DataFrame) -> None:
    """A row for each object, a mark with its interval for each model, from the "all" rows of ``rates``."""
    axis = figure.add_subplot()
    scenes, models = list(dict.fromkeys(rates["scene"])), list(dict.fromkeys(rates["model"]))
    step = 0.8 / len(models)
    for m, model in enumerate(models):
        table = rates[rates["model"] == model].set_index("scene")
        found = [(k, table.loc[scene]) for k, scene in enumerate(scenes) if scene in table.index]
        found = [(k, row) for k, row in found if not math.isnan(row["rate"])]
        heights = [k + (m - (len(models) - 1) / 2) * step for k, _ in found]
        rate = [row["rate"] for _, row in found]
        error = [[row["rate"] - row["low"] for _, row in found], [row["high"] - row["rate"] for _, row in found]]
        color = SERIES[m % len(SERIES)][0]
        axis.errorbar(
            rate,
            heights,
            xerr=error,
            fmt=_MARKERS[m % len(_MARKERS)],
            color=color,
            markersize=3.5,
            elinewidth=1.1,
            label=short(model),
        )
    for k in range(1, len(scenes)):
        axis.axhline(k - 0.5, color=RULE, linewidth=0.4)
    axis.set(xlim=(0, 1), ylim=(len(scenes) - 0.5, -0.5), xlabel="share of poses recognised")
    axis.set_yticks(range(len(scenes)), [short(scene) for scene in scenes])
    axis.tick_params(axis="y", length=0)
    axis.grid(axis="x", color=RULE, linewidth=0.4)
    if len(models) > 1:
        handles, names = axis.get_legend_handles_labels()
        figure.legend(handles, names, loc="outside upper center", ncols=min(len(models), 3))


def transfer_figure(figure: Figure, transfer: pd.DataFrame) -> None:
    """The pooled transfer matrix with its numbers: of the row's misread poses, the share the column misreads too."""
    axis = figure.add_subplot()
    rates, low, high = (
        transfer_matrix(transfer, f"misread_{part}").to_numpy(dtype=float) for part in ("rate", "low", "high")
    )
    names = [short(name) for name in transfer_matrix(transfer).index]
    image = axis.imshow(rates, vmin=0, vmax=1, cmap=RATE_COLORS)
    for i in range(len(names)):
        for j in range(len(names)):
            if not math.isnan(rates[i, j]):
                text = f"{100 * rates[i, j]:.1f}\n[{100 * low[i, j]:.1f}, {100 * high[i, j]:.1f}]"
                axis.text(j, i, text, ha="center", va="center", color="black" if rates[i, j] > 0.55 else "white")
    axis.set_xticks(range(len(names)), names, rotation=30, ha="right", rotation_mode="anchor")
    axis.set_yticks(range(len(names)), names)
    axis.set(xlabel="… is misread by this one too", ylabel="what this model misreads …")
    axis.spines[:].set_visible(False)
    axis.tick_params(length=0)
    figure.colorbar(image, ax=axis, shrink=0.8, label="share of poses")
