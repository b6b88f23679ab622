"""The bundled classifier's weights on disk: half precision in safetensors, with how they came about as metadata."""

from __future__ import annotations

import json
from pathlib import Path

from posetest.errors import ModelError
from posetest.models.bundled.network import BundledClassifier, SmallNet

#: Side of the network's input, in pixels.
INPUT_SIZE = 64
_ABOUT = "posetest"


def write(path: Path, network: SmallNet, categories: tuple[str, ...], info: dict[str, str]) -> None:
    """Saves a folded network in half precision."""
    from safetensors.torch import save

    state = {key: value.half().contiguous() for key, value in network.state_dict().items()}
    # One entry: safetensors writes several in an order that changes from run to run, and with it the file's digest.
    about = {"categories": categories, "input_size": INPUT_SIZE, "info": info}
    path.write_bytes(save(state, metadata={_ABOUT: json.dumps(about, sort_keys=True)}))


def read(path: Path) -> BundledClassifier:
    """The classifier that ``write`` saved, in float32 and eval mode, its parameters frozen.

    Raises:
        ModelError: the file is missing or its tensors are not this architecture's.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {})[_ABOUT])
            state = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (not iterable itself)
        categories = tuple(about["categories"])
        network = SmallNet(len(categories), normalised=False)
        network.load_state_dict(state)
    except FileNotFoundError as error:
        raise ModelError(
            f"{path}: no such weights of a reference classifier; posetest train-reference makes them"
        ) from error
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise ModelError(f"{path}: not weights of the bundled classifier ({error})") from error
    model = BundledClassifier(network, categories, about["input_size"], about["info"])
    model.eval()
    model.requires_grad_(False)
    return model
