"""The story is told on every backbone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.serving import Served, serving


@pytest.fixture(scope="module", params=["embedded", "kafka"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One server on each backbone, with the partners and the network manager."""
    folder = tmp_path_factory.mktemp("served")
    parts = request.getfixturevalue("production").settings(folder) if request.param == "kafka" else {}
    with serving(folder, **parts) as running:
        yield running
