"""How rates depend on what the picture shows: the object's size in it, its crop, its distance.

The edges are shared by all scenes and models of a table, so that its rows can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import OUTCOMES, audit_rows, check_options
from posetest.analysis.intervals import exact, share, wilson
from posetest.engine.record import VISIBLE_INSIDE
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, RunError

Array = NDArray[np.float64]

#: Edges where most poses share one value, so that quantiles say little: the share of the object inside the picture.
_DEFAULT_EDGES = {"inside": (0.0, 0.5, VISIBLE_INSIDE, 1.0)}


def strata(
    source: RunFolder | pd.DataFrame,
    by: str,
    edges: Sequence[float] | None = None,
    *,
    quantiles: int = 4,
    level: float = 0.95,
) -> pd.DataFrame:
    """Rates by size, crop or distance: a row for each scene, model and stratum, those without poses too.

    Columns: scene, model, by, stratum (from 0), stratum_low, stratum_high (in the unit of ``by``; a value at an inner
    edge belongs to the stratum above it), n; for each outcome of OUTCOMES its count ("misread"), its share of n
    ("misread_rate"), Wilson's interval to show ("misread_low", "misread_high") and the exact one for claims
    ("misread_exact_low", "misread_exact_high"), nan where n is 0; n_outside, the evaluated poses of the pair that are
    in no stratum; measure, of the poses, as run.toml names it ("" for rows, which do not say).

    Intervals hold for each row by itself, not for all of them at once.

    Args:
        source: an audit, or rows of ``outcomes(run, [by])``.
        by: the column of numbers: "long_px", "inside", "distance" or another.
        edges: of the strata, rising; by default quantiles of all rows together, for "inside" 0, 0.5, 0.9 and 1.
        quantiles: how many strata of equal numbers there are where no edges are given; fewer where values are equal.
        level: of both intervals.

    Raises:
        RunError: the source is a search's, lacks the column, or it does not hold numbers.
        ConfigError: records have no such column, edges do not rise, quantiles are below 1, the level is outside (0, 1).
    """
    check_options(OUTCOMES, level)
    rows = audit_rows(source, [by])
    if not pd.api.types.is_numeric_dtype(rows[by]) or pd.api.types.is_bool_dtype(rows[by]):
        raise RunError(f'strata: the column "{by}" holds no numbers; choose long_px, inside, distance or another')
    values = rows[by].to_numpy()
    bounds = _edges(values, by, edges, quantiles)
    stratum = _places(values, bounds)
    scenes, models = rows["scene"].cat, rows["model"].cat
    count = len(bounds) - 1
    shape = (len(scenes.categories), len(models.categories), count)
    pair = scenes.codes.to_numpy(dtype=np.int64) * shape[1] + models.codes.to_numpy()
    cell = pair * count + stratum
    index = pd.MultiIndex.from_product(
        [scenes.categories.astype(str), models.categories.astype(str), range(count)],
        names=["scene", "model", "stratum"],
    )
    table = pd.DataFrame(index=index).reset_index()
    table.insert(2, "by", by)
    table["stratum_low"], table["stratum_high"] = bounds[:-1][table["stratum"]], bounds[1:][table["stratum"]]
    size, placed = int(np.prod(shape)), stratum >= 0
    table["n"] = np.bincount(cell[placed], minlength=size)
    for outcome in OUTCOMES:
        counts = np.bincount(cell[placed & rows[outcome].to_numpy(dtype=bool)], minlength=size)
        table[outcome] = counts
        table[f"{outcome}_rate"] = share(counts, table["n"])
        table[f"{outcome}_low"], table[f"{outcome}_high"] = wilson(counts, table["n"], level)
        table[f"{outcome}_exact_low"], table[f"{outcome}_exact_high"] = exact(counts, table["n"], level)
    table["n_outside"] = np.repeat(np.bincount(pair[~placed], minlength=size // count), count)
    measures = {} if isinstance(source, pd.DataFrame) else {s.name: s.measure for s in source.info.scenes}
    table["measure"] = [measures.get(name, "") for name in table["scene"]]
    return table


def _edges(values: NDArray[np.generic], by: str, edges: Sequence[float] | None, quantiles: int) -> Array:
    given = _DEFAULT_EDGES.get(by) if edges is None else edges
    if given is not None:
        bounds = np.asarray(given, dtype=float)
        if bounds.ndim != 1 or len(bounds) < 2 or not np.all(np.diff(bounds) > 0):
            raise ConfigError(f"strata: edges = {list(given)} must be two or more numbers, each above the one before")
        return bounds
    if quantiles < 1:
        raise ConfigError(f"strata: quantiles = {quantiles} must be 1 or more")
    known = values.astype(np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        raise RunError(f'strata: no row has a finite value of "{by}" to take quantiles of; give edges')
    bounds = np.unique(np.quantile(known, np.linspace(0, 1, quantiles + 1)))
    return bounds if len(bounds) > 1 else np.repeat(bounds, 2)


def _places(values: NDArray[np.generic], bounds: Array) -> NDArray[np.int64]:
    """The stratum [n] of each value, -1 outside of all; the last one has its upper edge."""
    # compared in the column's own precision: the float32 next to 0.9 is at the edge 0.9, as it is where rows are made
    own = bounds.astype(values.dtype) if np.issubdtype(values.dtype, np.floating) else bounds
    places = np.minimum(np.searchsorted(own, values, side="right") - 1, len(bounds) - 2)
    within: NDArray[np.int64] = np.where((values >= own[0]) & (values <= own[-1]), places, -1).astype(np.int64)
    return within
