"""What a report says of a model's answers beside its rates: confidence, wrong labels by light, other measures.

``parts/answers.html.j2`` shows it, with ``s.answers`` of a section.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from posetest.analysis.summary import Summary
from posetest.report.plain import records

Row = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """Rows about one object, of all models.

    Attributes:
        calibration: of ``calibration``: all, familiar and unfamiliar poses.
        distinct: of ``distinct_labels``.
        overlap: of ``lighting_overlap``; none where the object was audited in one light.
        octants: of ``labels_by_octant``, the first label of each eighth of the view sphere.
        reweighted: of ``measured``, about "recognised" and "confident", by model and measure.
    """

    calibration: list[Row]
    distinct: list[Row]
    overlap: list[Row]
    octants: list[Row]
    reweighted: list[Row]


def answers_of(summary: Summary, scene: str) -> Answers:
    """The rows of ``summary`` about the scene of this name; overlap with other scenes stands at the first of them."""
    octants = _of(summary.confusion, "scene", scene)
    if len(octants):
        octants = octants.groupby(["model", "region"], sort=False).head(1)
    measured = _of(summary.reweighted, "scene", scene)
    if len(measured):
        measured = measured[measured["outcome"].isin(["recognised", "confident"])]
    return Answers(
        calibration=records(_of(summary.calibration, "scene", scene)),
        distinct=records(_of(summary.distinct, "scene", scene)),
        overlap=records(_of(summary.overlap, "object", scene)),
        octants=records(octants),
        reweighted=records(measured),
    )


def _of(table: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    return table[table[column] == value] if len(table) else table
