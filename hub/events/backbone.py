"""How sequenced events reach projectors: a port, and the embedded backbone, which is the inbox itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sqlalchemy import Connection

from hub.store.engine import Store
from hub.store.inbox import Sequenced, sequenced
from hub.store.projection import INBOX, Position, positions


@dataclass(frozen=True, slots=True)
class Delivered:
    """An event as a lane delivers it. after: leaf index of the one before it in its lane, -1 for none."""

    lane: str
    after: int
    event: Sequenced


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in the order of their lanes, some perhaps again.

    through: lanes of which every event below that leaf index has been folded once these are.
    logs: by lane, the topic's id and the offset that comes after these events.
    """

    events: Sequence[Delivered]
    through: Mapping[str, int] = field(default_factory=dict)
    logs: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    @property
    def lanes(self) -> set[str]:
        """Every lane that is moved on."""
        return {one.lane for one in self.events} | self.through.keys() | self.logs.keys()


class Backbone(Protocol):
    """An ordered log of sequenced events. arrived: set when there may be something new to read."""

    arrived: asyncio.Event

    async def next(self, limit: int) -> Batch | None:
        """What comes next, at most that many events; None when there is nothing yet."""

    async def missing(self, gaps: Mapping[str, int], limit: int) -> Batch:
        """Events that a lane did not deliver, from the inbox. gaps: up to which leaf index, by lane."""


class EmbeddedBackbone:
    """Reads the inbox in the order of the tree; nothing is copied, so nothing can be lost between.

    until: leaf index to stop before, and most: events at a time, for a rebuild.
    """

    def __init__(
        self, store: Store, arrived: asyncio.Event, *, until: int | None = None, most: int | None = None
    ) -> None:
        self._store, self.arrived, self._until, self._most = store, arrived, until, most

    async def next(self, limit: int) -> Batch | None:
        """Events from the position of the read model on."""

        def read(conn: Connection) -> Sequence[Sequenced]:
            start = positions(conn).get(INBOX, Position()).leaf
            bounds = [limit, self._most or limit, limit if self._until is None else self._until - start]
            return sequenced(conn, start, min(bounds)) if min(bounds) > 0 else ()

        events = await self._store.inspect(read)
        if not events:
            return None
        return Batch([Delivered(INBOX, one.leaf_index - 1, one) for one in events])

    async def missing(self, gaps: Mapping[str, int], limit: int) -> Batch:
        """A read model that was made anew under a batch begins before it."""
        return await missing_from_inbox(self._store, lambda _topic, _key: INBOX, gaps, limit)


async def missing_from_inbox(
    store: Store, lane_of: Callable[[str, str], str], gaps: Mapping[str, int], limit: int
) -> Batch:
    """The next events of lanes that a log did not deliver. lane_of: of a topic and a key."""

    def read(conn: Connection) -> Batch:
        found = positions(conn)
        whole = found.get(INBOX, Position())
        start = min(found.get(lane, whole).leaf for lane in gaps)
        end = max(gaps.values()) + 1
        events = sequenced(conn, start, min(limit, end - start))
        reached = events[-1].leaf_index + 1 if events else end
        mine = [(lane_of(one.topic, one.key), one) for one in events]
        return Batch(
            [Delivered(lane, -1, one) for lane, one in mine if one.leaf_index <= gaps.get(lane, -1)],
            through={lane: min(reached, gaps[lane] + 1) for lane in gaps},
        )

    return await store.inspect(read)
