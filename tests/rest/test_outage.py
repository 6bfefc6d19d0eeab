"""PostgreSQL goes away under a running server: 503 wherever it is needed, and all comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local import LocalPostgres
from hub.auth.client import TokenRefused
from tests.support.messages import KENT, partner, service
from tests.support.serving import Served, Session, serving
from tests.support.waiting import soon

KENTS = partner(KENT)
CATALOGUE = {"query": "{ me { audience } services { totalCount } }"}


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[LocalPostgres]:
    """A server of its own, since it is stopped."""
    with LocalPostgres(tmp_path / "postgres") as server:
        yield server


@pytest.fixture
def hub(postgres: LocalPostgres, tmp_path: Path) -> Iterator[Served]:
    """A hub on it, with the workers in the same process."""
    with serving(tmp_path / "hub", database_url=postgres.create_database("hub")) as served:
        yield served


def problem(answer: httpx.Response) -> tuple[int, str, str]:
    """Status, code and Retry-After of a problem document."""
    document = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    assert document["remedy"]
    return answer.status_code, document["code"], answer.headers["retry-after"]


async def answers_to_all(session: Session, token: dict[str, str], seq: int) -> dict[str, httpx.Response]:
    """One answer of each address that needs the database. seq: of an event of the sender."""
    http = session.http
    return {
        "events": await http.post(
            "/events",
            json=service(KENTS),
            headers={**token, "Content-Type": "application/cloudevents+json", "Prefer": "wait=5"},
        ),
        "receipt": await http.get(f"/receipts/{seq}", headers=token),
        "checkpoint": await http.get("/ledger/checkpoint"),
        "proof": await http.get("/ledger/proof?leaf=0"),
        "graphql, known caller": await http.post("/graphql", json=CATALOGUE, headers=token),
        "graphql, anybody": await http.post("/graphql", json=CATALOGUE),
        "ready": await http.get("/readyz"),
        "metrics": await http.get("/metrics"),
        "alive": await http.get("/healthz"),
    }


async def test_without_its_database_the_hub_says_503_and_afterwards_goes_on(
    hub: Served, postgres: LocalPostgres
) -> None:
    async with Session(hub) as session:
        token = await session.headers(KENT)
        [own] = (await session.post(KENT, service(KENTS))).json()["receipts"]
        seq = own["seq"]
        before = await answers_to_all(session, token, seq)
        assert {one.status_code for one in before.values()} == {200}, before

        postgres.stop("immediate")
        during = await answers_to_all(session, token, seq)
        for name in ("events", "receipt", "checkpoint", "proof", "graphql, known caller"):
            assert problem(during[name]) == (503, "hub.unavailable", "1"), name
        _check_graphql(during["graphql, anybody"].json())
        await _check_token_endpoint(hub)
        assert (during["ready"].status_code, during["ready"].json()["status"]) == (503, "down")
        assert "\nhub_database_up 0.0\n" in during["metrics"].text
        assert during["alive"].status_code == 200

        postgres.start()

        async def all_is_back() -> dict[str, httpx.Response]:
            # A client that was told 503 asks again: connections of before have to be found dead.
            found = await answers_to_all(session, await session.headers(KENT), seq)
            return found if {one.status_code for one in found.values()} == {200} else {}

        after = await soon(all_is_back)
        [receipt] = after["events"].json()["receipts"]
        assert receipt["status"] == "applied"
        assert after["ready"].json()["status"] == "ok"
        assert "errors" not in after["graphql, anybody"].json()


def _check_graphql(answer: dict[str, Any]) -> None:
    """What needs no database is answered; the rest has a code that clients know."""
    [error] = answer["errors"]
    assert error["extensions"]["code"] == "hub.unavailable"
    assert error["extensions"]["remedy"]
    assert error["path"] == ["services"]


async def _check_token_endpoint(hub: Served) -> None:
    """A client that has no token yet gets an answer of OAuth's form, and not 401."""
    async with Session(hub) as stranger:
        answers: list[httpx.Response] = []

        async def keep(answer: httpx.Response) -> None:
            answers.append(answer)

        stranger.http.event_hooks["response"].append(keep)
        with pytest.raises(TokenRefused) as caught:
            await stranger.headers(KENT)
    assert (caught.value.status, caught.value.error) == (503, "temporarily_unavailable")
    assert answers[0].headers["retry-after"] == "1"
    assert answers[0].headers["cache-control"] == "no-store"
