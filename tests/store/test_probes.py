"""Whose a row is, is looked up row by row: PostgreSQL must not begin with all rows of one label."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Connection, text

from tests.graphql.cases.world import World, firm_id
from tests.store.conftest import KENT, SHARED
from tests.support.statements import statements

FIRM = firm_id("A")
ASKED = {
    "timeline": f'referral(id: "{SHARED}") {{ timeline {{ seq }} }}',
    "referrals": "referrals(first: 2) { nodes { id } }",
    "referrals of a firm": f'referrals(first: 2, filter: {{sme: "{FIRM}"}}) {{ nodes {{ id }} }}',
    "ledger": "ledger(first: 2) { nodes { seq } }",
}
LABELLED = ("referral_party", "entry_party", "audit_reader")


def plan(conn: Connection, statement: str) -> str:
    """How PostgreSQL would go about it if loops over rows cost it dear."""
    conn.execute(text("SET LOCAL enable_nestloop = off"))
    asked = re.sub(r"\$\d+", "(SELECT '1')", statement)  # Constants would be reckoned with.
    return "\n".join(conn.exec_driver_sql(f"EXPLAIN {asked}").scalars())


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
async def test_a_condition_by_label_is_not_turned_into_a_join(world: World, asked: str) -> None:
    with statements() as said:
        await world.ask(KENT, f"{{ {asked} }}")
    conditions = [one for one in said if "EXISTS" in one and any(table in one for table in LABELLED)]
    assert conditions
    for one in conditions:
        found = await world.store.inspect(lambda conn, one=one: plan(conn, one))  # type: ignore[misc]
        assert "SubPlan" in found
        assert not re.search(r"Semi Join|hashed SubPlan", found), found
