"""Scopes, consents and moves: what a token adds to being a party."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.principal import Principal
from tests.graphql.cases.world import (
    NORMANDY_SERVICE,
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
)

KENT, NORMANDY, FRIESLAND = (partner(slug) for slug in ("kent", "normandy", "friesland"))
CASE = uuid("case")
FIRM = """query($id: ID!) { sme(id: $id) {
  id name contacts { name email phone role } identifier { scheme code } } }"""
MOVES = "query($id: ID!) { referral(id: $id) { state allowedMoves } }"


async def opened(world: World, *recipients: str, **consent: object) -> None:
    """A case that Kent asks Normandy to take."""
    given = consented("A", "normandy", *recipients, **consent)
    await world.post(KENT, registered("A"), given, requested("A", CASE, to="normandy"))


@pytest.mark.parametrize(
    ("query", "scope"),
    [
        ("{ referrals { totalCount } }", "referrals:read"),
        ("{ smes { totalCount } }", "referrals:read"),
        ('{ referral(id: "x") { id } }', "referrals:read"),
        ('{ sme(id: "x") { id } }', "referrals:read"),
        ('{ roadmap(id: "x") { id } }', "diagnosis:read"),
        ("{ ledger { totalCount } }", "events:read"),
        ("{ receipt(seq: 1) { seq } }", "events:read"),
    ],
)
async def test_field_names_the_scope_that_it_lacks(world: World, query: str, scope: str) -> None:
    answer = await world.graphql(partner("kent", scope), query)
    assert answer["errors"][0]["extensions"]["code"] == "scope.missing"
    assert scope in answer["errors"][0]["message"]
    assert "errors" not in await world.graphql(KENT, query)


async def test_contacts_need_their_scope_and_their_category(world: World) -> None:
    await opened(world)
    full = (await world.ask(NORMANDY, FIRM, id=firm_id("A")))["sme"]
    assert full == {
        "id": firm_id("A"),
        "name": "Firm A",
        "contacts": [{"name": "Contact of A", "email": "info@example.com", "phone": None, "role": None}],
        "identifier": {"scheme": "GB-COH", "code": "A"},
    }
    without = (await world.ask(partner("normandy", "referrals:contact"), FIRM, id=firm_id("A")))["sme"]
    assert (without["name"], without["contacts"]) == ("Firm A", None)


@pytest.mark.parametrize(
    "consent", [{"categories": ["identity"]}, {"purposes": ["referral"]}], ids=["category", "purpose"]
)
async def test_contacts_stay_closed_under_a_consent_to_less(
    world: World, consent: dict[str, list[str]]
) -> None:
    await opened(world, **consent)
    seen = (await world.ask(NORMANDY, FIRM, id=firm_id("A")))["sme"]
    assert (seen["name"], seen["contacts"]) == ("Firm A", None)
    own = (await world.ask(KENT, FIRM, id=firm_id("A")))["sme"]
    assert own["contacts"][0]["name"] == "Contact of A"


async def test_manager_reads_the_firm_only_where_a_consent_names_its_network(world: World) -> None:
    await opened(world)
    query = "query($id: ID!) { referral(id: $id) { state sme { name } message } smes { totalCount } }"
    north = await world.ask(manager(NORTH), query, id=CASE)
    assert north == {
        "referral": {"state": "REQUESTED", "sme": None, "message": None},
        "smes": {"totalCount": 0},
    }
    given = consented("A", f"network:{NORTH}", id_=uuid("second consent"))
    await world.post(KENT, given)
    named = await world.ask(manager(NORTH), query, id=CASE)
    assert named["referral"] == {
        "state": "REQUESTED",
        "sme": {"name": "Firm A"},
        "message": "Please help A",
    }
    assert named["smes"]["totalCount"] == 1


async def test_partner_without_a_case_reads_nothing_although_a_consent_names_it(world: World) -> None:
    await opened(world, "friesland")
    assert await world.ask(FRIESLAND, FIRM, id=firm_id("A")) == {"sme": None}
    assert (await world.ask(FRIESLAND, "{ smes { totalCount nodes { id } } }"))["smes"] == {
        "totalCount": 0,
        "nodes": [],
    }


async def test_unknown_and_unseen_firms_get_the_same_answer(world: World) -> None:
    await opened(world)
    query = """query($id: ID!) { sme(id: $id) { id }
      referrals(filter: {sme: $id}) { totalCount nodes { id } } }"""
    unseen = await world.ask(FRIESLAND, query, id=firm_id("A"))
    assert unseen == await world.ask(FRIESLAND, query, id=firm_id("nobody"))
    assert unseen == {"sme": None, "referrals": {"totalCount": 0, "nodes": []}}


async def moves(world: World, caller: Principal) -> list[str]:
    return list((await world.ask(caller, MOVES, id=CASE))["referral"]["allowedMoves"])


async def test_allowed_moves_follow_role_and_state(world: World) -> None:
    await opened(world)
    assert await moves(world, NORMANDY) == ["received", "accepted", "rejected", "cancelled"]
    assert await moves(world, KENT) == ["cancelled", "annulled"]
    assert await moves(world, manager(NORTH)) == ["reassigned"]
    await world.post(NORMANDY, event("referral.accepted", CASE))
    assert await moves(world, NORMANDY) == ["started", "held", "completed", "failed", "cancelled"]
    assert await moves(world, manager(NORTH)) == []
    done = {"performed": [{"on": "2026-11-02", "service_id": NORMANDY_SERVICE}], "outcome": {"kind": "none"}}
    await world.post(NORMANDY, event("referral.completed", CASE, **done))
    assert (await moves(world, NORMANDY), await moves(world, KENT)) == ([], ["annulled"])


async def test_allowed_moves_follow_scopes(world: World) -> None:
    await opened(world)
    assert await moves(world, partner("normandy", "referrals:act")) == []
    assert await moves(world, partner("normandy", "referrals:create")) == await moves(world, NORMANDY)
    assert await moves(world, partner("kent", "referrals:create")) == []
    assert await moves(world, partner("kent", "referrals:act")) == ["cancelled", "annulled"]
    assert await moves(world, partner("normandy", "events:publish")) == []
    assert await moves(world, manager(NORTH, without=("partners:admin",))) == []


async def test_every_move_that_is_named_is_one_that_the_hub_applies(world: World) -> None:
    pooled = uuid("pooled")
    await world.post(KENT, registered("A"), consented("A", f"network:{NORTH}"), requested("A", pooled))
    allowed = (await world.ask(FRIESLAND, MOVES, id=pooled))["referral"]["allowedMoves"]
    assert allowed == ["claimed"]
    (seq,) = await world.post(FRIESLAND, event("referral.claimed", pooled))
    assert (await world.receipt(FRIESLAND, seq)).json()["status"] == "applied"
    after = (await world.ask(FRIESLAND, MOVES, id=pooled))["referral"]["allowedMoves"]
    assert after == ["received", "accepted", "rejected", "cancelled"]


async def test_member_that_left_the_network_no_longer_sees_its_pool(world: World) -> None:
    pooled = uuid("pooled")
    await world.post(KENT, registered("A"), consented("A", f"network:{NORTH}"), requested("A", pooled))
    assert (await world.ask(FRIESLAND, MOVES, id=pooled))["referral"]
    await world.post(manager(), event("partner.left", "friesland", network=NORTH, on="2026-10-31"))
    assert (await world.ask(FRIESLAND, MOVES, id=pooled))["referral"] is None


async def test_portal_has_no_field_for_cases(world: World) -> None:
    portal = replace(manager(NORTH), audience=type(KENT.audience).PORTAL, scopes=KENT.scopes)
    answer = await world.graphql(portal, "{ referrals { totalCount } }")
    assert "Cannot query field 'referrals'" in answer["errors"][0]["message"]
