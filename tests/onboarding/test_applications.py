"""Becoming a partner: from a stranger's key to the first accepted event, and all that must not work."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import httpx
import pytest

from hub.events.forgetting import Forgetter
from hub.store.opening import open_store
from hub.store.thumbprint import thumbprint
from tests.onboarding.conftest import BOTH, MANAGER, NORTH, NORTHERN, ONE, SOUTHERN
from tests.onboarding.hands import Hands, generate_key, hands, problem, public, statement
from tests.support.messages import partner, service
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S

SLUG, EMAIL = "acme-exports", "anna.verdi@acme.example"


async def challenge(http: httpx.AsyncClient) -> str:
    return str((await http.post("/applications/challenge")).json()["challenge"])


async def application(
    http: httpx.AsyncClient, key: dict[str, Any], *, nonce: str | None = None, **members: Any
) -> dict[str, Any]:
    """A good application, but for the members given; None takes one away."""
    slug = members.get("slug", SLUG)
    claims = {
        "aud": str(http.base_url).rstrip("/"),
        "sub": slug,
        "act": "apply",
        "jkt": thumbprint(key),
        "nonce": nonce or await challenge(http),
    }
    good = {
        "slug": slug,
        "name": "Acme Exports",
        "country": "FR",
        "email": EMAIL,
        "network": NORTH,
        "scopes": ["events:publish", "events:read", "catalogue:publish"],
        "message": "We met in Caen.",
        "jwk": public(key),
        "proof": statement(key, **claims),
    }
    return {name: value for name, value in {**good, **members}.items() if value is not None}


async def apply(http: httpx.AsyncClient, key: dict[str, Any], **members: Any) -> httpx.Response:
    return await http.post("/applications", json=await application(http, key, **members))


async def test_an_applicant_becomes_a_partner_that_publishes(networks: Served) -> None:
    key = generate_key()
    async with hands(networks, NORTHERN) as manager:
        http = manager.http
        applied = await apply(http, key)
        assert applied.status_code == 201, applied.text
        status_url = applied.json()["status_url"]
        assert applied.headers["referrer-policy"] == "no-referrer"
        assert (await http.get(status_url)).json()["state"] == "open"
        [waiting] = (await manager.ask("GET", "/applications")).json()["applications"]
        assert (waiting["slug"], waiting["email"], waiting["kid"]) == (SLUG, EMAIL, key["kid"])
        approved = await manager.ask("POST", f"/applications/{waiting['id']}/approve", {"role": "associate"})
        assert (approved.status_code, approved.json()["state"]) == (200, "approved")
        status = (await http.get(status_url)).json()
        assert (status["state"], status["client_id"], status["dpop"]) == ("approved", SLUG, True)
        row = {
            "client_id": SLUG,
            "scopes": waiting["scopes"],
            "private_key_jwk": key,
            "dpop": True,
        }
        acme = Hands(networks, http, row)
        event = service(partner(SLUG))
        posted = await acme.ask("POST", "/events", event, headers=WAITING)
        assert posted.json()["receipts"][0]["status"] == "applied", posted.text


WAITING = {"Content-Type": "application/cloudevents+json", "Prefer": "wait=10"}


async def test_a_refused_applicant_is_told_why_and_gets_no_token(networks: Served) -> None:
    key = generate_key()
    async with hands(networks, MANAGER) as manager:
        applied = await apply(manager.http, key)
        id_ = applied.json()["id"]
        no = await manager.ask("POST", f"/applications/{id_}/refuse", {"reason": "You are in the south."})
        assert no.status_code == 200
        status = (await manager.http.get(applied.json()["status_url"])).json()
        assert (status["state"], status["reason"]) == ("refused", "You are in the south.")
        assert "client_id" not in status
        late = await manager.ask("POST", f"/applications/{id_}/approve", {})
        assert problem(late) == (409, "request.decided")


async def test_an_application_is_approved_once_also_at_the_same_moment(networks: Served) -> None:
    async with hands(networks, MANAGER) as manager:
        id_ = (await apply(manager.http, generate_key())).json()["id"]
        answers = await asyncio.gather(
            *(manager.ask("POST", f"/applications/{id_}/approve", {}) for _ in range(3))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


async def test_of_two_applicants_for_one_slug_one_gets_it(networks: Served) -> None:
    async with hands(networks, MANAGER) as manager:
        ids = [(await apply(manager.http, generate_key())).json()["id"] for _ in range(2)]
        first = await manager.ask("POST", f"/applications/{ids[0]}/approve", {})
        second = await manager.ask("POST", f"/applications/{ids[1]}/approve", {})
        assert (first.status_code, problem(second)) == (200, (409, "request.decided"))


async def test_a_manager_knows_nothing_of_applications_to_other_networks(networks: Served) -> None:
    async with hands(networks, SOUTHERN) as southern:
        id_ = (await apply(southern.http, generate_key())).json()["id"]
        assert (await southern.ask("GET", "/applications")).json() == {"applications": []}
        answers = [
            await southern.ask(
                "POST", f"/applications/{one}/{act}", {"reason": "x"} if act == "refuse" else {}
            )
            for one in (id_, "none")
            for act in ("approve", "refuse")
        ]
        assert {problem(answer) for answer in answers} == {(404, "resource.not_found")}
        assert len({answer.content for answer in answers}) == 1


async def test_a_partner_can_neither_see_nor_approve_applications(networks: Served) -> None:
    async with hands(networks, ONE) as one:
        id_ = (await apply(one.http, generate_key())).json()["id"]
        for method, path in (("GET", "/applications"), ("POST", f"/applications/{id_}/approve")):
            assert problem(await one.ask(method, path, {})) == (403, "scope.missing")


async def test_a_manager_grants_less_than_was_asked_for_but_never_more_than_partners_hold(
    networks: Served,
) -> None:
    async with hands(networks, MANAGER) as manager:
        id_ = (await apply(manager.http, generate_key())).json()["id"]
        more = {"scopes": ["events:publish", "partners:admin"]}
        answer = await manager.ask("POST", f"/applications/{id_}/approve", more)
        assert problem(answer) == (403, "scope.exceeded")
        less = await manager.ask("POST", f"/applications/{id_}/approve", {"scopes": ["events:publish"]})
        assert less.status_code == 200
        shown = (await manager.ask("GET", f"/clients/{SLUG}")).json()
        assert shown["scopes"] == ["events:publish"]


REFUSED: dict[str, tuple[dict[str, Any], tuple[int, str]]] = {
    "a partner's own slug": ({"slug": ONE}, (409, "request.decided")),
    "the hub itself": ({"slug": "hub"}, (409, "request.decided")),
    "a manager's client": ({"slug": MANAGER}, (409, "request.decided")),
    "no such network": ({"network": "nowhere"}, (422, "payload.unknown_reference")),
    "a manager's scope": ({"scopes": ["partners:admin"]}, (403, "scope.exceeded")),
    "a path as slug": ({"slug": "../keys"}, (422, "payload.invalid")),
    "no country": ({"country": "ZZZ"}, (422, "payload.invalid")),
    "line breaks in the address": ({"email": "a@b.example\r\nBcc: all"}, (422, "payload.invalid")),
    "a novel": ({"message": "x" * 3_000}, (422, "payload.invalid")),
    "a private key": ({"jwk": generate_key()}, (422, "credential.invalid")),
    "a proof of nothing": ({"proof": "x.y.z"}, (422, "credential.invalid")),
    "something else": ({"admin": True}, (422, "payload.unknown_field")),
}


async def test_applications_that_cannot_be_are_refused(networks: Served) -> None:
    async with hands(networks, MANAGER) as manager:
        for name, (members, expected) in REFUSED.items():
            answer = await apply(manager.http, generate_key(), **members)
            assert problem(answer) == expected, (name, answer.text)
        assert (await manager.ask("GET", "/applications")).json() == {"applications": []}


async def test_a_key_of_a_client_is_no_applicant_s(networks: Served) -> None:
    async with hands(networks, BOTH) as both:
        answer = await apply(both.http, both.key)
        assert problem(answer) == (409, "credential.conflict")


async def test_a_challenge_is_good_for_one_application_and_no_client_s_key(networks: Served) -> None:
    async with hands(networks, ONE) as one:
        nonce = await challenge(one.http)
        assert (await apply(one.http, generate_key(), nonce=nonce)).status_code == 201
        again = await apply(one.http, generate_key(), nonce=nonce, slug="other")
        assert problem(again) == (422, "credential.invalid")
        assert problem(await one.add(generate_key(), await challenge(one.http))) == (
            422,
            "credential.invalid",
        )
        swapped = await apply(one.http, generate_key(), nonce=await one.challenge())
        assert problem(swapped) == (422, "credential.invalid")


async def test_one_address_cannot_fill_the_queue(networks: Served) -> None:
    async with httpx.AsyncClient(base_url=networks.base_url, timeout=PATIENCE_S) as http:
        for n in range(5):
            http.headers["X-Forwarded-For"] = f"192.0.2.{n}, 198.51.100.7"
            assert (await apply(http, generate_key(), slug=f"a-{n}")).status_code == 201
        flooded = await apply(http, generate_key(), slug="a-6")
        assert problem(flooded) == (429, "quota.exceeded")
        assert "retry-after" in flooded.headers
        http.headers["X-Forwarded-For"] = "198.51.100.8"
        assert (await apply(http, generate_key(), slug="a-7")).status_code == 201


@pytest.mark.parametrize("secret", ["none", "x" * 5_000, "%00", "..%2f..%2fkeys"])
async def test_a_guessed_status_address_tells_nothing(networks: Served, secret: str) -> None:
    async with httpx.AsyncClient(base_url=networks.base_url, timeout=PATIENCE_S) as http:
        answer = await http.get(f"/applications/status/{secret}")
        assert problem(answer) == (404, "resource.not_found")


async def test_what_an_applicant_tells_is_sealed_and_gone_after_thirty_days(networks: Served) -> None:
    async with httpx.AsyncClient(base_url=networks.base_url, timeout=PATIENCE_S) as http:
        applied = (await apply(http, generate_key())).json()
        database = networks.settings.data_dir / "hub.db"
        for file in database.parent.glob("hub.db*"):
            assert EMAIL.encode() not in file.read_bytes()
            assert applied["status_url"].rsplit("/", 1)[1].encode() not in file.read_bytes()
        with sqlite3.connect(database) as conn:
            conn.execute("UPDATE application SET made_at_s = made_at_s - 31 * 86400")
        conn.close()
        assert problem(await http.get(applied["status_url"])) == (404, "resource.not_found")
        store = open_store(networks.settings.data_dir, networks.settings.database_url)
        await apply(http, generate_key(), slug="another")
        await Forgetter(store).step()
        await store.close()
        with sqlite3.connect(database) as conn:
            assert conn.execute("SELECT count(*) FROM application").fetchone() == (1,)
        conn.close()
