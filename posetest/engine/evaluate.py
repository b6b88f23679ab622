"""Pose vectors to record columns: a thread draws pictures ahead while the models score those before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posetest.engine.record import Columns, pose_columns, score_columns
from posetest.errors import ModelError, PosetestError
from posetest.geometry.so3 import matrix_to_quaternion
from posetest.models.labels import class_name
from posetest.protocols import Model, Rendered, Renderer
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene
from posetest.space import vectors_to_views

if TYPE_CHECKING:
    import torch

#: Rendered batches that may wait for the models; more would only use memory.
_AHEAD = 2


@dataclass(frozen=True)
class Work:
    """Poses start to stop - 1 of one scene, all within one record part."""

    scene: int
    part: int
    start: int
    stop: int
    is_last: bool


@dataclass(frozen=True, eq=False)
class Batch:
    """Drawn poses: their work item, vectors [n, parameters] and pictures."""

    work: Work
    vectors: NDArray[np.float64]
    columns: Columns
    rendered: Rendered


def part_count(scenes: int, poses: int, part_size: int) -> int:
    """Record parts of a run; none holds two scenes."""
    return scenes * -(-poses // part_size)


def plan(scenes: int, poses: int, part_size: int, batch_size: int) -> Iterator[Work]:
    """The work of a run in order; part numbers and batches depend on nothing but these four numbers."""
    parts_of_scene = part_count(1, poses, part_size)
    for scene in range(scenes):
        for k in range(parts_of_scene):
            end = min((k + 1) * part_size, poses)
            for start in range(k * part_size, end, batch_size):
                stop = min(start + batch_size, end)
                yield Work(scene, scene * parts_of_scene + k, start, stop, is_last=stop == end)


def render_ahead(
    scenes: Sequence[Scene],
    work: Iterable[Work],
    vectors_of: Callable[[Work], NDArray[np.float64]],
    *,
    image_sizes: Sequence[int],
    threads: int,
) -> Generator[Batch]:
    """Batches in order, drawn by a thread that stays at most a few batches ahead.

    ``vectors_of`` gives the pose vectors [n, parameters] of a work item, ``image_sizes`` a size for each scene.

    An error in that thread is raised here. Leaving the iteration early stops the thread.
    """
    ready: queue.Queue[Batch | BaseException | None] = queue.Queue(maxsize=_AHEAD)
    stop = threading.Event()

    def put(item: Batch | BaseException | None) -> bool:
        while not stop.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def draw() -> None:
        current, renderer = -1, None
        try:
            with ExitStack() as opened:
                for item in work:
                    if item.scene != current or renderer is None:
                        opened.close()
                        current = item.scene
                        scene = scenes[current]
                        renderer = open_renderer(scene.mesh, scene.background, scene.config.render, threads=threads)
                        opened.callback(renderer.close)
                    batch = draw_batch(renderer, scenes[current], item, vectors_of(item), image_sizes[current])
                    if not put(batch):
                        return
            put(None)
        except BaseException as error:  # handed to the consumer, which raises it
            put(error)

    thread = threading.Thread(target=draw, name="posetest-render", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


def draw_batch(renderer: Renderer, scene: Scene, work: Work, vectors: NDArray[np.float64], image_size: int) -> Batch:
    """The pictures of pose ``vectors`` and the columns that need no model."""
    views = vectors_to_views(vectors, scene.config)
    rendered = renderer.render(views, image_size, image_size)
    columns = pose_columns(vectors, matrix_to_quaternion(views.rotation), rendered)
    columns["index"] = np.arange(work.start, work.stop, dtype=np.int64)
    return Batch(work, vectors, columns, rendered)


def log_probabilities(model: Model, images: torch.Tensor, what: str) -> NDArray[np.float32]:
    """[n, 3, h, w] images to log-probabilities [n, k], without a gradient.

    Raises:
        ModelError: the model raised something; names the model and ``what`` it was given.
    """
    import torch

    try:
        with torch.inference_mode():
            scores: NDArray[np.float32] = model.log_probabilities(images).float().cpu().numpy()
            return scores
    except Exception as error:  # a user's model may raise anything
        said = str(error) if isinstance(error, PosetestError) else f"{model.name}: {type(error).__name__}: {error}"
        raise ModelError(f"{said} (at {what}; finished parts of the run are kept: mend it and resume)") from error


def scored(batch: Batch, scene: str, model: Model, accepted: Sequence[int], names: Sequence[str]) -> Columns:
    """All record columns of ``batch`` as ``model`` sees it. ``names`` are the short class names."""
    import torch

    what = f"poses {batch.work.start} to {batch.work.stop - 1} of {scene}"
    log_p = log_probabilities(model, torch.from_numpy(batch.rendered.images), what)
    return {**batch.columns, "scene": [scene] * len(log_p), "model": [model.name] * len(log_p)} | score_columns(
        log_p, accepted, names
    )


def short_names(model: Model) -> list[str]:
    """The model's class names, each cut to its first synonym."""
    return [class_name(i, model.categories) for i in range(len(model.categories))]


Progress = Callable[[int], None]
