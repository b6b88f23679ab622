"""The templates of the reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any


def environment() -> Any:
    """Templates that escape every value: names of scenes, labels and files may hold markup."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["in_runs"] = in_runs
    return made


def in_runs(rows: Iterable[Mapping[str, Any]], key: str) -> list[tuple[Any, list[Mapping[str, Any]]]]:
    """``rows`` in their order, those that follow each other with the same ``key`` together: (value, rows)."""
    return [(value, list(alike)) for value, alike in groupby(rows, key=itemgetter(key))]
