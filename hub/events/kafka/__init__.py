"""The backbone on Apache Kafka: relay, lanes, and partners' own topics."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kafka import TopicPartition
from sqlalchemy import Connection

from hub.domain.values import rfc3339
from hub.events.audit import NoteRefusal
from hub.events.backbone import Batch, Delivered, missing_from_inbox
from hub.events.deliveries import Deliveries
from hub.events.intake import Intake
from hub.events.kafka.access import Access
from hub.events.kafka.connection import Cluster
from hub.events.kafka.lanes import GroupReader, starts
from hub.events.kafka.messages import LANE_TOPICS, Foreign, News, Unreadable, from_record, lane_of
from hub.events.kafka.partner_topics import PartnerTopics
from hub.events.kafka.relay import Relay
from hub.settings import Settings
from hub.store.engine import Store
from hub.store.inbox import sequenced_by_seq
from hub.store.parked import Parked, park
from hub.store.projection import INBOX, Position, positions
from hub.store.relay import told
from hub.store.vault import Vault

GROUP = "hub.projector"
LOOK_AFTER_S = 3.0
"""How long a lane may stand still behind what the relay has told, before the inbox is asked instead."""

log = logging.getLogger(__name__)


class KafkaBackbone:
    """What the spine needs of Kafka."""

    def __init__(
        self, settings: Settings, store: Store, vault: Vault, intake: Intake, note_refusal: NoteRefusal
    ) -> None:
        """note_refusal: told of messages in partners' topics that a right was refused to."""
        self.cluster = Cluster(settings)
        self.access = Access(self.cluster)
        self._store, self._vault = store, vault
        deliveries = Deliveries(store, vault, intake, note_refusal)
        self._partner_topics = PartnerTopics(self.cluster, store, deliveries)
        self._hub_id = vault.digest("hub", b"").hex()[:32]
        self._relay = Relay(store, self.cluster, self._hub_id)
        self._reader = GroupReader(self.cluster, GROUP, {"topics": list(LANE_TOPICS)}, self._starts)
        self._looked_at_s = time.monotonic()
        self._behind: dict[str, int] = {}
        self._overdue: dict[str, int] = {}
        self._polled: Mapping[TopicPartition, Sequence[Any]] = {}
        self.arrived = asyncio.Event()

    async def relay(self, grown: asyncio.Event) -> None:
        """Tell the log what the tree holds, for ever."""
        await self._relay.run(grown)

    async def next(self, limit: int) -> Batch | None:
        """What the assigned lanes deliver, or what they have not delivered for too long."""
        self.arrived.set()  # Polling waits by itself.
        if time.monotonic() - self._looked_at_s > LOOK_AFTER_S:
            self._looked_at_s = time.monotonic()
            self._overdue = await self._standing_still()
            if self._overdue:
                log.warning("lanes_stand_still", extra={"upto": self._overdue})
                mine = {f"{one.topic}/{one.partition}" for one in self._reader.ids}
                if not mine or mine & self._overdue.keys():
                    await self._reader.drop()
        if self._overdue:
            batch = await self.missing(self._overdue, limit)
            self._overdue = {lane: end for lane, end in self._overdue.items() if batch.through[lane] <= end}
            return batch
        # A log delivers a record once: what could not be dealt with is kept, not asked for again, unless the
        # reader gave it up itself.
        self._polled = {one: records for one, records in self._polled.items() if one in self._reader.ids}
        self._polled = self._polled or await self._reader.poll(limit)
        if not self._polled:
            return None
        batch = await self._read(self._polled)
        self._polled = {}
        return batch

    async def _read(self, found: Mapping[TopicPartition, Sequence[Any]]) -> Batch:
        news: list[News] = []
        logs: dict[str, tuple[str, int]] = {}
        unreadable: list[Parked] = []
        for partition, records in found.items():
            topic_id = self._reader.ids[partition]
            for record in records:
                try:
                    news.append(from_record(record, self._hub_id))
                except Foreign as error:
                    log.error("another_hub_on_our_topics", extra={"hub": str(error), "topic": record.topic})
                except Unreadable as error:
                    unreadable.append(_parked(record, topic_id, error))
            logs[f"{partition.topic}/{partition.partition}"] = topic_id, records[-1].offset + 1
        if unreadable:
            # By a wrong id one would be taken for another that is parked already, and be lost.
            await self._reader.confirm()
            log.error("log_unreadable", extra={"records": [one.id for one in unreadable]})
            await self._store.write(lambda conn: park(conn, self._vault, unreadable))
        return Batch(await self._from_inbox(news), logs=logs)

    async def _from_inbox(self, news: Sequence[News]) -> list[Delivered]:
        """The events themselves, of such news as are true.

        A log may be ahead of a truth that was restored from a backup, and topics can be written to by
        whoever administers them: the log says what is new, the inbox what it is.
        """
        seqs = [one.seq for one in news]
        events = await self._store.look(lambda conn: sequenced_by_seq(conn, seqs))
        found = [
            Delivered(one.lane, one.after, event)
            for one in news
            if (event := events.get(one.seq))
            and (event.leaf_index, event.commitment) == (one.leaf_index, one.commitment)
            and self.lane(event.topic, event.key) == one.lane
        ]
        if len(found) < len(news):
            log.error("log_of_another_history", extra={"records": len(news) - len(found)})
        return found

    async def missing(self, gaps: Mapping[str, int], limit: int) -> Batch:
        """From the inbox, which has everything."""
        return await missing_from_inbox(self._store, self.lane, gaps, limit)

    def lane(self, topic: str, key: str) -> str:
        """Name of the lane that events of the key come by."""
        return lane_of(topic, key, self.cluster.partitions)

    async def take_in(self) -> None:
        """Take in what partners write to their own topics, for ever."""
        await self._partner_topics.run()

    async def close(self) -> None:
        """Leave the groups."""
        await self._reader.drop()
        await self._partner_topics.close()

    async def _starts(self, ids: Mapping[TopicPartition, str]) -> dict[TopicPartition, int | None]:
        return starts(await self._store.inspect(positions), ids)

    async def _standing_still(self) -> dict[str, int]:
        """Lanes behind the relay that have not moved since the last look, and up to which leaf.

        Anybody's: a projector that hangs keeps its lanes for a while, and to fold them twice does no harm.
        """

        def look(conn: Connection) -> dict[str, tuple[int, int]]:
            at, last = positions(conn), told(conn).lanes
            start = at.get(INBOX, Position()).leaf
            found = {lane: (at[lane].leaf if lane in at else start, end) for lane, end in last.items()}
            return {lane: (leaf, end) for lane, (leaf, end) in found.items() if leaf <= end}

        behind = await self._store.inspect(look)
        still = {lane: end for lane, (leaf, end) in behind.items() if self._behind.get(lane) == leaf}
        self._behind = {lane: leaf for lane, (leaf, _) in behind.items()}
        return still


def _parked(record: Any, topic_id: str, error: Unreadable) -> Parked:
    return Parked(
        id=f"{record.topic}/{record.partition}/{record.offset}@{topic_id}",
        partner=None,
        error=str(error),
        content=record.value or b"",
        parked_at=rfc3339(datetime.now(UTC)),
    )
