"""Pictures worth keeping: each object as it stands, a small one for each viewing direction, and the most confidently
misread poses of each model.

They are drawn again from the records once all are in, so that keeping them costs no memory during the run and a
resumed run keeps the same ones. Each is scored again from the 8-bit PNG: a failure that vanishes there was an
artefact of numbers that no image file can hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from posetest.engine.direction_sheet import first_of_directions, keep_directions
from posetest.engine.evaluate import log_probabilities, short_names
from posetest.engine.record import POSE_COLUMNS
from posetest.engine.run import IMAGE_SCHEMA, TILE_SCHEMA, RunFolder, file_name
from posetest.protocols import Model, Renderer
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene
from posetest.space import INDEX, PARAMETERS, Space, format_pose, vectors_to_views

#: Misread poses kept for each scene and model.
GALLERY_SIZE = 12
_NEEDED = ["scene", "model", "index", "status", "visible", "recognised", "top1_label", "top1_p", *POSE_COLUMNS]


def keep_images(
    run: RunFolder, scenes: Sequence[Scene], spaces: Sequence[Space], models: Sequence[Model], *, threads: int
) -> None:
    """Write the pictures of ``run`` and their description (IMAGE_SCHEMA, TILE_SCHEMA)."""
    worst, around = most_confidently_misread(run, GALLERY_SIZE), first_of_directions(run)
    rows: list[dict[str, object]] = []
    tiles: list[dict[str, object]] = []
    for scene, space in zip(scenes, spaces, strict=True):
        with closing(open_renderer(scene.mesh, scene.background, scene.config.render, threads=threads)) as renderer:
            rows.append(_keep_canonical(run, scene, space, renderer))
            seen = around[around["scene"] == scene.name]
            if len(seen):
                placed = keep_directions(run, scene, seen, renderer)
                tiles.extend(placed)
                sheet = {"file": placed[0]["file"], "kind": "directions", "scene": scene.name}
                rows.append({**sheet, "model": "", "index": -1, "pose": ""})
            for model in models:
                chosen = worst[(worst["scene"] == scene.name) & (worst["model"] == model.name)]
                if len(chosen):
                    rows.extend(keep_poses(run, scene, space, model, chosen, renderer, "gallery"))
    run.write_tiles(pa.Table.from_pylist(tiles, schema=TILE_SCHEMA))
    run.write_images(pa.Table.from_pylist(rows, schema=IMAGE_SCHEMA))


def most_confidently_misread(run: RunFolder, count: int) -> pd.DataFrame:
    """The ``count`` misread records of highest confidence for each scene and model, visible poses before others."""
    best = pd.DataFrame()
    keys = ["scene", "model"]
    for part in run.parts(_NEEDED):
        frame = part.to_pandas()
        frame[[*keys, "status"]] = frame[[*keys, "status"]].astype(str)
        misread = frame[(frame["status"] == "ok") & ~frame["recognised"]]
        best = pd.concat([best, misread]) if len(best) else misread
        best = best.sort_values(["visible", "top1_p", "index"], ascending=[False, False, True])
        best = best.groupby(keys, sort=False).head(count)
    return best


def _keep_canonical(run: RunFolder, scene: Scene, space: Space, renderer: Renderer) -> dict[str, object]:
    pose = canonical_pose(scene, space)
    vector = space.vector(pose)
    image = renderer.render(vectors_to_views(vector, scene.config), run.info.image_size, run.info.image_size).images[0]
    file = f"images/{file_name(scene.name)}.canonical.png"
    write_png(run.path / file, image)
    text = ",".join(f"{name}={value:g}" for name, value in pose.items())
    return {"file": file, "kind": "canonical", "scene": scene.name, "model": "", "index": -1, "pose": text}


def canonical_pose(scene: Scene, space: Space) -> dict[str, float]:
    """A pose that shows the object upright, from the front right and a little above, whole and as large as may be."""
    radius = float(np.linalg.norm(scene.mesh.verts_obj, axis=1).max())
    fov = math.radians(space.fixed["fov"])
    distance = 1.05 * radius / math.sin(fov / 2)
    farthest = PARAMETERS[INDEX["distance"]].high
    pose = {"distance": round(min(distance, farthest), 3), "offset_x": 0.0, "offset_y": 0.0}
    return {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, **pose, "azimuth": 30.0, "elevation": 15.0}


def keep_poses(
    run: RunFolder, scene: Scene, space: Space, model: Model, chosen: pd.DataFrame, renderer: Renderer, kind: str
) -> list[dict[str, object]]:
    """Draw the records ``chosen`` of a scene and model, score the PNGs again; rows of IMAGE_SCHEMA of this ``kind``."""
    import torch

    vectors = chosen[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)
    size = run.info.image_size
    images = renderer.render(vectors_to_views(vectors, scene.config), size, size).images
    indices, labels, confidences = (chosen[c].tolist() for c in ("index", "top1_label", "top1_p"))
    files = [f"images/{file_name(scene.name)}.{file_name(model.name)}.{index}.png" for index in indices]
    seen = np.stack([write_png(run.path / file, image) for file, image in zip(files, images, strict=True)])
    log_p = log_probabilities(model, torch.from_numpy(seen), f"kept pictures of {scene.name}")
    names, again = short_names(model), log_p.argmax(axis=1)
    return [
        {
            "file": files[i],
            "kind": kind,
            "scene": scene.name,
            "model": model.name,
            "index": indices[i],
            "pose": format_pose(vectors[i], space),
            "top1_label": labels[i],
            "top1_p": confidences[i],
            "png_label": names[again[i]],
            "png_p": float(np.exp(log_p[i, again[i]])),
            "persists": names[again[i]] == labels[i],
        }
        for i in range(len(files))
    ]


def write_png(path: Path, image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Store ``image`` [3, h, w] in [0, 1] as 8-bit PNG; what a reader of the file gets, in the same form."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    eight_bit = np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)
    Image.fromarray(np.ascontiguousarray(eight_bit.transpose(1, 2, 0))).save(path)
    return eight_bit.astype(np.float32) / np.float32(255)
