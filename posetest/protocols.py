"""The signatures that layers agree on. Nothing is implemented here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # annotations only: this module stays free of torch and of the layers below it
    from torch import Tensor

    from posetest.geometry.camera import Views


@dataclass(frozen=True, eq=False)
class Rendered:
    """n pictures and what the renderer knows about them.

    Attributes:
        images: float32 [n, 3, h, w], sRGB in [0, 1].
        mask: float32 [n, 1, h, w], how much of each pixel the object covers, or None where it was not asked for.
        inside: float32 [n], the fraction of the object's silhouette that lies inside the frame (0 to 1).
        area_px: float32 [n], the silhouette's area inside the frame, in pixels.
        long_px: float32 [n], the longer side of the silhouette's bounding box inside the frame, in pixels.
        digest: uint64 [n], a hash of each image's bits: equal images have equal digests.
    """

    images: NDArray[np.float32]
    mask: NDArray[np.float32] | None
    inside: NDArray[np.float32]
    area_px: NDArray[np.float32]
    long_px: NDArray[np.float32]
    digest: NDArray[np.uint64]


@runtime_checkable
class Renderer(Protocol):
    """Draws one scene's object under many views. Made once per mesh and background, used for many batches."""

    def render(self, views: Views, height: int, width: int, *, mask: bool = False) -> Rendered:
        """Pictures of ``views``; the same picture for a view whatever the batch it is in."""
        ...


@runtime_checkable
class Model(Protocol):
    """Images in, class scores out. Preprocessing is inside."""

    @property
    def name(self) -> str:
        """Short, for tables and file names."""
        ...

    @property
    def spec(self) -> str:
        """The string that loads it again, or "python:..." for an object handed over in Python."""
        ...

    @property
    def categories(self) -> tuple[str, ...]:
        """The class names in the order of the scores; one string may hold synonyms, comma-separated."""
        ...

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the weights, or "" where they cannot be read."""
        ...

    @property
    def preprocessing(self) -> str:
        """What happens to an image and how the scores are read, in words, for the record."""
        ...

    @property
    def input_size(self) -> int | None:
        """Side in pixels of the square images that it is made for; None where any will do."""
        ...

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients flow from the scores to the images."""
        ...

    def log_probabilities(self, images: Tensor) -> Tensor:
        """[n, 3, h, w] float32 sRGB in [0, 1] to log-probabilities [n, k]; differentiable where the model is."""
        ...
