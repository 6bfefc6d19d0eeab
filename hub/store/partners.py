"""Partners and networks for reading, and whose part of the catalogue a viewer sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Connection, and_, true

from hub.domain.networks import Network
from hub.domain.partners import Membership, Partner
from hub.domain.scopes import Audience
from hub.domain.viewer import Viewer
from hub.store.records import all_records


@dataclass(frozen=True, slots=True)
class Registry:
    """All partners and networks by slug, in order of the slugs; both stay few."""

    partners: Mapping[str, Partner]
    networks: Mapping[str, Network]

    def members(self, network: str) -> list[tuple[str, Membership]]:
        """Every membership of the network, ended ones too, each with its partner; the earliest first."""
        found = [
            (slug, membership)
            for slug, partner in self.partners.items()
            for membership in partner.memberships
            if membership.network == network
        ]
        return sorted(found, key=lambda one: (one[1].from_, one[0], one[1].role))

    def members_on(self, network: str, day: date) -> list[str]:
        """Slugs of the partners that are members of the network that day."""
        return [slug for slug, partner in self.partners.items() if network in partner.networks_on(day)]

    def successor(self, slug: str) -> str | None:
        """The partner that took the place of this one."""
        for other, partner in self.partners.items():
            if partner.successor_of == slug:
                return other
        return None


def load_registry(conn: Connection) -> Registry:
    """The registry as the projection has it."""
    return Registry(
        {slug: partner for slug, (partner, _) in all_records(conn, Partner).items()},
        {slug: network for slug, (network, _) in all_records(conn, Network).items()},
    )


def visible_offers(conn: Connection, viewer: Viewer, publisher: ColumnElement[str]) -> ColumnElement[bool]:
    """Condition on the publisher of catalogue entries: which of them this viewer sees.

    What a partner published goes when the partner leaves; a suspended one stays listed. A portal that is
    bound to networks shows their members alone.
    """
    left = [slug for slug, (partner, _) in all_records(conn, Partner).items() if partner.status == "left"]
    conditions: list[ColumnElement[bool]] = [publisher.not_in(left) if left else true()]
    principal = viewer.principal
    if principal.audience is Audience.PORTAL and principal.networks is not None:
        conditions.append(publisher.in_(members_of(viewer, principal.networks)))
    return and_(*conditions)


def members_of(viewer: Viewer, networks: Iterable[str]) -> list[str]:
    """Slugs of the partners that are members of any of the networks now."""
    wanted = frozenset(networks)
    return [slug for slug, memberships in viewer.networks_of.items() if wanted & memberships]
