"""private_key_jwt: a client proves who it is with a statement signed by its own key.

Sources: RFC 7521, RFC 7523, RFC 10070 (the audience is the issuer, and nothing else), FAPI 2.0 (algorithms).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.jwk import ECKey, OKPKey
from joserfc.util import int_to_base64

from hub.auth.proofs.jws import (
    KEY_TYPES,
    BadJws,
    Unverified,
    check_started,
    is_signed_by,
    public_key,
    read,
    text_claim,
    time_claim,
)
from hub.store.clients import LIVE_KEYS_MAX, Client

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFETIME_S_MAX = 300
LEEWAY_S = 10
"""How far a client's clock may run ahead of ours: FAPI 2.0 asks for 10 s. What has expired has no leeway."""

_TYPES: frozenset[str | None] = frozenset({None, "JWT", "client-authentication+jwt"})
_CLIENT_ID = re.compile(r"[\x21-\x7e]{1,128}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Assertion:
    """A well-formed assertion: whom it claims to come from is open until a `signer` was found.

    expires_at_s: seconds since 1970, after which it is refused for its age.
    """

    statement: Unverified
    client_id: str
    kid: str | None
    jti: str
    expires_at_s: int


def read_assertion(text: str, issuer: str, now_s: float) -> Assertion:
    """Judge all that the assertion says about itself; BadJws when it cannot be good for anyone.

    No client is looked up, so that the reason can be told without telling which clients exist.
    """
    statement = read(text, types=_TYPES, headers=frozenset({"kid"}))
    kid, claims = statement.header.get("kid"), statement.claims
    if kid is not None and not isinstance(kid, str):
        raise BadJws("has a kid that is not a text")
    client_id = text_claim(claims, "iss")
    if claims.get("sub") != client_id or not _CLIENT_ID.fullmatch(client_id):
        raise BadJws("needs the client id as iss and, the same, as sub")
    if claims.get("aud") != issuer:
        raise BadJws(f"needs the issuer {issuer} as aud: one text, no list, and not the token endpoint")
    expires_at_s = time_claim(claims, "exp")
    if expires_at_s <= now_s:
        raise BadJws("has expired: make a new one for each request")
    if expires_at_s > now_s + LIFETIME_S_MAX + LEEWAY_S:
        raise BadJws(f"has an exp more than {LIFETIME_S_MAX} seconds ahead")
    check_started(claims, now_s, LEEWAY_S)
    return Assertion(statement, client_id, kid, text_claim(claims, "jti"), int(expires_at_s) + 1)


class Prover:
    """Tells which live key of a client signed an assertion, at one cost whoever it claims to be."""

    def __init__(self) -> None:
        curve = ECKey.generate_key("P-256", private=False)
        edwards = OKPKey.generate_key("Ed25519", private=False)
        # Any odd number costs what a real modulus costs, and nobody, not even we, can sign with it.
        modulus = int_to_base64(secrets.randbits(2_048) | 1 << 2_047 | 1)
        self._decoys: dict[str, Mapping[str, Any]] = {
            "EC": curve.as_dict(),
            "OKP": edwards.as_dict(),
            "RSA": {"kty": "RSA", "n": modulus, "e": "AQAB"},
        }

    def signer(self, assertion: Assertion, client: Client | None) -> str | None:
        """The `kid` of the client's live key whose signature it is; None when it is no such key's.

        client: None when there is none of that id.

        Without a `kid` every live key is tried; it takes as many verifications whatever the client has.
        """
        kty = KEY_TYPES[assertion.statement.alg]
        known = client.keys if client is not None and client.client_id == assertion.client_id else ()
        keys = [jwk for jwk in known if jwk["kty"] == kty and assertion.kid in (None, jwk["kid"])]
        tries = 1 if assertion.kid is not None else LIVE_KEYS_MAX
        for _ in range(tries - len(keys)):
            _signed_with(self._decoys[kty], assertion)
        # All of them, also when the first one fits: how long it takes must not depend on it.
        signers = [str(jwk["kid"]) for jwk in keys if _signed_with(jwk, assertion)]
        return signers[0] if signers else None


def _signed_with(jwk: Mapping[str, Any], assertion: Assertion) -> bool:
    try:
        return is_signed_by(assertion.statement, public_key(jwk))
    except BadJws:
        # A key recorded before a rule was tightened proves nothing; the client's other key still may.
        return False
