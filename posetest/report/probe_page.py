"""What a probe says of an object, as a report lays it out: sentences, figures and tables for each model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from posetest.run_info import SceneInfo


@dataclass(frozen=True)
class Table:
    """A table as text: names of columns, and rows of cells; the first column is a name, the others are numbers."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


@dataclass(frozen=True)
class ProbeColumn:
    """One model: sentences, figures with their names, tables."""

    model: str
    told: list[str]
    figures: list[tuple[str, str]]
    tables: list[Table]


@dataclass(frozen=True)
class ProbeBlock:
    """What a probe says of one object.

    Attributes:
        title: what was asked.
        columns: a model each.
        legend: (class of colour, what it shows) of the figures.
        caption: how it was found, with n and measure.
    """

    title: str
    columns: list[ProbeColumn]
    legend: list[tuple[str, str]]
    caption: str


def of_scene(table: pd.DataFrame, scene: SceneInfo) -> pd.DataFrame:
    """The rows of ``table`` about ``scene``."""
    return table[table["scene"].astype(str) == scene.name]


def spread(middle: float, low: float, high: float, unit: str) -> str:
    """ "12° [9, 18]"; "beyond" for what lies past the ladder."""
    ends = ", ".join("beyond" if np.isnan(end) else figure(end) for end in (low, high))
    return "beyond the ladder" if np.isnan(middle) else f"{figure(middle, unit)} [{ends}]"


def median(middle: float, low: float, high: float, unit: str) -> str:
    """ "12° [9, 18]"; without an interval where there are too few poses for one."""
    if np.isnan(middle):
        return "–"
    ends = "too few poses" if np.isnan(low) else f"{figure(low)}, {figure(high)}"
    return f"{figure(middle, unit)} [{ends}]"


def figure(value: float, unit: str = "") -> str:
    """Three digits of ``value``: "1,230", "0.52", "12°", and of a tiny share "0.0012 %"."""
    if unit == "%":
        return f"{100 * value:.2g}\u202f%"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{text}°" if unit == "degrees" else text
