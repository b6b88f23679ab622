"""The first pages: what the run came to, its rates, means over objects, transfer; the last: method and limits."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from posetest.analysis.summary import Summary
from posetest.engine.run import RunFolder
from posetest.report import method, words
from posetest.report.drawing.overview import rates_figure
from posetest.report.paper.panels import whole_panel
from posetest.report.paper.sheet import Sheet
from posetest.report.plain import records

#: Pairs of object and model whose verdicts stand on the first page; of more, each stands with its object.
MOST_VERDICTS = 6

_THUMB = 22.0  # millimetres

Row = dict[str, Any]
Rates = Mapping[tuple[str, str], Row]


def first_pages(
    sheet: Sheet, run: RunFolder, summary: Summary, title: str, canonical: Mapping[str, bytes | None]
) -> None:
    """Title, verdict, notices, the table of rates, and over several objects and models their means and transfer.

    ``canonical`` holds the picture of each object, where there is one.
    """
    info = run.info
    everything, seen = rates_of(summary, "all"), rates_of(summary, "visible")
    sheet.paragraph("posetest · pose audit", soft=True)
    sheet.heading(title, 0)
    told = words.overall(list(everything.values()), records(summary.pooled))
    # one model: what holds over objects names the extremes too
    sheet.paragraph(told[0] if len(told) == 1 else words.headline(list(everything.values())), size=10.5)
    for sentence in told if len(told) > 1 else []:
        sheet.paragraph(sentence)
    models = f"{len(info.models)} models on the same pictures · " if len(info.models) > 1 else ""
    sheet.paragraph(
        f"{words.plural(info.poses, 'pose')} of each object · {models}seed {info.seed} · {info.created[:10]}",
        soft=True,
    )
    notices(sheet, run, summary)
    if len(everything) <= MOST_VERDICTS:
        sheet.heading("Verdict", 2)
        for scene in info.scenes:
            with sheet.beside(canonical.get(scene.name), _THUMB, scene.name):
                for model in info.models:
                    key = (scene.name, model.name)
                    sheet.paragraph(words.verdict(everything[key], seen[key]), bold=model.name)
    sheet.heading("Rates", 1)
    sheet.grid(
        ["object", "model", "n", "recognised", "in top 5", "confidently\nmisread", "n visible", "recognised", "conf."],
        [_rates_row(row, seen[key]) for key, row in everything.items()],
        (28, 30, 17, 19, 19, 19, 14, 19, 12),
        right=range(2, 9),
        size=6.6,
    )
    sheet.caption(
        f"{method.about_rates()} The last two columns: of visible poses; mean confidence of the first label, "
        f"right or wrong, of all. {method.measures(info)}"
    )
    _over_objects(sheet, run, summary)


def notices(sheet: Sheet, run: RunFolder, summary: Summary) -> None:
    """What is missing from the run."""
    info, frame = run.info, summary.frame
    expected = info.poses * len(info.scenes) * len(info.models)
    if info.status != "complete" or len(frame) < expected:
        sheet.notice(
            "This run is not complete.",
            f"It has {words.count(len(frame))} of {words.count(expected)} rows (status “{info.status}”). Every number "
            "below is about those rows only; continue with --resume.",
        )
    failed = frame.loc[~frame["ok"], "status"].value_counts().loc[lambda counts: counts > 0]
    if len(failed):
        listed = ", ".join(f"{words.count(number)} rows “{status}”" for status, number in failed.items())
        sheet.notice("Some poses could not be evaluated", f"and are in no rate: {listed}.")


def last_pages(sheet: Sheet, run: RunFolder, present: int) -> None:
    """Method and limits, digests, versions, command."""
    sheet.add_page()
    sheet.heading("Method and limits", 1)
    sheet.pairs(method.entries(run.info, present))
    sheet.heading("Command", 2)
    sheet.code(run.info.command)
    sheet.heading("Digests", 2)
    for what, digest in method.digests(run.info):
        sheet.need(9)
        sheet.label(what, sheet.epw, size=6.6)
        sheet.code(digest, size=6.6)
        sheet.ln(0.6)


def rates_of(summary: Summary, stratum: str) -> dict[tuple[str, str], Row]:
    """The rates of all pairs of scene and model, or of their visible poses."""
    return {(row["scene"], row["model"]): row for row in records(summary.rates) if row["stratum"] == stratum}


def _rates_row(row: Row, seen: Row) -> list[str]:
    n = words.count(row["n"])
    if row["n_failed_status"]:
        n += f"\n+ {words.count(row['n_failed_status'])} failed"
    return [
        row["scene"],
        row["model"],
        n,
        _stacked(row),
        _stacked(row, "top5_"),
        _stacked(row, "confident_"),
        words.count(seen["n"]),
        _stacked(seen),
        words.decimal(row["mean_confidence"]),
    ]


def _stacked(row: Row, prefix: str = "") -> str:
    """A rate over its interval."""
    low, high = row[f"{prefix}low"], row[f"{prefix}high"]
    return f"{words.percent(row[f'{prefix}rate'])}\n{words.bounds(low, high)}"


def _over_objects(sheet: Sheet, run: RunFolder, summary: Summary) -> None:
    everything = summary.rates[summary.rates["stratum"] == "all"]
    scenes, models = len(run.info.scenes), len(run.info.models)
    if scenes * models > 1 and everything["n"].sum():
        size = 6.4, min(1.0 + 0.16 * scenes + 0.06 * scenes * models, 6.5)
        panel = whole_panel(
            partial(rates_figure, rates=everything), size, "recognition rates of all objects and models"
        )
        sheet.figure(panel.svg, panel.size_in, panel.words)
        sheet.caption("Share of poses recognised with 95 % Wilson intervals, as in the table.")
    if len(summary.pooled):
        sheet.heading("Over objects", 1)
        sheet.grid(
            ["model", "outcome", "mean over objects", "objects", "least", "most"],
            [
                [
                    r["model"],
                    words.OUTCOMES[r["outcome"]],
                    words.with_bounds(r["mean"], r["low"], r["high"]),
                    words.count(r["objects"]),
                    f"{r['least_object']} {words.percent(r['least'])}",
                    f"{r['most_object']} {words.percent(r['most'])}",
                ]
                for r in records(summary.pooled)
                if r["outcome"] != "misread"  # what is not recognised
            ],
            (32, 30, 36, 14, 31, 31),
            right=(3,),
        )
        warnings = " ".join(f"{w.capitalize()}." for w in dict.fromkeys(summary.pooled["warning"]) if w)
        sheet.caption(f"{method.ABOUT_OBJECTS} {warnings} {method.measures(run.info)}")
    if len(summary.transfer):
        sheet.heading("Do the models fail at the same poses?", 1)
        pooled = records(summary.transfer[summary.transfer["is_pooled"]])
        sheet.grid(
            ["misread by", "n", "also misread by", "share", "as the same label", "misread of all poses"],
            [
                [
                    r["from_model"],
                    words.count(r["n"]),
                    r["to_model"],
                    words.with_bounds(r["misread_rate"], r["misread_low"], r["misread_high"]),
                    words.with_bounds(r["same_label_rate"], r["same_label_low"], r["same_label_high"]),
                    words.with_bounds(r["to_rate"], r["to_low"], r["to_high"]),
                ]
                for r in pooled
            ],
            (32, 14, 32, 32, 32, 32),
            right=(1, 3, 4, 5),
        )
        sheet.caption(f"{method.ABOUT_TRANSFER} {method.measures(run.info)}")
