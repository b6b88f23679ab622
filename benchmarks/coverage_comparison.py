"""How often the 95 % intervals of comparisons, transfer and Sobol indices hold the truth, on simulated data.

    python benchmarks/coverage_comparison.py [--repeats 4000] [--only Sobol] [--json]

A row for each procedure and setting: nominal level, measured coverage, and Wilson's 95 % interval of the measurement.
Sobol indices are repeated a tenth as often, of 0-1 outcomes a fifth. The last rows are the share of families of true
null hypotheses without a false finding, which Holm's adjustment keeps at 95 % or more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.intervals import pooled_wilson, wilson
from posetest.analysis.paired import holm, mcnemar, paired_interval
from posetest.analysis.sobol import pair_interactions, sobol_indices

Array = NDArray[np.float64]
Row = tuple[str, str, int, int]  # procedure, setting, intervals that hold the truth, all

#: Chances that only the first, only the second of two models recognises a pose; poses.
PAIRED = [
    (0.02, 0.02, 200),
    (0.05, 0.05, 200),
    (0.005, 0.02, 500),
    (0.1, 0.02, 200),
    (0.3, 0.3, 200),
    (0.4, 0.1, 50),
    (0.05, 0.0, 500),
    (0.02, 0.02, 2000),
    (0.02, 0.005, 10_000),
]
#: Of each object, the chances that A misreads a pose, and that B misreads what A does; poses of each.
TRANSFER = [
    ([(0.5, 0.8)], 200),
    ([(0.1, 0.95)], 500),
    ([(0.2, 0.9), (0.6, 0.7), (0.05, 0.5)], 300),
    ([(0.3, 0.99), (0.3, 0.2)], 500),
    ([(0.9, 0.999), (0.9, 0.02)], 500),
    ([(0.02, 0.9), (0.02, 0.2), (0.05, 0.5)], 300),
]


def paired(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    for b, c, n in PAIRED:
        cells = rng.multinomial(n, [b, c, 1 - b - c], size=repeats)
        low, high = paired_interval(cells[:, 0], cells[:, 1], n)
        held = int(((low <= b - c) & (b - c <= high)).sum())
        yield "paired difference", f"disagreements {b:g} and {c:g}, {n} poses", held, repeats


def transfer(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    for objects, n in TRANSFER:
        truth = sum(a * b for a, b in objects) / sum(a for a, _ in objects)
        asked = np.stack([rng.binomial(n, a, repeats) for a, _ in objects])
        told = np.stack([rng.binomial(k, b) for k, (_, b) in zip(asked, objects, strict=True)])
        low, high = pooled_wilson(told.T, asked.T, n)
        held = int(((low <= truth) & (truth <= high)).sum())
        words = ", ".join(f"{a:g} x {b:g}" for a, b in objects)
        yield f"transfer, {'pooled' if len(objects) > 1 else 'one object'}", f"{words}, {n} poses each", held, repeats


def ishigami(unit: Array) -> Array:
    x = np.pi * (2 * unit - 1)
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def ishigami_truth() -> tuple[Array, Array, Array]:
    one, two = 0.5 * (1 + 0.1 * np.pi**4 / 5) ** 2, 7**2 / 8
    both = 0.1**2 * np.pi**8 * (1 / 18 - 1 / 50)
    whole = one + two + both
    return np.array([one, two, 0]) / whole, np.array([one + both, two, both]) / whole, np.array([0, both, 0]) / whole


def accepted_p(unit: Array) -> Array:
    """A probability that falls with the first, by how much the product of the others says."""
    return np.asarray(1 / (1 + np.exp(4 * unit[:, 0] - 2 + 3 * (unit[:, 1] - 0.5) * (unit[:, 2] - 0.5))))


def recognised(unit: Array) -> Array:
    """0-1: the first up to 0.7, and beyond it where the others are both small."""
    return ((unit[:, 0] < 0.7) | ((unit[:, 1] < 0.5) & (unit[:, 2] < 0.5))).astype(float)


def seldom_misread(unit: Array) -> Array:
    """0-1: misread in 1 of 33 poses, where the first is large and the second small."""
    return 1.0 - (unit[:, 0] > 0.9) * (unit[:, 1] < 0.3)


def rarely_misread(unit: Array) -> Array:
    """0-1: misread in 1 of 100 poses."""
    return 1.0 - (unit[:, 0] > 0.95) * (unit[:, 1] < 0.2)


def told_by_halves(unit: Array) -> Array:
    """0-1: the half that the first is in, turned about where the others are both small."""
    return ((unit[:, 0] < 0.5) ^ ((unit[:, 1] < 0.3) & (unit[:, 2] < 0.5))).astype(float)


def grid_truth(f: Callable[[Array], Array], size: int = 120) -> tuple[Array, Array, Array]:
    """First order, total and interactions of pairs by the midpoint rule; exact for steps at multiples of 1 / size."""
    points = (np.arange(size) + 0.5) / size
    y = f(np.stack(np.meshgrid(points, points, points, indexing="ij"), -1).reshape(-1, 3)).reshape(size, size, size)
    whole = y.var()
    others = [(1, 2), (0, 2), (0, 1)]
    first = np.array([y.mean(axis=o).var() for o in others]) / whole
    total = np.array([y.var(axis=i).mean() for i in range(3)]) / whole
    pairs = [y.mean(axis=k).var() / whole - first[i] - first[j] for i, j, k in ((0, 1, 2), (0, 2, 1), (1, 2, 0))]
    return first, total, np.array(pairs)


def sobol(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    names, mask = ("a", "b", "c"), np.eye(3, dtype=bool)
    functions = (ishigami, accepted_p, recognised)
    for f in functions:
        first, total, pairs = ishigami_truth() if f is ishigami else grid_truth(f)
        for n in (256, 512, 1024):
            held: dict[str, Array] = {}
            counted: dict[str, Array] = {}
            for repeat in range(repeats):
                a, b = rng.random((2, n, 3))
                ab, ba = (np.stack([f(np.where(m, y, x)) for m in mask]) for x, y in ((a, b), (b, a)))
                table = sobol_indices(names, f(a), f(b), ab, resamples=400, seed=repeat)
                two = pair_interactions(names, f(a), f(b), ab, ba, resamples=400, seed=repeat)
                of_one = [
                    ("first order", first, table["first_low"], table["first_high"]),
                    ("total", total, table["total_low"], table["total_high"]),
                ]
                # indices of 0-1 outcomes are measured by themselves, more often
                for key, truth, low, high in [
                    *(of_one if f is not recognised else []),
                    ("interaction", pairs, two["low"], two["high"]),
                ]:
                    inside = ((low <= truth + 1e-12) & (truth - 1e-12 <= high)).to_numpy()
                    held[key] = held.get(key, np.zeros(3)) + inside
                    counted[key] = counted.get(key, np.zeros(3)) + low.notna().to_numpy()
            for key in held:
                labels = ("a b", "a c", "b c") if key == "interaction" else names
                for label, hit, count in zip(labels, held[key], counted[key], strict=True):
                    if count > repeats / 2:  # elsewhere there are too few changed rows for bounds
                        yield f"Sobol {key}", f"{f.__name__}, {label}, {n} rows", int(hit), int(count)


def counted(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    """Indices of 0-1 outcomes, which need no resampling."""
    names, mask = ("a", "b", "c"), np.eye(3, dtype=bool)
    for f in (recognised, told_by_halves, seldom_misread, rarely_misread):
        first, total, _ = grid_truth(f)
        for n in (256, 512, 1024):
            held, count = np.zeros((2, 3)), 0
            for _ in range(repeats):
                a, b = rng.random((2, n, 3))
                if not f(np.concatenate([a, b])).std():
                    continue  # nothing varies, so there are no indices
                count += 1
                table = sobol_indices(names, f(a), f(b), np.stack([f(np.where(m, b, a)) for m in mask]))
                for place, (kind, truth) in enumerate((("first", first), ("total", total))):
                    low, high = table[f"{kind}_low"], table[f"{kind}_high"]
                    held[place] += (low <= truth + 1e-12) & (truth - 1e-12 <= high)
            for place, kind in enumerate(("first order", "total")):
                for name, hit in zip(names, held[place], strict=True):
                    yield f"0-1 Sobol {kind}", f"{f.__name__}, {name}, {n} rows", int(hit), count


def families(repeats: int, rng: np.random.Generator) -> Iterator[Row]:
    for objects, chance in ((5, 0.1), (20, 0.3)):
        cells = rng.multinomial(1000, [chance, chance, 1 - 2 * chance], size=(repeats, objects))
        p = mcnemar(cells[..., 0], cells[..., 1])
        clean = sum(bool(holm(row).min() > 0.05) for row in p)
        yield "Holm over objects", f"{objects} objects, disagreements {chance:g} each way", clean, repeats


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=4000)
    parser.add_argument("--only", default="", help="procedures whose name begins so")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    parts = {"paired": paired, "transfer": transfer, "Sobol": sobol, "0-1 Sobol": counted, "Holm": families}
    rows: list[Row] = []
    for name, part in parts.items():
        if name.startswith(options.only):
            fewer = {sobol: 10, counted: 5}.get(part, 1)
            rows += part(max(options.repeats // fewer, 1), rng)
    table = pd.DataFrame(rows, columns=["procedure", "setting", "held", "repeats"])
    table.insert(2, "nominal", 0.95)
    table["coverage"] = table["held"] / table["repeats"]
    table["low"], table["high"] = wilson(table["held"], table["repeats"])
    if options.json:
        print(json.dumps(table.to_dict("records"), indent=1))
    else:
        print(table.drop(columns="held").to_string(index=False, float_format=lambda x: f"{x:.3f}"))


if __name__ == "__main__":
    main()
