"""A log that is emptied while nobody writes to it: no producer notices, and yet nothing may be missing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from chaos.checks import Findings, ledger
from chaos.poison import hub_id_of
from chaos.topic_load import write
from chaos.topics import check_log, read_log
from deploy.local import LocalKafka, LocalPostgres
from hub.domain.registry import CASES
from hub.events.kafka import relay
from hub.events.spine import open_hub
from hub.settings import Settings
from hub.store.parked import list_parked
from tests.local.records import ABANDONED_SOCKETS
from tests.support.messages import KENT, firm, network_events, network_manager, partner
from tests.support.spine import Spine
from tests.support.waiting import soon

PARTITIONS = 12


@contextlib.asynccontextmanager
async def fresh_spine(folder: Path, database_url: str, bootstrap: str) -> AsyncIterator[Spine]:
    """A hub of which the intake alone runs; the rest is driven by the test."""
    hub = open_hub(
        Settings(
            data_dir=folder,
            database_url=database_url,
            kafka_bootstrap=bootstrap,
            kafka_partitions=PARTITIONS,
        )
    )
    await hub.prepare()
    accepting = asyncio.create_task(hub.intake.run())
    try:
        yield Spine(hub)
    finally:
        accepting.cancel()
        await hub.store.close()


@pytest.fixture
async def spine(tmp_path: Path, postgres: LocalPostgres, kafka: LocalKafka) -> AsyncIterator[Spine]:
    """On the parts of this module."""
    url = await asyncio.to_thread(postgres.create_database, f"emptied_{uuid4().hex[:12]}")
    async with fresh_spine(tmp_path / "hub", url, kafka.bootstrap) as fresh:
        yield fresh


async def missing(spine: Spine, bootstrap: str) -> list[str]:
    """What the log lacks of the tree."""
    findings, entries = Findings(), await ledger(spine.hub)
    log = await asyncio.to_thread(read_log, bootstrap, PARTITIONS, hub_id_of(spine.hub))
    check_log(log, entries, PARTITIONS, findings)
    return findings.texts


@ABANDONED_SOCKETS
async def test_relay_notices_an_emptied_log_by_an_event_of_another_lane(
    spine: Spine, kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "COMPARE_S", 1.0)
    kents, manager = partner(KENT), network_manager()
    assert spine.hub.kafka
    cluster, wake = spine.hub.kafka.cluster, asyncio.Event()
    telling = asyncio.create_task(relay.Relay(spine.hub.store, cluster, hub_id_of(spine.hub)).run(wake))

    async def is_whole() -> bool:
        return not await missing(spine, kafka.bootstrap)

    async def sequence() -> None:
        while await spine.hub.sequencer.step():
            pass
        wake.set()

    try:
        await spine.post(manager, *network_events(manager))
        await sequence()
        await soon(is_whole, pause_s=0.5)
        await asyncio.to_thread(kafka.stop)
        kafka.wipe(new_cluster_id=False)
        await asyncio.to_thread(kafka.start)
        await cluster.make_topics()  # As a projector does that notices first.
        # A firm's lane is one that the producer has not written yet.
        await spine.post(kents, firm(kents, "00000001"))
        await sequence()
        await soon(is_whole, pause_s=0.5)
    finally:
        telling.cancel()
        await asyncio.wait([telling])


@ABANDONED_SOCKETS
async def test_projector_begins_an_emptied_log_at_its_beginning(spine: Spine, kafka: LocalKafka) -> None:
    hub, poison = spine.hub, {"old": [b"old 1", b"old 2"], "new": [b"new 1", b"new 2", b"new 3", b"new 4"]}
    assert hub.kafka
    projecting = asyncio.create_task(hub.projector.run())

    async def write_poison(age: str) -> None:
        records = [(CASES, 0, value, []) for value in poison[age]]
        assert await asyncio.to_thread(write, kafka.bootstrap, records) == poison[age]

    async def parked() -> set[bytes]:
        found = await hub.store.inspect(lambda conn: list_parked(conn, hub.vault))
        return {one.content for one in found}

    async def is_parked(age: str) -> bool:
        return set(poison[age]) <= await parked()

    try:
        await hub.kafka.cluster.make_topics()
        await write_poison("old")
        await soon(lambda: is_parked("old"), pause_s=0.5)
        await asyncio.to_thread(kafka.stop)
        kafka.wipe(new_cluster_id=False)
        await asyncio.to_thread(kafka.start)
        # More than before, so that the place where the projector was is in the new log, too.
        await hub.kafka.cluster.make_topics()
        await write_poison("new")
        await soon(lambda: is_parked("new"), pause_s=0.5)
    finally:
        projecting.cancel()
        await asyncio.wait([projecting])
        await hub.kafka.close()
