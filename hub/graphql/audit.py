"""The audit log in GraphQL, and the emergency accesses that a partner is told of."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

import strawberry

from hub.domain.audit import Actor as ActorRecord
from hub.domain.values import parse_time
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.pages import PageInfo, connection, is_counted
from hub.graphql.refusals import accepted
from hub.graphql.registry_types import Partner, partner_of
from hub.store.audit import AuditFilter as Criteria
from hub.store.audit import AuditView, find_audit
from hub.store.breakglass import GrantView


@strawberry.enum
class AuditOutcome(Enum):
    """Whether an act was done."""

    DONE = "done"
    REFUSED = "refused"


@strawberry.type
@shown(MEMBERS, ("events:read",))
class AuditActor:
    """Who acted: a person (personId) through a client or a session, or a system."""

    slug: strawberry.Private[str | None]
    audience: str
    client_id: str | None
    person_id: strawberry.ID | None

    @strawberry.field
    async def partner(self, info: Info) -> Partner | None:
        """The partner that it belongs to; null for managers and portals."""
        return await partner_of(info, self.slug) if self.slug else None


@strawberry.type
@shown(MEMBERS, ("events:read",))
class AuditRecord:
    """One act, or refusals of one kind within a minute.

    seq: of the ledger's entry. aboutKind, aboutId: what was acted on. sme: wire id of the firm concerned,
    null without the right to read it. code, where: of a refusal. from, until: of refusals told together.
    """

    seq: int
    accepted_at: datetime
    act: str
    outcome: AuditOutcome
    actor: AuditActor
    about_kind: str | None
    about_id: str | None
    sme: strawberry.ID | None
    referral: strawberry.ID | None
    code: str | None
    where: str | None
    count: int
    from_: datetime | None = strawberry.field(name="from")
    until: datetime | None


@strawberry.type
@shown(MEMBERS, ("events:read",))
class AuditEdge:
    """A record and its place in the list."""

    cursor: str
    node: AuditRecord


@strawberry.type
@shown(MEMBERS, ("events:read",))
class AuditConnection:
    """One page of records, newest first."""

    nodes: list[AuditRecord]
    edges: list[AuditEdge]
    page_info: PageInfo
    total_count: int


@strawberry.input
class AuditFilter:
    """Members are AND, values of one member OR. actor: client:<id> or person:<id>."""

    act: list[str] | None = None
    outcome: list[AuditOutcome] | None = None
    actor: list[str] | None = None
    since: datetime | None = None
    until: datetime | None = None


@strawberry.type
@shown(MEMBERS, ("events:read",))
class Notice:
    """An emergency access to a firm that the caller has a case of (docs/audit.md).

    referrals: the caller's cases that it opens. state: requested, refused, lapsed, open, ended, expired.
    uses: how often the firm was read under it.
    """

    id: strawberry.ID
    state: str
    networks: list[str]
    referrals: list[strawberry.ID]
    requested_by: AuditActor
    requested_at: datetime
    decided_by: AuditActor | None
    decided_at: datetime | None
    until: datetime | None
    ended_by: AuditActor | None
    ended_at: datetime | None
    uses: int
    used_at: datetime | None


@strawberry.type
class AuditQueries:
    """The field on the audit log."""

    @requires(MEMBERS, ("events:read",))
    async def audit_log(
        self,
        info: Info,
        filter: AuditFilter | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> AuditConnection:
        """Acts and refusals: the caller's own and what concerns it; with ledger:audit all of its networks."""
        context, criteria = info.context, _criteria(filter or AuditFilter())
        page = accepted(
            await context.read(
                lambda conn, viewer: find_audit(
                    conn,
                    viewer,
                    context.vault,
                    filter=criteria,
                    first=20 if first is None else first,
                    after=None if after is strawberry.UNSET else after,
                    counted=is_counted(info),
                )
            )
        )
        nodes = [record_of(view) for view in page.nodes]
        return connection(AuditConnection, AuditEdge, page, nodes)


def record_of(view: AuditView) -> AuditRecord:
    """A record for GraphQL."""
    data = view.data
    return AuditRecord(
        seq=view.seq,
        accepted_at=parse_time(view.accepted_at),
        act=data.act,
        outcome=AuditOutcome(view.outcome),
        actor=_actor(data.actor),
        about_kind=data.about.kind if data.about else None,
        about_id=data.about.id if data.about else None,
        sme=strawberry.ID(view.sme) if view.sme else None,
        referral=strawberry.ID(data.referral) if data.referral else None,
        code=view.code,
        where=data.where,
        count=data.count,
        from_=data.from_,
        until=data.to,
    )


def notice_of(view: GrantView) -> Notice:
    """An emergency access for GraphQL, without the reason that the manager gave."""
    grant = view.grant
    return Notice(
        id=strawberry.ID(grant.id),
        state=view.state,
        networks=grant.networks,
        referrals=[strawberry.ID(one) for one in view.referrals],
        requested_by=_actor(grant.requester),
        requested_at=grant.requested_at,
        decided_by=_actor(grant.decided_by) if grant.decided_by else None,
        decided_at=grant.decided_at,
        until=grant.until,
        ended_by=_actor(grant.ended_by) if grant.ended_by else None,
        ended_at=grant.ended_at,
        uses=grant.uses,
        used_at=grant.used_at,
    )


def _actor(actor: ActorRecord) -> AuditActor:
    person = strawberry.ID(actor.person_id) if actor.person_id else None
    return AuditActor(
        slug=actor.partner, audience=actor.audience, client_id=actor.client_id, person_id=person
    )


def _criteria(given: AuditFilter) -> Criteria:
    outcome = [one.value for one in given.outcome] if given.outcome else None
    return Criteria(given.act, outcome, given.actor, given.since, given.until)
