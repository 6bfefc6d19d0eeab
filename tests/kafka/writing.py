"""A hub on real Kafka and PostgreSQL, and partners that write to their own topics."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI, Request
from sqlalchemy import func, select

from hub.domain.principal import ANYONE, Principal
from hub.events.spine import Hub
from hub.rest.problems import install
from hub.rest.receipts import build_router
from hub.store.parked import Parked, list_parked
from hub.store.tables import delivery, inbox
from tests.kafka.clients import producing, read_topic
from tests.support.messages import KENT, NORMANDY, Message, body, partner
from tests.support.serving import enrol
from tests.support.spine import OpenHub, Spine
from tests.support.waiting import PATIENCE_S, soon

STRANGER = "nobody-we-know"
"""Has a topic, and is no partner."""
STRUCTURED = [("content-type", b"application/cloudevents+json")]
BATCH = [("content-type", b"application/cloudevents-batch+json")]
MEMBERS = {"seq", "status", "refusal", "accepted_at", "leaf_index", "leaf_hash", "salt", "subject"}
"""Of every receipt."""
Headers = Sequence[tuple[str, bytes | None]]


@dataclass
class Writing:
    """A hub at work, with receipts over HTTP, and a producer that anybody may use."""

    open_hub: OpenHub
    folder: Path
    bootstrap: str
    hub: Hub = field(init=False)
    http: httpx.AsyncClient = field(init=False)
    readers: dict[str, Principal] = field(default_factory=dict)

    async def start(self) -> None:
        """Open the hub, on the same data and topics as before, if there were any."""
        self.hub = self.open_hub(self.folder)
        self._running = contextlib.AsyncExitStack()
        self._running.push_async_callback(self.hub.store.close)
        if not self.readers:
            await self.hub.prepare()
            await enrol(self.hub)
            self.readers = {slug: partner(slug) for slug in (KENT, NORMANDY)}
            for slug in (KENT, NORMANDY, STRANGER):
                await self.make_topic(slug)
        await self._running.enter_async_context(self.hub.running())
        app = FastAPI()
        install(app)
        app.include_router(build_router(self.hub.store, self.hub.vault, self._who))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub.example")
        self._running.push_async_callback(self.http.aclose)

    async def stop(self) -> None:
        """End the hub."""
        await self._running.aclose()

    @property
    def spine(self) -> Spine:
        """The hub below HTTP."""
        return Spine(self.hub)

    async def make_topic(self, slug: str) -> None:
        """The partner's own topic."""
        assert self.hub.kafka
        await self.hub.kafka.cluster.make_inbox(f"in.{slug}")

    async def write(
        self,
        slug: str,
        value: Message | list[Message] | bytes | None,
        headers: Headers = STRUCTURED,
        partition: int = 0,
    ) -> int:
        """Offset of an acknowledged record of the partner's topic."""
        content = value if value is None or isinstance(value, bytes) else body(value)
        return await asyncio.to_thread(self._write, slug, content, headers, partition)

    def _write(self, slug: str, content: bytes | None, headers: Headers, partition: int) -> int:
        with producing(self.bootstrap) as producer:
            sent = producer.send(f"in.{slug}", content, b"any", headers=list(headers), partition=partition)
            return int(sent.get(PATIENCE_S).offset)

    async def receipt(self, slug: str, offset: int, partition: int = 0) -> httpx.Response:
        """What the partner is told of the place, now."""
        return await self.http.get(f"/receipts/in/{partition}/{offset}", headers={"As": slug})

    async def told(self, slug: str, offset: int, partition: int = 0) -> dict[str, Any]:
        """The receipt, once there is one and its event is judged."""

        async def judged() -> dict[str, Any]:
            answer = await self.receipt(slug, offset, partition)
            is_told = answer.status_code == 200 and answer.json()["status"] != "pending"
            return dict(answer.json()) if is_told else {}

        return await soon(judged, (slug, partition, offset))

    async def outcome(self, slug: str, *written: Any, **more: Any) -> str:
        """`applied`, `refused CODE` or `parked CODE`."""
        told = await self.told(slug, await self.write(slug, *written, **more), more.get("partition", 0))
        return " ".join(part for part in (told["status"], (told["refusal"] or {}).get("code")) if part)

    async def counts(self, slug: str) -> tuple[int, int]:
        """Events of the partner in the inbox, and messages of its topics that were dealt with."""
        return await self.hub.store.inspect(
            lambda conn: (
                conn.execute(select(func.count()).where(inbox.c.partner == slug)).scalar_one(),
                conn.execute(select(func.count()).where(delivery.c.partner == slug)).scalar_one(),
            )
        )

    async def parked(self, slug: str, offset: int, partition: int = 0) -> Parked:
        """What is parked of a place, once it is."""
        prefix = f"in.{slug}/{partition}/{offset}@"

        async def here() -> list[Parked]:
            found = await self.hub.store.inspect(lambda conn: list_parked(conn, self.hub.vault))
            return [one for one in found if one.id.startswith(prefix)]

        return (await soon(here, prefix))[0]

    async def log(self, topic: str) -> list[Any]:
        """Every record that the topic holds now."""
        return await asyncio.to_thread(read_topic, self.bootstrap, topic)

    async def _who(self, request: Request) -> Principal:
        return self.readers.get(request.headers.get("As", ""), ANYONE)


def binary(message: dict[str, Any]) -> list[tuple[str, bytes | None]]:
    """Headers of the event in binary mode."""
    attributes = {name: value for name, value in message.items() if name != "data"}
    return [
        ("content-type", b"application/json"),
        *((f"ce_{name}", str(value).encode()) for name, value in attributes.items()),
    ]
