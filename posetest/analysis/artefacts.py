"""Whether failures are the model's or the renderer's: do they persist when the same pose is drawn otherwise?

Read from the records of ``posetest probe --what artefacts``: misread poses drawn at random from those of an audit, and
as many recognised ones for comparison, each drawn again as it was and in other ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from posetest.analysis.intervals import share, wilson
from posetest.analysis.probes import PAIR, UNCHANGED, read_probe, reproduced

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

#: The change that only few poses have, as it is slow.
_OF_FEW = "renderer"
#: The row of poses whose outcome persists under every change but the one of few.
EVERY = "every"
_COUNTS = ["n", "persists", "same_label", "n_failed_status"]


def artefacts(run: RunFolder) -> pd.DataFrame:
    """How many outcomes persist: a row for each scene, model, group and change, in the order of run.toml.

    Columns: scene, model; group ("misread", "recognised": as the audit recorded); change ("samples", "size", "jitter",
    "flat", "renderer", and "every": all of these together but the renderer); n (poses drawn so); persists (of them,
    misread again, or recognised again) with its share of n and 95 % Wilson interval low and high; same_label (of them,
    with the very label of the audit); n_lost (poses left out, since their unchanged picture was not answered as
    recorded); n_failed_status (pictures that could not be evaluated; not in n).

    n counts poses drawn at random from the misread, or the recognised, ones of the audit: the shares speak of those
    under the audit's measure.

    Raises:
        RunError: the run is no complete probe of artefacts.
    """
    probe, frame = read_probe(run, "artefacts")
    base = reproduced(frame)
    rows = frame[frame["change"] != UNCHANGED].merge(base, on=[*PAIR, "base"])
    groups = ["misread", "recognised"]
    rows["group"] = pd.Categorical(rows["base_recognised"].map({False: groups[0], True: groups[1]}), categories=groups)
    rows["n_lost"] = ~rows["is_reproduced"]
    rows["n_failed_status"] = rows["is_reproduced"] & ~rows["ok"]
    rows["n"] = rows["is_reproduced"] & rows["ok"]
    rows["persists"] = rows["n"] & (rows["recognised"] == rows["base_recognised"])
    rows["same_label"] = rows["n"] & (rows["top1_label"].astype(str) == rows["base_label"].astype(str))
    counts = ["n_lost", *_COUNTS]
    each = rows[[*PAIR, "group", "change", "base", *counts]].assign(change=rows["change"].astype(str))
    often = each[each["change"] != _OF_FEW].drop(columns="change")
    every = often.groupby([*PAIR, "group", "base"], observed=True, as_index=False).agg(
        {"n": "min", "persists": "min", "same_label": "min", "n_lost": "max", "n_failed_status": "max"}
    )
    table = pd.concat([each, every.assign(change=EVERY)], ignore_index=True)
    table["change"] = pd.Categorical(table["change"], categories=[*probe.changes, EVERY])
    found = table.groupby([*PAIR, "group", "change"], observed=True)[counts].sum().astype(int).reset_index()
    found["share"] = share(found["persists"], found["n"])
    found["low"], found["high"] = wilson(found["persists"], found["n"])
    order = ["n", "persists", "share", "low", "high", "same_label", "n_lost", "n_failed_status"]
    found = found[[*PAIR, "group", "change", *order]]
    return found.astype(dict.fromkeys([*PAIR, "group", "change"], str))
