"""Stores without any event, made quickly: migrations run once a process, not once a test.

What migrations and `open_store` do has tests of its own, in tests/store.
"""

from __future__ import annotations

import asyncio
import functools
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Connection, text

from hub.store.engine import READ_SCHEMA
from hub.store.opening import open_store
from hub.store.postgres import PostgresStore
from hub.store.schema import prepare_read_model
from hub.store.sqlite import READ_FILE, TRUTH_FILE, SqliteStore
from hub.store.tables import model, read, truth

_TABLES = [
    *(one.name for one in truth.sorted_tables),
    *(f"{READ_SCHEMA}.{one.name}" for one in read.sorted_tables if one is not model),
]
_MISSING = text("SELECT count(*) FROM unnest(CAST(:tables AS text[])) AS one WHERE to_regclass(one) IS NULL")
# Asked by the size of their files, which row-level security does not hide; emptying all of them takes longer.
_FILLED = text("SELECT one FROM unnest(CAST(:tables AS text[])) AS one WHERE pg_relation_size(one) > 0")


def on_sqlite(folder: Path) -> SqliteStore:
    """A store in that folder, by copies of files that were migrated before."""
    for name, content in _files().items():
        (folder / name).write_bytes(content)
    return SqliteStore(folder)


async def on_postgres(url: str) -> PostgresStore:
    """The store of a migrated database, emptied of what tests before left there."""
    store = PostgresStore(url)
    # A test may have taken a table away, to see what the hub says then.
    await prepare_read_model(store, anew=not await store.own(_is_whole))
    await store.own(_empty)
    return store


def _is_whole(conn: Connection) -> bool:
    return not conn.execute(_MISSING, {"tables": _TABLES}).scalar_one()


def _empty(conn: Connection) -> None:
    if filled := conn.execute(_FILLED, {"tables": _TABLES}).scalars().all():
        conn.execute(text(f"TRUNCATE {', '.join(filled)} CASCADE"))


@functools.cache
def _files() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        migrate(folder)
        return {file: (folder / file).read_bytes() for file in (TRUTH_FILE, READ_FILE)}


def migrate(data_dir: Path, database_url: str = "") -> None:
    """Make all tables, as a hub does that starts there; nobody is connected to them afterwards."""

    async def make() -> None:
        store = open_store(data_dir, database_url)
        await prepare_read_model(store)
        await store.close()

    with ThreadPoolExecutor(1) as apart:  # Who asks may be in an event loop.
        apart.submit(asyncio.run, make()).result()
