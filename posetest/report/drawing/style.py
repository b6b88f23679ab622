"""What printed figures share: fonts, colours, and how one becomes a file; nothing here changes matplotlib's globals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from posetest.report.figures import COLOR_MAP

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: The scale of rates: even steps look even, and lightness alone carries it.
RATE_COLORS = COLOR_MAP
#: The scale of differences, brown to purple over white: told apart with any colour vision.
DIFFERENCE_COLORS = "PuOr"
#: Okabe and Ito's blue, orange and vermilion.
COLORS = {"recognised": "#0072b2", "misread": "#e69f00", "confident": "#d55e00"}
#: Lines of several things at once, in this order; lines also differ in their dashes.
SERIES = (("#0072b2", "-"), ("#d55e00", "--"), ("#000000", ":"), ("#e69f00", "-."))
VOID = "#d9dfe6"  # where there are no poses
INK, SOFT, RULE = "#191d21", "#59636e", "#c9ced3"

DPI = 200
#: The letters, which come with matplotlib.
FAMILY = "DejaVu Sans"

_SETTINGS = {
    "font.family": FAMILY,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "legend.frameon": False,
    "text.parse_math": False,  # a scene may be named "$x_"
    "pdf.fonttype": 42,  # letters stay letters
    "svg.fonttype": "none",  # letters, in a font that is named
    "svg.hashsalt": "posetest",  # names within the file do not change from one time to the next
}


@contextmanager
def printed(points: float = 8) -> Iterator[None]:
    """Figures made and saved within have the print style; ``points`` is the size of letters."""
    import matplotlib as mpl

    with mpl.rc_context({**_SETTINGS, "font.size": points, "axes.titlesize": points, "legend.fontsize": points}):
        yield


def blank(width_in: float, height_in: float) -> Figure:
    """A figure of this size in inches that lays itself out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, folder: Path, name: str) -> None:
    """NAME.png and NAME.pdf in ``folder``; the same figure gives the same bytes, as no date is in them."""
    settle(figure)
    figure.savefig(folder / f"{name}.png", dpi=DPI, metadata={"Software": None})
    figure.savefig(folder / f"{name}.pdf", dpi=DPI, metadata={"CreationDate": None})


def settle(figure: Figure) -> None:
    """Lays the figure out once and for all: each file would do it anew."""
    if (engine := figure.get_layout_engine()) is not None:
        engine.execute(figure)
        figure.set_layout_engine("none")


def font_file(face: str) -> Path:
    """The file of a DejaVu face that comes with matplotlib, such as "DejaVuSans-Bold"."""
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"


@lru_cache(maxsize=4)
def _glyphs(face: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    return frozenset(FT2Font(str(font_file(face))).get_charmap())


def spelled(text: object, *faces: str) -> str:
    r"""``text`` on one line, each character that one of ``faces`` lacks (Chinese, emoji) spelled as "\u4e2d".

    Without faces: of DejaVu Sans, upright and bold. Control and formatting characters, which would turn or hide what
    follows them, are spelled too.
    """
    known = frozenset.intersection(*(_glyphs(face) for face in faces or ("DejaVuSans", "DejaVuSans-Bold")))
    return "".join(
        " "
        if c.isspace() and c not in "\u00a0\u202f"
        else c
        if ord(c) in known and (c.isprintable() or c in "\u00a0\u202f")
        else f"\\u{ord(c):04x}"
        if ord(c) < 0x10000
        else f"\\U{ord(c):08x}"
        for c in str(text)
    )


def short(text: object, most: int = 32) -> str:
    """``text`` as ``spelled``, cut to ``most`` letters: a name in a figure, which has no room for a long one."""
    shown = spelled(text)
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"
