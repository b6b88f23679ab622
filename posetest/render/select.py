"""From the settings of a scene to the renderer that draws it: the one place that knows all back ends."""

from __future__ import annotations

from typing import get_args

from posetest.config import Backend, RenderConfig
from posetest.errors import ConfigError, suggest
from posetest.protocols import Renderer
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh

#: Names of the back ends, the default first.
BACKENDS: tuple[Backend, ...] = get_args(Backend)


def open_renderer(
    mesh: Mesh,
    background: Background | None = None,
    settings: RenderConfig | None = None,
    *,
    threads: int = 2,
    device: str | None = None,
) -> Renderer:
    """The renderer that ``settings`` ask for, to be closed after use (``contextlib.closing``).

    Args:
        mesh, background: what it draws.
        settings: the scene's ``[render]`` table; by default the cpu back end with one sample.
        threads: of the cpu back end.
        device: of the pytorch3d back end; by default ``default_device``.

    Raises:
        ConfigError: settings that the back end does not have.
        BackendError: a back end that cannot run here; says why and what to do.
    """
    settings = settings if settings is not None else RenderConfig()
    name = str(settings.backend)
    if name == "cpu":
        from posetest.render.cpu import CpuRenderer

        return CpuRenderer(mesh, background, threads=threads, samples=settings.samples, shading=settings.shading)
    if name == "reference":
        from posetest.render.reference import ReferenceRenderer

        if settings.samples != 1:
            raise ConfigError(
                f'render.samples = {settings.samples}: backend = "reference" draws 8 x 8 samples a pixel whatever is '
                'asked for; leave samples out, or take backend = "cpu"'
            )
        return ReferenceRenderer(mesh, background, shading=settings.shading)
    if name == "pytorch3d":
        from posetest.render.pytorch3d import Pytorch3dRenderer

        place = device if device is not None else default_device(settings)
        return Pytorch3dRenderer(mesh, background, device=place, samples=settings.samples, shading=settings.shading)
    # a struct made in Python holds whatever it is given
    raise ConfigError(f'render.backend = "{name}"{suggest(name, BACKENDS)} (one of {", ".join(BACKENDS)})')


def default_device(settings: RenderConfig) -> str:
    """Where a renderer of ``settings`` draws: "cuda" for pytorch3d where torch sees such a device, else "cpu"."""
    if settings.backend != "pytorch3d":
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def describe(settings: RenderConfig) -> str:
    """``settings`` in words, with the device where it is not the CPU: "cpu", "cpu, 2 x 2 samples"."""
    device = default_device(settings)
    parts = [settings.backend if device == "cpu" else f"{settings.backend} on {device}"]
    if settings.samples != 1:
        parts.append(f"{settings.samples} x {settings.samples} samples")
    if settings.shading != "linear":
        parts.append(f"{settings.shading} shading")
    return ", ".join(parts)
