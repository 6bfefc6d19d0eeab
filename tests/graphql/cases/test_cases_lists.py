"""Pages of referrals and firms: order, cursors, filters, search."""

from __future__ import annotations

import base64
from typing import Any

import pytest

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
)

KENT, NORMANDY = partner("kent"), partner("normandy")
PAGE = """query($first: Int, $after: String, $filter: ReferralFilter) {
  referrals(first: $first, after: $after, filter: $filter) { totalCount version
    edges { cursor node { id updatedAt version } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""
FIRMS = """query($search: String, $first: Int, $after: String) {
  smes(search: $search, first: $first, after: $after) { totalCount nodes { id name }
    edges { cursor } pageInfo { hasNextPage endCursor } } }"""


async def seven(world: World) -> list[str]:
    """Seven cases of seven firms; their ids, the newest first."""
    ids = []
    for number in range(7):
        id_ = uuid("case", str(number))
        firm = f"N{number}"
        await world.accept(KENT, registered(firm), consented(firm, "normandy"))
        await world.accept(KENT, requested(firm, id_, to="normandy"))
        ids.insert(0, id_)
    await world.settle()
    return ids


@pytest.mark.parametrize("first", [1, 2, 3, 7, 100])
async def test_pages_show_every_referral_once_newest_update_first(world: World, first: int) -> None:
    ids = await seven(world)
    seen: list[str] = []
    after = None
    while True:
        page = (await world.ask(NORMANDY, PAGE, first=first, after=after))["referrals"]
        assert page["totalCount"] == 7
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        assert page["pageInfo"]["startCursor"] == page["edges"][0]["cursor"]
        seen += [one["node"]["id"] for one in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == ids


async def test_change_moves_a_referral_to_the_top_and_gives_it_a_new_version(world: World) -> None:
    ids = await seven(world)
    before = (await world.ask(NORMANDY, PAGE))["referrals"]
    (seq,) = await world.post(NORMANDY, event("referral.accepted", ids[-1]))
    page = (await world.ask(NORMANDY, PAGE))["referrals"]
    assert [one["node"]["id"] for one in page["edges"]] == [ids[-1], *ids[:-1]]
    assert page["edges"][0]["node"]["version"] == page["version"] == seq > before["version"]
    following = (await world.ask(NORMANDY, PAGE, after=page["edges"][0]["cursor"]))["referrals"]
    assert [one["node"]["id"] for one in following["edges"]] == ids[:-1]


async def test_referrals_of_one_moment_are_not_lost_between_pages(world: World) -> None:
    for number in ("A", "B", "C"):
        moment = world.now
        await world.accept(KENT, registered(number), consented(number, "normandy"))
        await world.accept(KENT, requested(number, uuid(f"same moment {number}"), to="normandy"))
        world.now = moment
    await world.settle()
    query = """query($after: String) { referrals(first: 1, after: $after) {
      nodes { sme { id } updatedAt } pageInfo { hasNextPage endCursor } } }"""
    after, firms, times = None, [], set()
    for _ in range(3):
        page = (await world.ask(NORMANDY, query, after=after))["referrals"]
        firms.append(page["nodes"][0]["sme"]["id"])
        times.add(page["nodes"][0]["updatedAt"])
        after = page["pageInfo"]["endCursor"]
    assert (sorted(firms), len(times)) == (sorted(firm_id(number) for number in "ABC"), 1)
    assert not page["pageInfo"]["hasNextPage"]


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ({"state": ["ACCEPTED", "REJECTED"]}, [1]),
        ({"state": []}, [0, 1, 2, 3, 4, 5, 6]),
        ({"role": "OWNER"}, [0, 1, 2, 3, 4, 5, 6]),
        ({"role": "REQUESTER"}, []),
        ({"role": "REQUESTER", "partner": ["kent"]}, [0, 1, 2, 3, 4, 5, 6]),
        ({"partner": ["nobody", "kent"], "state": ["ACCEPTED"]}, [1]),
        ({"network": [NORTH]}, [0, 1, 2, 3, 4, 5, 6]),
        ({"service": uuid("no service")}, []),
        ({"sme": firm_id("N3")}, [3]),
        ({"sme": "no uuid at all"}, []),
        ({"updatedAfter": "2027-01-01T00:00:00Z"}, []),
        ({"updatedAfter": "2026-01-01T00:00:00+01:00"}, [0, 1, 2, 3, 4, 5, 6]),
    ],
)
async def test_filter_members_are_and_their_values_or(
    world: World, filter: dict[str, Any], found: list[int]
) -> None:
    await seven(world)
    await world.post(NORMANDY, event("referral.accepted", uuid("case", "1")))
    page = (await world.ask(NORMANDY, PAGE, filter=filter))["referrals"]
    expected = {uuid("case", str(number)) for number in found}
    assert {one["node"]["id"] for one in page["edges"]} == expected
    assert page["totalCount"] == len(expected)


async def test_updated_after_leaves_out_that_very_moment(world: World) -> None:
    await seven(world)
    page = (await world.ask(NORMANDY, PAGE))["referrals"]
    moment = page["edges"][2]["node"]["updatedAt"]
    later = (await world.ask(NORMANDY, PAGE, filter={"updatedAfter": moment}))["referrals"]
    assert later["totalCount"] == 2


@pytest.mark.parametrize("field", ["referrals", "smes", "ledger"])
@pytest.mark.parametrize("arguments", ["first: 0", "first: 101", "first: -1", 'after: "x"', 'after: ""'])
async def test_page_that_cannot_be_is_refused(world: World, field: str, arguments: str) -> None:
    answer = await world.graphql(KENT, f"{{ {field}({arguments}) {{ totalCount }} }}")
    assert answer["errors"][0]["extensions"]["code"] == "payload.invalid"


@pytest.mark.parametrize(
    "field", ["referral(id: $text) { id }", "sme(id: $text) { id }", "roadmap(id: $text) { id }"]
)
@pytest.mark.parametrize("text", ["", "é" * 3_000, "%", "' OR 1=1 --"])
async def test_id_of_no_known_form_finds_nothing(world: World, field: str, text: str) -> None:
    found = await world.ask(KENT, f"query($text: ID!) {{ {field} }}", text=text)
    assert list(found.values()) == [None]


async def test_cursor_of_another_list_is_refused(world: World) -> None:
    await seven(world)
    cursor = (await world.ask(KENT, PAGE))["referrals"]["pageInfo"]["endCursor"]
    answer = await world.graphql(KENT, FIRMS, after=cursor)
    assert answer["errors"][0]["extensions"]["code"] == "payload.invalid"


async def test_firms_come_latest_registration_first_on_every_page_once(world: World) -> None:
    await seven(world)
    seen, after = [], None
    while True:
        page = (await world.ask(NORMANDY, FIRMS, first=3, after=after))["smes"]
        assert page["totalCount"] == 7
        seen += [one["name"] for one in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [f"Firm N{number}" for number in reversed(range(7))]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("societe", ["Société Générale d’Été"]),
        ("ÉTÉ société", ["Société Générale d’Été"]),
        ("firm", ["Firm N2"]),
        ("firm ete", []),
        ("  ", ["Firm N2", "Société Générale d’Été"]),
        ("%", []),
    ],
)
async def test_search_finds_firms_by_every_word_of_their_name(
    world: World, search: str, found: list[str]
) -> None:
    await world.post(KENT, registered("N1", name="Société Générale d’Été"), registered("N2"))
    page = (await world.ask(KENT, FIRMS, search=search))["smes"]
    assert [one["name"] for one in page["nodes"]] == found
    assert page["totalCount"] == len(found)
    assert (await world.ask(NORMANDY, FIRMS, search=search))["smes"]["totalCount"] == 0


async def test_answers_name_no_surrogate(world: World) -> None:
    await seven(world)
    surrogates = await world.store.inspect(
        lambda conn: list(conn.exec_driver_sql("SELECT surrogate FROM subject_key").scalars())
    )
    assert len(surrogates) >= 7
    referral = """query($id: ID!) { referral(id: $id) { id message needs sme { id name referrals { id } }
      timeline { subject type } } referrals { edges { cursor } } smes { edges { cursor } }
      ledger(first: 100) { edges { cursor } nodes { subject } } }"""
    for caller in (KENT, NORMANDY, manager(NORTH)):
        answer = await world.ask(caller, referral, id=uuid("case", "1"))
        cursors = [
            base64.urlsafe_b64decode(edge["cursor"] + "==").decode()
            for name in ("referrals", "smes", "ledger")
            for edge in answer[name]["edges"]
        ]
        text = str(answer) + str(cursors)
        assert not [one for one in surrogates if one in text]
