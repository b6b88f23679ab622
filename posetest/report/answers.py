"""What a report says of a model's answers beside its rates: confidence, wrong labels by light, other measures.

``parts/answers.html.j2`` shows it, with ``s.answers`` of a section.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from posetest.analysis.summary import Summary
from posetest.report import words
from posetest.report.plain import matching

#: Pairs of lightings that a page or a document shows of an object; the JSON has all.
MOST_OVERLAPS = 30

Row = dict[str, Any]


@dataclass(frozen=True)
class Answers:
    """Rows about one object, of all models.

    Attributes:
        calibration: of ``calibration``: all, familiar and unfamiliar poses.
        distinct: of ``distinct_labels``.
        overlap: of ``lighting_overlap``, the first MOST_OVERLAPS; none where the object was audited in one light.
        overlaps: how many there are.
        octants: of ``labels_by_octant``, the first label of each eighth of the view sphere.
        reweighted: of ``measured``, about "recognised" and "confident", by model and measure.
    """

    calibration: list[Row]
    distinct: list[Row]
    overlap: list[Row]
    overlaps: int
    octants: list[Row]
    reweighted: list[Row]


def answers_of(summary: Summary, scene: str) -> Answers:
    """The rows of ``summary`` about the scene of this name; overlap with other scenes stands at the first of them."""
    seen: set[tuple[str, str]] = set()
    octants = []
    for row in matching(summary.confusion, scene=scene):  # the most frequent label of each comes first
        if (key := (row["model"], row["region"])) not in seen:
            seen.add(key)
            octants.append(row)
    overlap = matching(summary.overlap, object=scene)
    return Answers(
        calibration=matching(summary.calibration, scene=scene),
        distinct=matching(summary.distinct, scene=scene),
        overlap=overlap[:MOST_OVERLAPS],
        overlaps=len(overlap),
        octants=octants,
        reweighted=[
            row for row in matching(summary.reweighted, scene=scene) if row["outcome"] in ("recognised", "confident")
        ],
    )


def calibrated_by_familiarity(rows: Sequence[Mapping[str, Any]]) -> str:
    """``calibrated`` of all poses, and what differs in familiar ones, from the rows of one object and model."""
    told = {row["poses"]: row for row in rows}
    text = words.calibrated(told["all"])
    if not text or "familiar" not in told:
        return text
    inside, outside = told["familiar"], told["unfamiliar"]
    if inside["note"] or outside["note"]:
        return f"{text} {'; '.join(row['note'] for row in (inside, outside) if row['note'])}. {_familiar(inside)}"
    parts = [
        f"{row['ece']:.3f} [{row['ece_low']:.3f}, {row['ece_high']:.3f}] in {kind} poses (n = {words.count(row['n'])}, "
        f"{words.signed(row['gap'], row['gap_low'], row['gap_high'])})"
        for kind, row in (("familiar", inside), ("unfamiliar", outside))
    ]
    return f"{text} The error is {parts[0]} and {parts[1]}. {_familiar(inside)}"


def _familiar(row: Mapping[str, Any]) -> str:
    return f"Familiar: {row['familiar']}."


def reweighted(row: Mapping[str, Any]) -> str:
    """A rate under another measure in a sentence, from a row of ``measured`` about "recognised"."""
    rate = words.with_bounds(row["rate"], row["low"], row["high"])
    kept = f"; {row['as_audited']} as audited" if row["as_audited"] else ""
    size = f"effective n = {words.count(row['ess'])} of {words.count(row['n'])}"
    text = f"Under the measure of {row['name']}, {row['model']} recognises {row['scene']} in {rate} ({size}{kept})."
    return f"{text} Not to be relied on: {row['warning']}." if row["warning"] else text


def varied(row: Mapping[str, Any]) -> str:
    """How many different wrong labels there are, in a sentence, from a row of ``distinct_labels``."""
    if not row["misread"]:
        return ""
    labels, poses = words.plural(int(row["labels"]), "wrong label"), words.plural(int(row["misread"]), "misread pose")
    text = f"{row['model']} gives {labels} to {poses} of {row['scene']}"
    if math.isnan(row["labels_at"]):
        return f"{text}."
    spread = f"[{row['labels_at_low']:.1f}, {row['labels_at_high']:.1f}]"
    return f"{text}; {words.count(row['at'])} misread poses would show {row['labels_at']:.1f} {spread}."


def overlapping(row: Mapping[str, Any]) -> str:
    """How far two lightings share their wrong labels, in a sentence, from a row of ``lighting_overlap``."""
    where = f"{row['object']}: " if row["compared"] == "light" else ""
    labels, poses = (
        " and ".join(words.count(row[key]) for key in keys)
        for keys in (("labels_first", "labels_second"), ("first_misread", "second_misread"))
    )
    text = (
        f"{where}{row['first']} and {row['second']} share {words.count(row['shared'])} of {row['model']}'s wrong "
        f"labels ({labels}, from {poses} misread poses)"
    )
    if math.isnan(row["jaccard_at"]):
        return f"{text}; {row['note'] or 'too few misread poses'}: not compared at equal numbers."
    common = words.with_bounds(row["jaccard_at"], row["jaccard_low"], row["jaccard_high"])
    return (
        f"{text}; of {words.count(row['at'])} misread poses each, {common} of all labels would be common, against "
        f"{words.percent(row['jaccard_alike'])} if both drew them alike."
    )
