"""The hub's own key for access tokens: ES256, made once, published as a JWK set."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from joserfc.jwk import ECKey

from hub.auth.jws import PublicKey, Unverified, is_signed_by, public_key, sign
from hub.settings import Settings
from hub.store.keyfiles import key_file

ALGORITHM = "ES256"
KEY_FILE = "oauth-signing.json"
"""A JWK set with private keys: the first signs, all verify."""


class Signing:
    """Signs access tokens and knows its own signatures again; keys are found by `kid` alone."""

    def __init__(self, private_jwks: Sequence[Mapping[str, Any]]) -> None:
        """private_jwks: P-256, each with `kid`, at least one; the first signs."""
        keys = [ECKey.import_key(dict(jwk)) for jwk in private_jwks]
        self._signer, self._kid = keys[0], private_jwks[0]["kid"]
        self._public = [dict(key.as_dict(private=False), use="sig", alg=ALGORITHM) for key in keys]
        self._verifiers: dict[str, PublicKey] = {str(jwk["kid"]): public_key(jwk) for jwk in self._public}

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS of the claims with that `typ`."""
        return sign({"typ": typ, "alg": ALGORITHM, "kid": self._kid}, claims, self._signer)

    def signed(self, statement: Unverified) -> bool:
        """Whether one of the hub's keys made this signature."""
        kid = statement.header.get("kid")
        verifier = self._verifiers.get(kid) if isinstance(kid, str) else None
        return verifier is not None and is_signed_by(statement, verifier)

    def jwks(self) -> dict[str, Any]:
        """The public JWK set (RFC 7517) that `/oauth/jwks` answers with."""
        return {"keys": [dict(jwk) for jwk in self._public]}


def open_signing(settings: Settings) -> Signing:
    """The signing keys in the keys folder; a first key is made when there is none."""
    return Signing(json.loads(key_file(settings.keys_dir, KEY_FILE, _first_key))["keys"])


def _first_key() -> bytes:
    key = ECKey.generate_key("P-256", auto_kid=True)
    return json.dumps({"keys": [key.as_dict(private=True)]}).encode()
