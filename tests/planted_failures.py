"""Poses whose failures are planted: Haar-uniform rotations, misread inside a place that is known, without pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from posetest.analysis.features import pose_features

#: Which rows [n] lie in the place, from ``pose_features``.
Place = Callable[[pd.DataFrame], NDArray[np.bool_]]


def haar_poses(n: int, seed: int) -> pd.DataFrame:
    """Records of n poses without answers: distance and offsets vary, the field of view does not."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        Rotation.random(n, rng).as_quat(canonical=True, scalar_first=True), columns=["qw", "qx", "qy", "qz"]
    )
    frame["index"] = np.arange(n) + 7
    frame["distance"] = rng.uniform(4.5, 8, n)
    frame["offset_x"] = rng.uniform(-0.1, 0.1, n)
    frame["offset_y"] = rng.uniform(-0.1, 0.1, n)
    frame["fov_deg"] = 30.0
    return frame


def planted(n: int, seed: int, place: Place, inside: float = 0.9, outside: float = 0.1) -> pd.DataFrame:
    """Evaluated rows: misread with probability ``inside`` in the place, ``outside`` elsewhere.

    Wrong answers are "snowplow" in seven of ten misread poses, else "bus".
    """
    frame = haar_poses(n, seed)
    rng = np.random.default_rng([seed, 1])
    chance = np.where(np.asarray(place(pose_features(frame))), inside, outside)
    frame["misread"] = rng.random(n) < chance
    frame["recognised"] = ~frame["misread"]
    wrong = np.where(rng.random(n) < 0.7, "snowplow", "bus")
    frame["top1_label"] = np.where(frame["misread"], wrong, "jeep")
    frame["top1_p"] = rng.beta(3, 2, n).astype(np.float32)
    return frame
