"""Familiar poses: those that a scene such as photographer shows, told from what the camera sees.

A pose is familiar if it is visible and its viewing direction and its turn in the picture lie where the central 95 % of
the scene's poses have theirs. That is read from rotations, so that runs of any parametrisation are divided alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns
from posetest.analysis.density import QUATERNION
from posetest.analysis.features import pose_features
from posetest.analysis.regions import Bound, Region
from posetest.config import SceneConfig
from posetest.errors import ConfigError
from posetest.geometry.so3 import matrix_to_quaternion
from posetest.scene.include import read_scene
from posetest.scene.scene import find_scene
from posetest.space import object_to_camera, scene_space

#: The bundled scene that says what is familiar unless another is named: as people photograph things.
DEFAULT = "photographer"

_DRAWS = 8_000
_MOST_BACKGROUNDS = 10**9  # how many there are is no matter here
_SHARE = 0.95
_MOST_ARC = 300.0  # an arc that must be longer bounds nothing
_LEAST_DEG = 10.0  # a camera that is always exactly upright knows pictures a little askew too


@dataclass(frozen=True)
class Familiar:
    """Visible poses of a region.

    Attributes:
        region: bounds of viewing direction and roll.
        name: of the scene that they are from.
    """

    region: Region
    name: str

    def words(self) -> str:
        """Such as "visible, azimuth ..., elevation -8 to 53 degrees, roll -14 to 14 degrees (as in photographer)"."""
        return f"visible, {self.region.words()} (as in {self.name})"

    def contains(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows [n] of ``frame``, records with QUATERNION and visible, are familiar.

        Raises:
            RunError: a column is missing.
        """
        need_columns(frame, ["visible"], "what is familiar")
        inside: NDArray[np.bool_] = self.region.contains(frame) & frame["visible"].to_numpy(dtype=bool)
        return inside


def familiar_poses(config: SceneConfig, name: str) -> Familiar:
    """What is familiar to somebody who knows the poses of the scene ``config``, bounds to whole degrees.

    Azimuth and roll are bounded by the shortest arc that holds 95 % of the scene's poses, elevation by the central
    95 %; an arc of more than 300 degrees bounds nothing, and one of less than 10 is widened to that about its middle.
    """
    space = scene_space(config, _MOST_BACKGROUNDS, name)
    quaternions = matrix_to_quaternion(object_to_camera(space.sample(0, 0, _DRAWS)))
    features = pose_features(pd.DataFrame(quaternions, columns=list(QUATERNION)), ["azimuth", "elevation", "roll"])
    bounds = []
    for feature in ("azimuth", "elevation", "roll"):
        values = features[feature].to_numpy()
        if feature == "elevation":
            low, high = _widened(*np.quantile(values, [(1 - _SHARE) / 2, (1 + _SHARE) / 2]))
            bounds.append(Bound(feature, low, high))
            continue
        low, high = _shortest_arc(values)
        if high - low <= _MOST_ARC:
            low, high = _widened(low, high)
            bounds.append(Bound(feature, float((low + 180) % 360 - 180), float((high + 180) % 360 - 180), "arc"))
    return Familiar(Region(tuple(bounds)), name)


def _widened(low: float, high: float) -> tuple[float, float]:
    """Whole degrees about ``low`` to ``high``, at least _LEAST_DEG apart."""
    more = max(_LEAST_DEG - (high - low), 0) / 2
    return float(np.floor(low - more)), float(np.ceil(high + more))


def _shortest_arc(angles: NDArray[np.float64]) -> tuple[float, float]:
    """Ends, in degrees and rising, of the shortest arc that holds 95 % of ``angles``."""
    ordered = np.sort(np.mod(angles, 360))
    held = int(np.ceil(_SHARE * len(ordered)))
    around = np.concatenate([ordered, ordered + 360])
    lengths = around[held - 1 : held - 1 + len(ordered)] - ordered
    first = int(lengths.argmin())
    return float(ordered[first]), float(around[first + held - 1])


def familiar_scene(source: str | Path = DEFAULT) -> Familiar:
    """``familiar_poses`` of a scene file or a bundled scene.

    Raises:
        ConfigError: there is no such scene, or it is a mesh.
    """
    path = find_scene(source)
    if path.suffix.lower() != ".toml":
        raise ConfigError(f"familiar: {path} is a mesh; name a scene whose poses are familiar, such as {DEFAULT}")
    config = read_scene(path)
    return familiar_poses(config, config.name or path.stem)
