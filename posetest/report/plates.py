"""Figures for publications: each as PNG and as PDF, with a caption that carries n, interval and measure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from posetest.analysis.calibration import reliability
from posetest.analysis.density import densities, direction_rates, free_intervals
from posetest.analysis.landscape import landscape
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import summary_frame
from posetest.engine.run import RunFolder, file_name
from posetest.geometry.grids import direction_to_cell
from posetest.geometry.so3 import direction
from posetest.report import words
from posetest.run_info import SceneInfo
from posetest.space import INDEX, PARAMETERS, Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Perceived alike with any colour vision: the scale of rates, and Okabe and Ito's blue, orange and vermilion.
RATE_COLORS = "cividis"
COLORS = {"recognised": "#0072b2", "misread": "#e69f00", "confident": "#d55e00"}
#: Pairs of parameters that landscapes are drawn over, where both vary.
LANDSCAPES = (("yaw", "pitch"), ("roll", "pitch"), ("yaw", "roll"), ("azimuth", "elevation"), ("distance", "pitch"))

_FEWEST = 100
_SIZE = (6.4, 4.0)  # inches
_DPI = 200


@dataclass(frozen=True)
class Plate:
    """A figure that was written.

    Attributes:
        name: of its files, without ending.
        caption: what it shows, with n and measure.
    """

    name: str
    caption: str


def write_plates(run: RunFolder, folder: Path) -> list[Plate]:
    """Writes the figures of the audit ``run`` into ``folder`` as NAME.png and NAME.pdf, and captions.md beside them.

    For each object and model: recognition over viewing direction, outcomes over each parameter that varies, landscapes
    over pairs of them, and accuracy by confidence.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, or the run is no audit.
    """
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    frame = summary_frame(run)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    with mpl.rc_context({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False, "pdf.fonttype": 42}):
        for scene in run.info.scenes:
            for model in run.info.models:
                rows = of_pair(frame, scene.name, model.name)
                if not len(rows):
                    continue
                stem = f"{file_name(scene.name)}-{file_name(model.name)}"
                facts = f"{scene.name} by {model.name}, n = {len(rows):,}; measure: {scene.measure}."
                for name, title, draw in _figures(scene, rows):
                    figure = Figure(figsize=_SIZE, layout="constrained")
                    FigureCanvasAgg(figure)
                    draw(figure)
                    for ending in ("png", "pdf"):
                        # no date in the file: the same run gives the same bytes
                        about = {"CreationDate": None} if ending == "pdf" else None
                        figure.savefig(folder / f"{stem}-{name}.{ending}", dpi=_DPI, metadata=about)
                    written.append(Plate(f"{stem}-{name}", f"{title}. {facts}"))
    captions = "".join(f"**{plate.name}**: {words.markdown(plate.caption)}\n\n" for plate in written)
    (folder / "captions.md").write_text(captions, encoding="utf-8")
    return written


def _figures(scene: SceneInfo, rows: pd.DataFrame) -> Iterator[tuple[str, str, Any]]:
    """(name, caption, function that draws it) of each figure of one object and model."""
    yield (
        "direction",
        "Recognition rate over viewing direction, cells of equal area, Mollweide projection, the object's front in the "
        "middle",
        lambda figure: _direction_figure(figure, rows),
    )
    yield "reliability", "Accuracy by confidence, 95 % Wilson intervals", lambda figure: _reliability(figure, rows)
    if len(rows) < _FEWEST:
        return
    intervals = free_intervals(scene)
    for name, interval in intervals.items():
        yield (
            name,
            f"Outcomes over {name.replace('_', ' ')}: share of the poses of each bin with 95 % Wilson intervals, and "
            "where the poses of each outcome lie (area 1 each, grey: all as sampled)",
            lambda figure, name=name, interval=interval: _densities(figure, rows, name, interval),
        )
    for first, second in LANDSCAPES:
        if first in intervals and second in intervals:
            yield (
                f"{first}-{second}",
                f"Recognition rate over {first} and {second}; bins without poses are blank",
                lambda figure, pair=(first, second): _landscape(figure, rows, pair, intervals),
            )


def draw_direction(axis: Axes, cells: pd.DataFrame) -> Any:
    """The map of ``density.direction_rates`` on an axis with Mollweide's projection; what a colour bar is made of."""
    nside = round((len(cells) / 12) ** 0.5)
    longitude, latitude = np.meshgrid(np.linspace(-np.pi, np.pi, 721), np.linspace(-np.pi / 2, np.pi / 2, 361))
    x, y = ((grid[:-1, :-1] + grid[1:, 1:]) / 2 for grid in (longitude, latitude))
    at = direction_to_cell(direction(x.ravel(), y.ravel()), nside).reshape(x.shape)
    rate = cells["rate"].to_numpy()[at]
    image = axis.pcolormesh(longitude, latitude, rate, vmin=0, vmax=1, cmap=RATE_COLORS, rasterized=True)
    axis.set_xticks(np.radians([-135, -90, -45, 0, 45, 90, 135]), ["", "−90°", "", "front", "", "90°", ""])
    axis.set_yticks(np.radians([-60, -30, 0, 30, 60]))
    axis.grid(color="0.5", linewidth=0.4)
    return image


def _direction_figure(figure: Figure, rows: pd.DataFrame) -> None:
    axis = figure.add_subplot(projection="mollweide")
    image = draw_direction(axis, direction_rates(rows))
    figure.colorbar(image, ax=axis, shrink=0.7, label="share recognised")


def _reliability(figure: Figure, rows: pd.DataFrame) -> None:
    axis = figure.add_subplot()
    table = reliability(rows)
    table = table[table["n"] > 0]
    error = np.abs(table[["low", "high"]].to_numpy().T - table["accuracy"].to_numpy())
    axis.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    axis.errorbar(table["mean_confidence"], table["accuracy"], error, fmt="o", color=COLORS["recognised"], capsize=2)
    axis.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence of the first label", ylabel="share recognised")
    axis.set_aspect("equal")


def _densities(figure: Figure, rows: pd.DataFrame, name: str, interval: Interval | None) -> None:
    table = densities(rows, name, interval)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    edges = [*table["bin_low"], table["bin_high"].iloc[-1]]
    for outcome in ("recognised", "confident"):
        color, label = COLORS[outcome], {"confident": "confidently misread"}.get(outcome, outcome)
        upper.stairs(table[f"{outcome}_share"], edges, color=color, label=label, linewidth=1.4)
        upper.fill_between(
            edges,
            *(np.append(table[f"{outcome}_{end}"], table[f"{outcome}_{end}"].iloc[-1]) for end in ("low", "high")),
            step="post",
            color=color,
            alpha=0.2,
            linewidth=0,
        )
        lower.stairs(table[f"{outcome}_density"], edges, color=color, linewidth=1.2)
    lower.stairs(table["all_density"], edges, color="0.85", fill=True, zorder=0)
    upper.set(ylim=(0, 1), ylabel="share of poses")
    upper.legend(frameon=False, fontsize=8)
    unit = " (degrees)" if PARAMETERS[INDEX[name]].column.endswith("_deg") else ""
    lower.set(xlabel=f"{name.replace('_', ' ')}{unit}", ylabel="density", yticks=[])
    if interval is not None and interval.prior == "log":
        lower.set_xscale("log")


def _landscape(
    figure: Figure, rows: pd.DataFrame, pair: tuple[str, str], intervals: dict[str, Interval | None]
) -> None:
    axis = figure.add_subplot()
    table = landscape(rows, *pair, intervals)
    columns = [PARAMETERS[INDEX[name]].column for name in pair]
    counts = [int(table[f"{which}_bin"].max()) + 1 for which in ("first", "second")]
    edges = [np.append(np.unique(table[f"{column}_low"]), table[f"{column}_high"].max()) for column in columns]
    rate = table["rate"].to_numpy().reshape(counts)
    image = axis.pcolormesh(edges[0], edges[1], rate.T, vmin=0, vmax=1, cmap=RATE_COLORS, rasterized=True)
    across, up = (f"{name}{' (degrees)' if c.endswith('_deg') else ''}" for name, c in zip(pair, columns, strict=True))
    axis.set(xlabel=across, ylabel=up)
    figure.colorbar(image, ax=axis, label="share recognised")
