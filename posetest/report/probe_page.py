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


def spread(middle: float, low: float, high: float, unit: str, missing: str = "beyond") -> str:
    """ "12° [9, 18]"; in place of a bound that is nan ``missing``, by default what lies past the ladder."""
    degree = "°" if unit == "degrees" else ""
    if np.isnan(middle):
        return "beyond the ladder" if missing == "beyond" else missing
    return f"{middle:.3g}{degree} [{', '.join(missing if np.isnan(end) else f'{end:.3g}' for end in (low, high))}]"
