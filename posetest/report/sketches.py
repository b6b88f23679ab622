"""The figures of an audit: of each object and model, of each pair of models, and over all of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.analysis.contrast import direction_contrast
from posetest.analysis.density import direction_rates, free_intervals
from posetest.analysis.labels import wrong_labels
from posetest.analysis.landscape import landscape
from posetest.analysis.maps import direction_labels, direction_scores, rotation_rates
from posetest.analysis.outcomes import of_pair
from posetest.analysis.rates import rates
from posetest.analysis.smoothing import rotation_smoother, smoothed
from posetest.analysis.summary import summary_frame
from posetest.analysis.transfer import transfer
from posetest.engine.run import RunFolder, file_name
from posetest.geometry.grids import cell_to_direction
from posetest.geometry.so3 import direction_to_angles, euler_to_matrix, matrix_to_quaternion, orbit_to_matrix
from posetest.report.drawing import maps
from posetest.report.drawing.curves import (
    draw_landscape,
    draw_reliability,
    labels_figure,
    outcomes_figure,
)
from posetest.report.drawing.overview import rates_figure, transfer_figure
from posetest.report.drawing.sketch import Sketch
from posetest.report.drawing.style import DIFFERENCE_COLORS, SERIES, short
from posetest.report.figures import FEWEST as FEWEST_OF_LABEL
from posetest.report.landscapes import PAIRS
from posetest.run_info import SceneInfo

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Poses below which nothing is drawn over a parameter.
FEWEST = 100

_FEWEST_SMOOTH = 1_000  # as ``smoothing`` says of rates over SO(3)
_MOST_SMOOTH = 20_000
_SIZE, _TALL = (6.4, 4.0), (6.4, 5.6)
_MAPPED_LABELS = 6
_POSES_PER_CELL = 4  # of a label whose density is mapped
_POSES_PER_CONTRAST = 30
_TURNS = 12

#: From a name, a title, a function that draws and perhaps a size to the sketch of one object and model.
_Sketcher = Callable[..., Sketch]


def audit_sketches(run: RunFolder) -> Iterator[Sketch]:
    """The figures of the audit ``run``.

    Of each object and model: recognition over viewing direction as a map and as six globes, confidence and entropy,
    recognition over SO(3) in cells and smoothed, densities of the most frequent wrong labels over direction and over
    each parameter that varies, outcomes over each of them, landscapes over pairs, accuracy by confidence. Of each
    object and pair of models the difference map. Over all: rates with intervals, the transfer of failures.

    Raises:
        RunError: there are no records yet, they do not fit run.toml, or the run is no audit.
    """
    frame = summary_frame(run, ["entropy"])
    yield from _overall(run, frame)
    for scene in run.info.scenes:
        pairs = {model.name: of_pair(frame, scene.name, model.name) for model in run.info.models}
        for model, rows in pairs.items():
            if len(rows):
                yield from _of_pair(scene, model, rows)
        for first, second in combinations([m for m, rows in pairs.items() if len(rows)], 2):
            yield from _difference(scene, first, second, pairs)


def _overall(run: RunFolder, frame: pd.DataFrame) -> Iterator[Sketch]:
    scenes, models = run.info.scenes, run.info.models
    measures = "; ".join(dict.fromkeys(scene.measure for scene in scenes))
    counts = frame[frame["ok"]].groupby(["scene", "model"], observed=True).size()
    if len(counts) > 1:
        table = rates(run, frame)
        table = table[table["stratum"] == "all"]
        yield Sketch(
            "rates",
            f"Recognition rate of each object and model with 95 % Wilson intervals, n = {_span(counts)} poses each; "
            f"of one object each, no draws of objects. Measure: {measures}.",
            (6.4, min(1.1 + 0.42 * len(scenes) + 0.1 * len(scenes) * len(models), 12)),
            partial(rates_figure, rates=table),
        )
    if len(models) > 1:
        table = transfer(run, frame)
        pooled = table[table["is_pooled"]]
        if pooled["n"].sum():
            side = 2.2 + 0.9 * len(models)
            yield Sketch(
                "transfer",
                "Transfer of failures in percent: of the poses that the model of a row misreads, the share that the "
                "model of a column misreads too, with 95 % Wilson intervals, pooled over the poses of these objects; "
                f"n = {_span(pooled['n'])} misread poses a row. Measure: {measures}.",
                (side + 1.2, side),
                partial(transfer_figure, transfer=table),
            )


def _of_pair(scene: SceneInfo, model: str, rows: pd.DataFrame) -> Iterator[Sketch]:
    """The figures of one object and model."""
    facts = f"{scene.name} by {model}, n = {len(rows):,}; measure: {scene.measure}."

    def sketch(name: str, title: str, draw: Any, size: tuple[float, float] = _SIZE) -> Sketch:
        return Sketch(f"{file_name(scene.name)}-{file_name(model)}-{name}", f"{title}. {facts}", size, draw)

    cells = direction_rates(rows)
    reach = f"{len(cells)} cells of equal area, {_each(cells['n'])} poses in each{_half_width(cells)}"
    yield sketch(
        "direction",
        f"Recognition rate over viewing direction, Mollweide projection, the object's front in the middle; {reach}",
        partial(_direction, cells=cells["rate"].to_numpy()),
        (6.4, 3.2),
    )
    yield sketch(
        "globes",
        f"Recognition rate over viewing direction, seen from six sides, orthographic projection; {reach}",
        partial(maps.globes, cells=cells["rate"].to_numpy()),
        (6.4, 4.2),
    )
    scores = direction_scores(rows)
    yield sketch(
        "scores",
        "Mean confidence of the first label, right or wrong, and mean entropy of the predicted distribution over "
        f"viewing direction, Mollweide projection; {len(scores)} cells of equal area, {_each(scores['n'])} poses in "
        f"each{_half_width(scores, 'confidence')}",
        partial(maps.scores_figure, table=scores),
        _TALL,
    )
    yield sketch("reliability", "Accuracy by confidence, 95 % Wilson intervals", _reliability(rows), (4.4, 4.2))
    yield from _rotations(rows, sketch)
    labels = wrong_labels(rows, _MAPPED_LABELS)
    labels = labels[labels["count"] >= FEWEST_OF_LABEL]
    if len(labels):
        yield _label_maps(rows, labels, sketch)
    if len(rows) < FEWEST:
        return
    intervals = free_intervals(scene)
    named = labels["label"].astype(str).head(len(SERIES)).tolist()
    for name, interval in intervals.items():
        spoken = name.replace("_", " ")
        yield sketch(
            name,
            f"Outcomes over {spoken}: share of the poses of each bin with 95 % Wilson intervals, and where the poses "
            "of each outcome lie (area 1 each, grey: all as sampled)",
            partial(outcomes_figure, rows=rows, name=name, interval=interval),
        )
        if named:
            yield sketch(
                f"labels-{name}",
                f"The most frequent wrong labels over {spoken}: share of the poses of each bin that is read so, with "
                "95 % Wilson intervals, and the density of these predictions (area 1 each, grey: all as sampled)",
                partial(labels_figure, rows=rows, name=name, interval=interval, labels=named),
            )
    for pair in PAIRS:
        if pair[0] in intervals and pair[1] in intervals:
            table = landscape(rows, *pair, intervals)
            yield sketch(
                "-".join(pair),
                f"Recognition rate over {pair[0]} and {pair[1]}, in bins that are equally likely, {_each(table['n'])} "
                f"poses in each{_half_width(table, of='bin')}; bins without poses are grey",
                _landscape(table, pair),
            )


def _rotations(rows: pd.DataFrame, sketch: _Sketcher) -> Iterator[Sketch]:
    """Recognition over SO(3): small maps by the picture's roll, in cells, and smoothed where there are enough poses."""
    table = rotation_rates(rows, turns=_TURNS if len(rows) >= _FEWEST_SMOOTH else _TURNS // 2)
    found = [
        (f"roll {part['roll_low_deg'].iloc[0]:.0f}° to {part['roll_high_deg'].iloc[0]:.0f}°", part["rate"].to_numpy())
        for _, part in table.groupby("roll_low_deg")
    ]
    yield sketch(
        "rotations",
        "Recognition rate over SO(3): viewing direction (Mollweide projection, front in the middle) by the roll of the "
        "picture, counter-clockwise from upright, in cells of equal Haar measure, "
        f"{_each(table['n'])} poses in each{_half_width(table)}",
        partial(maps.multiples, maps=found, label="share recognised", high=1.0, columns=3),
        (6.4, 0.5 + 1.15 * (len(found) // 3)),
    )
    if len(rows) < _FEWEST_SMOOTH:
        return
    used = rows.head(_MOST_SMOOTH)  # poses are in the order of their index, which says nothing of them
    smoother = rotation_smoother(used)
    azimuth, elevation = direction_to_angles(cell_to_direction(8))
    upright = orbit_to_matrix(azimuth, elevation)
    smooth: list[tuple[str, NDArray[np.float64]]] = []
    reaches = []
    for roll in range(0, 360, 360 // _TURNS):
        turn = euler_to_matrix(0.0, 0.0, math.radians(roll))
        result = smoothed(smoother, matrix_to_quaternion(turn @ upright))
        smooth.append((f"roll {roll}°", result["rate"].to_numpy()))
        reaches.append((result["high"] - result["low"]).to_numpy() / 2)
    reach = np.concatenate(reaches)
    width = f", median 95 % interval ±{100 * np.nanmedian(reach):.0f} points" if np.isfinite(reach).any() else ""
    part = f", of the first {_MOST_SMOOTH:,} poses" if len(rows) > _MOST_SMOOTH else ""
    yield sketch(
        "rotations-smooth",
        "Recognition rate over SO(3), smoothed by a kernel that has fallen to half at "
        f"{smoother.bandwidth_deg:.0f} degrees (chosen by cross-validation){part}: viewing direction by the roll of "
        f"the picture{width}; grey where too few poses are near",
        partial(maps.multiples, maps=smooth, label="share recognised", high=1.0, columns=3),
        (6.4, 0.5 + 1.15 * (len(smooth) // 3)),
    )


def _label_maps(rows: pd.DataFrame, labels: pd.DataFrame, sketch: _Sketcher) -> Sketch:
    """Where the most frequent wrong labels are seen, a small map each."""
    nside = int(np.clip(math.isqrt(int(labels["count"].min()) // (12 * _POSES_PER_CELL)), 1, 8))
    table = direction_labels(rows[rows["misread"]], nside, len(labels))
    found = [
        (f"{short(label, 22)} ({int(part['count'].sum()):,})", part["density"].to_numpy() * 4 * math.pi)
        for label, part in table.groupby("label", sort=False)
    ]
    columns = min(3, len(found))
    reach = 2 * math.pi * (table["density_high"] - table["density_low"]).median()
    return sketch(
        "labels",
        "Where the most frequent wrong labels are seen: density of each over viewing direction (Mollweide projection, "
        "front in the middle), as a multiple of an even spread over the sphere, with the number of its poses; "
        f"{12 * nside**2} cells of equal area, 95 % Wilson intervals reach ±{reach:.2g} in the median; labels of fewer "
        f"than {FEWEST_OF_LABEL} poses not shown",
        partial(maps.multiples, maps=found, label="times an even spread", high=None, columns=columns),
        (6.4, 0.6 + (4.2 / columns) * -(-len(found) // columns)),
    )


def _difference(scene: SceneInfo, first: str, second: str, pairs: dict[str, pd.DataFrame]) -> Iterator[Sketch]:
    """Where two models differ on the same poses."""
    shared = int(pairs[first]["index"].isin(pairs[second]["index"]).sum())
    if not shared:
        return
    table = direction_contrast(pairs[first], pairs[second], _contrast_nside(shared))
    tested = int((table["n"] > 0).sum())
    yield Sketch(
        f"{file_name(scene.name)}-{file_name(first)}-{file_name(second)}-difference",
        f"Recognition rate of {first} less that of {second} on the same poses over viewing direction, Mollweide "
        f"projection, the object's front in the middle; {tested} cells of equal area, {_each(table['n'])} poses in "
        f"each. Dots: the {int(table['differs'].sum())} cells that differ at a false discovery rate of 5 % (exact "
        f"McNemar tests, Benjamini and Hochberg). {scene.name}, n = {int(table['n'].sum()):,} shared poses; measure: "
        f"{scene.measure}.",
        (6.4, 3.2),
        partial(_difference_map, table=table),
    )


def _contrast_nside(poses: int) -> int:
    """Resolution of a map of differences: fewer poses a cell could hardly differ under so many tests."""
    return int(np.clip(math.isqrt(poses // (12 * _POSES_PER_CONTRAST)), 1, 16))


def _difference_map(figure: Figure, table: pd.DataFrame) -> None:
    axis = figure.add_subplot()
    image = maps.draw_map(axis, table["difference"].to_numpy(), colors=DIFFERENCE_COLORS, low=-1, high=1)
    maps.mark_cells(axis, table["differs"].to_numpy())
    figure.colorbar(image, ax=axis, shrink=0.8, label="difference of shares")


def _direction(figure: Figure, cells: NDArray[np.float64]) -> None:
    axis = figure.add_subplot()
    figure.colorbar(maps.draw_map(axis, cells), ax=axis, shrink=0.8, label="share recognised")


def _reliability(rows: pd.DataFrame) -> Any:
    return lambda figure: draw_reliability(figure.add_subplot(), rows)


def _landscape(table: pd.DataFrame, pair: tuple[str, str]) -> Callable[[Figure], None]:
    def draw(figure: Figure) -> None:
        axis = figure.add_subplot()
        figure.colorbar(draw_landscape(axis, table, pair), ax=axis, label="share recognised")

    return draw


def _half_width(table: pd.DataFrame, name: str = "", of: str = "cell") -> str:
    """How far the interval of a cell reaches, in words; nothing where no cell has one."""
    prefix = f"{name}_" if name else ""
    reach = (table[f"{prefix}high"] - table[f"{prefix}low"]) / 2
    if not reach.notna().any():
        return ""
    kind = "95 % interval of the mean confidence" if name else "95 % Wilson interval"
    return f" (a {of}'s {kind} reaches ±{100 * reach.median():.0f} points in the median)"


def _each(counts: pd.Series[int]) -> str:
    return f"{counts.median():.0f} (median)"


def _span(counts: pd.Series[int] | Sequence[int]) -> str:
    """ "2,000", or "1,990 to 2,000"."""
    low, high = int(min(counts)), int(max(counts))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
