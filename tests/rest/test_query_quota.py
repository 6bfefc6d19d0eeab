"""What queries cost is charged: to the client or, without a token, to the address; others go on."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.graphql.router import INVALID_COST, REQUEST_COST
from tests.support.messages import KENT
from tests.support.serving import MANAGER, Served, Session, serving

DEAR = {"query": "query($n: Int) { services(first: $n) { nodes { id name serviceType } } }"}
CHEAP = {"query": "{ me { audience } }"}
COST_OF_A_HUNDRED = REQUEST_COST + 1 + 1 + 100 * 3


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    """A hub that lets each client, and each public address, ask for one field a second."""
    with serving(
        tmp_path / "hub", quota_cost_per_s=1, public_cost_per_s=1, trusted_proxies="127.0.0.1"
    ) as served:
        yield served


def dear(first: int) -> dict[str, object]:
    return {**DEAR, "variables": {"n": first}}


async def use_up(session: Session, headers: dict[str, str]) -> httpx.Response:
    """Ask until the answer is a no; that answer."""
    for _ in range(80):
        answer = await session.http.post("/graphql", json=dear(100), headers=headers)
        if answer.status_code != 200:
            return answer
    raise AssertionError("the quota has no end")


async def test_a_client_that_used_up_its_quota_is_told_when_to_come_back(hub: Served) -> None:
    async with Session(hub) as session:
        headers = await session.headers(KENT)
        answer = await use_up(session, headers)
        [error] = answer.json()["errors"]
        assert (answer.status_code, error["extensions"]["code"]) == (429, "quota.exceeded")
        assert 1 <= int(answer.headers["retry-after"]) == error["extensions"]["retryAfter"] <= 400
        assert answer.headers["cache-control"] == "no-store"
        assert '"cost";r=' in answer.headers["ratelimit"]


async def test_another_client_and_the_public_go_on(hub: Served) -> None:
    async with Session(hub) as session:
        await use_up(session, await session.headers(KENT))
        assert (await session.http.post("/graphql", json=dear(100))).status_code == 200
        manager = await session.headers(MANAGER)
        assert (await session.http.post("/graphql", json=dear(100), headers=manager)).status_code == 200


async def test_public_addresses_are_charged_one_by_one(hub: Served) -> None:
    async with Session(hub) as session:
        one = {"X-Forwarded-For": "192.0.2.1, 198.51.100.1"}
        assert (await use_up(session, one)).status_code == 429
        # Another address that it claims to come from helps nobody: our proxy's word is the last one.
        same = {"X-Forwarded-For": "192.0.2.2, 198.51.100.1"}
        assert (await session.http.post("/graphql", json=dear(100), headers=same)).status_code == 429
        other = {"X-Forwarded-For": "192.0.2.1, 198.51.100.2"}
        assert (await session.http.post("/graphql", json=dear(100), headers=other)).status_code == 200


async def test_cost_follows_from_the_length_of_pages_that_variables_ask_for(hub: Served) -> None:
    async with Session(hub) as session:
        headers = await session.headers(KENT)

        async def left(body: dict[str, object]) -> int:
            answer = await session.http.post("/graphql", json=body, headers=headers)
            return int(answer.headers["ratelimit"].split('"cost";r=')[1].split(";")[0])

        begun_s = time.monotonic()
        before = await left(CHEAP)
        after = await left(dear(100))
        back = math.ceil(time.monotonic() - begun_s)
        assert COST_OF_A_HUNDRED - back <= before - after <= COST_OF_A_HUNDRED
        assert after - await left(dear(1)) <= REQUEST_COST + 5


async def test_a_document_that_is_not_valid_costs_its_validation(hub: Served) -> None:
    async with Session(hub) as session:
        answers = [await session.http.post("/graphql", json={"query": f"{{ n{n} }}"}) for n in range(46)]
    statuses = [answer.status_code for answer in answers]
    allowed = 20_000 // (REQUEST_COST + INVALID_COST)
    assert statuses[:allowed] == [200] * allowed
    assert statuses[-1] == 429


async def test_a_client_without_a_partner_has_a_quota_of_its_own(hub: Served) -> None:
    query = {"query": "{ me { quota { costPerSecond costLeft eventsPerSecond } } }"}
    async with Session(hub) as session:
        answer = await session.http.post("/graphql", json=query, headers=await session.headers(MANAGER))
    quota = answer.json()["data"]["me"]["quota"]
    assert quota["costPerSecond"] == 1
    assert 19_000 <= quota["costLeft"] < 20_000
