"""How a client proves who it is, and everything that proves nothing."""

from __future__ import annotations

import hmac
import json
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import RSAKey

from hub.auth.oauth.calls import NOT_PROVEN
from hub.store.clients import retire_key, set_suspended
from tests.auth.world import (
    AT,
    HOLDER,
    ISSUER,
    KEYS,
    KID,
    STRANGER,
    TOKEN_URL,
    World,
    base64url,
    signed_by_hand,
)


async def refused(world: World, assertion: str, **fields: Any) -> str:
    """Asserts invalid_client, and returns the description."""
    answer = await world.ask(client_assertion=assertion, **fields)
    assert (answer.status_code, answer.json().get("error")) == (401, "invalid_client"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return str(answer.json()["error_description"])


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA", "Ed25519"])
async def test_each_allowed_algorithm_gets_a_token(world: World, alg: str) -> None:
    await world.enrol(alg=alg)
    answer = await world.ask(client_assertion=world.assertion(alg=alg))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(("named", "used"), [("EdDSA", "Ed25519"), ("Ed25519", "EdDSA")])
async def test_both_names_of_ed25519_mean_one_algorithm(world: World, named: str, used: str) -> None:
    jwk = {**KEYS["Ed25519"].as_dict(private=False), "kid": KID, "alg": named}
    await world.enrol(keys=(jwk,))
    assert (await world.ask(client_assertion=world.assertion(alg=used))).status_code == 200


@pytest.mark.parametrize("alg", ["RS256", "ES384", "HS256", "none", "es256", "ES256K", "Ed448"])
async def test_other_algorithms_are_refused(kent: World, alg: str) -> None:
    assertion = signed_by_hand({"alg": alg, "kid": KID}, kent.assertion_claims(), b"x" * 64)
    assert "must be signed with one of ES256, PS256, EdDSA, Ed25519" in await refused(kent, assertion)


async def test_a_real_rs256_signature_of_a_registered_key_is_refused(world: World) -> None:
    await world.enrol(alg="PS256")
    claims = json.dumps(world.assertion_claims())
    header = {"alg": "RS256", "kid": KID}
    assertion = jws.serialize_compact(header, claims, KEYS["PS256"], algorithms=["RS256"])
    assert "must be signed with" in await refused(world, assertion)


async def test_the_public_key_is_no_hmac_secret(kent: World) -> None:
    pem = KEYS["ES256"].public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    unsigned = signed_by_hand({"alg": "HS256", "kid": KID}, kent.assertion_claims()).rpartition(".")[0]
    mac = base64url(hmac.new(pem, unsigned.encode(), sha256).digest())
    assert "must be signed with" in await refused(kent, f"{unsigned}.{mac}")


async def test_an_unsigned_assertion_is_refused(kent: World) -> None:
    unsigned = signed_by_hand({"alg": "none", "kid": KID}, kent.assertion_claims()).rpartition(".")[0]
    assert "not a compact JWS" in await refused(kent, f"{unsigned}.")


async def test_the_algorithm_must_fit_the_type_of_the_key(kent: World) -> None:
    assertion = kent.assertion(alg="PS256", key=KEYS["PS256"])
    assert await refused(kent, assertion) == NOT_PROVEN


@pytest.mark.parametrize(
    "header",
    [
        {"jwk": STRANGER.as_dict(private=False)},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": 5},
        {"b64": False, "crit": ["b64"]},
    ],
)
async def test_a_header_that_brings_a_key_or_a_rule_is_refused(kent: World, header: dict[str, Any]) -> None:
    assertion = signed_by_hand({"alg": "ES256", "kid": KID, **header}, kent.assertion_claims(), b"x" * 64)
    assert "header member that is not allowed" in await refused(kent, assertion)


@pytest.mark.parametrize("kid", ["../../../dev/null", "' OR 1=1 --", "/etc/passwd", "second", "FIRST", "é"])
async def test_a_kid_only_ever_names_a_live_key_of_that_client(kent: World, kid: str) -> None:
    assert await refused(kent, kent.assertion(header={"kid": kid})) == NOT_PROVEN


async def test_a_client_cannot_use_the_key_of_another(kent: World) -> None:
    jwk = {**STRANGER.as_dict(private=False), "kid": "theirs"}
    await kent.enrol("normandy", keys=(jwk,))
    assertion = kent.assertion("kent", key=STRANGER, header={"kid": "theirs"})
    assert await refused(kent, assertion) == NOT_PROVEN


async def test_without_a_kid_each_live_key_may_have_signed(world: World) -> None:
    both = (STRANGER, KEYS["ES256"])
    await world.enrol(keys=tuple({**key.as_dict(private=False), "kid": key.thumbprint()} for key in both))
    for key in both:
        assertion = world.assertion(key=key, header={"kid": None})
        assert (await world.ask(client_assertion=assertion)).status_code == 200
    assert await refused(world, world.assertion(key=HOLDER, header={"kid": None})) == NOT_PROVEN


async def test_a_retired_key_proves_nothing_at_once(kent: World) -> None:
    assert (await kent.ask()).status_code == 200
    await kent.store.intake(lambda conn: retire_key(conn, "kent", KID, AT))
    assert await refused(kent, kent.assertion()) == NOT_PROVEN


async def test_a_weak_key_on_record_proves_nothing(world: World) -> None:
    with pytest.warns(UserWarning, match="2048"):
        weak = RSAKey.generate_key(1024)
    await world.enrol(keys=({**weak.as_dict(private=False), "kid": KID},))
    assert await refused(world, world.assertion(alg="PS256", key=weak)) == NOT_PROVEN


async def test_unknown_client_wrong_key_and_suspended_client_get_the_same_answer(kent: World) -> None:
    await kent.enrol("normandy")
    await kent.store.intake(lambda conn: set_suspended(conn, "normandy", True))
    answers = [
        await kent.ask(client_assertion=assertion)
        for assertion in (
            kent.assertion("nobody"),
            kent.assertion("kent", key=STRANGER),
            kent.assertion("normandy"),
        )
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    assert {tuple(answer.headers.items()) for answer in answers} == {tuple(answers[0].headers.items())}
    assert answers[0].json() == {"error": "invalid_client", "error_description": NOT_PROVEN}


async def test_a_resumed_client_gets_tokens_again(kent: World) -> None:
    await kent.store.intake(lambda conn: set_suspended(conn, "kent", True))
    await refused(kent, kent.assertion())
    await kent.store.intake(lambda conn: set_suspended(conn, "kent", False))
    assert (await kent.ask()).status_code == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "nobody"},
        {"sub": "nobody"},
        {"sub": None},
        {"iss": None},
        {"iss": 5, "sub": 5},
        {"iss": "k\x00", "sub": "k\x00"},
        {"iss": "ké", "sub": "ké"},
        {"aud": None},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://attacker.example"]},
        {"aud": TOKEN_URL},
        {"aud": f"{ISSUER}/"},
        {"aud": "https://attacker.example"},
        {"exp": None},
        {"exp": True},
        {"exp": "4102444800"},
        {"exp": 1},
        {"exp": -1},
        {"exp": 10**30},
        {"nbf": "soon"},
        {"nbf": True},
        {"iat": True},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 257},
    ],
)
async def test_a_wrong_claim_is_refused(kent: World, claims: dict[str, Any]) -> None:
    assert await refused(kent, kent.assertion(**claims)) != NOT_PROVEN


@pytest.mark.parametrize(
    ("claim", "offset_s", "status"),
    [
        ("exp", -1, 401),
        ("exp", 295, 200),
        ("exp", 330, 401),
        ("exp", 315_360_000, 401),
        ("nbf", 5, 200),
        ("nbf", 30, 401),
        ("iat", 5, 200),
        ("iat", 30, 401),
        ("iat", -30, 200),
    ],
)
async def test_times_hold_with_ten_seconds_for_a_fast_clock(
    kent: World, claim: str, offset_s: int, status: int
) -> None:
    answer = await kent.ask(client_assertion=kent.assertion(**{claim: int(kent.clock()) + offset_s}))
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("typ", ["JWT", "client-authentication+jwt"])
async def test_an_assertion_may_name_its_type(kent: World, typ: str) -> None:
    answer = await kent.ask(client_assertion=kent.assertion(header={"typ": typ}))
    assert answer.status_code == 200


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", ["JWT"], {}])
async def test_a_statement_of_another_type_is_no_assertion(kent: World, typ: Any) -> None:
    assertion = signed_by_hand({"alg": "ES256", "kid": KID, "typ": typ}, kent.assertion_claims(), b"x" * 64)
    assert "typ" in await refused(kent, assertion)


@pytest.mark.parametrize(
    "assertion",
    [
        "x",
        "..",
        "a.b.c",
        "a.b",
        "a.b.c.d",
        signed_by_hand("[]", "{}"),
        signed_by_hand("5", "{}"),
        signed_by_hand('{"alg":"ES256","alg":"ES256"}', "{}"),
        signed_by_hand({"alg": ["ES256"]}, "{}"),
        signed_by_hand({"alg": "ES256"}, "[]"),
        signed_by_hand({"alg": "ES256"}, '{"exp":NaN}'),
        signed_by_hand({"alg": "ES256"}, '{"exp":1,"exp":2}'),
        signed_by_hand({"alg": "ES256"}, "[" * 2_500),
        signed_by_hand({"alg": "ES256", "kid": 5}, "{}"),
        signed_by_hand({"alg": "ES256"}, '{"iss":"\\ud800","sub":"\\ud800"}'),
        signed_by_hand({"alg": "ES256"}, '{"exp":' + "9" * 5_000 + "}"),
        "a" * 9_000,
    ],
)
async def test_what_is_no_statement_at_all_is_refused(kent: World, assertion: str) -> None:
    await refused(kent, assertion)


async def test_a_doubled_claim_is_refused_although_the_key_signed_it(kent: World) -> None:
    claims = json.dumps(kent.assertion_claims()).replace("{", '{"exp":1,', 1)
    assertion = jws.serialize_compact({"alg": "ES256", "kid": KID}, claims, KEYS["ES256"])
    assert "not unambiguous" in await refused(kent, assertion)


async def test_a_padded_signature_is_refused(kent: World) -> None:
    await refused(kent, kent.assertion() + "==")


async def test_a_changed_claim_breaks_the_signature(kent: World) -> None:
    header, _, signature = kent.assertion().split(".")
    forged = base64url(json.dumps(kent.assertion_claims()).encode())
    assert await refused(kent, f"{header}.{forged}.{signature}") == NOT_PROVEN


async def test_an_access_token_is_no_assertion(kent: World) -> None:
    await refused(kent, await kent.token())


async def test_the_client_id_in_the_body_must_be_the_one_of_the_assertion(kent: World) -> None:
    assert (await kent.ask(client_id="kent")).status_code == 200
    await refused(kent, kent.assertion(), client_id="normandy")
