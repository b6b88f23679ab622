"""posetest probe."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
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
    over: str | None = None,
    steps: UseAppendAction[tuple[str, ...]] = (),
    radii: str | None = None,
    draws: int | None = None,
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
            renderer). tolerance: recognised poses turned at random by at most several angles. axes: the interval of
            each parameter, boxes: the box of several, in which a recognised pose stays recognised, tested on fresh
            draws. indices: which parameters decide, by Sobol indices.
        model: In place of those that run.toml names, as for posetest audit; only these are probed. Repeat for several.
        poses: Of the audit, drawn at random for each scene and model; default: 50 (tolerance: 40, axes: 15, boxes: 12).
            Of indices the rows of the design; default: 512.
        over: Parameters that are changed, as yaw,pitch: of sensitivity (default: the six of the 2019 study), axes
            (these and all that vary) and boxes (yaw, pitch, roll and distance, as far as they vary).
        steps: Sizes of change of a parameter, as yaw=1,5,10: of sensitivity, axes and boxes. Repeat for several.
        radii: Of tolerance: the largest angles of the turns, degrees, as 2,5,10; default: 2,5,10,15,20,30,45.
        draws: Of tolerance: turns of each pose and radius; default: 30. Of axes and boxes: fresh draws that test one;
            default: 60 and 100.
        seed: Which poses are drawn, and the random changes.
        out: Run folder of the probe; default: a new one under runs/.
        batch_size: Pictures a model sees at once; default: the audit's.
        threads: For rendering and for torch; default: all cores.
        resume: Go on with the probe in --out.
        as_json: Print all tables as JSON, by name; those named pose_... have a row for each pose.
    """
    from posetest import api
    from posetest.api.probe_settings import parse_numbers, parse_steps
    from posetest.api.probing import check_parent

    if resume and out is None:
        raise ConfigError("--resume needs --out: which run folder is to go on?")
    parent = api.open_run(run)
    check_parent(parent)
    folder = out if out is not None else api.new_folder(parent.info.scenes, what)
    warm_up_kernels({"cpu"})
    sys.stderr.write(f"run folder: {folder}\n")
    with poses_progress() as progress:
        done = api.probe(
            parent,
            what,
            model=list(model) or None,
            poses=poses,
            over=over,
            steps=parse_steps(steps) or None,
            radii=None if radii is None else parse_numbers(radii, f'--radii "{radii}"'),
            draws=draws,
            seed=seed,
            out=folder,
            resume=resume,
            batch_size=batch_size,
            threads=threads,
            progress=progress,
            command=shlex.join(["posetest", *sys.argv[1:]]),
        )
    tables = done.tables()
    if as_json:
        print_json({name: table.to_dict(orient="records") for name, table in tables.items()})
    else:
        print_rich(_shown({name: table for name, table in tables.items() if name in _SHOWN}))
    return 0


_HELD = ("n", "held", "held_share", "held_low", "held_high")
#: What the terminal shows of each table, and what is said below it.
_SHOWN: dict[str, tuple[tuple[str, ...], str]] = {
    "flips": (
        ("parameter", "direction", "n", "fail_rate", "low", "high", "median", "median_low", "median_high"),
        "Share of recognised poses that a change of one parameter makes the model fail, and the change at which half "
        "of them have failed (degrees, object units, half-frames; none: beyond the largest step), with 95 % intervals.",
    ),
    "artefacts": (
        ("group", "change", "n", "persists", "share", "low", "high", "same_label", "n_lost"),
        "Share of misread poses that are misread again, and of recognised ones that are recognised again, when they "
        "are drawn otherwise, with 95 % intervals (Wilson); every: under all changes but the renderer.",
    ),
    "balls": (
        ("radius_deg", "n", "rate", "low", "high", "exact_low", "is_held", "tolerant", "tolerant_share"),
        "Share of random turns by at most the radius after which a recognised pose is still recognised, with its 95 % "
        "interval and an exact one-sided bound (held: at least 0.9 up to this radius), and how many poses by "
        "themselves are shown to hold 0.9.",
    ),
    "axes": (
        ("parameter", *_HELD, "down", "down_low", "down_high", "up", "up_low", "up_high", "n_ended"),
        "How far a recognised pose may go down and up along one parameter so that at least 0.9 in between is "
        "recognised, as fresh draws show of each pose (held) at 95 % (exact): medians over all n poses, those without "
        "such an interval at 0, with 95 % intervals (none: too few poses). Ended: by the largest step, or by what the "
        "parameter can be.",
    ),
    "boxes": (
        ("quantity", *_HELD, "median", "low", "high", "largest", "n_lost"),
        "The box around a recognised pose in which at least 0.9 is recognised, as fresh draws show of each pose (held) "
        "at 95 % (exact): its widths, their product and its share of the scene's measure; medians over all n poses, "
        "those without such a box at 0, with 95 % intervals (none: too few poses).",
    ),
    "indices": (
        ("outcome", "parameter", "n", "first", "first_low", "first_high", "total", "total_low", "total_high"),
        "Share of the outcome's variance that a parameter explains alone (first) and with all that it takes part in "
        "(total), with 95 % intervals (none: too few poses that it changes). rotation: yaw, pitch and roll together.",
    ),
    "pairs": (
        ("outcome", "parameter_1", "parameter_2", "n", "interaction", "low", "high"),
        "Share of the outcome's variance that two parameters explain together beyond each alone, with 95 % intervals "
        "(none: too few poses that they change).",
    ),
}


def _shown(tables: Mapping[str, pd.DataFrame]) -> Group:
    """A table for each scene and model, what it says below, and what was drawn how."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    parts: list[Table | Text] = []
    for name, frame in tables.items():
        columns, note = _SHOWN[name]
        for key, rows in frame.groupby(["scene", "model"], sort=False, observed=True):
            table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
            for column in columns:
                is_number = column in rows.select_dtypes("number")
                table.add_column(column.replace("_", "\n"), justify="right" if is_number else "left")
            for row in rows[list(columns)].itertuples(index=False):
                cells = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in row]
                # Text, not markup: a scene may be named "[red]"
                table.add_row(*(Text("none" if cell == "nan" else cell) for cell in cells))
            parts += [Text(", ".join(map(str, key))), table, Text(f"Poses: {rows['measure'].iloc[0]}."), Text("")]
        parts += [Text(note), Text("")]
    return Group(*parts[:-1])
