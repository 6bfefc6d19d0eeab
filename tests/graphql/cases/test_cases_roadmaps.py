"""Roadmaps: shown to those that wrote or agreed to them, while a live consent joins them."""

from __future__ import annotations

from typing import Any

from tests.graphql.cases.world import (
    KENT_SERVICE,
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
PLAN, ACTION, CASE = uuid("plan"), uuid("action"), uuid("case")
ROADMAP = """query($id: ID!) { roadmap(id: $id) { id version agreedOn startsOn endsOn sme { id name }
  actions { id title(language: "fr") dueOn state service { id } partner { slug } referral { id } }
  versions { version note actions { id state } } } }"""


def agreed(number: str, *, what: str = "agreed", version: int = 1, **members: Any) -> Event:
    """A roadmap of one action that Normandy agrees with Kent and Friesland."""
    action = {
        "id": ACTION,
        "title": {"en": "Learn", "fr": "Apprendre"},
        "service_type": "consultancy",
        "service_id": KENT_SERVICE,
        "partner": "kent",
        "due_on": "2027-01-31",
        "state": "planned",
    }
    data = {
        "network": NORTH,
        "agreed_on": "2026-11-01",
        "starts_on": "2026-12-01",
        "ends_on": "2027-12-01",
        "agreed_with": ["kent", "friesland"],
        "version": version,
        "note": f"Note {version}",
        "actions": [action],
        **members,
    }
    return event(f"roadmap.{what}", PLAN, sme_id=firm_id(number), **data)


async def opened(world: World, **consent: Any) -> None:
    """Kent refers its firm to Normandy and Friesland; Normandy agrees a roadmap with both."""
    await world.post(KENT, registered("A"), consented("A", "normandy", "friesland", **consent))
    for slug in ("normandy", "friesland"):
        await world.post(KENT, requested("A", uuid("case", slug), to=slug))
    await world.post(NORMANDY, agreed("A"))


async def sees(world: World, slug: str) -> bool:
    return (await world.ask(partner(slug), ROADMAP, id=PLAN))["roadmap"] is not None


async def test_roadmap_shows_its_actions_and_every_version(world: World) -> None:
    await opened(world)
    await world.post(
        NORMANDY,
        requested("A", CASE, to="kent", action_id=ACTION, consent_id=uuid("consent", "A")),
        agreed("A", what="reviewed", version=2, ends_on="2027-07-01"),
    )
    found = (await world.ask(NORMANDY, ROADMAP, id=PLAN))["roadmap"]
    assert (found["version"], found["startsOn"], found["endsOn"]) == (2, "2026-12-01", "2027-07-01")
    assert found["sme"] == {"id": firm_id("A"), "name": "Firm A"}
    (action,) = found["actions"]
    assert (action["title"], action["dueOn"], action["state"]) == ("Apprendre", "2027-01-31", "planned")
    assert (action["service"], action["partner"]) == ({"id": KENT_SERVICE}, {"slug": "kent"})
    assert [(one["version"], one["note"]) for one in found["versions"]] == [(1, "Note 1"), (2, "Note 2")]


async def test_those_that_agreed_see_it_and_nobody_else(world: World) -> None:
    await opened(world)
    assert [await sees(world, slug) for slug in ("normandy", "kent", "friesland", "molise")] == [
        True,
        True,
        True,
        False,
    ]
    plain = manager(NORTH)
    reading = type(plain)(
        plain.client_id, plain.audience, None, plain.scopes | {"diagnosis:read"}, plain.networks
    )
    assert await world.ask(reading, ROADMAP, id=PLAN) == {"roadmap": None}


async def test_without_consent_the_writer_alone_keeps_it(world: World) -> None:
    await opened(world)
    await world.post(KENT, withdrawn("A"))
    assert [await sees(world, slug) for slug in ("normandy", "kent", "friesland")] == [True, False, False]
    await world.post(FRIESLAND, registered("A"))
    assert not await sees(world, "friesland")
    mine = (await world.ask(NORMANDY, ROADMAP, id=PLAN))["roadmap"]
    assert (mine["sme"], mine["versions"][0]["note"]) == (None, "Note 1")


async def test_consent_to_the_identity_alone_does_not_open_the_roadmap_to_its_readers(world: World) -> None:
    await opened(world, categories=["identity", "contact"])
    assert [await sees(world, slug) for slug in ("normandy", "friesland")] == [True, False]


async def test_action_leads_to_its_referral_for_those_that_are_a_party_to_it(world: World) -> None:
    await opened(world)
    await world.post(NORMANDY, requested("A", CASE, to="kent", action_id=ACTION))
    for slug, leads_to in (("normandy", {"id": CASE}), ("kent", {"id": CASE}), ("friesland", None)):
        found = (await world.ask(partner(slug), ROADMAP, id=PLAN))["roadmap"]
        assert found["actions"][0]["referral"] == leads_to, slug
    without = (await world.ask(partner("normandy", "referrals:read"), ROADMAP, id=PLAN))["roadmap"]
    assert (without["actions"][0]["referral"], without["sme"]) == (None, None)


async def test_firm_lists_the_roadmaps_that_the_caller_may_read(world: World) -> None:
    await opened(world)
    query = "query($id: ID!) { sme(id: $id) { roadmaps { id } } }"
    for caller in (KENT, NORMANDY, FRIESLAND):
        assert (await world.ask(caller, query, id=firm_id("A")))["sme"] == {"roadmaps": [{"id": PLAN}]}
    without = partner("kent", "diagnosis:read")
    assert (await world.ask(without, query, id=firm_id("A")))["sme"] == {"roadmaps": []}


async def test_roadmap_of_the_same_id_on_another_firm_does_not_hide_it(world: World) -> None:
    await opened(world)
    await world.post(MOLISE, registered("B"), agreed("B", agreed_with=["normandy"], agreed_on="2026-01-01"))
    assert (await world.ask(NORMANDY, ROADMAP, id=PLAN))["roadmap"]["sme"]["id"] == firm_id("A")
    assert (await world.ask(MOLISE, ROADMAP, id=PLAN))["roadmap"]["sme"]["id"] == firm_id("B")
