"""All search methods on the same objects, network, targets, seeds and budgets of classifier calls.

    python benchmarks/search.py [--out runs/search-benchmark] [--experiments untargeted targeted ...]
    python benchmarks/search.py --quick --json

A backward pass counts as two calls. Every task (method, object, seed) is one line of OUT/results.jsonl once it is done;
started again, the benchmark goes on with what is missing and prints the tables. Tasks run side by side, one on each
core, torch and BLAS on one thread. The full run takes about two hours on two cores, and another one for every further
seed of "targeted"; --quick under a minute, caches warm.

untargeted  from the most surely recognised of 54 upright views: calls to the first misread pose, within 2,000 calls
targeted    ten labels an object, five of its most frequent wrong ones, five never seen in 2,000 random poses; 2,100
            calls, which is what FD-G spends: hit rate and highest probability of the target
nearest     angle to the nearest misread pose, against a dense lattice of turns
coverage    distinct pairs of SO(3) cell and wrong label found in 10,000 calls
second      targeted again, the best three methods and the best published one, two objects, mobilenet_v2
roughness   how fast scores change with the pose, and how far a gradient holds

Intervals are percentiles of a bootstrap that draws objects, then their targets and seeds.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from search_tables import (
    as_text,
    by_method,
    coverage_rows,
    goal_rows,
    hit_rate,
    median_calls,
    nearest_rows,
    object_rows,
    targeted_rows,
    untargeted_rows,
)
from workloads import PROCESS, SHARED

NETWORK, SECOND = "mobilenet_v1_0.25_128", "mobilenet_v2"
SEEDS, BUDGET = 1, 2100
#: Those of which the network recognises the most upright views, the most first.
OBJECTS = (
    *("goblet", "pirate_ship", "coffee_mug", "soccer_ball"),
    *("red_fox", "traffic_light", "studio_couch", "chiffonier"),
)
PUBLISHED = ("random", "zrs", "fd-g", "dr-g", "cma-report", "viewfool", "gmvfool")
OURS = ("auto", "surrogate", "cma", "gradient", "map-elites", "cma-me", "sobol", "grid")
NEAREST = ("nearest", "random", "surrogate", "cma", "gradient", "fd-g", "dr-g", "cma-report", "viewfool")
COVERAGE = ("map-elites", "cma-me", "random", "sobol")
EXPERIMENTS = ("untargeted", "targeted", "nearest", "coverage", "second", "roughness")
Record = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/search-benchmark"))
    parser.add_argument("--experiments", nargs="*", default=list(EXPERIMENTS))
    parser.add_argument("--methods", nargs="*", help="these alone")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--objects", type=int, default=len(OBJECTS))
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--quick", action="store_true", help="three objects, four methods, two seeds")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    restart_alone_on_a_core()
    if not (SHARED / "meshes" / "manifest.csv").is_file():
        sys.exit("the real meshes and networks of ../shared are not here: this benchmark compares methods on them")
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        if options.quick:
            print(json.dumps(quick(pool)) if options.json else json.dumps(quick(pool), indent=2))
            return
        store = Store(options.out)
        prepare(pool, store, options.objects)
        for experiment in options.experiments:
            if experiment == "roughness":
                from search_tasks import roughness

                networks = (NETWORK, SECOND)
                jobs = [(mesh, network) for network in networks for mesh in store.done["objects"][:4]]
                measured(pool, store, "roughness", roughness, jobs)
            else:
                run_all(pool, store, tasks_of(experiment, store, options.seeds, options.methods))
    tables = {title: rows for name in options.experiments for title, rows in tables_of(store, name).items()}
    print(json.dumps(tables) if options.json else "\n\n".join(f"## {k}\n\n{as_text(v)}" for k, v in tables.items()))


def restart_alone_on_a_core() -> None:
    """Starts the script again with waiting threads asleep and numerical libraries on one thread."""
    wanted = PROCESS | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    if any(os.environ.get(key) != value for key, value in wanted.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)


class Store:
    """Results on disk: one line a finished task or measured fact, so that a killed benchmark goes on."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "results.jsonl"
        lines = self._file.read_text().splitlines() if self._file.is_file() else []
        self.done: dict[str, Any] = dict(json.loads(line) for line in lines)

    def put(self, key: str, value: Any) -> None:
        self.done[key] = value
        with self._file.open("a") as file:
            file.write(json.dumps([key, value]) + "\n")

    def records(self, experiment: str) -> list[Record]:
        return [r for key, value in self.done.items() if key.startswith(f"{experiment}/") for r in value]


def measured(pool: Any, store: Store, name: str, function: Callable[..., Any], jobs: Iterable[tuple[str, str]]) -> None:
    """``function`` of each (mesh, network) that is not yet known."""
    missing = [job for job in jobs if f"{name}/{'/'.join(job)}" not in store.done]
    waiting = [(job, pool.apply_async(function, job)) for job in missing]
    for job, result in waiting:
        store.put(f"{name}/{'/'.join(job)}", result.get())


def prepare(pool: Any, store: Store, objects: int) -> None:
    """The objects' targets."""
    from search_tasks import targets_of

    store.done["objects"] = list(OBJECTS[:objects])
    measured(pool, store, "targets", targets_of, [(mesh, NETWORK) for mesh in store.done["objects"]])


def tasks_of(experiment: str, store: Store, seeds: int, only: list[str] | None = None) -> list[Any]:
    from search_tasks import Task

    objects = store.done["objects"]
    if experiment == "second":
        best = dict.fromkeys((*best_methods(store, 3, (*PUBLISHED, *OURS)), *best_methods(store, 1, PUBLISHED)))
        return [
            Task("second", SECOND, mesh, method, seed, BUDGET)
            for method in best
            for mesh in objects[:2]
            for seed in range(min(seeds, 2))
        ]
    methods = {
        "untargeted": (*PUBLISHED, *OURS),
        "targeted": (*PUBLISHED, *OURS),
        "nearest": NEAREST,
        "coverage": COVERAGE,
    }[experiment]
    budget = {"untargeted": 2000, "targeted": BUDGET, "nearest": 2000, "coverage": 10_000}[experiment]
    # seed by seed: a benchmark that is stopped early has every method on every object
    return [
        Task(experiment, NETWORK, mesh, method, seed, budget)
        for seed in range(seeds)
        for method in methods
        if only is None or method in only
        for mesh in objects
    ]


def run_all(pool: Any, store: Store, tasks: list[Any]) -> None:
    from search_tasks import nearest_truth, targets_of

    if tasks and tasks[0].experiment == "nearest":
        measured(pool, store, "truth", nearest_truth, [(mesh, NETWORK) for mesh in store.done["objects"]])
    if tasks and tasks[0].experiment == "second":
        measured(pool, store, "targets", targets_of, {(t.mesh, t.network): None for t in tasks})
    missing = []
    for task in tasks:
        if task.key in store.done:
            continue
        if task.experiment in ("targeted", "second"):
            known = store.done[f"targets/{task.mesh}/{task.network}"]
            labels = tuple((kind, label) for kind in ("frequent", "never") for label in known[kind])
            task = replace(task, targets=labels)
        missing.append(task)
    for number, (key, records) in enumerate(pool.imap_unordered(keyed, missing)):
        store.put(key, records)
        print(f"{number + 1}/{len(missing)} {key}", file=sys.stderr, flush=True)


def keyed(task: Any) -> tuple[str, list[Record]]:
    from search_tasks import run_task

    return task.key, run_task(task)


def best_methods(store: Store, count: int, among: tuple[str, ...]) -> list[str]:
    """Those of highest hit rate at the full budget, targets of both kinds together."""
    groups = by_method(store.records("targeted"))
    known = [method for method in among if method in groups]
    return sorted(known, key=lambda method: -hit_rate(BUDGET)(groups[method]))[:count]


def tables_of(store: Store, experiment: str) -> dict[str, list[dict[str, Any]]]:
    """The tables of one experiment by title."""
    from search_tasks import CHECKPOINTS

    if experiment == "roughness":
        return {experiment: roughness_rows(store)}
    records = store.records(experiment)
    if experiment in ("targeted", "second"):
        tables = {experiment: targeted_rows(records, CHECKPOINTS, BUDGET // 5, BUDGET)}
        if experiment == "targeted":
            tables["targeted: the goal"] = goal_rows(records, PUBLISHED, CHECKPOINTS)
            tables["targeted: auto and random by object"] = object_rows(records, BUDGET)
        return tables
    if experiment == "nearest":
        truth = {k.split("/")[1]: v["angle_deg"] for k, v in store.done.items() if k.startswith("truth/")}
        return {experiment: nearest_rows(records, truth)}
    return {experiment: coverage_rows(records) if experiment == "coverage" else untargeted_rows(records, 2000)}


def roughness_rows(store: Store) -> list[dict[str, Any]]:
    """By network and step, medians over objects of what ``roughness`` found."""
    from search_tasks import STEPS

    rows = []
    for network in (NETWORK, SECOND):
        found = [v for k, v in store.done.items() if k.startswith("roughness/") and k.endswith(f"/{network}")]
        for number, step in enumerate(STEPS if found else ()):
            rows.append(
                {
                    "network": network,
                    "step, degrees": round(math.degrees(step), 2),
                    "change of the score over its spread": median(v["change"][number] for v in found),
                    "cosine of gradient and differences": median(v["cosine"][number] for v in found),
                    "objects": len(found),
                }
            )
    return rows


def quick(pool: Any) -> dict[str, dict[str, float | None]]:
    """Hit rate and median calls to the hit by method: three objects, two targets each, two seeds, 315 calls."""
    from search_tasks import Task, targets_of

    meshes, budget = ("soccer_ball", "goblet", "coffee_mug"), 315
    known = pool.starmap(targets_of, [(mesh, NETWORK, 1) for mesh in meshes])
    labels = {
        m: tuple((kind, t) for kind in ("frequent", "never") for t in found[kind])
        for m, found in zip(meshes, known, strict=True)
    }
    tasks = [
        replace(Task("targeted", NETWORK, mesh, method, seed, budget), targets=labels[mesh])
        for method in ("random", "zrs", "cma-report", "auto")
        for mesh in meshes
        for seed in range(2)
    ]
    records = [record for _, found in pool.imap_unordered(keyed, tasks) for record in found]
    return {
        method: {
            "hit_rate": round(hit_rate(budget)(group), 4),
            "median_calls": _or_none(median_calls(group)),
            "n": len(group),
        }
        for method, group in sorted(by_method(records).items())
    }


def _or_none(value: float) -> float | None:
    return None if math.isinf(value) else value


if __name__ == "__main__":
    main()
