"""Kept pictures as data URLs, so that a report needs no file beside it, within a budget of bytes."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import pandas as pd

from posetest.engine.run import RunFolder

_USES = {"canonical": 2}  # in the verdict and in the object's section; of a search each is shown once
_SMALL_PX = 192
_PNG = b"\x89PNG\r\n\x1a\n"


def embed(run: RunFolder, kept: pd.DataFrame, budget: int) -> dict[str, str]:
    """Data URLs of the run's pictures by file, at most about ``budget`` characters in all.

    Canonical pictures come first; then, for all scenes, models and kinds alike, the first of each, the second, and so
    on while they fit. Pictures of regions are made smaller. A picture that is missing, or is no PNG inside the run
    folder, is left out.
    """
    order = kept.assign(rank=kept.groupby(["kind", "scene", "model"], observed=True, sort=False).cumcount())
    order["rank"] = order["rank"].where(order["kind"] != "canonical", -1)
    order = order.sort_values(["rank", "kind"], kind="stable")
    times = kept["file"].astype(str).value_counts().to_dict()  # a pose may be in the gallery and named by a region
    urls: dict[str, str] = {}
    left = budget
    for kind, file in zip(order["kind"].astype(str), order["file"].astype(str), strict=True):
        if file in urls:
            continue
        data, media = _read(run.path, file), "png"
        if data and kind == "region":
            data, media = _smaller(data), "jpeg"
        size = len(data) * 4 // 3 * _USES.get(kind, times[file])
        if data and size <= left:
            urls[file] = f"data:image/{media};base64,{base64.b64encode(data).decode()}"
            left -= size
    return urls


def _smaller(png: bytes) -> bytes:
    """The picture as a JPEG no wider and no higher than it is shown on a dense screen."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        image.thumbnail((_SMALL_PX, _SMALL_PX))
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, format="JPEG", quality=88)
    return buffer.getvalue()


def _read(folder: Path, file: str) -> bytes:
    """The bytes of the PNG ``file`` in ``folder``; none where it is something else or lies outside."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return b""
    data = path.read_bytes()
    return data if data.startswith(_PNG) else b""
