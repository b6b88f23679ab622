"""What a model sees instead: the wrong labels of each scene and model, most frequent first."""

from __future__ import annotations

import pandas as pd

from posetest.analysis.intervals import share, wilson
from posetest.analysis.outcomes import outcomes
from posetest.engine.run import RunFolder

_PAIR = ["scene", "model"]


def wrong_labels(source: RunFolder | pd.DataFrame, top: int = 10) -> pd.DataFrame:
    """The ``top`` most frequent wrong labels of each scene and model; ties in alphabetical order.

    Columns: scene, model, label, count, misread (all misread poses of the pair), share_of_misread, n (all evaluated
    poses), share (of n) with its 95 % Wilson interval low and high, mean_confidence (of the wrong label).

    ``source`` is a run, or rows of ``outcomes(run)``.
    """
    frame = source if isinstance(source, pd.DataFrame) else outcomes(source)
    evaluated = frame[frame["ok"]]
    misread = evaluated[evaluated["misread"]]
    labelled = misread.assign(label=misread["top1_label"].astype(str))
    grouped = labelled.groupby([*_PAIR, "label"], observed=True)["top1_p"]
    table = grouped.agg(count="size", mean_confidence="mean").reset_index()
    table = table.sort_values([*_PAIR, "count", "label"], ascending=[True, True, False, True])
    table = table.groupby(_PAIR, observed=True).head(top)
    totals = evaluated.groupby(_PAIR, observed=True)["misread"].agg(misread="sum", n="size").reset_index()
    table = table.merge(totals, on=_PAIR, how="left").astype({"misread": int, "n": int, "mean_confidence": float})
    table["share_of_misread"] = share(table["count"], table["misread"])
    table["share"] = share(table["count"], table["n"])
    table["low"], table["high"] = wilson(table["count"], table["n"])
    order = ["label", "count", "misread", "share_of_misread", "n", "share", "low", "high", "mean_confidence"]
    return table[[*_PAIR, *order]].reset_index(drop=True)
