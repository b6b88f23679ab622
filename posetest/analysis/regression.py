"""What changed between two runs of a model, say before and after it was trained again: poses newly broken and fixed.

A rate that stays the same can hide as many poses broken as fixed; on the same poses both can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from posetest.analysis.comparison import exact_p, two_by_two
from posetest.analysis.intervals import share
from posetest.analysis.matched import known_models, matched_rows
from posetest.analysis.outcomes import outcomes
from posetest.analysis.paired import holm, paired_interval
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.run_info import SceneInfo

#: Read besides the columns of ``outcomes``.
_COLUMNS = ("index", "image_digest")


@dataclass(frozen=True, eq=False)
class _Shared:
    """Rows of one scene in two runs, the i-th of both showing the same pose, and how many rows have no partner.

    The frames' indices are places in the runs' records.
    """

    scene: SceneInfo
    before: pd.DataFrame
    after: pd.DataFrame
    unmatched: int


def compare_runs(
    before: RunFolder, after: RunFolder, *, models: tuple[str, str] | None = None, stratum: str = "all"
) -> pd.DataFrame:
    """Recognition in two audits of the same poses: a row for each scene, in the order of the first run.

    Columns: scene, model_before, model_after, stratum; n (poses evaluated in both), n_unmatched (evaluated in one of
    the two only, not in n), n_other_picture (of n, poses whose pictures differ in any bit: another renderer or version
    drew them); still_recognised, broken (recognised before only), fixed (after only), still_misread; broken_rate,
    fixed_rate, rate_before, rate_after (all of n); change (rate_after - rate_before, below 0 where more is broken than
    fixed) with its 95 % interval low and high (``paired_interval``); p (exact McNemar test that as many are broken as
    fixed), p_holm (adjusted for the scenes); measure. A scene without shared poses has n = 0 and nan.

    Runs of unlike length are compared on the poses that both have.

    Args:
        before: an audit.
        after: an audit with the same seed, sampling, image size and scenes.
        models: the name in the first run and in the second; by default the only model of each run, or the only name
            that is in both.
        stratum: "all" or "visible" poses; visible where both runs say so.

    Raises:
        RunError: one is no audit or has no records; seed, sampling, image size, scenes, meshes or the values of a pose
            differ; no pose is in both; a pose is there twice; it is not clear which models are meant.
    """
    names = _models(before, after, models)
    lines: list[dict[str, object]] = []
    for shared in _shared(before, after, names, stratum):
        was, now = (rows["recognised"].to_numpy(dtype=bool) for rows in (shared.before, shared.after))
        cells = two_by_two(now, was)
        differs = shared.before["image_digest"].to_numpy() != shared.after["image_digest"].to_numpy()
        lines.append(
            {"scene": shared.scene.name, "model_before": names[0], "model_after": names[1], "stratum": stratum}
            | {"n": len(was), "n_unmatched": shared.unmatched, "n_other_picture": int(differs.sum())}
            | {"still_recognised": cells["both"], "broken": cells["only_b"], "fixed": cells["only_a"]}
            | {"still_misread": cells["neither"], "measure": shared.scene.measure}
        )
    table = pd.DataFrame(lines)
    if not table["n"].any():
        raise RunError(f"{after.path}: no pose was evaluated here and in {before.path} alike; audit more poses")
    measure = table.pop("measure")
    for name in ("broken", "fixed"):
        table[f"{name}_rate"] = share(table[name], table["n"])
    table["rate_before"] = share(table["still_recognised"] + table["broken"], table["n"])
    table["rate_after"] = share(table["still_recognised"] + table["fixed"], table["n"])
    table["change"] = share(table["fixed"] - table["broken"], table["n"])
    table["low"], table["high"] = paired_interval(table["fixed"], table["broken"], table["n"])
    table["p"] = exact_p(table["fixed"], table["broken"], table["n"])
    table["p_holm"] = holm(table["p"])
    table["measure"] = measure
    return table


def changed_poses(
    before: RunFolder, after: RunFolder, *, models: tuple[str, str] | None = None, stratum: str = "all"
) -> pd.DataFrame:
    """The poses newly broken or fixed, a row each, by scene and index.

    Columns: scene, index, change ("broken" or "fixed"), label_before, p_before, label_after, p_after (the first label
    and its probability), and the pose's (``record.POSE_COLUMNS``). Arguments and errors as in ``compare_runs``.
    """
    tables = []
    for shared in _shared(before, after, _models(before, after, models), stratum):
        was, now = (rows["recognised"].to_numpy(dtype=bool) for rows in (shared.before, shared.after))
        rows, partner = shared.before[was != now], shared.after[was != now]
        table = pd.DataFrame({"scene": shared.scene.name, "index": rows["index"].to_numpy()})
        table["change"] = np.where(was[was != now], "broken", "fixed").astype(object)
        for when, source in (("before", rows), ("after", partner)):
            table[f"label_{when}"] = source["top1_label"].astype(str).to_numpy()
            table[f"p_{when}"] = source["top1_p"].to_numpy()
        table.index = rows.index
        tables.append(table)
    changed: pd.DataFrame = pd.concat(tables)
    for column in POSE_COLUMNS:
        changed[column] = before.table([column])[column].to_numpy()[changed.index]
    return changed.reset_index(drop=True)


def _models(before: RunFolder, after: RunFolder, models: tuple[str, str] | None) -> tuple[str, str]:
    """The model's name in each run."""
    if models is not None:
        return known_models(before, models[:1])[0], known_models(after, models[1:])[0]
    first, second = known_models(before, None), known_models(after, None)
    if len(first) == len(second) == 1:
        return first[0], second[0]
    common = [name for name in first if name in second]
    if len(common) == 1:
        return common[0], common[0]
    raise RunError(
        f"{before.path} has the models {', '.join(first)}, {after.path} has {', '.join(second)}: it is not clear which "
        f'to compare; name one of each, as in models=("{first[0]}", "{second[0]}")'
    )


def _shared(before: RunFolder, after: RunFolder, names: tuple[str, str], stratum: str) -> list[_Shared]:
    """The evaluated rows of both runs, scene by scene, matched by index and checked to show the same poses."""
    _check_settings(before, after)
    frames = []
    for run, name in ((before, names[0]), (after, names[1])):
        matched_rows(run, pd.DataFrame({"index": [], "visible": []}), stratum)  # its checks, before anything is read
        rows = matched_rows(run, outcomes(run, _COLUMNS), stratum)
        frames.append(rows[(rows["model"] == name) & rows["ok"]])
    found = []
    for scene in before.info.scenes:
        first, second = (rows[rows["scene"] == scene.name].sort_values("index") for rows in frames)
        for run, rows in ((before, first), (after, second)):
            twice = rows["index"].duplicated()
            if twice.any():
                raise RunError(
                    f'{run.path}: pose {rows.loc[twice, "index"].iloc[0]} of scene "{scene.name}" is there more than '
                    "once; records/ holds parts of several runs: delete it and run again with --resume"
                )
        one = first[first["index"].isin(second["index"])]
        two = second[second["index"].isin(first["index"])]
        found.append(_Shared(scene, one, two, len(first) + len(second) - len(one) - len(two)))
    _check_poses(before, after, found)
    return found


def _check_settings(before: RunFolder, after: RunFolder) -> None:
    """That run.toml promises the same poses, seen the same way."""
    known = {s.name: s for s in after.info.scenes}
    names = [s.name for s in before.info.scenes]
    pairs: list[tuple[str, object, object]] = [
        (key, getattr(before.info, key), getattr(after.info, key)) for key in ("seed", "sampling", "image_size")
    ]
    pairs.append(("scenes", ", ".join(sorted(names)), ", ".join(sorted(known))))
    for scene in before.info.scenes:
        if scene.name in known:
            other = known[scene.name]
            for key in ("mesh_digest", "scene_digest"):
                pairs.append((f"{key} of scene {scene.name}", getattr(scene, key), getattr(other, key)))
    different = [f"{key} ({_short(first)} and {_short(second)})" for key, first, second in pairs if first != second]
    if different:
        raise RunError(
            f"{before.path / 'run.toml'} and {after.path / 'run.toml'} differ in {'; '.join(different)}: poses are "
            "compared one by one only where all of it is the same; repeat one audit with the other's settings"
        )


def _short(value: object) -> object:
    """A digest by its first twelve digits; all else as it is."""
    return value[:12] if isinstance(value, str) and len(value) == 64 else value


def _check_poses(before: RunFolder, after: RunFolder, found: list[_Shared]) -> None:
    """That rows matched by index show the same pose."""
    for column in POSE_COLUMNS:  # one by one: all of them together would be most of what a run holds in memory
        first, second = (run.table([column])[column].to_numpy() for run in (before, after))
        for shared in found:
            one, two = first[shared.before.index], second[shared.after.index]
            differs = one != two
            if differs.any():
                at = int(differs.argmax())
                raise RunError(
                    f'{after.path}: {column} of pose {shared.before["index"].iloc[at]} of scene "{shared.scene.name}" '
                    f"is {two[at]!s}, in {before.path} it is {one[at]!s} ({int(differs.sum())} of {len(one)} poses "
                    "differ): the runs drew their poses differently, perhaps under other versions; repeat one of them"
                )
