"""Where poses of a dataset are drawn from: a space's own measure, or the neighbourhood of what a model got wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from posetest.config import JitterConfig
from posetest.errors import ConfigError
from posetest.geometry.so3 import euler_to_matrix, matrix_to_euler, tangent_to_matrix
from posetest.space import INDEX, PARAMETERS, Space, uniforms

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]

#: Columns of the random stream: which source, which pose, three of the turn, and one for each parameter from here on.
_SOURCE, _POSE, _TURN, _SHIFT = 0, 1, 2, 5
_EULER = [INDEX[name] for name in ("yaw", "pitch", "roll")]


class PosePrior(Protocol):
    """Draws poses. The pose of an index follows from the seed and the index alone."""

    def poses(self, scene: str, space: Space, seed: int, start: int, stop: int) -> Array:
        """Poses start to stop - 1 of the scene of that name: float64 [stop - start, parameters], border units."""
        ...


class SpacePrior:
    """The measure of each scene's own space."""

    def poses(self, scene: str, space: Space, seed: int, start: int, stop: int) -> Array:
        """As ``Space.sample``; the scene's name makes no difference."""
        return space.sample(seed, start, stop)


@dataclass(frozen=True, eq=False)
class FailurePrior:
    """Poses near those that a model got wrong, mixed with the space's own measure.

    A pose comes with probability ``share`` from a recorded one, drawn in proportion to its weight and moved by
    ``jitter`` within the space; otherwise, and in scenes without a weighted pose, from the space's own measure. What is
    drawn is no sample of any named measure: use it to train, not to state rates.

    Attributes:
        recorded: by scene name, poses [n, parameters] and their weights [n], not negative.
        share: of poses near recorded ones, 0 to 1.
        jitter: standard deviations of the moves.
    """

    recorded: Mapping[str, tuple[Array, Array]]
    share: float = 0.5
    jitter: JitterConfig = field(default_factory=JitterConfig)

    @staticmethod
    def from_table(
        table: pd.DataFrame, *, model: str | None = None, share: float = 0.5, jitter: JitterConfig | None = None
    ) -> FailurePrior:
        """The prior of a run's failures: ``run.table()`` of an audit or a search.

        A pose that was recognised weighs nothing, another 1 - p, p being the probability of the accepted labels.

        Args:
            table: rows of records.
            model: the model whose failures count; may be left out where the table holds one model.
            share, jitter: see the class.

        Raises:
            ConfigError: several models and none named, no such model, or a share outside [0, 1].
        """
        if not 0 <= share <= 1:
            raise ConfigError(f"share = {share}: a number from 0 to 1 is wanted")
        names = sorted(map(str, table["model"].unique()))
        if model is None and len(names) != 1:
            raise ConfigError(f"whose failures? The table holds {', '.join(names) or 'no model'}; give model=NAME")
        if model is not None and model not in names:
            raise ConfigError(f'model = "{model}": the table holds {", ".join(names)}')
        rows = table[(table["model"] == (model or names[0])) & (table["status"] == "ok") & ~table["recognised"]]
        columns = [p.column for p in PARAMETERS]
        recorded = {
            str(scene): (
                part[columns].to_numpy(dtype=np.float64),
                1.0 - part["accepted_p"].fillna(0.0).to_numpy(dtype=np.float64),
            )
            for scene, part in rows.groupby("scene", observed=True)
        }
        return FailurePrior(recorded, share, jitter if jitter is not None else JitterConfig())

    def poses(self, scene: str, space: Space, seed: int, start: int, stop: int) -> Array:
        """As the protocol says."""
        own = space.sample(seed, start, stop)
        vectors, weights = self.recorded.get(scene, (np.empty((0, len(PARAMETERS))), np.empty(0)))
        total = np.cumsum(weights)
        if not len(total) or total[-1] <= 0:
            return own
        # another stream than the one that the space draws from
        unit = uniforms(seed ^ (1 << 63), start, stop)
        drawn = np.minimum(np.searchsorted(total, unit[:, _POSE] * total[-1], side="right"), len(total) - 1)
        near = self._moved(vectors[drawn], space, unit)
        return np.where((unit[:, _SOURCE] < self.share)[:, None], near, own)

    def _moved(self, vectors: Array, space: Space, unit: Array) -> Array:
        """``vectors`` moved at random within the space: free parameters only, the rotation as one turn."""
        normal = ndtri(np.clip(unit, 1e-12, 1 - 1e-12))
        jitter, moved = self.jitter, vectors.copy()
        for name, value in space.fixed.items():  # recorded under other conditions, perhaps
            if name not in space.free:
                moved[:, INDEX[name]] = value
        angles = dict.fromkeys(("yaw", "pitch", "roll", "azimuth", "elevation"), jitter.turn_deg)
        widths = jitter.widths() | angles
        turns = all(name in space.free for name in ("yaw", "pitch", "roll"))
        if turns:
            turn = np.radians(jitter.turn_deg) * normal[:, _TURN:_SHIFT]
            turned = tangent_to_matrix(turn) @ euler_to_matrix(*np.radians(vectors[:, _EULER].T))
            moved[:, _EULER] = np.degrees(matrix_to_euler(turned))
            pitch = space.free["pitch"]
            if pitch.low < -90 or pitch.high > 90:  # there a rotation has two triples of angles
                moved[:, _EULER] = _near(moved[:, _EULER], vectors[:, _EULER])
        for name, interval in space.free.items():
            i = INDEX[name]
            if name == "background":
                if jitter.background:
                    count = interval.high - interval.low + 1
                    moved[:, i] = np.minimum(interval.low + np.floor(unit[:, _SHIFT + i] * count), interval.high)
                continue
            if not (turns and i in _EULER):
                moved[:, i] += widths.get(name, 0.0) * normal[:, _SHIFT + i]
            period = PARAMETERS[i].period
            if period is not None:  # into the turn around the middle of the interval
                start = (interval.low + interval.high - period) / 2
                moved[:, i] = start + (moved[:, i] - start) % period
            moved[:, i] = np.round(np.clip(moved[:, i], interval.low, interval.high), PARAMETERS[i].decimals) + 0.0
        return moved


def _near(angles: Array, before: Array) -> Array:
    """The Euler angles [n, 3], degrees, of the two that mean the same rotation, that are nearer to ``before``."""
    other = np.stack([angles[:, 0] + 180, 180 - angles[:, 1], angles[:, 2] + 180], axis=-1)
    apart = [np.abs((one - before + 180) % 360 - 180).sum(axis=1) for one in (angles, other)]
    return np.where((apart[1] < apart[0])[:, None], other, angles)
