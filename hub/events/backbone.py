"""How sequenced events reach projectors: a port, and the embedded backbone, which is the inbox itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Protocol

from hub.store.engine import Store
from hub.store.inbox import Sequenced, sequenced


class Backbone(Protocol):
    """An ordered log of sequenced events. arrived: set when there may be something new to read."""

    arrived: asyncio.Event

    async def read(self, offset: int, limit: int) -> Sequence[Sequenced]:
        """Events from that position on, in order; empty when there are none yet."""
        ...


class EmbeddedBackbone:
    """Reads the inbox in the order of the tree; nothing is copied, so nothing can be lost between."""

    def __init__(self, store: Store, arrived: asyncio.Event) -> None:
        self._store, self.arrived = store, arrived

    async def read(self, offset: int, limit: int) -> Sequence[Sequenced]:
        """Events from that leaf index on."""
        return await self._store.read(lambda conn: sequenced(conn, offset, limit))
