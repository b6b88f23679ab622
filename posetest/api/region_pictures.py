"""Pictures of the poses that failure regions name: a typical failure, the surest one, the nearest recognised one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

import pyarrow as pa

from posetest.analysis.regions import regions_table
from posetest.analysis.summary import MOST_REGIONS, NAMED_POSES, summary_frame
from posetest.engine.gallery import keep_poses
from posetest.engine.run import IMAGE_SCHEMA, RunFolder
from posetest.protocols import Model
from posetest.render.select import open_renderer
from posetest.scene.scene import Scene
from posetest.space import scene_space


def keep_region_pictures(run: RunFolder, scenes: Sequence[Scene], models: Sequence[Model], *, threads: int) -> None:
    """Add to the kept pictures of the audit ``run``, which is complete, those of its failure regions."""
    frame = summary_frame(run)
    regions = regions_table(run, frame, most=MOST_REGIONS)
    kept = run.images()
    rows: list[dict[str, object]] = []
    for scene in scenes:
        of_scene = regions[regions["scene"] == scene.name]
        if not len(of_scene):
            continue
        space = scene_space(scene.config, scene.background.count, scene.source)
        with closing(open_renderer(scene.mesh, scene.background, scene.config.render, threads=threads)) as renderer:
            for model in models:
                named = of_scene.loc[of_scene["model"] == model.name, list(NAMED_POSES)].to_numpy().ravel()
                is_meant = (frame["scene"] == scene.name) & (frame["model"] == model.name)
                by_index = frame[is_meant & frame["index"].isin(named[named >= 0])].set_index("index")
                order = [index for index in dict.fromkeys(named.tolist()) if index in by_index.index]
                chosen = by_index.loc[order].reset_index()
                if len(chosen):
                    rows.extend(keep_poses(run, scene, space, model, chosen, renderer, "region"))
    added = pa.Table.from_pylist(rows, schema=IMAGE_SCHEMA)
    before = pa.Table.from_pandas(kept[kept["kind"] != "region"], schema=IMAGE_SCHEMA, preserve_index=False)
    run.write_images(pa.concat_tables([before, added]))
