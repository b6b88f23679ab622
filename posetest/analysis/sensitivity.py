"""How small a change of one pose parameter makes a model fail: the one-parameter disturbances of the 2019 study.

Read from the records of ``posetest probe --what sensitivity``: poses that the model recognised, drawn at random from
those of an audit, and for each a ladder of changes of one parameter in both directions. Each pose has a smallest
flipping change; its distribution over recognised poses, known between the steps of the ladder, is what is told.

Source: Alcorn et al., CVPR 2019 ("Strike (with) a Pose"), the sensitivity of classifiers to single parameters.
"""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from posetest.analysis.intervals import wilson
from posetest.analysis.probes import PAIR, read_probe, reproduced

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder

Array = NDArray[np.float64]

#: Which of a parameter's changes are looked at.
DIRECTIONS = ("both", "up", "down")


def smallest_flips(run: RunFolder) -> pd.DataFrame:
    """The smallest change that made the model fail, a row for each pose, parameter and direction.

    Columns: scene, model, parameter, direction ("up", "down", or the smaller of "both"), base (the pose's index in the
    audit), flip (size of the change, border units; inf where no step made it fail), is_cut (whether the largest step
    could not be tried: the camera would have been inside the object), failed_status (steps that could not be
    evaluated). Poses whose unchanged picture was not recognised again are left out.

    Raises:
        RunError: the run is no complete probe of sensitivity.
    """
    probe, frame = read_probe(run, "sensitivity")
    steady = reproduced(frame)
    steady = steady[steady["is_reproduced"]].drop(columns="is_reproduced")
    rows = frame[frame["change"].isin(list(probe.steps))].merge(steady, on=[*PAIR, "base"])
    size = rows["amount"].abs()
    rows = rows.assign(
        parameter=pd.Categorical(rows["change"].astype(str), categories=list(probe.steps)),
        size=size,
        flip=np.where(rows["ok"] & ~rows["recognised"], size, np.inf),
        failed_status=(~rows["ok"]).astype(int),
        direction=np.where(rows["amount"] > 0, "up", "down"),
    )
    keys = [*PAIR, "parameter", "direction", "base"]
    how = {"flip": "min", "size": "max", "failed_status": "sum"}
    one_way = rows.groupby(keys, observed=True, as_index=False).agg(how)
    largest = one_way["parameter"].astype(str).map({name: max(sizes) for name, sizes in probe.steps.items()})
    one_way["is_cut"] = one_way["size"] < largest
    how = {"flip": "min", "failed_status": "sum", "is_cut": "max"}
    both = one_way.groupby([k for k in keys if k != "direction"], observed=True, as_index=False).agg(how)
    table = pd.concat([both.assign(direction="both"), one_way], ignore_index=True)
    table["direction"] = pd.Categorical(table["direction"], categories=DIRECTIONS)
    table["is_cut"] = table["is_cut"] & np.isinf(table["flip"])
    return table.sort_values(keys, ignore_index=True)[[*keys, "flip", "is_cut", "failed_status"]]


def sensitivity(run: RunFolder) -> pd.DataFrame:
    """How sensitive recognition is to each parameter: a row for each scene, model, parameter and direction.

    Columns: scene, model, parameter, direction; n (poses), failed (of them, somewhere on the ladder), fail_rate with
    its 95 % Wilson interval low and high; median, the change at which half of the poses have failed, interpolated
    between the steps of the ladder, with its 95 % interval median_low and median_high (``flip_median``; nan: beyond
    the ladder); median_failed, the median smallest flipping change among the poses that failed, as the 2019 study
    gives it (a step of the ladder; says little where few fail); ladder_end, the largest step; n_cut (poses that did
    not fail and whose ladder ended early); n_lost (poses left out, since their unchanged picture was not recognised
    again); n_failed_status (steps that could not be evaluated; they count as not failed).

    n counts poses drawn at random from the recognised ones of the audit: the rates speak of recognised poses under the
    audit's measure.

    Raises:
        RunError: the run is no complete probe of sensitivity.
    """
    probe, frame = read_probe(run, "sensitivity")
    flips = smallest_flips(run)
    base = reproduced(frame)
    lost = base[~base["is_reproduced"]]
    rows = []
    for key, group in flips.groupby([*PAIR, "parameter", "direction"], observed=True, sort=True):
        scene, model, parameter, direction = (str(part) for part in key)
        flip = group["flip"].to_numpy()
        is_failed = np.isfinite(flip)
        low, high = wilson(is_failed.sum(), len(flip))
        median, median_low, median_high = flip_median(flip, probe.steps[parameter])
        rows.append(
            {
                "scene": scene,
                "model": model,
                "parameter": parameter,
                "direction": direction,
                "n": len(flip),
                "failed": int(is_failed.sum()),
                "fail_rate": float(is_failed.mean()),
                "low": float(low),
                "high": float(high),
                "median": median,
                "median_low": median_low,
                "median_high": median_high,
                "median_failed": float(np.median(flip[is_failed])) if is_failed.any() else np.nan,
                "ladder_end": max(probe.steps[parameter]),
                "n_cut": int(group["is_cut"].sum()),
                "n_lost": int(((lost["scene"] == scene) & (lost["model"] == model)).sum()),
                "n_failed_status": int(group["failed_status"].sum()),
            }
        )
    return pd.DataFrame(rows, columns=_COLUMNS)


_COLUMNS = [
    *("scene", "model", "parameter", "direction", "n", "failed", "fail_rate", "low", "high"),
    *("median", "median_low", "median_high", "median_failed", "ladder_end", "n_cut", "n_lost", "n_failed_status"),
]


def flip_median(flips: ArrayLike, steps: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """The change by which half of the poses have flipped, and its interval: linear between the steps of a ladder.

    The distribution function at each step is the share of poses that have flipped by then, and linear between steps,
    from 0 at no change. Woodruff's interval: the standard error of the distribution function at the median, turned
    into changes by its inverse. nan stands for beyond the ladder, and for all three where there is no pose.

    Args:
        flips: [n] smallest flipping steps, inf where none flipped.
        steps: [k] the ladder, above 0 and rising.
        level: of the interval.

    Raises:
        ValueError: the steps do not rise from above 0, or a flip is none of them.

    Source: Woodruff, JASA 47 (1952) 635.
    """
    flip, ladder = np.asarray(flips, dtype=float), np.asarray(steps, dtype=float)
    if not len(ladder) or ladder[0] <= 0 or np.any(np.diff(ladder) <= 0):
        raise ValueError(f"flip_median wants steps that rise from above 0, got {steps!r}")
    if not np.isin(flip[np.isfinite(flip)], ladder).all():
        raise ValueError("flip_median wants every flip to be one of the steps, or inf")
    if not len(flip):
        return np.nan, np.nan, np.nan
    shares = np.concatenate([[0.0], (flip[:, None] <= ladder).mean(axis=0)])
    edges = np.concatenate([[0.0], ladder])
    # the median's neighbourhood, or the ladder's last step where less than half have flipped
    at = int(np.argmax(shares >= 0.5)) if shares[-1] >= 0.5 else len(shares) - 1
    rise = shares[at] - shares[at - 1]
    weight = (0.5 - shares[at - 1]) / rise if shares[-1] >= 0.5 else 1.0
    n = len(flip)
    # one pose more on either side: no variance of 0 where a single step flips all
    total = n * (shares[at - 1] + weight * rise) + 1
    squares = n * (shares[at - 1] + weight**2 * rise) + 1
    variance = squares / (n + 2) - (total / (n + 2)) ** 2
    reach = NormalDist().inv_cdf(0.5 + level / 2) * np.sqrt(variance / n)
    found = [_inverse(p, shares, edges) for p in (0.5, 0.5 - reach, 0.5 + reach)]
    return found[0], found[1], found[2]


def _inverse(share: float, shares: Array, edges: Array) -> float:
    """Where the piecewise linear distribution function first reaches ``share``; nan: nowhere on the ladder."""
    if share <= 0:
        return 0.0
    if share > shares[-1]:
        return float("nan")
    at = int(np.argmax(shares >= share))
    return float(edges[at - 1] + (share - shares[at - 1]) / (shares[at] - shares[at - 1]) * (edges[at] - edges[at - 1]))
