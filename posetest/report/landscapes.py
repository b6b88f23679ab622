"""Recognition over pairs of parameters and over all rotations, as SVG text that takes its colours from the page."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
import pandas as pd

from posetest.analysis.landscape import landscape
from posetest.analysis.maps import rotation_rates
from posetest.report import words
from posetest.report.figures import direction_map, rates_url
from posetest.report.svg import LEFT, RIGHT, axis_ticks, label, text
from posetest.space import INDEX, PARAMETERS, Interval

#: Pairs of parameters that landscapes are drawn over, where both vary; where not all are, the first ones.
PAIRS = (
    ("yaw", "pitch"),
    ("yaw", "roll"),
    ("azimuth", "elevation"),
    ("distance", "pitch"),
    ("distance", "elevation"),
    ("roll", "pitch"),
)
#: Poses from which pairs of parameters, and all rotations, have cells that say something.
FEWEST = 400
FEWEST_FOR_ROTATIONS = 2000

_MOST = 3  # pairs shown
_TOP, _BOTTOM = 8.0, 168.0
_MAPS = 12  # of rotations, at most: one for each 30 degrees of roll


@dataclass(frozen=True)
class Drawn:
    """A figure with its name and a caption that tells n."""

    name: str
    svg: str
    caption: str


def landscapes(rows: pd.DataFrame, intervals: Mapping[str, Interval | None], about: str) -> list[Drawn]:
    """Recognition over the pairs of PAIRS that vary, the first few; none with too few poses.

    Args:
        rows: evaluated records of one scene and model.
        intervals: what parameters spread over (``density.free_intervals``).
        about: object and model, for readers who do not see the figures.
    """
    if len(rows) < FEWEST:
        return []
    pairs = [pair for pair in PAIRS if all(name in intervals for name in pair)][:_MOST]
    drawn = []
    for first, second in pairs:
        table = landscape(rows, first, second, intervals)
        names = [name.replace("_", " ") for name in (first, second)]
        caption = f"n = {len(rows):,}, about {table['n'].median():.0f} a cell"
        drawn.append(
            Drawn(
                f"{names[0]} (across), {names[1]} (up)",
                _panel(table, (first, second), f"recognition over {' and '.join(names)}, {about}"),
                caption,
            )
        )
    return drawn


def _panel(table: pd.DataFrame, pair: tuple[str, str], title: str) -> str:
    """A map of ``landscape``, with its numbers for the page's script to show where the pointer is."""
    columns = [PARAMETERS[INDEX[name]].column for name in pair]
    shape = [int(table[f"{which}_bin"].max()) + 1 for which in ("first", "second")]
    edges = [
        np.append(np.unique(table[f"{column}_low"].to_numpy()), table[f"{column}_high"].max()) for column in columns
    ]
    rate = table["rate"].to_numpy().reshape(shape)
    numbers = {
        "x": [float(f"{edge:.4g}") for edge in edges[0]],
        "y": [float(f"{edge:.4g}") for edge in edges[1]],
        "n": table["n"].tolist(),
        **{k: [None if math.isnan(v) else round(100 * v) for v in table[k]] for k in ("rate", "low", "high")},
        "names": list(pair),
        "unit": ["°" if words.unit(name) == "degrees" else "" for name in pair],
        "box": [LEFT, _TOP, RIGHT, _BOTTOM],
    }
    parts = [
        f'<svg class="panel heat" viewBox="0 0 340 188" role="img" aria-label="{escape(title)}" '
        f'data-heat="{escape(json.dumps(numbers, separators=(",", ":")))}">'
        f'<rect class="void" x="{LEFT}" y="{_TOP}" width="{RIGHT - LEFT}" height="{_BOTTOM - _TOP}"/>'
        f'<image x="{LEFT}" y="{_TOP}" width="{RIGHT - LEFT}" height="{_BOTTOM - _TOP}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{rates_url(rate.T[::-1])}"/>'
    ]
    # cells are as wide as they are likely, so that an axis is even in the cells and its numbers are not
    for tick in _ticks(edges[0], pair[0]):
        at = LEFT + _place(edges[0], tick) * (RIGHT - LEFT)
        parts.append(
            f'<path class="tick" d="M{at:.1f} {_BOTTOM}v3"/>{text(at, _BOTTOM + 13, label(tick, words.unit(pair[0])))}'
        )
    for tick in _ticks(edges[1], pair[1]):
        at = _BOTTOM - _place(edges[1], tick) * (_BOTTOM - _TOP)
        parts.append(text(LEFT - 4, at + 3, label(tick, words.unit(pair[1])), "end"))
    return "".join(parts) + "</svg>"


def _place(edges: np.ndarray, value: float) -> float:
    """Where ``value`` stands among cells drawn equally wide, 0 to 1."""
    return float(np.interp(value, edges, np.linspace(0, 1, len(edges))))


def _ticks(edges: np.ndarray, name: str) -> list[float]:
    return axis_ticks(float(edges[0]), float(edges[-1]), words.unit(name))


def rotation_maps(rows: pd.DataFrame, about: str) -> list[Drawn]:
    """Recognition over SO(3): a map over viewing direction for each part of the in-plane roll; none with few poses.

    Args:
        rows, about: as of ``landscapes``.
    """
    if len(rows) < FEWEST_FOR_ROTATIONS:
        return []
    table = rotation_rates(rows)
    if (table["n"] > 0).mean() < 0.5:  # upright from all round, say: most rotations never happen
        return []
    turns = round(360 / (table["roll_high_deg"].iloc[0] - table["roll_low_deg"].iloc[0]))
    if turns > _MAPS:
        table = rotation_rates(rows, turns=_MAPS)
    drawn = []
    for low, cells in table.groupby("roll_low_deg", sort=True):
        high = cells["roll_high_deg"].iloc[0]
        name = f"roll {low:.0f} to {high:.0f}°"
        drawn.append(Drawn(name, direction_map(cells, f"{name}, {about}", named=False), ""))
    median = table["n"].median()
    return [Drawn(d.name, d.svg, f"n = {len(rows):,}, about {median:.0f} a cell") for d in drawn]
