"""Run folders with their analysis, as users of the Python interface hold them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from posetest.analysis.searches import improvements
from posetest.analysis.tuning import Responses, read_responses, tuning_table
from posetest.config import ReportFormat
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError, suggest

if TYPE_CHECKING:
    import pandas as pd


class Run(RunFolder):
    """A run folder with its analysis: ``table()``, ``rates()``, ``report(path)``."""

    def rates(self) -> pd.DataFrame:
        """Recognition rates with 95 % intervals by scene, model and stratum (all or visible poses).

        Raises:
            RunError: the run is no audit: poses that a search went for say nothing about how frequent they are.
        """
        from posetest.analysis.rates import rates

        return rates(self)

    def reweighted(self, *measures: str) -> pd.DataFrame:
        """Rates that the audited objects have under other scenes' measures, with effective sample sizes.

        Each of ``measures`` is SCENE[?keep=PART,PART&roll_deg=DEGREES]: a scene file or a bundled name, the parts that
        stay as they were audited (of rotation, distance, offset_x, offset_y, fov, light, light_strength, ambient,
        background; or only=PART,PART that do not), and a tilt of a camera that would else always be exactly upright.
        Columns as of ``analysis.measures.measured``.

        Raises:
            RunError: the run is no audit, or has no records.
            ConfigError: no such scene, or the run's poses do not tell of it; the text says how to ask instead.
        """
        from posetest.analysis.measures import measured, parse_measure

        return measured(self, [parse_measure(measure) for measure in measures])

    def report(
        self,
        path: str | Path | None = None,
        *,
        format: ReportFormat = "html",
        measures: Sequence[str] = (),
        familiar: str | Path | None = None,
    ) -> Path:
        """Write the report (by default report.html, .md, .json or .pdf in the run folder) and return its path.

        Arguments as of ``write_report``.

        Raises:
            ConfigError: there is no such format; a scene that there is not, or a measure that the poses do not tell of.
            RunError: "md", "json" and "pdf" are of audits alone; there are no records yet.
        """
        return write_report(self, path, format=format, measures=measures, familiar=familiar)

    def figures(self, folder: str | Path) -> list[str]:
        """Write figures for publications, NAME.png and NAME.pdf, and captions.md into ``folder``; returns the names.

        Raises:
            RunError: the run is neither an audit nor a probe, or has no records yet; a probe that is not complete.
        """
        from posetest.report.plates import write_plates

        return [plate.name for plate in write_plates(self, Path(folder))]


def write_report(
    runs: RunFolder | str | Path | Sequence[RunFolder | str | Path],
    path: str | Path | None = None,
    *,
    format: ReportFormat = "html",
    measures: Sequence[str] = (),
    familiar: str | Path | None = None,
) -> Path:
    """Write one report of several runs: audits, and probes of them.

    Audits of the same poses are compared pose by pose: a model before and after training, or two models run apart.

    Args:
        runs: run folders or their paths; a search or tuning curves go alone.
        path: of the report; by default report.html (.md, .json, .pdf) in the folder of the only audit.
        format: "html"; "md", a section for a model card; "json", all numbers; "pdf", for paper.
        measures: other measures that rates are told under too, as ``Run.reweighted`` reads them.
        familiar: the scene whose poses are familiar, for calibration; by default photographer.

    Raises:
        ConfigError: there is no such format, or of several audits it is not said where to write; a scene that there is
            not, or a measure that the poses do not tell of.
        RunError: a run has no records yet, or the runs do not go together.
    """
    from posetest.analysis.familiar import DEFAULT
    from posetest.report.documents import write_document
    from posetest.report.html import write_page

    if format not in get_args(ReportFormat):
        known = get_args(ReportFormat)
        raise ConfigError(f'format = "{format}"{suggest(format, known)} (one of {", ".join(known)})')
    listed = [runs] if isinstance(runs, RunFolder | str | Path) else list(runs)
    opened = [run if isinstance(run, RunFolder) else RunFolder.open(run) for run in listed]
    if path is None:
        owners = [run for run in opened if run.info.kind != "probe"] or opened
        if len(owners) != 1:
            raise ConfigError(f"a report of {len(owners)} runs belongs to none of their folders: say where (--out)")
        path = owners[0].path / f"report.{format}"
    target = Path(path)
    known_scene = familiar or DEFAULT
    if format == "html":
        return write_page(opened, target, measures=measures, familiar=known_scene)
    if format == "pdf":
        from posetest.report.paper.document import write_pdf

        return write_pdf(opened, target, measures=measures, familiar=known_scene)
    return write_document(opened, target, format, measures=measures, familiar=known_scene)


class SearchRun(Run):
    """The run folder of a search: ``best()``, ``found()``, ``path_to_best()``, ``table()``, ``report(path)``."""

    def best(self) -> pd.Series:
        """The kept pose of the highest score, a hit before any other: pose, score, label, whether it survives.

        Raises:
            RunError: nothing was kept: no pose could be scored, or the search has not ended.
        """
        found = self.found()
        if not len(found):
            raise RunError(f"{self.path}: no pose is kept here; go on with the search by --resume")
        return found.iloc[0]

    def found(self) -> pd.DataFrame:
        """Kept poses that differ, hits first and best first; columns as in ``engine.run.IMAGE_SCHEMA``."""
        images = self.images()
        return images[images["kind"].isin(["hit", "best"])].reset_index(drop=True)

    def path_to_best(self, most: int = 60) -> pd.DataFrame:
        """The records at which a better pose than all before was found, at most ``most`` of them."""
        return improvements(self, most)


class TuneRun(Run):
    """The run folder of tuning curves: ``units()``, ``responses()``, ``table()``, ``report(path)``."""

    def units(self) -> pd.DataFrame:
        """A row for each unit: preferred pose, half-widths, invariance; see ``analysis.tuning.tuning_table``.

        Raises:
            RunError: the run is not complete.
        """
        return tuning_table(read_responses(self))

    def responses(self) -> Responses:
        """The responses over the grid, and to the background alone.

        Raises:
            RunError: the run is not complete.
        """
        return read_responses(self)


class ProbeRun(Run):
    """The run folder of a probe: ``result()``, ``tables()``, ``table()``."""

    def result(self) -> pd.DataFrame:
        """What the probe was made for: the table of its analysis.

        Raises:
            RunError: the run is not complete.
        """
        from posetest.analysis.probe_tables import main_table

        return main_table(self)

    def tables(self) -> dict[str, pd.DataFrame]:
        """All tables of the probe by name, the main one first; see ``analysis.probe_tables.probe_tables``.

        Raises:
            RunError: the run is not complete.
        """
        from posetest.analysis.probe_tables import probe_tables

        return probe_tables(self)


def open_run(path: str | Path) -> Run:
    """The run in a folder; of a search a ``SearchRun``, of tuning curves a ``TuneRun``, of a probe a ``ProbeRun``.

    Raises:
        RunError: there is no run.
    """
    run = Run.open(path)
    kinds: dict[str, type[Run]] = {"search": SearchRun, "tune": TuneRun, "probe": ProbeRun}
    return kinds.get(run.info.kind, Run)(run.path, run.info)
