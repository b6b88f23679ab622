"""What each command of the command line does: arguments in, a call into the Python interface, results on stdout."""

from __future__ import annotations

import contextlib
import json
import shlex
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, TextIO

from tyro.conf import Positional, UseAppendAction, arg

from posetest.config import Backend, Samples, Shading
from posetest.errors import ConfigError, MeshWarning


@contextlib.contextmanager
def plain_warnings() -> Iterator[None]:
    """Our own warnings as one line each on stderr, without the line of code that raised them."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if issubclass(category, MeshWarning):
            sys.stderr.write(f"warning: {message}\n")
        else:
            sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))

    with warnings.catch_warnings():
        warnings.simplefilter("always", MeshWarning)
        warnings.showwarning = show
        yield


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
        scenes: Scene files (.toml), mesh files or names of bundled scenes; none: all bundled scenes.
        model: bundled | torchvision:NAME | timm:NAME | hf:NAME | FILE.py:FUNCTION | MODULE:FUNCTION | onnx:FILE, each
            with ?key=value options; repeat for several models on the same pictures. Default: bundled.
        poses: Poses of each scene.
        seed: Pose i depends on the seed and on i alone.
        out: Run folder; default: a new one under runs/.
        label: Accepted label of the object (index, class name or synonym); repeat for several. One scene only.
        up: Axis of the mesh file that points up, such as +z; write --up=-z for a negative one. One scene only.
        front: Axis of the mesh file that the object faces. One scene only.
        texture: Picture for a mesh that names none. One scene only.
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
    from posetest.scene.scene import load_scene

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    changes = {"--up": up, "--front": front, "--texture": texture, "--label": label or None}
    given = [name for name, value in changes.items() if value is not None]
    if given and len(scenes) != 1:
        raise ConfigError(f"{', '.join(given)}: for one scene only; here are {len(scenes)}. Write scene files instead")
    loaded = [load_scene(s, up=up, front=front, labels=label, texture=texture) for s in scenes] or None
    _warm_up({backend or scene.config.render.backend for scene in loaded or []} or {backend or "cpu"})
    folder = out if out is not None else api.new_folder(loaded)
    sys.stderr.write(f"run folder: {folder}\n")
    with _progress() as progress:
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
        _print_json(rates.to_dict(orient="records"))
    else:
        _print_rich(rates_table(rates))
    _say_not_drawn({scene.name: scene.not_drawn for scene in run.info.scenes})
    sys.stderr.write(f"report: {report_path}\n")
    return 0


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
    loaded = load_scene(scene, up=up, front=front, texture=texture)
    texts, columns = api.grid_poses(grid, pose) if grid else ([pose], 1)
    _warm_up({backend or loaded.config.render.backend})
    images = api.render_poses(
        loaded,
        texts,
        image_size=_parse_size(size),
        threads=threads,
        backend=backend,
        samples=samples,
        shading=shading,
    )
    _say_not_drawn({loaded.name: loaded.mesh.not_drawn})
    output.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(api.contact_sheet(images, columns)).save(output)
    sys.stdout.write(f"{output}\n")
    return 0


def report(run: Annotated[Positional[Path], arg(metavar="RUN")], /, out: Path | None = None) -> int:
    """Make the HTML report of a run folder again, from the folder alone.

    Args:
        run: The run folder.
        out: Where to write; default: report.html in the run folder.
    """
    from posetest import api

    sys.stdout.write(f"{api.open_run(run).report(out)}\n")
    return 0


def doctor() -> int:
    """Show versions, whether torch and torchvision match, back ends, and how to get what is missing."""
    from posetest.doctor import examine

    checks = examine()
    width = max(len(check.name) for check in checks)
    for check in checks:
        sys.stdout.write(f"{check.state:<8}{check.name:<{width}}  {check.text}\n")
    return 1 if any(check.state == "broken" for check in checks) else 0


def _say_not_drawn(found: Mapping[str, Sequence[str]]) -> None:
    """A line on stderr for each object whose mesh asks for what is not drawn."""
    from posetest.report.words import not_drawn

    for name, asked in found.items():
        if asked:
            sys.stderr.write(f"note: {not_drawn(name, asked)}\n")


def _parse_size(text: str) -> tuple[int, int]:
    """Height and width of "224" or "640x480" (width x height)."""
    pieces = text.lower().split("x")
    if len(pieces) > 2 or not all(piece.isdecimal() for piece in pieces):
        raise ConfigError(f'--size {text}: "224" or "640x480" (width x height) is wanted')
    return int(pieces[-1]), int(pieces[0])


def _warm_up(backends: Collection[str]) -> None:
    """Compile the cpu back end's kernels if it is used, or read them from the cache; say so if that takes a while."""
    if "cpu" not in backends:
        return
    from posetest.render.cpu.renderer import warm_up

    notice = threading.Timer(
        1.5, sys.stderr.write, ["compiling the renderer's kernels (about half a minute, once)...\n"]
    )
    notice.start()
    try:
        warm_up()
    finally:
        notice.cancel()


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with poses a second and the time left; nothing where stderr is no terminal but a last line."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=False,
    )
    with bar:
        task = bar.add_task("poses", total=None, speed="")

        def show(done: int, total: int) -> None:
            speed = bar.tasks[0].speed
            bar.update(task, completed=done, total=total, speed=f"{speed:,.0f} poses/s" if speed else "")

        yield show


def _print_rich(renderable: object) -> None:
    from rich.console import Console

    Console().print(renderable)


def _print_json(value: object) -> None:
    sys.stdout.write(json.dumps(_without_nan(value), indent=2) + "\n")


def _without_nan(value: object) -> object:
    """``value`` with null where JSON has no number, and plain numbers for numpy's."""
    if isinstance(value, dict):
        return {str(key): _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and value != value else value
