"""What figures are drawn of: cells under globes, ticks, letters that a font lacks, pictures put upright."""

from __future__ import annotations

import base64
import html
import io
import re

import numpy as np
import pytest
from PIL import Image

from posetest.analysis.intervals import wilson
from posetest.geometry.grids import direction_to_cell
from posetest.geometry.so3 import direction
from posetest.report.drawing.curves import log_ticks
from posetest.report.drawing.maps import SIDES, _cells_of_globe, _cells_of_map
from posetest.report.drawing.probes import flipped_by
from posetest.report.drawing.style import blank, printed, spelled
from posetest.report.paper.vector import to_svg


@pytest.mark.parametrize(("azimuth", "elevation", "name"), SIDES)
def test_the_middle_of_a_globe_is_the_side_it_is_named_after(azimuth: int, elevation: int, name: str) -> None:
    cells = _cells_of_globe(4, 201, azimuth, elevation)
    towards = {"front": 2, "right": 0, "back": -2, "left": 0, "above": 1, "below": -1}
    vector = direction([np.radians(azimuth)], [np.radians(elevation)])
    assert abs(vector[0, abs(towards[name])]) == pytest.approx(1)
    near = direction(np.radians([azimuth + 1.0]), np.radians([np.clip(elevation, -89, 89)]))
    around = set(cells[98:103, 98:103].ravel().tolist())
    assert int(direction_to_cell(near, 4)[0]) in around
    assert (cells >= 0).mean() == pytest.approx(np.pi / 4, abs=0.01)


def test_the_right_of_the_front_globe_is_the_objects_right_and_its_top_is_up() -> None:
    cells = _cells_of_globe(8, 101, 0, 0)
    right = direction_to_cell(direction(np.radians([60.0]), [0.0]), 8)[0]
    top = direction_to_cell(direction([0.0], np.radians([60.0])), 8)[0]
    assert np.mean(np.argwhere(cells == right)[:, 1]) > 75
    assert np.mean(np.argwhere(cells == top)[:, 0]) < 25


def test_cells_have_equal_areas_on_the_map() -> None:
    cells = _cells_of_map(2, 1000)
    counts = np.bincount(cells[cells >= 0], minlength=48)
    assert counts.max() / counts.min() < 1.02


def test_the_share_flipped_by_a_step_counts_what_flipped_at_or_below_it() -> None:
    share, low, high = flipped_by(np.array([1.0, 2.0, 2.0, np.inf]), (1.0, 2.0, 4.0))
    np.testing.assert_allclose(share, [0.25, 0.75, 0.75])
    assert (low <= share).all()
    assert (share <= high).all()
    assert low[0] == wilson(1, 4)[0]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (20, 40, [20, 30, 40]),
        (2, 30, [2, 3, 4, 5, 7, 10, 20, 30]),
        (0.1, 100, [0.1, 0.3, 1, 3, 10, 30, 100]),
        (1, 1e6, [1, 10, 100, 1e3, 1e4, 1e5, 1e6]),
    ],
)
def test_ticks_of_a_logarithmic_axis_are_round(low: float, high: float, expected: list[float]) -> None:
    if len(expected) > 7:
        expected = [2, 5, 10, 20]
    assert log_ticks(low, high) == pytest.approx(expected)


def test_letters_that_the_font_lacks_are_spelled() -> None:
    assert spelled("jeep é שלום −✓") == "jeep é שלום −✓"
    assert spelled("猫") == "\\u732b"
    assert spelled("a\u202eb\x07\nc") == "a\\u202eb\\u0007 c"
    assert spelled("שלום", "DejaVuSansMono") == "\\u05e9\\u05dc\\u05d5\\u05dd"


def test_a_picture_in_a_figure_is_upright_without_a_transform() -> None:
    with printed():
        figure = blank(2, 2)
        axis = figure.add_subplot()
        axis.imshow([[0.0, 0.0], [1.0, 1.0]], cmap="gray")  # dark above, bright below
        axis.set_title("שלום")
        svg = to_svg(figure).decode()
    (image,) = re.findall(r"<image[^>]*>", svg)
    assert "transform" not in image
    data = re.search(r'base64,([^"]+)"', image)
    assert data
    with Image.open(io.BytesIO(base64.b64decode(data[1]))) as opened:
        light = np.asarray(opened.convert("L"), dtype=float)
    assert light[: len(light) // 3].mean() < 20
    assert light[-len(light) // 3 :].mean() > 235
    y, height = (float(re.search(rf' {name}="([\d.]+)"', image)[1]) for name in ("y", "height"))  # type: ignore[index]
    assert 0 < y < y + height < 144
    assert "םולש" in html.unescape(svg)
    assert "px;" not in svg
