"""Scopes, party and live consent: take one away, and exactly what it opened closes, by every way.

The grant and the status of the partner are cut before: tests/auth/test_auth_tokens_ended.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.domain.principal import Principal
from hub.store.engine import Store
from tests.graphql.cases.world import (
    NORTH,
    World,
    consented,
    event,
    firm_id,
    manager,
    partner,
    registered,
    requested,
    uuid,
    withdrawn,
)

KENT, NORMANDY, FRIESLAND = (partner(one) for one in ("kent", "normandy", "friesland"))
CASE = uuid("case")
CASES = {"get", "list", "count", "filter", "timeline"}
FIRMS = {"firm", "firm list", "firm of the case", "message", "cases of the firm"}
CONTACTS = {"contacts", "contacts of the case"}
LEDGER = {"ledger", "receipt", "salt"}
EVERYTHING = CASES | FIRMS | CONTACTS | LEDGER
WAYS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "get": ("referral(id: $case) { id }", lambda data: data["referral"]),
    "list": ("referrals { nodes { id } }", lambda data: data["referrals"]["nodes"]),
    "count": ("referrals { totalCount }", lambda data: data["referrals"]["totalCount"]),
    "filter": (
        'referrals(filter: {partner: ["kent"], role: REQUESTER}) { totalCount }',
        lambda data: data["referrals"]["totalCount"],
    ),
    "timeline": (
        "referral(id: $case) { timeline { seq } }",
        lambda data: (data["referral"] or {}).get("timeline"),
    ),
    "firm": ("sme(id: $firm) { name }", lambda data: data["sme"]),
    "firm list": ("smes { totalCount }", lambda data: data["smes"]["totalCount"]),
    "firm of the case": (
        "referral(id: $case) { sme { id } }",
        lambda data: (data["referral"] or {}).get("sme"),
    ),
    "message": ("referral(id: $case) { message }", lambda data: (data["referral"] or {}).get("message")),
    "cases of the firm": (
        "sme(id: $firm) { referrals { id } }",
        lambda data: (data["sme"] or {}).get("referrals"),
    ),
    "contacts": ("sme(id: $firm) { contacts { name } }", lambda data: (data["sme"] or {}).get("contacts")),
    "contacts of the case": (
        "referral(id: $case) { sme { contacts { name } } }",
        lambda data: ((data["referral"] or {}).get("sme") or {}).get("contacts"),
    ),
    "ledger": ("ledger(first: 100) { nodes { subject } }", lambda data: CASE in str(data["ledger"])),
    "receipt": ("receipt(seq: $seq) { seq }", lambda data: data["receipt"]),
    "salt": ("receipt(seq: $seq) { salt }", lambda data: (data["receipt"] or {}).get("salt")),
}


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """Kent asks Normandy, which accepts."""
    hub = World(tmp_path, store)
    await hub.open()
    asked = requested("A", CASE, to="normandy")
    await hub.post(KENT, registered("A"), consented("A", "normandy"), asked)
    await hub.post(NORMANDY, event("referral.accepted", CASE))
    yield hub
    await hub.close()


async def open_ways(world: World, caller: Principal) -> set[str]:
    """By which ways the caller gets to the case; a field that is refused is shut."""
    seq = int(
        (await world.ask(KENT, "query($id: ID!) { referral(id: $id) { timeline { seq } } }", id=CASE))[
            "referral"
        ]["timeline"][0]["seq"]
    )
    found = set()
    for way, (field, reached) in WAYS.items():
        names = {"case": "ID!", "firm": "ID!", "seq": "Int!"}
        given = ", ".join(f"${name}: {kind}" for name, kind in names.items() if f"${name}" in field)
        document = f"query({given}) {{ {field} }}" if given else f"{{ {field} }}"
        answer = await world.graphql(caller, document, case=CASE, firm=firm_id("A"), seq=seq)
        if errors := answer.get("errors"):
            assert errors[0]["extensions"]["code"] == "scope.missing", errors
        elif reached(answer["data"]):
            found.add(way)
    return found


async def test_with_all_of_them_every_way_is_open(world: World) -> None:
    assert await open_ways(world, NORMANDY) == EVERYTHING


@pytest.mark.parametrize(
    ("scope", "shut"),
    [
        ("referrals:read", CASES | FIRMS | CONTACTS),
        ("referrals:contact", CONTACTS),
        ("events:read", LEDGER),
        ("diagnosis:read", set()),
    ],
)
async def test_without_a_scope_what_it_opens_is_shut(world: World, scope: str, shut: set[str]) -> None:
    assert await open_ways(world, partner("normandy", scope)) == EVERYTHING - shut


@pytest.mark.parametrize("slug", ["friesland", "molise"])
async def test_without_being_a_party_every_way_is_shut(world: World, slug: str) -> None:
    await world.post(KENT, consented("A", slug, f"network:{NORTH}", id_=uuid("one that names the reader")))
    assert await open_ways(world, partner(slug)) == set()


async def test_without_live_consent_the_firm_is_shut_and_the_case_stays(world: World) -> None:
    await world.post(KENT, withdrawn("A"))
    assert await open_ways(world, NORMANDY) == CASES | LEDGER
    assert await open_ways(world, KENT) == EVERYTHING


async def test_an_expired_consent_shuts_without_any_event(world: World) -> None:
    world.now += timedelta(days=400)
    assert await open_ways(world, NORMANDY) == CASES | LEDGER


async def test_a_consent_that_its_recipient_posts_opens_nothing(world: World) -> None:
    await world.post(KENT, withdrawn("A"))
    await world.post(NORMANDY, registered("A", name="As Normandy knows it", contacts=[]))
    await world.post(NORMANDY, consented("A", "normandy", "kent", id_=uuid("of its own")))
    found = await world.ask(
        NORMANDY, "query($id: ID!) { sme(id: $id) { name contacts { name } } }", id=firm_id("A")
    )
    assert found["sme"] == {"name": "As Normandy knows it", "contacts": []}
    message = await world.ask(NORMANDY, "query($id: ID!) { referral(id: $id) { message } }", id=CASE)
    assert message["referral"]["message"] is None


async def test_leaving_the_network_shuts_its_pool(world: World) -> None:
    offered = uuid("offered")
    await world.post(KENT, consented("A", f"network:{NORTH}", id_=uuid("for the network")))
    await world.post(KENT, requested("A", offered, consent_id=uuid("for the network")))
    query = "query($id: ID!) { referral(id: $id) { id } referrals { totalCount } }"
    shown = await world.ask(FRIESLAND, query, id=offered)
    assert shown == {"referral": {"id": offered}, "referrals": {"totalCount": 1}}
    await world.post(manager(), event("partner.left", "friesland", network=NORTH, on="2026-11-01"))
    world.now += timedelta(days=1)
    gone = await world.ask(FRIESLAND, query, id=offered)
    assert gone == {"referral": None, "referrals": {"totalCount": 0}}
