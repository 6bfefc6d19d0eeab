"""Lanes of the log, read by a group of consumers: each partition by one of them, from where SQL says."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import CorruptRecordError, KafkaError, UnsupportedCodecError

from hub.events.kafka.connection import Cluster, KafkaUnavailable, said
from hub.store.projection import Position

POLL_MS = 300
SEEK_S_MAX = 5.0
CONFIRM_S = 5.0
"""How soon it is noticed that a topic was made again: by itself the consumer would go on at its old place."""
SESSION_MS = 10_000

T = TypeVar("T")
log = logging.getLogger(__name__)


class Spoiled(NamedTuple):
    """In the place of a record that kafka-python cannot read, such as one with a header that is not UTF-8."""

    topic: str
    partition: int
    offset: int
    error: str
    key: bytes | None = None
    value: bytes | None = None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class GroupReader:
    """A member of a consumer group, made anew after every fault; kafka-python blocks, so it has a thread.

    start: offset to begin with of each partition, by the id of its topic; None for the oldest that is kept.
    settings: of the consumer, besides those that all have.
    """

    def __init__(
        self,
        cluster: Cluster,
        group: str,
        topics: dict[str, Any],
        start: Callable[
            [Mapping[TopicPartition, str]], Coroutine[Any, Any, dict[TopicPartition, int | None]]
        ],
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self._cluster, self._group, self._topics, self._start = cluster, group, topics, start
        self._settings = dict(settings or {})
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="consumer")
        self._consumer: Any = None
        self._unread: tuple[TopicPartition, int] | None = None
        self._confirmed_at_s = 0.0
        self._met: dict[TopicPartition, str] = {}
        self.ids: Mapping[TopicPartition, str] = {}
        """Partitions that are assigned, and the id of the topic in which their place was looked up."""

    async def poll(self, limit: int) -> dict[TopicPartition, list[Any]]:
        """Records by partition, at most that many; KafkaUnavailable after the consumer was dropped."""
        async with self._or_drop():
            if self._consumer is None:
                # A member that joins before there are topics is given none, and learns of them late.
                await self._cluster.make_topics()
                self._loop = asyncio.get_running_loop()
            found = await self._in_thread(lambda: self._poll(limit))
            if unplaced := sorted(found.keys() - self.ids.keys()):
                raise KafkaUnavailable(f"where to begin in {unplaced} could not be looked up")
        if time.monotonic() - self._confirmed_at_s > CONFIRM_S:
            await self.confirm()
        return found

    async def confirm(self) -> None:
        """See that what was polled so far comes from the topics of `ids`; KafkaUnavailable as by `poll`.

        kafka-python reads by name. It does not always join the group anew when the log was emptied, and goes
        on in the new one at the old place, or at its beginning.
        """
        async with self._or_drop():
            now = (await self._cluster.identity()).topic_ids
            if others := sorted({one.topic for one, id_ in self.ids.items() if now.get(one.topic) != id_}):
                raise KafkaUnavailable(f"these topics are not the ones any more that were read: {others}")
            self._confirmed_at_s = time.monotonic()

    @contextlib.asynccontextmanager
    async def _or_drop(self) -> AsyncIterator[None]:
        """After any fault the consumer stands behind what was polled, and nobody has it: begin anew."""
        try:
            yield
        except BaseException as error:
            await self.drop()
            if isinstance(error, (KafkaError, OSError, TimeoutError)):
                raise KafkaUnavailable(said(error)) from error
            raise

    async def drop(self) -> None:
        """Leave the group; the next poll joins it again."""
        await asyncio.shield(self._in_thread(self._close))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _poll(self, limit: int) -> dict[TopicPartition, list[Any]]:
        if self._consumer is None:
            consumer = KafkaConsumer(
                **self._cluster.client(),
                group_id=self._group,
                enable_auto_commit=False,
                # Where SQL knows no offset, or the log no longer has it: what comes twice is recognised,
                # and what is not there any more is found in the inbox.
                auto_offset_reset="earliest",
                partition_assignment_strategy=(CooperativeStickyAssignor,),
                session_timeout_ms=SESSION_MS,
                allow_auto_create_topics=False,
                metrics_enabled=False,
                **self._settings,
            )
            consumer.subscribe(**self._topics, listener=_Seeking(self))
            self._consumer = consumer
        coordinator = self._consumer._coordinator
        if coordinator.rejoining and not coordinator.need_rejoin():
            # It joins because of another topic, and a poll ended on the way: kafka-python forgets that, with
            # what it was given, and sends no heartbeats any more.
            coordinator.request_rejoin()
        try:
            return dict(self._consumer.poll(timeout_ms=POLL_MS, max_records=limit))
        except (CorruptRecordError, UnsupportedCodecError) as error:
            return self._step_over(error)

    def _step_over(self, error: KafkaError) -> dict[TopicPartition, list[Any]]:
        """Go on behind a record that cannot be read twice: whoever wrote it must not stop all others.

        What follows it in the same batch cannot be read either, and is stepped over one by one.
        """
        # Which record it is, kafka-python tells by no public member.
        reading = self._consumer._fetcher._next_partition_records
        if not reading:
            raise error
        partition = reading.topic_partition
        offset = self._consumer.position(partition)
        reading.drain()  # Else the next poll would ask the iterator that has failed, for ever.
        again, self._unread = self._unread == (partition, offset), (partition, offset)
        self._consumer.seek(partition, offset + again)
        if not again:
            return {}
        return {partition: [Spoiled(partition.topic, partition.partition, offset, str(error))]}

    def seek(self, partitions: Iterable[TopicPartition]) -> None:
        """Begin where SQL says, in partitions that are new; called in a thread of kafka-python."""
        fresh = set(partitions) - self.ids.keys()
        if not fresh:
            return
        wanted = asyncio.run_coroutine_threadsafe(self._places(fresh), self._loop)
        try:
            ids, places = wanted.result(SEEK_S_MAX)
        finally:
            wanted.cancel()
        if again := sorted(one for one, id_ in ids.items() if self._met.setdefault(one, id_) != id_):
            # What kafka-python has fetched of the old one it would tell as the new one's.
            raise KafkaUnavailable(f"made again while they were read: {again}")
        for partition, offset in places.items():
            if offset is None:
                self._consumer.seek_to_beginning(partition)
            else:
                self._consumer.seek(partition, offset)
        self.ids = {**self.ids, **ids}

    async def _places(
        self, partitions: Iterable[TopicPartition]
    ) -> tuple[dict[TopicPartition, str], dict[TopicPartition, int | None]]:
        # Asked anew: one that was away, and comes back to the group, may find another log at the old place.
        known = (await self._cluster.identity()).topic_ids
        ids = {one: known[one.topic] for one in partitions if one.topic in known}
        return ids, await self._start(ids)

    def _close(self) -> None:
        consumer, self._consumer, self.ids = self._consumer, None, {}
        self._met, self._unread = {}, None
        if consumer is not None:
            with contextlib.suppress(KafkaError, OSError):
                consumer.close(autocommit=False, timeout_ms=3_000)


class _Seeking(ConsumerRebalanceListener):  # type: ignore[misc]
    """Seeks whenever partitions are assigned."""

    def __init__(self, reader: GroupReader) -> None:
        self._reader = reader

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """New partitions; of those that were kept, nothing changes."""
        try:
            self._reader.seek(assigned)
        except Exception:
            # What is read of them has no place: with the first record of it the reader begins anew.
            log.warning("seek_failed", exc_info=True)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Partitions that go to another member."""
        gone = set(revoked)
        self._reader.ids = {one: id_ for one, id_ in self._reader.ids.items() if one not in gone}

    def on_partitions_lost(self, lost: Iterable[TopicPartition]) -> None:
        """Partitions that went without asking."""
        self.on_partitions_revoked(lost)


def starts(
    found: Mapping[str, Position], ids: Mapping[TopicPartition, str]
) -> dict[TopicPartition, int | None]:
    """Offset of each lane's next record, when it was counted in this very log."""
    offsets: dict[TopicPartition, int | None] = {}
    for partition, id_ in ids.items():
        at = found.get(f"{partition.topic}/{partition.partition}")
        offsets[partition] = at.log_offset if at is not None and at.topic_id == id_ else None
    return offsets
