"""posetest probe."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, UseAppendAction, arg

from posetest.commands.terminal import poses_progress, print_json, print_rich, warm_up_kernels
from posetest.errors import ConfigError
from posetest.run_info import ProbeKind

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Group


def probe(
    run: Annotated[Positional[Path], arg(metavar="RUN")],
    /,
    what: ProbeKind = "sensitivity",
    model: UseAppendAction[tuple[str, ...]] = (),
    poses: int | None = None,
    seed: int = 0,
    out: Path | None = None,
    batch_size: int | None = None,
    threads: int | None = None,
    resume: bool = False,
    as_json: Annotated[bool, arg(name="json")] = False,
) -> int:
    """Evaluate poses of an audit once more, changed, to see why they fail; a run folder of its own.

    Scenes and models are loaded again from the audit's run.toml, and must not have changed since.

    Args:
        run: The audit's run folder.
        what: sensitivity: recognised poses, one parameter changed at a time by a ladder of steps. artefacts: misread
            poses and as many recognised, drawn otherwise (samples, size, half a pixel aside, flat light,
            renderer). tolerance: recognised poses turned at random by at most several angles.
        model: In place of those that run.toml names, as for posetest audit; only these are probed. Repeat for several.
        poses: Of the audit, drawn at random for each scene and model; default: 50 (tolerance:
            40).
        seed: Which of them are drawn.
        out: Run folder of the probe; default: a new one under runs/.
        batch_size: Pictures a model sees at once; default: the audit's.
        threads: For rendering and for torch; default: all cores.
        resume: Go on with the probe in --out.
        as_json: Print the table as JSON.
    """
    from posetest import api

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    parent = api.open_run(run)
    folder = out if out is not None else api.new_folder(parent.info.scenes, what)
    warm_up_kernels({"cpu"})
    sys.stderr.write(f"run folder: {folder}\n")
    with poses_progress() as progress:
        done = api.probe(
            parent,
            what,
            model=list(model) or None,
            poses=poses,
            seed=seed,
            out=folder,
            resume=resume,
            batch_size=batch_size,
            threads=threads,
            progress=progress,
            command=shlex.join(["posetest", *sys.argv[1:]]),
        )
    result = done.result()
    if as_json:
        print_json(result.to_dict(orient="records"))
    else:
        print_rich(_tables(result, what))
    return 0


#: What the terminal shows of each table, and what is said below it.
_SHOWN: dict[ProbeKind, tuple[tuple[str, ...], str]] = {
    "sensitivity": (
        ("parameter", "direction", "n", "fail_rate", "low", "high", "median", "median_low", "median_high"),
        "Share of recognised poses that a change of one parameter makes the model fail, and the change at which half "
        "of them have failed (degrees, object units, half-frames; none: beyond the largest step), with 95 % intervals.",
    ),
    "artefacts": (
        ("group", "change", "n", "persists", "share", "low", "high", "same_label", "n_lost"),
        "Share of misread poses that are misread again, and of recognised ones that are recognised again, when they "
        "are drawn otherwise, with 95 % intervals (Wilson); every: under all changes but the renderer.",
    ),
    "tolerance": (
        ("radius_deg", "n", "rate", "low", "high", "exact_low", "is_held", "tolerant", "tolerant_share"),
        "Share of random turns by at most the radius after which a recognised pose is still recognised, with its 95 % "
        "interval and an exact one-sided bound (held: at least 0.9 up to this radius), and how many poses by "
        "themselves are shown to hold 0.9.",
    ),
}


def _tables(frame: pd.DataFrame, what: ProbeKind) -> Group:
    """A table for each scene and model."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    columns, note = _SHOWN[what]
    parts: list[Table | Text] = []
    for key, rows in frame.groupby(["scene", "model"], sort=False, observed=True):
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
        for name in columns:
            table.add_column(
                name.replace("_", "\n"), justify="right" if name in rows.select_dtypes("number") else "left"
            )
        for row in rows[list(columns)].itertuples(index=False):
            cells = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row]
            # Text, not markup: a scene may be named "[red]"
            table.add_row(*(Text("none" if cell == "nan" else cell) for cell in cells))
        parts += [Text(", ".join(map(str, key))), table, Text("")]
    return Group(*parts, Text(note))
