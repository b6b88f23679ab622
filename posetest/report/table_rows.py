"""Rows of analysis tables as dictionaries."""

from __future__ import annotations

from typing import Any

import pandas as pd


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of ``table``, a dictionary each."""
    return [{str(key): value for key, value in row.items()} for row in table.to_dict(orient="records")]


def matching(table: pd.DataFrame, **named: str) -> list[dict[str, Any]]:
    """The rows of ``table`` with these values; an empty table, without columns, has none."""
    for column, value in named.items():
        table = table[table[column] == value] if len(table) else table
    return records(table)
