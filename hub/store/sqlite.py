"""The embedded store: two SQLite files of one data folder, used by one process at a time.

Truth and read model are a file each, so that a commit of the projector never waits for a commit of the
intake: SQLite locks by file.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, delete, event, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from hub.store.bulk import write_rows
from hub.store.engine import (
    READ_SCHEMA,
    Glance,
    Leadership,
    Signals,
    Store,
    StoreUnavailable,
    is_passing,
)
from hub.store.tables import read

BUSY_TIMEOUT_MS = 10_000
SCRUB_TIMEOUT_MS = 500
"""The one writer waits as long for readers when the log is to be emptied; then it is tried again later."""
READERS = 4
TRUTH_FILE = "hub.db"
READ_FILE = "read.db"
BESIDE_FILE = "read-rebuilt.db"
COPIED_ROWS = 1_000
READ_BEGIN = "BEGIN"
WRITE_BEGIN = "BEGIN IMMEDIATE"

T = TypeVar("T")


class SqliteStore:
    """The store on the files of one data folder, which is made when missing (mode 0700)."""

    def __init__(self, data_dir: Path, *, read_file: str = READ_FILE) -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._read_file = data_dir, data_dir / read_file
        truth, model = data_dir / TRUTH_FILE, self._read_file
        self._intake = _Role(truth, attach=None, begin=WRITE_BEGIN, synchronous="FULL", threads=1)
        # A power cut may take the read model back a few commits, rows and position together: it is replayed.
        self._project = _Role(None, attach=model, begin=WRITE_BEGIN, synchronous="NORMAL", threads=1)
        self._read = _Role(truth, attach=model, begin=READ_BEGIN, synchronous="FULL", threads=READERS)
        self._glances = _Glances(truth)
        self.signals: Signals = _NoSignals()

    async def intake(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the truth."""
        return await self._intake.run(work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the truth: SQLite has one writer in any case."""
        return await self._intake.run(work)

    async def project(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the read model."""
        return await self._project.run(work)

    async def own(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the read model."""
        return await self._project.run(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """One snapshot of each file; the truth is not older than the read model."""
        return await self._read.run(work)

    async def inspect(self, work: Callable[[Connection], T]) -> T:
        """As `read`: one process reads it all."""
        return await self._read.run(work)

    async def look(self, work: Callable[[Connection], T]) -> T:
        """The same: a snapshot costs nothing here."""
        return await self._read.run(work)

    async def glance(self, question: Glance, *values: Sequence[str]) -> Sequence[Sequence[Any]]:
        """Rows of the truth as it stands."""
        return await self._glances.ask(question.sqlite, [json.dumps(value) for value in values])

    def beside(self) -> SqliteStore:
        """A read model in a file of its own; what an earlier rebuild left there is removed."""
        self._remove_beside()
        return SqliteStore(self._folder, read_file=BESIDE_FILE)

    async def swap(self, beside: Store, is_wanted: Callable[[Connection], bool]) -> bool:
        """Copy the rows over in one transaction: a file cannot be replaced under a running server."""
        assert isinstance(beside, SqliteStore)
        other = _sqlite(None, beside._read_file, READ_BEGIN, "NORMAL", 1)

        def copy(live: Connection) -> bool:
            if not is_wanted(live):
                return False
            with other.begin() as rebuilt:
                for table in read.sorted_tables:
                    live.execute(delete(table))
                    rows = rebuilt.execution_options(yield_per=COPIED_ROWS).execute(select(table))
                    for part in rows.mappings().partitions():
                        write_rows(live, table, [dict(row) for row in part])
            return True

        try:
            return await self._project.run(copy)
        finally:
            other.dispose()

    @contextlib.asynccontextmanager
    async def leading(self, name: str) -> AsyncIterator[Leadership]:
        """The one process leads in everything."""
        yield Leadership()

    async def scrub(self) -> None:
        """Write the log of the truth back and empty it: its older pages hold what later ones do not.

        Pages of the file itself are clean: secure_delete overwrites what is deleted.
        """
        await self._intake.checkpoint()

    async def sizes(self) -> Mapping[str, int]:
        """Connections in use by role."""
        return {"intake": 1, "project": 1, "read": READERS}

    async def close(self) -> None:
        """Wait for running work, then return every connection."""
        for role in (self._intake, self._project, self._read, self._glances):
            role.close()
        if self._read_file.name == BESIDE_FILE:
            self._remove_beside()

    def _remove_beside(self) -> None:
        for file in self._folder.glob(f"{BESIDE_FILE}*"):
            file.unlink()


class _NoSignals:
    """There is no other process to tell anything."""

    def send(self, name: str, content: str = "") -> None:
        """Nobody listens."""

    async def listen(self) -> AsyncIterator[tuple[str, str]]:
        """Nobody tells."""
        await asyncio.Event().wait()
        yield "", ""

    async def close(self) -> None:
        """There is nothing to close."""


class _Role:
    """Worker threads and connections of one role."""

    def __init__(
        self, main: Path | None, *, attach: Path | None, begin: str, synchronous: str, threads: int
    ) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="store")
        self._engine = _sqlite(main, attach, begin, synchronous, threads)

    async def run(self, work: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._engine.begin() as conn:
                return work(conn)

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)
        except DBAPIError as error:
            if is_passing(error):
                raise StoreUnavailable(str(error.orig)) from error
            raise

    async def checkpoint(self) -> None:
        """Write the whole log back and empty it; StoreUnavailable while a reader stands in the way."""

        def truncate() -> bool:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(f"PRAGMA busy_timeout={SCRUB_TIMEOUT_MS}")
                cursor.execute("PRAGMA main.wal_checkpoint(TRUNCATE)")
                (busy, *_), *_ = cursor.fetchall()
                cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
                return bool(busy)
            finally:
                connection.close()

        if await asyncio.get_running_loop().run_in_executor(self._threads, truncate):
            raise StoreUnavailable("a reader holds on to older pages")

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self._engine.dispose()


class _Glances:
    """A thread and a bare connection that reads what is committed."""

    def __init__(self, truth: Path) -> None:
        self._truth, self._threads = truth, ThreadPoolExecutor(1, thread_name_prefix="glance")
        self._connection: sqlite3.Connection | None = None

    async def ask(self, statement: str, values: Sequence[str]) -> Sequence[Sequence[Any]]:
        def rows() -> Sequence[Sequence[Any]]:
            if self._connection is None:
                self._connection = sqlite3.connect(
                    self._truth,
                    timeout=BUSY_TIMEOUT_MS / 1_000,
                    isolation_level=None,
                    check_same_thread=False,
                )
                self._connection.execute("PRAGMA query_only=ON")
            return self._connection.execute(statement, values).fetchall()

        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, rows)
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(str(error)) from error

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        if self._connection is not None:
            self._connection.close()


def _sqlite(main: Path | None, attach: Path | None, begin: str, synchronous: str, connections: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{main}" if main else "sqlite://",
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        connect_args={"check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        raw: Any = connection
        raw.isolation_level = None  # Transactions begin where we say, not before the first INSERT.
        cursor = raw.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        if attach:
            cursor.execute(f"ATTACH DATABASE ? AS {READ_SCHEMA}", (str(attach),))
        for schema in (["main"] if main else []) + ([READ_SCHEMA] if attach else []):
            cursor.execute(f"PRAGMA {schema}.journal_mode=WAL")
            cursor.execute(f"PRAGMA {schema}.synchronous={synchronous}")
        if main:
            cursor.execute("PRAGMA main.secure_delete=ON")  # An erased key must not lie about in free space.
        if begin == READ_BEGIN:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
        if begin == READ_BEGIN:
            # SQLite takes the snapshot of a file at its first read: the model first, so that it shows no
            # event that the truth does not have yet.
            for schema in ([READ_SCHEMA] if attach else []) + (["main"] if main else []):
                connection.exec_driver_sql(f"PRAGMA {schema}.user_version")

    return engine
