"""The field that leads to roadmaps in GraphQL."""

from __future__ import annotations

import strawberry

from hub.graphql.cases_types import Roadmap, roadmap_of
from hub.graphql.context import Info
from hub.graphql.declared import MEMBERS, requires
from hub.store.firms import get_roadmap


@strawberry.type
class RoadmapQueries:
    """The field on roadmaps."""

    @requires(MEMBERS, {"diagnosis:read"})
    async def roadmap(self, info: Info, id: strawberry.ID) -> Roadmap | None:
        """One roadmap; null when there is none that the caller wrote or agreed to, under a live consent."""
        context = info.context
        view = await context.read(lambda conn, viewer: get_roadmap(conn, viewer, context.vault, str(id)))
        return roadmap_of(view) if view else None
