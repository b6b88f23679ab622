"""What the HTML report says of an audit, object by object and model by model, laid out for its templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from posetest.analysis.density import densities, direction_rates, free_intervals
from posetest.analysis.familiar import DEFAULT
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import NAMED_POSES, Summary, summarise
from posetest.engine.run import RunFolder
from posetest.report import figures, method, words
from posetest.report.answer_figures import drawn_labels, label_panels, reliability_panel
from posetest.report.answers import Answers, answers_of
from posetest.report.gathered import Audited
from posetest.report.globe import Globe, cells_note, globe
from posetest.report.landscapes import Drawn, landscapes, rotation_maps
from posetest.report.plain import matching, records
from posetest.report.probe_blocks import probe_block
from posetest.report.probe_page import ProbeBlock
from posetest.run_info import ModelInfo, RunInfo, SceneInfo

_FIRST_PARAMETERS = ("distance", "yaw", "pitch", "roll")  # shown at once; the others behind a fold
_MOST_IN_SENTENCES = 3  # objects
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
    landscapes: list[Drawn]
    rotations: list[Drawn]
    reliability: str
    label_panels: list[Drawn]
    drawn_labels: list[str]


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
    answers: Answers | None = None
    probes: list[ProbeBlock] = field(default_factory=list)


@dataclass(frozen=True)
class Part:
    """What the report says of one audit.

    Attributes:
        number: of the part in the report, from 0.
        name: of its run folder, "" in the report of a single audit.
        info: of its run.toml.
        sections: an object each.
        headline, overall: the verdict in words: one sentence, and one for each model over all objects.
        over_objects, transfer: rows of ``pooled`` and of ``transfer`` pooled over objects.
        present, expected: rows of the records.
        failed: how many rows have which other status than "ok".
    """

    number: int
    name: str
    info: RunInfo
    sections: list[Section]
    headline: str
    overall: list[str]
    over_objects: list[Row]
    transfer: list[Row]
    present: int
    expected: int
    failed: dict[str, int]

    @property
    def is_long(self) -> bool:
        """Whether there are too many objects for sentences about each on the first page."""
        return len(self.sections) > _MOST_IN_SENTENCES

    @property
    def title(self) -> str:
        """Objects and models: "jeep × resnet50"."""
        return method.title(self.info)


def part_of(
    audited: Audited, number: int, *, is_only: bool, measures: Sequence[str] = (), familiar: str | Path = DEFAULT
) -> Part:
    """Everything about the audit that is the report's part of this ``number``; other arguments as of ``summarise``.

    Raises:
        RunError: there are no records yet, or they do not fit run.toml.
        ConfigError: as ``summarise``.
    """
    assert audited.run is not None
    run = audited.run
    summary = summarise(run, measures, familiar)
    rows = _by_stratum(summary.rates)
    counted = list(rows["all"].values())
    status = summary.frame.loc[~summary.frame["ok"], "status"].value_counts()
    kept, tiles = run.images(), run.tiles()
    prefix = "object" if is_only else f"run-{number + 1}-object"
    return Part(
        number=number,
        name="" if is_only else audited.name,
        info=run.info,
        sections=[
            _section(run.info, k, f"{prefix}-{k + 1}", summary, rows, kept, tiles, audited.probes)
            for k, _ in enumerate(run.info.scenes)
        ],
        headline=words.headline(counted),
        overall=words.overall(counted, records(summary.pooled)),
        over_objects=records(summary.pooled),
        transfer=[row for row in records(summary.transfer) if row["is_pooled"]],
        present=len(summary.frame),
        expected=run.info.poses * len(run.info.scenes) * len(run.info.models),
        failed={str(key): int(value) for key, value in status.items() if value},
    )


def part_of_probe(audited: Audited, number: int) -> Part:
    """What probes say by themselves, where their audit is not in the report.

    Raises:
        RunError: a probe is not complete.
    """
    info = audited.probes[0].info
    sections = [
        Section(
            scene=scene,
            anchor=f"run-{number + 1}-object-{k + 1}",
            canonical=None,
            columns=[],
            panels=[],
            more_panels=[],
            accepted=_accepted(scene, info.models),
            probes=_probe_blocks(audited.probes, scene),
        )
        for k, scene in enumerate(info.scenes)
    ]
    assert info.probe is not None
    headline = f"A probe of {info.probe.what}; the rates are in the report of its audit, {info.probe.parent}."
    return Part(number, audited.name, info, sections, headline, [], [], [], 0, 0, {})


def _probe_blocks(probes: Sequence[RunFolder], scene: SceneInfo) -> list[ProbeBlock]:
    return [block for probe in probes if (block := probe_block(probe, scene)) is not None]


def _by_stratum(table: pd.DataFrame) -> dict[str, dict[tuple[str, str], Row]]:
    found: dict[str, dict[tuple[str, str], Row]] = {}
    for row in records(table):
        found.setdefault(row["stratum"], {})[row["scene"], row["model"]] = row
    return found


def _section(
    info: RunInfo,
    number: int,
    anchor: str,
    summary: Summary,
    rows: Mapping[str, Mapping[tuple[str, str], Row]],
    kept: pd.DataFrame,
    tiles: pd.DataFrame,
    probes: Sequence[RunFolder],
) -> Section:
    """Everything about the scene of this ``number``."""
    scene = info.scenes[number]
    pairs = {m.name: of_pair(summary.frame, scene.name, m.name) for m in info.models}
    of_scene = kept[kept["scene"] == scene.name]
    canonical = records(of_scene[of_scene["kind"] == "canonical"])
    panels = [_panel(scene, name, interval, pairs) for name, interval in free_intervals(scene).items()]
    panels = [panel for panel in panels if panel.svgs]
    return Section(
        scene=scene,
        anchor=anchor,
        canonical=canonical[0] if canonical else None,
        columns=[_column(scene, m, pairs[m.name], rows, summary, of_scene) for m in info.models],
        panels=[p for p in panels if p.name in _FIRST_PARAMETERS],
        more_panels=[p for p in panels if p.name not in _FIRST_PARAMETERS],
        globe=globe(scene, pairs, tiles),
        accepted=_accepted(scene, info.models),
        comparison=matching(summary.comparison, scene=scene.name),
        answers=answers_of(summary, scene.name),
        probes=_probe_blocks(probes, scene),
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
    for row in matching(summary.strata, scene=scene.name, model=model.name):
        broken_down.setdefault(row["by"], []).append(row)
    map_svg, caption = _map(scene, model, pair)
    about, intervals = f"{scene.name}, {model.name}", free_intervals(scene)
    wrong = matching(summary.wrong, scene=scene.name, model=model.name)
    return Column(
        model=model,
        all=everything,
        visible=visible,
        verdict=words.verdict(everything, visible),
        map_svg=map_svg,
        map_caption=caption,
        wrong=wrong,
        gallery=records(gallery),
        regions=_regions(matching(summary.regions, scene=scene.name, model=model.name), of_scene, model),
        landscapes=landscapes(pair, intervals, about),
        rotations=rotation_maps(pair, about),
        reliability=reliability_panel(pair, f"share recognised by confidence, {about}"),
        label_panels=label_panels(pair, wrong, intervals, about),
        drawn_labels=drawn_labels(wrong),
        strata={by: broken for by, broken in broken_down.items() if len([r for r in broken if r["n"]]) > 1},
    )


def _regions(found: list[Row], of_scene: pd.DataFrame, model: ModelInfo) -> list[Row]:
    """Regions, each with the poses it names under the key poses: (name, replay string, kept picture or none)."""
    of_model = of_scene[(of_scene["model"] == model.name) & (of_scene["kind"] == "region")]
    pictures = {row["index"]: row for row in records(of_model)}
    for row in found:
        names = ("typical", "most confident", f"nearest recognised, {row['nearest_deg']:.0f}° away")
        named = zip(names, NAMED_POSES, strict=True)
        row["poses"] = [(name, row[f"{key}_pose"], pictures.get(row[key])) for name, key in named if row[f"{key}_pose"]]
    return found


def _map(scene: SceneInfo, model: ModelInfo, pair: pd.DataFrame) -> tuple[str, str]:
    """The map of the recognition rate over viewing direction, and what to know to read it."""
    if not len(pair):
        return "", ""
    table = direction_rates(pair)
    title = f"recognition rate of {scene.name} by {model.name} over direction"
    return figures.direction_map(table, title), cells_note(table)


def _panel(scene: SceneInfo, name: str, interval: Any, pairs: Mapping[str, pd.DataFrame]) -> Panel:
    unit = words.unit(name)
    is_log = interval is not None and interval.prior == "log"
    svgs = [
        (model, figures.density_panel(densities(pair, name, interval), unit, f"{name}, {scene.name}, {model}", is_log))
        for model, pair in pairs.items()
        if len(pair) >= _FEWEST_FOR_PANELS
    ]
    return Panel(name.replace("_", " "), unit, svgs)


def _accepted(scene: SceneInfo, models: Sequence[ModelInfo]) -> list[tuple[str, str]]:
    """Accepted labels and the models they hold for: one entry where all models agree."""
    found = [(m.name, ", ".join(m.accepted_names.get(scene.name, ())) or "none") for m in models]
    if len({labels for _, labels in found}) == 1:
        return [("", found[0][1])]
    return found
