"""A hub of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.engine import Store
from tests.audit.world import World


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """Two networks, four partners, and a case of Kent's and Normandy's in the north."""
    hub = World(tmp_path, store)
    await hub.open()
    await hub.open_case()
    yield hub
    await hub.close()
