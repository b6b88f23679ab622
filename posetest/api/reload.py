"""The scenes and models of a run, loaded again from its run.toml and checked to be the same ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from posetest.api.request import ModelLike, SceneLike, load_models, load_scenes, model_info
from posetest.config import SceneConfig, decode
from posetest.engine.run import RunFolder
from posetest.errors import ConfigError, MeshError, RunError
from posetest.protocols import Model
from posetest.run_info import ModelInfo, SceneInfo
from posetest.scene.scene import Scene, build_scene


def reload_scenes(run: RunFolder, given: SceneLike | Sequence[SceneLike] | None = None) -> list[Scene]:
    """The scenes of ``run``, or those of them that are ``given``, in the order of run.toml.

    Raises:
        RunError: a scene cannot be loaded again or is not the same any more, or was none of the run's.
    """
    if given is None:
        return [_checked(run, info, _rebuilt(run, info)) for info in run.info.scenes]
    scenes = {scene.name: scene for scene in load_scenes(given)}
    known = [info.name for info in run.info.scenes]
    if strangers := [name for name in scenes if name not in known]:
        raise RunError(f'{run.path}: has no scene "{strangers[0]}" (it has {", ".join(known)}); name one of these')
    return [_checked(run, info, scenes[info.name]) for info in run.info.scenes if info.name in scenes]


def _rebuilt(run: RunFolder, info: SceneInfo) -> Scene:
    config = decode(info.config, SceneConfig, f"{run.path / 'run.toml'}: scene {info.name}")
    # paths count from the scene file, or from that of the conditions it was put under
    folder = Path(info.source.rpartition(" under ")[2]).parent
    try:
        return build_scene(config, folder=folder, name=info.name, source=info.source)
    except (ConfigError, MeshError) as error:
        raise RunError(
            f"{run.path}: its scene {info.name} ({info.source}) cannot be loaded again: {error}; run this where the "
            "audit ran, or hand over the scene (scene=...)"
        ) from error


def _checked(run: RunFolder, info: SceneInfo, scene: Scene) -> Scene:
    for what, before, now in (
        ("mesh", info.mesh_digest, scene.mesh.digest),
        ("scene file or its backgrounds", info.scene_digest, scene.digest),
    ):
        if before != now:
            raise RunError(
                f"{run.path}: the {what} of {info.name} ({scene.source}) changed since the audit "
                f"({before[:12]} then, {now[:12]} now); restore it, or audit again"
            )
    return scene


def reload_models(run: RunFolder, given: ModelLike | Sequence[ModelLike] | None = None) -> list[Model]:
    """The models of ``run``, or those of them that are ``given``, under their names there and in its order.

    Raises:
        RunError: a model cannot be loaded from its specification or has changed, or was none of the run's.
    """
    from posetest.models.load import with_name

    if given is not None:
        chosen: dict[str, Model] = {}
        for model in load_models(given):
            info = _meant(run, model, chosen)
            chosen[info.name] = with_name(model, info.name)
        return [chosen[info.name] for info in run.info.models if info.name in chosen]
    if handed := [info.name for info in run.info.models if info.spec.startswith("python:")]:
        raise RunError(
            f"{run.path}: the model {handed[0]} was handed over in Python and cannot be loaded from run.toml; "
            "hand it over again (model=..., --model ...)"
        )
    models = [with_name(load_models(info.spec)[0], info.name) for info in run.info.models]
    for info, model in zip(run.info.models, models, strict=True):
        if not _is_same(info, model):
            raise RunError(
                f"{run.path}: the model {info.name} ({info.spec}) changed since the audit (weights "
                f"{info.digest[:12]} then, {model.digest[:12]} now, or its preprocessing); restore it, or audit again"
            )
    return models


def check_accepted(run: RunFolder, models: Sequence[Model], scenes: Sequence[Scene]) -> None:
    """Nothing, if the same classes count as recognised as in ``run``.

    Raises:
        RunError: other ones do; names the scene and the model.
    """
    before = {info.name: info.accepted for info in run.info.models}
    for model in models:
        for scene, indices in model_info(model, scenes).accepted.items():
            if indices != before[model.name].get(scene):
                raise RunError(
                    f"{run.path}: other classes of {model.name} count as {scene} than in the audit; "
                    "give the scene the labels that run.toml names, or audit again"
                )


def _meant(run: RunFolder, model: Model, taken: dict[str, Model]) -> ModelInfo:
    """Which of the run's models this is: alike in weights and preprocessing, of the same name where several are."""
    alike = [info for info in run.info.models if info.name not in taken and _is_same(info, model)]
    named = [info for info in alike if info.name == model.name]
    if not alike:
        known = ", ".join(f"{info.name} ({info.spec})" for info in run.info.models)
        raise RunError(
            f"{run.path}: {model.name} ({model.spec}) is none of its models, or has changed since: it has {known}, "
            "and weights and preprocessing must agree"
        )
    return (named or alike)[0]


def _is_same(info: ModelInfo, model: Model) -> bool:
    if not info.digest and info.name != model.name and info.spec != model.spec:
        return False  # without weights only the name tells models apart
    return info.digest == model.digest and info.preprocessing == model.preprocessing
