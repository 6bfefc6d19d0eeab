"""Who is asking, as the hub sees it."""

from __future__ import annotations

import strawberry

from hub.graphql.context import Info, requires
from hub.graphql.registry_types import Partner, partner_of
from hub.graphql.scalars import pick


@strawberry.type
class Viewer:
    """The caller. name: of its partner, else the client id; null for the public."""

    audience: str
    partner: Partner | None
    name: str | None
    scopes: list[str]


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
