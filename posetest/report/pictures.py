"""Kept pictures as data URLs, so that a report needs no file beside it, within a budget of bytes."""

from __future__ import annotations

import base64
from pathlib import Path

import pandas as pd

from posetest.engine.run import RunFolder

_USES = {"canonical": 2}  # in the verdict and in the object's section; of a search each is shown once
_PNG = b"\x89PNG\r\n\x1a\n"


def embed(run: RunFolder, kept: pd.DataFrame, budget: int) -> dict[str, str]:
    """Data URLs of the run's pictures by file, at most about ``budget`` characters in all.

    Canonical pictures come first; then, for all scenes and models alike, the most confidently misread pose, the
    second, and so on while they fit. A picture that is missing, or is no PNG inside the run folder, is left out.
    """
    order = kept.assign(rank=kept.groupby(["kind", "scene", "model"], observed=True, sort=False).cumcount())
    order = order.sort_values(["kind", "rank"], kind="stable")  # "canonical" before "gallery"
    urls: dict[str, str] = {}
    left = budget
    for kind, file in zip(order["kind"], order["file"], strict=True):
        data = _read(run.path, str(file))
        size = len(data) * 4 // 3 * _USES.get(str(kind), 1)
        if data and size <= left:
            urls[str(file)] = f"data:image/png;base64,{base64.b64encode(data).decode()}"
            left -= size
    return urls


def _read(folder: Path, file: str) -> bytes:
    """The bytes of the PNG ``file`` in ``folder``; none where it is something else or lies outside."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        return b""
    data = path.read_bytes()
    return data if data.startswith(_PNG) else b""
