"""What a search found, read from its records. None of it is a rate: the poses were gone for, not drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder

_COLUMNS = ["index", "calls", "score", "hit", "top1_label", "top1_p", *POSE_COLUMNS]


def improvements(run: RunFolder, most: int | None = None) -> pd.DataFrame:
    """The records at which a better pose than all before was found, at most ``most`` of them, first and last included.

    Columns: index, calls, score, hit, top1_label, top1_p and the pose's.
    """
    table = run.table(_COLUMNS)
    scores = table["score"].to_numpy()
    before = np.maximum.accumulate(np.concatenate([[-np.inf], scores[:-1]]))
    better = table[scores > before].reset_index(drop=True)
    if most is None or len(better) <= most:
        return better
    return better.iloc[np.unique(np.linspace(0, len(better) - 1, most).round().astype(int))].reset_index(drop=True)


def labels_found(run: RunFolder) -> pd.DataFrame:
    """Answers at poses that reach the objective, most probable first: label, highest probability, calls to the first.

    How often an answer came up is not told: it says what the search went for.
    """
    table = run.table(["calls", "hit", "top1_label", "top1_p"])
    hits = table[table["hit"] & (table["top1_label"].astype(str) != "")]
    grouped = hits.groupby(hits["top1_label"].astype(str), sort=False)
    found = pd.DataFrame({"top1_p": grouped["top1_p"].max(), "first_calls": grouped["calls"].min()})
    return found.rename_axis("label").reset_index().sort_values(["top1_p", "label"], ascending=[False, True])


def first_hit(run: RunFolder) -> int | None:
    """Classifier calls until and with the first pose that reached the objective; None where none did."""
    table = run.table(["calls", "hit"])
    hits = table.loc[table["hit"], "calls"]
    return int(hits.min()) if len(hits) else None
