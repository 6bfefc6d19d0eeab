"""Fixtures that several folders share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from hub.store import glances, postgres, signals
from hub.store.engine import Store
from tests.support import fresh, parts
from tests.support.serving import Served, serving
from tests.support.spine import OpenHub, Production, Spine, embedded, running_spine
from tests.support.waiting import PATIENCE_S

# How long an example takes says how busy the machine is, and nothing of the hub.
settings.register_profile("hub", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("hub")

# How long the hub waits for PostgreSQL: a machine that stands still for seconds would fail any test.
WAITS = (
    (postgres, "CONNECT_S_MAX", PATIENCE_S),
    (postgres, "IDLE_IN_TRANSACTION_MS_MAX", int(PATIENCE_S * 1_000)),
    (signals, "CONNECT_S_MAX", PATIENCE_S),
    (glances, "ANSWER_S_MAX", PATIENCE_S),
)

ENGINES = ("sqlite", "postgresql")
BACKBONES = ("embedded", "kafka")
"""Every way to run the hub; each test on the fixtures below runs on all of them."""


@pytest.fixture(scope="session", autouse=True)
def patience_with_postgresql() -> Iterator[None]:
    """Of hubs in the process of the tests; those that run apart have the times of production."""
    with pytest.MonkeyPatch.context() as patch:
        for module, name, wait in WAITS:
            patch.setattr(module, name, wait)
        yield


@pytest.fixture(scope="session")
def database_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[parts.DatabaseServer]:
    """A real PostgreSQL."""
    with parts.database_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real Apache Kafka: its bootstrap address."""
    with parts.kafka_bootstrap(tmp_path_factory.mktemp("kafka")) as bootstrap:
        yield bootstrap


@pytest.fixture
def database_url(database_server: parts.DatabaseServer) -> Iterator[str]:
    """An empty database of its own."""
    name = f"hub_{uuid4().hex[:12]}"
    yield database_server.create_database(name)
    database_server.drop_database(name)


@pytest.fixture(scope="session")
def shared_database_url(database_server: parts.DatabaseServer) -> Iterator[str]:
    """A database that tests use one after the other, each from nothing: making one takes longer."""
    name = f"hub_{uuid4().hex[:12]}"
    url = database_server.create_database(name)
    fresh.migrate(Path(), url)
    yield url
    database_server.drop_database(name)


@pytest.fixture(params=ENGINES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty store with all its tables, on each engine in turn."""
    if request.param == "postgresql":
        store: Store = await fresh.on_postgres(request.getfixturevalue("shared_database_url"))
    else:
        store = fresh.on_sqlite(tmp_path)
    yield store
    await store.close()


@pytest.fixture(scope="session")
def production(database_server: parts.DatabaseServer, kafka: str) -> Production:
    """Real parts for hubs."""
    return Production(database_server, kafka)


@pytest.fixture(scope="session")
def backbones(request: pytest.FixtureRequest) -> Callable[[str], OpenHub]:
    """How to open a hub on the backbone of a name."""

    def on(name: str) -> OpenHub:
        return embedded if name == "embedded" else request.getfixturevalue("production").open_hub

    return on


@pytest.fixture(params=BACKBONES)
def open_backbone(request: pytest.FixtureRequest, backbones: Callable[[str], OpenHub]) -> OpenHub:
    """How to open a hub on a data folder, on each backbone in turn."""
    return backbones(request.param)


@pytest.fixture
async def spine(open_backbone: OpenHub, tmp_path: Path) -> AsyncIterator[Spine]:
    """A running hub without any event, below HTTP."""
    async with running_spine(open_backbone, tmp_path / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server a module, with the partners and the network manager."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running
