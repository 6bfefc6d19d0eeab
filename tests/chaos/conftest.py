"""Real parts that the faults may stop, kill and empty: nobody else's."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from deploy.local import LocalKafka, LocalPostgres


@pytest.fixture(autouse=True)
def _client_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """pytest keeps log records until after the test, and those of kafka-python keep abandoned sockets."""
    caplog.set_level(logging.CRITICAL, logger="kafka")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Sockets that kafka-python abandoned are collected where they are expected: see ABANDONED_SOCKETS."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A server that loses nothing, started for this module."""
    with LocalPostgres(tmp_path_factory.mktemp("postgres"), durable=True) as running:
        yield running


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """One broker, started for this module."""
    with LocalKafka(tmp_path_factory.mktemp("kafka")) as running:
        yield running
