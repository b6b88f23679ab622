"""Audits: poses drawn from a scene's measure, through models, into a run folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from posetest.api.request import (
    IMAGE_SIZE,
    ModelLike,
    SceneLike,
    call_text,
    continued,
    default_image_size,
    load_models,
    load_scenes,
    model_info,
    new_folder,
    renderer_words,
    scene_info,
    torch_threads,
    whole,
)
from posetest.api.run import Run
from posetest.config import Backend, Samples, Shading
from posetest.engine.host import default_threads, versions
from posetest.errors import ModelError
from posetest.run_info import RunInfo
from posetest.space import Sampling

_PART_SIZE = 1024  # poses of a record part, about; what a killed run can lose


def audit(
    model: ModelLike | Sequence[ModelLike] = "bundled",
    scene: SceneLike | Sequence[SceneLike] | None = None,
    *,
    poses: int = 2000,
    seed: int = 0,
    sampling: Sampling = "independent",
    out: str | Path | None = None,
    resume: bool = False,
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    progress: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> Run:
    """Evaluate ``poses`` poses of every scene with every model; every picture is drawn once.

    Args:
        model: a specification ("bundled", "torchvision:resnet50", "file.py:function?key=value", "onnx:file"), an
            nn.Module or callable from images [n, 3, h, w] in [0, 1] to class scores [n, k]; or several of them.
        scene: a scene, a scene or mesh file, a bundled scene's name, or several; by default those of all bundled
            objects.
        poses: of each scene.
        seed: pose i of a scene depends on the seed and on i alone.
        sampling: "independent" draws, or a scrambled "sobol" sequence.
        out: the run folder; by default a new one under runs/.
        resume: go on with the run in ``out``; it ends with the rows of an undisturbed run.
        batch_size: pictures a model sees at once.
        image_size: pixels of each side; by default the largest input of the models, at least 224.
        threads: for rendering and for torch; by default all cores.
        backend, samples, shading: in place of what the scenes' [render] tables say; see docs/scenes.md.
        progress: called with (poses done, poses in all).
        command: what run.toml says was called; by default this call.

    Raises:
        PosetestError: a child that says what was expected and what to do.
    """
    counts = {"poses": poses, "batch_size": batch_size, "seed": seed}
    counts["image_size"] = IMAGE_SIZE if image_size is None else image_size
    counts["threads"] = default_threads() if threads is None else threads
    counts = {name: whole(name, value, least=0 if name == "seed" else 1) for name, value in counts.items()}
    render = {"backend": backend, "samples": samples, "shading": shading}
    scenes = [s.drawn_with(render, where="audit") for s in load_scenes(scene)]
    models = load_models(model)
    for one in models:
        if not one.categories:
            raise ModelError(f"{one.name}: an audit asks what a classifier answers, and this model has no classes")
    if image_size is None:
        counts["image_size"] = default_image_size(models)
    info = RunInfo(
        kind="audit",
        status="running",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or call_text(models, scenes, sampling, {**counts, **render}),
        seed=counts["seed"],
        poses=counts["poses"],
        sampling=sampling,
        image_size=counts["image_size"],
        batch_size=counts["batch_size"],
        part_size=-(-min(_PART_SIZE, counts["poses"]) // counts["batch_size"]) * counts["batch_size"],
        versions=versions(),
        scenes=tuple(scene_info(s) for s in scenes),
        models=tuple(model_info(m, scenes) for m in models),
        renderer=renderer_words(scenes),
    )
    folder = Path(out) if out is not None else new_folder(scenes)
    from posetest.api.region_pictures import keep_region_pictures
    from posetest.engine.loop import audit_into, try_out

    # whatever cannot be drawn is said before a folder exists, and so that the mended call finds none in its way
    try_out(scenes, info)
    run = continued(Run, folder, info) if resume else Run.create(folder, info)
    total, done = counts["poses"] * len(scenes), 0

    def report_progress(more: int) -> None:
        nonlocal done
        done += more
        if progress is not None:
            progress(done, total)

    with torch_threads(counts["threads"]):
        audit_into(run, scenes, models, threads=counts["threads"], progress=report_progress)
        keep_region_pictures(run, scenes, models, threads=counts["threads"])
    return run
