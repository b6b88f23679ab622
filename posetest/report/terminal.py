"""Tables on the terminal: rates of an audit, what a search found, which scenes there are."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

from posetest.report.words import count, decimal, number, search_headline, with_bounds, worth

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import RenderableType

    from posetest.engine.run import RunFolder


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


def scenes_table(frame: pd.DataFrame) -> RenderableType:
    """The scenes of ``api.scene_table`` for a terminal of 80 columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("scene", overflow="fold")
    table.add_column("recognised as", overflow="fold")
    table.add_column("what it shows", overflow="fold", ratio=1)
    for row in frame.to_dict(orient="records"):
        cells = (row["scene"], row["labels"], row["about"] or row["measure"])
        table.add_row(*(Text(_printable(str(cell))) for cell in cells))
    return table


def search_table(run: RunFolder) -> RenderableType:
    """What a search found, for a terminal of 80 columns: kept poses, how they were read, whether they survive."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from posetest.analysis.searches import first_hit, improvements

    search = run.info.search
    assert search is not None
    images = run.images()
    found = images[images["kind"] != "start"].to_dict(orient="records")
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for name, justify in (("score", "right"), ("read as", "left"), ("survives", "left"), ("pose", "left")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    is_reachable = bool(run.table(["margin"])["margin"].notna().any())
    missed = "not reached" if is_reachable else "–"
    for row in found:
        is_hit = row["kind"] == "hit"
        survives = {True: "yes", False: "no"}.get(row["survives"], "–") if is_hit else missed
        label = f"{row['top1_label']} {decimal(row['top1_p'])}" if row["top1_label"] else "–"
        pose = row["pose"].replace(",", ", ")  # breaks between numbers, and can still be pasted
        cells = (worth(row["score"], is_hit, search).removeprefix("score "), label, survives, pose)
        table.add_row(*(Text(_printable(str(cell))) for cell in cells))
    spent = f"{count(search.forward)} forward, {count(search.backward)} backward, {count(search.renders)} pictures"
    line = search_headline(
        search,
        improvements(run),
        first_hit(run),
        search.forward + 2 * search.backward,
        is_reachable,
        [row["survives"] for row in found],
    )
    notes = [Text(_printable(f"\n{line}")), Text(_printable(f"Spent: {spent}. Ended: {search.ended}."))]
    notes.append(Text("Found by a search: this says nothing of how frequent such poses are."))
    return Group(table, *notes)


def units_table(run: RunFolder, most: int = 8) -> RenderableType:
    """The most view-tuned and the most view-invariant units of tuning curves, for a terminal of 80 columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from posetest.analysis.tuning import ranked, read_responses, tuning_table
    from posetest.report.tune_html import unit_names

    found = read_responses(run)
    table, names = tuning_table(found), unit_names(run, found)
    parts: list[RenderableType] = []
    for title, chosen in zip(("most view-tuned", "most view-invariant"), ranked(table), strict=True):
        shown = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        for name in ("unit", *found.names, *(f"half-width\n{n}" for n in found.names), "rise", "invariance"):
            shown.add_column(name, justify="left" if name == "unit" else "right")
        for position, row in zip(chosen.index.tolist(), chosen.head(most).to_dict(orient="records"), strict=False):
            widths = [number(row[f"half_width_{n}"]) for n in found.names]
            cells = [names[position], *(number(row[n]) for n in found.names), *widths]
            cells += [number(row["rise"]), decimal(row["invariance"])]
            shown.add_row(*(Text(_printable(str(cell))) for cell in cells))
        parts += [
            Text(f"{title} of {int(table['is_driven'].sum())} driven units ({len(table)} in all)"),
            shown,
            Text(""),
        ]
    return Group(*parts)


def _rate_over_interval(rate: float, low: float, high: float) -> str:
    """A percentage with its interval on the line below."""
    return with_bounds(rate, low, high).replace(" [", "\n[")


def _printable(text: str) -> str:
    return "".join(c for c in text if c == "\n" or not unicodedata.category(c).startswith("C"))
