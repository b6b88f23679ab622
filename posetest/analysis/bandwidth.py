"""How wide to smooth: the bandwidth that predicts each outcome best from all others."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.kernel import kappa_to_bandwidth, pairs, power

Array = NDArray[np.float64]

#: kappa of the bandwidths that cross-validation tries: each is sqrt(2) times as narrow as the one before.
KAPPAS: tuple[float, ...] = tuple(2.0**k for k in range(-1, 13))

_MOST_ROWS = 20_000  # rows that take part
_MOST_LEFT_OUT = 2_000  # of them, rows whose outcome is predicted from all others
_LEAST_WEIGHT = 3  # of the rows near one that is predicted
_MOST_LONELY = 0.05
_DIMENSIONS = {3: 2, 4: 3}  # by the length of a unit vector: the sphere, the rotations


def cross_validated(points: Array, outcomes: NDArray[np.bool_], seed: int = 0) -> tuple[float, pd.DataFrame]:
    """The kappa of KAPPAS that predicts outcomes best, each from all other rows, and what each one reached.

    The score is the mean log likelihood of the outcomes left out; one further pose at the overall rate joins each
    prediction, so that none is made with certainty. Bandwidths at which more than a twentieth of the rows have others
    near that weigh less than 3 are not tried, their likelihood is nan: the further pose would predict for them. Of
    more than 20,000 rows so many are drawn, and the bandwidth found is narrowed as n^(-1 / (d + 4)), d = 2 for
    directions and 3 for rotations; of those 2,000 are predicted.

    The table has the columns of ``smoothing.Smoother.tried``.

    Args:
        points: unit vectors [n, 3] or quaternions [n, 4].
        outcomes: [n].
        seed: of the rows drawn.

    Source: leave-one-out likelihood, Loader, Local Regression and Likelihood (1999), section 4.3; from part of the
    rows, Marron, Econometric Reviews 6 (1987) 271.
    """
    generator = np.random.default_rng(seed)
    count = min(len(points), _MOST_ROWS)
    chosen = generator.permutation(len(points))[:count]
    near, y = points[chosen].astype(np.float32), outcomes[chosen].astype(np.float32)
    left_out = min(count, _MOST_LEFT_OUT)
    overall, likelihood, lonely = float(y.mean()), np.zeros(len(KAPPAS)), np.zeros(len(KAPPAS))
    for part, _, closeness in pairs(near[:left_out], near, whole=True):
        weight = power(closeness, KAPPAS[0])
        weight[np.arange(len(weight)), np.arange(part.start, part.stop)] = 0  # rows are in the order of their columns
        for k in range(len(KAPPAS)):
            if k:
                weight *= weight  # kappa doubles
            total = weight.sum(axis=1)
            lonely[k] += (total < _LEAST_WEIGHT).sum()
            chance = (weight @ y + overall) / (total + 1)
            # a rounded sum may pass 1 by 1e-7
            chance = np.clip(np.where(y[part] > 0, chance, 1 - chance), 1e-7, 1)
            likelihood[k] += np.log(chance).sum(dtype=np.float64)
    tried = pd.DataFrame({"kappa": KAPPAS, "bandwidth_deg": [kappa_to_bandwidth(k) for k in KAPPAS]})
    lonely[0] = 0  # the widest is tried in any case
    tried["log_likelihood"] = np.where(lonely <= _MOST_LONELY * left_out, likelihood / left_out, np.nan)
    best = KAPPAS[int(np.nanargmax(tried["log_likelihood"].to_numpy()))]
    # kappa goes as the inverse square of the bandwidth
    return best * (len(points) / count) ** (2 / (_DIMENSIONS[points.shape[1]] + 4)), tried
