"""Refused rights over HTTP and GraphQL come to the audit log, and nothing that was sent comes with them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc.jwk import ECKey
from sqlalchemy import select

from hub.auth.client import TokenClient, TokenRefused
from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.auth.proofs.jws import sign
from hub.cli.operator import NewClient, add_client
from hub.domain.audit import TYPE
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.spine import open_hub
from hub.store.opening import on_truth
from hub.store.tables import inbox
from tests.support.messages import EEN, KENT, event, partner, service
from tests.support.serving import Served, Session
from tests.support.waiting import PATIENCE_S, soon_here

BOUND = "kents-tool"
"""A manager's client that is bound to one network."""


def recorded(served: Served) -> list[dict[str, Any]]:
    """Data of every record, in order of acceptance."""
    rows = on_truth(
        served.settings.data_dir,
        served.settings.database_url,
        lambda conn: (
            conn.execute(select(inbox.c.event).where(inbox.c.type == TYPE).order_by(inbox.c.seq))
            .scalars()
            .all()
        ),
    )
    return [json.loads(row)["data"] for row in rows]


def soon(served: Served, **members: Any) -> dict[str, Any]:
    """The record with these members, once it is there."""

    def found() -> list[dict[str, Any]]:
        return [one for one in recorded(served) if members.items() <= one.items()]

    return soon_here(found, members)[0]


async def test_foreign_source_is_recorded(served: Served) -> None:
    message = {**service(partner()), "source": f"/partners/{EEN}/crm"}
    answer = await served.post(KENT, message)
    assert answer.status_code == 403
    one = soon(served, code="event.foreign_source")
    assert one["where"] == "POST /events"
    assert one["actor"] == {"audience": "partner", "client_id": KENT, "partner": KENT}


async def test_scope_that_a_partner_lacks_is_recorded(served: Served) -> None:
    await served.post(KENT, event(partner(), "network.configured", "kent", {"name": {"en": "Kent"}}))
    assert soon(served, code="scope.missing", where="POST /events")["outcome"] == "refused"


async def test_field_is_named_as_the_schema_names_it_whatever_the_document_calls_it(served: Served) -> None:
    async with Session(served) as session:
        url = f"{served.base_url}/graphql"
        headers = await session._tokens[KENT].headers("POST", url, ["catalogue:read"])
        query = {"query": "{ mine: referrals { totalCount } }"}
        answer = await session.http.post("/graphql", json=query, headers=headers)
    assert answer.json()["errors"][0]["extensions"]["code"] == "scope.missing"
    one = soon(served, where="Query.referrals")
    assert (one["act"], one["actor"]["client_id"]) == ("right.refused", KENT)


async def test_token_that_is_sent_in_a_way_that_does_not_hold_is_recorded_for_its_client(
    served: Served,
) -> None:
    async with Session(served) as session:
        headers = await session.headers(EEN)
        stolen = {"Authorization": headers["Authorization"].replace("DPoP", "Bearer")}
        answer = await session.http.get("/receipts/1", headers=stolen)
        assert answer.status_code == 401
        again = await session.http.get("/receipts/1", headers=headers)
        assert again.status_code == 401  # The proof is for another address.
    one = soon(served, code="token.invalid")
    assert (one["where"], one["actor"]["client_id"]) == ("GET /receipts/{seq}", EEN)


@pytest.mark.parametrize(
    "sent", ["Bearer x.y.z", "Bearer a%0d%0aforged", "Basic a2VudDprZW50", 'DPoP "\u00e9"', "Bearer"]
)
async def test_nothing_that_a_stranger_sends_comes_to_the_log(served: Served, sent: str) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        for address in ("/receipts/1", "/graphql?query={me{audience}}", "/receipts/%0d%0aforged"):
            headers = [(b"authorization", sent.encode("latin-1"))]
            answer = await http.get(address, headers=headers)
            assert answer.status_code == 401
    await asyncio.sleep(0.5)
    found = recorded(served)
    refused = [one["actor"] for one in found if one.get("outcome") == "refused"]
    assert {actor["client_id"] for actor in refused} <= {*served.rows, BOUND}, "somebody whom nobody knows"
    assert "forged" not in json.dumps(found)


async def test_a_scope_that_is_not_granted_is_recorded_once_for_each_assertion(served: Served) -> None:
    row = served.rows[KENT]
    key, claims = ECKey.import_key(row["private_key_jwk"]), own_claims(row, served)
    form = {
        "grant_type": "client_credentials",
        "scope": "privacy:erase",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign({"alg": "ES256", "kid": row["private_key_jwk"]["kid"]}, claims, key),
    }
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        answers = [await http.post("/oauth/token", data=form) for _ in range(2)]
    assert [one.json()["error"] for one in answers] == ["invalid_scope", "invalid_client"]
    actor = {"audience": "partner", "client_id": KENT, "partner": KENT}
    one = soon(served, code="invalid_scope", actor=actor)
    assert (one["where"], one.get("count", 1)) == ("POST /oauth/token", 1)


async def test_the_record_of_a_bound_client_names_its_networks_whose_managers_see_it_then(
    served: Served,
) -> None:
    hub = open_hub(served.settings)
    try:
        new = NewClient(BOUND, Audience.MANAGER, None, [], frozenset({"kent"}), None, bearer=True)
        row = await add_client(hub, new)
    finally:
        await hub.store.close()
    assert not isinstance(row, Refusal)
    async with httpx.AsyncClient(timeout=30.0) as http:
        endpoint = f"{served.base_url}/oauth/token"
        tool = TokenClient(http, row, issuer=served.base_url, token_endpoint=endpoint)
        with pytest.raises(TokenRefused, match="invalid_scope"):
            await tool.headers("GET", served.base_url, ["webhooks:manage"])
    actor = {"audience": "manager", "client_id": BOUND, "networks": ["kent"]}
    assert soon(served, code="invalid_scope", actor=actor)["where"] == "POST /oauth/token"


def own_claims(row: dict[str, Any], served: Served) -> dict[str, Any]:
    """Of an assertion that holds for a minute."""
    now_s = int(time.time())
    name = {"iss": row["client_id"], "sub": row["client_id"], "aud": served.base_url}
    return {**name, "iat": now_s, "exp": now_s + 60, "jti": str(uuid4())}
