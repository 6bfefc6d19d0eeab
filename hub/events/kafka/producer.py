"""A producer that is thrown away at the first fault: what it did not acknowledge is published again.

kafka-python's idempotent producer does not recover when a broker loses its state, and one that is dropped
must really have stopped before the next one starts: an old sender would write into the new order.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, MessageSizeTooLargeError

from hub.events.kafka.connection import RECORD_BYTES_MAX, Cluster, KafkaUnavailable, said
from hub.events.kafka.messages import Record

ACK_S_MAX = 12.0
DELIVERY_MS_MAX = 10_000
STOP_S_MAX = 30.0

log = logging.getLogger(__name__)


class Producer:
    """Publishes batches, in order within each partition. Not for several threads at a time."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: Any = None
        self._acknowledged: dict[tuple[str, int], int] = {}

    def publish(self, records: Sequence[Record]) -> None:
        """Return once every record is acknowledged by all in-sync copies.

        Raises KafkaUnavailable, after the producer was dropped; then nothing is known of any record.
        """
        try:
            self._open()
            waiting = [self._send(record) for record in records]
            for future in filter(None, waiting):
                self._check(future.get(timeout=ACK_S_MAX))
        except (KafkaError, OSError) as error:
            self.drop()
            raise KafkaUnavailable(said(error)) from error

    def _send(self, record: Record) -> Any:
        """The acknowledgement to wait for; None for a record that no log takes.

        It is left out, and its lane's readers find it in the inbox, as anything that a log left out.
        """
        try:
            return self._producer.send(
                record.topic,
                value=record.value,
                key=record.key,
                headers=record.headers,
                partition=record.partition,
            )
        except MessageSizeTooLargeError:
            log.error("record_too_large", extra={"topic": record.topic, "bytes": len(record.value)})
            return None

    def _open(self) -> None:
        if self._producer is None:
            self._producer = KafkaProducer(
                **self._cluster.client(),
                acks="all",
                enable_idempotence=True,
                linger_ms=0,
                batch_size=262_144,
                max_request_size=RECORD_BYTES_MAX,
                max_block_ms=5_000,
                delivery_timeout_ms=DELIVERY_MS_MAX,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            self._acknowledged.clear()

    def _check(self, acknowledged: Any) -> None:
        """An offset that does not grow is one of a log that was emptied: it silently begins again."""
        place = acknowledged.topic, acknowledged.partition
        if acknowledged.offset <= self._acknowledged.get(place, -1):
            raise KafkaError(f"the log of {place} went back to offset {acknowledged.offset}")
        self._acknowledged[place] = acknowledged.offset

    def drop(self) -> None:
        """Stop the sender, wait until it has stopped, forget the producer."""
        producer, self._producer = self._producer, None
        if producer is None:
            return
        sender = producer._sender
        # close() raises with records pending, before it stops the sender: that one first.
        sender.force_close()
        sender.join(STOP_S_MAX)
        with contextlib.suppress(KafkaError, OSError):
            producer.close(timeout=0)
        if sender.is_alive():
            raise RuntimeError("the old producer's sender does not stop: no other may start beside it")
