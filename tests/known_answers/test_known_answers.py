"""The whole tool against classifiers whose failures are known: trained on known poses, they must be caught just there.

``bundled`` knows objects as people photograph them. Beside this file, ``rotations`` learnt five objects turned any way
and has no blind side; ``no_back`` never saw a forklift from behind. How to make them: docs/bundled-classifier.md.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import posetest
from posetest.analysis.density import densities, direction_rates, free_intervals
from posetest.analysis.intervals import wilson
from posetest.analysis.outcomes import of_pair, outcomes
from posetest.analysis.regions import regions_table
from posetest.models.bundled.files import read
from posetest.objects.catalogue import BUILDERS
from posetest.resources import bundled

HERE = Path(__file__).resolve().parent
ROBUST, BLIND = HERE / "rotations.safetensors", HERE / "no_back.safetensors"
SIZE = 96  # pixels; the networks look at 64

Audit = Callable[..., posetest.Run]


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """An audit of objects in a scene of ``text``, which may include bundled scenes by name."""

    def run(model: str, objects: list[str], text: str, poses: int) -> posetest.Run:
        path = tmp_path / "conditions.toml"
        path.write_text(text.replace('include = ["', f'include = ["{bundled("scenes")}/'))
        scenes = [posetest.load_scene(name, under=path) for name in objects]
        return posetest.audit(model, scenes, poses=poses, seed=7, image_size=SIZE, out=tmp_path / "run")

    return run


def rows_of(run: posetest.Run, name: str) -> pd.DataFrame:
    return of_pair(outcomes(run, ["qw", "qx", "qy", "qz", "elevation_deg", "roll_deg", "yaw_deg"]), name, _model(run))


def _model(run: posetest.Run) -> str:
    return run.info.models[0].name


def interval(rows: pd.DataFrame) -> tuple[float, float]:
    low, high = wilson(np.array([rows["recognised"].sum()]), np.array([len(rows)]))
    return float(low[0]), float(high[0])


def test_inside_its_training_poses_the_bundled_classifier_knows_every_object(audit: Audit) -> None:
    run = audit("bundled", list(BUILDERS), 'include = ["photographer.toml"]\n', 100)
    rates = run.rates()
    every = rates[rates["stratum"] == "all"]
    assert len(every) == len(BUILDERS)
    assert every["recognised"].sum() / every["n"].sum() >= 0.95
    assert every["rate"].min() >= 0.85


def test_its_recognition_falls_off_where_training_stopped_raising_the_camera(audit: Audit) -> None:
    conditions = 'include = ["photographer.toml"]\n[space]\nelevation = {low = -90, high = 90, prior = "uniform"}\n'
    run = audit("bundled", ["cab"], conditions, 1200)
    rows = rows_of(run, "cab")
    # training: elevation -5 to 50, and pitch of up to 10 degrees more
    inside = rows[rows["elevation_deg"].between(-5, 50)]
    outside = rows[(rows["elevation_deg"] > 75) | (rows["elevation_deg"] < -40)]
    assert interval(inside)[0] > 0.93
    assert interval(outside)[1] < 0.6
    (scene,) = run.info.scenes
    over = densities(rows, "elevation", free_intervals(scene)["elevation"])
    middle = (over["bin_low"] + over["bin_high"]) / 2
    known = over["recognised_share"] > 0.8
    regions = regions_table(run)
    assert regions["words"].iloc[0].startswith("elevation under -")
    assert regions["rate"].iloc[0] > 0.9
    assert known[middle.between(0, 45)].all()
    assert not known[middle < -45].any()


def test_its_recognition_falls_off_where_training_stopped_rolling_the_object(audit: Audit) -> None:
    run = audit("bundled", ["school_bus"], 'include = ["photographer.toml"]\n[space]\nroll = [-180, 180]\n', 1200)
    rows = rows_of(run, "school_bus")
    rolled = rows["roll_deg"].abs()
    assert interval(rows[rolled <= 15])[0] > 0.9
    assert interval(rows[rolled > 60])[1] < 0.6
    (scene,) = run.info.scenes
    over = densities(rows, "roll", free_intervals(scene)["roll"])
    middle = (over["bin_low"] + over["bin_high"]) / 2
    best = middle[over["recognised_share"] == over["recognised_share"].max()].abs()
    assert best.max() <= 15


def test_over_all_rotations_the_bundled_classifier_fails_much_and_the_ball_alone_does_not(audit: Audit) -> None:
    objects = ["cab", "school_bus", "umbrella", "soccer_ball"]
    rates = audit("bundled", objects, 'include = ["rotations.toml"]\n', 500).rates()
    rate = rates[rates["stratum"] == "all"].set_index("scene")["rate"]
    assert rate["soccer_ball"] > 0.97  # it has no upside
    assert rate.drop("soccer_ball").max() < 0.6
    assert set(rates["measure"].str.split(";").str[0]) == {"Haar-uniform rotations"}


@pytest.mark.parametrize("name", ["school_bus", "umbrella", "balloon", "backpack", "park_bench"])
def test_a_network_that_learnt_all_rotations_has_no_blind_side(audit: Audit, name: str) -> None:
    run = audit(f"bundled?weights={ROBUST}", [name], 'include = ["rotations.toml"]\n', 800)
    rows = rows_of(run, name)
    assert interval(rows)[0] > 0.9
    cells = direction_rates(rows, nside=1)
    assert (cells["n"] > 30).all()
    assert cells["rate"].min() > 0.8


def test_an_object_never_seen_from_behind_is_caught_there_and_nowhere_else(audit: Audit) -> None:
    assert read(BLIND).info["unseen_behind"] == "forklift"
    run = audit(f"bundled?weights={BLIND}", ["forklift", "cab"], 'include = ["photographer.toml"]\n', 2000)
    rows = rows_of(run, "forklift")
    from_front = ((rows["yaw_deg"] + 180) % 360 - 180).abs()
    assert interval(rows[from_front < 90])[0] > 0.95
    assert interval(rows[from_front > 160])[1] < 0.8
    cells = direction_rates(rows, nside=4)
    blind = cells[cells["high"] < 0.9]
    assert len(blind) >= 5
    assert (blind["azimuth_deg"].abs() > 135).all()
    other = direction_rates(rows_of(run, "cab"), nside=4)
    assert not (other["high"] < 0.9).any()
    regions = regions_table(run)
    (words,) = regions[regions["scene"] == "forklift"]["words"]
    assert words.startswith("azimuth beyond ±1")
    assert words.endswith("any elevation")
