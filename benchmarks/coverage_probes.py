"""How often the intervals of the analyses of probes hold the truth, on simulated poses whose truth is known.

    python benchmarks/coverage_probes.py [--repeats 4000] [--only median] [--json]

Each row is a procedure in a setting: the share of repetitions whose interval holds the truth, with its own interval
(Wilson, 95 %). The nominal level of all two-sided intervals is 95 %. Of claims, which are one-sided, the share of
repetitions in which none is false. Boxes are slow: their repetitions are a tenth.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from posetest.analysis.intervals import lower_bound, wilson
from posetest.analysis.robust import median_interval
from posetest.analysis.sensitivity import flip_median
from posetest.analysis.tolerance import LEAST_SHARE, clustered_wilson
from posetest.api.probe_settings import BOX_DRAWS
from posetest.engine.probe_boxes import Boxes, Outcome
from posetest.engine.probe_plan import STEPS
from posetest.run_info import ProbeKind

Array = NDArray[np.float64]
LADDER = np.array(STEPS["yaw"])
#: One repetition: whether the interval of data drawn by the generator holds the truth.
Trial = Callable[[np.random.Generator], bool]


def flip_trial(n: int, typical: float, spread: float) -> Trial:
    """The median of ``n`` log-normal thresholds on the ladder of degrees; the truth is linear between its steps."""
    law = stats.lognorm(spread, scale=typical)
    shares = np.concatenate([[0.0], law.cdf(LADDER)])
    truth = float(np.interp(0.5, shares, np.concatenate([[0.0], LADDER])))

    def trial(rng: np.random.Generator) -> bool:
        threshold = rng.lognormal(math.log(typical), spread, n)
        flips = np.append(LADDER, np.inf)[np.searchsorted(LADDER, threshold)]
        _, low, high = flip_median(flips, LADDER)
        # nan: beyond the ladder
        return (low <= truth) and (math.isnan(high) or truth <= high)

    return trial


def fail_trial(n: int, typical: float, spread: float) -> Trial:
    """The share of ``n`` log-normal thresholds that the ladder reaches."""
    truth = float(stats.lognorm(spread, scale=typical).cdf(LADDER[-1]))

    def trial(rng: np.random.Generator) -> bool:
        failed = int((rng.lognormal(math.log(typical), spread, n) <= LADDER[-1]).sum())
        low, high = wilson(failed, n)
        return bool(low <= truth <= high)

    return trial


def persist_trial(n: int, truth: float) -> Trial:
    """The share ``truth`` of misread poses that are misread again, of ``n``."""

    def trial(rng: np.random.Generator) -> bool:
        low, high = wilson(int(rng.binomial(n, truth)), n)
        return bool(low <= truth <= high)

    return trial


def turn_trial(n: int, draws: int, a: float, b: float) -> Trial:
    """The mean rate of ``n`` poses whose rates are Beta(a, b), of ``draws`` turns each."""

    def trial(rng: np.random.Generator) -> bool:
        _, low, high = clustered_wilson(rng.binomial(draws, rng.beta(a, b, n)) / draws)
        return bool(low <= a / (a + b) <= high)

    return trial


def mixed_trial(n: int, draws: int, steady: float) -> Trial:
    """As ``turn_trial``; a share ``steady`` of the poses is always recognised, the rates of the others are uniform."""
    truth = steady + (1 - steady) / 2

    def trial(rng: np.random.Generator) -> bool:
        rates = np.where(rng.random(n) < steady, 1.0, rng.random(n))
        _, low, high = clustered_wilson(rng.binomial(draws, rates) / draws)
        return bool(low <= truth <= high)

    return trial


def exact_trial(n: int, truth: float) -> Trial:
    """One-sided: the bound from ``n`` turns is not above the share."""
    return lambda rng: bool(lower_bound(rng.binomial(n, truth), n) <= truth)


def claim_trial(draws: int, shares: Array) -> Trial:
    """One-sided: no radius is claimed whose share (falling with the radius) is below 0.9."""

    def trial(rng: np.random.Generator) -> bool:
        held = np.logical_and.accumulate(lower_bound(rng.binomial(draws, shares), draws) >= LEAST_SHARE)
        return not bool(held[shares < LEAST_SHARE].any())

    return trial


def grown(values: Array, rule: Callable[[Array], Array], rng: np.random.Generator, what: ProbeKind) -> Outcome:
    """The boxes around ``values`` [c, d] that the probe of axes (d = 1) or boxes finds where ``rule`` answers."""
    ladders = [LADDER] * values.shape[1]
    limits = np.repeat([[-360.0, 360.0]], values.shape[1], axis=0)
    boxes = Boxes(values, ladders, limits, least=LEAST_SHARE, **BOX_DRAWS[what])
    while (asked := boxes.ask(rng)) is not None:
        boxes.tell(asked.points, rule(asked.points))
    return boxes.outcome()


def reaches(edges: Array, rng: np.random.Generator, blur: float) -> Array:
    """How far up [n] intervals reach: recognised up to their ``edges`` [n], misread there with a chance of ``blur``."""
    # each pose on a place of its own, so that a point tells whose it is
    values = np.arange(len(edges), dtype=float)[:, None] * 1000
    limits = np.array([[-1000.0, 1000.0 * len(edges)]])
    boxes = Boxes(values, [LADDER], limits, least=LEAST_SHARE, **BOX_DRAWS["axes"])
    while (asked := boxes.ask(rng)) is not None:
        away = np.abs(asked.points[:, 0] - values[asked.cell, 0])
        boxes.tell(asked.points, (away <= edges[asked.cell]) & (rng.random(len(away)) >= blur))
    found = boxes.outcome()
    return np.where(found.is_held, found.box[:, 0, 1] - values[:, 0], 0.0)


def reach_trial(n: int, typical: float, spread: float, blur: float) -> Trial:
    """The median reach of ``n`` poses; the truth is that of 20,000."""
    rng = np.random.default_rng(11)
    truth = float(np.median(reaches(rng.lognormal(math.log(typical), spread, 20_000), rng, blur)))

    def trial(rng: np.random.Generator) -> bool:
        _, low, high = median_interval(reaches(rng.lognormal(math.log(typical), spread, n), rng, blur))
        return bool(low <= truth <= high)

    return trial


def interval_claim_trial(chance: float) -> Trial:
    """One-sided: everywhere recognised with a ``chance`` below what is claimed, so that every claim is false."""

    def trial(rng: np.random.Generator) -> bool:
        found = grown(np.zeros((1, 1)), lambda x: rng.random(len(x)) < chance, rng, "axes")
        return not bool(found.is_held[0])

    return trial


def box_claim_trial(scale: Array, blur: float) -> Trial:
    """One-sided: the share recognised in a box that is claimed, about a pose within an ellipsoid, is 0.9 or more."""

    def trial(rng: np.random.Generator) -> bool:
        def rule(x: Array) -> Array:
            inside = ((x / scale) ** 2).sum(axis=1) <= 1
            return np.asarray(inside & (rng.random(len(x)) >= blur))

        # not in the middle, so that faces end at different places
        start = scale * rng.uniform(-0.4, 0.4, (1, len(scale)))
        found = grown(start, rule, rng, "boxes")
        if not found.is_held[0]:
            return True
        low, high = found.box[0, :, 0], found.box[0, :, 1]
        share = (((low + rng.random((4000, len(scale))) * (high - low)) / scale) ** 2).sum(axis=1) <= 1
        return bool(share.mean() * (1 - blur) >= LEAST_SHARE)

    return trial


def procedures() -> list[tuple[str, str, float, Trial]]:
    """Procedure, setting, nominal level and trial."""
    found: list[tuple[str, str, float, Trial]] = []
    for n in (30, 50, 200):
        for typical, spread in ((10.0, 1.0), (20.0, 0.6), (70.0, 1.2)):
            setting = f"n = {n}, thresholds about {typical:g} degrees, spread {spread:g}"
            found.append(("median flip (Woodruff)", setting, 0.95, flip_trial(n, typical, spread)))
    for n in (50, 200):
        found.append(("failure rate (Wilson)", f"n = {n}, thresholds about 70 degrees", 0.95, fail_trial(n, 70.0, 1.2)))
    for n, truth in ((50, 0.8), (100, 0.6)):
        found.append(("share that persists (Wilson)", f"n = {n}, truth {truth:g}", 0.95, persist_trial(n, truth)))
    for n, a, b in ((40, 8.0, 2.0), (40, 1.0, 1.0), (40, 2.0, 0.5), (100, 2.0, 0.5), (40, 80.0, 20.0)):
        setting = f"{n} poses of 30 turns, rates Beta({a:g}, {b:g})"
        found.append(("rate of turns (clustered)", setting, 0.95, turn_trial(n, 30, a, b)))
    for n in (40, 100):
        setting = f"{n} poses of 30 turns, 4 of 5 always recognised"
        found.append(("rate of turns (clustered)", setting, 0.95, mixed_trial(n, 30, 0.8)))
    found.append(("exact bound (one-sided)", "n = 30, truth 0.9", 0.95, exact_trial(30, 0.9)))
    shares = np.array([1.0, 0.99, 0.95, 0.899, 0.899, 0.899, 0.5])
    found.append(("tolerance claim (one-sided)", "30 turns, 7 radii, 4 just below 0.9", 0.95, claim_trial(30, shares)))
    found.append(
        ("tolerance claim (one-sided)", "200 turns, 7 radii, 4 just below 0.9", 0.95, claim_trial(200, shares))
    )
    for n, typical, spread, blur in ((20, 10.0, 1.0, 0.0), (20, 20.0, 0.6, 0.01), (60, 10.0, 1.0, 0.01)):
        setting = f"n = {n}, edges about {typical:g} degrees, spread {spread:g}, misread inside {blur:g}"
        found.append(("median reach (sign test)", setting, 0.95, reach_trial(n, typical, spread, blur)))
    for chance in (0.895, 0.85):
        setting = f"everywhere recognised with {chance:g}"
        found.append(("interval claim (one-sided)", setting, 0.95, interval_claim_trial(chance)))
    for scale, blur in (((30.0, 50.0), 0.0), ((30.0, 50.0), 0.05), ((20.0, 30.0, 50.0, 40.0), 0.0)):
        setting = f"ellipsoid of {len(scale)} parameters, misread inside {blur:g}"
        found.append(("box claim (one-sided)", setting, 0.95, box_claim_trial(np.array(scale), blur)))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="procedures whose name begins so")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = []
    for number, (procedure, setting, nominal, trial) in enumerate(procedures()):
        if not procedure.startswith(given.only):
            continue
        rng = np.random.default_rng([given.seed, number])
        repeats = given.repeats // 10 if procedure.startswith(("box", "interval claim")) else given.repeats
        held = sum(trial(rng) for _ in range(repeats))
        low, high = wilson(held, repeats)
        rows.append(
            {
                "procedure": procedure,
                "setting": setting,
                "nominal": nominal,
                "coverage": held / repeats,
                "low": float(low),
                "high": float(high),
            }
        )
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        measured = f"{row['coverage']:.3f} [{row['low']:.3f}, {row['high']:.3f}]"
        print(f"{row['procedure']:<30}{row['setting']:<68}{row['nominal']:<7}{measured}")


if __name__ == "__main__":
    main()
