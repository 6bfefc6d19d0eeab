"""A partner's quota over HTTP: refused with the time to wait, and told before it is used up."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.messages import KENT, Message, body, partner, service
from tests.support.serving import Served, Session, serving
from tests.support.waiting import PATIENCE_S

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


@pytest.fixture
def mean(tmp_path: Path) -> Iterator[Served]:
    """A hub that lets each partner post one byte a second, and a burst of the largest body."""
    with serving(tmp_path / "hub", quota_bytes_per_s=1) as served:
        yield served


def batch(size: int, name: str) -> list[Message]:
    return [service(KENTS, f"{name}-{n}") for n in range(size)]


def back_since() -> Callable[[], int]:
    """Whole seconds since now, rounded up: what has come back of a quota of one a second, and no more."""
    begun_s = time.monotonic()
    return lambda: math.ceil(time.monotonic() - begun_s)


def items(header: str) -> dict[str, dict[str, str]]:
    """Items of a list of structured fields: parameters by name."""
    found = {}
    for item in header.split(", "):
        name, *parameters = item.split(";")
        assert re.fullmatch(r'"[a-z]+"', name)
        found[name.strip('"')] = dict(one.split("=") for one in parameters)
    return found


async def accepted(served: Served) -> int:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        return int((await http.get("/readyz")).json()["accepted"])


async def test_what_is_over_the_quota_is_refused_until_the_time_that_is_told(hub: Served) -> None:
    async with Session(hub) as session:
        since_s = back_since()
        first = await session.post(KENT, body(batch(990, "first")), headers=BATCH)
        assert first.status_code == 202
        before = await accepted(hub)
        answer = await session.post(KENT, body(batch(100, "second")), headers=BATCH)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (429, "quota.exceeded")
        assert 90 - since_s() <= int(answer.headers["retry-after"]) <= 90
        assert f"after {answer.headers['retry-after']} s" in problem["remedy"]
        assert await accepted(hub) == before
        assert (await session.post(KENT, service(KENTS, "small"))).status_code == 202


async def test_headers_tell_the_quota_and_what_is_left_of_it(hub: Served) -> None:
    async with Session(hub) as session:
        since_s, sent = back_since(), body(batch(700, "one"))
        answer = await session.post(KENT, sent, headers=BATCH)
        policy, left = items(answer.headers["ratelimit-policy"]), items(answer.headers["ratelimit"])
        assert policy["events"] == {"q": "1000", "w": "1000"}
        assert policy["bytes"] == {"q": str(10 * MIB), "w": "10", "qu": '"content-bytes"'}
        assert 300 <= int(left["events"]["r"]) <= 300 + since_s()
        assert 700 - since_s() <= int(left["events"]["t"]) <= 700
        assert 10 * MIB - len(sent) <= int(left["bytes"]["r"]) <= 10 * MIB
        refused = await session.post(KENT, body(batch(400, "two")), headers=BATCH)
        assert refused.status_code == 429
        still = int(items(refused.headers["ratelimit"])["events"]["r"])
        assert int(left["events"]["r"]) <= still <= 300 + since_s(), "a refusal takes nothing"


async def test_bytes_count_also_when_nothing_can_be_made_of_them(mean: Served) -> None:
    async with Session(mean) as session:
        nonsense, since_s = b" " * (4 * MIB), back_since()
        answers = [await session.post(KENT, nonsense, headers=BATCH) for _ in range(2)]
        codes = [(one.status_code, one.json()["code"]) for one in answers]
        assert codes == [(400, "event.malformed"), (429, "quota.exceeded")]
        assert 4 * MIB - since_s() <= int(answers[1].headers["retry-after"]) <= 4 * MIB


async def test_a_partner_sees_its_quota_in_graphql_and_nobody_else_has_the_field(hub: Served) -> None:
    async with Session(hub) as session:
        since_s = back_since()
        await session.post(KENT, body(batch(600, "one")), headers=BATCH)
        token = await session.headers(KENT)
        data = (await session.http.post("/graphql", json=ME, headers=token)).json()["data"]
        quota = data["me"]["quota"]
        assert (quota["eventsPerSecond"], quota["bytesPerSecond"]) == (1, MIB)
        assert 400 <= quota["eventsLeft"] <= 400 + since_s()
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
