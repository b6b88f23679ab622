"""Models from a user's own Python: a function in a file or an importable module that builds and returns the model."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from posetest.errors import ModelError, suggest
from posetest.models.spec import COMMON_OPTIONS, KIND_OPTIONS, ModelSpec, Value, check_options, parse_value


def call_user_code(spec: ModelSpec) -> tuple[Any, dict[str, str]]:
    """What the function of a file or module spec returns, and the options that were not for it.

    Options go to the function as keyword arguments. Those of posetest (labels, outputs, size and so on) do so only
    where the function's signature names them. A model found under the name is taken as it is.

    Raises:
        ModelError: the file, module or function is missing, cannot be imported, does not take the arguments, or fails.
    """
    folder = _model_file(spec).parent if spec.kind == "file" else Path.cwd()
    with _importable(folder):
        module = _import_file(spec) if spec.kind == "file" else _import_module(spec)
        found = _lookup(module, spec)
        if _is_model(found):
            check_options(spec.options, COMMON_OPTIONS, spec.text)
            return found, spec.options
        kwargs, rest = _split_options(found, spec)
        try:
            return found(**kwargs), rest
        except ModelError:
            raise
        except Exception as error:
            call = f"{spec.function}({', '.join(f'{key}={value!r}' for key, value in kwargs.items())})"
            raise ModelError(f"{spec.text}: {call} failed: {_described(error)}") from error


def _model_file(spec: ModelSpec) -> Path:
    path = Path(spec.target).expanduser()
    if path.is_file():
        return path.resolve()
    siblings = [str(p) for p in path.parent.glob("*.py")] if path.parent.is_dir() else []
    where = "" if path.is_absolute() else f" (relative to {Path.cwd()})"
    raise ModelError(f"{spec.text}: no such file: {path}{where}{suggest(str(path), siblings)}")


def _import_file(spec: ModelSpec) -> ModuleType:
    """The file as a module of its own name, so that two files called alike do not displace each other."""
    path = _model_file(spec)
    name = f"posetest_user_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    loader = importlib.util.spec_from_file_location(name, path)
    if loader is None or loader.loader is None:
        raise ModelError(f"{spec.text}: {path} cannot be imported as Python")
    module = importlib.util.module_from_spec(loader)
    sys.modules[name] = module  # dataclasses and pickle look their module up there
    try:
        loader.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise ModelError(f"{spec.text}: {path} cannot be imported: {_described(error)}") from error
    return module


def _import_module(spec: ModelSpec) -> ModuleType:
    try:
        return importlib.import_module(spec.target)
    except Exception as error:
        is_absent = isinstance(error, ModuleNotFoundError) and spec.target.startswith(error.name or "?")
        meant = suggest(spec.target, KIND_OPTIONS) or "; is it installed in this environment, or in the current folder?"
        hint = meant if is_absent else ""
        raise ModelError(f'{spec.text}: cannot import "{spec.target}": {_described(error)}{hint}') from error


def _lookup(module: ModuleType, spec: ModelSpec) -> Callable[..., Any]:
    found = getattr(module, spec.function, None)
    callables = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
    if found is None:
        own = [name for name in callables if getattr(vars(module)[name], "__module__", None) == module.__name__]
        listed = f" (it defines: {', '.join(own[:8])})" if own else ""
        hint = suggest(spec.function, own or callables)
        raise ModelError(f'{spec.text}: {Path(spec.target).name} has no function "{spec.function}"{hint}{listed}')
    if not callable(found) and not _is_model(found):
        raise ModelError(
            f"{spec.text}: {spec.function} is {type(found).__name__}, not a function{suggest(spec.function, callables)}"
        )
    return found  # type: ignore[no-any-return]  # an attribute of a module is Any


def _split_options(function: Callable[..., Any], spec: ModelSpec) -> tuple[dict[str, Value], dict[str, str]]:
    """Keyword arguments for ``function``, and the options left for posetest."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # some built-in callables have no signature
        kwargs = {key: parse_value(value) for key, value in spec.options.items() if key not in COMMON_OPTIONS}
        return kwargs, {key: value for key, value in spec.options.items() if key in COMMON_OPTIONS}
    named = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY))
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    kwargs, rest = {}, {}
    for key, value in spec.options.items():
        if key in COMMON_OPTIONS and key not in named:
            rest[key] = value
        else:
            kwargs[key] = parse_value(value)
    if not takes_any:
        check_options(kwargs, (*named, *(key for key in COMMON_OPTIONS if key not in named)), spec.text)
    missing = [
        p.name
        for p in parameters
        if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in kwargs
    ]
    if missing:
        example = "&".join(f"{name}=..." for name in missing)
        raise ModelError(
            f"{spec.text}: {spec.function}() needs {', '.join(missing)}: add ?{example}. "
            "The function must build the model and return it; it is not called with images"
        )
    return kwargs, rest


def _is_model(value: object) -> bool:
    """Whether a thing found by name is a model already and not a function that makes one."""
    from torch import nn

    return isinstance(value, nn.Module) or hasattr(value, "log_probabilities")


def _described(error: Exception) -> str:
    """Kind and text of an exception, and the line of the user's code that it came from."""
    if isinstance(error, SyntaxError):
        return f"SyntaxError: {error.msg} ({error.filename}, line {error.lineno})"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in (__file__, importlib.__file__)]
    frames = [f for f in frames if not f.filename.startswith("<frozen")]
    place = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{place}"


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Makes ``folder`` the first place to import from, as Python does for a script.

    Modules imported earlier from another model's folder under a name that this one has too ("utils") are set aside, so
    that each model gets its own. Afterwards the folder is the last place to import from, for imports inside functions.
    """
    own_names = {p.stem for p in folder.glob("*.py")} | {p.parent.name for p in folder.glob("*/__init__.py")}
    aside = {
        name: module for name, module in sys.modules.items() if _is_from_elsewhere(name, module, own_names, folder)
    }
    for name in aside:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
        sys.modules.update(aside)


def _is_from_elsewhere(name: str, module: ModuleType, own_names: set[str], folder: Path) -> bool:
    """Whether a loaded module has a name that ``folder`` provides, but comes from another folder of a user's."""
    if name.partition(".")[0] not in own_names:
        return False
    file = getattr(module, "__file__", None)
    return bool(file) and not Path(str(file)).is_relative_to(folder) and not _is_installed(str(file))


def _is_installed(file: str) -> bool:
    """Whether a file belongs to Python, to an installed package or to this package."""
    parts = Path(file).parts
    own = str(Path(__file__).resolve().parents[1])
    return "site-packages" in parts or file.startswith((sys.base_prefix, sys.prefix, own))
