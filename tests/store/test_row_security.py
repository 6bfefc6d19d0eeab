"""PostgreSQL shows a reader the rows of its own cases and no others, whatever a statement forgets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from hub.domain.principal import Principal
from hub.domain.referrals import Referral
from hub.events.rebuild import rebuild
from hub.store.opening import open_store
from hub.store.postgres import address
from hub.store.row_security import PUBLIC_KINDS, conditions, secure
from hub.store.tables import (
    entry_party,
    read,
    record,
    referral_party,
    referral_row,
)
from hub.store.viewers import viewer_of
from tests.graphql.cases.world import (
    NORTH,
    World,
    event,
    manager,
)
from tests.store.conftest import FRIESLAND, KENT, MOLISE, NORMANDY, OWN, POOLED, SHARED

SECURED = (referral_party, entry_party, referral_row, record)


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


async def test_memberships_of_the_moment_count_and_not_those_of_the_last_read(world: World) -> None:
    assert cases(await seen_by(world, FRIESLAND)) == {POOLED, OWN}
    day = world.now.date().isoformat()
    await world.post(manager(), event("partner.suspended", "friesland", network=NORTH, on=day))
    assert cases(await seen_by(world, FRIESLAND)) == {OWN}
    await world.post(manager(), event("partner.resumed", "friesland", network=NORTH, on=day))
    assert cases(await seen_by(world, FRIESLAND)) == {POOLED, OWN}


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
