"""The token endpoint as such: the token, its scopes, the form, and the documents beside it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from hub.auth.proofs.assertions import ASSERTION_TYPE
from hub.domain.scopes import SCOPES as ALL_SCOPES
from hub.domain.scopes import Audience
from tests.auth.world import ISSUER, World

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def test_the_token_says_who_what_for_whom_and_how_long(kent: World) -> None:
    answer = await kent.ask(scope="events:publish catalogue:read")
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 300)
    assert body["scope"] == "events:publish catalogue:read"
    assert (answer.headers["cache-control"], answer.headers["pragma"]) == ("no-store", "no-cache")

    published = KeySet.import_key_set((await kent.http.get("/oauth/jwks")).json())
    token = jwt.decode(body["access_token"], published, algorithms=["ES256"])
    assert token.header == {"typ": "at+jwt", "alg": "ES256", "kid": published.keys[0].thumbprint()}
    claims = token.claims
    assert claims["exp"] - claims["iat"] == 300
    assert abs(claims["iat"] - kent.clock()) < 10
    assert len(claims["jti"]) >= 16
    assert {name: claims[name] for name in claims.keys() - {"iat", "exp", "jti"}} == {
        "iss": ISSUER,
        "aud": ISSUER,
        "sub": "kent",
        "client_id": "kent",
        "scope": "events:publish catalogue:read",
        "hub_partner": "kent",
        "hub_audience": "partner",
    }


async def test_two_tokens_never_share_their_jti(kent: World) -> None:
    assert await kent.token() != await kent.token()


async def test_the_token_of_a_portal_speaks_for_no_partner(world: World) -> None:
    await world.enrol("portal", partner=None, audience=Audience.PORTAL, source_prefix="/hub/clients/portal/")
    token = await world.token(client_assertion=world.assertion("portal"), scope="catalogue:read")
    who = (await world.who(token)).json()
    assert (who["partner"], who["audience"]) == (None, "portal")


async def test_the_published_keys_are_public(world: World) -> None:
    (jwk,) = (await world.http.get("/oauth/jwks")).json()["keys"]
    assert jwk.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


async def test_the_metadata_names_what_is_there_and_nothing_else(world: World) -> None:
    body = (await world.http.get("/.well-known/oauth-authorization-server")).json()
    algorithms = ["ES256", "PS256", "EdDSA", "Ed25519"]
    endpoints = {
        "token": f"{ISSUER}/oauth/token",
        "revocation": f"{ISSUER}/oauth/revoke",
        "introspection": f"{ISSUER}/oauth/introspect",
    }
    assert body == {
        "issuer": ISSUER,
        **{f"{name}_endpoint": address for name, address in endpoints.items()},
        **{f"{name}_endpoint_auth_methods_supported": ["private_key_jwt"] for name in endpoints},
        **{f"{name}_endpoint_auth_signing_alg_values_supported": algorithms for name in endpoints},
        "jwks_uri": f"{ISSUER}/oauth/jwks",
        "scopes_supported": sorted(ALL_SCOPES),
        "authorization_endpoint": f"{ISSUER}/oauth/authorize",
        "authorization_response_iss_parameter_supported": True,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "code_challenge_methods_supported": ["S256"],
        "grant_types_supported": ["client_credentials", "authorization_code"],
        "dpop_signing_alg_values_supported": algorithms,
    }


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        " ",
        "*",
        "events:*",
        "nothing:known",
        "partners:admin",
        "events:publish partners:admin",
        "events:publish nothing:known",
        "events:publish  events:read",
        " events:publish",
        "events:publish ",
        "EVENTS:PUBLISH",
        "events:publish,events:read",
        'events:publish"',
    ],
)
async def test_a_scope_absent_unknown_or_ungranted_is_refused_and_never_narrowed(
    kent: World, scope: str | None
) -> None:
    answer = await kent.ask(scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


async def test_the_refusal_names_the_scopes_that_are_not_granted(kent: World) -> None:
    answer = await kent.ask(scope="events:publish privacy:erase partners:admin")
    assert answer.json()["error_description"] == "Not granted to this client: partners:admin privacy:erase."


async def test_a_scope_named_twice_is_granted_once(kent: World) -> None:
    assert (await kent.ask(scope="events:read events:read")).json()["scope"] == "events:read"


@pytest.mark.parametrize(
    ("fields", "status", "error"),
    [
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": 'x"\\'}, 400, "unsupported_grant_type"),
        ({"client_assertion_type": None}, 400, "invalid_request"),
        ({"client_assertion_type": "urn:other"}, 400, "invalid_request"),
        ({"client_assertion": None}, 401, "invalid_client"),
        ({"client_assertion": None, "client_id": "kent"}, 401, "invalid_client"),
        ({"client_assertion": None, "client_secret": "s"}, 401, "invalid_client"),
        ({"client_assertion": None, "client_id": "kent", "client_secret": "\x00"}, 400, "invalid_request"),
        (
            {"client_assertion": None, "client_id": "kent", "client_secret": "pässwort"},
            400,
            "invalid_request",
        ),
        ({"client_secret": "s"}, 400, "invalid_request"),
    ],
)
async def test_a_request_that_lacks_or_mixes_something_is_refused(
    kent: World, fields: dict[str, Any], status: int, error: str
) -> None:
    answer = await kent.ask(**fields)
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    assert not set('"\\') & set(answer.json()["error_description"])


@pytest.mark.parametrize("authorization", ["Basic a2VudDpz", "Basic", "Bearer x", "Basic \xff\xfe"])
async def test_two_ways_to_authenticate_are_refused(kent: World, authorization: str) -> None:
    headers = [(b"Authorization", authorization.encode("latin-1"))]
    answer = await kent.http.post("/oauth/token", data=kent.form(), headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_http_basic_alone_is_answered_with_its_challenge(kent: World) -> None:
    answer = await kent.ask(client_assertion=None, headers={"Authorization": "Basic a2VudDpz"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic ")


async def test_the_failure_of_an_assertion_challenges_for_no_scheme(kent: World) -> None:
    assert "www-authenticate" not in (await kent.ask(client_assertion="x")).headers


@pytest.mark.parametrize("doubled", ["scope", "grant_type", "client_assertion", "unknown"])
async def test_a_doubled_parameter_is_refused(kent: World, doubled: str) -> None:
    fields = {**kent.form(), "unknown": "x"}
    answer = await kent.http.post(
        "/oauth/token", data={**fields, doubled: [fields[doubled], fields[doubled]]}
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_parameter_empty_the_second_time_is_doubled_too(kent: World) -> None:
    fields = kent.form()
    answer = await kent.http.post("/oauth/token", data={**fields, "scope": [fields["scope"], ""]})
    assert answer.json()["error"] == "invalid_request"


async def test_unknown_parameters_are_ignored(kent: World) -> None:
    assert (await kent.ask(colour="blue")).status_code == 200


@pytest.mark.parametrize("query", ["scope=events:publish", "x", "grant_type=client_credentials"])
async def test_parameters_in_the_address_are_refused(kent: World, query: str) -> None:
    answer = await kent.http.post(f"/oauth/token?{query}", data=kent.form())
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_query_and_form_are_never_merged(kent: World) -> None:
    form = kent.form(scope=None)
    answer = await kent.http.post("/oauth/token?scope=events:publish", data=form)
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
async def test_another_content_type_is_refused(kent: World, content_type: str) -> None:
    answer = await kent.ask(headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_content_type_may_name_its_charset(kent: World) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-Urlencoded; charset=UTF-8"}
    assert (await kent.ask(headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x00",
        b"grant_type=client_credentials\x00",
        b"grant_type=client_credentials&scope=%00",
        b"grant_type=client_credentials&client_id=%C3%A9",
        b"grant_type=client_credentials&client_id=%ff%fe",
        b"grant_type=client_credentials&client_id=\xff\xfe",
        "grant_type=client_credentials&client_id=é".encode(),
        b"grant_type=client_credentials&client_id=%",
        b"grant_type=client_credentials&client_id=%zz",
        b"grant_type=client_credentials&client_id=a%0d%0ab",
        b"grant_type",
        b"&&&",
        b"=&=",
        b'{"grant_type": "client_credentials"}',
        b"&".join(b"a%d=1" % number for number in range(40)),
    ],
)
async def test_a_body_that_is_no_clean_form_is_refused(kent: World, body: bytes) -> None:
    answer = await kent.http.post("/oauth/token", content=body, headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("size", [64 * 1024 + 1, 5 * 1024 * 1024])
async def test_a_body_over_64_kib_is_refused(kent: World, size: int) -> None:
    answer = await kent.http.post("/oauth/token", content=b"a=" + b"x" * (size - 2), headers=FORM)
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


async def test_a_body_of_exactly_64_kib_is_read(kent: World) -> None:
    body = urlencode({**kent.form(), "filler": ""}).encode()
    body += b"x" * (64 * 1024 - len(body))
    answer = await kent.http.post("/oauth/token", content=body, headers=FORM)
    assert answer.status_code == 200, answer.text


async def test_a_token_request_by_get_is_no_request(kent: World) -> None:
    form = {**kent.form(), "client_assertion_type": ASSERTION_TYPE}
    assert (await kent.http.get("/oauth/token", params=form)).status_code == 405
