"""The load: partners' systems that post events of firms and services, in order, until acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from chaos.messages import Line, Message
from hub.auth.client import TokenClient, TokenRefused

TIMEOUT = httpx.Timeout(6.0, connect=2.0)
AGAIN_S = 0.15
BATCH_EVENTS_MAX = 6
STRUCTURED, BATCH = "application/cloudevents+json", "application/cloudevents-batch+json"
PASSING = (401, 429, 500, 502, 503, 504)
"""Answers after which the same event is sent again. 401: a token that was just about to expire."""


@dataclass(frozen=True, slots=True)
class Ack:
    """What a client was told: this event is in the ledger, under that number."""

    line: int
    source: str
    id: str
    seq: int


@dataclass
class Load:
    """`run` posts until `ending` is set; every event that was begun is acknowledged first.

    urls: of all servers; rows: of credentials.json, by client. pause_s: between two events of a line.
    """

    seed: int
    urls: Sequence[str]
    issuer: str
    rows: Mapping[str, Mapping[str, Any]]
    lines: Sequence[Line]
    pause_s: float
    ending: asyncio.Event = field(default_factory=asyncio.Event)
    sent: dict[tuple[str, str], Message] = field(default_factory=dict)
    acknowledged: list[Ack] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unfinished: set[int] = field(default_factory=set)

    async def run(self) -> None:
        """Post on all lines at once."""
        async with contextlib.AsyncExitStack() as stack:
            self._https = {
                url: await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=TIMEOUT))
                for url in self.urls
            }
            self._tokens: dict[tuple[str, str], TokenClient] = {}
            async with asyncio.TaskGroup() as tasks:
                for line in self.lines:
                    tasks.create_task(self._post_line(line))

    async def _post_line(self, line: Line) -> None:
        draws = random.Random(f"{self.seed} line {line.number}")  # noqa: S311
        while not self.ending.is_set():
            count = draws.randint(2, BATCH_EVENTS_MAX) if draws.random() < 0.08 else 1
            messages = [line.next_message(draws) for _ in range(count)]
            self.sent |= {(one["source"], one["id"]): one for one in messages}
            self.unfinished.add(line.number)
            if draws.random() < 0.04:
                await self._post_and_hang_up(line, messages, draws)
            receipts = await self._until_acknowledged(line, messages, draws)
            self.acknowledged += [Ack(line.number, one["source"], one["id"], one["seq"]) for one in receipts]
            self.unfinished.discard(line.number)
            if draws.random() < 0.05:
                await self._post_again(line, messages, receipts, draws)
            await asyncio.sleep(draws.uniform(0, 2 * self.pause_s))

    async def _until_acknowledged(
        self, line: Line, messages: Sequence[Message], draws: random.Random
    ) -> list[dict[str, Any]]:
        while True:
            answer = await self._post(draws.choice(self.urls), line.client, messages)
            if answer is not None and answer.status_code in (200, 202):
                return self._receipts(answer, messages)
            if answer is not None and answer.status_code not in PASSING:
                self.complaints.append(f"{messages[0]['type']} got {answer.status_code}: {answer.text[:200]}")
            self.counts["again"] += 1
            await asyncio.sleep(AGAIN_S)

    def _receipts(self, answer: httpx.Response, messages: Sequence[Message]) -> list[dict[str, Any]]:
        receipts: list[dict[str, Any]] = answer.json()["receipts"]
        if [(one["source"], one["id"]) for one in receipts] != [(m["source"], m["id"]) for m in messages]:
            self.complaints.append(f"the receipts are of other events: {answer.text[:200]}")
        return receipts

    async def _post_again(
        self,
        line: Line,
        messages: Sequence[Message],
        receipts: Sequence[Mapping[str, Any]],
        draws: random.Random,
    ) -> None:
        """A duplicate on purpose: once, whatever comes of it; an answer must name the first acceptance."""
        answer = await self._post(draws.choice(self.urls), line.client, messages)
        if answer is None or answer.status_code in PASSING:
            return
        self.counts["twice"] += 1
        told = [(one["seq"], one["duplicate"]) for one in self._receipts(answer, messages)]
        if told != [(one["seq"], True) for one in receipts]:
            self.complaints.append(f"sent again, {messages[0]['id']} got {answer.status_code}: {told}")

    async def _post(self, url: str, client: str, messages: Sequence[Message]) -> httpx.Response | None:
        """One request; None when there was no answer."""
        kind = STRUCTURED if len(messages) == 1 else BATCH
        try:
            headers = {**await self._authorization(url, client), "Content-Type": kind}
            answer = await self._https[url].post("/events", content=_body(messages), headers=headers)
        except (httpx.TransportError, TokenRefused) as error:
            self.counts[type(error).__name__] += 1
            return None
        self.counts[f"HTTP {answer.status_code}"] += 1
        if answer.status_code == 401:
            self._tokens.pop((url, client), None)
        return answer

    async def _authorization(self, url: str, client: str) -> dict[str, str]:
        if (url, client) not in self._tokens:
            endpoint = f"{url}/oauth/token"
            self._tokens[url, client] = TokenClient(
                self._https[url], self.rows[client], issuer=self.issuer, token_endpoint=endpoint
            )
        return await self._tokens[url, client].headers("POST", f"{url}/events")

    async def _post_and_hang_up(self, line: Line, messages: Sequence[Message], draws: random.Random) -> None:
        """Send a part of the request, or all of it, and close the connection without waiting."""
        url = draws.choice(self.urls)
        body = _body(messages)
        kind = STRUCTURED if len(messages) == 1 else BATCH
        try:
            headers = {**await self._authorization(url, line.client), "Content-Type": kind}
            lines = [f"{name}: {value}" for name, value in headers.items()]
            head = "\r\n".join(["POST /events HTTP/1.1", "Host: hub", f"Content-Length: {len(body)}", *lines])
            request = head.encode() + b"\r\n\r\n" + body
            part = request if draws.random() < 0.5 else request[: draws.randint(1, len(request) - 1)]
            place = urlsplit(url)
            async with asyncio.timeout(TIMEOUT.connect):
                _, writer = await asyncio.open_connection(place.hostname, place.port)
                writer.write(part)
                await writer.drain()
        except (httpx.TransportError, TokenRefused, OSError, TimeoutError):
            return
        self.counts["cut"] += 1
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _body(messages: Sequence[Message]) -> bytes:
    return json.dumps(messages[0] if len(messages) == 1 else messages).encode()
