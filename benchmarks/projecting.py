"""Projectors alone, each in a process as `hub work` has one, and how long they take to catch up.

`python -m benchmarks.projecting work` projects with the settings of its environment until it is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from time import perf_counter

import asyncpg
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from sqlalchemy import delete

from benchmarks.serving import Place, running
from hub.cli.serve import collect_less, log_to_stderr
from hub.events.kafka import GROUP
from hub.events.kafka.connection import TOPICS
from hub.events.kafka.messages import LANE_TOPICS
from hub.events.spine import Hub, open_hub
from hub.settings import Settings
from hub.store.pages import projection_version
from hub.store.relay import told
from hub.store.schema import prepare_read_model
from hub.store.tables import relay

ALONE = (sys.executable, "-m", "benchmarks.projecting")
WAIT_S_MAX = 300.0
ASK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """relay_s: to tell the log all events. projection_s: to show them all, from when all was in the log."""

    relay_s: float
    projection_s: float


async def catch_up(where: Place, projectors: int, events: int) -> CaughtUp:
    """Publish the sequenced events to new topics, and fold them into an empty read model.

    So many processes share the partitions. They have joined before anything is published, and are held at
    their first event until everything is: what is timed is neither joining nor publishing.
    """
    settings = where.opened()
    hub = open_hub(settings)
    try:
        with contextlib.closing(KafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap)) as admin:
            if old := sorted(set(TOPICS) & set(admin.list_topics())):
                admin.delete_topics(old)
            await prepare_read_model(hub.store, anew=True)
            # Else projectors would miss, in the new log, what the old one was told, and ask the inbox for it.
            await hub.store.own(lambda conn: conn.execute(delete(relay)))
            assert hub.kafka is not None
            await hub.kafka.cluster.make_topics()
            with contextlib.ExitStack() as processes:
                for number in range(projectors):
                    folder = where.data_dir / f"projector-{number}"
                    folder.mkdir(exist_ok=True)
                    # The keys stay those of the hub: records are told apart by them.
                    one = replace(
                        where,
                        data_dir=folder,
                        settings={**where.settings, "HUB_KEYS_DIR": str(where.data_dir / "keys")},
                    )
                    processes.enter_context(running(one, "work", ALONE, until_ready=False))
                await _joined(admin, projectors, len(LANE_TOPICS) * settings.kafka_partitions)
                return await _timed(hub, events)
    finally:
        await hub.store.close()


async def _timed(hub: Hub, events: int) -> CaughtUp:
    assert hub.kafka is not None
    async with _held(hub.settings.database_url):
        begun_s = perf_counter()
        relaying = asyncio.create_task(hub.kafka.relay(hub.sequencer.sequenced))
        try:
            await _until(lambda: hub.store.inspect(lambda conn: told(conn).leaf >= events))
            relay_s = perf_counter() - begun_s
        finally:
            relaying.cancel()
            await asyncio.wait([relaying])
    begun_s = perf_counter()
    await _until(lambda: hub.store.inspect(lambda conn: projection_version(conn) >= events))
    return CaughtUp(relay_s, perf_counter() - begun_s)


@contextlib.asynccontextmanager
async def _held(url: str) -> AsyncIterator[None]:
    """Projectors can read where they begin, and not move on from there."""
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE read.position IN EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def _joined(admin: KafkaAdminClient, members: int, partitions: int) -> None:
    """Wait until the group has so many members, and they have all partitions between them."""

    async def joined() -> bool:
        try:
            group = (await asyncio.to_thread(admin.describe_groups, [GROUP]))[GROUP]
        except KafkaError:
            return False  # A broker's first group needs a topic of its own first.
        assigned = [
            len(topic["partitions"])
            for member in group["members"]
            for topic in (member["member_assignment"] or {}).get("assigned_partitions", ())
        ]
        complete = len(group["members"]) == members and sum(assigned) == partitions
        return complete and group["group_state"] == "Stable"

    await _until(joined)


async def _until(holds: Callable[[], Awaitable[bool]]) -> None:
    """Ask again and again; TimeoutError after WAIT_S_MAX."""
    async with asyncio.timeout(WAIT_S_MAX):
        while not await holds():  # noqa: ASYNC110 - another process changes it, and nobody tells.
            await asyncio.sleep(ASK_AGAIN_S)


async def _project() -> None:
    hub = open_hub(Settings())
    try:
        await hub.projector.run()
    finally:
        await hub.store.close()


if __name__ == "__main__":
    log_to_stderr()
    collect_less()
    asyncio.run(_project())
