"""Where a model fails, in words: few regions of pose space, found on one half of the poses and measured on the other.

A rate measured on the rows that a region was chosen by is too high (Friedman and Fisher, Statistics and Computing 9
(1999) 123, section 9, hold rows back for the same reason). The second half also has the last word: a region whose
misread rate is not above that outside of all regions there is not told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import hypergeom

from posetest.analysis.audits import need_columns, require_audit
from posetest.analysis.boxes import Box, Kind, find_boxes
from posetest.analysis.density import QUATERNION
from posetest.analysis.features import ANGLES, FEATURE_COLUMNS, Grid, pose_features
from posetest.analysis.intervals import wilson
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.engine.run import RunFolder

Mask = NDArray[np.bool_]

#: The odds of being misread inside are at least so many times those outside of all regions.
LEAST_ODDS = 2.0
#: All regions told together are chance with at most this probability (Bonferroni over regions).
LEVEL = 0.01
#: Bounds are looked for in at most so many rows: more would not move them by one step of 5 degrees.
SEARCH_ROWS = 20_000

_LEAST_ROWS = 40
_MEASURED = (
    *("n", "inside", "misread", "share", "share_low", "share_high", "rate", "rate_low", "rate_high", "outside_rate"),
    *("mean_confidence", "typical", "worst", "nearest", "nearest_deg"),
)


@dataclass(frozen=True)
class Bound:
    """Values of one feature: low <= value < high.

    Attributes:
        feature: a column of ``pose_features``.
        low, high: its unit; -inf or inf where that side is open. An arc runs from low up to high, past 180 where
            low > high; a mirror bounds the absolute value.
        kind: plain, arc or mirror.
    """

    feature: str
    low: float
    high: float
    kind: Kind = "plain"

    def holds(self, values: NDArray[np.float64]) -> Mask:
        """Which of ``values`` [n] lie within."""
        if self.kind == "arc":
            within: Mask = np.mod(values - self.low, 360) < np.mod(self.high - self.low, 360)
            return within
        values = np.abs(values) if self.kind == "mirror" else values
        held: Mask = (self.low <= values) & (values < self.high)
        return held

    def words(self) -> str:
        """Such as "elevation over 40 degrees" or "azimuth beyond ±90 degrees"."""
        unit = " degrees" if self.feature in ANGLES else ""
        name, low, high = self.feature.replace("_", " "), f"{self.low:g}", f"{self.high:g}"
        if self.kind == "mirror":
            if math.isinf(self.high):
                return f"{name} beyond ±{low}{unit}"
            if math.isinf(self.low):
                return f"{name} within ±{high}{unit}"
            return f"{name} {low} to {high}{unit} to either side"
        if math.isinf(self.high):
            return f"{name} over {low}{unit}"
        if math.isinf(self.low):
            return f"{name} under {high}{unit}"
        past = " (through 180)" if self.kind == "arc" and self.low > self.high else ""
        return f"{name} {low} to {high}{unit}{past}"


@dataclass(frozen=True)
class Region:
    """Poses within all ``bounds``."""

    bounds: tuple[Bound, ...]

    def words(self) -> str:
        """Such as "elevation over 40 degrees, any azimuth"."""
        told = {bound.feature for bound in self.bounds}
        view = told & {"azimuth", "elevation"}
        unbound = [f"any {name}" for name in ("azimuth", "elevation") if len(view) == 1 and name not in told]
        return ", ".join([bound.words() for bound in self.bounds] + unbound) or "all poses"

    def contains(self, frame: pd.DataFrame) -> Mask:
        """Which rows [n] of ``frame``, records with FEATURE_COLUMNS, lie in the region.

        Raises:
            RunError: a column that a bound needs is missing.
        """
        features = pose_features(frame, [bound.feature for bound in self.bounds])
        inside = np.ones(len(frame), dtype=bool)
        for bound in self.bounds:
            inside &= bound.holds(features[bound.feature].to_numpy())
        return inside


@dataclass(frozen=True)
class FailureRegion:
    """A region and what happens there, measured on poses that it was not chosen by. Intervals are Wilson's at 95 %.

    Attributes:
        region: its bounds.
        n, inside, misread: measured poses, those in the region, those of them that are misread.
        share, share_low, share_high: inside / n: the region's share of the sampling measure.
        rate, rate_low, rate_high: misread / inside.
        outside_rate: misread rate outside of all regions (nan where the regions are everything).
        labels: the most frequent wrong labels, each with its share of the misread poses.
        mean_confidence: mean probability of the wrong label over the misread poses.
        typical: ``index`` of a misread pose with the first of ``labels``, of median confidence among those.
        worst: ``index`` of the misread pose with the highest probability of the wrong label.
        nearest: ``index`` of the recognised pose nearest to ``typical`` in rotation; -1 where none is recognised.
        nearest_deg: the angle between the two; nan where none is recognised.
    """

    region: Region
    n: int
    inside: int
    misread: int
    share: float
    share_low: float
    share_high: float
    rate: float
    rate_low: float
    rate_high: float
    outside_rate: float
    labels: tuple[tuple[str, float], ...]
    mean_confidence: float
    typical: int
    worst: int
    nearest: int
    nearest_deg: float

    def words(self) -> str:
        """One sentence: where, how much of the measure, how often misread, as what and how confidently."""
        answer = f", mostly as {self.labels[0][0]}" if self.labels else ""
        return (
            f"{self.region.words()}: {self.share:.0%} of the poses, misread in {self.rate:.0%} of them "
            f"({self.rate_low:.0%} to {self.rate_high:.0%}){answer}, mean confidence {self.mean_confidence:.2f}"
        )

    def contains(self, frame: pd.DataFrame) -> Mask:
        """Which rows [n] of ``frame`` lie in the region."""
        return self.region.contains(frame)


def failure_regions(rows: pd.DataFrame, *, seed: int = 0, most: int = 5, labels: int = 3) -> tuple[FailureRegion, ...]:
    """Regions in which a model misreads far more often than elsewhere, the one with most misread poses first.

    Empty where the failures have no such place. Regions may overlap. Fewer than 40 rows have no regions.

    Args:
        rows: evaluated records of one scene and model (``of_pair``) of an audit: outcomes with ``index`` and
            FEATURE_COLUMNS, in any order.
        seed: of the split into two halves and of the cross-validation.
        most: regions at most, 1 or more.
        labels: wrong labels told for each.

    Raises:
        RunError: a column is missing.
        ValueError: ``most`` is below 1.
    """
    if most < 1:
        raise ValueError(f"failure_regions wants most >= 1, got {most}")
    need_columns(rows, ["index", "misread", "recognised", "top1_label", "top1_p"], "failure_regions")
    if len(rows) < _LEAST_ROWS:
        return ()
    order = np.random.default_rng(seed).permutation(len(rows))
    half = len(rows) // 2
    chosen_by = rows.iloc[order[:half][:SEARCH_ROWS]]
    misread = chosen_by["misread"].to_numpy(dtype=bool)
    boxes = find_boxes(pose_features(chosen_by), misread, most, seed)
    regions = [box_to_region(grids, box) for grids, box in boxes]
    held = rows.iloc[order[half:]]
    return tuple(sorted(_measure(_confirmed(regions, held), held, labels), key=lambda found: -found.misread))


def regions_table(run: RunFolder, frame: pd.DataFrame | None = None, *, seed: int = 0, most: int = 5) -> pd.DataFrame:
    """``failure_regions`` of each scene and model of ``run``, a row for each region, in the order of run.toml.

    Columns: scene, model, region (its number from 1 within the pair), words (its bounds), n, inside, misread, share,
    share_low, share_high, rate, rate_low, rate_high, outside_rate, label (the most frequent wrong one), label_share,
    mean_confidence, typical, worst, nearest, nearest_deg (as in FailureRegion), measure. No rows where none was found.
    ``frame`` is ``outcomes(run, ["index", *FEATURE_COLUMNS])`` of an audit where the caller has read it already.

    Raises:
        RunError: there are no records yet, or the run is a search.
    """
    if frame is None:
        require_audit(run)
        frame = outcomes(run, ["index", *FEATURE_COLUMNS])
    rows = []
    for scene in run.info.scenes:
        for model in run.info.models:
            found = failure_regions(of_pair(frame, scene.name, model.name), seed=seed, most=most, labels=1)
            for number, region in enumerate(found, 1):
                values = {column: getattr(region, column) for column in _MEASURED}
                (label, label_share) = region.labels[0]
                rows.append(
                    {"scene": scene.name, "model": model.name, "region": number, "words": region.region.words()}
                    | values
                    | {"label": label, "label_share": label_share, "measure": scene.measure}
                )
    order = ["scene", "model", "region", "words", *_MEASURED[:10], "label", "label_share", *_MEASURED[10:], "measure"]
    return pd.DataFrame(rows, columns=order)


def box_to_region(grids: tuple[Grid, ...], box: Box) -> Region:
    """The region of a box of bins; sides at the end of what occurs are open."""
    bounds = []
    for grid, side in zip(grids, box, strict=True):
        if side is None:
            continue
        bins, edges = len(grid.edges) - 1, grid.edges
        if side.kind == "mirror":
            bins, edges = bins // 2, edges[bins // 2 :]
        low, high = float(edges[side.first]), float(edges[side.last + 1])
        if side.kind == "arc":
            bounds.append(Bound(grid.name, low, high, "arc"))
            continue
        low = -math.inf if side.first == 0 else low
        bounds.append(Bound(grid.name, low, math.inf if side.last == bins - 1 else high, side.kind))
    return Region(tuple(bounds))


def _confirmed(regions: list[Region], held: pd.DataFrame) -> list[tuple[Region, Mask]]:
    """Regions, with their rows of ``held``, whose misread rate is above that outside of all regions.

    One-sided exact test of Fisher at LEVEL over the number of regions, and odds of at least LEAST_ODDS; each on the
    rows that are in no region before it, lest one lives on the failures of another that it overlaps.
    """
    misread = held["misread"].to_numpy(dtype=bool)
    kept = [(region, region.contains(held)) for region in regions]
    while kept:
        covered, passed = np.zeros(len(held), dtype=bool), []
        outside = ~np.any([inside for _, inside in kept], axis=0)
        for region, inside in kept:
            if _is_raised(misread, inside & ~covered, outside, LEVEL / len(regions)):
                passed.append((region, inside))
                covered |= inside
        if len(passed) == len(kept):
            break
        kept = passed
    return kept


def _is_raised(misread: Mask, inside: Mask, outside: Mask, level: float) -> bool:
    k, n = int(misread[inside].sum()), int(inside.sum())
    rest_k, rest_n = int(misread[outside].sum()), int(outside.sum())
    if k == 0 or rest_n == 0:
        return False
    chance = hypergeom.sf(k - 1, n + rest_n, k + rest_k, n)
    return bool(chance <= level and k * (rest_n - rest_k) >= LEAST_ODDS * rest_k * (n - k))


def _measure(regions: list[tuple[Region, Mask]], held: pd.DataFrame, labels: int) -> list[FailureRegion]:
    if not regions:
        return []
    misread = held["misread"].to_numpy(dtype=bool)
    outside = ~np.any([inside for _, inside in regions], axis=0)
    elsewhere = float(misread[outside].mean()) if outside.any() else float("nan")
    recognised = held[held["recognised"].to_numpy(dtype=bool)]
    known = recognised[[*QUATERNION]].to_numpy(dtype=np.float64)
    found = []
    for region, inside in regions:
        wrong = held[inside & misread]
        n, k = int(inside.sum()), len(wrong)
        share_low, share_high = (float(bound) for bound in wilson(n, len(held)))
        rate_low, rate_high = (float(bound) for bound in wilson(k, n))
        counts = wrong["top1_label"].astype(str).value_counts().rename_axis("label").reset_index()
        counts = counts.sort_values(["count", "label"], ascending=[False, True])
        told = tuple(
            (str(name), float(count) / k) for name, count in zip(counts["label"], counts["count"], strict=True)
        )
        ranked = wrong.sort_values(["top1_p", "index"], ascending=[False, True])
        alike = ranked[ranked["top1_label"].astype(str) == told[0][0]]
        typical = alike.iloc[len(alike) // 2]
        nearest, nearest_deg = -1, float("nan")
        if len(known):
            cosines = np.abs(known @ typical[list(QUATERNION)].to_numpy(dtype=np.float64))
            at = int(cosines.argmax())
            nearest = int(recognised["index"].iloc[at])
            nearest_deg = math.degrees(2 * math.acos(min(float(cosines[at]), 1.0)))
        found.append(
            FailureRegion(
                region=region,
                n=len(held),
                inside=n,
                misread=k,
                share=n / len(held),
                share_low=share_low,
                share_high=share_high,
                rate=k / n,
                rate_low=rate_low,
                rate_high=rate_high,
                outside_rate=elsewhere,
                labels=told[:labels],
                mean_confidence=float(wrong["top1_p"].astype(float).mean()),
                typical=int(typical["index"]),
                worst=int(ranked["index"].iloc[0]),
                nearest=nearest,
                nearest_deg=nearest_deg,
            )
        )
    return found
