"""The operator's own hand: the clients that it makes, and the events that it sends."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from hub.auth.client import generate_key
from hub.auth.proofs.jws import BadJws, registered_jwk
from hub.cli.examples import first_steps
from hub.cli.terminal import data, print_json, talk
from hub.domain.principal import HUB, Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import DEFAULT_SCOPES, SCOPES, Audience
from hub.domain.values import is_slug
from hub.events.accept import accept
from hub.events.audit import Acted, record
from hub.events.check import check
from hub.events.envelope import Envelope, own_event
from hub.events.rejection import Rejected
from hub.events.spine import Hub
from hub.settings import Settings
from hub.store import clients
from hub.store.authorization_codes import add_redirects
from hub.store.references import References

OPERATOR = Principal(
    client_id=HUB,
    audience=Audience.MANAGER,
    scopes=frozenset({"events:publish", "partners:admin"}),
    source_prefix="/hub/",
)
"""The hub's own hand: who runs commands on its machine may change the network."""


@dataclass(frozen=True, slots=True)
class NewClient:
    """What a new client gets. public_jwk None: a key pair is made."""

    client_id: str
    audience: Audience
    partner: str | None
    scopes: Sequence[str]
    networks: frozenset[str] | None
    public_jwk: dict[str, Any] | None
    bearer: bool
    redirect_uris: Sequence[str] = ()


def read_public_key(path: Path) -> dict[str, Any] | Refusal:
    """The public key of a JWK file, never its private members."""
    try:
        return registered_jwk(json.loads(path.read_text()))
    except (OSError, ValueError, BadJws) as error:
        return Refusal(
            "key.unusable", f"{path}: {error}", "Give a JWK file with an EC P-256, Ed25519 or RSA public key."
        )


def event(type_: str, subject: str, payload: dict[str, Any]) -> Envelope:
    """An event of the hub's operator."""
    return own_event("/hub/cli", type_, subject, payload, datetime.now(UTC))


async def add_client(hub: Hub, new: NewClient, events: Sequence[Envelope] = ()) -> dict[str, Any] | Refusal:
    """Add a client, accept the events that go with it and record it, in one commit; its row of
    credentials.json."""
    unknown = sorted(set(new.scopes) - SCOPES)
    if unknown:
        return Refusal(
            "client.unknown_scope", f"There is no scope {unknown[0]}.", "docs/scopes.md lists them."
        )
    if not is_slug(new.client_id) or new.client_id == HUB:
        return Refusal(
            "client.invalid_name",
            f"{new.client_id!r} cannot name a client.",
            "Use lower-case letters, digits and single hyphens, at most 63.",
        )
    private = None if new.public_jwk else generate_key()
    public = new.public_jwk or {name: value for name, value in (private or {}).items() if name != "d"}
    scopes = tuple(new.scopes) or DEFAULT_SCOPES[new.audience]
    prefix = f"/partners/{new.partner}/" if new.partner else f"/hub/clients/{new.client_id}/"
    now = datetime.now(UTC)
    client = clients.Client(
        client_id=new.client_id,
        partner=new.partner,
        audience=new.audience,
        source_prefix=prefix,
        networks=new.networks,
        scopes=scopes,
        bearer=new.bearer,
        suspended=False,
        keys=(public,),
    )

    def add(conn: Connection) -> Refusal | None:
        if clients.find_client(conn, new.client_id):
            taken = f"There is a client {new.client_id} already."
            return Refusal("client.exists", taken, "Add a key to it: hub partner key add.")
        try:
            clients.add_client(conn, client, now)
            add_redirects(conn, client.client_id, new.redirect_uris)
        except ValueError as error:
            conn.rollback()
            return Refusal("client.refused", str(error), "hub client add --help explains the options.")
        refusal = _accept(conn, hub, events, now)
        if refusal is None:
            acted = Acted(("client", client.client_id), client.partner)
            record(conn, hub.vault, OPERATOR, "client.added", acted, at=now)
        return refusal

    refusal = await hub.store.intake(add)
    if refusal:
        return refusal
    row: dict[str, Any] = {
        "client_id": new.client_id,
        "partner": new.partner,
        "audience": new.audience.value,
        "scopes": list(scopes),
        "source_prefix": prefix,
        "dpop": not new.bearer,
    }
    return {**row, "private_key_jwk": private} if private else row


async def post(hub: Hub, *events: Envelope) -> Refusal | None:
    """Accept the operator's events in one commit; a running server projects them."""
    return await hub.store.intake(lambda conn: _accept(conn, hub, events, datetime.now(UTC)))


def _accept(conn: Connection, hub: Hub, events: Sequence[Envelope], at: datetime) -> Refusal | None:
    if not events:
        return None
    try:
        answer = accept(conn, hub.vault, [check(OPERATOR, events)], at)[0]
    except Rejected as rejection:
        answer = rejection
    if isinstance(answer, Rejected):
        conn.rollback()
        return Refusal(answer.code, answer.message, answer.remedy)
    return None


async def network_exists(hub: Hub, slug: str) -> bool:
    """Whether a network of that name was configured."""

    def find(conn: Connection) -> bool:
        references = References()
        references.load(conn, [("network", slug)])
        return references.owner("network", slug) is not None

    return await hub.store.inspect(find)


def show_row(row: dict[str, Any], json_: bool) -> None:
    """Print a new client's row of credentials.json."""
    if json_:
        print_json(row)
        return
    talk.print(f"[bold green]{row['client_id']}[/] may act at once, with {len(row['scopes'])} scopes.")
    if "private_key_jwk" in row:
        talk.print("Its private key follows and is kept nowhere else: hand it over on a safe way.")
    else:
        talk.print("To run the example, put its private key into the row as private_key_jwk: a P-256 JWK.")
    data.print_json(data=row)
    data.print(first_steps(row, Settings().public_url), markup=False, soft_wrap=True)


def no_client(slug: str) -> Refusal:
    """There is no client of that name."""
    return Refusal("client.unknown", f"There is no client {slug}.", "hub partner list shows them all.")
