"""Pictures of tuning curves: the poses that the most selective and the most tolerant units of a layer prefer."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from posetest.engine.gallery import write_png
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import IMAGE_SCHEMA, RunFolder
from posetest.protocols import Renderer
from posetest.scene.scene import Scene
from posetest.space import format_pose, scene_space, vectors_to_views

#: Views along the first parameter that the report's axis shows.
AXIS_VIEWS = 8


def keep_preferred(run: RunFolder, scene: Scene, renderer: Renderer) -> None:
    """Write pictures of evenly spaced poses of the grid, to be shown along its axes."""
    assert run.info.tune is not None
    table = run.table(["index", *POSE_COLUMNS]).sort_values("index")
    shape = tuple(len(values) for values in run.info.tune.values)
    rows = _even(shape)
    vectors = table[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)[1:][rows]
    size = run.info.image_size
    images = renderer.render(vectors_to_views(vectors, scene.config), size, size).images
    space = scene_space(scene.config, scene.background.count, scene.source)
    kept = []
    for number, (row, image) in enumerate(zip(rows, images, strict=True)):
        file = f"images/view-{number:03d}.png"
        write_png(run.path / file, image)
        described = {"file": file, "kind": "view", "scene": scene.name, "model": "", "index": int(row) + 1}
        kept.append(described | {"pose": format_pose(vectors[number], space)})
    run.write_images(pa.Table.from_pylist(kept, schema=IMAGE_SCHEMA))


def _even(shape: tuple[int, ...]) -> list[int]:
    """Flat indices of a grid's poses, at most AXIS_VIEWS along the first axis and half as many along the second."""
    across = np.unique(np.linspace(0, shape[0] - 1, min(AXIS_VIEWS, shape[0])).round().astype(int))
    if len(shape) == 1:
        return [int(i) for i in across]
    down = np.unique(np.linspace(0, shape[1] - 1, min(AXIS_VIEWS // 2, shape[1])).round().astype(int))
    return [int(i * shape[1] + j) for j in down for i in across]
