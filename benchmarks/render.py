"""Images per second of the CPU renderer: by faces, by picture size, on one and on two threads.

    python benchmarks/render.py [--quick] [--json]

Each figure is the median of repeated renders of one batch; rounds of the different settings take turns, so that other
work on the machine hits all of them alike. The settings of the allocator matter: without them each batch's pictures
are fresh memory that the kernel hands out page by page, so the script starts itself again with MALLOC_MMAP_MAX_=0 and
MALLOC_TRIM_THRESHOLD_=-1.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.camera import Views
from posetest.render.cpu import CpuRenderer, warm_up
from posetest.scene.load import load_mesh
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

ALLOCATOR = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1"}
OX = Path(__file__).resolve().parents[2] / "shared" / "meshes" / "ox" / "cow.obj"
FOV = np.radians(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="the main figures only")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    if any(os.environ.get(key) != value for key, value in ALLOCATOR.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | ALLOCATOR)
    started = time.perf_counter()
    warm_up()
    figures: dict[str, float | str] = {"first_image_s": round(time.perf_counter() - started, 3)}
    figures |= measure(cases(options.quick), rounds=5 if options.quick else 11)
    figures["threads_2_over_1"] = round(float(figures["ox_224_2"]) / float(figures["ox_224_1"]), 2)
    figures["mesh"] = "../shared/meshes/ox" if OX.is_file() else "a textured sphere in its place"
    if options.json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        print(f"{name:24} {value}")


def cases(quick: bool) -> list[tuple[str, Mesh, int, int]]:
    """(name, mesh, side in pixels, threads); the names end in the number of threads."""
    ox = load_mesh(OX) if OX.is_file() else textured_sphere(5_856)
    many = textured_sphere(82_000)
    found = [("ox_224_1", ox, 224, 1), ("ox_224_2", ox, 224, 2), ("faces_82k_224_2", many, 224, 2)]
    if not quick:
        found += [(f"faces_{faces}_224_2", textured_sphere(faces), 224, 2) for faces in (300, 5_000, 20_000)]
        found += [(f"ox_{side}_2", ox, side, 2) for side in (112, 299, 448)]
    return found


def measure(found: list[tuple[str, Mesh, int, int]], rounds: int) -> dict[str, float | str]:
    """Images per second of each case."""
    renderers = [CpuRenderer(mesh, threads=threads) for _, mesh, _, threads in found]
    times: list[list[float]] = [[] for _ in found]
    for number in range(rounds + 1):
        for place, (_, _, side, _) in enumerate(found):
            batch = views(64, seed=number)
            began = time.perf_counter()
            renderers[place].render(batch, side, side)
            if number:
                times[place].append(time.perf_counter() - began)
    for renderer in renderers:
        renderer.close()
    return {case[0]: round(64 / statistics.median(taken), 1) for case, taken in zip(found, times, strict=True)}


def views(count: int, seed: int) -> Views:
    """Haar-uniform rotations, one light and ambient, the object about three quarters of the frame."""
    q = np.random.default_rng(seed).normal(size=(count, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    rows = [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)]
    rows += [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)]
    rows += [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)]
    light = np.array([-0.48, 0.67, 0.57])
    return Views(
        rotation=np.stack(rows, axis=1).reshape(count, 3, 3),
        position=np.tile([0.0, 0.0, -1 / np.tan(FOV / 2) / 0.75], (count, 1)),
        fov=np.full(count, FOV),
        light_dirs=np.tile(light, (count, 1, 1)),
        light_colors=np.full((count, 1, 3), 0.8),
        ambient=np.full((count, 3), 0.3),
        background=np.zeros(count, dtype=np.int64),
    )


def textured_sphere(faces: int) -> Mesh:
    """A sphere of about that many faces under a 1024-pixel picture of noise."""
    rings = max(3, round((faces / 4) ** 0.5))
    v, u = np.meshgrid(np.linspace(0, 1, rings + 1), np.linspace(0, 1, 2 * rings + 1), indexing="ij")
    polar, around = np.pi * (1 - v.reshape(-1)), 2 * np.pi * u.reshape(-1)
    verts = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], axis=1)
    row, column = (a.reshape(-1) for a in np.meshgrid(np.arange(rings), np.arange(2 * rings), indexing="ij"))
    a = row * (2 * rings + 1) + column
    b, d = a + 1, a + 2 * rings + 1
    upper, lower = np.stack([a, b, d + 1], 1)[row > 0], np.stack([a, d + 1, d], 1)[row < rings - 1]
    corners = np.concatenate([upper, lower])
    picture = np.full((1024, 1024, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.kron(np.random.default_rng(0).integers(0, 256, (128, 128, 3)), np.ones((8, 8, 1)))
    uv: NDArray[np.float64] = np.stack([u.reshape(-1), v.reshape(-1)], axis=1)
    return Mesh(
        name="sphere",
        verts_obj=verts.astype(np.float32),
        faces=corners.astype(np.int32),
        uv=uv[corners].astype(np.float32),
        normals=verts[corners].astype(np.float32),
        colors=np.ones((len(corners), 3, 4), dtype=np.float32),
        face_material=np.zeros(len(corners), dtype=np.int32),
        materials=(Material(texture=Texture(picture)),),
        file_to_object=np.eye(4),
    )


if __name__ == "__main__":
    main()
