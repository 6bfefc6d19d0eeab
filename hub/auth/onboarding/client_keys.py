"""A client's own hand on its keys: a new one comes in by the word of a live one, and one goes by another's.

A token lives for minutes and holds some scopes; a key gives tokens for good, with the whole grant. So no
token ever adds a key: the client's live key signs for the new one, or a person with all that it would open.
Why: docs/decisions/0024-a-key-by-a-key.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.auth.proofs.jws import BadJws, public_key, read, registered_jwk
from hub.auth.proofs.possession import STATEMENT_TYPE, Possession
from hub.auth.proofs.replay import SingleUse, use_now
from hub.domain.refusal import Refusal
from hub.store import clients
from hub.store.clients import Client
from hub.store.onboarding import is_known_key

JWK_MEMBERS = frozenset({"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops"})


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A change that was judged, to be done in one commit with the use of its challenge.

    jwk: the key that comes or goes. approver: `kid` of the live key that signed for it; None: a person
    approves. challenge: the one that was answered; None where nothing was signed.
    """

    client_id: str
    jwk: Mapping[str, Any]
    approver: str | None
    challenge: SingleUse | None

    @property
    def kid(self) -> str:
        """Name of the key that comes or goes."""
        return str(self.jwk["kid"])


def purpose_of(client_id: str) -> str:
    """What challenges for the keys of a client are good for."""
    return f"client/{client_id}"


def new_jwk(jwk: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
    """A key as it may be recorded, and its thumbprint; BadJws, which says why, when it may not be."""
    if unknown := jwk.keys() - JWK_MEMBERS:
        raise BadJws(f"is a key with {len(unknown)} members that have no meaning here")
    kid = jwk.get("kid", "x")
    if not isinstance(kid, str) or not kid.isascii() or not kid.isprintable() or not 0 < len(kid) <= 128:
        raise BadJws("is a key whose kid is no text of 1 to 128 printable ASCII characters")
    return registered_jwk(jwk), public_key(jwk).thumbprint


def judge_addition(
    possession: Possession, client: Client, jwk: Mapping[str, Any], proof: str, approval: str | None
) -> KeyChange:
    """Judge a new key; BadJws, which says why, when it must not come in.

    proof: signed by the new key. approval: the same signed by a live one; None when a person approves.
    """
    registered, thumbprint = new_jwk(jwk)
    of = {"purpose": purpose_of(client.client_id), "subject": client.client_id, "thumbprint": thumbprint}
    challenge = possession.judge(proof, public_key(jwk), act="add", **of)
    approver = None
    if approval is not None:
        signer = _signer(client, approval)
        approver = str(signer["kid"])
        if possession.judge(approval, public_key(signer), act="add", **of) != challenge:
            raise BadJws("answers another challenge than the proof does")
    return KeyChange(client.client_id, registered, approver, challenge)


def judge_retirement(
    possession: Possession, client: Client, kid: str, approval: str | None
) -> KeyChange | None:
    """Judge the end of a key; None when the client has no such live key, BadJws when it must stay.

    approval: signed by a live key other than that one, which thereby shows that the client can go on; None
    when a person approves.
    """
    leaving = next((jwk for jwk in client.keys if jwk["kid"] == kid), None)
    if leaving is None:
        return None
    if approval is None:
        return KeyChange(client.client_id, leaving, None, None)
    signer = _signer(client, approval)
    if signer["kid"] == kid:
        raise BadJws("is signed by the key that is to be retired: sign it with the one that stays")
    challenge = possession.judge(
        approval,
        public_key(signer),
        purpose=purpose_of(client.client_id),
        subject=client.client_id,
        act="retire",
        thumbprint=public_key(leaving).thumbprint,
    )
    return KeyChange(client.client_id, leaving, str(signer["kid"]), challenge)


def _signer(client: Client, statement: str) -> Mapping[str, Any]:
    """The live key that the statement names as its own; BadJws when there is none."""
    kid = read(statement, types=frozenset({STATEMENT_TYPE}), headers=frozenset({"kid"})).header.get("kid")
    found = [jwk for jwk in client.keys if jwk["kid"] == kid]
    if not found:
        raise BadJws("needs the kid of a live key of this client in its header")
    return found[0]


def add(conn: Connection, change: KeyChange, at: datetime) -> Refusal | None:
    """Record a judged key in a transaction of the intake, where no other key can come in beside it."""
    if refusal := _use(conn, change) or known_key(conn, change.jwk):
        return refusal
    try:
        clients.add_key(conn, change.client_id, change.jwk, at)
    except ValueError as error:
        return Refusal("credential.conflict", str(error), "GET /clients/me lists the keys of the client.")
    return None


def retire(conn: Connection, change: KeyChange, at: datetime) -> Refusal | None:
    """End the life of a key by a judged change, in a transaction of the intake."""
    if refusal := _use(conn, change):
        return refusal
    client = clients.find_client(conn, change.client_id)
    if client is None or [jwk["kid"] for jwk in client.keys] == [change.kid]:
        return Refusal(
            "credential.conflict",
            "this is the only live key: without it the client could never come back",
            "Add the next key first, and see it work.",
        )
    if not clients.retire_key(conn, change.client_id, change.kid, at):
        return Refusal("credential.conflict", "the key was retired already", "There is nothing to do.")
    return None


def known_key(conn: Connection, jwk: Mapping[str, Any]) -> Refusal | None:
    """Why a key may not come in: some client has it, or had it before."""
    if not is_known_key(conn, public_key(jwk).thumbprint):
        return None
    return Refusal(
        "credential.conflict",
        "this key is, or was, the key of a client of this hub",
        "Make a new key: each is used by one client, and never again once it was retired.",
    )


def _use(conn: Connection, change: KeyChange) -> Refusal | None:
    """Use the challenge up; why the change must not be done now, if it must not."""
    challenge = change.challenge
    if challenge and not use_now(conn, challenge):
        return Refusal(
            "credential.invalid", "the challenge was used before", "Ask for a new challenge, and sign that."
        )
    client = clients.find_client(conn, change.client_id)
    live = [jwk["kid"] for jwk in client.keys] if client else []
    if change.approver is not None and change.approver not in live:
        # Two keys that retire each other at the same moment: the first one stays.
        return Refusal(
            "credential.conflict",
            "the key that signed for this was retired meanwhile",
            "Sign with a key that is live: GET /clients/me lists them.",
        )
    return None
