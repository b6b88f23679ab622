"""Models of timm and transformers: what is said where the package is absent, and the real thing where it is not."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from posetest.errors import MissingDependencyError, ModelError
from posetest.models.load import load_model

HAS_TIMM = importlib.util.find_spec("timm") is not None
HAS_TRANSFORMERS = importlib.util.find_spec("transformers") is not None


@pytest.mark.parametrize(
    ("spec", "package", "extra"), [("timm:resnet18", "timm", "timm"), ("hf:a/b", "transformers", "hf")]
)
def test_an_absent_package_is_named_with_the_extra_that_brings_it(
    spec: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.import_module", lambda name: _absent(name))
    with pytest.raises(MissingDependencyError) as caught:
        load_model(spec)
    assert f'the model "{spec}" needs the package "{package}", which is not installed' in str(caught.value)
    assert f'pip install "posetest[{extra}]"' in str(caught.value)


def _absent(name: str) -> None:
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_options_are_checked_before_anything_is_imported() -> None:
    with pytest.raises(ModelError, match=r'unknown option "pretraind"; did you mean "pretrained"\?'):
        load_model("timm:resnet18?pretraind=false")
    assert "timm" not in sys.modules or HAS_TIMM


@pytest.mark.skipif(not HAS_TIMM, reason="timm is not installed")
def test_a_timm_network_brings_its_preprocessing_and_class_names(tmp_path: Path) -> None:
    model = load_model("timm:resnet18.a1_in1k?pretrained=false")
    assert (model.name, model.input_size) == ("resnet18.a1_in1k", 224)
    assert model.categories[609].startswith("jeep")
    assert "antialiased bicubic" in model.preprocessing
    torch.save(model.forward.state_dict(), tmp_path / "w.pt")  # type: ignore[attr-defined]
    again = load_model(f"timm:resnet18.a1_in1k?checkpoint={tmp_path}/w.pt&crop=published")
    assert again.digest == model.digest
    assert "shorter side to 235 px" in again.preprocessing
    with pytest.raises(ModelError, match=r'timm has no model "resnt18"; did you mean "resnet18"'):
        load_model("timm:resnt18")


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="transformers is not installed")
def test_a_folder_of_transformers_brings_its_preprocessing_and_class_names(tmp_path: Path) -> None:
    from transformers import ViTConfig, ViTForImageClassification, ViTImageProcessor

    config = ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, image_size=32, patch_size=16,
        id2label={0: "cat", 1: "dog", 2: "jeep"}, label2id={"cat": 0, "dog": 1, "jeep": 2},
    )  # fmt: skip
    ViTForImageClassification(config).save_pretrained(tmp_path)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(tmp_path)
    model = load_model(f"hf:{tmp_path}")
    assert (model.categories, model.input_size) == (("cat", "dog", "jeep"), 32)
    assert model.is_differentiable
    assert model.log_probabilities(torch.rand(2, 3, 32, 32)).shape == (2, 3)
