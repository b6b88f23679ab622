"""The CPU renderer: numba kernels on a thread pool of its own."""

from posetest.render.cpu.renderer import CpuRenderer, warm_up

__all__ = ["CpuRenderer", "warm_up"]
