"""Do the poses that one model misreads fool another: shares of one model's failures that are failures of the other.

The table of Alcorn et al. (CVPR 2019: how many poses misread by Inception-v3 are misread by AlexNet and
ResNet-50), for every ordered pair of models of a run. Two models that fail often share failures by chance; the share
of all poses that the second misreads stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from posetest.analysis.intervals import pooled_wilson, share, wilson
from posetest.analysis.matched import Matched, known_models, match_models, matched_rows
from posetest.errors import RunError, suggest

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

#: Which poses of the first model count: all that it misreads, or those misread with a probability of 0.7 or more.
GIVEN = ("misread", "confident")
#: What is counted of the second model at these poses.
SHARES = ("misread", "same_label", "confident")
#: The scene's name in pooled rows.
POOLED = ""
_KEYS = ["from_model", "to_model"]


def transfer(
    run: RunFolder,
    frame: pd.DataFrame | None = None,
    *,
    models: Sequence[str] | None = None,
    given: str = "misread",
    stratum: str = "all",
) -> pd.DataFrame:
    """Transfer of failing poses: a row for each scene and ordered pair of models, then one for each pair over scenes.

    Columns: scene (POOLED, "", over all), is_pooled, objects (the scenes counted, comma-separated), from_model,
    to_model, given, stratum; poses (evaluated by both); n (of these, failures of from_model as ``given`` says);
    misread (of n, misread by to_model too), same_label (misread as the same wrong label), confident (misread by
    to_model with a probability of at least 0.7), each with NAME_rate (of n) and its 95 % Wilson interval NAME_low and
    NAME_high; to_rate (share of all ``poses`` misread by to_model), to_low, to_high. Rates of no poses are nan.

    A pooled row adds the counts of its objects, so that those misread more often weigh more, and its interval
    (``pooled_wilson``) speaks of new poses of these objects, not of other objects. Labels are compared as texts: models
    with different label names never agree.

    Args:
        run: an audit.
        frame: ``outcomes(run, ["index"])`` where the caller has read it already.
        models: two or more names; by default all of the run.
        given: "misread" or "confident", which poses of from_model count.
        stratum: "all" or "visible" poses.

    Raises:
        RunError: the run is no audit, has no records or fewer than two models, lacks a model that is named, holds a
            pose twice, or ``given`` or ``stratum`` is none of the words above.
    """
    if given not in GIVEN:
        raise RunError(f'given = "{given}"{suggest(given, GIVEN)} (one of {", ".join(GIVEN)})')
    names = known_models(run, models, least=2)
    scenes = match_models(run, matched_rows(run, frame, stratum), names)
    table = of_scenes = pd.DataFrame([line for found in scenes for line in _counts(found, given)])
    pooled = table.drop(columns="scene").groupby(_KEYS, sort=False).sum().reset_index()
    pooled.insert(0, "scene", POOLED)
    counted = ", ".join(found.scene for found in scenes if len(found.index))
    table = pd.concat([table, pooled], ignore_index=True)
    table.insert(1, "is_pooled", table["scene"] == POOLED)
    table.insert(2, "objects", table["scene"].where(~table["is_pooled"], counted))
    table.insert(5, "given", given)
    table.insert(6, "stratum", stratum)
    for name, whole in (*((name, "n") for name in SHARES), ("to", "poses")):
        count = table["to_misread"] if name == "to" else table[name]
        table[f"{name}_rate"] = share(count, table[whole])
        table[f"{name}_low"], table[f"{name}_high"] = wilson(count, table[whole])
        column = "to_misread" if name == "to" else name
        for row, line in pooled.iterrows():
            strata = of_scenes[(of_scenes[_KEYS] == line[_KEYS]).all(axis=1)]
            bounds = pooled_wilson(strata[column], strata[whole], strata["poses"])
            table.loc[len(of_scenes) + int(str(row)), [f"{name}_low", f"{name}_high"]] = [float(b) for b in bounds]
    return table.drop(columns="to_misread")


def _counts(found: Matched, given: str) -> list[dict[str, object]]:
    """The counts of one scene, a line for each ordered pair of models."""
    failing = found.misread if given == "misread" else found.confident
    lines: list[dict[str, object]] = []
    for a, first in enumerate(found.models):
        for b, second in enumerate(found.models):
            if a == b:
                continue
            shared = found.ok[:, a] & found.ok[:, b]
            asked = shared & failing[:, a]
            told = asked & found.misread[:, b]
            lines.append(
                {
                    "scene": found.scene,
                    "from_model": first,
                    "to_model": second,
                    "poses": int(shared.sum()),
                    "n": int(asked.sum()),
                    "misread": int(told.sum()),
                    "same_label": int((told & (found.label[:, a] == found.label[:, b])).sum()),
                    "confident": int((asked & found.confident[:, b]).sum()),
                    "to_misread": int((shared & found.misread[:, b]).sum()),
                }
            )
    return lines


def transfer_matrix(table: pd.DataFrame, column: str = "misread_rate", scene: str = POOLED) -> pd.DataFrame:
    """One column of ``transfer`` for one scene, or pooled: a row for each from_model, a column for each to_model.

    nan on the diagonal: a model's failures are its own.

    Raises:
        RunError: the table has no such column or scene.
    """
    if column not in table:
        raise RunError(f'transfer: no column "{column}"{suggest(column, map(str, table.columns))}')
    rows = table[table["scene"] == scene]
    if not len(rows):
        known = [str(s) for s in table["scene"].unique()]
        raise RunError(
            f'transfer: no scene "{scene}"{suggest(scene, known)} (scenes: {", ".join(filter(None, known))})'
        )
    order = list(rows["from_model"].unique())
    return rows.pivot(index="from_model", columns="to_model", values=column).reindex(index=order, columns=order)
