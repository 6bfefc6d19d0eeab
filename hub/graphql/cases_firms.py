"""Lists of firms in GraphQL, and the fields that lead to firms."""

from __future__ import annotations

import strawberry

from hub.graphql.cases_types import Sme, sme_of
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires, shown
from hub.graphql.pages import PageInfo, connection
from hub.graphql.refusals import accepted
from hub.store.firms import find_firms, get_firm


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class SmeEdge:
    """A firm and its place in the list."""

    cursor: str
    node: Sme


@strawberry.type
@shown(MEMBERS, {"referrals:read"})
class SmeConnection:
    """One page of firms."""

    nodes: list[Sme]
    edges: list[SmeEdge]
    page_info: PageInfo
    total_count: int


@strawberry.type
class FirmQueries:
    """The fields on firms."""

    @requires(MEMBERS, {"referrals:read"})
    async def smes(
        self,
        info: Info,
        search: str | None = strawberry.UNSET,
        first: int | None = 20,
        after: str | None = strawberry.UNSET,
    ) -> SmeConnection:
        """Firms that the caller registered or may read now, the latest registration first.

        search: every word must occur in the name.
        """
        context = info.context
        page = accepted(
            await context.read(
                lambda conn, viewer: find_firms(
                    conn,
                    viewer,
                    context.vault,
                    search=search or None,
                    first=20 if first is None else first,
                    after=None if after is strawberry.UNSET else after,
                )
            )
        )
        nodes = [sme_of(info, view) for view in page.nodes]
        return connection(SmeConnection, SmeEdge, page, nodes)

    @requires(MEMBERS, {"referrals:read"})
    async def sme(self, info: Info, id: strawberry.ID) -> Sme | None:
        """One firm; null alike for one that nobody knows and one that the caller may not read."""
        context = info.context
        view = await context.read(lambda conn, viewer: get_firm(conn, viewer, context.vault, str(id)))
        return sme_of(info, view) if view else None
