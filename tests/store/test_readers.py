"""What hub_reader may read: entries by a viewer, its own deliveries, nothing of people and clients."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, func, insert, select, text

from hub.domain.principal import Principal
from hub.store.referrals import get_referral
from hub.store.tables import delivery, inbox, truth, verdict
from hub.store.viewers import viewer_of
from tests.graphql.cases.world import World, manager
from tests.store.conftest import KENT, MOLISE, SHARED

ANSWERS_ARE_MADE_OF = {"inbox", "leaf", "tile", "checkpoint", "delivery", "subject_key"}
OTHERS = sorted({table.name for table in truth.sorted_tables} - ANSWERS_ARE_MADE_OF | {"alembic_version"})


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


async def test_what_shows_one_referral_is_planned_once_and_not_every_time(world: World) -> None:
    """Under policies a plan takes longer than the run: five are PostgreSQL's tries before it keeps one."""
    planned = text(
        "SELECT statement, custom_plans FROM pg_prepared_statements"
        " WHERE generic_plans + custom_plans >= 20 AND statement LIKE 'SELECT%read.%'"
    )

    def read(conn: Connection) -> dict[str, int]:
        for _ in range(20):
            viewer = viewer_of(conn, KENT, world.now)
            assert get_referral(conn, viewer, world.vault, SHARED)
        return {row.statement: row.custom_plans for row in conn.execute(planned)}

    found = await world.store.read(read)
    assert len(found) >= 3
    assert max(found.values()) <= 5, found


@pytest.mark.parametrize("name", OTHERS)
async def test_readers_have_no_table_that_no_answer_is_made_of(world: World, name: str) -> None:
    with pytest.raises(Exception, match="permission denied"):
        await world.store.read(lambda conn: conn.execute(text(f"SELECT * FROM {name}")))
