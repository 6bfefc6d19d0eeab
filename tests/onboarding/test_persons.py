"""A person changes keys with a second factor, and only where it may do all that the key opens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request

from hub.auth.addresses import Addresses
from hub.auth.metering import Meter
from hub.cli.partners import add_partner
from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.events.quotas import Quotas
from hub.rest import onboarding, problems
from hub.store.thumbprint import thumbprint
from tests.onboarding.hands import generate_key, problem, public, statement
from tests.support.spine import embedded, running_spine

ACME = "acme"
PERSON = Principal(
    client_id=None,
    audience=Audience.PARTNER,
    partner=ACME,
    scopes=frozenset(DEFAULT_SCOPES[Audience.PARTNER]),
    source_prefix=f"/partners/{ACME}/people/",
    person="6a5b0d0e-0f5c-4a39-9a0e-6d9f4a3a9b11",
    confirmed=True,
)


class Desk:
    """The addresses of onboarding, and who is signed in there."""

    def __init__(self, http: httpx.AsyncClient, issuer: str, first: dict[str, Any]) -> None:
        self.http, self.issuer, self.first = http, issuer, first
        self.principal = PERSON

    async def who(self, _request: Request) -> Principal:
        return self.principal

    async def add(self, key: dict[str, Any]) -> httpx.Response:
        path = f"/clients/{ACME}/keys"
        nonce = (await self.http.post(f"{path}/challenge")).json()["challenge"]
        claims = {"aud": self.issuer, "sub": ACME, "act": "add", "jkt": thumbprint(key), "nonce": nonce}
        body = {"jwk": public(key), "proof": statement(key, **claims)}
        return await self.http.post(path, json=body)

    async def retire(self, key: dict[str, Any]) -> httpx.Response:
        return await self.http.delete(f"/clients/{ACME}/keys/{key['kid']}")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    first = generate_key()
    async with running_spine(embedded, tmp_path) as spine:
        hub = spine.hub
        await add_partner(hub, ACME, "Acme", "FR", None, "member", [], public(first), bearer=False)
        app = FastAPI()
        problems.install(app)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.example") as http:
            desk = Desk(http, hub.settings.public_url, first)
            meter = Meter(Quotas(), Quotas(), Addresses())
            app.include_router(onboarding.build_router(hub, desk.who, meter, Addresses()))
            yield desk


async def test_a_person_adds_a_key_that_it_holds_and_retires_the_old_one(desk: Desk) -> None:
    new = generate_key()
    assert (await desk.add(new)).status_code == 201
    retired = await desk.retire(desk.first)
    assert [key["kid"] for key in retired.json()["keys"]] == [new["kid"]]
    assert problem(await desk.retire(new)) == (409, "credential.conflict")


async def test_without_a_fresh_second_factor_nothing_changes(desk: Desk) -> None:
    new = generate_key()
    assert (await desk.add(new)).status_code == 201
    desk.principal = replace(PERSON, confirmed=False)
    answers = [await desk.add(generate_key()), await desk.retire(new)]
    assert {problem(answer) for answer in answers} == {(403, "session.unconfirmed")}


async def test_a_person_with_fewer_rights_than_the_client_cannot_become_the_client(desk: Desk) -> None:
    desk.principal = replace(PERSON, scopes=PERSON.scopes - {"referrals:contact"})
    answer = await desk.add(generate_key())
    assert problem(answer) == (403, "scope.missing")
    assert "referrals:contact" in answer.json()["detail"]


async def test_a_person_of_another_partner_finds_nothing(desk: Desk) -> None:
    desk.principal = replace(PERSON, partner="other")
    answers = [await desk.retire(desk.first), await desk.http.get(f"/clients/{ACME}")]
    assert {problem(answer) for answer in answers} == {(404, "resource.not_found")}


async def test_a_person_is_no_client_and_sees_those_of_its_partner(desk: Desk) -> None:
    assert problem(await desk.http.get("/clients/me")) == (404, "resource.not_found")
    shown = (await desk.http.get("/clients")).json()["clients"]
    assert [client["client_id"] for client in shown] == [ACME]


async def test_a_manager_confirms_before_it_grants(desk: Desk) -> None:
    manager = Principal(
        client_id=None,
        audience=Audience.MANAGER,
        scopes=frozenset({"partners:admin", "events:publish"}),
        source_prefix="/hub/people/x/",
        person=PERSON.person,
    )
    desk.principal = manager
    grant = {"scopes": ["events:publish"]}
    unconfirmed = await desk.http.put(f"/clients/{ACME}/grant", json=grant)
    assert problem(unconfirmed) == (403, "session.unconfirmed")
    desk.principal = replace(manager, confirmed=True)
    granted = await desk.http.put(f"/clients/{ACME}/grant", json=grant)
    assert granted.json()["scopes"] == ["events:publish"]
