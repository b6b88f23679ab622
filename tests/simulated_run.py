"""A run folder without a renderer or a network: poses of a real space, answered by a rule of the viewing direction."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image

from posetest.config import ObjectConfig, RangeConfig, SceneConfig, SpaceConfig
from posetest.engine.direction_sheet import first_of_directions
from posetest.engine.record import CONFIDENT, POSE_COLUMNS, SCHEMA, to_arrow
from posetest.engine.run import IMAGE_SCHEMA, TILE_SCHEMA, RunFolder
from posetest.geometry.so3 import matrix_to_quaternion, viewing_direction
from posetest.run_info import ModelInfo, RunInfo, SceneInfo
from posetest.space import format_pose, scene_space, vectors_to_views

#: Probability [n] of being recognised, from viewing directions [n, 3] (object frame).
Rule = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def front_half(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Recognised in 9 of 10 poses from the front half, in 1 of 10 from the back half."""
    return np.where(directions[:, 2] > 0, 0.9, 0.1)


def simulate(
    folder: Path,
    *,
    scenes: Sequence[str] = ("jeep",),
    models: Sequence[str] = ("net",),
    poses: int = 500,
    rule: Rule = front_half,
    seed: int = 0,
    space: SpaceConfig | None = None,
    visible: float = 0.9,
    failed: int = 0,
    finished: bool = True,
    gallery: int = 3,
    wrong: Sequence[str] = ("minibus", "snowplow", "toaster"),
    accepted: Sequence[str] = ("jeep", "landrover"),
    image_size: int = 32,
    warnings: Sequence[str] = (),
    sheets: bool = False,
) -> RunFolder:
    """A finished run folder under ``folder``; ``failed`` rows of each scene and model have another status than ok.

    With ``sheets`` each scene has a sheet of small pictures; tile k is of one grey, ``tile_grey(k)``.
    """
    space = space or SpaceConfig(azimuth=(-30, 30), fov=RangeConfig(low=20, high=40, prior="log"))
    configs = {name: SceneConfig(object=ObjectConfig(mesh="x.obj"), name=name, space=space) for name in scenes}
    spaces = {name: scene_space(config) for name, config in configs.items()}
    info = RunInfo(
        kind="audit",
        status="running",
        created="2026-01-02T03:04:05+00:00",
        command="posetest audit x.obj",
        seed=seed,
        poses=poses,
        sampling="independent",
        image_size=image_size,
        batch_size=32,
        part_size=1024,
        versions={"python": "3.11", "posetest": "0.1"},
        scenes=tuple(
            SceneInfo(
                name=name,
                source=f"scenes/{name}.toml",
                measure=spaces[name].measure,
                labels=tuple(accepted),
                mesh_digest="a" * 64,
                scene_digest="b" * 64,
                faces=1234,
                free=tuple(spaces[name].free),
                warnings=tuple(warnings),
                not_drawn=("normal map of paint",) if warnings else (),
                config=msgspec.to_builtins(configs[name]),
            )
            for name in scenes
        ),
        models=tuple(
            ModelInfo(
                name=name,
                spec=f"torchvision:{name}",
                digest="c" * 64,
                classes=1000,
                preprocessing="resize 224, normalise",
                accepted=dict.fromkeys(scenes, (609,)),
                accepted_names={s: tuple(accepted) for s in scenes},
            )
            for name in models
        ),
        renderer="cpu",
    )
    run = RunFolder.create(folder, info)
    pictures: list[dict[str, object]] = []
    for k, scene in enumerate(scenes):
        vectors = spaces[scene].sample(seed, 0, poses)
        rotation = vectors_to_views(vectors, configs[scene]).rotation
        chance = rule(viewing_direction(rotation))
        tables = []
        for m, model in enumerate(models):
            rng = np.random.default_rng([seed, k, m])
            columns = _columns(scene, model, vectors, rotation, rng.random(poses) < chance, rng, visible, failed, wrong)
            tables.append(to_arrow(columns))
            replay = partial(format_pose, space=spaces[scene])
            pictures += _gallery(run, scene, model, m, vectors, columns, gallery, replay)
        run.write_part(k, pa.concat_tables(tables))
        file = f"images/{k}-canonical.png"
        _picture(run.path / file, image_size, k)
        pictures.append({"file": file, "kind": "canonical", "scene": scene, "model": "", "index": -1, "pose": ""})
    if sheets:
        pictures += _sheets(run)
    run.write_images(pa.Table.from_pylist(pictures, schema=IMAGE_SCHEMA))
    if finished:
        run.finish()
    return run


def _columns(scene, model, vectors, rotation, recognised, rng, visible, failed, wrong):  # type: ignore[no-untyped-def]
    count = len(vectors)
    ok = np.arange(count) >= failed
    recognised = recognised & ok
    p = rng.beta(3, 2, count).astype(np.float32)
    labels = np.where(recognised, "jeep", np.asarray(wrong)[rng.choice(len(wrong), count, p=_falling(len(wrong)))])
    is_visible = rng.random(count) < visible
    columns = {name: vectors[:, i] for i, name in enumerate(POSE_COLUMNS)}
    columns |= dict(zip(("qw", "qx", "qy", "qz"), matrix_to_quaternion(rotation).T, strict=True))
    columns |= {
        "scene": scene,
        "model": model,
        "index": np.arange(count),
        "status": np.where(ok, "ok", "scores not finite"),
        "inside": np.where(is_visible, 1.0, 0.5),
        "area_px": np.full(count, 900.0),
        "long_px": np.full(count, 40.0),
        "visible": is_visible,
        "image_digest": np.arange(count).astype(np.uint64),
        "top1": np.where(recognised, 609, 1),
        "top1_label": np.where(ok, labels, ""),
        "top1_p": np.where(ok, p, np.nan),
        "accepted_p": np.where(recognised, p, 0.1),
        "accepted_rank": np.where(recognised, 1, 3),
        "recognised": recognised,
        "top5": ok,
        "entropy": np.full(count, 1.0),
    }
    assert set(columns) == set(SCHEMA.names)
    return columns


def _falling(count: int) -> NDArray[np.float64]:
    weights = 2.0 ** -np.arange(count)
    return weights / weights.sum()


def _gallery(run, scene, model, number, vectors, columns, count, replay):  # type: ignore[no-untyped-def]
    misread = (columns["status"] == "ok") & ~columns["recognised"] & (columns["top1_p"] >= CONFIDENT)
    chosen = np.flatnonzero(misread)
    chosen = chosen[np.argsort(-columns["top1_p"][chosen], kind="stable")][:count]
    rows = []
    for rank, i in enumerate(chosen):
        file = f"images/{run.info.scenes.index(next(s for s in run.info.scenes if s.name == scene))}-{number}-{i}.png"
        _picture(run.path / file, run.info.image_size, int(i))
        label = str(columns["top1_label"][i])
        persists = rank != 1
        rows.append(
            {
                "file": file,
                "kind": "gallery",
                "scene": scene,
                "model": model,
                "index": int(i),
                "pose": replay(vectors[i]),
                "top1_label": label,
                "top1_p": float(columns["top1_p"][i]),
                "png_label": label if persists else "crate",
                "png_p": 0.69,
                "persists": persists,
            }
        )
    return rows


def tile_grey(number: int) -> int:
    """The grey of a simulated tile."""
    return 40 + 23 * number % 200


def _sheets(run: RunFolder) -> list[dict[str, object]]:
    chosen, size, rows, tiles = first_of_directions(run), 8, [], []
    for k, scene in enumerate(s.name for s in run.info.scenes):
        poses, file = chosen[chosen["scene"] == scene], f"images/{k}-sheet.webp"
        greys = [tile_grey(number) for number in range(len(poses))]
        picture = np.repeat(np.repeat(np.array([greys], dtype=np.uint8), size, axis=0), size, axis=1)
        Image.fromarray(picture).convert("RGB").save(run.path / file, format="WEBP", lossless=True)
        for number, pose in enumerate(poses.itertuples()):
            place = {"x_px": size * number, "y_px": 0, "size_px": size}
            tiles.append(
                {"file": file, "scene": scene, "index": pose.index, "nside": pose.nside, "cell": pose.cell, **place}
            )
        rows.append({"file": file, "kind": "directions", "scene": scene, "model": "", "index": -1, "pose": ""})
    run.write_tiles(pa.Table.from_pylist(tiles, schema=TILE_SCHEMA))
    return rows


def _picture(path: Path, size: int, seed: int) -> None:
    """A PNG that compresses about as badly as a render does."""
    y, x = np.mgrid[:size, :size] / size
    noise = np.random.default_rng(seed).random((size, size, 3)) * 60
    disc = ((x - 0.5) ** 2 + (y - 0.5) ** 2 < 0.12)[..., None]
    pixels = np.where(disc, 90 + 80 * np.stack([x, y, 1 - x], -1) + noise, 128)
    Image.fromarray(pixels.astype(np.uint8)).save(path)
