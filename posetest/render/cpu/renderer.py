"""The CPU renderer: a mesh and a background, prepared once, drawn under many views on a pool of threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from posetest.errors import ConfigError
from posetest.geometry.camera import Views
from posetest.protocols import Rendered
from posetest.render.checks import check_frame, check_views
from posetest.render.cpu.kernels.common import ROW_PAD, Scratch
from posetest.render.cpu.kernels.digest import LANES
from posetest.render.cpu.kernels.draw import GRID, compiled_draw
from posetest.render.cpu.kernels.shade import ROW_BUFFERS
from posetest.render.cpu.prepare import MeshArrays, prepare_mesh
from posetest.scene.background import Background
from posetest.scene.mesh import Mesh

#: Views that a thread takes at a time: few enough to share out evenly, enough to make the hand-over cheap.
CHUNK = 4


class ViewArrays(NamedTuple):
    """``Views`` as the kernels read them."""

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    fov: NDArray[np.float64]
    light_dirs: NDArray[np.float64]
    light_colors: NDArray[np.float64]
    ambient: NDArray[np.float64]
    background: NDArray[np.int64]


class Output(NamedTuple):
    """Where the kernels write; see ``Rendered``. ``mask`` has no rows where it was not asked for."""

    images: NDArray[np.float32]
    words: NDArray[np.uint32]
    mask: NDArray[np.float32]
    no_mask: NDArray[np.float32]
    inside: NDArray[np.float32]
    area_px: NDArray[np.float32]
    long_px: NDArray[np.float32]
    digest: NDArray[np.uint64]


class CpuRenderer:
    """Draws one mesh in front of one background. Close it, or use it in a ``with`` statement, to end its threads.

    One sample a pixel with antialiased outlines and trilinear mip-mapping; shading in linear light: base colour times
    (ambient + sum of light colour times max(n.l, 0)) plus emission, clipped to [0, 1], encoded to sRGB.

    Limits of this version: no specular reflection, metals are drawn as if diffuse in their base colour; "blend"
    materials are cut at an alpha of one half; holes cut by alpha have no antialiased rim.
    """

    def __init__(self, mesh: Mesh, background: Background | None = None, *, threads: int = 2) -> None:
        if threads < 1:
            raise ConfigError(f"threads must be at least 1, not {threads}")
        self._arrays: MeshArrays = prepare_mesh(mesh)
        self._background = background if background is not None else Background()
        self._behind: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._idle: dict[tuple[int, int], list[Scratch]] = {}

    def render(self, views: Views, height: int, width: int, *, mask: bool = False) -> Rendered:
        """Pictures of ``views``, and a coverage mask if asked for; the same bits for a view in any batch.

        Raises:
            ConfigError: arrays of the wrong shape, values that are not finite, no such background; names the view.
        """
        check_frame(height, width)
        check_views(views, self._background.count)
        count = len(views)
        images = np.empty((count, 3, height, width), dtype=np.float32)
        out = Output(
            images=images,
            words=images.reshape(count, 3 * height * width).view(np.uint32),
            mask=np.empty((count if mask else 0, 1, height, width), dtype=np.float32),
            no_mask=np.empty((0, 0, 0), dtype=np.float32),
            inside=np.zeros(count, dtype=np.float32),
            area_px=np.zeros(count, dtype=np.float32),
            long_px=np.zeros(count, dtype=np.float32),
            digest=np.zeros(count, dtype=np.uint64),
        )
        if count:
            self._draw(_view_arrays(views), self._backgrounds(height, width), out)
        return Rendered(images, out.mask if mask else None, out.inside, out.area_px, out.long_px, out.digest)

    def close(self) -> None:
        """Ends the threads; a later ``render`` starts them anew."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def __enter__(self) -> CpuRenderer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _draw(self, views: ViewArrays, backgrounds: NDArray[np.float32], out: Output) -> None:
        count, _, height, width = out.images.shape
        draw_range = compiled_draw()
        starts = iter(range(0, count, CHUNK))
        lock = threading.Lock()

        def work() -> None:
            scratch = self._borrow(height, width)
            while True:
                with lock:
                    first = next(starts, None)
                if first is None:
                    break
                last = min(first + CHUNK, count)
                draw_range(first, last, self._arrays, views, backgrounds, scratch, out)
            self._give_back(height, width, scratch)

        workers = min(self._threads, -(-count // CHUNK))
        if workers == 1:
            work()
            return
        with self._lock:
            if self._pool is None:
                self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="posetest-render")
            futures = [self._pool.submit(work) for _ in range(workers)]
        for future in futures:
            future.result()

    def _backgrounds(self, height: int, width: int) -> NDArray[np.float32]:
        """The background pictures, made once per size."""
        with self._lock:
            if (height, width) not in self._behind:
                images = self._background.images(height, width)
                self._behind[height, width] = np.require(images, np.float32, ["C", "A", "W"])
            return self._behind[height, width]

    def _borrow(self, height: int, width: int) -> Scratch:
        with self._lock:
            idle = self._idle.setdefault((height, width), [])
            if idle:
                return idle.pop()
        return _new_scratch(self._arrays, height, width)

    def _give_back(self, height: int, width: int, scratch: Scratch) -> None:
        with self._lock:
            self._idle.setdefault((height, width), []).append(scratch)


def _view_arrays(views: Views) -> ViewArrays:
    def plain(values: NDArray[Any], dtype: type) -> NDArray[Any]:
        return np.require(values, dtype=dtype, requirements=["C", "A", "W"])

    return ViewArrays(
        plain(views.rotation, np.float64),
        plain(views.position, np.float64),
        plain(views.fov, np.float64),
        plain(views.light_dirs, np.float64),
        plain(views.light_colors, np.float64),
        plain(views.ambient, np.float64),
        plain(views.background, np.int64),
    )


def _new_scratch(mesh: MeshArrays, height: int, width: int) -> Scratch:
    verts, faces, edges = mesh.verts.shape[1], len(mesh.faces), len(mesh.edges)
    stride = width + ROW_PAD
    pixels = height * stride
    floats, ints = np.float32, np.int32
    return Scratch(
        lens=np.zeros(4),
        turn=np.zeros((3, 3)),
        shift=np.zeros(3),
        ray=np.zeros((4, 3), floats),
        px=np.zeros(verts, floats),
        py=np.zeros(verts, floats),
        inverse_depth=np.zeros(verts, floats),
        grid_x=np.zeros(verts, floats),
        grid_y=np.zeros(verts, floats),
        state=np.zeros(faces + 1, np.int8),
        drawn=np.zeros(faces + 1, ints),
        pending=np.zeros(faces + 1, ints),
        footprint=np.zeros(max(faces, 1), floats),
        silhouette=np.zeros(edges + 1, ints),
        inverse=np.zeros(pixels, floats),
        face=np.full(pixels, -1, ints),
        grid_inverse=np.zeros(GRID * GRID, floats),
        grid_face=np.full(GRID * GRID, -1, ints),
        rows=np.zeros((ROW_BUFFERS, width), floats),
        linear=np.zeros((3, pixels), floats),
        claimed=np.zeros((2, pixels), np.uint8),
        weight=np.zeros(pixels, floats),
        mixes=np.zeros((2 * pixels, 3), ints),
        mix_values=np.zeros((2 * pixels, 5), floats),
        corner=np.zeros((3, 3)),
        cross=np.zeros((3, 3)),
        slack=np.zeros(3),
        lanes=np.zeros(LANES, np.uint32),
    )


def warm_up() -> None:
    """Compiles the kernels, or reads them from the cache on disk, by drawing one triangle."""
    from posetest.render.cpu.sample import one_triangle, one_view

    with CpuRenderer(one_triangle(), threads=1) as renderer:
        renderer.render(one_view(), 8, 8)
