"""How often the intervals of maps, smoothed rates and contrasts hold the truth, on simulated data whose truth is known.

    python benchmarks/coverage_maps.py [--repeats 200] [--seed 0] [--json]

Nominal 95 % should be measured between 93 and 97 %. Poses of one repeat answer many queries, so repeats, not queries,
are the independent units of the measured coverage's own interval. Shares of cells are drawn anew in each repeat: the
coverage of intervals of counts jumps from share to share, and holds on average.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from posetest.analysis.contrast import cell_contrast
from posetest.analysis.density import QUATERNION
from posetest.analysis.intervals import wilson
from posetest.analysis.means import cell_means
from posetest.analysis.paired import paired_interval
from posetest.analysis.smoothing import direction_smoother, rotation_smoother, smoothed
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction

Rng = np.random.Generator
#: One repeat: the share of intervals that held the truth.
Repeat = Callable[[Rng], float]

_CELLS = 100


def held(low: np.ndarray, true: np.ndarray | float, high: np.ndarray) -> float:
    return float(((low <= true) & (true <= high)).mean())


def logistic(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# --- means of cells: distributions of a score, and its largest possible value

SCORES: dict[str, tuple[Callable[[Rng, int], np.ndarray], float | None]] = {
    "confidence, Beta(3, 2)": (lambda rng, n: rng.beta(3, 2, n), 1.0),
    "confidence, crowded at 1: Beta(5, 0.5)": (lambda rng, n: rng.beta(5, 0.5, n), 1.0),
    "confidence, logistic of N(3, 2)": (lambda rng, n: logistic(3 + 2 * rng.standard_normal(n)), 1.0),
    "confidence, 85 % near 1 and 15 % unsure": (
        lambda rng, n: np.where(rng.random(n) < 0.15, rng.beta(2, 3, n), rng.beta(30, 1, n)),
        1.0,
    ),
    "entropy, crowded at 0: Gamma(0.7, 0.3)": (lambda rng, n: rng.gamma(0.7, 0.3, n), None),
    "entropy, N(2, 0.5)": (lambda rng, n: np.abs(rng.normal(2, 0.5, n)), None),
}


def mean_repeat(draw: Callable[[Rng, int], np.ndarray], upper: float | None, n: int) -> Repeat:
    true = float(draw(np.random.default_rng(123), 4_000_000).mean())
    cells = np.repeat(np.arange(_CELLS), n)

    def repeat(rng: Rng) -> float:
        _, low, high = cell_means(draw(rng, n * _CELLS), cells, _CELLS, upper)
        return held(low, true, high)

    return repeat


# --- counts of cells


def share_repeat(n: int) -> Repeat:
    def repeat(rng: Rng) -> float:
        true = rng.random(_CELLS)
        low, high = wilson(rng.binomial(n, true), n)
        return held(low, true, high)

    return repeat


def difference_repeat(n: int, concentration: tuple[float, ...]) -> Repeat:
    def repeat(rng: Rng) -> float:
        shares = rng.dirichlet(concentration, _CELLS)
        low, high = paired_interval(*rng.multinomial(n, shares).T[1:3], n)
        return held(low, shares[:, 1] - shares[:, 2], high)

    return repeat


# --- smoothed rates at queries: truths over the sphere and over SO(3), functions of rotation matrices

TRUTHS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "rate 0.7 everywhere": lambda m: np.full(len(m), 0.7),
    "front to back": lambda m: logistic(3 * m[:, 2, 2] + 1),
    "front to back, steep": lambda m: 0.05 + 0.9 * logistic(8 * (m[:, 2, 2] - 0.2)),
    "around one rotation": lambda m: logistic(2 * (m[:, 0, 0] + m[:, 2, 2])),
    "around one rotation, steep": lambda m: 0.05 + 0.9 * logistic(4 * (m[:, 1, 1] + m[:, 2, 2])),
}


def smoothed_repeat(truth: Callable[[np.ndarray], np.ndarray], over: str, n: int) -> Repeat:
    def repeat(rng: Rng) -> float:
        quaternions = rng.standard_normal((n + 60, 4))
        quaternions /= np.linalg.norm(quaternions, axis=1, keepdims=True)
        matrices = quaternion_to_matrix(quaternions)
        true = truth(matrices)
        rows = pd.DataFrame(quaternions[:n], columns=list(QUATERNION))
        rows["recognised"] = rng.random(n) < true[:n]
        if over == "sphere":
            table = smoothed(direction_smoother(rows), viewing_direction(matrices[n:]))
        else:
            table = smoothed(rotation_smoother(rows), quaternions[n:])
        return held(table["low"].to_numpy(), true[n:], table["high"].to_numpy())

    return repeat


# --- many cells tested at once: 100 cells of 60 poses, a fifth of which truly differ by 0.3


def false_ones(rng: Rng) -> tuple[float, float]:
    """Share of false ones among the cells that Benjamini and Hochberg name; whether Holm names a false one."""
    cells = np.repeat(np.arange(_CELLS), 60)
    differs = cells < _CELLS // 5
    first = rng.random(len(cells)) < 0.8
    second = np.where(rng.random(len(cells)) < 0.6, first, rng.random(len(cells)) < 0.8)
    second = np.where(differs, rng.random(len(cells)) < 0.5, second)
    pairs = pd.DataFrame({"recognised_first": first, "recognised_second": second})
    table = cell_contrast(pairs, cells, _CELLS)
    named, sure = table["differs"].to_numpy(), table["differs_surely"].to_numpy()
    false = np.arange(_CELLS) >= _CELLS // 5
    return float((named & false).sum() / max(named.sum(), 1)), float((sure & false).any())


def procedures() -> Iterator[tuple[str, str, Repeat]]:
    for name, (draw, upper) in SCORES.items():
        for n in (40, 200):
            yield "mean of a cell", f"{name}, n = {n}", mean_repeat(draw, upper, n)
    for n in (10, 40):
        yield "share in a cell", f"shares uniform, n = {n}", share_repeat(n)
    for n in (10, 40):
        yield "difference in a cell", f"shares uniform, n = {n}", difference_repeat(n, (1, 1, 1, 1))
    for n in (10, 40):
        yield "difference in a cell", f"models that mostly agree, n = {n}", difference_repeat(n, (6, 1, 1, 4))
    for n in (1000, 4000):
        for over in ("sphere", "SO(3)"):
            for name, truth in TRUTHS.items():
                if over == "SO(3)" or "rotation" not in name:
                    yield f"smoothed on {over}", f"{name}, n = {n}", smoothed_repeat(truth, over, n)


def measured(values: list[float]) -> tuple[float, float, float]:
    """Mean over repeats with its 95 % interval."""
    mean, error = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5
    return mean, max(mean - error, 0.0), min(mean + error, 1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="print a list of rows instead of a table")
    arguments = parser.parse_args()
    rows: list[dict[str, object]] = []

    def tell(procedure: str, setting: str, nominal: str, values: list[float]) -> None:
        mean, low, high = measured(values)
        rows.append({"procedure": procedure, "setting": setting, "nominal": nominal})
        rows[-1] |= {"measured": round(mean, 4), "low": round(low, 4), "high": round(high, 4), "repeats": len(values)}
        if not arguments.json:
            print(f"{procedure:22s} {setting:58s} {nominal:>8s} {mean:.3f} ({low:.3f} to {high:.3f})", flush=True)

    for number, (procedure, setting, repeat) in enumerate(procedures()):
        rng = np.random.default_rng([arguments.seed, number])
        tell(procedure, setting, "0.95", [repeat(rng) for _ in range(arguments.repeats)])
    rng = np.random.default_rng([arguments.seed, 1000])
    found = [false_ones(rng) for _ in range(arguments.repeats)]
    tell("false discoveries", "Benjamini-Hochberg, 20 of 100 cells differ", "<= 0.05", [share for share, _ in found])
    tell("any false discovery", "Holm, 20 of 100 cells differ", "<= 0.05", [any_one for _, any_one in found])
    if arguments.json:
        print(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
