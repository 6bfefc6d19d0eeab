"""Referrals that belong together: each is shown to those that are a party to it, whatever leads there."""

from __future__ import annotations

from tests.graphql.cases.world import (
    NORTH,
    Event,
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

KENT, NORMANDY, FRIESLAND, MOLISE = (partner(slug) for slug in ("kent", "normandy", "friesland", "molise"))
LINKS = """query($id: ID!) { referral(id: $id) {
  id message children { id message children { id } } partOf { id } basedOn { id } sme { id } } }"""
PARENT, CHILD, SIBLING, NEXT = (uuid(name) for name in ("parent", "child", "sibling", "next"))
ALL = ("normandy", "friesland", "kent")


async def tell(world: World) -> None:
    """Kent asks Normandy, which passes parts on to Friesland and to Kent; Kent follows up with Friesland."""
    await world.post(KENT, registered("A"), consented("A", *ALL), requested("A", PARENT, to="normandy"))
    await world.post(
        NORMANDY,
        requested("A", CHILD, to="friesland", part_of=PARENT, message="From Normandy"),
        requested("A", SIBLING, to="kent", part_of=PARENT),
    )
    await world.post(KENT, requested("A", NEXT, to="friesland", based_on=PARENT))


async def test_parts_are_listed_for_those_that_are_a_party_to_them(world: World) -> None:
    await tell(world)
    seen_by_owner = (await world.ask(NORMANDY, LINKS, id=PARENT))["referral"]
    assert [one["id"] for one in seen_by_owner["children"]] == [CHILD, SIBLING]
    seen_by_requester = (await world.ask(KENT, LINKS, id=PARENT))["referral"]
    assert [one["id"] for one in seen_by_requester["children"]] == [SIBLING]


async def test_link_to_a_referral_of_others_is_null(world: World) -> None:
    await tell(world)
    child = (await world.ask(FRIESLAND, LINKS, id=CHILD))["referral"]
    assert (child["id"], child["partOf"]) == (CHILD, None)
    following = (await world.ask(FRIESLAND, LINKS, id=NEXT))["referral"]
    assert (following["id"], following["basedOn"]) == (NEXT, None)
    assert (await world.ask(KENT, LINKS, id=NEXT))["referral"]["basedOn"] == {"id": PARENT}
    assert (await world.ask(NORMANDY, LINKS, id=CHILD))["referral"]["partOf"] == {"id": PARENT}


async def test_manager_of_the_network_sees_the_whole_tree_without_the_firm(world: World) -> None:
    await tell(world)
    seen = (await world.ask(manager(NORTH), LINKS, id=PARENT))["referral"]
    assert [one["id"] for one in seen["children"]] == [CHILD, SIBLING]
    assert (seen["sme"], seen["message"]) == (None, None)


async def test_partner_that_passed_a_case_on_keeps_its_words_and_loses_the_firm(world: World) -> None:
    await tell(world)
    await world.post(KENT, withdrawn("A"))
    seen = (await world.ask(NORMANDY, LINKS, id=CHILD))["referral"]
    assert (seen["sme"], seen["message"]) == (None, "From Normandy")
    asked = (await world.ask(FRIESLAND, LINKS, id=CHILD))["referral"]
    assert (asked["sme"], asked["message"]) == (None, None)


async def test_owner_cannot_reopen_a_case_by_registering_the_firm_itself(world: World) -> None:
    await tell(world)
    await world.post(KENT, withdrawn("A"))
    await world.post(NORMANDY, registered("A", name="Known to Normandy"))
    seen = (await world.ask(NORMANDY, LINKS, id=PARENT))["referral"]
    assert (seen["sme"], seen["message"]) == ({"id": firm_id("A")}, None)
    name = "query($id: ID!) { sme(id: $id) { name } }"
    assert (await world.ask(NORMANDY, name, id=firm_id("A")))["sme"] == {"name": "Known to Normandy"}
    assert (await world.ask(KENT, name, id=firm_id("A")))["sme"] == {"name": "Firm A"}


async def test_member_that_knows_the_firm_does_not_learn_that_a_pooled_request_is_about_it(
    world: World,
) -> None:
    pooled = uuid("pooled")
    await world.post(KENT, registered("A"), consented("A", f"network:{NORTH}"), requested("A", pooled))
    await world.post(FRIESLAND, registered("A", name="Known to Friesland"))
    seen = (await world.ask(FRIESLAND, LINKS, id=pooled))["referral"]
    assert (seen["id"], seen["sme"], seen["message"]) == (pooled, None, None)
    listed = "query($f: ReferralFilter) { referrals(filter: $f) { totalCount nodes { id } } }"
    assert (await world.ask(FRIESLAND, listed))["referrals"]["totalCount"] == 1
    by_firm = (await world.ask(FRIESLAND, listed, f={"sme": firm_id("A")}))["referrals"]
    assert by_firm == {"totalCount": 0, "nodes": []}
    firm = await world.ask(
        FRIESLAND, "query($id: ID!) { sme(id: $id) { id referrals { id } } }", id=firm_id("A")
    )
    assert firm["sme"] == {"id": firm_id("A"), "referrals": []}


async def test_pool_closes_for_the_others_once_one_claims(world: World) -> None:
    pooled = uuid("pooled")
    await world.post(KENT, registered("A"), consented("A", f"network:{NORTH}"), requested("A", pooled))
    assert (await world.ask(FRIESLAND, LINKS, id=pooled))["referral"] is not None
    await world.post(NORMANDY, event("referral.claimed", pooled))
    assert (await world.ask(FRIESLAND, LINKS, id=pooled))["referral"] is None
    claimed = (await world.ask(NORMANDY, LINKS, id=pooled))["referral"]
    assert (claimed["sme"], claimed["message"]) == ({"id": firm_id("A")}, "Please help A")


async def test_an_id_that_is_taken_makes_no_second_referral_under_another_firm(world: World) -> None:
    await tell(world)
    theirs: list[Event] = [
        registered("B"),
        consented("B", "normandy", "molise", id_=uuid("other consent")),
        requested("B", PARENT, to="normandy", consent_id=uuid("other consent")),
    ]
    await world.post(MOLISE, *theirs)
    seen = (await world.ask(NORMANDY, LINKS, id=PARENT))["referral"]
    assert (seen["sme"], seen["message"]) == ({"id": firm_id("A")}, "Please help A")
    assert [one["id"] for one in seen["children"]] == [CHILD, SIBLING]
    assert (await world.ask(MOLISE, LINKS, id=PARENT))["referral"] is None
