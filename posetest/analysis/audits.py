"""Rows that a rate may be made of: those of an audit, whose poses were drawn from a measure."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from posetest.analysis.outcomes import outcomes
from posetest.engine.record import SCHEMA
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError, suggest

#: Outcomes that have rates; "misread" includes "confident", "top5" includes "recognised".
OUTCOMES = ("recognised", "misread", "confident", "top5")
#: Columns that the records of a search have and those of an audit lack.
_OF_SEARCHES = ("hit", "ask", "score")
_CHOSEN = (
    "chooses its poses: their share does not say how often the model fails; "
    "rates need poses drawn from a measure (posetest audit)"
)


def require_audit(run: RunFolder) -> None:
    """Nothing, if the poses of ``run`` were drawn from a measure.

    Raises:
        RunError: the run chose them: a search, tuning curves, a probe.
    """
    if run.info.kind != "audit":
        raise RunError(f'{run.path}: a run of kind "{run.info.kind}" {_CHOSEN}')


def need_columns(rows: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    """Nothing, if ``rows`` have all ``columns``; ``what`` needs them.

    Raises:
        RunError: one of them is missing; the text says how to read it.
    """
    if missing := [column for column in columns if column not in rows]:
        listed = ", ".join(f'"{column}"' for column in missing)
        raise RunError(f"{what} needs the column {missing[0]}, which the rows lack; read it: outcomes(run, [{listed}])")


def audit_rows(source: RunFolder | pd.DataFrame, columns: Sequence[str] = ()) -> pd.DataFrame:
    """The evaluated (``ok``) rows of an audit, with the columns of ``outcomes`` and at least ``columns``.

    ``source`` is a run, or rows of ``outcomes(run, columns)``, also of several runs one after the other. ``scene`` and
    ``model`` are categories: in the order of run.toml, or of their first row where the frame has none.

    Raises:
        RunError: the run or the rows are of a search; the rows lack a column; there are no records.
        ConfigError: records have no such column.
    """
    if isinstance(source, pd.DataFrame):
        frame = source
        if found := [name for name in _OF_SEARCHES if name in frame]:
            raise RunError(f'the rows have the column "{found[0]}", as a search writes it, which {_CHOSEN}')
    else:
        require_audit(source)
        if unknown := [name for name in columns if name not in SCHEMA.names]:
            hint = suggest(unknown[0], SCHEMA.names) or "; such as long_px, inside, distance"
            raise ConfigError(f'records have no column "{unknown[0]}"{hint}')
        frame = outcomes(source, columns)
    wanted = ("scene", "model", "ok", *OUTCOMES, *columns)
    if missing := [name for name in wanted if name not in frame]:
        raise RunError(f'the rows lack the column "{missing[0]}"; read them with outcomes(run, ["{missing[0]}"])')
    if not frame["ok"].all():  # else a copy of everything for nothing
        frame = frame[frame["ok"]]
    return frame.assign(**{name: _as_category(frame[name]) for name in ("scene", "model")})


def check_options(outcomes: Sequence[str], level: float) -> None:
    """Nothing, if ``outcomes`` are of OUTCOMES and ``level`` is one of an interval.

    Raises:
        ConfigError: they are not.
    """
    for outcome in outcomes:
        if outcome not in OUTCOMES:
            raise ConfigError(
                f'outcome "{outcome}" is unknown{suggest(outcome, OUTCOMES)} (known: {", ".join(OUTCOMES)})'
            )
    if not 0 < level < 1:
        raise ConfigError(f"level = {level} must be between 0 and 1, such as 0.95")


def _as_category(values: pd.Series) -> pd.Series:
    """``values`` as a category: their own, or that of their first appearance."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return values
    return values.astype(pd.CategoricalDtype(list(dict.fromkeys(values))))
