"""What is behind the object: a colour, a picture, or several pictures of which each pose draws one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posetest.errors import ConfigError
from posetest.scene.painted import paint_all

#: File endings that a background folder is searched for.
IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")


@dataclass(frozen=True)
class Background:
    """One colour or some pictures.

    Attributes:
        color: sRGB in [0, 1]; used where there are no pictures.
        files: the pictures, sorted by name; the background index of a pose counts in this order.
        painted: in place of files, a kind of ``posetest.scene.painted`` and how many pictures of it.
    """

    color: tuple[float, float, float] = (0.5, 0.5, 0.5)
    files: tuple[Path, ...] = ()
    painted: tuple[str, int] | None = None

    @property
    def count(self) -> int:
        """How many different backgrounds a pose may have."""
        return self.painted[1] if self.painted is not None else max(1, len(self.files))

    def images(self, height: int, width: int) -> NDArray[np.float32]:
        """The backgrounds as float32 [count, 3, height, width], sRGB in [0, 1].

        A picture is scaled, antialiased, to cover the frame and cut at its centre.

        Raises:
            ConfigError: a picture cannot be read.
        """
        if self.painted is not None:
            return paint_all(*self.painted, height, width)
        if not self.files:
            flat = np.asarray(self.color, dtype=np.float32).reshape(1, 3, 1, 1)
            return np.ascontiguousarray(np.broadcast_to(flat, (1, 3, height, width)))
        return np.stack([_cover(path, height, width) for path in self.files])


def _cover(path: Path, height: int, width: int) -> NDArray[np.float32]:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as opened:
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            picture = ImageOps.fit(upright, (width, height), Image.Resampling.LANCZOS)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ConfigError(f"{path}: this background picture cannot be read ({error})") from error
    return np.ascontiguousarray(np.asarray(picture, dtype=np.float32).transpose(2, 0, 1) / np.float32(255))


def background_files(folder: Path) -> tuple[Path, ...]:
    """The pictures of ``folder``, sorted by name.

    Raises:
        ConfigError: there is no such folder, or no picture in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder of background pictures")
    files = tuple(sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file()))
    if not files:
        raise ConfigError(f"{folder}: no background picture in this folder (looked for {', '.join(IMAGE_SUFFIXES)})")
    return files
