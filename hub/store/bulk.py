"""Many rows in one statement: arrays that PostgreSQL unnests, and a prepared statement's runs on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Connection, Table, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from hub.store.prepared import Prepared

Shape = tuple[Table, tuple[str, ...], tuple[str, ...] | None]


class Rows(NamedTuple):
    """Rows for a table, which all have the same members.

    update: columns that take the new values where a row of that primary key exists (each key once in
    `rows`); with none of them such a row is left as it is. None: it is an IntegrityError.
    """

    table: Table
    rows: Sequence[Mapping[str, Any]]
    update: Sequence[str] | None = None


def write_rows(
    conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, update: Sequence[str] | None = None
) -> None:
    """Insert rows into one table; `update` as in Rows."""
    write(conn, Rows(table, rows, update))


def write(conn: Connection, *tables: Rows) -> None:
    """Insert rows into several tables, each named once: one statement on PostgreSQL."""
    filled = [one for one in tables if one.rows]
    if conn.dialect.name != "postgresql":
        for one in filled:
            conn.execute(_each(*_shape(one)), list(one.rows))
    elif filled:
        _unnest(tuple(map(_shape, filled))).rows(
            conn,
            {
                _parameter(one.table, name): [row[name] for row in one.rows]
                for one in filled
                for name in one.rows[0]
            },
        )


def _shape(one: Rows) -> Shape:
    return one.table, tuple(one.rows[0]), None if one.update is None else tuple(one.update)


# Built once for each table: building a statement costs as much as running it.
@lru_cache(maxsize=256)
def _each(table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    return _on_conflict(insert(table).values({name: bindparam(name) for name in names}), table, update)


@lru_cache(maxsize=256)
def _unnest(shapes: tuple[Shape, ...]) -> Prepared:
    last, *others = [_insert(*shape) for shape in shapes]
    return Prepared(last.add_cte(*(one.cte(f"also_{at}") for at, one in enumerate(others))))


def _insert(table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    arrays = [
        func.unnest(bindparam(_parameter(table, name), type_=ARRAY(_plain(table, name)))).label(name)
        for name in names
    ]
    return _on_conflict(insert(table).from_select(list(names), select(*arrays)), table, update)


def _parameter(table: Table, name: str) -> str:
    return f"{table.name}.{name}"


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
