"""Differences and averages of gradients, held against a renderer whose gradient is exact."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from smooth_renderer import Clouds, some_views, without_lights

from posetest.config import ObjectConfig, SceneConfig
from posetest.errors import ConfigError, ModelError
from posetest.geometry.so3 import tangent_to_matrix
from posetest.render.gradients import (
    FIELDS,
    Jitter,
    central_differences,
    finite_gradient,
    jittered_gradient,
)
from posetest.space import INDEX, scene_space, vectors_to_views

SIZE = 20


def adjoints(count: int, seed: int = 1, height: int = SIZE, width: int = SIZE) -> np.ndarray:
    """Smooth weights of the pixels, as a trained network's are not."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(count, 3, 3, 3))
    y, x = np.linspace(0, 2, height), np.linspace(0, 2, width)
    rows = np.stack([np.interp(y, [0, 1, 2], np.eye(3)[i]) for i in range(3)])
    columns = np.stack([np.interp(x, [0, 1, 2], np.eye(3)[i]) for i in range(3)])
    return np.einsum("ncij,ih,jw->nchw", coarse, rows, columns).astype(np.float32)


def pictures(count: int, seed: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, 1, (count, 3, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("lights", [0, 1, 3])
def test_differences_give_the_gradient_of_every_field(lights: int) -> None:
    renderer, views, weights = Clouds(), some_views(3, lights=lights), adjoints(3)
    found = finite_gradient(renderer, views, weights)
    true = renderer.gradient(views, renderer.render(views, SIZE, SIZE).images, weights)
    for name in FIELDS:
        got, wanted = getattr(found, name), getattr(true, name)
        assert got.shape == wanted.shape
        assert np.abs(got - wanted).max(initial=0) < 0.01 * np.abs(wanted).max(initial=1e-9), name
    assert found.backgrounds is None


def test_differences_give_the_gradient_of_pictures_behind() -> None:
    renderer, views, weights, behind = Clouds(), some_views(2), adjoints(2), pictures(2)
    behind[:, :, :4] = np.round(behind[:, :, :4])  # on the bounds as well
    found = finite_gradient(renderer, views, weights, backgrounds=behind, with_backgrounds=True, fields=())
    images = renderer.render(views, SIZE, SIZE, backgrounds=behind).images
    true = renderer.gradient(views, images, weights, backgrounds=behind, with_backgrounds=True)
    assert np.abs(found.backgrounds - true.backgrounds).max() < 1e-4
    assert not found.rotation.any()


def test_only_the_fields_asked_for_are_drawn() -> None:
    renderer, views = Clouds(), some_views(3)
    found = finite_gradient(renderer, views, adjoints(3), fields=["position", "fov"])
    assert renderer.drawn == 3 * 2 * 4
    assert found.position.all()
    assert not found.light_dirs.any()


def test_a_step_moves_the_outline_by_the_pixels_asked_for() -> None:
    moves: list[float] = []

    class Probe(Clouds):
        def render(self, views, height, width, **options):  # type: ignore[no-untyped-def]
            turn = np.linalg.norm(views.rotation - np.eye(3), axis=(1, 2)).max() / np.sqrt(2)
            moves.append(turn * (height / 2 / np.tan(views.fov[0] / 2)) / -views.position[0, 2])
            return super().render(views, height, width, **options)

    for fov, distance, size in ((0.5, 5, 224), (0.2, 20, 224), (0.5, 5, 64)):
        views = replace(some_views(1), rotation=np.eye(3)[None], fov=np.array([fov]))
        views = replace(views, position=np.array([[0.0, 0, -distance]]))
        finite_gradient(Probe(), views, adjoints(1, height=size, width=size), fields=["rotation"], step_px=0.4)
    assert np.allclose(moves, 0.4, rtol=1e-3)


def test_supersampled_differences_agree_with_plain_ones_of_a_smooth_scene() -> None:
    renderer, views, weights = Clouds(), some_views(2), adjoints(2)
    fine = finite_gradient(renderer, views, weights, samples=4, backgrounds=0.5 * np.ones_like(weights))
    plain = finite_gradient(renderer, views, weights, backgrounds=0.5 * np.ones_like(weights))
    for name in FIELDS:
        a, b = getattr(fine, name), getattr(plain, name)
        assert np.abs(a - b).max() < 0.03 * np.abs(b).max(), name


def test_differences_do_not_depend_on_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    renderer, views, weights = Clouds(), some_views(5), adjoints(5)
    whole = finite_gradient(renderer, views, weights)
    monkeypatch.setattr("posetest.render.gradients._BATCH_BYTES", 7 * weights[0].nbytes)
    pieces = finite_gradient(renderer, views, weights)
    for name in FIELDS:
        assert np.allclose(getattr(whole, name), getattr(pieces, name), rtol=1e-6, atol=1e-9)


def test_differences_follow_any_parameters_of_a_scene() -> None:
    config = SceneConfig(object=ObjectConfig(mesh=""))
    space, renderer, weights = scene_space(config), Clouds(), adjoints(4)
    vectors = space.sample(0, 0, 4)
    steps = np.zeros(vectors.shape[1])
    free = {"yaw": 0.3, "distance": 0.02, "light_azimuth": 0.5, "ambient": 0.01}
    for name, step in free.items():
        steps[INDEX[name]] = step

    def draw(moved: np.ndarray) -> np.ndarray:
        return renderer.render(vectors_to_views(moved, config), SIZE, SIZE).images

    found = central_differences(draw, vectors, steps, weights)
    assert not found[:, steps == 0].any()
    views = vectors_to_views(vectors, config)
    true = renderer.gradient(views, draw(vectors), weights)
    assert np.allclose(found[:, INDEX["ambient"]], true.ambient.sum(axis=1), rtol=2e-3, atol=2e-3)
    # yaw turns about the camera's own y axis: R = Ry(yaw) ...; degrees to radians
    assert np.allclose(found[:, INDEX["yaw"]], np.radians(true.rotation[:, 1]), rtol=5e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("steps", "message"), [([-1.0, 1.0], "finite and not negative"), ([np.nan, 1.0], "finite and not negative")]
)
def test_steps_that_are_none_are_refused(steps: list[float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        central_differences(lambda v: np.zeros((len(v), 3, 1, 1), np.float32), [[0, 0]], steps, np.zeros((1, 3, 1, 1)))


def test_requests_that_make_no_sense_are_refused() -> None:
    renderer, views, weights = Clouds(), some_views(2), adjoints(2)
    with pytest.raises(ConfigError, match='fields: "postion" is none of .*did you mean "position"'):
        finite_gradient(renderer, views, weights, fields=["postion"])
    with pytest.raises(ConfigError, match="step_px must be positive, not 0"):
        finite_gradient(renderer, views, weights, step_px=0)
    with pytest.raises(ConfigError, match="samples must be at least 1, not 0"):
        finite_gradient(renderer, views, weights, samples=0)
    with pytest.raises(ConfigError, match="hand over backgrounds"):
        finite_gradient(renderer, views, weights, with_backgrounds=True)
    with pytest.raises(ConfigError, match=r"shape \(2, 3, h, w\), not \(3, 3, 20, 20\)"):
        finite_gradient(renderer, views, adjoints(3))
    weights[1, 0, 0, 0] = np.inf
    with pytest.raises(ModelError, match="picture 1 of 2 is not finite"):
        finite_gradient(renderer, views, weights)
    with pytest.raises(ModelError, match="picture 1 of 2 is not finite"):
        jittered_gradient(renderer, views, weights, weights)


@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_moves_have_a_mean_of_zero_and_are_the_same_again(count: int) -> None:
    jitter = Jitter(count=count, turn_rad=0.02, shift=0.1)
    moves = jitter.moves()
    assert moves.shape == (count, 6)
    assert np.abs(moves.mean(axis=0)).max() < 1e-15
    assert (moves == Jitter(count=count, turn_rad=0.02, shift=0.1).moves()).all()
    assert (~moves.any(axis=1)).sum() == count % 2


def test_moves_have_the_size_asked_for() -> None:
    spread = Jitter(count=4000, turn_rad=0.02, shift=0.1, seed=5).moves().std(axis=0)
    assert np.allclose(spread, [0.02] * 3 + [0.1] * 3, rtol=0.05)


def test_without_a_move_the_mean_is_the_gradient_itself() -> None:
    renderer, views, weights = Clouds(), some_views(3), adjoints(3)
    images = renderer.render(views, SIZE, SIZE).images
    renderer.drawn = 0
    true = renderer.gradient(views, images, weights)
    for options in ({"count": 1}, {"count": 4, "turn_rad": 0.0, "shift": 0.0}):
        found = jittered_gradient(renderer, views, images, weights, **options)
        for name in FIELDS:
            assert np.allclose(getattr(found, name), getattr(true, name), rtol=1e-12)
    assert renderer.drawn == 0


def test_the_mean_is_the_gradient_of_the_mean_score_over_the_moved_poses() -> None:
    renderer, views, weights = Clouds(), some_views(2), adjoints(2)
    jitter = Jitter(count=5, turn_rad=0.2, shift=0.1, seed=3)
    images = renderer.render(views, SIZE, SIZE).images
    found = jittered_gradient(renderer, views, images, weights, count=5, turn_rad=0.2, shift=0.1, seed=3)

    def mean_score(moved):  # type: ignore[no-untyped-def]
        scores = []
        for move in jitter.moves():
            near = replace(
                moved, rotation=moved.rotation @ tangent_to_matrix(move[:3]), position=moved.position + move[3:]
            )
            scores.append((renderer.render(near, SIZE, SIZE).images * weights).sum(axis=(1, 2, 3), dtype=np.float64))
        return np.mean(scores, axis=0)

    step = 0.01
    for axis in range(3):
        turn = tangent_to_matrix(step * np.eye(3)[axis])
        ahead, behind = (replace(views, rotation=r @ views.rotation) for r in (turn, turn.transpose(0, 2, 1)))
        slope = (mean_score(ahead) - mean_score(behind)) / (2 * step)
        assert np.allclose(found.rotation[:, axis], slope, rtol=0.01, atol=0.01)


def test_the_moves_of_a_view_do_not_depend_on_the_others() -> None:
    renderer, views, weights, behind = Clouds(), some_views(4), adjoints(4), pictures(4)
    images = renderer.render(views, SIZE, SIZE, backgrounds=behind).images
    both = {"count": 3, "with_backgrounds": True}
    whole = jittered_gradient(renderer, views, images, weights, backgrounds=behind, **both)
    last = np.array([3])
    alone = jittered_gradient(renderer, views[last], images[last], weights[last], backgrounds=behind[last], **both)
    for name in (*FIELDS, "backgrounds"):
        assert np.allclose(getattr(whole, name)[3:], getattr(alone, name), rtol=1e-6)


def test_no_views_have_no_gradient_and_raise_nothing() -> None:
    renderer, views = Clouds(), without_lights(some_views(0))
    nothing = np.zeros((0, 3, SIZE, SIZE), np.float32)
    for found in (
        finite_gradient(renderer, views, nothing, backgrounds=nothing, with_backgrounds=True),
        jittered_gradient(renderer, views, nothing, nothing, backgrounds=nothing, with_backgrounds=True),
    ):
        assert found.rotation.shape == (0, 3)
        assert found.light_dirs.shape == (0, 0, 3)
        assert found.backgrounds.shape == nothing.shape


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count must be at least 1, not 0"),
        ({"turn_rad": -0.1}, "turn_rad must be finite and not negative, not -0.1"),
        ({"shift": np.inf}, "shift must be finite and not negative, not inf"),
    ],
)
def test_a_jitter_that_is_none_is_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Jitter(**options)
