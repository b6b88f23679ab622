"""The search gradient of ViewFool's distributions, against expectations worked out by other means."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from planted import rotations_only
from scipy.integrate import quad
from scipy.stats import norm

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.search.asktell import Evaluation, Problem, Search
from posetest.search.domain import make_domain
from posetest.search.select import make_method
from posetest.search.viewpoints import centred_ranks, search_gradient
from posetest.space import INDEX, scene_space


def draws(count: int, components: int, dim: int) -> np.ndarray:
    half = np.random.default_rng(0).standard_normal((components, count // 2, dim))
    return np.concatenate([half, -half], axis=1)


def test_the_gradient_of_a_mean_score_is_that_of_the_integral() -> None:
    """E[u^2] of u ~ N(mu, sigma^2) is mu^2 + sigma^2: its slopes are 2 mu and 2 sigma."""
    mu, sigma = np.array([[0.7, -0.4]]), np.array([[0.5, 0.3]])
    noise = draws(400_000, 1, 2)
    worth = ((mu[:, None] + sigma[:, None] * noise) ** 2).sum(-1)
    by_mu, by_sigma, by_logits = search_gradient(mu, sigma, np.zeros(1), noise, worth, 0.0)
    assert by_mu == pytest.approx(2 * mu, abs=0.02)
    assert by_sigma == pytest.approx(2 * sigma, abs=0.03)
    assert by_logits == pytest.approx([0])


def entropy_of_tanh(mu: float, sigma: float) -> float:
    """H(tanh u) by quadrature: H(u) + E[log(1 - tanh^2 u)]."""
    slope, _ = quad(lambda u: norm.pdf(u, mu, sigma) * np.log(1 - np.tanh(u) ** 2), mu - 9 * sigma, mu + 9 * sigma)
    return float(norm(mu, sigma).entropy() + slope)


def test_the_gradient_of_the_entropy_is_that_of_its_quadrature() -> None:
    mu, sigma, h = 0.8, 0.4, 1e-4
    noise = draws(200_000, 1, 1)
    worth = np.zeros(noise.shape[:2])
    by_mu, by_sigma, _ = search_gradient(np.array([[mu]]), np.array([[sigma]]), np.zeros(1), noise, worth, 1.0)
    slope_mu = (entropy_of_tanh(mu + h, sigma) - entropy_of_tanh(mu - h, sigma)) / (2 * h)
    slope_sigma = (entropy_of_tanh(mu, sigma + h) - entropy_of_tanh(mu, sigma - h)) / (2 * h)
    assert by_mu[0, 0] == pytest.approx(slope_mu, abs=0.01)
    assert by_sigma[0, 0] == pytest.approx(slope_sigma, abs=0.02)


def mixture_entropy(mu: np.ndarray, sigma: np.ndarray, weights: np.ndarray) -> float:
    def density(u: float) -> float:
        return float((weights * norm.pdf(u, mu, sigma)).sum())

    value, _ = quad(lambda u: density(u) * (-np.log(density(u)) + np.log(1 - np.tanh(u) ** 2)), -4, 4, limit=300)
    return value


def slope(function: Callable[[float], float], h: float = 1e-4) -> float:
    return (function(h) - function(-h)) / (2 * h)


def test_the_gradient_of_a_mixtures_entropy_is_that_of_its_quadrature() -> None:
    mu, sigma, logits = np.array([-0.5, 0.6]), np.array([0.4, 0.3]), np.array([0.3, -0.2])

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum()

    noise = draws(200_000, 2, 1)
    found = search_gradient(mu[:, None], sigma[:, None], logits, noise, np.zeros(noise.shape[:2]), 1.0)
    for k in range(2):
        step = np.eye(2)[k]
        by_mu = slope(lambda x, step=step: mixture_entropy(mu + x * step, sigma, softmax(logits)))
        by_sigma = slope(lambda x, step=step: mixture_entropy(mu, sigma + x * step, softmax(logits)))
        by_logit = slope(lambda x, step=step: mixture_entropy(mu, sigma, softmax(logits + x * step)))
        assert found[0][k, 0] == pytest.approx(by_mu, abs=0.01)
        assert found[1][k, 0] == pytest.approx(by_sigma, abs=0.01)
        assert found[2][k] == pytest.approx(by_logit, abs=0.01)


def test_ranks_are_centred_and_ties_share_theirs() -> None:
    assert centred_ranks(np.array([3.0, 1.0, 2.0])) == pytest.approx([0.5, -0.5, 0.0])
    assert centred_ranks(np.array([1.0, 1.0, 5.0, -2.0])) == pytest.approx([0, 0, 0.5, -0.5])
    assert centred_ranks(np.array([-np.inf, 0.0])) == pytest.approx([-0.5, 0.5])


def test_poses_come_from_within_the_intervals_and_in_pairs_around_the_mean() -> None:
    domain = rotations_only()
    first = Search(make_method("viewfool"), Problem(domain)).ask().vectors
    assert len(first) == 51
    column = INDEX["distance"]
    u = np.arctanh(first[:, column] - 5)  # the interval is 4 to 6
    assert u[1:26] + u[26:] == pytest.approx(np.full(25, 2 * u[0]), abs=1e-3)
    assert u[1:].std() == pytest.approx(0.1, rel=0.35)


def test_a_weighty_entropy_keeps_the_distribution_wide() -> None:
    """With nothing to gain, entropy alone decides: the spread of the draws grows, and does not without it."""
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(rotation="fixed", distance=(4.0, 6.0)))
    domain = make_domain(scene_space(config), ("distance",))
    spreads = {}
    for entropy in (0.0, 1.0):
        search = Search(make_method(f"viewfool?entropy={entropy}"), Problem(domain))
        for _ in range(30):
            vectors = search.ask().vectors
            flat = np.zeros(len(vectors))
            search.tell(Evaluation(vectors, flat, flat, flat.astype(np.int64)))
        spreads[entropy] = np.ptp(search.ask().vectors[:, INDEX["distance"]])
    assert spreads[1.0] > 1.5 * spreads[0.0]
