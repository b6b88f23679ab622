"""An A4 document with the few things that a report is set from: headings, paragraphs, tables, figures, pictures."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from fpdf import FPDF
from fpdf.enums import WrapMode
from fpdf.fonts import FontFace, TTFFont
from fpdf.util import Padding

from posetest.report.drawing.style import FAMILY, font_file, spelled
from posetest.report.paper.vector import in_order

#: Points of text by use.
BODY, SMALL, TINY = 8.5, 7.0, 5.6
INK, SOFT, RULE, PALE, BAD = (25, 29, 33), (89, 99, 110), (201, 206, 211), (246, 247, 248), (255, 241, 236)
_EDGE = (197, 62, 9)
_MARGIN, _TOP, _BOTTOM = 18.0, 20.0, 18.0
_LEADING = 1.36  # of the size of letters
_MM = 25.4 / 72
_MONO = "DejaVuSansMono"
_MOST = 160  # letters of a heading, a name, a cell: names may have thousands, and a page has no room for them
_MOST_TEXT = 3000  # of anything else in one piece
_COUNT = "⟨⁂⟩"  # stands for the number of pages until it is known; no name has it


class Sheet(FPDF):
    """The document. Lengths are millimetres, sizes of letters points.

    Every text may hold anything: what the fonts lack is spelled out, what is written from right to left is put in the
    order in which it is seen, what is longer than a page has room for is cut, and nothing is read as markup.

    Args:
        title: of the document and its header.
        made: date that the file bears; the same content then gives the same bytes.
    """

    def __init__(self, title: str, made: datetime) -> None:
        super().__init__(format="A4")
        self.set_creation_date(made)
        self.set_title(plainly(_cut(title)))
        self.set_creator("posetest")
        self.set_lang("en")
        self.set_margins(_MARGIN, _TOP, _MARGIN)
        self.set_auto_page_break(True, _BOTTOM)
        for style, face in (("", "DejaVuSans"), ("B", "DejaVuSans-Bold")):
            self.add_font(FAMILY, style, font_file(face))
        self.add_font("mono", "", font_file(_MONO))
        self._running = title
        self._date = made.date().isoformat()
        self.alias_nb_pages(_COUNT)
        self.add_page()

    def close(self) -> None:
        """Closes the font files, which fpdf2 (2.8) leaves open."""
        for font in self.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def header(self) -> None:
        """The run's name over a rule, from the second page on."""
        if self.page_no() == 1:
            return
        self._pen(FAMILY, "", SMALL, SOFT)
        self.set_xy(_MARGIN, 10)
        self.cell(self.epw, 4, self._fitted(self._running, self.epw))
        self._rule(15)
        self.set_y(_TOP)

    def footer(self) -> None:
        """Where it comes from, and the page."""
        self._pen(FAMILY, "", SMALL, SOFT)
        self.set_xy(_MARGIN, -12)
        self.cell(self.epw / 2, 4, f"posetest · pose audit · run of {self._date}")
        self.set_xy(_MARGIN + self.epw / 2, -12)
        self.cell(self.epw / 2, 4, f"{self.page_no()} / {_COUNT}", align="R")

    def heading(self, text: str, level: int, *, room: float = 30) -> None:
        """A heading of level 0 (the document's) to 2; the first two are bookmarks. A page with less ``room`` ends."""
        size = (19.0, 13.0, 9.5)[level]
        self.need(size * _MM + room)
        if level < 2:
            self.start_section(plainly(_cut(text)), level)
        if level and self.get_y() > _TOP + 1:
            self.ln((0, 6, 3.5)[level])
        self._pen(FAMILY, "B", size, INK)
        self._lines(_cut(text), size)
        self.ln((2.5, 2, 0.8)[level])

    def paragraph(self, text: str, *, size: float = BODY, soft: bool = False, bold: str = "") -> None:
        """Text over the whole width, after ``bold`` words."""
        color = SOFT if soft else INK
        if bold:
            self._pen(FAMILY, "B", size, INK)
            self.write(size * _LEADING * _MM, self.seen(f"{_cut(bold)}  "))
        self._pen(FAMILY, "", size, color)
        if bold:
            self.write(size * _LEADING * _MM, self.seen(text))
            self.ln(size * _LEADING * _MM)
        else:
            self._lines(text, size)
        self.ln(1.2)

    def caption(self, text: str) -> None:
        """Small print below a figure or a table."""
        self.ln(0.6)
        self.paragraph(text, size=SMALL, soft=True)

    def code(self, text: str, *, size: float = SMALL) -> None:
        """What is typed or copied, letters of equal width."""
        self._pen("mono", "", size, SOFT)
        self.multi_cell(
            0,
            size * 1.3 * _MM,
            spelled(_cut(text, _MOST_TEXT), _MONO),
            align="L",
            new_x="LMARGIN",
            new_y="NEXT",
            wrapmode=WrapMode.CHAR,
        )

    def notice(self, bold: str, text: str) -> None:
        """Something that a reader must not miss."""
        self.need(16)
        self.ln(1)
        y = self.get_y()
        self._pen(FAMILY, "", BODY, INK)
        self.set_fill_color(*BAD)
        self.set_x(_MARGIN + 1.2)
        self.multi_cell(
            self.epw - 1.2,
            BODY * _LEADING * _MM,
            self.seen(f"{bold} {text}"),
            align="L",
            fill=True,
            padding=Padding(1.6, 1.6, 1.6, 1.6),
            new_x="LMARGIN",
            new_y="NEXT",
        )
        if self.get_y() > y:  # not broken over pages
            self.set_fill_color(*_EDGE)
            self.rect(_MARGIN, y, 1.2, self.get_y() - y, "F")
        self.set_fill_color(0)  # tables and the letters of figures take what is set
        self.ln(1.5)

    def pairs(self, found: Sequence[tuple[str, str]], *, width: float | None = None, first: float = 22) -> None:
        """Names and what they stand for, side by side."""
        size, height = BODY - 0.5, (BODY - 0.5) * _LEADING * _MM
        total = self.epw if width is None else width
        for name, text in found:
            self.need(height * 2)
            y = self.get_y()
            self._pen(FAMILY, "", size, SOFT)
            self.multi_cell(first, height, self.seen(_cut(name)), align="L", new_x="RIGHT", new_y="TOP")
            page = self.page
            self.set_xy(_MARGIN + first, y)
            self._pen(FAMILY, "", size, INK)
            self.multi_cell(total - first, height, self.seen(text), align="L", new_x="LMARGIN", new_y="NEXT")
            if self.page == page:
                self.set_y(max(self.get_y(), y + height) + 0.7)

    def grid(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
        *,
        right: Sequence[int] = (),
        size: float = SMALL,
    ) -> None:
        """A table with thin rules; columns numbered in ``right`` are set to the right. Its head is on every page."""
        self._pen(FAMILY, "", size, INK)
        self.set_draw_color(*RULE)
        self.set_line_width(0.15)
        aligns = tuple("RIGHT" if k in right else "LEFT" for k in range(len(head)))
        with self.table(
            col_widths=tuple(widths),
            width=self.epw,
            text_align=aligns,
            v_align="T",
            borders_layout="HORIZONTAL_LINES",
            line_height=size * 1.28 * _MM,
            padding=(0.7, 1.2, 0.7, 0.0),
            headings_style=FontFace(emphasis="", color=SOFT),
        ) as table:
            for line in (head, *rows):
                row = table.row()
                for text in line:
                    row.cell("\n".join(self.seen(_cut(part)) for part in text.split("\n")))
        self.ln(0.6)

    def figure(self, svg: bytes, size_in: tuple[float, float], alt: str, *, below: float = 15) -> None:
        """A figure at its own size, not wider than the text, with words for those who do not see it.

        Its page has ``below`` left for what belongs to it.
        """
        width = min(size_in[0] * 25.4, self.epw)
        height = width * size_in[1] / size_in[0]
        self.need(height + below)
        y = self.get_y()
        self.image(io.BytesIO(svg), x=_MARGIN, y=y, w=width, h=height, alt_text=self.seen(alt))
        self.set_y(y + height)

    @contextmanager
    def beside(self, picture: bytes | None, size: float, alt: str) -> Iterator[None]:
        """Text to the right of a square picture, what follows below its end; without a picture over the whole width."""
        if picture is None:
            yield
            return
        self.need(size + 2)
        y, page = self.get_y(), self.page
        self.image(io.BytesIO(picture), _MARGIN, y, size, size, alt_text=self.seen(alt))
        self.set_left_margin(_MARGIN + size + 4)
        self.set_xy(self.l_margin, y)
        yield
        self.set_left_margin(_MARGIN)
        bottom = y + size + 1.5
        self.set_xy(_MARGIN, max(self.get_y(), bottom) if self.page == page else self.get_y())

    def seen(self, text: str) -> str:
        """``text`` in the letters that there are and the order in which they are seen, cut where it is very long."""
        return in_order(spelled(_cut(text, _MOST_TEXT)))

    def need(self, height: float) -> None:
        """Ends the page unless ``height`` is left on it."""
        if self.get_y() + height > self.h - _BOTTOM and self.get_y() > _TOP + 1:
            self.add_page()

    @contextmanager
    def at(self, x: float, y: float) -> Iterator[None]:
        """Something placed beside the text: the pen returns after."""
        before = self.get_y()
        self.set_auto_page_break(False)
        self.set_xy(x, y)
        yield
        self.set_auto_page_break(True, _BOTTOM)
        self.set_xy(_MARGIN, before)

    def label(self, text: str, width: float, *, face: str = FAMILY, style: str = "", size: float = TINY) -> None:
        """Lines of a given width from where the pen is; the pen ends below them, in the same column."""
        self._pen(face, style, size, INK if style else SOFT)
        text = _cut(text, _MOST if face == FAMILY else _MOST_TEXT)  # a replay string is whole or of no use
        shown = self.seen(text) if face == FAMILY else spelled(text, _MONO)
        wrap = WrapMode.WORD if face == FAMILY else WrapMode.CHAR
        self.multi_cell(width, size * 1.28 * _MM, shown, align="L", new_x="LEFT", new_y="NEXT", wrapmode=wrap)

    def _lines(self, text: str, size: float) -> None:
        self.multi_cell(0, size * _LEADING * _MM, self.seen(text), align="L", new_x="LMARGIN", new_y="NEXT")

    def _fitted(self, text: str, width: float) -> str:
        """As much of ``text`` as fits on a line."""
        shown = self.seen(_cut(text))
        while self.get_string_width(shown) > width and len(shown) > 1:
            shown = shown[:-2] + "…"
        return shown

    def _pen(self, family: str, style: str, size: float, color: tuple[int, int, int]) -> None:
        self.set_font(family, style, size)
        self.set_text_color(*color)

    def _rule(self, y: float) -> None:
        self.set_draw_color(*RULE)
        self.set_line_width(0.2)
        self.line(_MARGIN, y, _MARGIN + self.epw, y)


def _cut(text: str, most: int = _MOST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plainly(text: str) -> str:
    """``text`` for bookmarks and metadata, which a viewer sets in fonts of its own: without control characters."""
    return "".join(c for c in text if c.isprintable())
