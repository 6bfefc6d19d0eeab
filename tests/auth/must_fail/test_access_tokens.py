"""Access tokens that must open nothing, each with 401 and the challenge of RFC 6750 or 9449."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from hub.auth.oauth.signing import Signing, open_signing
from tests.auth.must_fail.partner import DAY_S, STRANGER, Partner
from tests.auth.world import base64url, signed_by_hand
from tests.support.messages import KENT, NORMANDY
from tests.support.serving import Served
from tests.support.waiting import PATIENCE_S

Attempt = Callable[[Partner, Signing], str]


def claims(partner: Partner, **members: Any) -> dict[str, Any]:
    """Of a good token of the partner, but for those given; None takes one away."""
    now_s, issuer = int(time.time()), partner.served.base_url
    good = {
        "iss": issuer,
        "aud": issuer,
        "sub": partner.client_id,
        "client_id": partner.client_id,
        "scope": "events:read",
        "iat": now_s,
        "exp": now_s + 300,
        "jti": str(uuid4()),
        "hub_partner": partner.client_id,
        "hub_audience": "partner",
    }
    return {name: value for name, value in {**good, **members}.items() if value is not None}


def _own(typ: str = "at+jwt", **members: Any) -> Attempt:
    """Signed by the hub's own key: nothing but these members is wrong."""
    return lambda partner, signing: signing.sign(typ, claims(partner, **members))


def _tampered(partner: Partner, _signing: Signing) -> str:
    header, _, signature = partner.token().split(".")
    return f"{header}.{base64url(json.dumps(claims(partner, scope='partners:admin')).encode())}.{signature}"


BAD_TOKENS: dict[str, Attempt] = {
    "no typ": lambda p, _: signed_by_hand({"alg": "ES256"}, claims(p), b"x" * 64),
    "alg none": lambda p, _: signed_by_hand({"alg": "none", "typ": "at+jwt"}, claims(p)),
    "typ of an ID token": _own("JWT"),
    "an ID token": lambda p, s: s.sign(
        "JWT", {"iss": p.served.base_url, "aud": p.client_id, "sub": "x", "nonce": "n"}
    ),
    "another issuer": _own(iss="https://attacker.example"),
    "another audience": _own(aud="https://attacker.example"),
    "several audiences": lambda p, s: s.sign(
        "at+jwt", claims(p, aud=[p.served.base_url, "https://other.example"])
    ),
    "expired": _own(exp=int(time.time()) - 1),
    "not yet valid": _own(nbf=int(time.time()) + DAY_S),
    "issued in the future": _own(iat=int(time.time()) + DAY_S),
    "no expiry": _own(exp=None),
    "of a client that is not there": _own(sub="nobody", client_id="nobody", hub_partner="nobody"),
    "of another partner": _own(hub_partner=NORMANDY),
    "of another audience": _own(hub_audience="manager"),
    "tampered": _tampered,
    "signed by a stranger": lambda p, _: p.assertion({"typ": "at+jwt", "kid": "x"}, STRANGER, **claims(p)),
    "a client assertion": lambda p, _: p.assertion(),
    "a client assertion that names itself a token": lambda p, _: p.assertion({"typ": "at+jwt"}, **claims(p)),
    "a DPoP proof": lambda p, _: p.proof(),
    "bound, sent as bearer": lambda p, _: p.token(bound=True),
    "no JWS": lambda p, _: "x",
    "two in one": lambda p, _: f"{p.token()} {p.token()}",
    "a megabyte": lambda p, _: "x" * 60_000,
}


@pytest.fixture(scope="module")
def signing(served: Served) -> Signing:
    """The hub's own keys."""
    return open_signing(served.settings)


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_a_token_that_does_not_hold_opens_nothing(served: Served, signing: Signing, name: str) -> None:
    partner = Partner(served, KENT)
    answer = partner.me(f"Bearer {BAD_TOKENS[name](partner, signing)}")
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), answer.text
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_tokens_that_differ_from_these_in_nothing_else_open(served: Served, signing: Signing) -> None:
    partner = Partner(served, KENT)
    for token in (partner.token(), signing.sign("at+jwt", claims(partner))):
        answer = partner.me(f"Bearer {token}")
        assert answer.json() == {"data": {"me": {"partner": {"slug": KENT}}}}, answer.text


@pytest.mark.parametrize("where", ["query", "body", "cookie"])
def test_a_token_elsewhere_than_in_its_header_is_none(served: Served, where: str) -> None:
    partner = Partner(served, KENT)
    token, url = partner.token(), f"{served.base_url}/events"
    answer = {
        "query": lambda: httpx.post(url, params={"access_token": token}, json={}, timeout=PATIENCE_S),
        "body": lambda: httpx.post(url, data={"access_token": token}, timeout=PATIENCE_S),
        "cookie": lambda: httpx.post(
            url, headers={"Cookie": f"access_token={token}"}, json={}, timeout=PATIENCE_S
        ),
    }[where]()
    assert (answer.status_code, answer.json()["code"]) == (401, "token.missing")


BAD_PROOFS: dict[str, dict[str, Any]] = {
    "of another key": {"key": STRANGER},
    "for another method": {"method": "GET"},
    "for another address": {"path": "/events"},
    "for another host": {"htu": "https://attacker.example/graphql"},
    "for another token": {"token": "other"},
    "without the token's hash": {"ath": None},
    "old": {"iat": int(time.time()) - 600},
    "from the future": {"iat": int(time.time()) + DAY_S},
    "with a stale nonce": {"nonce": "stale"},
    "of another type": {"header": {"typ": "at+jwt"}},
}


@pytest.mark.parametrize("name", BAD_PROOFS)
def test_a_bound_token_opens_nothing_with_a_wrong_proof(served: Served, name: str) -> None:
    partner = Partner(served, NORMANDY)
    token = partner.token(bound=True)
    good: dict[str, Any] = {"path": "/graphql", "token": token}
    answer = partner.me(f"DPoP {token}", DPoP=partner.proof(**{**good, **BAD_PROOFS[name]}))
    assert (answer.status_code, answer.json()["code"]) == (401, "token.invalid"), answer.text
    challenge = answer.headers["www-authenticate"]
    assert challenge.startswith("DPoP ")
    assert ('error="use_dpop_nonce"' if "nonce" in name else 'error="invalid_dpop_proof"') in challenge
    assert partner.me(f"DPoP {token}", DPoP=partner.proof(**good)).status_code == 200


def test_a_proof_opens_once(served: Served) -> None:
    partner = Partner(served, NORMANDY)
    token = partner.token(bound=True)
    proof = partner.proof("/graphql", token=token)
    assert [partner.me(f"DPoP {token}", DPoP=proof).status_code for _ in range(2)] == [200, 401]


def test_a_limited_token_stays_limited(served: Served) -> None:
    partner = Partner(served, KENT)
    token = partner.token(scope="events:read")
    answer = httpx.post(
        f"{served.base_url}/events",
        json={
            "specversion": "1.0",
            "id": "1",
            "source": f"/partners/{KENT}/x",
            "type": "hub.service.withdrawn.v1",
            "subject": str(uuid4()),
            "data": {},
        },
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/cloudevents+json"},
        timeout=PATIENCE_S,
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "scope.missing"), answer.text


def test_a_key_that_the_hub_has_only_just_forgotten_signs_nothing(served: Served, tmp_path: Path) -> None:
    other = open_signing(served.settings.model_copy(update={"keys_dir": tmp_path}))
    partner = Partner(served, KENT)
    assert partner.me(f"Bearer {other.sign('at+jwt', claims(partner))}").status_code == 401
