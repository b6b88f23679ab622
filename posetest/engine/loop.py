"""The audit loop: every scene's poses through every model, part by part into a run folder, with no state but that."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np

from posetest.engine.evaluate import Progress, part_count, plan, render_ahead, scored, short_names
from posetest.engine.gallery import canonical_pose, keep_images
from posetest.engine.record import Columns, joined, to_arrow
from posetest.engine.run import RunFolder
from posetest.protocols import Model
from posetest.render.select import open_renderer
from posetest.run_info import RunInfo
from posetest.scene.scene import Scene
from posetest.space import scene_space, vectors_to_views


def audit_into(
    run: RunFolder, scenes: Sequence[Scene], models: Sequence[Model], *, threads: int, progress: Progress
) -> None:
    """Evaluate what ``run.info`` asks for and is not yet there, keep pictures, mark the run complete.

    ``progress`` is told the number of poses that have become done. Parts that exist are left as they are: batches
    depend on the plan alone, so a resumed run ends with the rows of an undisturbed one.

    Raises:
        ModelError: a model failed; parts already written stay.
    """
    info = run.info
    spaces = [scene_space(scene.config, scene.background.count, scene.source) for scene in scenes]
    work = plan(len(scenes), info.poses, info.part_size, info.batch_size)
    there = {part for part in range(part_count(len(scenes), info.poses, info.part_size)) if run.has_part(part)}
    missing = [item for item in work if item.part not in there]
    progress(info.poses * len(scenes) - sum(item.stop - item.start for item in missing))
    names = {model.name: short_names(model) for model in models}
    accepted = {(scene, m.name): indices for m in info.models for scene, indices in m.accepted.items()}
    pending: dict[str, list[Columns]] = {model.name: [] for model in models}
    drawn = render_ahead(
        scenes,
        missing,
        lambda item: spaces[item.scene].sample(info.seed, item.start, item.stop, info.sampling),
        image_sizes=[info.image_size] * len(scenes),
        threads=threads,
    )
    with contextlib.closing(drawn) as batches:  # ends the rendering thread also where a model fails
        for batch in batches:
            scene = scenes[batch.work.scene].name
            for model in models:
                columns = scored(batch, scene, model, accepted[scene, model.name], names[model.name])
                pending[model.name].append(columns)
            if batch.work.is_last:
                run.write_part(batch.work.part, to_arrow(joined([c for rows in pending.values() for c in rows])))
                pending = {model.name: [] for model in models}
            progress(batch.work.stop - batch.work.start)
    keep_images(run, scenes, spaces, models, threads=threads)
    run.finish()


def try_out(scenes: Sequence[Scene], info: RunInfo) -> None:
    """Draw the first pose and the kept view of every scene, so that what cannot be drawn is known at once.

    Raises:
        ConfigError: a value, a background, a size or a setting that cannot be drawn; names it.
        BackendError: the scene's back end cannot run here.
    """
    for scene in scenes:
        space = scene_space(scene.config, scene.background.count, scene.source)
        first = space.sample(info.seed, 0, 1, info.sampling)
        vectors = np.concatenate([first, space.vector(canonical_pose(scene, space))])
        with contextlib.closing(
            open_renderer(scene.mesh, scene.background, scene.config.render, threads=1)
        ) as renderer:
            renderer.render(vectors_to_views(vectors, scene.config), info.image_size, info.image_size)
