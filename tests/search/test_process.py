"""The surrogate's Gaussian process, against closed forms computed here in another way."""

from __future__ import annotations

import numpy as np
import pytest
from planted import rotations_only
from scipy.stats import multivariate_normal

from posetest.search.process import PoseProcess


def conditioned(count: int, seed: int = 0) -> tuple[PoseProcess, np.ndarray, np.ndarray]:
    domain = rotations_only()
    points = domain.embedding(domain.sample(seed, 0, count))
    values = points @ np.cos(np.arange(points.shape[1])) + 5
    process = PoseProcess(domain)
    process.condition(points, values)
    return process, points, values


def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The prior covariance of the first hyperparameters, element by element: Matern 5/2, smooth plus rough."""
    total = np.zeros((len(a), len(b)))
    for amplitude, angular, other in ((1.0, 0.6, 2.0), (0.5, 0.08, 0.4)):
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                r = np.sqrt((((x - y)[:9] / angular) ** 2).sum() + (((x - y)[9:] / other) ** 2).sum())
                total[i, j] += amplitude**2 * (1 + 5**0.5 * r + 5 * r * r / 3) * np.exp(-(5**0.5) * r)
    return total


def test_samples_have_the_mean_and_spread_of_the_posterior() -> None:
    process, points, values = conditioned(12)
    domain = rotations_only()
    candidates = domain.embedding(domain.moved(domain.sample(0, 0, 4), np.full(domain.dim, 0.03)))
    drawn = process.sample(candidates, 4000, np.random.default_rng(0))
    scale, noise = values.std(), 0.1**2
    known = np.linalg.inv(kernel(points, points) + noise * np.eye(len(points)))
    cross = kernel(candidates, points)
    mean = values.mean() + scale * cross @ known @ ((values - values.mean()) / scale)
    covariance = scale**2 * (kernel(candidates, candidates) - cross @ known @ cross.T)
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=4 * np.sqrt(covariance.diagonal().max() / 4000))
    assert np.cov(drawn.T) == pytest.approx(covariance, abs=0.08 * covariance.max())


def test_far_from_everything_it_knows_no_more_than_before() -> None:
    """At a distance of several length scales the posterior is the prior: the values' own mean and spread."""
    domain = rotations_only()
    here = domain.moved(domain.base[None], np.random.default_rng(0).normal(size=(8, domain.dim)) * 0.02)
    values = np.arange(8.0)
    process = PoseProcess(domain)
    process.condition(domain.embedding(here), values)
    far = domain.embedding(domain.moved(domain.base[None], [[np.pi, 0, 0, 0]]))
    drawn = process.sample(far, 4000, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.35 * values.std())
    assert drawn.std() == pytest.approx(values.std() * np.sqrt(1 + 0.5**2), rel=0.15)


def test_fitting_makes_the_values_more_likely() -> None:
    domain, rng = rotations_only(), np.random.default_rng(0)
    points = domain.embedding(domain.sample(2, 0, 80))
    values = multivariate_normal(cov=0.2 * kernel(points, points) + 1e-6 * np.eye(80), seed=1).rvs()
    smooth = points @ np.cos(np.arange(points.shape[1]))  # no rough part at all
    for target in (values, smooth):
        process = PoseProcess(domain)
        before = evidence(process, points, target)
        process.fit(points, target, rng)
        assert evidence(process, points, target) > before - 1e-9


def evidence(process: PoseProcess, points: np.ndarray, values: np.ndarray) -> float:
    """Log density of the standardised values under the process."""
    standard = (values - values.mean()) / values.std()
    smooth, rough, noise, *lengths = np.exp(process._theta)
    scaled = [np.where(np.arange(points.shape[1]) < 9, points / a, points / b) for a, b in (lengths[:2], lengths[2:])]
    covariance = np.zeros((len(points), len(points)))
    for amplitude, x in zip((smooth, rough), scaled, strict=True):
        r = np.linalg.norm(x[:, None] - x[None], axis=2)
        covariance += amplitude**2 * (1 + 5**0.5 * r + 5 * r * r / 3) * np.exp(-(5**0.5) * r)
    covariance += (noise**2 + 1e-5) * np.eye(len(points))
    prior = multivariate_normal(TYPICAL, np.diag(SPREAD**2)).logpdf(process._theta)
    return float(multivariate_normal(cov=covariance).logpdf(standard) + prior)


TYPICAL = np.log([1.0, 0.5, 0.1, 0.6, 2.0, 0.08, 0.4])
SPREAD = np.array([0.7, 0.7, 1.0, 0.5, 0.7, 0.7, 0.7])


def test_poses_that_coincide_and_values_that_are_all_alike_are_no_trouble() -> None:
    domain, rng = rotations_only(), np.random.default_rng(0)
    points = np.repeat(domain.embedding(domain.sample(0, 0, 3)), 10, axis=0)
    process = PoseProcess(domain)
    process.fit(points, np.full(30, 2.0), rng)
    process.condition(points, np.full(30, 2.0))
    drawn = process.sample(points, 5, rng)
    assert np.isfinite(drawn).all()
    assert drawn == pytest.approx(np.full((5, 30), 2.0), abs=1e-6)
