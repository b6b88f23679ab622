"""Everything a report says of an audit in numbers, from one reading of its records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from posetest.analysis.audits import require_audit
from posetest.analysis.calibration import calibration
from posetest.analysis.comparison import compare_models
from posetest.analysis.density import QUATERNION
from posetest.analysis.familiar import DEFAULT, familiar_scene
from posetest.analysis.features import FEATURE_COLUMNS
from posetest.analysis.labels import distinct_labels, labels_by_octant, wrong_labels
from posetest.analysis.lightings import lighting_overlap
from posetest.analysis.measures import measured, parse_measure
from posetest.analysis.outcomes import outcomes
from posetest.analysis.pooling import pooled
from posetest.analysis.rates import rates
from posetest.analysis.recorded import recorded_space
from posetest.analysis.regions import regions_table
from posetest.analysis.strata import strata
from posetest.analysis.transfer import transfer
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder
from posetest.space import format_pose

#: Columns that rates are broken down by.
BROKEN_DOWN = ("long_px", "inside", "distance")
#: Regions told of each object and model.
MOST_REGIONS = 4
_WRONG_LABELS = 8
#: Poses that a region names by index.
NAMED_POSES = ("typical", "worst", "nearest")
#: With fewer poses a breakdown has no four strata to compare.
_FEWEST = 100


@dataclass(frozen=True, eq=False)
class Summary:
    """The tables of an audit; columns as the functions named say.

    Attributes:
        frame: the records with their outcomes (``outcomes``), all pose columns included.
        rates: ``rates``.
        wrong: ``wrong_labels``.
        regions: ``regions_table``, with replay strings: typical_pose, worst_pose, nearest_pose ("" where unknown).
        calibration: ``calibration`` of all, familiar and unfamiliar poses.
        distinct: ``distinct_labels``.
        overlap: ``lighting_overlap``; empty where no two lightings of an object are there.
        confusion: ``labels_by_octant``.
        reweighted: ``measured`` under the measures asked for; empty without.
        strata: ``strata`` by each of BROKEN_DOWN, one below the other.
        pooled: ``pooled``, over objects; empty with one object.
        comparison, transfer: ``compare_models``, ``transfer``; empty with one model.
    """

    frame: pd.DataFrame
    rates: pd.DataFrame
    wrong: pd.DataFrame
    regions: pd.DataFrame
    calibration: pd.DataFrame
    distinct: pd.DataFrame
    overlap: pd.DataFrame
    confusion: pd.DataFrame
    reweighted: pd.DataFrame
    strata: pd.DataFrame
    pooled: pd.DataFrame
    comparison: pd.DataFrame
    transfer: pd.DataFrame


def summarise(run: RunFolder, measures: Sequence[str] = (), familiar: str | Path = DEFAULT) -> Summary:
    """The tables of the audit ``run``.

    Args:
        run: an audit.
        measures: other measures that its rates are told under too, as ``parse_measure`` reads them.
        familiar: the scene whose poses are familiar, a bundled one or a scene file.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, or the run chose its poses.
        ConfigError: a scene that there is not, or a measure that cannot be told from these poses.
    """
    asked, known = [parse_measure(text) for text in measures], familiar_scene(familiar)
    frame = summary_frame(run)
    table = rates(run, frame)
    several = len(run.info.models) > 1
    empty = pd.DataFrame()
    broken_down = [strata(frame, by) for by in BROKEN_DOWN] if int(frame["ok"].sum()) >= _FEWEST else [empty]
    return Summary(
        frame=frame,
        rates=table,
        wrong=wrong_labels(frame, _WRONG_LABELS),
        regions=_with_poses(run, frame, regions_table(run, frame, most=MOST_REGIONS)),
        calibration=calibration(run, frame, familiar=known),
        distinct=distinct_labels(frame),
        overlap=lighting_overlap(run, frame),
        confusion=labels_by_octant(run, frame),
        reweighted=measured(run, asked, frame),
        strata=pd.concat(broken_down, ignore_index=True),
        pooled=pooled(frame) if len(run.info.scenes) > 1 else empty,
        comparison=compare_models(run, frame) if several else empty,
        transfer=transfer(run, frame) if several else empty,
    )


def summary_frame(run: RunFolder, more: Sequence[str] = ()) -> pd.DataFrame:
    """The records of the audit ``run`` with their outcomes, all that a report needs of them, and the columns ``more``.

    Raises:
        RunError: as ``summarise``.
    """
    require_audit(run)
    columns = ["index", "inside", "long_px", "entropy", *QUATERNION, *FEATURE_COLUMNS, *POSE_COLUMNS, *more]
    return outcomes(run, list(dict.fromkeys(columns)))


def _with_poses(run: RunFolder, frame: pd.DataFrame, regions: pd.DataFrame) -> pd.DataFrame:
    """``regions`` with replay strings of the poses that it names by index."""
    spaces = {scene.name: recorded_space(scene) for scene in run.info.scenes}
    named = regions.melt(id_vars="scene", value_vars=list(NAMED_POSES), value_name="index")
    wanted = set(zip(named["scene"], named["index"].astype(int), strict=True))
    rows = frame[frame["index"].isin({index for _, index in wanted})].drop_duplicates(["scene", "index"])
    told: dict[tuple[str, int], str] = {}
    for scene, index, vector in zip(
        rows["scene"].astype(str), rows["index"], rows[list(POSE_COLUMNS)].to_numpy(dtype=np.float64), strict=True
    ):
        space = spaces[scene]
        if (scene, int(index)) in wanted and space is not None:
            told[scene, int(index)] = format_pose(vector, space)
    for key in NAMED_POSES:
        keys = zip(regions["scene"], regions[key].astype(int), strict=True)
        regions[f"{key}_pose"] = [told.get(pair, "") for pair in keys]
    return regions
