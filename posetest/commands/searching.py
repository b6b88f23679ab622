"""posetest search."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, Positional, UseAppendAction, arg

from posetest.commands.terminal import print_json, print_rich, say_not_drawn, warm_up_kernels
from posetest.config import Backend, GradientKind, Samples, Shading
from posetest.errors import ConfigError

if TYPE_CHECKING:
    from posetest.api import SearchRun
    from posetest.engine.search_loop import Standing


def search(
    scene: Annotated[Positional[str], arg(metavar="SCENE")],
    /,
    model: str = "bundled",
    objective: str | None = None,
    unit: str | None = None,
    until: float | None = None,
    method: str | None = None,
    budget: int | None = None,
    vary: str | None = None,
    random: str | None = None,
    initial: UseAppendAction[tuple[str, ...]] = (),
    robust: int | None = None,
    jitter: str | None = None,
    gradient: GradientKind | None = None,
    stop_at_hit: FlagCreatePairsOff[bool] = False,
    keep: int | None = None,
    animate: Path | None = None,
    seed: int = 0,
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
    """Search a scene's poses for those at which a model fails or a unit fires.

    What is left out has the value of the scene's [search] table, or the default given here.

    Methods: auto (the default: a surrogate and local evolution, whichever pays; for nearest the method nearest),
    surrogate, cma, gradient, nearest, map-elites, cma-me, random, sobol, grid, and as published zrs, fd-g, dr-g,
    cma-report, viewfool, gmvfool. Options follow a question mark, as in "cma?sigma=0.5&population=20".

    Args:
        scene: Scene file (.toml), mesh file or name of a bundled scene.
        model: As for posetest audit; none for an objective that needs no classifier.
        objective: fool (default) | target:LABEL | maximise[:UNIT] | nearest[:LABEL]; joined by + and *, as in
            "fool + 0.1 * target:cab".
        unit: What maximise means: probability:LABEL, logit:LABEL, margin:LABEL, LAYER:CHANNEL[?reduce=max] such as
            layer4.2.conv3:17, score:FILE.py:FUNCTION.
        until: Value above which a maximised unit counts as reached.
        method: See above.
        budget: Classifier calls, a backward pass counted as two; default 2000.
        vary: Parameters that move, comma-separated; default: all that the scene frees (nearest: the rotation).
        random: Parameters drawn anew for every evaluation, comma-separated.
        initial: Pose to begin at, such as yaw=30,pitch=-10; repeat for several. nearest measures from the first.
        robust: Poses that a score is the mean of: the pose and copies turned, shifted and lit a little differently.
        jitter: How far the copies are moved, as in turn_deg=3,distance=0.2,offset=0.03,light_deg=10,light_strength=0.1,
            ambient=0.05 (these are the defaults).
        gradient: analytic (the back end's own) or finite differences of pictures.
        stop_at_hit: End with the first pose that reaches the objective.
        keep: Poses kept as pictures; default 12.
        animate: Write the way to the best pose: a .gif, or a strip of pictures as .png.
        seed: Of all that is drawn.
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
        resume: Go on with the search in --out.
        as_json: Print what was found as JSON instead of a table.
    """
    from posetest import api
    from posetest.report.terminal import search_table
    from posetest.scene.scene import load_scene

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    if animate is not None:
        api.check_animation(animate)
    loaded = load_scene(scene, up=up, front=front, labels=label, texture=texture, under=under)
    warm_up_kernels({backend or loaded.config.render.backend})
    folder = out if out is not None else api.new_folder([loaded], "search")
    sys.stderr.write(f"run folder: {folder}\n")
    with search_progress() as progress:
        run = api.search_poses(
            model,
            loaded,
            objective=objective,
            unit=unit,
            until=until,
            method=method,
            budget=budget,
            vary=_names(vary),
            random=_names(random),
            initial=initial or None,
            robust=robust,
            jitter=_entries(jitter),
            gradient={"kind": gradient} if gradient else None,
            stop_at_hit=stop_at_hit or None,
            keep=keep,
            seed=seed,
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
    if animate is not None:
        drawn = loaded.drawn_with({"backend": backend, "samples": samples, "shading": shading}, where="search")
        sys.stderr.write(f"animation: {api.animate(run, drawn, animate)}\n")
    if as_json:
        print_json(search_summary(run))
    else:
        print_rich(search_table(run))
    say_not_drawn({loaded.name: loaded.mesh.not_drawn})
    sys.stderr.write(f"report: {report_path}\n")
    return 0


def search_summary(run: SearchRun) -> dict[str, object]:
    """What a search came to, for machines."""
    from posetest.analysis.searches import first_hit

    search = run.info.search
    assert search is not None
    columns = ["kind", "pose", "score", "top1_label", "top1_p", "persists", "survives", "file"]
    return {
        "objective": search.objective,
        "method": search.settings.method,
        "ended": search.ended,
        "evaluations": search.evaluations,
        "forward_calls": search.forward,
        "backward_calls": search.backward,
        "renders": search.renders,
        "calls_to_first_hit": first_hit(run),
        "found": run.found()[columns].to_dict(orient="records"),
    }


def _names(text: str | None) -> list[str] | None:
    """Comma-separated names; None where nothing was said."""
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _entries(text: str | None) -> dict[str, float] | None:
    """name=number entries, comma-separated; None where nothing was said."""
    if text is None:
        return None
    found: dict[str, float] = {}
    for entry in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, number = entry.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError as error:
            raise ConfigError(f'--jitter "{text}": "{entry}" is not name=number, as in turn_deg=3') from error
    return found


@contextlib.contextmanager
def search_progress() -> Iterator[Callable[[Standing], None]]:
    """A bar on stderr with the calls spent and the best pose so far."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    bar = Progress(
        TextColumn("calls"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[best]}", markup=False),
        console=Console(stderr=True),
    )
    with bar:
        task = bar.add_task("calls", total=None, best="")

        def show(standing: Standing) -> None:
            best = f"best {standing.best:.4g} {standing.best_label}" if standing.evaluations else ""
            hits = f", {standing.hits} hits" if standing.hits else ""
            bar.update(task, completed=standing.calls, total=standing.budget, best=best + hits)

        yield show
