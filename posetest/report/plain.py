"""Values as JSON has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def plain(value: Any) -> Any:
    """``value`` with plain numbers for numpy's, and null where JSON has no number: nan and the infinities."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of ``table`` by column."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def matching(table: pd.DataFrame, **named: str) -> list[dict[str, Any]]:
    """The rows of ``table`` with these values; an empty table, without columns, has none."""
    for column, value in named.items():
        table = table[table[column] == value] if len(table) else table
    return records(table)
