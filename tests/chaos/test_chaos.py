"""A short run under faults, and the hubs that must be caught; `make chaos` runs longer ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaos.campaign import run_seed
from chaos.controls import CONTROLS, is_caught, run_control
from deploy.local import LocalKafka, LocalPostgres
from tests.local.records import ABANDONED_SOCKETS

SEED = 20_261_127
FAULTS = (
    "poison",
    "kill -9 at accept.before_commit",
    "kill -9 at relay.after_ack",
    "a broker is killed",
    "the brokers are emptied",
    "PostgreSQL stops",
    "kill -9 at projector.before_commit",
    "SIGSTOP of a worker",
    "kill -9 of a process",
)


@ABANDONED_SOCKETS
@pytest.mark.timeout(600)
async def test_what_was_acknowledged_survives_every_fault(
    tmp_path: Path, postgres: LocalPostgres, kafka: LocalKafka
) -> None:
    told: list[str] = []
    outcome = await run_seed(SEED, FAULTS, tmp_path / "world", postgres, kafka, told.append, quick=True)
    assert outcome.findings.texts == [], told
    assert outcome.faults == len(FAULTS)
    assert outcome.acknowledged > 100, told
    assert outcome.parked > 0, told


@ABANDONED_SOCKETS
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", CONTROLS)
async def test_a_hub_that_breaks_its_promise_is_caught(
    name: str, tmp_path: Path, postgres: LocalPostgres, kafka: LocalKafka
) -> None:
    told: list[str] = []
    findings = await run_control(name, tmp_path / "control", postgres, kafka, told.append)
    assert is_caught(name, findings), told
