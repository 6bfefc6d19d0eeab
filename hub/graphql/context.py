"""What resolvers get: who asks, since when, where data comes from; and what a field asks of its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from graphql import GraphQLError
from sqlalchemy import Connection
from strawberry.dataloader import DataLoader
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver

from hub.domain.opportunities import Opportunity
from hub.domain.principal import Principal
from hub.domain.refusal import Refusal
from hub.domain.scopes import Audience
from hub.domain.services import Service
from hub.domain.viewer import Viewer
from hub.events.quotas import Quotas
from hub.store.engine import Store
from hub.store.opportunities import get_opportunities
from hub.store.partners import Registry, load_registry
from hub.store.records import viewer_of
from hub.store.services import count_services, get_services
from hub.store.vault import Vault

T = TypeVar("T")

EVERYONE = frozenset(Audience)
MEMBERS = frozenset({Audience.PARTNER, Audience.MANAGER})


@dataclass(slots=True)
class Context:
    """One request. now: aware UTC. Loaders live as long as the request: nothing in them goes stale."""

    store: Store
    vault: Vault
    principal: Principal
    now: datetime
    quotas: Quotas = field(default_factory=Quotas)
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self)

    async def read(self, work: Callable[[Connection, Viewer], T]) -> T:
        """Run work in one snapshot, with the viewer of this request as it stands in that snapshot."""
        principal, now = self.principal, self.now
        return await self.store.read(lambda conn: work(conn, viewer_of(conn, principal, now)))


Info = strawberry.Info[Context, None]


class Loaders:
    """Batches: many nodes that name the same kind of thing cost one read."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._registry: asyncio.Task[Registry] | None = None
        self.services: DataLoader[str, tuple[Service, int] | None] = DataLoader(self._services)
        self.opportunities: DataLoader[str, tuple[Opportunity, int] | None] = DataLoader(self._opportunities)
        self.service_counts: DataLoader[str, int] = DataLoader(self._service_counts)
        self.by_function: dict[object, DataLoader[Any, Any]] = {}

    async def registry(self) -> Registry:
        """Partners and networks, read once a request: both stay few."""
        if self._registry is None:
            self._registry = asyncio.create_task(self._context.store.read(load_registry))
        return await self._registry

    async def _services(self, ids: list[str]) -> list[tuple[Service, int] | None]:
        found = await self._context.read(lambda conn, viewer: get_services(conn, viewer, ids))
        return [found.get(id_) for id_ in ids]

    async def _opportunities(self, ids: list[str]) -> list[tuple[Opportunity, int] | None]:
        found = await self._context.read(lambda conn, viewer: get_opportunities(conn, viewer, ids))
        return [found.get(id_) for id_ in ids]

    async def _service_counts(self, slugs: list[str]) -> list[int]:
        found = await self._context.read(lambda conn, viewer: count_services(conn, viewer, slugs))
        return [found.get(slug, 0) for slug in slugs]


class Requires(FieldExtension):
    """What a field asks of its caller; made by `requires`."""

    def __init__(self, audiences: Iterable[Audience], scopes: tuple[str, ...]) -> None:
        self.audiences, self.scopes = frozenset(audiences), scopes

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        """Resolve the field for those who hold a scope; GraphQLError scope.missing for others."""
        if self.scopes and not info.context.principal.scopes.intersection(self.scopes):
            raise refused(missing_scope(*self.scopes))
        return await next_(source, info, **kwargs)


def requires(
    audiences: Iterable[Audience] = EVERYONE, scopes: tuple[str, ...] = ()
) -> Callable[[Callable[..., Any]], Any]:
    """Make a resolver a field, and declare who has it; every field of Query is made so.

    audiences: everybody else's schema lacks the field. scopes: any one of them; none: nothing is needed.
    """

    def declare(resolver: Callable[..., Any]) -> Any:
        return strawberry.field(resolver, extensions=[Requires(audiences, scopes)])

    return declare


def missing_scope(*scopes: str) -> Refusal:
    """The answer to a caller that holds none of the scopes."""
    return Refusal(
        "scope.missing",
        f"this needs the scope {' or '.join(scopes)}",
        "Ask for a token with that scope; when it is not granted to you, ask the network manager for it.",
    )


def refused(refusal: Refusal) -> GraphQLError:
    """A refusal as the error of a field: code and remedy stand in its extensions."""
    return GraphQLError(refusal.message, extensions={"code": refusal.code, "remedy": refusal.remedy})


def accepted(answer: T | Refusal) -> T:
    """The answer of the store; GraphQLError when it is a refusal."""
    if isinstance(answer, Refusal):
        raise refused(answer)
    return answer
