"""One local broker: what it promises to the tests and to the demo."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from kafka.errors import UnknownTopicOrPartitionError

from deploy.local import LocalKafka, PartFailed
from deploy.local.ports import ReservedPort
from tests.local.records import ABANDONED_SOCKETS, admin, consume, make_topic, produce

pytestmark = ABANDONED_SOCKETS


def test_record_is_produced_and_consumed(kafka: LocalKafka) -> None:
    make_topic(kafka, "told")
    assert produce(kafka, "told", [b"one", b"two"]) == [0, 1]
    assert consume(kafka, "told", 2) == [b"one", b"two"]


def test_topic_that_nobody_made_is_not_there(kafka: LocalKafka) -> None:
    with admin(kafka) as client, pytest.raises(UnknownTopicOrPartitionError):
        client.delete_topics(["never-made"])
    with admin(kafka) as client:
        assert "never-made" not in client.list_topics()


def test_broker_that_is_killed_keeps_its_port_and_what_it_acknowledged(kafka: LocalKafka) -> None:
    make_topic(kafka, "kept")
    values = [b"%d" % number for number in range(100)]
    produce(kafka, "kept", values)
    (broker,) = kafka.brokers
    address, killed_pid = broker.address, broker.pid
    broker.kill()
    assert broker.pid is None
    broker.start()
    broker.wait_ready()
    assert broker.address == address == kafka.bootstrap
    assert broker.pid not in (None, killed_pid)
    assert consume(kafka, "kept", 100) == values


@pytest.mark.parametrize("new_cluster_id", [True, False])
def test_wiped_cluster_is_empty_and_changes_its_id_when_asked(
    kafka: LocalKafka, new_cluster_id: bool
) -> None:
    make_topic(kafka, "lost")
    with pytest.raises(RuntimeError, match="stop them, then wipe"):
        kafka.wipe(new_cluster_id=new_cluster_id)
    before, bootstrap = kafka.cluster_id, kafka.bootstrap
    kafka.stop()
    kafka.wipe(new_cluster_id=new_cluster_id)
    kafka.start()
    assert (kafka.cluster_id != before) is new_cluster_id
    assert kafka.bootstrap == bootstrap
    with admin(kafka) as client:
        assert client.list_topics() == []
        assert client.describe_cluster()["cluster_id"] == kafka.cluster_id


def test_cluster_is_found_again_in_its_folder(tmp_path: Path) -> None:
    first = LocalKafka(tmp_path, security=True)
    stored = json.loads((tmp_path / "cluster.json").read_text())
    assert (tmp_path / "cluster.json").stat().st_mode & 0o077 == 0
    bootstrap, cluster_id, password = first.bootstrap, first.cluster_id, first.admin_password
    assert stored["cluster_id"] == cluster_id
    del first
    again = LocalKafka(tmp_path, security=True)
    assert (again.bootstrap, again.cluster_id, again.admin_password) == (bootstrap, cluster_id, password)
    with pytest.raises(ValueError, match="take another folder"):
        LocalKafka(tmp_path, brokers=3, security=True)
    with pytest.raises(ValueError, match="take another folder"):
        LocalKafka(tmp_path)


def test_port_stays_reserved_while_nothing_listens() -> None:
    first = ReservedPort()
    other = ReservedPort(first.number)
    assert other.number != first.number
    released = first.number
    del first
    assert ReservedPort(released).number == released


def test_second_cluster_in_a_folder_is_refused(kafka: LocalKafka) -> None:
    second = LocalKafka(kafka.folder)
    assert second.bootstrap != kafka.bootstrap
    with pytest.raises(PartFailed, match=r"runs in .* already, started by another"):
        second.start()
    assert second.brokers[0].pid is None
    assert kafka.brokers[0].pid is not None
