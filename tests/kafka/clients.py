"""Clients of Kafka as partners and operators have them, and what is in a topic."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from tests.support.waiting import PATIENCE_S


@contextlib.contextmanager
def producing(bootstrap: str, **settings: Any) -> Iterator[KafkaProducer]:
    """A producer as partners should set it up.

    What was not acknowledged by the end of the block is given up: an idempotent producer can stop sending for
    good when a broker goes away, and closing it would wait for ever.
    """
    own = {"acks": "all", "enable_idempotence": True, "max_request_size": 50_000_000, "linger_ms": 0}
    producer = KafkaProducer(bootstrap_servers=bootstrap.split(","), **own | settings)
    try:
        yield producer
    finally:
        producer._sender.force_close()
        producer._sender.join(PATIENCE_S)
        assert not producer._sender.is_alive()
        producer.close(timeout=0)
        gc.collect()  # kafka-python leaves sockets of failed connections to it: see tests/local/records.py.


def read_topic(bootstrap: str, topic: str, **settings: Any) -> list[Any]:
    """Every record that the topic holds now."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), **settings)
    try:
        partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends, starts = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        consumer.seek_to_beginning(*partitions)
        missing = sum(ends[one] - starts[one] for one in partitions)
        found: list[Any] = []
        while len(found) < missing:
            for records in consumer.poll(timeout_ms=300).values():
                found.extend(records)
        return found
    finally:
        consumer.close()


def records_left(bootstrap: str, topic: str) -> int:
    """How many records anybody could still read."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","))
    try:
        partitions = [TopicPartition(topic, one) for one in consumer.partitions_for_topic(topic) or ()]
        ends, starts = consumer.end_offsets(partitions), consumer.beginning_offsets(partitions)
        return sum(ends[one] - starts[one] for one in partitions)
    finally:
        consumer.close()


@contextlib.contextmanager
def administering(bootstrap: str, **settings: Any) -> Iterator[KafkaAdminClient]:
    """An administrator's client."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), **settings)
    try:
        yield admin
    finally:
        admin.close()
