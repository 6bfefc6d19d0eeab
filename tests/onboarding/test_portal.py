"""A portal's backend and the public: what each of them may do, and what not."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hub.auth.client import generate_key
from hub.cli.operator import NewClient, add_client
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.spine import open_hub
from hub.graphql.schema import schema_for
from hub.settings import Settings
from tests.onboarding.conftest import NORTH, enrol_networks
from tests.onboarding.hands import hands, problem, public
from tests.support.messages import firm_id
from tests.support.serving import Served, serving
from tests.support.waiting import PATIENCE_S

PORTAL, SENDING = "firms-portal", "sending-portal"
EVENT = {"Content-Type": "application/cloudevents+json", "Prefer": "wait=10"}
CATALOGUE_FIELDS = {"services", "service", "opportunities", "opportunity"}
PUBLIC_FIELDS = CATALOGUE_FIELDS | {"partners", "partner", "networks", "vocabulary", "me"}
CASES = ["referrals", "smes", "ledger", "roadmap", "receipt", "matches", "reports"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    async def prepare(settings: Settings) -> dict[str, dict[str, Any]]:
        rows = await enrol_networks(settings)
        opened = open_hub(settings)
        try:
            for name, more in ((PORTAL, []), (SENDING, ["diagnosis:run", "events:publish"])):
                key = generate_key()
                new = NewClient(
                    name, Audience.PORTAL, None, more, frozenset({NORTH}), public(key), bearer=True
                )
                row = await add_client(opened, new)
                assert not isinstance(row, Refusal)
                rows[name] = {**row, "private_key_jwk": key}
        finally:
            await opened.store.close()
        return rows

    with serving(tmp_path_factory.mktemp("portal"), prepare) as served:
        yield served


def event(client: str, type_: str, subject: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid4()),
        "source": f"/hub/clients/{client}/web",
        "type": type_,
        "subject": subject,
        "data": data,
    }


async def test_a_portal_reads_the_catalogue_and_nothing_of_cases(hub: Served) -> None:
    async with hands(hub, PORTAL) as portal:
        answer = await portal.ask(
            "POST", "/graphql", {"query": "{ services { totalCount } me { audience } }"}
        )
        assert answer.json()["data"] == {"services": {"totalCount": 0}, "me": {"audience": "portal"}}
        for name in CASES:
            answer = await portal.ask("POST", "/graphql", {"query": f"{{ {name} {{ __typename }} }}"})
            assert "Cannot query field" in answer.json()["errors"][0]["message"], name


async def test_a_portal_does_nothing_that_is_a_partner_s(hub: Served) -> None:
    async with hands(hub, PORTAL) as portal:
        registered = event(
            PORTAL,
            "hub.sme.registered.v1",
            firm_id("12345678"),
            {"sme_id": firm_id("12345678"), "name": "Torni", "country": "GB"},
        )
        for method, path in (
            ("GET", "/clients/me"),
            ("GET", "/scope-requests"),
            ("GET", "/applications"),
            ("GET", "/receipts/1"),
            ("POST", "/events"),
        ):
            answer = await portal.ask(method, path, registered if path == "/events" else None, headers=EVENT)
            assert problem(answer) == (403, "scope.missing"), path


async def test_a_portal_that_may_send_sends_diagnoses_and_no_other_event(hub: Served) -> None:
    firm, diagnosis = str(uuid.uuid4()), str(uuid.uuid4())
    answers = [{"question": f"q{n}", "answer": 2} for n in range(1, 13)]
    data = {
        "sme_id": firm,
        "network": NORTH,
        "questionnaire": "self-diagnosis",
        "questionnaire_version": 1,
        "answers": answers,
    }
    async with hands(hub, SENDING) as portal:
        sent = event(SENDING, "hub.diagnosis.submitted.v1", diagnosis, data)
        posted = await portal.ask("POST", "/events", sent, headers=EVENT)
        [receipt] = posted.json()["receipts"]
        # The door is open; whose firm it is, is the fold's to say (docs/decisions/0006).
        assert (receipt["status"], receipt["refusal"]["code"]) == ("refused", "consent.missing")
        registered = {"sme_id": firm, "name": "Torni", "country": "GB"}
        other = event(SENDING, "hub.sme.registered.v1", firm, registered)
        assert problem(await portal.ask("POST", "/events", other, headers=EVENT)) == (403, "scope.missing")


def test_the_public_has_the_catalogue_alone() -> None:
    query = schema_for(Audience.PUBLIC)._schema.query_type
    assert query is not None
    assert set(query.fields) == PUBLIC_FIELDS


@pytest.mark.parametrize("name", CASES)
async def test_the_public_schema_knows_nothing_of_cases(hub: Served, name: str) -> None:
    async with httpx.AsyncClient(base_url=hub.base_url, timeout=PATIENCE_S) as http:
        answer = await http.post("/graphql", json={"query": f"{{ {name} {{ __typename }} }}"})
        [error] = answer.json()["errors"]
        assert f"Cannot query field '{name}'" in error["message"]
        suggested = re.findall(r"'(\w+)'", error["message"])[2:]
        assert set(suggested) <= PUBLIC_FIELDS
