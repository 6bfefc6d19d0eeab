"""Whose clients a caller may look at, and whose it may change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Literal

from sqlalchemy import Connection

from hub.domain.principal import Principal
from hub.domain.scopes import DEFAULT_SCOPES, Audience
from hub.store.clients import Client
from hub.store.references import References

Reach = Literal["own", "managed", "seen"]
"""own: the caller's, or its partner's. managed: it may change the grant. seen: it may look, no more."""

GRANTABLE = frozenset(DEFAULT_SCOPES[Audience.PARTNER])
"""What a manager may grant to a partner; all else is the operator's to give, on the hub's own machine."""


def reaches(conn: Connection, principal: Principal, clients: Iterable[Client], day: date) -> dict[str, Reach]:
    """How far the caller reaches, by client id; clients that it may not know of are absent.

    partners:self opens one's own, partners:admin those of the partners in one's mandate. A manager of some
    networks changes a partner only when all that the partner takes part in is among these.
    """
    found: dict[str, Reach] = {}
    known = list(clients)
    references = References()
    if principal.networks is not None:
        references.load(conn, [], [client.partner for client in known if client.partner])
    for client in known:
        if is_own(principal, client):
            if principal.scopes & {"partners:self", "partners:admin"}:
                found[client.client_id] = "own"
        elif principal.audience is Audience.MANAGER and "partners:admin" in principal.scopes:
            if client.audience is not Audience.PARTNER or client.partner is None:
                if principal.networks is None:
                    found[client.client_id] = "seen"
                continue
            if principal.networks is None:
                found[client.client_id] = "managed"
                continue
            networks = set(references.networks(client.partner, day))
            if networks & principal.networks:
                found[client.client_id] = "managed" if networks <= principal.networks else "seen"
    return found


def is_own(principal: Principal, client: Client) -> bool:
    """Whether the client is the caller itself, or another of its partner's."""
    if principal.audience is Audience.PARTNER:
        return client.partner is not None and client.partner == principal.partner
    return client.client_id == principal.client_id
