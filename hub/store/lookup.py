"""Rows by many keys at once, with one statement whatever their number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, Connection, Row, Select, Text, bindparam, func, select, tuple_
from sqlalchemy.sql import ColumnElement

from hub.store.parts import parts


class Lookup:
    """A query for rows whose column, or columns together, are among some values.

    PostgreSQL gets arrays: the text of a statement with a parameter for each value would be another one for
    each number of values, to be built here and planned there every time.
    """

    def __init__(self, query: Select[Any], *columns: Column[Any]) -> None:
        self._columns = columns
        self._by_arrays = query.where(_in_arrays(columns))
        column = columns[0] if len(columns) == 1 else tuple_(*columns)
        self._by_list = query.where(column.in_(bindparam("wanted", expanding=True)))

    def rows(self, conn: Connection, wanted: Iterable[Any]) -> Iterator[Row[Any]]:
        """Rows in no particular order. wanted: values, tuples of them for several columns."""
        if conn.dialect.name != "postgresql":
            for part in parts(wanted):
                yield from conn.execute(self._by_list, {"wanted": part})
            return
        values = list(wanted)
        if values:
            lists: Sequence[Any] = [values] if len(self._columns) == 1 else list(zip(*values, strict=True))
            yield from conn.execute(
                self._by_arrays, {f"wanted_{at}": list(one) for at, one in enumerate(lists)}
            )


def _in_arrays(columns: Sequence[Column[Any]]) -> ColumnElement[bool]:
    arrays = [
        bindparam(f"wanted_{at}", type_=ARRAY(Text() if isinstance(one.type, Text) else one.type))
        for at, one in enumerate(columns)
    ]
    if len(columns) == 1:
        return columns[0] == func.any(arrays[0])
    return tuple_(*columns).in_(select(*(func.unnest(array) for array in arrays)))
