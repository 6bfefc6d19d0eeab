"""Migrations of the truth on both engines: up, down, up again; they make what the code expects."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from hub.events.spine import open_hub
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.opening import on_truth, open_store
from hub.store.postgres import PostgresStore, address
from hub.store.schema import migrate_truth, newest_revision, prepare_read_model, revision_of
from hub.store.tables import truth


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """An empty database of each engine."""
    return tmp_path, request.getfixturevalue("database_url") if request.param == "postgresql" else ""


def tables(conn: Connection) -> set[str]:
    """Names of all tables of the truth."""
    return set(inspect(conn).get_table_names()) - {"alembic_version"}


def test_every_revision_goes_up_and_down_again(place: tuple[Path, str]) -> None:
    seen = []
    for revision in ("head", "0001", "base", "head"):
        on_truth(*place, lambda conn, revision=revision: migrate_truth(conn, revision))  # type: ignore[misc]
        seen.append((on_truth(*place, revision_of), len(on_truth(*place, tables))))
    newest = newest_revision()
    assert [revision for revision, _ in seen] == [newest, "0001", None, newest]
    assert seen[0] == seen[3]
    assert seen[2][1] == 0
    assert 0 < seen[1][1] < seen[0][1]


def test_the_migrations_make_what_the_tables_say(place: tuple[Path, str]) -> None:
    on_truth(*place, migrate_truth)

    def differences(conn: Connection) -> list[object]:
        options = {"compare_type": conn.dialect.name == "postgresql"}
        context = MigrationContext.configure(conn, opts=options)
        return list(compare_metadata(context, truth))

    assert on_truth(*place, differences) == []


def test_data_outlive_a_migration(place: tuple[Path, str]) -> None:
    on_truth(*place, lambda conn: migrate_truth(conn, "0001"))
    insert = "INSERT INTO leaf (leaf_index, seq) VALUES (0, 1)"
    on_truth(*place, lambda conn: conn.execute(text(insert)))
    on_truth(*place, migrate_truth)
    on_truth(*place, lambda conn: migrate_truth(conn, "0001"))
    found = on_truth(*place, lambda conn: conn.execute(text("SELECT leaf_index, seq FROM leaf")).all())
    assert [tuple(row) for row in found] == [(0, 1)]


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("intake", "UPDATE inbox SET seq = 2"),
        ("intake", "DELETE FROM inbox"),
        ("intake", "UPDATE identity SET seq = 2"),
        ("intake", "DELETE FROM leaf"),
        ("intake", "DROP TABLE inbox"),
        ("intake", "CREATE TABLE mine (id int)"),
        ("intake", "UPDATE alembic_version SET version_num = '0'"),
        ("project", "INSERT INTO leaf (leaf_index, seq) VALUES (0, 1)"),
        ("project", "SELECT * FROM subject_key"),
        ("project", "SELECT * FROM oauth_client_key"),
        ("project", "DROP TABLE read.verdict"),
        ("read", "UPDATE subject_key SET wrapped_key = NULL"),
        ("read", "DELETE FROM read.verdict"),
    ],
)
async def test_each_role_may_do_its_own_work_and_nothing_else(
    tmp_path: Path, database_url: str, role: str, statement: str
) -> None:
    store = open_store(tmp_path, database_url)
    assert isinstance(store, PostgresStore)
    try:
        await prepare_read_model(store)
        with pytest.raises(Exception, match=r"permission denied|must be owner|read-only transaction"):
            await getattr(store, role)(lambda conn: conn.execute(text(statement)))
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ("postgresql://hub:secret@db:5432/hub", {}),
        ("postgres://hub@db/hub", {}),
        ("postgresql+asyncpg://hub@db/hub", {}),
        ("postgresql://hub@db/hub?sslmode=verify-full", {"ssl": "verify-full"}),
        (
            "postgresql://hub@/hub?host=/var/run/postgresql&port=5433",
            {"host": "/var/run/postgresql", "port": "5433"},
        ),
    ],
)
def test_usual_urls_are_understood(url: str, query: dict[str, str]) -> None:
    assert address(url).drivername == "postgresql+asyncpg"
    assert dict(address(url).query) == query


@pytest.mark.parametrize(
    "url", ["mysql://hub@db/hub", "db:5432", "postgresql://hub@db/hub?sslcert=x", "sqlite:///x"]
)
def test_a_url_that_cannot_be_used_says_why(tmp_path: Path, url: str) -> None:
    with pytest.raises(Unfit, match="HUB_DATABASE_URL cannot be used"):
        open_hub(Settings(data_dir=tmp_path, database_url=url))
