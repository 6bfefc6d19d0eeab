"""Bringing a database to the shape of this version.

The truth is migrated step by step (Alembic). The read model is not: when its tables or the folds change it
is dropped, and folded again from the inbox.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.schema import CreateTable

from hub.store.engine import BUSY_TIMEOUT_MS, Store
from hub.store.ledger import newest_head
from hub.store.tables import model, read

READ_MODEL_VERSION = 1
"""Count up when a fold or an index function gives other rows for the same events."""


def migrate_truth(database: Path) -> None:
    """Bring the truth in a SQLite file to the newest revision; the file and its folder are made."""
    database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = _engine(database)
    try:
        with engine.begin() as conn:
            command.upgrade(alembic_config(conn), "head")
    finally:
        engine.dispose()


def alembic_config(conn: Connection | None = None) -> Config:
    """Alembic on our migrations; with a connection, everything happens in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    return config


def _engine(database: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{database}", connect_args={"isolation_level": None, "timeout": BUSY_TIMEOUT_MS / 1_000}
    )
    # DDL and data of a migration stand or fall together; two processes migrate one after the other.
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def ledger_name(database: Path) -> str | None:
    """The name that the newest checkpoint bears; None while there is none."""
    engine = _engine(database)
    try:
        with engine.begin() as conn:
            head = newest_head(conn)
    finally:
        engine.dispose()
    return head.note.partition("\n")[0] if head else None


async def prepare_read_model(store: Store, *, anew: bool = False) -> bool:
    """Make the read model's tables, dropping those of another version; whether it starts from nothing.

    anew: drop them in any case.
    """
    return await store.project(lambda conn: _prepare(conn, anew))


def _prepare(conn: Connection, anew: bool) -> bool:
    known = inspect(conn).get_table_names(schema=read.schema)
    stored = conn.execute(select(model.c.fingerprint)).scalar() if model.name in known else None
    if stored == fingerprint() and not anew:
        return False
    for table in known:
        conn.exec_driver_sql(f'DROP TABLE "{read.schema}"."{table}"')
    read.create_all(conn, checkfirst=False)
    conn.execute(insert(model).values(fingerprint=fingerprint()))
    return True


def fingerprint() -> str:
    """Hex digest of the read model's tables and of the version of what fills them."""
    shape = "".join(str(CreateTable(table)) for table in read.sorted_tables)
    return hashlib.sha256(f"{READ_MODEL_VERSION}{shape}".encode()).hexdigest()
