"""Two models on identical poses: their rows side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd

from posetest.analysis.audits import need_columns
from posetest.analysis.density import QUATERNION
from posetest.errors import RunError

_SAME_POSE = 1e-6  # quaternions of one pose are equal to the bit; this bears files written in other precision


def paired_rows(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """The poses that both models answered, ordered by index: index, QUATERNION, recognised_first, recognised_second.

    Poses that only one of them could evaluate are left out.

    Args:
        first: evaluated records of one scene and model (``of_pair``), with index and QUATERNION.
        second: those of another model on the same scene.

    Raises:
        RunError: a column is missing, an index is there twice, no pose is common, or the poses differ.
    """
    columns = ["index", *QUATERNION, "recognised"]
    for rows in (first, second):
        need_columns(rows, columns, "a comparison of two models")
        if rows["index"].duplicated().any():
            raise RunError("a comparison of two models wants rows of one scene and model each; an index is there twice")
    both = first[columns].merge(second[columns], on="index", suffixes=("_first", "_second")).sort_values("index")
    if both.empty:
        raise RunError("the two models have no pose in common; compare models of one run, or of runs of one seed")
    one, other = (both[[f"{name}_{which}" for name in QUATERNION]].to_numpy() for which in ("first", "second"))
    apart = np.minimum(np.abs(one - other).max(axis=1), np.abs(one + other).max(axis=1))  # q and -q are one rotation
    if apart.max() > _SAME_POSE:
        raise RunError(
            f"pose {both['index'].iloc[int(apart.argmax())]} is not the same for the two models; "
            "compare models of one run, or of runs of one scene, seed and sampling"
        )
    both = both.drop(columns=[f"{name}_second" for name in QUATERNION])
    return both.rename(columns={f"{name}_first": name for name in QUATERNION}).reset_index(drop=True)
