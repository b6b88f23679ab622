"""Pictures of poses, grids of poses, contact sheets."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from posetest.api.request import SceneLike, whole
from posetest.config import Backend, Samples, Shading
from posetest.engine.host import default_threads
from posetest.errors import ConfigError
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene, load_scene
from posetest.space import check_value, parse_pose, scene_space, vectors_to_views


def render_poses(
    scene: SceneLike,
    pose: str | Sequence[str] = "",
    *,
    image_size: int | tuple[int, int] = 224,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
) -> NDArray[np.float32]:
    """Pictures [n, 3, h, w] in [0, 1] of one pose or several, as replay strings ("yaw=30,pitch=-10,distance=4").

    Parameters that a string leaves out have the scene's own values, also where the scene lets them vary; ``backend``,
    ``samples`` and ``shading`` take the place of what the scene's [render] table says.

    Raises:
        ConfigError: a pose that cannot be read; a size below 1; a render setting that there is not.
        BackendError: a back end that cannot run here.
    """
    loaded = scene if isinstance(scene, Scene) else load_scene(scene)
    loaded = loaded.drawn_with({"backend": backend, "samples": samples, "shading": shading}, where="render_poses")
    space = scene_space(loaded.config, loaded.background.count, loaded.source)
    height, width = (image_size, image_size) if isinstance(image_size, int) else image_size
    if min(height, width) < 1:
        raise ConfigError(f"image size {width} x {height}: at least 1 x 1 is needed")
    texts = [pose] if isinstance(pose, str) else list(pose)
    if not texts:
        raise ConfigError('no pose to draw: give at least one, "" for the scene\'s own')
    workers = whole("threads", default_threads() if threads is None else threads, least=1)
    vectors = np.concatenate([space.vector(parse_pose(text)) for text in texts])
    views = vectors_to_views(vectors, loaded.config, aspect=width / height)
    opened = open_renderer(loaded.mesh, loaded.background, loaded.config.render, threads=workers)
    with contextlib.closing(opened) as renderer:
        return renderer.render(views, height, width).images


def grid_poses(grid: str, pose: str = "") -> tuple[list[str], int]:
    """The replay strings of a grid and the number of its columns.

    ``grid`` names one or two parameters, "yaw=-180:150:12,pitch=-60:60:5": first, last, count. The first runs along
    the rows' length, the second down. ``pose`` holds the other parameters.

    Raises:
        ConfigError: not of that form, or more than two parameters.
    """
    axes: list[tuple[str, list[float]]] = []
    for entry in filter(None, (part.strip() for part in grid.split(","))):
        name, _, span = entry.partition("=")
        pieces = span.split(":")
        try:
            first, last, count = float(pieces[0]), float(pieces[1]), int(pieces[2])
            if len(pieces) != 3 or count < 1:
                raise ValueError
        except (ValueError, IndexError) as error:
            raise ConfigError(f'grid "{grid}": "{entry}" is not name=first:last:count, as in "yaw=0:330:12"') from error
        for value in (first, last):
            check_value(name.strip(), value, f'grid "{grid}"')
        axes.append((name.strip(), [round(float(x), 6) for x in np.linspace(first, last, count)]))
    if not 1 <= len(axes) <= 2:
        raise ConfigError(f'grid "{grid}": one or two parameters are wanted, here are {len(axes)}')
    across = axes[0]
    down = axes[1] if len(axes) == 2 else None
    fixed = [part for part in pose.split(",") if part.strip()]
    rows: list[str] = []
    for value_down in down[1] if down else [None]:
        for value_across in across[1]:
            entries = [*fixed, f"{across[0]}={value_across:g}"]
            if down is not None:
                entries.append(f"{down[0]}={value_down:g}")
            rows.append(",".join(entries))
    return rows, len(across[1])


def contact_sheet(images: NDArray[np.float32], columns: int, gap: int = 2) -> NDArray[np.uint8]:
    """Pictures [n, 3, h, w] side by side in rows of ``columns``: uint8 [H, W, 3]."""
    count, _, height, width = images.shape
    rows = -(-count // columns)
    sheet = np.full((rows * (height + gap) - gap, columns * (width + gap) - gap, 3), 255, dtype=np.uint8)
    eight_bit = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)
    for i, picture in enumerate(eight_bit):
        top, left = (i // columns) * (height + gap), (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = picture
    return sheet
