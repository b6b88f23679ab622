"""How often the 95 % intervals of regions, calibration and unseen labels hold the truth, on simulated answers.

    python benchmarks/coverage_regions.py [--repeats 400] [--only regions] [--json]

For regions also how often failures without a place are told one by chance (nominal: at most 1 %).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.calibration import BINS, calibration_error, calibration_inside
from posetest.analysis.features import pose_features
from posetest.analysis.intervals import wilson
from posetest.analysis.labels import distinct_labels
from posetest.analysis.rarefied import common_size, comparable_size, rarefied_count, rarefied_jaccard
from posetest.analysis.regions import failure_regions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from planted_failures import Place, haar_poses, planted

Array = NDArray[np.float64]
Held = dict[tuple[str, str], list[bool]]

PLACES: dict[str, tuple[Place, float, float]] = {
    "back half": (lambda x: x["azimuth"].abs() > 90, 0.9, 0.1),
    "faint band": (lambda x: (x["elevation"] > 20) & (x["elevation"] < 50), 0.35, 0.15),
    "two places": (
        lambda x: (
            ((x["azimuth"] > 30) & (x["azimuth"] < 90) & (x["elevation"] < 0))
            | ((x["azimuth"] > -150) & (x["azimuth"] < -100) & (x["elevation"] > 20))
        ),
        0.8,
        0.1,
    ),
}
ACCURACIES: dict[str, Callable[[Array], Array]] = {
    "calibrated": lambda p: p,
    "too sure by 0.03": lambda p: np.clip(p - 0.03, 0, 1),
    "too sure by 0.1": lambda p: np.clip(p - 0.1, 0, 1),
    "far too sure": lambda p: 0.4 * p,
    "crossing": lambda p: 0.5 + 0.6 * (p - 0.5),
    "wrong where surest": lambda p: np.where(p > 0.9, p - 0.4, p),
}


def regions_held(repeats: int, held: Held) -> None:
    """Truths: of many fresh poses the share in the region as told, and the planted chances there."""
    fresh = haar_poses(200_000, 10**6)
    features = pose_features(fresh)
    for name, (place, inside, outside) in PLACES.items():
        chance = np.where(np.asarray(place(features)), inside, outside)
        for n in (600, 3000):
            for seed in range(repeats):
                for found in failure_regions(planted(n, seed, place, inside, outside), seed=seed):
                    # the bounds on features made once: ``contains`` would make those of all fresh poses each time
                    told = np.all([b.holds(features[b.feature].to_numpy()) for b in found.region.bounds], axis=0)
                    setting = f"{name}, {n} rows"
                    held.setdefault(("share of a region", setting), []).append(
                        bool(found.share_low <= told.mean() <= found.share_high)
                    )
                    held.setdefault(("rate of a region", setting), []).append(
                        bool(found.rate_low <= chance[told].mean() <= found.rate_high)
                    )
    for rate in (0.1, 0.5):
        told = [
            not failure_regions(planted(400, seed, lambda x: x["azimuth"] > 999, 0, rate), seed=seed)
            for seed in range(repeats)
        ]
        held[("none by chance", f"misread everywhere at {rate}")] = told


def calibration_held(repeats: int, held: Held) -> None:
    """Truths: of two million confidences, over the same bins."""
    many = np.random.default_rng(0).beta(3, 2, 2_000_000)
    for name, accuracy in ACCURACIES.items():
        number = np.clip(np.ceil(many * BINS).astype(int) - 1, 0, BINS - 1)
        gaps = np.bincount(number, weights=many - accuracy(many), minlength=BINS)
        error, gap = np.abs(gaps).sum() / len(many), gaps.sum() / len(many)
        for n in (150, 600, 3000, 20_000):
            for seed in range(repeats):
                rng = np.random.default_rng([seed, n])
                p = rng.beta(3, 2, n)
                rows = pd.DataFrame({"top1_p": p, "recognised": rng.random(n) < accuracy(p)})
                found = calibration_error(rows, seed=seed, draws=500)
                setting = f"{name}, {n} rows"
                held.setdefault(("calibration error", setting), []).append(found.ece_low <= error <= found.ece_high)
                held.setdefault(("signed gap", setting), []).append(found.gap_low <= gap <= found.gap_high)


def labels_held(repeats: int, held: Held) -> None:
    """Truths: the chance of all labels that were not drawn."""
    for name, power in (("one in k", 1.0), ("one in k squared", 2.0), ("equal", 0.0)):
        chance = np.arange(1, 401) ** -power
        chance /= chance.sum()
        for n in (100, 1000):
            rng = np.random.default_rng(n)
            for _ in range(repeats):
                drawn = rng.choice(400, n, p=chance)
                frame = pd.DataFrame({"scene": "s", "model": "m", "top1_label": drawn.astype(str), "ok": True})
                row = distinct_labels(frame.assign(misread=True)).iloc[0]
                unseen = chance[~np.isin(np.arange(400), drawn)].sum()
                held.setdefault(("unseen labels", f"{name}, {n} misread"), []).append(
                    bool(row["low"] <= unseen <= row["high"])
                )


def sets_held(repeats: int, held: Held) -> None:
    """Truths: what m draws from the labels' chances show, in closed form; of two lightings whose labels are k apart."""
    for name, power in (("one in k", 1.0), ("one in k squared", 2.0), ("equal", 0.0)):
        first = np.arange(1, 401) ** -power
        first /= first.sum()
        for apart in (0, 40):
            second = np.roll(first, apart)
            for n in (100, 1000):
                rng = np.random.default_rng(n)
                for _ in range(repeats):
                    one, two = (pd.Series(rng.choice(400, n, p=chance).astype(str)) for chance in (first, second))
                    if apart:
                        two.index += n  # other poses
                    else:  # the same poses, every other one of which is read alike in both lightings
                        two = two.where(np.arange(n) % 2 == 0, one)
                    m = comparable_size(one, two)
                    shown = [1 - (1 - chance) ** m for chance in (first, second)]
                    common = float((shown[0] * shown[1]).sum())
                    true = common / (shown[0].sum() + shown[1].sum() - common)
                    _, low, high = rarefied_jaccard(one, two, m)
                    setting = f"{name}, {apart} apart, {n} misread"
                    if np.isfinite(low):
                        held.setdefault(("common labels", setting), []).append(low <= true <= high)
                    if not apart:
                        m = common_size([n])
                        expected = float((1 - (1 - first) ** m).sum())
                        _, low, high = rarefied_count(one.value_counts().to_numpy(dtype=np.float64), m)
                        held.setdefault(("labels of m poses", setting), []).append(low <= expected <= high)


def familiar_held(repeats: int, held: Held) -> None:
    """Truths: of a model that is a little too sure in familiar poses and far too sure elsewhere, for each by itself."""
    many = np.random.default_rng(0).beta(3, 2, 2_000_000)
    truths = {"inside": lambda p: np.clip(p - 0.05, 0, 1), "outside": lambda p: 0.4 * p}
    errors = {}
    for part, accuracy in truths.items():
        number = np.clip(np.ceil(many * BINS).astype(int) - 1, 0, BINS - 1)
        gaps = np.bincount(number, weights=many - accuracy(many), minlength=BINS)
        errors[part] = np.abs(gaps).sum() / len(many), gaps.sum() / len(many)
    for share, n in ((0.5, 1000), (0.1, 3000), (0.04, 8000)):
        for seed in range(repeats):
            rng = np.random.default_rng([seed, n])
            p, is_known = rng.beta(3, 2, n), rng.random(n) < share
            chance = np.where(is_known, truths["inside"](p), truths["outside"](p))
            rows = pd.DataFrame({"top1_p": p, "recognised": rng.random(n) < chance})
            table = calibration_inside(rows, is_known, seed=seed, draws=500).set_index("part")
            for part, (error, gap) in errors.items():
                row, setting = table.loc[part], f"{part}, {share:g} of {n} rows familiar"
                held.setdefault(("familiar, error", setting), []).append(row["ece_low"] <= error <= row["ece_high"])
                held.setdefault(("familiar, gap", setting), []).append(row["gap_low"] <= gap <= row["gap_high"])


PARTS = {
    "labels": labels_held,
    "sets": sets_held,
    "calibration": calibration_held,
    "familiar": familiar_held,
    "regions": regions_held,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--only", choices=list(PARTS))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    held: Held = {}
    for name, measure in PARTS.items():
        if options.only in (None, name):
            measure(options.repeats, held)
    rows: list[dict[str, Any]] = []
    for (procedure, setting), values in held.items():
        low, high = wilson(sum(values), len(values))
        nominal = 0.99 if procedure == "none by chance" else 0.95
        row = {"procedure": procedure, "setting": setting, "nominal": nominal, "repeats": len(values)}
        rows.append(row | {"coverage": float(np.mean(values)), "low": float(low), "high": float(high)})
    if options.json:
        print(json.dumps(rows, indent=1))
        return
    for row in rows:
        print(
            f"{row['procedure']:<20} {row['setting']:<34} {row['nominal']:.2f}  "
            f"{row['coverage']:.3f} ({row['low']:.3f} to {row['high']:.3f}, {row['repeats']})"
        )


if __name__ == "__main__":
    main()
