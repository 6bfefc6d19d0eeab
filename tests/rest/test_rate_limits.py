"""A partner's quota over HTTP: refused with the time to wait, and told before it is used up."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.messages import KENT, Message, body, partner, service
from tests.support.serving import Served, Session, serving

KENTS = partner(KENT)
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
ME = {
    "query": "{ me { quota { eventsPerSecond eventsLeft bytesPerSecond bytesLeft costPerSecond costLeft } } }"
}
MIB = 1024**2


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Served]:
    """A hub that lets each partner post one event a second, and a burst of one whole batch."""
    with serving(tmp_path / "hub", quota_events_per_s=1, quota_bytes_per_s=MIB) as served:
        yield served


@pytest.fixture
def generous(tmp_path: Path) -> Iterator[Served]:
    """A hub without quotas."""
    unlimited = {"quota_events_per_s": 0, "quota_bytes_per_s": 0, "quota_cost_per_s": 0}
    with serving(tmp_path / "hub", public_cost_per_s=0, **unlimited) as served:
        yield served


def batch(size: int, name: str) -> list[Message]:
    return [service(KENTS, f"{name}-{n}") for n in range(size)]


def items(header: str) -> dict[str, dict[str, str]]:
    """Items of a list of structured fields: parameters by name."""
    found = {}
    for item in header.split(", "):
        name, *parameters = item.split(";")
        assert re.fullmatch(r'"[a-z]+"', name)
        found[name.strip('"')] = dict(one.split("=") for one in parameters)
    return found


async def accepted(served: Served) -> int:
    async with httpx.AsyncClient(base_url=served.base_url) as http:
        return int((await http.get("/readyz")).json()["accepted"])


async def test_what_is_over_the_quota_is_refused_until_the_time_that_is_told(hub: Served) -> None:
    async with Session(hub) as session:
        first = await session.post(KENT, body(batch(990, "first")), headers=BATCH)
        assert first.status_code == 202
        before = await accepted(hub)
        answer = await session.post(KENT, body(batch(100, "second")), headers=BATCH)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (429, "quota.exceeded")
        assert 75 <= int(answer.headers["retry-after"]) <= 90
        assert f"after {answer.headers['retry-after']} s" in problem["remedy"]
        assert await accepted(hub) == before
        assert (await session.post(KENT, service(KENTS, "small"))).status_code == 202


async def test_headers_tell_the_quota_and_what_is_left_of_it(hub: Served) -> None:
    async with Session(hub) as session:
        sent = body(batch(700, "one"))
        answer = await session.post(KENT, sent, headers=BATCH)
        policy, left = items(answer.headers["ratelimit-policy"]), items(answer.headers["ratelimit"])
        assert policy["events"] == {"q": "1000", "w": "1000"}
        assert policy["bytes"] == {"q": str(10 * MIB), "w": "10", "qu": '"content-bytes"'}
        assert 300 <= int(left["events"]["r"]) <= 320
        assert 680 <= int(left["events"]["t"]) <= 700
        assert 10 * MIB - len(sent) <= int(left["bytes"]["r"]) <= 10 * MIB
        refused = await session.post(KENT, body(batch(400, "two")), headers=BATCH)
        assert refused.status_code == 429
        assert items(refused.headers["ratelimit"])["events"]["r"] == left["events"]["r"]


async def test_bytes_count_also_when_nothing_can_be_made_of_them(hub: Served) -> None:
    async with Session(hub) as session:
        nonsense = b" " * (4 * MIB)
        answers = [await session.post(KENT, nonsense, headers=BATCH) for _ in range(3)]
        codes = [(one.status_code, one.json()["code"]) for one in answers]
        assert codes[:2] == [(400, "event.malformed")] * 2
        assert codes[2] == (429, "quota.exceeded")
        assert 1 <= int(answers[2].headers["retry-after"]) <= 2


async def test_a_partner_sees_its_quota_in_graphql_and_nobody_else_has_the_field(hub: Served) -> None:
    async with Session(hub) as session:
        await session.post(KENT, body(batch(600, "one")), headers=BATCH)
        token = await session.headers(KENT)
        data = (await session.http.post("/graphql", json=ME, headers=token)).json()["data"]
        quota = data["me"]["quota"]
        assert (quota["eventsPerSecond"], quota["bytesPerSecond"]) == (1, MIB)
        assert 400 <= quota["eventsLeft"] <= 420
        assert quota["bytesLeft"] <= 10 * MIB
        answer = (await session.http.post("/graphql", json=ME)).json()
        assert "quota" in answer["errors"][0]["message"]


async def test_without_quotas_nothing_is_told_of_them(generous: Served) -> None:
    async with Session(generous) as session:
        answer = await session.post(KENT, service(KENTS))
        assert answer.status_code == 202
        assert not {"ratelimit", "ratelimit-policy"} & answer.headers.keys()
        token = await session.headers(KENT)
        data = (await session.http.post("/graphql", json=ME, headers=token)).json()["data"]
        assert set(data["me"]["quota"].values()) == {None}
