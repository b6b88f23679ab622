"""Probes: what an analysis needs and an audit does not hold, evaluated into a run folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from posetest.api.probe_settings import Asked, probe_settings
from posetest.api.reload import check_accepted, reload_models, reload_scenes
from posetest.api.request import (
    ModelLike,
    SceneLike,
    continued,
    model_info,
    new_folder,
    renderer_words,
    scene_info,
    torch_threads,
    whole,
)
from posetest.api.run import ProbeRun
from posetest.engine.host import default_threads, versions
from posetest.engine.probe_plan import NEEDED
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.protocols import Model
from posetest.run_info import ProbeInfo, ProbeKind, RunInfo
from posetest.scene.scene import Scene

if TYPE_CHECKING:
    import pandas as pd

    from posetest.engine.probe_jobs import Place
    from posetest.engine.probe_loop import Job, RoundsJob

_PART_SIZE = 1024  # rows of a record part, about; what a killed run can lose


def probe(
    run: str | Path | RunFolder,
    what: ProbeKind = "sensitivity",
    *,
    model: ModelLike | Sequence[ModelLike] | None = None,
    scene: SceneLike | Sequence[SceneLike] | None = None,
    poses: int | None = None,
    over: str | Sequence[str] | None = None,
    steps: Mapping[str, Sequence[float]] | None = None,
    radii: Sequence[float] | None = None,
    draws: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    batch_size: int | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> ProbeRun:
    """Evaluate poses of the audit ``run`` once more, changed, into a run folder of its own.

    "sensitivity": recognised poses with one parameter changed at a time, by a ladder of steps in both directions.
    "artefacts": misread poses, and as many recognised ones, drawn otherwise: 2 x 2 samples, larger pictures, half a
    pixel aside, ambient light alone, and a few of them by another renderer.
    "tolerance": recognised poses turned at random, by at most several angles.
    "axes": recognised poses, for each parameter the interval around the pose in which it stays recognised.
    "boxes": recognised poses, the box of several parameters around the pose in which it stays recognised.
    "indices": new poses of the audit's measure, parameters exchanged between pairs of them: which parameters decide.

    Args:
        run: an audit's folder, complete.
        what: which changes.
        model: in place of what run.toml names, for models that it cannot load again (handed over in Python); only
            these are probed. By default all, from their specifications.
        scene: in place of what run.toml names; only these are probed.
        poses: of the audit, for each scene and model, drawn at random; by default 50 (tolerance: 40, axes: 15,
            boxes: 12). Of indices the rows of the design, by default 512: two poses, and two more for each factor.
        over: parameters, as "yaw,pitch" or a sequence: of sensitivity those that are changed, by default the six of
            the 2019 study; of axes by default these and all that vary; of boxes those of the box, by default yaw,
            pitch, roll and distance as far as they vary.
        steps: sizes of change by parameter, border units, above 0 and rising, in place of the default ladder: of
            sensitivity, axes and boxes.
        radii: of tolerance: the largest angles of the turns, degrees, rising; by default 2 to 45.
        draws: of tolerance: turns of each pose and radius, by default 30; of axes and boxes: fresh draws that test
            one, by default 60 and 100.
        seed: which poses are drawn, and the random changes.
        out: the run folder; by default a new one under runs/.
        resume: go on with the run in ``out``; it ends with the rows of an undisturbed run.
        batch_size: pictures a model sees at once; by default the audit's.
        threads: for rendering and for torch; by default all cores.
        progress: called with (pictures done, pictures in all). Of axes and boxes the second number falls: it counts
            what may still be asked for at most.
        command: what run.toml says was called; by default this call.

    Raises:
        RunError: no complete audit, no pose to begin with, or scenes or models that have changed since.
        ConfigError: a setting that the kind does not have, or a value that cannot be.
        PosetestError: another child that says what was expected and what to do.
    """
    parent = run if isinstance(run, RunFolder) else RunFolder.open(run)
    check_parent(parent)
    numbers = {
        "seed": whole("seed", seed, least=0),
        "threads": whole("threads", default_threads() if threads is None else threads, least=1),
        "batch_size": whole("batch_size", parent.info.batch_size if batch_size is None else batch_size, least=1),
    }
    scenes, models = reload_scenes(parent, scene), reload_models(parent, model)
    check_accepted(parent, models, scenes)
    settings = probe_settings(parent, what, Asked(poses, over, steps, radii, draws), scenes)
    info = RunInfo(
        kind="probe",
        status="running",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or f'posetest.probe("{parent.path}", "{what}", poses={settings.poses}, seed={numbers["seed"]})',
        seed=numbers["seed"],
        poses=settings.poses,
        sampling="independent" if what == "indices" else parent.info.sampling,
        image_size=parent.info.image_size,
        batch_size=numbers["batch_size"],
        part_size=-(-_PART_SIZE // numbers["batch_size"]) * numbers["batch_size"],
        versions=versions(),
        scenes=tuple(scene_info(s) for s in scenes),
        models=tuple(model_info(m, scenes) for m in models),
        renderer=renderer_words(scenes),
        probe=settings,
    )
    from posetest.engine.probe_loop import probe_into, probe_rounds_into, try_out

    places = _places(parent, scenes, models, numbers["seed"])
    frame = parent.table(list(NEEDED))
    has_rounds = what in ("axes", "boxes")
    rounds = _rounds(parent, settings, frame, places) if has_rounds else []
    jobs = [place.beginning() for place in rounds] if has_rounds else _jobs(parent, settings, frame, places)
    try_out(jobs)
    folder = Path(out) if out is not None else new_folder(scenes, "probe")
    probing = continued(ProbeRun, folder, info) if resume else ProbeRun.create(folder, info)
    total, done = sum(len(job.rows) for job in jobs), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, done + sum(place.rounds.most for place in rounds) if has_rounds else total)

    with torch_threads(numbers["threads"]):
        if has_rounds:
            probe_rounds_into(probing, rounds, threads=numbers["threads"], progress=more)
        else:
            probe_into(probing, jobs, threads=numbers["threads"], progress=more)
    return probing


def check_parent(parent: RunFolder) -> None:
    """Nothing, if ``parent`` can be probed.

    Raises:
        RunError: it is no audit, or not complete.
    """
    if parent.info.kind != "audit":
        raise RunError(
            f'{parent.path}: a run of kind "{parent.info.kind}" did not draw its poses from a measure; '
            "a probe begins with the poses of an audit (posetest audit)"
        )
    if parent.info.status != "complete":
        raise RunError(f"{parent.path}: not complete; go on with the audit by --resume before it is probed")


def _places(parent: RunFolder, scenes: Sequence[Scene], models: Sequence[Model], seed: int) -> list[Place]:
    """Scenes and models in the order of the parent, a scene and model after the other."""
    from posetest.engine.probe_jobs import Place

    by_scene, by_model = {s.name: s for s in scenes}, {m.name: m for m in models}
    return [
        Place(by_scene[scene.name], by_model[model.name], parent.info.image_size, (seed, s, m))
        for s, scene in enumerate(parent.info.scenes)
        for m, model in enumerate(parent.info.models)
        if scene.name in by_scene and model.name in by_model
    ]


def _jobs(parent: RunFolder, settings: ProbeInfo, frame: pd.DataFrame, places: Sequence[Place]) -> list[Job]:
    """What is evaluated, in order.

    Raises:
        RunError: there is no pose to begin with.
    """
    from posetest.engine.probe_jobs import jobs_of

    jobs = [job for place in places for job in jobs_of(settings, frame, place)]
    if not jobs:
        raise _none(parent, "misread" if settings.what == "artefacts" else "recognised")
    return jobs


def _rounds(parent: RunFolder, settings: ProbeInfo, frame: pd.DataFrame, places: Sequence[Place]) -> list[RoundsJob]:
    """As ``_jobs``, of axes and boxes."""
    from posetest.engine.probe_jobs import rounds_of

    rounds = [found for place in places if (found := rounds_of(settings, frame, place)) is not None]
    if not rounds:
        raise _none(parent, "recognised")
    return rounds


def _none(parent: RunFolder, which: str) -> RunError:
    return RunError(f"{parent.path}: no pose of the audit was {which}, so there is none to change")
