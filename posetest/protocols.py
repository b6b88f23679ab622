"""The signatures that layers agree on. Nothing is implemented here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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

    def render(
        self,
        views: Views,
        height: int,
        width: int,
        *,
        mask: bool = False,
        backgrounds: NDArray[np.float32] | None = None,
    ) -> Rendered:
        """Pictures of ``views``; the same picture for a view whatever the batch it is in.

        ``backgrounds``, float32 [n, 3, h, w] in sRGB, one picture a view, takes the place of the scene's.
        """
        ...

    def close(self) -> None:
        """Gives back threads and memory; a closed renderer may be used again."""
        ...


@dataclass(frozen=True, eq=False)
class ViewGradients:
    """The gradient of a scalar L(images) with respect to each number of n views. All float64, NaN-free.

    Attributes:
        rotation: [n, 3], with respect to a small turn w (radians, about the camera's axes) that makes R into
            exp([w]x) R.
        position: [n, 3], per object unit.
        fov: [n], per radian.
        light_dirs: [n, k, 3], with respect to the components of the vector towards each light.
        light_colors: [n, k, 3].
        ambient: [n, 3].
        backgrounds: float32 [n, 3, h, w], with respect to the sRGB pictures behind, or None where not asked for.
    """

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    fov: NDArray[np.float64]
    light_dirs: NDArray[np.float64]
    light_colors: NDArray[np.float64]
    ambient: NDArray[np.float64]
    backgrounds: NDArray[np.float32] | None = None


@runtime_checkable
class DifferentiableRenderer(Renderer, Protocol):
    """A renderer that can say how a score of its pictures changes with the views."""

    def gradient(
        self,
        views: Views,
        images: NDArray[np.float32],
        adjoints: NDArray[np.float32],
        *,
        backgrounds: NDArray[np.float32] | None = None,
        with_backgrounds: bool = False,
    ) -> ViewGradients:
        """The gradient at ``views``, given their pictures and dL/dimages, both float32 [n, 3, h, w]."""
        ...


@dataclass(frozen=True, eq=False)
class Response:
    """What a model answers to n images, as tensors that autograd may flow through.

    Attributes:
        images: [n, 3, h, w], what it was shown.
        log_p: [n, k], log-probabilities of its classes; k is 0 where there is no classifier.
        logits: [n, k], its scores as they are, or None where it gives probabilities or does not tell.
        layers: outputs of watched layers by name.
        notes: what objectives have worked out of it and may want again.
    """

    images: Tensor
    log_p: Tensor
    logits: Tensor | None
    layers: Mapping[str, Tensor]
    notes: dict[int, Tensor] = field(default_factory=dict)


@runtime_checkable
class Objective(Protocol):
    """Turns what a model answers into one number for each image: higher is better."""

    @property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers that it watches."""
        ...

    @property
    def is_differentiable(self) -> bool:
        """Whether gradients flow from the score to the images, given a differentiable model."""
        ...

    def score(self, response: Response) -> Tensor:
        """[n], what a search makes as large as it can."""
        ...

    def margin(self, response: Response) -> Tensor | None:
        """[n], positive exactly where the objective is reached; None where there is nothing to reach."""
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


@runtime_checkable
class WatchableModel(Model, Protocol):
    """A model that also shows its logits and its layers."""

    def respond(self, images: Tensor, layers: Sequence[str] = ()) -> Response:
        """One pass: log-probabilities, logits and the outputs of ``layers``."""
        ...
