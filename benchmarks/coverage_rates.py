"""How often the intervals of rates hold what they should: measured on simulated data whose truth is known.

    python benchmarks/coverage_rates.py [--repeats 2000] [--only pooled] [--json]

A row for each procedure and setting: how often the interval held the truth, with the 95 % interval of that share. An
exact interval promises its level or more ("at least"); the others are meant to come out at their level ("about").
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy.special import expit, logit
from scipy.stats import bootstrap

from posetest.analysis.density import QUATERNION
from posetest.analysis.intervals import exact, upper_bound, wilson
from posetest.analysis.pooling import mean_interval
from posetest.analysis.reweight import weighted_share
from posetest.analysis.strata import strata
from posetest.analysis.view_density import seen, seen_draws
from posetest.analysis.weights import importance_weights
from posetest.config import ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.engine.record import POSE_COLUMNS
from posetest.geometry.so3 import matrix_to_quaternion
from posetest.space import INDEX, Space, object_to_camera, scene_space

Array = np.ndarray
LEVEL = 0.95
POSES = 300  # of each object


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    procedure: str
    setting: str
    promise: str
    nominal: float
    covered: float
    low: float
    high: float
    trials: int


def row(procedure: str, setting: str, promise: str, held: Array) -> Row:
    hits, trials = int(np.sum(held)), int(np.size(held))
    low, high = wilson(hits, trials)
    return Row(procedure, setting, promise, LEVEL, hits / trials, float(low), float(high), trials)


def of_one_share(repeats: int) -> Iterator[Row]:
    rng = np.random.default_rng(1)
    for n, true in [(2000, 0.2), (2000, 0.9), (200, 0.5), (200, 0.02), (2000, 0.001)]:
        k = rng.binomial(n, true, 20 * repeats)
        setting = f"n = {n}, share {true:g}"
        for name, rule, promise in (("wilson", wilson, "about"), ("exact", exact, "at least")):
            low, high = rule(k, n, LEVEL)
            yield row(name, setting, promise, (low <= true) & (true <= high))
        yield row("upper_bound", setting, "at least", true <= upper_bound(k, n, LEVEL))


def of_strata(repeats: int) -> Iterator[Row]:
    rng = np.random.default_rng(2)
    held: dict[str, list[Array]] = {"": [], "_exact": []}
    for _ in range(max(repeats // 5, 1)):
        distance = rng.uniform(2, 10, 2000)
        frame = pd.DataFrame({"distance": distance, "recognised": rng.random(2000) < 1.1 - distance / 10})
        frame = frame.assign(scene="s", model="m", ok=True, misread=~frame["recognised"], confident=False, top5=True)
        table = strata(frame, "distance", quantiles=4)
        a, b = table["stratum_low"], table["stratum_high"]
        # the mean of min(1, 1.1 - x / 10) over the stratum
        knee = np.clip(1.0, a, b)
        true = ((knee - a) + 1.1 * (b - knee) - (b**2 - knee**2) / 20) / (b - a)
        for kind, found in held.items():
            bounds = table[f"recognised{kind}_low"], table[f"recognised{kind}_high"]
            found.append(((bounds[0] <= true) & (true <= bounds[1])).to_numpy())
    for kind, found in held.items():
        promise = "at least" if kind else "about"
        yield row("strata" + kind.replace("_", ", "), "500 poses a quartile of distance", promise, np.array(found))


#: Name, chance of an object that is always right, parameters of the Beta distribution of the other objects' rates.
POPULATIONS = (
    ("rates around 0.8", 0.0, 8.0, 2.0),
    ("rates around 0.5", 0.0, 2.0, 2.0),
    ("all or nothing", 0.0, 0.5, 0.5),
    ("rates around 0.93", 0.0, 20.0, 1.5),
    ("0.91, some far below", 0.0, 5.0, 0.5),
    ("half always right", 0.5, 5.0, 1.0),
)


def of_objects(repeats: int) -> Iterator[Row]:
    for name, always, a, b in POPULATIONS:
        true = always + (1 - always) * a / (a + b)
        for objects in (8, 12, 20, 30):
            rng = np.random.default_rng([3, objects])
            chance = np.where(rng.random((repeats, objects)) < always, 1.0, rng.beta(a, b, (repeats, objects)))
            found = rng.binomial(POSES, chance) / POSES
            yield row("pooled", f"{objects} objects, {name}", "about", _held(found, true, is_difference=False))
            if objects <= 12 and not always:
                for method in ("percentile", "BCa"):
                    yield row(f"({method})", f"{objects} objects, {name}", "about", _scipy(found, true, method))


def _scipy(values: Array, true: float, method: str) -> Array:
    """Whether scipy's bootstrap interval of each row's mean held ``true``: what the studentised one is preferred to."""
    held = []
    for part in np.array_split(values, max(len(values) // 100, 1)):
        interval = bootstrap(
            (part,),
            np.mean,
            axis=1,
            n_resamples=999,
            method=method,
            confidence_level=LEVEL,
            rng=np.random.default_rng(6),
        ).confidence_interval
        held.append((interval.low <= true) & (true <= interval.high))
    return np.concatenate(held)


#: Name, Beta parameters of the baseline's rates, shift of the other model's logit: mean and deviation over objects.
SHIFTS = (
    ("no difference", 8.0, 2.0, 0.0, 0.7),
    ("rates around 0.8, worse", 8.0, 2.0, -0.6, 0.8),
    ("rates around 0.5, better", 2.0, 2.0, 0.2, 0.5),
    ("all or nothing, worse", 0.5, 0.5, -0.6, 0.8),
    ("rates around 0.93, worse", 20.0, 1.5, -0.6, 0.8),
)


def of_differences(repeats: int) -> Iterator[Row]:
    for name, a, b, shift, spread in SHIFTS:
        for objects in (8, 12, 20, 30):
            rng = np.random.default_rng([4, objects])

            def draw(shape: tuple[int, ...], rng: np.random.Generator = rng) -> tuple[Array, Array]:
                before = np.clip(rng.beta(a, b, shape), 1e-9, 1 - 1e-9)  # noqa: B023
                return before, expit(logit(before) + rng.normal(shift, spread, shape))  # noqa: B023

            before, after = draw((4_000_000,))
            true = float(np.mean(after - before))
            before, after = draw((repeats, objects))
            found = (rng.binomial(POSES, after) - rng.binomial(POSES, before)) / POSES
            yield row(
                "pooled_difference", f"{objects} objects, {name}", "about", _held(found, true, is_difference=True)
            )


def _held(values: Array, true: float, *, is_difference: bool) -> Array:
    bounds = [mean_interval(v, level=LEVEL, seed=i, is_difference=is_difference) for i, v in enumerate(values)]
    low, high = np.array(bounds).T
    return (low <= true) & (true <= high)


def space(**entries: object) -> Space:
    return scene_space(SceneConfig(object=ObjectConfig(mesh="x.obj"), space=SpaceConfig(**entries)))  # type: ignore[arg-type]


def log_range(prior: str) -> Space:
    return space(distance=RangeConfig(low=2, high=20, prior=prior))  # type: ignore[arg-type]


HAAR = space()
#: Name, audited space, target.
TARGETS = (
    ("Haar to upright", HAAR, space(yaw=(-180, 180), pitch=(-20, 30), roll=(-30, 30))),
    ("Haar to pitch uniform to 80", HAAR, space(pitch=RangeConfig(low=-80, high=80, prior="uniform"))),
    ("distance log to uniform", log_range("log"), log_range("uniform")),
    ("distance uniform to log", log_range("uniform"), log_range("log")),
    ("Euler to Haar", space(rotation="euler"), HAAR),
)
Rule = Callable[[Array], Array]


def column(vectors: Array, name: str) -> Array:
    values: Array = vectors[:, INDEX[name]]
    return values


#: Name, probability of being recognised at pose vectors [n, parameters].
RULES: tuple[tuple[str, Rule], ...] = (
    ("one share of 0.5", lambda v: np.full(len(v), 0.5)),
    ("one share of 0.98", lambda v: np.full(len(v), 0.98)),
    ("falls with distance", lambda v: 1 / (1 + column(v, "distance") / 6)),
    (
        "falls with tilt",
        lambda v: (
            0.1 + 0.8 * np.abs(np.cos(np.radians(column(v, "pitch")))) * (np.cos(np.radians(column(v, "roll"))) > 0)
        ),
    ),
    ("rare and far away", lambda v: 1 - 0.004 * column(v, "distance")),
)


def of_targets(repeats: int) -> Iterator[Row]:
    for seed, (name, drawn, target) in enumerate(TARGETS):
        wanted = target.sample(100 + seed, 0, 1_000_000)
        pool = drawn.sample(seed, 0, 2_000_000)
        frame = pd.DataFrame(pool, columns=list(POSE_COLUMNS))
        weights = importance_weights(frame, drawn, target)
        for rule_name, rule in RULES:
            true, chance = float(rule(wanted).mean()), rule(pool)
            rng = np.random.default_rng([5, seed])
            for n in (1000, 4000):
                held, sizes = [], []
                for _ in range(repeats):
                    start = int(rng.integers(0, len(pool) - n))
                    part = slice(start, start + n)
                    found = weighted_share(rng.random(n) < chance[part], weights[part], LEVEL)
                    held.append(found.low <= true <= found.high)
                    sizes.append(found.ess)
                setting = f"{name}, {n} poses count for {np.mean(sizes):.0f}, {rule_name}"
                yield row("reweighted", setting, "about", np.array(held))


LIT = {"light_azimuth": (-180, 180), "light_elevation": (-90, 90)}
PHOTOGRAPHER = space(rotation="fixed", yaw=(-180, 180), pitch=(-10, 10), roll=(-15, 15), elevation=(-5, 50), **LIT)
#: Name, audited space, target, its tilt in degrees, parts that stay as audited: spaces that turn by other angles.
VIEWS = (
    ("Haar to photographer", space(**LIT), PHOTOGRAPHER, 0.0, ()),
    ("Haar to photographer, light kept", HAAR, PHOTOGRAPHER, 0.0, ("light",)),
    (
        "Haar to a turntable, 5 degrees of tilt",
        HAAR,
        space(rotation="fixed", azimuth=(-180, 180), elevation=(0, 30)),
        5.0,
        ("light",),
    ),
    (
        "photographer to an arc of it, 5 degrees",
        PHOTOGRAPHER,
        space(rotation="fixed", azimuth=(-60, 60), elevation=(5, 35)),
        5.0,
        ("light",),
    ),
)
#: Name, probability of being recognised at views: rotations [n, 3, 3] and directions to the light [n, 3].
VIEW_RULES: tuple[tuple[str, Callable[[Array, Array], Array]], ...] = (
    ("one share of 0.98", lambda r, lit: np.full(len(r), 0.98)),
    ("falls with tilt and from behind", lambda r, lit: expit(4 * r[:, 1, 1] + 2 * r[:, 2, 2] - 3 + lit[:, 1])),
    ("one side alone", lambda r, lit: np.where(r[:, 2, 0] > 0, 0.9, 0.05)),
)


def of_views(repeats: int) -> Iterator[Row]:
    for seed, (name, drawn, target, roll_deg, keep) in enumerate(VIEWS):
        vectors = drawn.sample(seed, 0, 600_000)
        frame = pd.DataFrame(vectors, columns=list(POSE_COLUMNS))
        frame[list(QUATERNION)] = matrix_to_quaternion(object_to_camera(vectors))
        weights = importance_weights(frame, drawn, target, keep=keep, roll_deg=roll_deg)
        pool, wanted = seen(frame), seen_draws(target, 1_000_000, roll_deg, 100 + seed)
        if keep:  # the light of fresh audited poses, whichever way they are turned
            wanted = (wanted[0], seen_draws(drawn, 1_000_000, seed=200 + seed)[1])
        for rule_name, rule in VIEW_RULES:
            true, chance = float(rule(*wanted).mean()), rule(*pool)
            rng = np.random.default_rng([7, seed])
            for n in (2000, 8000):
                held, sizes = [], []
                for _ in range(repeats):
                    chosen = rng.integers(0, len(weights), n)
                    found = weighted_share(rng.random(n) < chance[chosen], weights[chosen], LEVEL)
                    held.append(found.low <= true <= found.high)
                    sizes.append(found.ess)
                setting = f"{name}, {n} poses count for {np.mean(sizes):.0f}, {rule_name}"
                yield row("reweighted views", setting, "about", np.array(held))


PARTS = {
    "share": of_one_share,
    "strata": of_strata,
    "pooled": of_objects,
    "difference": of_differences,
    "reweighted": of_targets,
    "views": of_views,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=2000)
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = [r for name, part in PARTS.items() if options.only in (None, name) for r in part(options.repeats)]
    if options.json:
        print(json.dumps([asdict(r) for r in found], indent=1))
        return
    print(f"{'procedure':22} {'setting':86} {'nominal':14} {'measured':8} 95 % interval")
    for r in found:
        nominal = f"{r.promise} {100 * r.nominal:g} %"
        interval = f"{100 * r.low:.1f} to {100 * r.high:.1f}"
        print(f"{r.procedure:22} {r.setting:86} {nominal:14} {100 * r.covered:6.1f} % {interval}")


if __name__ == "__main__":
    main()
