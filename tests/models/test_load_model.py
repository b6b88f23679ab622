"""Models from Python objects and from users' own files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from posetest.errors import ModelError, PosetestError
from posetest.models.bundled.files import write
from posetest.models.bundled.network import SmallNet
from posetest.models.load import load_model, with_name
from posetest.protocols import Model

NET_FILE = '''
import torch
from torch import nn

class Net(nn.Module):
    """Scores are the mean colour, times a factor."""
    categories = ["red", "green", "blue"]
    def __init__(self, factor=1.0, name="net"):
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(factor)))
        self.name = name
    def forward(self, images):
        return self.factor * images.mean((2, 3))

def load(factor: float = 1.0, name: str = "net", bright: bool = False):
    if factor < 0:
        raise ValueError("factor must not be negative")
    return Net(factor + bright, name)

def sized(size: int):
    return Net(size)

def anything(**options):
    return Net(options.get("factor", 1.0))

def scores(images):
    return images.mean((2, 3))

def nothing():
    return None

ready = Net(5.0)
number = 3
'''


@pytest.fixture(autouse=True)
def _same_imports() -> Iterator[None]:
    """Leaves the import system as it was."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("posetest_user_", "colours", "pkg", "parts")):
            del sys.modules[name]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "colours.py").write_text(NET_FILE)
    return tmp_path / "colours.py"


def red(count: int = 2, side: int = 8) -> Tensor:
    images = torch.zeros(count, 3, side, side)
    images[:, 0] = 1.0
    return images


def test_a_function_of_a_file_gets_the_options_as_arguments(file: Path) -> None:
    model = load_model(f"{file}:load?factor=2&name=twice&bright=true")
    assert isinstance(model, Model)
    assert (model.name, model.spec) == ("twice", f"{file}:load?factor=2&name=twice&bright=true")
    assert model.categories == ("red", "green", "blue")
    assert len(model.digest) == 64
    expected = torch.log_softmax(torch.tensor([3.0, 0.0, 0.0]), 0)
    assert torch.allclose(model.log_probabilities(red())[0], expected)


def test_a_file_is_found_relative_to_the_current_folder(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    assert load_model("colours.py:load").name == "net"
    assert load_model("colours:load").name == "net"
    assert load_model("colours:Net?factor=3").log_probabilities(red()).argmax(1).tolist() == [0, 0]


def test_a_module_found_under_the_name_is_taken_as_it_is(file: Path) -> None:
    assert torch.allclose(load_model(f"{file}:ready").log_probabilities(red())[0].diff()[:1], torch.tensor([-5.0]))


def test_options_of_posetest_and_of_the_function_do_not_mix(file: Path, tmp_path: Path) -> None:
    labels = tmp_path / "names.txt"
    labels.write_text("rouge\nvert\nbleu\n")
    model = load_model(f"{file}:load?factor=2&labels={labels}&size=4&std=1/255&outputs=logits")
    assert model.categories == ("rouge", "vert", "bleu")
    assert model.input_size == 4
    assert "whole frame to 4x4 px" in model.preprocessing
    assert "std 0.00392157" in model.preprocessing
    assert torch.allclose(model.log_probabilities(red())[0, 1], torch.tensor(-510.0), atol=1e-3)
    assert load_model(f"{file}:sized?size=4").input_size is None  # the function asks for a size itself
    assert load_model(f"{file}:anything?factor=4&size=4").input_size == 4


@pytest.mark.parametrize(
    ("tail", "said"),
    [
        ("lod", 'has no function "lod"; did you mean "load"?'),
        ("zzz", "(it defines: Net, load, sized, anything, scores, nothing, ready)"),
        ("number", "number is int, not a function"),
        ("load?facto=2", 'unknown option "facto"; did you mean "factor"?'),
        ("load?factor=-1", "load(factor=-1) failed: ValueError: factor must not be negative ("),
        ("load?factor=red", "load(factor='red') failed: TypeError"),
        ("sized", "sized() needs size: add ?size=..."),
        ("scores", "The function must build the model and return it; it is not called with images"),
        ("nothing", "expected a PyTorch module or a function from images [n, 3, h, w] to scores [n, k], got NoneType"),
        ("ready?factor=2", 'unknown option "factor"'),
        ("load?labels=none.txt", "none.txt: no such labels file"),
        ("load?outputs=logit", 'outputs must be one of logits, probabilities, not "logit"; did you mean "logits"?'),
    ],
)
def test_a_function_that_cannot_be_used_is_refused_with_the_fix(file: Path, tail: str, said: str) -> None:
    with pytest.raises(PosetestError) as caught:
        load_model(f"{file}:{tail}")
    assert said in str(caught.value)


def test_an_error_inside_the_function_is_told_with_file_and_line(file: Path) -> None:
    line = NET_FILE[: NET_FILE.index("raise ValueError")].count("\n") + 1
    with pytest.raises(ModelError, match=rf"{file.name}, line {line}\)"):
        load_model(f"{file}:load?factor=-1")


def test_a_file_that_is_missing_or_cannot_be_imported_is_refused(file: Path) -> None:
    with pytest.raises(ModelError, match=r'no such file: .*colour\.py; did you mean ".*colours\.py"'):
        load_model(f"{file.parent}/colour.py:load")
    broken = file.parent / "broken.py"
    broken.write_text("import torch\ndef load(:\n")
    with pytest.raises(ModelError, match=r"cannot be imported: SyntaxError: .*broken\.py, line 2"):
        load_model(f"{broken}:load")
    broken.write_text("import no_such_package\n")
    with pytest.raises(
        ModelError, match=r"ModuleNotFoundError: No module named 'no_such_package' \(.*broken\.py, line 1"
    ):
        load_model(f"{broken}:load")
    with pytest.raises(ModelError, match=r'cannot import "torchvison".*did you mean "torchvision"'):
        load_model("torchvison:resnet18")
    with pytest.raises(
        ModelError, match=r'cannot import "no_such\.module".*installed in this environment, or in the current'
    ):
        load_model("no_such.module:load")


def test_files_of_two_folders_each_import_their_own_helpers(tmp_path: Path) -> None:
    for folder, factor in (("one", 1.0), ("two", 2.0)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "parts.py").write_text(f"FACTOR = {factor}\n")
        (tmp_path / folder / "net.py").write_text(
            "from parts import FACTOR\ndef load():\n    return lambda images: FACTOR * images.mean((2, 3))\n"
        )
    first, second, again = (load_model(f"{tmp_path}/{folder}/net.py:load") for folder in ("one", "two", "one"))
    gaps = [float(-model.log_probabilities(red())[0].diff()[0]) for model in (first, second, again)]
    assert gaps == pytest.approx([1.0, 2.0, 1.0])


def test_imports_inside_the_network_still_find_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "parts_late.py").write_text("FACTOR = 4.0\n")
    (tmp_path / "net.py").write_text(
        "def load():\n    def forward(images):\n        from parts_late import FACTOR\n"
        "        return FACTOR * images.mean((2, 3))\n    return forward\n"
    )
    assert load_model(f"{tmp_path}/net.py:load").log_probabilities(red()).shape == (2, 3)


class Dropping(nn.Module):
    """Answers at random in training mode."""

    input_size = 12

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, images: Tensor) -> Tensor:
        return nn.functional.dropout(images.mean((2, 3)) * self.weight, 0.5, self.training)


def test_a_module_is_put_into_eval_mode_and_its_parameters_are_left_alone() -> None:
    net = Dropping()
    model = load_model(net, labels=["red", "green", "blue"])
    assert not net.training
    assert net.weight.requires_grad
    assert (model.name, model.spec, model.input_size) == ("Dropping", "python:Dropping", 12)
    assert torch.equal(model.log_probabilities(red()), model.log_probabilities(red()))


def test_any_callable_is_a_model() -> None:
    model = load_model(lambda images: images.mean((2, 3)), name="mean")
    assert (model.name, model.digest, model.categories) == ("mean", "", ("class 0", "class 1", "class 2"))
    assert load_model(lambda images: images.mean((2, 3))).name == "function"


def test_an_object_that_is_a_model_already_is_passed_on() -> None:
    model = load_model(Dropping())
    assert load_model(model) is model
    assert load_model(model, name="other").name == "other"
    with pytest.raises(
        ModelError, match="Dropping: labels cannot be given for an object that is a posetest Model already"
    ):
        load_model(model, labels=["a", "b", "c"])


def test_the_bundled_classifier_brings_its_class_names(monkeypatch: pytest.MonkeyPatch) -> None:
    net = Dropping()
    net.categories = ("bus", "mug", "other")  # type: ignore[assignment]  # as the bundled one has them
    monkeypatch.setattr("posetest.models.bundled.load", lambda path: net, raising=False)
    model = load_model("bundled?size=6")
    assert (model.name, model.spec, model.categories) == ("bundled", "bundled?size=6", ("bus", "mug", "other"))


def test_weights_of_another_reference_classifier_are_named_after_their_file(tmp_path: Path) -> None:
    weights = tmp_path / "mine.safetensors"
    write(weights, SmallNet(2, normalised=False), ("cup", "other"), {})
    model = load_model(f"bundled?weights={weights}")
    assert (model.name, model.categories) == ("mine", ("cup", "other"))
    with pytest.raises(ModelError, match=r"gone\.safetensors: no such weights of a reference"):
        load_model(f"bundled?weights={tmp_path / 'gone.safetensors'}")


def test_a_model_under_another_name_is_otherwise_the_same() -> None:
    model = load_model(Dropping())
    other = with_name(model, "other")
    assert (model.name, other.name) == ("Dropping", "other")
    assert torch.equal(model.log_probabilities(red()), other.log_probabilities(red()))
    assert with_name(model, "Dropping") is model


@pytest.mark.parametrize("thing", [3, None, {"a": 1}])
def test_something_that_is_no_model_is_refused(thing: object) -> None:
    with pytest.raises(ModelError, match="expected a PyTorch module or a function"):
        load_model(thing)  # type: ignore[arg-type]
