"""Which broker and database tests get: what the environment names, else Docker, else this machine's own."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from deploy.local.wire import live_brokers
from tests.support import parts
from tests.support.parts import NoRealPart, database_server, kafka_bootstrap


@pytest.fixture
def without_docker(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As on a machine where nothing is named and no engine runs."""
    monkeypatch.delenv("HUB_TEST_KAFKA", raising=False)
    monkeypatch.delenv("HUB_TEST_DATABASE_URL", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")


def test_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HUB_TEST_KAFKA", "kafka.example:9092")
    monkeypatch.setenv("HUB_TEST_DATABASE_URL", "postgresql+asyncpg://me@db.example/any")
    with kafka_bootstrap(tmp_path) as bootstrap, database_server(tmp_path) as server:
        assert bootstrap == "kafka.example:9092"
        assert server.url == "postgresql+asyncpg://me@db.example/any"
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("without_docker")
async def test_local_database_is_made_where_there_is_no_other(tmp_path: Path) -> None:
    with database_server(tmp_path / "postgres") as server:
        url = server.create_database("tried")
        connection = await asyncpg.connect(url)
        server.drop_database("tried")
        with pytest.raises(asyncpg.PostgresError):
            await connection.fetchval("SELECT 1")
        connection.terminate()
        server.drop_database("tried")
        assert server.create_database("tried") == url


@pytest.mark.usefixtures("without_docker")
def test_local_broker_is_started_where_there_is_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts._tell.cache_clear()  # Other tests of this process may have been told already.
    with kafka_bootstrap(tmp_path / "kafka") as bootstrap:
        host, _, port = bootstrap.partition(":")
        assert live_brokers(host, int(port), None, timeout_s=5.0) == {1}
    assert "tests: Apache Kafka from deploy.local" in capsys.readouterr().err


@pytest.mark.usefixtures("without_docker")
def test_nothing_to_test_with_is_an_error_that_tells_what_was_tried(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NoRealPart) as refused, database_server(tmp_path / "file"):
        pass
    tried = str(refused.value).splitlines()
    assert tried[0] == "no PostgreSQL to test with. Tried:"
    assert [line.partition(":")[0] for line in tried[1:]] == [
        "HUB_TEST_DATABASE_URL",
        "Docker",
        "deploy.local",
    ]
