"""What commands share: progress on stderr, results on stdout, warnings as plain lines."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TextIO

from posetest.errors import ConfigError, MeshWarning
from posetest.report.plain import plain


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


def say_not_drawn(found: Mapping[str, Sequence[str]]) -> None:
    """A line on stderr for each object whose mesh asks for what is not drawn."""
    from posetest.report.words import not_drawn

    for name, asked in found.items():
        if asked:
            sys.stderr.write(f"note: {not_drawn(name, asked)}\n")


def parse_size(text: str) -> tuple[int, int]:
    """Height and width of "224" or "640x480" (width x height)."""
    pieces = text.lower().split("x")
    if len(pieces) > 2 or not all(piece.isdecimal() for piece in pieces):
        raise ConfigError(f'--size {text}: "224" or "640x480" (width x height) is wanted')
    return int(pieces[-1]), int(pieces[0])


def warm_up_kernels(backends: Collection[str]) -> None:
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
def poses_progress() -> Iterator[Callable[[int, int], None]]:
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


def print_rich(renderable: object) -> None:
    """A table or text on stdout, as wide as the terminal."""
    from rich.console import Console

    Console().print(renderable)


def print_json(value: object) -> None:
    """``value`` as JSON on stdout."""
    sys.stdout.write(json.dumps(plain(value), indent=2) + "\n")
