"""Where the bundled meshes and scenes are: inside an installed package, or at the top of a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def bundled(folder: str) -> Path:
    """The folder "meshes" or "scenes" that comes with this package.

    A wheel carries both inside the package (``_bundled``); a checkout keeps them beside it.
    """
    installed = _PACKAGE / "_bundled" / folder
    return installed if installed.is_dir() else _PACKAGE.parent / folder
