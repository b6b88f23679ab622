"""The pages of one object."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import pandas as pd

from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import Summary
from posetest.engine.run import RunFolder
from posetest.report import method, words
from posetest.report.answers import calibrated_by_familiarity
from posetest.report.figures import FEWEST as FEWEST_OF_OUTCOME
from posetest.report.paper.front import MOST_VERDICTS, rates_of
from posetest.report.paper.panels import direction_panels, landscape_panels, outcome_panels, reliability_panels
from posetest.report.paper.sheet import BODY, SMALL, TINY, Sheet
from posetest.report.pictures import embed
from posetest.report.plain import matching, records
from posetest.report.sketches import FEWEST
from posetest.run_info import SceneInfo

#: Misread pictures of each object and model, beside each other.
GALLERY = 4

_BUDGET = 5_000_000  # bytes of all pictures
_LOSSLESS = 2_500_000  # bytes up to which they are as they were stored
_QUALITY = 92  # of JPEG
_CANONICAL = 34.0
_GAP = 3.0

Row = dict[str, Any]


def object_pages(
    sheet: Sheet, run: RunFolder, scene: SceneInfo, summary: Summary, kept: pd.DataFrame, pictures: Mapping[str, bytes]
) -> None:
    """Everything about one object, from a page of its own on."""
    sheet.add_page()
    sheet.heading(scene.name, 1)
    of_scene = kept[kept["scene"] == scene.name]
    models = [model.name for model in run.info.models]
    everything, seen = rates_of(summary, "all"), rates_of(summary, "visible")
    _facts(sheet, run, scene, records(of_scene[of_scene["kind"] == "canonical"]), pictures)
    if len(everything) > MOST_VERDICTS:
        for model in models:
            sheet.paragraph(words.verdict(everything[scene.name, model], seen[scene.name, model]), bold=model)
    pairs = {model: of_pair(summary.frame, scene.name, model) for model in models}
    measure = f"Measure: {scene.measure}."
    counts = f"n = {' / '.join(words.count(len(rows)) for rows in pairs.values())}"
    if any(len(rows) for rows in pairs.values()):
        _direction(sheet, scene, pairs, f"{counts}. {measure}")
        _regions(sheet, scene, models, summary, everything, measure)
    if rows := matching(summary.comparison, scene=scene.name):
        sheet.heading("Models on the same poses", 2)
        for row in rows:
            sheet.paragraph(f"• {words.compared(row)}")
        sheet.caption(f"{method.ABOUT_COMPARISON} {measure}")
    _parameters(sheet, scene, pairs, f"{counts}. {measure}")
    _labels(sheet, scene, models, summary, everything, measure)
    if any(len(rows) for rows in pairs.values()):
        _calibration(sheet, scene, models, summary, pairs, measure)
    _gallery(sheet, scene, models, of_scene, pictures)


def _facts(sheet: Sheet, run: RunFolder, scene: SceneInfo, canonical: list[Row], pictures: Mapping[str, bytes]) -> None:
    """What the object is, beside its picture."""
    top, page = sheet.get_y(), sheet.page
    accepted = {m.name: ", ".join(m.accepted_names.get(scene.name, ())) or "none" for m in run.info.models}
    labels = (
        [("accepted", next(iter(accepted.values())))]
        if len(set(accepted.values())) == 1
        else [(f"accepted by {name}", text) for name, text in accepted.items()]
    )
    file = canonical[0]["file"] if canonical else ""
    has_picture = file in pictures
    bottom = top
    if has_picture:
        x = sheet.l_margin + sheet.epw - _CANONICAL
        with sheet.at(x, top):
            sheet.image(io.BytesIO(pictures[file]), x, top, _CANONICAL, _CANONICAL, alt_text=f"{scene.name}")
            sheet.set_xy(x, top + _CANONICAL + 0.8)
            sheet.label("canonical pose", _CANONICAL)
            if canonical[0]["pose"]:
                sheet.label(canonical[0]["pose"].replace(",", ", "), _CANONICAL, face="mono", size=5)
            bottom = sheet.get_y()
    sheet.pairs(
        [
            *labels,
            ("measure", scene.measure),
            ("mesh", words.plural(scene.faces, "face")),
            ("from", method.source(scene)),
        ],
        width=sheet.epw - (_CANONICAL + 5 if has_picture else 0),
    )
    if sheet.page == page:
        sheet.set_y(max(sheet.get_y(), bottom + 1))
    if scene.warnings:
        sheet.notice("About the mesh:", "; ".join(scene.warnings))
    if scene.not_drawn:
        sheet.notice("Asked for but not drawn:", words.listed(scene.not_drawn, 20))


def _direction(sheet: Sheet, scene: SceneInfo, pairs: Mapping[str, pd.DataFrame], facts: str) -> None:
    panels = list(direction_panels(scene, pairs))
    sheet.heading("Where it is recognised: viewing direction", 2, room=panels[0].room_mm)
    for panel in panels:
        sheet.figure(panel.svg, panel.size_in, panel.words)
    sheet.caption(f"{method.ABOUT_DIRECTION} {facts}")


def _regions(
    sheet: Sheet,
    scene: SceneInfo,
    models: list[str],
    summary: Summary,
    everything: Mapping[tuple[str, str], Row],
    measure: str,
) -> None:
    sheet.heading("Where it fails: regions", 2)
    for model in models:
        found = matching(summary.regions, scene=scene.name, model=model)
        if not found:
            row = everything[scene.name, model]
            nothing = "nothing was misread" if row["n"] and not row["misread"] else "no region stands out"
            sheet.paragraph(nothing, bold=model)
        for row in found:
            sheet.need(16)
            sheet.paragraph(f"{words.region(row)}.", bold=model)
            for name, pose in (("typical", row["typical_pose"]), ("nearest recognised", row["nearest_pose"])):
                if pose:
                    away = f", {row['nearest_deg']:.0f}° away" if name.startswith("nearest") else ""
                    sheet.code(f"{name}{away}: {pose}", size=TINY)
            sheet.ln(1)
    sheet.caption(f"{method.ABOUT_REGIONS} {measure}")


def _parameters(sheet: Sheet, scene: SceneInfo, pairs: Mapping[str, pd.DataFrame], facts: str) -> None:
    panels = list(outcome_panels(scene, pairs))
    if not panels:
        sheet.caption(f"Outcomes over single parameters are shown from {FEWEST} poses on, where a parameter varies.")
        return
    sheet.heading("Where it is recognised: parameters", 2, room=panels[0].room_mm)
    for panel in panels:
        sheet.figure(panel.svg, panel.size_in, panel.words)
    fewest = f"Curves of fewer than {FEWEST_OF_OUTCOME} poses are left out."
    sheet.caption(f"{method.ABOUT_PARAMETERS} {fewest} {facts}")
    for pair, panel in landscape_panels(scene, pairs):
        sheet.figure(panel.svg, panel.size_in, panel.words)
        sheet.caption(f"Recognition rate over {pair[0]} and {pair[1]}, in bins that are equally likely. {facts}")


def _labels(
    sheet: Sheet,
    scene: SceneInfo,
    models: list[str],
    summary: Summary,
    everything: Mapping[tuple[str, str], Row],
    measure: str,
) -> None:
    sheet.heading("What is seen instead", 2, room=40)
    lines = []
    for model in models:
        row, found = everything[scene.name, model], matching(summary.wrong, scene=scene.name, model=model)
        misread = f"{words.count(row['misread'])} misread\nof {words.count(row['n'])}"
        if not found:
            lines.append([model, "nothing was misread" if row["n"] else "no evaluated poses", "", "", misread, ""])
        for k, wrong in enumerate(found[:5]):
            lines.append(
                [
                    model if not k else "",
                    wrong["label"] or "(no name)",
                    words.count(wrong["count"]),
                    words.percent(wrong["share_of_misread"]),
                    words.with_bounds(wrong["share"], wrong["low"], wrong["high"]),
                    words.decimal(wrong["mean_confidence"]),
                ]
            )
    sheet.grid(
        ["model", "label", "poses", "of misread", "of all poses", "conf."],
        lines,
        (40, 50, 16, 20, 34, 14),
        right=(2, 3, 4, 5),
    )
    sheet.caption(f"{method.ABOUT_LABELS} {measure}")


def _calibration(
    sheet: Sheet,
    scene: SceneInfo,
    models: list[str],
    summary: Summary,
    pairs: Mapping[str, pd.DataFrame],
    measure: str,
) -> None:
    panels = list(reliability_panels(scene, pairs))
    sheet.heading("Is its confidence to be believed?", 2, room=panels[0].room_mm)
    for panel in panels:
        sheet.figure(panel.svg, panel.size_in, panel.words)
    for model in models:
        rows = matching(summary.calibration, scene=scene.name, model=model)
        if text := calibrated_by_familiarity(rows):
            sheet.paragraph(text, bold=model)
    sheet.caption(
        "Share recognised by confidence of the first label, in 15 bins, with 95 % Wilson intervals; on the grey line "
        f"the two agree. {measure}"
    )


def _gallery(
    sheet: Sheet, scene: SceneInfo, models: list[str], of_scene: pd.DataFrame, pictures: Mapping[str, bytes]
) -> None:
    """The most confidently misread poses, a row of pictures for each model."""
    shown = {m: [r for r in gallery_rows(of_scene, m) if r["file"] in pictures] for m in models}
    if not any(shown.values()):
        return
    sheet.heading("Most confidently misread", 2, room=70)
    width = (sheet.epw - (GALLERY - 1) * _GAP) / GALLERY
    for model, rows in shown.items():
        if not rows:
            sheet.paragraph("no picture", size=SMALL, bold=model)
            continue
        sheet.need(width + 24)
        sheet.paragraph("", bold=model, size=BODY - 0.5)
        top, bottom = sheet.get_y(), sheet.get_y()
        for k, row in enumerate(rows):
            x = sheet.l_margin + k * (width + _GAP)
            with sheet.at(x, top):
                alt = f"{scene.name} misread as {row['top1_label']}"
                sheet.image(io.BytesIO(pictures[row["file"]]), x, top, width, width, alt_text=sheet.seen(alt))
                sheet.set_xy(x, top + width + 0.8)
                sheet.label(f"{row['top1_label']} {words.decimal(row['top1_p'])}", width, style="B", size=SMALL)
                again = "also from the PNG" if row["persists"] else f"from the PNG: {row['png_label']}"
                mark = "✓" if row["persists"] else "✗"
                sheet.label(f"{mark} {again} {words.decimal(row['png_p'])}", width, size=TINY)
                sheet.label(row["pose"].replace(",", ", "), width, face="mono", size=5.2)
                bottom = max(bottom, sheet.get_y())
        sheet.set_y(bottom + 2)
    stored = " Compressed for print; the exact PNG files are in the run's images/."
    encoding = "" if _is_lossless(pictures) else stored
    sheet.caption(f"{method.ABOUT_GALLERY}{encoding}")


def gallery_rows(kept: pd.DataFrame, model: str) -> list[Row]:
    """The pictures of a model that are shown, the most confident first."""
    return records(kept[(kept["kind"] == "gallery") & (kept["model"] == model)].head(GALLERY))


def load_pictures(run: RunFolder, kept: pd.DataFrame) -> dict[str, bytes]:
    """The pictures that the document shows, by file: PNG as stored, or all as JPEG where that would be much."""
    is_gallery = kept["kind"] == "gallery"
    number = kept.groupby(["kind", "scene", "model"], observed=True, sort=False).cumcount()
    wanted = kept[(kept["kind"] == "canonical") | (is_gallery & (number < GALLERY))]
    urls = embed(run, wanted, 8 * _BUDGET)
    stored = {file: base64.b64decode(url.partition(",")[2]) for file, url in urls.items()}
    if sum(map(len, stored.values())) <= _LOSSLESS:
        return stored
    found: dict[str, bytes] = {}
    left = _BUDGET
    for file, data in stored.items():
        smaller = _jpeg(data)
        if len(smaller) <= left:
            found[file] = smaller
            left -= len(smaller)
    return found


def _jpeg(png: bytes) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    with Image.open(io.BytesIO(png)) as picture:
        picture.convert("RGB").save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
    return buffer.getvalue()


def _is_lossless(pictures: Mapping[str, bytes]) -> bool:
    return all(data.startswith(b"\x89PNG") for data in pictures.values())
