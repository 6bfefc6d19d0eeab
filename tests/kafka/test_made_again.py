"""A log that was made again, in which kafka-python reads on by name: places are those of this log."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

import pytest
from kafka import TopicPartition

from hub.domain.registry import CASES
from hub.events.kafka.connection import KafkaUnavailable
from hub.events.spine import Hub
from tests.kafka.lanes import parked, produce, working
from tests.support.spine import Production
from tests.support.waiting import soon

TOPIC = "in.nobody-we-know"
"""Of no partner: whatever is written there is parked, under its place."""
Change = Callable[[Hub], None]
Step = Callable[[], Awaitable[object]]


def with_another_id(hub: Hub) -> None:
    """Let the readers of the hub stand where they would if the log had been made again behind them."""
    assert hub.kafka
    for reader in (hub.kafka._reader, hub.kafka._partner_topics._reader):
        reader.ids = dict.fromkeys(reader.ids, "another")
        reader._confirmed_at_s = time.monotonic()  # What is due every few seconds is not what this is about.


def with_a_fault(hub: Hub) -> None:
    """Let the next question after the topics' ids end in a fault that is not Kafka's."""
    assert hub.kafka
    cluster = hub.kafka.cluster
    asked = cluster.identity

    async def identity() -> None:
        cluster.identity = asked  # type: ignore[method-assign]
        raise RuntimeError("can't start new thread")

    cluster.identity = identity  # type: ignore[method-assign,assignment]


async def until(step: Step, look: Callable[[], Awaitable[object]], expected: object) -> None:
    """Step, whatever Kafka says meanwhile, until that is what there is."""

    async def is_so() -> bool:
        with contextlib.suppress(KafkaUnavailable):
            await step()
        return await look() == expected

    await soon(is_so, expected, pause_s=0.1)


async def until_it_fails(step: Step) -> None:
    """Step until what was changed is noticed; a step that finds nothing takes a third of a second."""

    async def many() -> None:
        for _ in range(100):
            await step()

    with pytest.raises((KafkaUnavailable, RuntimeError), match=r"not the ones any more|new thread"):
        await many()


@pytest.mark.parametrize("change", [with_another_id, with_a_fault])
async def test_a_partners_message_is_taken_in_under_its_own_place(
    hub: Hub, production: Production, change: Change
) -> None:
    await hub.prepare()
    assert hub.kafka
    step = hub.kafka._partner_topics.step
    await hub.kafka.cluster.make_inbox(TOPIC)
    id_ = (await hub.kafka.cluster.identity()).topic_ids[TOPIC]
    first, second = (f"{TOPIC}/0/{offset}@{id_}" for offset in (0, 1))
    async with working(hub, "intake"):
        await asyncio.to_thread(produce, production, TOPIC, value=b"first", partition=0)
        await until(step, lambda: places(hub), {first})
        change(hub)
        await asyncio.to_thread(produce, production, TOPIC, value=b"second", partition=0)
        await until_it_fails(step)
        assert await places(hub) == {first}
        await until(step, lambda: places(hub), {first, second})


@pytest.mark.parametrize("change", [with_another_id, with_a_fault])
async def test_what_nobody_can_read_is_parked_under_its_own_place(
    hub: Hub, production: Production, change: Change
) -> None:
    await hub.prepare()
    kafka = hub.kafka
    assert kafka
    await kafka.cluster.make_topics()
    id_ = (await kafka.cluster.identity()).topic_ids[CASES]
    first, second = (f"{CASES}/0/{offset}@{id_}" for offset in (0, 1))
    try:
        await asyncio.to_thread(produce, production, CASES, value=b"first", partition=0)
        await until(lambda: kafka.next(100), lambda: places(hub), {first})
        change(hub)
        await asyncio.to_thread(produce, production, CASES, value=b"second", partition=0)
        await until_it_fails(lambda: kafka.next(100))
        assert await places(hub) == {first}
        await until(lambda: kafka.next(100), lambda: places(hub), {first, second})
    finally:
        await kafka.close()


async def test_nothing_of_a_topic_is_deleted_for_what_was_read_of_the_one_before(hub: Hub) -> None:
    await hub.prepare()
    assert hub.kafka
    topics = hub.kafka._partner_topics
    await hub.kafka.cluster.make_inbox(TOPIC)
    topics._deletable = {TopicPartition(TOPIC, 0): 3}
    topics._swept_at_s = float("inf")

    async def is_assigned() -> bool:
        return TopicPartition(TOPIC, 0) in topics._reader.ids

    try:
        await until(topics.step, is_assigned, True)
        assert topics._deletable == {}
    finally:
        await topics.close()


async def places(hub: Hub) -> set[str]:
    """Where what is parked stood."""
    return {one.id for one in await parked(hub)}
