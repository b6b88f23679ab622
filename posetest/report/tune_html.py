"""The HTML report of tuning curves: the most view-tuned and the most view-invariant units of a layer."""

from __future__ import annotations

import pandas as pd

from posetest.analysis.tuning import DRIVEN_SHARE, Responses, ranked, read_responses, tuning_table
from posetest.engine.run import RunFolder
from posetest.report import curves, words
from posetest.report.environment import environment
from posetest.report.pictures import embed
from posetest.space import INDEX, PARAMETERS

_PICTURES = 6_000_000  # characters that pictures may take
_SHOWN = 12  # units of each kind
_LISTED = 200  # rows of the table


def render_tuning(run: RunFolder) -> str:
    """The report of the tuning curves in ``run`` as HTML text.

    Raises:
        RunError: they are not complete.
    """
    what = run.info.tune
    assert what is not None
    found, kept = read_responses(run), run.images()
    table = tuning_table(found)
    tuned, invariant = ranked(table)
    names = unit_names(run, found)
    text: str = (
        environment()
        .get_template("tune.html.j2")
        .render(
            info=run.info,
            tune=what,
            scene=run.info.scenes[0],
            model=run.info.models[0],
            driven=int(table["is_driven"].sum()),
            units=len(table),
            driven_share=DRIVEN_SHARE,
            groups=[
                ("Most view-tuned", _panels(found, tuned.head(_SHOWN), names)),
                ("Most view-invariant", _panels(found, invariant.head(_SHOWN), names)),
            ],
            scatter=curves.unit_scatter(table, found.names[0], _unit(found.names[0])),
            rows=_rows(tuned.head(_LISTED), names),
            views=_views(kept),
            pictures=embed(run, kept, _PICTURES),
            names=found.names,
            words=words,
        )
    )
    return text


def _panels(found: Responses, table: pd.DataFrame, names: list[str]) -> list[tuple[dict[str, object], str]]:
    panels = []
    for position, row in zip(table.index, _rows(table, names), strict=True):
        curve = found.grid[..., position]
        title = f"response of unit {row['name']}"
        if curve.ndim == 1:
            svg = curves.tuning_curve(
                found.values[0], curve, float(found.blank[position]), _unit(found.names[0]), title
            )
        else:
            svg = curves.tuning_map(
                found.values, curve, float(found.blank[position]), [_unit(n) for n in found.names], title
            )
        panels.append((row, svg))
    return panels


def unit_names(run: RunFolder, found: Responses) -> list[str]:
    """Names of the channels: of classes where they are such, else their numbers."""
    assert run.info.tune is not None
    known = run.info.tune.unit_names
    return [known[number] if known else str(number) for number in found.channels]


def _unit(name: str) -> str:
    """What a parameter is measured in, as the axes of figures know it."""
    return "degrees" if PARAMETERS[INDEX[name]].column.endswith("_deg") else ""


def _rows(table: pd.DataFrame, names: list[str]) -> list[dict[str, object]]:
    rows = [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]
    return [row | {"name": names[int(position)]} for position, row in zip(table.index, rows, strict=True)]


def _views(kept: pd.DataFrame) -> list[dict[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in kept.to_dict(orient="records")]
