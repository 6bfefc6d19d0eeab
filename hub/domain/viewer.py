"""Whose eyes a read is for: the principal, and what it belongs to at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hub.domain.firms import Reader
from hub.domain.principal import Principal
from hub.domain.referrals import party_labels
from hub.domain.scopes import Audience


@dataclass(frozen=True, slots=True)
class Viewer:
    """Every function that reads rows takes one, so that visibility cannot be forgotten.

    at: now, aware UTC; consents are judged by it. networks_of: current memberships by partner.
    """

    principal: Principal
    at: datetime
    networks_of: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def manages(self) -> frozenset[str] | None:
        """Networks that a manager oversees, {"*"} for all; None for everybody else."""
        if self.principal.audience is not Audience.MANAGER:
            return None
        return frozenset({"*"}) if self.principal.networks is None else self.principal.networks

    @property
    def reader(self) -> Reader:
        """The viewer as the rules on firms see it."""
        partner = self.principal.partner
        networks = self.networks_of.get(partner, frozenset()) if partner else frozenset()
        return Reader(partner, networks, self.manages or frozenset())

    @property
    def labels(self) -> frozenset[str]:
        """What the viewer answers to among the parties of referrals."""
        reader = self.reader
        return party_labels(reader.partner, reader.networks, self.manages)

    def may(self, scope: str) -> bool:
        """Whether the token, cut down to the current grant, holds the scope."""
        return scope in self.principal.scopes
