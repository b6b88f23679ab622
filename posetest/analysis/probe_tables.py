"""All tables of a probe, by name: what a report, or a program, shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from posetest.analysis.artefacts import artefacts
from posetest.analysis.indices import index_pairs, indices
from posetest.analysis.probes import measures
from posetest.analysis.robust import axes, boxes, pose_axes, pose_boxes
from posetest.analysis.sensitivity import sensitivity
from posetest.analysis.tolerance import pose_tolerances, tolerance
from posetest.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from posetest.engine.run import RunFolder
    from posetest.run_info import ProbeKind

    Table = Callable[[RunFolder], pd.DataFrame]

#: Tables of each kind, the main one first.
_TABLES: Mapping[ProbeKind, Mapping[str, Table]] = {
    "sensitivity": {"flips": sensitivity},
    "artefacts": {"artefacts": artefacts},
    "tolerance": {"balls": tolerance, "pose_balls": pose_tolerances},
    "axes": {"axes": axes, "pose_axes": pose_axes},
    "boxes": {"boxes": boxes, "pose_boxes": pose_boxes},
    "indices": {"indices": indices, "pairs": index_pairs},
}


def main_table(run: RunFolder) -> pd.DataFrame:
    """The first of ``probe_tables``.

    Raises:
        RunError: the run is no complete probe.
    """
    return measures(run, next(iter(_of(run).values()))(run))


def probe_tables(run: RunFolder) -> dict[str, pd.DataFrame]:
    """All tables of a probe by name, the main one first; each has scene, model, n and, last, measure.

    sensitivity: flips. artefacts: artefacts. tolerance: balls, pose_balls. axes: axes, pose_axes. boxes: boxes,
    pose_boxes. indices: indices, pairs. Tables named pose_... have a row for each pose; for what the columns mean see
    the functions that make them.

    Raises:
        RunError: the run is no complete probe.
    """
    return {name: measures(run, make(run)) for name, make in _of(run).items()}


def _of(run: RunFolder) -> Mapping[str, Table]:
    if run.info.probe is None:
        raise RunError(f'{run.path}: is of kind "{run.info.kind}", and only probes have these tables')
    return _TABLES[run.info.probe.what]
