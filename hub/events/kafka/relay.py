"""The relay: tells the log what the tree holds, in its order, and remembers how far only after every
acknowledgement."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from hub.domain.values import rfc3339
from hub.events.kafka.connection import Cluster, KafkaUnavailable
from hub.events.kafka.messages import LANE_TOPICS, Record, all_lanes, lane_of, to_record
from hub.events.kafka.parked import tell_parked
from hub.events.kafka.producer import Producer
from hub.events.measures import PUBLISH_S, PUBLISHED_EVENTS
from hub.events.sequencer import follow
from hub.store.engine import Store, StoreUnavailable
from hub.store.inbox import Sequenced, sequenced
from hub.store.relay import Told, begin, tell, told

BATCH_EVENTS_MAX = 500
TELL_PARKED_S = 2.0
COMPARE_S = 5.0
"""How soon it is noticed that this is another log. A producer tells only by lanes that it wrote before."""

log = logging.getLogger(__name__)


class Relay:
    """Publishes as long as `run` runs. One at a time is enough; a second one repeats, and harms nothing."""

    def __init__(self, store: Store, cluster: Cluster, hub_id: str) -> None:
        self._store, self._cluster, self._hub_id = store, cluster, hub_id
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="producer")
        self._producer = Producer(cluster)
        self._told: Told | None = None
        self._told_parked_s = self._compared_s = 0.0

    async def run(self, grown: asyncio.Event) -> None:
        """Publish for ever. grown: set when the tree may have something new."""
        try:
            await follow(grown, self.step, "relay")
        finally:
            await self._drop()

    async def step(self) -> bool:
        """Publish one batch; whether there was anything to do."""
        try:
            if time.monotonic() - self._compared_s > COMPARE_S:
                self._told = None
            at = self._told = self._told or await self._connect()
            if time.monotonic() - self._told_parked_s > TELL_PARKED_S:
                await tell_parked(self._store, self._publish, self._cluster.partitions)
                self._told_parked_s = time.monotonic()
            batch = await self._store.look(lambda conn: sequenced(conn, at.leaf, BATCH_EVENTS_MAX))
            if not batch:
                return False
            lanes, records = self._chain(at, batch)
            with PUBLISH_S.time():
                await self._publish(records)
            PUBLISHED_EVENTS.inc(len(records))
            end = batch[-1].leaf_index + 1
            if not await self._store.write(lambda conn: tell(conn, at.leaf, end, lanes)):
                raise StoreUnavailable("another relay has told the log meanwhile")
        except BaseException:
            # What was acknowledged is not known: begin again where the database says.
            self._told = None
            await asyncio.shield(self._drop())
            raise
        at.leaf = end
        at.lanes |= lanes
        return True

    async def _publish(self, records: Sequence[Record]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._producer.publish, records)

    def _chain(self, at: Told, batch: Sequence[Sequenced]) -> tuple[dict[str, int], list[Record]]:
        """Records of the batch, each naming the event before it in its lane, and the last of each lane."""
        lanes: dict[str, int] = {}
        records = []
        for event in batch:
            lane = lane_of(event.topic, event.key, self._cluster.partitions)
            after = lanes.get(lane, at.lanes[lane])
            records.append(to_record(event, after, self._cluster.partitions, self._hub_id))
            lanes[lane] = event.leaf_index
        return lanes, records

    async def _connect(self) -> Told:
        """Where to go on; from the retained past when this is not the log that was told before."""
        await self._cluster.make_topics()
        identity = await self._cluster.identity()
        if not identity.topic_ids.keys() >= set(LANE_TOPICS):
            # A broker that has not heard of the topics yet would look like another log.
            raise KafkaUnavailable("not every topic is known yet")
        self._compared_s = time.monotonic()
        at = await self._store.inspect(told)
        if at.log != identity.text:
            await self._drop()  # What the old producer still sends must not come after what is told anew.
            since = datetime.now(UTC) - timedelta(days=self._cluster.retention_days)
            start = rfc3339(since)
            lanes = all_lanes(self._cluster.partitions)
            first = await self._store.write(lambda conn: begin(conn, identity.text, start, lanes))
            if at.log is not None:
                more = {"before": at.log, "now": identity.text, "from_leaf": first}
                log.warning("another_log", extra=more)
            at = await self._store.inspect(told)
        return at

    async def _drop(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._producer.drop)
