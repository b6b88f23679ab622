"""Which of two models recognises more, on identical poses of one run: paired, so that hard poses do not blur it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.intervals import share
from posetest.analysis.matched import Mask, known_models, match_models, matched_rows
from posetest.analysis.paired import holm, mcnemar, paired_interval

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

#: The cells of the 2 x 2 table, by which of the two recognised a pose.
CELLS = ("both", "only_a", "only_b", "neither")


def compare_models(
    run: RunFolder,
    frame: pd.DataFrame | None = None,
    *,
    models: Sequence[str] | None = None,
    stratum: str = "all",
) -> pd.DataFrame:
    """Pairs of models on the poses that both evaluated: a row for each scene and pair, in the order of run.toml.

    Columns: scene, model_a, model_b, stratum; n (poses evaluated by both), n_unmatched (evaluated by one of the two
    only, not in n); both, only_a, only_b, neither (the 2 x 2 table: poses recognised by whom); rate_a, rate_b (of n);
    difference (rate_a - rate_b) with its 95 % interval low and high (``paired_interval``); p (exact McNemar test that
    the rates are equal), p_holm (adjusted for the scenes of this pair of models); measure. A scene without shared
    poses has n = 0 and nan.

    The interval speaks of poses of this object under this measure; other objects would need other scenes.

    Args:
        run: an audit.
        frame: ``outcomes(run, ["index"])`` where the caller has read it already.
        models: two or more names; by default all of the run.
        stratum: "all" or "visible" poses.

    Raises:
        RunError: the run is no audit, has no records or fewer than two models, lacks a model that is named, holds a
            pose twice, or there is no such stratum.
    """
    names = known_models(run, models, least=2)
    rows = matched_rows(run, frame, stratum)
    measures = {s.name: s.measure for s in run.info.scenes}
    lines: list[dict[str, object]] = []
    for found in match_models(run, rows, names):
        for a, b in combinations(range(len(names)), 2):
            shared = found.ok[:, a] & found.ok[:, b]
            lines.append(
                {"scene": found.scene, "model_a": names[a], "model_b": names[b], "stratum": stratum}
                | {"n": int(shared.sum()), "n_unmatched": int((found.ok[:, a] ^ found.ok[:, b]).sum())}
                | two_by_two(found.recognised[shared, a], found.recognised[shared, b])
                | {"measure": measures[found.scene]}
            )
    table = pd.DataFrame(lines)
    measure = table.pop("measure")
    table["rate_a"] = share(table["both"] + table["only_a"], table["n"])
    table["rate_b"] = share(table["both"] + table["only_b"], table["n"])
    table["difference"] = share(table["only_a"] - table["only_b"], table["n"])
    table["low"], table["high"] = paired_interval(table["only_a"], table["only_b"], table["n"])
    table["p"] = exact_p(table["only_a"], table["only_b"], table["n"])
    table["p_holm"] = table.groupby(["model_a", "model_b"], sort=False)["p"].transform(holm)
    table["measure"] = measure
    return table


def two_by_two(a: Mask, b: Mask) -> dict[str, object]:
    """How many of the same poses [n] have an outcome in both, in a or b alone, in neither (keys: CELLS)."""
    counts = (a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()
    return {cell: int(count) for cell, count in zip(CELLS, counts, strict=True)}


def exact_p(only_a: pd.Series[int], only_b: pd.Series[int], n: pd.Series[int]) -> NDArray[np.float64]:
    """p [m] of the exact McNemar test; nan where there are no poses, so that it does not count as a test."""
    return np.where(n.to_numpy() > 0, mcnemar(only_a, only_b), np.nan)
