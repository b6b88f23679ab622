"""What happens to a rendered frame before a network sees it: resize, crop, normalise. Differentiable throughout.

The published way to classify a photograph resizes its shorter side and cuts out the centre. A rendered frame is
different: it is composed, and whether the object lies inside it was computed for the whole of it. So by default the
whole frame is shown to the network, with its aspect ratio kept; ``crop`` chooses otherwise:

whole      the frame is made as large as fits into the network's input. A square frame fills a square input; of any
           other nothing is cut and nothing is distorted, and the strips that stay free hold the network's mean colour.
stretch    the frame is resized to the input, whatever its shape.
published  the resize and centre crop that the weights were published with.

Frames that have the network's size already are not resampled at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from posetest.errors import ModelError
from posetest.models.spec import parse_choice

if TYPE_CHECKING:
    from torch import Tensor

Interpolation = Literal["bilinear", "bicubic"]
Crop = Literal["whole", "stretch", "published"]
Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Preprocess:
    """Turns images [n, 3, h, w] in [0, 1] into a network's input.

    Attributes:
        size: the network's input (height, width) in pixels; None leaves images at the size they have.
        mean: taken off each channel.
        std: each channel is divided by this afterwards.
        interpolation: how to resample; always antialiased, as Pillow does it.
        crop: which part of the frame to use, see this module's docstring.
        resize: for crop "published": the length that the shorter side gets before the centre is cut out, or a (height,
            width) that disregards the aspect ratio. By default the input's shorter side.
    """

    size: tuple[int, int] | None = None
    mean: Triple = (0.0, 0.0, 0.0)
    std: Triple = (1.0, 1.0, 1.0)
    interpolation: Interpolation = "bilinear"
    crop: Crop = "whole"
    resize: int | tuple[int, int] | None = None

    def __call__(self, images: Tensor) -> Tensor:
        """The network's input [n, 3, *size], in the dtype of ``images``; differentiable."""
        from torch.nn import functional as F

        size = self.size
        if size is not None:
            resized = _resized_shape(images.shape[-2], images.shape[-1], self)
            images = resize(images, resized, self.interpolation)
            if self.crop == "published":
                images = _centre_crop(images, size)
        if self.mean != (0.0, 0.0, 0.0):
            images = images - images.new_tensor(self.mean).view(3, 1, 1)
        if self.std != (1.0, 1.0, 1.0):
            images = images / images.new_tensor(self.std).view(3, 1, 1)
        if size is not None and images.shape[-2:] != size:
            # Normalised already, so a zero is the mean colour.
            top, left = (size[0] - images.shape[-2]) // 2, (size[1] - images.shape[-1]) // 2
            bottom, right = size[0] - images.shape[-2] - top, size[1] - images.shape[-1] - left
            images = F.pad(images, (left, right, top, bottom))
        return images

    def describe(self) -> str:
        """In words, for the record of a run."""
        words = []
        if self.size is None:
            words.append("images at the size they have")
        else:
            height, width = self.size
            how = f"antialiased {self.interpolation}"
            if self.crop == "whole":
                words.append(f"whole frame to {height}x{width} px with its aspect ratio kept ({how})")
            elif self.crop == "stretch":
                words.append(f"whole frame stretched to {height}x{width} px ({how})")
            else:
                target = self.resize if self.resize is not None else min(self.size)
                side = f"shorter side to {target} px" if isinstance(target, int) else f"to {target[0]}x{target[1]} px"
                words.append(f"{side} ({how}), centre {height}x{width} px cut out")
        if self.mean != (0.0, 0.0, 0.0):
            words.append("mean " + ", ".join(f"{value:.6g}" for value in self.mean))
        if self.std != (1.0, 1.0, 1.0):
            words.append("std " + ", ".join(f"{value:.6g}" for value in self.std))
        return "; ".join(words)


def resize(images: Tensor, size: tuple[int, int], interpolation: Interpolation = "bilinear") -> Tensor:
    """``images`` [n, 3, h, w] resampled to ``size`` (height, width), antialiased; unchanged where they have it already.

    Bicubic filters overshoot at edges; values are clipped to [0, 1] afterwards as an 8-bit picture would be, which
    has no gradient where it bites.
    """
    from torch.nn import functional as F

    if tuple(images.shape[-2:]) == tuple(size):
        return images
    images = F.interpolate(images, size, mode=interpolation, align_corners=False, antialias=True)
    return images.clamp(0.0, 1.0) if interpolation == "bicubic" else images


def with_options(base: Preprocess | None, options: dict[str, str], where: str) -> Preprocess | None:
    """``base`` with what the options size, mean, std, interpolation and crop say; None where neither says anything.

    Raises:
        ModelError: a value that cannot be read, or a crop where the network's input size is not known.
    """
    given = {key: options[key] for key in ("size", "mean", "std", "interpolation", "crop") if key in options}
    if not given:
        return base
    made = base or Preprocess()
    if "size" in given:
        made = replace(made, size=_parse_size(given["size"], where), resize=None)
    if "mean" in given:
        made = replace(made, mean=_parse_triple(given["mean"], "mean", where))
    if "std" in given:
        made = replace(made, std=_parse_triple(given["std"], "std", where))
        if not all(value > 0 for value in made.std):
            raise ModelError(f'{where}: std must be positive, not "{given["std"]}"')
    if "interpolation" in given:
        choice = parse_choice(given["interpolation"], ("bilinear", "bicubic"), "interpolation", where)
        made = replace(made, interpolation=choice)  # type: ignore[arg-type]  # checked on the line above
    if "crop" in given:
        choice = parse_choice(given["crop"], ("whole", "stretch", "published"), "crop", where)
        made = replace(made, crop=choice)  # type: ignore[arg-type]  # checked on the line above
    if made.size is None and ("crop" in given or "interpolation" in given):
        raise ModelError(f"{where}: crop and interpolation need the network's input size: add size=224, for example")
    return made


def _resized_shape(height: int, width: int, how: Preprocess) -> tuple[int, int]:
    """Height and width after resampling, before the crop or the padding."""
    size = how.size or (height, width)
    if how.crop == "stretch":
        return size
    if how.crop == "whole":
        scale = min(size[0] / height, size[1] / width)
        return min(size[0], max(1, round(height * scale))), min(size[1], max(1, round(width * scale)))
    target = how.resize if how.resize is not None else min(size)
    if not isinstance(target, int):
        return target
    # The longer side is rounded down, as torchvision does it.
    if height <= width:
        return target, int(target * width / height)
    return int(target * height / width), target


def _centre_crop(images: Tensor, size: tuple[int, int]) -> Tensor:
    """The middle of ``images``; where they are smaller than ``size`` they stay so. Odd pixels round half to even."""
    height, width = images.shape[-2:]
    rows, columns = min(size[0], height), min(size[1], width)
    top, left = round((height - rows) / 2), round((width - columns) / 2)
    return images[..., top : top + rows, left : left + columns]


def _parse_size(text: str, where: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:x(\d+))?", text)
    if not match or int(match[1]) < 1 or int(match[2] or 1) < 1:
        raise ModelError(
            f'{where}: size must be a number of pixels, "224", or height and width, "224x192", not "{text}"'
        )
    return int(match[1]), int(match[2] or match[1])


def _parse_triple(text: str, key: str, where: str) -> Triple:
    """One number for all channels, or three separated by commas; fractions such as 1/255 are read."""
    try:
        values = [_parse_number(part) for part in text.split(",")]
    except (ValueError, ZeroDivisionError):
        values = []
    if len(values) == 1:
        values *= 3
    if len(values) != 3:
        raise ModelError(f'{where}: {key} must be one number or three separated by commas (r,g,b), not "{text}"')
    return values[0], values[1], values[2]


def _parse_number(text: str) -> float:
    above, slash, below = text.partition("/")
    value = float(above) / float(below) if slash else float(above)
    if value != value or abs(value) == float("inf"):
        raise ValueError(text)
    return value
