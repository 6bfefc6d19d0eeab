"""What a local cluster is made of, and the settings that follow for each broker."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass

from deploy.local.wire import MECHANISM, Login


@dataclass(frozen=True, slots=True)
class Place:
    """Where a broker listens, on 127.0.0.1."""

    number: int
    port: int
    controller_port: int

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def voter(self) -> str:
        return f"{self.number}@127.0.0.1:{self.controller_port}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What the brokers of a cluster have in common; login is the super user, with security only."""

    cluster_id: str
    places: tuple[Place, ...]
    login: Login | None


def made_cluster_id() -> str:
    """22 letters of base64, as Kafka makes them: none begins like an option of a command."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def properties(place: Place, plan: Plan, data: str) -> str:
    """Text of a broker's server.properties; data: the folder of its log."""
    replication = len(plan.places)
    in_sync = 2 if replication > 2 else 1
    protocol = "SASL_PLAINTEXT" if plan.login else "PLAINTEXT"
    settings: dict[str, object] = {
        "process.roles": "broker,controller",
        "node.id": place.number,
        "controller.quorum.voters": ",".join(one.voter for one in plan.places),
        "listeners": f"CLIENT://{place.address},CONTROLLER://127.0.0.1:{place.controller_port}",
        "advertised.listeners": f"CLIENT://{place.address}",
        "listener.security.protocol.map": f"CLIENT:{protocol},CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENT",
        "log.dirs": data,
        "auto.create.topics.enable": "false",
        "default.replication.factor": replication,
        "min.insync.replicas": in_sync,
        "offsets.topic.replication.factor": replication,
        "transaction.state.log.replication.factor": replication,
        "transaction.state.log.min.isr": in_sync,
        "share.coordinator.state.topic.replication.factor": replication,
        "share.coordinator.state.topic.min.isr": in_sync,
        # Topics of 50 partitions cost seconds when the first group joins.
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.num.partitions": 4,
        "share.coordinator.state.topic.num.partitions": 4,
        "group.initial.rebalance.delay.ms": 0,
        # A broker that was killed is missed after 3 s instead of 9; two heartbeats must fit in.
        "broker.session.timeout.ms": 3000,
        "broker.heartbeat.interval.ms": 500,
        "replica.fetch.backoff.ms": 100,
        # Half of the heap by default.
        "log.cleaner.dedupe.buffer.size": 4 << 20,
    }
    if plan.login:
        settings |= _security(plan.login)
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _security(login: Login) -> dict[str, object]:
    """Clients by SCRAM only, and nothing allowed that no ACL allows.

    The controllers talk to each other as ANONYMOUS, on a listener of theirs that is for no client.
    """
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return {
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.client.{MECHANISM.lower()}.sasl.jaas.config": (
            f'{module} required username="{login.username}" password="{login.password}";'
        ),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{login.username};User:ANONYMOUS",
    }
