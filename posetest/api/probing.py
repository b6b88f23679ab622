"""Probes: what an analysis needs and an audit does not hold, evaluated into a run folder of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

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
from posetest.engine.probe_plan import NEEDED, STEPS
from posetest.engine.probe_turns import DRAWS, RADII_DEG
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError, suggest
from posetest.protocols import Model
from posetest.run_info import ProbeInfo, ProbeKind, RunInfo
from posetest.scene.scene import Scene

if TYPE_CHECKING:
    from posetest.engine.probe_loop import Job

_PART_SIZE = 1024  # rows of a record part, about; what a killed run can lose

#: Poses of the parent for each scene and model, where the caller says nothing.
_POSES: dict[ProbeKind, int] = {"sensitivity": 50, "artefacts": 50, "tolerance": 40}
#: Of artefacts: the other image size, as a multiple; poses of each group that the slow renderer draws.
_OTHER_SIZE = 1.5
_FEW = 8


def probe(
    run: str | Path | RunFolder,
    what: ProbeKind = "sensitivity",
    *,
    model: ModelLike | Sequence[ModelLike] | None = None,
    scene: SceneLike | Sequence[SceneLike] | None = None,
    poses: int | None = None,
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

    Args:
        run: an audit's folder, complete.
        what: which changes.
        model: in place of what run.toml names, for models that it cannot load again (handed over in Python); only
            these are probed. By default all, from their specifications.
        scene: in place of what run.toml names; only these are probed.
        poses: of the audit, for each scene and model, drawn at random; by default 50 (tolerance: 40).
        seed: which of them are drawn.
        out: the run folder; by default a new one under runs/.
        resume: go on with the run in ``out``; it ends with the rows of an undisturbed run.
        batch_size: pictures a model sees at once; by default the audit's.
        threads: for rendering and for torch; by default all cores.
        progress: called with (pictures done, pictures in all).
        command: what run.toml says was called; by default this call.

    Raises:
        RunError: no complete audit, no pose to begin with, or scenes or models that have changed since.
        PosetestError: another child that says what was expected and what to do.
    """
    if what not in get_args(ProbeKind):
        known = get_args(ProbeKind)
        raise ConfigError(f'what = "{what}"{suggest(what, known)} (one of {", ".join(known)})')
    parent = run if isinstance(run, RunFolder) else RunFolder.open(run)
    _check_parent(parent)
    size = parent.info.batch_size if batch_size is None else batch_size
    counts = {"poses": _POSES[what] if poses is None else poses, "batch_size": size, "seed": seed}
    counts["threads"] = default_threads() if threads is None else threads
    counts = {name: whole(name, value, least=0 if name == "seed" else 1) for name, value in counts.items()}
    scenes, models = reload_scenes(parent, scene), reload_models(parent, model)
    check_accepted(parent, models, scenes)
    settings = _settings(parent, what, counts["poses"])
    jobs = _jobs(parent, settings, scenes, models, counts["seed"])
    info = RunInfo(
        kind="probe",
        status="running",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or f'posetest.probe("{parent.path}", "{what}", poses={counts["poses"]}, seed={counts["seed"]})',
        seed=counts["seed"],
        poses=counts["poses"],
        sampling=parent.info.sampling,
        image_size=parent.info.image_size,
        batch_size=counts["batch_size"],
        part_size=-(-_PART_SIZE // counts["batch_size"]) * counts["batch_size"],
        versions=versions(),
        scenes=tuple(scene_info(s) for s in scenes),
        models=tuple(model_info(m, scenes) for m in models),
        renderer=renderer_words(scenes),
        probe=settings,
    )
    from posetest.engine.probe_loop import probe_into, try_out

    try_out(jobs)
    folder = Path(out) if out is not None else new_folder(scenes, "probe")
    probing = continued(ProbeRun, folder, info) if resume else ProbeRun.create(folder, info)
    total, done = sum(len(job.rows) for job in jobs), 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, total)

    with torch_threads(counts["threads"]):
        probe_into(probing, jobs, threads=counts["threads"], progress=more)
    return probing


def _check_parent(parent: RunFolder) -> None:
    if parent.info.kind != "audit":
        raise RunError(
            f'{parent.path}: a run of kind "{parent.info.kind}" did not draw its poses from a measure; '
            "a probe begins with the poses of an audit (posetest audit)"
        )
    if parent.info.status != "complete":
        raise RunError(f"{parent.path}: not complete; go on with the audit by --resume before it is probed")


def _settings(parent: RunFolder, what: ProbeKind, poses: int) -> ProbeInfo:
    """What run.toml says of the probe."""
    from posetest.engine.probe_jobs import CHANGES

    is_tolerance = what == "tolerance"
    return ProbeInfo(
        what=what,
        parent=str(parent.path.resolve()),
        parent_digest=parent.digest(),
        poses=poses,
        steps=dict(STEPS) if what == "sensitivity" else {},
        changes=CHANGES if what == "artefacts" else (),
        other_size=round(_OTHER_SIZE * parent.info.image_size) if what == "artefacts" else 0,
        few=min(_FEW, poses) if what == "artefacts" else 0,
        radii_deg=RADII_DEG if is_tolerance else (),
        draws=DRAWS if is_tolerance else 0,
    )


def _jobs(
    parent: RunFolder, settings: ProbeInfo, scenes: Sequence[Scene], models: Sequence[Model], seed: int
) -> list[Job]:
    """What is evaluated, in order: a scene and model after the other.

    Raises:
        RunError: there is no pose to begin with.
    """
    from posetest.engine.probe_jobs import Place, jobs_of

    frame = parent.table(list(NEEDED))
    places = [(s, m) for s in range(len(parent.info.scenes)) for m in range(len(parent.info.models))]
    by_scene, by_model = {s.name: s for s in scenes}, {m.name: m for m in models}
    jobs: list[Job] = []
    for s, m in places:
        scene, model = by_scene.get(parent.info.scenes[s].name), by_model.get(parent.info.models[m].name)
        if scene is not None and model is not None:
            jobs += jobs_of(settings, frame, Place(scene, model, parent.info.image_size, (seed, s, m)))
    if not jobs:
        which = "misread" if settings.what == "artefacts" else "recognised"
        raise RunError(f"{parent.path}: no pose of the audit was {which}, so there is none to change")
    return jobs
