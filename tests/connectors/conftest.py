"""Feeds for the connectors: the samples that ship with them, and files made for one test."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.connectors.base import Connector, Rejected, Row

SAMPLES = Path(__file__).resolve().parents[2] / "hub" / "connectors" / "samples"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[bytes | str | Any], Path]:
    """A feed file with that content: bytes as they are, text in UTF-8, anything else as JSON."""

    def write_feed(content: Any) -> Path:
        path = tmp_path / "feed"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write_feed


@pytest.fixture
def read() -> Callable[[Connector, Path], tuple[list[Row], list[Rejected]]]:
    """Rows and rejected rows of a file, as read for the partner with the slug `partner`."""

    def read_feed(connector: Connector, path: Path) -> tuple[list[Row], list[Rejected]]:
        found = list(connector.read(path, "partner"))
        rows = [entry for entry in found if isinstance(entry, Row)]
        return rows, [entry for entry in found if isinstance(entry, Rejected)]

    return read_feed
