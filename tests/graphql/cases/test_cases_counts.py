"""A list is counted when its answer has the count, and at no other time."""

from __future__ import annotations

import pytest

from tests.graphql.cases.world import World, consented, partner, registered, requested, uuid
from tests.support.statements import statements

KENT = partner("kent")
KINDS = {
    "referrals": "Referral",
    "ledger": "Ledger",
    "auditLog": "Audit",
    "services": "Service",
    "opportunities": "Opportunity",
    "smes": "Sme",
}
COUNTED = {
    "plain": "{ %s { totalCount } }",
    "beside nodes": "{ %s { pageInfo { endCursor } totalCount } }",
    "by another name": "{ %s { many: totalCount } }",
    "inline": "{ %s { ... { totalCount } } }",
    "in a fragment of a fragment": (
        "{ %s { ...outer } } fragment outer on CONNECTION { ...inner }"
        " fragment inner on CONNECTION { totalCount }"
    ),
    "in the second part": "{ %s { pageInfo { endCursor } } %s { totalCount } }",
    "included": "query($is: Boolean! = true) { %s { totalCount @include(if: $is) } }",
    "not skipped": "query($not: Boolean! = false) { %s { ... @skip(if: $not) { totalCount } } }",
}
NOT_COUNTED = {
    "a page": "{ %s { pageInfo { endCursor } } }",
    "skipped": "query($not: Boolean! = true) { %s { totalCount @skip(if: $not) pageInfo { endCursor } } }",
    "not included": "{ %s { pageInfo { endCursor } ... @include(if: false) { totalCount } } }",
    "in a fragment that is skipped": (
        "{ %s { ...counted @skip(if: true) pageInfo { endCursor } } }"
        " fragment counted on CONNECTION { totalCount }"
    ),
    "a name alone": "{ %s { totalCount: __typename } }",
}


async def said_for(world: World, field: str, document: str) -> tuple[object, int]:
    """The answer, and how many of the statements behind it count rows."""
    query = document.replace("%s", field).replace("CONNECTION", f"{KINDS[field]}Connection")
    with statements() as said:
        answer = await world.ask(KENT, query)
    return answer[field], sum("count(" in one for one in said)


@pytest.mark.parametrize("field", KINDS)
async def test_a_list_is_counted_when_its_answer_has_the_count(world: World, field: str) -> None:
    await world.post(KENT, registered("A"), consented("A", "normandy"))
    await world.post(KENT, requested("A", uuid("case"), to="normandy"))
    counts = 0 if field == "smes" else 1  # Firms are sealed: they are counted as they are opened.
    totals = set()
    for what, document in COUNTED.items():
        answer, counted = await said_for(world, field, document)
        assert isinstance(answer, dict)
        assert (what, counted) == (what, counts)
        totals.add(answer.get("totalCount", answer.get("many")))
    assert len(totals) == 1
    assert totals < set(range(100))
    for what, document in NOT_COUNTED.items():
        answer, counted = await said_for(world, field, document)
        assert answer
        assert (what, counted) == (what, 0)
