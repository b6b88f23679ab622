"""Features of poses whose viewing direction and roll are known in closed form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from planted_failures import haar_poses

from posetest.analysis.features import make_grid, pose_features
from posetest.errors import RunError
from posetest.geometry.so3 import euler_to_matrix, matrix_to_quaternion
from posetest.space import INDEX, NAMES, object_to_camera


def records(**values: object) -> pd.DataFrame:
    count = max(np.size(v) for v in values.values())
    vectors = np.zeros((count, len(NAMES)))
    for name, value in values.items():
        vectors[:, INDEX[name]] = value
    return pd.DataFrame(matrix_to_quaternion(object_to_camera(vectors)), columns=["qw", "qx", "qy", "qz"])


def test_an_upright_camera_sees_from_where_it_stands_without_roll() -> None:
    azimuth, elevation = np.array([-170.0, -40, 0, 35, 120]), np.array([-80.0, -20, 0, 45, 70])
    found = pose_features(records(azimuth=azimuth, elevation=elevation))
    assert found["azimuth"].to_numpy() == pytest.approx(azimuth)
    assert found["elevation"].to_numpy() == pytest.approx(elevation)
    assert found["roll"].to_numpy() == pytest.approx(np.zeros(5), abs=1e-6)


def test_a_turned_object_is_described_like_a_camera_that_went_round_it() -> None:
    angles = np.array([-150.0, -30, 10, 80])
    turned, orbit = pose_features(records(yaw=-angles)), pose_features(records(azimuth=angles))
    assert turned.to_numpy() == pytest.approx(orbit.to_numpy(), abs=1e-6)


def test_turning_the_picture_changes_the_roll_alone_and_by_the_angle() -> None:
    poses = haar_poses(500, 1)
    before = pose_features(poses)
    from scipy.spatial.transform import Rotation

    matrices = Rotation.from_quat(poses[["qw", "qx", "qy", "qz"]].to_numpy(), scalar_first=True).as_matrix()
    spun = euler_to_matrix([0], [0], np.radians([25.0])) @ matrices
    after = pose_features(pd.DataFrame(matrix_to_quaternion(spun), columns=["qw", "qx", "qy", "qz"]))
    assert after[["azimuth", "elevation"]].to_numpy() == pytest.approx(before[["azimuth", "elevation"]].to_numpy())
    assert np.mod(after["roll"] - before["roll"], 360).to_numpy() == pytest.approx(np.full(500, 25.0))


def test_under_haar_measure_azimuth_roll_and_the_sine_of_elevation_are_uniform() -> None:
    from scipy.stats import kstest

    found = pose_features(haar_poses(4000, 2))
    for values in (
        found["azimuth"] / 360 + 0.5,
        found["roll"] / 360 + 0.5,
        np.sin(np.radians(found["elevation"])) / 2 + 0.5,
    ):
        assert kstest(values, "uniform").pvalue > 1e-3


def test_only_parameters_that_vary_are_features() -> None:
    assert list(pose_features(haar_poses(50, 0))) == [
        "azimuth", "elevation", "roll", "distance", "offset_x", "offset_y",
    ]  # fmt: skip
    assert list(pose_features(haar_poses(50, 0), ["fov", "roll"])) == ["fov", "roll"]


def test_rows_without_rotation_are_refused_with_the_columns_to_read() -> None:
    with pytest.raises(RunError, match="needs the column qz, which the rows lack; read it: outcomes"):
        pose_features(haar_poses(5, 0).drop(columns="qz"))


def test_every_value_lies_in_its_bin() -> None:
    features = pose_features(haar_poses(3000, 3))
    for name in features:
        grid, values = make_grid(str(name), features[name].to_numpy()), features[name].to_numpy()
        inner = (grid.codes > 0) & (grid.codes < len(grid.edges) - 2)
        assert (grid.edges[grid.codes] <= values)[inner].all()
        assert (values < grid.edges[grid.codes + 1])[inner].all()
    azimuth = make_grid("azimuth", features["azimuth"].to_numpy())
    assert azimuth.is_circular
    assert np.diff(azimuth.edges).tolist() == [5.0] * 72
