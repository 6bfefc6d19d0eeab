"""Whose services are shown to whom, in lists, counts and single fetches alike."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.principal import ANYONE, Principal
from tests.graphql.catalogue.world import (
    KENT,
    MANAGER,
    NORMANDY,
    NOW,
    PARTNER,
    PORTAL,
    TODAY,
    World,
    network,
    opportunity,
    partner,
    service,
)

BOUND = replace(PORTAL, networks=frozenset({"south-east"}))
COUNT = "{ partners { slug serviceCount } }"


@pytest.fixture
async def filled(world: World) -> World:
    """A service and an opportunity of each of two partners in two networks."""
    await world.project(
        network("south-east"),
        network("normandy"),
        partner(KENT, "south-east"),
        partner(NORMANDY, "normandy"),
        service("kent"),
        service("normandy", by=NORMANDY),
        opportunity("kent", by=KENT),
        opportunity("normandy", by=NORMANDY),
    )
    return world


async def _opportunities(world: World, by: Principal = ANYONE) -> set[str]:
    data = (await world.data("{ opportunities { totalCount nodes { reference } } }", by=by))["opportunities"]
    assert data["totalCount"] == len(data["nodes"])
    return {node["reference"] for node in data["nodes"]}


async def _counts(world: World, by: Principal = ANYONE) -> dict[str, int]:
    return {one["slug"]: one["serviceCount"] for one in (await world.data(COUNT, by=by))["partners"]}


@pytest.mark.parametrize("by", [ANYONE, PORTAL, PARTNER, MANAGER], ids=lambda by: by.audience.value)
async def test_every_audience_sees_the_whole_catalogue(filled: World, by: Principal) -> None:
    assert set(await filled.found(by=by)) == {"kent", "normandy"}
    assert await _opportunities(filled, by) == {"kent", "normandy"}
    assert await _counts(filled, by) == {KENT: 1, NORMANDY: 1}


async def test_a_portal_bound_to_networks_shows_their_members_alone(filled: World) -> None:
    assert await filled.found(by=BOUND) == ["kent"]
    assert await _opportunities(filled, BOUND) == {"kent"}
    assert await _counts(filled, BOUND) == {KENT: 1, NORMANDY: 0}
    foreign = service("normandy", by=NORMANDY).id
    assert (await filled.data(f'{{ service(id: "{foreign}") {{ id }} }}', by=BOUND))["service"] is None
    assert (await filled.data(f'{{ service(id: "{foreign}") {{ id }} }}', by=PORTAL))["service"] is not None


async def test_what_a_partner_published_goes_when_it_leaves(filled: World) -> None:
    await filled.project(partner(NORMANDY, "normandy", status="left"))
    assert await filled.found() == ["kent"]
    assert await _opportunities(filled) == {"kent"}
    assert (await _counts(filled))[NORMANDY] == 0
    gone = service("normandy", by=NORMANDY).id
    assert (await filled.data(f'{{ service(id: "{gone}") {{ id }} }}'))["service"] is None


async def test_what_a_suspended_partner_published_stays(filled: World) -> None:
    await filled.project(partner(NORMANDY, "normandy", status="suspended"))
    assert set(await filled.found()) == {"kent", "normandy"}
    data = await filled.data(f'{{ partner(slug: "{NORMANDY}") {{ status serviceCount }} }}')
    assert data["partner"] == {"status": "SUSPENDED", "serviceCount": 1}


async def test_withdrawn_entries_are_gone_and_come_back_when_published_again(filled: World) -> None:
    await filled.project(service("kent", withdrawn=True), opportunity("kent", by=KENT, withdrawn=True))
    document = "query One($a: ID!, $b: ID!) { service(id: $a) { ownId } opportunity(id: $b) { reference } }"
    ids = {"a": service("kent").id, "b": opportunity("kent", by=KENT).id}
    assert await filled.found() == ["normandy"]
    assert await filled.found(filter={"sector": ["62"]}) == ["normandy"]
    assert await _opportunities(filled) == {"normandy"}
    assert await filled.data(document, ids) == {"service": None, "opportunity": None}
    await filled.project(service("kent"), opportunity("kent", by=KENT))
    assert await filled.data(document, ids) == {
        "service": {"ownId": "kent"},
        "opportunity": {"reference": "kent"},
    }


async def test_an_expired_opportunity_is_fetched_by_id_but_not_listed(filled: World) -> None:
    old = opportunity("old", published_on=TODAY - timedelta(days=366))
    last_day = opportunity("last-day", published_on=TODAY - timedelta(days=365))
    await filled.project(old, last_day)
    assert await _opportunities(filled) == {"kent", "normandy", "last-day"}
    data = await filled.data(f'{{ opportunity(id: "{old.id}") {{ expiresOn }} }}')
    assert data["opportunity"] == {"expiresOn": "2026-11-21"}
    filled.now = NOW + timedelta(days=1)
    assert await _opportunities(filled) == {"kent", "normandy"}


@pytest.mark.parametrize("id_", ["", "no-uuid", "00000000-0000-0000-0000-000000000000", "é" * 100])
async def test_an_id_of_nothing_gives_null(filled: World, id_: str) -> None:
    document = "query One($id: ID!) { service(id: $id) { id } opportunity(id: $id) { id } }"
    assert await filled.data(document, {"id": id_}) == {"service": None, "opportunity": None}
