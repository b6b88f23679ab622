"""posetest report, posetest doctor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from posetest.config import ReportFormat


def report(
    run: Annotated[Positional[Path], arg(metavar="RUN")],
    /,
    out: Path | None = None,
    kind: Annotated[ReportFormat | None, arg(name="format")] = None,
    figures: Path | None = None,
) -> int:
    """Make the report of a run folder again, from the folder alone.

    Args:
        run: The run folder.
        out: Where to write; default: report.html (.md, .json, .pdf) in the run folder.
        kind: html; md, a section for a model card; json, all numbers; pdf, for paper (all three of
            audits only; docs/report-json.md). Default: what --out ends in, or html.
        figures: Write figures for publications into this folder instead, as PNG and PDF (audits and probes).
    """
    from posetest import api

    opened = api.open_run(run)
    if figures is not None:
        for plate in opened.figures(figures):
            sys.stdout.write(f"{figures / plate}.png\n")
        return 0
    ending = out.suffix.lower() if out is not None else ""
    endings: dict[str, ReportFormat] = {".md": "md", ".json": "json", ".pdf": "pdf"}
    wanted = kind or endings.get(ending, "html")
    sys.stdout.write(f"{opened.report(out, format=wanted)}\n")
    return 0


def doctor() -> int:
    """Show versions, whether torch and torchvision match, back ends, and how to get what is missing."""
    from posetest.doctor import examine

    checks = examine()
    width = max(len(check.name) for check in checks)
    for check in checks:
        sys.stdout.write(f"{check.state:<8}{check.name:<{width}}  {check.text}\n")
    return 1 if any(check.state == "broken" for check in checks) else 0
