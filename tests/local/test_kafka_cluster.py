"""Three local brokers: two in sync are enough to go on."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from deploy.local import LocalKafka
from tests.kafka.clients import read_topic
from tests.local.records import ABANDONED_SOCKETS, IMPATIENT, admin, make_topic, producer
from tests.support.waiting import PATIENCE_S, soon_here

pytestmark = ABANDONED_SOCKETS

ACK_S_MAX, ACK_AGAIN_S_MAX = 30.0, 2.0


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path, brokers=3) as running:
        yield running
        begun_s = time.monotonic()
        running.stop()
        assert time.monotonic() - begun_s < PATIENCE_S, "without a majority they try for minutes"
        assert [broker.pid for broker in running.brokers] == [None] * 3


def test_cluster_goes_on_when_one_broker_is_killed_and_takes_it_back(cluster: LocalKafka) -> None:
    make_topic(cluster, "replicated")
    before = _partition(cluster, "replicated")
    assert sorted(before["replica_nodes"]) == [1, 2, 3]
    assert _setting(cluster, "replicated", "min.insync.replicas") == "2"
    values = [b"%d" % number for number in range(60)]
    with producer(cluster) as client:
        for value in values[:20]:
            client.send("replicated", value).get(ACK_S_MAX)
        cluster.brokers[before["leader_id"] - 1].kill()
        left = values[20:]
        _send(client, left)
    soon_here(lambda: _sent_anew(cluster, left), "two in sync take what three took")
    assert sum(broker.pid is None for broker in cluster.brokers) == 1
    found = [record.value for record in read_topic(cluster.bootstrap, "replicated", **IMPATIENT)]
    assert found[:20] == values[:20]
    # What a broken off producer had sent without an answer may be there twice, the second time in its place.
    assert list(dict.fromkeys(found)) == values
    cluster.start()
    assert all(broker.pid for broker in cluster.brokers)


def _sent_anew(cluster: LocalKafka, left: list[bytes]) -> bool:
    """Whether all are acknowledged now. A producer that stopped answering is thrown away, as by the relay."""
    with producer(cluster) as client:
        _send(client, left, ACK_AGAIN_S_MAX)
    return not left


def _send(client: KafkaProducer, left: list[bytes], ack_s: float = ACK_S_MAX) -> None:
    """Take away from the list what is acknowledged, until the producer does not answer.

    It waits for all in sync: the dead one counts until the others agree that it is gone.
    """
    with contextlib.suppress(KafkaError):
        while left:
            client.send("replicated", left[0]).get(ack_s)
            del left[0]


def _partition(cluster: LocalKafka, name: str) -> dict[str, Any]:
    with admin(cluster) as client:
        (topic,) = client.describe_topics([name])
    (partition,) = topic["partitions"]
    found: dict[str, Any] = partition
    return found


def _setting(cluster: LocalKafka, topic: str, name: str) -> str:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    with admin(cluster) as client:
        settings = client.describe_configs([resource], config_filter="all")
    value: str = settings["topic"][topic][name]["value"]
    return value
