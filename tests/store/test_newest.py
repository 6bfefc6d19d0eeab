"""A page is read where it begins: in the order of an index, for each label of the viewer."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from hub.store.opening import open_store
from hub.store.schema import prepare_read_model
from tests.graphql.cases.world import (
    NORTH,
    World,
    consented,
    event,
    manager,
    partner,
    registered,
    requested,
    uuid,
)
from tests.support.statements import statements

KENT, NORMANDY = partner("kent"), partner("normandy")
PAGES = {
    "referrals": "referrals(first: 2, after: $after)",
    "by state": "referrals(first: 2, after: $after, filter: {state: [REQUESTED, ACCEPTED]})",
    "by role": 'referrals(first: 2, after: $after, filter: {role: OWNER, network: ["north"]})',
    "ledger": "ledger(first: 2, after: $after)",
    "audit log": "auditLog(first: 2, after: $after)",
}

SCANNED = re.compile(r"SCAN (read\.)?(inbox|audit|entry|referral|verdict)")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Four cases, on SQLite: it tells its plan whatever the number of rows."""
    store = open_store(tmp_path)
    await prepare_read_model(store, anew=True)
    hub = World(tmp_path, store)
    await hub.open()
    for number in range(4):
        firm, case = f"N{number}", uuid("case", str(number))
        await hub.accept(
            KENT, registered(firm), consented(firm, "normandy"), requested(firm, case, to="normandy")
        )
    await hub.accept(NORMANDY, event("referral.accepted", uuid("case", "0")))
    await hub.settle()
    yield hub
    await hub.close()
    await store.close()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("viewer", [KENT, NORMANDY, manager(NORTH), manager()], ids=lambda one: one.client_id)
async def test_a_page_is_found_in_the_order_of_an_index(world: World, viewer: Any, page: str) -> None:
    query = f"query($after: String) {{ page: {PAGES[page]} {{ pageInfo {{ endCursor }} }} }}"
    after, plans = None, []
    for _ in range(2):
        with statements() as said:
            after = (await world.ask(viewer, query, after=after))["page"]["pageInfo"]["endCursor"]
        for text in (one for one in said if "LIMIT" in one):
            parts = text.count("?")
            rows = await world.store.read(
                lambda conn, text=text, parts=parts: conn.exec_driver_sql(  # type: ignore[misc]
                    f"EXPLAIN QUERY PLAN {text}", (None,) * parts
                ).all()
            )
            plans.append(" | ".join(row[-1] for row in rows))
    assert plans
    assert not [one for one in plans if "TEMP B-TREE" in one or SCANNED.search(one)]
