"""The text of a model's spec string: what it is taken apart into, and what is said of one that cannot be read."""

from __future__ import annotations

import pytest

from posetest.errors import ModelError
from posetest.models.spec import parse_spec, parse_value


@pytest.mark.parametrize(
    ("text", "kind", "target", "function", "options"),
    [
        ("bundled", "bundled", "", "", {}),
        ("torchvision:resnet50", "torchvision", "resnet50", "", {}),
        (
            "torchvision:resnet50?weights=none&crop=published",
            "torchvision",
            "resnet50",
            "",
            {"weights": "none", "crop": "published"},
        ),
        ("timm:hf-hub:org/net.in1k?pretrained=false", "timm", "hf-hub:org/net.in1k", "", {"pretrained": "false"}),
        ("hf:google/vit-base-patch16-224", "hf", "google/vit-base-patch16-224", "", {}),
        ("onnx:dir/net.onnx?mean=0.5,0.4,0.3", "onnx", "dir/net.onnx", "", {"mean": "0.5,0.4,0.3"}),
        ("../a b/net.py:load?width=0.5", "file", "../a b/net.py", "load", {"width": "0.5"}),
        ("/c++/net.py:load?path=/c++/w%26s.pt", "file", "/c++/net.py", "load", {"path": "/c++/w&s.pt"}),
        ("package.module:Net", "module", "package.module", "Net", {}),
    ],
)
def test_a_spec_is_taken_apart(text: str, kind: str, target: str, function: str, options: dict[str, str]) -> None:
    spec = parse_spec(text)
    assert (spec.kind, spec.target, spec.function, spec.options, spec.text) == (kind, target, function, options, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("net.onnx", 'did you mean "onnx:net.onnx"'),
        ("net.py", '"net.py:load"'),
        ("weights.pth", "torchvision:NAME?weights=weights.pth"),
        ("torch-vision:resnet18", 'did you mean "torchvision"'),
        ("torchvision:", 'nothing follows "torchvision:"'),
        ("bundle", 'did you mean "bundled"'),
        ("resnet50", 'did you mean "torchvision:resnet50"'),
        ("", "a model is one of: bundled, torchvision:NAME"),
        ("onnx:a.onnx?layot=nchw", 'unknown option "layot"; did you mean "layout"?'),
        ("bundled?wieghts=none", 'unknown option "wieghts"; did you mean "weights"'),
        ("torchvision:resnet18?weights", 'expected options as key=value joined by "&", not "weights"'),
        ("torchvision:resnet18?crop=whole&crop=whole", '"crop" is given twice'),
    ],
)
def test_a_spec_that_cannot_be_read_is_refused_with_the_fix(text: str, said: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse_spec(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-3", -3),
        ("0.75", 0.75),
        ("1e-3", 1e-3),
        (".5", 0.5),
        ("2.", 2.0),
        ("true", True),
        ("False", False),
        ("mobilenet_v1_0.25_128", "mobilenet_v1_0.25_128"),
        ("nan", "nan"),
        ("1_000", "1_000"),
        ("'12'", "12"),
        ("", ""),
    ],
)
def test_option_values_become_numbers_and_truth_values_where_they_look_so(text: str, value: object) -> None:
    parsed = parse_value(text)
    assert parsed == value
    assert type(parsed) is type(value)
