"""A hub of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.engine import Store
from tests.graphql.cases.world import World


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """A hub with two networks, four partners, two services, and no case."""
    hub = World(tmp_path, store)
    await hub.open()
    yield hub
    await hub.close()
