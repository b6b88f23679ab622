"""Which parameters decide whether a model recognises the object: Sobol indices over the scene's own measure.

Read from the records of ``posetest probe --what indices``, which hold a design of poses with parameters exchanged
between them. A factor is a parameter that varies, or "rotation": yaw, pitch and roll together.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.probes import PAIR, measures, read_probe
from posetest.analysis.sobol import pair_interactions, sobol_indices
from posetest.engine.probe_design import FIRST, INTO_FIRST, INTO_SECOND, SECOND, factors

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

Array = NDArray[np.float64]

#: What is explained: whether the object is recognised (0 or 1), the probability of the first label, and that of all
#: accepted labels.
OUTCOMES = {"recognised": "recognised", "confidence": "top1_p", "accepted_p": "accepted_p"}


def indices(run: RunFolder, level: float = 0.95, resamples: int = 1000) -> pd.DataFrame:
    """First-order and total Sobol indices: a row for each scene, model, outcome and factor.

    Columns: scene, model; outcome ("recognised", "confidence", "accepted_p"); parameter (or "rotation", yaw, pitch and
    roll together); then as in ``sobol_indices``: n (rows of the design), n_left_out (rows with a pose that could not be
    evaluated), n_changed, first, first_low, first_high, total, total_low, total_high; measure. Numbers are nan where
    fewer than two rows could be evaluated.

    Raises:
        RunError: the run is no complete probe of indices.
        ValueError: ``level`` or ``resamples`` is out of range.
    """
    tables = []
    for key, names, values in _designs(run):
        if (whole := _whole(values)) < 2:
            table = pd.DataFrame({"parameter": list(names), **_left_out(values, whole), "n_changed": 0})
            tables.append(_keyed(table.assign(**dict.fromkeys(_NUMBERS, np.nan)), key))
            continue
        f_ab = np.stack([values[f"{INTO_FIRST} {name}"] for name in names])
        table = sobol_indices(list(names), values[FIRST], values[SECOND], f_ab, level=level, resamples=resamples)
        tables.append(_keyed(table, key))
    return measures(run, pd.concat(tables, ignore_index=True))


def index_pairs(run: RunFolder, level: float = 0.95, resamples: int = 1000) -> pd.DataFrame:
    """What two factors explain together beyond each alone: a row for each scene, model, outcome and pair of factors.

    Columns: scene, model, outcome; then as in ``pair_interactions``: parameter_1, parameter_2, n, n_left_out,
    interaction with its interval low and high; measure. "rotation" is not paired with its own angles. No rows where
    only one parameter varies, or fewer than two rows of the design could be evaluated.

    Raises:
        RunError, ValueError: as ``indices``.
    """
    tables = [pd.DataFrame(columns=_PAIR_COLUMNS)]
    for key, names, values in _designs(run):
        if len(names) < 2 or _whole(values) < 2:
            continue
        f_ab, f_ba = (np.stack([values[f"{word} {name}"] for name in names]) for word in (INTO_FIRST, INTO_SECOND))
        options = {"level": level, "resamples": resamples}
        table = pair_interactions(list(names), values[FIRST], values[SECOND], f_ab, f_ba, **options)  # type: ignore[arg-type]
        is_apart = [
            not set(names[one]) & set(names[two])
            for one, two in zip(table["parameter_1"], table["parameter_2"], strict=True)
        ]
        tables.append(_keyed(table[is_apart], key))
    found = tables[1:] or tables
    return measures(run, pd.concat(found, ignore_index=True))


_NUMBERS = [f"{index}{end}" for index in ("first", "total") for end in ("", "_low", "_high")]
_PAIR_COLUMNS = [*PAIR, "outcome", "parameter_1", "parameter_2", "n", "n_left_out", "interaction", "low", "high"]
_Key = tuple[str, str, str]


def _whole(values: dict[str, Array]) -> int:
    """Rows of the design with a value everywhere."""
    return int(np.isfinite(np.stack(list(values.values()))).all(axis=0).sum())


def _left_out(values: dict[str, Array], whole: int) -> dict[str, int]:
    return {"n": whole, "n_left_out": len(next(iter(values.values()))) - whole}


def _keyed(table: pd.DataFrame, key: _Key) -> pd.DataFrame:
    scene, model, outcome = key
    return table.assign(scene=scene, model=model, outcome=outcome)[[*PAIR, "outcome", *table.columns]]


def _designs(run: RunFolder) -> Iterator[tuple[_Key, dict[str, tuple[str, ...]], dict[str, Array]]]:
    """Scene, model and outcome; the factors; the outcome [n] of each sample of the design, nan where there is none."""
    _, frame = read_probe(run, "indices", list(OUTCOMES.values()))
    free = {scene.name: scene.free for scene in run.info.scenes}
    frame["change"] = frame["change"].astype(str)
    for (scene, model), rows in frame.groupby(PAIR, observed=True, sort=True):
        names = factors(free[str(scene)])
        for outcome, column in OUTCOMES.items():
            value = rows[column].astype(float).where(rows["ok"])
            wide = rows.assign(value=value).pivot(index="base", columns="change", values="value").sort_index()
            yield (str(scene), str(model), outcome), names, {str(c): wide[c].to_numpy(dtype=float) for c in wide}
