"""Typed errors: a user's mistake raises a child of PosetestError that says what was expected, what came and the fix.

The command line prints the text of a PosetestError and nothing else; any other exception is a bug of ours.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class PosetestError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(PosetestError):
    """A scene file, run file or command-line value that cannot be used."""


class MeshError(PosetestError):
    """A mesh file that cannot be drawn. Names the file and the defect."""


class ModelError(PosetestError):
    """A model specification that cannot be loaded, or a model whose output cannot be read as class scores."""


class LabelError(PosetestError):
    """A label that a model does not know, or that means several of its classes."""


class RunError(PosetestError):
    """A run folder that is missing, incomplete or at odds with what is asked of it."""


class MissingDependencyError(PosetestError):
    """An optional package that is not installed; the text names the extra that brings it."""


class BackendError(PosetestError):
    """A renderer's back end that cannot run here: what it misses, why, and what to do."""


class MeshWarning(UserWarning):
    """A mesh that loads although something about it is wrong. Names the file and the defect."""


def suggest(word: str, known: Iterable[str], *, limit: int = 3) -> str:
    """A hint such as ``; did you mean "distance"?``, or an empty string where nothing is close."""
    close = difflib.get_close_matches(word, list(known), n=limit, cutoff=0.6)
    if not close:
        return ""
    return "; did you mean " + " or ".join(f'"{name}"' for name in close) + "?"


def require(package: str, extra: str, purpose: str) -> object:
    """The imported optional ``package``.

    Raises:
        MissingDependencyError: it is not installed; the text names ``extra``.
    """
    import importlib

    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package.partition(".")[0]:
            raise
        raise MissingDependencyError(
            f'{purpose} needs the package "{package}", which is not installed: pip install "posetest[{extra}]"'
        ) from error
