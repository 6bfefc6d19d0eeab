"""The load of a partner that writes Kafka itself: lines whose events go to `in.<partner>`, each in its order.

Such a partner has no answer but the log's. What the log acknowledged must be taken in, unless a fault
emptied the log meanwhile; only then is it written again, and when the log gave no answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections.abc import Callable, Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError
from sqlalchemy import select

from chaos.checks import look
from chaos.load import STRUCTURED, Ack, Load
from chaos.messages import Line, Message
from hub.events.kafka.connection import Cluster
from hub.events.spine import Hub
from hub.store.deliveries import TOPIC_PREFIX
from hub.store.engine import StoreUnavailable
from hub.store.tables import identity

ACK_S_MAX = 12.0
AGAIN_S = 0.5
LOOK_S = 0.3


class TopicLoad:
    """`run` writes until the load is ending; what was begun is taken in first.

    emptied: how often the log has been emptied so far, odd while it is being emptied.
    """

    def __init__(self, load: Load, hub: Hub, lines: Sequence[Line], emptied: Callable[[], int]) -> None:
        self._load, self._hub, self._lines, self._emptied = load, hub, lines, emptied
        self._cluster = Cluster(hub.settings)

    async def run(self) -> None:
        """Write on all lines at once."""
        async with asyncio.TaskGroup() as tasks:
            for line in self._lines:
                tasks.create_task(self._write_line(line))

    async def _write_line(self, line: Line) -> None:
        load, draws = self._load, random.Random(f"{self._load.seed} topic line {line.number}")  # noqa: S311
        while not load.ending.is_set():
            message = line.next_message(draws)
            load.sent[message["source"], message["id"]] = message
            load.unfinished.add(line.number)
            seq = await self._until_taken_in(line, message)
            load.acknowledged.append(Ack(line.number, message["source"], message["id"], seq))
            load.unfinished.discard(line.number)
            load.counts["by topic"] += 1
            await asyncio.sleep(draws.uniform(0, 4 * load.pause_s))

    async def _until_taken_in(self, line: Line, message: Message) -> int:
        """seq under which the ledger holds it."""
        while True:
            before = self._emptied()
            if before % 2 == 0 and await self._write(line, message):
                while self._emptied() == before:
                    if (seq := await self._seq_of(line, message)) is not None:
                        return seq
                    await asyncio.sleep(LOOK_S)
            if (seq := await self._seq_of(line, message)) is not None:
                return seq
            self._load.counts["by topic again"] += 1
            await asyncio.sleep(AGAIN_S)

    async def _write(self, line: Line, message: Message) -> bool:
        """Whether the log acknowledged it."""
        topic = TOPIC_PREFIX + line.client
        try:
            await self._cluster.make_inbox(topic)
        except StoreUnavailable:
            return False
        return await asyncio.to_thread(write_once, self._hub.settings.kafka_bootstrap, topic, message)

    async def _seq_of(self, line: Line, message: Message) -> int | None:
        query = select(identity.c.seq).where(
            identity.c.partner == line.client,
            identity.c.source == message["source"],
            identity.c.event_id == message["id"],
        )
        return await look(self._hub, lambda conn: conn.execute(query).scalar_one_or_none())


def write_once(bootstrap: str, topic: str, message: Message) -> bool:
    """Write a structured event with a producer of its own; whether the log acknowledged it."""
    headers = [("content-type", STRUCTURED.encode())]
    return bool(write(bootstrap, [(topic, None, json.dumps(message).encode(), headers)]))


def write(
    bootstrap: str, records: Sequence[tuple[str, int | None, bytes, list[tuple[str, bytes]]]]
) -> list[bytes]:
    """Write (topic, partition, value, headers) with a producer of its own; values that were acknowledged."""
    acknowledged = []
    with contextlib.suppress(KafkaError, OSError):
        producer: Any = KafkaProducer(
            bootstrap_servers=bootstrap.split(","),
            acks="all",
            enable_idempotence=True,
            bootstrap_timeout_ms=5_000,
            max_block_ms=5_000,
            delivery_timeout_ms=10_000,
            request_timeout_ms=5_000,
            metrics_enabled=False,
        )
        try:
            futures = [
                producer.send(topic, value=value, headers=headers, partition=partition)
                for topic, partition, value, headers in records
            ]
            for (_, _, value, _), future in zip(records, futures, strict=True):
                future.get(timeout=ACK_S_MAX)
                acknowledged.append(value)
        finally:
            producer._sender.force_close()
            producer._sender.join(ACK_S_MAX)
            with contextlib.suppress(KafkaError, OSError):
                producer.close(timeout=0)
    return acknowledged
