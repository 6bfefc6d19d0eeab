"""Services in GraphQL: the type, its connection, and the fields that lead to it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import strawberry

from hub.domain.codes import HS_SCHEME
from hub.domain.services import Service as ServiceRecord
from hub.graphql.context import Info
from hub.graphql.declared import requires, shown
from hub.graphql.eligibility import Eligibility, ExportExperience, FirmFacts, FirmSize, eligibility_of
from hub.graphql.pages import PageInfo, connection, is_counted
from hub.graphql.refusals import accepted
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import JSON, Code, LocalizedText, Node, localized, pick
from hub.graphql.service_filter import (
    CapacityStatus,
    Delivery,
    PathwayStep,
    Reach,
    ServiceFilter,
    ServiceSort,
    ServiceStatus,
    ServiceType,
)
from hub.graphql.service_parts import (
    Capacity,
    CostOption,
    FundingTerm,
    Organization,
    Provenance,
    RequiredDocument,
    provenance_of,
)
from hub.store.services import find_services

STALE_DAYS = 365
"""A record that nobody assured, or else changed, for so long is called stale."""


@strawberry.type
@shown()
class Service(Node):
    """What a partner offers to firms; made by `service_of`."""

    record: strawberry.Private[ServiceRecord]
    shown_in: strawberry.Private[str | None]
    own_id: str
    status: ServiceStatus
    service_type: ServiceType
    pathway_step: PathwayStep | None
    delivery: Delivery | None
    reach: Reach | None
    target_countries: list[str]
    service_areas: list[str]
    languages: list[str]
    channels: list[str]
    trade: list[str]
    extensions: JSON | None
    url: str | None
    application_url: str | None
    email: str | None
    free: bool | None
    processing_time: str | None
    programme: str | None
    policy_tags: list[str]
    valid_from: date | None
    valid_to: date | None
    assured_date: date | None
    updated_at: datetime
    version: int
    content_hash: str
    feed: str

    @strawberry.field
    async def partner(self, info: Info) -> Partner:
        """Its publisher."""
        return await partner_of(info, self.record.partner)

    @strawberry.field
    def organization(self) -> Organization | None:
        """The body behind it, when that is not the partner itself."""
        body = self.record.data.organization
        if body is None:
            return None
        codes = [Code(scheme=one.identifier_scheme, code=one.identifier) for one in body.identifiers]
        return Organization(name=body.name, identifiers=codes)

    @strawberry.field
    def name(self, language: str | None = strawberry.UNSET) -> str:
        """In the language asked for here or of the list, in its base language, in English, or the first."""
        return pick(self.record.data.name, language or self.shown_in)

    @strawberry.field
    def names(self) -> list[LocalizedText]:
        """In every language, ordered by language."""
        return localized(self.record.data.name)

    @strawberry.field
    def description(self, language: str | None = strawberry.UNSET) -> str:
        """Chosen as `name` is."""
        return pick(self.record.data.description, language or self.shown_in)

    @strawberry.field
    def descriptions(self) -> list[LocalizedText]:
        """In every language, ordered by language."""
        return localized(self.record.data.description)

    @strawberry.field
    def sectors(self) -> list[Code]:
        """NACE; none: open to all."""
        return [Code(scheme=one.scheme, code=one.code) for one in self.record.data.sectors]

    @strawberry.field
    def products(self) -> list[Code]:
        """Harmonized System 2022; none: open to all."""
        return [Code(scheme=HS_SCHEME, code=one) for one in self.record.data.products]

    @strawberry.field
    def sizes(self) -> list[FirmSize]:
        """Firms that it is for; none: of any size."""
        return [FirmSize(one) for one in self.record.data.audience.sizes]

    @strawberry.field
    def experience(self) -> list[ExportExperience]:
        """Firms that it is for; none: with any experience."""
        return [ExportExperience(one) for one in self.record.data.audience.experience]

    @strawberry.field
    def cost_options(self) -> list[CostOption]:
        """Prices; none: unknown."""
        return [CostOption(record=one) for one in self.record.data.cost_options or []]

    @strawberry.field
    def required_documents(self) -> list[RequiredDocument]:
        """What an application asks for."""
        return [RequiredDocument(record=one) for one in self.record.data.required_documents]

    @strawberry.field
    def capacity(self) -> Capacity | None:
        """Places left."""
        held = self.record.data.capacity
        if held is None:
            return None
        return Capacity(
            status=CapacityStatus(held.status),
            available=held.available,
            maximum=held.maximum,
            updated=held.updated,
        )

    @strawberry.field
    def eligibility(self, facts: FirmFacts) -> Eligibility:
        """Whether a firm meets the conditions, and which it does not; without conditions all do."""
        return eligibility_of(self.record.data.eligibility, facts)

    @strawberry.field
    def funding_terms(self) -> list[FundingTerm]:
        """Figures as their sources claim them."""
        return [
            FundingTerm(
                term=one.term, value=Decimal(one.value), unit=one.unit, source=one.source, date=one.date
            )
            for one in self.record.data.funding_terms
        ]

    @strawberry.field
    def stale(self, info: Info) -> bool:
        """Whether nobody assured it or, where it never was assured, changed it for STALE_DAYS."""
        confirmed_on = self.assured_date or self.updated_at.date()
        return info.context.now.date() - confirmed_on > timedelta(days=STALE_DAYS)

    @strawberry.field
    async def provenance(self, info: Info) -> list[Provenance]:
        """Where each value comes from, in the order of the payload."""
        return provenance_of(self.record, await partner_of(info, self.record.partner))


def service_of(found: tuple[ServiceRecord, int], language: str | None = None) -> Service:
    """A service for GraphQL. found: record and version; language: of texts, unless a field asks otherwise."""
    record, version = found
    data = record.data
    return Service(
        id=strawberry.ID(record.id),
        record=record,
        shown_in=language,
        own_id=data.own_id,
        status=ServiceStatus(data.status),
        service_type=ServiceType(data.service_type),
        pathway_step=PathwayStep(data.pathway_step) if data.pathway_step else None,
        delivery=Delivery(data.delivery) if data.delivery else None,
        reach=Reach(data.reach) if data.reach else None,
        target_countries=data.target_countries,
        service_areas=data.service_areas,
        languages=data.languages,
        channels=data.channels,
        trade=list(data.trade),
        extensions=None if data.extensions is None else JSON(data.extensions),
        url=data.url,
        application_url=data.application_url,
        email=data.email,
        free=data.free,
        processing_time=data.processing_time,
        programme=data.programme,
        policy_tags=data.policy_tags,
        valid_from=data.valid_from,
        valid_to=data.valid_to,
        assured_date=data.assured_date,
        updated_at=record.updated_at,
        version=version,
        content_hash=record.content_hash,
        feed=record.feed,
    )


@strawberry.type
@shown()
class ServiceEdge:
    """A service and its place in the list."""

    cursor: str
    node: Service


@strawberry.type
@shown()
class ServiceConnection:
    """One page of services. version: position of the projection that this answer shows."""

    nodes: list[Service]
    edges: list[ServiceEdge]
    page_info: PageInfo
    total_count: int
    version: int


@strawberry.type
class ServiceQueries:
    """The fields on services."""

    @requires()
    async def services(
        self,
        info: Info,
        search: str | None = strawberry.UNSET,
        filter: ServiceFilter | None = strawberry.UNSET,
        sort: ServiceSort | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
        language: str | None = strawberry.UNSET,
    ) -> ServiceConnection:
        """The catalogue. language: of the texts, unless a field asks for another."""
        page = accepted(
            await info.context.read(
                lambda conn, viewer: find_services(
                    conn,
                    viewer,
                    search=search or None,
                    criteria=filter.criteria() if filter else None,
                    sort=sort.value if sort else None,
                    first=20 if first is None else first,
                    after=None if after is strawberry.UNSET else after,
                    counted=is_counted(info),
                )
            )
        )
        nodes = [service_of(found, language or None) for found in page.nodes]
        return connection(ServiceConnection, ServiceEdge, page, nodes, version=page.version)

    @requires()
    async def service(self, info: Info, id: strawberry.ID) -> Service | None:
        """One service; null when there is none or it was withdrawn."""
        found = await info.context.loaders.services.load(str(id))
        return service_of(found) if found else None
