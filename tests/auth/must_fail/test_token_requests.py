"""Token requests that must fail, each with the answer that RFC 6749, 7523 or 9449 names."""

from __future__ import annotations

import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.auth.must_fail.partner import DAY_S, STRANGER, Partner
from tests.auth.world import signed_by_hand
from tests.support.messages import KENT, NORMANDY
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S

Request = Callable[[Partner], httpx.Response]


def _hmac_with_public_key(partner: Partner) -> str:
    pem = partner.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    kid = partner.served.rows[partner.client_id]["private_key_jwk"]["kid"]
    unsigned = signed_by_hand({"alg": "HS256", "kid": kid}, partner.claims()).rpartition(".")[0]
    mac = hmac.new(pem, unsigned.encode(), sha256).digest()
    return f"{unsigned}.{urlsafe_b64encode(mac).decode().rstrip('=')}"


def _replayed(partner: Partner) -> httpx.Response:
    assertion = partner.assertion()
    assert partner.ask(client_assertion=assertion).status_code == 200
    return partner.ask(client_assertion=assertion)


def _by_hand(header: dict[str, Any]) -> Request:
    return lambda p: p.ask(client_assertion=signed_by_hand({"alg": "ES256", **header}, p.claims(), b"x" * 64))


def _claims(**claims: Any) -> Request:
    return lambda p: p.ask(client_assertion=p.assertion(**claims))


BAD_ASSERTIONS: dict[str, Request] = {
    "alg none": lambda p: p.ask(
        client_assertion=signed_by_hand({"alg": "none"}, p.claims()).rpartition(".")[0] + "."
    ),
    "alg none with a signature": lambda p: p.ask(
        client_assertion=signed_by_hand({"alg": "none"}, p.claims())
    ),
    "HS256 with the public key": lambda p: p.ask(client_assertion=_hmac_with_public_key(p)),
    "RS256": _by_hand({"alg": "RS256"}),
    "jwk in the header": _by_hand({"jwk": STRANGER.as_dict(private=False)}),
    "jku in the header": _by_hand({"jku": "https://attacker.example/jwks"}),
    "x5u in the header": _by_hand({"x5u": "https://attacker.example/cert"}),
    "crit in the header": _by_hand({"crit": ["exp"]}),
    "kid that climbs": lambda p: p.ask(
        client_assertion=p.assertion({"kid": "../../keys/oauth-signing.json"})
    ),
    "kid of SQL": lambda p: p.ask(client_assertion=p.assertion({"kid": "' OR '1'='1"})),
    "unknown kid": lambda p: p.ask(client_assertion=p.assertion({"kid": "unknown"})),
    "another's key": lambda p: p.ask(client_assertion=p.assertion(key=STRANGER)),
    "unknown client": lambda p: p.ask(client_assertion=p.assertion(iss="nobody", sub="nobody")),
    "replayed jti": _replayed,
    "no jti": _claims(jti=None),
    "no exp": _claims(exp=None),
    "expired": _claims(exp=int(time.time()) - 1),
    "exp in ten years": _claims(exp=int(time.time()) + 315_360_000),
    "not yet valid": _claims(nbf=int(time.time()) + DAY_S),
    "aud of another server": _claims(aud="https://attacker.example"),
    "aud as a list": lambda p: p.ask(client_assertion=p.assertion(aud=[p.served.base_url])),
    "aud is the token endpoint": lambda p: p.ask(
        client_assertion=p.assertion(aud=f"{p.served.base_url}/oauth/token")
    ),
    "aud with a slash": lambda p: p.ask(client_assertion=p.assertion(aud=f"{p.served.base_url}/")),
    "no aud": _claims(aud=None),
    "iss is not sub": _claims(sub=NORMANDY),
    "client_id of another in the body": lambda p: p.ask(client_id=NORMANDY),
    "an access token as assertion": lambda p: p.ask(client_assertion=p.token()),
    "a DPoP proof as assertion": lambda p: p.ask(client_assertion=p.proof()),
    "typ of an access token": lambda p: p.ask(client_assertion=p.assertion({"typ": "at+jwt"})),
    "no assertion": lambda p: httpx.post(
        f"{p.served.base_url}/oauth/token",
        data={"grant_type": "client_credentials"},
        timeout=PATIENCE_S,
    ),
}


@pytest.mark.parametrize("name", BAD_ASSERTIONS)
def test_a_client_that_does_not_prove_itself_is_an_invalid_client(served: Served, name: str) -> None:
    answer = BAD_ASSERTIONS[name](Partner(served, KENT))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client"), answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json().keys() == {"error", "error_description"}


def test_of_twenty_requests_at_once_with_one_jti_exactly_one_gets_a_token(served: Served) -> None:
    partner = Partner(served, KENT)
    form = partner.form()
    with ThreadPoolExecutor(20) as at_once:
        url = f"{served.base_url}/oauth/token"
        statuses = list(
            at_once.map(lambda _: httpx.post(url, data=form, timeout=PATIENCE_S).status_code, range(20))
        )
    assert sorted(statuses) == [200] + [401] * 19


def _doubled(name: str) -> Request:
    def ask(partner: Partner) -> httpx.Response:
        form = partner.form()
        return partner.ask(**{**form, name: [form[name], form[name]]})

    return ask


def _raw(body: bytes) -> Request:
    return lambda p: p.ask(content=body)


def _basic(partner: Partner) -> httpx.Response:
    return partner.ask(headers={"Authorization": "Basic a2VudDpz"})


MALFORMED: dict[str, Request] = {
    "assertion and HTTP Basic": _basic,
    "assertion and secret": lambda p: p.ask(client_secret="s"),
    "assertion and bearer token": lambda p: p.ask(headers={"Authorization": f"Bearer {p.token()}"}),
    "doubled grant_type": _doubled("grant_type"),
    "doubled scope": _doubled("scope"),
    "doubled client_assertion": _doubled("client_assertion"),
    "parameters in the query": lambda p: p.ask("/oauth/token?scope=events:read"),
    "everything in the query": lambda p: httpx.post(
        f"{p.served.base_url}/oauth/token", params=p.form(), timeout=PATIENCE_S
    ),
    "no grant_type": lambda p: p.ask(grant_type=None),
    "another assertion type": lambda p: p.ask(
        client_assertion_type="urn:ietf:params:oauth:grant-type:saml2-bearer"
    ),
    "JSON": lambda p: httpx.post(f"{p.served.base_url}/oauth/token", json=p.form(), timeout=PATIENCE_S),
    "multipart": lambda p: httpx.post(
        f"{p.served.base_url}/oauth/token",
        files={"grant_type": b"client_credentials"},
        timeout=PATIENCE_S,
    ),
    "NUL": _raw(b"grant_type=client_credentials&scope=%00"),
    "raw NUL": _raw(b"grant_type=client_credentials\0"),
    "letters beyond ASCII": _raw("grant_type=client_credentials&client_id=ké".encode()),
    "escaped letters beyond ASCII": _raw(b"grant_type=client_credentials&client_id=k%C3%A9"),
    "invalid UTF-8": _raw(b"grant_type=client_credentials&client_id=\xff\xfe"),
    "escaped invalid UTF-8": _raw(b"grant_type=client_credentials&client_id=%ff%fe"),
    "line breaks": _raw(b"grant_type=client_credentials&client_id=a%0d%0aSet-Cookie:%20b"),
    "nothing": _raw(b""),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_request_that_is_not_one_plain_form_is_an_invalid_request(served: Served, name: str) -> None:
    answer = MALFORMED[name](Partner(served, KENT))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), answer.text
    assert "set-cookie" not in answer.headers


def test_a_body_of_five_megabytes_is_not_read(served: Served) -> None:
    answer = Partner(served, KENT).ask(content=b"a=" + b"x" * (5 * 1024 * 1024))
    assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "*",
        "events:*",
        "partners:admin",
        "events:read partners:admin",
        "events:read unknown",
        "events:read  events:publish",
    ],
)
def test_a_scope_that_is_not_granted_as_a_whole_is_an_invalid_scope(
    served: Served, scope: str | None
) -> None:
    answer = Partner(served, KENT).ask(scope=scope)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize(
    "fields",
    [
        {"grant_type": "password", "username": "a", "password": "b"},
        {"grant_type": "refresh_token"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"},
        {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
        {"grant_type": "CLIENT_CREDENTIALS"},
    ],
)
def test_a_limited_token_buys_no_wider_one_by_any_grant(served: Served, fields: dict[str, str]) -> None:
    partner = Partner(served, KENT)
    token = partner.token(scope="events:read")
    for name in ("refresh_token", "subject_token", "assertion", "code"):
        answer = partner.ask(**fields, **{name: token}, scope="events:publish")
        assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")


def _proof(header: dict[str, Any] | None = None, **claims: Any) -> Callable[[Partner], list[str]]:
    return lambda p: [p.proof(header=header, **claims)]


BAD_PROOFS: dict[str, Callable[[Partner], list[str]]] = {
    "none, without the waiver": lambda _: [],
    "two": lambda p: [p.proof(), p.proof()],
    "no JWS": lambda _: ["x"],
    "typ of another statement": _proof({"typ": "JWT"}),
    "no typ": _proof({"typ": None}),
    "alg none": lambda p: [signed_by_hand({"typ": "dpop+jwt", "alg": "none"}, {})],
    "a private key": lambda p: [p.proof(header={"jwk": STRANGER.as_dict(private=True)}, key=STRANGER)],
    "another key than signed it": _proof({"jwk": STRANGER.as_dict(private=False)}),
    "no key": _proof({"jwk": None}),
    "another method": _proof(htm="GET"),
    "another address": _proof(htu="https://attacker.example/oauth/token"),
    "an old one": _proof(iat=int(time.time()) - 600),
    "one from the future": _proof(iat=int(time.time()) + DAY_S),
    "no iat": _proof(iat=None),
    "no jti": _proof(jti=None),
    "an assertion": lambda p: [p.assertion()],
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_a_wrong_proof_binds_no_token(served: Served, name: str) -> None:
    partner = Partner(served, NORMANDY)
    proofs = [("DPoP", proof) for proof in BAD_PROOFS[name](partner)]
    answer = httpx.post(
        f"{served.base_url}/oauth/token", data=partner.form(), headers=proofs, timeout=PATIENCE_S
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof"), answer.text


def test_a_good_request_of_each_kind_succeeds(served: Served) -> None:
    assert Partner(served, KENT).ask().json()["token_type"] == "Bearer"
    bound = Partner(served, NORMANDY)
    answer = bound.ask(headers={"DPoP": bound.proof()})
    assert json.loads(answer.text)["token_type"] == "DPoP"
