"""What resolvers get: who asks, since when, and where data comes from."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from sqlalchemy import Connection
from strawberry.dataloader import DataLoader

from hub.domain.opportunities import Opportunity
from hub.domain.principal import Principal
from hub.domain.services import Service
from hub.domain.viewer import Opening, Viewer
from hub.events.audit import NoteRefusal, unheard
from hub.events.quotas import Quotas
from hub.store.engine import Store
from hub.store.opportunities import get_opportunities
from hub.store.partners import Registry, load_registry
from hub.store.services import count_services, get_services
from hub.store.vault import Vault
from hub.store.viewers import viewer_of

T = TypeVar("T")
RecordReading = Callable[[Principal, Opening], Awaitable[None]]


@dataclass(slots=True)
class Context:
    """One request. now: aware UTC. Loaders live as long as the request: nothing in them goes stale.

    note_refusal: told of every right that a field refuses. record_reading: records that a firm was read under
    an emergency access; without it these stay closed. opened: what the answer shows under them.
    """

    store: Store
    vault: Vault
    principal: Principal
    now: datetime
    quotas: Quotas = field(default_factory=Quotas)
    note_refusal: NoteRefusal = unheard
    record_reading: RecordReading | None = None
    loaders: Loaders = field(init=False)
    opened: set[Opening] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.loaders = Loaders(self)

    async def read(self, work: Callable[[Connection, Viewer], T]) -> T:
        """Run work in one snapshot, with the viewer of this request as it stands in that snapshot."""
        principal, now, glass = self.principal, self.now, self.record_reading is not None
        return await self.store.read(lambda conn: work(conn, viewer_of(conn, principal, now, glass=glass)))

    async def record_readings(self) -> None:
        """Record what the answer shows under emergency accesses; StoreUnavailable: it must not be given."""
        if self.record_reading:
            for opening in sorted(self.opened):
                await self.record_reading(self.principal, opening)


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
