"""Searches: one scene, one model, one objective; every evaluation in order in a run folder."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from posetest.api.request import (
    ModelLike,
    SceneLike,
    continued,
    default_image_size,
    load_one_model,
    model_info,
    new_folder,
    renderer_words,
    scene_info,
    torch_threads,
    whole,
)
from posetest.api.run import SearchRun
from posetest.api.search_plan import check_affordable, choose_method, make_plan, search_settings, tried
from posetest.config import Backend, Samples, Shading
from posetest.engine.evaluate import short_names
from posetest.engine.host import default_threads, versions
from posetest.engine.score import Scorer
from posetest.engine.search_gallery import keep_found
from posetest.engine.search_loop import Standing, search_into
from posetest.protocols import Objective
from posetest.render.select import open_renderer
from posetest.run_info import RunInfo, SearchInfo
from posetest.scene.scene import Scene, load_scene
from posetest.space import format_pose


def search_poses(
    model: ModelLike = "bundled",
    scene: SceneLike = "school_bus",
    *,
    objective: str | Objective | None = None,
    unit: str | None = None,
    until: float | None = None,
    method: str | None = None,
    budget: int | None = None,
    vary: Sequence[str] | None = None,
    random: Sequence[str] | None = None,
    initial: str | Sequence[str] | None = None,
    robust: int | None = None,
    jitter: Mapping[str, float] | None = None,
    gradient: Mapping[str, object] | None = None,
    stop_at_hit: bool | None = None,
    keep: int | None = None,
    seed: int = 0,
    out: str | Path | None = None,
    resume: bool = False,
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    progress: Callable[[Standing], None] | None = None,
    command: str | None = None,
) -> SearchRun:
    """Search the scene's poses for those at which a model fails or a unit fires, and keep every evaluation.

    What is None has the value of the scene's ``[search]`` table, or the default there (``config.SearchConfig``).

    Args:
        model: as in ``audit``; "none" for an objective that needs no classifier.
        scene: a scene, a scene or mesh file, or a bundled scene's name.
        objective: text ("fool", "target:cab", "maximise:features.17:5", "nearest", "fool + 0.1 * target:cab"), or an
            object such as ``objectives.BlackBox(score)``.
        unit: what "maximise" without a unit means.
        until: value above which a maximised unit counts as reached.
        method: "auto" or another of ``search.select.METHODS``, with options as in "cma?sigma=0.5".
        budget: classifier calls; a backward pass counts as two.
        vary: parameters that move; by default all that the space frees, for "nearest" the rotation alone.
        random: parameters drawn anew from the space for every evaluation.
        initial: replay strings of poses to begin at. "nearest" measures from the first; where none is given, from the
            most surely recognised of 54 upright views, which are looked at beside the budget.
        robust: poses that a score is the mean of.
        jitter, gradient: entries of ``config.JitterConfig`` and ``config.GradientConfig``.
        stop_at_hit: end with the first pose that reaches the objective.
        keep: poses kept as pictures.
        seed: of all that is drawn.
        out, resume, batch_size, image_size, threads, backend, samples, shading, command: as in ``audit``.
        progress: called with the standing after every proposal.

    Raises:
        PosetestError: a child that says what was expected and what to do.
    """
    counts = {"batch_size": whole("batch_size", batch_size, least=1), "seed": whole("seed", seed, least=0)}
    workers = whole("threads", default_threads() if threads is None else threads, least=1)
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    loaded = loaded.drawn_with({"backend": backend, "samples": samples, "shading": shading}, where="search")
    text = objective if isinstance(objective, str | None) else str(objective)
    given: dict[str, Any] = {
        "objective": text,
        "unit": unit,
        "until": until,
        "method": method,
        "budget": budget,
        "vary": vary,
        "random": random,
        "initial": [initial] if isinstance(initial, str) else initial,
        "robust": robust,
        "jitter": jitter,
        "gradient": gradient,
        "stop_at_hit": stop_at_hit,
        "keep": keep,
    }
    where = loaded.source
    settings = search_settings(loaded, given, where)
    one = load_one_model(model)
    side = default_image_size([one]) if image_size is None else whole("image_size", image_size, least=1)
    plan = make_plan(loaded, one, settings, None if isinstance(objective, str | None) else objective, where)
    described = model_info(one, [loaded])
    renderer = open_renderer(loaded.mesh, loaded.background, loaded.config.render, threads=workers)
    with contextlib.closing(renderer), torch_threads(workers):
        scorer = Scorer(
            scene=loaded,
            model=one,
            objective=plan.objective,
            domain=plan.domain,
            renderer=renderer,
            accepted=described.accepted[loaded.name],
            names=short_names(one),
            image_size=side,
            batch_size=counts["batch_size"],
            seed=counts["seed"],
            random=settings.random,
            copies=settings.robust,
            jitter=settings.jitter,
            gradient=settings.gradient,
        )
        chosen = choose_method(settings, plan, scorer, where)
        # whatever cannot be drawn or scored is said before a folder exists
        plan, scorer = tried(plan, scorer, is_given=bool(settings.initial), where=where)
        info = RunInfo(
            kind="search",
            status="running",
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            command=command or f"posetest.search_poses({one.spec!r}, {loaded.source!r}, seed={counts['seed']}, ...)",
            seed=counts["seed"],
            poses=settings.budget,
            sampling="independent",
            image_size=side,
            batch_size=counts["batch_size"],
            part_size=0,
            versions=versions(),
            scenes=(scene_info(loaded),),
            models=(described,),
            renderer=renderer_words([loaded]),
            search=SearchInfo(
                settings=settings,
                vary=plan.domain.searched,
                base=format_pose(plan.domain.base, plan.domain.space),
                objective=str(plan.objective),
                is_turn=plan.domain.has_rotation and not plan.domain.axes,
            ),
        )
        problem = plan.problem(counts["seed"], settings, has_gradient=scorer.has_gradient)
        check_affordable(chosen, problem, where)
        folder = Path(out) if out is not None else new_folder([loaded], "search")
        run = continued(SearchRun, folder, info) if resume else SearchRun.create(folder, info)
        search_into(run, chosen, problem, scorer, progress or (lambda standing: None))
        keep_found(run, scorer, settings.keep, plan.first)
    run.finish()
    return run
