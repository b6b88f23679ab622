"""Random turns of poses within balls of rotations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posetest.engine.probe_plan import UNCHANGED, Bases, Rows
from posetest.geometry.so3 import euler_to_matrix, matrix_to_euler, tangent_to_matrix
from posetest.space import INDEX, PARAMETERS

Array = NDArray[np.float64]

#: Largest angles of the turns of a tolerance probe, degrees; draws of each pose and radius: of 29 or more draws without
#: a failure the exact 95 % bound on the share recognised is above 0.9.
RADII_DEG = (2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0)
DRAWS = 30
#: What the rows of turned poses say was changed; the amount is the radius of the ball, degrees.
TURN = "turn"
_NEWTON_STEPS = 8


def turned(bases: Bases, radii_deg: Sequence[float], draws: int, rng: np.random.Generator) -> Rows:
    """Every base as it is, then for each radius ``draws`` times turned by a rotation drawn from the ball."""
    each = len(radii_deg) * draws
    count = len(bases)
    of = np.repeat(np.arange(count), 1 + each)
    amount = np.tile(np.concatenate([[0.0], np.repeat(np.asarray(radii_deg, dtype=float), draws)]), count)
    is_turned = amount > 0
    vectors = bases.vectors[of]
    angles = ("yaw", "pitch", "roll")
    columns = [INDEX[name] for name in angles]
    before = euler_to_matrix(*(np.radians(vectors[is_turned][:, column]) for column in columns))
    turns = tangent_to_matrix(ball_turns(np.radians(amount[is_turned]), rng))
    after = np.degrees(matrix_to_euler(turns @ before))
    for k, (name, column) in enumerate(zip(angles, columns, strict=True)):
        vectors[is_turned, column] = np.round(after[:, k], PARAMETERS[INDEX[name]].decimals) + 0.0
    change = np.where(is_turned, TURN, UNCHANGED).astype(object)
    return Rows(vectors, of, change, amount)


def ball_turns(radius: Array, rng: np.random.Generator) -> Array:
    """Tangent vectors [n, 3] of turns, Haar-uniform among those by at most ``radius`` [n] radians, 0 < radius <= pi.

    The axis is uniform on the sphere, and the angle has a density proportional to 1 - cos(angle) (Miles, Biometrika 52
    (1965) 636).
    """
    axis = rng.standard_normal((len(radius), 3))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    mass = rng.random(len(radius)) * (radius - np.sin(radius))
    # below the solution, as angle - sin(angle) <= angle^3 / 6; Newton's steps on a convex function converge from there
    angle = np.cbrt(6 * mass)
    for _ in range(_NEWTON_STEPS):
        slope = 2 * np.sin(angle / 2) ** 2
        step = np.divide(angle - np.sin(angle) - mass, slope, out=np.zeros_like(angle), where=slope > 1e-12)
        angle = angle - step
    tangent: Array = np.minimum(angle, radius)[:, None] * axis
    return tangent
