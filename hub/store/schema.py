"""Bringing a database to the shape of this version.

The truth is migrated step by step (Alembic). The read model is not: when its tables or the folds change it
is dropped, and folded again from the inbox.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect, select, text
from sqlalchemy.schema import CreateTable

from hub.store.engine import READ_SCHEMA, Store, StoreUnavailable
from hub.store.prepared import Prepared
from hub.store.roles import grant_read_model, grant_truth, make_roles
from hub.store.row_security import conditions, secure, secure_truth
from hub.store.tables import model, read

READ_MODEL_VERSION = 8
"""Count up when a fold or an index function gives other rows for the same events."""
MIGRATION_LOCK = 0x6875_6203
_FINGERPRINT = Prepared(select(model.c.fingerprint))


def migrate_truth(conn: Connection, revision: str = "head") -> None:
    """Bring the truth to a revision, in the transaction of the connection; one process after the other."""
    postgres = conn.dialect.name == "postgresql"
    if postgres:
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
        if revision == "head" and revision_of(conn) == newest_revision():
            return
        make_roles(conn)
    config = alembic_config(conn)
    if revision == "head" or _is_ahead(config, conn, revision):
        command.upgrade(config, revision)
    else:
        command.downgrade(config, revision)
    if postgres and revision == "head":
        grant_truth(conn)
        secure_truth(conn)


def alembic_config(conn: Connection | None = None) -> Config:
    """Alembic on our migrations; with a connection, everything happens in its transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = conn
    return config


def newest_revision() -> str | None:
    """The revision that this version of the hub needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def revision_of(conn: Connection) -> str | None:
    """The revision of the truth; None when there is nothing yet."""
    if not inspect(conn).has_table("alembic_version"):
        return None
    return conn.execute(text("SELECT version_num FROM alembic_version")).scalar()


async def prepare_read_model(store: Store, *, anew: bool = False) -> bool:
    """Make the read model's tables, dropping those of another version; whether it starts from nothing.

    anew: drop them in any case.
    """
    return await store.own(lambda conn: _prepare(conn, anew))


def _prepare(conn: Connection, anew: bool) -> bool:
    postgres, schema = conn.dialect.name == "postgresql", _read_schema(conn)
    if postgres:
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
    known = inspect(conn).get_table_names(schema=schema)
    stored = conn.execute(select(model.c.fingerprint)).scalar() if model.name in known else None
    if stored == fingerprint() and not anew:
        return False
    if postgres:
        conn.execute(text(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE'))
        conn.execute(text(f'CREATE SCHEMA "{schema}"'))
    for table in () if postgres else known:
        conn.exec_driver_sql(f'DROP TABLE "{schema}"."{table}"')
    read.create_all(conn, checkfirst=False)
    conn.execute(insert(model).values(fingerprint=fingerprint()))
    if postgres:
        grant_read_model(conn, schema)
        secure(conn, schema)
    return True


def _read_schema(conn: Connection) -> str:
    """The schema that stands for ``read`` on this connection."""
    translated = conn.get_execution_options().get("schema_translate_map") or {}
    return str(translated.get(READ_SCHEMA, READ_SCHEMA))


def check_version(conn: Connection) -> None:
    """StoreUnavailable when the read model is that of another version: its rows follow other rules."""
    if [row.fingerprint for row in _FINGERPRINT.rows(conn, {})] != [fingerprint()]:
        raise StoreUnavailable("another version of the hub folds this read model")


@lru_cache(maxsize=1)
def fingerprint() -> str:
    """Hex digest of the read model's tables, of who is shown what, and of the version of what fills them."""
    shape = "".join(str(CreateTable(table)) for table in read.sorted_tables)
    return hashlib.sha256(f"{READ_MODEL_VERSION}{shape}{conditions(READ_SCHEMA)}".encode()).hexdigest()


def _is_ahead(config: Config, conn: Connection, revision: str) -> bool:
    """Whether a revision comes after the one that the database has."""
    script, current = ScriptDirectory.from_config(config), revision_of(conn)
    if current is None:
        return True
    older = {one.revision for one in script.iterate_revisions(current, "base")}
    return revision != "base" and revision not in older
