"""Conditions that are looked up by key, one row of the statement after the other."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, literal_column

_NOTHING_SKIPPED: ColumnElement[int] = literal_column("0")


def there_is(rows: Select[Any]) -> ColumnElement[bool]:
    """Whether there are such rows, for a few rows of the statement around that names them by key.

    PostgreSQL would make a join of it and begin with all rows of a label, as it reckons with few: it knows
    nothing of the one label that has half of all. Behind OFFSET it does not look (decision 26).
    """
    return rows.offset(_NOTHING_SKIPPED).exists()
