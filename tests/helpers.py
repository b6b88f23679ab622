"""Small things that several tests build."""

from __future__ import annotations

from pathlib import Path

import torch

CUBE = """\
mtllib cube.mtl
v -1 -1 -1
v 1 -1 -1
v 1 1 -1
v -1 1 -1
v -1 -1 1
v 1 -1 1
v 1 1 1
v -1 1 1
usemtl red
f 5 6 7 8
usemtl green
f 2 1 4 3
usemtl blue
f 1 5 8 4
f 6 2 3 7
f 4 8 7 3
f 1 2 6 5
"""
CUBE_MTL = "newmtl red\nKd 1 0 0\nnewmtl green\nKd 0 1 0\nnewmtl blue\nKd 0 0 1\n"
SCENE = """\
name = "cube"
[object]
mesh = "cube.obj"
labels = ["red"]
"""


def write_cube_scene(folder: Path, text: str = SCENE) -> Path:
    """A scene file beside a cube: red in front (+z), green behind, blue on the other sides."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cube.obj").write_text(CUBE)
    (folder / "cube.mtl").write_text(CUBE_MTL)
    (folder / "cube.toml").write_text(text)
    return folder / "cube.toml"


class LargestColour(torch.nn.Module):
    """Names the primary colour of which a picture holds most: an audit of it has a known answer."""

    categories = ("red", "green", "blue")

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return 20 * images.mean((2, 3))
