"""Where transactions happen: one port, three roles, each with no more reach than it needs.

The truth (inbox, identities, keys, clients, tree) and the read model live in two schemas. On SQLite each
is a file of its own, so that a commit of the projector never waits for a commit of the intake: SQLite
locks by file. The read model is schema ``read`` everywhere.

Functions of this package are plain and take a Connection; the store decides where they run: SQLite in a
worker thread of the role (one hop a transaction, docs/decisions/0003-plain-store-functions.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

READ_SCHEMA = "read"
BUSY_TIMEOUT_MS = 10_000
READERS = 4
TRUTH_FILE = "hub.db"
READ_BEGIN = "BEGIN"

T = TypeVar("T")


class Store(Protocol):
    """Runs work in one transaction of a role: all of it or, when it raises, nothing.

    intake writes the truth, one writer at a time. project writes the read model alone.
    read writes nothing; what it sees of the read model, the truth it sees holds as well.
    """

    async def intake(self, work: Callable[[Connection], T]) -> T: ...
    async def project(self, work: Callable[[Connection], T]) -> T: ...
    async def read(self, work: Callable[[Connection], T]) -> T: ...
    async def close(self) -> None: ...


class SqliteStore:
    """The embedded store on the files of one data folder, which is made when missing (mode 0700).

    read_file: name of the read model's file; a rebuild names another one beside the live model.
    """

    def __init__(self, data_dir: Path, *, read_file: str = "read.db") -> None:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        truth, read = data_dir / TRUTH_FILE, data_dir / read_file
        self._intake = _Role(truth, attach=None, begin="BEGIN IMMEDIATE", synchronous="FULL", threads=1)
        # A power cut may take the read model back a few commits, rows and offset together: it is replayed.
        self._project = _Role(None, attach=read, begin="BEGIN IMMEDIATE", synchronous="NORMAL", threads=1)
        self._read = _Role(truth, attach=read, begin=READ_BEGIN, synchronous="FULL", threads=READERS)

    async def intake(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the truth."""
        return await self._intake.run(work)

    async def project(self, work: Callable[[Connection], T]) -> T:
        """One transaction on the read model."""
        return await self._project.run(work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """One snapshot of each file; the truth is not older than the read model."""
        return await self._read.run(work)

    async def close(self) -> None:
        """Wait for running work, then return every connection."""
        for role in (self._intake, self._project, self._read):
            role.close()


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

        return await asyncio.get_running_loop().run_in_executor(self._threads, transaction)

    def close(self) -> None:
        self._threads.shutdown(wait=True)
        self._engine.dispose()


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
        if begin == READ_BEGIN:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
        if begin == READ_BEGIN:
            # SQLite takes the snapshot of a file at its first read: the model first, so that it shows no
            # event that the truth does not have yet.
            for schema in (READ_SCHEMA, "main"):
                connection.exec_driver_sql(f"PRAGMA {schema}.user_version")

    return engine
