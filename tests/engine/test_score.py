"""From poses to scores and gradients: against differences of the scores, with a renderer that has no edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from smooth_renderer import Clouds

import posetest
from posetest.config import GradientConfig, JitterConfig, LightConfig, ObjectConfig, SceneConfig, SpaceConfig
from posetest.engine.score import Scorer, jittered
from posetest.errors import ConfigError, ModelError
from posetest.objectives import BlackBox, Fool, parse_objective
from posetest.scene.background import Background
from posetest.scene.scene import Scene
from posetest.search.domain import make_domain
from posetest.space import INDEX, scene_space, vectors_to_views

CONFIG = SceneConfig(
    object=ObjectConfig(mesh="none.obj", labels=("one",)),
    lights=(LightConfig(), LightConfig(azimuth_deg=80.0)),
    space=SpaceConfig(azimuth=(-30.0, 30.0), fov=(25.0, 35.0), light_azimuth=(-90.0, 90.0)),
)


class Blurry(torch.nn.Module):
    """Three classes from a few wide filters: smooth in the picture."""

    categories = ("one", "two", "three")

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(3)
        self.filters = torch.nn.Conv2d(3, 6, 12, stride=6)
        self.out = torch.nn.Linear(6, 3)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 4 * self.out(torch.tanh(self.filters(images)).mean((2, 3)))


def make_scorer(objective: str = "target:two", **changes: object) -> Scorer:
    scene = Scene("clouds", None, Background(), CONFIG, "clouds.toml")
    model = posetest.load_model(Blurry())
    parsed = parse_objective(objective, model.categories, (0,))
    domain = make_domain(scene_space(CONFIG))
    made = Scorer(scene, model, parsed, domain, Clouds(), (0,), model.categories, image_size=24)
    return replace(made, **changes)


def differences(scorer: Scorer, vectors: np.ndarray, h: float = 2e-3) -> np.ndarray:
    found = np.empty((len(vectors), scorer.domain.dim))
    for k in range(scorer.domain.dim):
        step = np.zeros(scorer.domain.dim)
        step[k] = h
        ahead, behind = (scorer.evaluate(scorer.domain.moved(vectors, s * step), 0).evaluation.scores for s in (1, -1))
        found[:, k] = (ahead - behind) / (2 * h)
    return found


def inner_poses(scorer: Scorer, count: int, seed: int = 0) -> np.ndarray:
    """Poses that no step of a difference takes out of bounds."""
    vectors = scorer.domain.sample(seed, 0, count)
    return scorer.domain.with_coordinates(vectors, 0.9 * scorer.domain.coordinates(vectors))


@pytest.mark.parametrize(
    "objective", ["target:two", "fool", "maximise:filters:2?reduce=max", "fool + 0.5 * maximise:logit:three"]
)
def test_the_gradient_of_a_score_is_that_of_its_differences(objective: str) -> None:
    scorer = make_scorer(objective)
    vectors = inner_poses(scorer, 6)
    told = scorer.evaluate(vectors, 0, with_gradient=True).evaluation
    expected = differences(scorer, vectors)
    assert np.abs(told.gradients - expected).max() < 0.02 * np.abs(expected).max()


def test_copies_of_a_robust_objective_are_averaged_in_score_and_gradient() -> None:
    jitter = JitterConfig(turn_deg=8.0, distance=0.1, light_deg=5.0)
    scorer = make_scorer("fool", copies=5, jitter=jitter)
    vectors = inner_poses(scorer, 4)
    scored = scorer.evaluate(vectors, 0, with_gradient=True)
    one = make_scorer("fool")
    copies = [vectors] + [jittered(vectors, jitter, 0, k, 1) for k in range(1, 5)]
    each = np.stack([one.evaluate(copy, 0).evaluation.scores for copy in copies])
    assert scored.evaluation.scores == pytest.approx(each.mean(axis=0), abs=1e-5)
    assert np.ptp(each, axis=0).max() > 0.05  # the copies differ, or this shows nothing
    assert scored.share == pytest.approx((each > 0).mean(axis=0))
    expected = differences(scorer, vectors)
    assert np.abs(scored.evaluation.gradients - expected).max() < 0.03 * np.abs(expected).max()
    assert (scored.forward, scored.backward, scored.renders) == (5, 5, 5)


def test_what_is_random_is_drawn_anew_for_each_evaluation_and_the_same_for_its_number() -> None:
    scorer = make_scorer("fool", random=("distance", "light_azimuth"))
    vectors = inner_poses(scorer, 8)
    first, again = (scorer.evaluate(vectors, 40).evaluation.vectors for _ in range(2))
    later = scorer.evaluate(vectors, 48).evaluation.vectors
    drawn = [INDEX["distance"], INDEX["light_azimuth"]]
    held = [i for i in range(vectors.shape[1]) if i not in drawn]
    assert np.array_equal(first, again)
    assert np.array_equal(first[:, held], vectors[:, held])
    assert len(np.unique(np.concatenate([first, later])[:, drawn[0]])) == 16
    one_by_one = [scorer.evaluate(vectors[i : i + 1], 40 + i).evaluation.vectors[0] for i in range(8)]
    assert np.array_equal(first, np.stack(one_by_one))


def test_scores_do_not_depend_on_the_batch() -> None:
    vectors = inner_poses(make_scorer(), 23)
    whole, parts = (make_scorer(batch_size=size).evaluate(vectors, 0) for size in (64, 5))
    assert whole.evaluation.scores == pytest.approx(parts.evaluation.scores, abs=1e-6)
    assert np.array_equal(whole.columns["top1"], parts.columns["top1"])


def test_the_search_for_the_nearest_is_scored_by_distance_where_it_is_reached() -> None:
    scorer = make_scorer("maximise:logit:two")
    vectors = inner_poses(scorer, 60)
    median = float(np.median(scorer.evaluate(vectors, 0).evaluation.scores))
    scorer = replace(scorer, objective=replace(scorer.objective, until=median))
    margins = scorer.evaluate(vectors, 0).evaluation.margins
    anchor = vectors[int(margins.argmin())]
    nearest = replace(scorer, anchor=anchor)
    told = nearest.evaluate(vectors, 0, with_gradient=True).evaluation
    is_hit = margins > 0
    assert 5 < is_hit.sum() < 55
    distances = scorer.domain.distance(anchor[None], vectors)
    assert told.scores[is_hit] == pytest.approx(-distances[is_hit])
    assert told.scores[is_hit].min() > told.scores[~is_hit].max()
    assert (np.argsort(told.scores[~is_hit]) == np.argsort(margins[~is_hit])).all()
    # one step along the gradient of a hit brings it nearer by the step's length
    steps = told.gradients[is_hit] * 0.01
    moved = scorer.domain.moved(vectors[is_hit], steps)
    closer = scorer.domain.distance(anchor[None], moved) - distances[is_hit]
    assert np.linalg.norm(told.gradients[is_hit], axis=1) == pytest.approx(np.ones(is_hit.sum()))
    assert closer == pytest.approx(np.full(is_hit.sum(), -0.01), abs=2e-3)


def test_gradients_cost_pictures_where_they_are_differences() -> None:
    renderer = Clouds()
    scorer = make_scorer("target:two", renderer=renderer, gradient=GradientConfig(kind="finite"))
    vectors = inner_poses(scorer, 2)
    scored = scorer.evaluate(vectors, 0, with_gradient=True)
    assert renderer.drawn == 2 * scored.renders
    renderer = Clouds()
    averaged = make_scorer("target:two", renderer=renderer, gradient=GradientConfig(jitter=5))
    scored = averaged.evaluate(vectors, 0, with_gradient=True)
    assert renderer.drawn == 2 * scored.renders
    assert renderer.gradients == 10


def test_a_pose_without_a_score_is_worst_and_known_as_such() -> None:
    scorer = make_scorer("fool")
    broken = BlackBox(lambda images: np.where(np.arange(len(images)) == 1, np.nan, 1.0), until=0.0)
    told = replace(scorer, objective=broken).evaluate(inner_poses(scorer, 3), 0).evaluation
    assert told.scores.tolist() == [1.0, -np.inf, 1.0]
    assert told.margins[0] == 1.0
    assert np.isnan(told.margins[1])


def test_a_pose_that_a_model_cannot_score_leaves_the_gradients_of_the_others_alone() -> None:
    scorer = make_scorer("fool")
    vectors = inner_poses(scorer, 3)
    whole = scorer.evaluate(vectors, 0, with_gradient=True).evaluation

    class Failing(Blurry):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            scores = super().forward(images)
            factors = torch.ones(len(images), 1)
            if len(images) == 3:  # not while it is loaded
                factors[1] = torch.nan
            return scores * factors

    told = replace(scorer, model=posetest.load_model(Failing())).evaluate(vectors, 0, with_gradient=True).evaluation
    assert told.scores[1] == -np.inf
    assert told.gradients is not None
    assert whole.gradients is not None
    assert np.array_equal(told.gradients[[0, 2]], whole.gradients[[0, 2]])
    assert (told.gradients[1] == 0).all()


def test_a_function_of_the_users_sees_each_picture_once() -> None:
    seen = []

    def brightness(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        return images.mean((1, 2, 3))

    scorer = make_scorer("fool")
    replace(scorer, objective=BlackBox(brightness, until=0.5)).evaluate(inner_poses(scorer, 3), 0)
    assert sum(seen) == 3


def test_a_gradient_that_does_not_flow_is_refused_and_a_failing_model_named() -> None:
    scorer = make_scorer("fool")
    vectors = inner_poses(scorer, 2)
    black = replace(scorer, objective=Fool((0,)) + BlackBox(lambda images: images.mean((1, 2, 3))))
    assert not black.has_gradient
    with pytest.raises(ConfigError, match="no gradient flows from fool . maximise:score to the pose"):
        black.evaluate(vectors, 0, with_gradient=True)
    failing = replace(scorer, objective=BlackBox(lambda images: 1 / 0, name="mine"))
    with pytest.raises(
        ModelError, match="score mine: ZeroDivisionError.*at evaluations 7 to 8; what was evaluated before"
    ):
        failing.evaluate(vectors, 7)


def test_jitter_turns_about_the_cameras_axes_and_leaves_the_pose_itself_alone() -> None:
    scorer = make_scorer()
    vectors = scorer.domain.sample(0, 0, 50)
    moved = jittered(vectors, JitterConfig(turn_deg=5.0), 1, 1, 1)
    turns = scorer.domain.rotations(moved) @ np.swapaxes(scorer.domain.rotations(vectors), 1, 2)
    assert turns == pytest.approx(np.broadcast_to(turns[0], turns.shape), abs=1e-9)  # one turn for all poses
    still = jittered(vectors, _no_jitter(), 1, 1, 1)
    assert np.array_equal(still, vectors)
    assert len(vectors_to_views(moved, CONFIG)) == 50


def _no_jitter() -> JitterConfig:
    return JitterConfig(turn_deg=0, distance=0, offset=0, light_deg=0, light_strength=0, ambient=0, background=False)
