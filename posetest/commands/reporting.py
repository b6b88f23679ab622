"""posetest report, posetest doctor."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

from tyro.conf import Positional, UseAppendAction, arg

from posetest.config import ReportFormat
from posetest.errors import ConfigError


def report(
    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]")],
    /,
    out: Path | None = None,
    kind: Annotated[ReportFormat | None, arg(name="format")] = None,
    figures: Path | None = None,
    measure: UseAppendAction[tuple[str, ...]] = (),
    familiar: str | None = None,
) -> int:
    """Make the report of run folders, from the folders alone.

    Args:
        runs: Run folders: any number of audits, compared where they hold the same poses, and of probes of them; or a
            search, or tuning curves.
        out: Where to write; default: report.html (.md, .json, .pdf) in the run folder; needed for several audits.
        kind: html; md, a section for a model card; json, all numbers; pdf, for paper (all three of audits;
            docs/report-json.md). Default: what --out ends in, or html.
        figures: Write figures for publications into this folder instead, as PNG and PDF (of one audit or probe).
        measure: Another scene, such as photographer, that rates are told under too, by weighing the poses there are;
            with ?only=rotation the rest stays as audited, with ?roll_deg=5 an upright camera is tilted. Repeat for
            several.
        familiar: Scene whose poses are familiar, for calibration; default: photographer.
    """
    from posetest import api

    if not runs:
        raise ConfigError("which run folder? posetest report RUN [RUN ...]")
    if figures is not None:
        if len(runs) > 1:
            raise ConfigError(f"--figures: of one run, here are {len(runs)}; call it once for each")
        if out is not None or kind is not None or measure or familiar is not None:
            raise ConfigError(
                "--figures: writes figures in place of a report; leave out what is of reports: --out, --format, "
                "--measure, --familiar"
            )
        for plate in api.open_run(runs[0]).figures(figures):
            sys.stdout.write(f"{figures / plate}.png\n")
        return 0
    ending = out.suffix.lower() if out is not None else ""
    endings: dict[str, ReportFormat] = {f".{name}": name for name in get_args(ReportFormat)}
    if kind is None and out is not None and ending not in endings:
        raise ConfigError(f"--out {out}: which format? End it in {', '.join(endings)}, or add --format")
    wanted = kind or endings.get(ending, "html")
    sys.stdout.write(f"{api.write_report(runs, out, format=wanted, measures=measure, familiar=familiar)}\n")
    return 0


def doctor() -> int:
    """Show versions, whether torch and torchvision match, back ends, and how to get what is missing."""
    from posetest.doctor import examine

    checks = examine()
    width = max(len(check.name) for check in checks)
    for check in checks:
        sys.stdout.write(f"{check.state:<8}{check.name:<{width}}  {check.text}\n")
    return 1 if any(check.state == "broken" for check in checks) else 0
