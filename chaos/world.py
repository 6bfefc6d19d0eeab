"""The world of one seed: PostgreSQL, Apache Kafka, processes of the hub, and credentials of its clients."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from chaos.messages import NETWORK, PARTNERS
from chaos.points import FUSE_VARIABLE, Fuse
from chaos.processes import Process, keep
from deploy.local import LocalKafka, LocalPostgres
from deploy.local.ports import ReservedPort
from hub.cli.partners import add_partner
from hub.domain.refusal import Refusal
from hub.events.kafka.connection import TOPICS
from hub.events.spine import Hub, open_hub
from hub.settings import Settings

SERVERS, WORKERS = 2, 2
PARTITIONS = 4
RETENTION_DAYS = 60
"""More than all clocks together may be off: whatever was accepted is told again to an emptied log."""
READY_S_MAX = 120.0
KEEPER_PAUSE_S = 0.1


@dataclass
class World:
    """Everything of one seed. Made by `running_world`."""

    folder: Path
    postgres: LocalPostgres
    kafka: LocalKafka
    settings: Settings
    rows: dict[str, dict[str, Any]]
    servers: list[Process]
    workers: list[Process]
    urls: list[str]
    fuse: Fuse
    may_start: asyncio.Event = field(default_factory=asyncio.Event)
    beside: list[Process] = field(default_factory=list)

    @property
    def processes(self) -> list[Process]:
        """Those that are kept running."""
        return [*self.servers, *self.workers]

    def beside_worker(self, number: int) -> Process:
        """One more worker, which nobody keeps running."""
        worker = _process(self, "work-beside", number)
        worker.role, worker.wanted = "work", False
        self.beside.append(worker)
        return worker

    async def open_hub(self) -> Hub:
        """The hub's parts in this process, for looking at the truth."""
        return await asyncio.to_thread(open_hub, self.settings)

    async def heal(self) -> None:
        """Start whatever part a fault has left behind, and let processes start."""
        if self.postgres.pid is None:
            await asyncio.to_thread(self.postgres.start)
        await asyncio.to_thread(self.kafka.start)
        self.fuse.put_out()
        self.may_start.set()

    async def ready(self) -> None:
        """Wait until every server answers; TimeoutError after READY_S_MAX."""
        async with httpx.AsyncClient(timeout=2.0) as http, asyncio.timeout(READY_S_MAX):
            for url in self.urls:
                while not await _answers(http, f"{url}/readyz"):  # noqa: ASYNC110
                    await asyncio.sleep(0.1)


@contextlib.asynccontextmanager
async def running_world(
    folder: Path,
    postgres: LocalPostgres,
    kafka: LocalKafka,
    *,
    servers: int = SERVERS,
    workers: int = WORKERS,
    variants: Mapping[str, str] | None = None,
) -> AsyncIterator[World]:
    """A hub of its own on running parts, until the end of the block; its topics are made anew.

    folder: whole path. variants: by role, of the first start of its processes.
    """
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(delete_topics, kafka.bootstrap)
    url = await asyncio.to_thread(postgres.create_database, f"chaos_{uuid4().hex[:12]}")
    ports = [ReservedPort() for _ in range(servers)]
    urls = [f"http://127.0.0.1:{port.number}" for port in ports]
    settings = Settings(
        data_dir=folder / "hub",
        database_url=url,
        kafka_bootstrap=kafka.bootstrap,
        kafka_partitions=PARTITIONS,
        kafka_retention_days=RETENTION_DAYS,
        public_url=urls[0],
    )
    world = World(
        folder=folder,
        postgres=postgres,
        kafka=kafka,
        settings=settings,
        rows=await _enrolled(settings),
        servers=[],
        workers=[],
        urls=urls,
        fuse=Fuse(folder / "fuse"),
    )
    world.servers += [_process(world, "serve", n, port.number) for n, port in enumerate(ports, start=1)]
    world.workers += [_process(world, "work", n) for n in range(1, workers + 1)]
    for process in world.processes:
        process.variant = (variants or {}).get(process.role, "")
    world.may_start.set()
    ending = asyncio.Event()
    keeping = asyncio.create_task(keep(world.processes, world.may_start, ending, KEEPER_PAUSE_S))
    try:
        await world.ready()
        yield world
    finally:
        ending.set()
        await asyncio.wait([keeping])
        for process in (*world.processes, *world.beside):
            await asyncio.to_thread(process.kill)


def _process(world: World, role: str, number: int, port: int = 0) -> Process:
    """One that is not running yet, with the settings of the world."""
    chosen = world.settings
    environment = {
        "HUB_DATA_DIR": str(chosen.data_dir),
        "HUB_DATABASE_URL": chosen.database_url,
        "HUB_KAFKA_BOOTSTRAP": chosen.kafka_bootstrap,
        "HUB_KAFKA_PARTITIONS": str(PARTITIONS),
        "HUB_KAFKA_RETENTION_DAYS": str(RETENTION_DAYS),
        "HUB_PUBLIC_URL": chosen.public_url,
        "HUB_PORT": str(port),
        FUSE_VARIABLE: str(world.fuse.file),
    }
    return Process(f"{role}-{number}", role, world.folder, environment)


def delete_topics(bootstrap: str) -> list[str]:
    """Delete the hub's topics that there are; their names. KafkaError when the cluster does not answer."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), request_timeout_ms=10_000)
    try:
        found = [one for one in admin.list_topics() if one in TOPICS or one.startswith("in.")]
        if found:
            admin.delete_topics(found)
        return found
    finally:
        with contextlib.suppress(KafkaError):
            admin.close()


async def _enrolled(settings: Settings) -> dict[str, dict[str, Any]]:
    """The partners in one network, with the bearer waiver: rows of credentials.json by client."""
    hub = await asyncio.to_thread(open_hub, settings)
    rows = {}
    try:
        for slug in PARTNERS:
            row = await add_partner(hub, slug, slug, "GB", NETWORK, "member", [], None, bearer=True)
            if isinstance(row, Refusal):
                raise RuntimeError(f"{slug} cannot be enrolled: {row.message}")
            rows[slug] = row
    finally:
        await hub.store.close()
    return rows


async def _answers(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).status_code == 200
    except httpx.TransportError:
        return False
