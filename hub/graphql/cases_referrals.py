"""Referrals, firms and roadmaps in GraphQL: the types, which lead to each other."""

from __future__ import annotations

from datetime import date, datetime
from enum import Enum

import strawberry

from hub.domain.roadmaps import RoadmapAction as ActionRecord
from hub.graphql.cases_ledger import LedgerEntry, batched, entry_of
from hub.graphql.context import Info
from hub.graphql.eligibility import ExportExperience, FirmSize
from hub.graphql.opportunities import Opportunity, opportunity_of
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import Code, Money, Node, pick
from hub.graphql.services import Service, service_of
from hub.store.entries import timelines
from hub.store.firms import FirmView, RoadmapView, roadmaps_of
from hub.store.referrals import ReferralView, children_of, get_referrals, referrals_of


@strawberry.enum
class ReferralState(Enum):
    """States of a referral, after FHIR Task."""

    DRAFT = "draft"
    REQUESTED = "requested"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    IN_PROGRESS = "in-progress"
    ON_HOLD = "on-hold"
    FAILED = "failed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ENTERED_IN_ERROR = "entered-in-error"


@strawberry.enum
class Confirmation(Enum):
    """Whether the other side agrees with the outcome that the owner reported."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"


@strawberry.type
class Reason:
    """Why a referral was rejected, held, failed, cancelled or reassigned. party: whose reason it is.

    text: for those that may read the firm.
    """

    code: str
    party: str
    text: str | None


@strawberry.type
class Outcome:
    """What came of a referral. confirmedBy: sme or requester."""

    kind: str
    value: Money | None
    countries: list[str]
    confirmation: Confirmation
    confirmed_by: str | None


@strawberry.type
class Contact:
    """A person at a firm."""

    name: str | None
    email: str | None
    phone: str | None
    role: str | None


@strawberry.type
class Referral(Node):
    """One partner asks another to help a firm; made by `referral_of`. Its firm is for parties, under consent."""

    view: strawberry.Private[ReferralView]
    state: ReferralState
    network: str
    priority: str
    needs: list[str]
    message: str | None
    reason: Reason | None
    outcome: Outcome | None
    created_at: datetime
    updated_at: datetime
    version: int

    @strawberry.field
    async def requester(self, info: Info) -> Partner:
        """Who asks."""
        return await partner_of(info, self.view.referral.requester)

    @strawberry.field
    async def owner(self, info: Info) -> Partner | None:
        """Who is asked, or took it; null in the open pool."""
        owner = self.view.referral.owner
        return await partner_of(info, owner) if owner else None

    @strawberry.field
    def sme(self) -> Sme | None:
        """The firm; null for those that were merely offered the case, and without a live consent."""
        return sme_of(self.view.sme) if self.view.sme else None

    @strawberry.field
    async def service(self, info: Info) -> Service | None:
        """The service that is asked for; null when there is none, or it is no longer in the catalogue."""
        id_ = self.view.referral.service
        found = await info.context.loaders.services.load(id_) if id_ else None
        return service_of(found) if found else None

    @strawberry.field
    async def opportunity(self, info: Info) -> Opportunity | None:
        """The opportunity that the firm is interested in."""
        id_ = self.view.referral.opportunity
        found = await info.context.loaders.opportunities.load(id_) if id_ else None
        return opportunity_of(found) if found else None

    @strawberry.field
    async def part_of(self, info: Info) -> Referral | None:
        """The referral that this one is a part of, if the caller is a party to that one too."""
        return await self._linked(info, self.view.referral.part_of)

    @strawberry.field
    async def based_on(self, info: Info) -> Referral | None:
        """The referral that this one follows, if the caller is a party to that one too."""
        return await self._linked(info, self.view.referral.based_on)

    @strawberry.field
    async def children(self, info: Info) -> list[Referral]:
        """Its parts that the caller is a party to, in order of creation; at most the latest 100."""
        return [referral_of(one) for one in await batched(info, children_of, self.view.name) or []]

    @strawberry.field
    async def timeline(self, info: Info) -> list[LedgerEntry]:
        """Events about it, refused ones too, in order of acceptance; at most the first 500."""
        return [entry_of(one) for one in await batched(info, timelines, self.view.name) or []]

    @strawberry.field
    def allowed_moves(self, info: Info) -> list[str]:
        """Names of the events that the caller may post now, such as accepted."""
        return _moves_of(self.view, info.context.principal.scopes)

    async def _linked(self, info: Info, id_: str | None) -> Referral | None:
        found = await batched(info, get_referrals, (self.view.key, id_)) if id_ else None
        return referral_of(found) if found else None


@strawberry.type
class Sme(Node):
    """A firm that the caller may read, as one partner registered it; made by `sme_of`.

    contacts: null without the right to read them.
    """

    view: strawberry.Private[FirmView]
    name: str | None
    identifier: Code | None
    country: str
    size: FirmSize | None
    experience: ExportExperience | None
    sectors: list[Code]
    contacts: list[Contact] | None

    @strawberry.field
    async def referrals(self, info: Info) -> list[Referral]:
        """Its referrals that the caller is a party to, the latest update first; at most 100."""
        return [referral_of(one) for one in await batched(info, referrals_of, self.view.key) or []]

    @strawberry.field
    async def roadmaps(self, info: Info) -> list[Roadmap]:
        """Its roadmaps that the caller may read, the latest first; none without the scope diagnosis:read."""
        if "diagnosis:read" not in info.context.principal.scopes:
            return []
        return [roadmap_of(one) for one in await batched(info, roadmaps_of, self.view.key) or []]


@strawberry.type
class RoadmapAction:
    """One step that was agreed."""

    id: strawberry.ID
    key: strawberry.Private[str]
    record: strawberry.Private[ActionRecord]
    due_on: date | None
    state: str

    @strawberry.field
    def title(self, language: str | None = strawberry.UNSET) -> str:
        """What is to be done, in the language, its base language, English, or the first."""
        return pick(self.record.title, language or None)

    @strawberry.field
    async def service(self, info: Info) -> Service | None:
        """The service that helps with it."""
        id_ = self.record.service_id
        found = await info.context.loaders.services.load(id_) if id_ else None
        return service_of(found) if found else None

    @strawberry.field
    async def partner(self, info: Info) -> Partner | None:
        """The partner that helps with it."""
        return await partner_of(info, self.record.partner) if self.record.partner else None

    @strawberry.field
    async def referral(self, info: Info) -> Referral | None:
        """The latest referral made for it, if the caller is a party to that and holds referrals:read."""
        if "referrals:read" not in info.context.principal.scopes:
            return None
        views = await batched(info, referrals_of, self.key) or []
        return next((referral_of(one) for one in views if one.referral.action == self.record.id), None)


@strawberry.type
class RoadmapVersion:
    """One agreed version. note: null where there is none."""

    version: int
    agreed_on: date
    note: str | None
    actions: list[RoadmapAction]


@strawberry.type
class Roadmap(Node):
    """What a firm and its advisers agreed to do; made by `roadmap_of`. versions: oldest first."""

    view: strawberry.Private[RoadmapView]
    agreed_on: date
    starts_on: date
    ends_on: date
    version: int
    actions: list[RoadmapAction]
    versions: list[RoadmapVersion]

    @strawberry.field
    def sme(self, info: Info) -> Sme | None:
        """The firm; null without the right to read it, or without the scope referrals:read."""
        readable = self.view.sme and "referrals:read" in info.context.principal.scopes
        return sme_of(self.view.sme) if readable and self.view.sme else None
