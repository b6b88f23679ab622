"""Help of a command as a person would write it: what tyro adds about ``None`` says nothing to a user."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from tyro.conf import arg

_NAMES = {Path: "PATH", str: "TEXT", int: "INT", float: "NUMBER"}


def plain_help(command: Callable[..., int]) -> Callable[..., int]:
    """``command`` for ``tyro.cli``, with help that says "PATH" for an optional path and no "(default: None)".

    What an empty default (None, False, "", ()) means is in the docstring, so that it is not repeated as a value; a
    parameter that names its own metavar keeps it. The lines of an argument's text are joined, to be broken where the
    terminal ends and not where the source does.
    """
    hints = get_type_hints(command, include_extras=True)
    signature = inspect.signature(command)
    for name, parameter in signature.parameters.items():
        is_empty = parameter.kind is parameter.POSITIONAL_ONLY or parameter.default in (None, "", ())
        is_empty = is_empty or parameter.default is False
        shown = arg(metavar=_metavar(hints[name]), help_behavior_hint="" if is_empty else None)
        hints[name] = Annotated[hints[name], shown]

    def called(*args: Any, **kwargs: Any) -> int:
        return command(*args, **kwargs)

    called.__name__, called.__annotations__ = command.__name__, hints
    called.__doc__ = re.sub(r"\n {8,}", " ", inspect.cleandoc(command.__doc__ or ""))
    parameters = [p.replace(annotation=hints[name]) for name, p in signature.parameters.items()]
    called.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return called


def _metavar(hint: Any) -> str | None:
    """What stands for a value of an optional type: "PATH", "{html,md}"; None where tyro's own will do."""
    if get_origin(hint) is Annotated:
        given = [extra.metavar for extra in get_args(hint)[1:] if getattr(extra, "metavar", None)]
        return given[-1] if given else _metavar(get_args(hint)[0])
    if get_origin(hint) is tuple:
        return _metavar(get_args(hint)[0])
    if get_origin(hint) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not type(None)]
        return _metavar(kinds[0]) if len(kinds) == 1 else None
    if get_origin(hint) is Literal:
        return f"{{{','.join(map(str, get_args(hint)))}}}"
    return _NAMES.get(hint)
