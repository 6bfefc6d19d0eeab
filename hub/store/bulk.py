"""Many rows in one statement, of many tables on PostgreSQL: arrays there, a statement's runs on SQLite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, Column, Connection, Delete, Table, Text, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import Insert, insert

from hub.store.lookup import arrays, in_arrays, in_list
from hub.store.parts import parts
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
    """Insert rows into several tables: one statement on PostgreSQL."""
    filled: dict[Shape, list[Mapping[str, Any]]] = {}
    for one in tables:
        if one.rows:
            filled.setdefault(_shape(one), []).extend(one.rows)
    if conn.dialect.name != "postgresql":
        for shape, rows in filled.items():
            conn.execute(_each(*shape), rows)
    elif filled:
        _unnest(tuple(filled)).rows(
            conn,
            {
                _parameter(at, name): [row[name] for row in rows]
                for at, ((_, names, _), rows) in enumerate(filled.items())
                for name in names
            },
        )


class Keys(NamedTuple):
    """Rows whose column, or columns together, are among some values; tuples of them for several columns."""

    columns: tuple[Column[Any], ...]
    values: Sequence[Any]


class Changes(NamedTuple):
    """Rows to be removed, and then rows to be written."""

    gone: Sequence[Keys]
    rows: Sequence[Rows]


def remove(conn: Connection, *keys: Keys) -> None:
    """Delete rows of several tables: one statement on PostgreSQL."""
    found: dict[tuple[Column[Any], ...], list[Any]] = {}
    for one in keys:
        if one.values:
            found.setdefault(one.columns, []).extend(one.values)
    if conn.dialect.name != "postgresql":
        for columns, values in found.items():
            for part in parts(values):
                conn.execute(delete(columns[0].table).where(in_list(columns)), {"wanted": part})
    elif found:
        given: dict[str, list[Any]] = {}
        for at, (columns, values) in enumerate(found.items()):
            given |= arrays(f"gone_{at}", columns, values)
        _deletes(tuple(found)).rows(conn, given)


@lru_cache(maxsize=256)
def _deletes(columns: tuple[tuple[Column[Any], ...], ...]) -> Prepared:
    return _as_one(
        [delete(one[0].table).where(in_arrays(f"gone_{at}", one)) for at, one in enumerate(columns)]
    )


def _shape(one: Rows) -> Shape:
    return one.table, tuple(one.rows[0]), None if one.update is None else tuple(one.update)


# Built once for each table: building a statement costs as much as running it.
@lru_cache(maxsize=256)
def _each(table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    return _on_conflict(insert(table).values({name: bindparam(name) for name in names}), table, update)


@lru_cache(maxsize=256)
def _unnest(shapes: tuple[Shape, ...]) -> Prepared:
    return _as_one([_insert(at, *shape) for at, shape in enumerate(shapes)])


def _as_one(statements: Sequence[Insert | Delete]) -> Prepared:
    """All of them, in whatever order, in one: none sees what another does."""
    last, *others = statements
    return Prepared(last.add_cte(*(one.cte(f"also_{at}") for at, one in enumerate(others))))


def _insert(at: int, table: Table, names: tuple[str, ...], update: tuple[str, ...] | None) -> Insert:
    given = [
        func.unnest(bindparam(_parameter(at, name), type_=ARRAY(_plain(table, name)))).label(name)
        for name in names
    ]
    return _on_conflict(insert(table).from_select(list(names), select(*given)), table, update)


def _parameter(at: int, name: str) -> str:
    return f"{name}_{at}"


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
