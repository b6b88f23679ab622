"""Every renderer that keeps the shared contract, with what it may differ by; see tests/render/test_contract.py."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from opengl import NoOpenGLError, OpenGLRenderer, open_context

from posetest.config import Shading
from posetest.geometry.camera import Views
from posetest.protocols import Rendered, Renderer
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh

BLACK = Background((0.0, 0.0, 0.0))


@dataclass(frozen=True)
class Backend:
    """One renderer with fixed settings.

    Attributes:
        name: for the tests' names.
        make: (mesh, background, shading) to renderer; skips the test where something is not installed.
        rim: greatest error of the coverage of a pixel that an upright or level edge divides.
        color: greatest error of the colour, sRGB, of a pixel of one plain colour.
        lacks: which parts of the contract it does not claim to keep, with the reason.
        poses: how many random poses are tried where many are.
        has_gradient: whether it keeps the part of the contract that is about gradients.
    """

    name: str
    make: Callable[[Mesh, Background, Shading], Any]
    rim: float
    color: float = 1e-3
    lacks: dict[str, str] = field(default_factory=dict)
    poses: int = 200
    has_gradient: bool = False

    def keeps(self, part: str) -> bool:
        """Whether this renderer claims to keep that part of the contract."""
        return part not in self.lacks

    def needs(self, part: str) -> None:
        """Skips a test that is about a part of the contract that this renderer does not claim to keep."""
        if part in self.lacks:
            pytest.skip(self.lacks[part])

    def renderer(self, mesh: Mesh, background: Background = BLACK, shading: Shading = "linear") -> Renderer:
        made: Renderer = self.make(mesh, background, shading)
        return made

    def draw(
        self,
        mesh: Mesh,
        views: Views,
        height: int = 64,
        width: int = 64,
        *,
        background: Background = BLACK,
        backgrounds: NDArray[np.float32] | None = None,
        shading: Shading = "linear",
    ) -> Rendered:
        """One batch, with its mask, by a new renderer."""
        renderer = self.renderer(mesh, background, shading)
        try:
            return renderer.render(views, height, width, mask=True, backgrounds=backgrounds)
        finally:
            renderer.close()


def _cpu(samples: int) -> Callable[[Mesh, Background, Shading], Any]:
    def make(mesh: Mesh, background: Background, shading: Shading) -> Any:
        from posetest.render.cpu import CpuRenderer

        return CpuRenderer(mesh, background, threads=1, samples=samples, shading=shading)

    return make


def _reference(mesh: Mesh, background: Background, shading: Shading) -> Any:
    from posetest.render.reference import ReferenceRenderer

    return ReferenceRenderer(mesh, background, samples=8, shading=shading)


def _pytorch3d(mesh: Mesh, background: Background, shading: Shading) -> Any:
    if importlib.util.find_spec("pytorch3d") is None:
        pytest.skip("no pytorch3d: it has no wheels for Linux on PyPI; built from source by hand where it is wanted")
    from posetest.render.pytorch3d import Pytorch3dRenderer

    return Pytorch3dRenderer(mesh, background, shading=shading)


def _opengl(mesh: Mesh, background: Background, shading: Shading) -> Any:
    try:
        context = _context()
    except NoOpenGLError as error:
        pytest.skip(str(error))
    return _OpenGL(OpenGLRenderer(context, mesh, background, samples=8, shading=shading))


@cache
def _context() -> Any:
    return open_context()


class _OpenGL:
    """OpenGL's pictures in the form of the contract: the independent check is checked, too."""

    def __init__(self, inner: OpenGLRenderer) -> None:
        self._inner = inner

    def render(
        self,
        views: Views,
        height: int,
        width: int,
        *,
        mask: bool = False,
        backgrounds: NDArray[np.float32] | None = None,
    ) -> Rendered:
        images, covered = self._inner.render(views, height, width, backgrounds=backgrounds)
        unknown = np.full(len(views), np.nan, np.float32)
        return Rendered(
            images.astype(np.float32),
            covered.astype(np.float32) if mask else None,
            unknown,
            covered.sum(axis=(1, 2, 3)).astype(np.float32),
            unknown,
            np.zeros(len(views), np.uint64),
        )

    def close(self) -> None:
        pass


BACKENDS = (
    Backend("cpu", _cpu(1), rim=2e-3, has_gradient=True),
    Backend("cpu 2x2", _cpu(2), rim=2e-3, has_gradient=True),
    Backend("reference", _reference, rim=1 / 16, poses=4, lacks={"digest": "the reference makes no digests"}),
    Backend(
        "pytorch3d",
        _pytorch3d,
        rim=1 / 2,
        poses=20,
        has_gradient=True,
        lacks={
            "antialiasing": "hard pictures by PyTorch3D have one sample a pixel",
            "silhouette gradient": "hard pictures by PyTorch3D have the gradient of shading alone",
        },
    ),
    Backend(
        "opengl",
        _opengl,
        rim=1 / 16,
        color=2e-3,  # Mesa decodes sRGB texels in steps of about a thousandth
        poses=50,
        lacks={
            "extent": "OpenGL's pictures come without extents",
            "digest": "OpenGL's pictures come without digests",
            "errors": "OpenGL is for tests only",
        },
    ),
)
