"""A hub on a backbone, driven below HTTP: events in, verdicts out."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from kafka.admin import KafkaAdminClient
from sqlalchemy import func, select

from hub.domain.principal import Principal
from hub.events.accept import Receipt
from hub.events.envelope import BATCH, STRUCTURED, parse
from hub.events.spine import Hub, open_hub
from hub.settings import Settings
from hub.store.tables import identity, inbox, reference, subject_key, verdict
from tests.support.messages import Message, body, network_events, network_manager
from tests.support.parts import DatabaseServer
from tests.support.waiting import PATIENCE_S

PARTITIONS = 3
"""Enough for the events of one test to come by several lanes."""


OpenHub = Callable[[Path], Hub]
"""Opens the hub of a data folder on some backbone; on the same folder again, the same hub."""


def embedded(data_dir: Path) -> Hub:
    """SQLite and the inbox itself."""
    return open_hub(Settings(data_dir=data_dir))


@dataclass(frozen=True, slots=True)
class Production:
    """PostgreSQL and Apache Kafka: a database for each data folder, and topics without any event."""

    server: DatabaseServer
    bootstrap: str
    urls: dict[Path, str] = field(default_factory=dict)

    def settings(self, data_dir: Path) -> dict[str, Any]:
        """Members of Settings for the hub of a data folder."""
        if data_dir not in self.urls:
            empty_topics(self.bootstrap)
            self.urls[data_dir] = self.server.create_database(f"hub_{uuid4().hex[:12]}")
        return {
            "database_url": self.urls[data_dir],
            "kafka_bootstrap": self.bootstrap,
            "kafka_partitions": PARTITIONS,
        }

    def open_hub(self, data_dir: Path) -> Hub:
        """The hub of a data folder."""
        return open_hub(Settings(data_dir=data_dir, **self.settings(data_dir)))


def empty_topics(bootstrap: str) -> None:
    """Delete every topic of a hub, so that the next one begins anew."""
    admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","))
    try:
        if topics := [one for one in admin.list_topics() if one.startswith(("hub.", "in."))]:
            admin.delete_topics(topics)
    finally:
        admin.close()


@dataclass(frozen=True, slots=True)
class Spine:
    """Intake, sequencer and projector of one hub."""

    hub: Hub

    async def post(self, sender: Principal, *messages: Message, batch: bool = False) -> list[Receipt]:
        """Receipts, once the events are durable; Rejected when they are not taken."""
        if batch or len(messages) > 1:
            envelopes = parse(BATCH, [], body(list(messages)))
        else:
            envelopes = parse(STRUCTURED, [], body(messages[0]))
        return await self.hub.intake.submit(sender, envelopes)

    async def verdicts(self, receipts: Sequence[Receipt]) -> list[str]:
        """`applied`, `refused CODE` or `parked CODE` of each, once projected."""
        assert await self.hub.progress.reached([one.seq for one in receipts], PATIENCE_S)
        found = await self.hub.store.inspect(
            lambda conn: {row.seq: (row.status, row.code) for row in conn.execute(select(verdict))}
        )
        return [" ".join(part for part in found[one.seq] if part) for one in receipts]

    async def outcome(self, sender: Principal, message: Message) -> str:
        """The verdict of one event."""
        return (await self.verdicts(await self.post(sender, message)))[0]

    async def set_up_network(self) -> None:
        """The partners of the story, in one network."""
        manager = network_manager()
        assert set(await self.verdicts(await self.post(manager, *network_events(manager)))) == {"applied"}

    async def counts(self) -> dict[str, int]:
        """Rows of every table that the intake writes."""
        return await self.hub.store.inspect(
            lambda conn: {
                table.name: conn.execute(select(func.count()).select_from(table)).scalar_one()
                for table in (inbox, identity, reference, subject_key)
            }
        )

    async def stored(self, seq: int) -> dict[str, Any]:
        """The stored form of an event."""
        text = await self.hub.store.inspect(
            lambda conn: conn.execute(select(inbox.c.event).where(inbox.c.seq == seq)).scalar_one()
        )
        return dict(json.loads(text))


@contextlib.asynccontextmanager
async def running_spine(open_backbone: OpenHub, data_dir: Path) -> AsyncIterator[Spine]:
    """The spine at work on that folder, until the end of the block."""
    hub = open_backbone(data_dir)
    try:
        async with hub.running():
            yield Spine(hub)
    finally:
        await hub.store.close()
