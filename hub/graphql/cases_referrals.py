"""Lists of referrals in GraphQL, and the fields that lead to referrals."""

from __future__ import annotations

from datetime import datetime

import strawberry

from hub.graphql.cases_parts import ReferralRole, ReferralState
from hub.graphql.cases_types import Referral, referral_of
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.pages import PageInfo, connection, is_counted
from hub.graphql.refusals import accepted
from hub.store.referrals import ReferralFilter as Criteria
from hub.store.referrals import find_referrals, get_referral


@strawberry.input
class ReferralFilter:
    """Members are AND, values of one member OR; an empty list restricts nothing.

    role: of the partners named, else of the caller's. sme: finds nothing where the firm may not be read.
    """

    state: list[ReferralState] | None = strawberry.UNSET
    partner: list[str] | None = strawberry.UNSET
    role: ReferralRole | None = strawberry.UNSET
    network: list[str] | None = strawberry.UNSET
    sme: strawberry.ID | None = strawberry.UNSET
    service: strawberry.ID | None = strawberry.UNSET
    updated_after: datetime | None = strawberry.UNSET

    def criteria(self) -> Criteria:
        """The filter as the store takes it."""
        return Criteria(
            state=[one.value for one in self.state or []],
            partner=self.partner or None,
            role=self.role.value if self.role else None,
            network=self.network or None,
            sme=None if self.sme is strawberry.UNSET else self.sme,
            service=None if self.service is strawberry.UNSET else self.service,
            updated_after=self.updated_after or None,
        )


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class ReferralEdge:
    """A referral and its place in the list."""

    cursor: str
    node: Referral


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class ReferralConnection:
    """One page of referrals. version: position of the projection that this answer shows."""

    nodes: list[Referral]
    edges: list[ReferralEdge]
    page_info: PageInfo
    total_count: int
    version: int


@strawberry.type
class ReferralQueries:
    """The fields on referrals."""

    @requires(MEMBERS, {"referrals:read"})
    async def referrals(
        self,
        info: Info,
        filter: ReferralFilter | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> ReferralConnection:
        """Referrals that the caller is a party to, the latest update first."""
        context, criteria = info.context, filter.criteria() if filter else Criteria()
        page = accepted(
            await context.read(
                lambda conn, viewer: find_referrals(
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
        nodes = [referral_of(view) for view in page.nodes]
        return connection(ReferralConnection, ReferralEdge, page, nodes, version=page.version)

    @requires(MEMBERS, {"referrals:read"})
    async def referral(self, info: Info, id: strawberry.ID) -> Referral | None:
        """One referral; null when there is none that the caller is a party to."""
        context = info.context
        view = await context.read(lambda conn, viewer: get_referral(conn, viewer, context.vault, str(id)))
        return referral_of(view) if view else None
