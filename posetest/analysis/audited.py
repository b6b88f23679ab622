"""Rows that maps may be made of: evaluated poses of one scene and model, drawn from a measure and not searched for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from posetest.analysis.outcomes import of_pair, outcomes
from posetest.engine.run import RunFolder
from posetest.errors import RunError, suggest


def audit_rows(run: RunFolder, scene: str, model: str, columns: Sequence[str] = ()) -> pd.DataFrame:
    """The evaluated rows of ``scene`` and ``model`` in an audit, with ``columns`` beside those of ``outcomes``.

    Raises:
        RunError: the run is a search, which chooses its poses; or it has no such scene or model.
    """
    if run.info.kind != "audit":
        raise RunError(
            f'{run.path}: a run of kind "{run.info.kind}" chooses its poses: a map of them does not say '
            "how often the model fails; maps need poses drawn from a measure (posetest audit)"
        )
    for what, name, known in (
        ("scene", scene, [s.name for s in run.info.scenes]),
        ("model", model, [m.name for m in run.info.models]),
    ):
        if name not in known:
            raise RunError(f'{run.path}: no {what} "{name}"{suggest(name, known)} (there are: {", ".join(known)})')
    return of_pair(outcomes(run, columns), scene, model)


def need_columns(rows: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Nothing, if ``rows`` have all ``columns``; ``what`` needs them.

    Raises:
        RunError: one of them is missing; the text says how to read it.
    """
    missing = [name for name in columns if name not in rows]
    if missing:
        listed = ", ".join(f'"{name}"' for name in missing)
        raise RunError(f"{what} needs the column {missing[0]}, which the rows lack; read it: outcomes(run, [{listed}])")
