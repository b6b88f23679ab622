"""Figures: what is drawn where, read back from the SVG."""

from __future__ import annotations

import base64
import io
import math
import re
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from posetest.analysis.density import densities
from posetest.analysis.intervals import share, wilson
from posetest.geometry.grids import cell_to_direction
from posetest.report.figures import axis_ticks, color_bar, density_panel, direction_map, interval_bar, palette
from posetest.space import Interval


def cells(nside: int, recognised: np.ndarray, n: np.ndarray) -> pd.DataFrame:
    low, high = wilson(recognised, n)
    return pd.DataFrame({"n": n, "recognised": recognised, "rate": share(recognised, n), "low": low, "high": high})


def raster(svg: str) -> np.ndarray:
    data = re.search(r"data:image/png;base64,([^\"]+)", svg)
    assert data
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data[1]))).convert("RGBA"))


def test_the_front_is_at_the_centre_of_the_map_and_the_top_above() -> None:
    directions = cell_to_direction(4)
    n = np.full(len(directions), 10)
    front = raster(direction_map(cells(4, np.where(directions[:, 2] > 0, 10, 0), n), "map"))
    above = raster(direction_map(cells(4, np.where(directions[:, 1] > 0, 10, 0), n), "map"))
    right = raster(direction_map(cells(4, np.where(directions[:, 0] > 0, 10, 0), n), "map"))
    height, width = front.shape[:2]
    best, worst = palette()[100], palette()[0]
    assert (front[height // 2, width // 2, :3] == best).all()
    assert (front[height // 2, 10, :3] == worst).all()
    assert (above[height // 5, width // 2, :3] == best).all()
    assert (above[4 * height // 5, width // 2, :3] == worst).all()
    assert (right[height // 2, 3 * width // 4, :3] == best).all()
    assert (right[height // 2, width // 4, :3] == worst).all()


def test_equal_numbers_of_cells_have_equal_areas_on_the_map() -> None:
    directions = cell_to_direction(4)
    is_cap = np.arange(192) < 60  # the northern cap
    picture = raster(direction_map(cells(4, np.where(is_cap, 10, 0), np.full(192, 10)), "map"))
    painted = picture[..., 3] > 0
    is_best = (picture[..., :3] == palette()[100]).all(axis=-1) & painted
    assert is_best.sum() / painted.sum() == pytest.approx(is_cap.mean(), abs=0.01)
    assert painted.mean() == pytest.approx(math.pi / 4, abs=0.005)
    assert directions[is_cap, 1].min() > 0


def test_cells_without_poses_are_transparent() -> None:
    directions = cell_to_direction(2)
    n = np.where(directions[:, 2] > 0, 0, 5)
    picture = raster(direction_map(cells(2, n, n), "map"))
    height, width = picture.shape[:2]
    assert picture[height // 2, width // 2, 3] == 0
    assert picture[height // 2, 10, 3] == 255


def test_the_scale_rises_in_lightness_from_none_to_all() -> None:
    linear = (palette() / 255) ** 2.2 @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(linear) > -1e-3).all()
    assert linear[-1] - linear[0] > 0.6


def frame(n: int = 400) -> pd.DataFrame:
    values = np.linspace(1, 9, n)
    recognised = values < 5
    return pd.DataFrame({"distance": values, "recognised": recognised, "misread": ~recognised, "confident": values > 7})


def test_a_step_curve_is_high_where_poses_are_recognised() -> None:
    svg = density_panel(densities(frame(), "distance", Interval(1, 9, "uniform")), "object units", "distance")
    root = ET.fromstring(svg.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    line = next(p for p in root.iter("{http://www.w3.org/2000/svg}path") if p.get("class") == "line recognised")
    heights = [float(v) for v in re.findall(r"[MV](?:[\d.]+ )?([\d.]+)", line.get("d") or "")]
    assert heights[0] == 8  # 100 %
    assert heights[-1] == 92  # 0 %
    titles = [t.text or "" for t in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 16
    assert titles[0].replace("\u202f", " ").startswith("1 to 1.5: n 25, recognised 100 % [87, 100]")


def test_a_bin_without_poses_interrupts_the_curve() -> None:
    rows = frame()
    table = densities(rows[(rows["distance"] < 4) | (rows["distance"] > 6)], "distance", Interval(1, 9, "uniform"))
    svg = density_panel(table, "", "distance")
    line = re.search(r'class="line recognised" d="([^"]+)"', svg)
    assert line
    assert line[1].count("M") == 2
    assert "nan" not in svg


def test_an_outcome_of_few_poses_has_no_density() -> None:
    rows = frame()
    rows["confident"] = np.arange(len(rows)) < 3
    svg = density_panel(densities(rows, "distance", Interval(1, 9, "uniform")), "", "distance")
    assert svg.count('class="line confident"') == 1  # its share alone
    assert svg.count('class="line misread"') == 1  # its density alone


def test_a_logarithmic_axis_has_even_bins() -> None:
    svg = density_panel(densities(frame(), "distance", Interval(1, 9, "log")), "", "distance", log=True)
    widths = [float(w) for w in re.findall(r'<rect x="[\d.]+" width="([\d.]+)"', svg)]
    assert max(widths) - min(widths) < 0.2


def test_titles_are_escaped() -> None:
    table = densities(frame(), "distance", Interval(1, 9, "uniform"))
    assert '"><script>' not in density_panel(table, "", '"><script>')
    assert '"><script>' not in direction_map(cells(1, np.ones(12), np.ones(12)), '"><script>')


def test_an_interval_bar_is_solid_up_to_the_interval() -> None:
    svg = interval_bar(0.5, 0.25, 0.75)
    assert 'class="sure" d="M0 2H30.0' in svg
    assert 'class="reach" d="M30.0 2H90.0' in svg
    assert "M60.0 0V12" in svg
    assert "nan" not in interval_bar(math.nan, math.nan, math.nan)


@pytest.mark.parametrize(
    ("low", "high", "unit", "expected"),
    [
        (-180, 180, "degrees", [-180, -90, 0, 90, 180]),
        (-90, 90, "degrees", [-90, -45, 0, 45, 90]),
        (4.5, 8, "", [5, 6, 7, 8]),
        (2, 30, "", [5, 10, 15, 20, 25, 30]),
        (-0.1, 0.1, "", [-0.1, -0.05, 0, 0.05, 0.1]),
    ],
)
def test_ticks_are_round_numbers_within_the_axis(low: float, high: float, unit: str, expected: list[float]) -> None:
    assert axis_ticks(low, high, unit) == pytest.approx(expected)


def test_the_colour_bar_names_both_ends() -> None:
    svg = color_bar()
    assert "0\u202f%" in svg
    assert "100\u202f%" in svg
    assert "no poses" in svg
