"""The report of an audit on paper: A4, figures as vectors, bookmarks, nothing but the run folder behind it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from posetest.analysis.familiar import DEFAULT
from posetest.analysis.summary import summarise
from posetest.engine.run import RunFolder, write_aside
from posetest.errors import RunError
from posetest.report import method, words
from posetest.report.answers import answers_of
from posetest.report.drawing.style import printed
from posetest.report.gathered import Audited, gather
from posetest.report.paper.added import answer_pages, between_pages, probe_pages
from posetest.report.paper.front import first_pages, last_pages
from posetest.report.paper.objects import load_pictures, object_pages
from posetest.report.paper.sheet import Sheet

_POINTS = 6.5  # letters of figures


def write_pdf(
    runs: RunFolder | Sequence[RunFolder], path: Path, *, measures: Sequence[str] = (), familiar: str | Path = DEFAULT
) -> Path:
    """Write the report of audits, and of probes of them, as PDF to the file ``path``, and return it.

    The same runs give the same bytes. ``measures`` and ``familiar`` as ``summarise`` has them.

    Raises:
        RunError: a run has no records yet, or they do not fit run.toml; the runs do not go together (``gather``), or
            a probe's audit is not among them.
        ConfigError: as ``summarise``.
    """
    audited = gather([runs] if isinstance(runs, RunFolder) else runs)
    if loose := [one for one in audited if one.run is None]:
        raise RunError(f"{loose[0].probes[0].path}: a probe of an audit that is not here; give the audit's folder too")
    data = render_pdf(audited, measures, familiar)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_bytes(data))
    return path


def render_pdf(audited: Sequence[Audited], measures: Sequence[str] = (), familiar: str | Path = DEFAULT) -> bytes:
    """The report of audits with their probes as a PDF file."""
    runs = [one.run for one in audited if one.run is not None]
    titles = [method.title(run.info) for run in runs]
    with printed(_POINTS), closing(Sheet(words.listed(titles, 2), _made(runs[0].info.created))) as sheet:
        for number, (one, run, title) in enumerate(zip(audited, runs, titles, strict=True)):
            if number:
                sheet.add_page()
            summary = summarise(run, measures, familiar)
            kept = run.images()
            pictures = load_pictures(run, kept)
            shown = kept[kept["kind"] == "canonical"]
            canonical = {str(s): pictures.get(str(f)) for s, f in zip(shown["scene"], shown["file"], strict=True)}
            first_pages(sheet, run, summary, title if len(runs) == 1 else f"{title}: {one.name}", canonical)
            for scene in run.info.scenes:
                object_pages(sheet, run, scene, summary, kept, pictures)
                answer_pages(sheet, answers_of(summary, scene.name))
                probe_pages(sheet, one.probes, scene)
            last_pages(sheet, run, len(summary.frame))
        between_pages(sheet, audited)
        return bytes(sheet.output())


def _made(created: str) -> datetime:
    """When the run was made, which dates the document; the epoch where run.toml says something else."""
    try:
        made = datetime.fromisoformat(created)
    except ValueError:
        return datetime(1970, 1, 1, tzinfo=UTC)
    return made if made.tzinfo else made.replace(tzinfo=UTC)
