"""Driving the parts of a hub apart, and waiting for what they do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from kafka.admin import KafkaAdminClient
from sqlalchemy import func, select

from hub.events.rebuild import rebuild
from hub.events.spine import Hub
from hub.store.pages import projection_version
from hub.store.parked import Parked, list_parked
from hub.store.relay import told
from hub.store.tables import verdict
from tests.kafka.clients import producing
from tests.support.messages import KENT, firm, network_events, network_manager, partner, service
from tests.support.spine import Production, Spine
from tests.support.waiting import PATIENCE_S, soon

KENTS = partner(KENT)


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


async def published(hub: Hub, count: int = 40) -> int:
    """Accept, sequence and publish so many events of several keys; how many with those of the network."""
    async with working(hub, "intake", "sequencer", "relay") as spine:
        manager_events = await _network(spine)
        for number in range(count):
            message = service(KENTS, f"s-{number % 7}", url=f"https://kent.example/{number}")
            await spine.post(KENTS, message if number % 2 else firm(KENTS, f"{number % 5}", employees=number))
        total = count + manager_events

        async def is_told() -> bool:
            return (await hub.store.inspect(told)).leaf >= total

        await soon(is_told)
    return total


async def _network(spine: Spine) -> int:
    manager = network_manager()
    return len(await spine.post(manager, *network_events(manager)))


async def folded(hub: Hub, total: int) -> None:
    """Wait until the read model shows all of them, then compare it with one folded from the inbox."""

    async def is_folded() -> bool:
        return await hub.store.inspect(projection_version) >= total

    await soon(is_folded)
    count = select(func.count()).select_from(verdict)
    assert await hub.store.inspect(lambda conn: conn.execute(count).scalar_one()) == total
    assert await hub.store.inspect(projection_version) == total
    assert (await rebuild(hub.store, by_lanes=True)).equal


async def parked(hub: Hub) -> list[Parked]:
    """What is parked."""
    return await hub.store.inspect(lambda conn: list_parked(conn, hub.vault))


def hub_id(hub: Hub) -> str:
    """As the hub names itself in its records."""
    return hub.vault.digest("hub", b"").hex()[:32]


def administer(production: Production) -> KafkaAdminClient:
    """An administrator's client."""
    return KafkaAdminClient(bootstrap_servers=production.bootstrap.split(","))


def produce(production: Production, topic: str, **record: Any) -> None:
    """Write one record, as somebody else than the hub."""
    with producing(production.bootstrap) as producer:
        producer.send(topic, **record).get(PATIENCE_S)
