"""Partners, networks, and who is a member of what."""

from __future__ import annotations

from datetime import date
from enum import Enum

import strawberry

from hub.domain.networks import Network as NetworkRecord
from hub.domain.partners import Membership as MembershipRecord
from hub.domain.partners import Partner as PartnerRecord
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.scalars import pick
from hub.store.vault import surrogate_of, unseal

COUNTRY_UNKNOWN = "ZZ"
"""Country of a partner that the registry does not show yet; ISO 3166-1 leaves ZZ to users."""


@strawberry.enum
class PartnerStatus(Enum):
    """Whether a partner takes part."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    LEFT = "left"


@strawberry.type
@shown()
class Partner:
    """A partner organisation."""

    slug: str
    record: strawberry.Private[PartnerRecord | None]

    @strawberry.field
    def name(self, language: str | None = strawberry.UNSET) -> str:
        """Its name in the language."""
        return pick(self.record.name, language or None) if self.record else self.slug

    @strawberry.field
    def country(self) -> str:
        """ISO 3166-1 alpha-2."""
        return self.record.country if self.record else COUNTRY_UNKNOWN

    @strawberry.field
    def status(self) -> PartnerStatus:
        """Whether it takes part in the hub as a whole."""
        return PartnerStatus(self.record.status) if self.record else PartnerStatus.ACTIVE

    @strawberry.field
    async def memberships(self, info: Info) -> list[Membership]:
        """Its roles in networks, ended ones too; the earliest first."""
        held = (
            sorted(self.record.memberships, key=lambda one: (one.from_, one.network, one.role))
            if self.record
            else []
        )
        return [await _membership(info, self, one) for one in held]

    @strawberry.field
    async def service_count(self, info: Info) -> int:
        """Number of its services in the catalogue."""
        return await info.context.loaders.service_counts.load(self.slug)

    @strawberry.field
    async def successor(self, info: Info) -> Partner | None:
        """The partner that took its place."""
        registry = await info.context.loaders.registry()
        successor = registry.successor(self.slug)
        return await partner_of(info, successor) if successor else None


@strawberry.type
@shown()
class Membership:
    """A role of a partner in a network."""

    partner: Partner
    network: Network
    role: str
    from_: date = strawberry.field(name="from")
    until: date | None


@strawberry.type
@shown()
class Mandate:
    """The person who manages a network. name: for partners and managers; null for all others."""

    name: str | None
    from_: date = strawberry.field(name="from")
    until: date | None


@strawberry.type
@shown()
class Network:
    """A network of partners."""

    slug: str
    record: strawberry.Private[NetworkRecord | None]

    @strawberry.field
    def name(self, language: str | None = strawberry.UNSET) -> str:
        """Its name in the language."""
        return pick(self.record.name, language or None) if self.record else self.slug

    @strawberry.field
    async def lead(self, info: Info) -> Partner | None:
        """The partner that leads it."""
        return await partner_of(info, self.record.lead) if self.record and self.record.lead else None

    @strawberry.field
    async def manager(self, info: Info) -> Mandate | None:
        """Its manager, with the dates of the mandate."""
        record = self.record
        if record is None or record.manager_from is None:
            return None
        name = None
        if record.manager_name and info.context.principal.audience in MEMBERS:
            name = await _unsealed(info, record.manager_name)
        return Mandate(name=name, from_=record.manager_from, until=record.manager_to)

    @strawberry.field
    async def members(self, info: Info) -> list[Membership]:
        """Memberships, ended ones too; the earliest first."""
        registry = await info.context.loaders.registry()
        return [
            await _membership(info, await partner_of(info, slug), one)
            for slug, one in registry.members(self.slug)
        ]


async def partner_of(info: Info, slug: str) -> Partner:
    """The partner of that slug.

    The registry is another topic than the rest: a partner may be named before it is shown there. Then it
    goes by its slug.
    """
    registry = await info.context.loaders.registry()
    return Partner(slug=slug, record=registry.partners.get(slug))


async def network_of(info: Info, slug: str) -> Network:
    """The network of that slug, by its slug alone when the registry does not show it yet."""
    registry = await info.context.loaders.registry()
    return Network(slug=slug, record=registry.networks.get(slug))


async def _membership(info: Info, partner: Partner, held: MembershipRecord) -> Membership:
    network = await network_of(info, held.network)
    return Membership(partner=partner, network=network, role=held.role, from_=held.from_, until=held.to)


async def _unsealed(info: Info, name: str) -> str | None:
    vault = info.context.vault
    subjects = await info.context.store.read(lambda conn: vault.by_surrogate(conn, [surrogate_of(name)]))
    opened = unseal(name, subjects)
    return opened if isinstance(opened, str) else None


@strawberry.type
class RegistryQueries:
    """The fields on partners and networks."""

    @requires()
    async def networks(self, info: Info) -> list[Network]:
        """All networks, by slug."""
        registry = await info.context.loaders.registry()
        return [Network(slug=slug, record=record) for slug, record in registry.networks.items()]

    @requires()
    async def partners(self, info: Info, network: str | None = strawberry.UNSET) -> list[Partner]:
        """Partners by slug: all, or those that are members of the network today."""
        registry = await info.context.loaders.registry()
        slugs = registry.members_on(network, info.context.now.date()) if network else registry.partners
        return [Partner(slug=slug, record=registry.partners[slug]) for slug in slugs]

    @requires()
    async def partner(self, info: Info, slug: str) -> Partner | None:
        """One partner; null when there is none of that slug."""
        registry = await info.context.loaders.registry()
        record = registry.partners.get(slug)
        return Partner(slug=slug, record=record) if record else None
