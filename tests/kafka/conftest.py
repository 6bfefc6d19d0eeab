"""Real brokers, and a hub on one of them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from hub.events.spine import Hub
from tests.kafka.secured import Secured, secured_broker
from tests.kafka.writing import Writing
from tests.support.spine import Production


@pytest.fixture(autouse=True)
def _client_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps records of the log, and these keep abandoned sockets."""
    caplog.set_level(logging.CRITICAL, logger="kafka")


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A broker that checks rights."""
    with secured_broker(tmp_path_factory.mktemp("secured")) as running:
        yield running


@pytest.fixture
async def hub(production: Production, tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub on real parts; none of it at work yet."""
    hub = production.open_hub(tmp_path)
    yield hub
    await hub.store.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def writing(tmp_path_factory: pytest.TempPathFactory, production: Production) -> AsyncIterator[Writing]:
    """One hub a module, and the topics of two partners and a stranger."""
    folder = tmp_path_factory.mktemp("writing") / "hub"
    world = Writing(production.open_hub, folder, production.bootstrap)
    await world.start()
    yield world
    await world.stop()
