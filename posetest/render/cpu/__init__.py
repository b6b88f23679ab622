"""The CPU renderer: numba kernels on a thread pool of its own."""

from posetest.render.cpu.renderer import CpuRenderer

__all__ = ["CpuRenderer"]
