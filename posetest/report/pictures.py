"""Kept pictures as data URLs, so that a report needs no file beside it, within a budget of bytes."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pandas as pd

from posetest.engine.run import RunFolder

_USES = {"canonical": 2}  # in the verdict and in the object's section; of a search each is shown once
#: Sheets of small pictures take at most this part of the budget, so that many objects leave room for their galleries.
_SHEETS_SHARE = 0.5
#: Which pictures come first; the others share what is left.
_FIRST = {"canonical": -2, "directions": -1}
_SMALL_PX = 192


def embed(run: RunFolder, kept: pd.DataFrame, budget: int) -> dict[str, str]:
    """Data URLs of the run's pictures by file, at most about ``budget`` characters in all.

    Canonical pictures come first, then the sheets of small ones, up to half of the budget; then, for all scenes, models
    and kinds alike, the first of each, the second, and so on while they fit. Pictures of regions are made smaller. A
    picture that is missing, damaged, or no PNG or WebP inside the run folder, is left out.
    """
    order = kept.assign(rank=kept.groupby(["kind", "scene", "model"], observed=True, sort=False).cumcount())
    order["rank"] = order["kind"].astype(str).map(_FIRST).fillna(order["rank"])
    order = order.sort_values(["rank", "kind"], kind="stable")
    times = kept["file"].astype(str).value_counts().to_dict()  # a pose may be in the gallery and named by a region
    urls: dict[str, str] = {}
    left, left_for_sheets = budget, int(_SHEETS_SHARE * budget)
    for kind, file in zip(order["kind"].astype(str), order["file"].astype(str), strict=True):
        if file in urls:
            continue
        media_type, data = _read(run.path, file)
        if data and kind == "region":
            media_type, data = "image/jpeg", _smaller(data)
        size = len(data) * 4 // 3 * _USES.get(kind, times[file])
        is_sheet = kind == "directions"
        if data and size <= (min(left, left_for_sheets) if is_sheet else left):
            urls[file] = f"data:{media_type};base64,{base64.b64encode(data).decode()}"
            left -= size
            left_for_sheets -= size if is_sheet else 0
    return urls


def _smaller(picture: bytes) -> bytes:
    """The picture as a JPEG no wider and no higher than it is shown on a dense screen."""
    from PIL import Image

    with Image.open(io.BytesIO(picture)) as image:
        image.thumbnail((_SMALL_PX, _SMALL_PX))
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def _read(folder: Path, file: str) -> tuple[str, bytes]:
    """Media type and bytes of the picture ``file`` in ``folder``; none where it is something else or lies outside.

    Nor where it is cut off or damaged: it would stop the writer of a document, and show nothing in a page.
    """
    from PIL import Image

    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return "", b""
    data = path.read_bytes()
    try:
        with Image.open(io.BytesIO(data), formats=["PNG", "WEBP"]) as picture:
            # PNG files carry sums of their bytes; of WebP nothing but drawing tells
            picture.verify() if picture.format == "PNG" else picture.load()
    except (OSError, SyntaxError, ValueError):  # as PIL reports damage
        return "", b""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png", data
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp", data
    return "", b""
