"""What stands beside an audit's figures on paper: its answers, its probes, and what lies between two runs."""

from __future__ import annotations

from collections.abc import Sequence

from posetest.engine.run import RunFolder
from posetest.report import answers, words
from posetest.report.answers import Answers
from posetest.report.between import between_runs, labels_between
from posetest.report.gathered import Audited
from posetest.report.paper.sheet import Sheet
from posetest.report.probe_blocks import probe_block
from posetest.run_info import SceneInfo

_WIDTH = 174.0  # of the text, millimetres


def probe_pages(sheet: Sheet, probes: Sequence[RunFolder], scene: SceneInfo) -> None:
    """What ``probes`` say of ``scene``: sentences and tables; their figures are among those of ``--figures``.

    Raises:
        RunError: a probe is not complete.
    """
    for probe in probes:
        block = probe_block(probe, scene)
        if block is None:
            continue
        sheet.heading(block.title, 2)
        for column in block.columns:
            sheet.paragraph(" ".join(column.told), bold=column.model)
            for table in column.tables:
                others = len(table.columns) - 1
                widths = (_WIDTH * 0.3, *([_WIDTH * 0.7 / others] * others))
                sheet.grid(table.columns, table.rows, widths, right=range(1, others + 1))
        sheet.caption(block.caption)


def answer_pages(sheet: Sheet, found: Answers) -> None:
    """Rates under other measures, and wrong labels by light, in sentences."""
    measured = [row for row in found.reweighted if row["outcome"] == "recognised"]
    if measured:
        sheet.heading("Under other measures", 2)
        for row in measured:
            sheet.paragraph(answers.reweighted(row))
        sheet.caption(" ".join(f"{text}." for text in dict.fromkeys(row["measure"] for row in measured)))
    if found.overlap:
        sheet.heading("Wrong labels in different light", 2)
        for row in found.overlap:
            sheet.paragraph(answers.overlapping(row))
        if found.overlaps > len(found.overlap):
            sheet.caption(f"{len(found.overlap)} of {words.count(found.overlaps)} pairs; the report in JSON has all.")


def between_pages(sheet: Sheet, audited: Sequence[Audited]) -> None:
    """Two runs of the same poses, or why they are not compared."""
    found = between_runs(audited)
    if not found:
        return
    sheet.add_page()
    sheet.heading("Between runs", 1)
    for pair in found:
        sheet.heading(f"{pair.before} and {pair.after}", 2)
        if pair.reason:
            sheet.paragraph(f"Not compared pose by pose: {pair.reason}")
        for row in pair.rows:
            sheet.paragraph(words.changed(row))
    if shared := labels_between(audited):
        sheet.heading("Wrong labels in different runs", 2)
        for row in shared:
            sheet.paragraph(answers.overlapping(row))
