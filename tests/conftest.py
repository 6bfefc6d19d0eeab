"""Fixtures that several folders share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from hub.events.spine import Hub
from tests.support.serving import Served, serving
from tests.support.spine import BACKBONES, Spine, running_spine


@pytest.fixture(params=BACKBONES)
def open_backbone(request: pytest.FixtureRequest) -> Callable[[Path], Hub]:
    """How to open a hub on a data folder, on each backbone in turn."""
    return BACKBONES[request.param]


@pytest.fixture
async def spine(open_backbone: Callable[[Path], Hub], tmp_path: Path) -> AsyncIterator[Spine]:
    """A running hub without any event, below HTTP."""
    async with running_spine(open_backbone, tmp_path / "hub") as running:
        yield running


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server a module, with the partners and the network manager."""
    with serving(tmp_path_factory.mktemp("served")) as running:
        yield running
