"""Units: what is watched in a model, by name, and what is said of names that mean nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import posetest
from posetest.errors import LabelError, ModelError
from posetest.models.units import ClassUnit, LayerUnit, channel_responses, margin_over_others, parse_unit

CATEGORIES = ("tench", "jeep, landrover", "school bus", "crane (bird)")


class Small(nn.Module):
    """Two layers with an in-place activation between, as in most published networks."""

    categories = ("dark", "light", "red")

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, bias=False)
        self.relu = nn.ReLU(inplace=True)
        self.second = nn.Conv2d(4, 3, 1)
        self.unused = nn.Linear(2, 2)
        generator = torch.Generator().manual_seed(0)
        for parameter in self.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.second(self.relu(self.first(images - 0.5))).mean((2, 3))


class Windows(nn.Module):
    """Has twice as many rows as there are images within, as window attention has."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = nn.Identity()

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        return torch.cat(self.windows(torch.cat(maps.chunk(2, dim=2))).chunk(2), dim=2)


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand((5, 3, 16, 16), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("probability:jeep", ClassUnit("probability", 1, "jeep")),
        ("school bus", ClassUnit("probability", 2, "school bus")),
        ("logit:2", ClassUnit("logit", 2, "school bus")),
        ("margin:landrover", ClassUnit("margin", 1, "jeep")),
        ("layer4.2.conv3:17", LayerUnit("layer4.2.conv3", 17)),
        ("features.3:0?reduce=max", LayerUnit("features.3", 0, "max")),
        ("features.3:5?at=3,4", LayerUnit("features.3", 5, "at", (3, 4))),
        ("blocks.2:5?at=0&layout=ntc", LayerUnit("blocks.2", 5, "at", (0,), "ntc")),
    ],
)
def test_a_unit_is_named_by_text_and_says_it_again(text: str, unit: ClassUnit | LayerUnit) -> None:
    assert parse_unit(text, CATEGORIES) == unit
    assert parse_unit(str(unit), CATEGORIES) == unit


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("probability:jep", 'no class "jep"|unknown label|jep'),
        ("probabilty:jeep", 'did you mean "probability"'),
        ("features.3:5?reduec=max", 'unknown option "reduec"; did you mean "reduce"'),
        ("features.3:5?reduce=median", "reduce=median.*one of mean, max, at"),
        ("features.3:5?reduce=at", "takes a position"),
        ("features.3:5?at=x", "takes a position"),
        ("features.3:5?layout=chw", "layout=chw.*one of nchw, nhwc, ntc"),
    ],
)
def test_mistakes_say_what_would_do(text: str, words: str) -> None:
    with pytest.raises((LabelError, ModelError), match=words):
        parse_unit(text, CATEGORIES)


def test_class_scores_are_those_of_the_network(images: torch.Tensor) -> None:
    module = Small()
    response = posetest.load_model(module).respond(images)
    logits = module(images).detach()
    p = logits.softmax(1)
    assert torch.allclose(ClassUnit("logit", 1, "light").value(response), logits[:, 1])
    assert torch.allclose(ClassUnit("probability", 2, "red").value(response), p[:, 2])
    assert torch.allclose(ClassUnit("log_probability", 0, "dark").value(response), p[:, 0].log(), atol=1e-5)
    others = torch.maximum(p[:, 1], p[:, 2])
    assert torch.allclose(ClassUnit("margin", 0, "dark").value(response), (p[:, 0] / others).log(), atol=1e-5)


def test_the_margin_is_positive_exactly_where_a_class_of_the_set_comes_first() -> None:
    log_p = torch.randn((200, 7), generator=torch.Generator().manual_seed(0)).log_softmax(1)
    first = log_p.argmax(1)
    margin = margin_over_others(log_p, [2, 5])
    assert torch.equal(margin > 0, (first == 2) | (first == 5))


def test_an_activation_in_place_does_not_change_what_was_watched_before_it(images: torch.Tensor) -> None:
    module = Small()
    seen = posetest.load_model(module).respond(images, ["first", "relu"]).layers
    assert torch.allclose(seen["first"], module.first(images - 0.5), atol=1e-6)
    assert (seen["first"] < 0).any()
    assert torch.equal(seen["relu"], seen["first"].clamp_min(0))


def test_channels_are_reduced_to_one_number(images: torch.Tensor) -> None:
    module = Small()
    response = posetest.load_model(module).respond(images, ["first"])
    output = module.first(images - 0.5).detach()
    assert torch.allclose(LayerUnit("first", 2).value(response), output[:, 2].mean((1, 2)), atol=1e-6)
    assert torch.allclose(LayerUnit("first", 2, "max").value(response), output[:, 2].amax((1, 2)), atol=1e-6)
    assert torch.allclose(LayerUnit("first", 3, "at", (4, 9)).value(response), output[:, 3, 4, 9], atol=1e-6)


def test_tokens_and_channels_last_have_their_channels_behind() -> None:
    tokens = torch.arange(24.0).reshape(2, 3, 4)  # two images, three tokens, four channels
    assert torch.equal(channel_responses(tokens, "x"), tokens.mean(1))
    assert torch.equal(channel_responses(tokens, "x", "at", (2,)), tokens[:, 2])
    behind = torch.arange(48.0).reshape(2, 2, 3, 4)
    assert torch.equal(channel_responses(behind, "x", "max", layout="nhwc"), behind.amax((1, 2)))
    flat = torch.ones(2, 5)
    assert torch.equal(channel_responses(flat, "x"), flat)


def test_gradients_flow_from_a_layer_to_the_images(images: torch.Tensor) -> None:
    leaf = images.clone().requires_grad_()
    response = posetest.load_model(Small()).respond(leaf, ["relu"])
    (gradient,) = torch.autograd.grad(LayerUnit("relu", 1).value(response).sum(), leaf)
    assert gradient.abs().max() > 0


def test_layers_that_are_not_there_or_take_no_part_are_named(images: torch.Tensor) -> None:
    model = posetest.load_model(Small())
    with pytest.raises(ModelError, match='no layer "frist"; did you mean "first".*it has 4: first, relu'):
        model.respond(images, ["frist"])
    with pytest.raises(ModelError, match="the layer unused is there but took no part"):
        model.respond(images, ["unused"])
    with pytest.raises(ModelError, match="first has 4 channels, counted from 0"):
        LayerUnit("first", 4).value(model.respond(images, ["first"]))
    with pytest.raises(ModelError, match=r"at=14,0 is no position of its output, \[14, 14\] from 0"):
        LayerUnit("first", 0, "at", (14, 0)).value(model.respond(images, ["first"]))
    windows = Small()
    windows.relu = Windows()
    with pytest.raises(
        ModelError, match=r"output of relu.windows, \[10, 4, 7, 14\], does not hold one row for each of 5"
    ):
        posetest.load_model(windows).respond(images, ["relu.windows"])
    callable_model = posetest.load_model(lambda x: x.mean((2, 3)))
    with pytest.raises(ModelError, match="layers can be watched in PyTorch modules only"):
        callable_model.respond(images, ["first"])
    probabilities = posetest.load_model(lambda x: x.mean((2, 3)).softmax(1))
    with pytest.raises(ModelError, match="returns probabilities, not logits"):
        ClassUnit("logit", 0, "class 0").value(probabilities.respond(images))


@pytest.mark.parametrize("name", ["mobilenet_v2", "squeezenet", "mobilenet_v1_0.25_128"])
def test_layers_of_the_real_networks_can_be_watched(shared, name: str) -> None:
    model = posetest.load_model(f"{shared}/classifiers/classifiers.py:load?name={name}")
    layers = [key for key, part in model.forward.named_modules() if key and not list(part.children())]
    pictures = torch.rand((2, 3, 64, 64), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        response = model.respond(pictures, layers[:3] + layers[-2:])
        assert torch.equal(response.log_p, model.log_probabilities(pictures))
    for layer in layers[:3] + layers[-2:]:
        assert channel_responses(response.layers[layer], layer).shape[0] == 2


def test_a_torchvision_transformer_can_be_watched() -> None:
    """Tokens behind: [n, tokens, channels], channel axis last."""
    from torchvision.models import VisionTransformer

    small = VisionTransformer(
        image_size=32, patch_size=16, num_layers=1, num_heads=2, hidden_dim=24, mlp_dim=32, num_classes=5
    )
    small.input_size = 32
    model = posetest.load_model(small, labels=list("abcde"))
    layer = "encoder.layers.encoder_layer_0"
    with torch.inference_mode():
        response = model.respond(torch.rand((1, 3, 32, 32), generator=torch.Generator().manual_seed(0)), [layer])
    assert response.layers[layer].shape == (1, 5, 24)
    assert LayerUnit(layer, 23).value(response).shape == (1,)
    with pytest.raises(ModelError, match="has 24 channels"):
        LayerUnit(layer, 24).value(response)
