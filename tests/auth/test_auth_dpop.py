"""Proof of possession (RFC 9449), at the token endpoint and at the resource."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from typing import Any

import httpx
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc.jwk import OctKey, RSAKey

from hub.auth.proofs.dpop import normalised
from hub.auth.proofs.jws import BadJws
from hub.store.clients import set_suspended
from tests.auth.world import HOLDER, ISSUER, KEYS, STRANGER, TOKEN_URL, WHO_URL, World, signed_by_hand


def refused_at_token(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["error_description"])


def refused_at_resource(answer: httpx.Response) -> str:
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), answer.text
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith('DPoP realm="hub", algs="ES256 PS256 EdDSA Ed25519"')
    assert 'error="invalid_dpop_proof"' in challenge
    return str(answer.json()["message"])


def payload(token: str) -> Any:
    part = token.split(".")[1]
    return orjson.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "Ed25519"])
async def test_a_token_is_bound_to_the_key_of_the_proof_by_each_algorithm(kent: World, alg: str) -> None:
    key = KEYS[alg]
    answer = (await kent.ask(headers={"DPoP": kent.proof(alg=alg, key=key)})).json()
    token = answer["access_token"]
    assert answer["token_type"] == "DPoP"
    assert payload(token)["cnf"] == {"jkt": key.thumbprint()}
    who = await kent.who(token, "DPoP", proof=kent.proof(token=token, alg=alg, key=key))
    assert (who.status_code, who.json()["client_id"]) == (200, "kent")


async def test_a_4096_bit_rsa_key_fits_into_a_proof(kent: World) -> None:
    proof = kent.proof(alg="PS256", key=RSAKey.generate_key(4096))
    assert (await kent.ask(headers={"DPoP": proof})).status_code == 200


async def test_an_rsa_key_with_an_unusual_exponent_is_refused(kent: World) -> None:
    key = RSAKey.import_key(rsa.generate_private_key(public_exponent=3, key_size=2048))
    assert "exponent" in refused_at_token(await kent.ask(headers={"DPoP": kent.proof(alg="PS256", key=key)}))


async def test_without_the_waiver_a_client_must_bring_a_proof(world: World) -> None:
    await world.enrol(bearer=False)
    assert "no waiver" in refused_at_token(await world.ask())
    assert (await world.ask(headers={"DPoP": world.proof()})).json()["token_type"] == "DPoP"


async def test_a_plain_token_is_worth_nothing_once_the_waiver_is_gone(world: World) -> None:
    await world.enrol(bearer=False)
    plain = world.signing.sign("at+jwt", world.access_claims())
    answer = await world.who(plain)
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
    assert "waiver" in answer.json()["message"]


WRONG_PROOFS: list[dict[str, Any]] = [
    {"header": {"typ": None}},
    {"header": {"typ": "JWT"}},
    {"header": {"typ": "at+jwt"}},
    {"header": {"jwk": None}},
    {"header": {"jwk": STRANGER.as_dict(private=False)}},
    {"header": {"jwk": HOLDER.as_dict(private=True)}},
    {"header": {"jku": "https://attacker.example/jwks"}},
    {"header": {"x5u": "https://attacker.example/cert"}},
    {"jti": None},
    {"jti": ""},
    {"htm": None},
    {"htm": "PUT"},
    {"htm": "post"},
    {"htu": None},
    {"htu": "https://attacker.example/"},
    {"htu": f"{ISSUER}/events"},
    {"htu": "/oauth/token"},
    {"htu": "http://[::1"},
    {"htu": "http://127.0.0.1:99999/who"},
    {"htu": "http://kent@127.0.0.1:8000/who"},
    {"iat": None},
    {"iat": "now"},
]


@pytest.mark.parametrize("wrong", WRONG_PROOFS)
async def test_a_wrong_proof_gets_no_token(kent: World, wrong: dict[str, Any]) -> None:
    refused_at_token(await kent.ask(headers={"DPoP": kent.proof(**wrong)}))


@pytest.mark.parametrize("wrong", [*WRONG_PROOFS, {"ath": None}, {"ath": "x"}, {"ath": 5}])
async def test_a_wrong_proof_opens_no_resource(kent: World, wrong: dict[str, Any]) -> None:
    token = await kent.bound_token()
    refused_at_resource(await kent.who(token, "DPoP", proof=kent.proof(token=token, **wrong)))


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "HS256", "jwk": OctKey.import_key("x" * 32).as_dict()},
        {"alg": "RS256", "jwk": KEYS["PS256"].as_dict(private=False)},
        {"alg": "ES256", "jwk": OctKey.import_key("x" * 32).as_dict()},
        {"alg": "ES256", "jwk": KEYS["PS256"].as_dict(private=False)},
        {"alg": "PS256", "jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"alg": "PS256", "jwk": {"kty": "RSA", "n": "_" * 800, "e": "AQAB"}},
        {"alg": "PS256", "jwk": {"kty": "RSA", "n": KEYS["PS256"].as_dict()["n"], "e": "_" * 300}},
        {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"alg": "ES256", "jwk": {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"}},
        {"alg": "ES256", "jwk": {"kty": "EC", "crv": ["P-256"], "x": "", "y": ""}},
        {"alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}},
        {"alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "X25519", "x": "A" * 43}},
        {"alg": "ES256", "jwk": {"kty": ["EC"]}},
        {"alg": "ES256", "jwk": {**HOLDER.as_dict(private=False), "use": "enc"}},
        {"alg": "ES256", "jwk": {**HOLDER.as_dict(private=False), "key_ops": 5}},
        {"alg": "ES256", "jwk": {**HOLDER.as_dict(private=False), "alg": ["ES256"]}},
        {"alg": "ES256", "jwk": [HOLDER.as_dict(private=False)]},
        {"alg": "ES256", "jwk": "x"},
    ],
)
async def test_a_key_that_is_none_for_signatures_gets_no_token(kent: World, header: dict[str, Any]) -> None:
    claims = {"jti": "1", "htm": "POST", "htu": TOKEN_URL, "iat": int(kent.clock())}
    proof = signed_by_hand({"typ": "dpop+jwt", **header}, claims, b"x" * 64)
    refused_at_token(await kent.ask(headers={"DPoP": proof}))


@pytest.mark.parametrize(
    ("offset_s", "status"), [(5, 200), (30, 400), (-50, 200), (-90, 400), (-(10**8), 400)]
)
async def test_a_proof_is_good_for_a_minute(kent: World, offset_s: int, status: int) -> None:
    proof = kent.proof(iat=int(kent.clock()) + offset_s)
    assert (await kent.ask(headers={"DPoP": proof})).status_code == status


@pytest.mark.parametrize("headers", [["x", "y"], [""], ["not a proof"]])
async def test_there_is_exactly_one_proof(kent: World, headers: list[str]) -> None:
    answer = await kent.http.post(
        "/oauth/token", data=kent.form(), headers=[("DPoP", header) for header in headers]
    )
    refused_at_token(answer)


async def test_two_good_proofs_are_one_too_many(kent: World) -> None:
    token = await kent.bound_token()
    headers = [("DPoP", kent.proof(token=token)) for _ in range(2)]
    answer = await kent.http.get("/who", headers=[("Authorization", f"DPoP {token}"), *headers])
    assert "exactly once" in refused_at_resource(answer)


async def test_a_bound_token_without_a_proof_is_refused(kent: World) -> None:
    refused_at_resource(await kent.who(await kent.bound_token(), "DPoP"))


async def test_a_bound_token_sent_as_bearer_is_refused(kent: World) -> None:
    token = await kent.bound_token()
    for proof in (None, kent.proof(token=token)):
        answer = await kent.who(token, "Bearer", proof=proof)
        assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert "DPoP" in answer.headers["www-authenticate"]


async def test_a_plain_token_sent_as_dpop_is_refused(kent: World) -> None:
    token = await kent.token()
    answer = await kent.who(token, "DPoP", proof=kent.proof(token=token))
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid")


async def test_the_proof_must_be_of_the_key_that_the_token_is_bound_to(kent: World) -> None:
    token = await kent.bound_token()
    proof = kent.proof(token=token, key=STRANGER)
    assert "another key" in refused_at_resource(await kent.who(token, "DPoP", proof=proof))


async def test_a_proof_for_one_token_does_not_open_with_another(kent: World) -> None:
    first, second = await kent.bound_token(), await kent.bound_token()
    refused_at_resource(await kent.who(second, "DPoP", proof=kent.proof(token=first)))


async def test_a_proof_for_one_method_does_not_open_another(kent: World) -> None:
    token = await kent.bound_token()
    refused_at_resource(await kent.who(token, "DPoP", method="POST", proof=kent.proof(token=token)))
    answer = await kent.who(token, "DPoP", method="POST", proof=kent.proof(token=token, htm="POST"))
    assert answer.status_code == 200


async def test_a_proof_counts_once_at_the_token_endpoint(kent: World) -> None:
    proof = kent.proof()
    assert (await kent.ask(headers={"DPoP": proof})).status_code == 200
    assert "used before" in refused_at_token(await kent.ask(headers={"DPoP": proof}))


async def test_of_twenty_requests_at_once_with_one_proof_exactly_one_is_let_in(kent: World) -> None:
    token = await kent.bound_token()
    proof = kent.proof(token=token)
    answers = await asyncio.gather(*(kent.who(token, "DPoP", proof=proof) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 19


async def test_a_suspended_client_is_told_so_only_with_a_good_proof(kent: World) -> None:
    token = await kent.bound_token()
    await kent.store.intake(lambda conn: set_suspended(conn, "kent", True))
    refused_at_resource(await kent.who(token, "DPoP"))
    answer = await kent.who(token, "DPoP", proof=kent.proof(token=token))
    assert (answer.status_code, answer.json()["code"]) == (403, "partner.suspended")


async def test_query_and_fragment_of_the_address_do_not_count(kent: World) -> None:
    token = await kent.bound_token()
    for htu in (WHO_URL, f"{WHO_URL}?a=1#b", WHO_URL.replace("http", "HTTP"), f"{ISSUER}/%77ho"):
        headers = {"Authorization": f"dpop {token}", "DPoP": kent.proof(token=token, htu=htu)}
        assert (await kent.http.get("/who?x=2", headers=headers)).status_code == 200, htu


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Hub.Example/a", "https://hub.example:443/a"),
        ("http://hub.example", "http://hub.example:80/"),
        ("https://hub.example/%7ekent", "https://hub.example/~kent"),
        ("https://hub.example/a%2fb", "https://hub.example/a%2Fb"),
        ("https://[::1]:443/a", "https://[::1]/a"),
    ],
)
def test_spellings_of_one_address_are_equal(one: str, other: str) -> None:
    assert normalised(one) == normalised(other)


@pytest.mark.parametrize(
    "other", ["https://hub.example/a%2Fb", "https://hub.example:444/a/b", "http://hub.example/a/b"]
)
def test_different_addresses_stay_different(other: str) -> None:
    assert normalised("https://hub.example/a/b") != normalised(other)


@pytest.mark.parametrize(
    "no_address", ["", "/who", "ftp://hub.example/", "http://", "http://a:b/", "javascript:1"]
)
def test_what_is_no_web_address_has_no_spelling(no_address: str) -> None:
    with pytest.raises(BadJws):
        normalised(no_address)
