"""Networks of timm and of Hugging Face's transformers by name; both packages are optional."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from posetest.errors import ModelError, require, suggest
from posetest.models.preprocess import Interpolation, Preprocess, Triple
from posetest.models.spec import ModelSpec, parse_bool
from posetest.models.torchvision_zoo import Loaded, load_weights, read_state_dict, same_random_weights


def load_timm(spec: ModelSpec) -> Loaded:
    """The network of ``timm:NAME?pretrained=false&checkpoint=FILE``, in eval mode and frozen.

    Raises:
        MissingDependencyError: timm is not installed.
        ModelError: no such network, or its weights cannot be had.
    """
    timm: Any = require("timm", "timm", f'the model "{spec.text}"')
    pretrained = parse_bool(spec.options.get("pretrained", "true"), "pretrained", spec.text)
    checkpoint = spec.options.get("checkpoint")
    name = spec.target
    if ":" not in name and "/" not in name and not timm.is_model(name.partition(".")[0]):
        raise ModelError(f'{spec.text}: timm has no model "{name}"{suggest(name, timm.list_models())}')
    state = read_state_dict(_existing(checkpoint, spec), spec.text) if checkpoint else None
    try:
        with same_random_weights():
            module = timm.create_model(name, pretrained=pretrained and state is None)
        if state is not None and checkpoint:
            last = list(module.state_dict())[-1]
            if last in state and len(state[last]) != len(module.state_dict()[last]):
                module.reset_classifier(num_classes=len(state[last]))
            load_weights(module, state, Path(checkpoint), spec.text)
    except ModelError:
        raise
    except Exception as error:  # hubs raise whatever their HTTP library raises
        raise ModelError(_not_had(spec, error)) from error
    data: Any = require("timm.data", "timm", f'the model "{spec.text}"')
    config = data.resolve_model_data_config(module)
    side = config["input_size"][-2:]
    preprocess = Preprocess(
        size=(int(side[0]), int(side[1])),
        mean=_triple(config["mean"]),
        std=_triple(config["std"]),
        interpolation=_interpolation(config["interpolation"]),
        resize=int(min(side) / config["crop_pct"]),
    )
    module.eval().requires_grad_(False)
    return Loaded(module, name.rpartition("/")[2], _timm_categories(data, module), preprocess)


def load_hf(spec: ModelSpec) -> Loaded:
    """The network of ``hf:NAME-OR-FOLDER?revision=...``, in eval mode and frozen.

    Raises:
        MissingDependencyError: transformers is not installed.
        ModelError: there is no such repository or folder, it holds no image classifier, or it cannot be had.
    """
    transformers: Any = require("transformers", "hf", f'the model "{spec.text}"')

    kwargs = {"revision": spec.options["revision"]} if "revision" in spec.options else {}
    try:
        module = transformers.AutoModelForImageClassification.from_pretrained(spec.target, **kwargs)
        processor = transformers.AutoImageProcessor.from_pretrained(spec.target, **kwargs)
    except Exception as error:  # hubs raise whatever their HTTP library raises
        raise ModelError(_not_had(spec, error)) from error
    names = module.config.id2label
    categories = tuple(names[i] for i in range(len(names))) if set(names) == set(range(len(names))) else None
    if categories and all(name == f"LABEL_{i}" for i, name in enumerate(categories)):
        categories = None
    name = Path(spec.target).name
    return Loaded(module.eval().requires_grad_(False), name, categories, _hf_preprocess(processor, module))


def _hf_preprocess(processor: Any, module: Any) -> Preprocess:
    """What an image processor of transformers does, as far as it bears on the network's input."""
    # Some versions hold these as plain dicts, others as objects that turn into dicts with a None for every other key.
    size: dict[str, Any] = dict(getattr(processor, "size", None) or {})
    crop: dict[str, Any] = dict(getattr(processor, "crop_size", None) or {})
    shortest = size.get("shortest_edge")
    if getattr(processor, "do_center_crop", None) and crop.get("height"):
        target = (crop["height"], crop["width"])
    elif size.get("height"):
        target = (size["height"], size["width"])
    else:
        side = shortest or int(getattr(module.config, "image_size", None) or 224)
        target = (side, side)
    resize: int | tuple[int, int] | None = shortest
    if shortest and getattr(processor, "crop_pct", None):
        # ConvNeXT's processors: below 384 px a crop, from there on the whole picture whatever its shape.
        resize = int(shortest / processor.crop_pct) if shortest < 384 else target
    if size.get("height"):
        resize = (size["height"], size["width"])
    normalises = getattr(processor, "do_normalize", True)
    return Preprocess(
        size=target,
        mean=_triple(processor.image_mean) if normalises else (0.0, 0.0, 0.0),
        std=_triple(processor.image_std) if normalises else (1.0, 1.0, 1.0),
        interpolation="bilinear" if (getattr(processor, "resample", None) or 2) == 2 else "bicubic",
        resize=resize,
    )


def _timm_categories(data: Any, module: Any) -> tuple[str, ...] | None:
    """Class names that timm knows: from the weights' own configuration, or of the subset of ImageNet they are for."""
    names = module.pretrained_cfg.get("label_names") if module.pretrained_cfg else None
    if not names:
        subset = data.infer_imagenet_subset(module)
        if not subset:
            return None
        info = data.ImageNetInfo(subset)
        names = [info.index_to_description(i) for i in range(info.num_classes())]
    return tuple(names) if len(names) == module.num_classes else None


def _existing(file: str, spec: ModelSpec) -> Path:
    path = Path(file).expanduser()
    if not path.is_file():
        raise ModelError(f"{spec.text}: no such checkpoint: {path}")
    return path


def _not_had(spec: ModelSpec, error: Exception) -> str:
    first = (str(error).strip() or "no reason given").splitlines()[0]
    offline = {
        "timm": "Without a connection, give the weights as a file: ?checkpoint=FILE, or random ones: ?pretrained=false",
        "hf": "Without a connection, give the path of a folder that save_pretrained() wrote",
    }[spec.kind]
    return f'{spec.text}: "{spec.target}" could not be loaded ({type(error).__name__}: {first}). {offline}'


def _interpolation(name: str) -> Interpolation:
    return "bilinear" if name == "bilinear" else "bicubic"


def _triple(values: Any) -> Triple:
    r, g, b = map(float, values)
    return r, g, b
