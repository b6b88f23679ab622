"""Objectives on SO(3) with known optima, and the loop that lets a search find them without a picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from posetest.config import ObjectConfig, SceneConfig, SpaceConfig
from posetest.search.asktell import Evaluation, Method, Problem, Proposal, Search
from posetest.search.domain import Domain, make_domain
from posetest.space import NAMES, scene_space

Array = NDArray[np.float64]

#: Log-probabilities over poses span about so much; the published searches' step sizes are made for that.
SCALE = 20.0


@dataclass(frozen=True, eq=False)
class Planted:
    """A score of rotations, and where it is highest.

    Attributes:
        name: for test ids.
        score: [n] of rotation matrices [n, 3, 3].
        optima: matrices [k, 3, 3] that are all as good.
    """

    name: str
    score: Callable[[Array], Array]
    optima: Array

    def error_deg(self, matrices: Array) -> Array:
        """Angle [n] to the nearest optimum, degrees."""
        return np.degrees(np.min([angle(matrices, optimum) for optimum in self.optima], axis=0))


def euler(yaw: float, pitch: float, roll: float) -> Array:
    """The rotation of three angles in degrees, by scipy."""
    return Rotation.from_euler("YXZ", [yaw, pitch, roll], degrees=True).as_matrix()


def angle(a: Array, b: Array) -> Array:
    """Angle [n] between rotations, radians, from the trace."""
    trace = np.einsum("...ij,...ij->...", a, b)
    return np.arccos(np.clip((trace - 1) / 2, -1, 1))


def bump(matrices: Array, centre: Array, width: float) -> Array:
    """1 at ``centre``, smooth, and with a slope everywhere but at the far side."""
    return np.exp((np.cos(angle(matrices, centre)) - 1) / width**2)


def one_peak(name: str, centre: Array) -> Planted:
    return Planted(name, lambda r: SCALE * bump(r, centre, 0.8), centre[None])


def several_modes() -> Planted:
    """Five peaks, the highest no wider than the others."""
    places = [(120, 40, -70), (-60, -30, 10), (10, 70, 150), (-150, 0, 90), (60, -60, -20)]
    places = [(120, 40, -70), (-60, -30, 10), (10, 70, 150), (-150, 0, 90), (60, -60, -20)]
    centres = np.stack([euler(*angles) for angles in places])
    heights = (1.0, 0.75, 0.7, 0.65, 0.6)
    return Planted(
        "several modes",
        lambda r: SCALE * np.max([h * bump(r, c, 0.6) for h, c in zip(heights, centres, strict=True)], axis=0),
        centres[:1],
    )


def ridge() -> Planted:
    """A narrow ridge, all turns about one axis, that rises slowly along itself."""
    centre = euler(35, -20, 60)

    def score(r: Array) -> Array:
        off = 1 - (r[:, :, 1] * centre[:, 1]).sum(axis=1)  # of the object's up axis from the ridge
        return SCALE * (0.8 * bump(r, centre, 0.8) - 2.0 * off)

    return Planted("ridge", score, centre[None])


PLANTED = (
    several_modes(),
    ridge(),
    one_peak("across the wrap", euler(179.7, 10, -179.6)),
    one_peak("at the gimbal pole", euler(25, 89.9, 60)),
)


def rotations_only(**space: object) -> Domain:
    """All of SO(3) at a distance that the study's searches may vary too."""
    values = {"offset_x": 0.0, "offset_y": 0.0, "distance": (4.0, 6.0), **space}
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), space=SpaceConfig(**values))
    return make_domain(scene_space(config))


def evaluate(domain: Domain, planted: Planted, proposal: Proposal) -> Evaluation:
    """What a proposal is told: the planted score, and its gradient by central differences where wanted."""
    vectors = proposal.vectors
    scores = planted.score(domain.rotations(vectors))
    gradients = None
    if proposal.with_gradient:
        gradients = np.zeros((len(vectors), domain.dim))
        for k in range(domain.dim):
            step = np.zeros(domain.dim)
            step[k] = 1e-3
            ahead, behind = (planted.score(domain.rotations(domain.moved(vectors, s * step))) for s in (1, -1))
            gradients[:, k] = (ahead - behind) / 2e-3
    labels = (scores * 3).astype(np.int64)
    return Evaluation(vectors, scores, scores - 0.9 * SCALE, labels, gradients)


def run(method: Method, problem: Problem, planted: Planted) -> list[Evaluation]:
    """Everything that a search was told until its budget was spent."""
    search, told, spent = Search(method, problem), [], 0
    while (proposal := search.ask()) is not None:
        spent += len(proposal.vectors) * proposal.calls_each
        if spent > problem.budget:
            break
        told.append(evaluate(problem.domain, planted, proposal))
        search.tell(told[-1])
    return told


def vector(domain: Domain, **values: float) -> Array:
    """One pose [1, parameters] of the domain."""
    base = dict(zip(NAMES, domain.base.tolist(), strict=True))
    return np.array([[{**base, **values}[name] for name in NAMES]])
