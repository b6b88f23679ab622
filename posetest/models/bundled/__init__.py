"""The classifier that comes with the package: five kinds of object and "other", trained on upright poses only.

Its training poses are known (docs/bundled-classifier.md), so an audit of it has a right answer. Importing this package
is cheap; ``load`` imports torch.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from posetest.models.bundled.network import BundledClassifier

#: Where the weights are.
WEIGHTS = Path(__file__).resolve().parent / "weights.safetensors"


def load(weights: Path = WEIGHTS) -> BundledClassifier:
    """The bundled classifier in eval mode, on the CPU, its parameters frozen.

    Raises:
        ModelError: the weights are missing or belong to another architecture.
    """
    from posetest.models.bundled.files import read

    return read(weights)
