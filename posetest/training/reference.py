"""Trains reference classifiers, whose training poses are known exactly: ``posetest train-reference``.

Renders variants of the bundled objects and distractors, trains ``SmallNet`` on them, measures it on variants that it
has not seen in front of backgrounds that it has not seen, under its own poses and over all rotations, and stores all of
that with the weights. The same settings give the same pictures on any machine, and the same weights on the same kind of
machine with the same number of threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader

from posetest.config import SceneConfig
from posetest.errors import ConfigError
from posetest.models.bundled.files import INPUT_SIZE, read, write
from posetest.models.bundled.network import BundledClassifier, SmallNet, folded
from posetest.objects.build import check_names
from posetest.objects.catalogue import BUILDERS
from posetest.scene.scene import load_scene
from posetest.space import scene_space
from posetest.stimuli.dataset import PoseDataset
from posetest.training.variants import categories, others, painted_count, variants, with_backgrounds, without_back

Pictures = tuple[NDArray[np.uint8], NDArray[np.int64]]
Report = Callable[[str], None]

#: The first builder seed (and seed of distractors) that no training has seen.
HELD_OUT = 10_000
#: Scene that rotations are judged in.
JUDGED = "rotations"
#: Bins of the expected calibration error.
BINS = 15


@dataclass(frozen=True)
class Settings:
    """How to train.

    Attributes:
        objects: bundled objects to tell apart; none: all.
        poses: scene whose conditions are trained on: its space, its light, its painted backgrounds.
        unseen_behind: objects that are never shown from behind.
        seed: everything random follows from it.
        variants: builder seeds of each object, counted from 0, the bundled object itself.
        others: distractors.
        views: pictures of each of these.
        render_size: side of the pictures as drawn, before they are resized to the network's input.
        backgrounds: painted backgrounds, counted after those of the scene itself, which are kept for judging.
        epochs, batch, peak_rate, weight_decay: of AdamW with one cycle of the learning rate.
        smoothing: of the labels.
        threads: of torch, and processes that render.
        judged_variants, judged_others, judged_views, judged_size: held-out pictures to measure by.
    """

    objects: tuple[str, ...] = ()
    poses: str = "photographer"
    unseen_behind: tuple[str, ...] = ()
    seed: int = 0
    variants: int = 90
    others: int = 500
    views: int = 60
    render_size: int = 96
    backgrounds: int = 600
    epochs: int = 6
    batch: int = 128
    peak_rate: float = 4e-3
    weight_decay: float = 0.02
    smoothing: float = 0.0
    threads: int = 2
    judged_variants: int = 20
    judged_others: int = 100
    judged_views: int = 15
    judged_size: int = 224


def train(path: Path, settings: Settings | None = None, *, report: Report = lambda line: None) -> dict[str, str]:
    """Trains, measures and writes the weights; returns what stands in their metadata, in words.

    ``report`` is told how far it is, a line at a time.

    Raises:
        ConfigError: an object that is not bundled, or conditions without painted backgrounds.
    """
    settings = settings or Settings()
    names = _objects(settings)
    conditions = load_scene(settings.poses).config
    if conditions.background.painted is None:
        raise ConfigError(f"{settings.poses}: training wants painted backgrounds, as in scenes/photographer.toml")
    drawn_from = scene_space(conditions, painted_count(conditions), settings.poses).measure
    _check(settings, names, conditions)
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    try:
        return _train(path, settings, names, conditions, drawn_from, report)
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


def _train(
    path: Path, settings: Settings, names: tuple[str, ...], conditions: SceneConfig, drawn_from: str, report: Report
) -> dict[str, str]:
    started = time.perf_counter()
    images, classes = training_pictures(settings, names, conditions)
    report(f"{len(images)} pictures rendered in {time.perf_counter() - started:.0f} s")
    labels = categories(names)
    network = fit(torch.from_numpy(images), torch.from_numpy(classes), len(labels), settings, report)
    info = {
        "seed": str(settings.seed),
        "objects": ", ".join(names),
        "poses": settings.poses,
        "measure": drawn_from,
        "unseen_behind": ", ".join(settings.unseen_behind),
        "training_pictures": str(len(images)),
    }
    write(path, network, labels, info)
    model = read(path)  # judged as stored, in half precision
    seconds = f"{time.perf_counter() - started:.0f}"
    for where, judged in (("inside", conditions), ("all_rotations", load_scene(JUDGED).config)):
        found = measure(model, *held_out_pictures(settings, names, judged))
        info |= {f"{where}: {name}": f"{value:.4f}" for name, value in found.items()}
    write(path, network, labels, info)
    return {**info, "seconds": seconds}


def _objects(settings: Settings) -> tuple[str, ...]:
    check_names((*settings.objects, *settings.unseen_behind))
    return settings.objects or tuple(BUILDERS)


def _check(settings: Settings, names: tuple[str, ...], conditions: SceneConfig) -> None:
    """Nothing, if a network can be trained so; said before anything is drawn.

    Raises:
        ConfigError: an object twice, or unseen that is not there; too few pictures for one batch; poses whose back the
            yaw alone does not decide.
    """
    if repeated := [name for name in names if names.count(name) > 1]:
        raise ConfigError(f'the object "{repeated[0]}" is named twice: each is one class')
    if settings.seed < 0:
        raise ConfigError(f"seed = {settings.seed}: 0 or above is wanted")
    if missing := [name for name in settings.unseen_behind if name not in names]:
        raise ConfigError(f'unseen from behind: "{missing[0]}" is none of the objects trained on ({", ".join(names)})')
    pictures = (len(names) * settings.variants + settings.others) * settings.views
    if pictures < settings.batch:
        raise ConfigError(f"{pictures} pictures are fewer than one batch of {settings.batch}: raise variants or views")
    space = scene_space(conditions, painted_count(conditions), settings.poses)
    pitch = space.free.get("pitch")
    if settings.unseen_behind and ("azimuth" in space.free or (pitch and pitch.high - pitch.low > 180)):
        raise ConfigError(
            f"{settings.poses}: to leave out the back, the yaw alone must decide which side is seen; "
            "let azimuth stand and keep pitch within a half turn, as in scenes/photographer.toml"
        )


def training_pictures(settings: Settings, names: tuple[str, ...], conditions: SceneConfig) -> Pictures:
    """What a network with these settings is trained on: uint8 [n, 3, 64, 64] and classes [n]."""
    # the backgrounds of this scene, and of the one that rotations are judged in, are for judging
    kept = max(painted_count(conditions), painted_count(load_scene(JUDGED).config))
    seen = with_backgrounds(conditions, kept, kept + settings.backgrounds - 1)
    scenes, targets = [], []
    for k, name in enumerate(names):
        scenes += variants(
            name, range(settings.variants), without_back(seen) if name in settings.unseen_behind else seen
        )
        targets += [k] * settings.variants
    scenes += others(range(settings.others), seen)
    targets += [len(names)] * settings.others
    data = PoseDataset(
        scenes,
        targets=targets,
        image_size=settings.render_size,
        seed=settings.seed,
        views=settings.views,
        batch_size=8 * settings.views,
        transform=shrink,
    )
    return _collected(data, settings.threads)


def held_out_pictures(settings: Settings, names: tuple[str, ...], conditions: SceneConfig) -> Pictures:
    """Pictures of variants and backgrounds that training never saw, as large as people feed them to classifiers."""
    scenes, targets = [], []
    for k, name in enumerate(names):
        scenes += variants(name, range(HELD_OUT, HELD_OUT + settings.judged_variants), conditions)
        targets += [k] * settings.judged_variants
    scenes += others(range(HELD_OUT, HELD_OUT + settings.judged_others), conditions)
    targets += [len(names)] * settings.judged_others
    data = PoseDataset(
        scenes,
        targets=targets,
        image_size=settings.judged_size,
        seed=settings.seed + HELD_OUT,
        views=settings.judged_views,
        batch_size=8 * settings.judged_views,
        transform=shrink,
    )
    return _collected(data, settings.threads)


def _collected(data: PoseDataset, workers: int) -> Pictures:
    """All pictures of an epoch."""
    images = np.empty((data.pictures(), 3, INPUT_SIZE, INPUT_SIZE), dtype=np.uint8)
    classes = np.empty(len(images), dtype=np.int64)
    done = 0
    # processes: painting the objects is Python, and these pictures are small
    for some, targets in DataLoader(data, batch_size=None, num_workers=workers if workers > 1 else 0):
        images[done : done + len(some)], classes[done : done + len(some)] = some.numpy(), targets.numpy()
        done += len(some)
    return images, classes


def shrink(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Pictures at the network's own size, resized as the classifier does it, in 8 bits."""
    size = (INPUT_SIZE, INPUT_SIZE)
    small = F.interpolate(torch.from_numpy(images), size, mode="bilinear", align_corners=False, antialias=True)
    eight_bits: NDArray[np.uint8] = (small * 255 + 0.5).clamp(0, 255).to(torch.uint8).numpy()
    return eight_bits


def augmented(images: Tensor, generator: torch.Generator) -> Tensor:
    """Pictures with random exposure, colour cast and grain."""
    n = len(images)
    gain = 1 + 0.3 * (torch.rand(n, 1, 1, 1, generator=generator) - 0.5)
    cast = 1 + 0.16 * (torch.rand(n, 3, 1, 1, generator=generator) - 0.5)
    grain = 0.04 * torch.rand(n, 1, 1, 1, generator=generator)
    return (images * gain * cast + grain * torch.randn(images.shape, generator=generator)).clamp(0, 1)


def fit(images: Tensor, classes: Tensor, count: int, settings: Settings, report: Report) -> SmallNet:
    """A network trained on uint8 ``images`` [n, 3, 64, 64], its batch normalisation folded."""
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed + 1)
    network = SmallNet(count, normalised=True).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * (len(images) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.peak_rate, total_steps=steps, pct_start=0.2)
    network.train()
    for epoch in range(settings.epochs):
        started, total = time.perf_counter(), 0.0
        order = torch.randperm(len(images), generator=generator)
        for rows in torch.split(order[: len(order) // settings.batch * settings.batch], settings.batch):
            batch = augmented(images[rows].float() / 255, generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(network(batch), classes[rows], label_smoothing=settings.smoothing)
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        spent = time.perf_counter() - started
        mean = total / (steps // settings.epochs * settings.batch)
        report(f"epoch {epoch + 1} of {settings.epochs}: loss {mean:.4f}, {spent:.0f} s")
    return folded(network.eval())


def measure(model: BundledClassifier, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy of all and of each class (by its first name), and the expected calibration error."""
    batches = torch.split(torch.from_numpy(images), 256)
    with torch.no_grad():
        probability = torch.cat([model(part.float() / 255).softmax(1) for part in batches]).numpy()
    right, confidence = probability.argmax(1) == classes, probability.max(1)
    found = {"accuracy": float(right.mean())}
    found |= {
        name.split(",")[0]: float(right[classes == k].mean())
        for k, name in enumerate(model.categories)
        if (classes == k).any()
    }
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return found | {"calibration error": float(np.sum(gaps))}
