"""Numbers and findings in words, the same in every part of a report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from posetest.engine.record import CONFIDENT
from posetest.run_info import SearchInfo
from posetest.space import INDEX, PARAMETERS

if TYPE_CHECKING:
    import pandas as pd

_THIN = "\u202f"  # narrow no-break space before a percent sign
_NONE = "–"


_UNITS = {
    "distance": "object units, camera to centre",
    "offset_x": "half-frames",
    "offset_y": "half-frames",
    "light_strength": "linear",
    "ambient": "linear",
}


def unit(parameter: str) -> str:
    """The unit of a parameter in words, "" where it has none."""
    return "degrees" if PARAMETERS[INDEX[parameter]].column.endswith("_deg") else _UNITS.get(parameter, "")


def percent(value: float, digits: int = 1) -> str:
    """A share as "23.4 %"; a dash where there is none."""
    return _NONE if math.isnan(value) else f"{_signed(100 * value, digits)}{_THIN}%"


def bounds(low: float, high: float, digits: int = 1) -> str:
    """An interval of shares as "[21.6, 25.3]", in percent; empty where there is none."""
    return "" if math.isnan(low) else f"[{_signed(100 * low, digits)}, {_signed(100 * high, digits)}]"


def _signed(value: float, digits: int) -> str:
    """A number with a minus sign, which no line ends at as it may at a hyphen."""
    return f"{value:.{digits}f}".replace("-", "−")


def with_bounds(rate: float, low: float, high: float, digits: int = 1) -> str:
    """A share with its interval: "23.4 % [21.6, 25.3]"."""
    return f"{percent(rate, digits)} {bounds(low, high, digits)}".strip()


def count(value: float) -> str:
    """A whole number with thousands separated: "2,000"."""
    return f"{int(value):,}"


def decimal(value: float) -> str:
    """A probability as "0.93"; a dash where there is none."""
    return _NONE if value is None or math.isnan(value) else f"{value:.2f}"


def number(value: float) -> str:
    """A score with four digits; a dash where there is none."""
    return _NONE if value is None or math.isnan(value) else f"{value:.4g}".replace("-", "−")


def markdown(text: str) -> str:
    """Text for Markdown that ends no cell, starts no tag and breaks no line."""
    plain = " ".join(str(text).split()).replace("\\", "\\\\").replace("&", "&amp;")
    for sign in "|*_`~#":
        plain = plain.replace(sign, f"\\{sign}")
    plain = plain.replace("](", "]\\(").replace("![", "\\![")  # no links, no pictures; intervals stay as they are
    return plain.replace("<", "&lt;").replace(">", "&gt;")


def plural(number: int, noun: str) -> str:
    """ "1 pose", "2,000 poses"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listed(words: Sequence[str], most: int = 3) -> str:
    """ "jeep, minibus and van"; of more than ``most``, the first and how many more."""
    if len(words) > most:
        return f"{', '.join(words[: most - 1])} and {len(words) - most + 1} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def not_drawn(name: str, asked: Sequence[str]) -> str:
    """What the mesh of the object ``name`` asks for and the pictures do not show, in a sentence."""
    return f"the mesh of {name} asks for {listed(asked, 20)}, which {'is' if len(asked) == 1 else 'are'} not drawn"


#: Of fewer counts than this an exact bound is told beside the interval.
_RARE = 20


def rare(seen: int, n: int, at_most: float, what: str) -> str:
    """What can be claimed where ``what`` was seen never or in fewer than 20 of ``n`` poses; else "".

    Such as "no failure among 2,000 poses: at most 0.15 % with 95 % confidence"; ``at_most`` is exact and one-sided.
    """
    if not n or seen >= _RARE or seen == n:
        return ""
    digits = 2 if at_most < 0.01 else 1
    step = 10.0 ** (digits + 2)
    bound = math.ceil(at_most * step - 1e-9) / step  # upwards: rounding must not make a claim stronger
    told = plural(seen, what) if seen else f"no {what}"
    return f"{told} among {plural(n, 'pose')}: at most {percent(bound, digits)} with 95{_THIN}% confidence"


def claims(row: Mapping[str, Any]) -> str:
    """Exact one-sided bounds of what is rare in a row of ``rates``, in sentences; "" where nothing is.

    Failures and recognised poses are rare below 20 of them; confident failures are told where failures are not.
    """
    n, misread = int(row["n"]), int(row["misread"])
    told = [
        rare(misread, n, row["misread_at_most"], "failure"),
        rare(int(row["recognised"]), n, row["recognised_at_most"], "recognised pose"),
        rare(int(row["confident"]), n, row["confident_at_most"], "confident failure") if misread >= _RARE else "",
    ]
    return " ".join(f"{text[0].upper()}{text[1:]}." for text in told if text)


def verdict(everything: Mapping[str, Any], visible: Mapping[str, Any]) -> str:
    """What a model makes of an object, in sentences whose first lacks its subject, the model.

    Made from the pair's rows of ``rates`` for all and for visible poses.
    """
    scene, n = everything["scene"], int(everything["n"])
    if not n:
        failed = int(everything["n_failed_status"])
        return (
            f"could evaluate none of {plural(failed, 'pose')} of {scene}."
            if failed
            else f"has no poses of {scene} yet."
        )
    rate = with_bounds(everything["rate"], everything["low"], everything["high"])
    first = f"recognises {scene} in {rate} of poses (n = {n:,})"
    if not visible["n"]:
        first += "; none of them is visible."
    elif visible["n"] < n:
        rate = with_bounds(visible["rate"], visible["low"], visible["high"])
        first += f", and in {rate} of the visible ones (n = {visible['n']:,})."
    else:
        first += ", all of them visible."
    claimed = claims(everything)
    if not everything["misread"]:
        return f"{first} {claimed}"
    confident = with_bounds(everything["confident_rate"], everything["confident_low"], everything["confident_high"])
    wrong = with_bounds(everything["wrong_share"], everything["wrong_low"], everything["wrong_high"])
    return (
        f"{first} Confidently wrong (p at least {CONFIDENT}): {confident}. "
        f"Most often seen instead: {everything['wrong_label'] or '(no name)'}, {wrong}. {claimed}"
    ).rstrip()


def headline(rows: Sequence[Mapping[str, Any]]) -> str:
    """The run in one or two sentences, from the rows of ``rates`` for all poses."""
    counted = [row for row in rows if row["n"]]
    if not counted:
        return "No pose has been evaluated yet."
    if len(rows) == 1:
        row = rows[0]
        rate = with_bounds(row["rate"], row["low"], row["high"])
        return f"{row['model']} recognises {row['scene']} in {rate} of poses (n = {row['n']:,})."
    low, high = min(counted, key=lambda row: row["rate"]), max(counted, key=lambda row: row["rate"])
    ends = [f"{with_bounds(r['rate'], r['low'], r['high'])} ({r['scene']}, {r['model']})" for r in (low, high)]
    if low["rate"] == high["rate"]:
        fewest = min(counted, key=lambda row: row["n"])
        rate = with_bounds(fewest["rate"], fewest["low"], fewest["high"])
        more = "" if all(row["n"] == fewest["n"] for row in rows) else ", at the fewest"
        return f"The recognition rate is {rate} for every object and model with poses (n = {fewest['n']:,} each{more})."
    return f"The recognition rate of an object lies between {ends[0]} and {ends[1]}."


#: Outcomes as tables name them.
OUTCOMES = {"recognised": "recognised", "misread": "misread", "confident": "confidently misread", "top5": "in top 5"}


def overall(rows: Sequence[Mapping[str, Any]], pooled: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each model makes of all objects together, a sentence each; none where there is one object.

    Args:
        rows: of ``rates`` for all poses.
        pooled: of ``pooled``.
    """
    told = []
    for of_model in [row for row in pooled if row["outcome"] == "recognised" and row["objects"]]:
        model = of_model["model"]
        own = [row for row in rows if row["model"] == model and row["n"]]
        mean = with_bounds(of_model["mean"], of_model["low"], of_model["high"])
        sure = next((row for row in pooled if row["model"] == model and row["outcome"] == "confident"), None)
        confident = (
            f"; confidently wrong in {with_bounds(sure['mean'], sure['low'], sure['high'])}" if sure is not None else ""
        )
        told.append(
            f"{model} {_judged(own)}. An object is recognised in {mean} of its poses on average "
            f"({plural(of_model['objects'], 'object')}, {count(of_model['n'])} poses): from "
            f"{percent(of_model['least'])} ({of_model['least_object']}) to {percent(of_model['most'])} "
            f"({of_model['most_object']}){confident}."
        )
    return told


def _judged(rows: Sequence[Mapping[str, Any]]) -> str:
    """In how many objects a model fails, or is right, in most poses, as the intervals of its rates show."""
    failing, holding = sum(row["high"] < 0.5 for row in rows), sum(row["low"] > 0.5 for row in rows)
    of = f"of {len(rows)} objects"
    parts = [f"fails in most poses of {failing}"] * bool(failing) + [f"is right in most poses of {holding}"] * bool(
        holding
    )
    if len(rows) in (failing, holding):
        return f"{parts[0].rpartition(' ')[0]} {'both' if len(rows) == 2 else f'all {len(rows)}'} objects"
    return f"{' and '.join(parts)} {of}" if parts else f"is neither right nor wrong in most poses of any {of}"


def changed(row: Mapping[str, Any]) -> str:
    """Two runs of the same poses in a sentence, from a row of ``compare_runs``."""
    if not row["n"]:
        return f"{row['scene']}: no shared poses."
    models = (
        row["model_before"]
        if row["model_before"] == row["model_after"]
        else (f"{row['model_before']}, then {row['model_after']}")
    )
    return (
        f"{row['scene']}, {models}: recognised in {percent(row['rate_before'])} before and "
        f"{percent(row['rate_after'])} after, {points(row['change'])} points [{points(row['low'])}, "
        f"{points(row['high'])}] (n = {count(row['n'])} "
        f"poses in both, p {p_value(row['p_holm'])} after Holm): {count(row['broken'])} broken, {count(row['fixed'])} "
        f"fixed. Measure: {row['measure']}."
    )


def points(difference: float) -> str:
    """A difference of shares in points: "+1.3", "−0.2"."""
    if math.isnan(difference):
        return _NONE
    text = f"{100 * difference:+.1f}"
    return "0.0" if text in ("+0.0", "-0.0") else text.replace("-", "−")


def p_value(p: float) -> str:
    """A p-value: "0.013", "< 0.001"."""
    return _NONE if math.isnan(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"


def region(row: Mapping[str, Any]) -> str:
    """A failure region in a sentence, from a row of ``regions_table``."""
    share = with_bounds(row["share"], row["share_low"], row["share_high"])
    rate = with_bounds(row["rate"], row["rate_low"], row["rate_high"])
    return (
        f"{row['words']}: {share} of the measure, misread in {rate} of it (n = {count(row['inside'])}; elsewhere "
        f"{percent(row['outside_rate'])}), mostly as {row['label'] or '(no name)'} ({percent(row['label_share'], 0)} "
        f"of these), mean confidence {decimal(row['mean_confidence'])}"
    )


def compared(row: Mapping[str, Any]) -> str:
    """Two models on the same poses in a sentence, from a row of ``compare_models``."""
    if not row["n"]:
        return f"{row['model_a']} and {row['model_b']} share no poses."
    gap, low, high = (round(100 * row[key], 1) + 0.0 for key in ("difference", "low", "high"))  # no "-0.0"
    better, worse = row["model_a"], row["model_b"]
    if gap < 0:
        gap, low, high, better, worse = -gap, -high + 0.0, -low + 0.0, worse, better
    value = p_value(row["p_holm"])
    p = f"p {value}" if value.startswith("<") else f"p = {value}"
    return (
        f"{better} recognises {gap:.1f} points [{low:.1f}, {high:.1f}] more than {worse} (n = {count(row['n'])} shared "
        f"poses, exact McNemar test {p} after Holm): {count(row['only_a'])} are recognised by {row['model_a']} alone, "
        f"{count(row['only_b'])} by {row['model_b']} alone."
    )


def calibrated(row: Mapping[str, Any]) -> str:
    """How far a model's confidence is to be believed, in a sentence, from a row of ``calibration``."""
    if not row["n"]:
        return ""
    if math.isnan(row["gap_low"]):
        verdict = "one pose does not tell which is larger"
    elif row["gap_low"] > 0:
        verdict = "it is surer than it is right"
    elif row["gap_high"] < 0:
        verdict = "it is right more often than it is sure"
    else:
        verdict = "confidence and recognition agree on average"
    gap = signed(row["gap"], row["gap_low"], row["gap_high"])
    error = f"{row['ece']:.3f} [{row['ece_low']:.3f}, {row['ece_high']:.3f}]"
    n = count(row["n"])
    return f"Expected calibration error {error}; mean confidence less recognition {gap}: {verdict} (n = {n})."


def signed(gap: float, low: float, high: float) -> str:
    """A difference of shares in points, with its sign and interval: "+3.1 points [1.2, 5.0]"."""
    return f"{100 * gap:+.1f} points {bounds(low, high)}".strip().replace("-", "−")


def stratum(row: Mapping[str, Any]) -> str:
    """What a stratum of ``strata`` spans: "32 to 78 px"."""
    low, high = row["stratum_low"], row["stratum_high"]
    if row["by"] == "inside":
        return f"{percent(low, 0)} to {percent(high, 0)}"
    return f"{low:.3g} to {high:.3g}{' px' if row['by'] == 'long_px' else ''}"


def is_nearest(search: SearchInfo) -> bool:
    """Whether the smallest change was looked for, so that a score is minus a distance."""
    return search.settings.objective.partition(":")[0].strip() == "nearest"


def score_words(search: SearchInfo) -> str:
    """What the score of a search is."""
    if is_nearest(search):
        return "minus the distance from the initial pose where the objective is reached, lower elsewhere"
    return {"fool": "log p of the best wrong answer over the best accepted one"}.get(
        search.objective,
        "log p of the target"
        if search.objective.startswith("target:") and "+" not in search.objective
        else "objective",
    )


def worth(score: float, is_hit: bool, search: SearchInfo) -> str:
    """A score in words: of a search for the nearest the angle or distance, else the number."""
    if not is_nearest(search) or not is_hit:
        return f"score {number(score)}"
    if search.is_turn:
        return f"{math.degrees(-score):.2f}° away"
    return f"{-score:.3f} away"


def search_headline(
    search: SearchInfo,
    rising: pd.DataFrame,
    first: int | None,
    calls: int,
    is_reachable: bool,
    survives: Sequence[object],
) -> str:
    """What a search came to, in a sentence or two.

    ``rising`` holds the records at which the best score rose, ``first`` the call of the first hit, ``survives`` whether
    each kept pose does.
    """
    if not len(rising):
        return f"No pose could be scored in {plural(calls, 'call')}."
    best = rising.iloc[-1]
    label = str(best["top1_label"])
    seen = f", read as {label} ({decimal(float(best['top1_p']))})" if label else ""
    if is_reachable and first is None:
        return f"Not reached in {plural(calls, 'call')}; the best pose has {worth(best['score'], False, search)}{seen}."
    text = f"Best pose: {worth(best['score'], bool(best['hit']), search)}{seen}, found at call {count(best['calls'])}."
    if first is not None:
        text = f"Reached first at call {count(first)}. {text}"
        if judged := [value for value in survives if value in (True, False)]:
            text += f" {judged.count(True)} of {len(judged)} kept poses survive."
    return text
