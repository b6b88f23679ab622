"""Random turns within balls of rotations: against Haar measure by rejection, and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.transform import Rotation
from simulated_probe import bases_at

from posetest.engine.probe_turns import ball_turns, turned
from posetest.space import INDEX, PARAMETERS, object_to_camera


@pytest.mark.parametrize("radius_deg", [2.0, 60.0, 180.0])
def test_the_angle_of_a_turn_follows_haar_measure(radius_deg: float) -> None:
    radius = np.radians(radius_deg)
    turns = ball_turns(np.full(20_000, radius), np.random.default_rng(0))
    angle = np.linalg.norm(turns, axis=1)
    assert angle.max() <= radius
    mass = stats.kstest(angle, lambda a: (a - np.sin(a)) / (radius - np.sin(radius)))
    assert mass.pvalue > 0.01


def test_turns_are_those_of_haar_measure_that_lie_in_the_ball() -> None:
    haar = Rotation.random(200_000, rng=np.random.default_rng(1)).as_rotvec()
    within = haar[np.linalg.norm(haar, axis=1) <= np.radians(60)]
    turns = ball_turns(np.full(len(within), np.radians(60)), np.random.default_rng(2))
    for axis in range(3):
        assert stats.ks_2samp(turns[:, axis], within[:, axis]).pvalue > 0.01


def test_turned_poses_keep_all_else_and_stay_in_their_ball() -> None:
    vectors = np.zeros((5, len(PARAMETERS)))
    rng = np.random.default_rng(3)
    for name, low, high in (("yaw", -180, 180), ("pitch", -90, 90), ("roll", -180, 180), ("azimuth", -90, 90)):
        vectors[:, INDEX[name]] = rng.uniform(low, high, 5)
    vectors[:, INDEX["distance"]] = 6.0
    vectors[4, INDEX["pitch"]] = 90.0  # a pole of the angles
    radii = (2.0, 45.0)
    rows = turned(bases_at(vectors), radii, 400, np.random.default_rng(4))
    before, after = object_to_camera(vectors)[rows.of], object_to_camera(rows.vectors)
    angle = np.degrees(Rotation.from_matrix(after @ before.transpose(0, 2, 1)).magnitude())
    assert (angle <= rows.amount + 2e-4).all()  # of the rounding of angles
    for radius in radii:
        for base in range(5):
            largest = angle[(rows.amount == radius) & (rows.of == base)].max()
            assert largest > 0.97 * radius
    others = [INDEX[p.name] for p in PARAMETERS if p.name not in ("yaw", "pitch", "roll")]
    np.testing.assert_array_equal(rows.vectors[:, others], vectors[rows.of][:, others])
    assert (rows.change[rows.amount == 0] == "none").all()
    assert [int((rows.of == base).sum()) for base in range(5)] == [801] * 5


def test_the_turns_of_a_seed_are_the_same_again() -> None:
    first, second = (ball_turns(np.full(10, 0.5), np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
