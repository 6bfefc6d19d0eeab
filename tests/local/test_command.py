"""`python -m deploy.local`: one line of addresses, and nothing left when whoever started it is gone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.local.processes import descendants, living, wait_gone

ROOT = Path(__file__).resolve().parents[2]
END_S = 30.0

Command = subprocess.Popen[str]


@pytest.fixture
def start() -> Iterator[Callable[..., Command]]:
    """Starts the command, with a pipe on its stdin."""
    started: list[Command] = []

    def run(*arguments: str) -> Command:
        pipe = subprocess.PIPE
        command = [sys.executable, "-m", "deploy.local", *arguments]
        started.append(subprocess.Popen(command, cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def told(process: Command) -> dict[str, Any]:
    """The line of addresses."""
    assert process.stdout is not None
    addresses: dict[str, Any] = json.loads(process.stdout.readline())
    return addresses


async def test_it_tells_where_all_is_and_ends_when_stdin_closes(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    process = start("--kafka", "--postgres", "--security", "--folder", str(tmp_path))
    addresses = told(process)
    assert list(addresses) == ["kafka_bootstrap", "database_url", "kafka_username", "kafka_password"]
    assert addresses["kafka_bootstrap"].startswith("127.0.0.1:")
    assert addresses["kafka_username"] == "admin"
    connection = await asyncpg.connect(addresses["database_url"])
    await connection.close()
    running = descendants(process.pid)
    assert {one.name() for one in running} == {"java", "postgres"}
    output, progress = process.communicate(input="", timeout=END_S)
    assert (process.returncode, output) == (0, "")
    assert "PostgreSQL is ready after" in progress
    assert f"Apache Kafka is ready on {addresses['kafka_bootstrap']} after" in progress
    assert not living(running)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_it_and_the_data_stays(
    start: Callable[..., Command], tmp_path: Path, number: signal.Signals
) -> None:
    process = start("--postgres", "--folder", str(tmp_path))
    addresses = told(process)
    assert addresses["kafka_bootstrap"] is addresses["kafka_username"] is None
    running = descendants(process.pid)
    process.send_signal(number)
    process.communicate(timeout=END_S)
    assert process.returncode == 0
    wait_gone(running)
    assert told(start("--postgres", "--folder", str(tmp_path))) == addresses


def test_nothing_outlives_it_when_it_is_killed(start: Callable[..., Command], tmp_path: Path) -> None:
    process = start("--kafka", "--postgres", "--folder", str(tmp_path))
    told(process)
    running = descendants(process.pid)
    process.kill()
    wait_gone(running)


def test_part_that_fails_is_told_and_the_other_one_stopped(
    start: Callable[..., Command], tmp_path: Path
) -> None:
    (tmp_path / "kafka").mkdir()
    (tmp_path / "kafka" / "cluster.json").write_text('{"cluster_id": "x", "places": [], "login": null}')
    process = start("--kafka", "--postgres", "--folder", str(tmp_path))
    output, progress = process.communicate(timeout=END_S)
    assert (process.returncode, output) == (1, "")
    assert "take another folder" in progress
    assert not (tmp_path / "postgres" / "data" / "postmaster.pid").exists()
