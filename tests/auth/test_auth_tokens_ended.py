"""Revocation (RFC 7009) and introspection (RFC 7662): for a token's own client, in every process at once."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from hub.auth.oauth.signing import open_signing
from hub.domain.scopes import Audience
from hub.store.clients import set_grant, set_suspended
from tests.auth.world import STRANGER, World

INACTIVE = {"active": False}
ENDPOINTS = ("/oauth/revoke", "/oauth/introspect")


async def tell(world: World, path: str, token: str, client: str = "kent", **fields: Any) -> httpx.Response:
    """A request about a token, by a client that proves itself."""
    form = world.form(
        grant_type=None, scope=None, client_assertion=world.assertion(client), token=token, **fields
    )
    return await world.http.post(path, data=form)


async def introspected(world: World, token: str, client: str = "kent") -> Any:
    answer = await tell(world, "/oauth/introspect", token, client)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


async def test_a_revoked_token_opens_nothing_any_more_and_others_still_do(kent: World) -> None:
    token, other = await kent.token(), await kent.token()
    assert (await kent.who(token)).status_code == 200
    answer = await tell(kent, "/oauth/revoke", token)
    assert (answer.status_code, answer.content) == (200, b"")
    refused = await kent.who(token)
    assert (refused.status_code, refused.json()["code"]) == (401, "token.invalid")
    assert "revoked" in refused.json()["message"]
    assert await introspected(kent, token) == INACTIVE
    assert (await kent.who(other)).status_code == 200


async def test_a_revocation_acts_at_once_in_another_process(kent: World) -> None:
    token = await kent.token()
    other = World(kent.store, kent.settings, open_signing(kent.settings))
    assert (await other.who(token)).status_code == 200  # Its signature is remembered there now.
    await tell(kent, "/oauth/revoke", token)
    assert (await other.who(token)).status_code == 401
    await other.http.aclose()


async def test_a_bound_token_can_be_revoked_too(kent: World) -> None:
    token = await kent.bound_token()
    assert (await introspected(kent, token))["token_type"] == "DPoP"
    await tell(kent, "/oauth/revoke", token, token_type_hint="refresh_token")
    assert await introspected(kent, token) == INACTIVE


async def test_no_client_can_end_the_token_of_another_or_learn_that_there_is_one(kent: World) -> None:
    await kent.enrol("normandy")
    token = await kent.token()
    forged = kent.signing.sign("at+jwt", kent.access_claims(jti="unknown"))[:-8] + "AAAAAAAA"
    revocations = [await tell(kent, "/oauth/revoke", text, "normandy") for text in (token, forged, "x")]
    assert {(one.status_code, one.content) for one in revocations} == {(200, b"")}
    assert len({tuple(one.headers.items()) for one in revocations}) == 1
    views = [await tell(kent, "/oauth/introspect", text, "normandy") for text in (token, forged, "x")]
    assert {(one.status_code, one.text) for one in views} == {(200, '{"active":false}')}
    assert (await kent.who(token)).status_code == 200


async def test_twenty_revocations_at_once_all_succeed(kent: World) -> None:
    token = await kent.token()
    answers = await asyncio.gather(*(tell(kent, "/oauth/revoke", token) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await kent.who(token)).status_code == 401


async def test_an_active_token_is_described_as_it_stands_now(kent: World) -> None:
    token = await kent.token(scope="events:publish catalogue:read")
    told = await introspected(kent, token)
    now_s = int(kent.clock())
    assert told.pop("iat") <= now_s < told.pop("exp") <= now_s + 300
    assert len(told.pop("jti")) >= 16
    assert told == {
        "active": True,
        "iss": "http://127.0.0.1:8000",
        "aud": "http://127.0.0.1:8000",
        "sub": "kent",
        "client_id": "kent",
        "scope": "catalogue:read events:publish",
        "token_type": "Bearer",
        "hub_partner": "kent",
        "hub_audience": "partner",
    }
    await kent.store.write(lambda conn: set_grant(conn, "kent", ["catalogue:read"]))
    assert (await introspected(kent, token))["scope"] == "catalogue:read"


async def test_a_bound_token_names_its_key(kent: World) -> None:
    told = await introspected(kent, await kent.bound_token())
    assert told["cnf"].keys() == {"jkt"}


@pytest.mark.parametrize(
    ("scopes", "networks", "sees"),
    [(["ops:read"], None, True), (["events:read"], None, False), (["ops:read"], ["kent"], False)],
)
async def test_only_a_manager_of_the_whole_network_that_may_see_operations_sees_the_tokens_of_others(
    kent: World, scopes: list[str], networks: list[str] | None, sees: bool
) -> None:
    await kent.enrol(
        "manager",
        partner=None,
        audience=Audience.MANAGER,
        scopes=tuple(scopes),
        networks=None if networks is None else frozenset(networks),
    )
    token = await kent.token()
    assert (await introspected(kent, token, "manager"))["active"] is sees
    await tell(kent, "/oauth/revoke", token, "manager")
    assert (await kent.who(token)).status_code == 200


async def test_the_token_of_a_suspended_client_is_not_active(kent: World) -> None:
    await kent.enrol("manager", partner=None, audience=Audience.MANAGER, scopes=("ops:read",))
    token = await kent.token()
    await kent.store.write(lambda conn: set_suspended(conn, "kent", True))
    assert await introspected(kent, token, "manager") == INACTIVE


async def test_an_expired_token_is_not_active_and_its_revocation_leaves_nothing_behind(kent: World) -> None:
    token = await kent.token()
    kent.ahead_s = 301
    assert await introspected(kent, token) == INACTIVE
    assert (await tell(kent, "/oauth/revoke", token)).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_who_proves_nothing_is_told_nothing(kent: World, path: str) -> None:
    token = await kent.token()
    for assertion, status, error in (
        (kent.assertion(key=STRANGER), 401, "invalid_client"),
        (kent.assertion("nobody"), 401, "invalid_client"),
        (None, 401, "invalid_client"),
        (token, 401, "invalid_client"),
    ):
        form = kent.form(client_assertion=assertion, token=token)
        answer = await kent.http.post(path, data=form)
        assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert (await kent.who(token)).status_code == 200


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_an_assertion_counts_once_over_all_endpoints(kent: World, path: str) -> None:
    token, assertion = await kent.token(), kent.assertion()
    form = kent.form(client_assertion=assertion, token=token)
    assert (await kent.http.post(path, data=form)).status_code == 200
    for again in ("/oauth/token", *ENDPOINTS):
        answer = await kent.http.post(again, data=form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), again
        assert "used before" in answer.json()["error_description"]


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_request_about_tokens_is_read_as_strictly_as_one_for_a_token(kent: World, path: str) -> None:
    form = kent.form(token="x")
    for answer in (
        await kent.http.post(path, data=kent.form()),
        await kent.http.post(path, data={**form, "token": ["x", "x"]}),
        await kent.http.post(f"{path}?token=x", data=form),
        await kent.http.post(path, json=form),
        await kent.http.post(path, data=form, headers={"Authorization": "Basic a2VudDpz"}),
    ):
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), answer.text
