"""The table at the end of an audit."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from posetest.report.words import count, with_bounds

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType


def rates_table(frame: pd.DataFrame) -> RenderableType:
    """The rates of ``analysis.rates.rates`` for a terminal of 80 columns: a row for each object and model.

    Intervals stand under their rates; the sampling measures follow below, each with the objects it belongs to.
    """
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    has_failed = bool((frame["n_failed_status"] > 0).any())
    table.add_column("object\nmodel", overflow="fold")
    for name in ("n", *(("failed",) if has_failed else ()), "recognised", "visible", "confidently\nmisread"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("mostly\nmisread as", overflow="fold")
    visible = {(r["scene"], r["model"]): r for r in frame[frame["stratum"] == "visible"].to_dict(orient="records")}
    for row in frame[frame["stratum"] == "all"].to_dict(orient="records"):
        seen = visible[row["scene"], row["model"]]
        cells = [
            f"{row['scene']}\n{row['model']}",
            count(row["n"]),
            *((count(row["n_failed_status"]),) if has_failed else ()),
            _rate_over_interval(row["rate"], row["low"], row["high"]),
            f"{_rate_over_interval(seen['rate'], seen['low'], seen['high'])}\nn = {count(seen['n'])}",
            _rate_over_interval(row["confident_rate"], row["confident_low"], row["confident_high"]),
            row["wrong_label"],
        ]
        # Text, not markup: a scene may be named "[red]"; control characters would reach the terminal
        table.add_row(*(Text(_printable(str(cell))) for cell in cells))
    scenes_of: dict[str, list[str]] = {}
    for scene, measure in zip(frame["scene"], frame["measure"], strict=True):
        scenes_of.setdefault(measure, [])
        if scene not in scenes_of[measure]:
            scenes_of[measure].append(scene)
    notes = [Text("\nShares of poses with 95 % intervals (Wilson). Poses drawn from:")]
    notes += [Text(_printable(f"{', '.join(names)}: {measure}")) for measure, names in scenes_of.items()]
    return Group(table, *notes)


def _rate_over_interval(rate: float, low: float, high: float) -> str:
    """A percentage with its interval on the line below."""
    return with_bounds(rate, low, high).replace(" [", "\n[")


def _printable(text: str) -> str:
    return "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C"))
