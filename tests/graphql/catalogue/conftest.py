"""Fixtures of the catalogue's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.store.engine import Store
from tests.graphql.catalogue.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path, store: Store) -> AsyncIterator[World]:
    """An empty hub of its own for each test."""
    async with open_world(tmp_path, store) as world:
        yield world
