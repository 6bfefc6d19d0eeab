"""Transactions on asyncpg: plain functions of a connection, in a greenlet, where asyncpg can be waited for.

Source: docs/decisions/0033-straight-to-asyncpg.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.util import await_only, greenlet_spawn

from hub.store.engine import StoreUnavailable, is_passing

T = TypeVar("T")

_FAULTS = (OSError, PoolTimeout, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Of the connection, or of the server."""


async def run(engine: AsyncEngine, work: Callable[[Connection], T], *, alone: bool = False) -> T:
    """Run work in one transaction; alone: its statements need none around them, or bear none.

    One greenlet for all of it: SQLAlchemy's asynchronous connection would make five.
    """
    try:
        return await greenlet_spawn(_statement if alone else _transaction, engine.sync_engine, work)
    except _FAULTS as error:
        raise StoreUnavailable(str(error)) from error
    except DBAPIError as error:
        if is_passing(error):
            raise StoreUnavailable(str(error.orig)) from error
        raise


def _transaction(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.begin() as conn:
        return work(conn)


def _statement(engine: Engine, work: Callable[[Connection], T]) -> T:
    with engine.connect() as conn:
        try:
            return work(conn)
        except asyncio.CancelledError:
            # asyncpg awaits the plan of a statement before it runs it. PostgreSQL has begun something then
            # that nobody ends, and that asyncpg does not take for a transaction.
            with contextlib.suppress(*_FAULTS):
                _execute(conn, "ROLLBACK")
            raise


def _execute(conn: Connection, word: str) -> str:
    return str(await_only(conn.connection.driver_connection.execute(word)))  # type: ignore[union-attr]


def begin_with(engine: Engine, statement: str) -> None:
    """Begin and end transactions by a word each: asyncpg's own objects for it cost more than a query."""

    def commit(conn: Connection) -> None:
        if (became := _execute(conn, "COMMIT")) != "COMMIT":
            # Work that passed over the fault of a statement: nothing of it was kept.
            raise RuntimeError(f"the transaction ended with {became}")

    def rollback(conn: Connection) -> None:
        if not conn.invalidated:  # Else there is no connection any more, and so no transaction.
            _execute(conn, "ROLLBACK")

    event.listen(engine, "begin", lambda conn: _execute(conn, statement))
    event.listen(engine, "commit", commit)
    event.listen(engine, "rollback", rollback)


def check_open(connection: Any, _record: object, _proxy: object) -> None:
    """Another one takes the place of a connection that the server has closed meanwhile; it costs nothing.

    Nor does anybody go on in a transaction that could not even be rolled back.
    """
    driver = connection.driver_connection
    if driver.is_closed() or driver.is_in_transaction():
        raise DisconnectionError
