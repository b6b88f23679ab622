"""The command line: finds the command, runs it, turns a user's mistake into one plain message.

Kept free of heavy imports, so that ``posetest --help`` answers at once; each command loads what it needs.
"""

from __future__ import annotations

import os
import sys

#: Commands with the line that ``posetest --help`` shows for each.
COMMANDS = {
    "audit": "evaluate poses of scenes with models; rates, map and report",
    "search": "find poses at which a model fails or a unit fires",
    "tune": "tuning curves of a layer's units over pose parameters",
    "probe": "evaluate an audit's poses once more, changed, to see why they fail",
    "render": "draw one pose of a scene, or a grid of poses, as PNG",
    "scenes": "list the bundled scenes, with a sheet of thumbnails",
    "meshes": "list the bundled objects, or build them and their variants again",
    "train-reference": "train a small classifier whose training poses are known",
    "report": "make the report of run folders again",
    "doctor": "show versions, back ends and what is missing",
}

_HELP = """\
usage: posetest [--version] COMMAND [options]

Find the 3D poses at which an image classifier fails.

commands:
{commands}

A scene is a .toml file, a mesh file or the name of a bundled scene.
"posetest COMMAND --help" lists the options of a command.
"""


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 done, 1 a mistake that the message explains, 2 wrong usage, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] in ("-h", "--help"):
        sys.stdout.write(_help())
        return 0 if given else 2
    if given[0] == "--version":
        from posetest._version import __version__

        sys.stdout.write(f"posetest {__version__}\n")
        return 0
    name, rest = given[0], given[1:]
    if name not in COMMANDS:
        from posetest.errors import suggest

        sys.stderr.write(f'posetest: no command "{name}"{suggest(name, COMMANDS)}\n\n{_help()}')
        return 2
    return _run(name, rest)


def _help() -> str:
    width = max(map(len, COMMANDS))
    return _HELP.format(commands="\n".join(f"  {name:<{width}}  {line}" for name, line in COMMANDS.items()))


def _run(name: str, rest: list[str]) -> int:
    from posetest.engine.host import tune_process

    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may lack our signs
    tune_process()  # before anything imports torch
    import tyro

    from posetest import commands
    from posetest.errors import PosetestError

    try:
        with commands.plain_warnings():
            command = commands.plain_help(getattr(commands, name.replace("-", "_")))
            status: int = tyro.cli(command, args=rest, prog=f"posetest {name}", config=(tyro.conf.FlagCreatePairsOff,))
            return status
    except PosetestError as error:
        sys.stderr.write(f"posetest: {error}\n")
        return 1
    except KeyboardInterrupt:
        kept = (
            "; the run folder keeps its finished parts: repeat with --out FOLDER --resume"
            if name in ("audit", "search", "tune", "probe")
            else ""
        )
        sys.stderr.write(f"posetest: interrupted{kept}\n")
        return 130
    except BrokenPipeError:
        # the reader has gone; what Python still holds for it must not raise once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        sys.stderr.write(f"posetest: {error.filename or 'input or output'}: {error.strerror or error}\n")
        return 1
    except MemoryError as error:
        sys.stderr.write(f"posetest: out of memory ({error}): try a smaller --batch-size or --image-size\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
