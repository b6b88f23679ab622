"""What the benchmarks of the renderer share: a tuned process, meshes, poses, and supersampled pictures as the truth."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from posetest.geometry.camera import Views
from posetest.geometry.so3 import quaternion_to_matrix
from posetest.render.cpu import CpuRenderer
from posetest.scene.load import load_mesh
from posetest.scene.material import Material, Texture
from posetest.scene.mesh import Mesh

SHARED = Path(__file__).resolve().parents[2] / "shared"
OX = SHARED / "meshes" / "ox" / "cow.obj"
FOV = np.radians(30)

#: Of the oracle: samples per side of a pixel.
FINE = 8

#: glibc reads its two at process start. Waiting OpenMP threads must sleep, or they spin against the renderer's.
PROCESS = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "-1", "OMP_WAIT_POLICY": "PASSIVE"}

#: File, axes and ImageNet class of meshes of different kinds: smooth, boxy, scanned, thin and shiny, spindly.
MESHES: dict[str, tuple[str, dict[str, str], int]] = {
    "ox": ("ox/cow.obj", {"up": "+y", "front": "-z"}, 345),
    "jeep": ("jeep/suv.obj", {"up": "+z", "front": "+y"}, 609),
    "banana": ("banana/textured_simple_reoriented.obj", {"up": "+z"}, 954),
    "pop_bottle": ("pop_bottle/fuze.obj", {"up": "+z", "front": "-y"}, 737),
}


def restart_tuned() -> None:
    """Starts the script again with PROCESS in its environment, unless it is there."""
    if any(os.environ.get(key) != value for key, value in PROCESS.items()):
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | PROCESS)


def shared_mesh(name: str) -> Mesh:
    file, axes, _ = MESHES[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the jeep has six faces without area
        return load_mesh(SHARED / "meshes" / file, **axes)


def ox() -> Mesh:
    return shared_mesh("ox") if OX.is_file() else textured_sphere(5_856)


def classifier(name: str) -> Any:
    """A trained network, or for "mobilenet_v2" without ../shared the same network with random weights."""
    import posetest

    file = SHARED / "classifiers" / "classifiers.py"
    spec = f"{file}:load?name={name}" if file.is_file() else f"torchvision:{name}?weights=none"
    return posetest.load_model(spec)


def views(count: int, seed: int) -> Views:
    """Haar-uniform rotations, one light and ambient, the object about three quarters of the frame."""
    q = np.random.default_rng(seed).normal(size=(count, 4))
    return Views(
        rotation=quaternion_to_matrix(q / np.linalg.norm(q, axis=1, keepdims=True)),
        position=np.tile([0.0, 0.0, -1 / np.tan(FOV / 2) / 0.75], (count, 1)),
        fov=np.full(count, FOV),
        light_dirs=np.tile([-0.48, 0.67, 0.57], (count, 1, 1)),
        light_colors=np.full((count, 1, 3), 0.8),
        ambient=np.full((count, 3), 0.3),
        background=np.zeros(count, dtype=np.int64),
    )


def supersampled(renderer: CpuRenderer, of: Views, side: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pictures [n, 3, side, side] of FINE x FINE samples a pixel, mean in linear light; coverage [n, side, side].

    Drawn FINE times larger, where the textures' mip levels are sharper too; torch does the arithmetic, which numpy
    would take longer for than the renderer.
    """
    import torch

    images, cover = [], []
    for i in range(len(of)):
        large = renderer.render(of[i : i + 1], side * FINE, side * FINE, mask=True)
        light = torch.nn.functional.avg_pool2d(decoded(torch.from_numpy(large.images)), FINE)
        images.append(encoded(light).numpy())
        assert large.mask is not None
        cover.append(torch.nn.functional.avg_pool2d(torch.from_numpy(large.mask), FINE)[:, 0].numpy())
    return np.concatenate(images), np.concatenate(cover)


def decoded(srgb: Any) -> Any:
    import torch

    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def encoded(linear: Any) -> Any:
    import torch

    return torch.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear.clamp_min(1e-9) ** (1 / 2.4) - 0.055)


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
