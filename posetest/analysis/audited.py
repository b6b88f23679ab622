"""The records of an audit, and of nothing else: what shares of poses may be computed from."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from posetest.analysis.outcomes import outcomes
from posetest.engine.run import RunFolder
from posetest.errors import RunError


def audited(run: RunFolder, columns: Sequence[str] = ()) -> pd.DataFrame:
    """``outcomes(run, columns)`` of a run whose poses were drawn from a measure.

    Raises:
        RunError: the run chose its poses (a search), or there are no records.
    """
    if run.info.kind != "audit":
        raise RunError(
            f'{run.path}: a run of kind "{run.info.kind}" chooses its poses: their share does not say '
            "how often the model fails; use a run of posetest audit"
        )
    return outcomes(run, columns)


def need_columns(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Nothing, if ``frame`` has all ``columns``.

    Raises:
        RunError: it misses some; the text names them.
    """
    missing = [column for column in columns if column not in frame]
    if missing:
        raise RunError(f"{what} needs the columns {', '.join(missing)}: read them with outcomes(run, {missing!r})")
