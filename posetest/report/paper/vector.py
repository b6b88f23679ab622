"""Figures and words in the form that the writer of PDF files takes."""

from __future__ import annotations

import base64
import io
import unicodedata
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from posetest.report.drawing.style import DPI, settle

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"


def in_order(text: str) -> str:
    """``text`` in the order in which it is seen from left to right, where some of it is written from right to left."""
    if not any(unicodedata.bidirectional(c) in ("R", "AL") for c in text):
        return text
    from fpdf.bidi import BidiParagraph

    return BidiParagraph(text).get_reordered_string()


def to_svg(figure: Figure) -> bytes:
    """The figure as SVG, laid out, as fpdf2 (2.8) can read it.

    Pictures in it are upright: matplotlib mirrors them and puts them right by a transform, which is not read there.
    Words are in the order in which they are seen, for they are set letter after letter; a pixel of letters, which is a
    point in matplotlib's figures, would be three quarters of one there.
    """
    settle(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", dpi=DPI, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(buffer.getvalue())
    for parent in list(root.iter()):
        if parent.tag == f"{{{_SVG}}}text":
            parent.text = in_order(parent.text or "")
            parent.set("style", parent.get("style", "").replace("px;", "pt;"))
        for child in list(parent):
            if child.tag == f"{{{_SVG}}}metadata":
                parent.remove(child)
            elif child.tag == f"{{{_SVG}}}image" and "transform" in child.attrib:
                _upright(child)
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _HREF[1:-5])
    return ET.tostring(root)


def _upright(image: ET.Element) -> None:
    """Takes "scale(1 -1) translate(0 -H)" off: the rectangle is mirrored about H / 2, and so are its pixels."""
    from PIL import Image, ImageOps

    mirror, _, shift = image.attrib.pop("transform").partition(" translate(0 -")
    assert mirror == "scale(1 -1)", mirror
    total = float(shift.rstrip(")"))
    image.set("y", f"{total - float(image.get('y', '0')) - float(image.get('height', '0')):.3f}")
    head, _, data = image.get(_HREF, "").partition(",")
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        ImageOps.flip(picture).save(buffer, "PNG")
    image.set(_HREF, f"{head},{base64.b64encode(buffer.getvalue()).decode()}")
