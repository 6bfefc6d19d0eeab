"""The real broker and the real database of the tests: whichever there is, in a fixed order.

First what HUB_TEST_KAFKA and HUB_TEST_DATABASE_URL name, then a Docker engine, then deploy.local.
Nothing is skipped when none is there: NoRealPart tells what was tried.
"""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local import LocalKafka, LocalPostgres, databases
from deploy.local.jars import KAFKA_VERSION
from deploy.local.ports import ReservedPort
from deploy.local.wire import NotReady, live_brokers

DOCKER_SOCKET = "unix:///var/run/docker.sock"
POSTGRES_IMAGE = "postgres:18-alpine"
KAFKA_IMAGE = f"apache/kafka:{KAFKA_VERSION}"
KAFKA_READY_S = 60.0

Way = tuple[str, Callable[[], AbstractContextManager[str]]]


class NoRealPart(Exception):
    """Neither the environment nor Docker nor this machine gives what the tests need."""


class NotHere(Exception):
    """One of the ways does not exist on this machine."""


@dataclass(frozen=True, slots=True)
class DatabaseServer:
    """A server of PostgreSQL on which the tests may make databases."""

    url: str

    def create_database(self, name: str) -> str:
        """URL of a new, empty database; as LocalPostgres.create_database."""
        return databases.create_database(self.url, name)

    def drop_database(self, name: str) -> None:
        """Drop a database, if there is one of that name, and the connections to it."""
        databases.drop_database(self.url, name)


@contextlib.contextmanager
def kafka_bootstrap(folder: Path) -> Iterator[str]:
    """Address of a broker without security, until the end of the block; folder: for a local one's data."""
    ways: list[Way] = [
        ("HUB_TEST_KAFKA", lambda: _named("HUB_TEST_KAFKA")),
        ("Docker", _docker_kafka),
        ("deploy.local", lambda: _local_kafka(folder)),
    ]
    with _first("Apache Kafka", ways) as bootstrap:
        yield bootstrap


@contextlib.contextmanager
def database_server(folder: Path) -> Iterator[DatabaseServer]:
    """A database server until the end of the block; folder: for a local one's data."""
    ways: list[Way] = [
        ("HUB_TEST_DATABASE_URL", lambda: _named("HUB_TEST_DATABASE_URL")),
        ("Docker", _docker_postgres),
        ("deploy.local", lambda: _local_postgres(folder)),
    ]
    with _first("PostgreSQL", ways) as url:
        yield DatabaseServer(url)


@contextlib.contextmanager
def _first(part: str, ways: Sequence[Way]) -> Iterator[str]:
    tried = []
    with contextlib.ExitStack() as stack:
        for name, way in ways:
            try:
                address = stack.enter_context(way())
            except Exception as fault:  # Whatever keeps one way from working, the next may work.
                tried.append(f"{name}: {fault!r}")
                if not isinstance(fault, NotHere):
                    _tell(f"tests: {part} not from {name}: {fault!r}")
                continue
            _tell(f"tests: {part} from {name}")
            yield address
            return
    raise NoRealPart(f"no {part} to test with. Tried:\n" + "\n".join(tried))


@functools.cache
def _tell(choice: str) -> None:
    """Once a process: the cache is what makes it so."""
    print(choice, file=sys.stderr)


@contextlib.contextmanager
def _named(variable: str) -> Iterator[str]:
    value = os.environ.get(variable)
    if not value:
        raise NotHere("not set")
    yield value


@contextlib.contextmanager
def _local_kafka(folder: Path) -> Iterator[str]:
    with LocalKafka(folder) as kafka:
        yield kafka.bootstrap


@contextlib.contextmanager
def _local_postgres(folder: Path) -> Iterator[str]:
    with LocalPostgres(folder) as postgres:
        yield postgres.url()


@contextlib.contextmanager
def _docker_postgres() -> Iterator[str]:
    _need_docker()
    from testcontainers.community.postgres import PostgresContainer

    with PostgresContainer(POSTGRES_IMAGE, driver=None) as container:
        yield container.get_connection_url()


@contextlib.contextmanager
def _docker_kafka() -> Iterator[str]:
    """One combined broker. Its port is chosen here: before it starts, it has to know what to tell clients."""
    _need_docker()
    from testcontainers.core.container import DockerContainer

    container = DockerContainer(KAFKA_IMAGE)
    host, port = container.get_docker_client().host(), ReservedPort().number
    with container.with_bind_ports(9092, port).with_envs(**_kafka_variables(f"{host}:{port}")):
        end_s = time.monotonic() + KAFKA_READY_S
        while True:
            try:
                live_brokers(host, port, None, timeout_s=2.0)
                break
            except NotReady:
                if time.monotonic() > end_s:
                    raise
                time.sleep(0.2)
        yield f"{host}:{port}"


def _kafka_variables(address: str) -> dict[str, str]:
    """Settings as the image takes them; those that matter to clients are those of deploy.local."""
    return {
        "KAFKA_NODE_ID": "1",
        "KAFKA_PROCESS_ROLES": "broker,controller",
        "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_LISTENERS": "CLIENT://:9092,CONTROLLER://localhost:9093,BROKER://localhost:9094",
        "KAFKA_ADVERTISED_LISTENERS": f"CLIENT://{address},BROKER://localhost:9094",
        "KAFKA_INTER_BROKER_LISTENER_NAME": "BROKER",
        "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT,BROKER:PLAINTEXT",
        "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
        "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
        "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
    }


def _need_docker() -> None:
    """NotHere when no engine answers. Asked by a plain socket: the client's import takes a second."""
    engine = urlsplit(os.environ.get("DOCKER_HOST") or DOCKER_SOCKET)
    try:
        if engine.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(2.0)
                connection.connect(engine.path)
        elif engine.hostname:
            socket.create_connection((engine.hostname, engine.port or 2375), 2.0).close()
    except OSError as fault:
        raise NotHere(f"no engine at {engine.geturl()} ({fault})") from fault
