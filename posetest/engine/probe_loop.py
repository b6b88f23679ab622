"""The loop of a probe: planned rows through the models, part by part into a run folder, with no state but that."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from posetest.engine.evaluate import Progress, Work, part_count, plan, render_ahead, scored, short_names
from posetest.engine.probe_plan import Bases, Rows, unchanged
from posetest.engine.probe_rounds import Rounds
from posetest.engine.record import PROBE_SCHEMA, Columns, joined, to_arrow, to_frame
from posetest.engine.run import RunFolder
from posetest.protocols import Model
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene
from posetest.space import vectors_to_views


@dataclass(frozen=True, eq=False)
class Job:
    """Rows of one scene and model that are drawn alike.

    Attributes:
        scene: as it is drawn.
        model: that scores.
        bases, rows: what is evaluated.
        image_size: pixels of each side.
        first: number of the first row among those of the scene and model.
    """

    scene: Scene
    model: Model
    bases: Bases
    rows: Rows
    image_size: int
    first: int = 0


@dataclass(frozen=True, eq=False)
class RoundsJob:
    """The rounds of one scene and model; attributes as of ``Job``."""

    scene: Scene
    model: Model
    rounds: Rounds
    image_size: int

    def beginning(self) -> Job:
        """The poses as they are."""
        bases = self.rounds.bases
        return Job(self.scene, self.model, bases, unchanged(bases), self.image_size)


def probe_into(run: RunFolder, jobs: Sequence[Job], *, threads: int, progress: Progress) -> None:
    """Evaluate what of ``jobs`` is not yet in ``run``, and mark it complete.

    ``progress`` is told the number of rows that have become done. Parts and batches depend on the jobs and on
    ``run.info`` alone, so a resumed run ends with the rows of an undisturbed one.

    Raises:
        ModelError: a model failed; parts already written stay.
    """
    _evaluate(run, jobs, 0, threads, progress)
    run.finish()


def probe_rounds_into(run: RunFolder, places: Sequence[RoundsJob], *, threads: int, progress: Progress) -> None:
    """As ``probe_into``, of rounds: each follows from the records of those before, so they are read back from ``run``.

    Raises:
        ModelError: a model failed; parts already written stay.
        RunError: a part cannot be read.
    """
    part = 0
    for place in places:
        first = 0
        while (rows := place.rounds.ask()) is not None:
            job = Job(place.scene, place.model, place.rounds.bases, rows, place.image_size, first)
            stop = part + part_count(1, len(rows), run.info.part_size)
            _evaluate(run, [job], part, threads, progress)
            table = pa.concat_tables(run.part(number, ["status", "recognised"]) for number in range(part, stop))
            recognised = to_frame(table)
            place.rounds.tell(
                (recognised["recognised"] & (recognised["status"].astype(str) == "ok")).to_numpy(dtype=bool)
            )
            part, first = stop, first + len(rows)
    run.finish()


def _evaluate(run: RunFolder, jobs: Sequence[Job], first_part: int, threads: int, progress: Progress) -> None:
    """Write the parts of ``jobs`` that are missing; they are numbered from ``first_part`` on."""
    info = run.info
    work = list(_work(jobs, first_part, info.part_size, info.batch_size))
    missing = [item for item in work if not run.has_part(item.part)]
    progress(sum(item.stop - item.start for item in work) - sum(item.stop - item.start for item in missing))
    if not missing:
        return
    accepted = {(scene, m.name): indices for m in info.models for scene, indices in m.accepted.items()}
    names = {job.model.name: short_names(job.model) for job in jobs}
    drawn = render_ahead(
        [job.scene for job in jobs],
        missing,
        lambda item: jobs[item.scene].rows.vectors[item.start : item.stop],
        image_sizes=[job.image_size for job in jobs],
        threads=threads,
    )
    pending: list[Columns] = []
    with contextlib.closing(drawn) as batches:
        for batch in batches:
            job = jobs[batch.work.scene]
            scene, model = job.scene.name, job.model
            columns = scored(batch, scene, model, accepted[scene, model.name], names[model.name])
            pending.append(columns | _changed(job, batch.work))
            if batch.work.is_last:
                run.write_part(batch.work.part, to_arrow(joined(pending, PROBE_SCHEMA), PROBE_SCHEMA))
                pending = []
            progress(batch.work.stop - batch.work.start)


def try_out(jobs: Sequence[Job]) -> None:
    """Draw the first row of every job, so that what cannot be drawn is known before there is a folder.

    Raises:
        ConfigError: a value, a size or a setting that cannot be drawn.
        BackendError: a back end that cannot run here.
    """
    for job in jobs:
        opened = open_renderer(job.scene.mesh, job.scene.background, job.scene.config.render, threads=1)
        with contextlib.closing(opened) as renderer:
            views = vectors_to_views(job.rows.vectors[:1], job.scene.config)
            renderer.render(views, job.image_size, job.image_size)


def _work(jobs: Sequence[Job], first_part: int, part_size: int, batch_size: int) -> Iterator[Work]:
    before = first_part
    for number, job in enumerate(jobs):
        for item in plan(1, len(job.rows), part_size, batch_size):
            yield Work(number, before + item.part, item.start, item.stop, item.is_last)
        before += part_count(1, len(job.rows), part_size)


def _changed(job: Job, work: Work) -> Columns:
    """The columns that only a probe's record has, and the row's number."""
    rows = slice(work.start, work.stop)
    of = job.rows.of[rows]
    return {
        "index": np.arange(job.first + work.start, job.first + work.stop, dtype=np.int64),
        "base": job.bases.index[of],
        "base_recognised": job.bases.recognised[of],
        "base_label": job.bases.label[of],
        "change": job.rows.change[rows],
        "amount": job.rows.amount[rows],
    }
