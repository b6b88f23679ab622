"""Labelled pictures rendered while they are asked for, as a torch dataset."""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from posetest.errors import ConfigError
from posetest.models.labels import resolve_labels
from posetest.protocols import Renderer
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene, load_scene
from posetest.space import Space, scene_space, vectors_to_views
from posetest.stimuli.priors import PosePrior, SpacePrior

#: What is taken as a scene; a function makes it when its turn comes, so that there can be thousands.
SceneSource = Scene | str | Path | Callable[[], Scene]
Batch = tuple[Tensor, Tensor]

#: So many scenes and their renderers stay open in a worker.
_OPEN = 32


class PoseDataset(IterableDataset[Batch]):
    """Batches of rendered pictures, float32 [n, 3, h, w] in [0, 1] sRGB, with their class numbers, int64 [n].

    In each round every scene has its turn once, in an order that the seed decides, and ``views`` pictures of it are
    drawn; a batch takes the next ``batch_size`` pictures. Batches depend on the arguments and the
    epoch and on nothing else: whoever draws them, they are the same ones in the same order.

        data = PoseDataset(["a.toml", "b.toml"], batch_size=64, rounds=100)
        for images, targets in data.loader(workers=4):  # threads of this process: nothing is copied
            ...
        DataLoader(data, batch_size=None, num_workers=4)  # processes; batches are already made

    Args:
        scenes: scenes, scene files, names of bundled scenes, or functions that make a scene; one or several.
        targets: the class number of each scene; by default its position, or what ``categories`` says.
        categories: names of a network's classes, in its order: the target is the first accepted label of the scene.
        image_size: pixels of each side.
        seed: everything random follows from it.
        views: pictures of a scene a turn; the fewer, the more scenes in a batch.
        rounds: turns of each scene an epoch.
        batch_size: pictures to a batch; the last of an epoch may have fewer.
        prior: where poses come from; by default the scene's own space.
        transform: applied to the float32 array [n, 3, h, w] of the pictures of a scene in a batch; what it returns,
            [n, ...], numpy or a tensor, is given out.
        threads: of each renderer; keep 1 with several workers.
        shard: (k, n) for process k of n that train together: every n-th batch is its own.

    Raises:
        ConfigError, LabelError: no scenes, targets that do not fit them, counts below 1.
    """

    def __init__(
        self,
        scenes: SceneSource | Sequence[SceneSource],
        *,
        targets: Sequence[int] | None = None,
        categories: Sequence[str] | None = None,
        image_size: int = 224,
        seed: int = 0,
        views: int = 8,
        rounds: int = 1,
        batch_size: int = 64,
        prior: PosePrior | None = None,
        transform: Callable[[NDArray[np.float32]], NDArray[Any]] | None = None,
        threads: int = 1,
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__()
        self._scenes = list(scenes) if isinstance(scenes, Sequence) and not isinstance(scenes, str) else [scenes]
        counts = {"image_size": image_size, "views": views, "rounds": rounds, "batch_size": batch_size}
        for name, value in {**counts, "threads": threads}.items():
            if value < 1:
                raise ConfigError(f"PoseDataset: {name} = {value}: at least 1 is needed")
        if not self._scenes:
            raise ConfigError("PoseDataset: no scene is given")
        if not 0 <= shard[0] < shard[1]:
            raise ConfigError(f"PoseDataset: shard = {shard}: (k, n) with 0 <= k < n is wanted")
        if seed < 0:
            raise ConfigError(f"PoseDataset: seed = {seed}: 0 or above is wanted")
        for scene in self._scenes:
            if not isinstance(scene, Scene | str | Path) and not callable(scene):
                raise ConfigError(f"PoseDataset: {scene!r} is no scene, file, name or function; give a list of these")
        if targets is not None and len(targets) != len(self._scenes):
            raise ConfigError(f"PoseDataset: {len(targets)} targets for {len(self._scenes)} scenes: one each is wanted")
        self.image_size, self.views, self.rounds, self.batch_size = image_size, views, rounds, batch_size
        self.targets = self._targets(targets, categories)
        self._seed, self._transform, self._threads, self._shard = seed, transform, threads, shard
        self._prior: PosePrior = prior if prior is not None else SpacePrior()
        self._epoch = 0

    def _targets(self, targets: Sequence[int] | None, categories: Sequence[str] | None) -> tuple[int, ...]:
        if targets is not None:
            return tuple(int(target) for target in targets)
        if categories is None:
            return tuple(range(len(self._scenes)))
        loaded = [_load(source) for source in self._scenes]
        self._scenes = list(loaded)
        return tuple(resolve_labels(scene.labels[:1], categories, scene.source)[0] for scene in loaded)

    def set_epoch(self, epoch: int) -> None:
        """The poses of that epoch, counted from 0, from the next iteration on.

        Worker processes that a DataLoader keeps (``persistent_workers``) hold a copy and are not told.
        """
        self._epoch = epoch

    def pictures(self) -> int:
        """How many pictures an epoch has, all shards together."""
        return len(self._scenes) * self.views * self.rounds

    def __len__(self) -> int:
        """Batches that one process of the shard gives."""
        batches = -(-self.pictures() // self.batch_size)
        return len(range(self._shard[0], batches, self._shard[1]))

    def loader(self, workers: int = 2, *, ahead: int = 2) -> PoseLoader:
        """The batches, drawn by so many threads in the background, up to ``ahead`` more than are being drawn.

        Raises:
            ConfigError: less than one worker.
        """
        return PoseLoader(self, workers, ahead)

    def __iter__(self) -> Iterator[Batch]:
        worker = get_worker_info()
        ours, workers = (worker.id, worker.num_workers) if worker is not None else (0, 1)
        with closing(self.stage()) as stage:
            for number in range(ours, len(self), workers):  # a DataLoader takes one batch of each worker in turn
                yield self.batch(stage, number)

    def stage(self) -> _Stage:
        """Where batches are drawn; threads may share one. To be closed after use."""
        return _Stage(self._scenes, self._threads)

    def batch(self, stage: _Stage, number: int) -> Batch:
        """Batch ``number`` of this process of the shard."""
        start = (self._shard[0] + self._shard[1] * number) * self.batch_size
        stop = min(start + self.batch_size, self.pictures())
        images: Tensor | None = None
        classes = np.empty(stop - start, dtype=np.int64)
        for turn in range(start // self.views, -(-stop // self.views)):
            number, position = divmod(turn, len(self._scenes))
            number += self._epoch * self.rounds
            scene = int(self._order(number)[position])
            first, last = max(start, turn * self.views), min(stop, (turn + 1) * self.views)
            skipped = number * self.views + first - turn * self.views
            drawn = self._draw(stage, scene, skipped, skipped + last - first)
            if images is None:
                images = _empty_like(drawn, stop - start)
            here = slice(first - start, last - start)
            images.numpy()[here], classes[here] = drawn, self.targets[scene]
        assert images is not None
        return images, torch.from_numpy(classes)

    def _order(self, number: int) -> NDArray[np.int64]:
        """In which order the scenes have their turn in that round."""
        return np.random.default_rng([self._seed, 3, number]).permutation(len(self._scenes))

    def _draw(self, stage: _Stage, number: int, start: int, stop: int) -> NDArray[Any]:
        """Pictures start to stop - 1 of a scene, transformed."""
        scene, space, renderer = stage.open(number)
        seed = int(np.random.SeedSequence([self._seed, 5, number]).generate_state(1, np.uint64)[0])
        vectors = self._prior.poses(scene.name, space, seed, start, stop)
        views = vectors_to_views(vectors, scene.config)
        images = renderer.render(views, self.image_size, self.image_size).images
        return images if self._transform is None else np.asarray(self._transform(images))


class PoseLoader:
    """The batches of a ``PoseDataset`` in order, drawn in the background by threads."""

    def __init__(self, data: PoseDataset, workers: int, ahead: int) -> None:
        if workers < 1 or ahead < 0:
            raise ConfigError(f"PoseDataset.loader: workers = {workers}, ahead = {ahead}: at least 1 and 0 are needed")
        self._data, self._workers, self._ahead = data, workers, ahead

    def __len__(self) -> int:
        """As of the dataset."""
        return len(self._data)

    def __iter__(self) -> Iterator[Batch]:
        numbers, waiting = iter(range(len(self._data))), deque[Future[Batch]]()
        pool = ThreadPoolExecutor(self._workers, thread_name_prefix="posetest-dataset")
        with closing(self._data.stage()) as stage:
            try:
                for number in itertools.islice(numbers, self._workers + self._ahead):
                    waiting.append(pool.submit(self._data.batch, stage, number))
                while waiting:
                    done = waiting.popleft().result()
                    for number in itertools.islice(numbers, 1):
                        waiting.append(pool.submit(self._data.batch, stage, number))
                    yield done
            finally:  # also where the loop over the batches was left
                pool.shutdown(wait=True, cancel_futures=True)


class _Stage:
    """The scenes that are open in one process, the latest used ones."""

    def __init__(self, sources: Sequence[SceneSource], threads: int) -> None:
        self._sources, self._threads, self._lock = sources, threads, threading.Lock()
        self._open: OrderedDict[int, tuple[Scene, Space, Renderer]] = OrderedDict()

    def open(self, number: int) -> tuple[Scene, Space, Renderer]:
        """The scene of that number with its space and its renderer."""
        with self._lock:
            if number not in self._open:
                if len(self._open) >= _OPEN:  # whoever still draws with the oldest may do so: it opens itself again
                    self._open.popitem(last=False)[1][2].close()
                scene = _load(self._sources[number])
                space = scene_space(scene.config, scene.background.count, scene.source)
                renderer = open_renderer(scene.mesh, scene.background, scene.config.render, threads=self._threads)
                self._open[number] = (scene, space, renderer)
            self._open.move_to_end(number)
            return self._open[number]

    def close(self) -> None:
        """Ends the renderers' threads."""
        for _, _, renderer in self._open.values():
            renderer.close()
        self._open.clear()


def _empty_like(some: NDArray[Any], count: int) -> Tensor:
    """A tensor of ``count`` such entries: in a worker, in memory that the main process sees, to save a copy."""
    kind = torch.from_numpy(some[:0])
    shape = (count, *some.shape[1:])
    if get_worker_info() is None:
        return kind.new_empty(shape)
    size = int(np.prod(shape)) * some.itemsize
    # as torch's own collate function does
    storage: torch.UntypedStorage = torch.UntypedStorage._new_shared(size)  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=kind.dtype).set_(storage).view(shape)


def _load(source: SceneSource) -> Scene:
    if isinstance(source, Scene):
        return source
    return load_scene(source) if isinstance(source, str | Path) else source()
