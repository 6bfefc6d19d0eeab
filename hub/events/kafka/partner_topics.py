"""Partners' own topics, `in.<partner>`: read by a group of consumers, taken in, and deleted from the log.

Where to go on is what SQL says, by topic id: the offset after the last message of which it stands written
what became of it. What partners write is not sealed, so it does not stay.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from kafka import TopicPartition
from kafka.admin import KafkaAdminClient

from hub.domain.values import rfc3339
from hub.events.deliveries import Deliveries, Message
from hub.events.envelope import BATCH_BYTES_MAX
from hub.events.kafka.connection import Cluster, KafkaUnavailable, topic_id
from hub.events.kafka.lanes import GroupReader, Spoiled
from hub.events.sequencer import follow
from hub.store.deliveries import TOPIC_PREFIX, Place, forget_deliveries, next_offset
from hub.store.engine import Store
from hub.store.parked import forget_parked

GROUP = "hub.intake"
PATTERN = rf"^{TOPIC_PREFIX.replace('.', '[.]')}.+"
NEW_TOPICS_S_MAX = 5.0
"""How soon a topic is found that was made while the hub runs."""
SWEEP_S = 3.0
FORGET_EVERY_S = 3_600.0
KEPT_DAYS = 90
"""How long it is told what became of a message, and what is parked is kept."""
FORGOTTEN_AT_ONCE = 1_000
READ_RECORDS_MAX = 256

log = logging.getLogger(__name__)


class PartnerTopics:
    """One member of the group. What it has read waits for the intake, and nothing more is read meanwhile."""

    def __init__(self, cluster: Cluster, store: Store, deliveries: Deliveries) -> None:
        self._cluster, self._store, self._deliveries = cluster, store, deliveries
        settings = {
            "metadata_max_age_ms": int(NEW_TOPICS_S_MAX * 1_000),
            # Bounds what is in memory; a larger batch comes alone.
            "fetch_max_bytes": BATCH_BYTES_MAX,
        }
        self._reader = GroupReader(cluster, GROUP, {"pattern": PATTERN}, self._starts, settings)
        self._pending: Sequence[Message] = ()
        self._read: dict[TopicPartition, int] = {}
        self._deletable: dict[TopicPartition, int] = {}
        self._swept_at_s = time.monotonic()
        self._forgot_at_s = float("-inf")

    async def run(self) -> None:
        """Take in for ever."""
        polled = asyncio.Event()
        polled.set()
        await follow(polled, self.step, "partners_topics")

    async def step(self) -> bool:
        """Take in what has been read, once, whatever happens on the way; then delete it from the log."""
        if not self._pending:
            self._pending = await self._poll()
        if self._pending:
            await self._deliveries.take_in(self._pending)
            self._pending = ()
            self._deletable |= self._read
        if time.monotonic() - self._swept_at_s > SWEEP_S:
            self._swept_at_s = time.monotonic()
            await self._sweep()
        if time.monotonic() - self._forgot_at_s > FORGET_EVERY_S:
            self._forgot_at_s = time.monotonic()
            await self._forget(rfc3339(datetime.now(UTC) - timedelta(days=KEPT_DAYS)))
        return True  # Polling waits by itself.

    async def _forget(self, before: str) -> None:
        """Forget what became of messages, a few in each commit, and what was parked."""
        most = FORGOTTEN_AT_ONCE
        while most == await self._store.write(lambda conn: forget_deliveries(conn, before, most)):
            pass
        await self._store.write(lambda conn: forget_parked(conn, before))

    async def close(self) -> None:
        """Leave the group."""
        await self._reader.drop()

    async def _poll(self) -> list[Message]:
        found = await self._reader.poll(READ_RECORDS_MAX)
        if found:
            # By a wrong id a message would be taken for one that was read before, and be lost.
            await self._reader.confirm()
        self._read = {partition: records[-1].offset + 1 for partition, records in found.items()}
        return [
            _message(record, self._reader.ids[partition])
            for partition, records in found.items()
            for record in records
        ]

    async def _starts(self, ids: Mapping[TopicPartition, str]) -> dict[TopicPartition, int | None]:
        starts: dict[TopicPartition, int | None] = await self._store.inspect(
            lambda conn: {
                one: next_offset(conn, _partner(one.topic), id_, one.partition) for one, id_ in ids.items()
            }
        )
        # A process that ended before it could delete these from the log has left it to this one. What was to
        # be deleted before may have stood in a topic that is no more.
        kept = {one: offset for one, offset in self._deletable.items() if one not in ids}
        self._deletable = kept | {one: offset for one, offset in starts.items() if offset is not None}
        return starts

    async def _sweep(self) -> None:
        """Delete what was taken in."""
        mine = self._reader.ids
        wanted = {one: offset for one, offset in self._deletable.items() if one in mine}
        self._deletable = {}
        if not wanted:
            return
        try:
            await self._cluster.administer(lambda admin: _delete(admin, mine, wanted))
        except KafkaUnavailable as error:
            self._deletable = wanted | self._deletable
            log.warning("messages_not_deleted", extra={"partitions": len(wanted), "why": str(error)})


def _delete(
    admin: KafkaAdminClient, ids: Mapping[TopicPartition, str], wanted: Mapping[TopicPartition, int]
) -> None:
    """Delete records below the offsets, of topics that are still the ones of ids."""
    now = {one["name"]: topic_id(one) for one in admin.describe_topics()}
    if deletable := {one: offset for one, offset in wanted.items() if now.get(one.topic) == ids[one]}:
        admin.delete_records(deletable)


def _partner(topic: str) -> str:
    return topic.removeprefix(TOPIC_PREFIX)


def _message(record: Any, topic_id: str) -> Message:
    return Message(
        Place(_partner(record.topic), topic_id, record.partition, record.offset),
        record.headers,
        record.value or b"",
        record.error if isinstance(record, Spoiled) else None,
    )
