"""Whether PyTorch3D can be used here, and on which device; if not, why and what to do."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

from posetest.errors import BackendError

if TYPE_CHECKING:  # torch takes a second to import
    import torch

_BUILD = (
    'pip install --no-build-isolation "git+https://github.com/facebookresearch/pytorch3d.git" builds it against the '
    "installed torch and needs a C++ compiler"
)


def load_pytorch3d() -> str:
    """The version of the installed PyTorch3D, its compiled part loaded.

    Raises:
        BackendError: it is not installed, or it does not import; says which, why, and what to do.
    """
    if importlib.util.find_spec("pytorch3d") is None:
        raise BackendError(
            'the PyTorch3D renderer needs the package "pytorch3d", which is not installed and of which PyPI has no '
            f"wheels for Linux: {_BUILD}; or draw with the CPU renderer"
        )
    import torch  # first: their compiled part finds torch's libraries only once torch has loaded them

    try:
        package = importlib.import_module("pytorch3d")
        for part in ("pytorch3d._C", "pytorch3d.structures", "pytorch3d.renderer"):
            importlib.import_module(part)
    except Exception as error:  # what a broken build raises is anybody's guess: ImportError, OSError, RuntimeError ...
        raise BackendError(
            f'the package "pytorch3d" is installed but does not import beside torch {torch.__version__} '
            f"({type(error).__name__}: {error}); it must be built against the torch that it runs with: {_BUILD}; or "
            "draw with the CPU renderer"
        ) from error
    return str(package.__version__)


def usable_device(name: str) -> torch.device:
    """The torch device called ``name``, with PyTorch3D ready to draw on it.

    Raises:
        BackendError: torch has no such device, or PyTorch3D is missing, broken or built without CUDA.
    """
    import torch

    load_pytorch3d()
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdecimal()):
        raise BackendError(f'the PyTorch3D renderer draws on "cpu", "cuda" or "cuda:N", not on "{name}"')
    if kind == "cpu":
        return torch.device("cpu")
    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if int(number or 0) >= found:
        raise BackendError(
            f'the PyTorch3D renderer was asked to draw on "{name}", but torch {torch.__version__} sees {found} CUDA '
            'devices: use device="cpu", or install a driver and a torch with CUDA'
        )
    device = torch.device(name)
    _try_on(device)
    return device


def _try_on(device: torch.device) -> None:
    """Nothing, if PyTorch3D can rasterize a triangle on ``device``."""
    import torch

    from posetest.render.pytorch3d.conventions import rasterize, whole_frame

    corners_cam = torch.tensor([[[[-1.0, -1, -3], [1, -1, -3], [0, 1, -3]]]], device=device)
    fov, is_wanted = torch.ones(1, device=device), torch.ones(1, 1, dtype=torch.bool, device=device)
    try:
        rasterize(corners_cam, fov, is_wanted, whole_frame(4, 4, 1), 1, 0.0)
    except RuntimeError as error:
        raise BackendError(
            f'PyTorch3D cannot draw on "{device}" ({error}): build it again with FORCE_CUDA=1 and the '
            'CUDA compiler of the version that torch was built with, or use device="cpu"'
        ) from error
