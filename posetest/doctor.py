"""What ``posetest doctor`` examines: the pieces an audit stands on, each found working, missing or broken."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata, util
from typing import Literal

from posetest._version import __version__
from posetest.config import Backend, RenderConfig
from posetest.errors import BackendError, PosetestError
from posetest.resources import bundled

State = Literal["ok", "missing", "broken"]


@dataclass(frozen=True)
class Check:
    """One line of the doctor: what was examined, its state, and what to do if it is not ok."""

    name: str
    state: State
    text: str


#: Optional packages: import name, distribution, extra, what for.
_OPTIONAL = (
    ("onnxruntime", "onnxruntime", "onnx", "ONNX models"),
    ("timm", "timm", "timm", "models of timm"),
    ("transformers", "transformers", "hf", "models of Hugging Face"),
    ("DracoPy", "dracopy", "draco", "Draco-compressed meshes"),
)


def examine() -> list[Check]:
    """All checks, in the order they are shown. Nothing is raised: what fails is a line of its own."""
    checks = [
        Check("posetest", "ok", f"{__version__} on Python {platform.python_version()}"),
        _try("torch", _torch),
        _try("torchvision", _torchvision),
        _try("renderer: cpu", _cpu_renderer),
        _try("renderer: reference", lambda: f"slow and plain, to check others by; {_drawn('reference')}"),
        _pytorch3d(),
        _try("bundled scenes", _bundled),
        _try("bundled classifier", _classifier),
    ]
    return checks + [_optional(*entry) for entry in _OPTIONAL]


def _try(name: str, check: Callable[[], str]) -> Check:
    try:
        return Check(name, "ok", check())
    except PosetestError as error:
        return Check(name, "broken", str(error))
    except Exception as error:  # whatever is wrong with an installation, the doctor must be able to say it
        return Check(name, "broken", f"{type(error).__name__}: {error}")


def _torch() -> str:
    import torch

    device = "CUDA " + str(torch.version.cuda) if torch.cuda.is_available() else "no CUDA device: runs on the CPU"
    return f"{torch.__version__}, {torch.get_num_threads()} threads, {device}"


def _torchvision() -> str:
    from posetest.models.load import import_torchvision

    return f"{import_torchvision().__version__}, matches torch"


def _cpu_renderer() -> str:
    import numba

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"numba {numba.__version__}, {cores} cores, {_drawn('cpu')}"


def _pytorch3d() -> Check:
    """Optional: missing is no fault, broken is one."""
    from posetest.render.pytorch3d.backend import load_pytorch3d
    from posetest.render.select import default_device

    name = "renderer: pytorch3d"
    try:
        version = load_pytorch3d()
    except BackendError as error:
        return Check(name, "broken" if util.find_spec("pytorch3d") else "missing", f"optional; {error}")
    device = default_device(RenderConfig(backend="pytorch3d"))
    return _try(name, lambda: f"{version} on {device}, {_drawn('pytorch3d')}")


def _drawn(backend: Backend) -> str:
    """The news that ``backend`` draws a bundled object.

    Raises:
        PosetestError: it cannot run here.
        RuntimeError: the picture is empty.
    """
    import numpy as np

    from posetest.api import render_poses

    scene = sorted(bundled("scenes").glob("*.toml"))[0]
    image = render_poses(scene, "azimuth=30", image_size=16, threads=1, backend=backend)
    if not np.isfinite(image).all() or image.std() == 0:
        raise RuntimeError("the picture of a bundled object is empty")
    return "a bundled object drawn"


def _bundled() -> str:
    scenes, meshes = sorted(bundled("scenes").glob("*.toml")), sorted(bundled("meshes").glob("*.glb"))
    if not scenes or not meshes:
        raise RuntimeError(f"none found in {bundled('scenes').parent}: install again")
    return f"{len(scenes)} scenes, {len(meshes)} meshes in {bundled('scenes').parent}"


def _classifier() -> str:
    from posetest.models.load import load_model

    model = load_model("bundled")
    return f"{len(model.categories)} classes: {', '.join(model.categories)}"


def _optional(module: str, distribution: str, extra: str, purpose: str) -> Check:
    if util.find_spec(module) is None:
        return Check(module, "missing", f'optional, for {purpose}: pip install "posetest[{extra}]"')
    try:
        return Check(module, "ok", f"{metadata.version(distribution)}, for {purpose}")
    except metadata.PackageNotFoundError:
        return Check(module, "ok", f"for {purpose}")
