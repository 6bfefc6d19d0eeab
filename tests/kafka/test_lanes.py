"""Whatever the log does (repeats, loses, comes back empty, holds others' records), all is folded once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from sqlalchemy import delete, func, select

from hub.domain.registry import CASES, CATALOGUE
from hub.events.kafka import KafkaBackbone
from hub.events.kafka.messages import to_record
from hub.events.projector import fold_batch
from hub.events.rebuild import rebuild
from hub.events.spine import Hub, open_hub
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.inbox import sequenced
from hub.store.pages import projection_version
from hub.store.parked import Parked, list_parked
from hub.store.relay import told
from hub.store.tables import relay, verdict
from tests.support.messages import KENT, firm, network_events, network_manager, partner, service
from tests.support.spine import PARTITIONS, Production, Spine, empty_topics

KENTS = partner(KENT)
WAIT_S, ASK_S = 60.0, 0.05


@contextlib.asynccontextmanager
async def working(hub: Hub, *parts: str) -> AsyncIterator[Spine]:
    """Some parts of a hub at work: intake, sequencer, relay, projector."""
    await hub.prepare()
    assert hub.kafka
    jobs = {
        "intake": hub.intake.run,
        "sequencer": hub.sequencer.run,
        "relay": lambda: hub.kafka.relay(hub.sequencer.sequenced),
        "projector": hub.projector.run,
    }
    tasks = [asyncio.ensure_future(jobs[part]()) for part in parts]
    try:
        yield Spine(hub)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await hub.kafka.close()


@pytest.fixture
async def hub(production: Production, tmp_path: Path) -> AsyncIterator[Hub]:
    """A hub on real parts; none of it at work yet."""
    hub = production.open_hub(tmp_path)
    yield hub
    await hub.store.close()


async def published(hub: Hub, count: int = 40) -> int:
    """Accept, sequence and publish so many events of several keys; how many with those of the network."""
    async with working(hub, "intake", "sequencer", "relay") as spine:
        manager_events = await _network(spine)
        for number in range(count):
            message = service(KENTS, f"s-{number % 7}", url=f"https://kent.example/{number}")
            await spine.post(KENTS, message if number % 2 else firm(KENTS, f"{number % 5}", employees=number))
        total = count + manager_events

        async def is_told() -> bool:
            return (await hub.store.read(told)).leaf >= total

        await until(is_told)
    return total


async def _network(spine: Spine) -> int:
    manager = network_manager()
    return len(await spine.post(manager, *network_events(manager)))


async def folded(hub: Hub, total: int) -> None:
    """Wait until the read model shows all of them, then compare it with one folded from the inbox."""

    async def is_folded() -> bool:
        return await hub.store.read(projection_version) >= total

    await until(is_folded)
    count = select(func.count()).select_from(verdict)
    assert await hub.store.read(lambda conn: conn.execute(count).scalar_one()) == total
    assert await hub.store.read(projection_version) == total
    assert (await rebuild(hub.store, by_lanes=True)).equal


async def until(reached: Callable[[], Awaitable[bool]]) -> None:
    """Wait for something that happens soon."""
    for _ in range(round(WAIT_S / ASK_S)):
        if await reached():
            return
        await asyncio.sleep(ASK_S)
    raise AssertionError(f"it has not happened within {WAIT_S} s")


async def parked(hub: Hub) -> list[Parked]:
    """What is parked."""
    return await hub.store.read(lambda conn: list_parked(conn, hub.vault))


def administer(production: Production) -> KafkaAdminClient:
    """An administrator's client."""
    return KafkaAdminClient(bootstrap_servers=production.bootstrap.split(","))


def produce(production: Production, topic: str, **record: Any) -> None:
    """Write one record, as somebody else than the hub."""
    producer = KafkaProducer(bootstrap_servers=production.bootstrap.split(","))
    try:
        producer.send(topic, **record).get(timeout=20)
    finally:
        producer.close(timeout=5)


async def test_what_the_log_no_longer_holds_comes_from_the_inbox(hub: Hub, production: Production) -> None:
    total = await published(hub)
    admin = administer(production)
    everything = {TopicPartition(CATALOGUE, one): -1 for one in range(PARTITIONS)}
    await asyncio.to_thread(admin.delete_records, everything)
    admin.close()
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)


async def test_a_log_that_repeats_everything_changes_nothing(hub: Hub, production: Production) -> None:
    total = await published(hub)
    async with working(hub, "projector"):
        await folded(hub, total)
    # As after a restored database, or a relay that lost its memory: all of it is published once more.
    await hub.store.write(lambda conn: conn.execute(delete(relay)))
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)


async def test_an_emptied_log_is_noticed_and_told_again(hub: Hub, production: Production) -> None:
    total = await published(hub)
    before = (await hub.store.read(told)).log
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await folded(hub, total)
        await asyncio.to_thread(empty_topics, production.bootstrap)
        receipts = []
        for number in range(10):
            receipts += await spine.post(KENTS, service(KENTS, f"s-{number}", url="https://kent.example/"))
        assert await hub.progress.reached([one.seq for one in receipts], WAIT_S)
        await folded(hub, total + 10)
    assert (await hub.store.read(told)).log != before


async def test_bytes_that_nobody_can_read_are_parked_and_the_flow_goes_on(
    hub: Hub, production: Production
) -> None:
    total = await published(hub, 5)
    for value in (b"\x00\xff not an event", b"{}", None):
        await asyncio.to_thread(produce, production, CASES, value=value, key=b"key", partition=0)
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)

        async def are_parked() -> bool:
            return len(await parked(hub)) == 3

        await until(are_parked)
    found = await parked(hub)
    assert {one.content for one in found} == {b"\x00\xff not an event", b"{}", b""}
    assert all(one.id.startswith(f"{CASES}/0/") and one.partner is None and one.error for one in found)


async def test_records_of_another_hub_are_left_alone(hub: Hub, production: Production) -> None:
    total = await published(hub, 5)
    others = [("hub-id", b"0" * 32), ("hub-leaf", b"0"), ("hub-after", b"-1")]
    await asyncio.to_thread(produce, production, CATALOGUE, value=b"{}", key=b"x", headers=others)
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await spine.verdicts(await spine.post(KENTS, service(KENTS, "after")))
        await folded(hub, total + 1)
    assert await parked(hub) == []


async def test_records_of_a_history_that_is_no_more_are_left_alone(hub: Hub, production: Production) -> None:
    """A truth restored from a backup: the log goes on with events that nobody ever accepted again."""
    total = await published(hub, 5)
    (last,) = await hub.store.read(lambda conn: sequenced(conn, total - 1, 1))
    assert hub.kafka
    hub_id = hub.vault.digest("hub", b"").hex()[:32]
    for seq, changed in (
        (total + 1, {"leaf_index": total}),
        (last.seq, {"data": {"url": "https://x.example/"}}),
    ):
        lost = replace(last, seq=seq, commitment=bytes(32), **changed)
        record = to_record(lost, last.leaf_index - 1, PARTITIONS, hub_id)
        await asyncio.to_thread(produce, production, **record._asdict())
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        receipts = await spine.post(KENTS, service(KENTS, "after"))
        assert [one.seq for one in receipts] == [total + 1]
        assert await spine.verdicts(receipts) == ["applied"]
        await folded(hub, total + 1)


async def test_several_projectors_share_the_lanes(hub: Hub, production: Production, tmp_path: Path) -> None:
    total = await published(hub, 20)
    others = [production.open_hub(tmp_path) for _ in range(2)]
    try:
        async with contextlib.AsyncExitStack() as stack:
            spine = await stack.enter_async_context(working(hub, "intake", "sequencer", "relay", "projector"))
            for other in others:
                await stack.enter_async_context(working(other, "projector"))
            for number in range(60):
                await spine.post(KENTS, firm(KENTS, f"{number % 11}", employees=number))
            await folded(hub, total + 60)
    finally:
        for other in others:
            await other.store.close()


async def test_a_batch_that_was_folded_by_another_writes_nothing(hub: Hub) -> None:
    await published(hub, 20)
    assert isinstance(hub.kafka, KafkaBackbone)
    await hub.prepare()
    batch = None
    async with asyncio.timeout(WAIT_S):
        while batch is None:
            batch = await hub.kafka.next(500)
    first = await hub.store.project(lambda conn: fold_batch(conn, batch))
    assert first
    assert await hub.store.project(lambda conn: fold_batch(conn, batch)) == []
    await hub.kafka.close()


async def test_topics_get_the_configuration_that_the_settings_say(hub: Hub, production: Production) -> None:
    assert hub.kafka
    cluster = hub.kafka.cluster
    await cluster.make_topics()
    assert await cluster.mend_topics() == []
    wrong = {"cleanup.policy": "compact", "retention.ms": "1000"}
    admin = administer(production)
    await asyncio.to_thread(admin.alter_configs, [ConfigResource(ConfigResourceType.TOPIC, CATALOGUE, wrong)])
    admin.close()
    assert await cluster.mend_topics() == [CATALOGUE]
    assert await cluster.mend_topics() == []


async def test_topics_of_another_shape_are_refused_with_a_remedy(
    hub: Hub, production: Production, tmp_path: Path
) -> None:
    assert hub.kafka
    await hub.kafka.cluster.make_topics()
    members = {**production.settings(tmp_path), "kafka_partitions": PARTITIONS + 1}
    other = open_hub(Settings(data_dir=tmp_path, **members))
    try:
        assert other.kafka
        with pytest.raises(Unfit, match=f"has {PARTITIONS} partitions"):
            await other.kafka.cluster.make_topics()
    finally:
        await other.store.close()
