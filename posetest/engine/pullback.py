"""From the gradient by what a view is made of to the gradient by the numbers that a search moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from posetest.config import SceneConfig
from posetest.geometry.so3 import matrix_to_tangent
from posetest.protocols import ViewGradients
from posetest.search.domain import Axis, Domain
from posetest.space import vectors_to_views

Array = NDArray[np.float64]

#: Step of the differences of plain formulas, as a share of a coordinate: error about 1e-10, rounding about 1e-11.
_STEP = 1e-5
_FIELDS = ("position", "fov", "light_dirs", "light_colors", "ambient")


def tangent_gradients(domain: Domain, vectors: Array, config: SceneConfig, found: ViewGradients) -> Array:
    """The gradient [n, dim] in the domain's tangent coordinates, given ``found`` by the views of ``vectors``.

    A turn w of the object about its own axes is the turn R w about the camera's, hence R^T times the latter's gradient.
    For the other parameters the map from a pose to a view is differentiated by central differences: it is arithmetic in
    float64. An index of a background has no gradient: 0.
    """
    parts = []
    if domain.has_rotation:
        parts.append(np.einsum("nij,ni->nj", vectors_to_views(vectors, config).rotation, found.rotation))
    parts += [_along(axis, vectors, config, found)[:, None] for axis in domain.axes]
    return np.concatenate(parts, axis=1)


def _along(axis: Axis, vectors: Array, config: SceneConfig, found: ViewGradients) -> Array:
    if axis.name == "background":
        return np.zeros(len(vectors))
    step = _STEP * (180 / np.pi if axis.is_circle else (axis.high - axis.low) / 2)
    ahead, behind = vectors.copy(), vectors.copy()
    ahead[:, axis.column] += step
    behind[:, axis.column] -= step
    after, before = vectors_to_views(ahead, config), vectors_to_views(behind, config)
    turn = matrix_to_tangent(after.rotation @ np.swapaxes(before.rotation, 1, 2))
    total = (turn * found.rotation).sum(axis=1)
    for name in _FIELDS:
        change = (getattr(after, name) - getattr(before, name)) * getattr(found, name)
        total += change.reshape(len(vectors), -1).sum(axis=1)
    slope: Array = total / (2 * step) * _value_by_coordinate(axis, vectors[:, axis.column])
    return slope


def _value_by_coordinate(axis: Axis, values: Array) -> Array:
    """How fast the border value changes with the tangent coordinate."""
    if axis.is_circle:
        return np.full(len(values), 180 / np.pi)
    half = (
        np.log(axis.high / axis.low) / 2 * values if axis.is_log else np.full(len(values), (axis.high - axis.low) / 2)
    )
    return np.asarray(half, dtype=np.float64)
