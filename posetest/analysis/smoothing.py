"""Recognition smoothed over viewing directions or over all rotations: a rate at any pose, without cells.

Near poses weigh more than far ones (``kernel``), how much more is learnt from the outcomes (``bandwidth``).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns
from posetest.analysis.bandwidth import cross_validated
from posetest.analysis.density import QUATERNION
from posetest.analysis.kernel import Single, bandwidth_to_kappa, kappa_to_bandwidth, pairs, power
from posetest.errors import RunError
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Smoother:
    """Outcomes with a kernel: what ``smoothed`` evaluates.

    Attributes:
        points: float32 [n, 3] viewing directions or [n, 4] quaternions, unit vectors.
        outcomes: float32 [n], 1 where recognised.
        kappa: exponent of the kernel.
        tried: of cross-validation: columns kappa, bandwidth_deg, log_likelihood (mean over the rows left out); empty
            where the bandwidth was given.
    """

    points: Single
    outcomes: Single
    kappa: float
    tried: pd.DataFrame

    @property
    def bandwidth_deg(self) -> float:
        """The angle at which the kernel has fallen to half."""
        return kappa_to_bandwidth(self.kappa)


def direction_smoother(rows: pd.DataFrame, bandwidth_deg: float | None = None, seed: int = 0) -> Smoother:
    """Recognition over viewing direction, to be smoothed.

    Args:
        rows: evaluated records of one scene and model (``of_pair``), with QUATERNION and recognised.
        bandwidth_deg: the angle at which the kernel has fallen to half; by default ``cross_validated``.
        seed: of the rows that cross-validation draws where there are many.

    Raises:
        RunError: a column is missing, or there are no rows.
    """
    need_columns(rows, [*QUATERNION, "recognised"], "direction_smoother")
    matrices = quaternion_to_matrix(_quaternions(rows))
    return _smoother(viewing_direction(matrices), rows, bandwidth_deg, seed)


def rotation_smoother(rows: pd.DataFrame, bandwidth_deg: float | None = None, seed: int = 0) -> Smoother:
    """Recognition over all rotations, to be smoothed; arguments and errors as of ``direction_smoother``."""
    need_columns(rows, [*QUATERNION, "recognised"], "rotation_smoother")
    return _smoother(_quaternions(rows), rows, bandwidth_deg, seed)


def smoothed(smoother: Smoother, at: Array, level: float = 0.95) -> pd.DataFrame:
    """The recognition rate at each query, a row each in their order.

    Columns: rate, the kernel-weighted share of recognised poses; n_effective, (sum w)^2 / sum w^2, of how many equally
    weighted poses that is worth; low, high: Agresti and Coull's interval, of the true rate at the query itself, around
    a second estimate, 2 r(h / sqrt 2) - r(h), where r(h) is the rate at bandwidth h: its bias is of order h^4 and not
    h^2. A bandwidth that predicts best has a bias as large as its error, and an interval around r(h) misses three times
    as often as it says and more. The second estimate has its own effective n, and the interval is some 1.9 times (of
    rotations 2.5 times) as wide as n_effective alone would make it; now and then the rate lies outside. All are nan
    where the poses near a query together weigh less than one at the query would.

    An interval covers where the true rate changes smoothly over a bandwidth; at a jump it does not. Rates over SO(3)
    that go from 0.05 to 0.95 within 40 degrees take about 4,000
    rotations: with 1,000, 92 % hold the truth, with 500, 90 %.

    Args:
        smoother: of ``direction_smoother`` or ``rotation_smoother``.
        at: unit vectors [m, 3] from the object to the camera (object frame), or quaternions [m, 4], w, x, y, z,
            object to camera, as the smoother has.
        level: of the interval.

    Raises:
        ValueError: the queries have another shape or are not unit vectors, or the level is not between 0 and 1.

    Source: bias, Schucany and Sommers, JASA 72 (1977) 420; intervals centred on the corrected estimate, Calonico,
    Cattaneo and Farrell, JASA 113 (2018) 767; Agresti and Coull, The American Statistician 52 (1998) 119.
    """
    queries = np.asarray(at, dtype=np.float64)
    width = smoother.points.shape[1]
    if queries.ndim != 2 or queries.shape[1] != width:
        raise ValueError(f"smoothed wants queries [m, {width}], got {list(queries.shape)}")
    if not np.all(np.abs(np.linalg.norm(queries, axis=1) - 1) < 1e-3):
        raise ValueError("smoothed wants queries of length 1; divide them by their length")
    if not 0 < level < 1:
        raise ValueError(f"smoothed wants a level between 0 and 1, such as 0.95, got {level}")
    sums = np.zeros((6, len(queries)))
    for part, rows, closeness in pairs(queries.astype(np.float32), smoother.points):
        y = smoother.outcomes[rows]
        wide = power(closeness, smoother.kappa)
        narrow = wide * wide  # twice the kappa: a bandwidth of h / sqrt(2)
        sums[0, part] += wide.sum(axis=1)
        sums[1, part] += narrow.sum(axis=1)
        sums[2, part] += wide @ y
        sums[3, part] += narrow @ y
        sums[4, part] += np.einsum("ij,ij->i", wide, narrow)
        sums[5, part] += np.einsum("ij,ij->i", narrow, narrow)
    sums[:, ~(sums[1] >= 1)] = np.nan
    wide_sum, narrow_sum, wide_hits, narrow_hits, cross, square = sums
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = wide_hits / wide_sum
        corrected = np.clip(2 * narrow_hits / narrow_sum - rate, 0, 1)
        # variance of the corrected estimate is p (1 - p) times the sum of its squared weights
        weights = 4 * square / narrow_sum**2 - 4 * cross / (narrow_sum * wide_sum) + narrow_sum / wide_sum**2
        table = pd.DataFrame({"rate": rate, "n_effective": wide_sum**2 / narrow_sum})
        table["low"], table["high"] = _agresti_coull(corrected, 1 / weights, level)
    return table


def _agresti_coull(rate: Array, n: Array, level: float) -> tuple[Array, Array]:
    """Bounds [m] of the shares behind rates in ``n`` draws: Wilson's centre, and wider than his.

    Where n is 5, as it is effectively in a sparse part of SO(3), Wilson's covers some 2 points too little of weighted
    outcomes.
    """
    z2 = NormalDist().inv_cdf(0.5 + level / 2) ** 2
    centre = (rate * n + z2 / 2) / (n + z2)
    reach = np.sqrt(z2 * centre * (1 - centre) / (n + z2))
    return np.clip(centre - reach, 0, 1), np.clip(centre + reach, 0, 1)


def _smoother(points: Array, rows: pd.DataFrame, bandwidth_deg: float | None, seed: int) -> Smoother:
    outcomes = rows["recognised"].to_numpy(dtype=bool)
    if bandwidth_deg is None:
        kappa, tried = cross_validated(points, outcomes, seed)
    else:
        kappa = bandwidth_to_kappa(bandwidth_deg)
        tried = pd.DataFrame({"kappa": [], "bandwidth_deg": [], "log_likelihood": []}, dtype=float)
    return Smoother(points.astype(np.float32), outcomes.astype(np.float32), kappa, tried)


def _quaternions(rows: pd.DataFrame) -> Array:
    if not len(rows):
        raise RunError("no evaluated poses of this scene and model: there is nothing to smooth; audit some first")
    quaternions = rows[list(QUATERNION)].to_numpy(dtype=np.float64)
    unit: Array = quaternions / np.linalg.norm(quaternions, axis=1, keepdims=True)
    return unit
