"""Topics, records and what is in a log, by kafka-python.

kafka-python 3.0.12 leaves the sockets of failed connections to the garbage collector, whose warnings pytest
turns into failures of whatever test runs then. So tests that take a broker away are marked ABANDONED_SOCKETS,
and the clients made here are collected before such a test ends.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from deploy.local import LocalKafka
from tests.kafka.clients import producing
from tests.support.waiting import PATIENCE_S, soon_here

ABANDONED_SOCKETS = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

# Faults are shown soon: the client waits half a minute to bootstrap, and ever longer to reconnect.
IMPATIENT = {"bootstrap_timeout_ms": 2_000, "reconnect_backoff_max_ms": 500}


def as_user(username: str | None, password: str | None) -> dict[str, Any]:
    """Settings of a client that logs in."""
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": username,
        "sasl_plain_password": password,
    }


@contextlib.contextmanager
def admin(kafka: LocalKafka, **settings: Any) -> Iterator[KafkaAdminClient]:
    """An admin client until the end of the block."""
    with _closing(KafkaAdminClient(bootstrap_servers=kafka.bootstrap, **IMPATIENT | settings)) as client:
        yield client


@contextlib.contextmanager
def producer(kafka: LocalKafka, **settings: Any) -> Iterator[KafkaProducer]:
    """A producer that counts a record as sent once every replica in sync has it."""
    with producing(kafka.bootstrap, **IMPATIENT | settings) as client:
        yield client


def make_topic(kafka: LocalKafka, name: str, **settings: Any) -> None:
    """A topic of one partition, replicated as the cluster does by default."""
    with admin(kafka, **settings) as client:
        client.create_topics([NewTopic(name, num_partitions=1, replication_factor=len(kafka.brokers))])
        # The answer comes from the controller; the brokers learn of the topic a little later.
        soon_here(lambda: client.describe_topics([name])[0]["partitions"], name)


def produce(kafka: LocalKafka, topic: str, values: list[bytes], **settings: Any) -> list[int]:
    """Offsets of the acknowledged records."""
    with producer(kafka, **settings) as client:
        sent = [client.send(topic, value) for value in values]
        return [one.get(PATIENCE_S).offset for one in sent]


def consume(
    kafka: LocalKafka, topic: str, count: int, *, wait_s: float = PATIENCE_S, **settings: Any
) -> list[bytes]:
    """The first values of the topic, so many of them, or fewer when no more come in that time."""
    with _closing(
        KafkaConsumer(
            bootstrap_servers=kafka.bootstrap,
            auto_offset_reset="earliest",
            consumer_timeout_ms=int(wait_s * 1000),
            **IMPATIENT | settings,
        )
    ) as client:
        client.assign([TopicPartition(topic, 0)])
        values = []
        for record in client:
            values.append(record.value)
            if len(values) == count:
                break
        return values


@contextlib.contextmanager
def _closing(client: Any) -> Iterator[Any]:
    try:
        yield client
    finally:
        client.close()
        gc.collect()
