"""Rotations: the Euler angles of the border, quaternions of the files, matrices of the inside.

One convention everywhere: R = Ry(yaw) Rx(pitch) Rz(roll), v' = R v; quaternions are w, x, y, z with w >= 0.
scipy does the arithmetic; this module fixes order, signs and units.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

Array = NDArray[np.float64]


def euler_to_matrix(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> Array:
    """Rotation matrices [n, 3, 3] of Ry(yaw) Rx(pitch) Rz(roll); angles [n] in radians."""
    angles = np.stack(np.broadcast_arrays(*(np.atleast_1d(np.asarray(a, dtype=float)) for a in (yaw, pitch, roll))), -1)
    matrix: Array = Rotation.from_euler("YXZ", angles).as_matrix()
    return matrix


def matrix_to_euler(matrix: Array) -> Array:
    """Yaw, pitch and roll [n, 3] in radians of rotation matrices [n, 3, 3]; pitch in [-pi/2, pi/2].

    At the poles (pitch +-pi/2) yaw and roll turn about the same axis; roll is then 0.
    """
    pitch = np.arcsin(np.clip(-matrix[:, 1, 2], -1, 1))
    pole = np.hypot(matrix[:, 1, 0], matrix[:, 1, 1]) < 1e-9
    yaw = np.where(pole, np.arctan2(-matrix[:, 2, 0], matrix[:, 0, 0]), np.arctan2(matrix[:, 0, 2], matrix[:, 2, 2]))
    roll = np.where(pole, 0.0, np.arctan2(matrix[:, 1, 0], matrix[:, 1, 1]))
    return np.stack([yaw, pitch, roll], axis=-1)


def matrix_to_quaternion(matrix: Array) -> Array:
    """Unit quaternions [n, 4] (w, x, y, z; w >= 0) of rotation matrices [n, 3, 3]."""
    quaternion: Array = Rotation.from_matrix(matrix).as_quat(canonical=True, scalar_first=True)
    return quaternion


def quaternion_to_matrix(quaternion: Array) -> Array:
    """Rotation matrices [n, 3, 3] of quaternions [n, 4] (w, x, y, z), normalised first."""
    matrix: Array = Rotation.from_quat(quaternion, scalar_first=True).as_matrix()
    return matrix


def tangent_to_matrix(tangent: Array) -> Array:
    """Rotation matrices [n, 3, 3], exp([w]x), of tangent vectors w [n, 3]: a turn by |w| radians about w."""
    matrix: Array = Rotation.from_rotvec(np.asarray(tangent, dtype=float).reshape(-1, 3)).as_matrix()
    return matrix


def matrix_to_tangent(matrix: Array) -> Array:
    """Tangent vectors [n, 3] of rotation matrices [n, 3, 3], |w| <= pi: the inverse of ``tangent_to_matrix``."""
    tangent: Array = Rotation.from_matrix(matrix).as_rotvec()
    return tangent


def orbit_to_matrix(azimuth: ArrayLike, elevation: ArrayLike) -> Array:
    """World-to-camera rotations [n, 3, 3] of a camera that looks at the origin from ``azimuth`` and ``elevation``.

    Radians; azimuth 0 is +z and grows towards +x, elevation grows towards +y; the camera stays upright. The matrix is
    Rx(elevation) Ry(-azimuth), so the camera stands at ``direction(azimuth, elevation)`` in the world.
    """
    zero = np.zeros_like(np.asarray(azimuth, dtype=float))
    return euler_to_matrix(zero, elevation, zero) @ euler_to_matrix(-np.asarray(azimuth, dtype=float), zero, zero)


def direction(azimuth: ArrayLike, elevation: ArrayLike) -> Array:
    """Unit vectors [..., 3] at ``azimuth`` (from +z towards +x) and ``elevation`` (towards +y), radians."""
    azimuth, elevation = np.broadcast_arrays(np.asarray(azimuth, dtype=float), np.asarray(elevation, dtype=float))
    return np.stack(
        [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)], axis=-1
    )


def direction_to_angles(vectors: Array) -> tuple[Array, Array]:
    """Azimuth and elevation [...], radians, of unit vectors [..., 3]: the inverse of ``direction``."""
    return np.arctan2(vectors[..., 0], vectors[..., 2]), np.arcsin(np.clip(vectors[..., 1], -1, 1))


def viewing_direction(matrix: Array) -> Array:
    """Unit vectors [n, 3] from the object to the camera, in the object frame, for object-to-camera rotations.

    Uniform on the sphere where the rotations are Haar-uniform.
    """
    return matrix[:, 2, :].copy()
