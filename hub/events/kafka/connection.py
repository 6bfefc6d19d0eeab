"""How the hub reaches its Kafka cluster, and what every fault of it is to the rest of the hub."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from hub.domain.refusal import Refusal
from hub.events.envelope import BATCH_BYTES_MAX
from hub.events.kafka.messages import LANE_TOPICS
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.engine import StoreUnavailable

PARKED = "hub.parked.v1"
TOPICS = (*LANE_TOPICS, PARKED)
CONNECT_MS_MAX = 5_000
REQUEST_MS_MAX = 5_000
REPLICATION_WANTED = 3
DAY_MS = 86_400_000
RECORD_BYTES_MAX = 4 * 1024 * 1024
"""An event of 256 KiB grows when it is sealed, to some 1.3 times in base64, and by its headers."""
# What partners write is not sealed: it is deleted once it was read, see partner_topics.py. Its retention is
# that of the other topics, for a hub that reads nothing for a while.
INBOX_CONFIGS = {
    "segment.ms": str(DAY_MS // 24),
    # Retention counts from the broker's clock: an old record would be gone before it is read.
    "message.timestamp.type": "LogAppendTime",
    # The broker unpacks what comes compressed, by whatever codec, and then measures it: no small record
    # becomes a large one in the hub's memory, and every record is one that the hub can read.
    "compression.type": "uncompressed",
    "max.message.bytes": str(BATCH_BYTES_MAX + 65_536),
}

# kafka-python tells a dozen lines of each connection that goes well, and thirty a second of one that does
# not; what it comes to is told by the parts that wait.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

T = TypeVar("T")


class KafkaUnavailable(StoreUnavailable):
    """The cluster cannot do it just now; what was accepted waits in the inbox."""


def said(error: Exception) -> str:
    """What a fault says, with its name once: kafka-python's own texts begin with it."""
    name, text = type(error).__name__, str(error)
    return text if text.startswith(name) else f"{name}: {text}"


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which log this is: a cluster that lost its data is another one. topic_ids: by topic."""

    cluster_id: str
    topic_ids: Mapping[str, str]

    @property
    def text(self) -> str:
        """Equal for equal logs of lanes."""
        return " ".join([self.cluster_id, *(self.topic_ids.get(topic, "-") for topic in LANE_TOPICS)])


class Cluster:
    """Settings of all clients of the cluster, and its administration."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.partitions = settings.kafka_partitions
        self.retention_days = settings.kafka_retention_days

    def client(self) -> dict[str, Any]:
        """What every client of kafka-python is made with."""
        settings = self._settings
        arguments: dict[str, Any] = {
            "bootstrap_servers": settings.kafka_bootstrap.split(","),
            "security_protocol": settings.kafka_security,
            "request_timeout_ms": REQUEST_MS_MAX,
            "bootstrap_timeout_ms": CONNECT_MS_MAX,
            # The default of 30 s keeps a client away long after its broker is back.
            "reconnect_backoff_max_ms": 1_000,
        }
        if settings.kafka_ca_file:
            arguments["ssl_cafile"] = str(settings.kafka_ca_file)
        if settings.kafka_security.startswith("SASL"):
            file = settings.kafka_password_file
            arguments |= {
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_plain_username": settings.kafka_username,
                "sasl_plain_password": file.read_text().strip() if file else "",
            }
        return arguments

    async def administer(self, work: Callable[[KafkaAdminClient], T]) -> T:
        """Run work with an administrator's client, in a thread. KafkaUnavailable for every fault of Kafka."""

        def run() -> T:
            try:
                admin = KafkaAdminClient(**self.client())
                try:
                    return work(admin)
                finally:
                    admin.close()
            except (KafkaError, OSError) as error:
                raise KafkaUnavailable(said(error)) from error

        return await asyncio.to_thread(run)

    async def identity(self) -> LogIdentity:
        """Which log this is now; topics that are missing have no id."""
        return await self.administer(_identity)

    async def make_topics(self) -> list[str]:
        """Make the hub's topics that are missing, check the others; names of those made.

        Unfit, for instance when a topic has another number of partitions.
        """
        return await self.administer(lambda admin: self._make(admin, TOPICS, {}))

    async def make_inbox(self, topic: str) -> list[str]:
        """The same for the topic that one partner writes to."""
        return await self.administer(lambda admin: self._make(admin, (topic,), INBOX_CONFIGS))

    async def mend_topics(self) -> list[str]:
        """Give the hub's topics the configuration that the settings say; names of those that had another.

        The number of copies stays: it is changed by moving data, which is the operator's to decide.
        """
        return await self.administer(self._mend)

    def _mend(self, admin: KafkaAdminClient) -> list[str]:
        known = {one["name"]: one for one in admin.describe_topics() if one["name"] in TOPICS}
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in known]
        found = admin.describe_configs(resources, config_filter="all")["topic"]
        changed = []
        for name, topic in known.items():
            copies = min(len(one["replica_nodes"]) for one in topic["partitions"])
            configs = self._configs(copies)
            if any(found[name][key]["value"] != value for key, value in configs.items()):
                admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs)])
                changed.append(name)
        return changed

    def _configs(self, copies: int) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": str(self.retention_days * DAY_MS),
            # One copy may be down, and what is acknowledged stands in two at least.
            "min.insync.replicas": str(min(2, copies)),
            # Repeated as the record was written: positions in the tree rule here, not clocks.
            "message.timestamp.type": "CreateTime",
            "max.message.bytes": str(RECORD_BYTES_MAX),
        }

    def _make(self, admin: KafkaAdminClient, topics: tuple[str, ...], others: Mapping[str, str]) -> list[str]:
        brokers = len(admin.describe_cluster()["brokers"])
        copies = self._settings.kafka_replication or min(REPLICATION_WANTED, brokers)
        configs = {**self._configs(copies), **others}
        shape = {"num_partitions": self.partitions, "replication_factor": copies, "configs": configs}
        known = {one["name"]: one for one in admin.describe_topics() if one["name"] in topics}
        for name, topic in known.items():
            if (count := len(topic["partitions"])) != self.partitions:
                message = (
                    f"Topic {name} has {count} partitions, and HUB_KAFKA_PARTITIONS says {self.partitions}."
                )
                remedy = (
                    f"Set HUB_KAFKA_PARTITIONS={count}: the number is never changed, it decides the order."
                )
                raise Unfit(Refusal("kafka.partitions", message, remedy))
        missing = [name for name in topics if name not in known]
        if missing:
            with contextlib.suppress(TopicAlreadyExistsError):  # Another process, in the same shape.
                admin.create_topics(dict.fromkeys(missing, shape), wait_for_metadata=True)
        return missing


def _identity(admin: KafkaAdminClient) -> LogIdentity:
    topics = {one["name"]: one for one in admin.describe_topics()}
    ids = {name: topic_id(one) for name, one in topics.items()}
    return LogIdentity(str(admin.describe_cluster()["cluster_id"]), ids)


def topic_id(described: Mapping[str, Any]) -> str:
    """Id of a topic as text."""
    found = described.get("topic_id")
    return str(found if isinstance(found, uuid.UUID) else uuid.UUID(str(found)))
