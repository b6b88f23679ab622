"""Pictures of a search: where it began, its best poses that differ, scored again from 8-bit files and at 2 x 2 samples.

A hit that vanishes in a file of 8 bits, or when the renderer looks twice as closely, is a fault of numbers or of the
renderer and none of the model; those that do not are marked as survivors.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from posetest.engine.gallery import write_png
from posetest.engine.record import APART, POSE_COLUMNS
from posetest.engine.run import IMAGE_SCHEMA, RunFolder
from posetest.engine.score import Scorer
from posetest.render.select import open_renderer
from posetest.search.archive import spread
from posetest.space import format_pose, vectors_to_views

_NEEDED = ["index", *POSE_COLUMNS, "score", "margin", "hit", "top1_label", "top1_p"]


def keep_found(run: RunFolder, scorer: Scorer, count: int, start: NDArray[np.float64]) -> None:
    """Write pictures of ``run``: its start [parameters] and its ``count`` best poses, of the hits if there are any."""
    table = run.table(_NEEDED)
    table = table[np.isfinite(table["score"])].sort_values(["hit", "score", "index"], ascending=[False, False, True])
    if table["hit"].any():
        table = table[table["hit"]]
    vectors = table[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)
    chosen = table.iloc[spread(scorer.domain, vectors, APART, count)]
    vectors = np.concatenate([start[None], chosen[list(POSE_COLUMNS)].to_numpy(dtype=np.float64)])
    kinds = ["start", *np.where(chosen["hit"], "hit", "best")]
    files = [f"images/{kind}-{number:03d}.png" for number, kind in enumerate(kinds)]
    size, space = run.info.image_size, scorer.domain.space
    views = vectors_to_views(vectors, scorer.scene.config)
    images = scorer.renderer.render(views, size, size).images
    stored = np.stack([write_png(run.path / file, image) for file, image in zip(files, images, strict=True)])
    margins, log_p = scorer.margins(stored)
    fine_margins, fine_log_p = _looked_at_closely(scorer, vectors, size)
    rows: list[dict[str, object]] = []
    for k, (file, kind) in enumerate(zip(files, kinds, strict=True)):
        row: dict[str, object] = {"file": file, "kind": kind, "scene": run.info.scenes[0].name}
        row |= {"model": run.info.models[0].name, "pose": format_pose(vectors[k], space), "index": -1}
        row |= _answer("png", log_p[k], scorer.names)
        can_reach = not np.isnan(margins[k])
        if can_reach:
            row["persists"] = bool(margins[k] > 0)
        if fine_margins is not None and fine_log_p is not None:
            row |= _answer("samples", fine_log_p[k], scorer.names)
            if can_reach:
                row["survives"] = bool(margins[k] > 0 and fine_margins[k] > 0)
        if k:
            record = chosen.iloc[k - 1]
            row |= {"index": int(record["index"]), "score": float(record["score"])}
            row |= {"top1_label": str(record["top1_label"]), "top1_p": float(record["top1_p"])}
        rows.append(row)
    run.write_images(pa.Table.from_pylist(rows, schema=IMAGE_SCHEMA))


def _looked_at_closely(
    scorer: Scorer, vectors: NDArray[np.float64], size: int
) -> tuple[NDArray[np.float64] | None, NDArray[np.float32] | None]:
    """Margins and log-probabilities at 2 x 2 samples a pixel; None where the back end has no such thing."""
    import msgspec

    scene = scorer.scene
    if scene.config.render.backend == "reference":  # draws 8 x 8 samples whatever is asked for
        return None, None
    settings = msgspec.structs.replace(scene.config.render, samples=2)
    with closing(open_renderer(scene.mesh, scene.background, settings, threads=1)) as renderer:
        return scorer.margins(renderer.render(vectors_to_views(vectors, scene.config), size, size).images)


def _answer(prefix: str, log_p: NDArray[np.float32], names: Sequence[str]) -> dict[str, object]:
    """What a model called a picture and how sure it was; nothing where it names nothing."""
    if not len(log_p) or not np.isfinite(log_p.max()):
        return {}
    top = int(log_p.argmax())
    return {f"{prefix}_label": names[top], f"{prefix}_p": float(np.exp(log_p[top]))}
