"""What two audits of the same poses say of each other: a model before and after, or two models run apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import pandas as pd

from posetest.analysis.lightings import overlap_between
from posetest.analysis.recorded import recorded_space
from posetest.analysis.regression import changed_poses, compare_runs
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.report.gathered import Audited
from posetest.report.plain import records
from posetest.space import format_pose

_SHOWN = 6  # poses of each kind of change, scene and pair


@dataclass(frozen=True, eq=False)
class Between:
    """Two runs compared.

    Attributes:
        before, after: names of the runs.
        table: of ``compare_runs``, for every pair of models compared; empty where none could be.
        poses: the most confident changes, of ``changed_poses``, with replay strings in the column pose.
        reason: why nothing is compared, or "".
    """

    before: str
    after: str
    table: pd.DataFrame
    poses: pd.DataFrame
    reason: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Of ``table``."""
        return records(self.table)

    @property
    def changed(self) -> list[dict[str, Any]]:
        """Of ``poses``."""
        return records(self.poses)

    @property
    def measures(self) -> list[str]:
        """Names of the sampling measures of ``table``."""
        return list(dict.fromkeys(self.table["measure"])) if len(self.table) else []

    @property
    def other_pictures(self) -> int:
        """Poses whose pictures differ between the runs: of each object once, whichever models saw them."""
        return int(self.table.groupby("scene")["n_other_picture"].max().sum()) if len(self.table) else 0


def between_runs(audited: Sequence[Audited]) -> list[Between]:
    """Every two audits compared pose by pose, where they hold the same poses."""
    runs = [one for one in audited if one.run is not None]
    return [_between(first, second) for first, second in combinations(runs, 2)]


def labels_between(audited: Sequence[Audited]) -> list[dict[str, Any]]:
    """How far audits of one object share their wrong labels: rows of ``overlap_between``."""
    return records(overlap_between({one.name: one.run for one in audited if one.run is not None}))


def _between(first: Audited, second: Audited) -> Between:
    assert first.run is not None
    assert second.run is not None
    tables, poses = [], []
    try:
        for pair in _pairs(first.run, second.run):
            tables.append(compare_runs(first.run, second.run, models=pair))
            poses.append(_told(first.run, second.run, pair))
    except RunError as error:
        return Between(first.name, second.name, pd.DataFrame(), pd.DataFrame(), str(error))
    return Between(
        first.name, second.name, pd.concat(tables, ignore_index=True), pd.concat(poses, ignore_index=True), ""
    )


def _pairs(before: RunFolder, after: RunFolder) -> list[tuple[str, str]]:
    """Names of models to compare: those that both have, or else every one with every other."""
    one, other = ([m.name for m in run.info.models] for run in (before, after))
    return [(name, name) for name in one if name in other] or [(a, b) for a in one for b in other]


def _told(before: RunFolder, after: RunFolder, pair: tuple[str, str]) -> pd.DataFrame:
    """The most confident changed poses of each scene, as rows with replay strings."""
    changed = changed_poses(before, after, models=pair)
    sure = changed["p_after"].where(changed["change"] == "broken", changed["p_before"])
    order = changed.assign(sure=sure).sort_values(["sure", "index"], ascending=[False, True])
    kept = order.groupby(["scene", "change"], sort=False).head(_SHOWN).sort_values(["scene", "change"], kind="stable")
    spaces = {scene.name: recorded_space(scene) for scene in before.info.scenes}
    kept["pose"] = [
        format_pose(vector, space) if (space := spaces[str(scene)]) is not None else ""
        for scene, vector in zip(kept["scene"], kept[list(POSE_COLUMNS)].to_numpy(dtype=float), strict=True)
    ]
    return kept.drop(columns=["sure", *POSE_COLUMNS]).assign(model_before=pair[0], model_after=pair[1])
