"""Tuning curves: responses of a layer's channels over one or two pose parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posetest.api.request import (
    ModelLike,
    SceneLike,
    continued,
    default_image_size,
    load_one_model,
    model_info,
    new_folder,
    renderer_words,
    scene_info,
    torch_threads,
    whole,
)
from posetest.api.run import TuneRun
from posetest.config import Backend, Samples, Shading
from posetest.engine.evaluate import short_names
from posetest.engine.gallery import canonical_pose
from posetest.engine.host import default_threads, versions
from posetest.engine.tune_gallery import keep_preferred
from posetest.engine.tune_loop import responses_to, tune_into
from posetest.errors import ConfigError, suggest
from posetest.models.units import OUTPUTS
from posetest.render.select import open_renderer
from posetest.run_info import Layout, Reduce, RunInfo, TuneInfo
from posetest.scene.scene import Scene, load_scene
from posetest.space import (
    INDEX,
    NAMES,
    PARAMETERS,
    Space,
    check_value,
    format_pose,
    parse_pose,
    scene_space,
    vectors_to_views,
)

Array = NDArray[np.float64]

_POINTS = {1: (72,), 2: (36, 18)}
_OUT_OF_FRAME = PARAMETERS[INDEX["offset_x"]].high


def tuning_curves(
    model: ModelLike = "bundled",
    scene: SceneLike = "school_bus",
    *,
    layer: str,
    over: str | Sequence[str] = "yaw",
    pose: str = "",
    reduce: Reduce = "mean",
    layout: Layout | None = None,
    channels: Sequence[int] = (),
    out: str | Path | None = None,
    resume: bool = False,
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    progress: Callable[[int, int], None] | None = None,
    command: str | None = None,
) -> TuneRun:
    """How the channels of a layer answer to the scene's object over one or two pose parameters.

    Args:
        model: as in ``audit``.
        scene: a scene, a scene or mesh file, or a bundled scene's name.
        layer: a module's name, such as "features.17"; "logits" or "probabilities" for the class scores.
        over: "yaw", "yaw,pitch", or with first, last and count "yaw=-180:175:72,pitch=-60:60:13". By default a
            parameter runs over the scene's interval, or where the scene fixes it once around its circle.
        pose: replay string of the other parameters; by default the object upright, whole, from the front right.
        reduce: what becomes of a channel's positions: their mean or their largest.
        layout: of the layer's output, where it is not [n, c, h, w], [n, tokens, c] or [n, c]: "nhwc".
        channels: that are kept; by default all.
        out, resume, batch_size, image_size, threads, backend, samples, shading, command: as in ``audit``.
        progress: called with (poses done, poses in all).

    Raises:
        PosetestError: a child that says what was expected and what to do.
    """
    size = whole("batch_size", batch_size, least=1)
    workers = whole("threads", default_threads() if threads is None else threads, least=1)
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    loaded = loaded.drawn_with({"backend": backend, "samples": samples, "shading": shading}, where="tune")
    one = load_one_model(model)
    side = default_image_size([one]) if image_size is None else whole("image_size", image_size, least=1)
    space = scene_space(loaded.config, loaded.background.count, loaded.source)
    names, values, wraps = grid_of(over, space)
    base = space.vector({**canonical_pose(loaded, space), **parse_pose(pose)})[0]
    what = TuneInfo(
        layer=layer,
        over=names,
        values=tuple(tuple(v.tolist()) for v in values),
        wraps=wraps,
        base=format_pose(base, space),
        reduce=reduce,
        layout=layout,
        channels=tuple(whole("channel", c, least=0) for c in channels),
        unit_names=tuple(short_names(one)) if layer in OUTPUTS else (),
    )
    vectors = grid_vectors(base, names, values)
    info = RunInfo(
        kind="tune",
        status="running",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command or f"posetest.tuning_curves({one.spec!r}, {loaded.source!r}, layer={layer!r}, over={over!r})",
        seed=0,
        poses=len(vectors),
        sampling="independent",
        image_size=side,
        batch_size=size,
        part_size=0,
        versions=versions(),
        scenes=(scene_info(loaded),),
        models=(model_info(one, [loaded]),),
        renderer=renderer_words([loaded]),
        tune=what,
    )
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        if progress is not None:
            progress(done, len(vectors))

    renderer = open_renderer(loaded.mesh, loaded.background, loaded.config.render, threads=workers)
    with contextlib.closing(renderer), torch_threads(workers):
        # a layer that there is not, or a pose that cannot be drawn, is said before a folder exists
        responses_to(one, what, renderer.render(vectors_to_views(vectors[:1], loaded.config), side, side).images)
        folder = Path(out) if out is not None else new_folder([loaded], "tune")
        run = continued(TuneRun, folder, info) if resume else TuneRun.create(folder, info)
        tune_into(run, loaded, one, renderer, vectors, more)
        keep_preferred(run, loaded, renderer)
    run.finish()
    return run


def grid_of(over: str | Sequence[str], space: Space) -> tuple[tuple[str, ...], tuple[Array, ...], tuple[bool, ...]]:
    """Names, values and whether each closes a circle, of "yaw,pitch" or "yaw=-180:175:72".

    Raises:
        ConfigError: not of that form, no such parameter, or not one or two of them.
    """
    entries = [e.strip() for e in (over.split(",") if isinstance(over, str) else over) if e.strip()]
    if not 1 <= len(entries) <= 2:
        raise ConfigError(f"over: one or two parameters are wanted, here are {len(entries)}")
    names: list[str] = []
    values: list[Array] = []
    wraps: list[bool] = []
    for entry, points in zip(entries, _POINTS[len(entries)], strict=True):
        name, equals, span = (piece.strip() for piece in entry.partition("="))
        if name not in INDEX:
            raise ConfigError(f'over: unknown parameter "{name}"{suggest(name, NAMES)} (known: {", ".join(NAMES)})')
        if name in names:
            raise ConfigError(f"over: {name} stands there twice")
        found, closes = _given(name, span, entry) if equals else _whole_range(name, space, points)
        names.append(name)
        values.append(found)
        wraps.append(closes)
    return tuple(names), tuple(values), tuple(wraps)


def _given(name: str, span: str, entry: str) -> tuple[Array, bool]:
    pieces = span.split(":")
    try:
        first, last, count = float(pieces[0]), float(pieces[1]), int(pieces[2])
        if len(pieces) != 3 or count < 2 or not first < last:
            raise ValueError
    except (ValueError, IndexError) as error:
        raise ConfigError(
            f'over: "{entry}" is not name=first:last:count with first < last, as in "yaw=-180:175:72"'
        ) from error
    for value in (first, last):
        check_value(name, value, "over")
    values = np.round(np.linspace(first, last, count), PARAMETERS[INDEX[name]].decimals)
    period, step = PARAMETERS[INDEX[name]].period, (last - first) / (count - 1)
    return values, period is not None and bool(np.isclose(last + step - first, period))


def _whole_range(name: str, space: Space, points: int) -> tuple[Array, bool]:
    """The scene's interval of a parameter; its circle where the scene fixes it."""
    parameter = PARAMETERS[INDEX[name]]
    interval = space.free.get(name)
    if interval is None and parameter.period is None:
        raise ConfigError(
            f"over: {name} does not vary in this scene, so its range is not known: "
            f'write it as first:last:count, as in "{name}=3:12:10"'
        )
    low, high = (interval.low, interval.high) if interval is not None else (-180.0, 180.0)
    closes = parameter.period is not None and high - low >= parameter.period
    values = np.linspace(low, high, points, endpoint=not closes)
    if name == "background":
        values = np.unique(np.round(values))
    return np.round(values, parameter.decimals), closes


def grid_vectors(base: Array, names: Sequence[str], values: Sequence[Array]) -> Array:
    """Pose vectors [1 + points, parameters]: the background alone, then the grid, its last parameter fastest."""
    mesh = np.meshgrid(*values, indexing="ij")
    vectors = np.repeat(base[None], 1 + mesh[0].size, axis=0)
    for name, column in zip(names, mesh, strict=True):
        vectors[1:, INDEX[name]] = column.ravel()
    vectors[0, INDEX["offset_x"]] = _OUT_OF_FRAME
    return vectors
