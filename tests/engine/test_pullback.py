"""From gradients by views to gradients by what a search moves, against differences of the whole map."""

from __future__ import annotations

import numpy as np
import pytest

from posetest.config import LightConfig, ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.engine.pullback import tangent_gradients
from posetest.geometry.camera import Views
from posetest.protocols import ViewGradients
from posetest.search.domain import make_domain
from posetest.space import scene_space, vectors_to_views

CONFIG = SceneConfig(
    object=ObjectConfig(mesh="none.obj"),
    lights=(LightConfig(color=(1.0, 0.8, 0.6)), LightConfig(azimuth_deg=100.0, strength=0.4)),
    space=SpaceConfig(
        distance=RangeConfig(low=2.0, high=30.0, prior="log"),
        fov=(20.0, 50.0),
        azimuth=(-180.0, 180.0),
        elevation=(-60.0, 60.0),
        light_azimuth=(-180.0, 180.0),
        light_elevation=(-20.0, 80.0),
        light_strength=(0.2, 1.5),
        ambient=(0.0, 0.6),
    ),
)
FIELDS = ("position", "fov", "light_dirs", "light_colors", "ambient")


class Linear:
    """A scalar of views that is linear in their fields, with its gradient."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        self.by_rotation = rng.normal(size=(3, 3))
        shapes = {"position": (3,), "fov": (), "light_dirs": (2, 3), "light_colors": (2, 3), "ambient": (3,)}
        self.weights = {name: rng.normal(size=shape) for name, shape in shapes.items()}

    def value(self, views: Views) -> np.ndarray:
        total = np.einsum("ij,nij->n", self.by_rotation, views.rotation)
        for name in FIELDS:
            total = total + (getattr(views, name) * self.weights[name]).reshape(len(views), -1).sum(axis=1)
        return total

    def gradient(self, views: Views) -> ViewGradients:
        generators = np.zeros((3, 3, 3))  # [e_k]x
        for k in range(3):
            generators[k, (k + 2) % 3, (k + 1) % 3], generators[k, (k + 1) % 3, (k + 2) % 3] = 1, -1
        turn = np.einsum("ij,kil,nlj->nk", self.by_rotation, generators, views.rotation)
        count = len(views)
        rest = {name: np.broadcast_to(w, (count, *w.shape)) for name, w in self.weights.items()}
        return ViewGradients(rotation=turn, **rest)


@pytest.mark.parametrize(
    "searched",
    [("yaw", "pitch", "roll"), ("distance", "offset_x", "offset_y", "fov"), ("yaw", "azimuth", "elevation"), None],
    ids=["rotation", "position", "orbit and one angle", "everything"],
)
def test_the_gradient_is_that_of_differences_of_the_pose(searched: tuple[str, ...] | None) -> None:
    domain = make_domain(scene_space(CONFIG), searched)
    vectors = domain.sample(1, 0, 12)
    score = Linear(seed=2)
    found = tangent_gradients(domain, vectors, CONFIG, score.gradient(vectors_to_views(vectors, CONFIG)))
    h = 0.004  # far above the rounding of poses, far below their curvature
    expected = np.empty_like(found)
    for k in range(domain.dim):
        step = np.zeros(domain.dim)
        step[k] = h
        ahead, behind = (score.value(vectors_to_views(domain.moved(vectors, s * step), CONFIG)) for s in (1, -1))
        expected[:, k] = (ahead - behind) / (2 * h)
    # an axis at the end of its interval moves one way only
    inside = np.ones_like(found, dtype=bool)
    inside[:, 3 * domain.has_rotation :] = np.abs(domain.coordinates(vectors)) < 1 - 2 * h
    for k, axis in enumerate(domain.axes):
        inside[:, 3 * domain.has_rotation + k] |= axis.is_circle
    scale = np.abs(expected).max(axis=0)
    assert (np.abs(found - expected)[inside] < 2e-3 * np.broadcast_to(scale, found.shape)[inside] + 2e-4).all()


def test_a_background_has_no_gradient() -> None:
    config = SceneConfig(object=ObjectConfig(mesh="none.obj"), lights=CONFIG.lights)
    domain = make_domain(scene_space(config, backgrounds=5), ("distance", "background"))
    vectors = domain.sample(0, 0, 3)
    found = tangent_gradients(domain, vectors, config, Linear(seed=0).gradient(vectors_to_views(vectors, config)))
    assert (found[:, 1] == 0).all()
    assert (found[:, 0] != 0).all()
