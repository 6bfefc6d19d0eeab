"""Opening a store where the settings say it is, brought to the shape of this version first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine, event

from hub.store.engine import Store
from hub.store.postgres import PostgresStore
from hub.store.schema import migrate_truth
from hub.store.sqlite import BUSY_TIMEOUT_MS, TRUTH_FILE, SqliteStore

T = TypeVar("T")


def open_store(data_dir: Path, database_url: str = "") -> Store:
    """The store, with its truth migrated. database_url: PostgreSQL; empty for SQLite in the data folder."""
    on_truth(data_dir, database_url, migrate_truth)
    return PostgresStore(database_url) if database_url else SqliteStore(data_dir)


def truth_exists(data_dir: Path, database_url: str = "") -> bool:
    """Whether there is a hub already. StoreUnavailable when the database does not answer."""
    if not database_url:
        return (data_dir / TRUTH_FILE).exists()
    return on_truth(data_dir, database_url, _has_inbox)


def on_truth(data_dir: Path, database_url: str, work: Callable[[Connection], T]) -> T:
    """Run work as the owner, before there is a store; it blocks, and may be called inside an event loop."""
    if not database_url:
        return _on_sqlite(data_dir / TRUTH_FILE, work)

    async def on_postgres() -> T:
        store = PostgresStore(database_url)
        try:
            return await store.own(work)
        finally:
            await store.close()

    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, on_postgres()).result()


def _on_sqlite(database: Path, work: Callable[[Connection], T]) -> T:
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_engine(
        f"sqlite:///{database}", connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1_000}
    )
    # DDL and data of a migration stand or fall together; two processes migrate one after the other.
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as conn:
            return work(conn)
    finally:
        engine.dispose()


def _has_inbox(conn: Connection) -> bool:
    return conn.dialect.has_table(conn, "inbox")
