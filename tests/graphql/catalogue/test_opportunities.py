"""Opportunities: filters, pages, fields."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.graphql.catalogue.world import EEN, KENT, TODAY, World, all_pages, opportunity, partner

FIND = """query Find(
  $filter: OpportunityFilter, $search: String, $first: Int, $after: String, $language: String
) {
  opportunities(filter: $filter, search: $search, first: $first, after: $after, language: $language) {
    totalCount version nodes { id reference title } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}"""


@pytest.fixture
async def filled(world: World) -> World:
    """Four profiles that differ in every respect that filters know."""
    await world.project(
        partner(EEN),
        opportunity("plain", published_on=TODAY - timedelta(days=3)),
        opportunity(
            "closed",
            by=KENT,
            published_on=TODAY - timedelta(days=2),
            open_for_interest=False,
            country="FR",
            opportunity_type="research-request",
            sectors=[{"scheme": "nace-2.1", "code": "62.10"}],
        ),
        opportunity(
            "late",
            published_on=TODAY - timedelta(days=1),
            deadline=(TODAY - timedelta(days=1)).isoformat(),
            sectors=[{"scheme": "nace-2.1", "code": "10.11"}],
        ),
        opportunity(
            "today",
            deadline=TODAY.isoformat(),
            country="PL",
            title={"en": "Été in Poland", "pl": "Lato"},
            sectors=[{"scheme": "nace-2.0", "code": "62.01"}],
        ),
    )
    return world


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (None, ["today", "late", "closed", "plain"]),
        ({}, ["today", "late", "closed", "plain"]),
        ({"partner": [KENT]}, ["closed"]),
        ({"opportunityType": ["RESEARCH_REQUEST", "TECHNOLOGY_OFFER"]}, ["closed"]),
        ({"opportunityType": []}, ["today", "late", "closed", "plain"]),
        ({"country": ["FR", "PL"]}, ["today", "closed"]),
        ({"sector": ["62"]}, ["today", "closed", "plain"]),
        ({"sector": ["10.1"]}, ["late", "plain"]),
        ({"open": True}, ["today", "plain"]),
        ({"open": False}, ["late", "closed"]),
        ({"open": None}, ["today", "late", "closed", "plain"]),
        ({"open": True, "country": ["PL"]}, ["today"]),
    ],
)
async def test_filter_finds_what_meets_it_the_latest_first(
    filled: World, wanted: dict[str, Any] | None, found: list[str]
) -> None:
    page = (await filled.data(FIND, {"filter": wanted}))["opportunities"]
    assert [node["reference"] for node in page["nodes"]] == found
    assert page["totalCount"] == len(found)


async def test_search_finds_words_in_titles_first(filled: World) -> None:
    await filled.project(opportunity("text", title={"en": "Other"}, summary={"en": "From Poland, ete."}))
    page = (await filled.data(FIND, {"search": "ETE poland"}))["opportunities"]
    assert [node["reference"] for node in page["nodes"]] == ["today", "text"]


@pytest.mark.parametrize("search", [None, "firm"])
@pytest.mark.parametrize("first", [1, 3, 100])
async def test_pages_lead_through_every_opportunity_once(
    world: World, first: int, search: str | None
) -> None:
    await world.project(
        *(opportunity(f"{n:02}", published_on=TODAY - timedelta(days=n % 4)) for n in range(14))
    )
    pages = await all_pages(world, FIND, "opportunities", first=first, search=search)
    ids = [id_ for page in pages for id_ in page]
    assert len(set(ids)) == len(ids) == 14


async def test_bad_cursors_and_page_lengths_are_refused(filled: World) -> None:
    cursor = (await filled.data(FIND, {"first": 1}))["opportunities"]["pageInfo"]["endCursor"]
    assert (await filled.refused(FIND, after=cursor, search="firm"))["code"] == "payload.invalid"
    assert (await filled.refused(FIND, after="x"))["code"] == "payload.invalid"
    assert (await filled.refused(FIND, first=101))["code"] == "payload.invalid"


async def test_every_field_gives_what_was_published(world: World) -> None:
    await world.project(
        partner(EEN),
        opportunity(
            "BO-1",
            title={"en": "Machines", "pl": "Maszyny"},
            summary={"pl": "Krótko"},
            description={"en": "Long"},
            target_countries=["GB"],
            sectors=[{"scheme": "nace-2.1", "code": "28"}],
            deadline="2027-01-31",
            url="https://example.org/bo-1",
            extensions={"pod": 1},
        ),
    )
    document = """{ opportunities(language: "pl") { nodes {
      id reference partner { slug } opportunityType title english: title(language: "en") summary description
      country targetCountries sectors { code } openForInterest publishedOn expiresOn deadline url extensions
      version contentHash feed
    } } }"""
    assert (await world.data(document))["opportunities"]["nodes"] == [
        {
            "id": opportunity("BO-1").id,
            "reference": "BO-1",
            "partner": {"slug": EEN},
            "opportunityType": "BUSINESS_OFFER",
            "title": "Maszyny",
            "english": "Machines",
            "summary": "Krótko",
            "description": "Long",
            "country": "DE",
            "targetCountries": ["GB"],
            "sectors": [{"code": "28"}],
            "openForInterest": True,
            "publishedOn": "2026-11-22",
            "expiresOn": "2027-11-22",
            "deadline": "2027-01-31",
            "url": "https://example.org/bo-1",
            "extensions": {"pod": 1},
            "version": 2,
            "contentHash": "1" * 64,
            "feed": f"/partners/{EEN}/feed",
        }
    ]
