"""Becoming a partner: an application with the applicant's own key, kept sealed until a manager decides."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.auth.onboarding.admissions import beyond_partners
from hub.auth.onboarding.client_keys import known_key
from hub.auth.proofs.replay import Once, use_now
from hub.domain.principal import HUB, Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.accept import accept
from hub.events.check import check
from hub.events.envelope import Envelope
from hub.events.rejection import Rejected
from hub.store import clients, onboarding
from hub.store.clients import Client
from hub.store.onboarding import Application, Decision
from hub.store.references import References
from hub.store.vault import Vault

PURPOSE = "application"
"""What challenges for applications are good for."""
OPEN_MAX, OPEN_OF_ADDRESS_MAX = 1_000, 5


@dataclass(frozen=True, slots=True)
class Told:
    """What an applicant tells: all of it is sealed. jwk: the public key that it has shown to hold."""

    slug: str
    name: str
    country: str
    email: str
    network: str
    scopes: tuple[str, ...]
    message: str | None
    jwk: dict[str, Any]


def digest(secret: str) -> bytes:
    """What a status secret is found by: the secret itself is kept nowhere."""
    return sha256(secret.encode()).digest()


def told(vault: Vault, application: Application) -> Told:
    """What the applicant told."""
    content = json.loads(vault.open_secret(f"application:{application.id}", application.sealed))
    return Told(**{**content, "scopes": tuple(content["scopes"])})


def shown(what: Told) -> dict[str, Any]:
    """What an applicant told, as it is shown to who decides: of its key the name alone."""
    return {
        "slug": what.slug,
        "name": what.name,
        "country": what.country,
        "email": what.email,
        "network": what.network,
        "scopes": list(what.scopes),
        "message": what.message,
        "kid": what.jwk["kid"],
    }


def answer(vault: Vault, application: Application) -> str | None:
    """Why it was refused."""
    sealed = application.answer
    return vault.open_secret(f"application:{application.id}", sealed).decode() if sealed else None


def apply(
    conn: Connection, vault: Vault, what: Told, once: Once, address: str, at: datetime
) -> tuple[Application, str] | Refusal:
    """Keep an application, in a transaction of the intake; it, and the secret that its status is asked with.

    once: the challenge that the applicant's key has signed. address: where it comes from.
    """
    now_s = int(at.timestamp())
    if not use_now(conn, once):
        return Refusal("credential.invalid", "the challenge was used before", "Ask for a new challenge.")
    if refusal := beyond_partners(what.scopes) or _taken(conn, what) or known_key(conn, what.jwk):
        return refusal
    place = vault.digest("address", address.encode())
    waiting, own = onboarding.count_open_applications(conn, place)
    if waiting >= OPEN_MAX or own >= OPEN_OF_ADDRESS_MAX:
        return Refusal(
            "quota.exceeded",
            "too many applications wait for an answer",
            "Wait until the network's manager has answered, or write to the manager.",
        )
    id_, secret = str(uuid4()), secrets.token_urlsafe(32)
    sealed = vault.seal_secret(f"application:{id_}", json.dumps(asdict(what)).encode())
    made = Application(id_, digest(secret), place, what.network, sealed, "open", now_s)
    onboarding.add_application(conn, made)
    return made, secret


def approve(
    conn: Connection,
    vault: Vault,
    principal: Principal,
    application: Application,
    scopes: Sequence[str] | None,
    role: str,
    at: datetime,
) -> Client | Refusal:
    """Make the applicant a partner: its client, and the manager's event that it joined; effective at once.

    scopes: the grant; None: what was asked for. Raises Rejected when the manager may not send that event.
    """
    what = told(vault, application)
    granted = what.scopes if scopes is None else tuple(dict.fromkeys(scopes))
    refusal = beyond_partners(granted) or _taken(conn, what) or known_key(conn, what.jwk)
    if refusal or (refusal := _decide(conn, application, "approved", None)):
        return refusal
    client = Client(
        client_id=what.slug,
        partner=what.slug,
        audience=Audience.PARTNER,
        source_prefix=f"/partners/{what.slug}/",
        networks=None,
        scopes=granted,
        bearer=False,
        keys=(what.jwk,),
    )
    clients.add_client(conn, client, at)
    [joined] = accept(conn, vault, [check(principal, [_joined(principal, what, role, at)])], at)
    if isinstance(joined, Rejected):
        raise joined
    return client


def refuse(conn: Connection, vault: Vault, application: Application, reason: str) -> Refusal | None:
    """Say no; the reason is told to who has the status secret."""
    sealed = vault.seal_secret(f"application:{application.id}", reason.encode())
    return _decide(conn, application, "refused", sealed)


def _decide(
    conn: Connection, application: Application, decision: Decision, sealed: bytes | None
) -> Refusal | None:
    if onboarding.decide_application(conn, application.id, decision, sealed):
        return None
    return Refusal(
        "request.decided", "this application was decided already", "There is nothing left to decide."
    )


def _taken(conn: Connection, what: Told) -> Refusal | None:
    """Why nobody can become a partner of this slug: whoever has it would be joined by a stranger's key."""
    references = References()
    references.load(conn, [("partner", what.slug), ("network", what.network)])
    if references.owner("network", what.network) is None:
        return Refusal(
            "payload.unknown_reference",
            f"there is no network {what.network}",
            "The GraphQL query { networks { slug } } lists them.",
        )
    known = references.was_published_by("partner", what.slug, "")
    if known or what.slug == HUB or clients.find_client(conn, what.slug):
        return Refusal(
            "request.decided",
            f"the slug {what.slug} is taken",
            "Choose another one. Whose organisation it is already asks for more with its own client.",
        )
    return None


def _joined(principal: Principal, what: Told, role: str, at: datetime) -> Envelope:
    data = {
        "name": {"en": what.name},
        "country": what.country,
        "network": what.network,
        "role": role,
        "from": str(at.date()),
    }
    attributes = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": f"{principal.source_prefix}onboarding",
        "type": "hub.partner.joined.v1",
        "subject": what.slug,
        "time": at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    return Envelope(attributes, data)
