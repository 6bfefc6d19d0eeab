"""A hub of its own for each test: real store, real router, real resource."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.auth.oauth.signing import open_signing
from hub.settings import Settings
from hub.store.engine import Store
from tests.auth.world import ISSUER, World


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """An empty hub."""
    settings = Settings(data_dir=tmp_path, public_url=ISSUER)
    hub = World(store, settings, open_signing(settings))
    yield hub
    await hub.http.aclose()


@pytest.fixture
async def kent(world: World) -> World:
    """A hub with one partner's client, `kent`, that may send bearer tokens."""
    await world.enrol()
    return world
