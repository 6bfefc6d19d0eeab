"""Who is asking, as the hub sees it."""

from __future__ import annotations

import strawberry

from hub.domain.scopes import Audience
from hub.graphql.audit import Notice, notice_of
from hub.graphql.context import Info
from hub.graphql.declared import EVERYONE, MEMBERS, requires, shown
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import pick
from hub.store.breakglass import find_grants

NOTICES_MAX = 100


@strawberry.type
@shown(EVERYONE - {Audience.PUBLIC})
class Quota:
    """What the caller may post to, and ask of, the process that answers; null where there is no quota.

    cost: in fields of GraphQL answers.
    """

    events_per_second: int | None
    events_left: int | None
    bytes_per_second: int | None
    bytes_left: int | None
    cost_per_second: int | None
    cost_left: int | None


@strawberry.type
@shown()
class Viewer:
    """The caller. name: of its partner, else the client id; null for the public."""

    audience: str
    partner: Partner | None
    name: str | None
    scopes: list[str]

    @requires(EVERYONE - {Audience.PUBLIC})
    async def quota(self, info: Info) -> Quota:
        """How fast the caller may post events and ask, and what is left of it just now."""
        context = info.context
        found = {one.name: one for one in context.quotas.left(context.principal.account)}
        events, bytes_, cost = found.get("events"), found.get("bytes"), found.get("cost")
        return Quota(
            events_per_second=events.rate_per_s if events else None,
            events_left=events.left if events else None,
            bytes_per_second=bytes_.rate_per_s if bytes_ else None,
            bytes_left=bytes_.left if bytes_ else None,
            cost_per_second=cost.rate_per_s if cost else None,
            cost_left=cost.left if cost else None,
        )

    @requires(MEMBERS, ("events:read",))
    async def notices(self, info: Info) -> list[Notice]:
        """Emergency accesses to firms that the caller has a case of or oversees, the latest first."""
        context = info.context
        found = await context.read(lambda conn, viewer: find_grants(conn, viewer, context.vault))
        return [notice_of(view) for view in found[:NOTICES_MAX]]


@strawberry.type
class ViewerQueries:
    """The field `me`."""

    @requires()
    async def me(self, info: Info) -> Viewer:
        """The caller and its rights."""
        principal = info.context.principal
        partner = await partner_of(info, principal.partner) if principal.partner else None
        name = principal.client_id
        if partner:
            name = pick(partner.record.name, None) if partner.record else partner.slug
        return Viewer(
            audience=principal.audience.value, partner=partner, name=name, scopes=sorted(principal.scopes)
        )
