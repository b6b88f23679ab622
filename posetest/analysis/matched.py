"""Rows of several models, or of several runs, laid side by side by pose: what every paired comparison starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import require_audit
from posetest.analysis.outcomes import outcomes
from posetest.analysis.rates import STRATA
from posetest.engine.run import RunFolder
from posetest.errors import RunError, suggest

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Matched:
    """Answers of m models to the p poses of one scene that have a record of any of them.

    Attributes:
        scene: its name.
        models: their names, in order.
        index: int64 [p], of the poses, rising.
        ok, recognised, misread, confident: bool [p, m], as in ``outcomes``; False where there is no record.
        label: int32 [p, m], code of the first label, equal codes for equal texts in all models; -1 for no record.
    """

    scene: str
    models: tuple[str, ...]
    index: NDArray[np.int64]
    ok: Mask
    recognised: Mask
    misread: Mask
    confident: Mask
    label: NDArray[np.int32]


def matched_rows(run: RunFolder, frame: pd.DataFrame | None, stratum: str = "all") -> pd.DataFrame:
    """The rows of ``outcomes(run, ["index"])``, or of ``frame`` where the caller has read them, in ``stratum``.

    Raises:
        RunError: the run is no audit, the rows have no column "index", or there is no such stratum.
    """
    require_audit(run)
    if stratum not in STRATA:
        raise RunError(f'stratum = "{stratum}"{suggest(stratum, STRATA)} (one of {", ".join(STRATA)})')
    rows = outcomes(run, ["index"]) if frame is None else frame
    if "index" not in rows:
        raise RunError(
            f'{run.path}: poses are matched by the column "index", which the rows lack; '
            'read them with outcomes(run, ["index"])'
        )
    return rows[rows["visible"]] if stratum == "visible" else rows


def known_models(run: RunFolder, models: Sequence[str] | None, least: int = 1) -> tuple[str, ...]:
    """``models``, or all of the run where None.

    Raises:
        RunError: one is not in the run or stands there twice, or they are fewer than ``least``.
    """
    known = [m.name for m in run.info.models]
    chosen = known if models is None else list(models)
    for name in chosen:
        if name not in known:
            raise RunError(f'{run.path}: no model "{name}"{suggest(name, known)} (models: {", ".join(known)})')
        if chosen.count(name) > 1:
            raise RunError(f'{run.path}: the model "{name}" stands there twice; a model is compared with others')
    if len(chosen) < least:
        raise RunError(
            f"{run.path}: comparing models needs {least} or more in one run, here: {', '.join(chosen) or 'none'}; "
            "audit with --model given several times"
        )
    return tuple(chosen)


def match_models(run: RunFolder, rows: pd.DataFrame, models: Sequence[str]) -> list[Matched]:
    """The answers of ``models`` side by side, an entry for each scene of the run, also where it has no rows.

    Raises:
        RunError: a pose has two rows of one scene and model.
    """
    by_scene = dict(list(rows.groupby("scene", observed=True)))
    return [match(s.name, by_scene.get(s.name, rows.iloc[:0]), models, str(run.path)) for s in run.info.scenes]


def match(scene: str, rows: pd.DataFrame, models: Sequence[str], where: str) -> Matched:
    """The answers of ``models`` side by side from ``rows`` of one scene; ``where`` is named in errors.

    Raises:
        RunError: a pose has two rows of one model.
    """
    names = rows["model"].astype("category").cat
    column = pd.Index(models).get_indexer(names.categories)[names.codes] if len(rows) else np.zeros(0, dtype=np.int64)
    rows, column = rows[column >= 0], column[column >= 0]
    index, place = np.unique(rows["index"].to_numpy(dtype=np.int64), return_inverse=True)
    shape = (len(index), len(models))
    cell = place * len(models) + column
    counts = np.bincount(cell, minlength=shape[0] * shape[1])
    if counts.max(initial=0) > 1:
        pose, model = divmod(int(counts.argmax()), len(models))
        raise RunError(
            f'{where}: pose {index[pose]} of scene "{scene}" has {counts.max()} rows of model "{models[model]}", '
            "expected one; records/ holds parts of several runs: delete it and run again with --resume"
        )

    def spread(name: str) -> Mask:
        values = np.zeros(shape[0] * shape[1], dtype=bool)
        values[cell] = rows[name].to_numpy(dtype=bool)
        return values.reshape(shape)

    label = np.full(shape[0] * shape[1], -1, dtype=np.int32)
    label[cell] = rows["top1_label"].astype("category").cat.codes.to_numpy()
    ok = spread("ok")
    return Matched(
        scene=scene,
        models=tuple(models),
        index=index,
        ok=ok,
        recognised=spread("recognised") & ok,
        misread=spread("misread"),
        confident=spread("confident"),
        label=label.reshape(shape),
    )
