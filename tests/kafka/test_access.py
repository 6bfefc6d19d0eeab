"""Kafka users of partners, on a broker that checks rights: each writes to its own topic, and that is all."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    UserScramCredentialUpsertion,
)
from kafka.errors import (
    GroupAuthorizationFailedError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
)

from deploy.local.wire import Login as Told
from deploy.local.wire import NotReady, live_brokers
from hub.domain.refusal import Refusal
from hub.events.kafka.access import Access, Login
from hub.events.kafka.connection import Cluster
from hub.settings import Settings
from tests.kafka.clients import administering, producing, read_topic
from tests.kafka.secured import Secured, of, write
from tests.local.records import ABANDONED_SOCKETS
from tests.support.messages import KENT, NORMANDY
from tests.support.waiting import PATIENCE_S, soon_here

pytestmark = ABANDONED_SOCKETS
PREFIXED = f"{KENT}-and-more"
"""The name of another partner begins like the first one's."""


@pytest.fixture(scope="module")
def logins(secured: Secured) -> dict[str, Login]:
    """Three partners with topics of their own."""
    found = {slug: asyncio.run(secured.access.grant(slug)) for slug in (KENT, PREFIXED, NORMANDY)}
    logins = {slug: login for slug, login in found.items() if isinstance(login, Login)}
    assert logins.keys() == found.keys(), found
    return logins


def test_a_partner_writes_to_its_own_topic_idempotently(secured: Secured, logins: dict[str, Login]) -> None:
    for slug, login in logins.items():
        assert (login.topic, login.username) == (f"in.{slug}", slug)
        assert write(secured, login.topic, **of(login)) >= 0


@pytest.mark.parametrize("topic", [f"in.{PREFIXED}", f"in.{NORMANDY}", "hub.cases.v1", "hub.parked.v1"])
def test_a_partner_neither_writes_nor_reads_nor_sees_another_topic(
    secured: Secured, logins: dict[str, Login], topic: str
) -> None:
    own = of(logins[KENT])
    with pytest.raises(TopicAuthorizationFailedError):
        write(secured, topic, **own)
    with administering(secured.broker.bootstrap, **own) as admin:
        assert admin.list_topics() == [f"in.{KENT}"]
        (described,) = admin.describe_topics([topic])
        assert described["error_code"] == TopicAuthorizationFailedError.errno
        assert not described["partitions"]
    assert read_nothing(secured, topic, own)


def read_nothing(secured: Secured, topic: str, settings: dict[str, Any]) -> bool:
    """Whether a partition that is named by hand gives nothing, while it holds something."""
    write(secured, topic, **secured.admin)
    assert read_topic(secured.broker.bootstrap, topic, **secured.admin)
    consumer = KafkaConsumer(
        bootstrap_servers=secured.broker.bootstrap, auto_offset_reset="earliest", **settings
    )
    try:
        consumer.assign([TopicPartition(topic, number) for number in range(3)])
        # kafka-python gives neither records nor an error here.
        return not any(consumer.poll(timeout_ms=300) for _ in range(3))
    except TopicAuthorizationFailedError:
        return True
    finally:
        consumer.close()


def test_a_partner_does_not_read_what_it_wrote(secured: Secured, logins: dict[str, Login]) -> None:
    assert read_nothing(secured, f"in.{KENT}", of(logins[KENT]))
    consumer = KafkaConsumer(
        f"in.{KENT}",
        bootstrap_servers=secured.broker.bootstrap,
        group_id="hub.intake",
        **of(logins[KENT]),
    )
    try:
        with pytest.raises((GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
            consumer.poll(timeout_ms=3_000)
    finally:
        consumer.close()


def test_a_partner_changes_nothing(secured: Secured, logins: dict[str, Login]) -> None:
    with administering(secured.broker.bootstrap, **of(logins[KENT])) as admin:
        for act in (
            lambda: admin.delete_topics([f"in.{KENT}"]),
            lambda: admin.create_topics({"in.of-its-own": {"num_partitions": 1, "replication_factor": 1}}),
            lambda: admin.delete_records({TopicPartition(f"in.{KENT}", 0): 0}),
        ):
            with pytest.raises(KafkaError):
                act()
        made = UserScramCredentialUpsertion(NORMANDY, "SCRAM-SHA-512", password="mine")
        assert admin.alter_user_scram_credentials([made])[NORMANDY]


def test_a_wrong_password_and_one_that_was_replaced_are_refused(secured: Secured) -> None:
    first, second = (asyncio.run(secured.access.grant("rotated")) for _ in range(2))
    assert isinstance(first, Login)
    assert isinstance(second, Login)
    assert second.password != first.password
    host, _, port = secured.broker.bootstrap.partition(":")
    for password in (first.password, "guessed"):
        with pytest.raises(NotReady, match="invalid credentials"):
            live_brokers(host, int(port), Told("rotated", password or ""), timeout_s=5.0)
    with pytest.raises(KafkaTimeoutError):
        write(secured, first.topic, **of(first))
    assert write(secured, second.topic, **of(second)) >= 0


async def test_withdrawn_rights_act_on_open_connections_and_come_back(
    secured: Secured, logins: dict[str, Login]
) -> None:
    login = logins[PREFIXED]
    with producing(secured.broker.bootstrap, **of(login)) as producer:

        def write_on() -> int:
            return int(producer.send(login.topic, b"{}", partition=0).get(PATIENCE_S).offset)

        before = await asyncio.to_thread(write_on)
        await secured.access.withdraw(PREFIXED)
        with pytest.raises(TopicAuthorizationFailedError):
            await asyncio.to_thread(write_on)
    await secured.access.give_back(PREFIXED)
    # By a new producer: kafka-python's remembers a refusal for as long as its metadata.
    assert await asyncio.to_thread(lambda: write(secured, login.topic, **of(login))) > before
    await secured.access.give_back("nobody-we-know")
    with administering(secured.broker.bootstrap, **secured.admin) as admin:
        assert "nobody-we-know" not in admin.describe_user_scram_credentials()


async def test_names_of_other_users_are_refused(secured: Secured) -> None:
    made = UserScramCredentialUpsertion("monitoring", "SCRAM-SHA-512", password="kept")
    with administering(secured.broker.bootstrap, **secured.admin) as admin:
        assert admin.alter_user_scram_credentials([made]) == {"monitoring": None}
        # Brokers learn of it a little later.
        soon_here(lambda: "monitoring" in admin.describe_user_scram_credentials())
        for name in ("monitoring", secured.broker.admin_username or ""):
            refusal = await secured.access.grant(name)
            assert isinstance(refusal, Refusal)
            assert refusal.code == "kafka.user_taken"
            assert f"in.{name}" not in admin.list_topics()


async def test_a_user_that_could_see_more_is_not_left_behind(secured: Secured) -> None:
    resource = ResourcePattern(ResourceType.TOPIC, "*")
    everybody = ACL("User:*", "*", ACLOperation.READ, ACLPermissionType.ALLOW, resource)
    with administering(secured.broker.bootstrap, **secured.admin) as admin:
        assert not admin.create_acls([everybody])["failed"]
        try:
            refusal = await secured.access.grant("newcomer")
            assert isinstance(refusal, Refusal)
            assert refusal.code == "kafka.too_powerful"
            assert "newcomer" not in admin.describe_user_scram_credentials()
        finally:
            _forget(admin, everybody)
    assert isinstance(await secured.access.grant("newcomer"), Login)


def _forget(admin: KafkaAdminClient, rule: ACL) -> None:
    admin.delete_acls([rule])


async def test_where_kafka_asks_nobody_there_is_no_user(kafka: str, tmp_path: Path) -> None:
    plain = Settings(data_dir=tmp_path, kafka_bootstrap=kafka, kafka_partitions=3)
    login = await Access(Cluster(plain)).grant("open-to-all")
    assert isinstance(login, Login)
    assert (login.security_protocol, login.username, login.password) == ("PLAINTEXT", None, None)
