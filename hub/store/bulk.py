"""Many rows in one statement: arrays that PostgreSQL unnests, and a prepared statement's runs on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert, insert


def write_rows(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, update: Sequence[str] | None = None
) -> None:
    """Insert rows, which all have the same members.

    update: columns that take the new values where a row of that primary key exists (each key once in
    `rows`); with none of them such a row is left as it is. None: it is an IntegrityError.
    """
    if not rows:
        return
    names, updated = tuple(rows[0]), None if update is None else tuple(update)
    if conn.dialect.name == "postgresql":
        columns = {name: [row[name] for row in rows] for name in names}
        conn.execute(_unnest(table, names, updated), columns)
    else:
        conn.execute(_each(table, names, updated), list(rows))


# Built once for each table: building a statement costs as much as running it.
@lru_cache(maxsize=256)
def _each(table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    return _on_conflict(insert(table).values({name: bindparam(name) for name in names}), table, update)


@lru_cache(maxsize=256)
def _unnest(table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    arrays = [func.unnest(bindparam(name, type_=ARRAY(_plain(table, name)))).label(name) for name in names]
    return _on_conflict(insert(table).from_select(list(names), select(*arrays)), table, update)


def _plain(table: Table, name: str) -> Any:
    """The column's type as an element of an array, which has no collation."""
    type_ = table.c[name].type
    return Text() if isinstance(type_, Text) else type_


def _on_conflict(statement: Insert, table: Table, update: tuple[str, ...] | None) -> Insert:
    if update is None:
        return statement
    key = [column.name for column in table.primary_key.columns]
    if not update:
        return statement.on_conflict_do_nothing(index_elements=key)
    new = {name: statement.excluded[name] for name in update}
    return statement.on_conflict_do_update(index_elements=key, set_=new)
