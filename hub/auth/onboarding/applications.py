"""Becoming a partner: an application with the applicant's own key, kept sealed until a manager decides."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from hub.auth.digests import secret_digest
from hub.auth.onboarding.admissions import beyond_partners
from hub.auth.onboarding.client_keys import known_key
from hub.auth.proofs.replay import SingleUse, use_now
from hub.domain.principal import HUB, Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.events.accept import accept
from hub.events.check import check
from hub.events.envelope import Envelope, own_event
from hub.events.rejection import Rejected
from hub.store import clients, onboarding
from hub.store.clients import Client
from hub.store.onboarding import Application, Decision
from hub.store.references import References
from hub.store.vault import Vault

PURPOSE = "application"
"""What challenges for applications, and digests of their secrets, are good for."""
OPEN_MAX, OPEN_OF_ADDRESS_MAX = 1_000, 5


@dataclass(frozen=True, slots=True)
class Applicant:
    """What an applicant says of itself, all of it sealed. jwk: the public key that it has shown to hold."""

    slug: str
    name: str
    country: str
    email: str
    network: str
    scopes: tuple[str, ...]
    message: str | None
    jwk: dict[str, Any]


def status_digest(secret: str) -> bytes:
    """What a status secret is found by: the secret itself is kept nowhere."""
    return secret_digest(PURPOSE, secret)


def applicant_of(vault: Vault, application: Application) -> Applicant:
    """Who applies."""
    content = json.loads(vault.open_secret(f"application:{application.id}", application.sealed))
    return Applicant(**{**content, "scopes": tuple(content["scopes"])})


def shown(applicant: Applicant) -> dict[str, Any]:
    """An applicant as it is shown to who decides: of its key the name alone."""
    return {
        "slug": applicant.slug,
        "name": applicant.name,
        "country": applicant.country,
        "email": applicant.email,
        "network": applicant.network,
        "scopes": list(applicant.scopes),
        "message": applicant.message,
        "kid": applicant.jwk["kid"],
    }


def answer_of(vault: Vault, application: Application) -> str | None:
    """Why it was refused."""
    sealed = application.answer
    return vault.open_secret(f"application:{application.id}", sealed).decode() if sealed else None


def apply(
    conn: Connection, vault: Vault, applicant: Applicant, challenge: SingleUse, address: str, at: datetime
) -> tuple[Application, str] | Refusal:
    """Keep an application, in a transaction of the intake; it, and the secret that its status is asked with.

    challenge: that the applicant's key has signed. address: where it comes from.
    """
    now_s = int(at.timestamp())
    if not use_now(conn, challenge):
        return Refusal("credential.invalid", "the challenge was used before", "Ask for a new challenge.")
    if (
        refusal := beyond_partners(applicant.scopes)
        or _taken(conn, applicant)
        or known_key(conn, applicant.jwk)
    ):
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
    sealed = vault.seal_secret(f"application:{id_}", json.dumps(asdict(applicant)).encode())
    made = Application(id_, status_digest(secret), place, applicant.network, sealed, "open", now_s)
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
    applicant = applicant_of(vault, application)
    granted = applicant.scopes if scopes is None else tuple(dict.fromkeys(scopes))
    refusal = _unfit(conn, applicant, granted) or _decide(conn, application, "approved", None)
    if refusal:
        return refusal
    client = Client(
        client_id=applicant.slug,
        partner=applicant.slug,
        audience=Audience.PARTNER,
        source_prefix=f"/partners/{applicant.slug}/",
        networks=None,
        scopes=granted,
        bearer=False,
        keys=(applicant.jwk,),
    )
    clients.add_client(conn, client, at)
    [joined] = accept(conn, vault, [check(principal, [_joined(principal, applicant, role, at)])], at)
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


def _unfit(conn: Connection, applicant: Applicant, scopes: Sequence[str]) -> Refusal | None:
    """Why this applicant cannot become a partner with these scopes."""
    return beyond_partners(scopes) or _taken(conn, applicant) or known_key(conn, applicant.jwk)


def _taken(conn: Connection, applicant: Applicant) -> Refusal | None:
    """Why nobody can become a partner of this slug: whoever has it would be joined by a stranger's key."""
    references = References()
    references.load(conn, [("partner", applicant.slug), ("network", applicant.network)])
    if references.owner("network", applicant.network) is None:
        return Refusal(
            "payload.unknown_reference",
            f"there is no network {applicant.network}",
            "The GraphQL query { networks { slug } } lists them.",
        )
    known = references.was_published_by("partner", applicant.slug, "")
    if known or applicant.slug == HUB or clients.find_client(conn, applicant.slug):
        return Refusal(
            "request.decided",
            f"the slug {applicant.slug} is taken",
            "Choose another one. Whose organisation it is already asks for more with its own client.",
        )
    return None


def _joined(principal: Principal, applicant: Applicant, role: str, at: datetime) -> Envelope:
    data = {
        "name": {"en": applicant.name},
        "country": applicant.country,
        "network": applicant.network,
        "role": role,
        "from": str(at.date()),
    }
    source = f"{principal.source_prefix}onboarding"
    return own_event(source, "hub.partner.joined.v1", applicant.slug, data, at)
