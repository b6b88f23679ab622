"""Facts about the bundled classifier, on the bundled objects that the renderer draws."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from posetest.errors import ModelError
from posetest.geometry.camera import Views
from posetest.models import bundled
from posetest.models.bundled.files import read, write
from posetest.models.bundled.network import SmallNet, folded
from posetest.objects.catalogue import BUILDERS
from posetest.render.cpu import CpuRenderer
from posetest.scene.scene import load_scene, object_scenes
from posetest.space import scene_space
from posetest.training.variants import categories

MAX_BYTES = 1_500_000


def turntable(azimuths_deg: list[float], elevation_deg: float, roll_deg: float = 0.0) -> Views:
    """Views from around an upright object (or one rolled about the line of sight), mid-sized in a 30-degree frame."""
    rows = []
    for azimuth in np.radians(azimuths_deg):
        e, r = math.radians(elevation_deg), math.radians(roll_deg)
        yaw = [[math.cos(azimuth), 0, -math.sin(azimuth)], [0, 1, 0], [math.sin(azimuth), 0, math.cos(azimuth)]]
        pitch = [[1, 0, 0], [0, math.cos(e), -math.sin(e)], [0, math.sin(e), math.cos(e)]]
        roll = [[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]]
        rows.append(np.array(roll) @ np.array(pitch) @ np.array(yaw))
    n = len(rows)
    light = np.array([-0.5, 0.6, 0.7]) / np.linalg.norm([-0.5, 0.6, 0.7])
    return Views(
        rotation=np.stack(rows),
        position=np.tile([0.0, 0.0, -5.5], (n, 1)),
        fov=np.full(n, math.radians(30)),
        light_dirs=np.tile(light, (n, 1, 1)),
        light_colors=np.full((n, 1, 3), 0.9),
        ambient=np.full((n, 3), 0.3),
        background=np.zeros(n, dtype=np.int64),
    )


def pictures(name: str, views: Views, size: int = 112) -> torch.Tensor:
    with CpuRenderer(BUILDERS[name](0).mesh, threads=2) as renderer:
        return torch.from_numpy(renderer.render(views, size, size).images)


def test_classes_are_those_of_the_objects_and_other() -> None:
    assert bundled.load().categories == categories(tuple(BUILDERS))
    assert bundled.load().categories[-1] == "other"
    assert {path.stem for path in object_scenes()} == set(BUILDERS)


def test_the_weights_are_small_and_say_how_they_came_about() -> None:
    assert bundled.WEIGHTS.stat().st_size < MAX_BYTES
    info = bundled.load().info
    conditions = load_scene("photographer")
    assert info["measure"] == scene_space(conditions.config, conditions.background.count).measure
    assert float(info["inside: accuracy"]) >= 0.97
    assert float(info["inside: calibration error"]) < 0.05
    assert float(info["all_rotations: accuracy"]) < 0.9


def test_it_is_in_eval_mode_with_frozen_parameters() -> None:
    model = bundled.load()
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("name", BUILDERS)
def test_bundled_objects_are_recognised_as_people_photograph_them(name: str) -> None:
    views = turntable(list(np.arange(-60.0, 61.0, 15.0)), 15.0)
    answers = bundled.load()(pictures(name, views)).argmax(1).tolist()
    assert answers.count(list(BUILDERS).index(name)) >= 8  # of 9


@pytest.mark.parametrize("size", [(64, 64), (224, 224), (97, 130)])
def test_pictures_of_any_size_are_taken(size: tuple[int, int]) -> None:
    logits = bundled.load()(torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (2, len(BUILDERS) + 1)
    assert torch.isfinite(logits).all()


def test_the_gradient_reaches_the_picture() -> None:
    images = pictures("coffee_mug", turntable([20.0], 15.0)).requires_grad_()
    torch.autograd.backward(bundled.load()(images)[0, 1])
    assert images.grad is not None
    assert torch.isfinite(images.grad).all()
    assert images.grad.abs().max() > 0


def test_folding_batch_normalisation_changes_nothing() -> None:
    torch.manual_seed(3)
    network = SmallNet(4, normalised=True)
    batch = torch.rand(16, 3, 64, 64)
    for _ in range(3):
        network(batch)  # gives the running statistics something to hold
    network.eval()
    with torch.no_grad():
        assert torch.allclose(folded(network)(batch), network(batch), atol=1e-4)


def test_weights_survive_the_file_in_half_precision(tmp_path: Path) -> None:
    torch.manual_seed(4)
    network = SmallNet(3, normalised=False)
    write(tmp_path / "w.safetensors", network, ("a", "b", "other"), {"seed": "4"})
    model = read(tmp_path / "w.safetensors")
    assert model.categories == ("a", "b", "other")
    assert model.info == {"seed": "4"}
    batch = torch.rand(2, 3, 64, 64)
    assert torch.allclose(model(batch), network(batch), atol=1e-2)


def test_missing_weights_are_named_with_the_command_that_makes_them(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"none\.safetensors: no such weights of a reference classifier; posetest train-reference"
    ):
        bundled.load(tmp_path / "none.safetensors")


def test_a_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bad.safetensors").write_bytes(b"not weights at all")
    with pytest.raises(ModelError, match="not weights of the bundled classifier"):
        bundled.load(tmp_path / "bad.safetensors")
