"""The local PostgreSQL: what it promises to the tests, the benchmarks and the demo."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from deploy.local import LocalPostgres, PartFailed
from deploy.local.ports import ReservedPort
from tests.local.processes import descendants, living, wait_gone

ROOT = Path(__file__).resolve().parents[2]


async def fetch(url: str, statement: str) -> object:
    """The one value that the statement gives."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_database_sorts_by_code_point_and_folds_letters_by_unicode(postgres: LocalPostgres) -> None:
    url = postgres.create_database("sorted")
    statement = "SELECT string_agg(w, '' ORDER BY w) || lower('ÉΣ') FROM unnest('{b,a,Z,é}'::text[]) w"
    assert await fetch(url, statement) == "Zabééσ"
    assert await fetch(url, "SHOW server_encoding") == "UTF8"
    collation = "SELECT datcollate FROM pg_database WHERE datname = 'sorted'"
    assert await fetch(url, collation) == "C"


def test_name_of_a_database_is_checked_and_can_be_used_once(postgres: LocalPostgres) -> None:
    with pytest.raises(ValueError, match="Robert"):
        postgres.create_database("Robert'; DROP DATABASE postgres")
    postgres.create_database("twice")
    with pytest.raises(PartFailed, match='database "twice" already exists'):
        postgres.create_database("twice")
    postgres.drop_database("twice")
    postgres.create_database("twice")


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
async def test_acknowledged_rows_survive_every_end_of_the_server(postgres: LocalPostgres, end: str) -> None:
    url = postgres.create_database(f"kept_{end}")
    await fetch(url, "CREATE TABLE kept (number int)")
    open_session = await asyncpg.connect(url)
    await open_session.execute("INSERT INTO kept VALUES (1)")
    assert postgres.pid is not None
    processes = descendants(postgres.pid)
    assert len(processes) > 3
    if end == "kill":
        postgres.kill()
    else:
        postgres.stop("fast" if end == "fast" else "immediate")
    open_session.terminate()
    assert postgres.pid is None
    if end == "immediate":
        wait_gone(processes)  # Sessions that are told to quit may end after the postmaster.
    assert not living(processes)
    postgres.start()
    assert await fetch(url, "SELECT sum(number) FROM kept") == 1


async def test_durable_server_waits_for_the_disk(tmp_path: Path) -> None:
    flags = "SELECT array_agg(setting) FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit')"
    with LocalPostgres(tmp_path, durable=True) as durable:
        assert await fetch(durable.url(), flags) == ["on", "on"]


async def test_port_asks_for_the_password(tmp_path: Path) -> None:
    port = ReservedPort()
    with LocalPostgres(tmp_path, port=port.number) as server:
        url = server.create_database("reached")
        assert f"@127.0.0.1:{port.number}/reached" in url
        assert await fetch(url, "SELECT 1") == 1
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(url, password="guessed")


def test_nobody_else_gets_to_the_socket(postgres: LocalPostgres) -> None:
    folder = postgres.folder / "socket"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert folder.stat().st_uid == os.geteuid()


def socket_folder(url: str) -> list[Path]:
    """The folder that the URL names, if it is there."""
    folder = Path(url.partition("host=")[2])
    return [folder] if folder.is_dir() else []


async def test_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 20) / ("and with spaces, ü " * 3)
    with LocalPostgres(folder) as server:
        url = server.url()
        assert str(folder) not in url
        assert socket_folder(url)
        assert await fetch(url, "SELECT 1") == 1
    assert not socket_folder(url)
    with LocalPostgres(folder) as again:
        assert again.url() == url


def test_second_server_in_a_folder_is_refused(postgres: LocalPostgres) -> None:
    second = LocalPostgres(postgres.folder)
    with pytest.raises(PartFailed, match=r"runs in .* already, started by another"):
        second.start()
    assert second.pid is None
    assert postgres.pid is not None


def test_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = LocalPostgres(tmp_path, port=taken.getsockname()[1])
        with pytest.raises(PartFailed, match="could not bind IPv4 address"):
            server.start()
    assert server.pid is None


def test_initialisation_that_was_broken_off_is_done_again(tmp_path: Path) -> None:
    (tmp_path / "data.draft").mkdir()
    (tmp_path / "data.draft" / "PG_VERSION").write_text("18\n")
    with LocalPostgres(tmp_path) as server:
        server.create_database("fresh")


def test_user_who_is_not_root_runs_it_too(tmp_path: Path) -> None:
    """As root, the launcher makes such a user; otherwise this is what all the tests above do."""
    script = (
        "import os, pathlib, sys; from deploy.local import LocalPostgres; assert os.geteuid() != 0\n"
        "with LocalPostgres(pathlib.Path(sys.argv[1])) as server: print(server.create_database('theirs'))\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "theirs")]
    if os.geteuid() == 0:
        launcher = ROOT / "deploy" / "local" / "launch.py"
        ids = [str(number) for number in (os.getpid(), 9, 65534, 65534)]
        command = [sys.executable, "-I", "-S", str(launcher), *ids, *command]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "/theirs?host=" in done.stdout
