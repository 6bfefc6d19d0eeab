"""Three local brokers: two in sync are enough to go on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kafka.admin import ConfigResource, ConfigResourceType

from deploy.local import LocalKafka
from tests.local.records import ABANDONED_SOCKETS, admin, consume, make_topic, producer

pytestmark = ABANDONED_SOCKETS


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path, brokers=3) as running:
        yield running
        begun_s = time.monotonic()
        running.stop()
        assert time.monotonic() - begun_s < 20
        assert [broker.pid for broker in running.brokers] == [None] * 3


def test_cluster_goes_on_when_one_broker_is_killed_and_takes_it_back(cluster: LocalKafka) -> None:
    make_topic(cluster, "replicated")
    before = _partition(cluster, "replicated")
    assert sorted(before["replica_nodes"]) == [1, 2, 3]
    assert _setting(cluster, "replicated", "min.insync.replicas") == "2"
    values = [b"%d" % number for number in range(60)]
    with producer(cluster) as client:
        for number, value in enumerate(values):
            if number == 20:
                cluster.brokers[before["leader_id"] - 1].kill()
            # Waits for all in sync: the dead one counts until the others agree that it is gone.
            client.send("replicated", value).get(30)
    assert sum(broker.pid is None for broker in cluster.brokers) == 1
    assert consume(cluster, "replicated", 60) == values
    cluster.start()
    assert all(broker.pid for broker in cluster.brokers)


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
