"""Distributions of adversarial viewpoints: ViewFool and its mixture form, by natural evolution strategies.

ViewFool: Dong et al., "ViewFool: Evaluating the Robustness of Visual Recognition to Adversarial Viewpoints", NeurIPS
2022. Mixture (GMVFool): Ruan et al., "Towards Viewpoint-Invariant Visual Recognition via Adversarial Training", ICCV
2023.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from scipy.special import logsumexp, softmax

from posetest.config import Strict
from posetest.search.asktell import Array, Problem, Proposal, Steps
from posetest.search.domain import Domain
from posetest.search.steps import Count, Positive
from posetest.space import INDEX

_SMALLEST_SIGMA = 1e-3


class ViewFool(Strict, frozen=True):
    """A Gaussian squashed by tanh onto the scene's intervals, moved to where the mean score is highest.

    Parameters are v = centre + half-range * tanh(u) with u ~ N(mu, sigma^2) (equation 4), angles included; mu and sigma
    climb the mean score plus ``entropy`` times the entropy of v by the search gradient (equations 7 and 8). Scores
    enter by their centred ranks (fitness shaping: Wierstra et al., JMLR 15, 2014), as in the authors' code; draws come
    in pairs of opposite sign, and the first of each component is its mean.
    """

    components: Count = 1
    """Gaussians in the mixture."""
    population: Count = 51
    """Poses in a generation, over all components."""
    iterations: Count = 100
    """Generations before it starts again."""
    sigma: Positive = 0.1
    """First standard deviation of u."""
    rate: Positive = 0.1
    """Learning rate of Adam, for mu, sigma and the mixture's weights."""
    entropy: Annotated[float, msgspec.Meta(ge=0)] = 0.01
    """Weight of the entropy."""

    def run(self, problem: Problem) -> Steps:
        """The algorithm on ``problem``."""
        rng, squash, prior = problem.generator(), _Squash(problem.domain), problem.prior()
        given = list(problem.starts)
        while True:
            means = np.stack([given.pop(0) if given else prior.take(1)[0] for _ in range(self.components)])
            yield from self._ascend(squash, squash.from_vectors(means), rng)

    def _ascend(self, squash: _Squash, mu: Array, rng: np.random.Generator) -> Steps:
        """One ascent with first means ``mu`` [k, d]."""
        pairs = max(1, (self.population // self.components - 1) // 2)
        sigma, logits = np.full(mu.shape, self.sigma), np.zeros(len(mu))
        adam = _Adam(self.rate)
        for _ in range(self.iterations):
            half = rng.standard_normal((len(mu), pairs, mu.shape[1]))
            noise = np.concatenate([np.zeros((len(mu), 1, mu.shape[1])), half, -half], axis=1)  # [k, n, d]
            u = mu[:, None] + sigma[:, None] * noise
            told = yield Proposal(squash.to_vectors(u.reshape(-1, mu.shape[1])))
            worth = centred_ranks(told.scores).reshape(noise.shape[:2])
            by_mu, by_sigma, by_logits = search_gradient(mu, sigma, logits, noise, worth, self.entropy)
            d_mu, d_sigma, d_logits = adam.steps(by_mu, by_sigma, by_logits)
            mu, logits = mu + d_mu, logits + d_logits
            sigma = np.maximum(sigma + d_sigma, _SMALLEST_SIGMA)


def search_gradient(
    mu: Array, sigma: Array, logits: Array, noise: Array, worth: Array, entropy: float
) -> tuple[Array, Array, Array]:
    """The gradient of E[worth] + entropy * H(tanh u), u = mu + sigma * noise, u drawn from a mixture of Gaussians.

    ``mu`` and ``sigma`` [k, d], weights softmax(``logits`` [k]), ``noise`` [k, n, d] with n draws of each component,
    ``worth`` [k, n]. Returns the gradients by mu, sigma and logits. The worth enters by the score function, the entropy
    along its draws (equations 7 and 8); for one component H = E[noise^2 / 2 + log sigma + log(1 - tanh^2 u)].
    """
    weights, spread = softmax(logits)[:, None, None], sigma[:, None]
    u = mu[:, None] + spread * noise
    # density of each draw under each component: [k, n, k', d]
    z = (u[:, :, None] - mu) / sigma
    log_parts = -0.5 * (z**2).sum(-1) - np.log(sigma).sum(-1) + np.log(weights[:, 0, 0])
    responsibilities = softmax(log_parts, axis=-1)[..., None]  # [k, n, k', 1]
    # -d log p(u) / du, and d log(1 - tanh^2 u) / du
    along = (responsibilities * z / sigma).sum(2) - 2 * np.tanh(u)
    log_slope = np.log(np.maximum(1 - np.tanh(u) ** 2, 1e-12)).sum(-1)
    surprise = -logsumexp(log_parts, axis=-1) + log_slope
    by_mu = weights * (worth[..., None] * noise / spread + entropy * along)
    by_sigma = weights * (worth[..., None] * (noise**2 - 1) / spread + entropy * along * noise)
    value = (worth + entropy * surprise).mean(1)
    by_logits = weights[:, 0, 0] * (value - (weights[:, 0, 0] * value).sum())
    return by_mu.mean(1), by_sigma.mean(1), by_logits


class _Squash:
    """u in flat space to pose vectors within the scene's intervals, by tanh, and back."""

    def __init__(self, domain: Domain) -> None:
        self._domain = domain
        self._columns = [INDEX[name] for name in domain.searched]
        intervals = [domain.space.free[name] for name in domain.searched]
        self._centre = np.array([(i.low + i.high) / 2 for i in intervals])
        self._half = np.array([(i.high - i.low) / 2 for i in intervals])

    def to_vectors(self, u: Array) -> Array:
        vectors = np.repeat(self._domain.base[None], len(u), axis=0)
        vectors[:, self._columns] = self._centre + self._half * np.tanh(u)
        return self._domain.rounded(vectors)

    def from_vectors(self, vectors: Array) -> Array:
        # just within the interval, so that mu is finite
        share = np.clip((vectors[:, self._columns] - self._centre) / self._half, -0.99, 0.99)
        inverse: Array = np.arctanh(share)
        return inverse


class _Adam:
    """Ascent steps for several arrays (Kingma and Ba, 2015, algorithm 1)."""

    def __init__(self, rate: float) -> None:
        self._rate, self._count = rate, 0
        self._moments: list[tuple[Array, Array]] = []

    def steps(self, *gradients: Array) -> list[Array]:
        self._count += 1
        if not self._moments:
            self._moments = [(np.zeros_like(g), np.zeros_like(g)) for g in gradients]
        self._moments = [
            (0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2) for (m, v), g in zip(self._moments, gradients, strict=True)
        ]
        first, second = 1 - 0.9**self._count, 1 - 0.999**self._count
        return [self._rate * (m / first) / (np.sqrt(v / second) + 1e-8) for m, v in self._moments]


def centred_ranks(scores: Array) -> Array:
    """Ranks of ``scores`` spread evenly over [-0.5, 0.5]; equal scores share their mean rank."""
    from scipy.stats import rankdata

    ranks: Array = (rankdata(scores) - 1) / max(len(scores) - 1, 1) - 0.5
    return ranks
