"""Published classifiers on photographs: loaded through spec strings, they must answer what they are known to answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from posetest.models.labels import resolve_label
from posetest.models.load import load_model
from posetest.models.preprocess import resize

NAMES = (
    "mobilenet_v2", "tf2_mobilenet_v2", "mobilenet_v1_0.75_192", "mobilenet_v1_0.5_160", "squeezenet",
    "mobilenet_v1_0.25_128",
)  # fmt: skip

#: JPEG decoders differ by a grey level here and there.
PROBABILITY_TOLERANCE = 0.02

#: Below this lead over the runner-up another decoder may turn the answer around.
CLEAR_LEAD = 0.1

#: One network in two runtimes: different order of additions in float32.
RUNTIME_TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def photographs(shared: Path) -> list[tuple[dict[str, Any], Tensor]]:
    entries = json.loads((shared / "photos" / "photos.json").read_text())
    return [(entry, _read(shared / "photos" / entry["file"])) for entry in entries]


def _read(path: Path) -> Tensor:
    return torch.from_numpy(np.array(Image.open(path).convert("RGB"))).permute(2, 0, 1)[None] / 255


@pytest.mark.parametrize("name", NAMES)
def test_a_published_classifier_answers_what_it_is_known_to_answer(
    name: str, shared: Path, photographs: list[tuple[dict[str, Any], Tensor]]
) -> None:
    model = load_model(f"{shared}/classifiers/classifiers.py:load?name={name}")
    assert model.name == name
    assert resolve_label("jeep", model.categories) == 609
    assert len(photographs) == 9
    for entry, image in photographs:
        expected = entry["expected"][name]
        with torch.no_grad():
            p = model.log_probabilities(image).exp()[0]
        assert float(p[expected["class"]]) == pytest.approx(expected["probability"], abs=PROBABILITY_TOLERANCE)
        if expected["probability"] - expected["runner_up"] > CLEAR_LEAD:
            assert int(p.argmax()) == expected["class"], entry["file"]


@pytest.mark.parametrize("name", ["mobilenet_v2", "mobilenet_v1_0.25_128"])
def test_an_onnx_file_agrees_with_the_torch_module(
    name: str, shared: Path, photographs: list[tuple[dict[str, Any], Tensor]]
) -> None:
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    folder = shared / "classifiers"
    onnx = load_model(f"onnx:{folder}/{name}.onnx?labels={folder}/imagenet_classes.txt")
    module = load_model(f"{folder}/classifiers.py:load?name={name}")
    assert onnx.categories == module.categories
    assert onnx.input_size == module.input_size
    assert onnx.input_size is not None
    side = (onnx.input_size, onnx.input_size)
    batch = torch.cat([resize(image, side) for _, image in photographs])
    with torch.no_grad():
        assert float((onnx.log_probabilities(batch) - module.log_probabilities(batch)).abs().max()) < RUNTIME_TOLERANCE


def test_gradients_of_a_published_classifier_agree_with_finite_differences(
    shared: Path, photographs: list[tuple[dict[str, Any], Tensor]]
) -> None:
    spec = f"{shared}/classifiers/classifiers.py:load?name=mobilenet_v1_0.25_128"
    model = load_model(spec)
    model.forward.double()  # type: ignore[attr-defined]
    image = photographs[0][1].double().requires_grad_()
    (gradient,) = torch.autograd.grad(model.log_probabilities(image)[0, 285], image)
    direction = torch.randn(image.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    step = 1e-6
    with torch.no_grad():
        above, below = (model.log_probabilities(image + sign * step * direction)[0, 285] for sign in (1, -1))
    slope = float((above - below) / (2 * step))
    assert float((gradient * direction).sum()) == pytest.approx(slope, rel=1e-4)


def test_scores_of_a_photograph_do_not_depend_on_the_batch(
    shared: Path, photographs: list[tuple[dict[str, Any], Tensor]]
) -> None:
    model = load_model(f"{shared}/classifiers/classifiers.py:load?name=mobilenet_v2")
    batch = torch.cat([resize(image, (224, 224)) for _, image in photographs])
    with torch.no_grad():
        together = model.log_probabilities(batch)
        parts = torch.cat([model.log_probabilities(part) for part in batch.split(4)])
    assert float((together - parts).abs().max()) < 1e-4
