"""Rows by many keys at once, with one statement whatever their number; several lookups in one, too."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ARRAY, Column, Connection, Select, Text, bindparam, func, select, tuple_
from sqlalchemy.sql import ColumnElement

from hub.store.parts import parts
from hub.store.prepared import Prepared


class Lookup:
    """A query for rows whose column, or columns together, are among some values; without columns, for all.

    PostgreSQL gets arrays: the text of a statement with a parameter for each value would be another one for
    each number of values, to be built here and planned there every time. One value gets a statement of its
    own, by equality: that is planned once, while an array is planned again each time, as the planner takes
    one that it does not know for ten values. Under policies a plan takes longer than the run.
    """

    def __init__(self, query: Select[Any], *columns: Column[Any]) -> None:
        self._query, self._columns = query, columns
        self._by_arrays = Prepared(self.by_arrays("wanted"))
        self._by_one = Prepared(query.where(*equal("wanted", columns)))
        self._by_list = query.where(in_list(columns)) if columns else query

    def rows(self, conn: Connection, wanted: Iterable[Any], **given: Any) -> Iterator[Any]:
        """Rows in no particular order. wanted: values, tuples of them for several columns.

        given: values of parameters that the query has itself.
        """
        if conn.dialect.name != "postgresql":
            for part in parts(wanted) if self._columns else [()]:
                yield from conn.execute(self._by_list, given | ({"wanted": part} if self._columns else {}))
            return
        values = list(wanted)
        if len(values) == 1:
            one = values if len(self._columns) == 1 else values[0]
            named = {f"wanted_{at}": value for at, value in enumerate(one)}
            yield from self._by_one.rows(conn, given | named)
        elif values or not self._columns:
            yield from self._by_arrays.rows(conn, given | self.arrays("wanted", values))

    def by_arrays(self, name: str) -> Select[Any]:
        """The query with an array for each column, named like that and numbered."""
        return self._query.where(in_arrays(name, self._columns)) if self._columns else self._query

    def arrays(self, name: str, values: Sequence[Any]) -> dict[str, list[Any]]:
        """Values of these arrays."""
        return arrays(name, self._columns, values)


class Lookups:
    """Several lookups, asked in one statement on PostgreSQL: most of what a small one costs is the way."""

    def __init__(self, *lookups: Lookup) -> None:
        self._lookups = lookups
        queries = [one.by_arrays(f"wanted_{at}") for at, one in enumerate(lookups)]
        self._rows: list[Any] = [
            namedtuple("Row", [column.key for column in one.selected_columns])  # type: ignore[misc]
            for one in queries
        ]
        together = [
            func.array(one.with_only_columns(func.row(*one.selected_columns)).scalar_subquery())
            for one in queries
        ]
        self._together = Prepared(select(*(one.label(f"rows_{at}") for at, one in enumerate(together))))

    def rows(self, conn: Connection, *wanted: Iterable[Any]) -> list[Iterable[Any]]:
        """Rows of each lookup, in no particular order. wanted: for each what `Lookup.rows` takes."""
        asked = zip(self._lookups, wanted, strict=True)
        if conn.dialect.name != "postgresql":
            return [lookup.rows(conn, values) for lookup, values in asked]
        given: dict[str, list[Any]] = {}
        for at, (lookup, values) in enumerate(asked):
            given |= lookup.arrays(f"wanted_{at}", list(values))
        found = self._together.rows(conn, given)[0]
        return [map(row._make, rows) for row, rows in zip(self._rows, found, strict=True)]


def in_list(columns: Sequence[Column[Any]]) -> ColumnElement[bool]:
    """Whether the columns together are among `wanted`: as many parameters as there are values."""
    column = columns[0] if len(columns) == 1 else tuple_(*columns)
    return column.in_(bindparam("wanted", expanding=True))


def equal(name: str, columns: Sequence[Column[Any]]) -> list[ColumnElement[bool]]:
    """That each column is the parameter named like that and numbered."""
    return [one == bindparam(f"{name}_{at}", type_=one.type) for at, one in enumerate(columns)]


def in_arrays(name: str, columns: Sequence[Column[Any]]) -> ColumnElement[bool]:
    """The same by an array for each column, named like that and numbered; `arrays` gives their values."""
    given = [
        bindparam(f"{name}_{at}", type_=ARRAY(Text() if isinstance(one.type, Text) else one.type))
        for at, one in enumerate(columns)
    ]
    if len(columns) == 1:
        return columns[0] == func.any(given[0])
    return tuple_(*columns).in_(select(*(func.unnest(array) for array in given)))


def arrays(name: str, columns: Sequence[Column[Any]], values: Sequence[Any]) -> dict[str, list[Any]]:
    """Values of `in_arrays`; tuples of them for several columns."""
    width = len(columns)
    each = [values] if width == 1 else zip(*values, strict=True) if values else [()] * width
    return {f"{name}_{at}": list(one) for at, one in enumerate(each)}
