"""The templates of the reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def environment() -> Any:
    """Templates that escape every value: names of scenes, labels and files may hold markup."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
