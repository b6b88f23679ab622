"""Tuning curves: how a unit's response depends on pose, what it prefers, how selective and how tolerant it is.

In the terms of recordings from inferotemporal cortex (Logothetis and Pauls, Cerebral Cortex 5 (1995) 270): a view-tuned
unit answers to a narrow range of views, a view-invariant one to all alike. Responses are measured from the unit's
answer to the background alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.engine.run import RunFolder
from posetest.errors import RunError
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]

#: A unit counts as driven by the object where its largest rise is at least this share of the layer's 95th percentile.
DRIVEN_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Responses:
    """Responses over a grid of poses.

    Attributes:
        names: of one or two parameters, the first along the first axis of the grid.
        values: their values, border units.
        grid: float64 [a, c] or [a, b, c], responses of c channels.
        blank: float64 [c], to the background alone.
        channels: int64 [c], their numbers in the layer.
        wraps: which of the parameters run around a circle that the grid closes.
    """

    names: tuple[str, ...]
    values: tuple[Array, ...]
    grid: Array
    blank: Array
    channels: NDArray[np.int64]
    wraps: tuple[bool, ...]


def read_responses(run: RunFolder) -> Responses:
    """The responses of the run of ``posetest tune``.

    Raises:
        RunError: it is another kind of run, or not complete.
    """
    what = run.info.tune
    if what is None:
        raise RunError(f"{run.path}: a run of kind {run.info.kind} holds no tuning curves; make one with posetest tune")
    table = run.table(["index", *(PARAMETERS[INDEX[name]].column for name in what.over), "responses"])
    shape = tuple(len(values) for values in what.values)
    if len(table) != np.prod(shape) + 1:
        raise RunError(f"{run.path}: {len(table)} of {np.prod(shape) + 1} poses are there; go on with --resume")
    table = table.sort_values("index")
    responses = np.stack(list(table["responses"])).astype(np.float64)
    return Responses(
        names=what.over,
        values=tuple(np.array(values) for values in what.values),
        grid=responses[1:].reshape(*shape, -1),
        blank=responses[0],
        channels=np.array(what.channels or range(responses.shape[1])),
        wraps=what.wraps,
    )


def tuning_table(found: Responses) -> pd.DataFrame:
    """A row for each channel, in their order.

    Columns: channel; one for each parameter with the preferred value (of the highest response); peak; blank; rise (peak
    minus blank); is_driven (DRIVEN_SHARE); half_width_NAME for each parameter, the distance from the preferred value to
    where the response has fallen to half its rise, the mean of both sides, within the grid (NaN for a unit that does
    not rise); invariance, the mean over the grid of the response above blank, not below 0, as a share of the rise: 1
    for a unit that answers to all poses alike, near 0 for one that answers to few; sparseness of the same (Vinje and
    Gallant, Science 287 (2000) 1273): 0 for a flat response, 1 for one pose alone.
    """
    count = found.grid.shape[-1]
    flat = found.grid.reshape(-1, count)
    places = np.unravel_index(flat.argmax(axis=0), found.grid.shape[:-1])
    peak = flat.max(axis=0)
    rise = peak - found.blank
    above = np.maximum(flat - found.blank, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(rise > 0, above / rise, np.nan)
        density = relative.mean(axis=0) ** 2 / (relative**2).mean(axis=0)
        sparseness = (1 - density) / (1 - 1 / len(flat)) if len(flat) > 1 else np.full(count, np.nan)
    columns: dict[str, object] = {"channel": found.channels}
    columns |= {name: found.values[k][places[k]] for k, name in enumerate(found.names)}
    columns |= {"peak": peak, "blank": found.blank, "rise": rise}
    scale = np.percentile(np.maximum(rise, 0), 95)
    columns["is_driven"] = (rise > 0) & (rise >= DRIVEN_SHARE * scale)
    for k, name in enumerate(found.names):
        columns[f"half_width_{name}"] = [_half_width(found, k, places, unit) for unit in range(count)]
    columns |= {"invariance": relative.mean(axis=0), "sparseness": sparseness}
    return pd.DataFrame(columns)


def ranked(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The driven units of ``tuning_table``, the most view-tuned first, and the most view-invariant first."""
    driven = table[table["is_driven"]]
    tuned = driven.sort_values(["invariance", "channel"])
    return tuned, driven.sort_values(["invariance", "channel"], ascending=[False, True])


def _half_width(found: Responses, axis: int, places: tuple[NDArray[np.intp], ...], unit: int) -> float:
    """Mean distance, on both sides of the peak, to where the response has fallen to half its rise."""
    index = tuple(slice(None) if k == axis else places[k][unit] for k in range(len(found.names)))
    curve, values = found.grid[(*index, unit)], found.values[axis]
    rise = curve[places[axis][unit]] - found.blank[unit]
    if not rise > 0 or len(values) < 2:
        return float("nan")
    relative = (curve - found.blank[unit]) / rise
    at = int(places[axis][unit])
    sides = [_fall(relative, values, at, step, found.wraps[axis]) for step in (1, -1)]
    reached = [side for side in sides if side is not None]
    return float(np.mean(reached)) if reached else float("nan")


def _fall(relative: Array, values: Array, at: int, step: int, wraps: bool) -> float | None:
    """Distance from grid point ``at`` to where ``relative`` falls to one half, by linear interpolation.

    Half the circle where it never does and the grid wraps; to the grid's end where it does not; None at that end.
    """
    count, travelled = len(values), 0.0
    spacing = abs(values[1] - values[0])
    here = at
    for _ in range(count // 2 if wraps else count):
        following = here + step
        if not wraps and not 0 <= following < count:
            return travelled if travelled > 0 else None
        following %= count
        if relative[following] <= 0.5:
            share = (relative[here] - 0.5) / max(relative[here] - relative[following], 1e-12)
            return float(travelled + spacing * share)
        travelled += spacing
        here = following
    return travelled
