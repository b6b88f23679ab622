"""posetest tune."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, UseAppendAction, arg

from posetest.commands.terminal import poses_progress, print_json, print_rich, say_not_drawn, warm_up_kernels
from posetest.config import Backend, Samples, Shading
from posetest.errors import ConfigError
from posetest.run_info import Layout, Reduce


def tune(
    scene: Annotated[Positional[str], arg(metavar="SCENE")],
    /,
    layer: str,
    over: str = "yaw",
    model: str = "bundled",
    pose: str = "",
    reduce: Reduce = "mean",
    layout: Layout | None = None,
    channels: str = "",
    out: Path | None = None,
    label: UseAppendAction[tuple[str, ...]] = (),
    up: str | None = None,
    front: str | None = None,
    texture: Path | None = None,
    under: str | None = None,
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    resume: bool = False,
    as_json: Annotated[bool, arg(name="json")] = False,
) -> int:
    """Tuning curves: how the units of a layer answer to an object over one or two pose parameters.

    Every unit's preferred pose, selectivity (half-width) and invariance; the most view-tuned and the most
    view-invariant units of the layer.

    Args:
        scene: Scene file (.toml), mesh file or name of a bundled scene.
        layer: Module's name, such as features.17; logits or probabilities for the class scores.
        over: One or two parameters, as yaw,pitch or yaw=-180:175:72,pitch=-60:60:13 (first, last, count).
        model: As for posetest audit.
        pose: Replay string of the other parameters; default: the object upright, whole, from the front right.
        reduce: What becomes of a channel's positions: their mean or their largest.
        layout: Of the layer's output, where it is not [n, c, h, w], [n, tokens, c] or [n, c].
        channels: That are kept, comma-separated; default: all.
        out: Run folder; default: a new one under runs/.
        label: Accepted label of the object (index, class name or synonym); repeat for several.
        up: Axis of the mesh file that points up, such as +z; write --up=-z for a negative one.
        front: Axis of the mesh file that the object faces.
        texture: Picture for a mesh that names none.
        under: Another scene, such as strike or photographer, whose conditions (all but the object) are used.
        batch_size: Pictures a model sees at once.
        image_size: Pixels of each side; default: the model's input, at least 224.
        threads: For rendering and for torch; default: all cores.
        backend: What draws; default: the scene's, which is cpu unless it says otherwise.
        samples: Samples a pixel and side, 2 for 2 x 2; default: the scene's, or 1.
        shading: In linear light, or on encoded values as in the 2019 protocol; default: the scene's, or linear.
        resume: Go on with the run in --out.
        as_json: Print the table of units as JSON.
    """
    from posetest import api
    from posetest.report.terminal import units_table
    from posetest.scene.scene import load_scene

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    loaded = load_scene(scene, up=up, front=front, labels=label, texture=texture, under=under)
    warm_up_kernels({backend or loaded.config.render.backend})
    folder = out if out is not None else api.new_folder([loaded], "tune")
    sys.stderr.write(f"run folder: {folder}\n")
    with poses_progress() as progress:
        run = api.tuning_curves(
            model,
            loaded,
            layer=layer,
            over=over,
            pose=pose,
            reduce=reduce,
            layout=layout,
            channels=_numbers(channels),
            out=folder,
            resume=resume,
            batch_size=batch_size,
            image_size=image_size,
            threads=threads,
            backend=backend,
            samples=samples,
            shading=shading,
            progress=progress,
            command=shlex.join(["posetest", *sys.argv[1:]]),
        )
    report_path = run.report()
    if as_json:
        print_json(run.units().to_dict(orient="records"))
    else:
        print_rich(units_table(run))
    say_not_drawn({loaded.name: loaded.mesh.not_drawn})
    sys.stderr.write(f"report: {report_path}\n")
    return 0


def _numbers(text: str) -> list[int]:
    pieces = [piece.strip() for piece in text.split(",") if piece.strip()]
    if not all(piece.isdecimal() for piece in pieces):
        raise ConfigError(f'--channels "{text}": numbers are wanted, as in 0,5,17')
    return [int(piece) for piece in pieces]
