"""posetest audit."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, UseAppendAction, arg

from posetest.commands.terminal import poses_progress, print_json, print_rich, say_not_drawn, warm_up_kernels
from posetest.config import Backend, Samples, Shading
from posetest.errors import ConfigError


def audit(
    scenes: Annotated[Positional[tuple[str, ...]], arg(metavar="[SCENE ...]")] = (),
    /,
    model: UseAppendAction[tuple[str, ...]] = (),
    poses: int = 2000,
    seed: int = 0,
    out: Path | None = None,
    label: UseAppendAction[tuple[str, ...]] = (),
    up: str | None = None,
    front: str | None = None,
    texture: Path | None = None,
    under: str | None = None,
    sampling: Literal["independent", "sobol"] = "independent",
    batch_size: int = 32,
    image_size: int | None = None,
    threads: int | None = None,
    backend: Backend | None = None,
    samples: Samples | None = None,
    shading: Shading | None = None,
    resume: bool = False,
    as_json: Annotated[bool, arg(name="json")] = False,
) -> int:
    """Evaluate poses of scenes with models and write a run folder with a report.

    Args:
        scenes: Scene files (.toml), mesh files or names of bundled scenes; none: those of all bundled objects.
        model: bundled | torchvision:NAME | timm:NAME | hf:NAME | FILE.py:FUNCTION | MODULE:FUNCTION | onnx:FILE, each
            with ?key=value options; repeat for several models on the same pictures. Default: bundled.
        poses: Poses of each scene.
        seed: Pose i depends on the seed and on i alone.
        out: Run folder; default: a new one under runs/.
        label: Accepted label of the object (index, class name or synonym); repeat for several. One scene only.
        up: Axis of the mesh file that points up, such as +z; write --up=-z for a negative one. One scene only.
        front: Axis of the mesh file that the object faces. One scene only.
        texture: Picture for a mesh that names none. One scene only.
        under: Another scene, such as strike or photographer, whose conditions (all but the object) are used.
        sampling: Independent draws, or a scrambled Sobol sequence.
        batch_size: Pictures a model sees at once.
        image_size: Pixels of each side; default: the largest input of the models, at least 224.
        threads: For rendering and for torch; default: all cores.
        backend: What draws; default: the scene's, which is cpu unless it says otherwise.
        samples: Samples a pixel and side, 2 for 2 x 2; default: the scene's, or 1.
        shading: In linear light, or on encoded values as in the 2019 protocol; default: the scene's, or linear.
        resume: Go on with the run in --out.
        as_json: Print the rates as JSON instead of a table.
    """
    from posetest import api
    from posetest.report.terminal import rates_table
    from posetest.scene.scene import load_scene, object_scenes

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    changes = {"--up": up, "--front": front, "--texture": texture, "--label": label or None}
    given = [name for name, value in changes.items() if value is not None]
    if given and len(scenes) != 1:
        raise ConfigError(f"{', '.join(given)}: for one scene only; here are {len(scenes)}. Write scene files instead")
    named = scenes or object_scenes()
    loaded = [load_scene(s, up=up, front=front, labels=label, texture=texture, under=under) for s in named]
    warm_up_kernels({backend or scene.config.render.backend for scene in loaded})
    folder = out if out is not None else api.new_folder(loaded)
    sys.stderr.write(f"run folder: {folder}\n")
    with poses_progress() as progress:
        run = api.audit(
            model or "bundled",
            loaded,
            poses=poses,
            seed=seed,
            sampling=sampling,
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
    report_path = run.report()  # before anything is printed: a closed pipe must not cost the report
    rates = run.rates()
    if as_json:
        print_json(rates.to_dict(orient="records"))
    else:
        print_rich(rates_table(rates))
    say_not_drawn({scene.name: scene.not_drawn for scene in run.info.scenes})
    sys.stderr.write(f"report: {report_path}\n")
    return 0
