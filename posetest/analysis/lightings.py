"""Do lightings of an object fail alike: how many wrong labels they share.

Alcorn et al. (CVPR 2019) compare the wrong labels of one object in bright, medium and dark light. Here lightings are
the scenes of a run that show the same mesh, and, where a scene varies its light, the thirds of its poses by how light
it is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from posetest.analysis.audits import require_audit
from posetest.analysis.labels import label_overlap
from posetest.analysis.outcomes import outcomes
from posetest.analysis.rarefied import FEWEST
from posetest.engine.run import RunFolder
from posetest.run_info import SceneInfo

#: Record columns that say how light a pose is.
LIGHT_COLUMNS = ("light_strength", "ambient")


def lighting_overlap(run: RunFolder, frame: pd.DataFrame | None = None) -> pd.DataFrame:
    """How far lightings of one object share their wrong labels: a row for each two of them and each model.

    Columns: compared ("scenes" that show one mesh with the same accepted labels, or "light", thirds of one scene's
    poses), object (scenes: the first one's name; light: the scene's), model, first, second, n_first, n_second
    (evaluated poses), and those of ``label_overlap``; note ("" or why nothing is told of equally many poses).

    Thirds are by ambient light plus the strength of the first light, what a white surface that faces it receives, where
    either varies; their names give the bounds. Overlap between different objects is not told.

    ``frame`` is ``outcomes(run, ["index", *LIGHT_COLUMNS])`` where the caller has read it already.

    Raises:
        RunError: the run is no audit, or has no records.
    """
    require_audit(run)
    if frame is None:
        frame = outcomes(run, ["index", *LIGHT_COLUMNS])
    frame = frame[frame["ok"]]
    alike: dict[tuple[object, ...], list[str]] = {}
    for scene in run.info.scenes:
        alike.setdefault((scene.mesh_digest, scene.labels), []).append(scene.name)
    tables = []
    for names in alike.values():
        if len(names) > 1:
            of_object = frame[frame["scene"].isin(names)]
            of_object = of_object.assign(scene=of_object["scene"].cat.set_categories(names))
            tables.append(_compared(of_object, "scenes", names[0]))
    for scene in run.info.scenes:
        if {"light_strength", "ambient"} & set(scene.free):
            thirds = _thirds(frame[frame["scene"] == scene.name])
            if len(thirds):
                tables.append(_compared(thirds, "light", scene.name))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def overlap_between(runs: Mapping[str, RunFolder]) -> pd.DataFrame:
    """``lighting_overlap`` of scenes in different runs, "runs" compared: audits of one object, each in its own light.

    Scenes that show one mesh with the same accepted labels are compared two at a time, with models of one name; they
    are called after scene and run. Empty where no two runs have such scenes.

    Args:
        runs: audits by the name that they are called.

    Raises:
        RunError: one is no audit, or has no records.
    """
    alike: dict[tuple[object, ...], list[tuple[str, SceneInfo]]] = {}
    for name, run in runs.items():
        require_audit(run)
        for scene in run.info.scenes:
            alike.setdefault((scene.mesh_digest, scene.labels), []).append((name, scene))
    tables = []
    for members in alike.values():
        if len({name for name, _ in members}) < 2:
            continue
        called = {f"{scene.name} ({name})": name for name, scene in members}
        frames = []
        for text, (name, scene) in zip(called, members, strict=True):
            rows = outcomes(runs[name], ["index"])
            rows = rows[rows["ok"] & (rows["scene"] == scene.name)]
            frames.append(rows.assign(scene=text, model=rows["model"].astype(str)))
        rows = pd.concat(frames, ignore_index=True)
        table = _compared(rows.assign(scene=pd.Categorical(rows["scene"], list(called))), "runs", members[0][1].name)
        is_between = [called[a] != called[b] for a, b in zip(table["first"], table["second"], strict=True)]
        tables.append(table[is_between])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _thirds(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of one scene with the third of their light in place of its name; none where all are lit alike."""
    light = sum(rows[column].to_numpy(dtype=np.float64) for column in LIGHT_COLUMNS)
    if not len(rows) or np.ptp(light) == 0:
        return rows[:0]
    first, second = np.quantile(light, [1 / 3, 2 / 3])
    names = [f"dark (under {first:.2f})", f"medium ({first:.2f} to {second:.2f})", f"bright ({second:.2f} and more)"]
    third = np.searchsorted([first, second], light, side="right")
    return rows.assign(scene=pd.Categorical([names[code] for code in third], names))


def _compared(rows: pd.DataFrame, compared: str, name: str) -> pd.DataFrame:
    table = label_overlap(rows)
    counts = rows.groupby(["scene", "model"], observed=True).size()
    table.insert(0, "compared", compared)
    table.insert(1, "object", name)
    for place, side in enumerate(("first", "second"), 5):
        keys = zip(table[side], table["model"], strict=True)
        table.insert(place, f"n_{side}", [int(counts.get(key, 0)) for key in keys])
    least = table[["first_misread", "second_misread"]].min(axis=1)
    table["note"] = np.where(least < FEWEST, f"fewer than {FEWEST} misread poses", "")
    return table
