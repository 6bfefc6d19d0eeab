"""What each member of ServiceFilter finds."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.graphql.catalogue.world import EEN, KENT, NORMANDY, NOW, World, network, partner, service

OPEN = {"sectors": [], "products": [], "target_countries": [], "service_areas": [], "languages": []}
RESTRICTED = {
    "sectors": [{"scheme": "nace-2.1", "code": "62.10"}],
    "products": ["847130"],
    "target_countries": ["DE"],
    "service_areas": ["UKJ4"],
    "languages": ["nl-BE"],
    "channels": ["online"],
    "audience": {"sizes": ["micro"], "experience": ["indirect"]},
}
OTHER = {
    "sectors": [{"scheme": "nace-2.1", "code": "10.11"}],
    "products": ["0101"],
    "target_countries": ["FR"],
    "service_areas": ["FRD1"],
    "languages": ["fr"],
    "channels": ["phone"],
    "audience": {"sizes": ["large"], "experience": ["regular"]},
}

FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"open", "restricted", "other"}),
    ({"partner": [KENT]}, {"open", "restricted"}),
    ({"partner": [KENT, NORMANDY]}, {"open", "restricted", "other"}),
    ({"partner": ["nobody"]}, set()),
    ({"partner": []}, {"open", "restricted", "other"}),
    ({"network": ["south-east"]}, {"open", "restricted"}),
    ({"network": ["normandy", "south-east"]}, {"open", "restricted", "other"}),
    ({"network": ["nowhere"]}, set()),
    ({"serviceType": ["GRANT"]}, {"other"}),
    ({"serviceType": ["TRADE_MISSION", "GRANT"]}, {"other", "restricted"}),
    ({"status": ["TEMPORARILY_CLOSED"]}, {"restricted"}),
    ({"status": ["ACTIVE"]}, {"open", "other"}),
    ({"pathwayStep": ["MARKET_SELECTION"]}, {"restricted"}),
    ({"sector": ["62.10"]}, {"open", "restricted"}),
    ({"sector": ["62.1"]}, {"open", "restricted"}),
    ({"sector": ["62"]}, {"open", "restricted"}),
    ({"sector": ["62.2"]}, {"open"}),
    ({"sector": ["62", "10"]}, {"open", "restricted", "other"}),
    ({"product": ["847130"]}, {"open", "restricted"}),
    ({"product": ["8471"]}, {"open", "restricted"}),
    ({"product": ["84"]}, {"open", "restricted"}),
    ({"product": ["01"]}, {"open", "other"}),
    ({"country": ["DE"]}, {"open", "restricted"}),
    ({"area": ["UKJ4"]}, {"open", "restricted"}),
    ({"area": ["UKJ"]}, {"open", "restricted"}),
    ({"area": ["UK"]}, {"open", "restricted"}),
    ({"area": ["GB"]}, {"open", "restricted"}),
    ({"area": ["FR"]}, {"open", "other"}),
    ({"language": ["nl-BE"]}, {"open", "restricted"}),
    ({"language": ["NL"]}, {"open", "restricted"}),
    ({"language": ["de"]}, {"open"}),
    ({"channel": ["online"]}, {"open", "restricted"}),
    ({"delivery": ["DIGITAL"]}, {"restricted"}),
    ({"delivery": ["DIGITAL", "BOTH"]}, {"restricted", "other"}),
    ({"reach": ["EUROPEAN"]}, {"restricted"}),
    ({"experience": ["INDIRECT"]}, {"open", "restricted"}),
    ({"size": ["MICRO"]}, {"open", "restricted"}),
    ({"size": ["LARGE"]}, {"open", "other"}),
    ({"capacity": ["NO_CAPACITY"]}, {"restricted"}),
    ({"free": True}, {"restricted"}),
    ({"free": False}, {"other"}),
    ({"updatedAfter": "2026-11-21T09:00:00Z"}, {"restricted", "other"}),
    ({"updatedAfter": "2026-11-22T10:00:00+01:00"}, {"other"}),
    ({"sector": ["62"], "free": True}, {"restricted"}),
    ({"sector": ["62"], "partner": [NORMANDY]}, set()),
]


@pytest.fixture
async def filled(world: World) -> World:
    """Three services: open to all, restricted in every respect, restricted otherwise."""
    await world.project(
        network("south-east"),
        network("normandy"),
        partner(KENT, "south-east"),
        partner(NORMANDY, "normandy", country="FR"),
        service("open", at=NOW - timedelta(days=2), **OPEN),
        service(
            "restricted",
            **RESTRICTED,
            service_type="trade-mission",
            status="temporarily-closed",
            pathway_step="market-selection",
            delivery="digital",
            reach="european",
            capacity={"status": "no-capacity"},
            cost_options=[{"option": {"en": "Seat"}, "amount": "0.00", "currency": "GBP"}],
        ),
        service(
            "other",
            by=NORMANDY,
            at=NOW + timedelta(microseconds=1),
            **OTHER,
            service_type="grant",
            delivery="both",
            cost_options=[{"option": {"en": "Fee"}, "amount": "10.00", "currency": "EUR"}],
        ),
    )
    return world


@pytest.mark.parametrize(("wanted", "found"), FILTERS, ids=[str(one[0]) for one in FILTERS])
async def test_filter_finds_what_meets_it_and_what_restricts_nothing(
    filled: World, wanted: dict[str, Any], found: set[str]
) -> None:
    assert set(await filled.found(filter=wanted)) == found


async def test_network_filter_finds_members_of_today_alone(filled: World) -> None:
    before = partner(KENT, "south-east")
    ended = before.memberships[0].model_copy(update={"to": NOW.date() - timedelta(days=1)})
    await filled.project(before.model_copy(update={"memberships": [ended]}))
    assert await filled.found(filter={"network": ["south-east"]}) == []
    assert len(await filled.found()) == 3


async def test_a_changed_service_is_found_by_its_new_codes_alone(filled: World) -> None:
    await filled.project(service("restricted", sectors=[{"scheme": "nace-2.1", "code": "10.11"}]))
    assert await filled.found(filter={"sector": ["62"], "partner": [KENT]}) == ["open"]
    assert "restricted" in await filled.found(filter={"sector": ["10"]})


async def test_unknown_enum_values_and_members_are_refused(filled: World) -> None:
    for bad in ("{delivery: [PIGEON]}", '{colour: "red"}', '{updatedAfter: "yesterday"}', "{free: 1}"):
        answer = await filled.ask(f"{{ services(filter: {bad}) {{ totalCount }} }}")
        assert "data" not in answer
        assert answer["errors"]


async def test_a_partner_unknown_to_the_registry_still_shows_its_services(world: World) -> None:
    await world.project(service("early", by=EEN))
    data = await world.data("{ services { nodes { partner { slug name country status } } } }")
    assert data["services"]["nodes"][0]["partner"] == {
        "slug": EEN,
        "name": EEN,
        "country": "ZZ",
        "status": "ACTIVE",
    }
