"""What the analyses of probes share: their records, with the poses whose unchanged picture answers as it did before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from posetest.errors import RunError

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder
    from posetest.run_info import ProbeInfo, ProbeKind

PAIR = ["scene", "model"]
_COLUMNS = ["scene", "model", "status", "recognised", "base", "base_recognised", "base_label", "change", "amount"]
#: What the rows of unchanged poses say was changed; as ``engine.probe_plan.UNCHANGED``.
UNCHANGED = "none"


#: How the poses of each kind were drawn, before the name of the audit's measure.
_DRAWN: Mapping[ProbeKind, str] = {
    "sensitivity": "recognised poses of: ",
    "artefacts": "misread and recognised poses, each of: ",
    "tolerance": "turns uniform in the ball, around recognised poses of: ",
    "axes": "uniform in the interval, around recognised poses of: ",
    "boxes": "uniform in the box, around recognised poses of: ",
    "indices": "",
}


def measures(run: RunFolder, table: pd.DataFrame) -> pd.DataFrame:
    """``table`` with a last column, measure: how the poses behind each row were drawn, by its scene."""
    assert run.info.probe is not None
    drawn = _DRAWN[run.info.probe.what]
    names = {scene.name: drawn + scene.measure for scene in run.info.scenes}
    rest = table.drop(columns="measure", errors="ignore")
    return rest.assign(measure=rest["scene"].astype(str).map(names).astype(object))


def read_probe(run: RunFolder, what: ProbeKind, columns: Sequence[str] = ()) -> tuple[ProbeInfo, pd.DataFrame]:
    """The settings of a complete probe of kind ``what`` and its records.

    Columns: scene and model (categories in the order of run.toml), status, recognised, base, base_recognised,
    base_label, change, amount, top1_label, ok (whether the row could be evaluated), and ``columns``.

    Raises:
        RunError: the run is no such probe, or is not complete.
    """
    probe = run.info.probe
    if probe is None or probe.what != what:
        found = f'of kind "{run.info.kind}"' if probe is None else f"a probe of {probe.what}"
        raise RunError(f"{run.path}: is {found}; make what is needed with posetest probe RUN --what {what}")
    if run.info.status != "complete":
        raise RunError(f"{run.path}: not complete; go on with the probe by --resume")
    frame = run.table(list(dict.fromkeys([*_COLUMNS, "top1_label", *columns])))
    for column, known in (("scene", run.info.scenes), ("model", run.info.models)):
        frame[column] = frame[column].astype(pd.CategoricalDtype([item.name for item in known]))
    frame["ok"] = frame["status"].astype(str) == "ok"
    return probe, frame


def reproduced(frame: pd.DataFrame) -> pd.DataFrame:
    """Whether each pose's unchanged picture was recognised, or not, as the parent recorded: a row for each base.

    Columns: scene, model, base, is_reproduced.
    """
    same = frame[frame["change"] == UNCHANGED]
    table = same[[*PAIR, "base"]].copy()
    table["is_reproduced"] = same["ok"] & (same["recognised"] == same["base_recognised"])
    return table.reset_index(drop=True)
