"""The HTML report: one file that opens offline, made from run folders and from nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from posetest.analysis.familiar import DEFAULT
from posetest.engine.run import RunFolder, write_aside
from posetest.errors import ConfigError
from posetest.report import answers, figures, method, words
from posetest.report.between import between_runs, labels_between
from posetest.report.environment import environment
from posetest.report.gathered import gather
from posetest.report.pictures import embed
from posetest.report.search_html import render_search
from posetest.report.sections import part_of, part_of_probe
from posetest.report.tune_html import render_tuning

#: Bytes that a report may have; pictures take what the rest leaves.
_BUDGET = 9_500_000
_LEAST_FOR_PICTURES = 1_500_000
#: What a page of very many objects goes without, in this order, until the rest leaves room for pictures.
_DETAILS = {
    "rotations": "maps over all rotations",
    "labels": "where wrong labels are seen",
    "more": "parameters beside distance, yaw, pitch and roll",
    "landscapes": "pairs of parameters",
    "parameters": "single parameters",
    "globe": "globes that turn",
}
_ALONE = {"search": render_search, "tune": render_tuning}


def write_page(
    runs: RunFolder | Sequence[RunFolder], path: Path, *, measures: Sequence[str] = (), familiar: str | Path = DEFAULT
) -> Path:
    """Write one report of ``runs`` to the file ``path`` and return it.

    Args:
        runs: a search or tuning curves alone, or any number of audits and of probes of them.
        path: of the file.
        measures, familiar: of audits, as ``summarise`` has them.

    Raises:
        RunError: a run has no records yet, or they do not fit run.toml; the runs do not go together (``gather``).
        ConfigError: as ``summarise``; ``measures`` where none of the runs is an audit.
    """
    listed = [runs] if isinstance(runs, RunFolder) else list(runs)
    alone = _ALONE.get(listed[0].info.kind) if len(listed) == 1 else None
    if measures and not any(run.info.kind == "audit" for run in listed):
        raise ConfigError(
            f"measure {measures[0]}: rates are of audits, and here is none; leave it out, or name the audit's folder"
        )
    text = alone(listed[0]) if alone else render(listed, measures, familiar)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path


def render(runs: Sequence[RunFolder], measures: Sequence[str] = (), familiar: str | Path = DEFAULT) -> str:
    """The report of audits and probes as HTML text, under 10 MB unless there are hundreds of objects.

    Raises what ``write_page`` does.
    """
    audited = gather(runs)
    audits = [one for one in audited if one.run is not None]
    parts = [
        part_of_probe(one, number)
        if one.run is None
        else part_of(one, number, is_only=len(audited) == 1, measures=measures, familiar=familiar)
        for number, one in enumerate(audited)
    ]
    context = {
        "parts": parts,
        "title": parts[0].title
        if len(parts) == 1
        else f"{len(parts)} runs: {words.listed([part.name for part in parts])}",
        "between": between_runs(audits),
        "shared_labels": [answers.overlapping(row) for row in labels_between(audits)],
        "versions": runs[0].info.versions,
        "definitions": figures.definitions(),
        "color_bar": figures.color_bar(),
        "interval_bar": figures.interval_bar,
        "words": words,
        "method": method,
        "fewest": figures.FEWEST,
    }
    template = environment().get_template("report.html.j2")
    left, left_out = 0, dict[str, str]()
    for name in (None, *_DETAILS):
        if name is not None:
            left_out[name] = _DETAILS[name]
        text: str = template.render(context, kept_pictures=[{} for _ in parts], left_out=left_out)
        if (left := _BUDGET - len(text.encode())) >= _LEAST_FOR_PICTURES:
            break
    left = max(left, _LEAST_FOR_PICTURES)
    kept = [embed(one.run, one.run.images(), left // len(parts)) if one.run else {} for one in audited]
    text = template.render(context, kept_pictures=kept, left_out=left_out)
    return text
