"""PostgreSQL shows a reader the rows of its own cases and no others, whatever a statement forgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.domain.principal import Principal
from hub.domain.referrals import Referral
from hub.events.rebuild import rebuild
from hub.store.opening import open_store
from hub.store.postgres import PostgresStore, address
from hub.store.records import viewer_of
from hub.store.row_security import PUBLIC_KINDS, conditions, secure
from hub.store.schema import prepare_read_model
from hub.store.tables import (
    delivery,
    entry_party,
    inbox,
    read,
    record,
    referral_party,
    referral_row,
    truth,
    verdict,
)
from tests.graphql.cases.world import (
    NORTH,
    World,
    consented,
    manager,
    partner,
    registered,
    requested,
    uuid,
)

SECURED = (referral_party, entry_party, referral_row, record)
KENT, NORMANDY, FRIESLAND, MOLISE = (partner(one) for one in ("kent", "normandy", "friesland", "molise"))
SHARED, POOLED, OWN = uuid("shared"), uuid("pooled"), uuid("own")


@pytest.fixture
async def world(tmp_path: Path, store_on: PostgresStore) -> AsyncIterator[World]:
    """Kent asks Normandy about a firm and the pool about another; Normandy asks Friesland about a third."""
    hub = World(tmp_path, store_on)
    await hub.open()
    await hub.post(KENT, registered("A"), consented("A", "normandy"), requested("A", SHARED, to="normandy"))
    await hub.post(KENT, registered("B"), consented("B", f"network:{NORTH}"), requested("B", POOLED))
    await hub.post(
        NORMANDY, registered("C"), consented("C", "friesland"), requested("C", OWN, to="friesland")
    )
    await hub.post(MOLISE, registered("D"))
    yield hub
    await hub.close()


@pytest.fixture
async def store_on(shared_database_url: str) -> AsyncIterator[PostgresStore]:
    """An empty PostgreSQL."""
    store = PostgresStore(shared_database_url)
    names = ", ".join(table.name for table in truth.sorted_tables)
    await store.own(lambda conn: conn.execute(text(f"TRUNCATE {names}")))
    await prepare_read_model(store, anew=True)
    yield store
    await store.close()


def everything(conn: Connection) -> dict[str, set[tuple[Any, ...]]]:
    """What statements without any condition find: keys of the rows of each secured table."""
    return {
        table.name: {tuple(row) for row in conn.execute(select(*table.primary_key.columns))}
        for table in SECURED
    }


async def seen_by(world: World, principal: Principal) -> dict[str, set[tuple[Any, ...]]]:
    """What statements without any condition find for a viewer."""

    def read(conn: Connection) -> dict[str, set[tuple[Any, ...]]]:
        viewer_of(conn, principal, world.now)
        return everything(conn)

    return await world.store.read(read)


def cases(found: dict[str, set[tuple[Any, ...]]]) -> set[str]:
    """Ids of the referrals among the rows."""
    by_row = {id_ for _, id_ in found[referral_row.name]}
    assert by_row == {id_ for _, _, id_ in found[referral_party.name]} - {""}
    return by_row


async def test_without_a_viewer_there_are_no_rows_of_cases(world: World) -> None:
    found = await world.store.read(everything)
    assert found[referral_row.name] == found[referral_party.name] == set()
    assert {kind for _, kind, _ in found[record.name]} <= set(PUBLIC_KINDS)
    whole = await world.store.inspect(everything)
    assert cases(whole) == {SHARED, POOLED, OWN}


async def test_without_a_viewer_there_are_no_entries_of_the_ledger(world: World) -> None:
    """Not even of one's own: whoever forgets to say who asks is answered as nobody."""

    def entries(conn: Connection) -> list[int]:
        return [conn.execute(select(func.count()).select_from(one)).scalar_one() for one in (inbox, verdict)]

    whole = await world.store.inspect(entries)
    assert whole[0] == whole[1] > 0
    assert await world.store.read(entries) == [0, 0]

    def by_one(conn: Connection) -> list[int]:
        viewer_of(conn, MOLISE, world.now)
        return entries(conn)

    assert await world.store.read(by_one) == whole


async def test_what_a_partner_wrote_to_its_topic_is_shown_to_nobody_else(world: World) -> None:
    rows = [
        {"partner": one, "topic_id": "t", "partition": 0, "log_offset": 0, "at": "2026-11-01T00:00:00Z"}
        for one in ("kent", "normandy")
    ]
    await world.store.write(lambda conn: conn.execute(insert(delivery), rows))

    def delivered(conn: Connection, viewer: Principal | None) -> set[str]:
        if viewer:
            viewer_of(conn, viewer, world.now)
        return set(conn.execute(select(delivery.c.partner)).scalars())

    seen = [
        await world.store.read(lambda conn, one=one: delivered(conn, one))  # type: ignore[misc]
        for one in (KENT, MOLISE, manager(), None)
    ]
    assert seen == [{"kent"}, set(), set(), set()]
    assert await world.store.inspect(lambda conn: delivered(conn, None)) == {"kent", "normandy"}


async def test_the_owner_of_the_truth_can_copy_it(world: World) -> None:
    """pg_dump switches row-level security off, and refuses where that would be passed over in silence."""

    def copied(conn: Connection) -> int:
        conn.execute(text("SET LOCAL row_security = off"))
        return int(conn.execute(select(func.count()).select_from(inbox)).scalar_one())

    forced = text(
        "SELECT count(*) FROM pg_class WHERE relforcerowsecurity AND relnamespace = 'public'::regnamespace"
    )
    assert await world.store.own(copied) > 0
    assert await world.store.inspect(lambda conn: conn.execute(forced).scalar_one()) == 0


@pytest.mark.parametrize(
    ("viewer", "visible"),
    [
        (KENT, {SHARED, POOLED}),
        (NORMANDY, {SHARED, POOLED, OWN}),
        (FRIESLAND, {POOLED, OWN}),
        (MOLISE, set()),
        (manager(NORTH), {SHARED, POOLED, OWN}),
        (manager("south"), set()),
        (manager(), {SHARED, POOLED, OWN}),
    ],
    ids=lambda one: one.client_id if isinstance(one, Principal) else "",
)
async def test_a_forgotten_condition_shows_no_foreign_row(
    world: World, viewer: Principal, visible: set[str]
) -> None:
    found = await seen_by(world, viewer)
    assert cases(found) == visible
    of_cases = {(kind, id_) for _, kind, id_ in found[record.name] if kind not in PUBLIC_KINDS}
    assert {id_ for kind, id_ in of_cases if kind == Referral.kind} == visible


async def test_an_offer_in_a_pool_shows_that_case_and_nothing_of_its_firm(world: World) -> None:
    found = await seen_by(world, FRIESLAND)
    (firm,) = {firm for firm, id_ in found[referral_row.name] if id_ == POOLED}
    assert {(kind, id_) for key, kind, id_ in found[record.name] if key == firm} == {("referral", POOLED)}


async def test_a_firm_is_shown_to_its_registrant_before_there_is_a_case(world: World) -> None:
    found = await seen_by(world, MOLISE)
    assert {(kind, id_) for _, kind, id_ in found[record.name] if kind not in PUBLIC_KINDS} == {
        ("registration", "molise")
    }


async def test_a_viewer_is_forgotten_with_the_transaction_also_when_it_fails(
    shared_database_url: str,
) -> None:
    engine = create_async_engine(
        address(shared_database_url),
        pool_size=1,
        max_overflow=0,
        connect_args={"server_settings": {"role": "hub_reader"}},
    )
    labels = text("SELECT set_config('hub.labels', 'manager:*', true)")
    left = text("SELECT current_setting('hub.labels', true)")
    try:
        async with engine.begin() as conn:
            await conn.execute(labels)
        async with engine.begin() as conn:
            assert not (await conn.execute(left)).scalar()
            await conn.execute(labels)
            await conn.rollback()
        async with engine.begin() as conn:
            assert not (await conn.execute(left)).scalar()
    finally:
        await engine.dispose()


async def test_viewers_that_read_at_the_same_time_on_few_connections_see_their_own(world: World) -> None:
    callers = [KENT, NORMANDY, FRIESLAND, MOLISE] * 15
    found = await asyncio.gather(*(seen_by(world, one) for one in callers))
    expected = {"kent": 2, "normandy": 3, "friesland": 2, "molise": 0}
    assert [len(cases(one)) for one in found] == [expected[str(caller.partner)] for caller in callers]


async def test_the_policies_are_forced_and_outlive_a_rebuild(world: World) -> None:
    await world.store.project(lambda conn: conn.execute(text("DELETE FROM read.tag")))
    await world.store.project(
        lambda conn: conn.execute(text("UPDATE read.verdict SET message = 'x' WHERE seq = 1"))
    )
    assert (await rebuild(world.store, by_lanes=False)).swapped
    query = text(
        "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class"
        " WHERE relnamespace = 'read'::regnamespace AND relkind = 'r'"
    )
    rows = await world.store.inspect(lambda conn: conn.execute(query).all())
    assert {row[0] for row in rows if row[1]} == set(conditions("read"))
    assert cases(await seen_by(world, MOLISE)) == set()
    assert cases(await seen_by(world, KENT)) == {SHARED, POOLED}


class _Undone(Exception):
    """Takes back what a test did to the server."""


async def test_an_owner_that_is_no_superuser_is_bound_by_the_policies_and_has_its_own(
    tmp_path: Path, database_url: str
) -> None:
    seen: list[int] = []

    def as_plain_owner(conn: Connection) -> None:
        for statement in (
            "CREATE ROLE hub_plain_owner NOLOGIN",
            "CREATE SCHEMA read AUTHORIZATION hub_plain_owner",
            "SET ROLE hub_plain_owner",
        ):
            conn.execute(text(statement))
        read.create_all(conn, checkfirst=False)
        secure(conn, "read")
        conn.execute(insert(entry_party).values(label="partner:kent", seq=1))
        count = select(func.count()).select_from(entry_party)
        seen.append(conn.execute(count).scalar_one())
        conn.execute(text("DROP POLICY work ON read.entry_party"))
        seen.append(conn.execute(count).scalar_one())
        raise _Undone

    store = open_store(tmp_path, database_url)
    try:
        with pytest.raises(_Undone):
            await store.own(as_plain_owner)
    finally:
        await store.close()
    assert seen == [1, 0]


@pytest.mark.parametrize("table", SECURED, ids=lambda table: table.name)
async def test_readers_cannot_lift_a_policy(world: World, table: Table) -> None:
    for statement in (
        f"ALTER TABLE read.{table.name} DISABLE ROW LEVEL SECURITY",
        f"DROP POLICY parties ON read.{table.name}",
        "SET LOCAL row_security = off",
    ):

        def attempt(conn: Connection, statement: str = statement) -> Any:
            conn.execute(text(statement))
            return conn.execute(select(*table.primary_key.columns)).all()

        with pytest.raises(
            Exception, match=r"must be owner|read-only transaction|affected by row-level security"
        ):
            await world.store.read(attempt)


ANSWERS_ARE_MADE_OF = {"inbox", "leaf", "tile", "checkpoint", "delivery", "subject_key"}
OTHERS = sorted({table.name for table in truth.sorted_tables} - ANSWERS_ARE_MADE_OF | {"alembic_version"})


@pytest.mark.parametrize("name", OTHERS)
async def test_readers_have_no_table_that_no_answer_is_made_of(world: World, name: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await world.store.read(lambda conn: conn.execute(text(f"SELECT * FROM {name}")))
