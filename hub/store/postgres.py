"""The production store: one PostgreSQL database, used by as many processes as one likes.

Each role of the port has connections of its own, under a database role that may do no more than that
(hub/store/roles.py). Functions of this package run in a greenlet, where asyncpg can be waited for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_only

from hub.store.engine import (
    BESIDE_SCHEMA,
    READ_SCHEMA,
    Glance,
    Leadership,
    Signals,
    Store,
    StoreUnavailable,
)
from hub.store.glances import Glances
from hub.store.greenlets import begin_with, check_open, run
from hub.store.roles import INSPECTOR, INTAKE, PROJECTOR, READER
from hub.store.signals import CONNECT_S_MAX, PostgresSignals, connected

INTAKE_LOCK = 0x6875_6201
"""Advisory lock of the one writer: the order of its holders is the order of acceptance."""
LEADER_LOCKS = {"sequencer": 0x6875_6202, "rebuild": 0x6875_6204}
READERS = 6
INSPECTORS = 6
"""They look up sessions, people and clients, too: copies that are being made must not shut these out."""
STATEMENT_MS_MAX = 30_000
COMMAND_S_MAX = 35.0
IDLE_IN_TRANSACTION_MS_MAX = 5_000
"""A process that stands still in a transaction loses it, and with it the locks that others wait for."""
LEADER_IDLE_MS_MAX = 10_000
LEADER_PING_S = 2.0
LEADER_RETRY_S = 0.5
REPLACED_SCHEMA = "read_replaced"
SCRUB_LOCK_MS_MAX = 2_000
"""While the table of keys waits to be written anew, everybody else waits for it."""
SCRUB_TRIES, SCRUB_RETRY_S = 40, 0.05

T = TypeVar("T")


class PostgresStore:
    """The store on the database of a URL, `postgresql://user:password@host:port/name`."""

    def __init__(self, url: str, *, read_schema: str = READ_SCHEMA) -> None:
        self._url, self.read_schema = address(url), read_schema
        self._intake = self._engine(INTAKE, connections=1, begin=_BEGIN_ALONE)
        self._write = self._engine(INTAKE, connections=2)
        self._project = self._engine(PROJECTOR, connections=2)
        self._read = self._engine(READER, connections=READERS, begin=_BEGIN_SNAPSHOT)
        self._inspect = self._engine(INSPECTOR, connections=INSPECTORS, begin=_BEGIN_SNAPSHOT)
        self._own = self._engine(None, connections=1)
        self._glances = Glances(self._url)
        self.signals: Signals = PostgresSignals(self._url)

    async def intake(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the truth, after those of all other writers."""
        return await run(self._intake, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the truth."""
        return await run(self._write, work)

    async def project(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the read model."""
        return await run(self._project, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """One snapshot of everything."""
        return await run(self._read, work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """What one statement sees: nothing is begun and ended around it."""
        return await run(self._inspect, work, alone=True)

    async def inspect(self, work: Callable[[Connection], T]) -> T:
        """One snapshot of everything, whoever is a party to it."""
        return await run(self._inspect, work)

    async def own(self, work: Callable[[Connection], T]) -> T:
        """One transaction of the owner of all tables."""
        return await run(self._own, work)

    async def glance(self, question: Glance, *values: Sequence[str]) -> Sequence[Sequence[Any]]:
        """Rows of the truth as it stands."""
        return await self._glances.ask(question.postgres, values)

    def beside(self) -> PostgresStore:
        """A read model in a schema of its own."""
        return PostgresStore(self._url.render_as_string(hide_password=False), read_schema=BESIDE_SCHEMA)

    async def swap(self, beside: Store, is_wanted: Callable[[Connection], bool]) -> bool:
        """Rename the schemas; readers see the one model or the other.

        What a projector was about to write goes down with the old one, position and rows together: it is
        missing in the new one, and found there as anything else that a lane left out.
        """

        def rename(live: Connection) -> bool:
            live.execute(text(f'LOCK TABLE "{READ_SCHEMA}".position IN EXCLUSIVE MODE'))
            if not is_wanted(live):
                return False
            live.execute(text(f'ALTER SCHEMA "{READ_SCHEMA}" RENAME TO "{REPLACED_SCHEMA}"'))
            live.execute(text(f'ALTER SCHEMA "{BESIDE_SCHEMA}" RENAME TO "{READ_SCHEMA}"'))
            return True

        await run(self._own, _drop_replaced)
        swapped = await run(self._own, rename)
        await run(self._own, _drop_replaced)
        return swapped

    @contextlib.asynccontextmanager
    async def leading(self, name: str) -> AsyncIterator[Leadership]:
        """Holds a lock of the session; a leader that stands still is cut off, and another one leads."""
        settings = {"idle_session_timeout": str(LEADER_IDLE_MS_MAX), "application_name": f"hub {name}"}
        async with connected(self._url, settings) as connection:
            # Asked again and again: the leader that has the lock is in another process.
            while not await connection.fetchval(_TRY_LOCK, LEADER_LOCKS[name], timeout=CONNECT_S_MAX):  # noqa: ASYNC110
                await asyncio.sleep(LEADER_RETRY_S)
            leadership = Leadership()
            pinging = asyncio.create_task(_ping(connection, leadership))
            try:
                yield leadership
            finally:
                pinging.cancel()
                await asyncio.wait([pinging])

    async def scrub(self) -> None:
        """Write the table of keys anew: an update leaves the old row in the file, and so does a vacuum.

        What somebody may still see is written, too: StoreUnavailable while there is an older snapshot.
        """
        await run(self._own, _scrub, alone=True)

    async def sizes(self) -> Mapping[str, int]:
        """Connections in use by role."""
        engines = {"intake": self._intake, "write": self._write, "project": self._project}
        engines |= {"read": self._read, "inspect": self._inspect}
        return {name: engine.pool.checkedout() for name, engine in engines.items()}  # type: ignore[attr-defined]

    async def close(self) -> None:
        """Return every connection; a read model beside the live one goes."""
        if self.read_schema == BESIDE_SCHEMA:
            await self.own(
                lambda conn: conn.execute(text(f'DROP SCHEMA IF EXISTS "{BESIDE_SCHEMA}" CASCADE'))
            )
        await self.signals.close()
        await self._glances.close()
        for engine in (self._intake, self._write, self._project, self._read, self._inspect, self._own):
            await engine.dispose()

    def _engine(self, role: str | None, connections: int, begin: str = "BEGIN") -> AsyncEngine:
        settings = {
            "application_name": f"hub {role or 'owner'}",
            "search_path": "public",
            "statement_timeout": str(STATEMENT_MS_MAX if role else 0),
            "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_MS_MAX if role else 0),
            "jit": "off",  # Compiling takes longer than these statements run.
        }
        if role:
            settings["role"] = role
        if role in (READER, INSPECTOR):
            settings["default_transaction_read_only"] = "on"
        if role == READER:
            # Under policies a plan takes longer than the run (docs/decisions/0026-row-level-security.md).
            settings["plan_cache_mode"] = "force_generic_plan"
        if role == PROJECTOR:
            # As on SQLite: a power cut may take the read model back, rows and position together.
            settings["synchronous_commit"] = "off"
        engine = create_async_engine(
            self._url,
            pool_size=connections,
            max_overflow=0,
            pool_timeout=CONNECT_S_MAX,
            isolation_level="AUTOCOMMIT",  # Transactions begin where we say.
            connect_args={
                "timeout": CONNECT_S_MAX,
                # The server ends a statement that takes too long; a server that is gone ends nothing.
                "command_timeout": COMMAND_S_MAX if role else None,
                "server_settings": settings,
            },
        )
        event.listen(engine.sync_engine, "checkout", check_open)
        begin_with(engine.sync_engine, begin)
        if self.read_schema != READ_SCHEMA:
            return engine.execution_options(schema_translate_map={READ_SCHEMA: self.read_schema})
        return engine


def address(url: str) -> URL:
    """Where the database is, for asyncpg; ValueError, which says why, for a URL that cannot be used."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("it is no URL of the form postgresql://user:password@host:5432/name") from None
    if parsed.get_backend_name() not in ("postgresql", "postgres"):
        raise ValueError(f"{parsed.get_backend_name()} is not postgresql")
    query = dict(parsed.query)
    if mode := query.pop("sslmode", None):  # As libpq spells it.
        query["ssl"] = mode
    if unknown := query.keys() - {"host", "port", "ssl"}:
        raise ValueError(f"the parameter {min(unknown)} is not one of host, port, sslmode")
    return parsed.set(drivername="postgresql+asyncpg", query=query)


_TRY_LOCK = "SELECT pg_try_advisory_lock($1)"
# Two statements on one way: what comes after the lock sees what its earlier holders have committed.
_BEGIN_ALONE = f"BEGIN; SELECT pg_advisory_xact_lock({INTAKE_LOCK})"
_BEGIN_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ"
_NOW = "SELECT CAST(pg_current_xact_id() AS text)"
_OLDER_SNAPSHOTS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND age(backend_xmin) >= age(CAST(CAST(CAST($1 AS text) AS xid8) AS xid))"
)


def _scrub(conn: Connection) -> None:
    """What VACUUM leaves out is what nobody sees any more: first every older snapshot must be gone."""
    driver: Any = conn.connection.driver_connection
    now = await_only(driver.fetchval(_NOW))
    for _ in range(SCRUB_TRIES):
        if not await_only(driver.fetchval(_OLDER_SNAPSHOTS, now)):
            break
        await_only(asyncio.sleep(SCRUB_RETRY_S))
    else:
        raise StoreUnavailable("a snapshot from before the erasure is still in use")
    await_only(driver.execute(f"SET lock_timeout = {SCRUB_LOCK_MS_MAX}"))
    try:
        await_only(driver.execute("VACUUM (FULL) subject_key"))
    finally:
        await_only(driver.execute("RESET lock_timeout"))


def _drop_replaced(conn: Connection) -> None:
    conn.execute(text(f'DROP SCHEMA IF EXISTS "{REPLACED_SCHEMA}" CASCADE'))


async def _ping(connection: asyncpg.Connection[Any], leadership: Leadership) -> None:
    """Keep the session from being idle; whatever goes wrong, somebody else may lead by now."""
    try:
        while True:
            await asyncio.sleep(LEADER_PING_S)
            await connection.fetchval("SELECT 1", timeout=LEADER_PING_S)
    finally:
        leadership.lost.set()
