"""Settings of the process that decide whether torch and the renderer share two cores or fight over them.

Measured: with libgomp's default of spinning at barriers and glibc's default of giving large blocks back to the
system, MobileNetV2 ran several times slower beside other work. The command line applies both; as a library we leave
the caller's process alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from importlib import metadata

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # glibc's mallopt(3)


def tune_process() -> None:
    """Make waiting threads sleep and large buffers be reused. Call before torch is imported.

    Variables that the user has set are kept. glibc reads its variables at process start only, hence mallopt.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return
    libc = ctypes.CDLL(None)
    if "MALLOC_MMAP_MAX_" not in os.environ:
        libc.mallopt(_M_MMAP_MAX, 0)
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        libc.mallopt(_M_TRIM_THRESHOLD, -1)


def default_threads() -> int:
    """Threads to use where the user says nothing: the cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def versions() -> dict[str, str]:
    """Versions of everything that can change a result, by distribution name."""
    names = (
        "posetest",
        "torch",
        "torchvision",
        "numpy",
        "scipy",
        "numba",
        "trimesh",
        "pillow",
        "cma",
        "ribs",
        "onnxruntime",
        "pytorch3d",
    )
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
