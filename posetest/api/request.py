"""What every command of the Python interface does with what it is given: load, name, describe, check, resume."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from posetest.engine.run import RunFolder, file_name
from posetest.errors import ConfigError, LabelError, ModelError, RunError
from posetest.protocols import Model
from posetest.render.select import describe
from posetest.run_info import ModelInfo, ProbeInfo, RunInfo, SceneInfo, SearchInfo
from posetest.scene.scene import Scene, load_scene, object_scenes
from posetest.space import Sampling, scene_space

#: What is taken as a scene: an object, a scene or mesh file, or a bundled scene's name.
SceneLike = Scene | str | Path
#: What is taken as a model: a specification, an nn.Module or any callable from images to scores.
ModelLike = Any

AnyRun = TypeVar("AnyRun", bound=RunFolder)

#: Side of the pictures that a model sees, at least.
IMAGE_SIZE = 224


def whole(name: str, value: int, *, least: int) -> int:
    """``value`` as a plain int.

    Raises:
        ConfigError: it is no whole number, or below ``least``.
    """
    try:
        number = operator.index(value)
    except TypeError as error:
        raise ConfigError(f"{name} = {value!r}: a whole number is needed") from error
    if number < least:
        raise ConfigError(f"{name} = {number}: at least {least} is needed")
    return number


def call_text(models: Sequence[Model], scenes: Sequence[Scene], sampling: Sampling, given: Mapping[str, object]) -> str:
    """The call that this run was, with what it named."""
    options = ", ".join(f"{name}={value!r}" for name, value in given.items() if value is not None)
    named = f"{[m.spec for m in models]}, {[s.source for s in scenes]}"
    return f'posetest.audit({named}, sampling="{sampling}", {options})'


def load_scenes(scene: SceneLike | Sequence[SceneLike] | None) -> list[Scene]:
    """Scenes with accepted labels and names of their own; None: those of all bundled objects.

    Raises:
        ConfigError, MeshError: a scene that cannot be loaded.
        LabelError: a scene that accepts no label.
    """
    given = object_scenes() if scene is None else scene
    sources = [given] if isinstance(given, Scene | str | Path) else list(given)
    if not sources:
        raise ConfigError("no scene given, and none is bundled")
    scenes = [s if isinstance(s, Scene) else load_scene(s) for s in sources]
    for s in scenes:
        if not s.labels:
            raise LabelError(
                f"{s.source}: which labels count as recognised? Give labels in [object] of the scene, or --label NAME"
            )
    return [s.renamed(name) for s, name in zip(scenes, unique([s.name for s in scenes]), strict=True)]


def load_models(model: ModelLike | Sequence[ModelLike]) -> list[Model]:
    """Models with names of their own.

    Raises:
        ConfigError: none is given.
        ModelError, LabelError, MissingDependencyError: a model that cannot be loaded.
    """
    from posetest.models.load import load_model, with_name

    given: list[ModelLike] = list(model) if isinstance(model, list | tuple) else [model]
    if not given:
        raise ConfigError("no model given")
    models = [load_model(m) for m in given]
    return [with_name(m, name) for m, name in zip(models, unique([m.name for m in models]), strict=True)]


def unique(names: Sequence[str]) -> list[str]:
    """``names`` with -2, -3 ... behind those that stood there before."""
    taken: list[str] = []
    for name in names:
        candidate, k = name, 1
        while candidate in taken:
            k += 1
            candidate = f"{name}-{k}"
        taken.append(candidate)
    return taken


def default_image_size(models: Sequence[Model]) -> int:
    """The largest input of the models, so that none sees a picture enlarged, and at least 224.

    A smaller network scales its pictures down, antialiased: its picture is supersampled, and visibility is measured on
    the same footing for every model.
    """
    return max([IMAGE_SIZE, *(m.input_size for m in models if m.input_size)])


def scene_info(scene: Scene) -> SceneInfo:
    """What run.toml says of ``scene``."""
    space = scene_space(scene.config, scene.background.count, scene.source)
    return SceneInfo(
        name=scene.name,
        source=scene.source,
        measure=space.measure,
        labels=scene.labels,
        mesh_digest=scene.mesh.digest,
        scene_digest=scene.digest,
        faces=len(scene.mesh.faces),
        free=tuple(space.free),
        warnings=scene.mesh.warnings,
        not_drawn=scene.mesh.not_drawn,
        config=msgspec.to_builtins(scene.config),
    )


def renderer_words(scenes: Sequence[Scene]) -> str:
    """What draws the scenes, in words; each with its name where they differ."""
    drawn = {scene.name: describe(scene.config.render) for scene in scenes}
    if len(set(drawn.values())) == 1:
        return next(iter(drawn.values()))
    return "; ".join(f"{name}: {words}" for name, words in drawn.items())


def load_one_model(model: ModelLike) -> Model:
    """``model``, which must be a single one.

    Raises:
        ModelError: several, or one that cannot be loaded.
    """
    models = load_models(model)
    if len(models) != 1:
        raise ModelError(f"one model is wanted here, not {len(models)}: {', '.join(m.name for m in models)}")
    return models[0]


def accepted_classes(scene: Scene, model: Model) -> tuple[int, ...]:
    """Class indices of ``model`` that count as recognised; none where the scene accepts no label or there is no model.

    Raises:
        LabelError: a label that the model does not know.
    """
    from posetest.models.labels import resolve_labels

    if not scene.labels or not model.categories:
        return ()
    return resolve_labels(scene.labels, model.categories, f"{scene.name} with {model.name}")


def model_info(model: Model, scenes: Sequence[Scene]) -> ModelInfo:
    """What run.toml says of ``model``; a scene that accepts no label has none there either.

    Raises:
        LabelError: a label that the model does not know.
    """
    from posetest.models.labels import class_name

    accepted = {s.name: accepted_classes(s, model) for s in scenes}
    return ModelInfo(
        name=model.name,
        spec=model.spec,
        digest=model.digest,
        classes=len(model.categories),
        preprocessing=model.preprocessing,
        accepted=accepted,
        accepted_names={
            name: tuple(class_name(i, model.categories) for i in indices) for name, indices in accepted.items()
        },
    )


def new_folder(scenes: Sequence[Scene | SceneInfo] | None, kind: str = "audit") -> Path:
    """A run folder under runs/ named after the scene, the kind of run unless that goes without saying, and the time."""
    parts = [scenes[0].name] if scenes is not None and len(scenes) == 1 else ["audit"]
    parts += [kind] if kind != "audit" else []
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return Path("runs") / "-".join([*map(file_name, parts), stamp])


def continued(kind: type[AnyRun], folder: Path, info: RunInfo) -> AnyRun:
    """The run to go on with, after a check that it is the same one.

    Raises:
        RunError: it was started with something else; names what.
    """
    run = kind.open(folder)
    old = run.info
    if old.kind != info.kind:
        raise RunError(f"{folder}: holds a run of another kind ({old.kind}); choose another --out")
    if old.search is not None and info.search is not None:
        _check_alike(folder, _search_facts(old.search), _search_facts(info.search))
    if old.tune is not None and info.tune is not None:
        _check_alike(folder, msgspec.structs.asdict(old.tune), msgspec.structs.asdict(info.tune))
    if old.probe is not None and info.probe is not None:
        _check_alike(folder, _probe_facts(old.probe), _probe_facts(info.probe))
    settings = ("seed", "poses", "sampling", "image_size", "batch_size", "part_size", "renderer")
    _check_alike(folder, *({key: getattr(i, key) for key in settings} for i in (old, info)))
    if changed := [
        name for name in old.versions.keys() | info.versions.keys() if old.versions.get(name) != info.versions.get(name)
    ]:
        raise RunError(
            f"{folder}: started with other versions of {', '.join(sorted(changed))}, which may score otherwise: "
            "install those that run.toml names, or choose another --out"
        )
    for listed, keys in (
        ("scenes", ("name", "mesh_digest", "scene_digest")),
        ("models", ("name", "digest", "preprocessing", "accepted")),
    ):
        before, now = ([[getattr(x, key) for key in keys] for x in getattr(i, listed)] for i in (old, info))
        if before != now:
            names = ", ".join(x.name for x in getattr(old, listed))
            raise RunError(f"{folder}: started with other {listed} ({names}), or they have changed since")
    return run


def _search_facts(info: SearchInfo) -> dict[str, object]:
    return msgspec.structs.asdict(info.settings) | {"objective": info.objective, "vary": info.vary, "base": info.base}


def _probe_facts(info: ProbeInfo) -> dict[str, object]:
    """What makes a probe: the parent's content, wherever it lies now."""
    return {key: value for key, value in msgspec.structs.asdict(info).items() if key != "parent"}


def _check_alike(folder: Path, old: Mapping[str, object], new: Mapping[str, object]) -> None:
    for key, value in old.items():
        if value != new[key]:
            raise RunError(
                f"{folder}: started with {key} = {value}, now {new[key]}: "
                "resume with the same command, or choose another --out"
            )


@contextlib.contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """torch on so many threads for a while; the caller's own number comes back."""
    import torch

    before = torch.get_num_threads()
    if before != threads:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        if before != threads:
            torch.set_num_threads(before)
