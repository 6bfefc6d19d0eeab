"""Statements of the ways that every event takes: SQLAlchemy writes each once, asyncpg runs it by itself.

What SQLAlchemy does around a run takes five times as long as the run
(docs/decisions/0033-straight-to-asyncpg.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import Connection, Executable
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError
from sqlalchemy.util import await_only

from hub.store.engine import READ_SCHEMA


class Fetched(asyncpg.Record):  # type: ignore[misc]
    """A row with its columns as attributes, as SQLAlchemy's rows have them."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Prepared:
    """A statement that has one text, whatever its values. Write rows and arrays in it, never lists."""

    def __init__(self, statement: Executable) -> None:
        self._statement = statement
        self._texts: dict[str, tuple[str, list[str], Mapping[str, Any]]] = {}

    def rows(self, conn: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it in the transaction of the connection; rows, or those that it returns of what it wrote.

        values: by name of the parameter. Raises what SQLAlchemy would: DataError, IntegrityError, DBAPIError.
        """
        if conn.dialect.name != "postgresql":
            found = conn.execute(self._statement, values)
            return found.all() if found.returns_rows else ()
        text, names, given = self._text(conn)
        arguments = [values[name] if name in values else given[name] for name in names]
        connection: Any = conn.connection.driver_connection
        try:
            return await_only(connection.fetch(text, *arguments, record_class=Fetched))
        except asyncpg.PostgresError as error:
            raise _kind(error)(text, None, error) from error
        except (ValueError, OverflowError) as error:
            # A value that asyncpg cannot even send. What it cannot reach is told by other classes.
            raise DataError(text, None, error) from error

    def _text(self, conn: Connection) -> tuple[str, list[str], Mapping[str, Any]]:
        """Text, names of its parameters in order, and values that stand in the statement itself."""
        schemas = conn.get_execution_options().get("schema_translate_map") or {}
        schema = str(schemas.get(READ_SCHEMA, READ_SCHEMA))
        found = self._texts.get(schema)
        if found is None:
            written: Any = self._statement.compile(  # type: ignore[attr-defined]
                dialect=conn.dialect, schema_translate_map=dict(schemas), render_schema_translate=True
            )
            found = self._texts[schema] = (str(written), list(written.positiontup or ()), written.params)
        return found


def _kind(error: asyncpg.PostgresError) -> type[DBAPIError]:
    state = error.sqlstate or ""
    return {"22": DataError, "23": IntegrityError}.get(state[:2], DBAPIError)
