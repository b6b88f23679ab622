"""The figures of a probe."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pandas as pd

from posetest.analysis.artefacts import artefacts
from posetest.analysis.audits import require_audit
from posetest.analysis.indices import indices
from posetest.analysis.sensitivity import smallest_flips
from posetest.analysis.tolerance import LEAST_SHARE, tolerance
from posetest.engine.run import RunFolder, file_name
from posetest.errors import RunError
from posetest.report.drawing.probes import artefacts_figure, indices_figure, sensitivity_figure, tolerance_figure
from posetest.report.drawing.sketch import Sketch


def probe_sketches(run: RunFolder) -> Iterator[Sketch]:
    """The figure of the probe ``run`` for each scene and model.

    sensitivity: the share of recognised poses that a change of one parameter has flipped, over its size, the
    disturbance test of Alcorn et al. (CVPR 2019). tolerance: recognition of turned poses over the largest turn.
    artefacts: the share of outcomes that persist when poses are drawn otherwise. indices: Sobol indices of being
    recognised.

    Raises:
        RunError: the run is no probe, is not complete, or is of a kind that has no figure.
    """
    probe = run.info.probe
    if probe is None:
        require_audit(run)
        return
    tables = {"sensitivity": smallest_flips, "tolerance": tolerance, "artefacts": artefacts, "indices": indices}
    if probe.what not in tables:
        raise RunError(
            f"{run.path}: a probe of {probe.what} has no figure (those of {', '.join(tables)} have); "
            "its tables: open_run(...).tables()"
        )
    table = tables[probe.what](run)
    for scene in run.info.scenes:
        for model in run.info.models:
            rows = table[(table["scene"] == scene.name) & (table["model"] == model.name)]
            if not len(rows):
                continue
            name = f"{file_name(scene.name)}-{file_name(model.name)}-{probe.what}"
            facts = f"{scene.name} by {model.name}; measure: {scene.measure}."
            if probe.what == "sensitivity":
                yield Sketch(
                    name,
                    "Disturbance test: share of recognised poses, drawn at random, that are misread at some change of "
                    f"one parameter up to a size, with 95 % Wilson intervals (either way), at the steps tried (dots); "
                    f"n = {rows['base'].nunique()} poses. {facts}",
                    (6.8, 1.0 + 2.0 * -(-len(probe.steps) // 3)),
                    partial(sensitivity_figure, flips=rows, steps=probe.steps),
                )
            elif probe.what == "tolerance":
                yield Sketch(
                    name,
                    "Recognition after a random turn by at most an angle: share of turns with its 95 % interval "
                    "(clustered by pose), its exact one-sided lower bound from one turn of each pose, and the share of "
                    f"poses by themselves shown to hold {LEAST_SHARE:g} (95 % Wilson); n = {_most(rows)} recognised "
                    f"poses, {probe.draws} turns of each at each angle. {facts}",
                    (6.4, 3.8),
                    partial(tolerance_figure, table=rows, least=LEAST_SHARE),
                )
            elif probe.what == "indices":
                rows = rows[rows["outcome"] == "recognised"]
                yield Sketch(
                    name,
                    "Sobol indices of being recognised: share of its variance that each parameter explains alone "
                    "(first order) and with all that it takes part in (total), with 95 % intervals; rotation: yaw, "
                    f"pitch and roll together; n = {_most(rows)} rows of the design. {facts}",
                    (6.4, 1.4 + 0.34 * len(rows)),
                    partial(indices_figure, table=rows),
                )
            else:
                counts = "; ".join(f"{_most(part)} {group}" for group, part in rows.groupby("group", sort=False))
                few = f", of which the other renderer drew at most {probe.few} each" if probe.few else ""
                yield Sketch(
                    name,
                    "Share of misread poses that are misread again, and of recognised ones that are recognised again, "
                    f"when they are drawn otherwise, with 95 % Wilson intervals; n = {counts} poses{few}. {facts}",
                    (6.4, 3.4),
                    partial(artefacts_figure, table=rows),
                )


def _most(rows: pd.DataFrame) -> int:
    return int(rows["n"].max())
