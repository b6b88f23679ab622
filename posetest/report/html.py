"""The HTML report: one file that opens offline, made from a run folder and from nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from posetest.analysis.density import densities, direction_rates, free_intervals
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import Summary, summarise
from posetest.engine.record import CONFIDENT, VISIBLE_INSIDE, VISIBLE_LONG_PX
from posetest.engine.run import RunFolder, write_aside
from posetest.report import figures, words
from posetest.report.environment import environment
from posetest.report.globe import Globe, cells_note, globe
from posetest.report.pictures import embed
from posetest.report.search_html import render_search
from posetest.report.tune_html import render_tuning
from posetest.run_info import ModelInfo, SceneInfo
from posetest.space import INDEX, PARAMETERS

#: Bytes that a report may have; pictures take what the rest leaves.
_BUDGET = 9_500_000
_LEAST_FOR_PICTURES = 1_500_000
_FIRST_PARAMETERS = ("distance", "yaw", "pitch", "roll")  # shown at once; the others behind a fold
_FEWEST_FOR_PANELS = 100  # poses; with fewer there are no four bins to compare

Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """What the report says of one model on one object."""

    model: ModelInfo
    all: Row
    visible: Row
    verdict: str
    map_svg: str
    map_caption: str
    wrong: list[Row]
    gallery: list[Row]
    regions: list[Row]
    strata: dict[str, list[Row]]
    calibrated: str


@dataclass(frozen=True)
class Panel:
    """One parameter: a figure for each model that has poses."""

    name: str
    unit: str
    svgs: list[tuple[str, str]]


@dataclass(frozen=True)
class Section:
    """What the report says of one object."""

    scene: SceneInfo
    anchor: str
    canonical: Row | None
    columns: list[Column]
    panels: list[Panel]
    more_panels: list[Panel]
    globe: Globe | None = None
    accepted: list[tuple[str, str]] = field(default_factory=list)
    comparison: list[Row] = field(default_factory=list)


def write_report(run: RunFolder, path: Path) -> Path:
    """Write the report of ``run``, audit, search or tuning curves, to the file ``path`` and return it.

    Raises:
        RunError: the run has no records yet, or they do not fit run.toml.
    """
    renderers = {"search": render_search, "tune": render_tuning}
    text = renderers.get(run.info.kind, render)(run)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aside(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return path


def render(run: RunFolder) -> str:
    """The report of the audit ``run`` as HTML text; raises what ``write_report`` does."""
    summary = summarise(run)
    frame, kept = summary.frame, run.images()
    rows = _by_stratum(summary.rates)
    sections = [_section(run, k, summary, rows, kept) for k, _ in enumerate(run.info.scenes)]
    context = {
        "run": run,
        "info": run.info,
        "sections": sections,
        "headline": words.headline(list(rows["all"].values())),
        "title": _title(run),
        "expected": run.info.poses * len(run.info.scenes) * len(run.info.models),
        "present": len(frame),
        "failed": frame.loc[~frame["ok"], "status"].value_counts().loc[lambda c: c > 0].to_dict(),
        "over_objects": _records(summary.pooled),
        "transfer": _pooled_transfer(summary.transfer),
        "definitions": figures.definitions(),
        "color_bar": figures.color_bar(),
        "interval_bar": figures.interval_bar,
        "words": words,
        "fewest": figures.FEWEST,
        "confident": CONFIDENT,
        "visible_inside": VISIBLE_INSIDE,
        "visible_long_px": VISIBLE_LONG_PX,
        "size_px": run.info.image_size,
    }
    template = environment().get_template("report.html.j2")
    rest = len(template.render(context, pictures={}))
    text: str = template.render(context, pictures=embed(run, kept, max(_BUDGET - rest, _LEAST_FOR_PICTURES)))
    return text


def _title(run: RunFolder) -> str:
    scenes, models = [s.name for s in run.info.scenes], [m.name for m in run.info.models]
    objects = words.listed(scenes) if len(scenes) <= 3 else f"{len(scenes)} objects"
    return f"{objects} × {words.listed(models) if len(models) <= 2 else f'{len(models)} models'}"


def _by_stratum(table: pd.DataFrame) -> dict[str, dict[tuple[str, str], Row]]:
    found: dict[str, dict[tuple[str, str], Row]] = {}
    for row in _records(table):
        found.setdefault(row["stratum"], {})[row["scene"], row["model"]] = row
    return found


def _records(table: pd.DataFrame) -> list[Row]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def _section(
    run: RunFolder,
    number: int,
    summary: Summary,
    rows: Mapping[str, Mapping[tuple[str, str], Row]],
    kept: pd.DataFrame,
) -> Section:
    """Everything about the scene of this ``number``."""
    scene = run.info.scenes[number]
    pairs = {m.name: of_pair(summary.frame, scene.name, m.name) for m in run.info.models}
    of_scene = kept[kept["scene"] == scene.name]
    canonical = _records(of_scene[of_scene["kind"] == "canonical"])
    panels = [_panel(scene, name, interval, pairs) for name, interval in free_intervals(scene).items()]
    panels = [panel for panel in panels if panel.svgs]
    return Section(
        scene=scene,
        anchor=f"object-{number + 1}",
        canonical=canonical[0] if canonical else None,
        columns=[_column(scene, m, pairs[m.name], rows, summary, of_scene) for m in run.info.models],
        panels=[p for p in panels if p.name in _FIRST_PARAMETERS],
        more_panels=[p for p in panels if p.name not in _FIRST_PARAMETERS],
        globe=globe(scene, pairs, run.tiles()),
        accepted=_accepted(scene, run.info.models),
        comparison=_records(_of(summary.comparison, scene=scene.name)),
    )


def _column(
    scene: SceneInfo,
    model: ModelInfo,
    pair: pd.DataFrame,
    rows: Mapping[str, Mapping[tuple[str, str], Row]],
    summary: Summary,
    of_scene: pd.DataFrame,
) -> Column:
    everything, visible = rows["all"][scene.name, model.name], rows["visible"][scene.name, model.name]
    gallery = of_scene[(of_scene["kind"] == "gallery") & (of_scene["model"] == model.name)]
    broken_down: dict[str, list[Row]] = {}
    for row in _records(_of(summary.strata, scene=scene.name, model=model.name)):
        broken_down.setdefault(row["by"], []).append(row)
    map_svg, caption = _map(scene, model, pair)
    return Column(
        model=model,
        all=everything,
        visible=visible,
        verdict=words.verdict(everything, visible),
        map_svg=map_svg,
        map_caption=caption,
        wrong=_records(_of(summary.wrong, scene=scene.name, model=model.name)),
        gallery=_records(gallery),
        regions=_records(_of(summary.regions, scene=scene.name, model=model.name)),
        calibrated=words.calibrated(_records(_of(summary.calibration, scene=scene.name, model=model.name))[0]),
        strata={by: broken for by, broken in broken_down.items() if len([r for r in broken if r["n"]]) > 1},
    )


def _of(table: pd.DataFrame, **named: str) -> pd.DataFrame:
    """The rows of ``table`` with these values; an empty table has none."""
    for column, value in named.items():
        table = table[table[column] == value] if len(table) else table
    return table


def _pooled_transfer(table: pd.DataFrame) -> list[Row]:
    return _records(table[table["is_pooled"]]) if len(table) else []


def _map(scene: SceneInfo, model: ModelInfo, pair: pd.DataFrame) -> tuple[str, str]:
    """The map of the recognition rate over viewing direction, and what to know to read it."""
    if not len(pair):
        return "", ""
    table = direction_rates(pair)
    title = f"recognition rate of {scene.name} by {model.name} over direction"
    return figures.direction_map(table, title), cells_note(table)


def _panel(scene: SceneInfo, name: str, interval: Any, pairs: Mapping[str, pd.DataFrame]) -> Panel:
    unit = "degrees" if PARAMETERS[INDEX[name]].column.endswith("_deg") else _UNITS.get(name, "")
    is_log = interval is not None and interval.prior == "log"
    svgs = [
        (model, figures.density_panel(densities(pair, name, interval), unit, f"{name}, {scene.name}, {model}", is_log))
        for model, pair in pairs.items()
        if len(pair) >= _FEWEST_FOR_PANELS
    ]
    return Panel(name.replace("_", " "), unit, svgs)


_UNITS = {
    "distance": "object units, camera to centre",
    "offset_x": "half-frames",
    "offset_y": "half-frames",
    "light_strength": "linear",
    "ambient": "linear",
}


def _accepted(scene: SceneInfo, models: Sequence[ModelInfo]) -> list[tuple[str, str]]:
    """Accepted labels and the models they hold for: one entry where all models agree."""
    found = [(m.name, ", ".join(m.accepted_names.get(scene.name, ())) or "none") for m in models]
    if len({labels for _, labels in found}) == 1:
        return [("", found[0][1])]
    return found
