"""The figures of one object on paper: models beside each other, up to three in a row, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from posetest.analysis.density import densities, direction_rates, free_intervals
from posetest.analysis.landscape import landscape
from posetest.report.drawing.curves import draw_landscape, draw_outcomes, draw_reliability, is_log
from posetest.report.drawing.maps import draw_map
from posetest.report.drawing.style import blank, short
from posetest.report.landscapes import PAIRS
from posetest.report.paper.vector import to_svg
from posetest.report.sketches import FEWEST
from posetest.run_info import SceneInfo

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Box = tuple[float, float, float, float]

_WIDTH = 6.85  # inches, of the text
_BESIDE = 3
_LEGEND, _LINE = 0.42, 1.65  # inches: what stands above all plots, and a pair of plots with its axis
_FIRST = ("distance", "yaw", "pitch", "roll")  # the parameters that are drawn; of another space its first four


@dataclass(frozen=True)
class Panel:
    """A figure.

    Attributes:
        svg: the figure.
        size_in: width and height, inches.
        words: what it shows, for those who do not see it.
    """

    svg: bytes
    size_in: tuple[float, float]
    words: str

    @property
    def room_mm(self) -> float:
        """Height on paper with the first lines of a caption."""
        return self.size_in[1] * 25.4 + 16


def direction_panels(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame]) -> Iterator[Panel]:
    """Recognition over viewing direction by each model."""

    def draw(axis: Axes, rows: pd.DataFrame) -> Any:
        return draw_map(axis, direction_rates(rows)["rate"].to_numpy(), pixels=600)

    words = f"recognition rate of {scene.name} over viewing direction"
    yield from _row_by_row(pairs, draw, words, 0.56, "share recognised")


def landscape_panels(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame]) -> Iterator[tuple[tuple[str, str], Panel]]:
    """Recognition over the first two parameters of PAIRS that both vary, with their names."""
    intervals = free_intervals(scene)
    free = [pair for pair in PAIRS if pair[0] in intervals and pair[1] in intervals]
    if not free or not _many(pairs):
        return

    def draw(axis: Axes, rows: pd.DataFrame) -> Any:
        return draw_landscape(axis, landscape(rows, *free[0], intervals), free[0])

    words = f"recognition rate of {scene.name} over {' and '.join(free[0])}"
    for panel in _row_by_row(_many(pairs), draw, words, 0.72, "share recognised"):
        yield free[0], panel


def reliability_panels(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame]) -> Iterator[Panel]:
    """Accuracy by confidence of each model."""
    yield from _row_by_row(pairs, draw_reliability, f"accuracy by confidence, {scene.name}", 0.95, "", _BESIDE)


def outcome_panels(scene: SceneInfo, pairs: Mapping[str, pd.DataFrame]) -> Iterator[Panel]:
    """Outcomes over the parameters that vary: a row each and models beside each other; of one model two in a row."""
    intervals = free_intervals(scene)
    names = [name for name in _FIRST if name in intervals] or list(intervals)[: len(_FIRST)]
    if not names:
        return
    for part in _chunks(list(_many(pairs).items())):
        cells = [(name, model, rows) for name in names for model, rows in part]
        columns = max(len(part), 2)
        lines = -(-len(cells) // columns)
        size = _WIDTH, _LEGEND + _LINE * lines
        figure = blank(*size)
        figure.set_layout_engine("none")  # it takes as long as all drawing, and here all is known
        place = _places(size, lines, columns)
        for at, (name, model, rows) in enumerate(cells):
            line, column = divmod(at, columns)
            upper, lower = (figure.add_axes(box) for box in place(line, column))
            upper.sharex(lower)
            upper.tick_params(labelbottom=False)
            table = densities(rows, name, intervals[name])
            draw_outcomes(upper, lower, table, name, is_log(intervals[name]))
            if len(part) > 1 and not line:
                upper.set_title(short(model))
            if column:
                upper.tick_params(labelleft=False)
            else:
                upper.set_ylabel("share")
                lower.set_ylabel("density")
        found: dict[str, Any] = {}
        for axis in figure.axes:
            found |= {name: handle for handle, name in zip(*axis.get_legend_handles_labels(), strict=True)}
        figure.legend(found.values(), found.keys(), loc="upper left", ncols=4, borderaxespad=0)
        yield Panel(to_svg(figure), size, f"outcomes of {scene.name} over {', '.join(names)}")


def _places(size_in: tuple[float, float], lines: int, columns: int) -> Callable[[int, int], list[Box]]:
    """From line and column to the boxes of the upper and the lower plot: left, bottom, width, height of the figure."""
    width, height = size_in
    left, gap = 0.5, 0.3
    each = (width - left - 0.1 - gap * (columns - 1)) / columns

    def place(line: int, column: int) -> list[Box]:
        x, top = left + column * (each + gap), _LEGEND + line * _LINE
        return [
            (x / width, 1 - (top + below + high) / height, each / width, high / height)
            for below, high in ((0.0, 0.75), (0.82, 0.38))
        ]

    return place


def whole_panel(draw: Callable[[Any], object], size: tuple[float, float], words: str) -> Panel:
    """A figure that ``draw`` makes of an empty one."""
    figure = blank(*size)
    draw(figure)
    return Panel(to_svg(figure), size, words)


def _row_by_row(
    pairs: Mapping[str, pd.DataFrame],
    draw: Callable[[Axes, pd.DataFrame], Any],
    words: str,
    ratio: float,
    bar: str,
    least: int = 1,
) -> Iterator[Panel]:
    """One axis for each model that has rows; ``ratio`` is an axis's height over its width, ``bar`` names the scale.

    Each is as wide as if there were ``least`` models.
    """
    for part in _chunks([(model, rows) for model, rows in pairs.items() if len(rows)]):
        columns = max(min(_BESIDE, len(pairs)), least)
        width = _WIDTH if columns > 1 else 0.6 * _WIDTH
        size = width, width / (columns + 0.25) * ratio + 0.2
        figure = blank(*size)
        axes = figure.subplots(1, columns, squeeze=False)[0]
        image = None
        for axis, (model, rows) in zip(axes, part, strict=False):
            image = draw(axis, rows)
            if len(pairs) > 1:
                axis.set_title(short(model))
        for axis in axes[len(part) :]:
            axis.set_axis_off()
        for axis in axes[1 : len(part)]:
            axis.set_ylabel("")
        if bar and image is not None:
            figure.colorbar(image, ax=list(axes), shrink=0.85, label=bar)
        yield Panel(to_svg(figure), size, f"{words}: {', '.join(model for model, _ in part)}")


def _many(pairs: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {model: rows for model, rows in pairs.items() if len(rows) >= FEWEST}


def _chunks(items: Sequence[tuple[str, pd.DataFrame]]) -> Iterator[Sequence[tuple[str, pd.DataFrame]]]:
    for first in range(0, len(items), _BESIDE):
        yield items[first : first + _BESIDE]
