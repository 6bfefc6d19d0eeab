"""The intake over real HTTP, with the token check, on the embedded default (SQLite).

The server is `hub serve` in a process of its own, on a fresh data folder under var; sequencer and projector
work in it all the while. Peer in the same run and folder: bare sqlite3 inserts of the same bytes, with WAL
and synchronous=FULL. A ratio above 1 is better than the peer. The targets for the intake are set for
PostgreSQL, so rows on SQLite have none.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any
from uuid import uuid4

import httpx
import uvloop

from hub.auth.client import TokenClient
from hub.domain.services import service_id

HOST = "127.0.0.1"
PARTNER = "bench"
BATCH, LANES = 100, 32
RUN_S, PEER_S = 3.0, 0.5
SINGLES_MAX, BATCHES_MAX = 12_000, 400
WAIT_S_MAX = 20.0
PEER = "sqlite3, WAL, synchronous=FULL"
SERVICE = {
    "name": {"en": "Export workshop", "fr": "Atelier export"},
    "description": {"en": "Two days on customs, payment and contracts for a first export."},
    "service_type": "workshop",
    "sectors": [{"scheme": "nace-2.1", "code": "62.10"}],
    "target_countries": ["DE", "NL"],
}
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)

Row = dict[str, Any]


@dataclass(slots=True)
class Load:
    """Requests that connections send, until time or supply is up. rate: of answers a second."""

    requests: Iterator[bytes]
    until: float
    latencies_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    rate: float = 0.0


class Lane(asyncio.Protocol):
    """One connection of a closed loop: the next request goes out when the last one is answered.

    No tasks and no streams, so that the client costs little beside the server that it measures.
    """

    def __init__(self, load: Load, ended: asyncio.Future[None]) -> None:
        self._load, self.ended, self._got, self._sent_at = load, ended, b"", 0.0

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer in, and go on when it is whole."""
        self._got += data
        head, blank, body = self._got.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not blank or length is None or len(body) < int(length[1]):
            return
        self._load.latencies_s.append(perf_counter() - self._sent_at)
        self._got = b""
        if head.startswith(b"HTTP/1.1 202"):
            self._send()
        else:
            self._load.faults.append(f"{head[:40]!r} {body[:300]!r}")
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """End of this lane."""
        if error:
            self._load.faults.append(repr(error))
        self.ended.set_result(None)

    def _send(self) -> None:
        self._sent_at = perf_counter()
        request = next(self._load.requests, None) if self._sent_at < self._load.until else None
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)


def measure() -> list[Row]:
    """One row a figure: {"name", "value", "unit", "peer", "ratio", "target", "met"}."""
    (base := Path("var")).mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base, prefix="bench-") as name:
        folder = Path(name)
        with _fixed() as fixed, _hub(folder / "data") as port:
            return uvloop.run(_measure(port, fixed, folder))


async def _measure(port: int, fixed: int, folder: Path) -> list[Row]:
    raw, authorization = folder / "raw.db", await _authorization(port, folder / "data")
    alone = await _run(fixed, _requests(authorization, SINGLES_MAX, 1), LANES)
    one, one_peer = await _beside(raw, port, _requests(authorization, SINGLES_MAX, 1), 1, 1)
    many, many_peer = await _beside(raw, port, _requests(authorization, SINGLES_MAX, 1), LANES, 1)
    batches = _requests(authorization, BATCHES_MAX, BATCH)
    _, behind = await _caught_up(port)
    before = _raw_rate(raw, BATCH)
    start = perf_counter()
    batched = await _run(port, batches, 2)
    end, shown = await _caught_up(port)
    batch_peer = (before + _raw_rate(raw, BATCH)) / 2
    one_ms, many_ms = (median(run.latencies_s) * 1000 for run in (one, many))
    taken, shown_rate = batched.rate * BATCH, (shown - behind) / (end - start)
    rows = [
        ("single events, 1 connection", one.rate, "events/s", 1, one.rate / one_peer),
        ("single events, 1 connection, p50", one_ms, "ms", 1, 1000 / one_peer / one_ms),
        (f"single events, {LANES} connections", many.rate, "events/s", 1, many.rate / many_peer),
        (f"single events, {LANES} connections, p50", many_ms, "ms", 1, 1000 / many_peer / many_ms),
        ("batches of 100, 2 connections", taken, "events/s", BATCH, taken / batch_peer),
        ("these batches, until read", shown_rate, "events/s", BATCH, shown_rate / batch_peer),
    ]
    # What the client itself can do: far above the other rows, or these would measure the client.
    return [
        *(_row(*row[:3], f"{PEER}, {row[3]} a commit", row[4]) for row in rows),
        _row("the client on fixed bytes", alone.rate, "requests/s", rows[2][0], alone.rate / many.rate),
    ]


async def _run(port: int, requests: Sequence[bytes], lanes: int) -> Load:
    """One closed loop; AssertionError when anything but 202 came back."""
    loop = asyncio.get_running_loop()
    load = Load(iter(requests), perf_counter() + RUN_S)

    def lane() -> Lane:
        return Lane(load, loop.create_future())

    opened = await asyncio.gather(*(loop.create_connection(lane, HOST, port) for _ in range(lanes)))
    await asyncio.gather(*(lane.ended for _, lane in opened))
    if load.faults:
        raise AssertionError(f"{len(load.faults)} requests failed, the first: {load.faults[0]}")
    # The last answer of every lane comes after `until`: what was answered counts, over the time it took.
    load.rate = len(load.latencies_s) / (perf_counter() - load.until + RUN_S)
    return load


def _requests(authorization: str, count: int, size: int) -> list[bytes]:
    """Requests with `size` new services each, built before the clock starts."""
    kind = "application/cloudevents+json" if size == 1 else "application/cloudevents-batch+json"
    head = f"POST /events HTTP/1.1\r\nHost: hub\r\nAuthorization: {authorization}\r\nContent-Type: {kind}\r\n"
    bodies = (json.dumps([_event() for _ in range(size)] if size > 1 else _event()) for _ in range(count))
    return [f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode() for body in bodies]


def _event() -> dict[str, Any]:
    own_id = str(uuid4())
    return {
        "specversion": "1.0",
        "id": own_id,
        "source": f"/partners/{PARTNER}/catalogue",
        "type": "hub.service.published.v1",
        "subject": service_id(PARTNER, own_id),
        "time": "2026-11-22T09:00:00Z",
        "datacontenttype": "application/json",
        "data": {"own_id": own_id, **SERVICE},
    }


async def _beside(
    raw: Path, port: int, requests: Sequence[bytes], lanes: int, size: int
) -> tuple[Load, float]:
    """A run, and the peer's rows a second right before and after it: a busy machine slows both."""
    before = _raw_rate(raw, size)
    load = await _run(port, requests, lanes)
    return load, (before + _raw_rate(raw, size)) / 2


def _raw_rate(raw: Path, size: int) -> float:
    """Rows a second of bare sqlite3 on the same disk, so many a commit."""
    rows = [(json.dumps(_event()),)] * size
    with closing(sqlite3.connect(raw, isolation_level=None)) as conn:
        conn.execute("PRAGMA journal_mode=WAL")
        conn.execute("PRAGMA synchronous=FULL")
        conn.execute("CREATE TABLE IF NOT EXISTS inbox (seq INTEGER PRIMARY KEY, event TEXT NOT NULL)")
        done, start = 0, perf_counter()
        while (passed := perf_counter() - start) < PEER_S:
            conn.execute("BEGIN IMMEDIATE")
            conn.executemany("INSERT INTO inbox (event) VALUES (?)", rows)
            conn.execute("COMMIT")
            done += size
    return done / passed


@contextmanager
def _hub(data_dir: Path) -> Iterator[int]:
    """`hub serve` on a fresh folder with one partner; gives its port, ends it on leaving."""
    with socket.create_server((HOST, 0)) as free:
        port = int(free.getsockname()[1])
    env = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    env |= {"HUB_DATA_DIR": str(data_dir), "HUB_PORT": str(port)}
    hub = str(Path(sys.executable).with_name("hub"))
    adding = [hub, "partner", "add", PARTNER, "--name", "Benchmark", "--country", "FR", "--bearer", "--json"]
    added = subprocess.run(adding, env=env, check=True, capture_output=True)
    (data_dir / "client.json").write_bytes(added.stdout)
    log, until = data_dir / "serve.log", perf_counter() + WAIT_S_MAX
    with log.open("wb") as out, subprocess.Popen([hub, "serve"], env=env, stdout=out, stderr=out) as server:
        try:
            while not _is_ready(port):
                if perf_counter() > until or server.poll() is not None:
                    raise AssertionError(f"the hub did not start: {log.read_text()[-2000:]}")
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()


def _is_ready(port: int) -> bool:
    try:
        return httpx.get(f"http://{HOST}:{port}/readyz").is_success
    except httpx.TransportError:
        return False


async def _authorization(port: int, data_dir: Path) -> str:
    """Value of the header: a bearer token of the partner, good for the whole run."""
    base = f"http://{HOST}:{port}"
    row = json.loads((data_dir / "client.json").read_text(encoding="utf-8"))
    async with httpx.AsyncClient() as http:
        client = TokenClient(http, row, issuer=base, token_endpoint=f"{base}/oauth/token")
        return (await client.headers("POST", f"{base}/events"))["Authorization"]


async def _caught_up(port: int) -> tuple[float, int]:
    """When the read model shows all that was accepted, and how many events that is."""
    until = perf_counter() + WAIT_S_MAX
    async with httpx.AsyncClient() as http:
        while perf_counter() < until:
            at = (await http.get(f"http://{HOST}:{port}/readyz")).json()
            if at["version"] == at["accepted"]:
                return perf_counter(), int(at["version"])
            await asyncio.sleep(0.02)
    raise AssertionError(f"the read model is not up to date after {WAIT_S_MAX} s")


@contextmanager
def _fixed() -> Iterator[int]:
    """The port of a process that answers every request with the same bytes."""
    serving = [sys.executable, "-c", "from benchmarks.intake import serve_fixed; serve_fixed()"]
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


def _row(name: str, value: float, unit: str, peer: str, ratio: float) -> Row:
    shown = {"name": f"intake: {name}", "value": round(value, 2 if unit == "ms" else 0), "unit": unit}
    return {**shown, "peer": peer, "ratio": float(f"{ratio:.3g}"), "target": None, "met": None}
