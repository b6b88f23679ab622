"""The scenes that a reference classifier learns from: seeded variants of the bundled objects, and what is none of them.

Conditions come from a scene file (scenes/photographer.toml), so that the very distribution a classifier was trained on
can be audited. Everything follows from the seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec

from posetest.config import ObjectConfig, SceneConfig
from posetest.objects.catalogue import BUILDERS
from posetest.objects.distractors import distractor
from posetest.scene.mesh import Mesh
from posetest.scene.painted import DEFAULT_COUNT
from posetest.scene.scene import Scene, background_of

OTHER = "other"

#: Yaw of an object that is never seen from behind: the half turn around its back is left out.
NOT_FROM_BEHIND = (-90.0, 90.0)


def categories(objects: Sequence[str]) -> tuple[str, ...]:
    """The classes of a classifier of ``objects``: each one's accepted labels, joined as synonyms, and "other"."""
    return (*(", ".join(BUILDERS[name](0).labels) for name in objects), OTHER)


def painted_count(conditions: SceneConfig) -> int:
    """How many painted backgrounds the conditions have."""
    return conditions.background.count or DEFAULT_COUNT


def with_backgrounds(conditions: SceneConfig, first: int, last: int) -> SceneConfig:
    """The same conditions in front of the painted backgrounds ``first`` to ``last``."""
    behind = msgspec.structs.replace(conditions.background, count=last + 1)
    space = msgspec.structs.replace(conditions.space, background=(float(first), float(last)))
    return msgspec.structs.replace(conditions, background=behind, space=space)


def without_back(conditions: SceneConfig) -> SceneConfig:
    """The same conditions without the views of an upright object's back."""
    return msgspec.structs.replace(conditions, space=msgspec.structs.replace(conditions.space, yaw=NOT_FROM_BEHIND))


def variants(name: str, seeds: Sequence[int], conditions: SceneConfig) -> list[Callable[[], Scene]]:
    """Functions that make a scene of each variant of a bundled object."""
    return [partial(_variant, name, seed, conditions) for seed in seeds]


def others(seeds: Sequence[int], conditions: SceneConfig) -> list[Callable[[], Scene]]:
    """Functions that make a scene of each distractor."""
    return [partial(_other, seed, conditions) for seed in seeds]


def _variant(name: str, seed: int, conditions: SceneConfig) -> Scene:
    built = BUILDERS[name](seed)
    return _scene(f"{name}_{seed}", built.mesh, built.labels, conditions)


def _other(seed: int, conditions: SceneConfig) -> Scene:
    return _scene(f"other_{seed}", distractor(seed), (OTHER,), conditions)


def _scene(name: str, mesh: Mesh, labels: Sequence[str], conditions: SceneConfig) -> Scene:
    config = msgspec.structs.replace(conditions, object=ObjectConfig(mesh="", labels=tuple(labels)), name=name)
    return Scene(name, mesh, background_of(config.background, Path(), name), config, source=name)
