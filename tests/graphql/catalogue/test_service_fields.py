"""What the fields of a service say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.domain.services import Capacity, Origin
from hub.graphql.scalars import pick
from tests.graphql.catalogue.world import KENT, NOW, World, partner, service

FULL: dict[str, Any] = {
    "name": {"fr": "Atelier", "en": "Workshop", "nl-BE": "Werkwinkel"},
    "description": {"fr": "Apprendre."},
    "service_type": "trade-mission",
    "organization": {
        "name": "Kent County Council",
        "identifiers": [{"identifier_scheme": "GB-COH", "identifier": "01234567"}],
    },
    "pathway_step": "business-plan",
    "delivery": "both",
    "reach": "international",
    "trade": ["export"],
    "sectors": [{"scheme": "nace-2.1", "code": "62.10"}],
    "products": ["847130"],
    "target_countries": ["DE"],
    "service_areas": ["UKJ4"],
    "languages": ["en"],
    "audience": {"sizes": ["micro"], "experience": ["none"]},
    "channels": ["online"],
    "url": "https://example.org/service",
    "application_url": "https://example.org/apply",
    "email": "export@example.org",
    "cost_options": [{"option": {"en": "Seat", "fr": "Place"}, "amount": "75000.10", "currency": "EUR"}],
    "required_documents": [{"document": {"en": "Plan"}, "uri": "https://example.org/plan"}],
    "processing_time": "P10D",
    "capacity": {"status": "waitlist", "available": 0, "maximum": 20, "updated": "2026-11-01T10:00:00+01:00"},
    "funding_terms": [
        {
            "term": "max-award",
            "value": "0.50",
            "unit": "rate",
            "source": "https://example.org",
            "date": "2018-09-17",
        }
    ],
    "programme": "Impulsion Export",
    "policy_tags": ["selep-esif"],
    "valid_from": "2026-01-01",
    "valid_to": "2026-12-31",
    "assured_date": "2026-11-01",
    "extensions": {"deep": {"list": [1, 2.5, None, True, "é"]}},
}
EVERYTHING = """{ services { nodes {
  id ownId partner { slug name } organization { name identifiers { scheme code label } }
  name names { language text } description descriptions { language text }
  status serviceType pathwayStep delivery reach sectors { scheme code label } products { scheme code }
  targetCountries serviceAreas languages sizes experience channels trade extensions url applicationUrl email
  free costOptions { option(language: "fr") price { amount currency } }
  requiredDocuments { document(language: "fr") uri } processingTime
  capacity { status available maximum updated } fundingTerms { term value unit source date }
  programme policyTags validFrom validTo assuredDate stale updatedAt version contentHash feed
} } }"""


SHOWN = {
    "id": service("full").id,
    "ownId": "full",
    "partner": {"slug": KENT, "name": "Kent-International-Business"},
    "organization": {
        "name": "Kent County Council",
        "identifiers": [{"scheme": "GB-COH", "code": "01234567", "label": "01234567"}],
    },
    "name": "Workshop",
    "names": [
        {"language": "en", "text": "Workshop"},
        {"language": "fr", "text": "Atelier"},
        {"language": "nl-BE", "text": "Werkwinkel"},
    ],
    "description": "Apprendre.",
    "descriptions": [{"language": "fr", "text": "Apprendre."}],
    "status": "ACTIVE",
    "serviceType": "TRADE_MISSION",
    "pathwayStep": "BUSINESS_PLAN",
    "delivery": "BOTH",
    "reach": "INTERNATIONAL",
    "sectors": [{"scheme": "nace-2.1", "code": "62.10", "label": "Computer programming activities"}],
    "products": [{"scheme": "hs-2022", "code": "847130"}],
    "targetCountries": ["DE"],
    "serviceAreas": ["UKJ4"],
    "languages": ["en"],
    "sizes": ["MICRO"],
    "experience": ["NONE"],
    "channels": ["online"],
    "trade": ["export"],
    "extensions": {"deep": {"list": [1, 2.5, None, True, "é"]}},
    "url": "https://example.org/service",
    "applicationUrl": "https://example.org/apply",
    "email": "export@example.org",
    "free": False,
    "costOptions": [{"option": "Place", "price": {"amount": "75000.10", "currency": "EUR"}}],
    "requiredDocuments": [{"document": "Plan", "uri": "https://example.org/plan"}],
    "processingTime": "P10D",
    "capacity": {
        "status": "WAITLIST",
        "available": 0,
        "maximum": 20,
        "updated": "2026-11-01T09:00:00.000Z",
    },
    "fundingTerms": [
        {
            "term": "max-award",
            "value": "0.50",
            "unit": "rate",
            "source": "https://example.org",
            "date": "2018-09-17",
        }
    ],
    "programme": "Impulsion Export",
    "policyTags": ["selep-esif"],
    "validFrom": "2026-01-01",
    "validTo": "2026-12-31",
    "assuredDate": "2026-11-01",
    "stale": False,
    "updatedAt": "2026-11-22T09:00:00.000Z",
    "version": 2,
    "contentHash": "0" * 64,
    "feed": f"/partners/{KENT}/feed",
}


async def test_every_field_gives_what_was_published(world: World) -> None:
    await world.project(partner(KENT), service("full", **FULL))
    assert (await world.data(EVERYTHING))["services"]["nodes"] == [SHOWN]


async def test_what_was_left_out_is_null_or_empty(world: World) -> None:
    await world.project(service("bare"))
    node = (await world.data(EVERYTHING))["services"]["nodes"][0]
    for name in ("organization", "pathwayStep", "delivery", "reach", "extensions", "url", "free", "capacity"):
        assert node[name] is None, name
    for name in ("sectors", "sizes", "experience", "trade", "costOptions", "fundingTerms", "policyTags"):
        assert node[name] == [], name


TEXTS = {"fr": "F", "nl": "N", "en": "E", "pt-BR": "B"}


@pytest.mark.parametrize(
    ("texts", "language", "picked"),
    [
        (TEXTS, "fr", "F"),
        (TEXTS, "FR", "F"),
        (TEXTS, "fr-CA", "F"),
        (TEXTS, "pt-br", "B"),
        (TEXTS, "de", "E"),
        (TEXTS, None, "E"),
        ({"fr": "F", "nl": "N"}, "de", "F"),
        ({"nl": "N", "fr": "F"}, None, "N"),
    ],
)
def test_texts_come_in_the_language_its_base_english_or_the_first(
    texts: dict[str, str], language: str | None, picked: str
) -> None:
    assert pick(texts, language) == picked


async def test_language_of_the_list_holds_unless_a_field_asks_otherwise(world: World) -> None:
    await world.project(service("full", **FULL))
    data = await world.data(
        '{ services(language: "fr-BE") { nodes { name dutch: name(language: "nl-BE") } } }'
    )
    assert data["services"]["nodes"] == [{"name": "Atelier", "dutch": "Werkwinkel"}]


@pytest.mark.parametrize(
    ("changed_days_ago", "assured", "stale"),
    [
        (0, None, False),
        (365, None, False),
        (366, None, True),
        (0, "2025-11-22", False),
        (0, "2025-11-21", True),
        (500, "2026-11-01", False),
    ],
)
async def test_stale_is_what_nobody_assured_or_changed_for_a_year(
    world: World, changed_days_ago: int, assured: str | None, stale: bool
) -> None:
    await world.project(service("one", at=NOW - timedelta(days=changed_days_ago), assured_date=assured))
    assert (await world.data("{ services { nodes { stale } } }"))["services"]["nodes"] == [{"stale": stale}]


async def test_provenance_names_the_event_behind_each_value(world: World) -> None:
    later = NOW + timedelta(hours=1)
    published = service(
        "one", url="https://example.org", audience={"sizes": ["micro"]}, assured_date="2026-01-01"
    )
    changed = published.model_copy(
        update={
            "data": published.data.model_copy(update={"capacity": Capacity(status="capacity")}),
            "capacity_from": Origin(event_id="capacity-1", at=later),
            "assured_from": Origin(event_id="assured-1", at=later),
        }
    )
    await world.project(partner(KENT), changed)
    document = "{ services { nodes { provenance { field eventId at partner { slug } } } } }"
    entries = (await world.data(document))["services"]["nodes"][0]["provenance"]
    first, then = ("published-one", "2026-11-22T09:00:00.000Z"), "2026-11-22T10:00:00.000Z"
    assert {entry["field"]: (entry["eventId"], entry["at"]) for entry in entries} == {
        "ownId": first,
        "name": first,
        "description": first,
        "serviceType": first,
        "status": first,
        "sizes": first,
        "url": first,
        "capacity": ("capacity-1", then),
        "assuredDate": ("assured-1", then),
    }
    assert {entry["partner"]["slug"] for entry in entries} == {KENT}
