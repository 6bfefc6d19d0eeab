"""Fixtures of the catalogue's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.graphql.catalogue.world import World, open_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An empty hub of its own for each test."""
    async with open_world(tmp_path) as world:
        yield world
