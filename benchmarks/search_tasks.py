"""What one task of the search benchmark does: searches of one method on one object, with one seed, as plain records."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workloads import SHARED, classifier

from posetest.api.search_plan import upright_views
from posetest.engine.evaluate import short_names
from posetest.engine.score import Scorer
from posetest.engine.search_loop import Standing, steps
from posetest.errors import ConfigError
from posetest.models.labels import resolve_labels
from posetest.objectives import parse_objective
from posetest.protocols import Objective
from posetest.render.select import open_renderer
from posetest.search.asktell import Evaluation, Problem, Search
from posetest.search.domain import make_domain
from posetest.search.elites import pose_cells
from posetest.search.select import make_method
from posetest.space import NAMES, scene_space

Array = NDArray[np.float64]

ROTATION = ("yaw", "pitch", "roll")
#: Calls at which the state of a targeted search is noted.
CHECKPOINTS = (105, 210, 315, 420, 630, 840, 1050, 1575, 2100)
#: Poses, of a seed that no search has, that targets are chosen by; and where among the labels never seen in them,
#: ranked by the highest probability they had, the others stand: from nearly seen to far off.
TARGET_POSES, TARGET_SEED, NEVER_RANKS = 2000, 2**31, (0, 4, 19, 49, 149)
#: Methods whose poses depend on no score: one run serves all targets.
BLIND = ("random", "sobol", "grid")


@dataclass(frozen=True)
class Task:
    """One experiment's searches of ``method`` on ``mesh`` with ``seed``."""

    experiment: str
    network: str
    mesh: str
    method: str
    seed: int
    budget: int
    targets: tuple[tuple[str, int], ...] = ()

    @property
    def key(self) -> str:
        return f"{self.experiment}/{self.network}/{self.mesh}/{self.method}/{self.seed}/{self.budget}"


def manifest() -> dict[str, dict[str, str]]:
    """Rows of the meshes by name, without those that are another file of the same object."""
    with (SHARED / "meshes" / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return {row["name"]: row for row in csv.DictReader(file) if row["name"] not in ("ox_glb", "pop_bottle_ply")}


@cache
def load(mesh: str, network: str) -> tuple[Any, Any, tuple[int, ...]]:
    """Scene, model and accepted classes."""
    import torch

    import posetest

    torch.set_num_threads(1)  # tasks run side by side, one on each core
    row = manifest()[mesh]
    labels = [int(row["imagenet_index"]), *map(int, filter(None, row["other_acceptable_indices"].split(";")))]
    texture = SHARED / "meshes" / "coffee_mug" / "mug.png" if mesh == "coffee_mug" else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # meshes with a few faces without area
        scene = posetest.load_scene(
            SHARED / "meshes" / row["file"],
            up=row["up_axis"],
            front=row["front_axis"] or None,
            labels=labels,
            texture=texture,
        )
    model = classifier(network)
    return scene, model, resolve_labels(labels, model.categories, mesh)


def scorer_of(mesh: str, network: str, objective: str, vary: tuple[str, ...] = (), base: Array | None = None) -> Scorer:
    scene, model, accepted = load(mesh, network)
    space = scene_space(scene.config, scene.background.count)
    domain = make_domain(space, vary or None, None if base is None else dict(zip(NAMES, base.tolist(), strict=True)))
    goal: Objective = parse_objective(objective, model.categories, accepted)
    renderer = open_renderer(scene.mesh, scene.background, scene.config.render, threads=1)
    return Scorer(scene, model, goal, domain, renderer, accepted, short_names(model))


def anchor_of(mesh: str, network: str) -> Array:
    """The upright view [parameters] that is recognised most surely."""
    scorer = scorer_of(mesh, network, "fool")
    vectors = upright_views(scorer.scene, scorer.domain.space)
    anchor: Array = vectors[int(scorer.evaluate(vectors, 0).evaluation.margins.argmin())]
    return anchor


def targets_of(mesh: str, network: str, count: int = 5) -> dict[str, Any]:
    """The most frequent wrong labels over TARGET_POSES random poses, and labels that were never first in them."""
    scorer = scorer_of(mesh, network, "fool")
    vectors = scorer.domain.sample(TARGET_SEED, 0, TARGET_POSES)
    drawn = [scorer.renderer.render(views, 224, 224).images for views in _views(scorer, vectors)]
    log_p = np.concatenate([scorer.margins(images)[1] for images in drawn])
    firsts = np.bincount(log_p.argmax(1), minlength=log_p.shape[1])
    wrong = firsts.copy()
    wrong[list(scorer.accepted)] = 0
    highest = np.where((firsts > 0) | np.isin(np.arange(len(firsts)), scorer.accepted), -np.inf, log_p.max(0))
    never = np.argsort(-highest, kind="stable")
    return {
        "frequent": [int(label) for label in np.argsort(-wrong, kind="stable")[:count] if wrong[label]],
        "never": [int(never[rank]) for rank in NEVER_RANKS[:count]],
        "recognised_share": float(firsts[list(scorer.accepted)].sum() / len(vectors)),
    }


def _views(scorer: Scorer, vectors: Array) -> Iterator[Any]:
    from posetest.space import vectors_to_views

    for first in range(0, len(vectors), 64):
        yield vectors_to_views(vectors[first : first + 64], scorer.scene.config)


def run_task(task: Task) -> list[dict[str, Any]]:
    """The records of a task: one a search."""
    kinds = {"untargeted": _untargeted, "targeted": _targeted, "second": _targeted}
    kinds |= {"nearest": _nearest, "coverage": _coverage}
    return [asdict(task) | {"targets": None} | record for record in kinds[task.experiment](task)]


def _searched(
    scorer: Scorer, task: Task, start: Array | None = None, stop_at_hit: bool = False
) -> tuple[Evaluation, NDArray[np.int64]]:
    """All evaluations of one search, in order, and the calls until and with each."""
    starts = np.empty((0, len(NAMES))) if start is None else start[None]
    problem = Problem(scorer.domain, task.seed, task.budget, starts, scorer.has_gradient, anchor=scorer.anchor)
    standing, pieces, calls = Standing(task.budget), [], []
    for step in steps(Search(make_method(task.method), problem), scorer, standing):
        told, each = step.scored.evaluation, step.proposal.calls_each
        pieces.append(told)
        calls.append(standing.calls - each * np.arange(len(told))[::-1])
        if stop_at_hit and standing.hits:
            break
    whole = Evaluation(
        *(np.concatenate([getattr(e, n) for e in pieces]) for n in ("vectors", "scores", "margins", "labels"))
    )
    return whole, np.concatenate(calls)


def _first(is_hit: NDArray[np.bool_], calls: NDArray[np.int64]) -> int | None:
    return int(calls[is_hit.argmax()]) if is_hit.any() else None


def _untargeted(task: Task) -> Iterator[dict[str, Any]]:
    anchor = anchor_of(task.mesh, task.network)
    scorer = scorer_of(task.mesh, task.network, "fool", base=anchor)
    with closing(scorer.renderer):
        # the start as the search may have it: within the intervals of distance and offsets
        start = scorer.domain.moved(anchor[None], np.zeros(scorer.domain.dim))[0]
        told, calls = _searched(scorer, task, start, stop_at_hit=True)
    yield {"hit": _first(told.margins > 0, calls), "calls": int(calls[-1])}


def _targeted(task: Task) -> Iterator[dict[str, Any]]:
    if task.method in BLIND:
        yield from _targeted_blind(task)
        return
    for kind, label in task.targets:
        scorer = scorer_of(task.mesh, task.network, f"target:{label}")
        with closing(scorer.renderer):
            told, calls = _searched(scorer, task)
        yield _targeted_record(kind, label, told.scores, told.margins > 0, calls)


def _targeted_blind(task: Task) -> Iterator[dict[str, Any]]:
    """All targets from one run: its poses are the same for each."""
    scorer = scorer_of(task.mesh, task.network, "fool")
    with closing(scorer.renderer):
        told, calls = _searched(scorer, task)
        drawn = [scorer.renderer.render(views, 224, 224).images for views in _views(scorer, told.vectors)]
        log_p = np.concatenate([scorer.margins(images)[1] for images in drawn])
    for kind, label in task.targets:
        yield _targeted_record(kind, label, log_p[:, label], log_p.argmax(1) == label, calls)


def _targeted_record(
    kind: str, label: int, scores: Array, is_hit: NDArray[np.bool_], calls: NDArray[np.int64]
) -> dict[str, Any]:
    best = [float(np.exp(scores[calls <= at].max())) if (calls <= at).any() else 0.0 for at in CHECKPOINTS]
    return {"kind": kind, "target": label, "hit": _first(is_hit, calls), "best_p": best, "calls": int(calls[-1])}


def _nearest(task: Task) -> Iterator[dict[str, Any]]:
    anchor = anchor_of(task.mesh, task.network)
    scorer = replace(scorer_of(task.mesh, task.network, "fool", ROTATION, anchor), anchor=anchor)
    with closing(scorer.renderer):
        try:
            told, calls = _searched(scorer, task, anchor)
        except ConfigError as error:  # a method that searches along the distance, which is held here
            yield {"angle_deg": None, "reason": str(error)}
            return
    angles = np.degrees(scorer.domain.distance(anchor[None], told.vectors))
    hits = np.where(told.margins > 0, angles, np.inf)
    yield {"angle_deg": float(hits.min()) if np.isfinite(hits.min()) else None, "calls": int(calls[-1])}


def nearest_truth(mesh: str, network: str, spacing_deg: float = 0.7, most_deg: float = 30) -> dict[str, Any]:
    """The nearest misread pose of a dense lattice of turns around the most surely recognised view, shell by shell."""
    anchor = anchor_of(mesh, network)
    scorer = scorer_of(mesh, network, "fool", ROTATION, anchor)
    seen = 0
    with closing(scorer.renderer):
        for radius in np.arange(1.0, most_deg + 1):
            reach = np.arange(-np.ceil(radius / spacing_deg), np.ceil(radius / spacing_deg) + 1) * spacing_deg
            lattice = np.stack(np.meshgrid(reach, reach, reach, indexing="ij"), axis=-1).reshape(-1, 3)
            length = np.linalg.norm(lattice, axis=1)
            shell = lattice[(length > radius - 1) & (length <= radius)]
            nearest = np.inf
            for first in range(0, len(shell), 256):
                turns = np.radians(shell[first : first + 256])
                told = scorer.evaluate(scorer.domain.moved(anchor[None], turns), 0).evaluation
                seen += len(turns)
                if (told.margins > 0).any():
                    nearest = min(nearest, float(np.linalg.norm(turns[told.margins > 0], axis=1).min()))
            if np.isfinite(nearest):
                return {"angle_deg": float(np.degrees(nearest)), "poses": seen}
    return {"angle_deg": None, "poses": seen}


def _coverage(task: Task) -> Iterator[dict[str, Any]]:
    scorer = scorer_of(task.mesh, task.network, "fool")
    with closing(scorer.renderer):
        told, calls = _searched(scorer, task)
    is_wrong = told.margins > 0
    pairs = np.stack([pose_cells(scorer.domain, told.vectors), told.labels], axis=1)[is_wrong]
    at = {count: len(np.unique(pairs[calls[is_wrong] <= count], axis=0)) for count in (1000, 2000, 5000, task.budget)}
    yield {
        "pairs": at[task.budget],
        "pairs_at": {str(k): v for k, v in at.items()},
        "labels": len(np.unique(pairs[:, 1])),
    }


#: Steps at which ``roughness`` looks: radians, half-ranges.
STEPS = (0.004, 0.01, 0.02, 0.05, 0.1, 0.3)


def roughness(mesh: str, network: str, poses: int = 16) -> dict[str, Any]:
    """How fast the score of the most frequent wrong label changes with the pose, and how far its gradient holds.

    By step: the root mean square change of the score over a random turn of that size, as a share of its standard
    deviation over poses, and the median cosine between the render gradient (2 x 2 samples) and central differences over
    the step.
    """
    known = targets_of(mesh, network, 1)
    label = (known["frequent"] + known["never"])[0]  # a network may know the object in all poses
    scorer = scorer_of(mesh, network, f"target:{label}")
    scorer = replace(scorer, scene=scorer.scene.drawn_with({"samples": 2}))
    scene, domain = scorer.scene, scorer.domain
    scorer = replace(scorer, renderer=open_renderer(scene.mesh, scene.background, scene.config.render, threads=1))
    vectors = domain.sample(5, 0, poses)
    told = scorer.evaluate(vectors, 0, with_gradient=True).evaluation
    assert told.gradients is not None
    spread = float(scorer.evaluate(domain.sample(6, 0, 256), 0).evaluation.scores.std())
    turns = np.random.default_rng(0).normal(size=(poses, 3))
    turns /= np.linalg.norm(turns, axis=1, keepdims=True)
    changes, cosines = {}, {}
    for step in STEPS:
        moved = domain.moved(vectors, np.pad(step * turns, ((0, 0), (0, domain.dim - 3))))
        change = scorer.evaluate(moved, 0).evaluation.scores - told.scores
        changes[step] = float(np.sqrt(np.mean(change**2)) / spread)
        slopes = np.zeros_like(told.gradients)
        for k in range(domain.dim):
            side = step * np.eye(domain.dim)[k]
            ahead, behind = (scorer.evaluate(domain.moved(vectors, s * side), 0).evaluation.scores for s in (1, -1))
            slopes[:, k] = (ahead - behind) / (2 * step)
        sizes = np.linalg.norm(told.gradients, axis=1) * np.linalg.norm(slopes, axis=1)
        cosines[step] = float(np.median((told.gradients * slopes).sum(axis=1) / np.maximum(sizes, 1e-30)))
    return {"change": [changes[step] for step in STEPS], "cosine": [cosines[step] for step in STEPS]}
