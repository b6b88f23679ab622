"""Contact sheets of the real meshes in six poses, to be looked at; beside OpenGL's pictures of the same, if wanted.

    python benchmarks/contact_sheet.py [--opengl] [--only NAME ...] [--samples 2] [--pixels 160] [--out FOLDER]

One row a mesh, five rows a sheet: six pictures by the CPU renderer and, with --opengl, the same six by OpenGL. The mean
absolute difference of the two is printed for each mesh: over the six poses, and the worst of them.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np

from posetest.engine.host import default_threads, tune_process

ROWS_PER_SHEET = 5

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))  # the OpenGL renderer and the six poses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--opengl", action="store_true")
    parser.add_argument("--only", nargs="*", help="names of meshes; all by default")
    parser.add_argument("--samples", type=int, default=1, help="of the CPU renderer, per pixel side")
    parser.add_argument("--shading", default="linear")
    parser.add_argument("--pixels", type=int, default=224)
    parser.add_argument("--out", type=Path, default=Path())
    options = parser.parse_args()
    tune_process()
    from canonical_views import load, manifest
    from PIL import Image

    from posetest.api import contact_sheet

    context = None
    if options.opengl:
        from opengl import open_context

        context = open_context()
    options.out.mkdir(parents=True, exist_ok=True)
    rows = [row for row in manifest() if not options.only or row["name"] in options.only]
    for first in range(0, len(rows), ROWS_PER_SHEET):
        page = rows[first : first + ROWS_PER_SHEET]
        shots = [pictures(row["name"], load(row), context, options) for row in page]
        path = options.out / f"sheet_{first // ROWS_PER_SHEET + 1}.png"
        Image.fromarray(contact_sheet(np.concatenate(shots), len(shots[0]))).save(path)
        print(f"{path}: {', '.join(row['name'] for row in page)}")


def pictures(name: str, scene: Any, context: Any, options: argparse.Namespace) -> np.ndarray:
    """Ours, then OpenGL's if there is a context."""
    from render_pictures import six_views

    from posetest.render.cpu import CpuRenderer

    poses, side = six_views(scene.mesh), options.pixels
    setting = {"samples": options.samples, "shading": options.shading}
    with CpuRenderer(scene.mesh, scene.background, threads=default_threads(), **setting) as renderer:
        ours = renderer.render(poses, side, side).images
    if context is None:
        return ours
    from opengl import OpenGLRenderer

    theirs, _ = OpenGLRenderer(context, scene.mesh, scene.background, shading=options.shading).render(poses, side, side)
    difference = np.abs(ours - theirs).mean(axis=(1, 2, 3))
    print(f"{name:16s} {difference.mean():.5f} on average, {difference.max():.5f} at worst")
    return np.concatenate([ours, theirs.astype(np.float32)])


if __name__ == "__main__":
    main()
