"""Who is asking, as the hub sees it."""

from __future__ import annotations

import strawberry

from hub.domain.scopes import Audience
from hub.graphql.context import Info, requires
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import pick


@strawberry.type
class Quota:
    """What a partner may post to the process that answers; null where there is no quota."""

    events_per_second: int | None
    events_left: int | None
    bytes_per_second: int | None
    bytes_left: int | None


@strawberry.type
class Viewer:
    """The caller. name: of its partner, else the client id; null for the public."""

    audience: str
    partner: Partner | None
    name: str | None
    scopes: list[str]

    @requires({Audience.PARTNER})
    async def quota(self, info: Info) -> Quota:
        """How fast the partner may post events, and what is left of it just now."""
        context = info.context
        found = {one.name: one for one in context.quotas.standings(context.principal.identity)}
        events, bytes_ = found.get("events"), found.get("bytes")
        return Quota(
            events_per_second=events.rate_per_s if events else None,
            events_left=events.left if events else None,
            bytes_per_second=bytes_.rate_per_s if bytes_ else None,
            bytes_left=bytes_.left if bytes_ else None,
        )


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
