"""From the records of the search benchmark to its tables. Medians and rates with bootstrap intervals over objects."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

Record = dict[str, Any]
_DRAWS = 2000


def interval(records: list[Record], statistic: Callable[[list[Record]], float]) -> tuple[float, float, float]:
    """A statistic with its 95 % interval: percentiles of draws of objects and, within each, of searches."""
    rng = np.random.default_rng(0)
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record["mesh"], []).append(record)
    names = sorted(groups)
    draws = []
    for _ in range(_DRAWS):
        drawn: list[Record] = []
        for name in rng.choice(names, len(names)):
            group = groups[str(name)]
            drawn += [group[i] for i in rng.integers(len(group), size=len(group))]
        draws.append(statistic(drawn))
    low, high = np.percentile(draws, [2.5, 97.5], method="nearest")
    return statistic(records), float(low), float(high)


def hit_rate(at: int) -> Callable[[list[Record]], float]:
    return lambda records: float(np.mean([r["hit"] is not None and r["hit"] <= at for r in records]))


def median_calls(records: list[Record]) -> float:
    """Median calls to the first hit, a search without one counted as never."""
    return float(np.median([math.inf if r["hit"] is None else r["hit"] for r in records]))


def median_p(column: int) -> Callable[[list[Record]], float]:
    return lambda records: float(np.median([r["best_p"][column] for r in records]))


def by_method(records: Iterable[Record]) -> dict[str, list[Record]]:
    groups: dict[str, list[Record]] = {}
    for record in records:
        groups.setdefault(record["method"], []).append(record)
    return groups


def targeted_rows(records: list[Record], checkpoints: tuple[int, ...], early: int, late: int) -> list[dict[str, Any]]:
    """A row for each method: hit rates and median probabilities at two budgets, by kind of target and in all."""
    rows = []
    for method, group in by_method(records).items():
        row: dict[str, Any] = {"method": method, "n": len(group)}
        for kind in ("frequent", "never"):
            part = [r for r in group if r["kind"] == kind]
            for at in (early, late):
                row[f"{kind}: hit rate at {at}"] = interval(part, hit_rate(at))
                row[f"{kind}: median p at {at}"] = interval(part, median_p(checkpoints.index(at)))
        row[f"all: hit rate at {early}"] = interval(group, hit_rate(early))
        row[f"all: hit rate at {late}"] = interval(group, hit_rate(late))
        row["all: median calls to hit"] = interval(group, median_calls)
        rows.append(row)
    return sorted(rows, key=lambda row: -row[f"all: hit rate at {late}"][0])


def paired_ratios(theirs: list[Record], ours: list[Record]) -> list[Record]:
    """How many times the calls to the hit they need: searches of theirs that hit, 0 where ours does not."""
    calls = {(r["mesh"], r["target"], r["seed"]): r["hit"] for r in ours}
    pairs = [(r, calls[key]) for r in theirs if r["hit"] and (key := (r["mesh"], r["target"], r["seed"])) in calls]
    return [{"mesh": r["mesh"], "ratio": r["hit"] / hit if hit else 0.0} for r, hit in pairs]


def median_ratio(records: list[Record]) -> float:
    return float(np.median([r["ratio"] for r in records]))


def goal_rows(records: list[Record], published: tuple[str, ...], checkpoints: tuple[int, ...]) -> list[dict[str, Any]]:
    """What auto is held to: the best published method's hit rate in a fifth of its calls, and more at equal calls."""
    groups, last = by_method(records), checkpoints[-1]
    if "auto" not in groups:
        return []
    known = [method for method in published if method in groups]
    rows = []
    for kinds in (("frequent", "never"), ("never",)):
        chosen = {m: [r for r in groups[m] if r["kind"] in kinds] for m in (*known, "auto")}
        best = max(known, key=lambda m: hit_rate(last)(chosen[m]))
        wanted = hit_rate(last)(chosen[best])
        hits = sorted(r["hit"] for r in chosen["auto"] if r["hit"] is not None)
        needed = math.ceil(wanted * len(chosen["auto"]) - 1e-9)
        best_p = max(known, key=lambda m: median_p(-1)(chosen[m]))
        ratios = paired_ratios(chosen[best], chosen["auto"])
        rows.append(
            {
                "targets": " and ".join(kinds),
                "best published": best,
                f"its hit rate at {last}": interval(chosen[best], hit_rate(last)),
                "auto's at a fifth": interval(chosen["auto"], hit_rate(last // 5)),
                f"auto's at {last}": interval(chosen["auto"], hit_rate(last)),
                "calls auto needs for it": hits[needed - 1] if 0 < needed <= len(hits) else None,
                "its calls over auto's, median where it hits": interval(ratios, median_ratio),
                f"best published median p ({best_p})": interval(chosen[best_p], median_p(-1)),
                "auto's median p": interval(chosen["auto"], median_p(-1)),
            }
        )
    return rows


def object_rows(records: list[Record], last: int) -> list[dict[str, Any]]:
    """Hit rates of auto and random on each object, with Wilson intervals over its targets and seeds."""
    from posetest.analysis.intervals import wilson

    rows = []
    for mesh in sorted({r["mesh"] for r in records}):
        row: dict[str, Any] = {"object": mesh}
        for method in ("auto", "random"):
            group = [r for r in records if r["mesh"] == mesh and r["method"] == method]
            hits = sum(r["hit"] is not None and r["hit"] <= last for r in group)
            low, high = wilson(np.array([hits]), np.array([len(group)]))
            row[f"{method}: hit rate at {last}"] = (
                hits / len(group) if group else math.nan,
                float(low[0]),
                float(high[0]),
            )
        rows.append(row)
    return rows


def untargeted_rows(records: list[Record], budget: int) -> list[dict[str, Any]]:
    return [
        {
            "method": method,
            "n": len(group),
            f"failure found in {budget}": interval(group, hit_rate(budget)),
            "median calls to it": interval(group, median_calls),
            "largest": max(math.inf if r["hit"] is None else r["hit"] for r in group),
        }
        for method, group in by_method(records).items()
    ]


def nearest_rows(
    records: list[Record], truth: dict[str, float | None], within_deg: float = 1.0
) -> list[dict[str, Any]]:
    """A row for each method: how far from the lattice's nearest misread pose; objects whose truth is known."""
    rows = []
    for method, group in by_method(records).items():
        judged = [r for r in group if truth.get(r["mesh"]) is not None and "reason" not in r]
        if not judged:
            rows.append({"method": method, "n": 0, "not run": next((r["reason"] for r in group if "reason" in r), "")})
            continue
        for r in judged:
            found = math.inf if r["angle_deg"] is None else r["angle_deg"]
            r["excess_deg"] = found - float(truth[r["mesh"]] or 0)
        rows.append(
            {
                "method": method,
                "n": len(judged),
                f"within {within_deg:g} degree": interval(
                    judged, lambda part: float(np.mean([r["excess_deg"] <= within_deg for r in part]))
                ),
                "median excess, degrees": interval(
                    judged, lambda part: float(np.median([r["excess_deg"] for r in part]))
                ),
                "worst excess, degrees": max(r["excess_deg"] for r in judged),
            }
        )
    return rows


def coverage_rows(records: list[Record]) -> list[dict[str, Any]]:
    return [
        {
            "method": method,
            "n": len(group),
            "pairs, median": interval(group, lambda part: float(np.median([r["pairs"] for r in part]))),
            "labels, median": interval(group, lambda part: float(np.median([r["labels"] for r in part]))),
        }
        for method, group in by_method(records).items()
    ]


def as_text(rows: list[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    if not rows:
        return "(nothing yet)"
    columns = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(row.get(column)) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, tuple):
        return f"{_number(value[0])} [{_number(value[1])}, {_number(value[2])}]"
    return _number(value) if isinstance(value, float) else "" if value is None else str(value)


def _number(value: float) -> str:
    if math.isinf(value):
        return "never"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.0f}"
