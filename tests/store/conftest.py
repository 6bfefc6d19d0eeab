"""Three cases on PostgreSQL, of which each partner may see its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.store.postgres import PostgresStore
from hub.store.schema import prepare_read_model
from hub.store.tables import truth
from tests.graphql.cases.world import NORTH, World, consented, partner, registered, requested, uuid

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
