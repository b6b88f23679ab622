"""Facts about poses drawn near a model's failures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import posetest
from posetest.config import JitterConfig, ObjectConfig, SceneConfig, SpaceConfig
from posetest.errors import ConfigError
from posetest.geometry.so3 import euler_to_matrix
from posetest.space import INDEX, NAMES, PARAMETERS, Space, scene_space
from posetest.stimuli.dataset import PoseDataset
from posetest.stimuli.priors import FailurePrior, SpacePrior


def space(**entries: object) -> Space:
    return scene_space(SceneConfig(object=ObjectConfig(mesh=""), space=SpaceConfig(**entries)))


def table(*rows: dict[str, object]) -> pd.DataFrame:
    """Records of scene "s" and model "m", misread with certainty unless a row says otherwise."""
    frame = pd.DataFrame(
        [{"scene": "s", "model": "m", "status": "ok", "recognised": False, "accepted_p": 0.0} | row for row in rows]
    )
    for parameter in PARAMETERS:
        if parameter.column not in frame:
            frame[parameter.column] = 5.0 if parameter.name in ("distance", "fov") else 0.0
    return frame


def drawn(prior: FailurePrior, within: Space, count: int = 4000) -> np.ndarray:
    return prior.poses("s", within, 3, 0, count)


def turn_deg(vectors: np.ndarray, yaw: float, pitch: float, roll: float) -> np.ndarray:
    angles = np.radians(vectors[:, [INDEX[n] for n in ("yaw", "pitch", "roll")]])
    relative = euler_to_matrix(*np.radians([yaw, pitch, roll]))[0].T @ euler_to_matrix(*angles.T)
    return np.degrees(np.arccos(np.clip((np.trace(relative, axis1=1, axis2=2) - 1) / 2, -1, 1)))


def test_the_share_comes_from_near_failures_and_the_rest_from_the_space() -> None:
    within = space(rotation="haar")
    prior = FailurePrior.from_table(table({"yaw_deg": 40.0, "pitch_deg": 70.0}), share=0.3)
    vectors = drawn(prior, within)
    near = turn_deg(vectors, 40.0, 70.0, 0.0) < 15
    assert near.mean() == pytest.approx(0.3, abs=0.03)
    own = within.sample(3, 0, 4000)
    assert (vectors[~near] == own[~near]).all()


def test_turns_have_the_jitters_spread_also_at_a_pole() -> None:
    prior = FailurePrior.from_table(table({"pitch_deg": 90.0}), share=1.0, jitter=JitterConfig(turn_deg=4.0))
    angle = turn_deg(drawn(prior, space(rotation="haar")), 0.0, 90.0, 0.0)
    # the length of a normal vector in three dimensions: mean 2 sqrt(2 / pi) sigma
    assert angle.mean() == pytest.approx(4.0 * 2 * np.sqrt(2 / np.pi), rel=0.03)


def test_poses_are_drawn_in_proportion_to_the_chance_of_being_wrong() -> None:
    rows = [{"yaw_deg": 0.0, "accepted_p": 0.1}, {"yaw_deg": 90.0, "accepted_p": 0.4}]
    rows += [{"yaw_deg": 180.0, "recognised": True, "accepted_p": 0.5}]
    prior = FailurePrior.from_table(table(*rows), share=1.0)
    yaw = drawn(prior, space(rotation="fixed", yaw=(-180, 180)))[:, INDEX["yaw"]]
    counts = [int((np.abs(yaw - middle) < 30).sum()) for middle in (0, 90)]
    assert sum(counts) == len(yaw)  # none near the recognised pose
    assert counts[0] / len(yaw) == pytest.approx(0.9 / 1.5, abs=0.03)


def test_moves_stay_in_the_space_and_leave_fixed_parameters_alone() -> None:
    within = space(rotation="fixed", yaw=(-180, 180), elevation=(0, 10), distance=(4.9, 5.1), fov=25.0)
    row = {"yaw_deg": 179.0, "elevation_deg": 9.5, "distance": 5.0, "fov_deg": 25.0}
    vectors = drawn(FailurePrior.from_table(table(row), share=1.0, jitter=JitterConfig(turn_deg=5, distance=1)), within)
    for name in NAMES:
        values = vectors[:, INDEX[name]]
        if name in within.free:
            interval = within.free[name]
            assert values.min() >= interval.low
            assert values.max() <= interval.high
        elif name not in ("offset_x", "offset_y"):
            assert len(np.unique(values)) == 1
    yaw = vectors[:, INDEX["yaw"]]
    assert (yaw < -170).mean() > 0.2  # past 180 degrees it goes on at -180
    assert len(np.unique(yaw)) > 1000


def test_intervals_past_a_half_turn_hold_what_was_recorded_there() -> None:
    within = space(rotation="fixed", yaw=(150, 210), pitch=(-10, 10), roll=(-15, 15))
    rows = [{"yaw_deg": yaw} for yaw in np.linspace(155, 205, 50)]
    prior = FailurePrior.from_table(table(*rows), share=1.0, jitter=JitterConfig(turn_deg=0.5))
    yaw = drawn(prior, within)[:, INDEX["yaw"]]
    assert (yaw > 180).mean() == pytest.approx(0.5, abs=0.05)
    assert (yaw == 150).mean() == 0


def test_what_the_space_fixes_has_its_value_whatever_was_recorded() -> None:
    row = {"fov_deg": 16.426, "background": 23, "light_azimuth_deg": 99.0}
    within = space(rotation="haar", fov=30.0)
    vectors = drawn(FailurePrior.from_table(table(row), share=1.0), within)
    for name in ("fov", "background", "light_azimuth"):
        assert (vectors[:, INDEX[name]] == within.fixed[name]).all()


def test_a_pose_follows_from_seed_and_index_alone() -> None:
    within, prior = space(rotation="haar"), FailurePrior.from_table(table({"yaw_deg": 40.0}))
    whole = prior.poses("s", within, 9, 0, 100)
    pieces = [prior.poses("s", within, 9, a, b) for a, b in ((0, 1), (1, 37), (37, 100))]
    assert (np.concatenate(pieces) == whole).all()
    assert not (prior.poses("s", within, 10, 0, 100) == whole).all()


def test_a_scene_without_failures_keeps_its_own_measure() -> None:
    within = space(rotation="haar")
    prior = FailurePrior.from_table(table({"recognised": True, "accepted_p": 0.9}), share=1.0)
    assert (drawn(prior, within) == SpacePrior().poses("s", within, 3, 0, 4000)).all()


def test_whose_failures_must_be_clear() -> None:
    two = pd.concat([table({}), table({"model": "b"})])
    with pytest.raises(ConfigError, match=r"holds b, m; give model=NAME"):
        FailurePrior.from_table(two)
    with pytest.raises(ConfigError, match=r'model = "c": the table holds b, m'):
        FailurePrior.from_table(two, model="c")
    with pytest.raises(ConfigError, match="share = 2"):
        FailurePrior.from_table(table({}), share=2)


def test_pictures_drawn_by_a_runs_failures_are_misread_more_often(tmp_path: Path) -> None:
    run = posetest.audit("bundled", "traffic_light", poses=600, image_size=64, out=tmp_path / "run")
    prior = FailurePrior.from_table(run.table(), share=1.0)
    model = posetest.load_model("bundled")
    (target,) = run.info.models[0].accepted["traffic_light"]
    wrong = []
    for chosen in (None, prior):
        data = PoseDataset("traffic_light", image_size=64, views=300, batch_size=300, prior=chosen, targets=[target])
        ((images, targets),) = list(data)
        wrong.append((model.log_probabilities(images).argmax(1) != targets).float().mean().item())
    assert wrong[1] > wrong[0] + 0.1
