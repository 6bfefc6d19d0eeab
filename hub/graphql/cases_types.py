"""Referrals, firms and roadmaps in GraphQL: the types, which lead to each other."""

from __future__ import annotations

from datetime import date, datetime

import strawberry

from hub.domain.referral_moves import CANCEL_SCOPES, allowed_moves
from hub.domain.registry import EVENTS
from hub.domain.roadmaps import RoadmapAction as ActionRecord
from hub.domain.roadmaps import RoadmapVersion as VersionRecord
from hub.graphql.cases_ledger import LedgerEntry, batched, entry_of
from hub.graphql.cases_parts import Contact, Outcome, Reason, ReferralState, contact_of, outcome_of
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.eligibility import ExportExperience, FirmSize
from hub.graphql.opportunities import Opportunity, opportunity_of
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import Code, Node, pick
from hub.graphql.services import Service, service_of
from hub.store.entries import timelines
from hub.store.firms import FirmView, RoadmapView, roadmaps_of
from hub.store.referrals import ReferralView, children_of, get_referrals, referrals_of


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class Referral(Node):
    """One partner asks another to help a firm; made by `referral_of`.

    message: for those that may read the firm.
    """

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
    def sme(self, info: Info) -> Sme | None:
        """The firm; null for those that were merely offered the case, and without a live consent."""
        return sme_of(info, self.view.sme) if self.view.sme else None

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
@shown(MEMBERS, {"referrals:read"})
class Sme(Node):
    """A firm that the caller may read, as one partner registered it; made by `sme_of`."""

    view: strawberry.Private[FirmView]
    name: str | None
    identifier: Code | None
    country: str
    size: FirmSize | None
    experience: ExportExperience | None
    sectors: list[Code]

    @requires(MEMBERS, {"referrals:contact", "ledger:breakglass"}, without=None)
    def contacts(self) -> list[Contact] | None:
        """Persons at the firm; null without referrals:contact and a consent, or an emergency access."""
        found = self.view.contacts
        return None if found is None else [contact_of(one) for one in found]

    @strawberry.field
    async def referrals(self, info: Info) -> list[Referral]:
        """Its referrals that the caller is a party to, the latest update first; at most 100."""
        return [referral_of(one) for one in await batched(info, referrals_of, self.view.key) or []]

    @requires(MEMBERS, {"diagnosis:read"}, without=[])
    async def roadmaps(self, info: Info) -> list[Roadmap]:
        """Its roadmaps that the caller may read, the latest first; none without the scope diagnosis:read."""
        return [roadmap_of(one) for one in await batched(info, roadmaps_of, self.view.key) or []]


@strawberry.type
@shown(MEMBERS, {"diagnosis:read"})
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

    @requires(MEMBERS, {"referrals:read"}, without=None)
    async def referral(self, info: Info) -> Referral | None:
        """The latest referral made for it, if the caller is a party to that and holds referrals:read."""
        views = await batched(info, referrals_of, self.key) or []
        return next((referral_of(one) for one in views if one.referral.action == self.record.id), None)


@strawberry.type
@shown(MEMBERS, {"diagnosis:read"})
class RoadmapVersion:
    """One agreed version. note: null where there is none."""

    version: int
    agreed_on: date
    note: str | None
    actions: list[RoadmapAction]


@strawberry.type
@shown(MEMBERS, {"diagnosis:read"})
class Roadmap(Node):
    """What a firm and its advisers agreed to do; made by `roadmap_of`. versions: oldest first."""

    view: strawberry.Private[RoadmapView]
    agreed_on: date
    starts_on: date
    ends_on: date
    version: int
    actions: list[RoadmapAction]
    versions: list[RoadmapVersion]

    @requires(MEMBERS, {"referrals:read"}, without=None)
    def sme(self, info: Info) -> Sme | None:
        """The firm; null without the right to read it, or without the scope referrals:read."""
        return sme_of(info, self.view.sme) if self.view.sme else None


def referral_of(view: ReferralView) -> Referral:
    """A referral for GraphQL."""
    record = view.referral
    reason = record.reason
    return Referral(
        id=strawberry.ID(record.id),
        view=view,
        state=ReferralState(record.state),
        network=record.network,
        priority=record.priority,
        needs=list(record.needs),
        message=view.message,
        reason=Reason(code=reason.code, party=reason.party, text=view.reason_text) if reason else None,
        outcome=outcome_of(record.outcome) if record.outcome else None,
        created_at=record.created_at,
        updated_at=record.updated_at,
        version=view.version,
    )


def sme_of(info: Info, view: FirmView) -> Sme:
    """A firm for GraphQL; reading it under an emergency access is recorded before the answer is given."""
    info.context.opened.update(view.openings)
    record, number = view.registration, view.identifier
    return Sme(
        id=strawberry.ID(view.id),
        view=view,
        name=view.name,
        identifier=Code(scheme=number.scheme, code=number.number) if number else None,
        country=record.country,
        size=FirmSize(record.size) if record.size else None,
        experience=ExportExperience(record.experience) if record.experience else None,
        sectors=[Code(scheme=one.scheme, code=one.code) for one in record.sectors],
    )


def roadmap_of(view: RoadmapView) -> Roadmap:
    """A roadmap for GraphQL."""
    current, versions = view.roadmap.current, view.roadmap.versions
    return Roadmap(
        id=strawberry.ID(view.roadmap.id),
        view=view,
        agreed_on=current.agreed_on,
        starts_on=current.starts_on,
        ends_on=current.ends_on,
        version=current.version,
        actions=_actions(view, current),
        versions=[
            RoadmapVersion(
                version=one.version,
                agreed_on=one.agreed_on,
                note=view.notes[one.version],
                actions=_actions(view, one),
            )
            for one in versions
        ],
    )


def _actions(view: RoadmapView, version: VersionRecord) -> list[RoadmapAction]:
    return [
        RoadmapAction(id=strawberry.ID(one.id), key=view.key, record=one, due_on=one.due_on, state=one.state)
        for one in version.actions
    ]


def _moves_of(view: ReferralView, scopes: frozenset[str]) -> list[str]:
    """Moves that the viewer's roles and scopes allow in the referral's state."""
    if "events:publish" not in scopes:
        return []
    cancelling = frozenset(role for role in view.roles if CANCEL_SCOPES.get(role) in scopes)
    moves = allowed_moves(view.referral, view.roles - {"requester", "owner"} | cancelling)
    return [
        what
        for what in allowed_moves(view.referral, view.roles)
        if (what != "cancelled" or what in moves)
        and not scopes.isdisjoint(EVENTS[f"hub.referral.{what}.v1"].scopes)
    ]
