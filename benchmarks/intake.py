"""The intake over real HTTP, with the token check, on the embedded default (SQLite).

The server is `hub serve` in a process of its own, on a fresh data folder under var; sequencer and projector
work in it all the while. Peer in the same run and folder: bare sqlite3 inserts of the same bytes, with WAL
and synchronous=FULL. The targets for the intake are set for PostgreSQL, so rows on SQLite have none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import uvloop

from benchmarks.bare import SQLITE, sqlite_rate
from benchmarks.load import Load, closed_loop, fixed_bytes, post_requests
from benchmarks.rows import Row, figure
from benchmarks.serving import Place, authorization, caught_up, enrol, place, running, scratch

BATCH, LANES = 100, 32
RUN_S = 3.0
SINGLES_MAX, BATCHES_MAX = 12_000, 400


def measure() -> list[Row]:
    """Rates and waits of single events and of batches."""
    with scratch() as folder:
        where = place(folder / "data")
        enrol(where)
        with fixed_bytes() as fixed, running(where, "serve"):
            return uvloop.run(_measure(where, fixed, folder / "raw.db"))


async def _measure(where: Place, fixed: int, raw: Path) -> list[Row]:
    token = await authorization(where)
    alone = await closed_loop(fixed, post_requests(token, SINGLES_MAX), LANES, RUN_S)
    one, one_peer = await _beside(raw, where, post_requests(token, SINGLES_MAX), 1, 1)
    many, many_peer = await _beside(raw, where, post_requests(token, SINGLES_MAX), LANES, 1)
    batches = post_requests(token, BATCHES_MAX, BATCH)
    _, behind = await caught_up(where)
    before = sqlite_rate(raw, BATCH)
    start = perf_counter()
    batched = await closed_loop(where.port, batches, 2, RUN_S)
    end, shown = await caught_up(where)
    batch_peer = (before + sqlite_rate(raw, BATCH)) / 2
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
        *(_row(*row[:3], f"{SQLITE}, {row[3]} a commit", row[4]) for row in rows),
        _row("the client on fixed bytes", alone.rate, "requests/s", rows[2][0], alone.rate / many.rate),
    ]


async def _beside(
    raw: Path, where: Place, requests: Sequence[bytes], lanes: int, size: int
) -> tuple[Load, float]:
    """A run, and the peer's rows a second right before and after it: a busy machine slows both."""
    before = sqlite_rate(raw, size)
    load = await closed_loop(where.port, requests, lanes, RUN_S)
    return load, (before + sqlite_rate(raw, size)) / 2


def _row(name: str, value: float, unit: str, peer: str, ratio: float) -> Row:
    return figure(f"intake: {name}", value, unit, peer=peer, ratio=ratio)
