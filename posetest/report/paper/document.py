"""The report of an audit on paper: A4, figures as vectors, bookmarks, nothing but the run folder behind it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from posetest.analysis.summary import Summary, summarise
from posetest.engine.run import RunFolder, write_aside
from posetest.report import method
from posetest.report.drawing.style import printed
from posetest.report.paper.front import first_pages, last_pages
from posetest.report.paper.objects import load_pictures, object_pages
from posetest.report.paper.sheet import Sheet

_POINTS = 6.5  # letters of figures


def write_pdf(run: RunFolder, path: Path) -> Path:
    """Write the report of the audit ``run`` as PDF to the file ``path``, always the same bytes, and return it.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, or the run is no audit.
    """
    data = render_pdf(run, summarise(run))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_bytes(data))
    return path


def render_pdf(run: RunFolder, summary: Summary) -> bytes:
    """The report of the audit ``run``, whose ``summary`` this is, as a PDF file."""
    title = method.title(run.info)
    with printed(_POINTS):
        sheet = Sheet(title, _made(run.info.created))
        kept = run.images()
        pictures = load_pictures(run, kept)
        shown = kept[kept["kind"] == "canonical"]
        canonical = {str(s): pictures.get(str(f)) for s, f in zip(shown["scene"], shown["file"], strict=True)}
        first_pages(sheet, run, summary, title, canonical)
        for scene in run.info.scenes:
            object_pages(sheet, run, scene, summary, kept, pictures)
        last_pages(sheet, run, len(summary.frame))
        return bytes(sheet.output())


def _made(created: str) -> datetime:
    """When the run was made, which dates the document; the epoch where run.toml says something else."""
    try:
        made = datetime.fromisoformat(created)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return made if made.tzinfo else made.replace(tzinfo=UTC)
