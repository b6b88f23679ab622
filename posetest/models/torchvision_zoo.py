"""Networks of torchvision by name, with the preprocessing and class names that their weights carry.

The only place that imports torchvision: its compiled part must match torch's build, and where it does not the import
itself fails in ways that say nothing to a user.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from posetest.errors import MissingDependencyError, ModelError, suggest
from posetest.models.preprocess import Preprocess
from posetest.models.spec import ModelSpec

#: Networks with a random initialisation of their own, which is slow and warns, and a rescaling of the input inside.
_OWN_INIT = ("inception_v3", "googlenet")


@dataclass(frozen=True)
class Loaded:
    """A network with what its publishers say of it.

    Attributes:
        module: in eval mode, parameters frozen; takes prepared images.
        name: short.
        categories: class names in the order of the scores, None where they are not known.
        preprocess: what its input has to look like.
    """

    module: Any
    name: str
    categories: tuple[str, ...] | None
    preprocess: Preprocess | None


def load_torchvision(spec: ModelSpec) -> Loaded:
    """The network of ``torchvision:NAME?weights=...``.

    ``weights`` is DEFAULT (also if not given), the name of one of the network's published weights, none (random ones,
    always the same), or a file with a state_dict. Preprocessing and class names are those of the published weights; a
    file's own number of classes is respected.

    Raises:
        ModelError: no such network or weights, a file that does not fit, or a download that fails.
    """
    models = import_torchvision().models
    builder = _builder(models, spec)
    published = models.get_model_weights(spec.target)
    choice = spec.options.get("weights", "DEFAULT")
    by_name = {weights.name: weights for weights in published}
    reference = by_name.get(choice) or (published.DEFAULT if by_name else None)
    if choice in by_name or (choice == "DEFAULT" and by_name):
        module = _download(builder, reference, spec)
    elif choice.lower() == "none":
        module = _random(builder, spec.target)
    elif Path(choice).expanduser().is_file():
        module = _from_file(builder, Path(choice).expanduser(), spec)
    else:
        known = (*by_name, "DEFAULT", "none")
        raise ModelError(
            f'{spec.text}: no weights "{choice}" for {spec.target}{suggest(choice, known)} '
            f"(there are {', '.join(known)}, or the path of a file with a state_dict, and no such file)"
        )
    categories = tuple(reference.meta["categories"]) if reference is not None else None
    if categories is not None and (count := _class_count(module)) is not None and count != len(categories):
        categories = None  # fine-tuned to other classes
    preprocess = None if reference is None else _published_preprocess(reference.transforms())
    return Loaded(module.eval().requires_grad_(False), spec.target, categories, preprocess)


def import_torchvision() -> Any:
    """The package torchvision.

    Raises:
        MissingDependencyError: it is not installed.
        ModelError: it was built for another torch.
    """
    try:
        import torchvision
    except ModuleNotFoundError as error:
        if error.name != "torchvision":
            raise
        raise MissingDependencyError(
            'torchvision models need the package "torchvision", which is not installed: pip install torchvision, '
            "from where torch was installed"
        ) from error
    except (RuntimeError, ImportError, OSError, AttributeError) as error:
        import torch

        index = f"cu{torch.version.cuda.replace('.', '')}" if torch.version.cuda else "cpu"
        raise ModelError(
            f"torchvision does not match torch {torch.__version__} (importing it failed: {error}). The two must "
            "come as a pair from one source: pip install --force-reinstall torch torchvision "
            f"--index-url https://download.pytorch.org/whl/{index}"
        ) from error
    return torchvision


def imagenet_categories() -> tuple[str, ...]:
    """torchvision's names of the 1000 classes of ImageNet, in the usual order."""
    weights = import_torchvision().models.get_model_weights("resnet18").DEFAULT
    return tuple(weights.meta["categories"])


def read_state_dict(path: Path, where: str) -> dict[str, Any]:
    """Tensors by name from a .safetensors file or a file of torch.save, unpacked from a checkpoint where it is one.

    Pickled code is never run. A prefix "module." or "model." that all names share (as trainers leave it) is dropped.

    Raises:
        ModelError: the file is neither, or holds something else than tensors.
    """
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            state: Any = load_file(path)
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle, zip and safetensors each have their own
        raise ModelError(
            f"{where}: {path} cannot be read as weights ({type(error).__name__}: {str(error).splitlines()[0]}); "
            "expected a state_dict written by torch.save or safetensors"
        ) from error
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ModelError(f"{where}: {path} holds no state_dict: expected tensors by name, found {type(state).__name__}")
    for prefix in ("module.", "model."):
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return dict(state)


@contextmanager
def same_random_weights() -> Iterator[None]:
    """Random initialisation inside gives the same weights every time; the user's generator is as before afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


def load_weights(module: Any, state: dict[str, Any], path: Path, where: str) -> None:
    """Puts a state_dict into ``module``; every name and shape must fit."""
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines()[1:4]]
        text = "; ".join(line if len(line) < 160 else line[:160] + " ..." for line in lines)
        raise ModelError(f"{where}: the weights in {path} are not for this network. {text}") from error


def _builder(models: Any, spec: ModelSpec) -> Any:
    known = models.list_models(module=models)
    if spec.target in known:
        return models.get_model_builder(spec.target)
    if spec.target in models.list_models():
        raise ModelError(f"{spec.text}: torchvision's {spec.target} does not classify images; expected a classifier")
    close = difflib.get_close_matches(spec.target.lower(), known, n=4, cutoff=0.5)
    hint = f"; did you mean {' or '.join(close)}?" if close else f" (there are {', '.join(known)})"
    raise ModelError(f'{spec.text}: torchvision has no classifier "{spec.target}"{hint}')


def _download(builder: Any, weights: Any, spec: ModelSpec) -> Any:
    """The network with published weights, from torch's cache or the network."""
    import torch

    try:
        return builder(weights=weights)
    except Exception as error:  # a damaged file raises whatever pickle comes across
        folder = Path(torch.hub.get_dir()) / "checkpoints"
        file = folder / weights.url.rsplit("/", 1)[-1]
        if file.is_file():
            what = f"{file} cannot be read as these weights; delete it"
        elif isinstance(error, OSError | HTTPException | RuntimeError):
            what = "the download failed"
        else:
            raise
        raise ModelError(
            f"{spec.text}: {what} ({error}). Without a connection, put the file {weights.url} into {folder}/, "
            "or load random weights with weights=none"
        ) from error


def _random(builder: Any, name: str, classes: int | None = None) -> Any:
    """The network with random weights."""
    kwargs: dict[str, Any] = {"init_weights": False} if name in _OWN_INIT else {}
    if classes is not None:
        kwargs["num_classes"] = classes
    with same_random_weights():
        return builder(weights=None, **kwargs)


def _from_file(builder: Any, path: Path, spec: ModelSpec) -> Any:
    state = read_state_dict(path, spec.text)
    module = _random(builder, spec.target)
    last = list(module.state_dict())[-1]
    if last in state and len(state[last]) != len(module.state_dict()[last]):
        module = _random(builder, spec.target, classes=len(state[last]))
    if spec.target in _OWN_INIT:
        module.transform_input = True  # so were the published weights, and what is fine-tuned from them
    load_weights(module, state, path, spec.text)
    return module


def _class_count(module: Any) -> int | None:
    """Classes of a torchvision classifier: the length of its last tensor."""
    state = module.state_dict()
    return len(state[list(state)[-1]]) if state else None


def _published_preprocess(transforms: Any) -> Preprocess:
    """The numbers of torchvision's ImageClassification preset, with the whole frame in place of its crop."""
    crop, shorter = int(transforms.crop_size[0]), int(transforms.resize_size[0])
    interpolation = transforms.interpolation.value
    r, g, b = map(float, transforms.mean)
    std_r, std_g, std_b = map(float, transforms.std)
    return Preprocess(
        size=(crop, crop),
        mean=(r, g, b),
        std=(std_r, std_g, std_b),
        interpolation="bicubic" if interpolation == "bicubic" else "bilinear",
        resize=shorter,
    )
