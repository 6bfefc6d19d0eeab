"""What goes straight to asyncpg behaves as what goes through SQLAlchemy, and as SQLite does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.util import await_only

from hub.store.bulk import Keys, Rows, remove, write
from hub.store.engine import Store, is_of_data
from hub.store.lookup import Lookup, Lookups
from hub.store.postgres import PostgresStore
from hub.store.tables import leaf, reference, tag

NAMED = Lookup(select(reference), reference.c.kind, reference.c.id)
LEAVES = Lookup(select(leaf), leaf.c.leaf_index)
SIZE = Lookup(select(func.coalesce(func.max(leaf.c.leaf_index) + 1, 0).label("size")))
NETWORKS = [("network", "one"), ("network", "two")]
TOGETHER = Lookups(NAMED, LEAVES, SIZE)


def named(id_: str, target: str = "") -> dict[str, object]:
    """A reference."""
    return {"kind": "network", "id": id_, "owner": "", "target": target, "live": True}


def fill(conn: Connection) -> None:
    """Rows of two tables."""
    write(conn, Rows(reference, [named("one"), named("two")]), Rows(leaf, [{"leaf_index": 0, "seq": 1}]))


async def test_rows_of_many_tables_are_written_and_found_together(store: Store) -> None:
    await store.write(fill)
    wanted = [("network", "two"), ("network", "none")], [0, 7], ()
    networks, leaves, size = await store.inspect(
        lambda conn: [list(one) for one in TOGETHER.rows(conn, *wanted)]
    )
    assert [(one.id, one.live) for one in networks] == [("two", True)]
    assert [(one.leaf_index, one.seq) for one in leaves] == [(0, 1)]
    assert size[0].size == 1


async def test_nothing_wanted_is_nothing_found(store: Store) -> None:
    networks, leaves, size = await store.inspect(
        lambda conn: [list(one) for one in TOGETHER.rows(conn, [], [], ())]
    )
    assert (networks, leaves, size[0].size) == ([], [], 0)


async def test_rows_of_one_table_in_two_parts_are_one_writing(store: Store) -> None:
    parts = Rows(reference, [named("one")], ("target",)), Rows(reference, [named("two")], ("target",))
    await store.write(lambda conn: write(conn, *parts))
    await store.write(lambda conn: write(conn, Rows(reference, [named("one", "new")], ("target",))))
    found = await store.look(lambda conn: {one.id: one.target for one in NAMED.rows(conn, NETWORKS)})
    assert found == {"one": "new", "two": ""}


async def test_rows_are_removed_by_whatever_keys_together(store: Store) -> None:
    tags = [{"item": item, "name": "sector", "value": item.upper()} for item in "abcd"]
    keys = (
        Keys((tag.c.item,), ["a"]),
        Keys((tag.c.name, tag.c.value), [("sector", "B")]),
        Keys((tag.c.item,), ["d"]),
    )
    await store.project(lambda conn: write(conn, Rows(tag, tags)))
    await store.project(lambda conn: remove(conn, *keys, Keys((tag.c.value,), [])))
    assert await store.inspect(lambda conn: conn.execute(select(tag.c.item)).scalars().all()) == ["c"]


async def test_a_row_that_exists_is_an_integrity_error_and_nothing_of_it_is_kept(store: Store) -> None:
    await store.write(fill)
    twice = Rows(leaf, [{"leaf_index": 1, "seq": 2}]), Rows(reference, [named("one")])
    with pytest.raises(IntegrityError) as fault:
        await store.write(lambda conn: write(conn, *twice))
    assert is_of_data(fault.value)
    assert await store.look(lambda conn: [one.size for one in SIZE.rows(conn, ())]) == [1]


@pytest.mark.parametrize("id_", ["\x00", 7])
async def test_a_value_that_postgresql_does_not_take_is_a_fault_of_the_data(
    shared_database_url: str, id_: str
) -> None:
    store = PostgresStore(shared_database_url)
    try:
        with pytest.raises(DataError) as fault:
            await store.write(lambda conn: write(conn, Rows(reference, [named(id_)])))
        assert is_of_data(fault.value)
    finally:
        await store.close()


async def test_work_that_passes_over_a_fault_is_not_taken_for_kept(shared_database_url: str) -> None:
    store = PostgresStore(shared_database_url)

    def heedless(conn: Connection) -> None:
        with pytest.raises(IntegrityError):
            write(conn, Rows(leaf, [{"leaf_index": 5, "seq": 5}] * 2))

    try:
        with pytest.raises(RuntimeError, match="ROLLBACK"):
            await store.write(heedless)
    finally:
        await store.close()


async def test_a_statement_that_was_planned_and_given_up_leaves_no_transaction(
    shared_database_url: str,
) -> None:
    """A task that is cancelled as the plan arrives: asyncpg says nothing of what PostgreSQL has begun."""
    store = PostgresStore(shared_database_url)

    def give_up(conn: Connection) -> None:
        driver: Any = conn.connection.driver_connection
        await_only(driver.prepare("SELECT seq FROM inbox"))
        raise asyncio.CancelledError

    try:
        with pytest.raises(asyncio.CancelledError):
            await store.look(give_up)
        assert await store.inspect(lambda conn: conn.execute(select(1)).scalar_one()) == 1
    finally:
        await store.close()


async def test_work_that_is_taken_back_leaves_nothing(store: Store) -> None:
    def taken_back(conn: Connection) -> None:
        conn.execute(insert(reference).values(named("gone")))
        conn.rollback()

    await store.write(taken_back)
    assert await store.look(lambda conn: list(NAMED.rows(conn, [("network", "gone")]))) == []
