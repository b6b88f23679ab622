"""What scenes there are: a table, and a sheet of thumbnails."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from posetest.api.pictures import contact_sheet
from posetest.api.request import whole
from posetest.engine.host import default_threads
from posetest.render.select import describe, open_renderer
from posetest.scene.scene import Scene
from posetest.space import scene_space, vectors_to_views

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = 3  # of scenes on a sheet
_TITLE_PX = 16


def scene_table(scenes: Sequence[Scene]) -> pd.DataFrame:
    """A row a scene: scene, about, labels, measure, backgrounds, drawn by, source."""
    import pandas as pd

    rows = []
    for scene in scenes:
        space = scene_space(scene.config, scene.background.count, scene.source)
        rows.append(
            {
                "scene": scene.name,
                "about": scene.config.about,
                "labels": "; ".join(map(str, scene.labels)),
                "measure": space.measure,
                "backgrounds": scene.background.count,
                "drawn_by": describe(scene.config.render),
                "source": scene.source,
            }
        )
    return pd.DataFrame(rows)


def scene_sheet(scenes: Sequence[Scene], *, views: int = 4, seed: int = 0, image_size: int = 96) -> NDArray[np.uint8]:
    """Thumbnails with names, uint8 [h, w, 3]: of each scene so many poses, drawn from its own measure.

    Raises:
        ConfigError: less than one view, or a scene that cannot be drawn.
    """
    from PIL import Image, ImageDraw

    count = whole("views", views, least=1)
    strips = []
    for scene in scenes:
        space = scene_space(scene.config, scene.background.count, scene.source)
        vectors = space.sample(seed, 0, count)
        opened = open_renderer(scene.mesh, scene.background, scene.config.render, threads=default_threads())
        with contextlib.closing(opened) as renderer:
            images = renderer.render(vectors_to_views(vectors, scene.config), image_size, image_size).images
        strip = contact_sheet(images, count)
        titled = np.full((strip.shape[0] + _TITLE_PX, strip.shape[1], 3), 255, dtype=np.uint8)
        titled[_TITLE_PX:] = strip
        page = Image.fromarray(titled)
        ImageDraw.Draw(page).text((2, 2), scene.name, fill=(0, 0, 0))
        strips.append(np.asarray(page).transpose(2, 0, 1).astype(np.float32) / 255)
    return contact_sheet(np.stack(strips), min(_COLUMNS, len(strips)), gap=8)
