"""Pages, sorts and cursors of services."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest

from hub.store.pages import encode_cursor
from tests.graphql.catalogue.world import KENT, NOW, World, all_pages, partner, service

PAGES = """query Pages($sort: ServiceSort, $first: Int, $after: String, $search: String) {
  services(sort: $sort, first: $first, after: $after, search: $search) {
    totalCount version nodes { id ownId } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
SORTS = ["RELEVANCE", "NAME", "FRESHNESS", "DEADLINE", None]


@pytest.fixture
async def filled(world: World) -> World:
    """23 services with many equal names, times and deadlines."""
    await world.project(
        partner(KENT),
        *(
            service(
                f"{number:02}",
                at=NOW - timedelta(hours=number % 3),
                name={"en": f"Export {'trip' if number % 2 else 'talk'}"},
                valid_to=None if number % 4 == 0 else f"2027-0{number % 4}-01",
            )
            for number in range(23)
        ),
    )
    return world


@pytest.mark.parametrize("search", [None, "export", "trip help"])
@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("first", [1, 4, 23, 100])
async def test_pages_lead_through_every_service_once(
    filled: World, sort: str | None, first: int, search: str | None
) -> None:
    pages = await all_pages(filled, PAGES, "services", sort=sort, first=first, search=search)
    ids = [id_ for page in pages for id_ in page]
    whole = (await filled.data(PAGES, {"sort": sort, "first": 100, "search": search}))["services"]
    assert ids == [node["id"] for node in whole["nodes"]]
    assert len(set(ids)) == len(ids) == whole["totalCount"] == (11 if search == "trip help" else 23)
    assert all(len(page) == first for page in pages[:-1])


async def test_page_info_and_edges_tell_where_a_page_stands(filled: World) -> None:
    start = (await filled.data(PAGES, {"first": 10}))["services"]
    assert start["pageInfo"]["hasNextPage"] is True
    assert start["pageInfo"]["hasPreviousPage"] is False
    assert start["pageInfo"]["startCursor"] == start["edges"][0]["cursor"]
    assert start["pageInfo"]["endCursor"] == start["edges"][-1]["cursor"]
    assert [edge["node"]["id"] for edge in start["edges"]] == [node["id"] for node in start["nodes"]]
    rest = (await filled.data(PAGES, {"first": 100, "after": start["edges"][4]["cursor"]}))["services"]
    assert rest["pageInfo"]["hasNextPage"] is False
    assert rest["pageInfo"]["hasPreviousPage"] is True
    assert len(rest["nodes"]) == 18
    assert rest["totalCount"] == 23


async def test_an_empty_page_has_no_cursors(world: World) -> None:
    page = (await world.data(PAGES))["services"]
    assert page["nodes"] == page["edges"] == []
    assert page["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
    assert page["version"] == 0


async def test_version_is_the_position_of_the_projection(filled: World) -> None:
    assert (await filled.data(PAGES))["services"]["version"] == 24
    await filled.project(service("new"))
    assert (await filled.data(PAGES))["services"]["version"] == 25


async def test_sorts_order_as_they_say(world: World) -> None:
    await world.project(
        service("b", name={"en": "beta"}, at=NOW, valid_to="2027-01-01"),
        service("a", name={"en": "Álpha"}, at=NOW - timedelta(days=1)),
        service("c", name={"en": "gamma"}, at=NOW - timedelta(microseconds=1), valid_to="2026-12-01"),
    )
    assert await world.found(sort="NAME") == ["a", "b", "c"]
    assert await world.found() == ["a", "b", "c"]
    assert await world.found(sort="FRESHNESS") == ["b", "c", "a"]
    assert await world.found(sort="DEADLINE") == ["c", "b", "a"]


async def test_a_withdrawal_between_pages_loses_nothing_else(filled: World) -> None:
    first = (await filled.data(PAGES, {"first": 5, "sort": "NAME"}))["services"]
    await filled.project(service(first["nodes"][-1]["ownId"], withdrawn=True))
    after = first["pageInfo"]["endCursor"]
    rest = (await filled.data(PAGES, {"first": 100, "sort": "NAME", "after": after}))["services"]
    assert len(rest["nodes"]) == 18


def _cursor(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "after",
    [
        "",
        "x",
        "%%%",
        "é",
        "a" * 100_000,
        _cursor("NAME"),
        _cursor({"NAME": 1}),
        _cursor(["NAME"]),
        _cursor(["NAME", 1, 2]),
        _cursor(["NAME", "a", None]),
        _cursor(["NAME", "a", "b", "c"]),
        _cursor(["NAME", ["a"], "b"]),
        base64.urlsafe_b64encode(b"[" * 3_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        encode_cursor("FRESHNESS", ["2026", "id"]),
    ],
)
async def test_a_cursor_that_is_not_of_this_list_is_refused(filled: World, after: str) -> None:
    extensions = await filled.refused(PAGES, after=after, sort="NAME")
    assert extensions["code"] == "payload.invalid"
    assert "endCursor" in extensions["remedy"]


async def test_a_rank_beyond_the_numbers_of_a_database_is_refused(filled: World) -> None:
    after = _cursor(["RELEVANCE", 10**30, "a", "b"])
    assert (await filled.refused(PAGES, after=after, search="export"))["code"] == "payload.invalid"


@pytest.mark.parametrize("sort", ["FRESHNESS", "DEADLINE"])
async def test_a_cursor_of_another_sort_is_refused(filled: World, sort: str) -> None:
    after = (await filled.data(PAGES, {"first": 2, "sort": "NAME"}))["services"]["pageInfo"]["endCursor"]
    assert (await filled.refused(PAGES, after=after, sort=sort))["code"] == "payload.invalid"


@pytest.mark.parametrize("first", [0, -1, 101, 2_147_483_647])
async def test_pages_have_1_to_100_nodes(filled: World, first: int) -> None:
    assert (await filled.refused(PAGES, first=first))["code"] == "payload.invalid"


async def test_first_may_be_null_and_is_20_then(filled: World) -> None:
    data = await filled.data("{ services(first: null) { nodes { id } } }")
    assert len(data["services"]["nodes"]) == 20
