"""posetest train-reference."""

from __future__ import annotations

import sys
from pathlib import Path

from tyro.conf import UseAppendAction

from posetest.commands.terminal import warm_up_kernels
from posetest.errors import ConfigError


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def train_reference(
    out: Path,
    poses: str = "photographer",
    object: UseAppendAction[tuple[str, ...]] = (),
    unseen_behind: UseAppendAction[tuple[str, ...]] = (),
    seed: int = 0,
    epochs: int | None = None,
    variants: int | None = None,
    views: int | None = None,
    others: int | None = None,
    threads: int = 2,
) -> int:
    """Train a small classifier of the bundled objects whose training poses are known, so that an audit has an answer.

    Renders seeded variants of the objects, and distractors as "other"; trains; measures on variants and backgrounds
    that training never saw. Audit the result with --model "bundled?weights=FILE". What is left out has the value that
    the bundled classifier was trained with.

    Args:
        out: The weights, .safetensors.
        poses: Scene whose conditions are trained on, with painted backgrounds: photographer, rotations, or a file.
        object: Bundled object to tell apart; repeat for several. Default: all.
        unseen_behind: Object that is never shown from behind; repeat for several.
        seed: Everything random follows from it.
        epochs: Times that each picture is learnt from.
        variants: Of each object.
        views: Pictures of each variant.
        others: Distractors.
        threads: Of torch, and processes that render; another number may give other last digits.
    """
    from posetest.training.reference import Settings, train

    if out.suffix != ".safetensors":
        raise ConfigError(f"{out}: the weights are written as .safetensors; let the name end so")
    counts = {"epochs": epochs, "variants": variants, "views": views, "others": others, "threads": threads}
    given = {name: value for name, value in counts.items() if value is not None}
    for name, value in given.items():
        if value < 1:
            raise ConfigError(f"--{name} {value}: at least 1 is needed")
    settings = Settings(objects=object, poses=poses, unseen_behind=unseen_behind, seed=seed, **given)
    warm_up_kernels({"cpu"})
    out.parent.mkdir(parents=True, exist_ok=True)
    info = train(out, settings, report=_say)
    sys.stdout.write("".join(f"{key}: {words}\n" for key, words in info.items()))
    return 0
