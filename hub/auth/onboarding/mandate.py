"""Whose clients a caller may look at, and whose it may change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
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


def reaches(
    principal: Principal, clients: Iterable[Client], networks_of: Mapping[str, Collection[str]]
) -> dict[str, Reach]:
    """How far the caller reaches, by client id; clients that it may not know of are absent.

    networks_of: where partners take part now, by slug. partners:self opens one's own, partners:admin those of
    the partners in one's mandate. A manager of some networks changes a partner only when all that the partner
    takes part in is among these.
    """
    found = {client.client_id: _reach(principal, client, networks_of) for client in clients}
    return {client_id: reach for client_id, reach in found.items() if reach is not None}


def _reach(principal: Principal, client: Client, networks_of: Mapping[str, Collection[str]]) -> Reach | None:
    if is_own(principal, client):
        return "own" if principal.scopes & {"partners:self", "partners:admin"} else None
    if principal.audience is not Audience.MANAGER or "partners:admin" not in principal.scopes:
        return None
    whole = principal.networks is None
    if client.audience is not Audience.PARTNER or client.partner is None:
        return "seen" if whole else None
    networks = set(networks_of.get(client.partner, ()))
    if whole or (networks and networks <= (principal.networks or frozenset())):
        return "managed"
    return "seen" if networks & (principal.networks or frozenset()) else None


def networks_now(conn: Connection, client: Client, day: date) -> dict[str, Collection[str]]:
    """Where the client's partner takes part that day, in a transaction of the intake."""
    references = References()
    references.load(conn, [], [client.partner] if client.partner else [])
    return {client.partner: references.networks(client.partner, day)} if client.partner else {}


def is_own(principal: Principal, client: Client) -> bool:
    """Whether the client is the caller itself, or another of its partner's."""
    if principal.audience is Audience.PARTNER:
        return client.partner is not None and client.partner == principal.partner
    return client.client_id == principal.client_id
