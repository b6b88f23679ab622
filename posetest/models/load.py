"""Turns what a user calls a model into a posetest Model: a spec string, a PyTorch module or any callable on images."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from posetest.errors import ModelError
from posetest.models.classifier import Classifier, Outputs, make_classifier, module_digest
from posetest.models.labels import read_labels
from posetest.models.no_model import NoModel
from posetest.models.preprocess import Preprocess, with_options
from posetest.models.spec import ModelSpec, parse_choice, parse_spec
from posetest.models.torchvision_zoo import import_torchvision

if TYPE_CHECKING:
    from torch import nn

    from posetest.protocols import Model

__all__ = ["import_torchvision", "load_model", "with_name"]

Labels = Path | Sequence[str] | None


def load_model(
    model: str | nn.Module | Callable[..., Any] | Model,
    *,
    labels: Labels = None,
    name: str | None = None,
) -> Model:
    """A Model from a spec string, from a PyTorch module or from any callable.

    A spec string is one of::

        bundled[?weights=FILE] (a file that posetest train-reference wrote)
        none (for a search whose objective is a function of pictures)
        torchvision:NAME[?weights=DEFAULT|IMAGENET1K_V1|none|FILE]
        timm:NAME[?pretrained=false&checkpoint=FILE]
        hf:REPOSITORY-OR-FOLDER[?revision=...]
        onnx:FILE[?layout=nchw|nhwc&output=NAME&threads=2]
        path/to/file.py:FUNCTION[?argument=value&...]
        package.module:FUNCTION[?argument=value&...]

    and takes these options besides: labels=FILE (or labels=imagenet), outputs=logits|probabilities, size=224 (or
    HEIGHTxWIDTH), mean=r,g,b, std=r,g,b, interpolation=bilinear|bicubic, crop=whole|stretch|published (see
    posetest.models.preprocess). Networks from torchvision, timm and transformers bring their own preprocessing. A
    module, a callable or an ONNX graph gets images as they are, sRGB in [0, 1], unless these options say otherwise (an
    ONNX graph of fixed input size gets them resized to it).

    A module handed over in Python is put into eval mode and otherwise left alone: parameters keep their
    ``requires_grad``, so take gradients with ``torch.autograd.grad`` with respect to the images. Its attributes
    ``categories`` and ``input_size`` are used where it has them. An object with ``log_probabilities`` is passed on.

    Args:
        model: what to load.
        labels: class names in the order of the scores, or a file of them; they take the place of the model's own.
        name: for tables and file names; by default the network's or function's.

    Raises:
        ModelError: it cannot be loaded or does not give class scores; the text says what to change.
        LabelError: the class names cannot be read or are not as many as the scores.
        MissingDependencyError: an optional package is needed.
    """
    if model == "none":
        return NoModel()
    if isinstance(model, str):
        return _load_spec(parse_spec(model), labels, name)
    if hasattr(model, "log_probabilities"):
        return _passed_on(cast("Model", model), name, labels, {})
    return _wrap(model, f"python:{_plain_name(model)}", name, labels, {})


def with_name(model: Model, name: str) -> Model:
    """``model`` under another name; the one handed over keeps its own."""
    if model.name == name:
        return model
    if isinstance(model, Classifier):
        return replace(model, name=name)
    renamed = copy.copy(model)
    try:
        renamed.name = name  # type: ignore[misc]  # read-only in the protocol, an attribute in most classes
    except AttributeError as error:
        raise ModelError(f"{model.name}: cannot be called {name}: its attribute name is read-only") from error
    return renamed


def _load_spec(spec: ModelSpec, labels: Labels, name: str | None) -> Model:
    if spec.kind in ("file", "module"):
        from posetest.models.user_code import call_user_code

        found, options = call_user_code(spec)
        if hasattr(found, "log_probabilities"):
            return _passed_on(found, name, labels, options)
        return _wrap(found, spec.text, name, labels, options, default_name=_short_name(spec))
    if spec.kind == "bundled":
        from posetest.models import bundled

        options = {key: value for key, value in spec.options.items() if key != "weights"}
        path = Path(spec.options["weights"]) if "weights" in spec.options else bundled.WEIGHTS
        plain = path.stem if "weights" in spec.options else "bundled"
        return _wrap(bundled.load(path), spec.text, name or plain, labels, options)
    if spec.kind == "onnx":
        return _load_onnx(spec, labels, name)
    if spec.kind == "torchvision":
        from posetest.models.torchvision_zoo import load_torchvision as load_published
    elif spec.kind == "timm":
        from posetest.models.hub_zoo import load_timm as load_published
    else:
        from posetest.models.hub_zoo import load_hf as load_published

    loaded = load_published(spec)
    return make_classifier(
        loaded.module,
        name=name or loaded.name,
        spec=spec.text,
        categories=_categories(labels, spec.options, loaded.categories),
        digest=module_digest(loaded.module),
        preprocess=with_options(loaded.preprocess, spec.options, spec.text),
        outputs=_outputs(spec.options, spec.text),
    )


def _load_onnx(spec: ModelSpec, labels: Labels, name: str | None) -> Model:
    from posetest.models.onnx_model import load_onnx

    network = load_onnx(spec)
    preprocess = with_options(Preprocess(size=network.size) if network.size else None, spec.options, spec.text)
    if network.size and preprocess and preprocess.size != network.size:
        raise ModelError(
            f"{spec.text}: size={spec.options['size']}, but the graph takes {network.size[0]}x{network.size[1]}"
        )
    return make_classifier(
        network,
        name=name or Path(spec.target).stem,
        spec=spec.text,
        categories=_categories(labels, spec.options, None),
        digest=network.digest,
        preprocess=preprocess,
        outputs=_outputs(spec.options, spec.text),
    )


def _passed_on(model: Model, name: str | None, labels: Labels, options: dict[str, str]) -> Model:
    """A Model of the user's own as it is, under another name where one is given."""
    if labels is not None or options:
        what = ", ".join(["labels"] * (labels is not None) + list(options))
        raise ModelError(
            f"{model.name}: {what} cannot be given for an object that is a posetest Model already; set it there"
        )
    return model if name is None else with_name(model, name)


def _wrap(
    found: Any, spec: str, name: str | None, labels: Labels, options: dict[str, str], default_name: str | None = None
) -> Model:
    """A Model around a module or callable."""
    from torch import nn

    if not callable(found):
        raise ModelError(
            f"{spec}: expected a PyTorch module or a function from images [n, 3, h, w] to scores [n, k], "
            f"got {type(found).__name__}"
        )
    is_module = isinstance(found, nn.Module)
    if is_module:
        found.eval()
    own_name = found.name if isinstance(getattr(found, "name", None), str) else None
    size = getattr(found, "input_size", None)
    return make_classifier(
        found,
        name=name or own_name or default_name or _plain_name(found),
        spec=spec,
        categories=_categories(labels, options, _own_categories(found)),
        digest=module_digest(found) if is_module else "",
        preprocess=with_options(None, options, spec),
        outputs=_outputs(options, spec),
        input_size=size if isinstance(size, int) and size > 0 else None,
    )


def _categories(labels: Labels, options: dict[str, str], own: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Class names: those handed over, else those of the option, else the model's own."""
    if isinstance(labels, str):
        labels = Path(labels)
    if isinstance(labels, Path):
        return read_labels(labels)
    if labels is not None:
        return tuple(str(label) for label in labels)
    if options.get("labels") == "imagenet":
        from posetest.models.torchvision_zoo import imagenet_categories

        return imagenet_categories()
    return read_labels(Path(options["labels"]).expanduser()) if "labels" in options else own


def _own_categories(found: Any) -> tuple[str, ...] | None:
    categories = getattr(found, "categories", None)
    if isinstance(categories, list | tuple) and categories and all(isinstance(name, str) for name in categories):
        return tuple(categories)
    return None


def _outputs(options: dict[str, str], where: str) -> Outputs | None:
    if "outputs" not in options:
        return None
    choice = parse_choice(options["outputs"], ("logits", "probabilities"), "outputs", where)
    return "logits" if choice == "logits" else "probabilities"


def _short_name(spec: ModelSpec) -> str:
    """The function's name, or the file's where the function is called as most such functions are."""
    stem = Path(spec.target).stem if spec.kind == "file" else spec.target.rpartition(".")[2]
    return stem if spec.function in ("load", "model", "load_model") else spec.function


def _plain_name(found: Any) -> str:
    """The name of a function or class; a lambda has none that could be part of a file's name."""
    name = str(getattr(found, "__name__", type(found).__name__))
    return name if name.isidentifier() else "function"
