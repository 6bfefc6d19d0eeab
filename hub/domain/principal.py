"""Who is asking: authenticated at the edge, passed by value from there on."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.scopes import Audience

HUB = "hub"
"""Stands for the partner in identities and commitments of clients that belong to no partner."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Rights of one request: token scopes already cut down to the client's current grant.

    partner: slug, None for portals, managers and the public. networks: slugs that a portal or manager
    is bound to, None for all. source_prefix: ends in a slash; empty for the public. person: id of the
    person who acts, None for systems.
    """

    client_id: str | None
    audience: Audience
    partner: str | None = None
    scopes: frozenset[str] = frozenset()
    networks: frozenset[str] | None = None
    source_prefix: str = ""
    person: str | None = None

    @property
    def identity(self) -> str:
        """The partner's name in event identities and ledger commitments."""
        return self.partner or HUB

    def manages(self, network: str) -> bool:
        """Whether this is a manager whose mandate covers the network (slug)."""
        return self.audience is Audience.MANAGER and (self.networks is None or network in self.networks)


ANYONE = Principal(client_id=None, audience=Audience.PUBLIC)
