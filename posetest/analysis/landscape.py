"""Landscapes over two parameters of the pose: recognition and confidence in bins of both.

Bins are as wide as the prior makes them equally likely, so that one is as well known as the next: even for a uniform
prior, even in the sine for a latitude, even in the logarithm for a log prior.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.audits import need_columns
from posetest.analysis.intervals import share, wilson
from posetest.analysis.means import cell_means
from posetest.errors import ConfigError, RunError, suggest
from posetest.space import INDEX, PARAMETERS, Interval, Parameter

Array = NDArray[np.float64]

_POSES_PER_BIN = 50  # so that most bins have the 40 that the interval of a mean needs
_MOST_BINS = 24  # 15 degrees of a full turn
_NAMES = tuple(p.name for p in PARAMETERS if p.name != "background")  # an index without order


def landscape(
    rows: pd.DataFrame,
    first: str,
    second: str,
    intervals: Mapping[str, Interval | None] | None = None,
    bins: tuple[int, int] | None = None,
) -> pd.DataFrame:
    """Recognition and confidence over two parameters: a row for each pair of bins, those of ``second`` running fastest.

    Columns: first_bin, second_bin (numbers), FIRST_low, FIRST_high, SECOND_low, SECOND_high (edges; named as the
    record's columns: "pitch_deg_low"), n, recognised, rate, low, high (95 % Wilson; nan in empty bins), confidence
    (mean probability of the first label) with confidence_low and confidence_high (95 %, ``means.cell_means``; nan
    below 40 poses).

    Args:
        rows: evaluated records of one scene and model (``of_pair``), with both columns, recognised and top1_p.
        first: a parameter's name as in scene files ("pitch").
        second: another one.
        intervals: what they spread over (``density.free_intervals``); by default the range of the data. Values of a
            parameter that runs around a circle are brought into the turn that begins at the interval's low end.
        bins: how many of each; by default equally many, so that 50 poses are in each on average, 24 at most.

    Raises:
        ConfigError: an unknown parameter, the background, or the same parameter twice.
        RunError: a column is missing, or a value lies outside its interval.
        ValueError: fewer than one bin.
    """
    parameters = _parameter(first), _parameter(second)
    if first == second:
        raise ConfigError(f'a landscape wants two different parameters, got "{first}" twice')
    need_columns(rows, [*(p.column for p in parameters), "recognised", "top1_p"], "landscape")
    if bins is None:
        side = min(max(math.isqrt(len(rows) // _POSES_PER_BIN), 1), _MOST_BINS)
        bins = side, side
    if min(bins) < 1:
        raise ValueError(f"landscape wants one bin or more of each parameter, got bins = {bins}")
    edges, places = [], []
    for parameter, count in zip(parameters, bins, strict=True):
        values = rows[parameter.column].to_numpy(dtype=np.float64)
        interval = (intervals or {}).get(parameter.name) or data_interval(values, parameter)
        edges.append(interval.from_unit(np.linspace(0, 1, count + 1)))
        places.append(_bin(values, edges[-1], interval, parameter))
    cells, count = places[0] * bins[1] + places[1], bins[0] * bins[1]
    numbers = np.divmod(np.arange(count), bins[1])
    table = pd.DataFrame({"first_bin": numbers[0], "second_bin": numbers[1]})
    for parameter, edge, number in zip(parameters, edges, numbers, strict=True):
        table[f"{parameter.column}_low"], table[f"{parameter.column}_high"] = edge[number], edge[number + 1]
    table["n"] = np.bincount(cells, minlength=count)
    table["recognised"] = np.bincount(cells[rows["recognised"].to_numpy(dtype=bool)], minlength=count)
    table["rate"] = share(table["recognised"], table["n"])
    table["low"], table["high"] = wilson(table["recognised"], table["n"])
    confidence = np.clip(rows["top1_p"].to_numpy(dtype=np.float64), 0, 1)  # float32 softmax exceeds 1 by rounding
    table["confidence"], table["confidence_low"], table["confidence_high"] = cell_means(confidence, cells, count, 1.0)
    return table


def data_interval(values: Array, parameter: Parameter) -> Interval:
    """What ``values`` [n] of ``parameter`` spread over: their range, or the shortest arc that holds them all.

    A parameter that runs around a circle gets the full turn from -180 where no gap in the values is as wide as a bin
    of the finest landscape. An arc may reach beyond 180, as 170 to 190 does.
    """
    if not len(values):
        return Interval(0.0, 1.0, "uniform")
    low, high = float(values.min()), float(values.max())
    if parameter.period is not None and high > low:
        turn = np.unique(_wrap(values, -parameter.period / 2, parameter.period))
        gaps = np.diff(turn, append=turn[0] + parameter.period)
        widest = int(gaps.argmax())
        if gaps[widest] < parameter.period / _MOST_BINS:
            return Interval(-parameter.period / 2, parameter.period / 2, "uniform")
        low = float(turn[(widest + 1) % len(turn)])
        high = low + parameter.period - float(gaps[widest])
    return Interval(low, high, "uniform") if high > low else Interval(low - 0.5, high + 0.5, "uniform")


def _parameter(name: str) -> Parameter:
    if name not in _NAMES:
        raise ConfigError(f'a landscape over "{name}"{suggest(name, _NAMES)}: it wants one of {", ".join(_NAMES)}')
    return PARAMETERS[INDEX[name]]


def _wrap(values: Array, low: float, period: float) -> Array:
    turned: Array = low + np.mod(values - low, period)
    return turned


def _bin(values: Array, edges: Array, interval: Interval, parameter: Parameter) -> NDArray[np.int64]:
    """The bin [n] of each value; those that miss the interval by the rounding of samples are in the bin at its end."""
    slack = 10.0**-parameter.decimals
    if parameter.period is not None:
        values = np.where(
            (values < interval.low - slack) | (values > interval.high + slack),
            _wrap(values, interval.low, parameter.period),
            values,
        )
    outside = ~((values >= interval.low - slack) & (values <= interval.high + slack))
    if outside.any():
        raise RunError(
            f"landscape: {parameter.column} = {values[outside][0]:g} lies outside [{interval.low:g}, "
            f"{interval.high:g}]; widen the interval or leave it out"
        )
    index = np.searchsorted(edges, values, side="right") - 1
    bins: NDArray[np.int64] = np.clip(index, 0, len(edges) - 2).astype(np.int64)
    return bins
