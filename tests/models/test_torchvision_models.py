"""torchvision's networks: found by name, with the preprocessing and class names of their weights."""

from __future__ import annotations

import sys
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from posetest.errors import LabelError, ModelError
from posetest.models.classifier import Classifier, module_digest
from posetest.models.labels import resolve_label
from posetest.models.load import import_torchvision, load_model
from posetest.models.spec import parse_spec
from posetest.models.torchvision_zoo import imagenet_categories, load_torchvision

#: A network with few weights, for tests that need any one of torchvision's.
SMALL = "squeezenet1_1"


@pytest.fixture
def photo(shared: Path) -> Image.Image:
    return Image.open(shared / "photos" / "cat.jpg").convert("RGB")


def image_to_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)[None] / 255


def test_a_resnet18_with_random_weights_has_the_classes_and_preprocessing_of_its_published_ones() -> None:
    model = load_model("torchvision:resnet18?weights=none")
    assert (model.name, model.input_size, len(model.categories)) == ("resnet18", 224, 1000)
    assert resolve_label("jeep", model.categories) == 609
    assert model.is_differentiable
    assert model.preprocessing == (
        "whole frame to 224x224 px with its aspect ratio kept (antialiased bilinear); mean 0.485, 0.456, 0.406; "
        "std 0.229, 0.224, 0.225; scores are logits (detected)"
    )
    assert model.log_probabilities(torch.rand(2, 3, 64, 64)).shape == (2, 1000)


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone() -> None:
    before = torch.get_rng_state()
    first, second = (load_model(f"torchvision:{SMALL}?weights=none") for _ in range(2))
    assert first.digest == second.digest != ""
    assert torch.equal(torch.get_rng_state(), before)


def test_a_published_network_is_frozen_and_in_eval_mode() -> None:
    module = load_torchvision(parse_spec(f"torchvision:{SMALL}?weights=none")).module
    assert not module.training
    assert not any(weight.requires_grad for weight in module.parameters())


@pytest.mark.parametrize("name", ["resnet50", "inception_v3", "efficientnet_b1", "swin_t"])
def test_the_published_crop_gives_what_the_weights_own_transforms_give(name: str, photo: Image.Image) -> None:
    from torchvision.models import get_model_weights

    transforms = get_model_weights(name).DEFAULT.transforms()
    how = _published(name)
    ours, theirs = how(image_to_tensor(photo))[0], transforms(photo)
    # Theirs resizes 8-bit pixels with Pillow, which rounds to whole grey levels after each axis.
    assert float((ours - theirs).abs().max()) * max(how.std) < 1.5 / 255
    if how.interpolation == "bilinear":
        assert torch.equal(ours, transforms(image_to_tensor(photo)[0]))


def _published(name: str):
    """The preprocessing of ``name``'s weights with their own crop, without building the network."""
    from dataclasses import replace

    from posetest.models.torchvision_zoo import _published_preprocess

    weights = import_torchvision().models.get_model_weights(name).DEFAULT
    return replace(_published_preprocess(weights.transforms()), crop="published")


def test_the_crop_is_chosen_in_the_spec() -> None:
    model = load_model(f"torchvision:{SMALL}?weights=none&crop=published")
    assert "shorter side to 256 px (antialiased bilinear), centre 224x224 px cut out" in model.preprocessing
    assert load_model(f"torchvision:{SMALL}?weights=none&size=64").input_size == 64


def test_a_file_of_weights_is_loaded_with_its_own_number_of_classes(tmp_path: Path) -> None:
    from torchvision.models import get_model

    torch.manual_seed(5)
    trained = get_model(SMALL, weights=None, num_classes=7)
    torch.save(trained.state_dict(), tmp_path / "w.pt")
    torch.save(
        {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in trained.state_dict().items()}},
        tmp_path / "checkpoint.pt",
    )
    from safetensors.torch import save_file

    save_file(trained.state_dict(), tmp_path / "w.safetensors")
    for file in ("w.pt", "checkpoint.pt", "w.safetensors"):
        model = load_model(f"torchvision:{SMALL}?weights={tmp_path / file}")
        assert model.digest == module_digest(trained)
        assert model.categories == tuple(f"class {i}" for i in range(7))
        assert "mean 0.485" in model.preprocessing
    named = load_model(f"torchvision:{SMALL}?weights={tmp_path / 'w.pt'}", labels=list("abcdefg"))
    assert named.categories == tuple("abcdefg")
    with pytest.raises(LabelError, match="2 class names for a model of 7 scores"):
        load_model(f"torchvision:{SMALL}?weights={tmp_path / 'w.pt'}", labels=["a", "b"])


def test_a_file_that_holds_no_such_weights_is_refused(tmp_path: Path) -> None:
    torch.save({"layer.weight": torch.zeros(3)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"weights in .*other\.pt are not for this network\. Missing key"):
        load_model(f"torchvision:{SMALL}?weights={tmp_path}/other.pt")
    torch.save([1, 2], tmp_path / "list.pt")
    with pytest.raises(ModelError, match="holds no state_dict: expected tensors by name, found list"):
        load_model(f"torchvision:{SMALL}?weights={tmp_path}/list.pt")
    (tmp_path / "text.pt").write_text("hello")
    with pytest.raises(ModelError, match="cannot be read as weights"):
        load_model(f"torchvision:{SMALL}?weights={tmp_path}/text.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(ModelError, match=r"cannot be read as weights .*expected a state_dict"):
        load_model(f"torchvision:{SMALL}?weights={tmp_path}/module.pt")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("resnt18", "did you mean resnet18"),
        ("ResNet50", "did you mean resnet50"),
        ("qqqq", "(there are alexnet, convnext_base,"),
        ("fasterrcnn_resnet50_fpn", "does not classify images; expected a classifier"),
        ("resnet50?weights=IMAGENET1K_V3", "there are IMAGENET1K_V1, IMAGENET1K_V2, DEFAULT, none, or the path"),
        ("resnet50?weights=DEFALT", 'did you mean "DEFAULT"?'),
        ("resnet50?weight=none", 'unknown option "weight"; did you mean "weights"?'),
    ],
)
def test_a_name_or_option_that_torchvision_does_not_know_is_refused_with_what_is_close(spec: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        load_model(f"torchvision:{spec}")
    assert said in str(caught.value)


def test_without_a_connection_the_cache_folder_and_file_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(urllib.request, "urlopen", offline)
    monkeypatch.setattr("torch.hub.urlopen", offline)
    with pytest.raises(ModelError) as caught:
        load_model("torchvision:resnet18")
    text = str(caught.value)
    assert "the download failed (<urlopen error no route to host>)" in text
    assert (
        f"put the file https://download.pytorch.org/models/resnet18-f37072fd.pth into {tmp_path}/hub/checkpoints/"
        in text
    )
    assert "weights=none" in text


def test_weights_are_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.models import SqueezeNet1_1_Weights, get_model

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / SqueezeNet1_1_Weights.DEFAULT.url.rpartition("/")[2]
    cached.parent.mkdir(parents=True)
    weights = get_model(SMALL, weights=None).state_dict()
    torch.save(weights, cached)
    model = load_model(f"torchvision:{SMALL}?weights=IMAGENET1K_V1")
    assert isinstance(model, Classifier)
    assert all(torch.equal(weights[key], value) for key, value in model.forward.state_dict().items())  # type: ignore[attr-defined]
    cached.write_bytes(b"half a file")
    with pytest.raises(ModelError, match="cannot be read as these weights; delete it"):
        load_model(f"torchvision:{SMALL}")


@pytest.mark.parametrize(
    "raised",
    ['RuntimeError("operator torchvision::nms does not exist")', 'ImportError("_C.so: undefined symbol: _ZN3c10")'],
)
def test_a_torchvision_built_for_another_torch_is_named_as_such(
    raised: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.partition(".")[0] == "torchvision"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(f"raise {raised}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModelError) as caught:
        load_model("torchvision:resnet18")
    text = str(caught.value)
    assert f"torchvision does not match torch {torch.__version__}" in text
    assert "pip install --force-reinstall torch torchvision --index-url https://download.pytorch.org/whl/" in text


def test_imagenets_names_can_be_asked_for(tmp_path: Path) -> None:
    assert imagenet_categories()[609] == "jeep"
    net = tmp_path / "net.py"
    net.write_text("def load():\n    return lambda images: images.mean((2, 3)).repeat(1, 334)[:, :1000]\n")
    assert load_model(f"{net}:load").categories[609] == "class 609"
    assert load_model(f"{net}:load?labels=imagenet").categories[609] == "jeep"
