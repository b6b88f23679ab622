"""Files that a mesh names: found beside it, above it or in its sub-folders, and pictures decoded.

Names come with schemes (``model://``), with the author's absolute paths, back slashes, percent signs and spaces.
trimesh finds no name that leaves the mesh's folder, which is the usual layout of robot models.
"""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from posetest.errors import MeshError

#: Pictures of more pixels than this are refused: 16384 x 16384.
MAX_PIXELS = 2**28
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")


def find_beside(mesh: Path, name: str) -> Path | None:
    """The file that ``name`` means to a mesh file at ``mesh``, or None.

    Tried in turn: the name as it is, percent signs decoded, then its last component beside the mesh; each also without
    regard to upper and lower case.
    """
    plain = name.strip().strip('"').replace("\\", "/")
    candidates: list[str] = []
    for text in (plain, unquote(plain)):
        bare = _SCHEME.sub("", text)
        if bare == text or text.lower().startswith("file://"):
            candidates.append(bare)
        candidates.append(bare.rsplit("/", 1)[-1])
    for candidate in dict.fromkeys(c for c in candidates if c and "\0" not in c):
        found = _existing(mesh.parent / candidate)
        if found is not None:
            return found
    return None


def _existing(path: Path) -> Path | None:
    try:
        if path.is_file():
            return path
        if not path.parent.is_dir():
            return None
        wanted = path.name.lower()
        return next((p for p in sorted(path.parent.iterdir()) if p.name.lower() == wanted and p.is_file()), None)
    except OSError:  # a name longer than the file system allows
        return None


def decode_picture(data: bytes) -> NDArray[np.uint8]:
    """A picture file's content as uint8 [h, w, 4], sRGB and alpha, row 0 on top.

    Raises:
        MeshError: no picture, an unknown format, or too large a one. Its text does not name the file.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # we have a limit of our own
            with Image.open(io.BytesIO(data)) as opened:
                width, height = opened.size
                if width * height > MAX_PIXELS:
                    raise MeshError(f"the picture has {width} x {height} pixels, more than {MAX_PIXELS} in all")
                if opened.mode.startswith("I;16") or opened.mode == "I":
                    deep = np.asarray(opened).astype(np.uint32) >> 8  # Pillow would clip 16-bit grey at 255
                    grey = np.clip(deep, 0, 255).astype(np.uint8)
                    return np.dstack([grey, grey, grey, np.full_like(grey, 255)])
                return np.array(opened.convert("RGBA"), dtype=np.uint8)
    except MeshError:
        raise
    except Exception as error:  # Pillow's decoders raise many kinds: OSError, SyntaxError, struct.error ...
        raise MeshError(f"the picture cannot be decoded ({error})") from error


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture in a file as uint8 [h, w, 4].

    Raises:
        MeshError: as ``decode_picture``; the text names the file.
    """
    try:
        return decode_picture(path.read_bytes())
    except (OSError, MeshError) as error:
        raise MeshError(f"{path}: {error}") from error


def pictures_beside(mesh: Path) -> list[str]:
    """Names of the pictures in the mesh's folder, for hints."""
    endings = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tga")
    return sorted(p.name for p in mesh.parent.iterdir() if p.suffix.lower() in endings)
