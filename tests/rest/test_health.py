"""/readyz: which part is down, and whether this process can still do its work."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi import FastAPI

from deploy.local import LocalPostgres
from hub.app import build_work_app
from hub.events.spine import Hub, open_hub
from hub.rest import health
from hub.rest.operations import SERVER_NEEDS, WORKER_NEEDS, build_router
from hub.rest.probe import Probe
from hub.settings import Settings
from hub.store.flow import flow
from hub.store.projection import INBOX, Position, save_positions
from tests.support.messages import KENT, partner, service
from tests.support.serving import Served
from tests.support.spine import PARTITIONS, OpenHub, Spine, embedded, running_spine
from tests.support.waiting import PATIENCE_S, soon

KENTS = partner(KENT)
PARTS = {"database", "kafka", "intake", "sequencer", "relay", "projector"}


@contextlib.asynccontextmanager
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.test") as http:
        yield http


async def ready(hub: Hub, needs: Collection[str] = SERVER_NEEDS) -> tuple[int, dict[str, Any]]:
    """Status and document of /readyz, which comes whatever hangs."""
    app = FastAPI()
    app.include_router(build_router(hub, needs))
    async with client(app) as http:
        async with asyncio.timeout(PATIENCE_S):  # What hangs here hangs until the end of the test.
            answer = await http.get("/readyz")
        assert (await http.get("/healthz")).json() == {"status": "ok"}
    document: dict[str, Any] = answer.json()
    assert document["parts"].keys() == PARTS
    return answer.status_code, document


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {name: part["status"] for name, part in document["parts"].items()}


async def test_a_hub_at_work_is_ready_and_says_how_far_it_is(served: Served) -> None:
    async with httpx.AsyncClient(base_url=served.base_url, timeout=PATIENCE_S) as http:
        answer = await http.get("/readyz")
    document = answer.json()
    assert (answer.status_code, document["status"]) == (200, "ok")
    assert statuses(document) == {**dict.fromkeys(PARTS, "ok"), "kafka": "none", "relay": "none"}
    assert document["accepted"] >= document["sequenced"] >= document["version"] >= 0
    assert answer.headers["cache-control"] == "no-store"


async def test_events_that_wait_too_long_for_a_worker_are_told_and_the_intake_stays_ready(
    tmp_path: Path,
) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        shown = (await spine.counts())["inbox"]
    hub = embedded(tmp_path)
    app, now = FastAPI(), datetime.now(UTC)
    flows = Probe(lambda: hub.store.inspect(lambda conn: flow(conn, by_log=False)))
    app.include_router(health.build_router(flows, None, hub.intake, clock=lambda: now))
    try:
        async with hub.running(working=False), client(app) as http:
            await Spine(hub).post(KENTS, *(service(KENTS, f"{n}") for n in range(3)))
            document = (await http.get("/readyz")).json()
            assert document["status"] == "ok", "an event may wait for a moment"
            now = datetime.now(UTC) + timedelta(seconds=health.LATE_S + 5)
            answer = await http.get("/readyz")
            document = answer.json()
            assert (answer.status_code, document["status"]) == (200, "degraded")
            sequencer, projector = document["parts"]["sequencer"], document["parts"]["projector"]
            assert (sequencer["status"], sequencer["behind"]) == ("degraded", 3)
            assert sequencer["waiting_s"] > health.LATE_S
            assert (projector["status"], projector["behind"]) == ("ok", 0)
            assert (document["accepted"], document["sequenced"]) == (shown + 3, shown)

            assert await hub.sequencer.step()
            document = (await http.get("/readyz")).json()
            assert statuses(document)["sequencer"] == "ok"
            assert (statuses(document)["projector"], document["parts"]["projector"]["behind"]) == (
                "degraded",
                3,
            )
            while await hub.projector.step():
                pass
            document = (await http.get("/readyz")).json()
            assert (document["status"], document["version"]) == ("ok", shown + 3)
    finally:
        await hub.store.close()


async def test_a_read_model_that_shows_more_than_the_ledger_has_is_told(tmp_path: Path) -> None:
    async with running_spine(embedded, tmp_path) as spine:
        await spine.set_up_network()
        size = (await spine.counts())["inbox"]
        ahead = {INBOX: Position(size + 3, size + 3)}
        await spine.hub.store.project(lambda conn: save_positions(conn, ahead))
        status, document = await ready(spine.hub)
        assert (status, document["status"]) == (200, "degraded")
        assert "ahead" in document["parts"]["projector"]["why"]


async def test_all_parts_are_ok_on_real_ones(backbones: Any, tmp_path: Path) -> None:
    open_kafka: OpenHub = backbones("kafka")
    async with running_spine(open_kafka, tmp_path) as spine:
        await spine.set_up_network()
        status, document = await ready(spine.hub, WORKER_NEEDS)
        assert (status, document["status"]) == (200, "ok")
        assert set(statuses(document).values()) == {"ok"}
        behind = [document["parts"][name]["behind"] for name in ("sequencer", "relay", "projector")]
        assert behind == [0, 0, 0]
        assert document["accepted"] == document["version"] > 0


@pytest.fixture
def hung_broker() -> Iterator[str]:
    """Something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture
def no_broker(hung_broker: str) -> str:
    """A port that nobody listens on."""
    return "127.0.0.1:1"


@pytest.mark.parametrize("broker", ["no_broker", "hung_broker"])
async def test_without_kafka_the_intake_stays_ready_and_a_worker_does_not(
    broker: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    bootstrap = request.getfixturevalue(broker)
    hub = open_hub(
        Settings(data_dir=tmp_path, kafka_bootstrap=f"127.0.0.1:2,{bootstrap}", kafka_partitions=PARTITIONS)
    )
    try:
        async with hub.running(working=False):
            status, document = await ready(hub)
            assert (status, document["status"]) == (200, "degraded")
            kafka = document["parts"]["kafka"]
            assert (kafka["status"], kafka["behind"]) == ("degraded", 0)
            assert bootstrap not in str(document)
            status, document = await ready(hub, WORKER_NEEDS)
            assert (status, document["status"]) == (503, "down")
            assert statuses(document)["kafka"] == "down"
    finally:
        await hub.store.close()


async def test_a_database_that_stands_still_is_told_in_time_and_comes_back(
    tmp_path: Path,
) -> None:
    with LocalPostgres(tmp_path / "postgres") as server:
        hub = open_hub(Settings(data_dir=tmp_path / "hub", database_url=server.create_database("hub")))
        try:
            await hub.prepare()
            assert (await ready(hub))[0] == 200
            app = FastAPI()
            app.include_router(build_router(hub))
            async with client(app) as http:
                await http.get("/readyz")
                with _frozen(server):
                    async with asyncio.timeout(PATIENCE_S):
                        answers = await asyncio.gather(*(http.get("/readyz") for _ in range(30)))
                    assert {one.status_code for one in answers} == {503}
                    document = answers[0].json()
                    assert document["status"] == document["parts"]["database"]["status"] == "down"
                    assert (document["accepted"], document["version"]) == (None, None)
                    assert answers[0].headers["retry-after"] == "1"
                    metrics = await http.get("/metrics")
                    assert "\nhub_database_up 0.0\n" in metrics.text
                    assert "hub_lag_events{" not in metrics.text

                async def is_ready() -> bool:
                    return (await http.get("/readyz")).status_code == 200

                await soon(is_ready)
        finally:
            await hub.store.close()


@contextlib.contextmanager
def _frozen(server: LocalPostgres) -> Iterator[None]:
    """Every process of the server stands still until the end of the block."""
    assert server.pid
    parent = psutil.Process(server.pid)
    processes = [parent, *parent.children(recursive=True)]
    for one in processes:
        one.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for one in processes:
            one.send_signal(signal.SIGCONT)


async def test_a_worker_without_an_interface_shows_its_health(tmp_path: Path) -> None:
    app = build_work_app(Settings(data_dir=tmp_path))
    async with app.router.lifespan_context(app), client(app) as http:
        answer = await http.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        assert "hub_projection_seconds" in (await http.get("/metrics")).text
        assert (await http.post("/events")).status_code == 404
