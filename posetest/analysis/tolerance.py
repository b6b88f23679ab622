"""How far a recognised pose may be turned, any way, until recognition is no longer certain.

Read from the records of ``posetest probe --what tolerance``: poses that the model recognised, drawn at random from
those of an audit, and for each and each of several radii turns drawn uniformly from the ball of rotations of that
radius.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from posetest.analysis.intervals import lower_bound, share, wilson
from posetest.analysis.probes import PAIR, UNCHANGED, read_probe, reproduced

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

Array = NDArray[np.float64]

#: Share of the turns in a ball that has to be recognised for the pose to be tolerant of it.
LEAST_SHARE = 0.9
_KEY = [*PAIR, "base", "radius_deg"]


def turn_counts(run: RunFolder) -> pd.DataFrame:
    """Turns of each pose and radius: a row each.

    Columns: scene, model, base, radius_deg, n (turns that were evaluated), recognised, first (whether the first of
    them was recognised), n_failed_status (turns that could not be evaluated). Poses whose unchanged picture was not
    recognised again are left out.

    Raises:
        RunError: the run is no complete probe of tolerance.
    """
    _, frame = read_probe(run, "tolerance")
    steady = reproduced(frame)
    steady = steady[steady["is_reproduced"]].drop(columns="is_reproduced")
    rows = (
        frame[frame["change"] != UNCHANGED].merge(steady, on=[*PAIR, "base"]).rename(columns={"amount": "radius_deg"})
    )
    rows["recognised"] &= rows["ok"]
    grouped = rows.groupby(_KEY, observed=True)
    table = grouped.agg(n=("ok", "sum"), recognised=("recognised", "sum"), drawn=("ok", "size")).reset_index()
    first = rows[rows["ok"]].groupby(_KEY, observed=True)["recognised"].first().rename("first").reset_index()
    table = table.merge(first, on=_KEY, how="left")
    table["first"] = table["first"].eq(True)
    table["n_failed_status"] = table["drawn"] - table["n"]
    return table.drop(columns="drawn").sort_values(_KEY, ignore_index=True)


def pose_tolerances(run: RunFolder, least: float = LEAST_SHARE, level: float = 0.95) -> pd.DataFrame:
    """The tolerance of each pose: the largest radius up to which recognition is shown to be at least ``least``.

    A row for each pose: scene, model, base, tolerance_deg: the largest radius such that for it and every smaller one
    the exact lower bound (``lower_bound``) on the share of recognised turns in the ball is at least ``least``; 0 where
    the smallest radius fails. As the radii are tested in a fixed order, up to the first that fails, the tolerance of a
    pose is too large with a probability of at most 1 - level (Maurer, Hothorn and Lehmacher 1995), however many radii
    there are. n: turns of each radius, the fewest.

    Raises:
        RunError: the run is no complete probe of tolerance.
        ValueError: ``least`` or ``level`` is not between 0 and 1.
    """
    table = _held(turn_counts(run), least, level)
    held = table.assign(tolerance_deg=np.where(table["is_held"], table["radius_deg"], 0.0))
    keys = [*PAIR, "base"]
    return held.groupby(keys, observed=True).agg(tolerance_deg=("tolerance_deg", "max"), n=("n", "min")).reset_index()


def tolerance(run: RunFolder, least: float = LEAST_SHARE, level: float = 0.95) -> pd.DataFrame:
    """Recognition of turned poses: a row for each scene, model and radius.

    Columns: scene, model, radius_deg; n (poses); turns (evaluated, of all of them); rate (of recognised turns, the mean
    over poses) with its interval low and high (``clustered_wilson``); exact_low, an exact one-sided lower bound of the
    same rate from one turn of each pose, and is_held, whether it is at least ``least`` for this radius and every
    smaller one; tolerant (poses whose own tolerance, see ``pose_tolerances``, reaches this radius) with its share of n
    and Wilson interval, tolerant_share, tolerant_low, tolerant_high; n_lost (poses left out, since their unchanged
    picture was not recognised again); n_failed_status (turns that could not be evaluated).

    n counts poses drawn at random from the recognised ones of the audit: the rates speak of recognised poses under the
    audit's measure, turned by a uniform rotation of the ball.

    Raises:
        RunError: the run is no complete probe of tolerance.
        ValueError: ``least`` or ``level`` is not between 0 and 1.
    """
    _, frame = read_probe(run, "tolerance")
    base = reproduced(frame)
    lost = base[~base["is_reproduced"]]
    counts = _held(turn_counts(run), least, level)
    rows = []
    for key, group in counts.groupby([*PAIR, "radius_deg"], observed=True, sort=True):
        scene, model, radius = key
        done = group[group["n"] > 0]
        rates = share(done["recognised"], done["n"])
        rate, low, high = clustered_wilson(rates, level)
        rows.append(
            {
                "scene": str(scene),
                "model": str(model),
                "radius_deg": float(str(radius)),
                "n": len(done),
                "turns": int(done["n"].sum()),
                "rate": rate,
                "low": low,
                "high": high,
                "exact_low": float(lower_bound(done["first"].sum(), len(done), level)),
                "tolerant": int(done["is_held"].sum()),
                "n_lost": int(((lost["scene"] == scene) & (lost["model"] == model)).sum()),
                "n_failed_status": int(group["n_failed_status"].sum()),
            }
        )
    table = pd.DataFrame(rows, columns=[c for c in _COLUMNS if c != "is_held" and not c.startswith("tolerant_")])
    reaches = table["exact_low"] >= least
    table["is_held"] = reaches.groupby([table["scene"], table["model"]], sort=False).cummin().astype(bool)
    table["tolerant_share"] = share(table["tolerant"], table["n"])
    table["tolerant_low"], table["tolerant_high"] = wilson(table["tolerant"], table["n"], level)
    return table[_COLUMNS]


_COLUMNS = [
    *("scene", "model", "radius_deg", "n", "turns", "rate", "low", "high", "exact_low", "is_held"),
    *("tolerant", "tolerant_share", "tolerant_low", "tolerant_high", "n_lost", "n_failed_status"),
]


def _held(counts: pd.DataFrame, least: float, level: float) -> pd.DataFrame:
    """``counts`` with is_held: whether the bound reaches ``least`` at this radius and at every smaller one."""
    if not 0 < least < 1:
        raise ValueError(f"a share between 0 and 1 is wanted, such as 0.9, got {least}")
    reaches = lower_bound(counts["recognised"], counts["n"], level) >= least
    grouped = pd.Series(reaches, index=counts.index).groupby([counts[k] for k in (*PAIR, "base")], observed=True)
    return counts.assign(is_held=grouped.cummin().astype(bool))


def clustered_wilson(rates: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """The mean of the ``rates`` [n] of n independent poses, and an interval of what it estimates; nan for n = 0.

    Wilson's interval at the number of independent draws whose mean would vary as much as that of the rates does,
    shrunk by (z / t)^2 since that number is estimated; where the rates do not vary, at the number of poses.

    Source: Korn and Graubard, Survey Methodology 24 (1998) 193, with Wilson's interval in place of the exact one.
    """
    found = np.asarray(rates, dtype=float)
    n = len(found)
    if n == 0:
        return np.nan, np.nan, np.nan
    mean = float(found.mean())
    between = float(found.var(ddof=1)) if n > 1 else 0.0
    effective = float(n)
    if between > 0:
        tail = 0.5 + level / 2
        shrink = (NormalDist().inv_cdf(tail) / float(stats.t.ppf(tail, n - 1))) ** 2
        effective = max(mean * (1 - mean) * n / between * shrink, 1.0)
    low, high = wilson(mean * effective, effective, level)
    return mean, float(low), float(high)
