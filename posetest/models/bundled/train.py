"""Trains the bundled classifier and writes its weights: python -m posetest.models.bundled.train

Renders variants of the bundled objects and distractors (data.py), trains ``SmallNet`` on them, measures it on variants
it has not seen, inside and outside the training poses, and stores all of that with the weights. The same seed gives
the same weights on the same machine with the same number of threads.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from posetest.config import SpaceConfig
from posetest.models.bundled import WEIGHTS, data
from posetest.models.bundled.files import INPUT_SIZE, read, write
from posetest.models.bundled.network import BundledClassifier, SmallNet, folded

#: The same views, but the object turned any way.
ALL_ROTATIONS = SpaceConfig(rotation="haar", distance=(4.5, 8.0), offset_x=(-0.1, 0.1), offset_y=(-0.1, 0.1))
#: Builder seeds: the bundled objects themselves (0) and variants to learn from, and others to be judged by.
TRAINING_VARIANTS, HELD_OUT_VARIANTS = range(100), range(10_000, 10_040)
TRAINING_OTHERS, HELD_OUT_OTHERS = range(500), range(10_000, 10_200)


@dataclass(frozen=True)
class Settings:
    """How to train."""

    seed: int = 0
    epochs: int = 6
    batch: int = 128
    peak_rate: float = 4e-3
    weight_decay: float = 0.02
    views: int = 40
    other_views: int = 20
    threads: int = 2


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


def fit(images: Tensor, classes: Tensor, count: int, settings: Settings) -> SmallNet:
    """A network trained on uint8 ``images`` [n, 3, 64, 64], its batch normalisation folded."""
    torch.manual_seed(settings.seed)
    generator = torch.Generator().manual_seed(settings.seed + 1)
    network = SmallNet(count, normalised=True).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.peak_rate, weight_decay=settings.weight_decay)
    steps = settings.epochs * (len(images) // settings.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.peak_rate, total_steps=steps, pct_start=0.2)
    network.train()
    for epoch in range(settings.epochs):
        order = torch.randperm(len(images), generator=generator)
        total = 0.0
        for rows in torch.split(order[: len(order) // settings.batch * settings.batch], settings.batch):
            batch = augmented(images[rows].float() / 255, generator).contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(network(batch), classes[rows])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            total += float(loss.detach()) * len(rows)
        sys.stderr.write(f"epoch {epoch + 1} of {settings.epochs}: loss {total / len(images):.4f}\n")
    return folded(network.eval())


def measure(model: BundledClassifier, images: NDArray[np.uint8], classes: NDArray[np.int64]) -> dict[str, float]:
    """Accuracy of all and of each class (by its first name), and the expected calibration error in fifteen bins."""
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
    bins = np.minimum((confidence * 15).astype(int), 14)
    gaps = [abs(right[bins == b].mean() - confidence[bins == b].mean()) * (bins == b).mean() for b in np.unique(bins)]
    return found | {"calibration error": float(np.sum(gaps))}


def held_out(seed: int, space: SpaceConfig, size: int = 224) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures of variants that training never saw, at the size people feed to classifiers."""
    plan = data.Plan(seed, HELD_OUT_VARIANTS, 15, HELD_OUT_OTHERS, 3, size)
    return data.pictures(plan, space, shrink=shrink)


def train(path: Path = WEIGHTS, settings: Settings | None = None) -> dict[str, str]:
    """What was written into the weights' metadata: training poses, seed, time and accuracies, in words."""
    settings = settings or Settings()
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    started = time.perf_counter()
    plan = data.Plan(settings.seed, TRAINING_VARIANTS, settings.views, TRAINING_OTHERS, settings.other_views)
    images, classes = data.pictures(plan, shrink=shrink)
    rendered = time.perf_counter()
    sys.stderr.write(f"{len(images)} pictures in {rendered - started:.0f} s\n")
    names = data.categories()
    network = fit(torch.from_numpy(images), torch.from_numpy(classes), len(names), settings)
    info = {
        "seed": str(settings.seed),
        "training_pictures": str(len(images)),
        "training_poses": data.IN_WORDS,
        "training_seconds": f"{time.perf_counter() - started:.0f}",
    }
    write(path, network, names, info)
    model = read(path)  # judged as stored, in half precision
    for where, space in (("inside", data.PHOTOGRAPHER), ("all_rotations", ALL_ROTATIONS)):
        found = measure(model, *held_out(settings.seed + 1000, space))
        info |= {f"{where}: {name}": f"{value:.4f}" for name, value in found.items()}
    write(path, network, names, info)
    return info


def main() -> None:
    """Trains with the default settings and prints what was measured."""
    for key, value in train().items():
        sys.stdout.write(f"{key}: {value}\n")


if __name__ == "__main__":
    main()
