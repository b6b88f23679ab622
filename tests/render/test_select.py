"""Settings of a scene, and the renderer that they choose."""

from __future__ import annotations

import importlib.util
from contextlib import closing

import msgspec
import numpy as np
import pytest
from render_pictures import quad, views

from posetest.config import RenderConfig
from posetest.errors import BackendError, ConfigError
from posetest.protocols import Renderer
from posetest.render.select import BACKENDS, default_device, describe, open_renderer
from posetest.scene.background import Background

HALF_LIT = views(np.eye(3), ambient=0.5)


def centre(settings: RenderConfig | None) -> np.ndarray:
    """The middle pixel of a white square under half of full ambient light."""
    with closing(open_renderer(quad(), Background(), settings, threads=1)) as renderer:
        assert isinstance(renderer, Renderer)
        return renderer.render(HALF_LIT, 9, 9).images[0, :, 4, 4]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(("shading", "value"), [("linear", 0.7354), ("gamma_free", 0.5)])
def test_shading_decides_whether_half_the_light_is_half_the_number(backend: str, shading: str, value: float) -> None:
    assert np.allclose(centre(RenderConfig(backend=backend, shading=shading)), value, atol=1e-3)


def test_without_settings_the_cpu_draws_in_linear_light() -> None:
    assert (centre(None) == centre(RenderConfig())).all()
    assert BACKENDS[0] == RenderConfig().backend == "cpu"


def test_more_samples_reach_the_cpu_renderer() -> None:
    # outlines are antialiased with either: the difference is in the bits
    pictures = []
    for samples in (1, 2):
        with closing(open_renderer(quad(), settings=RenderConfig(samples=samples), threads=1)) as renderer:
            pictures.append(renderer.render(views(np.eye(3), (0.031, 0.017, -4)), 33, 33).images)
    assert (pictures[0] != pictures[1]).any()
    assert np.abs(pictures[0] - pictures[1]).max() < 0.2


def test_samples_that_a_back_end_does_not_have_are_refused() -> None:
    with pytest.raises(ConfigError, match='render.samples = 2: backend = "reference" draws 8 x 8.*leave samples out'):
        open_renderer(quad(), settings=RenderConfig(backend="reference", samples=2))


def test_a_back_end_that_there_is_not_is_answered_with_those_there_are() -> None:
    settings = msgspec.structs.replace(RenderConfig(), backend="pytorch3")
    with pytest.raises(
        ConfigError, match='render.backend = "pytorch3"; did you mean "pytorch3d".*one of cpu, reference'
    ):
        open_renderer(quad(), settings=settings)


@pytest.mark.skipif(importlib.util.find_spec("pytorch3d") is not None, reason="PyTorch3D is installed")
def test_pytorch3d_says_that_it_is_missing_and_how_to_get_it() -> None:
    with pytest.raises(BackendError, match="not installed.*pip install"):
        open_renderer(quad(), settings=RenderConfig(backend="pytorch3d"))


def test_settings_are_described_by_what_differs_from_the_defaults() -> None:
    assert describe(RenderConfig()) == "cpu"
    assert describe(RenderConfig(samples=2, shading="gamma_free")) == "cpu, 2 x 2 samples, gamma_free shading"
    assert default_device(RenderConfig(backend="reference")) == "cpu"


def test_the_device_stands_in_the_description(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert describe(RenderConfig(backend="pytorch3d")) == "pytorch3d on cuda"
    assert describe(RenderConfig()) == "cpu"
