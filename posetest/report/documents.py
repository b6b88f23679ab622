"""Reports for machines and for model cards: JSON with a documented schema (docs/report-json.md), and Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from posetest.analysis.familiar import DEFAULT
from posetest.analysis.probe_tables import probe_tables
from posetest.analysis.summary import Summary, summarise
from posetest.engine.run import RunFolder, write_aside
from posetest.errors import RunError
from posetest.report import answers, words
from posetest.report.between import between_runs, labels_between
from posetest.report.gathered import Audited, gather
from posetest.report.plain import plain, records
from posetest.report.probe_blocks import probe_block

#: Raised when a key changes its meaning or goes; new keys may come without.
SCHEMA_VERSION = 1


def write_document(
    runs: RunFolder | Sequence[RunFolder],
    path: Path,
    kind: str,
    *,
    measures: Sequence[str] = (),
    familiar: str | Path = DEFAULT,
) -> Path:
    """Audits, and probes of them, as "json" or "md" in the file ``path``, which is returned.

    ``measures`` and ``familiar`` as ``summarise`` has them, for each audit.

    Raises:
        RunError: a run has no records yet, or they do not fit run.toml; the runs do not go together (``gather``), or
            none of them is an audit.
        ConfigError: as ``summarise``.
    """
    audited = gather([runs] if isinstance(runs, RunFolder) else runs)
    if loose := [one for one in audited if one.run is None]:
        raise RunError(f"{loose[0].probes[0].path}: a probe of an audit that is not here; give the audit's folder too")
    audits = [one.run for one in audited if one.run is not None]
    summaries = [summarise(run, measures, familiar) for run in audits]
    text = (_json if kind == "json" else _markdown)(audited, audits, summaries)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path


def _json(audited: Sequence[Audited], audits: Sequence[RunFolder], summaries: Sequence[Summary]) -> str:
    """The document of a single audit, or one that holds several."""
    documents = [
        to_json(run, summary) | {"probes": [_probe(probe) for probe in one.probes]}
        for one, run, summary in zip(audited, audits, summaries, strict=True)
    ]
    if len(documents) == 1:
        return _encoded(documents[0])
    between = [
        {"before": b.before, "after": b.after, "not_compared": b.reason, "rates": b.rows, "poses": b.changed}
        for b in between_runs(audited)
    ]
    reports = [{"name": one.name} | document for one, document in zip(audited, documents, strict=True)]
    several = {"format": "posetest reports", "version": SCHEMA_VERSION, "reports": reports, "between_runs": between}
    several["label_overlap"] = labels_between(audited)
    return _encoded(several)


def _markdown(audited: Sequence[Audited], audits: Sequence[RunFolder], summaries: Sequence[Summary]) -> str:
    """A section for each audit, and one of what lies between them."""
    sections = [
        to_markdown(run, summary) + _probed(run, one.probes)
        for one, run, summary in zip(audited, audits, summaries, strict=True)
    ]
    if len(sections) == 1:
        return sections[0]
    named = [
        text.replace("## Robustness to pose", f"## Robustness to pose: {words.markdown(one.name)}", 1)
        for one, text in zip(audited, sections, strict=True)
    ]
    lines = ["## Between runs", ""]
    for b in between_runs(audited):
        pair = f"{words.markdown(b.before)} and {words.markdown(b.after)}"
        lines += [f"* {pair}: not compared pose by pose: {words.markdown(b.reason)}"] if b.reason else []
        lines += [f"* {pair}: {words.markdown(words.changed(row))}" for row in b.rows]
    lines += [f"* {words.markdown(answers.overlapping(row))}" for row in labels_between(audited)]
    return "\n".join([*named, *lines, ""])


def _probe(probe: RunFolder) -> dict[str, Any]:
    """A probe's settings and tables."""
    assert probe.info.probe is not None
    tables = {name: records(table) for name, table in probe_tables(probe).items()}
    return {"what": probe.info.probe.what, "poses": probe.info.probe.poses, "seed": probe.info.seed, "tables": tables}


def _probed(run: RunFolder, probes: Sequence[RunFolder]) -> str:
    """What probes say, a sentence for each object and model, in Markdown; nothing where there is none."""
    lines: list[str] = []
    for probe in probes:
        for scene in run.info.scenes:
            if (block := probe_block(probe, scene)) is None:
                continue
            lines += [f"### {block.title}: {words.markdown(scene.name)}", ""]
            lines += [
                f"* {words.markdown(c.model)}: {words.markdown(' '.join(c.told))}" for c in block.columns if c.told
            ]
            lines += ["", words.markdown(block.caption), ""]
    return "\n".join(["", *lines]) if lines else ""


def _encoded(document: dict[str, Any]) -> str:
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_json(run: RunFolder, summary: Summary) -> dict[str, Any]:
    """The summary as values of JSON, but for nan, which stands for numbers that there are not."""
    info = run.info
    return {
        "format": "posetest report",
        "version": SCHEMA_VERSION,
        "run": {
            "created": info.created,
            "status": info.status,
            "command": info.command,
            "seed": info.seed,
            "poses": info.poses,
            "sampling": info.sampling,
            "image_size": info.image_size,
            "renderer": info.renderer,
            "versions": info.versions,
        },
        "scenes": [
            {"name": s.name, "labels": list(s.labels), "measure": s.measure, "mesh_digest": s.mesh_digest}
            for s in info.scenes
        ],
        "models": [{"name": m.name, "spec": m.spec, "digest": m.digest, "classes": m.classes} for m in info.models],
        "rates": records(summary.rates),
        "wrong_labels": records(summary.wrong),
        "regions": records(summary.regions),
        "calibration": records(summary.calibration),
        "distinct_labels": records(summary.distinct),
        "label_overlap": records(summary.overlap),
        "labels_by_octant": records(summary.confusion),
        "reweighted": records(summary.reweighted),
        "strata": records(summary.strata),
        "over_objects": records(summary.pooled),
        "comparison": records(summary.comparison),
        "transfer": records(summary.transfer),
    }


def to_markdown(run: RunFolder, summary: Summary) -> str:
    """The summary as a section for a model card."""
    every = [row for row in records(summary.rates) if row["stratum"] == "all"]
    lines = ["## Robustness to pose", "", words.markdown(words.headline(every)), ""]
    if run.info.status != "complete":
        lines += [f"**This run is not complete** (status {run.info.status}): the numbers are about what is there.", ""]
    if failed := sum(int(row["n_failed_status"]) for row in every):
        lines += [f"{words.plural(failed, 'evaluation')} failed and are in no rate.", ""]
    lines += [
        "| object | model | n | recognised | confidently misread | mostly misread as |",
        "|---|---|---|---|---|---|",
    ]
    for row in every:
        cells = [
            words.markdown(row["scene"]),
            words.markdown(row["model"]),
            words.count(row["n"]),
            words.with_bounds(row["rate"], row["low"], row["high"]),
            words.with_bounds(row["confident_rate"], row["confident_low"], row["confident_high"]),
            words.markdown(row["wrong_label"] or "–"),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    if claims := [(row, told) for row in every if (told := words.claims(row))]:
        lines += [""]
        lines += [
            f"* {words.markdown(row['scene'])}, {words.markdown(row['model'])}: {words.markdown(told)}"
            for row, told in claims
        ]
    lines += _other_measures(summary.reweighted)
    if len(summary.regions):
        lines += ["", "### Where it fails", ""]
        for row in records(summary.regions):
            lines.append(
                f"* {words.markdown(row['scene'])}, {words.markdown(row['model'])}: {words.markdown(words.region(row))}"
            )
        lines += ["", "Regions were found on one half of the poses and measured on the other."]
    if len(summary.comparison):
        lines += ["", "### Models on the same poses", ""]
        for row in records(summary.comparison):
            lines.append(f"* {words.markdown(row['scene'])}: {words.markdown(words.compared(row))}")
    lines += _answers(summary)
    lines += ["", "### Method", ""]
    for scene in run.info.scenes:
        lines.append(f"* {words.markdown(scene.name)}: poses drawn from {words.markdown(scene.measure)}.")
    lines += [
        "",
        words.markdown(
            f"Renders of these meshes ({run.info.image_size} x {run.info.image_size} pixels, renderer "
            f"{run.info.renderer}, seed {run.info.seed}), not photographs; rates of these objects under these "
            f"measures, with 95 % Wilson intervals. Made by posetest {run.info.versions.get('posetest', '')}, "
            f"{run.info.created[:10]}."
        ),
        "",
    ]
    return "\n".join(lines)


def _other_measures(table: pd.DataFrame) -> list[str]:
    """Rates under other measures, in Markdown; nothing where none was asked for."""
    if not len(table):
        return []
    lines = ["", "### Under other measures", ""]
    for row in records(table[table["outcome"] == "recognised"]):
        lines.append(f"* {words.markdown(answers.reweighted(row))}")
    lines += ["", "Poses of the run, each weighed by how often it occurs under the other measure:", ""]
    lines += [f"* {words.markdown(measure)}." for measure in dict.fromkeys(table["measure"])]
    return lines


def _answers(summary: Summary) -> list[str]:
    """Calibration and wrong labels, in Markdown."""
    lines = ["", "### Confidence", ""]
    pairs: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in records(summary.calibration):
        pairs.setdefault((row["scene"], row["model"]), []).append(row)
    for (scene, model), rows in pairs.items():
        told = answers.calibrated_by_familiarity(rows) or "no poses."
        lines.append(f"* {words.markdown(scene)}, {words.markdown(model)}: {words.markdown(told)}")
    texts = [answers.varied(row) for row in records(summary.distinct)]
    texts += [answers.overlapping(row) for row in records(summary.overlap)]
    if any(texts):
        lines += ["", "### Wrong labels", "", *(f"* {words.markdown(text)}" for text in texts if text)]
    return lines
