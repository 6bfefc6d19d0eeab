"""The partner's side, and the keys of both sides."""

from __future__ import annotations

import asyncio
import stat
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey, import_key

from hub.auth.client import TokenClient, TokenRefused, generate_key
from hub.auth.oauth.signing import open_signing
from hub.auth.proofs.jws import BadJws, registered_jwk
from hub.store.clients import set_suspended
from tests.auth.world import HOLDER, ISSUER, KEYS, KID, SCOPES, TOKEN_URL, WHO_URL, World, base64url
from tests.support.waiting import PATIENCE_S


def row(*, alg: str = "ES256", dpop: bool = False, **members: Any) -> dict[str, Any]:
    """A row of credentials.json."""
    good = {
        "client_id": "kent",
        "partner": "kent",
        "audience": "partner",
        "scopes": list(SCOPES),
        "source_prefix": "/partners/kent/",
        "private_key_jwk": {**KEYS[alg].as_dict(private=True), "kid": KID},
        "dpop": dpop,
    }
    return {**good, **members}


def client(world: World, **members: Any) -> TokenClient:
    return TokenClient(world.http, row(**members), issuer=ISSUER, token_endpoint=TOKEN_URL, clock=world.clock)


@pytest.mark.parametrize("alg", ["ES256", "PS256", "Ed25519"])
@pytest.mark.parametrize("dpop", [False, True])
async def test_the_headers_open_the_resource(world: World, alg: str, dpop: bool) -> None:
    await world.enrol(alg=alg, bearer=not dpop)
    tokens = client(world, alg=alg, dpop=dpop)
    for method in ("GET", "POST"):
        headers = await tokens.headers(method, f"{WHO_URL}?first=1")
        assert ("DPoP" in headers) is dpop
        answer = await world.http.request(method, "/who?first=1", headers=headers)
        assert (answer.status_code, answer.json()["scopes"]) == (200, sorted(SCOPES)), answer.text


async def test_each_request_gets_a_proof_of_its_own(kent: World) -> None:
    tokens = client(kent, dpop=True)
    first, second = [await tokens.headers("GET", WHO_URL) for _ in range(2)]
    assert first["Authorization"] == second["Authorization"]
    assert first["DPoP"] != second["DPoP"]


async def test_scopes_can_be_fewer(kent: World) -> None:
    headers = await client(kent).headers("GET", WHO_URL, ["events:read"])
    assert (await kent.http.get("/who", headers=headers)).json()["scopes"] == ["events:read"]


async def test_a_token_is_kept_for_its_scopes_until_shortly_before_its_end(kent: World) -> None:
    tokens = client(kent)
    first = await tokens.headers("GET", WHO_URL)
    assert await tokens.headers("POST", WHO_URL) == first
    assert await tokens.headers("GET", WHO_URL, ["events:read"]) != first
    kent.ahead_s = 265
    assert await tokens.headers("GET", WHO_URL) == first
    kent.ahead_s = 275
    renewed = await tokens.headers("GET", WHO_URL)
    assert renewed != first
    assert (await kent.http.get("/who", headers=renewed)).status_code == 200


async def test_many_requests_at_once_ask_for_one_token(kent: World) -> None:
    tokens = client(kent)
    headers = await asyncio.gather(*(tokens.headers("GET", WHO_URL) for _ in range(20)))
    assert len({header["Authorization"] for header in headers}) == 1


async def test_a_refusal_says_why(kent: World) -> None:
    with pytest.raises(TokenRefused, match=r"invalid_scope: Not granted to this client: partners:admin\."):
        await client(kent).headers("GET", WHO_URL, ["partners:admin"])
    await kent.store.intake(lambda conn: set_suspended(conn, "kent", True))
    with pytest.raises(TokenRefused) as refused:
        await client(kent).headers("GET", WHO_URL)
    assert (refused.value.status, refused.value.error) == (401, "invalid_client")


async def test_an_answer_that_is_no_oauth_error_is_a_refusal_too(kent: World) -> None:
    tokens = TokenClient(kent.http, row(), issuer=ISSUER, token_endpoint=f"{ISSUER}/nowhere")
    with pytest.raises(TokenRefused, match="sent no OAuth error") as refused:
        await tokens.headers("GET", WHO_URL)
    assert refused.value.status == 404


async def test_a_server_that_cannot_be_reached_is_a_fault() -> None:
    async with httpx.AsyncClient(timeout=PATIENCE_S) as http:
        tokens = TokenClient(http, row(), issuer=ISSUER, token_endpoint="http://127.0.0.1:1/oauth/token")
        with pytest.raises(httpx.ConnectError):
            await tokens.headers("GET", WHO_URL)


def test_a_generated_key_is_a_private_p256_key_named_by_its_thumbprint() -> None:
    jwk = generate_key()
    assert jwk.keys() == {"kty", "crv", "x", "y", "d", "kid"}
    assert jwk["crv"] == "P-256"
    assert jwk["kid"] == import_key(jwk).thumbprint()
    assert generate_key()["d"] != jwk["d"]


def test_a_public_key_without_a_name_is_named_by_its_thumbprint() -> None:
    jwk = dict(HOLDER.as_dict(private=False))
    assert registered_jwk(jwk) == {**jwk, "kid": HOLDER.thumbprint()}
    assert registered_jwk({**jwk, "kid": "mine"})["kid"] == "mine"


@pytest.mark.parametrize(
    "jwk",
    [
        generate_key(),
        OctKey.generate_key(256).as_dict(),
        ECKey.generate_key("P-384").as_dict(private=False),
        {**KEYS["PS256"].as_dict(private=False), "alg": "RS256"},
        {},
    ],
)
def test_a_key_that_no_assertion_could_use_is_not_registered(jwk: dict[str, Any]) -> None:
    with pytest.raises(BadJws):
        registered_jwk(jwk)


def with_number(alg: str, name: str, respelt: Callable[[bytes], str]) -> dict[str, Any]:
    """A good public key with one of its numbers in another spelling."""
    jwk = dict(KEYS[alg].as_dict(private=False))
    text = str(jwk[name])
    return {**jwk, name: respelt(urlsafe_b64decode(text + "=" * (-len(text) % 4)))}


@pytest.mark.parametrize(
    ("alg", "name"), [("ES256", "x"), ("ES256", "y"), ("PS256", "n"), ("PS256", "e"), ("Ed25519", "x")]
)
@pytest.mark.parametrize(
    "respelt",
    [
        lambda value: base64url(b"\0" + value),
        lambda value: base64url(value) + "\n",
        lambda value: base64url(value) + "====",
        lambda value: base64url(value)[:2] + " " + base64url(value)[2:],
        lambda value: base64url(value[:-1]),
        lambda value: "",
    ],
)
def test_a_key_has_one_spelling(alg: str, name: str, respelt: Callable[[bytes], str]) -> None:
    with pytest.raises(BadJws):
        registered_jwk(with_number(alg, name, respelt))
    assert registered_jwk(with_number(alg, name, base64url))


async def test_the_signing_key_is_made_once_and_readable_by_its_owner_alone(world: World) -> None:
    assert world.settings.keys_dir
    assert open_signing(world.settings).jwks() == world.signing.jwks()
    file = world.settings.keys_dir / "oauth-signing.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
