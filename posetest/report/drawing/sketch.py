"""A figure that is yet to be drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Sketch:
    """A figure: what it is called, what it says, how large it is and how it is drawn.

    Attributes:
        name: of its files, without ending.
        caption: what it shows, with n, the kind of interval and the measure.
        size_in: width and height, inches.
        draw: draws it on an empty figure.
    """

    name: str
    caption: str
    size_in: tuple[float, float]
    draw: Callable[[Figure], object]
