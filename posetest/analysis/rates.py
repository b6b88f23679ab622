"""Recognition rates: one line for each scene, model and stratum, each with n, intervals and sampling measure.

Objects are not pooled: renders of one object are no independent draws of objects, so a rate belongs to one object.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from posetest.analysis.audits import require_audit
from posetest.analysis.intervals import exact, share, upper_bound, wilson
from posetest.analysis.labels import wrong_labels
from posetest.analysis.outcomes import outcomes

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

#: All poses; those whose object is inside the frame and large enough (record.VISIBLE_INSIDE, VISIBLE_LONG_PX).
STRATA = ("all", "visible")
_PAIR = ["scene", "model"]
_READ = [*_PAIR, "visible", "ok", "recognised", "top5", "misread", "confident", "top1_label", "top1_p"]


def rates(run: RunFolder, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """Rates of ``run``, a row for each scene, model and stratum, in the order of run.toml.

    Columns: scene, model, stratum; n (evaluated poses), n_failed_status (poses that could not be evaluated, not in n);
    recognised, rate, low, high, exact_low, exact_high; top5, and confident (misread with probability of at least 0.7),
    likewise with top5_rate, top5_low, ..., confident_exact_high; misread; recognised_at_most, misread_at_most,
    confident_at_most (upper bounds of these shares, one-sided at 95 %, for what is rare); mean_confidence (of the first
    label, right or wrong); wrong_label (the most frequent one), wrong_share (of all n), wrong_low, wrong_high; measure.
    Intervals are at 95 %: low and high Wilson's, to show, exact_low and exact_high those of Clopper and Pearson, for
    claims; the upper bounds are exact too. Rates of no poses are nan.

    ``frame`` is ``outcomes(run)`` where the caller has read it already.

    Raises:
        RunError: there are no records yet, or they do not fit run.toml; or the run is a search.
    """
    require_audit(run)
    if frame is None:
        frame = outcomes(run)
    frame = frame[_READ]  # parts of it are copied, and it may hold twice as many columns besides
    measures = {s.name: s.measure for s in run.info.scenes}
    tables = [_stratum(frame, "all"), _stratum(frame[frame["visible"]], "visible")]
    table = pd.concat(tables, ignore_index=True)
    table["measure"] = [measures[str(name)] for name in table["scene"]]
    table["stratum"] = pd.Categorical(table["stratum"], categories=list(STRATA))
    table = table.sort_values([*_PAIR, "stratum"], ignore_index=True)
    return table.astype({"scene": str, "model": str, "stratum": str})


def _stratum(frame: pd.DataFrame, stratum: str) -> pd.DataFrame:
    """The rates of the rows in ``frame``, a row for each scene and model."""
    grouped = frame[frame["ok"]].groupby(_PAIR, observed=False)
    table = grouped[["recognised", "top5", "misread", "confident"]].sum().astype(int)
    n = grouped.size().astype(int)
    table.insert(0, "n", n)
    table.insert(1, "n_failed_status", frame[~frame["ok"]].groupby(_PAIR, observed=False).size().astype(int))
    for count, prefix in (("recognised", ""), ("top5", "top5_"), ("confident", "confident_")):
        table[f"{prefix}rate"] = share(table[count], n)
        table[f"{prefix}low"], table[f"{prefix}high"] = wilson(table[count], n)
        table[f"{prefix}exact_low"], table[f"{prefix}exact_high"] = exact(table[count], n)
    for count in ("recognised", "misread", "confident"):
        table[f"{count}_at_most"] = upper_bound(table[count], n)
    table["mean_confidence"] = grouped["top1_p"].mean().astype(float)
    first = wrong_labels(frame, top=1).set_index(_PAIR)
    table["wrong_label"] = first["label"].reindex(table.index).fillna("").astype(str)
    for bound in ("share", "low", "high"):
        table[f"wrong_{bound}"] = first[bound].reindex(table.index).astype(float)
    table = table.reset_index()
    table.insert(2, "stratum", stratum)
    return table
