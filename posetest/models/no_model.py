"""The model of those who need none: for objectives that are functions of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from posetest.errors import ModelError
from posetest.protocols import Response

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class NoModel:
    """A posetest.protocols.Model without a class: pictures pass by, and no label is given."""

    name: str = "none"
    spec: str = "none"
    categories: tuple[str, ...] = ()
    digest: str = ""
    preprocessing: str = "none: there is no model"
    input_size: int | None = None
    is_differentiable: bool = False

    def log_probabilities(self, images: Tensor) -> Tensor:
        """[n, 0]."""
        return images.new_empty((len(images), 0))

    def respond(self, images: Tensor, layers: Sequence[str] = ()) -> Response:
        """The images alone.

        Raises:
            ModelError: ``layers`` are asked for.
        """
        if layers:
            raise ModelError(f'there is no model whose layer "{layers[0]}" could be watched: name one with --model')
        return Response(images=images, log_p=self.log_probabilities(images), logits=None, layers={})
