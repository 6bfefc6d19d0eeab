"""Load over real HTTP from a client that costs little beside the server that it measures.

A connection is a protocol: no tasks, no streams. Requests are whole byte strings, built before the clock
starts.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import uuid4

import uvloop

from hub.domain.services import service_id

HOST = "127.0.0.1"
PARTNER = "bench"
OPEN_LANES = 96
"""Connections of an open loop: each is used before the server closes it as idle."""
DRAIN_S_MAX = 60.0
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
SERVICE = {
    "name": {"en": "Export workshop", "fr": "Atelier export"},
    "description": {"en": "Two days on customs, payment and contracts for a first export."},
    "service_type": "workshop",
    "sectors": [{"scheme": "nace-2.1", "code": "62.10"}],
    "target_countries": ["DE", "NL"],
}

Answered = Callable[["Lane", bytes, bytes], None]
"""Called with the lane, the head and the body of an answer."""


class Lane(asyncio.Protocol):
    """One connection, one request at a time. due_s: when the request on its way should have gone out."""

    def __init__(self, answered: Answered, ended: asyncio.Future[None], faults: list[str]) -> None:
        self._answered, self.ended, self._faults = answered, ended, faults
        self._got, self.due_s = b"", 0.0

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def send(self, request: bytes, due_s: float) -> None:
        """Send the next request."""
        self.due_s = due_s
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Take an answer in, and hand it on when it is whole."""
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if blank and length is not None and len(body) >= int(length[1]):
            self._got = b""
            self._answered(self, head, body)

    def connection_lost(self, error: Exception | None) -> None:
        """End of this lane."""
        if error:
            self._faults.append(repr(error))
        if not self.ended.done():
            self.ended.set_result(None)


@dataclass(slots=True)
class Load:
    """What came of a run. latencies_s: in order of the answers. rate: of answers a second."""

    latencies_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rate: float = 0.0


async def closed_loop(
    port: int, requests: Sequence[bytes], lanes: int, run_s: float, status: int = 202
) -> Load:
    """Each connection sends on when its last request is answered; AssertionError unless all `status`."""
    load, supply, begun_s = Load(), iter(requests), perf_counter()

    def send(lane: Lane) -> None:
        now_s = perf_counter()
        request = next(supply, None) if now_s < begun_s + run_s else None
        if request is None:
            lane.close()
        else:
            lane.send(request, now_s)

    def answered(lane: Lane, head: bytes, body: bytes) -> None:
        load.latencies_s.append(perf_counter() - lane.due_s)
        if head.startswith(b"HTTP/1.1 %d" % status):
            send(lane)
        else:
            load.faults.append(f"{head[:40]!r} {body[:300]!r}")
            lane.close()

    opened = await _open(port, lanes, answered, load.faults)
    for lane in opened:
        send(lane)
    await asyncio.gather(*(lane.ended for lane in opened))
    _check(load)
    # The last answer of every lane comes after `run_s`: what was answered counts, over the time it took.
    load.rate = len(load.latencies_s) / (perf_counter() - begun_s)
    return load


async def open_loop(
    port: int,
    requests: Sequence[bytes],
    rate_per_s: float,
    *,
    told: Callable[[float, float, bytes], None] = lambda _due_s, _answered_s, _body: None,
) -> Load:
    """Requests at a steady rate, whatever the answers; each latency counts from when the request was due.

    told: called with the time due, the time answered and the body. AssertionError unless each is 200 or 202.
    """
    load, waiting, all_answered = Load(), deque[tuple[bytes, float]](), asyncio.Event()
    idle: deque[Lane] = deque()

    def answered(lane: Lane, head: bytes, body: bytes) -> None:
        now_s = perf_counter()
        load.latencies_s.append(now_s - lane.due_s)
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
            load.faults.append(f"{head[:40]!r} {body[:300]!r}")
        told(lane.due_s, now_s, body)
        if len(load.latencies_s) == len(requests):
            all_answered.set()
        if waiting:
            lane.send(*waiting.popleft())
        else:
            idle.append(lane)

    opened = await _open(port, OPEN_LANES, answered, load.faults)
    idle.extend(opened)
    begun_s = perf_counter()
    for number, request in enumerate(requests):
        due_s = begun_s + number / rate_per_s
        if (early_s := due_s - perf_counter()) > 0:
            # Up to a millisecond late, which counts: a loop that spins takes the core of what is measured.
            await asyncio.sleep(early_s)
        if idle:
            idle.popleft().send(request, due_s)
        else:
            waiting.append((request, due_s))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DRAIN_S_MAX):
            await all_answered.wait()
    load.rate = len(load.latencies_s) / (perf_counter() - begun_s)
    for lane in opened:
        lane.close()
    if len(load.latencies_s) < len(requests):
        load.faults.append(f"{len(requests) - len(load.latencies_s)} requests were not answered")
    _check(load)
    return load


async def _open(port: int, lanes: int, answered: Answered, faults: list[str]) -> list[Lane]:
    loop = asyncio.get_running_loop()
    opening = (
        loop.create_connection(lambda: Lane(answered, loop.create_future(), faults), HOST, port)
        for _ in range(lanes)
    )
    return [lane for _, lane in await asyncio.gather(*opening)]


def _check(load: Load) -> None:
    if load.faults:
        raise AssertionError(f"{len(load.faults)} requests failed, the first: {load.faults[0]}")


def post_requests(
    authorization: str, count: int, size: int = 1, headers: str = "", partner: str = PARTNER
) -> list[bytes]:
    """Requests with `size` new services each. headers: further ones, each ending in CR LF."""
    kind = "application/cloudevents+json" if size == 1 else "application/cloudevents-batch+json"
    head = f"POST /events HTTP/1.1\r\nHost: hub\r\nAuthorization: {authorization}\r\n{headers}"
    bodies = (
        json.dumps([published(partner) for _ in range(size)] if size > 1 else published(partner))
        for _ in range(count)
    )
    return [
        f"{head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode() for body in bodies
    ]


def published(partner: str = PARTNER) -> dict[str, Any]:
    """A new service, as a structured event."""
    own_id = str(uuid4())
    return {
        "specversion": "1.0",
        "id": own_id,
        "source": f"/partners/{partner}/catalogue",
        "type": "hub.service.published.v1",
        "subject": service_id(partner, own_id),
        "time": "2026-11-22T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {"own_id": own_id, **SERVICE},
    }


@contextmanager
def fixed_bytes() -> Iterator[int]:
    """The port of a process that answers every request with the same bytes."""
    serving = [sys.executable, "-c", "from benchmarks.load import serve_fixed; serve_fixed()"]
    with subprocess.Popen(serving, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline())
        finally:
            server.kill()


class _Fixed(asyncio.Protocol):
    """Takes every packet for a whole request."""

    def connection_made(self, transport: Any) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer."""
        self._transport.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}")


def serve_fixed() -> None:
    """Serve fixed bytes on a free port, printed first, until killed."""

    async def serve() -> None:
        server = await asyncio.get_running_loop().create_server(_Fixed, HOST, 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    uvloop.run(serve())
