"""What is somebody else's costs what costs nothing at all: the hub does the same work, so time tells nothing.

Compared are the statements that answer, and not the clock: they are what a machine under load cannot blur.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.principal import Principal
from hub.store.engine import Store
from hub.store.exports import Export, export_firm
from hub.store.viewers import viewer_of
from tests.graphql.cases.test_cases_roadmaps import PLAN, agreed
from tests.graphql.cases.world import (
    NORTH,
    SOUTH,
    World,
    consented,
    firm_id,
    manager,
    partner,
    registered,
    requested,
    uuid,
)
from tests.support.statements import statements

KENT, NORMANDY = partner("kent"), partner("normandy")
STRANGERS = {"a partner": partner("molise"), "a manager": manager(SOUTH)}
CASE = uuid("case")
ASKED: dict[str, tuple[str, object, object]] = {
    "firm": ("query($id: ID!) { sme(id: $id) { name } }", firm_id("A"), firm_id("Z")),
    "cases of a firm": (
        "query($id: ID!) { referrals(filter: {sme: $id}) { totalCount } }",
        firm_id("A"),
        firm_id("Z"),
    ),
    "case": ("query($id: ID!) { referral(id: $id) { state } }", CASE, uuid("nothing")),
    "roadmap": ("query($id: ID!) { roadmap(id: $id) { version } }", PLAN, uuid("nothing")),
    "receipt": ("query($id: Int!) { receipt(seq: $id) { status } }", None, 4_711),
}
"""Query, id of somebody else's, id of nothing. None: the number of the request."""


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[tuple[World, int]]:
    """Kent and Normandy share a case and a roadmap; with the number of the request."""
    hub = World(tmp_path, store)
    await hub.open()
    asked = requested("A", CASE, to="normandy")
    *_, seq = await hub.post(KENT, registered("A"), consented("A", "normandy"), asked)
    await hub.post(NORMANDY, agreed("A"))
    yield hub, seq
    await hub.close()


@pytest.mark.parametrize(
    ("who", "what"),
    # Managers have no roadmaps: they do not hold diagnosis:read.
    [(who, what) for who in STRANGERS for what in ASKED if (who, what) != ("a manager", "roadmap")],
)
async def test_what_is_somebody_elses_is_looked_for_like_what_is_not_there(
    world: tuple[World, int], who: str, what: str
) -> None:
    hub, seq = world
    query, theirs, nothing = ASKED[what]
    stranger: Principal = STRANGERS[who]
    await hub.ask(stranger, query, id=nothing)  # Its first read says whose labels to expect.
    answers, work = [], []
    for id_ in (seq if theirs is None else theirs, nothing):
        with statements() as said:
            answers.append(await hub.ask(stranger, query, id=id_))
        work.append(said)
    assert answers[0] == answers[1]
    assert work[0] == work[1]
    assert work[0], "nothing was asked at all"


async def test_one_who_has_a_part_in_it_causes_other_work(world: tuple[World, int]) -> None:
    hub, _ = world
    query, theirs, nothing = ASKED["firm"]
    await hub.ask(NORMANDY, query, id=nothing)
    work = []
    for id_ in (theirs, nothing):
        with statements() as said:
            await hub.ask(NORMANDY, query, id=id_)
        work.append(said)
    assert work[0] != work[1]


EXPORTERS = {"a partner": partner("molise"), "a manager of another network": manager("another")}


@pytest.mark.parametrize("who", EXPORTERS)
async def test_a_copy_of_somebody_elses_firm_is_looked_for_like_one_of_no_firm(
    world: tuple[World, int], who: str
) -> None:
    hub, _ = world
    await exported(hub, EXPORTERS[who], "Z")  # Its first read says whose labels to expect.
    work = []
    for number in ("A", "Z"):
        with statements() as said:
            assert await exported(hub, EXPORTERS[who], number) is None
        work.append(said)
    assert work[0] == work[1]
    assert work[0], "nothing was asked at all"


@pytest.mark.parametrize(
    "exporter", [KENT, manager(NORTH), manager()], ids=["a partner", "a manager", "a manager of all"]
)
async def test_a_copy_is_found_by_those_who_may_have_it(
    world: tuple[World, int], exporter: Principal
) -> None:
    hub, _ = world
    found = await exported(hub, exporter, "A")
    assert found is not None
    assert found.wire_id == firm_id("A")


async def exported(hub: World, exporter: Principal, number: str) -> Export | None:
    """What a copy of the firm begins with."""
    return await hub.store.inspect(
        lambda conn: export_firm(conn, viewer_of(conn, exporter, hub.now), hub.vault, firm_id(number))
    )
