"""Whatever the log does (repeats, loses, comes back empty, holds others' records), all is folded once."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from kafka import TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from sqlalchemy import delete

from hub.domain.registry import CASES, CATALOGUE
from hub.events.kafka import KafkaBackbone
from hub.events.kafka.connection import KafkaUnavailable
from hub.events.kafka.lanes import GroupReader
from hub.events.projector import fold_batch
from hub.events.spine import Hub, open_hub
from hub.events.unfit import Unfit
from hub.settings import Settings
from hub.store.relay import told
from hub.store.tables import relay
from tests.kafka.lanes import (
    KENTS,
    administer,
    folded,
    produce,
    published,
    working,
)
from tests.support.messages import firm, service
from tests.support.spine import PARTITIONS, Production, empty_topics
from tests.support.waiting import PATIENCE_S, soon


async def beginnings(ids: Mapping[TopicPartition, str]) -> dict[TopicPartition, int | None]:
    """Where a reader starts that remembers nothing."""
    return dict.fromkeys(ids)


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
    before = (await hub.store.inspect(told)).log
    async with working(hub, "intake", "sequencer", "relay", "projector") as spine:
        await folded(hub, total)
        await asyncio.to_thread(empty_topics, production.bootstrap)
        receipts = []
        for number in range(10):
            receipts += await spine.post(KENTS, service(KENTS, f"s-{number}", url="https://kent.example/"))
        assert await hub.progress.reached([one.seq for one in receipts], PATIENCE_S)
        await folded(hub, total + 10)
    assert (await hub.store.inspect(told)).log != before


async def test_a_reader_notices_that_its_topics_were_made_again(hub: Hub, production: Production) -> None:
    """kafka-python reads by name, and does not always join the group anew."""

    await hub.prepare()
    assert hub.kafka
    reader = GroupReader(hub.kafka.cluster, "reader", {"topics": [CASES]}, beginnings)
    place = TopicPartition(CASES, 0)

    async def values() -> list[bytes]:
        with contextlib.suppress(KafkaUnavailable):
            return [record.value for record in (await reader.poll(100)).get(place, [])]
        return []

    async def is_noticed() -> bool:
        with contextlib.suppress(KafkaUnavailable):
            await reader.confirm()
        return reader.ids.get(place) != id_

    try:
        await hub.kafka.cluster.make_topics()
        await asyncio.to_thread(produce, production, CASES, value=b"old", partition=0)
        assert await soon(values) == [b"old"]
        id_ = reader.ids[place]
        await asyncio.to_thread(empty_topics, production.bootstrap)
        await soon(is_noticed)
        await hub.kafka.cluster.make_topics()
        await asyncio.to_thread(produce, production, CASES, value=b"new", partition=0)
        assert await soon(values) == [b"new"]
        assert reader.ids[place] != id_
    finally:
        await reader.drop()


async def test_a_join_that_kafka_python_forgot_is_made_anew(hub: Hub, production: Production) -> None:
    """It forgets one that other topics called for, when a poll ends between the leader's two requests."""
    await hub.prepare()
    assert hub.kafka
    reader = GroupReader(hub.kafka.cluster, "forgetful", {"topics": [CASES]}, beginnings)

    async def is_member() -> bool:
        with contextlib.suppress(KafkaUnavailable):
            await reader.poll(100)
        return bool(reader.ids) and not reader._consumer._coordinator.rejoining

    try:
        await soon(is_member)
        coordinator = reader._consumer._coordinator
        generation = coordinator.generation_if_stable().generation_id
        coordinator.rejoining = True
        assert not coordinator.need_rejoin()
        await soon(is_member)
        assert reader._consumer._coordinator.generation_if_stable().generation_id > generation
    finally:
        await reader.drop()


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
    backbone = hub.kafka
    batch = await soon(lambda: backbone.next(500))
    assert batch
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
