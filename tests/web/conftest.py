"""A hub of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.settings import Settings
from hub.store.engine import Store
from hub.store.vault import Vault
from tests.web.world import HUB, World


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """A hub without anybody, on each engine in turn."""
    settings = Settings(data_dir=tmp_path, public_url=HUB)
    hub = World(store, Vault(settings.keys_dir), settings)
    yield hub
    for browser in hub.browsers:
        await browser.http.aclose()
