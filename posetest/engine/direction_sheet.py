"""A small picture for each viewing direction of a scene, all on one sheet: what a map of directions shows on demand.

They are drawn again from the records, as the gallery is: a resumed run keeps the same ones. Which pose stands in which
tile is written down (images/tiles.parquet) rather than left to be derived, so that a reader needs no rule, and a later
change of the rule does not put other poses under old pictures.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import RunFolder, file_name
from posetest.geometry.grids import choose_nside, direction_to_cell
from posetest.geometry.so3 import quaternion_to_matrix, viewing_direction
from posetest.protocols import Renderer
from posetest.scene.scene import Scene
from posetest.space import vectors_to_views

#: Width and height of a tile.
TILE_PX = 96
#: Cells are no finer than this: 192 tiles.
MOST_NSIDE = 4
_COLUMNS = 16  # of tiles on a sheet
_QUALITY = 78  # of WebP: edges of small shapes stay clean
_BATCH = 32
_QUATERNION = ["qw", "qx", "qy", "qz"]
_NEEDED = ["scene", "index", "status", "visible", *_QUATERNION, *POSE_COLUMNS]


def first_of_directions(run: RunFolder) -> pd.DataFrame:
    """A pose for each scene and cell of viewing direction that has one: the first visible one, else the first.

    Poses count that at least one model could evaluate. Columns: scene, cell, nside, index, visible and POSE_COLUMNS,
    ordered by scene name and cell. Cells are equal in area, as many as ``choose_nside`` says of the run's poses, at
    most 12 x 4^2.
    """
    nside = choose_nside(run.info.poses, most=MOST_NSIDE)
    first = pd.DataFrame()
    for part in run.parts(_NEEDED):
        frame = part.to_pandas()
        frame[["scene", "status"]] = frame[["scene", "status"]].astype(str)
        poses = frame[frame["status"] == "ok"].drop_duplicates(["scene", "index"])
        if not len(poses):
            continue
        matrices = quaternion_to_matrix(poses[_QUATERNION].to_numpy(dtype=np.float64))
        poses = poses.assign(cell=direction_to_cell(viewing_direction(matrices), nside), nside=nside)
        first = pd.concat([first, poses]) if len(first) else poses
        first = first.sort_values(["scene", "cell", "visible", "index"], ascending=[True, True, False, True])
        first = first.drop_duplicates(["scene", "cell"])
    return first.reindex(columns=["scene", "cell", "nside", "index", "visible", *POSE_COLUMNS]).reset_index(drop=True)


def keep_directions(run: RunFolder, scene: Scene, chosen: pd.DataFrame, renderer: Renderer) -> list[dict[str, object]]:
    """Draw the poses ``chosen`` of ``scene`` (rows of ``first_of_directions``, one or more) on a sheet and write it.

    Returns a row of TILE_SCHEMA for each.
    """
    file = f"images/{file_name(scene.name)}.directions.webp"
    rows = -(-len(chosen) // _COLUMNS)
    sheet = np.zeros((rows * TILE_PX, min(len(chosen), _COLUMNS) * TILE_PX, 3), dtype=np.uint8)
    told: list[dict[str, object]] = []
    pictures = _pictures(scene, chosen, renderer)
    indices, cells, nsides = (chosen[name].tolist() for name in ("index", "cell", "nside"))
    for k, picture in enumerate(pictures):
        y, x = (place * TILE_PX for place in divmod(k, _COLUMNS))
        sheet[y : y + TILE_PX, x : x + TILE_PX] = picture
        row: dict[str, object] = {"file": file, "scene": scene.name, "index": indices[k]}
        told.append(row | {"nside": nsides[k], "cell": cells[k], "x_px": x, "y_px": y, "size_px": TILE_PX})
    _write_webp(run.path / file, sheet)
    return told


def _pictures(scene: Scene, chosen: pd.DataFrame, renderer: Renderer) -> Iterator[NDArray[np.uint8]]:
    """Small pictures [size, size, 3]."""
    # drawn at twice the size and averaged, thin parts do not break up; the reference draws 8 x 8 samples anyway, slowly
    times = 1 if scene.config.render.backend == "reference" else 2
    vectors = chosen[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)
    for start in range(0, len(vectors), _BATCH):
        views = vectors_to_views(vectors[start : start + _BATCH], scene.config)
        images = renderer.render(views, TILE_PX * times, TILE_PX * times).images
        small = images.reshape(len(images), 3, TILE_PX, times, TILE_PX, times).mean(axis=(3, 5))
        yield from np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8).transpose(0, 2, 3, 1)


def _write_webp(path: Path, pixels: NDArray[np.uint8]) -> None:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, format="WEBP", quality=_QUALITY, method=4)
