"""A Gaussian process over poses with two length scales: what a search believes about poses that it has not tried.

A network's score over poses is smooth over tens of degrees and rough over one or two: the picture's pixels move. One
process with a smooth and a rough part tells a promising region from a lucky pose, and still knows that a pose a degree
beside the best one may be better. Rasmussen and Williams, "Gaussian Processes for Machine Learning" (2006): equation
5.8 for the marginal likelihood, algorithm 2.1 for the posterior; kernels are Matern 5/2 (equation 4.17).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from posetest.search.asktell import Array
from posetest.search.domain import Domain

#: Hyperparameters, as logarithms: amplitudes of the smooth and the rough part and of noise, in standard deviations of
#: the values; length scales of angles (radians) and of other numbers (half-ranges), smooth and rough.
_TYPICAL = np.log([1.0, 0.5, 0.1, 0.6, 2.0, 0.08, 0.4])
_SPREAD = np.array([0.7, 0.7, 1.0, 0.5, 0.7, 0.7, 0.7])  # of a normal prior around them
_MOST_TO_FIT = 200  # points that hyperparameters are fitted to: the better half, and as many others
_FIT_STEPS = 12
_FARTHEST = 10.0  # that a hyperparameter may lie from the typical one, a logarithm
_JITTER = 1e-5  # variance that keeps matrices of close points positive definite


class PoseProcess:
    """A two-scale Gaussian process on a domain, fitted and conditioned on values at poses."""

    def __init__(self, domain: Domain) -> None:
        is_angle = [size > 1 for size in domain.embedding_groups for _ in range(size)]
        self._is_angle = np.array(is_angle, dtype=bool)
        self._theta = _TYPICAL.copy()

    def fit(self, points: Array, values: Array, rng: np.random.Generator) -> None:
        """Climb from the present hyperparameters to those that make ``values`` [n] at ``points`` [n, e] likely."""
        if len(values) > _MOST_TO_FIT:
            order = np.argsort(-values, kind="stable")
            half = _MOST_TO_FIT // 2
            chosen = np.concatenate([order[:half], rng.choice(order[half:], _MOST_TO_FIT - half, replace=False)])
            points, values = points[chosen], values[chosen]
        target = (values - values.mean()) / (values.std() + 1e-12)

        def loss(theta: Array) -> float:
            """Minus the log posterior of the hyperparameters, without constants."""
            if np.abs(theta - _TYPICAL).max() > _FARTHEST:  # a line search may try anything
                return 1e9
            try:
                factor = self._factor(points, theta)
            except LinAlgError:
                return 1e9
            white = solve_triangular(factor, target, lower=True, check_finite=False)
            unlikely = 0.5 * white @ white + np.log(np.diag(factor)).sum()
            return float(unlikely + 0.5 * (((theta - _TYPICAL) / _SPREAD) ** 2).sum())

        with _one_thread():
            found = minimize(loss, self._theta, method="L-BFGS-B", options={"maxiter": _FIT_STEPS})
        if np.isfinite(found.fun):
            self._theta = found.x

    def condition(self, points: Array, values: Array) -> None:
        """Take ``values`` [n] at embedded ``points`` [n, e] for observed."""
        self._points, self._mean, self._scale = points, values.mean(), values.std() + 1e-12
        with _one_thread():
            self._chol = self._factor(points, self._theta)
            self._weights = cho_solve((self._chol, True), (values - self._mean) / self._scale, check_finite=False)

    def sample(self, candidates: Array, count: int, rng: np.random.Generator) -> Array:
        """[count, m]: values at embedded ``candidates`` [m, e], drawn jointly from the posterior."""
        with _one_thread():
            cross = self._kernel(candidates, self._points, self._theta)
            white = solve_triangular(self._chol, cross.T, lower=True, check_finite=False)
            covariance = self._kernel(candidates, candidates, self._theta) - white.T @ white
            root = _root(covariance)
            drawn: Array = cross @ self._weights + rng.standard_normal((count, len(candidates))) @ root.T
        values: Array = self._mean + self._scale * drawn
        return values

    def _factor(self, points: Array, theta: Array) -> Array:
        covariance = self._kernel(points, points, theta)
        covariance[np.diag_indices(len(points))] += np.exp(2 * theta[2]) + _JITTER
        factor: Array = cholesky(covariance, lower=True, check_finite=False)
        return factor

    def _kernel(self, a: Array, b: Array, theta: Array) -> Array:
        smooth, rough, _, *lengths = np.exp(theta)
        total = np.zeros((len(a), len(b)))
        for amplitude, angular, other in ((smooth, *lengths[:2]), (rough, *lengths[2:])):
            scale = np.where(self._is_angle, angular, other)
            total += amplitude**2 * _matern(a / scale, b / scale)
        return total


def _matern(a: Array, b: Array) -> Array:
    squared = (a * a).sum(1)[:, None] + (b * b).sum(1) - 2 * (a @ b.T)
    reach = np.sqrt(5 * np.maximum(squared, 0))
    values: Array = (1 + reach + reach * reach / 3) * np.exp(-reach)
    return values


def _root(covariance: Array) -> Array:
    """A lower triangle whose square is ``covariance``, with as much added to its diagonal as rounding asks for."""
    diagonal = np.diag_indices(len(covariance))
    for extra in (_JITTER, 1e-3, 0.1):
        covariance[diagonal] += extra
        try:
            factor: Array = cholesky(covariance, lower=True, check_finite=False)
        except LinAlgError:
            continue
        return factor
    return np.diag(np.sqrt(np.maximum(covariance[diagonal], 0)))


def _one_thread() -> Any:
    """One BLAS thread for a while: matrices here are small, and sums then do not depend on the number of cores."""
    return _thread_pools().limit(limits=1, user_api="blas")


@cache
def _thread_pools() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()
