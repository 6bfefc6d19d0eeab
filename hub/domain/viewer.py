"""Whose eyes a read is for: the principal, and what it belongs to at this moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple

from hub.domain.audit import actor_name, audit_labels
from hub.domain.firms import Reader
from hub.domain.principal import Principal
from hub.domain.referrals import party_labels
from hub.domain.scopes import Audience


class Opening(NamedTuple):
    """A firm that was read under an emergency access. sme: wire id."""

    id: str
    sme: str


@dataclass(frozen=True, slots=True)
class Viewer:
    """Every function that reads rows takes one, so that visibility cannot be forgotten.

    at: now, aware UTC; consents are judged by it. networks_of: current memberships by partner. glass: whether
    emergency accesses open anything to it: only for one who records what was read before it answers.
    """

    principal: Principal
    at: datetime
    networks_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    glass: bool = False

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
    def breaks_glass(self) -> str | None:
        """The name under which emergency accesses are open to the viewer; None where they are closed."""
        principal = self.principal
        if not self.glass or self.manages is None or not self.may("ledger:breakglass"):
            return None
        return actor_name(principal.client_id, principal.person)

    @property
    def reader_through_glass(self) -> Reader:
        """The viewer as the rules on identity and contacts of firms see it: emergency accesses included."""
        return replace(self.reader, breaks_glass=self.breaks_glass)

    @property
    def labels(self) -> frozenset[str]:
        """What the viewer answers to among the parties of referrals."""
        reader = self.reader
        return party_labels(reader.partner, reader.networks, self.manages)

    @property
    def audit_labels(self) -> frozenset[str]:
        """What the viewer answers to among the readers of the audit log."""
        manages = self.manages if self.may("ledger:audit") else None
        members = [slug for slug, networks in self.networks_of.items() if networks & (manages or frozenset())]
        return audit_labels(self.principal, manages, members)

    def may(self, scope: str) -> bool:
        """Whether the token, cut down to the current grant, holds the scope."""
        return scope in self.principal.scopes
