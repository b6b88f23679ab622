"""How far a recognised pose may go along each parameter, or along several at once, and stay recognised.

Read from the records of ``posetest probe --what axes`` and ``--what boxes``: around poses that the model recognised,
drawn at random from those of an audit, intervals or boxes grown by probing and then tested on fresh draws
(``engine.probe_boxes``). Only what passed its test is claimed; other poses count with a width of 0.

Source of the question: Hamdi and Ghanem, "Towards Analyzing Semantic Robustness of Deep Neural Networks", ECCV
workshops 2020.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from posetest.analysis.intervals import lower_bound, share, wilson
from posetest.analysis.probes import PAIR, measures, read_probe
from posetest.analysis.recorded import recorded_space
from posetest.engine.probe_boxes import LEVEL, Outcome
from posetest.engine.probe_rounds import Rounds, played_back
from posetest.engine.record import POSE_COLUMNS
from posetest.space import INDEX, NAMES, PARAMETERS

if TYPE_CHECKING:
    from posetest.engine.run import RunFolder
    from posetest.run_info import ProbeInfo, ProbeKind, SceneInfo

Array = NDArray[np.float64]

#: Names of what is told of boxes besides the width along each parameter.
VOLUME, MEASURE_SHARE = "volume", "measure_share"


def pose_axes(run: RunFolder) -> pd.DataFrame:
    """The interval of each pose and parameter: a row each.

    Columns: scene, model, parameter, base (the pose's index in the audit), value (the pose's own, border units); low
    and high, the interval in which it stays recognised (angles run on past a half turn); down and up, how far these are
    from the value; is_held, whether the interval passed its test, else its width is 0; n and recognised, the draws of
    its last test (0: not a single step could be taken); exact_low, the exact one-sided lower bound of the share
    recognised among draws uniform in the tested interval, at 95 % over all tests of the interval together;
    down_ended and up_ended, whether the ladder, or what the parameter can be, ended there and not recognition.

    Raises:
        RunError: the run is no complete probe of axes.
    """
    tables = []
    for scene, model, probe, rounds in _played(run, "axes"):
        for (name,), tested in rounds.outcomes():
            value = _values(rounds, name)
            low, high = _claimed(tested, value, 0)
            table = pd.DataFrame({"parameter": name, "base": rounds.bases.index[rounds.steady], "value": value})
            table["low"], table["high"] = low, high
            table["down"], table["up"] = value - low, high - value
            table = table.assign(**_tests(tested, probe))
            table["down_ended"], table["up_ended"] = (tested.is_ended[:, 0, s] & tested.is_held for s in (0, 1))
            tables.append(_keyed(table, scene, model))
    return measures(run, pd.concat(tables, ignore_index=True))


def axes(run: RunFolder) -> pd.DataFrame:
    """How far recognised poses may go along each parameter: a row for each scene, model and parameter.

    Columns: scene, model, parameter; n (poses); held (of them, with an interval that passed its test) and its share
    held_share with the 95 % Wilson interval held_low, held_high; down, the median over the n poses of how far the
    interval goes down, with the 95 % interval down_low, down_high (``median_interval``); the same upwards: up, up_low,
    up_high; ladder_end, the largest step; n_ended (poses whose interval was ended by the ladder, or by what the
    parameter can be, at one end or both: their own is at least as wide); n_lost (poses left out, since their
    unchanged picture was not recognised again); measure.

    Raises:
        RunError: the run is no complete probe of axes.
    """
    rows = []
    lost = {(scene, model): _lost(rounds) for scene, model, _, rounds in _played(run, "axes")}
    assert run.info.probe is not None
    for (scene, model, name), group in pose_axes(run).groupby([*PAIR, "parameter"], sort=False, observed=True):
        row = {"scene": scene, "model": model, "parameter": name, "n": len(group)} | _held(group["is_held"])
        for end in ("down", "up"):
            row |= dict(zip((end, f"{end}_low", f"{end}_high"), median_interval(group[end]), strict=True))
        row["ladder_end"] = max(run.info.probe.steps[str(name)])
        row["n_ended"] = int((group["down_ended"] | group["up_ended"]).sum())
        row["n_lost"] = lost[str(scene), str(model)]
        rows.append(row)
    return measures(run, pd.DataFrame(rows, columns=_AXES))


def pose_boxes(run: RunFolder) -> pd.DataFrame:
    """The box of each pose: a row each.

    Columns: scene, model, base (the pose's index in the audit); is_held, n, recognised and exact_low as in
    ``pose_axes``; volume, the product of the widths (border units: degrees, object units, half-frames);
    measure_share, the share of the scene's measure over these parameters that lies in the box; of each parameter, as
    yaw_low and yaw_high, the bounds, which are the pose's own value where the test was not passed; nan where a scene's
    boxes are not of this parameter.

    Raises:
        RunError: the run is no complete probe of boxes.
    """
    infos = {scene.name: scene for scene in run.info.scenes}
    tables = []
    for scene, model, probe, rounds in _played(run, "boxes"):
        for names, tested in rounds.outcomes():
            bounds = {name: _claimed(tested, _values(rounds, name), position) for position, name in enumerate(names)}
            table = pd.DataFrame({"base": rounds.bases.index[rounds.steady]}).assign(**_tests(tested, probe))
            table[VOLUME] = np.prod([high - low for low, high in bounds.values()], axis=0)
            table[MEASURE_SHARE] = _measure_share(infos[scene], bounds)
            for name, (low, high) in bounds.items():
                table[f"{name}_low"], table[f"{name}_high"] = low, high
            tables.append(_keyed(table, scene, model))
    return measures(run, pd.concat(tables, ignore_index=True))


def boxes(run: RunFolder) -> pd.DataFrame:
    """How large boxes around recognised poses are: a row for each scene, model and quantity.

    Columns: scene, model; quantity: a parameter, whose width it is, "volume" or "measure_share" (``pose_boxes``); n
    (poses); held, held_share, held_low, held_high as in ``axes``; median over the n poses with its 95 % interval low
    and high (``median_interval``; poses without a box that passed its test count as 0); largest, over the poses, which
    is what was found and no estimate; n_lost; measure.

    Raises:
        RunError: the run is no complete probe of boxes.
    """
    rows = []
    each = pose_boxes(run)
    for scene, model, _, rounds in _played(run, "boxes"):
        group = each[(each["scene"] == scene) & (each["model"] == model)]
        for name in (*rounds.groups[0], VOLUME, MEASURE_SHARE):
            is_told = name in (VOLUME, MEASURE_SHARE)
            values = group[name] if is_told else group[f"{name}_high"] - group[f"{name}_low"]
            row = {"scene": scene, "model": model, "quantity": name, "n": len(group)} | _held(group["is_held"])
            row |= dict(zip(("median", "low", "high"), median_interval(values), strict=True))
            row |= {"largest": float(values.max()) if len(values) else np.nan, "n_lost": _lost(rounds)}
            rows.append(row)
    return measures(run, pd.DataFrame(rows, columns=_BOXES))


_HELD = ["n", "held", "held_share", "held_low", "held_high"]
_AXES = [*PAIR, "parameter", *_HELD, "down", "down_low", "down_high", "up", "up_low", "up_high"]
_AXES += ["ladder_end", "n_ended", "n_lost"]
_BOXES = [*PAIR, "quantity", *_HELD, "median", "low", "high", "largest", "n_lost"]


def median_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """The median of ``values`` [n] and an interval of the population's median, from order statistics.

    Exact: it holds the median with a probability of at least ``level`` whatever the distribution, ties included, and
    so with more where there are ties. nan for bounds that so few values do not give (fewer than 6 at 95 %), and for
    all of no values.

    Source: Conover, Practical Nonparametric Statistics (3rd ed., 1999), section 3.2; ``scipy.stats.quantile_test``.
    """
    found = np.asarray(values, dtype=float)
    if not len(found):
        return np.nan, np.nan, np.nan
    bounds = stats.quantile_test(found, q=0.0, p=0.5).confidence_interval(level)
    return float(np.median(found)), float(bounds.low), float(bounds.high)


def _played(run: RunFolder, what: ProbeKind) -> Iterator[tuple[str, str, ProbeInfo, Rounds]]:
    """Scene, model, settings and rounds, in the order of run.toml; of those that have poses."""
    probe, frame = read_probe(run, what, ["index", "status", *POSE_COLUMNS])
    for (scene, model), rows in frame.groupby(PAIR, observed=True, sort=True):
        yield (
            str(scene),
            str(model),
            probe,
            played_back(probe, rows.sort_values("index"), str(scene), str(run.path)),
        )


def _keyed(table: pd.DataFrame, scene: str, model: str) -> pd.DataFrame:
    return table.assign(scene=scene, model=model)[[*PAIR, *table.columns]]


def _values(rounds: Rounds, name: str) -> Array:
    values: Array = rounds.bases.vectors[rounds.steady][:, NAMES.index(name)]
    return values


def _claimed(tested: Outcome, value: Array, position: int) -> tuple[Array, Array]:
    """Low and high of a parameter; the pose's own value where the test was not passed."""
    low, high = tested.box[:, position, 0], tested.box[:, position, 1]
    return np.where(tested.is_held, low, value), np.where(tested.is_held, high, value)


def _tests(tested: Outcome, probe: ProbeInfo) -> dict[str, NDArray[np.generic]]:
    bound = lower_bound(tested.recognised, tested.draws, 1 - (1 - LEVEL) / probe.tries)
    return {"is_held": tested.is_held, "n": tested.draws, "recognised": tested.recognised, "exact_low": bound}


def _held(is_held: pd.Series[bool]) -> dict[str, object]:
    low, high = wilson(is_held.sum(), len(is_held))
    part = float(share(is_held.sum(), len(is_held)))
    return {"held": int(is_held.sum()), "held_share": part, "held_low": float(low), "held_high": float(high)}


def _lost(rounds: Rounds) -> int:
    return len(rounds.bases) - len(rounds.steady)


def _measure_share(info: SceneInfo, bounds: dict[str, tuple[Array, Array]]) -> Array:
    """Share of the scene's measure over the parameters of ``bounds`` that lies within them: [n]."""
    space = recorded_space(info)
    if space is None:
        return np.full(len(next(iter(bounds.values()))[0]), np.nan)
    parts = []
    for name, (low, high) in bounds.items():
        interval = space.free[name]
        if PARAMETERS[INDEX[name]].period == interval.high - interval.low:
            parts.append((high - low) / (interval.high - interval.low))  # around the circle: also past its seam
        else:
            parts.append(interval.to_unit(high) - interval.to_unit(low))
    product: Array = np.prod(parts, axis=0)
    return product
