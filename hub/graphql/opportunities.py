"""Partnering opportunities in GraphQL."""

from __future__ import annotations

from datetime import date
from enum import Enum

import strawberry

from hub.domain.opportunities import Opportunity as OpportunityRecord
from hub.graphql.context import Info
from hub.graphql.declared import requires, shown
from hub.graphql.pages import PageInfo, connection, is_counted
from hub.graphql.refusals import accepted
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import JSON, Code, Node, pick
from hub.store.opportunities import OpportunityCriteria, find_opportunities


@strawberry.enum
class OpportunityType(Enum):
    """Kinds of profiles of the Enterprise Europe Network."""

    BUSINESS_OFFER = "business-offer"
    BUSINESS_REQUEST = "business-request"
    TECHNOLOGY_OFFER = "technology-offer"
    TECHNOLOGY_REQUEST = "technology-request"
    RESEARCH_REQUEST = "research-request"


@strawberry.input
class OpportunityFilter:
    """Members are AND, values of one member OR. open: takes interest, and its deadline has not passed."""

    partner: list[str] | None = strawberry.UNSET
    opportunity_type: list[OpportunityType] | None = strawberry.UNSET
    country: list[str] | None = strawberry.UNSET
    sector: list[str] | None = strawberry.UNSET
    open: bool | None = strawberry.UNSET

    def criteria(self) -> OpportunityCriteria:
        """The filter as the store takes it."""
        return OpportunityCriteria(
            partner=self.partner or None,
            opportunity_type=[one.value for one in self.opportunity_type or []],
            country=self.country or None,
            sector=self.sector or None,
            open=None if self.open is strawberry.UNSET else self.open,
        )


@strawberry.type
@shown()
class Opportunity(Node):
    """An offer or request of a firm abroad; made by `opportunity_of`."""

    record: strawberry.Private[OpportunityRecord]
    shown_in: strawberry.Private[str | None]
    reference: str
    opportunity_type: OpportunityType
    country: str
    target_countries: list[str]
    open_for_interest: bool
    published_on: date
    expires_on: date
    deadline: date | None
    url: str | None
    extensions: JSON | None
    version: int
    content_hash: str
    feed: str

    @strawberry.field
    async def partner(self, info: Info) -> Partner:
        """Its publisher."""
        return await partner_of(info, self.record.partner)

    @strawberry.field
    def title(self, language: str | None = strawberry.UNSET) -> str:
        """In the language asked for here or of the list, in its base language, in English, or the first."""
        return pick(self.record.data.title, language or self.shown_in)

    @strawberry.field
    def summary(self, language: str | None = strawberry.UNSET) -> str:
        """Chosen as `title` is."""
        return pick(self.record.data.summary, language or self.shown_in)

    @strawberry.field
    def description(self, language: str | None = strawberry.UNSET) -> str | None:
        """Chosen as `title` is."""
        texts = self.record.data.description
        return pick(texts, language or self.shown_in) if texts else None

    @strawberry.field
    def sectors(self) -> list[Code]:
        """NACE; none: open to all."""
        return [Code(scheme=one.scheme, code=one.code) for one in self.record.data.sectors]


def opportunity_of(found: tuple[OpportunityRecord, int], language: str | None = None) -> Opportunity:
    """An opportunity for GraphQL. found: record and version; language: of texts, as in `service_of`."""
    record, version = found
    data = record.data
    return Opportunity(
        id=strawberry.ID(record.id),
        record=record,
        shown_in=language,
        reference=data.reference,
        opportunity_type=OpportunityType(data.opportunity_type),
        country=data.country,
        target_countries=data.target_countries,
        open_for_interest=data.open_for_interest,
        published_on=data.published_on,
        expires_on=record.expires_on,
        deadline=data.deadline,
        url=data.url,
        extensions=None if data.extensions is None else JSON(data.extensions),
        version=version,
        content_hash=record.content_hash,
        feed=record.feed,
    )


@strawberry.type
@shown()
class OpportunityEdge:
    """An opportunity and its place in the list."""

    cursor: str
    node: Opportunity


@strawberry.type
@shown()
class OpportunityConnection:
    """One page of opportunities. version: position of the projection that this answer shows."""

    nodes: list[Opportunity]
    edges: list[OpportunityEdge]
    page_info: PageInfo
    total_count: int
    version: int


@strawberry.type
class OpportunityQueries:
    """The fields on opportunities."""

    @requires()
    async def opportunities(
        self,
        info: Info,
        search: str | None = strawberry.UNSET,
        filter: OpportunityFilter | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
        language: str | None = strawberry.UNSET,
    ) -> OpportunityConnection:
        """Opportunities that have not expired, the latest first, or with a search the most relevant."""
        page = accepted(
            await info.context.read(
                lambda conn, viewer: find_opportunities(
                    conn,
                    viewer,
                    search=search or None,
                    criteria=filter.criteria() if filter else None,
                    first=20 if first is None else first,
                    after=None if after is strawberry.UNSET else after,
                    counted=is_counted(info),
                )
            )
        )
        nodes = [opportunity_of(found, language or None) for found in page.nodes]
        return connection(OpportunityConnection, OpportunityEdge, page, nodes, version=page.version)

    @requires()
    async def opportunity(self, info: Info, id: strawberry.ID) -> Opportunity | None:
        """One opportunity, expired or not; null when there is none or it was withdrawn."""
        found = await info.context.loaders.opportunities.load(str(id))
        return opportunity_of(found) if found else None
