"""Real parts on this machine, made by deploy.local."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from deploy.local import LocalKafka, LocalPostgres


@pytest.fixture(autouse=True)
def _client_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps its records until after the test, and they keep abandoned sockets: see records.py."""
    caplog.set_level(logging.CRITICAL, logger="kafka")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """One server a module; tests may stop it, and start it again."""
    with LocalPostgres(tmp_path_factory.mktemp("postgres")) as running:
        yield running


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """One broker a module; tests may stop it, and start it again."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running
