"""posetest render."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from posetest.commands.terminal import parse_size, say_not_drawn, warm_up_kernels
from posetest.config import Backend, Samples, Shading
from posetest.errors import ConfigError


def render(
    scene: Annotated[Positional[str], arg(metavar="SCENE")],
    /,
    pose: str = "",
    output: Annotated[Path, arg(aliases=["-o"])] = Path("render.png"),
    grid: str | None = None,
    size: str = "224",
    up: str | None = None,
    front: str | None = None,
    texture: Path | None = None,
    under: str | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
) -> int:
    """Draw one pose of a scene, or a grid of poses, as PNG.

    Args:
        scene: Scene file (.toml), mesh file or name of a bundled scene.
        pose: Replay string such as yaw=30,pitch=-10,distance=4; what it leaves out stays at the scene's value.
        output: The PNG file.
        grid: One or two parameters as first:last:count, such as yaw=0:330:12,pitch=-60:60:5.
        size: Pixels of each picture, as 224 or 640x480 (width x height).
        up: Axis of the mesh file that points up, such as +z; write --up=-z for a negative one.
        front: Axis of the mesh file that the object faces.
        texture: Picture for a mesh that names none.
        under: Another scene, such as strike or photographer, whose conditions (all but the object) are used.
        threads: For rendering; default: all cores.
        backend: What draws; default: the scene's, which is cpu unless it says otherwise.
        samples: Samples a pixel and side, 2 for 2 x 2; default: the scene's, or 1.
        shading: In linear light, or on encoded values as in the 2019 protocol; default: the scene's, or linear.
    """
    from PIL import Image

    from posetest import api
    from posetest.scene.scene import load_scene

    if output.suffix.lower() != ".png":
        raise ConfigError(f"{output}: the picture is written as PNG; let the name end in .png")
    loaded = load_scene(scene, up=up, front=front, texture=texture, under=under)
    texts, columns = api.grid_poses(grid, pose) if grid else ([pose], 1)
    warm_up_kernels({backend or loaded.config.render.backend})
    images = api.render_poses(
        loaded,
        texts,
        image_size=parse_size(size),
        threads=threads,
        backend=backend,
        samples=samples,
        shading=shading,
    )
    say_not_drawn({loaded.name: loaded.mesh.not_drawn})
    output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(api.contact_sheet(images, columns)).save(output)
    sys.stdout.write(f"{output}\n")
    return 0
