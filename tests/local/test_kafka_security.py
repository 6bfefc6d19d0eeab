"""A local broker with security: who is not known does not get in, and who has no right reads nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kafka.admin import UserScramCredentialUpsertion
from kafka.errors import GroupAuthorizationFailedError, KafkaTimeoutError, TopicAuthorizationFailedError

from deploy.local import LocalKafka
from deploy.local.wire import Login, NotReady, live_brokers
from tests.local.records import admin, as_user, consume, make_topic, produce


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    with LocalKafka(tmp_path_factory.mktemp("secured"), security=True) as running:
        make_topic(running, "closed", **as_user(running.admin_username, running.admin_password))
        yield running


def test_super_user_may_do_anything(secured: LocalKafka) -> None:
    login = as_user(secured.admin_username, secured.admin_password)
    produce(secured, "closed", [b"secret"], **login)
    assert consume(secured, "closed", 1, **login) == [b"secret"]


@pytest.mark.parametrize("username", ["admin", "nobody-knows"])
def test_wrong_password_and_unknown_user_are_refused(secured: LocalKafka, username: str) -> None:
    with pytest.raises(NotReady, match="invalid credentials"):
        live_brokers("127.0.0.1", _port(secured), Login(username, "guessed"), timeout_s=5.0)
    # kafka-python does not tell why, and tries as long as it may.
    login = as_user(username, "guessed")
    with pytest.raises(KafkaTimeoutError), admin(secured, bootstrap_timeout_ms=500, **login):
        pass


def test_client_without_log_in_is_not_taken_for_anonymous(secured: LocalKafka) -> None:
    with pytest.raises(NotReady, match="closed the connection"):
        live_brokers("127.0.0.1", _port(secured), None, timeout_s=5.0)
    with pytest.raises(KafkaTimeoutError), admin(secured, bootstrap_timeout_ms=500):
        pass


def test_user_without_a_right_reads_nothing(secured: LocalKafka) -> None:
    super_user = as_user(secured.admin_username, secured.admin_password)
    stranger = as_user("stranger", "known")
    with admin(secured, **super_user) as client:
        made = UserScramCredentialUpsertion("stranger", "SCRAM-SHA-512", password="known")
        assert client.alter_user_scram_credentials([made]) == {"stranger": None}
    produce(secured, "closed", [b"secret"], **super_user)
    with admin(secured, **stranger) as client:
        assert client.list_topics() == []
    with pytest.raises(GroupAuthorizationFailedError):
        consume(secured, "closed", 1, group_id="readers", **stranger)
    # Without a group kafka-python gives neither records nor an error.
    assert consume(secured, "closed", 1, wait_s=3, **stranger) == []
    with pytest.raises(TopicAuthorizationFailedError):
        produce(secured, "closed", [b"forged"], **stranger)


def _port(kafka: LocalKafka) -> int:
    return int(kafka.bootstrap.rpartition(":")[2])
