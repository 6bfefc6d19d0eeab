"""Who is asking: authenticated at the edge, passed by value from there on."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience

CONFIRM_PATH = "/account/confirm"
"""Where a person shows its second factor again."""
HUB = "hub"
"""Stands for the partner in identities and commitments of clients that belong to no partner."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Rights of one request: token scopes already cut down to the client's current grant.

    partner: slug, None for portals, managers and the public. networks: slugs that a portal or manager
    is bound to, None for all. source_prefix: ends in a slash; empty for the public. person: id of the
    person who acts, None for systems. confirmed: whether that person showed a second factor just now.
    """

    client_id: str | None
    audience: Audience
    partner: str | None = None
    scopes: frozenset[str] = frozenset()
    networks: frozenset[str] | None = None
    source_prefix: str = ""
    person: str | None = None
    confirmed: bool = False

    @property
    def identity(self) -> str:
        """The partner's name in event identities and ledger commitments."""
        return self.partner or HUB

    @property
    def account(self) -> str:
        """Whose quotas are charged: the partner's or, without one, the person's or the client's."""
        if self.partner is None and self.person is not None:
            return f"person/{self.person}"
        return account_of(self.partner, self.client_id)

    def manages(self, network: str) -> bool:
        """Whether this is a manager whose mandate covers the network (slug)."""
        return self.audience is Audience.MANAGER and (self.networks is None or network in self.networks)

    def unconfirmed(self) -> Refusal | None:
        """Why an act that cannot be taken back is not done now: its person has to confirm it first.

        Asked before keys and grants are changed, glass is broken and a firm is erased. Systems prove their
        key with every request.
        """
        if self.person is None or self.confirmed:
            return None
        return Refusal(
            "session.unconfirmed",
            "this needs your second factor again: it was last shown too long ago",
            f"Confirm it at {CONFIRM_PATH}, then send the request again.",
        )


def account_of(partner: str | None, client_id: str | None) -> str:
    """The account of a client. The slash keeps it apart from the partner whose slug it may bear."""
    return partner or f"client/{client_id}"


ANYONE = Principal(client_id=None, audience=Audience.PUBLIC)
