"""Records with their outcome: the one place that says what misread and confidently misread mean.

ok          the pose could be evaluated; the rest are counted and left out of every rate
recognised  the first label is among the accepted ones
misread     ok and not recognised
confident   misread with a probability of at least CONFIDENT of the wrong label
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from posetest.engine.record import CONFIDENT
from posetest.engine.run import RunFolder
from posetest.errors import RunError

_BASE = ("scene", "model", "status", "visible", "recognised", "top5", "top1_label", "top1_p")


def outcomes(run: RunFolder, columns: Sequence[str] = ()) -> pd.DataFrame:
    """All records of ``run``, the columns of _BASE and ``columns`` only, with ``ok``, ``misread`` and ``confident``.

    ``scene`` and ``model`` are categories in the order of run.toml, those without records included.

    Raises:
        RunError: there are no records, or they speak of a scene or model that run.toml does not name.
    """
    frame = run.table([*_BASE, *(c for c in columns if c not in _BASE)])
    for column, known in (
        ("scene", [s.name for s in run.info.scenes]),
        ("model", [m.name for m in run.info.models]),
    ):
        strangers = sorted(set(frame[column].unique()) - set(known))
        if strangers:
            raise RunError(
                f'{run.path}: the records speak of the {column} "{strangers[0]}", which run.toml does not name '
                f"(it names {', '.join(known)}); run.toml and records/ belong to different runs"
            )
        frame[column] = frame[column].astype(pd.CategoricalDtype(known))
    frame["ok"] = frame["status"].astype(str) == "ok"
    frame["misread"] = frame["ok"] & ~frame["recognised"]
    frame["confident"] = frame["misread"] & (frame["top1_p"] >= CONFIDENT)
    return frame


def of_pair(frame: pd.DataFrame, scene: str, model: str) -> pd.DataFrame:
    """The evaluated (``ok``) rows of one scene and model."""
    return frame[(frame["scene"] == scene) & (frame["model"] == model) & frame["ok"]]
