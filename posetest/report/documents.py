"""Reports for machines and for model cards: JSON with a documented schema (docs/report-json.md), and Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

from posetest.analysis.summary import Summary, summarise
from posetest.engine.run import RunFolder, write_aside
from posetest.report import words
from posetest.report.plain import plain

#: Raised when a key changes its meaning or goes; new keys may come without.
SCHEMA_VERSION = 1


def write_document(run: RunFolder, path: Path, kind: str) -> Path:
    """The audit ``run`` as "json" or "md" in the file ``path``, which is returned.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, or the run is no audit.
    """
    summary = summarise(run)
    text = to_json(run, summary) if kind == "json" else to_markdown(run, summary)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path


def to_json(run: RunFolder, summary: Summary) -> str:
    """The summary as JSON; numbers that there are not are null."""
    info = run.info
    document = {
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
        "rates": plain(_records(summary.rates)),
        "wrong_labels": plain(_records(summary.wrong)),
        "regions": plain(_records(summary.regions)),
        "calibration": plain(_records(summary.calibration)),
        "strata": plain(_records(summary.strata)),
        "over_objects": plain(_records(summary.pooled)),
        "comparison": plain(_records(summary.comparison)),
        "transfer": plain(_records(summary.transfer)),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_markdown(run: RunFolder, summary: Summary) -> str:
    """The summary as a section for a model card."""
    every = [row for row in _records(summary.rates) if row["stratum"] == "all"]
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
    if len(summary.regions):
        lines += ["", "### Where it fails", ""]
        for row in _records(summary.regions):
            lines.append(
                f"* {words.markdown(row['scene'])}, {words.markdown(row['model'])}: {words.markdown(words.region(row))}"
            )
        lines += ["", "Regions were found on one half of the poses and measured on the other."]
    if len(summary.comparison):
        lines += ["", "### Models on the same poses", ""]
        for row in _records(summary.comparison):
            lines.append(f"* {words.markdown(row['scene'])}: {words.markdown(words.compared(row))}")
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


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]
