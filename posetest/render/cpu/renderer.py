"""The CPU renderer: a mesh and a background, prepared once, drawn under many views on a pool of threads."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from posetest.config import Shading
from posetest.errors import ConfigError
from posetest.geometry.camera import Views
from posetest.protocols import Rendered, ViewGradients
from posetest.render.checks import check_frame, check_pictures, check_views
from posetest.render.cpu.kernels.adjoint_light import ALL_ROWS
from posetest.render.cpu.kernels.backward import gradient_loop
from posetest.render.cpu.kernels.common import LAYERS, ROW_PAD, Scratch
from posetest.render.cpu.kernels.digest import LANES
from posetest.render.cpu.kernels.draw import GRID, compiled, draw_loop
from posetest.render.cpu.kernels.raster import BLOCK, SETUP_ROWS, TOGETHER
from posetest.render.cpu.kernels.silhouette import EDGES_OF_EIGHT
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


class AdjointScratch(NamedTuple):
    """What one thread writes, beside ``Scratch``, while it finds gradients.

    Attributes:
        extra: float32 [3, s], what blends pass on to each sample; zero between images.
        values, by_values: float32 [2, 3, c], what the samples of the last two lines show, and dL by it.
        moved: float32 [c], dL by a shift of what lies between neighbours.
        torque, force: float64 [2, 3], of the moving picture and of the light; focal: float64 [1].
    """

    extra: NDArray[np.float32]
    values: NDArray[np.float32]
    by_values: NDArray[np.float32]
    moved: NDArray[np.float32]
    torque: NDArray[np.float64]
    force: NDArray[np.float64]
    focal: NDArray[np.float64]


class GradientOutput(NamedTuple):
    """Where the kernels write; see ``ViewGradients``. ``backgrounds`` has no rows where it was not asked for."""

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]
    fov: NDArray[np.float64]
    light_dirs: NDArray[np.float64]
    light_colors: NDArray[np.float64]
    ambient: NDArray[np.float64]
    backgrounds: NDArray[np.float32]
    no_background: NDArray[np.float32]


class CpuRenderer:
    """Draws one mesh in front of one background. Close it, or use it in a ``with`` statement, to end its threads.

    Outlines are antialiased, textures mip-mapped; surfaces reflect as ``posetest.scene.material.Highlight`` says.

    Args:
        samples: 1, or 2 for 2 x 2 samples a pixel: quality for what is finer than a pixel, at about twice the time.
        shading: "linear" works in linear light and encodes the sum to sRGB; "gamma_free" does the same arithmetic on
            encoded values, as the study of Alcorn et al. (CVPR 2019) did.

    Limits: a sample shows the LAYERS nearest transparent surfaces in front of the opaque one; holes cut by alpha and
    places where surfaces pierce each other without a common edge have no antialiased rim; no shadows, no reflection of
    surroundings.
    """

    def __init__(
        self,
        mesh: Mesh,
        background: Background | None = None,
        *,
        threads: int = 2,
        samples: int = 1,
        shading: Shading = "linear",
    ) -> None:
        if threads < 1:
            raise ConfigError(f"threads must be at least 1, not {threads}")
        if samples not in (1, 2):
            raise ConfigError(f"samples must be 1 or 2 (for 2 x 2 a pixel), not {samples}")
        if shading not in get_args(Shading):
            raise ConfigError(f'shading must be one of {", ".join(get_args(Shading))}, not "{shading}"')
        self._samples = samples
        self._arrays: MeshArrays = prepare_mesh(mesh, shading)
        self._background = background if background is not None else Background()
        self._behind: dict[tuple[int, int], NDArray[np.float32]] = {}
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()
        self._idle: dict[tuple[int, int], list[Scratch]] = {}

    def render(
        self,
        views: Views,
        height: int,
        width: int,
        *,
        mask: bool = False,
        backgrounds: NDArray[np.float32] | None = None,
    ) -> Rendered:
        """Pictures of ``views``, and a coverage mask if asked for; the same bits for a view in any batch.

        ``backgrounds``, float32 [n, 3, h, w] in sRGB, takes the place of the background's own pictures.

        Raises:
            ConfigError: arrays of the wrong shape, values that are not finite, no such background; names the view.
        """
        check_frame(height, width)
        check_views(views, self._background.count)
        behind = self._behind_views(backgrounds, len(views), height, width)
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
            arrays = _view_arrays(views)
            if backgrounds is not None:
                arrays = arrays._replace(background=np.arange(count))
            draw_range = compiled(draw_loop)

            def draw(first: int, last: int, scratch: Scratch) -> None:
                draw_range(first, last, self._arrays, arrays, behind, self._samples, scratch, out)

            self._share_out(count, height, width, draw)
        return Rendered(images, out.mask if mask else None, out.inside, out.area_px, out.long_px, out.digest)

    def gradient(
        self,
        views: Views,
        images: NDArray[np.float32],
        adjoints: NDArray[np.float32],
        *,
        backgrounds: NDArray[np.float32] | None = None,
        with_backgrounds: bool = False,
    ) -> ViewGradients:
        """The gradient of a score at ``views``, given their pictures and its gradient by them, [n, 3, h, w] each.

        Analytic, outlines included; see kernels/adjoint.py for what it counts as constant. ``images`` must be what
        ``render`` gave for the same views and backgrounds. ``with_backgrounds`` asks for dL by the pictures behind too.

        Raises:
            ConfigError: as ``render``; pictures or adjoints of another shape or not finite.
        """
        count, height, width = len(views), images.shape[-2], images.shape[-1]
        check_frame(height, width)
        check_views(views, self._background.count)
        for name, pictures in (("images", images), ("adjoints", adjoints)):
            check_pictures(name, pictures, (count, 3, height, width))
        behind = self._behind_views(backgrounds, count, height, width)
        lights = views.light_dirs.shape[1]
        out = GradientOutput(
            rotation=np.zeros((count, 3)),
            position=np.zeros((count, 3)),
            fov=np.zeros(count),
            light_dirs=np.zeros((count, lights, 3)),
            light_colors=np.zeros((count, lights, 3)),
            ambient=np.zeros((count, 3)),
            backgrounds=np.zeros((count if with_backgrounds else 0, 3, height, width), dtype=np.float32),
            no_background=np.zeros((0, 0, 0), dtype=np.float32),
        )
        if count:
            arrays = _view_arrays(views)
            if backgrounds is not None:
                arrays = arrays._replace(background=np.arange(count))
            given = tuple(np.require(a, np.float32, ["C", "A", "W"]) for a in (images, adjoints))
            gradient_range = compiled(gradient_loop)
            idle: list[AdjointScratch] = []

            def differentiate(first: int, last: int, scratch: Scratch) -> None:
                try:
                    adjoint = idle.pop()
                except IndexError:
                    adjoint = _new_adjoint_scratch(scratch.face.shape[0], width * self._samples)
                gradient_range(first, last, self._arrays, arrays, behind, self._samples, scratch, adjoint, given, out)
                idle.append(adjoint)

            self._share_out(count, height, width, differentiate)
        return ViewGradients(*out[:6], out.backgrounds if with_backgrounds else None)

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

    def _share_out(self, count: int, height: int, width: int, task: Callable[[int, int, Scratch], None]) -> None:
        """Runs ``task`` (first view, last view, buffers) over all views on the renderer's threads."""
        starts = iter(range(0, count, CHUNK))
        lock = threading.Lock()

        def work() -> None:
            scratch = self._borrow(height, width)
            while True:
                with lock:
                    first = next(starts, None)
                if first is None:
                    break
                task(first, min(first + CHUNK, count), scratch)
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

    def _behind_views(
        self, given: NDArray[np.float32] | None, count: int, height: int, width: int
    ) -> NDArray[np.float32]:
        """The pictures behind, checked if given."""
        if given is None:
            return self._backgrounds(height, width)
        check_pictures("backgrounds", given, (count, 3, height, width))
        return np.require(given, np.float32, ["C", "A", "W"])

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
        return _new_scratch(self._arrays, height, width, self._samples)

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


def _new_scratch(mesh: MeshArrays, height: int, width: int, samples: int) -> Scratch:
    verts, faces, edges = mesh.verts.shape[1], len(mesh.faces), len(mesh.edges)
    stride = width * samples + ROW_PAD
    count = height * samples * stride
    layers = LAYERS if mesh.has_blend else 0
    row = width * samples * samples * (1 + layers)
    cells = count + (count + row if mesh.has_blend else 0)
    floats, ints = np.float32, np.int32
    screen, rim = np.zeros(4 * verts, floats), np.zeros(8 * (-(-faces // 8)), np.int8)
    return Scratch(
        lens=np.zeros(4),
        turn=np.zeros((3, 3)),
        shift=np.zeros(3),
        ray=np.zeros((4, 3), floats),
        screen=screen,
        px=screen[0::4],
        py=screen[1::4],
        inverse_depth=screen[2::4],
        grid=np.zeros(4 * verts, floats),
        state=np.zeros(faces + 1, np.int8),
        rim=rim,
        rim_words=rim.view(np.int64),
        drawn=np.zeros(faces + 1, ints),
        touching=np.zeros(faces + TOGETHER, ints),
        setup=np.zeros(SETUP_ROWS * BLOCK, floats),
        pending=np.zeros(faces + 1, ints),
        footprint=np.zeros(max(faces, 1), floats),
        silhouette=np.zeros(edges + EDGES_OF_EIGHT, ints),
        inverse=np.zeros(count, floats),
        face=np.full(count, -1, ints),
        layer_inverse=np.zeros((layers, count), floats),
        layer_face=np.full((layers, count), -1, ints),
        grid_inverse=np.zeros(GRID * GRID + ROW_PAD, floats),
        grid_face=np.full(GRID * GRID + ROW_PAD, -1, ints),
        fragment_face=np.zeros(row + 1, ints),
        fragment_pixel=np.zeros(row + 1, ints),
        layered=np.zeros((width * samples * samples, 5), ints),
        rows=np.zeros((ALL_ROWS, row + 1), floats),
        linear=np.zeros((3, cells), floats),
        cover=np.zeros(cells if mesh.has_blend else 0, floats),
        claimed=np.zeros((2, count), np.uint8),
        weight=np.zeros(count, floats),
        mixes=np.zeros((2 * count, 5), ints),
        mix_values=np.zeros((2 * count, 6), floats),
        touched=np.zeros(height * width, ints),
        is_touched=np.zeros(height * width, np.uint8),
        blended=np.zeros((3, height * width), floats),
        corner=np.zeros((3, 3)),
        cross=np.zeros((3, 3)),
        slack=np.zeros(3),
        lanes=np.zeros(LANES, np.uint32),
    )


def _new_adjoint_scratch(samples: int, columns: int) -> AdjointScratch:
    floats = np.float32
    return AdjointScratch(
        extra=np.zeros((3, samples), floats),
        values=np.zeros((2, 3, columns), floats),
        by_values=np.zeros((2, 3, columns), floats),
        moved=np.zeros(columns, floats),
        torque=np.zeros((2, 3)),
        force=np.zeros((2, 3)),
        focal=np.zeros(1),
    )


def warm_up() -> None:
    """Compiles the kernels, or reads them from the cache on disk, by drawing one triangle."""
    from posetest.render.cpu.sample import one_triangle, one_view

    with CpuRenderer(one_triangle(), threads=1) as renderer:
        renderer.render(one_view(), 8, 8)
