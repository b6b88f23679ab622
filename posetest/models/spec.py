"""Reads the strings that name a model: "torchvision:resnet50?crop=published", "file.py:load?width=0.5", "onnx:a.onnx".

Only the text is looked at here; nothing is imported or opened. What follows the question mark are options: some are
posetest's own (labels, outputs and the preprocessing), the rest belong to the kind of model or to the user's function.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote

from posetest.errors import ModelError, suggest

Kind = Literal["bundled", "torchvision", "timm", "hf", "onnx", "file", "module"]
Value = int | float | bool | str

#: Options of every kind: what the classes are called, what the outputs are, what happens to an image first.
COMMON_OPTIONS = ("labels", "outputs", "size", "mean", "std", "interpolation", "crop")

#: Options of one kind alone. A user's function has those of its own signature instead.
KIND_OPTIONS: dict[Kind, tuple[str, ...]] = {
    "bundled": ("weights",),
    "torchvision": ("weights",),
    "timm": ("pretrained", "checkpoint"),
    "hf": ("revision",),
    "onnx": ("layout", "output", "threads"),
}

FORMS = (
    "bundled, torchvision:NAME, timm:NAME, hf:NAME-OR-FOLDER, onnx:FILE, path/to/file.py:FUNCTION "
    "or package.module:FUNCTION, each with ?option=value&option=value where wanted"
)

_ZOO = re.compile(r"(?P<kind>torchvision|timm|hf|onnx):(?P<target>.+)", re.DOTALL)
_FILE = re.compile(r"(?P<target>.+\.py):(?P<function>\w+)", re.DOTALL)
_MODULE = re.compile(r"(?P<target>[A-Za-z_]\w*(\.[A-Za-z_]\w*)*):(?P<function>\w+)")
_INT = re.compile(r"[+-]?\d+")
_FLOAT = re.compile(r"[+-]?(\d+\.\d*|\.?\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class ModelSpec:
    """A model's spec string, taken apart.

    Attributes:
        text: the string itself.
        kind: where the model comes from.
        target: the network's name, the file or the module.
        function: what to call in a file or module, otherwise "".
        options: what followed the question mark, as text.
    """

    text: str
    kind: Kind
    target: str = ""
    function: str = ""
    options: dict[str, str] = field(default_factory=dict)


def parse_spec(text: str) -> ModelSpec:
    """The parts of a spec string.

    Raises:
        ModelError: it has none of the forms that are known, or an option that its kind does not have.
    """
    head, _, query = text.strip().partition("?")
    options = _parse_query(query, text)
    spec = _parse_head(head, text, options)
    if spec.kind in KIND_OPTIONS:
        check_options(options, (*KIND_OPTIONS[spec.kind], *COMMON_OPTIONS), text)
    return spec


def check_options(options: Iterable[str], known: tuple[str, ...], text: str) -> None:
    """Refuses an option that is not among ``known``, with a suggestion."""
    for key in options:
        if key not in known:
            raise ModelError(f'{text}: unknown option "{key}"{suggest(key, known)} (options here: {", ".join(known)})')


def parse_value(text: str) -> Value:
    """An option's text as int, float, bool or str; quotes around it keep it a string."""
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text


def parse_bool(text: str, key: str, where: str) -> bool:
    """An option that is true or false."""
    value = parse_value(text)
    if not isinstance(value, bool):
        raise ModelError(f'{where}: {key} must be true or false, not "{text}"')
    return value


def parse_choice(text: str, choices: tuple[str, ...], key: str, where: str) -> str:
    """An option that is one of a few words."""
    if text not in choices:
        raise ModelError(f'{where}: {key} must be one of {", ".join(choices)}, not "{text}"{suggest(text, choices)}')
    return text


def _parse_query(query: str, text: str) -> dict[str, str]:
    """Keys and values; "+" stays a plus sign, because values are paths more often than prose."""
    options: dict[str, str] = {}
    for item in filter(None, query.split("&")):
        key, equals, value = item.partition("=")
        if not key or not equals:
            raise ModelError(f'{text}: expected options as key=value joined by "&", not "{item}"')
        if key in options:
            raise ModelError(f'{text}: option "{key}" is given twice')
        options[unquote(key)] = unquote(value)
    return options


def _parse_head(head: str, text: str, options: dict[str, str]) -> ModelSpec:
    if head == "bundled":
        return ModelSpec(text, "bundled", options=options)
    if match := _ZOO.fullmatch(head):
        kind: Kind = match["kind"]  # type: ignore[assignment]  # the pattern admits nothing else
        return ModelSpec(text, kind, match["target"], options=options)
    if match := _FILE.fullmatch(head):
        return ModelSpec(text, "file", match["target"], match["function"], options)
    if match := _MODULE.fullmatch(head):
        return ModelSpec(text, "module", match["target"], match["function"], options)
    raise ModelError(f'cannot read "{text}" as a model{_form_hint(head)}; a model is one of: {FORMS}')


def _form_hint(head: str) -> str:
    """What a string that is no model was probably meant to be."""
    kinds = ("bundled", "torchvision", "timm", "hf", "onnx")
    prefix, colon, rest = head.partition(":")
    if head.endswith(".onnx"):
        return f'; did you mean "onnx:{rest if colon else head}"?'
    if head.endswith(".py"):
        return f'; name the function that returns the model: "{head}:load"'
    if head.endswith((".pt", ".pth", ".safetensors", ".ckpt")):
        return (
            f'; weights alone do not say what network they are for: "torchvision:NAME?weights={head}", '
            "or a Python function that builds the network and loads them"
        )
    if colon and not rest:
        return f'; nothing follows "{prefix}:"'
    if colon:
        return suggest(prefix, kinds)
    close = suggest(head, kinds)
    return close or (f'; did you mean "torchvision:{head}"?' if re.fullmatch(r"\w+", head) else "")
