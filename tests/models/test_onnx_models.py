"""ONNX classifiers: any layout, batch and input type, against the arithmetic that the graph does."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_onnx import FLOAT16, UINT8, write_mean_colour
from torch import Tensor

from posetest.errors import MissingDependencyError, ModelError
from posetest.models.load import load_model

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

WEIGHTS = np.random.default_rng(0).normal(size=(3, 5))


def images(count: int, side: int = 8) -> Tensor:
    return torch.rand((count, 3, side, side), generator=torch.Generator().manual_seed(0))


def expected(batch: Tensor, scale: float = 1.0) -> Tensor:
    return torch.log_softmax(scale * batch.mean((2, 3)) @ torch.from_numpy(WEIGHTS).float(), 1)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("batch", ["n", 1, 4])
def test_any_layout_and_batch_axis_gives_the_same_scores(batch: int | str, layout: str, tmp_path: Path) -> None:
    shape = (batch, 3, 8, 8) if layout == "nchw" else (batch, 8, 8, 3)
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, shape, layout=layout)
    model = load_model(f"onnx:{path}")
    assert (model.name, model.input_size, model.is_differentiable) == ("net", 8, False)
    assert model.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    for count in (1, 4, 6):
        assert torch.allclose(model.log_probabilities(images(count)), expected(images(count)), atol=1e-5)


def test_frames_of_another_size_are_resized_to_the_graphs_input(tmp_path: Path) -> None:
    model = load_model(f"onnx:{write_mean_colour(tmp_path / 'net.onnx', WEIGHTS, ('n', 3, 8, 8))}")
    assert "whole frame to 8x8 px" in model.preprocessing
    flat = images(2, 1).expand(2, 3, 30, 30)
    assert torch.allclose(model.log_probabilities(flat), expected(flat), atol=1e-5)


def test_a_graph_of_free_size_gets_images_as_they_are(tmp_path: Path) -> None:
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, ("n", 3, "h", "w"))
    model = load_model(f"onnx:{path}?threads=1")
    assert model.input_size is None
    assert torch.allclose(model.log_probabilities(images(3, 11)), expected(images(3, 11)), atol=1e-5)
    assert load_model(f"onnx:{path}?size=9").input_size == 9


def test_mean_and_deviation_of_the_options_are_applied(tmp_path: Path) -> None:
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, ("n", 3, 8, 8))
    model = load_model(f"onnx:{path}?mean=0.5&std=1/4")
    assert torch.allclose(model.log_probabilities(images(3)), expected((images(3) - 0.5) * 4), atol=1e-5)


def test_inputs_of_bytes_get_0_to_255_and_of_half_precision_get_halves(tmp_path: Path) -> None:
    batch = (images(3) * 255).round() / 255
    path = write_mean_colour(tmp_path / "bytes.onnx", WEIGHTS, ("n", 3, 8, 8), dtype=UINT8)
    assert torch.allclose(load_model(f"onnx:{path}").log_probabilities(batch), expected(batch, 255.0), atol=1e-3)
    path = write_mean_colour(tmp_path / "half.onnx", WEIGHTS, ("n", 3, 8, 8), dtype=FLOAT16)
    assert torch.allclose(load_model(f"onnx:{path}").log_probabilities(batch), expected(batch), atol=1e-2)


def test_one_of_several_outputs_can_be_chosen(tmp_path: Path) -> None:
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, ("n", 3, 8, 8))
    model = load_model(f"onnx:{path}?output=twice")
    assert torch.allclose(model.log_probabilities(images(3)), expected(images(3), 2.0), atol=1e-5)
    with pytest.raises(ModelError, match=r'no output "twic"; did you mean "twice"\? \(there are scores, twice\)'):
        load_model(f"onnx:{path}?output=twic")


def test_a_layout_that_cannot_be_told_is_asked_for(tmp_path: Path) -> None:
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, ("n", "a", "b", "c"))
    with pytest.raises(ModelError, match="where the 3 colour channels are; add layout=nchw or layout=nhwc"):
        load_model(f"onnx:{path}")
    assert torch.allclose(load_model(f"onnx:{path}?layout=nchw").log_probabilities(images(2)), expected(images(2)))
    fixed = write_mean_colour(tmp_path / "fixed.onnx", WEIGHTS, ("n", 3, 8, 8))
    with pytest.raises(ModelError, match=r"with layout=nhwc the input .* has 8 channels instead of 3"):
        load_model(f"onnx:{fixed}?layout=nhwc")


def test_a_gradient_is_refused(tmp_path: Path) -> None:
    model = load_model(f"onnx:{write_mean_colour(tmp_path / 'net.onnx', WEIGHTS, ('n', 3, 8, 8))}")
    with pytest.raises(ModelError, match="no gradient flows through this model"):
        model.log_probabilities(images(1).requires_grad_())


def test_files_and_options_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    path = write_mean_colour(tmp_path / "net.onnx", WEIGHTS, ("n", 3, 8, 8))
    for tail, said in (
        ("?threads=none", 'threads must be a number of 1 or more, not "none"'),
        ("?layout=chw", "layout must be one of nchw, nhwc"),
        ("?size=16", "size=16, but the graph takes 8x8"),
    ):
        with pytest.raises(ModelError) as caught:
            load_model(f"onnx:{path}{tail}")
        assert said in str(caught.value)
    with pytest.raises(ModelError, match=r'no such file: .*nett\.onnx; did you mean ".*net\.onnx"'):
        load_model(f"onnx:{tmp_path}/nett.onnx")
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(ModelError, match="cannot be loaded as ONNX"):
        load_model(f"onnx:{tmp_path}/text.onnx")
    flat = write_mean_colour(tmp_path / "flat.onnx", WEIGHTS, ("n", 3, 8))
    with pytest.raises(ModelError, match=r"cannot be loaded as ONNX|expected one input for images, four axes"):
        load_model(f"onnx:{flat}")


def test_without_onnxruntime_the_extra_to_install_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    for name in [n for n in sys.modules if n.partition(".")[0] == "onnxruntime"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "meta_path", [f for f in sys.meta_path if "Editable" not in repr(f)])
    with pytest.raises(
        MissingDependencyError, match=r'needs the package "onnxruntime".*pip install "posetest\[onnx\]"'
    ):
        load_model(f"onnx:{tmp_path}/net.onnx")
