"""Proof that who brings a public key holds the private one: a signature over a challenge of the hub's own.

A challenge is a keyed digest over its purpose and its end, so that asking for one stores nothing, and any
process of the hub knows its own again. What makes it count once is the single use of its text.
"""

from __future__ import annotations

import os
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable
from hmac import compare_digest

from hub.auth.proofs.jws import BadJws, PublicKey, is_signed_by, read, text_claim
from hub.auth.proofs.replay import SingleUse
from hub.domain.base64url import base64url
from hub.store.vault import Vault

STATEMENT_TYPE = "hub-key+jwt"
"""`typ` of the statements: none of them is good for anything else, and nothing else for one of them."""
CHALLENGE_LIFETIME_S = 300

_NONCE_BYTES, _END_BYTES, _MARK_BYTES = 16, 8, 32


class Possession:
    """Gives challenges, and judges statements that answer them. clock: seconds since 1970."""

    def __init__(self, vault: Vault, issuer: str, clock: Callable[[], float] = time.time) -> None:
        """issuer: the hub's public URL, which statements carry as `aud`."""
        self._vault, self._issuer, self._clock = vault, issuer, clock

    def challenge(self, purpose: str) -> str:
        """A new challenge, good for one statement of that purpose within CHALLENGE_LIFETIME_S."""
        end_s = int(self._clock()) + CHALLENGE_LIFETIME_S
        told = os.urandom(_NONCE_BYTES) + end_s.to_bytes(_END_BYTES, "big")
        return base64url(told + self._mark(purpose, told))

    def judge(
        self, text: str, key: PublicKey, *, purpose: str, subject: str, act: str, thumbprint: str
    ) -> SingleUse:
        """What is to be used up before the statement counts; BadJws unless that key signed exactly this.

        subject: client, or the slug that an applicant wants, as `sub`. act: what is to be done with the key
        of that thumbprint (`jkt`). The challenge stands in `nonce`; its end is that of the statement.
        """
        statement = read(text, types=frozenset({STATEMENT_TYPE}), headers=frozenset({"kid"}))
        if not is_signed_by(statement, key):
            raise BadJws("has a signature that this key did not make")
        expected = {"aud": self._issuer, "sub": subject, "act": act, "jkt": thumbprint}
        claims = statement.claims
        if wrong := sorted(name for name, value in expected.items() if claims.get(name) != value):
            raise BadJws(f"needs other claims: {', '.join(wrong)}")
        if claims.keys() - expected.keys() - {"nonce", "iat", "exp", "jti"}:
            raise BadJws("has claims that mean nothing here")
        return self._single_use(text_claim(claims, "nonce"), purpose)

    def _single_use(self, challenge: str, purpose: str) -> SingleUse:
        try:
            content = urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
        except ValueError:
            content = b""
        told, mark = content[: _NONCE_BYTES + _END_BYTES], content[_NONCE_BYTES + _END_BYTES :]
        genuine = len(mark) == _MARK_BYTES and compare_digest(mark, self._mark(purpose, told))
        # Decoding forgives what is no base64url: of two spellings of one challenge each would count once.
        if not genuine or base64url(content) != challenge:
            raise BadJws("answers no challenge that the hub gave for this")
        end_s = int.from_bytes(told[_NONCE_BYTES:], "big")
        if end_s <= self._clock():
            raise BadJws(f"answers a challenge that was given more than {CHALLENGE_LIFETIME_S} seconds ago")
        return SingleUse(f"challenge:{purpose}", challenge, end_s + 1)

    def _mark(self, purpose: str, told: bytes) -> bytes:
        return self._vault.digest("challenge", purpose.encode() + b"\0" + told)
