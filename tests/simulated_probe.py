"""A probe's run folder without a renderer or a network: planned rows, answered by a rule of the pose vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from simulated_run import simulate

from posetest.config import SpaceConfig
from posetest.engine.probe_plan import Bases, Rows
from posetest.engine.record import POSE_COLUMNS, PROBE_SCHEMA, to_arrow
from posetest.engine.run import RunFolder
from posetest.run_info import ProbeInfo

#: Label [n] from the rows; one of "jeep" counts as recognised.
Labels = Callable[[Rows], NDArray[np.str_]]


def bases_at(vectors: NDArray[np.float64], *, recognised: bool = True, label: str = "jeep") -> Bases:
    """Poses of a parent, numbered from 0."""
    count = len(vectors)
    return Bases(vectors, np.arange(count), np.full(count, recognised), np.full(count, label, dtype=object))


def simulate_probe(
    folder: Path,
    probe: ProbeInfo,
    bases: Bases,
    rows: Rows,
    labels: Labels,
    *,
    finished: bool = True,
    failed: int = -1,
    accepted_p: NDArray[np.float64] | None = None,
    space: SpaceConfig | None = None,
) -> RunFolder:
    """A probe of one scene and model; row number ``failed`` could not be evaluated."""
    parent = simulate(folder / "parent", poses=1, space=space)
    info = msgspec.structs.replace(parent.info, kind="probe", status="running", poses=probe.poses, probe=probe)
    run = RunFolder.create(folder / "probe", info)
    count, found = len(rows), labels(rows)
    columns: dict[str, object] = {
        field.name: pd.Series(np.zeros(count)).astype(field.type.to_pandas_dtype())
        for field in PROBE_SCHEMA
        if "dictionary" not in str(field.type)
    }
    ok = np.arange(count) != failed
    columns |= {
        "scene": ["jeep"] * count,
        "model": ["net"] * count,
        "index": np.arange(count),
        "status": np.where(ok, "ok", "scores not finite"),
        "recognised": (found == "jeep") & ok,
        "top1_label": np.where(ok, found, ""),
        "base": bases.index[rows.of],
        "base_recognised": bases.recognised[rows.of],
        "base_label": bases.label[rows.of],
        "change": rows.change,
        "amount": rows.amount,
        "accepted_p": np.zeros(count) if accepted_p is None else accepted_p,
    }
    columns |= dict(zip(POSE_COLUMNS, rows.vectors.T, strict=True))
    run.write_part(0, to_arrow(columns, PROBE_SCHEMA))
    if finished:
        run.finish()
    return run
