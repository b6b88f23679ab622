"""Figures over two parameters and over all rotations: what they hold is what the analysis says."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import numpy as np
import pytest
from simulated_run import simulate

from posetest.analysis.density import free_intervals
from posetest.analysis.landscape import landscape
from posetest.analysis.outcomes import of_pair
from posetest.analysis.summary import summary_frame
from posetest.report.landscapes import landscapes, rotation_maps


def test_a_landscape_holds_the_numbers_of_its_cells(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=3000)
    rows, intervals = of_pair(summary_frame(run), "jeep", "net"), free_intervals(run.info.scenes[0])
    (drawn, *_) = landscapes(rows, intervals, "<jeep>")
    assert drawn.name == "yaw (across), pitch (up)"
    assert "<jeep>" not in drawn.svg
    held = re.search('data-heat="([^"]*)"', drawn.svg)
    assert held
    numbers = json.loads(html.unescape(held[1]))
    table = landscape(rows, "yaw", "pitch", intervals)
    assert numbers["n"] == table["n"].tolist()
    np.testing.assert_allclose(numbers["rate"], 100 * table["rate"], atol=0.5)
    np.testing.assert_allclose(numbers["high"], 100 * table["high"], atol=0.5)
    # 0.9 from the front and 0.1 from behind; yaw turns the front away where the object is not tipped over
    at = np.array(numbers["rate"]).reshape(len(numbers["x"]) - 1, -1)
    middle = at.shape[1] // 2
    assert at[len(at) // 2, middle] > 60
    assert at[0, middle] < 40
    assert numbers["x"][0] == pytest.approx(-180)
    assert numbers["x"][-1] == pytest.approx(180)


def test_maps_over_rotations_divide_the_whole_turn(tmp_path: Path) -> None:
    run = simulate(tmp_path / "run", poses=6000)
    rows = of_pair(summary_frame(run), "jeep", "net")
    drawn = rotation_maps(rows, "jeep, net")
    assert len(drawn) in (6, 12)
    assert drawn[0].name.startswith("roll 0 to")
    assert drawn[-1].name.endswith("360°")
    assert rotation_maps(rows.head(500), "jeep, net") == []
    assert landscapes(rows.head(50), free_intervals(run.info.scenes[0]), "jeep, net") == []
