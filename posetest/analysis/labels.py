"""What a model sees instead: the wrong labels of each scene and model, how many, how far the same, and where."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import require_audit
from posetest.analysis.features import pose_features
from posetest.analysis.intervals import share, wilson
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.analysis.rarefied import alike_jaccard, common_size, comparable_size, rarefied_count, rarefied_jaccard
from posetest.engine.run import RunFolder

_PAIR = ["scene", "model"]


class Place(Protocol):
    """A region of pose space: what it is called, and which rows lie in it."""

    def words(self) -> str:
        """Its name."""

    def contains(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows [n] of ``frame`` lie in it."""


def wrong_labels(source: RunFolder | pd.DataFrame, top: int = 10) -> pd.DataFrame:
    """The ``top`` most frequent wrong labels of each scene and model; ties in alphabetical order.

    Columns: scene, model, label, count, misread (all misread poses of the pair), share_of_misread, n (all evaluated
    poses), share (of n) with its 95 % Wilson interval low and high, mean_confidence (of the wrong label).

    ``source`` is a run, or rows of ``outcomes(run)``.
    """
    frame = source if isinstance(source, pd.DataFrame) else outcomes(source)
    evaluated = frame[frame["ok"]]
    misread = evaluated[evaluated["misread"]]
    labelled = misread.assign(label=misread["top1_label"].astype(str))
    grouped = labelled.groupby([*_PAIR, "label"], observed=True)["top1_p"]
    table = grouped.agg(count="size", mean_confidence="mean").reset_index()
    table = table.sort_values([*_PAIR, "count", "label"], ascending=[True, True, False, True])
    table = table.groupby(_PAIR, observed=True).head(top)
    totals = evaluated.groupby(_PAIR, observed=True)["misread"].agg(misread="sum", n="size").reset_index()
    table = table.merge(totals, on=_PAIR, how="left").astype({"misread": int, "n": int, "mean_confidence": float})
    table["share_of_misread"] = share(table["count"], table["misread"])
    table["share"] = share(table["count"], table["n"])
    table["low"], table["high"] = wilson(table["count"], table["n"])
    order = ["label", "count", "misread", "share_of_misread", "n", "share", "low", "high", "mean_confidence"]
    return table[[*_PAIR, *order]].reset_index(drop=True)


def distinct_labels(source: RunFolder | pd.DataFrame) -> pd.DataFrame:
    """How many different wrong labels each scene and model has: a row for each pair with evaluated poses.

    Columns: scene, model, n, misread, labels (distinct wrong ones), once (those given to one pose alone), most_share
    (of the misread poses, with the most frequent label; nan without misread poses), effective_labels (exponential of
    the entropy of the shares: as many equally frequent labels would be as varied), unseen_share with low and high;
    at, labels_at, labels_at_low, labels_at_high (distinct wrong labels expected among ``at`` misread poses, at 95 %).

    unseen_share estimates how often a further misread pose would get a label that has not been seen: once / misread
    (Good, Biometrika 40 (1953) 237); low and high, at 95 %, are Wilson's interval with the variance of Esty (Annals of
    Statistics 11 (1983) 905). ``labels`` itself grows with the number of poses; labels_at may be
    compared wherever ``at`` is the same (``rarefied``): 100, or less where a pair has fewer than 200 misread poses.

    Raises:
        RunError: the run is a search, or without records.
    """
    frame = _audit_rows(source)
    evaluated = frame[frame["ok"]]
    counts = _label_counts(evaluated[evaluated["misread"]], _PAIR)
    totals = evaluated.groupby(_PAIR, observed=True)["misread"].agg(n="size", misread="sum")
    table = pd.DataFrame(totals).astype(int)
    counts["once"], counts["twice"] = counts["count"] == 1, counts["count"] == 2
    part = counts["count"] / counts.groupby(_PAIR, observed=True)["count"].transform("sum")
    counts["surprise"] = -part * np.log(part)
    grouped = counts.groupby(_PAIR, observed=True)
    of_pairs = grouped.agg(
        labels=("label", "size"),
        once=("once", "sum"),
        twice=("twice", "sum"),
        most=("count", "max"),
        surprise=("surprise", "sum"),
    ).reindex(table.index)
    table = table.join(of_pairs[["labels", "once"]].fillna(0).astype(int))
    table["most_share"] = share(of_pairs["most"], table["misread"])
    table["effective_labels"] = np.exp(of_pairs["surprise"].astype(float))
    table["unseen_share"] = share(table["once"], table["misread"])
    once, misread = table["once"].to_numpy(dtype=float), table["misread"].to_numpy(dtype=float)
    # Esty's variance as a multiple of the binomial one that Wilson's interval is made for
    ratio = share(2 * misread * of_pairs["twice"].fillna(0).to_numpy(dtype=float), once * (misread - once))
    inflation = 1 + np.where(np.isfinite(ratio), ratio, 0)
    table["low"], table["high"] = wilson(once / inflation, misread / inflation)
    sizes = {key: group["count"].to_numpy(dtype=float) for key, group in grouped}
    at = common_size(table["misread"].tolist())
    found = [rarefied_count(sizes.get(key, np.zeros(0)), at) for key in table.index]
    table["at"] = at
    for place, name in enumerate(("labels_at", "labels_at_low", "labels_at_high")):
        table[name] = [values[place] for values in found]
    told: pd.DataFrame = table.reset_index()
    return told


def label_overlap(source: RunFolder | pd.DataFrame, by: str = "scene") -> pd.DataFrame:
    """How far the wrong labels of two scenes, or two models, are the same: a row for each pair of them.

    Lightings of one object are scenes that differ in their light (Alcorn et al., CVPR 2019, compare the sets of labels
    of one object under three). Columns: the other of scene and model, which is held fixed; first, second (values of
    ``by``, in the order of run.toml); labels_first, labels_second, shared (distinct wrong labels), jaccard (shared /
    all labels of either; nan where there are none); at, jaccard_at, jaccard_low, jaccard_high (the same, expected of
    ``at`` misread poses of each, with its 95 % interval: ``rarefied_jaccard``), jaccard_alike (what that would be if
    both drew their labels alike: ``alike_jaccard``); first_misread, first_shared (misread poses of the first whose
    label the second gives too), first_share with its 95 % Wilson interval first_low, first_high; second_misread and
    so on, likewise.

    ``jaccard`` grows with the number of poses; jaccard_at does not, and is to be held against jaccard_alike. The
    shares of poses hang less on labels that are rare; their interval takes the other's set of labels as given. Rows of
    one ``index``, where there is that column, are one pose in several lightings, not several draws.

    Args:
        source: a run, or rows of ``outcomes(run)``.
        by: "scene" or "model".

    Raises:
        RunError: the run is a search, or without records.
        ValueError: ``by`` is neither.
    """
    if by not in _PAIR:
        raise ValueError(f'label_overlap compares by "scene" or "model", got {by!r}')
    frame = _audit_rows(source)
    (fixed,) = (key for key in _PAIR if key != by)
    misread = frame[frame["misread"]]
    counts = _label_counts(misread, _PAIR)
    rows = []
    for held in _values(frame[fixed]):
        of_held = counts[counts[fixed] == held]
        names = _values(frame[frame[fixed] == held][by])
        sets = {name: of_held[of_held[by] == name].set_index("label")["count"] for name in names}
        poses = {name: _labels_of_poses(misread, {fixed: held, by: name}) for name in names}
        pairs = list(itertools.combinations(names, 2))
        sizes = [size for a, b in pairs if (size := comparable_size(poses[a], poses[b]))]
        at = min(sizes, default=0)
        for first, second in pairs:
            one, two = sets[first], sets[second]
            common = one.index.intersection(two.index)
            row: dict[str, object] = {fixed: held, "first": first, "second": second}
            row |= {"labels_first": len(one), "labels_second": len(two), "shared": len(common)}
            row["jaccard"] = float(share(len(common), len(one) + len(two) - len(common)))
            found = rarefied_jaccard(poses[first], poses[second], at)
            row |= {"at": at} | dict(zip(("jaccard_at", "jaccard_low", "jaccard_high"), found, strict=True))
            row["jaccard_alike"] = alike_jaccard(poses[first], poses[second], at)
            for side, mine in (("first", one), ("second", two)):
                k, n = int(mine[common].sum()), int(mine.sum())
                low, high = (float(bound) for bound in wilson(k, n))
                row |= {f"{side}_misread": n, f"{side}_shared": k, f"{side}_share": float(share(k, n))}
                row |= {f"{side}_low": low, f"{side}_high": high}
            rows.append(row)
    sides = [f"{side}_{what}" for side in ("first", "second") for what in ("misread", "shared", "share", "low", "high")]
    head = [fixed, "first", "second", "labels_first", "labels_second", "shared", "jaccard"]
    head += ["at", "jaccard_at", "jaccard_low", "jaccard_high", "jaccard_alike"]
    return pd.DataFrame(rows, columns=[*head, *sides])


def labels_by_region(rows: pd.DataFrame, regions: Sequence[Place], top: int = 10) -> pd.DataFrame:
    """Which wrong labels are given where: a row for each region and each of its ``top`` wrong labels.

    Columns: region (the number of the region from 1; 0 for the rows in none), words, label, count, misread (in the
    region), share_of_misread, n (evaluated there), share (of n) with its 95 % Wilson interval low and high,
    mean_confidence, lift (share over the label's share of all other rows; inf where they never give it, nan where
    there are no others).

    Regions may overlap. The shares of regions found on these very rows are too high by the choice; those of
    ``failure_regions`` itself are told on rows held back.

    Args:
        rows: evaluated records of one scene and model (``of_pair``) of an audit, with what the regions need.
        regions: ``Region`` or ``FailureRegion``.
        top: labels of each region at most; ties in alphabetical order.
    """
    places = [(number, place.words(), place.contains(rows)) for number, place in enumerate(regions, 1)]
    outside = ~np.any([inside for _, _, inside in places], axis=0) if places else np.ones(len(rows), dtype=bool)
    misread = rows["misread"].to_numpy(dtype=bool)
    label = rows["top1_label"].astype(str).to_numpy()
    totals = pd.Series(label[misread]).value_counts()
    tables = []
    for number, words, inside in [*places, (0, "in no region", outside)]:
        wrong = rows[inside & misread]
        grouped = wrong["top1_p"].astype(float).groupby(label[inside & misread])
        table = grouped.agg(count="size", mean_confidence="mean").rename_axis("label").reset_index()
        table = table.sort_values(["count", "label"], ascending=[False, True]).head(top)
        n = int(inside.sum())
        table = table.assign(region=number, words=words, misread=len(wrong), n=n)
        table["share_of_misread"], table["share"] = share(table["count"], len(wrong)), share(table["count"], n)
        table["low"], table["high"] = wilson(table["count"], np.full(len(table), n))
        elsewhere = totals.reindex(table["label"]).to_numpy() - table["count"].to_numpy()
        table["lift"] = share(table["share"], share(elsewhere, len(rows) - n))
        tables.append(table)
    order = ["region", "words", "label", "count", "misread", "share_of_misread", "n", "share", "low", "high"]
    told: pd.DataFrame = pd.concat(tables, ignore_index=True)[[*order, "mean_confidence", "lift"]]
    return told


@dataclass(frozen=True, eq=False)
class Marked:
    """A place of which it is known already which rows lie in it."""

    text: str
    inside: NDArray[np.bool_]

    def words(self) -> str:
        """Its name."""
        return self.text

    def contains(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows [n] lie in it; ``frame`` must be the rows that were marked."""
        return self.inside


def labels_by_octant(run: RunFolder, frame: pd.DataFrame, top: int = 3) -> pd.DataFrame:
    """Which wrong labels are given from where: the ``top`` ones of each eighth of the view sphere.

    Columns: scene, model, those of ``labels_by_region`` (region: 1 to 4 seen from above, from azimuth -180 in steps of
    90 degrees, 5 to 8 from below), measure. ``frame`` is ``outcomes(run, QUATERNION)``. The eighths are the same in
    each run and were not chosen by these rows, so that their intervals hold as they stand.

    Raises:
        RunError: the run is no audit.
    """
    require_audit(run)
    tables = []
    for scene in run.info.scenes:
        for model in run.info.models:
            rows = of_pair(frame, scene.name, model.name)
            features = pose_features(rows, ["azimuth", "elevation"])
            quarter = np.clip((features["azimuth"].to_numpy() + 180) // 90, 0, 3).astype(np.int64)
            is_above = features["elevation"].to_numpy() >= 0
            places = [
                Marked(
                    f"azimuth {90 * q - 180} to {90 * q - 90} degrees, from {side}", (quarter == q) & (is_above == up)
                )
                for side, up in (("above", True), ("below", False))
                for q in range(4)
            ]
            table = labels_by_region(rows, places, top)
            table.insert(0, "scene", scene.name)
            table.insert(1, "model", model.name)
            tables.append(table.assign(measure=scene.measure))
    return pd.concat(tables, ignore_index=True)


def _audit_rows(source: RunFolder | pd.DataFrame) -> pd.DataFrame:
    if isinstance(source, pd.DataFrame):
        return source
    require_audit(source)
    return outcomes(source)


def _label_counts(misread: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Columns ``keys``, label and count, of misread rows."""
    labelled = misread.assign(label=misread["top1_label"].astype(str))
    sizes = labelled.groupby([*keys, "label"], observed=True).size()
    counts: pd.DataFrame = sizes.to_frame("count").reset_index()
    return counts


def _labels_of_poses(misread: pd.DataFrame, where: dict[str, str]) -> pd.Series:
    """Labels of the rows with these values, by the pose's index, or else by one that no other row has.

    Of a column of categories their codes: a million texts would take seconds to compare.
    """
    for column, value in where.items():
        misread = misread[misread[column] == value]
    labels = misread["top1_label"]
    labels = labels.cat.codes if isinstance(labels.dtype, pd.CategoricalDtype) else labels.astype(str)
    return labels.set_axis(misread["index"]) if "index" in misread else labels


def _values(column: pd.Series) -> list[str]:
    """The values of a column that occur, in the order of its categories."""
    there = set(column.unique())
    known = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else sorted(there)
    return [str(value) for value in known if value in there]
