"""Rotations against vectors turned by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from posetest.geometry.so3 import (
    direction,
    direction_to_angles,
    euler_to_matrix,
    matrix_to_euler,
    matrix_to_quaternion,
    orbit_to_matrix,
    quaternion_to_matrix,
    viewing_direction,
)

EXACT = 1e-12
RIGHT, UP, FRONT = np.eye(3)
QUARTER = np.pi / 2


def about(axis: int, angle: float) -> np.ndarray:
    """The rotation about x, y or z, right-handed, from its definition."""
    c, s = np.cos(angle), np.sin(angle)
    i, j = [(1, 2), (2, 0), (0, 1)][axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


@pytest.mark.parametrize(
    ("angles", "before", "after"),
    [
        ((QUARTER, 0, 0), FRONT, RIGHT),  # yaw turns the front to the viewer's right
        ((QUARTER, 0, 0), RIGHT, -FRONT),
        ((QUARTER, 0, 0), UP, UP),
        ((0, QUARTER, 0), UP, FRONT),  # pitch tips the top towards the viewer
        ((0, QUARTER, 0), FRONT, -UP),
        ((0, QUARTER, 0), RIGHT, RIGHT),
        ((0, 0, QUARTER), RIGHT, UP),  # roll is counter-clockwise for the viewer
        ((0, 0, QUARTER), UP, -RIGHT),
        ((0, 0, QUARTER), FRONT, FRONT),
        ((np.pi, 0, 0), FRONT, -FRONT),
        # roll first, then pitch, then yaw: x -> y by the roll, -> z by the pitch, -> x by the yaw
        ((QUARTER, QUARTER, QUARTER), RIGHT, RIGHT),
        # y -> -x by the roll, stays under the pitch, -> z by the yaw
        ((QUARTER, QUARTER, QUARTER), UP, FRONT),
    ],
)
def test_each_angle_turns_about_its_axis(
    angles: tuple[float, float, float], before: np.ndarray, after: np.ndarray
) -> None:
    assert euler_to_matrix(*angles)[0] @ before == pytest.approx(after, abs=EXACT)


def test_euler_angles_compose_yaw_pitch_roll() -> None:
    rng = np.random.default_rng(0)
    angles = rng.uniform(-np.pi, np.pi, (50, 3))
    for (yaw, pitch, roll), matrix in zip(angles, euler_to_matrix(*angles.T), strict=True):
        assert matrix == pytest.approx(about(1, yaw) @ about(0, pitch) @ about(2, roll), abs=EXACT)


def test_one_angle_may_be_a_number_where_the_others_are_many() -> None:
    assert euler_to_matrix(np.zeros(4), 0.1, 0.0).shape == (4, 3, 3)


def test_euler_angles_come_back_within_half_a_turn_of_pitch() -> None:
    rng = np.random.default_rng(1)
    angles = np.column_stack(
        [rng.uniform(-np.pi, np.pi, 500), rng.uniform(-1.57, 1.57, 500), rng.uniform(-np.pi, np.pi, 500)]
    )
    assert matrix_to_euler(euler_to_matrix(*angles.T)) == pytest.approx(angles, abs=1e-9)


@pytest.mark.parametrize("pitch", [QUARTER, -QUARTER])
def test_at_the_poles_the_angles_still_give_the_rotation(pitch: float) -> None:
    rng = np.random.default_rng(2)
    yaw, roll = rng.uniform(-np.pi, np.pi, (2, 100))
    matrix = euler_to_matrix(yaw, pitch, roll)
    found = matrix_to_euler(matrix)
    assert found[:, 2] == pytest.approx(np.zeros(100))
    assert np.isfinite(found).all()
    assert euler_to_matrix(*found.T) == pytest.approx(matrix, abs=1e-7)


def test_quaternions_are_scalar_first_and_not_negative() -> None:
    half = np.sqrt(0.5)
    assert matrix_to_quaternion(np.eye(3)[None])[0] == pytest.approx([1, 0, 0, 0])
    assert matrix_to_quaternion(euler_to_matrix(QUARTER, 0, 0))[0] == pytest.approx([half, 0, half, 0])
    assert matrix_to_quaternion(euler_to_matrix(0, QUARTER, 0))[0] == pytest.approx([half, half, 0, 0])
    assert matrix_to_quaternion(euler_to_matrix(0, 0, QUARTER))[0] == pytest.approx([half, 0, 0, half])
    angles = np.random.default_rng(3).uniform(-np.pi, np.pi, (500, 3))
    quaternions = matrix_to_quaternion(euler_to_matrix(*angles.T))
    assert (quaternions[:, 0] >= 0).all()
    assert np.linalg.norm(quaternions, axis=1) == pytest.approx(np.ones(500))


def test_quaternions_and_matrices_are_inverse_and_the_sign_does_not_matter() -> None:
    angles = np.random.default_rng(4).uniform(-np.pi, np.pi, (200, 3))
    matrix = euler_to_matrix(*angles.T)
    quaternions = matrix_to_quaternion(matrix)
    assert quaternion_to_matrix(quaternions) == pytest.approx(matrix, abs=EXACT)
    assert quaternion_to_matrix(-3 * quaternions) == pytest.approx(matrix, abs=EXACT)


def test_half_turns_have_a_quaternion_too() -> None:
    matrix = euler_to_matrix([np.pi, 0, 0], [0, np.pi, 0], [0, 0, np.pi])
    quaternions = matrix_to_quaternion(matrix)
    assert (quaternions[:, 0] >= 0).all()
    assert quaternion_to_matrix(quaternions) == pytest.approx(matrix, abs=1e-9)


@pytest.mark.parametrize(
    ("azimuth", "elevation", "expected"),
    [(0, 0, FRONT), (QUARTER, 0, RIGHT), (np.pi, 0, -FRONT), (-QUARTER, 0, -RIGHT), (0.3, QUARTER, UP)],
)
def test_directions_by_name(azimuth: float, elevation: float, expected: np.ndarray) -> None:
    assert direction(azimuth, elevation) == pytest.approx(expected, abs=EXACT)


def test_directions_and_angles_are_inverse() -> None:
    rng = np.random.default_rng(5)
    azimuth, elevation = rng.uniform(-np.pi, np.pi, 300), rng.uniform(-1.57, 1.57, 300)
    vectors = direction(azimuth, elevation)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(300))
    found = direction_to_angles(vectors)
    assert found[0] == pytest.approx(azimuth)
    assert found[1] == pytest.approx(elevation)


def test_an_orbiting_camera_stands_where_it_is_said_and_looks_at_the_origin_upright() -> None:
    rng = np.random.default_rng(6)
    azimuth, elevation = rng.uniform(-np.pi, np.pi, 100), rng.uniform(-1.5, 1.5, 100)
    matrix = orbit_to_matrix(azimuth, elevation)
    # the camera's place seen from the camera is the +z axis: it looks along -z at the origin
    there = np.einsum("nij,nj->ni", matrix, direction(azimuth, elevation))
    assert there == pytest.approx(np.tile(FRONT, (100, 1)), abs=EXACT)
    up_in_camera = matrix @ UP
    assert up_in_camera[:, 0] == pytest.approx(np.zeros(100), abs=EXACT)
    assert (up_in_camera[:, 1] > 0).all()


def test_the_viewing_direction_is_where_the_orbiting_camera_stands() -> None:
    azimuth, elevation = np.array([0.4, -2.0, 3.0]), np.array([0.2, -1.0, 1.2])
    found = viewing_direction(orbit_to_matrix(azimuth, elevation))
    assert found == pytest.approx(direction(azimuth, elevation), abs=EXACT)


def test_turning_the_front_to_the_right_lets_the_camera_see_the_left() -> None:
    assert viewing_direction(euler_to_matrix(QUARTER, 0, 0))[0] == pytest.approx(-RIGHT, abs=EXACT)


def test_tipping_the_top_forwards_lets_the_camera_see_the_top() -> None:
    assert viewing_direction(euler_to_matrix(0, QUARTER, 0))[0] == pytest.approx(UP, abs=EXACT)


def test_turning_the_picture_does_not_change_the_viewing_direction() -> None:
    matrix = euler_to_matrix([0.5, -2.0], [0.2, 1.0], [0.3, 0.0])
    assert viewing_direction(about(2, 0.7) @ matrix) == pytest.approx(viewing_direction(matrix), abs=EXACT)


def test_viewing_directions_of_haar_uniform_rotations_are_uniform_on_the_sphere() -> None:
    rng = np.random.default_rng(7)
    quaternions = rng.normal(size=(4000, 4))  # uniform on the 3-sphere once normalised: Haar measure
    vectors = viewing_direction(quaternion_to_matrix(quaternions))
    # Archimedes: each coordinate of a uniform direction is uniform on [-1, 1]
    for axis in range(3):
        assert kstest(vectors[:, axis], "uniform", args=(-1, 2)).pvalue > 1e-4
